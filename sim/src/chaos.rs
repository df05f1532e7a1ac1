//! One site under every mishap at once, drawn from a seed: actors fall, the house stops in the middle of work and opens again on
//! its store, the disk is full, devices and carriers fail, answers are lost. Afterwards nothing may be missing: every order that was
//! acknowledged is at its end, one label was bought for each key, what was bought and is not needed was given back or told, stock adds
//! up, no bag is lost, what is wrong stands on the list of problems and nothing else, and the states are what the journal makes of
//! them. People cancel orders, stop parcels and go by that list meanwhile. The same seed does the same again.

mod clerk;
mod labels;

use crate::demand::{self, DemandSettings};
use crate::luck::Luck;
use crate::scenario::{Fault, FaultKind};
use crate::world::{Setup, SimWorld};
use actors::catalog::Change;
use actors::config::SiteConfig;
use actors::intake::Receipt;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::remedies::Step;
use actors::site::{Site, World};
use actors::warehouse::WarehouseMsg;
use actors::{Caller, Delivery, ParcelMsg};
use drivers::Clock;
use ractor::ActorCell;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use twin::bag::{self, Bag};
use twin::device::DeviceKind;
use twin::fulfilment::Fulfilment;
use twin::journal::memory::MemoryJournal;
use twin::journal::{Draft, Group, Journal, Place, Rows, Way};
use twin::order::{self, Claim, Order};
use twin::parcel::{self, Parcel, Stage};
use twin::replay::silent;
use twin::station::StationKind;
use twin::stock::{self, Stock};
use twin::tracking::Tracking;
use twin::{Dims, Event, Hash, Head, Key, Kind, MemoryShelf, Moment, NewOrder, ParcelId, Span, StoreError, Twin};

/// When every run begins: a Monday morning in Shenzhen.
const START: Moment = Moment(1_762_646_400_000_000);
const ORDERS: u32 = 24;
const MISHAPS: [i64; 2] = [10, 50];
const FAULTS: [i64; 2] = [0, 8];
/// Seconds between two mishaps on average, while orders come in and boxes move; later they are rarer.
const OFTEN_S: [i64; 2] = [20, 400];
/// So many orders, of a million, are followed by one within a second.
const AT_ONCE_PPM: u32 = 300_000;
/// So many houses, of a million, are stopped now and then, and find their disk full.
const STOPS_PPM: u32 = 600_000;
const SELDOM: Span = Span::from_hours(7);
/// By then every parcel must be at its end: two months without news are an end too.
const LONGEST: Span = Span::from_hours(24 * 90);
/// A bag that stands closed, or a parcel that is printed, for so long has been missed.
const MISSED_AFTER: Span = Span::from_hours(48);
/// Heavier ones go with a last resort.
const LIGHT_G: u32 = 300;
/// So often, of a million, a clerk has looked at the list of problems within six hours.
const CLERK_PPM: u32 = 400_000;
/// By then what was done last stands in the list of problems.
const LISTED_AFTER: Span = Span::from_mins(1);
/// An order that is not acknowledged is handed in again after this.
const PATIENCE: Span = Span::from_secs(5);

/// What a run went through, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survived {
    pub seed: u64,
    /// What happened, and how often.
    pub mishaps: BTreeMap<&'static str, u32>,
    /// Where its parcels are in the end.
    pub parcels: BTreeMap<SmolStr, u64>,
    pub records: u64,
    pub hash: Hash,
}

/// A journal on a disk that may be full.
struct Disk {
    journal: MemoryJournal,
    full: AtomicBool,
}

impl Journal for Disk {
    fn site(&self) -> &SmolStr {
        self.journal.site()
    }
    fn head(&self) -> Head {
        self.journal.head()
    }
    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        match self.full.swap(false, Ordering::Relaxed) {
            true => Err(StoreError::Broken { what: "write the journal", why: "no space left on device".into() }),
            false => self.journal.append(draft),
        }
    }
    fn groups(&self, from: u64) -> Rows<'_, Group> {
        self.journal.groups(from)
    }
    fn groups_of(&self, keys: &[Key], way: Way) -> Rows<'_, Group> {
        self.journal.groups_of(keys, way)
    }
    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        self.journal.document(place)
    }
}

