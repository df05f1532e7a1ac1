//! A simulated site that is asked to go far faster than the machine can: nothing happens on its floor that does not happen
//! in virtual time.

use actors::catalog::Change;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::site::{Site, World};
use actors::{Caller, Delivery};
use drivers::Clock;
use sim::demand::{self, DemandSettings};
use sim::floor::FloorSettings;
use sim::floor::tally::Tally;
use sim::scenario::DeviceSettings;
use sim::site_file::SiteFile;
use sim::world::{Setup, SimWorld};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use twin::journal::memory::MemoryJournal;
use twin::journal::{Draft, Group, Journal, Place, Rows, Way};
use twin::replay::silent;
use twin::{Hash, Head, Key, MemoryShelf, Moment, Span, StoreError, Twin};

const ORDERS: u32 = 60;
/// After all that were ordered are packed and sorted.
const END: Span = Span::from_hours(2);

/// A journal on a disk that takes its time: four seconds of the site's at two thousand times the speed.
struct SlowDisk(MemoryJournal);

impl Journal for SlowDisk {
    fn site(&self) -> &SmolStr {
        self.0.site()
    }
    fn head(&self) -> Head {
        self.0.head()
    }
    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        std::thread::sleep(Duration::from_millis(2));
        self.0.append(draft)
    }
    fn groups(&self, from: u64) -> Rows<'_, Group> {
        self.0.groups(from)
    }
    fn groups_of(&self, keys: &[Key], way: Way) -> Rows<'_, Group> {
        self.0.groups_of(keys, way)
    }
    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        self.0.document(place)
    }
}

struct Seen {
    tally: Tally,
    interceptions: BTreeMap<&'static str, u64>,
    parcels: BTreeMap<SmolStr, u64>,
}

/// Two hours of the bundled site without chance errors.
fn hours(clock: &Clock, runtime: &Runtime, start: Moment, pace: Pace) -> Seen {
    let text = include_str!("../../scenarios/quick-start/site.toml");
    let site = SiteFile::of_toml(text, "quick-start").unwrap().config;
    let demand = DemandSettings { orders: ORDERS, window: Span::from_mins(20), skus: 50, problem_ppm: 0, ..DemandSettings::default() };
    let products = demand::catalogue(1, &demand);
    let floor = FloorSettings { wrong_label_ppm: 0, unreadable_label_ppm: 0, wrong_master_ppm: 0, ..FloorSettings::default() };
    let devices = DeviceSettings { scanner_misread_ppm: 0, ..DeviceSettings::default() };
    let disk = SlowDisk(MemoryJournal::of("own-pace"));
    let twin = Arc::new(Twin::open(Arc::new(disk), Arc::new(MemoryShelf::default()), Arc::default(), &mut silent()).unwrap());
    let clock = clock.clone();
    let play = async move {
        let world = SimWorld::build(&site, Setup { seed: 1, floor, devices, ..Setup::default() }, clock.clone(), &products);
        let outside = World {
            clock: clock.clone(),
            twin: twin.clone(),
            pace,
            delivery: Delivery::Mailbox,
            dials: world.dials(),
            drivers: world.drivers(&site),
        };
        let warehouses: Vec<_> = site.warehouses.iter().map(|w| w.id.clone()).collect();
        let live = Site::start(site, outside).await.unwrap();
        live.describe(products.iter().cloned().map(Change::from).collect());
        live.count(demand::stock(1, &demand, &products, &warehouses));
        for (at, order) in demand::orders(1, &demand, &products, start + Span::from_mins(5)) {
            clock.sleep_until(at).await;
            live.house.desk.cast(DeskMsg::Receive(vec![order], Caller::nobody()));
        }
        clock.sleep_until(start + END).await;
        let (tally, board) = (world.floor.tally(), twin.board());
        live.stop().await;
        Seen { tally, parcels: board.whereabouts(), interceptions: board.interceptions }
    };
    // A task, not what is blocked on: only tasks are waited for.
    runtime.block_on(runtime.spawn(play)).unwrap()
}

#[test]
fn a_site_that_is_asked_for_too_much_goes_slower_and_does_what_it_does_in_virtual_time() {
    // Later than any machine's clock, so that both begin at the same time.
    let start: Moment = "2100-01-04T02:00:00Z".parse().unwrap();
    let clock = Clock::virtual_from(start);
    let runtime = drivers::clock::virtual_runtime(&clock).unwrap();
    let virtually = hours(&clock, &runtime, start, Pace::Modelled(Span::from_ms(3)));
    drop(runtime);
    assert!(virtually.interceptions.is_empty(), "{:?}", virtually.interceptions);
    assert!(virtually.tally.packed > u64::from(ORDERS) / 2, "{:?}", virtually.tally);

    let clock = Clock::paced(2_000.0, start);
    let runtime = drivers::clock::paced_runtime(&clock).unwrap();
    let paced = hours(&clock, &runtime, start, Pace::Disk);
    assert_eq!(paced.interceptions, virtually.interceptions);
    assert_eq!((paced.tally.no_decision, paced.tally.reworked), (0, 0));
    assert_eq!(paced.tally.packed, virtually.tally.packed);
    assert_eq!(paced.parcels, virtually.parcels);
    let worst = paced.tally.divert_us.iter().max().copied();
    assert!(worst.is_some_and(|us| us <= 1_000), "an answer took {worst:?} us of the site's time");
}
