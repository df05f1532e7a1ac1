//! Whoever falls, the house goes on: every order that was acknowledged gets its label and reaches its end, nothing is done
//! twice, and where the house cannot go on it says why and lets nothing out. In virtual time, against the simulated world.

mod support;

use actors::ParcelMsg;
use actors::config::SiteConfig;
use actors::intake::Receipt;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::returns::Step;
use actors::site::{Site, World};
use actors::supervision::RESTARTS_MAX;
use actors::warehouse::WarehouseMsg;
use actors::{Caller, Delivery};
use drivers::Clock;
use drivers::carriers::{CarrierDriver, CarrierError, Defect, Read, Skipped};
use drivers::wire::Dial;
use futures::future::BoxFuture;
use sim::demand::{self, DemandSettings};
use sim::devices::SimScanner;
use sim::floor::FloorSettings;
use sim::scenario::read_site;
use sim::world::{Setup, SimWorld};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::project;
use twin::bag::{self, Bag};
use twin::channel::{self, Label, LabelRequest, Quote, QuoteRequest, TrackEvent, TrackStatus};
use twin::device::DeviceKind;
use twin::facet::Facet;
use twin::fulfilment::Fulfilment;
use twin::journal::memory::MemoryJournal;
use twin::journal::{Draft, Group, Journal, Place, Rows, Way};
use twin::manifest::Manifest;
use twin::order::Order;
use twin::parcel::{self, Parcel, Stage};
use twin::replay::silent;
use twin::returns::{self, Condition, Outcome, Return, Returned};
use twin::shelf::{Change, Listed, MemoryShelf, Shelf};
use twin::station::StationKind;
use twin::stock::Stock;
use twin::tracking::{self, Tracking};
use twin::{
    By, CarrierId, DeviceId, Event, Hash, Head, Key, Kind, Moment, NewOrder, Origin, ParcelId, Span, StoreError, TrackingNumber, Twin,
};

const ORDERS: u32 = 16;
/// What was on a belt when its line fell may need a person.
const PUT_ASIDE_MAX: usize = 1;

/// A store in memory that fails where it is told to.
struct Trapped {
    journal: MemoryJournal,
    shelf: MemoryShelf,
    set: Mutex<Vec<(Trap, Spring)>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trap {
    /// Reading a state of this kind panics: whoever reads it falls.
    State(Kind),
    /// So does looking up a label's number.
    LookUp,
    /// Writing says that the disk is broken.
    Write,
}

/// Lets the first `pass` through, then springs `times` times.
struct Spring {
    pass: usize,
    times: usize,
}

impl Trapped {
    fn set(&self, trap: Trap, pass: usize, times: usize) {
        self.set.lock().expect("no test panics with it").push((trap, Spring { pass, times }));
    }

    fn springs(&self, trap: Trap) -> bool {
        let mut set = self.set.lock().expect("no test panics with it");
        let Some((_, spring)) = set.iter_mut().find(|(t, s)| *t == trap && s.times > 0) else { return false };
        if spring.pass > 0 {
            spring.pass -= 1;
            return false;
        }
        spring.times -= 1;
        true
    }

    /// Every trap that was set has sprung as often as it was to.
    #[track_caller]
    fn are_sprung(&self) {
        let left: Vec<_> = self.set.lock().expect("no test panics with it").iter().map(|(t, s)| (*t, s.times)).collect();
        assert!(left.iter().all(|(_, times)| *times == 0), "this test proves nothing, traps are left: {left:?}");
    }
}

impl Journal for Trapped {
    fn site(&self) -> &smol_str::SmolStr {
        self.journal.site()
    }
    fn head(&self) -> Head {
        self.journal.head()
    }
    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        if self.springs(Trap::Write) {
            return Err(StoreError::Broken { what: "write the journal", why: "no space left on device".into() });
        }
        self.journal.append(draft)
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

impl Shelf for Trapped {
    fn put(&self, change: Change) -> Result<(), StoreError> {
        self.shelf.put(change)
    }
    fn mark(&self) -> Result<u64, StoreError> {
        self.shelf.mark()
    }
    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        assert!(!self.springs(Trap::State(key.kind)), "a trap sprang at {key}");
        self.shelf.state(key)
    }
    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        self.shelf.has(key)
    }
    fn states(&self, kind: Kind, begins: &str) -> Rows<'_, (smol_str::SmolStr, Vec<u8>)> {
        self.shelf.states(kind, begins)
    }
    fn listed(&self, kind: Kind, facet: Facet, of: Option<&str>, after: Option<&Listed>) -> Rows<'_, (Listed, smol_str::SmolStr)> {
        self.shelf.listed(kind, facet, of, after)
    }
    fn look_up(&self, name: &str) -> Result<Option<smol_str::SmolStr>, StoreError> {
        assert!(!self.springs(Trap::LookUp), "a trap sprang at {name}");
        self.shelf.look_up(name)
    }
    fn place(&self, document: &Hash) -> Result<Option<Place>, StoreError> {
        self.shelf.place(document)
    }
    fn clear(&self) -> Result<(), StoreError> {
        self.shelf.clear()
    }
    fn settle(&self) -> Result<(), StoreError> {
        self.shelf.settle()
    }
}