/// Runs the site once under the mishaps of a seed.
///
/// # Errors
/// What was missing or wrong in the end, in words.
pub fn run(config: &SiteConfig, seed: u64) -> Result<Survived, String> {
    let clock = Clock::virtual_from(START);
    let runtime = drivers::clock::virtual_runtime(&clock).map_err(|e| format!("the virtual clock cannot be set up: {e}"))?;
    let outcome = runtime.block_on(async {
        let mut trial = Trial::build(config.clone(), seed, &clock)?;
        tokio::select! {
            biased;
            outcome = trial.play() => outcome,
            () = clock.stalled() => Err(format!("nothing was left to do at {}, and it was not over", clock.now())),
        }
    });
    drop(runtime);
    outcome.map_err(|why| format!("seed {seed}: {why}"))
}

struct Trial {
    clock: Clock,
    config: SiteConfig,
    seed: u64,
    luck: Luck,
    disk: Arc<Disk>,
    twin: Arc<Twin>,
    world: SimWorld,
    demand: DemandSettings,
    products: Vec<drivers::platforms::ProductRow>,
    orders: Vec<(Moment, NewOrder)>,
    /// Those that were acknowledged.
    placed: Vec<twin::OrderId>,
    mishaps: BTreeMap<&'static str, u32>,
    /// When the house ended by itself, and why.
    ends: Vec<String>,
    stops: bool,
}

impl Trial {
    fn build(mut config: SiteConfig, seed: u64, clock: &Clock) -> Result<Self, String> {
        // Weeks pass; looking after idle devices all the time would be most of the work.
        config.limits.keepalive_s = 3_600;
        // Now and then most parcels go with the carrier that keeps no keys.
        if seed.is_multiple_of(4) {
            config.channels.iter_mut().filter(|c| !c.last_resort).for_each(|c| c.limits.weight_g_max = LIGHT_G);
        }
        let luck = Luck::of(seed, "chaos", "mishaps");
        let demand = DemandSettings {
            orders: ORDERS,
            window: Span::from_mins(90),
            skus: 30,
            problem_ppm: 0,
            short_ppm: 0,
            stock_cover_pct: 400,
            ..DemandSettings::default()
        };
        let products = demand::catalogue(seed, &demand);
        let orders = demand::orders(seed, &demand, &products, START).collect();
        let world = SimWorld::build(&config, Setup { seed, ..Setup::default() }, clock.clone(), &products);
        let disk = Arc::new(Disk { journal: MemoryJournal::of("chaos"), full: AtomicBool::new(false) });
        let twin = Twin::open(disk.clone(), Arc::new(MemoryShelf::default()), Arc::default(), &mut silent()).map_err(|e| e.to_string())?;
        let clock = clock.clone();
        Ok(Trial {
            clock,
            config,
            seed,
            luck,
            disk,
            twin: Arc::new(twin),
            world,
            demand,
            products,
            orders,
            placed: Vec::new(),
            mishaps: BTreeMap::new(),
            ends: Vec::new(),
            stops: false,
        })
    }

    fn count(&mut self, what: &'static str) {
        *self.mishaps.entry(what).or_default() += 1;
    }

    async fn open(&self) -> Result<Site, String> {
        let outside = World {
            clock: self.clock.clone(),
            twin: self.twin.clone(),
            pace: Pace::Modelled(Span::from_ms(3)),
            // What falls must be put right either way.
            delivery: if self.seed.is_multiple_of(2) { Delivery::Turns } else { Delivery::Mailbox },
            dials: self.world.dials(),
            drivers: self.world.drivers(&self.config),
        };
        Site::start(self.config.clone(), outside).await.map_err(|e| format!("the house does not open at {}: {e}", self.clock.now()))
    }

