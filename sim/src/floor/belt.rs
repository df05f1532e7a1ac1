//! The line: boxes go under the scanner, over the scale, past the point where the sorter asks, and down a chute.

use super::sheet::Sheet;
use super::work::Work;
use super::{Hall, Happening, Leg, StationDevices, Truth, Wears};
use actors::config::LineConfig;
use bevy_ecs::prelude::Entity;
use std::collections::{BTreeMap, VecDeque};
use twin::station::StationKind;
use twin::{Moment, Span, StationId, WarehouseId};

/// From the infeed to the scanner.
const TO_SCANNER: Span = Span::from_ms(400);
/// A box lies on the scale this long after its weight has settled.
const ON_SCALE: Span = Span::from_ms(200);
/// From the divert point to the first chute, and from each chute to the next.
const CHUTE_APART: Span = Span::from_ms(400);

pub(super) struct Belt {
    pub(super) warehouse: WarehouseId,
    pub(super) id: StationId,
    devices: StationDevices,
    scan_to_weight: Span,
    scan_to_ask: Span,
    reject: u16,
    waiting: VecDeque<Entity>,
    free_at: Moment,
    feeding: bool,
    next_pic: u32,
    /// Boxes that were asked for and have not passed the divert point.
    asked: VecDeque<(u32, Entity)>,
    pub(super) on_it: usize,
    /// What lies under each chute.
    pub(super) bags: BTreeMap<u16, Vec<Entity>>,
    /// Of its infeed: a box takes the place of the gap to the next.
    pub(super) work: Work,
}

impl Belt {
    pub(super) fn new(warehouse: WarehouseId, id: StationId, devices: StationDevices, line: &LineConfig) -> Self {
        Belt {
            warehouse,
            id,
            devices,
            scan_to_weight: line.scan_to_weight(),
            scan_to_ask: line.scan_to_ask(),
            reject: line.sorting.reject,
            waiting: VecDeque::new(),
            free_at: Moment(i64::MIN),
            feeding: false,
            next_pic: 0,
            asked: VecDeque::new(),
            on_it: 0,
            bags: BTreeMap::new(),
            work: Work::new(StationKind::Line, 1),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.on_it == 0 && self.waiting.is_empty()
    }
}

impl Hall {
    /// Puts a box on the infeed of the warehouse's line that has fewest waiting.
    pub(super) fn infeed(&mut self, warehouse: &WarehouseId, item: Entity) {
        let lines = self.belts.iter().enumerate().filter(|(_, b)| b.warehouse == *warehouse);
        let Some(n) = lines.min_by_key(|(n, b)| (b.waiting.len(), *n)).map(|(n, _)| n) else { return };
        let now = self.clock.now();
        let belt = &mut self.belts[n];
        belt.waiting.push_back(item);
        belt.work.waits(belt.waiting.len());
        if !belt.feeding {
            belt.feeding = true;
            let at = belt.free_at.max(now);
            self.at(at, Happening::Feed(n));
        }
    }

    pub(super) fn feed(&mut self, n: usize) {
        let (now, gap) = (self.clock.now(), Span::from_ms(i64::from(self.settings.gap_ms)));
        let belt = &mut self.belts[n];
        belt.feeding = false;
        let Some(item) = belt.waiting.pop_front() else { return };
        belt.free_at = now + gap;
        belt.work.add(now, belt.free_at);
        belt.on_it += 1;
        belt.next_pic += 1;
        let leg = Leg { line: n, pic: belt.next_pic, asked_at: now, answer: None };
        if !belt.waiting.is_empty() {
            belt.feeding = true;
            let at = belt.free_at;
            self.at(at, Happening::Feed(n));
        }
        self.world.entity_mut(item).insert(leg);
        self.after(TO_SCANNER, Happening::Scan(item));
    }

    fn line_of(&self, item: Entity) -> Option<usize> {
        self.world.get::<Leg>(item).map(|leg| leg.line)
    }