/// The bundled site with a few orders to come.
struct Theatre {
    clock: Clock,
    store: Arc<Trapped>,
    twin: Arc<Twin>,
    config: SiteConfig,
    /// What lies on the floor stays there while the house is closed.
    _world: SimWorld,
    products: Vec<drivers::platforms::ProductRow>,
    stock: Vec<twin::stock::Counted>,
    orders: Vec<(Moment, NewOrder)>,
    drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>,
    dials: BTreeMap<DeviceId, Dial>,
}

/// Runs `test` in virtual time.
fn play(test: impl AsyncFnOnce(Theatre)) {
    let start: Moment = "2026-11-09T08:00:00+08:00".parse().expect("a moment");
    let clock = Clock::virtual_from(start);
    let runtime = drivers::clock::virtual_runtime(&clock).expect("a runtime can be built");
    runtime.block_on(async {
        let mut config = read_site(&project().join("scenarios/quick-start/site.toml")).expect("the bundled site is good");
        // Weeks pass here; looking after idle devices all the time would be most of the work.
        config.limits.keepalive_s = 3_600;
        let demand = DemandSettings {
            orders: ORDERS,
            window: Span::from_mins(30),
            skus: 40,
            problem_ppm: 0,
            short_ppm: 0,
            stock_cover_pct: 400,
            ..DemandSettings::default()
        };
        let catalogue = demand::catalogue(1, &demand);
        let warehouses: Vec<_> = config.warehouses.iter().map(|w| w.id.clone()).collect();
        let stock = demand::stock(1, &demand, &catalogue, &warehouses);
        let orders = demand::orders(1, &demand, &catalogue, start).collect();
        let products = catalogue;
        let world = SimWorld::build(&config, Setup::default(), clock.clone(), &products);
        let store = Arc::new(Trapped { journal: MemoryJournal::of("theatre"), shelf: MemoryShelf::default(), set: Mutex::default() });
        let twin = Arc::new(Twin::open(store.clone(), store.clone(), Arc::default(), &mut silent()).expect("an empty store opens"));
        let (drivers, dials) = (world.drivers(&config), world.dials());
        test(Theatre { clock, store, twin, config, _world: world, products, stock, orders, drivers, dials }).await;
    });
}

impl Theatre {
    async fn open(&self) -> Site {
        let outside = World {
            clock: self.clock.clone(),
            twin: self.twin.clone(),
            pace: Pace::Modelled(Span::from_ms(3)),
            delivery: Delivery::Mailbox,
            dials: self.dials.clone(),
            drivers: self.drivers.clone(),
        };
        let site = Site::start(self.config.clone(), outside).await.expect("the site starts");
        site.describe(self.products.iter().cloned().map(actors::catalog::Change::from).collect());
        site.count(self.stock.clone());
        site
    }

    /// Hands one order in, again and again until it is acknowledged, as a platform does.
    async fn hand_in(&self, site: &Site, order: &NewOrder) {
        for _ in 0..100 {
            match self.clock.timeout(Span::from_secs(5), site.receive(vec![order.clone()])).await {
                Some(Ok(receipts)) => {
                    assert!(matches!(receipts[..], [Receipt::Accepted | Receipt::Known]), "{receipts:?}");
                    return;
                }
                _ => self.clock.sleep(Span::from_ms(100)).await,
            }
        }
        panic!("order {} was never acknowledged", order.id());
    }

    async fn hand_in_all(&self, site: &Site) {
        for (at, order) in &self.orders {
            self.clock.sleep_until(*at).await;
            self.hand_in(site, order).await;
        }
    }

    /// Waits until every order that was handed in has its label.
    async fn all_labelled(&self) {
        self.until("labelled", Span::from_mins(1), Span::from_hours(6), |_, p| p.tracking.is_some()).await;
    }

    /// Waits until every parcel is where it stays, and checks that all was done once.
    async fn all_ended(&self) {
        self.until("at its end", Span::from_hours(4), Span::from_hours(24 * 70), |id, p| match p.stage {
            Stage::HandedOver => self.way_of(id).is_end(),
            stage => matches!(stage, Stage::Cancelled | Stage::Intercepted),
        })
        .await;
        let parcel = |order: &NewOrder| self.state_of::<Parcel>(ParcelId::of(&order.id(), 1).text());
        let put_aside: Vec<_> = self.orders.iter().filter(|(_, o)| parcel(o).is_some_and(|p| p.stage == Stage::Intercepted)).collect();
        assert!(put_aside.len() <= PUT_ASIDE_MAX, "healing is more than putting parcels aside for a person: {put_aside:#?}");
        self.once_each();
    }