    async fn play(&mut self) -> Result<Survived, String> {
        let faults = self.faults();
        self.world.schedule(&faults, START);
        let mut site = self.open().await?;
        let warehouses: Vec<_> = self.config.warehouses.iter().map(|w| w.id.clone()).collect();
        site.describe(self.products.iter().cloned().map(Change::from).collect());
        site.count(demand::stock(self.seed, &self.demand, &self.products, &warehouses));
        // Both are in the journal before anybody orders.
        self.clock.sleep(Span::from_secs(30)).await;
        let counted = self.on_hand()?;
        let mut orders: Vec<_> = std::mem::take(&mut self.orders);
        let all: Vec<_> = orders.iter().map(|(_, order)| order.id()).collect();
        orders.reverse();
        let mut left = self.luck.between(MISHAPS[0], MISHAPS[1]);
        let often = Span::from_secs(self.luck.between(OFTEN_S[0], OFTEN_S[1]));
        // A house that is never stopped has to heal by itself.
        self.stops = self.luck.chance_ppm(STOPS_PPM);
        let mut next = self.clock.now() + Span(self.luck.exponential_us(often.0));
        while !orders.is_empty() || left > 0 {
            let due = orders.last().map(|(at, _)| *at);
            match due.filter(|at| left <= 0 || *at <= next) {
                Some(at) => {
                    site = self.until(site, at).await?;
                    let Some((_, order)) = orders.pop() else { break };
                    self.placed.push(order.id());
                    site = self.hand_in(site, order).await?;
                    // While its prices and its label are asked for.
                    if left > 0 && self.luck.chance_ppm(AT_ONCE_PPM) {
                        next = self.clock.now() + Span::from_ms(self.luck.between(0, 900));
                    }
                }
                None => {
                    site = self.until(site, next).await?;
                    left -= 1;
                    site = self.mishap(site).await?;
                    let mean = if orders.is_empty() { SELDOM } else { often };
                    next = self.clock.now() + Span(self.luck.exponential_us(mean.0));
                }
            }
        }
        let (end, mut closed_since) = (self.clock.now() + LONGEST, BTreeMap::new());
        while let Some((what, open)) = self.still_open(&all)? {
            if self.clock.now() > end {
                let days = LONGEST.0 / Span::from_hours(24).0;
                return Err(format!("after {days} days it is not at its end: {open}\n{}", self.history(&what)));
            }
            if self.luck.chance_ppm(CLERK_PPM) {
                self.look_at_problems(&site)?;
            }
            let later = self.clock.now() + Span::from_hours(6);
            site = self.until(site, later).await?;
            self.scan_again(&site, &mut closed_since)?;
            self.look_for_boxes(&site)?;
        }
        let later = self.clock.now() + LISTED_AFTER;
        site = self.until(site, later).await?;
        let mut wrong = String::new();
        labels::list(&self.twin, &mut wrong).map_err(|e| e.to_string())?;
        site.stop().await;
        self.judged(wrong, &all, &counted)
    }

    /// Lets time pass; a house that ends meanwhile is opened again, as whoever looks after the process does.
    async fn until(&mut self, mut site: Site, at: Moment) -> Result<Site, String> {
        while self.clock.now() < at {
            let rest = at - self.clock.now();
            if let Some(why) = self.clock.timeout(rest, site.ended()).await {
                site = self.again(site, why).await?;
            }
        }
        Ok(site)
    }

    async fn again(&mut self, site: Site, why: String) -> Result<Site, String> {
        self.ends.push(format!("{}: {why}", self.clock.now()));
        self.count("house ended");
        site.stop().await;
        self.clock.sleep(Span::from_secs(10)).await;
        self.open().await
    }

    /// Hands an order in until it is acknowledged, as a platform does.
    async fn hand_in(&mut self, mut site: Site, order: NewOrder) -> Result<Site, String> {
        for _ in 0..200 {
            match self.clock.timeout(PATIENCE, site.receive(vec![order.clone()])).await {
                Some(Ok(receipts)) if matches!(receipts[..], [Receipt::Accepted | Receipt::Known]) => return Ok(site),
                Some(Ok(receipts)) => return Err(format!("order {} was answered with {receipts:?}", order.id())),
                _ => {
                    let soon = self.clock.now() + Span::from_ms(200);
                    site = self.until(site, soon).await?;
                }
            }
        }
        Err(format!("order {} was never acknowledged", order.id()))
    }

