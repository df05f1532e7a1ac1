//! Real drivers against simulated carriers, over the simulated wire, in virtual time.

use super::*;
use drivers::carriers::{CarrierDriver, CarrierError, CarrierSettings, LostAnswer, Secret, driver};
use drivers::clock::virtual_runtime;
use drivers::{HttpWire, WireError};
use std::future::Future;
use twin::channel::{LabelRequest, QuoteRequest, TrackStatus, TrackStatus::*};
use twin::money::{Currency, Decimal};
use twin::{Address, Dims, Moment, Money, ParcelId, Span, TrackingNumber, s10};

const USPS_SECRET: &str = "client:secret";
const MYDHL_SECRET: &str = "user:password";
const LINE_SECRET: &str = "line-token";

struct World {
    clock: Clock,
    book: CarrierBook,
    wire: SimWire,
}

impl World {
    fn with(reliability: Reliability, latency: LatencyModel) -> Self {
        let clock = Clock::virtual_from("2026-11-09T10:00:00Z".parse().unwrap());
        let (book, wire) = (CarrierBook::new(42), SimWire::new(clock.clone(), 42));
        for (id, kind, secret) in [
            ("usps", CarrierKind::Usps, USPS_SECRET),
            ("mydhl", CarrierKind::Mydhl, MYDHL_SECRET),
            ("yw", CarrierKind::Forwarder, LINE_SECRET),
        ] {
            let account = Account { carrier: CarrierId::new(id), secret: secret.into(), reliability };
            wire.mount(&format!("{id}.sim"), router(kind, &book, clock.clone(), account), latency);
        }
        World { clock, book, wire }
    }

    fn perfect() -> Self {
        World::with(Reliability::PERFECT, LatencyModel { base_ms: 80, jitter_ms: 40 })
    }

    fn driver(&self, id: &str, kind: CarrierKind, secret: &str) -> std::sync::Arc<dyn CarrierDriver> {
        let settings = CarrierSettings {
            id: CarrierId::new(id),
            kind,
            base_url: "sim:".into(),
            account: "1/2/3/4".into(),
            secret_env: None,
            timeout_ms: 5_000,
        };
        driver(&settings, Secret::new(secret), std::sync::Arc::new(self.wire.clone()), self.clock.clone())
    }

    fn usps(&self) -> std::sync::Arc<dyn CarrierDriver> {
        self.driver("usps", CarrierKind::Usps, USPS_SECRET)
    }

    /// Every driver, with its carrier's host and a service from Los Angeles to New York.
    fn all(&self) -> [(std::sync::Arc<dyn CarrierDriver>, &'static str, &'static str); 3] {
        [
            (self.usps(), "usps.sim", "PRIORITY_MAIL"),
            (self.driver("mydhl", CarrierKind::Mydhl, MYDHL_SECRET), "mydhl.sim", "N"),
            (self.driver("yw", CarrierKind::Forwarder, LINE_SECRET), "yw.sim", "L"),
        ]
    }

    fn run<T>(&self, what: impl Future<Output = T>) -> T {
        virtual_runtime(&self.clock).unwrap().block_on(what)
    }
}

fn los_angeles() -> Address {
    let [name, street, city, region] = ["Parcel Twin", "1 Harbor Blvd", "Los Angeles", "CA"].map(Into::into);
    Address {
        name,
        street,
        city,
        region,
        postcode: "90001".into(),
        country: "US".into(),
        phone: "+1 213 555 0100".into(),
        ..Address::default()
    }
}

fn new_york() -> Address {
    let [name, street, city, region] = ["Jane \"JJ\" Smith", "123 Main Street, Apt 5", "New York", "NY"].map(Into::into);
    Address { name, street, city, region, postcode: "10001-1234".into(), country: "US".into(), ..Address::default() }
}

fn shenzhen() -> Address {
    let [name, street, city, region] = ["仓库", "南山区前海路 1 号", "Shenzhen", "GD"].map(Into::into);
    Address {
        name,
        street,
        city,
        region,
        postcode: "518000".into(),
        country: "CN".into(),
        phone: "+86 755 5550 0100".into(),
        ..Address::default()
    }
}

fn quote_request(from: Address, to: Address) -> QuoteRequest {
    let value = Money::new(Decimal::new(2_599, 2), Currency::USD);
    let ship_at = "2026-11-09T18:00:00Z".parse().unwrap();
    QuoteRequest { from, to, weight_g: 450, dims: Dims::new(220, 160, 90), value, battery: false, ship_at, time_zone: twin::TimeZone::UTC }
}