    async fn until(&self, what: &str, every: Span, limit: Span, wanted: impl Fn(&ParcelId, &Parcel) -> bool) {
        let end = self.clock.now() + limit;
        loop {
            let mut left = Vec::new();
            for (_, order) in &self.orders {
                let id = ParcelId::of(&order.id(), 1);
                match self.state_of::<Parcel>(id.text()) {
                    Some(parcel) if wanted(&id, &parcel) => {}
                    other => left.push(format!(
                        "{id}: {}, order {}",
                        other.map_or("absent", |p| p.stage.as_str()),
                        self.state_of::<Order>(order.id().text()).map_or("absent", |o| o.stage.as_str())
                    )),
                }
            }
            if left.is_empty() {
                return;
            }
            assert!(self.clock.now() < end, "not {what}: {left:#?}");
            self.clock.sleep(every).await;
        }
    }

    /// How far a parcel is on its way.
    fn way_of(&self, parcel: &ParcelId) -> tracking::Stage {
        self.state_of::<Tracking>(parcel.text()).unwrap_or_default().stage
    }

    /// Reads beside the traps.
    fn state_of<E: twin::Entity>(&self, id: &smol_str::SmolStr) -> Option<E> {
        let set = std::mem::take(&mut *self.store.set.lock().expect("no test panics with it"));
        let state = self.twin.load::<E>(id).expect("the twin reads").map(|(_, state)| state);
        *self.store.set.lock().expect("no test panics with it") = set;
        state
    }

    /// Versions without gap or repetition, one label a parcel, and states that are what the journal makes of them.
    fn once_each(&self) {
        self.store.are_sprung();
        let (mut versions, mut labels) = (BTreeMap::<Key, u32>::new(), BTreeSet::new());
        for record in self.twin.records(0) {
            let record = record.expect("the journal reads");
            let version = versions.entry(record.key.clone()).or_default();
            *version += 1;
            assert_eq!(record.version, *version, "{} was decided on by two: {:?}", record.key, record.event);
            if let Event::Parcel(parcel::Event::LabelBought { .. }) = record.event {
                assert!(labels.insert(record.key.clone()), "{} got two labels", record.key);
            }
        }
        assert_eq!(labels.len(), self.orders.len());
        self.twin.verify(&mut silent()).expect("the states are what the journal makes of them");
    }

    /// Each order is where its parcel is.
    fn orders_follow(&self) {
        for (_, order) in &self.orders {
            let way = self.way_of(&ParcelId::of(&order.id(), 1));
            let is = self.state_of::<Order>(order.id().text()).expect("it was acknowledged");
            let far = Fulfilment::of_order(&self.twin, &is).expect("the twin reads").stage;
            if way.is_end() {
                assert_eq!(far, way.as_str(), "order {}", order.id());
            }
        }
    }
}

/// What is done to each call of a carrier.
type Nerve = Arc<dyn Fn(&str) + Send + Sync>;

/// A carrier's driver that falls over its own feet.
struct Nervous {
    inner: Arc<dyn CarrierDriver>,
    nerve: Nerve,
}

impl CarrierDriver for Nervous {
    fn id(&self) -> &CarrierId {
        self.inner.id()
    }
    fn lost_answer(&self) -> drivers::carriers::LostAnswer {
        self.inner.lost_answer()
    }
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        (self.nerve)("quote");
        self.inner.quote(request)
    }
    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        let (nerve, what) = (self.nerve.clone(), format!("label {}", request.key));
        let call = self.inner.buy_label(request);
        Box::pin(async move {
            let label = call.await;
            nerve(&what);
            label
        })
    }
    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<channel::Tracking>>, CarrierError>> {
        (self.nerve)("track");
        self.inner.track(numbers)
    }
    fn void_label(&self, tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        self.inner.void_label(tracking)
    }
    fn track_batch_max(&self) -> usize {
        (self.nerve)("look");
        self.inner.track_batch_max()
    }
    fn can_quote(&self) -> bool {
        self.inner.can_quote()
    }
    fn fits(&self, request: &LabelRequest) -> Result<(), Defect> {
        self.inner.fits(request)
    }
}

impl Theatre {
    fn unnerve(&mut self, nerve: Nerve) {
        for driver in self.drivers.values_mut() {
            *driver = Arc::new(Nervous { inner: driver.clone(), nerve: nerve.clone() });
        }
    }
}

/// Panics at the first of each call whose name begins with `what`.
fn once_each_of(what: &'static str, times: &Arc<AtomicUsize>) -> Nerve {
    let (seen, times) = (Mutex::new(BTreeSet::new()), times.clone());
    Arc::new(move |call| {
        if call.starts_with(what) && seen.lock().is_ok_and(|mut s| s.insert(call.to_owned())) {
            times.fetch_add(1, Ordering::Relaxed);
            panic!("{call}: nerves");
        }
    })
}

#[test]
fn a_label_call_that_dies_is_made_again() {
    play(async |mut theatre| {
        let times = Arc::default();
        theatre.unnerve(once_each_of("label", &times));
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_labelled().await;
        assert_eq!(times.load(Ordering::Relaxed), ORDERS as usize, "each first call died");
        theatre.all_ended().await;
    });
}

#[test]
fn a_tracking_call_that_dies_is_made_again() {
    play(async |mut theatre| {
        let times = Arc::default();
        theatre.unnerve(once_each_of("track", &times));
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_ended().await;
        assert!(times.load(Ordering::Relaxed) > 0);
        theatre.orders_follow();
    });
}

