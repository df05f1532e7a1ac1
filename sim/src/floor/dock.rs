//! The dock: tagged bags wait for their carrier's truck; each is scanned as it goes on, and the carrier has it.

use super::{Hall, Happening, StationDevices, Truth, Wears};
use actors::config::{LineConfig, SiteConfig};
use bevy_ecs::prelude::Entity;
use rules::pickups::Pickups;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use twin::{CarrierId, Dims, Span, StationId, WarehouseId};

pub(super) struct TaggedBag {
    pub(super) code: SmolStr,
    pub(super) line: StationId,
    pub(super) chute: u16,
    pub(super) items: Vec<Entity>,
}

pub(super) struct Door {
    pub(super) warehouse: WarehouseId,
    pub(super) number: usize,
    devices: StationDevices,
    pub(super) waiting: Vec<TaggedBag>,
    /// Whose bag hangs under which chute, as the signs over the chutes say.
    signs: BTreeMap<(StationId, u16), CarrierId>,
    trucks: BTreeMap<CarrierId, Pickups>,
}

impl Door {
    pub(super) fn new(warehouse: WarehouseId, _id: StationId, devices: StationDevices) -> Self {
        Door { warehouse, number: 0, devices, waiting: Vec::new(), signs: BTreeMap::new(), trucks: BTreeMap::new() }
    }
}

impl Hall {
    pub(super) fn open_docks(&mut self, config: &SiteConfig) {
        for n in 0..self.doors.len() {
            let Some(warehouse) = config.warehouse(&self.doors[n].warehouse) else { continue };
            for (station, line) in warehouse.stations.iter().filter_map(|s| Some((s, s.line.as_ref()?))) {
                for (chute, carrier) in signs(config, line) {
                    self.doors[n].signs.insert((station.id.clone(), chute), carrier);
                }
            }
            for carrier in &config.carriers {
                self.doors[n].trucks.insert(carrier.id().clone(), carrier.pickups(warehouse));
                self.next_truck(n, carrier.id().clone());
            }
        }
    }

    fn next_truck(&self, n: usize, carrier: CarrierId) {
        let late = Span::from_mins(i64::from(self.settings.truck_after_min));
        let Some(pickups) = self.doors[n].trucks.get(&carrier).cloned() else { return };
        let next = move |date| Some(pickups.next_cutoff(date - late)? + late);
        self.clock.at_next(next, self.happening(Happening::Truck(n, carrier)));
    }

    pub(super) fn truck(&mut self, n: usize, carrier: &CarrierId) {
        let now = self.clock.now();
        let door = &mut self.doors[n];
        let (taken, left) = std::mem::take(&mut door.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|b| door.signs.get(&(b.line.clone(), b.chute)) == Some(carrier));
        door.waiting = left;
        for bag in taken {
            if let Some(scanner) = &self.doors[n].devices.scanner {
                scanner.pass(Some(&bag.code), Dims::default());
            }
            for item in bag.items {
                let (Some(truth), Some(wears)) = (self.world.get::<Truth>(item), self.world.get::<Wears>(item)) else { continue };
                self.tally.left += 1;
                if truth.own != wears.code {
                    self.tally.wrong_left += 1;
                }
                (self.collect)(carrier, &wears.code, now);
                self.world.despawn(item);
            }
        }
        self.next_truck(n, carrier.clone());
    }
}

fn signs(config: &SiteConfig, line: &LineConfig) -> Vec<(u16, CarrierId)> {
    let rules = line.sorting.chutes.iter();
    rules.filter_map(|rule| Some((rule.chute, config.channel(&rule.channel)?.carrier.clone()))).collect()
}