fn label_request(key: &str, service: &str, from: Address, to: Address) -> LabelRequest {
    let QuoteRequest { from, to, weight_g, dims, value, ship_at, .. } = quote_request(from, to);
    let (parcel, contents) = ("AMA-000001-1".into(), "phone case ^XA".into());
    let (key, service, warehouse, battery, time_zone) = (key.into(), service.into(), "LAX".into(), false, twin::TimeZone::UTC);
    LabelRequest { key, parcel, service, warehouse, from, to, weight_g, dims, value, contents, battery, ship_at, time_zone }
}

fn statuses(tracking: &[twin::channel::Tracking]) -> Vec<TrackStatus> {
    tracking.iter().flat_map(|t| t.events.iter().map(|e| e.status)).collect()
}

/// Buys (twice with one key), hands over, and follows the parcel to the door.
async fn follow(world: &World, driver: &dyn CarrierDriver, request: LabelRequest, expected: &[TrackStatus]) -> TrackingNumber {
    let label = driver.buy_label(request.clone()).await.unwrap().value;
    let again = driver.buy_label(request.clone()).await.unwrap().value;
    assert_eq!(label == again, driver.lost_answer() == LostAnswer::SameKeySameLabel, "{}", driver.id());
    let other = driver.buy_label(LabelRequest { key: "another".into(), ..request }).await.unwrap().value;
    assert_ne!(label.tracking, other.tracking);
    let zpl = String::from_utf8(label.zpl).unwrap();
    assert!(zpl.starts_with("^XA") && zpl.ends_with("^XZ") && zpl.contains("^BC"), "{zpl}");
    assert!(zpl.contains("AMA-000001-1"));
    let crate::floor::sheet::Sheet::Label { code } = crate::floor::sheet::read(&zpl) else { panic!("{zpl}") };
    let look = |number: &str| Ok::<_, std::convert::Infallible>((number == label.tracking.as_str()).then_some(()));
    assert_eq!(drivers::devices::code::find(&code, look), Ok(Some(())), "{code}");
    assert!((300..2_500).contains(&zpl.len()), "{} bytes", zpl.len());
    // A forwarder names no price with the label; the others name what they book.
    assert!(label.charged.is_none() || label.charged == world.book.postage(label.tracking.as_str()));
    assert_eq!(label.charged.is_some(), driver.can_quote());

    assert_eq!(world.book.collect(label.tracking.as_str(), world.clock.now()), Collected::Taken);
    let unknown = TrackingNumber::new("0000000000000");
    let asked = vec![label.tracking.clone(), unknown, other.tracking.clone()];
    let before = driver.track(asked.clone()).await.unwrap().value;
    assert!(before.iter().all(|t| t.events.iter().all(|e| e.status == InfoReceived)), "{before:?}");

    let Some(Fate::Delivered { at }) = world.book.fate(label.tracking.as_str()) else { panic!("not delivered") };
    world.clock.sleep_until(at - Span::from_secs(1)).await;
    assert!(!statuses(&driver.track(asked.clone()).await.unwrap().value[..1]).contains(&Delivered), "not before it happens");
    world.clock.sleep_until(at).await;
    let found = driver.track(asked).await.unwrap().value;
    assert_eq!(found.len(), 2, "the unknown one is left out");
    assert_eq!((&found[0].number, statuses(&found[..1])), (&label.tracking, expected.to_vec()));
    assert_eq!(found[0].events.last().unwrap().at.0 / 1_000_000, at.0 / 1_000_000);
    label.tracking
}