#[test]
fn a_carrier_that_falls_goes_on_with_labels_and_news() {
    play(async |mut theatre| {
        let times = Arc::default();
        theatre.unnerve(once_each_of("look", &times));
        let site = theatre.open().await;
        for (n, (at, order)) in theatre.orders.iter().enumerate() {
            theatre.clock.sleep_until(*at).await;
            theatre.hand_in(&site, order).await;
            // While the label is being bought, each carrier falls.
            theatre.clock.sleep(Span::from_ms(50)).await;
            for carrier in site.house.carriers.values().filter(|_| n % 5 == 0).filter_map(|seat| seat.actor()) {
                carrier.get_cell().kill();
            }
        }
        theatre.all_labelled().await;
        theatre.all_ended().await;
        assert!(times.load(Ordering::Relaxed) > 0, "one fell over its tracking too");
        theatre.orders_follow();
    });
}

#[test]
fn a_desk_that_falls_loses_no_order() {
    play(async |theatre| {
        let site = theatre.open().await;
        for (n, (at, order)) in theatre.orders.iter().enumerate() {
            theatre.clock.sleep_until(*at).await;
            theatre.hand_in(&site, order).await;
            if n % 4 == 0 {
                // Before anything else: the order is acknowledged, and no more.
                site.house.desk.cast(fatal());
            }
        }
        theatre.all_labelled().await;
        // And while the parcels tell it what becomes of them.
        for _ in 0..40 {
            theatre.clock.sleep(Span::from_mins(30)).await;
            site.house.desk.cast(fatal());
        }
        theatre.all_ended().await;
        // What the desk missed while it lay, the next to sit there catches up with.
        site.house.desk.cast(fatal());
        theatre.clock.sleep(Span::from_mins(1)).await;
        theatre.once_each();
        theatre.orders_follow();
    });
}

/// A question whose answer makes the desk fall.
fn fatal() -> DeskMsg {
    DeskMsg::Cancel { order: "NOBODY".into(), reason: "none".into(), reply: Caller::new(|_| panic!("the answer is not liked")) }
}

#[test]
fn a_parcel_that_falls_wakes_again_with_what_came_for_it() {
    play(async |mut theatre| {
        // Two awake at once: most messages wake somebody.
        theatre.config.limits.parcels_awake_max = 2;
        let site = theatre.open().await;
        // All of them spring while labels are bought, and none at the dock, which reads parcels too.
        for n in 0..8 {
            theatre.store.set(Trap::State(Kind::Parcel), 4 + n % 3, 1);
        }
        theatre.hand_in_all(&site).await;
        theatre.all_labelled().await;
        theatre.all_ended().await;
        theatre.orders_follow();
    });
}

#[test]
fn when_parcels_fall_one_after_the_other_their_supervisor_starts_over() {
    play(async |theatre| {
        let site = theatre.open().await;
        let first = &theatre.orders[..ORDERS as usize / 2];
        for (at, order) in first {
            theatre.clock.sleep_until(*at).await;
            theatre.hand_in(&site, order).await;
        }
        // One fall more than it takes for its supervisor to fall too, while orders go on coming.
        theatre.store.set(Trap::State(Kind::Parcel), 0, RESTARTS_MAX + 1);
        for (at, order) in &theatre.orders[ORDERS as usize / 2..] {
            theatre.clock.sleep_until(*at).await;
            theatre.hand_in(&site, order).await;
        }
        theatre.all_labelled().await;
        theatre.all_ended().await;
        theatre.orders_follow();
    });
}

#[test]
fn where_falling_does_not_end_the_site_ends_and_says_why() {
    play(async |theatre| {
        let mut site = theatre.open().await;
        theatre.store.set(Trap::State(Kind::Parcel), 0, usize::MAX);
        theatre.hand_in(&site, &theatre.orders[0].1).await;
        let why = theatre.clock.timeout(Span::from_mins(10), site.ended()).await.expect("it ends");
        // Whoever of those that read parcels gives up first.
        assert!(why.contains("fell 6 times in 60 s") && why.contains("a trap sprang at parcel"), "{why}");
        assert!(theatre.state_of::<Order>(theatre.orders[0].1.id().text()).is_some(), "what was acknowledged is in the twin");
    });
}

#[test]
fn benches_and_lines_that_fall_lose_no_parcel() {
    play(async |theatre| {
        let site = theatre.open().await;
        for n in 0..8 {
            theatre.store.set(Trap::LookUp, n % 4, 1);
        }
        theatre.hand_in_all(&site).await;
        theatre.all_labelled().await;
        theatre.all_ended().await;
        theatre.orders_follow();
    });
}

#[test]
fn a_warehouse_that_falls_takes_up_what_it_had() {
    play(async |mut theatre| {
        // One parcel at a bench, so that most of them wait in the warehouse's hands.
        theatre.config.limits.bench_parcels_max = 1;
        let site = theatre.open().await;
        for (_, order) in &theatre.orders {
            theatre.hand_in(&site, order).await;
        }
        theatre.all_labelled().await;
        // A bench falls over a label, and its warehouse over the bench that does not come up again.
        theatre.store.set(Trap::LookUp, 0, 1);
        theatre.store.set(Trap::State(Kind::Station), 0, RESTARTS_MAX);
        theatre.all_ended().await;
        theatre.orders_follow();
    });
}

