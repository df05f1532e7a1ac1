//! Settings that are changed while a site runs: they hold for what comes after and for nothing before, each decision says under
//! which it was made, and a restart undoes nothing. In virtual time, against the simulated world.

mod support;

use actors::Seat;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::settings::keeper::{Activated, Activation, Drafted, KeeperMsg, Reply};
use actors::settings::{Opening, SettingsFault, Versions};
use actors::site::{Site, World};
use actors::{Caller, Delivery};
use drivers::Clock;
use serde_json::{Value, json};
use sim::carriers::LatencyModel;
use sim::demand::{self, DemandSettings};
use sim::site_file::SiteFile;
use sim::world::{Setup, SimWorld};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use support::project;
use tokio::sync::oneshot;
use twin::NewOrder;
use twin::bag::Bag;
use twin::parcel::Parcel;
use twin::parts::Parts;
use twin::settings::Stage;
use twin::{Event, Moment, Money, Span, Twin, bag, order, parcel, settings};

const ORDERS: u32 = 160;
const WINDOW: Span = Span::from_hours(30);

/// The bundled site, with orders to come over more than a day.
struct House {
    clock: Clock,
    twin: Arc<Twin>,
    parts: Parts,
    world: SimWorld,
    site: Site,
    start: Moment,
    /// Where buyers hand their orders in.
    desk: Arc<Mutex<Seat<DeskMsg>>>,
}

impl House {
    /// Runs `test` in virtual time, on a site that goes by version 1.
    fn play(test: impl AsyncFnOnce(House)) {
        let start: Moment = "2026-11-09T08:00:00+08:00".parse().expect("a moment");
        let clock = Clock::virtual_from(start);
        let runtime = drivers::clock::virtual_runtime(&clock).expect("a runtime can be built");
        runtime.block_on(async {
            let file = SiteFile::read(&project().join("scenarios/quick-start/site.toml")).expect("the bundled site is good");
            let mut raw = file.parts.joined();
            raw["limits"] = json!({ "keepalive_s": 3_600 });
            let parts = Parts::of(raw).expect("it comes apart");
            let config = actors::config::SiteConfig::of(&parts).expect("it is a site");
            let twin = Arc::new(Twin::in_memory("settings"));
            let opening = Opening::take(&twin, &parts, start, "the first").expect("it is taken");
            let demand = DemandSettings {
                orders: ORDERS,
                window: WINDOW,
                skus: 40,
                problem_ppm: 0,
                short_ppm: 0,
                stock_cover_pct: 400,
                ..DemandSettings::default()
            };
            let catalogue = demand::catalogue(1, &demand);
            let warehouses: Vec<_> = config.warehouses.iter().map(|w| w.id.clone()).collect();
            let stock = demand::stock(1, &demand, &catalogue, &warehouses);
            let orders: Vec<(Moment, NewOrder)> = demand::orders(1, &demand, &catalogue, start).collect();
            let mut setup = Setup::default();
            // Long enough for something to change while they think.
            setup.wires.carrier_latency = LatencyModel { base_ms: 5_000, jitter_ms: 0 };
            let world = SimWorld::build(&config, setup, clock.clone(), &catalogue);
            let site = open(&clock, &twin, &world, opening).await;
            site.describe(catalogue.into_iter().map(actors::catalog::Change::from).collect());
            site.count(stock);
            let (desk, buying) = (Arc::new(Mutex::new(site.house.desk.clone())), clock.clone());
            let buyers = desk.clone();
            tokio::spawn(async move {
                for (at, order) in orders {
                    buying.sleep_until(at).await;
                    let desk = buyers.lock().expect("no test panics with it").clone();
                    desk.cast(DeskMsg::Receive(vec![order], Caller::nobody()));
                }
            });
            test(House { clock, twin, parts, world, site, start, desk }).await;
        });
    }

    /// Lets it go on until so long after the start.
    async fn until(&self, hours: i64) {
        self.clock.sleep_until(self.start + Span::from_hours(hours)).await;
    }