#[test]
fn usps_from_quote_to_door() {
    let world = World::perfect();
    let usps = world.usps();
    world.run(async {
        let quotes = usps.quote(quote_request(los_angeles(), new_york())).await.unwrap().value;
        let services: Vec<&str> = quotes.iter().map(|q| q.service.as_str()).collect();
        assert_eq!(services, ["USPS_GROUND_ADVANTAGE", "PRIORITY_MAIL", "PRIORITY_MAIL_EXPRESS"]);
        assert!(quotes[0].total.amount < quotes[1].total.amount && quotes[1].total.amount < quotes[2].total.amount);
        assert_eq!((quotes[0].zone.as_str(), quotes[0].days, quotes[0].chargeable_g), ("08", Some(5), Some(454)), "1.00 lb");
        assert!(usps.quote(quote_request(shenzhen(), new_york())).await.unwrap().value.is_empty(), "domestic mail only");

        let request = label_request("k1", "USPS_GROUND_ADVANTAGE", los_angeles(), new_york());
        let expected = [InfoReceived, Accepted, ReceivedAtHub, DepartedOrigin, InFlight, Arrived, LastMile, OutForDelivery, Delivered];
        let number = follow(&world, &*usps, request, &expected).await;
        assert_eq!(world.book.postage(number.as_str()), Some(quotes[0].total), "billed as quoted");
        assert_eq!((number.as_str().len(), &number.as_str()[..5]), (22, "92612"));
        let (digits, check) = number.as_str().split_at(21);
        assert_eq!(usps::impb_check_digit(digits).to_string(), check);
    });
}

#[test]
fn mydhl_from_quote_to_door() {
    let world = World::perfect();
    let dhl = world.driver("mydhl", CarrierKind::Mydhl, MYDHL_SECRET);
    world.run(async {
        let quotes = dhl.quote(quote_request(shenzhen(), new_york())).await.unwrap().value;
        assert_eq!(quotes.iter().map(|q| q.service.as_str()).collect::<Vec<_>>(), ["P", "Y"]);
        assert_eq!((quotes[0].chargeable_g, quotes[0].zone.as_str(), quotes[0].days), (Some(634), "NEW", Some(5)), "by volume");
        let parts: Decimal = quotes[0].breakdown.iter().map(|(_, money)| money.amount).sum();
        assert_eq!(parts, quotes[0].total.amount);

        let request = label_request("k1", "P", shenzhen(), new_york());
        let expected =
            [Accepted, ReceivedAtHub, DepartedOrigin, InFlight, Arrived, Customs, ImportCleared, LastMile, OutForDelivery, Delivered];
        let number = follow(&world, &*dhl, request, &expected).await;
        assert_eq!(world.book.postage(number.as_str()), Some(quotes[0].total), "billed as quoted");
        let (serial, check) = number.as_str().split_at(9);
        assert_eq!(mydhl::waybill_check_digit(serial.parse().unwrap()).to_string(), check);
        assert!(matches!(dhl.void_label(number).await, Err(CarrierError::NotOffered { .. })), "it takes nothing back");
    });
}

#[test]
fn a_direct_line_from_label_to_door() {
    let world = World::perfect();
    let line = world.driver("yw", CarrierKind::Forwarder, LINE_SECRET);
    world.run(async {
        assert!(!line.can_quote());
        let quote = line.quote(quote_request(shenzhen(), new_york())).await;
        assert!(matches!(quote, Err(CarrierError::NotOffered { .. })));
        let expected = [
            InfoReceived,
            Accepted,
            ReceivedAtHub,
            ExportCleared,
            DepartedOrigin,
            InFlight,
            Arrived,
            Customs,
            ImportCleared,
            LastMile,
            OutForDelivery,
            Delivered,
        ];
        let number = follow(&world, &*line, label_request("k1", "CN-US", shenzhen(), new_york()), &expected).await;
        assert!(s10::is_valid(number.as_str()) && number.as_str().ends_with("CN"), "{number}");
    });
}

#[test]
fn a_dead_host_times_out_and_an_ill_one_errs_and_both_may_be_tried_again() {
    let world = World::perfect();
    let usps = world.usps();
    world.run(async {
        let quote = || usps.quote(quote_request(los_angeles(), new_york()));
        world.wire.fault("usps.sim", Fault::Timeouts, true);
        let asked_at = world.clock.now();
        let error = quote().await.unwrap_err();
        assert_eq!(error, CarrierError::Wire(WireError::Timeout { host: "usps.sim".into(), timeout_ms: 5_000 }));
        assert_eq!((error.is_transient(), world.clock.now() - asked_at), (true, Span::from_secs(5)));
        world.wire.fault("usps.sim", Fault::Timeouts, false);
        quote().await.unwrap();

        world.wire.fault("usps.sim", Fault::Errors500 { ppm: 1_000_000 }, true);
        let error = quote().await.unwrap_err();
        assert!(matches!(error, CarrierError::Refused { status: 500, .. }) && error.is_transient(), "{error}");
        world.wire.fault("usps.sim", Fault::Errors500 { ppm: 0 }, false);

        world.wire.fault("usps.sim", Fault::Slow { ms: 6_000 }, true);
        assert!(quote().await.unwrap_err().is_transient());
        world.wire.fault("usps.sim", Fault::Slow { ms: 0 }, false);
        quote().await.unwrap();

        let gone = world.driver("ups", CarrierKind::Usps, USPS_SECRET).quote(quote_request(los_angeles(), new_york())).await;
        assert!(gone.unwrap_err().is_transient(), "an unknown host is unreachable");
        assert!(!world.wire.fault("ups.sim", Fault::Timeouts, true));
    });
}