#[test]
fn a_device_whose_session_dies_is_started_again() {
    play(async |mut theatre| {
        let died: Arc<AtomicUsize> = Arc::default();
        for (id, dial) in &mut theatre.dials {
            let (id, inner, first, died) = (id.clone(), dial.clone(), AtomicBool::new(true), died.clone());
            *dial = Arc::new(move || {
                if first.swap(false, Ordering::Relaxed) {
                    died.fetch_add(1, Ordering::Relaxed);
                    panic!("the wire of {id} bites");
                }
                inner()
            });
        }
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        assert_eq!(died.load(Ordering::Relaxed), theatre.config.devices().count());
        for (_, device) in theatre.config.devices() {
            let is = theatre.state_of::<twin::device::Device>(device.id.text()).expect("it came up");
            assert!(is.online, "{} is offline", device.id);
        }
        theatre.all_labelled().await;
        theatre.all_ended().await;
    });
}

#[test]
fn a_ledger_that_cannot_write_closes_the_house_and_lets_nothing_out() {
    play(async |theatre| {
        let mut site = theatre.open().await;
        theatre.hand_in(&site, &theatre.orders[0].1).await;
        theatre.all_quiet().await;
        let records = theatre.twin.head().records;
        theatre.store.set(Trap::Write, 0, 1);
        let order = &theatre.orders[1].1;
        let answer = theatre.clock.timeout(Span::from_mins(1), site.receive(vec![order.clone()])).await;
        assert!(!matches!(answer, Some(Ok(_))), "it was acknowledged and is not on disk");
        let why = theatre.clock.timeout(Span::from_mins(1), site.ended()).await.expect("the site ends");
        assert!(why.contains("ledger") && why.contains("no space left on device"), "{why}");
        assert!(theatre.state_of::<Order>(order.id().text()).is_none());
        theatre.clock.sleep(Span::from_hours(48)).await;
        assert_eq!(theatre.twin.head().records, records, "nothing was written after that");
        // On a mended disk the house goes on where it stopped.
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_ended().await;
    });
}

impl Theatre {
    /// Waits until nothing has been written for ten minutes.
    async fn all_quiet(&self) {
        let mut before = u64::MAX;
        while std::mem::replace(&mut before, self.twin.head().records) != self.twin.head().records {
            self.clock.sleep(Span::from_mins(10)).await;
        }
    }
}

#[test]
fn a_house_that_stops_again_and_again_ends_every_parcel() {
    for minutes in [7, 40, 150] {
        play(async |theatre| {
            let mut site = theatre.open().await;
            let mut next = theatre.clock.now();
            for (at, order) in &theatre.orders {
                theatre.clock.sleep_until(*at).await;
                theatre.hand_in(&site, order).await;
                if theatre.clock.now() >= next {
                    next = theatre.clock.now() + Span::from_mins(3);
                    site.stop().await;
                    site = theatre.open().await;
                }
            }
            for _ in 0..60 {
                theatre.clock.sleep(Span::from_mins(minutes)).await;
                site.stop().await;
                site = theatre.open().await;
            }
            theatre.all_labelled().await;
            theatre.all_ended().await;
            theatre.orders_follow();
            for row in theatre.twin.all::<Manifest>() {
                let (id, manifest) = row.expect("it reads");
                assert!(!manifest.open, "every {minutes} minutes: manifest {id} was left open");
            }
            site.stop().await;
        });
    }
}

#[test]
fn a_house_that_stops_between_deciding_and_doing_does_it_when_it_opens_again() {
    play(async |theatre| {
        let mut site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        let truck = Span::from_mins(i64::from(FloorSettings::default().truck_after_min));
        let (mut untagged, mut untold) = (0, 0);
        for _ in 0..16 {
            let now = theatre.clock.now();
            let cutoff = next_cutoff(&theatre.config, now);
            // A cut-off closes bags; a truck takes them. Each is on disk, and the house stops before the word is out.
            for at in [cutoff, cutoff + truck] {
                theatre.clock.sleep_until(at + Span::from_ms(1)).await;
                site.stop().await;
                for row in theatre.twin.all::<Bag>() {
                    let (_, bag) = row.expect("it reads");
                    let waits = |id: &ParcelId| theatre.state_of::<Parcel>(id.text()).is_some_and(|p| p.stage == Stage::Bagged);
                    untagged += usize::from(bag.stage == bag::Stage::Closed && at == cutoff);
                    untold += usize::from(bag.stage == bag::Stage::HandedOver && bag.parcels.iter().any(waits));
                }
                site = theatre.open().await;
            }
        }
        assert!(untagged > 0 && untold > 0, "this test proves nothing: {untagged} bags without a tag, {untold} with parcels not told");
        theatre.all_ended().await;
        theatre.orders_follow();
        for row in theatre.twin.all::<Bag>() {
            let (id, bag) = row.expect("it reads");
            assert_eq!(bag.stage, bag::Stage::HandedOver, "bag {id}");
        }
    });
}