    async fn mishap(&mut self, site: Site) -> Result<Site, String> {
        let house = site.house.clone();
        let cell = |actor: Option<ActorCell>| actor.into_iter().collect::<Vec<_>>();
        let warehouses: Vec<_> = house.warehouses.values().filter_map(|seat| seat.actor()).map(|actor| actor.get_cell()).collect();
        let stations = || warehouses.iter().flat_map(|cell| cell.get_children()).collect::<Vec<_>>();
        let (what, those) = match self.luck.below(if self.stops { 28 } else { 22 }) {
            0..3 => ("carrier fell", house.carriers.values().filter_map(|seat| seat.actor()).map(|actor| actor.get_cell()).collect()),
            3..6 => ("desk fell", cell(house.desk.actor().map(|actor| actor.get_cell()))),
            6 => ("parcels fell", cell(house.parcels.actor().map(|actor| actor.get_cell()))),
            7..9 => ("warehouse fell", warehouses),
            9..11 => ("station fell", stations()),
            11 => ("device fell", stations().iter().flat_map(|cell| cell.get_children()).collect()),
            12..15 => ("parcel fell", house.parcels.actor().map(|actor| actor.get_cell().get_children()).unwrap_or_default()),
            15..18 => {
                if let Some(order) = self.luck.pick(&self.placed).cloned() {
                    self.count("order cancelled");
                    house.desk.cast(DeskMsg::Cancel { order, reason: "the buyer wants it no more".into(), reply: Caller::nobody() });
                }
                return Ok(site);
            }
            18 => {
                let parcels = self.twin.all::<Parcel>().collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
                if let Some((id, _)) = self.luck.pick(&parcels).cloned() {
                    self.count("parcel stopped");
                    let why = "somebody wants to look into it".into();
                    house.tell(id.into(), ParcelMsg::PutRight { step: Step::Stop, why, reply: Caller::nobody() });
                }
                return Ok(site);
            }
            19..21 => {
                self.look_at_problems(&site)?;
                return Ok(site);
            }
            21 => ("list of problems fell", cell(house.problems.actor().map(|actor| actor.get_cell()))),
            22 => {
                self.count("disk full");
                self.disk.full.store(true, Ordering::Relaxed);
                return Ok(site);
            }
            _ => {
                self.count("house stopped");
                site.stop().await;
                let shut = Span(self.luck.exponential_us(Span::from_mins(3).0));
                self.clock.sleep(shut).await;
                return self.open().await;
            }
        };
        // Children come in no order of their own.
        let mut those: Vec<ActorCell> = those;
        those.sort_by_key(|cell| cell.get_id());
        if let Some(fallen) = self.luck.pick(&those) {
            fallen.kill();
            self.count(what);
        }
        Ok(site)
    }

    /// Devices and carriers that break at some time of the first day and are mended later.
    fn faults(&mut self) -> Vec<Fault> {
        let devices: Vec<_> = self.config.devices().map(|(_, device)| (device.id.clone(), device.kind)).collect();
        let carriers: Vec<_> = self.config.carriers.iter().map(|carrier| carrier.id().clone()).collect();
        let mut faults = Vec::new();
        for _ in 0..self.luck.between(FAULTS[0], FAULTS[1]) {
            let minute = self.luck.between(1, 10 * 60);
            let none = Fault {
                at: format!("{:02}:{:02}", minute / 60, minute % 60),
                for_min: self.luck.between(1, 90) as u32,
                device: None,
                carrier: None,
                kind: FaultKind::Silent,
                ppm: 300_000,
                dg_per_min: 40,
                bytes: 900,
                every_s: 20,
                ms: 4_000,
            };
            let fault = if self.luck.chance_ppm(500_000) {
                let kinds = [
                    FaultKind::Timeouts,
                    FaultKind::Errors,
                    FaultKind::AnswersLost,
                    FaultKind::AnswersLost,
                    FaultKind::Slow,
                    FaultKind::VoidErrors,
                    FaultKind::VoidErrors,
                    FaultKind::GarbageLabels,
                    FaultKind::SameNumber,
                ];
                let (Some(carrier), Some(kind)) = (self.luck.pick(&carriers).cloned(), self.luck.pick(&kinds).copied()) else { continue };
                Fault { carrier: Some(carrier), kind, ..none }
            } else {
                let Some((device, is)) = self.luck.pick(&devices).cloned() else { continue };
                let own = match is {
                    DeviceKind::Scale => FaultKind::Drift,
                    DeviceKind::Scanner => FaultKind::Misread,
                    DeviceKind::Sorter => FaultKind::Stall,
                    DeviceKind::Printer => FaultKind::PaperOut,
                };
                let kinds = [own, own, FaultKind::Disconnect, FaultKind::Silent, FaultKind::Garbage];
                let Some(kind) = self.luck.pick(&kinds).copied() else { continue };
                Fault { device: Some(device), kind, ..none }
            };
            self.count("device or carrier broke");
            faults.push(fault);
        }
        faults
    }