    pub(super) fn scan(&mut self, item: Entity) {
        let Some(n) = self.line_of(item) else { return };
        let belt = &self.belts[n];
        if let (Some(scanner), Some(truth), Some(wears)) =
            (&belt.devices.scanner, self.world.get::<Truth>(item), self.world.get::<Wears>(item))
        {
            scanner.pass(wears.readable.then_some(wears.code.as_str()), truth.dims);
        }
        self.after(belt.scan_to_weight, Happening::Weigh(item));
        self.after(belt.scan_to_ask, Happening::Ask(item));
    }

    pub(super) fn weigh(&mut self, item: Entity) {
        let Some(n) = self.line_of(item) else { return };
        if let (Some(scale), Some(truth)) = (&self.belts[n].devices.scale, self.world.get::<Truth>(item)) {
            scale.load(truth.weight_g);
        }
        self.after(ON_SCALE, Happening::Unload(n));
    }

    pub(super) fn unload(&mut self, n: usize) {
        if let Some(scale) = &self.belts[n].devices.scale {
            scale.unload();
        }
    }

    pub(super) fn ask(&mut self, item: Entity) {
        let now = self.clock.now();
        let Some(mut leg) = self.world.get_mut::<Leg>(item) else { return };
        leg.asked_at = now;
        let (n, pic) = (leg.line, leg.pic);
        let belt = &mut self.belts[n];
        belt.asked.push_back((pic, item));
        if let Some(sorter) = &belt.devices.sorter {
            sorter.ask(pic);
        }
        self.after(Span::from_ms(i64::from(self.settings.answer_within_ms)), Happening::Divert(item));
    }

    pub(super) fn answered(&mut self, n: usize, pic: u32, chute: u16) {
        let now = self.clock.now();
        let Some((_, item)) = self.belts[n].asked.iter().find(|(p, _)| *p == pic) else { return };
        let Some(mut leg) = self.world.get_mut::<Leg>(*item) else { return };
        if leg.answer.is_none() {
            leg.answer = Some(chute);
            let waited = (now - leg.asked_at).0.max(0) as u32;
            self.tally.divert_us.push(waited);
        }
    }

    /// The point of no return: with an answer it goes where it should, without one to the reject chute.
    pub(super) fn divert(&mut self, item: Entity) {
        let Some(leg) = self.world.get::<Leg>(item) else { return };
        let (n, answer) = (leg.line, leg.answer);
        let belt = &mut self.belts[n];
        belt.asked.retain(|(_, i)| *i != item);
        if answer.is_none() {
            self.tally.no_decision += 1;
        }
        let chute = answer.unwrap_or(belt.reject);
        self.after(CHUTE_APART * i64::from(chute), Happening::Drop(item, chute, answer.is_some()));
    }

    pub(super) fn drop_off(&mut self, item: Entity, chute: u16, decided: bool) {
        let Some(leg) = self.world.get::<Leg>(item) else { return };
        let (n, pic) = (leg.line, leg.pic);
        self.world.entity_mut(item).remove::<Leg>();
        let belt = &mut self.belts[n];
        belt.on_it -= 1;
        if let Some(sorter) = &belt.devices.sorter {
            sorter.diverted(pic, chute, decided);
        }
        if chute == belt.reject {
            let warehouse = belt.warehouse.clone();
            self.send_to_rework(&warehouse, item);
        } else {
            belt.bags.entry(chute).or_default().push(item);
        }
    }

    /// A tag came out of the line's printer: the bag under that chute is closed, tagged and taken to the dock.
    pub(super) fn tag(&mut self, n: usize, sheet: Sheet) {
        let Sheet::Tag { code, chute, .. } = sheet else { return };
        if !self.used.insert(code.clone()) {
            return;
        }
        let items = self.belts[n].bags.remove(&chute).unwrap_or_default();
        let (warehouse, line) = (self.belts[n].warehouse.clone(), self.belts[n].id.clone());
        if let Some(door) = self.doors.iter_mut().find(|d| d.warehouse == warehouse) {
            door.waiting.push(super::dock::TaggedBag { code, line, chute, items });
        }
    }
}