    async fn asked<T: Send + 'static>(&self, message: impl FnOnce(Reply<T>) -> KeeperMsg) -> Result<T, SettingsFault> {
        let (tell, answer) = oneshot::channel();
        self.site.house.keeper.cast(message(Caller::new(move |outcome| drop(tell.send(outcome)))));
        answer.await.expect("the keeper answers")
    }

    async fn draft(&self, change: impl FnOnce(&mut Value)) -> u32 {
        let mut raw = self.parts.joined();
        change(&mut raw);
        let parts = Box::new(Parts::of(raw).expect("it comes apart"));
        let drafted = self.asked(|reply| KeeperMsg::Draft { parts, note: "a test".into(), reply }).await;
        let Drafted { number, new } = drafted.expect("it is written down");
        assert!(new);
        number
    }

    async fn activate(&self, number: u32, from: Option<Moment>) -> Result<Activated, SettingsFault> {
        let asked = Activation { number, from, reason: "a test".into(), in_place_of: None };
        self.asked(|reply| KeeperMsg::Activate { asked, reply }).await
    }

    /// Puts the first settings with a change in force at once.
    async fn change(&self, change: impl FnOnce(&mut Value)) -> Activated {
        let number = self.draft(change).await;
        let activated = self.activate(number, None).await.expect("it is put in force");
        assert_eq!((activated.number, activated.stage), (number, Stage::Active));
        activated
    }

    /// The record with which a version came in force, and when.
    fn in_force_since(&self, number: u32) -> (u64, Moment) {
        let activated =
            |r: &twin::Record| *r.key.id == *number.to_string() && matches!(r.event, Event::Settings(settings::Event::Activated { .. }));
        self.records().find(activated).map(|r| (r.seq, r.at)).expect("it is in force")
    }

    fn records(&self) -> impl Iterator<Item = twin::Record> + '_ {
        self.twin.records(0).map(|record| record.expect("it reads"))
    }

    /// Each decision with its record.
    fn decisions(&self) -> Vec<(u64, twin::allocation::Decision)> {
        let decision = |r: twin::Record| match r.event {
            Event::Order(order::Event::Allocated { decision, .. }) => Some((r.seq, *decision)),
            _ => None,
        };
        self.records().filter_map(decision).collect()
    }
}

async fn open(clock: &Clock, twin: &Arc<Twin>, world: &SimWorld, opening: Opening) -> Site {
    let outside = World {
        clock: clock.clone(),
        twin: twin.clone(),
        pace: Pace::Modelled(Span::from_ms(3)),
        delivery: Delivery::Mailbox,
        dials: world.dials(),
        drivers: world.drivers(&opening.config),
    };
    Site::start(opening, outside).await.expect("the site starts")
}

fn channel<'a>(site: &'a mut Value, id: &str) -> &'a mut Value {
    let channels = site["channel"].as_array_mut().expect("a list");
    channels.iter_mut().find(|c| c["id"] == id).expect("the site has it")
}

fn sorting<'a>(site: &'a mut Value, warehouse: &str) -> &'a mut Value {
    let warehouses = site["warehouse"].as_array_mut().expect("a list");
    let stations = warehouses.iter_mut().find(|w| w["id"] == warehouse).expect("it is there")["station"].as_array_mut();
    let line = stations.expect("a list").iter_mut().find(|s| s["kind"] == "line").expect("it has a line");
    &mut line["line"]["sorting"]
}

#[test]
fn a_threshold_holds_for_what_is_judged_after_it() {
    House::play(async |house| {
        house.until(20).await;
        // Nothing weighs what was declared to the gram.
        let strict =
            |site: &mut Value| site["checks"] = json!({ "weight_g": 0, "weight_percent": 0, "side_mm": 99_999, "side_percent": 100 });
        assert_eq!(house.change(strict).await.needs_restart, [] as [&str; 0]);
        house.until(60).await;
        let (since, _) = house.in_force_since(2);
        let (mut before, mut after) = ([0, 0], [0, 0]);
        for record in house.records() {
            let counts = if record.seq < since { &mut before } else { &mut after };
            match record.event {
                Event::Parcel(parcel::Event::Passed { .. }) => counts[0] += 1,
                Event::Parcel(parcel::Event::Intercepted { why: parcel::Interception::Weight { .. }, .. }) => counts[1] += 1,
                _ => {}
            }
        }
        assert!(before[0] > 20 && before[1] * 10 < before[0], "before: {before:?} passed and stopped");
        // What was stopped is declared anew by a person, and passes then.
        assert!(after[1] > 10 && after[0] * 2 < after[1], "after: {after:?} passed and stopped");
    });
}