    fn on_hand(&self) -> Result<BTreeMap<SmolStr, u32>, String> {
        let rows = self.twin.all::<Stock>().map(|row| row.map(|(id, stock)| (id, stock.on_hand)));
        rows.collect::<Result<_, _>>().map_err(|e| e.to_string())
    }

    /// A truck took a bag whose tag nobody heard, as the scanner was off or the house shut: a person who finds it closed on the
    /// screen for two days scans the tag on their list.
    fn scan_again(&mut self, site: &Site, closed_since: &mut BTreeMap<SmolStr, Moment>) -> Result<(), String> {
        let now = self.clock.now();
        let bags = self.twin.all::<Bag>().collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        for (id, bag) in bags.into_iter().filter(|(_, bag)| bag.stage == bag::Stage::Closed) {
            if now - *closed_since.entry(id.clone()).or_insert(now) < MISSED_AFTER {
                continue;
            }
            if self.luck.chance_ppm(500_000) {
                // Or says so on a screen.
                site.house.tell_warehouse(&bag.warehouse, WarehouseMsg::HandOver(id.into(), Caller::nobody()));
                self.count("bag handed over by hand");
                continue;
            }
            let docks = self.config.warehouse(&bag.warehouse).into_iter().flat_map(|w| &w.stations).filter(|s| s.kind == StationKind::Dock);
            let scanner = docks.flat_map(|dock| &dock.devices).find(|device| device.kind == DeviceKind::Scanner);
            if let Some(scanner) = scanner.and_then(|device| self.world.scanner(&device.id)) {
                scanner.pass(Some(&format!("00{id}")), Dims::default());
                self.count("tag scanned again");
            }
        }
        Ok(())
    }

    /// A box that nobody answered for, as the house was shut, was put on a shelf by whoever had it in hand. The parcel was printed days
    /// ago and never packed: a person takes it apart, and its orders go another way.
    fn look_for_boxes(&mut self, site: &Site) -> Result<(), String> {
        if !self.world.floor.is_idle() {
            return Ok(());
        }
        for row in self.twin.all::<Parcel>() {
            let (id, parcel) = row.map_err(|e| e.to_string())?;
            if parcel.stage == Stage::Labelled && parcel.packed_at.is_none() && self.clock.now() - parcel.changed_at > MISSED_AFTER {
                let reason = "printed two days ago and never packed".into();
                site.house.desk.cast(DeskMsg::TakeApart { parcel: id.into(), reason, reply: Caller::nobody() });
                *self.mishaps.entry("box put aside unheard").or_default() += 1;
            }
        }
        Ok(())
    }

    /// A person goes through the list of open problems.
    fn look_at_problems(&mut self, site: &Site) -> Result<(), String> {
        for (remedy, times) in clerk::look(&site.house, &mut self.luck).map_err(|e| e.to_string())? {
            *self.mishaps.entry(remedy).or_default() += times;
        }
        Ok(())
    }

