//! The floor: the real things. Goods, boxes, labels, belts, chutes, bags and trucks, and the people who move them.
//!
//! The floor knows the truth (what each box weighs, whose label it wears); the twin learns of it only through devices.
//! Nothing here reads the twin. It is driven by events on the clock: every box and machine is an entity in a bevy world.

mod belt;
mod bench;
mod dock;
mod rework;
pub mod sheet;
pub mod tally;
pub mod work;

use crate::devices::{SimPrinter, SimScale, SimScanner, SimSorter};
use crate::luck::Luck;
use actors::config::{SiteConfig, StationConfig};
use bevy_ecs::prelude::{Component, Entity, World};
use drivers::Clock;
use drivers::platforms::ProductRow;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tally::Tally;
use twin::goods::Facts;
use twin::station::StationKind;
use twin::{CarrierId, Dims, Moment, ParcelId, Sku, Span, StationId, WarehouseId};

/// How people and machines behave, and how often they err. Rates in millionths.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FloorSettings {
    pub packers_per_bench: u32,
    /// Picking and packing one parcel: from, to.
    pub pack_s: [u32; 2],
    /// Opening, checking and putting right one parcel: from, to.
    pub rework_s: [u32; 2],
    /// Between two items on a line.
    pub gap_ms: u32,
    /// From the sorter's question to the point where the answer must be there.
    pub answer_within_ms: u32,
    /// A truck comes this long after the cut-off.
    pub truck_after_min: u32,
    /// Parcels that get another parcel's label.
    pub wrong_label_ppm: u32,
    pub unreadable_label_ppm: u32,
    /// Products that weigh something else than the master data says.
    pub wrong_master_ppm: u32,
    /// Each piece differs from its product's weight by up to this.
    pub weight_spread_ppm: u32,
    pub size_spread_mm: u32,
}

impl Default for FloorSettings {
    fn default() -> Self {
        FloorSettings {
            packers_per_bench: 8,
            pack_s: [40, 120],
            rework_s: [30, 90],
            gap_ms: 1_000,
            answer_within_ms: 150,
            truck_after_min: 20,
            wrong_label_ppm: 500,
            unreadable_label_ppm: 2_000,
            wrong_master_ppm: 2_000,
            weight_spread_ppm: 10_000,
            size_spread_mm: 3,
        }
    }
}

/// What a box really is.
#[derive(Component, Debug)]
struct Truth {
    parcel: ParcelId,
    weight_g: u32,
    dims: Dims,
    /// The barcode of its own label, as a scanner sends it.
    own: SmolStr,
}

/// The label on a box.
#[derive(Component, Debug)]
struct Wears {
    code: SmolStr,
    readable: bool,
}

/// A box on its way along a belt.
#[derive(Component, Debug)]
struct Leg {
    line: usize,
    pic: u32,
    asked_at: Moment,
    answer: Option<u16>,
}

/// What happens next, to what.
enum Happening {
    Packed(usize),
    SwapNoticed(usize, Entity),
    Feed(usize),
    Scan(Entity),
    Weigh(Entity),
    Unload(usize),
    Ask(Entity),
    Divert(Entity),
    Drop(Entity, u16, bool),
    ReworkScan(usize),
    ReworkDone(usize),
    Truck(usize, CarrierId),
}

/// What hands parcels to a carrier's world: carrier, the label's code, the moment.
pub type Collect = Box<dyn FnMut(&CarrierId, &str, Moment) + Send>;

/// Cheap to clone; all clones are one floor.
#[derive(Clone)]
pub struct Floor(Arc<Mutex<Hall>>);

struct Hall {
    floor: std::sync::Weak<Mutex<Hall>>,
    world: World,
    clock: Clock,
    seed: u64,
    settings: FloorSettings,
    /// True weight of one piece of each SKU.
    pieces: HashMap<Sku, (u32, Facts)>,
    benches: Vec<bench::Bench>,
    belts: Vec<belt::Belt>,
    tables: Vec<rework::Table>,
    doors: Vec<dock::Door>,
    collect: Collect,
    /// Slips and bag tags that were used. One that comes out of a printer again is thrown away.
    used: HashSet<SmolStr>,
    tally: Tally,
}

/// The devices at one station, by the handles that the floor moves things with.
#[derive(Clone, Default)]
pub struct StationDevices {
    pub scanner: Option<SimScanner>,
    pub scale: Option<SimScale>,
    pub sorter: Option<SimSorter>,
    pub printer: Option<SimPrinter>,
}