/// Each carrier does what its driver says it does; what it sold is in its book whether or not anybody heard of it.
#[test]
fn a_label_whose_answer_was_lost_is_bought_twice_only_where_the_driver_says_so() {
    let world = World::perfect();
    world.run(async {
        for (driver, host, service) in world.all() {
            // A token is in hand, so that it is the label's own answer that is lost.
            let first = driver.buy_label(label_request("k0", service, los_angeles(), new_york())).await.unwrap().value;
            let request = label_request("k1", service, los_angeles(), new_york());
            world.wire.fault(host, Fault::AnswersLost, true);
            let lost = driver.buy_label(request.clone()).await.unwrap_err();
            assert!(lost.is_transient() && lost.may_have_happened(), "{lost}");
            world.wire.fault(host, Fault::AnswersLost, false);
            assert_eq!(world.book.bought(driver.id()).len(), 2, "it was sold");
            let second = driver.buy_label(request).await.unwrap().value;
            assert_ne!(first.tracking, second.tracking);
            let bought = world.book.bought(driver.id());
            let expected = if driver.lost_answer() == LostAnswer::Neither { 3 } else { 2 };
            assert!(bought.len() == expected && bought.contains(&second.tracking), "{}: {bought:?}", driver.id());
        }
    });
}

/// The description promises the existing label for an identical request only: after midnight the mailing date is another.
#[test]
fn usps_gives_the_label_of_a_key_also_where_the_request_has_moved_on() {
    let world = World::perfect();
    let usps = world.usps();
    world.run(async {
        let request = label_request("k1", "PRIORITY_MAIL", los_angeles(), new_york());
        assert_eq!(usps.find_label(request.clone()).await.unwrap(), None, "nothing was bought yet");
        let label = usps.buy_label(request.clone()).await.unwrap().value;
        let tomorrow = LabelRequest { ship_at: request.ship_at + Span::from_hours(24), ..request.clone() };
        let found = usps.buy_label(tomorrow.clone()).await.unwrap().value;
        assert_eq!((&found, usps.find_label(request.clone()).await.unwrap().map(|read| read.value)), (&label, Some(label.clone())));
        assert_eq!(world.book.bought(usps.id()), std::slice::from_ref(&label.tracking));
        // The third is the last, which an identical request does not need.
        usps.find_label(request.clone()).await.unwrap();
        let no_more = usps.buy_label(tomorrow).await.unwrap_err();
        assert!(matches!(&no_more, CarrierError::Refused { status: 400, message, .. } if message.contains("3 times")), "{no_more}");
        assert_eq!(usps.buy_label(request.clone()).await.unwrap().value, label);

        let other = label_request("k2", "PRIORITY_MAIL", los_angeles(), new_york());
        let given_back = usps.buy_label(other.clone()).await.unwrap().value;
        usps.void_label(given_back.tracking).await.unwrap();
        assert!(!usps.find_label(other).await.unwrap_err().may_have_happened(), "it is cancelled");
        let third = label_request("k3", "PRIORITY_MAIL", los_angeles(), new_york());
        usps.buy_label(third.clone()).await.unwrap();
        world.clock.sleep(Span::from_hours(48)).await;
        assert!(matches!(usps.find_label(third).await, Err(CarrierError::Refused { status: 400, .. })), "its mailing date is over");
        assert_eq!(world.book.bought(usps.id()).len(), 3);
    });
}