    /// One of the orders that is not at its end, with where it stands; or a cancelled parcel of one whose label is not given back.
    fn still_open(&self, orders: &[twin::OrderId]) -> Result<Option<(Key, String)>, String> {
        let read = |e: twin::TwinError| e.to_string();
        for id in orders {
            let Some((_, order)) = self.twin.load::<Order>(id.text()).map_err(read)? else {
                return Err(format!("order {id} was acknowledged and is not there"));
            };
            let parts: Vec<_> = order.live_parts().map(|part| part.parcel.clone()).collect();
            for parcel in &parts {
                let state = self.twin.load::<Parcel>(parcel.text()).map_err(read)?.map(|(_, state)| state);
                let way = self.twin.load::<Tracking>(parcel.text()).map_err(read)?.map(|(_, way)| way.stage);
                let ended = match state.as_ref().map(|state| state.stage) {
                    Some(Stage::HandedOver) => way.is_some_and(|way| way.is_end()),
                    // A person has it, or nobody: both are ends here.
                    Some(Stage::Intercepted | Stage::Cancelled) => true,
                    _ => false,
                };
                if !ended {
                    let bag = state.as_ref().and_then(|state| state.bag.clone());
                    let bag = bag
                        .map(|id| self.twin.load::<Bag>(id.text()).map(|bag| format!("bag {id} is {:?}", bag.map(|(_, bag)| bag.stage))));
                    let bag = bag.transpose().map_err(read)?.unwrap_or_default();
                    let stage = state.map_or("absent", |state| state.stage.as_str());
                    let what = Key::new(Kind::Parcel, parcel.text().clone());
                    return Ok(Some((what, format!("parcel {parcel} of order {id} is {stage}, its way {way:?}; {bag}"))));
                }
            }
            for part in &order.parts {
                let state = self.twin.load::<Parcel>(part.parcel.text()).map_err(read)?.map(|(_, state)| state).unwrap_or_default();
                if state.void.is_owed() {
                    let what = Key::new(Kind::Parcel, part.parcel.text().clone());
                    return Ok(Some((what, format!("parcel {} is cancelled, and its label is {:?}", part.parcel, state.void))));
                }
            }
            if parts.is_empty() && order.stage != order::Stage::Cancelled {
                let what = Key::new(Kind::Order, id.text().clone());
                return Ok(Some((what, format!("order {id} is {} and in no parcel; holds: {:?}", order.stage.as_str(), order.holds))));
            }
        }
        Ok(None)
    }