impl Floor {
    /// An empty floor. Its stations are added by [`Floor::equip`].
    pub fn new(clock: Clock, seed: u64, settings: FloorSettings, products: &[ProductRow], collect: Collect) -> Self {
        let mut pieces = HashMap::new();
        for ProductRow { sku, facts: product, .. } in products {
            let mut luck = Luck::of(seed, sku.as_str(), "true weight");
            let weight_g = match luck.chance_ppm(settings.wrong_master_ppm) {
                true => i64::from(product.weight_g) * luck.between(120, 180) / 100 + 40,
                false => i64::from(product.weight_g),
            };
            pieces.insert(sku.clone(), (weight_g.max(1) as u32, product.clone()));
        }
        Floor(Arc::new_cyclic(|floor| {
            Mutex::new(Hall {
                floor: floor.clone(),
                world: World::new(),
                clock,
                seed,
                settings,
                pieces,
                benches: Vec::new(),
                belts: Vec::new(),
                tables: Vec::new(),
                doors: Vec::new(),
                collect,
                used: HashSet::new(),
                tally: Tally::default(),
            })
        }))
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a station's machines and people in place.
    pub fn equip(&self, warehouse: &WarehouseId, station: &StationConfig, devices: StationDevices) {
        let mut hall = self.hall();
        let (warehouse, id) = (warehouse.clone(), station.id.clone());
        match station.kind {
            StationKind::Bench => {
                let free = hall.settings.packers_per_bench.max(1);
                hall.benches.push(bench::Bench::new(warehouse, id, devices, free));
            }
            StationKind::Line => {
                if let Some(line) = &station.line {
                    hall.belts.push(belt::Belt::new(warehouse, id, devices, line));
                }
            }
            StationKind::Rework => hall.tables.push(rework::Table::new(warehouse, id, devices)),
            StationKind::Dock => hall.doors.push(dock::Door::new(warehouse, id, devices)),
        }
    }

    /// Lets the carriers' trucks come, each after every cut-off.
    pub fn open_docks(&self, config: &SiteConfig) {
        let mut hall = self.hall();
        for (n, door) in hall.doors.iter_mut().enumerate() {
            door.number = n;
        }
        hall.open_docks(config);
    }

    /// A sheet came out of a station's printer.
    pub fn printed(&self, station: &StationId, zpl: &str) {
        let sheet = sheet::read(zpl);
        let mut hall = self.hall();
        if let Some(n) = hall.benches.iter().position(|b| b.id == *station) {
            hall.at_bench(n, sheet);
        } else if let Some(n) = hall.belts.iter().position(|b| b.id == *station) {
            hall.tag(n, sheet);
        } else if let Some(n) = hall.tables.iter().position(|t| t.id == *station) {
            hall.relabel(n, sheet);
        }
    }

    /// The twin told a line's sorter where an item goes.
    pub fn answered(&self, station: &StationId, pic: u32, chute: u16) {
        let mut hall = self.hall();
        if let Some(n) = hall.belts.iter().position(|b| b.id == *station) {
            hall.answered(n, pic, chute);
        }
    }

    /// What has happened so far, as only the floor knows it.
    pub fn tally(&self) -> Tally {
        let hall = self.hall();
        let mut tally = hall.tally.clone();
        tally.stations.extend(hall.benches.iter().map(|b| (b.id.clone(), b.work.clone())));
        tally.stations.extend(hall.belts.iter().map(|b| (b.id.clone(), b.work.clone())));
        tally.stations.extend(hall.tables.iter().map(|t| (t.id.clone(), t.work.clone())));
        tally
    }

    /// Nobody packs, nothing moves, nothing waits to be put right.
    pub fn is_idle(&self) -> bool {
        let hall = self.hall();
        hall.benches.iter().all(|b| b.is_idle()) && hall.belts.iter().all(|b| b.is_idle()) && hall.tables.iter().all(|t| t.is_idle())
    }

    /// What can be seen of the belts right now, for the console.
    pub fn moving(&self) -> Vec<(StationId, usize)> {
        self.hall().belts.iter().map(|b| (b.id.clone(), b.on_it)).collect()
    }
}

impl Hall {
    fn after(&self, span: Span, happening: Happening) {
        self.at(self.clock.now() + span, happening);
    }

    fn at(&self, at: Moment, happening: Happening) {
        self.clock.at(at, self.happening(happening));
    }

    fn happening(&self, happening: Happening) -> impl FnOnce() + Send + use<> {
        let floor = self.floor.clone();
        move || {
            if let Some(floor) = floor.upgrade() {
                floor.lock().unwrap_or_else(PoisonError::into_inner).happen(happening);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Packed(bench) => self.packed(bench),
            Happening::SwapNoticed(bench, item) => self.swap_noticed(bench, item),
            Happening::Feed(belt) => self.feed(belt),
            Happening::Scan(item) => self.scan(item),
            Happening::Weigh(item) => self.weigh(item),
            Happening::Unload(belt) => self.unload(belt),
            Happening::Ask(item) => self.ask(item),
            Happening::Divert(item) => self.divert(item),
            Happening::Drop(item, chute, decided) => self.drop_off(item, chute, decided),
            Happening::ReworkScan(table) => self.rework_scan(table),
            Happening::ReworkDone(table) => self.rework_done(table),
            Happening::Truck(door, carrier) => self.truck(door, &carrier),
        }
    }

    fn luck(&self, key: &str, purpose: &str) -> Luck {
        Luck::of(self.seed, key, purpose)
    }
}
