//! The rework table: one person opens what the line rejected, scans slip and label, puts the right label on, and sends it
//! round again.

use super::sheet::Sheet;
use super::work::Work;
use super::{Hall, Happening, StationDevices, Truth, Wears};
use actors::slip::SLIP;
use bevy_ecs::prelude::Entity;
use smol_str::{SmolStr, format_smolstr};
use std::collections::VecDeque;
use twin::station::StationKind;
use twin::{Dims, Moment, Span, StationId, WarehouseId};

/// How long the person waits for a label to come out of the printer.
const WAIT: Span = Span::from_secs(10);

pub(super) struct Table {
    warehouse: WarehouseId,
    pub(super) id: StationId,
    devices: StationDevices,
    /// Each with since when.
    waiting: VecDeque<(Moment, Entity)>,
    in_hand: Option<Entity>,
    fresh: Option<SmolStr>,
    /// The printer said to put it aside.
    shelve: bool,
    pub(super) work: Work,
}

impl Table {
    pub(super) fn new(warehouse: WarehouseId, id: StationId, devices: StationDevices) -> Self {
        let work = Work::new(StationKind::Rework, 1);
        Table { warehouse, id, devices, waiting: VecDeque::new(), in_hand: None, fresh: None, shelve: false, work }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_hand.is_none() && self.waiting.is_empty()
    }
}

impl Hall {
    pub(super) fn send_to_rework(&mut self, warehouse: &WarehouseId, item: Entity) {
        let tables = self.tables.iter().enumerate().filter(|(_, t)| t.warehouse == *warehouse);
        match tables.min_by_key(|(n, t)| (t.waiting.len(), *n)).map(|(n, _)| n) {
            Some(n) => {
                let now = self.clock.now();
                self.tables[n].waiting.push_back((now, item));
                self.take_in_hand(n);
                let table = &mut self.tables[n];
                table.work.waits(table.waiting.len());
            }
            None => self.tally.shelved += 1,
        }
    }

    fn take_in_hand(&mut self, n: usize) {
        if self.tables[n].in_hand.is_some() {
            return;
        }
        let Some((since, item)) = self.tables[n].waiting.pop_front() else { return };
        self.tables[n].in_hand = Some(item);
        self.tables[n].fresh = None;
        self.tables[n].shelve = false;
        let key = self.world.get::<Truth>(item).map(|t| t.parcel.to_string()).unwrap_or_default();
        let [from, to] = self.settings.rework_s;
        let takes = Span::from_ms(self.luck(&key, "rework").between(i64::from(from) * 1_000, i64::from(to) * 1_000));
        let now = self.clock.now();
        self.tables[n].work.add(now, now + takes + WAIT);
        self.tally.rework_wait_us.push((now - since).0.max(0) as u64);
        self.tally.rework_us.push((takes + WAIT).0.max(0) as u64);
        self.after(takes, Happening::ReworkScan(n));
    }

    /// Slip first, then the label: that is the rule at this table.
    pub(super) fn rework_scan(&mut self, n: usize) {
        let Some(item) = self.tables[n].in_hand else { return };
        if let (Some(scanner), Some(truth), Some(wears)) =
            (&self.tables[n].devices.scanner, self.world.get::<Truth>(item), self.world.get::<Wears>(item))
        {
            scanner.pass(Some(&format_smolstr!("]C0{SLIP}{}", truth.parcel)), Dims::default());
            let label = if wears.readable { wears.code.as_str() } else { actors::rework::NO_LABEL };
            scanner.pass(Some(label), Dims::default());
        }
        self.after(WAIT, Happening::ReworkDone(n));
    }

    pub(super) fn relabel(&mut self, n: usize, sheet: Sheet) {
        match sheet {
            Sheet::Label { code } => self.tables[n].fresh = Some(code),
            Sheet::Shelf => self.tables[n].shelve = true,
            Sheet::Slip { .. } | Sheet::Tag { .. } | Sheet::Blank => {}
        }
    }

    pub(super) fn rework_done(&mut self, n: usize) {
        let Some(item) = self.tables[n].in_hand.take() else { return };
        if let Some(code) = self.tables[n].fresh.take() {
            self.world.entity_mut(item).insert(Wears { code, readable: true });
        }
        let own = match (self.world.get::<Truth>(item), self.world.get::<Wears>(item)) {
            (Some(truth), Some(wears)) => wears.readable && wears.code == truth.own,
            _ => false,
        };
        if own && !std::mem::take(&mut self.tables[n].shelve) {
            self.tally.reworked += 1;
            let warehouse = self.tables[n].warehouse.clone();
            self.infeed(&warehouse, item);
        } else {
            self.tally.shelved += 1;
        }
        self.take_in_hand(n);
    }
}