    /// What happened to it, a line each.
    fn history(&self, what: &Key) -> String {
        let records = self.twin.history(std::slice::from_ref(what), Way::OLDEST_FIRST).filter_map(Result::ok);
        let lines = records.map(|record| {
            let event = format!("{:?}", record.event);
            format!("  {} v{} by {} {}", record.at, record.version, record.by, event.chars().take(90).collect::<String>())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn judged(&self, mut wrong: String, orders: &[twin::OrderId], counted: &BTreeMap<SmolStr, u32>) -> Result<Survived, String> {
        let read = |e: twin::TwinError| e.to_string();
        labels::wrong(&self.twin, &self.world.book, &self.world.drivers(&self.config), &mut wrong).map_err(read)?;
        self.journal(&mut wrong).map_err(read)?;
        self.orders(&mut wrong, orders, counted).map_err(read)?;
        self.bags(&mut wrong).map_err(read)?;
        if let Err(error) = self.twin.verify(&mut silent()) {
            let _ = writeln!(wrong, "{error}");
            if let twin::TwinError::Diverged { key } = &error {
                let _ = writeln!(wrong, "{}", self.history(key));
            }
        }
        if !wrong.is_empty() {
            return Err(format!("after {:?}\n{}\nthe house ended: {:?}", self.mishaps, wrong.trim_end(), self.ends));
        }
        let head = self.twin.head();
        let parcels = self.twin.board().whereabouts();
        Ok(Survived { seed: self.seed, mishaps: self.mishaps.clone(), parcels, records: head.records, hash: head.hash })
    }

    /// Versions without gap or repetition, and no label that was bought twice for one key.
    fn journal(&self, wrong: &mut String) -> Result<(), twin::TwinError> {
        let (mut versions, mut asked, mut bought) = (BTreeMap::<Key, u32>::new(), BTreeMap::<Key, SmolStr>::new(), BTreeSet::new());
        let mut numbers = BTreeMap::new();
        for record in self.twin.records(0) {
            let record = record?;
            let version = versions.entry(record.key.clone()).or_default();
            *version += 1;
            if record.version != *version {
                let _ = writeln!(wrong, "{} was decided on by two: {:?} is version {}", record.key, record.event, record.version);
            }
            match record.event {
                Event::Parcel(parcel::Event::LabelRequested { key } | parcel::Event::Created { key: Some(key), .. }) => {
                    drop(asked.insert(record.key, key))
                }
                Event::Parcel(parcel::Event::LabelBought { tracking, .. }) => {
                    let key = asked.get(&record.key).cloned().unwrap_or_default();
                    if !bought.insert(key.clone()) {
                        let _ = writeln!(wrong, "{} got two labels for key {key}", record.key);
                    }
                    if let Some(other) = numbers.insert(tracking.clone(), record.key.clone()) {
                        let _ = writeln!(wrong, "{} and {other} wear the same number {tracking}", record.key);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Each order is where its parcels are, and what it took from the shelf is gone from it, once.
    fn orders(&self, wrong: &mut String, orders: &[twin::OrderId], counted: &BTreeMap<SmolStr, u32>) -> Result<(), twin::TwinError> {
        let (mut picked, mut ever) = (BTreeMap::<SmolStr, u32>::new(), BTreeSet::new());
        for record in self.twin.records(0) {
            let record = record?;
            if let Event::Order(order::Event::Picked { parcel }) = record.event {
                ever.insert((record.key.id, parcel));
            }
        }
        for id in orders {
            let Some((_, order)) = self.twin.load::<Order>(id.text())? else { continue };
            let parts: Vec<_> = order.live_parts().cloned().collect();
            for part in &parts {
                let parcel = self.twin.load::<Parcel>(part.parcel.text())?.map(|(_, state)| state).unwrap_or_default();
                let way = self.twin.load::<Tracking>(part.parcel.text())?.map(|(_, way)| way.stage);
                if parcel.stage == Stage::Cancelled {
                    let _ = writeln!(wrong, "{} is cancelled, and order {id} still counts on it", part.parcel);
                }
                if let (Stage::HandedOver, Some(way), [_]) = (parcel.stage, way, &parts[..]) {
                    let far = Fulfilment::of_order(&self.twin, &order)?.stage;
                    if far != way.as_str() {
                        let _ = writeln!(wrong, "order {id} is {far}, and its parcel {} is {}", part.parcel, way.as_str());
                    }
                }
                let left = parcel.packed_at.is_some() || parcel.stage == Stage::HandedOver;
                if left && part.claim != Claim::Picked {
                    let _ = writeln!(wrong, "{} was packed, and its goods are {:?}", part.parcel, part.claim);
                }
            }
            // What was packed and then cancelled lies in its box.
            for part in order.parts.iter().filter(|part| ever.contains(&(id.text().clone(), part.parcel.clone()))) {
                for (line, quantity) in order.lines_of(&part.shares) {
                    for goods in &line.goods {
                        let stock = stock::id(&part.decision.warehouse, &order.content.seller, &goods.sku);
                        *picked.entry(stock).or_default() += goods.quantity * quantity;
                    }
                }
            }
        }
        for row in self.twin.all::<Parcel>() {
            let (id, parcel) = row?;
            let id = ParcelId::from(id);
            for order in parcel.plan.orders().iter().filter(|_| parcel.stage != Stage::Cancelled) {
                let order = self.twin.load::<Order>(order.text())?.map(|(_, order)| order).unwrap_or_default();
                if !order.live_parts().any(|part| part.parcel == id) {
                    let _ = writeln!(wrong, "parcel {id} is {}, and its order counts on it no more", parcel.stage.as_str());
                }
            }
        }
        for row in self.twin.all::<Stock>() {
            let (id, stock) = row?;
            let (before, gone) = (counted.get(&id).copied().unwrap_or(0), picked.get(&id).copied().unwrap_or(0));
            if stock.on_hand + gone != before {
                let _ = writeln!(wrong, "stock {id}: {before} were counted, {gone} were picked, and {} are on hand", stock.on_hand);
            }
        }
        Ok(())
    }

    /// Every bag with something in it has left, and every parcel that left was in one.
    fn bags(&self, wrong: &mut String) -> Result<(), twin::TwinError> {
        let mut holds = BTreeMap::<ParcelId, Vec<SmolStr>>::new();
        for row in self.twin.all::<Bag>() {
            let (id, bag) = row?;
            if bag.stage != bag::Stage::HandedOver && !bag.parcels.is_empty() {
                let _ = writeln!(wrong, "bag {id} with {} parcels is {}", bag.parcels.len(), bag.stage.as_str());
            }
            bag.parcels.into_iter().for_each(|parcel| holds.entry(parcel).or_default().push(id.clone()));
        }
        for row in self.twin.all::<Parcel>() {
            let (id, parcel) = row?;
            let bags = holds.get(&ParcelId::from(id.clone())).map_or(0, Vec::len);
            if parcel.stage == Stage::HandedOver && bags != 1 {
                let _ = writeln!(wrong, "parcel {id} left, and is in {bags} bags");
            }
        }
        Ok(())
    }
}