#[test]
fn a_tariff_prices_what_is_decided_after_it_and_every_decision_names_its_settings() {
    House::play(async |house| {
        house.until(15).await;
        let dear = |site: &mut Value| channel(site, "direct/packet")["tariff"]["surcharges"] = json!([{ "name": "test", "flat": "5000" }]);
        house.change(dear).await;
        house.until(60).await;
        let (since, _) = house.in_force_since(2);
        let (mut old, mut new) = (0, 0);
        for (seq, decision) in house.decisions() {
            assert_eq!(decision.settings, if seq < since { 1 } else { 2 }, "record {seq}, version 2 since {since}");
            let costs = decision.candidates.iter().filter(|c| c.channel.as_ref().is_some_and(|c| c.as_str() == "direct/packet"));
            for Money { amount, .. } in costs.filter_map(|c| c.cost) {
                assert_eq!(amount > 5_000.into(), seq > since, "record {seq}: {amount}");
                *(if seq < since { &mut old } else { &mut new }) += 1;
            }
        }
        assert!(old > 20 && new > 20, "{old} before, {new} after");
        let freight: BTreeSet<u32> = house
            .records()
            .filter_map(|r| match r.event {
                Event::Charges(twin::charges::Event::Charged { settings, rate, .. }) => {
                    let (_, version) = house.twin.load::<settings::Settings>(&settings.to_string().into()).unwrap().expect("it is there");
                    assert_eq!(rate.map(|rate| rate.as_of), version.activated_at, "a rate is as old as the settings that say it");
                    Some(settings)
                }
                _ => None,
            })
            .collect();
        assert!(freight.contains(&2) && !freight.contains(&0), "{freight:?}");
        // A part that did not change is the same document.
        let versions = Versions::load(&house.twin).expect("they read");
        let (first, second) = (versions.get(1).expect("it is there"), versions.get(2).expect("it is there"));
        let changed: Vec<_> = first.parts.iter().filter(|(name, hash)| second.parts.get(*name) != Some(hash)).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");
    });
}

#[test]
fn what_no_channel_takes_goes_as_soon_as_one_does() {
    House::play(async |house| {
        let narrow = |site: &mut Value| {
            for channel in site["channel"].as_array_mut().expect("a list") {
                channel["limits"]["weight_g_max"] = json!(1);
            }
        };
        house.change(narrow).await;
        house.until(8).await;
        let held = |house: &House| {
            let orders = house.twin.all::<order::Order>().map(|o| o.expect("it reads"));
            orders.filter(|(_, o)| o.stage == order::Stage::Received && !o.holds.is_empty()).map(|(id, _)| id).collect::<Vec<_>>()
        };
        let before = held(&house);
        assert!(before.len() > 20 && house.decisions().is_empty(), "{} are held", before.len());
        house.change(|site| site["checks"]["weight_percent"] = json!(7)).await;
        house.clock.sleep(Span::from_mins(10)).await;
        assert_eq!(held(&house), [] as [&str; 0], "of {}", before.len());
    });
}

#[test]
fn an_order_whose_carriers_are_still_thinking_is_decided_under_what_is_in_force_then() {
    House::play(async |house| {
        let waiting = |house: &House| house.twin.board().count(twin::Kind::Order, "received");
        let asked = |site: &mut Value| channel(site, "mydhl/express-worldwide")["last_resort"] = json!(false);
        house.change(asked).await;
        let dear = |site: &mut Value| {
            asked(site);
            for id in ["direct/packet", "direct/parcel", "usps/ground-advantage", "usps/priority"] {
                channel(site, id)["tariff"]["surcharges"] = json!([{ "name": "test", "flat": "5000" }]);
            }
        };
        let number = house.draft(dear).await;
        house.until(4).await;
        while waiting(&house) == 0 {
            assert!(house.clock.now() < house.start + Span::from_hours(20), "no carrier was asked for a price");
            house.clock.sleep(Span::from_secs(1)).await;
        }
        let undecided = house.twin.all::<order::Order>().map(|o| o.expect("it reads")).filter(|(_, o)| o.stage == order::Stage::Received);
        let undecided: Vec<_> = undecided.map(|(id, _)| id).collect();
        house.activate(number, None).await.expect("it is put in force");
        house.until(30).await;
        let (since, _) = house.in_force_since(number);
        for id in undecided {
            let (_, order) = house.twin.load::<order::Order>(&id).expect("it reads").expect("it is there");
            let decision = order.decision().expect("it is decided");
            assert_eq!(decision.settings, number, "{id}");
            let rated = decision.candidates.iter().filter(|c| c.channel.as_ref().is_some_and(|c| !c.as_str().starts_with("mydhl")));
            assert!(rated.filter_map(|c| c.cost).all(|cost| cost.amount > 5_000.into()), "{decision:#?}");
        }
        assert!(house.decisions().iter().all(|(seq, d)| (d.settings < number) == (*seq < since)));
    });
}