#[test]
fn what_comes_of_giving_back_is_told_apart() {
    let world = World::perfect();
    world.run(async {
        for (driver, host, service) in world.all().into_iter().filter(|(driver, ..)| driver.lost_answer() != LostAnswer::Neither) {
            let buy = |key: &'static str| driver.buy_label(label_request(key, service, los_angeles(), new_york()));
            let (number, taken) = (buy("k1").await.unwrap().value.tracking, buy("k2").await.unwrap().value.tracking);
            // Obeyed, and the answer is lost: the next asking is told that it is done.
            world.wire.fault(host, Fault::AnswersLost, true);
            let lost = driver.void_label(number.clone()).await.unwrap_err();
            assert!(lost.is_transient() && lost.may_have_happened(), "{lost}");
            world.wire.fault(host, Fault::AnswersLost, false);
            assert_eq!(world.book.voided(driver.id()), std::slice::from_ref(&number));
            driver.void_label(number.clone()).await.unwrap();
            assert_eq!(world.book.voided(driver.id()), [number]);

            world.wire.fault(host, Fault::VoidErrors { ppm: 1_000_000 }, true);
            let ill = driver.void_label(taken.clone()).await.unwrap_err();
            assert!(matches!(ill, CarrierError::Refused { status: 500, .. }) && ill.is_transient(), "{ill}");
            buy("k3").await.expect("all else is answered");
            world.wire.fault(host, Fault::VoidErrors { ppm: 1_000_000 }, false);
            let unknown = driver.void_label(TrackingNumber::new("LA000000000CN")).await.unwrap_err();
            assert!(matches!(unknown, CarrierError::NotKnown { .. }) && !unknown.is_transient(), "{unknown}");
            world.book.collect(taken.as_str(), world.clock.now());
            let late = driver.void_label(taken).await.unwrap_err();
            let is_refusal = matches!(late, CarrierError::Refused { status: 400..=499, .. });
            assert!(is_refusal && !late.is_transient() && !late.may_have_happened(), "{late}");
        }
    });
}

#[test]
fn an_answer_without_a_label_is_no_refusal_and_the_same_key_brings_the_label() {
    let world = World::perfect();
    world.run(async {
        for (driver, _, service) in world.all() {
            assert!(world.book.fault(driver.id(), LabelFault::Garbage { ppm: 700_000 }, true));
            let (mut unread, mut labels) = (0, 0);
            for n in 0..40 {
                let request = label_request(&format!("k{n}"), service, los_angeles(), new_york());
                loop {
                    match driver.buy_label(request.clone()).await {
                        Ok(label) => {
                            assert!(world.book.bought(driver.id()).contains(&label.value.tracking));
                            labels += 1;
                            break;
                        }
                        Err(error) => {
                            assert!(matches!(error, CarrierError::Unreadable { .. }) && error.may_have_happened(), "{error}");
                            unread += 1;
                        }
                    }
                }
            }
            assert!(labels == 40 && unread > 40, "{unread} of {}", driver.id());
            let sold = if driver.lost_answer() == LostAnswer::Neither { labels + unread } else { labels };
            assert_eq!(world.book.bought(driver.id()).len(), sold, "{}", driver.id());
            world.book.fault(driver.id(), LabelFault::Garbage { ppm: 0 }, false);
        }
    });
}

#[test]
fn a_carrier_can_be_made_to_sell_one_number_to_all() {
    let world = World::perfect();
    world.run(async {
        for (driver, _, service) in world.all() {
            let buy = |key: &'static str| driver.buy_label(label_request(key, service, los_angeles(), new_york()));
            let first = buy("k0").await.unwrap().value.tracking;
            world.book.fault(driver.id(), LabelFault::SameNumber, true);
            for key in ["k1", "k2", "k3"] {
                assert_eq!(buy(key).await.unwrap().value.tracking, first);
            }
            world.book.fault(driver.id(), LabelFault::SameNumber, false);
            assert_ne!(buy("k4").await.unwrap().value.tracking, first);
        }
    });
}

#[test]
fn a_refused_token_is_renewed_once_and_wrong_secrets_are_said_to_be_wrong() {
    let world = World::perfect();
    let usps = world.usps();
    world.run(async {
        let request = |key| label_request(key, "PRIORITY_MAIL", los_angeles(), new_york());
        usps.buy_label(request("k1")).await.unwrap();
        let revoke = http::Request::post("http://usps.sim/oauth2/v3/revoke").body(Bytes::new()).unwrap();
        world.wire.call(revoke).await.unwrap();
        usps.buy_label(request("k2")).await.unwrap();
        // Ended by time: renewed before it is refused.
        world.clock.sleep(Span::from_hours(9)).await;
        usps.buy_label(request("k3")).await.unwrap();

        for (id, kind) in [("usps", CarrierKind::Usps), ("mydhl", CarrierKind::Mydhl), ("yw", CarrierKind::Forwarder)] {
            let error = world.driver(id, kind, "nobody:knows").buy_label(request("k4")).await.unwrap_err();
            assert!(matches!(error, CarrierError::Unauthorized { .. }) && !error.is_transient(), "{error}");
        }
    });
}