#[test]
fn a_bag_that_left_unheard_is_told_of_and_a_person_says_that_it_left() {
    play(async |mut theatre| {
        // In place of the docks' scanners others that nobody holds: what the docks scan is not heard.
        let docks =
            theatre.config.devices().filter(|(station, device)| station.kind == StationKind::Dock && device.kind == DeviceKind::Scanner);
        let docks: Vec<DeviceId> = docks.map(|(_, device)| device.id.clone()).collect();
        for (n, id) in docks.iter().enumerate() {
            let idle = SimScanner::new(sim::luck::Luck::of(n as u64, "test", "scanner"), Default::default());
            assert!(theatre.dials.insert(id.clone(), sim::devices::dial_of(idle)).is_some());
        }
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_labelled().await;
        theatre.clock.sleep(Span::from_hours(24 * 6)).await;
        let bags: Vec<_> = theatre.twin.all::<Bag>().map(|row| row.expect("it reads")).collect();
        assert!(!bags.is_empty());
        for (id, bag) in &bags {
            assert_eq!(bag.stage, bag::Stage::Closed, "bag {id}");
            assert!(
                bag.exception.as_deref().is_some_and(|what| what.contains("no dock has scanned its tag")),
                "bag {id}: {:?}",
                bag.exception
            );
            let said = theatre.twin.history(&[Key::new(Kind::Bag, id.clone())], Way::OLDEST_FIRST);
            let said = said.filter(|r| matches!(r.as_ref().map(|r| &r.event), Ok(Event::Bag(bag::Event::ExceptionRaised { .. }))));
            assert_eq!(said.count(), 1, "bag {id} is told of once");
        }
        let left = async |warehouse: &twin::WarehouseId, id: &str| {
            let (caller, answer) = Caller::waiting();
            let origin = Origin { by: By::Person("Li Wei".into()), ..Origin::default() };
            actors::origin::within(origin, || site.house.tell_warehouse(warehouse, WarehouseMsg::HandOver(id.into(), caller)));
            answer.await.expect("the dock answers")
        };
        for (id, bag) in &bags {
            assert_eq!(left(&bag.warehouse, id).await, Ok(()));
            assert_eq!(left(&bag.warehouse, id).await, Ok(()), "once more is no harm");
            let last =
                theatre.twin.history(&[Key::new(Kind::Bag, id.clone())], Way::NEWEST_FIRST).next().expect("it has one").expect("it reads");
            assert_eq!((last.by, theatre.state_of::<Bag>(id).and_then(|bag| bag.exception)), (By::Person("Li Wei".into()), None));
        }
        assert!(left(&bags[0].1.warehouse, "069012341000009990").await.is_err_and(|why| why.contains("absent")));
        theatre.all_ended().await;
        theatre.orders_follow();
    });
}

/// The next time at which any carrier collects anywhere.
fn next_cutoff(config: &SiteConfig, now: Moment) -> Moment {
    let all = config.carriers.iter().flat_map(|c| config.warehouses.iter().map(move |w| c.pickups(w)));
    all.filter_map(|pickups| pickups.next_cutoff(now)).min().expect("carriers collect")
}

/// What a carrier says of its parcels, and what is made of it.
type News = Result<Read<Vec<channel::Tracking>>, CarrierError>;

/// A carrier that does all as it does, and says something else of its parcels.
struct Twisted {
    inner: Arc<dyn CarrierDriver>,
    twist: Arc<dyn Fn(News) -> News + Send + Sync>,
}

impl CarrierDriver for Twisted {
    fn id(&self) -> &CarrierId {
        self.inner.id()
    }
    fn lost_answer(&self) -> drivers::carriers::LostAnswer {
        self.inner.lost_answer()
    }
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        self.inner.quote(request)
    }
    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        self.inner.buy_label(request)
    }
    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, News> {
        let (news, twist) = (self.inner.track(numbers), self.twist.clone());
        Box::pin(async move { twist(news.await) })
    }
    fn void_label(&self, tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        self.inner.void_label(tracking)
    }
    fn fits(&self, request: &LabelRequest) -> Result<(), Defect> {
        self.inner.fits(request)
    }
    fn ship_ahead_max(&self) -> Option<Span> {
        self.inner.ship_ahead_max()
    }
    fn track_batch_max(&self) -> usize {
        self.inner.track_batch_max()
    }
    fn can_quote(&self) -> bool {
        self.inner.can_quote()
    }
}

impl Theatre {
    /// Every carrier says of its parcels what is made of its news.
    fn twist(&mut self, twist: impl Fn(&CarrierId, News) -> News + Send + Sync + 'static) {
        let twist = Arc::new(twist);
        for driver in self.drivers.values_mut() {
            let (id, twist) = (driver.id().clone(), twist.clone());
            *driver = Arc::new(Twisted { inner: driver.clone(), twist: Arc::new(move |news| twist(&id, news)) });
        }
    }
}