#[test]
fn a_cut_off_closes_bags_at_its_new_hour_from_then_on() {
    House::play(async |house| {
        house.until(30).await;
        let earlier = |site: &mut Value| {
            for carrier in site["carrier"].as_array_mut().expect("a list") {
                carrier["cutoffs"] = json!(["10:15"]);
            }
        };
        house.change(earlier).await;
        house.until(24 * 4).await;
        let (since, _) = house.in_force_since(2);
        let zone = house.site.house.in_force().config.warehouse(&"SZX".into()).expect("it is there").time_zone.clone();
        let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
        for record in house.records() {
            if let Event::Bag(bag::Event::Closed { why }) = &record.event
                && why == "cut-off"
            {
                let (_, bag) = house.twin.load::<Bag>(&record.key.id).expect("it reads").expect("it is there");
                if bag.warehouse.as_str() == "SZX" {
                    let hour = zone.wall(record.at).to_string()[11..16].to_owned();
                    if record.seq < since {
                        before.insert(hour)
                    } else {
                        after.insert(hour)
                    };
                }
            }
        }
        assert!(!before.is_empty() && !before.contains("10:15"), "{before:?}");
        assert_eq!(after, BTreeSet::from(["10:15".to_owned()]), "and never again at {before:?}");
    });
}

#[test]
fn a_sorting_plan_changes_under_the_belt_and_no_bag_is_mixed() {
    House::play(async |house| {
        house.until(20).await;
        let open = |house: &House| house.twin.board().count(twin::Kind::Bag, "open");
        assert!(open(&house) > 0, "a bag hangs there to be closed");
        let swapped = |site: &mut Value| {
            let chutes = sorting(site, "SZX")["chutes"].as_array_mut().expect("a list");
            let at = |n: u64| chutes.iter().position(|c| c["chute"] == n).expect("the line has it");
            let (packets, parcels) = (at(1), at(5));
            chutes[packets]["chute"] = json!(5);
            chutes[parcels]["chute"] = json!(1);
        };
        house.change(swapped).await;
        house.until(24 * 30).await;
        let (since, _) = house.in_force_since(2);
        let mut chutes = [BTreeSet::new(), BTreeSet::new()];
        for record in house.records() {
            let Event::Parcel(parcel::Event::Passed { chute, .. }) = record.event else { continue };
            let (_, parcel) = house.twin.load::<Parcel>(&record.key.id).expect("it reads").expect("it is there");
            if parcel.plan.channel.as_str() == "direct/packet" && &parcel.plan.ship_to.country == "US" {
                chutes[usize::from(record.seq > since)].insert(chute);
            }
        }
        assert_eq!(chutes, [BTreeSet::from([1]), BTreeSet::from([5])]);
        let why = |r: &twin::Record| matches!(&r.event, Event::Bag(bag::Event::Closed { why }) if why == "the sorting plan changed");
        assert!(house.records().any(|r| why(&r)), "what hung there was closed");
        let mut mixed = 0;
        for row in house.twin.all::<Bag>() {
            let (id, bag) = row.expect("it reads");
            for parcel in &bag.parcels {
                let (_, parcel) = house.twin.load::<Parcel>(parcel.text()).expect("it reads").expect("it is there");
                mixed += u32::from(parcel.plan.channel != bag.channel);
            }
            assert!(!bag.parcels.is_empty(), "{id} is empty");
        }
        assert_eq!(mixed, 0);
        let stuck: Vec<_> = house.twin.all::<Parcel>().map(|p| p.expect("it reads")).filter(|(_, p)| !p.stage.is_final()).collect();
        assert!(stuck.len() <= 4, "{stuck:#?}");
    });
}