#[test]
fn many_callers_wait_for_one_token() {
    let world = World::perfect();
    let usps = world.usps();
    world.run(async {
        let quotes = (0..20).map(|_| usps.quote(quote_request(los_angeles(), new_york())));
        for quote in futures::future::join_all(quotes).await {
            quote.unwrap();
        }
        let asked = http::Request::post("http://usps.sim/oauth2/v3/token")
            .body(Bytes::from_static(br#"{"client_id":"client","client_secret":"secret","grant_type":"client_credentials"}"#));
        let answer = world.wire.call(asked.unwrap()).await.unwrap();
        assert!(String::from_utf8_lossy(answer.body()).contains("access-2"), "one token was issued before this one");
    });
}

#[test]
fn bad_input_is_refused_in_the_carriers_own_words() {
    let world = World::perfect();
    let (usps, dhl) = (world.usps(), world.driver("mydhl", CarrierKind::Mydhl, MYDHL_SECRET));
    let line = world.driver("yw", CarrierKind::Forwarder, LINE_SECRET);
    let refused = |error: CarrierError, wanted: &str| {
        let CarrierError::Refused { status: 400, message, .. } = &error else { panic!("{error:?}") };
        assert!(message.contains(wanted) && !error.is_transient(), "{message}");
    };
    world.run(async {
        let good = |service| label_request("k", service, los_angeles(), new_york());
        refused(usps.buy_label(good("FIRST_CLASS")).await.unwrap_err(), "mail class");
        refused(
            usps.buy_label(LabelRequest { dims: Dims::new(2_000, 900, 900), ..good("PRIORITY_MAIL") }).await.unwrap_err(),
            "130 inches",
        );
        let yesterday = LabelRequest { ship_at: "2026-11-08T18:00:00Z".parse().unwrap(), ..good("PRIORITY_MAIL") };
        refused(usps.buy_label(yesterday.clone()).await.unwrap_err(), "mailingDate");
        refused(dhl.buy_label(LabelRequest { service: "N".into(), ..yesterday }).await.unwrap_err(), "plannedShippingDateAndTime");
        let nowhere = Address { street: "".into(), ..new_york() };
        let nowhere = LabelRequest { to: nowhere, ..good("PRIORITY_MAIL") };
        for driver in [&usps, &dhl] {
            let unfit = driver.fits(&nowhere).unwrap_err();
            assert_eq!(unfit.to_string(), "to.street is empty");
            let error = driver.buy_label(nowhere.clone()).await.unwrap_err();
            assert!(matches!(&error, CarrierError::Unfit { unfit: same, .. } if *same == unfit) && !error.is_transient(), "{error}");
        }
        let canada = Address { country: "CA".into(), ..new_york() };
        let abroad = usps.buy_label(LabelRequest { to: canada, ..good("PRIORITY_MAIL") }).await;
        assert!(matches!(abroad, Err(CarrierError::NotOffered { .. })));
        refused(dhl.buy_label(good("P")).await.unwrap_err(), "not available on this lane");
        refused(dhl.quote(QuoteRequest { weight_g: 0, ..quote_request(shenzhen(), new_york()) }).await.unwrap_err(), "weight");
        assert_eq!(line.fits(&LabelRequest { contents: "".into(), ..good("L") }).unwrap_err().field, "contents");
    });
}

#[test]
fn what_a_driver_says_fits_the_carrier_takes() {
    let world = World::perfect();
    let carriers = [(world.usps(), "PRIORITY_MAIL"), (world.driver("mydhl", CarrierKind::Mydhl, MYDHL_SECRET), "N")];
    type Change = fn(&mut LabelRequest);
    let changes: [Change; 12] = [
        |r| r.to.region = "New York".into(),
        |r| r.to.postcode = "100011234".into(),
        |r| r.to.street2 = "Floor 17, behind the second door on the left".into(),
        |r| r.to.street = "1234567 The Boulevard Of All The Long Named Heroes Of The Far West And Of The Near East".into(),
        |r| r.to.company = "Acme".into(),
        |r| (r.to.name, r.to.company) = ("".into(), "Acme".into()),
        |r| r.to.name = "Maria Anna Theresia Josefa Elisabeth Antonia Walburga von Sachsen".into(),
        |r| r.to.city = "Llanfairpwllgwyngyllgogerychwyrn".into(),
        |r| r.contents = "toys × 3, kitchen × 1, garden × 14, sports and leisure × 2, things for the house × 1".into(),
        |r| r.battery = true,
        |r| (r.to.region, r.to.postcode) = ("AE".into(), "09014".into()),
        |r| r.parcel = ParcelId::new("X".repeat(64)),
    ];
    world.run(async {
        for (n, change) in changes.into_iter().enumerate() {
            for (driver, service) in &carriers {
                let mut request = label_request(&format!("fit-{n}"), service, los_angeles(), new_york());
                change(&mut request);
                match driver.fits(&request) {
                    Ok(()) => drop(driver.buy_label(request).await.unwrap_or_else(|why| panic!("{n}: {why}"))),
                    Err(unfit) => assert_eq!((n, unfit.field.as_str(), service), (7, "to.city", &"PRIORITY_MAIL"), "{unfit}"),
                }
            }
        }
    });
}

#[test]
fn a_voided_label_is_not_taken_and_a_taken_parcel_is_not_voided() {
    let world = World::perfect();
    world.run(async {
        for (driver, service) in [(world.usps(), "PRIORITY_MAIL"), (world.driver("yw", CarrierKind::Forwarder, LINE_SECRET), "L")] {
            let buy = |key: &'static str| driver.buy_label(label_request(key, service, los_angeles(), new_york()));
            let (voided, taken) = (buy("k1").await.unwrap().value.tracking, buy("k2").await.unwrap().value.tracking);
            driver.void_label(voided.clone()).await.unwrap();
            assert_eq!(world.book.collect(voided.as_str(), world.clock.now()), Collected::Voided);
            assert_eq!(world.book.collect(taken.as_str(), world.clock.now()), Collected::Taken);
            assert!(!driver.void_label(taken).await.unwrap_err().is_transient());
            assert!(driver.track(vec![voided]).await.unwrap().value.is_empty());
        }
    });
}

#[test]
fn every_ending_reaches_the_driver() {
    let endings: [(Reliability, TrackStatus); 2] = [
        (Reliability { lost_ppm: 1_000_000, ..Reliability::PERFECT }, Lost),
        (Reliability { returned_ppm: 1_000_000, ..Reliability::PERFECT }, Returned),
    ];
    for (reliability, ending) in endings {
        let world = World::with(reliability, LatencyModel::default());
        let carriers = [
            (world.usps(), "PRIORITY_MAIL"),
            (world.driver("mydhl", CarrierKind::Mydhl, MYDHL_SECRET), "N"),
            (world.driver("yw", CarrierKind::Forwarder, LINE_SECRET), "L"),
        ];
        world.run(async {
            for (driver, service) in carriers {
                let ship_at = world.clock.now() + Span::from_hours(6);
                let request = LabelRequest { ship_at, ..label_request("k", service, los_angeles(), new_york()) };
                let label = driver.buy_label(request).await.unwrap().value;
                world.book.collect(label.tracking.as_str(), world.clock.now());
                world.clock.sleep(Span::from_hours(24 * 60)).await;
                let found = driver.track(vec![label.tracking]).await.unwrap().value;
                assert_eq!(found[0].events.last().map(|e| e.status), Some(ending), "{}", driver.id());
            }
        });
    }
}

#[test]
fn the_same_seed_gives_the_same_story() {
    let story = || {
        let world = World::with(Reliability::default(), LatencyModel { base_ms: 50, jitter_ms: 100 });
        let usps = world.usps();
        world.run(async {
            let mut told: Vec<(TrackingNumber, Option<Fate>, Moment)> = Vec::new();
            for n in 0..50 {
                let parcel = ParcelId::new(format!("AMA-{n:06}-1"));
                let request = LabelRequest { parcel, ..label_request(&format!("k{n}"), "PRIORITY_MAIL", los_angeles(), new_york()) };
                let number = usps.buy_label(request).await.unwrap().value.tracking;
                world.book.collect(number.as_str(), world.clock.now());
                told.push((number.clone(), world.book.fate(number.as_str()), world.clock.now()));
            }
            told
        })
    };
    assert_eq!(story(), story());
}