/// News backwards, twice, with deliveries stamped before they were out, and with a part that nobody can read.
fn confused(news: News) -> News {
    let mut news = news?;
    for tracking in &mut news.value {
        for event in tracking.events.iter_mut().filter(|e| e.status == TrackStatus::Delivered) {
            event.at = event.at - Span::from_hours(30);
        }
        tracking.events.reverse();
        tracking.events.extend(tracking.events.clone());
        let about = Some(tracking.number.0.clone());
        news.skipped.push(Skipped { about, place: "events[3]".into(), why: "an event is \"\\u{7}\"".into(), whole: true });
    }
    Ok(news)
}

#[test]
fn confused_news_end_in_the_right_stage_and_what_cannot_be_read_is_told_once() {
    play(async |mut theatre| {
        theatre.twist(|_, news| confused(news));
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_ended().await;
        theatre.orders_follow();
        let (mut told, mut heard) = (BTreeMap::<Key, u32>::new(), BTreeSet::new());
        for record in theatre.twin.records(0) {
            let record = record.expect("the journal reads");
            match record.event {
                Event::Tracking(tracking::Event::ExceptionRaised { what }) if what.contains("news of it cannot be read") => {
                    *told.entry(record.key).or_default() += 1;
                }
                Event::Tracking(tracking::Event::Tracked { news }) => {
                    for event in news {
                        let key = (record.key.clone(), event.at, event.code.clone(), event.place.clone(), event.text.clone());
                        assert!(heard.insert(key), "{} heard twice of {event:?}", record.key);
                    }
                }
                _ => {}
            }
        }
        assert_eq!(told.len(), theatre.orders.len(), "{told:?}");
        assert!(told.values().all(|times| *times == 1), "{told:?}");
        site.stop().await;
    });
}

#[test]
fn a_parcel_whose_news_cannot_be_read_again_and_again_says_so_once() {
    play(async |mut theatre| {
        // The first answers are no JSON.
        let looks = Mutex::new(BTreeMap::<CarrierId, u32>::new());
        theatre.twist(move |carrier, news| {
            let mut looks = looks.lock().expect("no look panics");
            let look = looks.entry(carrier.clone()).or_default();
            *look += 1;
            let mumbled = || CarrierError::Unreadable { carrier: carrier.clone(), what: "tracking", why: "EOF while parsing".into() };
            if *look <= 40 { Err(mumbled()) } else { news }
        });
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_ended().await;
        let mut told = BTreeMap::<Key, u32>::new();
        for record in theatre.twin.records(0) {
            let record = record.expect("the journal reads");
            if let Event::Tracking(tracking::Event::ExceptionRaised { what }) = record.event
                && what.contains("news of it cannot be had: cannot read the tracking of")
            {
                *told.entry(record.key).or_default() += 1;
            }
        }
        assert!(!told.is_empty() && told.values().all(|times| *times == 1), "{told:?}");
        site.stop().await;
    });
}

#[test]
fn what_was_delivered_and_comes_back_is_returned_and_so_is_its_order() {
    play(async |mut theatre| {
        // Whatever was delivered is brought back two days later.
        let clock = theatre.clock.clone();
        theatre.twist(move |_, news| {
            let mut news = news?;
            for tracking in &mut news.value {
                let Some(delivered) = tracking.events.iter().find(|e| e.status == TrackStatus::Delivered) else { continue };
                let returned = TrackEvent { at: delivered.at + Span::from_hours(48), status: TrackStatus::Returned, ..delivered.clone() };
                if returned.at <= clock.date() {
                    tracking.events.push(returned);
                }
            }
            Ok(news)
        });
        theatre.config.carriers.iter_mut().for_each(|carrier| carrier.look_again_after_d = 7);
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_ended().await;
        let delivered = |theatre: &Theatre| {
            let ids = theatre.orders.iter().map(|(_, order)| ParcelId::of(&order.id(), 1));
            ids.filter(|id| theatre.way_of(id) == tracking::Stage::Delivered).count()
        };
        let before = delivered(&theatre);
        theatre.clock.sleep(Span::from_hours(24 * 9)).await;
        theatre.orders_follow();
        assert!(before > 0 && delivered(&theatre) == 0, "{before} were delivered, {} of them still are", delivered(&theatre));
        site.stop().await;
    });
}

#[test]
fn a_parcel_goes_by_who_takes_its_address_and_is_held_where_nobody_does() {
    play(async |mut theatre| {
        // Without the forwarder, whose API has no limits.
        theatre.config.channels.iter_mut().filter(|c| c.carrier.as_str() == "direct").for_each(|c| c.to = vec!["NZ".into()]);
        let site = theatre.open().await;
        let mut order = theatre.orders[0].1.clone();
        order.ship_to.country = "US".into();
        (order.ship_to.region, order.ship_to.postcode) = ("TX".into(), "78701".into());
        order.ship_to.street = "12 Long Street ".repeat(12).trim().into();
        theatre.hand_in(&site, &order).await;
        theatre.clock.sleep(Span::from_mins(1)).await;
        let held = theatre.state_of::<Order>(order.id().text()).expect("it was acknowledged");
        let why = held.holds.values().next().unwrap_or_else(|| panic!("it is not held: {held:?}")).to_string();
        assert!(why.contains("to.street has 179 characters"), "{why}");
        site.stop().await;
    });
}