#[test]
fn a_bag_that_hung_there_while_the_site_was_down_is_closed_where_its_chute_is_for_something_else() {
    House::play(async |house| {
        house.until(20).await;
        let House { clock, twin, parts, world, site, start, desk } = house;
        site.stop().await;
        let hanging = |twin: &Twin| twin.all::<Bag>().map(|b| b.expect("it reads")).filter(|(_, b)| b.stage == bag::Stage::Open).collect();
        let before: Vec<(_, Bag)> = hanging(&twin);
        let mut raw = parts.joined();
        let chutes = sorting(&mut raw, "SZX")["chutes"].as_array_mut().expect("a list");
        for chute in chutes.iter_mut() {
            let other = |n| [(1, 5), (5, 1), (4, 6), (6, 4)].iter().find(|(of, _)| *of == n).map_or(n, |(_, other)| *other);
            chute["chute"] = json!(other(chute["chute"].as_u64().expect("a number")));
        }
        let other = Parts::of(raw).expect("it comes apart");
        let opening = Opening::take(&twin, &other, clock.now(), "another plan").expect("it is taken");
        let now = opening.config.clone();
        let site = open(&clock, &twin, &world, opening).await;
        *desk.lock().expect("no test panics with it") = site.house.desk.clone();
        let house = House { clock, twin, parts: other, world, site, start, desk };
        house.until(60).await;
        let line = now.warehouses.iter().flat_map(|w| &w.stations).find(|s| s.id.as_str() == "SZX/line-1").and_then(|s| s.line.as_ref());
        let is_for = |chute| line.and_then(|l| l.sorting.chutes.iter().find(|r| r.chute == chute)).map(|r| r.channel.clone());
        let other: Vec<_> =
            before.iter().filter(|(_, b)| b.warehouse.as_str() == "SZX" && is_for(b.chute).as_ref() != Some(&b.channel)).collect();
        assert!(!other.is_empty());
        for (id, bag) in other {
            let (_, now) = house.twin.load::<Bag>(id).expect("it reads").expect("it is there");
            assert_eq!(now.parcels, bag.parcels, "{id}: nothing more fell into it");
        }
    });
}

#[test]
fn a_channel_that_goes_takes_what_is_under_way_to_its_end() {
    House::play(async |house| {
        house.until(20).await;
        let gone = |site: &mut Value| {
            site["channel"].as_array_mut().expect("a list").retain(|c| c["id"] != "direct/packet");
            sorting(site, "SZX")["chutes"].as_array_mut().expect("a list").retain(|c| c["channel"] != "direct/packet");
        };
        house.change(gone).await;
        house.until(24 * 40).await;
        let (since, _) = house.in_force_since(2);
        let over = |(seq, decision): &(u64, twin::allocation::Decision)| decision.channel.as_str() == "direct/packet" && *seq > since;
        assert_eq!(house.decisions().iter().filter(|d| over(d)).count(), 0, "nothing new goes over it");
        let mut ended = 0;
        for row in house.twin.all::<Parcel>() {
            let (id, parcel) = row.expect("it reads");
            if parcel.plan.channel.as_str() == "direct/packet" && parcel.stage.is_final() && parcel.stage != parcel::Stage::Intercepted {
                let charges = house.twin.load::<twin::charges::Charges>(&id).expect("it reads");
                assert!(charges.is_some_and(|(_, c)| c.freight_so_far().is_some()), "{id}: it was handed over and has its freight");
                ended += 1;
            }
        }
        assert!(ended > 10, "{ended}");
    });
}

#[test]
fn what_is_planned_comes_at_its_time_also_behind_a_restart() {
    House::play(async |house| {
        house.until(5).await;
        let (soon, later) = (house.start + Span::from_hours(10), house.start + Span::from_hours(40));
        let second = house.draft(|site| site["checks"] = json!({ "weight_g": 77 })).await;
        let third = house.draft(|site| site["checks"] = json!({ "weight_g": 88 })).await;
        let planned = house.activate(second, Some(soon)).await.expect("it is planned");
        assert_eq!((planned.stage, planned.from), (Stage::Planned, soon));
        house.activate(third, Some(later)).await.expect("it is planned");
        let weight = |house: &House| house.site.house.in_force().config.checks.weight_g;
        house.until(9).await;
        assert_eq!(weight(&house), 30);
        house.clock.sleep_until(soon + Span::from_secs(1)).await;
        assert_eq!((weight(&house), house.in_force_since(2).1), (77, soon));
        // The house falls, and stands up again before the third is due.
        let House { clock, twin, parts, world, site, start, desk } = house;
        site.stop().await;
        let versions = Versions::load(&twin).expect("they read");
        let opening = Opening::of(&twin, &versions, versions.in_force().expect("one is")).expect("it opens");
        assert_eq!((opening.version, opening.config.checks.weight_g), (2, 77), "a restart undoes nothing");
        let site = open(&clock, &twin, &world, opening).await;
        *desk.lock().expect("no test panics with it") = site.house.desk.clone();
        let house = House { clock, twin, parts, world, site, start, desk };
        house.until(41).await;
        assert_eq!((weight(&house), house.in_force_since(3).1), (88, later));
        let stages: Vec<_> = Versions::load(&house.twin).expect("they read").newest_first().map(|(n, s)| (n, s.stage)).collect();
        assert_eq!(stages, [(3, Stage::Active), (2, Stage::Archived), (1, Stage::Archived)]);
    });
}

#[test]
fn what_cannot_be_in_force_is_refused_in_the_words_of_a_start_and_changes_nothing() {
    House::play(async |house| {
        let number = house.draft(|site| channel(site, "direct/packet")["carrier"] = json!("nobody")).await;
        let said = |outcome: Result<Activated, SettingsFault>| outcome.expect_err("it is refused").to_string();
        assert_eq!(said(house.activate(number, None).await), "channel direct/packet: there is no carrier nobody");
        let later = Some(house.start + Span::from_hours(9));
        assert_eq!(said(house.activate(number, later).await), "channel direct/packet: there is no carrier nobody");
        assert_eq!(said(house.activate(99, None).await), "there is no version 99 of the settings");
        let archive = |number| house.asked(move |reply| KeeperMsg::Archive { number, why: "no".into(), reply });
        assert!(archive(1).await.expect_err("it is in force").to_string().contains("version 1 is in force"));
        archive(number).await.expect("a draft goes");
        assert!(said(house.activate(number, None).await).contains("no carrier nobody"));
        // Somebody else was faster.
        let mine = house.draft(|site| site["checks"] = json!({ "weight_g": 50 })).await;
        house.change(|site| site["checks"] = json!({ "weight_g": 60 })).await;
        let asked = Activation { number: mine, from: None, reason: "mine".into(), in_place_of: Some(1) };
        let outcome = house.asked(|reply| KeeperMsg::Activate { asked, reply }).await;
        assert_eq!(said(outcome), format!("version {} is in force, not 1", mine + 1));
        assert_eq!(house.site.house.in_force().config.checks.weight_g, 60);
    });
}

#[test]
fn what_needs_a_restart_is_named_and_all_else_holds_at_once() {
    House::play(async |house| {
        let activated = house
            .change(|site| {
                site["limits"]["bag_parcels_max"] = json!(7);
                site["warehouse"][0]["station"][0]["device"][0]["address"] = json!("tcp:10.0.0.5:9100");
            })
            .await;
        assert_eq!(activated.needs_restart, ["device SZX/bench-1/printer: address"]);
        let in_force = house.site.house.in_force();
        assert_eq!((in_force.config.limits.bag_parcels_max, &in_force.needs_restart), (7, &activated.needs_restart));
        assert_eq!(in_force.config.devices().next().expect("there is one").1.address, drivers::wire::WireAddress::Sim);
        // What was not changed back still waits.
        let again = house.draft(|site| site["limits"]["bag_parcels_max"] = json!(8)).await;
        assert_eq!(house.activate(again, None).await.expect("it is put in force").needs_restart, [] as [&str; 0]);
    });
}