/// A step of a return, and what came of it once it was durable.
async fn step(site: &Site, parcel: &ParcelId, step: Step) -> Result<(), String> {
    let (tell, told) = tokio::sync::oneshot::channel();
    site.house.tell(parcel.clone(), ParcelMsg::Return(step, Caller::new(|outcome| drop(tell.send(outcome)))));
    told.await.expect("the parcel answers")
}

#[test]
fn what_comes_back_is_received_and_goes_on_the_shelf_once_though_the_desk_falls_over_it() {
    play(async |mut theatre| {
        // The carriers bring everything back a day after it was delivered, and say so a little before.
        theatre.twist(|_, news| {
            let mut news = news?;
            for tracking in &mut news.value {
                let Some(delivered) = tracking.events.iter_mut().find(|e| e.status == TrackStatus::Delivered) else { continue };
                (delivered.status, delivered.text) = (TrackStatus::Returning, "Refused by the buyer".into());
                let back = TrackEvent { at: delivered.at + Span::from_hours(24), status: TrackStatus::Returned, ..delivered.clone() };
                tracking.events.push(back);
            }
            Ok(news)
        });
        // One scanner is in the test's own hand.
        let scanner = SimScanner::new(sim::luck::Luck::of(1, "test", "scanner"), Default::default());
        let rework: DeviceId = "SZX/rework-1/scanner".into();
        assert!(theatre.dials.insert(rework, sim::devices::dial_of(scanner.clone())).is_some(), "it stands in the site");
        let site = theatre.open().await;
        theatre.hand_in_all(&site).await;
        theatre.all_ended().await;
        let returned = |theatre: &Theatre, id: &ParcelId| theatre.state_of::<Return>(id.text()).unwrap_or_default();
        let came: Vec<ParcelId> = theatre.orders.iter().map(|(_, order)| ParcelId::of(&order.id(), 1)).collect();
        let came: Vec<ParcelId> = came.into_iter().filter(|id| theatre.way_of(id) == tracking::Stage::Returned).collect();
        assert!(came.len() > 10, "{}", came.len());
        for id in &came {
            let back = returned(&theatre, id);
            assert_eq!((back.stage, back.reason.as_str()), (returns::Stage::Announced, "Refused by the buyer"), "{id}");
            assert!(back.expected.iter().any(|e| e.quantity > 0));
        }
        // Its label is read at a bench: it is here.
        let number = theatre.state_of::<Parcel>(came[0].text()).and_then(|p| p.tracking).expect("it has one");
        scanner.pass(Some(number.as_str()), twin::Dims::default());
        theatre.clock.sleep(Span::from_secs(5)).await;
        let first = returned(&theatre, &came[0]);
        assert_eq!((first.stage, first.warehouse.as_ref().map(|w| w.as_str())), (returns::Stage::Arrived, Some("SZX")));
        // Half of each is as new.
        let mut on_hand = BTreeMap::new();
        for row in theatre.twin.all::<Stock>() {
            let (id, stock) = row.expect("it reads");
            on_hand.insert(id, stock.on_hand);
        }
        for (n, id) in came.iter().enumerate() {
            let back = returned(&theatre, id);
            let halves = |e: &returns::Expected| [(e.quantity.div_ceil(2), Condition::Sellable), (e.quantity / 2, Condition::Damaged)];
            let items = back
                .expected
                .iter()
                .flat_map(|e| halves(e).map(|(quantity, condition)| Returned { sku: e.sku.clone(), quantity, condition }));
            let receive = Step::Receive { warehouse: Some("SZX".into()), items: items.collect() };
            step(&site, id, receive).await.expect("it is received");
            for e in &back.expected {
                *on_hand.entry(twin::stock::id(&"SZX".into(), &"own".into(), &e.sku)).or_default() += e.quantity.div_ceil(2);
            }
            let close = || Step::Close { outcome: Outcome::Restocked, note: "half of it".into() };
            if n % 3 == 0 {
                // The desk falls as it reads what it is to put on the shelf.
                theatre.store.set(Trap::State(Kind::Return), 0, 1);
            }
            step(&site, id, close()).await.expect("it is closed");
            if n % 3 == 1 {
                site.house.desk.cast(fatal());
            }
            step(&site, id, close()).await.expect("twice is once");
            site.house.desk.cast(DeskMsg::Restock(id.clone()));
            theatre.clock.sleep(Span::from_mins(5)).await;
        }
        theatre.once_each();
        for id in &came {
            let back = returned(&theatre, id);
            assert_eq!((back.stage, back.outcome), (returns::Stage::Closed, Some(Outcome::Restocked)), "{id}");
        }
        for row in theatre.twin.all::<Stock>() {
            let (id, stock) = row.expect("it reads");
            assert_eq!(Some(&stock.on_hand), on_hand.get(&id), "{id}");
        }
        let refused = step(&site, &came[0], Step::Close { outcome: Outcome::SentAgain, note: "".into() }).await.unwrap_err();
        assert!(refused.contains("it is restocking") || refused.contains("it is closed"), "{refused}");
        site.stop().await;
    });
}
