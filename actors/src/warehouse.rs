//! A warehouse: supervises its stations, gives labelled parcels to its benches, and closes bags before each cut-off.

use crate::base::{BagDeed, StationMsg};
use crate::config::{StationConfig, WarehouseConfig};
use crate::order_desk::Reply;
use crate::parcels::{ParcelsMsg, Whose};
use crate::station::{StationActor, StationArguments};
use crate::supervision::{Children, Start};
use crate::taken_out::{Hand, no_work_for};
use crate::{Host, House, InForce, ParcelMsg, Seat, Told, origin};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use twin::bag::{self, Bag};
use twin::facet::Facet;
use twin::parcel::{self, Interception, Parcel};
use twin::station::StationKind;
use twin::warehouse::{Command, Warehouse};
use twin::{BagId, CarrierId, Moment, ParcelId, Span, StationId, TwinError};

/// A packed parcel that no line has read for so long is missing. Days off do not count.
pub const MISSING_AFTER: Span = Span::from_hours(48);
const LOOK_EVERY: Span = Span::from_hours(1);

#[derive(Debug)]
pub enum WarehouseMsg {
    Restart(usize),
    /// A parcel has its label: pick it, pack it.
    Ready(ParcelId),
    /// A parcel is packed: its place at the bench is free, and a line should see it soon.
    Packed(ParcelId),
    /// A line saw it, or nobody needs to look for it any more.
    Seen(ParcelId),
    /// A person says that a bag has left. Told, once it is durable, what came of it.
    HandOver(BagId, Reply),
    /// A person wants a parcel's label once more, at that station, or where it is worked on.
    Reprint {
        parcel: ParcelId,
        station: Option<StationId>,
    },
    /// What a person does with a bag that is here. Told, once it is durable, what came of it.
    Bag {
        bag: BagId,
        deed: BagDeed,
        why: SmolStr,
        reply: Reply,
    },
    /// What a person takes out or puts back at a station. Told, once it is durable, what came of it.
    ByHand(StationId, Hand, Reply),
    /// A station is to be given no work, and why, or again.
    StationOut {
        station: StationId,
        out: Option<SmolStr>,
    },
    /// Time to look for what was packed and never seen.
    LookForMissing,
    /// The carrier collects, at that time by the settings that were in force when the alarm was set.
    CutOff {
        carrier: CarrierId,
        at: Moment,
        settings: u32,
    },
    /// Other settings are in force.
    SettingsChanged,
}

pub struct WarehouseActor;

pub struct WarehouseArguments {
    pub house: Arc<House>,
    pub config: WarehouseConfig,
}

pub struct WarehouseState {
    house: Arc<House>,
    /// Its own seat, not the warehouse's: its alarms ring for nobody who comes after it.
    myself: Seat<WarehouseMsg>,
    /// As it was when it was started: its stations stay so; whatever else is asked of the settings in force.
    config: WarehouseConfig,
    host: Host<Warehouse>,
    children: Children,
    benches: Vec<Seat<StationMsg>>,
    lines: Vec<Seat<StationMsg>>,
    docks: Vec<Seat<StationMsg>>,
    /// All of them, in the order of the plan.
    stations: Vec<Seat<StationMsg>>,
    /// Those that are to be given no work.
    out: BTreeSet<StationId>,
    load: Vec<usize>,
    /// Parcels with a label and not packed.
    in_hand: BTreeMap<ParcelId, InHand>,
    /// Each with its own origin: whoever made room is not why it is printed.
    waiting: VecDeque<Told<ParcelId>>,
    /// Packed, and not read by a line yet.
    unseen: BTreeMap<ParcelId, Moment>,
    /// Bags that stand closed, since a look found them so.
    closed: BTreeMap<BagId, Moment>,
}

/// A parcel that is to be packed.
#[derive(Clone, Copy)]
struct InHand {
    /// The bench that has it; nothing while it waits for one.
    bench: Option<usize>,
    /// Since when, by the clock's steady time; nothing once a person was told that it takes too long.
    since: Option<Moment>,
}

impl Actor for WarehouseActor {
    type Msg = Told<WarehouseMsg>;
    type State = WarehouseState;
    type Arguments = WarehouseArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Told<WarehouseMsg>>,
        args: WarehouseArguments,
    ) -> Result<WarehouseState, ActorProcessingErr> {
        let WarehouseArguments { house, config } = args;
        if let Some(seat) = house.warehouses.get(&config.id) {
            seat.take(myself.clone());
        }
        let mut host = Host::<Warehouse>::load(&house.twin, config.id.text().clone())?;
        let mut work = house.work();
        host.command(
            &mut work,
            Command::Open { address: house.in_force().config.warehouse(&config.id).unwrap_or(&config).address.clone() },
        )?;
        house.commit(work);
        let (mut children, mut benches, mut lines, mut docks) = (Children::default(), Vec::new(), Vec::new(), Vec::new());
        let (mut stations, mut out) = (Vec::new(), BTreeSet::new());
        for station in &config.stations {
            let seat = Seat::default();
            stations.push(seat.clone());
            if no_work_for(&house.twin, station)?.is_some() {
                out.insert(station.id.clone());
            }
            match station.kind {
                StationKind::Bench => benches.push(seat.clone()),
                StationKind::Line => lines.push(seat.clone()),
                StationKind::Dock => docks.push(seat.clone()),
                StationKind::Rework => {}
            }
            let (house, warehouse, station) = (house.clone(), config.id.clone(), station.clone());
            let name = station.id.to_string();
            let start: Start = Arc::new(move |supervisor| {
                let arguments =
                    StationArguments { house: house.clone(), warehouse: warehouse.clone(), config: station.clone(), seat: seat.clone() };
                Box::pin(async move { Ok(StationActor::spawn_linked(None, StationActor, arguments, supervisor).await?.0.get_cell()) })
            });
            children.start(myself.get_cell(), name, start).await?;
        }
        let state = WarehouseState {
            load: vec![0; benches.len()],
            house,
            myself: Seat::of(myself),
            config,
            host,
            children,
            benches,
            lines,
            docks,
            stations,
            out,
            in_hand: BTreeMap::new(),
            waiting: VecDeque::new(),
            unseen: BTreeMap::new(),
            closed: BTreeMap::new(),
        };
        state.set_alarms();
        state.look_later();
        Ok(state)
    }

    async fn post_start(&self, _: ActorRef<Told<WarehouseMsg>>, state: &mut WarehouseState) -> Result<(), ActorProcessingErr> {
        // What the one before had in hand. At the start of the house nobody hears this, and all is taken up anyway.
        state.house.parcels.cast(ParcelsMsg::TakeUp(Whose::Warehouse(state.config.id.clone())));
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Told<WarehouseMsg>>,
        told: Told<WarehouseMsg>,
        state: &mut WarehouseState,
    ) -> Result<(), ActorProcessingErr> {
        match told.message {
            WarehouseMsg::Restart(child) => {
                let restart = state.children.restart(child, &state.house, &myself, WarehouseMsg::Restart);
                if origin::during(told.cause.clone(), restart).await? {
                    origin::within(told.cause, || state.take_up(child))?;
                }
                Ok(())
            }
            message => origin::within(told.cause, || state.take(message)),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Told<WarehouseMsg>>,
        event: SupervisionEvent,
        state: &mut WarehouseState,
    ) -> Result<(), ActorProcessingErr> {
        state.children.on_event(event, &state.house, &myself, WarehouseMsg::Restart)
    }
}

impl WarehouseState {
    fn take(&mut self, message: WarehouseMsg) -> Result<(), ActorProcessingErr> {
        match message {
            // That waits for its child, and is done before.
            WarehouseMsg::Restart(_) => {}
            WarehouseMsg::Ready(parcel) => {
                if self.in_hand.contains_key(&parcel) {
                    return Ok(());
                }
                self.in_hand.insert(parcel.clone(), InHand { bench: None, since: Some(self.house.clock.steady()) });
                self.waiting.push_back(parcel.into());
                self.dispatch();
            }
            WarehouseMsg::Packed(parcel) => {
                self.leave_bench(&parcel);
                self.unseen.insert(parcel, self.house.clock.steady());
            }
            WarehouseMsg::Seen(parcel) => {
                self.leave_bench(&parcel);
                self.unseen.remove(&parcel);
            }
            WarehouseMsg::ByHand(station, hand, reply) => match self.config.stations.iter().position(|s| s.id == station) {
                Some(at) => self.stations[at].cast(StationMsg::ByHand(hand, reply)),
                None => reply.tell(Err(format!("station {station} is not running yet: it waits for the next start"))),
            },
            WarehouseMsg::Reprint { parcel, station } => self.reprint(parcel, station)?,
            WarehouseMsg::Bag { bag, deed, why, reply } => self.bag_by_hand(bag, deed, why, reply)?,
            WarehouseMsg::StationOut { station, out } => self.station_out(station, out.is_some()),
            WarehouseMsg::HandOver(bag, reply) => match self.dock() {
                Some(dock) => dock.cast(StationMsg::HandOver(bag, reply)),
                None => reply.tell(Err(format!("warehouse {} has no dock", self.config.id))),
            },
            WarehouseMsg::LookForMissing => {
                self.look_for_missing()?;
                self.look_later();
            }
            WarehouseMsg::CutOff { carrier, at, settings } => {
                let in_force = self.house.in_force();
                let alarm_stands = settings == in_force.version;
                // What took its place may have been set too late for a cut-off that is in both.
                let pickups = in_force.pickups(&carrier, &self.config.id);
                if alarm_stands || pickups.is_some_and(|pickups| pickups.next_cutoff(at - Span(1)) == Some(at)) {
                    for line in &self.lines {
                        line.cast(StationMsg::CloseBags(carrier.clone()));
                    }
                }
                if alarm_stands {
                    self.set_alarm(&in_force, &carrier);
                }
            }
            WarehouseMsg::SettingsChanged => {
                self.take_address()?;
                self.set_alarms();
                self.lines.iter().for_each(|line| line.cast(StationMsg::SettingsChanged));
                self.dispatch();
            }
        }
        Ok(())
    }

    fn leave_bench(&mut self, parcel: &ParcelId) {
        if let Some(InHand { bench: Some(bench), .. }) = self.in_hand.remove(parcel) {
            self.load[bench] -= 1;
            self.dispatch();
        }
    }

    /// A label once more: where a person wants it, or else where the parcel is worked on.
    fn reprint(&mut self, parcel: ParcelId, station: Option<StationId>) -> Result<(), TwinError> {
        let stopped = self.house.twin.load::<Parcel>(parcel.text())?.is_some_and(|(_, p)| p.stage == parcel::Stage::Intercepted);
        let in_hand = self.in_hand.get(&parcel).and_then(|at| at.bench).and_then(|bench| self.of_kind(StationKind::Bench).nth(bench));
        let first = |kind| self.of_kind(kind).find(|station| !self.out.contains(&station.id));
        let rework = || first(StationKind::Rework).filter(|_| stopped);
        let there = in_hand.or_else(rework).or_else(|| first(StationKind::Bench)).or_else(|| first(StationKind::Rework));
        let wanted = station.or_else(|| there.map(|station| station.id.clone()));
        match self.config.stations.iter().position(|known| Some(&known.id) == wanted.as_ref()) {
            Some(at) => self.stations[at].cast(StationMsg::Reprint(parcel)),
            None => {
                let what = format_smolstr!("its label cannot be printed again: there is no such station in {}", self.config.id);
                self.house.tell(parcel, ParcelMsg::Alarm(what));
            }
        }
        Ok(())
    }

    /// Whoever has the bag does it.
    fn bag_by_hand(&mut self, bag: BagId, deed: BagDeed, why: SmolStr, reply: Reply) -> Result<(), TwinError> {
        let state = self.house.twin.load::<Bag>(bag.text())?.map(|(_, bag)| bag).unwrap_or_default();
        let stage = state.stage.as_str();
        let message = |reply| StationMsg::Bag { bag, deed, why, reply };
        let line = self.config.stations.iter().position(|station| station.id == state.station).map(|at| &self.stations[at]);
        match (state.stage, line, self.dock()) {
            (bag::Stage::Open, Some(line), _) => line.cast(message(reply)),
            (bag::Stage::Closed, _, Some(dock)) => dock.cast(message(reply)),
            _ => reply.tell(Err(format!("the bag is {stage}, and what is done with it wants it open or closed, and here"))),
        }
        Ok(())
    }

    /// The first dock that is in use; where there is none, the first, which says why.
    fn dock(&self) -> Option<&Seat<StationMsg>> {
        let docks = || self.of_kind(StationKind::Dock).zip(&self.docks);
        docks().find(|(dock, _)| !self.out.contains(&dock.id)).or_else(|| docks().next()).map(|(_, seat)| seat)
    }

    fn of_kind(&self, kind: StationKind) -> impl Iterator<Item = &StationConfig> {
        self.config.stations.iter().filter(move |station| station.kind == kind)
    }

    /// Nothing is given to a bench that is out, and what it had and has not packed is printed at another.
    fn station_out(&mut self, station: StationId, is_out: bool) {
        if !is_out {
            self.out.remove(&station);
            return self.dispatch();
        }
        let bench = self.of_kind(StationKind::Bench).position(|bench| bench.id == station);
        self.out.insert(station);
        let Some(bench) = bench else { return };
        let given_up: Vec<_> = self.in_hand.iter().filter(|(_, at)| at.bench == Some(bench)).map(|(id, _)| id.clone()).collect();
        self.load[bench] = 0;
        for parcel in given_up.into_iter().rev() {
            self.in_hand.insert(parcel.clone(), InHand { bench: None, since: Some(self.house.clock.steady()) });
            // It has waited longer than those that no bench had.
            self.waiting.push_front(parcel.into());
        }
        self.dispatch();
    }

    /// What a station that fell had in its hands.
    fn take_up(&mut self, child: usize) -> Result<(), TwinError> {
        let Some(station) = self.config.stations.get(child).cloned() else { return Ok(()) };
        let is_out = no_work_for(&self.house.twin, &station)?.is_some();
        if is_out != self.out.contains(&station.id) {
            self.station_out(station.id.clone(), is_out);
        }
        match station.kind {
            StationKind::Bench => {
                let before = &self.config.stations[..child];
                let bench = before.iter().filter(|s| s.kind == StationKind::Bench).count();
                for parcel in self.in_hand.iter().filter(|(_, at)| at.bench == Some(bench)).map(|(id, _)| id) {
                    if self.house.twin.load::<Parcel>(parcel.text())?.is_some_and(|(_, p)| p.printed_on.is_none()) {
                        self.benches[bench].cast(StationMsg::Print(parcel.clone()));
                    }
                }
            }
            StationKind::Line => self.house.parcels.cast(ParcelsMsg::TakeUp(Whose::Line(station.id.clone()))),
            StationKind::Dock | StationKind::Rework => {}
        }
        Ok(())
    }

    /// Its address, where the settings say another than the twin.
    fn take_address(&mut self) -> Result<(), ActorProcessingErr> {
        let in_force = self.house.in_force();
        let Some(config) = in_force.config.warehouse(&self.config.id) else { return Ok(()) };
        let mut work = self.house.work();
        self.host.command(&mut work, Command::Open { address: config.address.clone() })?;
        self.house.commit(work);
        Ok(())
    }

    /// A box that was packed and that no line has read since: it lies somewhere, or went out under another's label.
    fn look_for_missing(&mut self) -> Result<(), TwinError> {
        let in_force = self.house.in_force();
        let config = in_force.config.warehouse(&self.config.id).unwrap_or(&self.config);
        let works = config.days().has(config.time_zone.date(self.house.clock.date()));
        for parcel in missing(&mut self.unseen, self.house.clock.steady(), works) {
            let why = Interception::Manual { why: "packed, and no line has seen it for two days: look for it".into() };
            self.house.tell(parcel, ParcelMsg::Intercept(why));
        }
        for parcel in unpacked(&mut self.in_hand, self.house.clock.steady(), works) {
            let what = "its slip was printed two days ago and no bench has packed it: find it, or take it apart".into();
            self.house.tell(parcel, ParcelMsg::Alarm(what));
        }
        let mut closed = Vec::new();
        for line in self.config.stations.iter().filter(|s| s.kind == StationKind::Line) {
            for row in self.house.twin.listed::<Bag>(Facet::Closed, Some(line.id.text()), None) {
                closed.push(BagId::from(row?.0.id));
            }
        }
        let now = self.house.clock.steady();
        self.closed.retain(|bag, _| closed.contains(bag));
        closed.into_iter().for_each(|bag| {
            self.closed.entry(bag).or_insert(now);
        });
        // It is looked for from now on again: whoever holds it says it once.
        for bag in missing(&mut self.closed, now, works) {
            if let Some(dock) = self.docks.first() {
                dock.cast(StationMsg::Missed(bag));
            }
        }
        Ok(())
    }

    /// Gives waiting parcels to the least loaded bench that has room.
    fn dispatch(&mut self) {
        let limit = self.house.in_force().config.limits.bench_parcels_max;
        let out: Vec<bool> = self.of_kind(StationKind::Bench).map(|bench| self.out.contains(&bench.id)).collect();
        while !self.waiting.is_empty() {
            let open = self.load.iter().enumerate().filter(|(n, _)| !out[*n]);
            let least = open.min_by_key(|(n, load)| (**load, *n));
            let Some(bench) = least.filter(|(_, load)| **load < limit).map(|(n, _)| n) else { return };
            let Some(Told { cause, message: parcel }) = self.waiting.pop_front() else { return };
            // One that was cancelled while it waited is in hand no more.
            match self.in_hand.get_mut(&parcel) {
                Some(at @ InHand { bench: None, .. }) => *at = InHand { bench: Some(bench), since: Some(self.house.clock.steady()) },
                _ => continue,
            }
            self.load[bench] += 1;
            origin::within(cause, || self.benches[bench].cast(StationMsg::Print(parcel)));
        }
    }
}

impl WarehouseState {
    fn look_later(&self) {
        let myself = self.myself.clone();
        self.house.clock.after(LOOK_EVERY, move || myself.cast(WarehouseMsg::LookForMissing));
    }

    /// Alarms by the settings in force; those that were set by others ring for nobody.
    fn set_alarms(&self) {
        let in_force = self.house.in_force();
        in_force.config.carriers.iter().for_each(|carrier| self.set_alarm(&in_force, carrier.id()));
    }

    /// Rings at the carrier's next cut-off here; there is none where it comes when it is called.
    fn set_alarm(&self, in_force: &InForce, carrier: &CarrierId) {
        let Some(pickups) = in_force.pickups(carrier, &self.config.id).cloned() else { return };
        let Some(at) = pickups.next_cutoff(self.house.clock.date()) else { return };
        let message = WarehouseMsg::CutOff { carrier: carrier.clone(), at, settings: in_force.version };
        let myself = self.myself.clone();
        self.house.clock.at_next(move |date| pickups.next_cutoff(date), move || myself.cast(message));
    }
}

/// Takes out what nobody has seen for too long. While nobody works, each waits an hour more with every look.
fn missing<Id: Ord + Clone>(unseen: &mut BTreeMap<Id, Moment>, now: Moment, works: bool) -> Vec<Id> {
    if !works {
        unseen.values_mut().for_each(|since| *since += LOOK_EVERY);
    }
    unseen.extract_if(.., |_, since| now - *since > MISSING_AFTER).map(|(id, _)| id).collect()
}

/// What a bench has had for too long, each told once. While nobody works, each waits an hour more with every look.
fn unpacked(in_hand: &mut BTreeMap<ParcelId, InHand>, now: Moment, works: bool) -> Vec<ParcelId> {
    let mut late = Vec::new();
    for (id, at) in in_hand.iter_mut().filter(|(_, at)| at.bench.is_some()) {
        match at.since {
            Some(since) if !works => at.since = Some(since + LOOK_EVERY),
            Some(since) if now - since > MISSING_AFTER => {
                at.since = None;
                late.push(id.clone());
            }
            _ => {}
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Caller;
    use crate::testing::Overheard;

    /// The bundled warehouse in Shenzhen with two benches, a line and a dock, whose stations are heard.
    fn warehouse() -> (Overheard, WarehouseState) {
        let overheard = Overheard::new(BTreeMap::new());
        let house = overheard.house.clone();
        let seat = |name: &str| {
            let seat = Seat::default();
            overheard.ear(name, &seat);
            seat
        };
        let state = WarehouseState {
            myself: Seat::default(),
            config: house.in_force().config.warehouse(&"SZX".into()).unwrap().clone(),
            host: Host::load(&house.twin, "SZX").unwrap(),
            house,
            children: Children::default(),
            benches: vec![seat("bench 1"), seat("bench 2")],
            lines: vec![seat("line")],
            docks: vec![seat("dock")],
            stations: vec![seat("station")],
            out: BTreeSet::new(),
            load: vec![0; 2],
            in_hand: BTreeMap::new(),
            waiting: VecDeque::new(),
            unseen: BTreeMap::new(),
            closed: BTreeMap::new(),
        };
        (overheard, state)
    }

    #[test]
    fn parcels_go_to_the_bench_with_least_to_do_and_wait_where_all_are_full() {
        let (overheard, mut warehouse) = warehouse();
        let limit = warehouse.house.in_force().config.limits.bench_parcels_max;
        for n in 0..2 * limit + 1 {
            warehouse.take(WarehouseMsg::Ready(ParcelId::new(format!("O-{n}")))).unwrap();
        }
        let heard = overheard.heard();
        assert_eq!(heard.len(), 2 * limit);
        assert!(heard[0].starts_with("bench 1 hears Print(") && heard[1].starts_with("bench 2 hears Print("), "{heard:#?}");
        warehouse.take(WarehouseMsg::Ready("O-0".into())).unwrap();
        overheard.expect(&[]);
        // The second bench has room, and the one that waited goes there.
        warehouse.take(WarehouseMsg::Packed("O-1".into())).unwrap();
        overheard.expect(&["bench 2 hears Print("]);
    }

    #[test]
    fn a_bench_that_is_out_gets_nothing_and_what_it_had_is_printed_at_another() {
        let (overheard, mut warehouse) = warehouse();
        let stands = |station: &str, out: Option<&str>| WarehouseMsg::StationOut { station: station.into(), out: out.map(SmolStr::from) };
        for n in 0..4 {
            warehouse.take(WarehouseMsg::Ready(ParcelId::new(format!("O-{n}")))).unwrap();
        }
        warehouse.take(WarehouseMsg::Packed("O-0".into())).unwrap();
        overheard.heard();
        warehouse.take(stands("SZX/bench-1", Some("cleaning"))).unwrap();
        overheard.expect(&["bench 2 hears Print(ParcelId(\"O-2\")"]);
        assert_eq!(warehouse.load, [0, 3]);
        warehouse.take(WarehouseMsg::Ready("O-9".into())).unwrap();
        overheard.expect(&["bench 2 hears Print(ParcelId(\"O-9\")"]);
        warehouse.take(stands("SZX/bench-1", Some("cleaning"))).unwrap();
        overheard.expect(&[]);
        // Both: what there is waits until one is back.
        warehouse.take(stands("SZX/bench-2", Some("cleaning"))).unwrap();
        overheard.expect(&[]);
        assert_eq!((&warehouse.load[..], warehouse.waiting.len()), (&[0, 0][..], 4));
        warehouse.take(stands("SZX/bench-1", None)).unwrap();
        overheard.expect(&[
            "bench 1 hears Print(ParcelId(\"O-1\")",
            "bench 1 hears Print(ParcelId(\"O-2\")",
            "bench 1 hears Print(ParcelId(\"O-3\")",
            "bench 1 hears Print(ParcelId(\"O-9\")",
        ]);
        warehouse.take(WarehouseMsg::Packed("O-3".into())).unwrap();
        assert_eq!(warehouse.load, [3, 0]);
    }

    #[test]
    fn a_bag_that_has_left_is_told_to_a_dock_that_is_in_use_or_to_one_that_says_why_not() {
        let (overheard, mut warehouse) = warehouse();
        warehouse.take(WarehouseMsg::StationOut { station: "SZX/dock-1".into(), out: Some("r".into()) }).unwrap();
        warehouse.take(WarehouseMsg::HandOver("B".into(), Caller::nobody())).unwrap();
        overheard.expect(&["dock hears HandOver("]);
        let mut second = warehouse.config.stations.iter().find(|s| s.kind == StationKind::Dock).unwrap().clone();
        second.id = "SZX/dock-2".into();
        warehouse.config.stations.push(second);
        let seat = Seat::default();
        overheard.ear("dock 2", &seat);
        warehouse.docks.push(seat);
        warehouse.take(WarehouseMsg::HandOver("B".into(), Caller::nobody())).unwrap();
        overheard.expect(&["dock 2 hears HandOver("]);
    }

    #[test]
    fn at_a_cut_off_lines_close_that_carriers_bags_unless_the_alarm_is_of_old() {
        let (overheard, mut warehouse) = warehouse();
        let at = |settings| WarehouseMsg::CutOff { carrier: "direct".into(), at: Moment(0), settings };
        warehouse.take(at(1)).unwrap();
        overheard.expect(&["line hears CloseBags(CarrierId(\"direct\")"]);
        warehouse.take(at(0)).unwrap();
        overheard.expect(&[]);
    }

    #[test]
    fn a_box_that_no_line_has_seen_is_looked_for() {
        let (overheard, mut warehouse) = warehouse();
        warehouse.take(WarehouseMsg::Packed("O-1".into())).unwrap();
        warehouse.take(WarehouseMsg::Packed("O-2".into())).unwrap();
        warehouse.take(WarehouseMsg::Seen("O-2".into())).unwrap();
        let long_ago = warehouse.house.clock.steady() - MISSING_AFTER - Span(1);
        warehouse.unseen.values_mut().for_each(|since| *since = long_ago);
        warehouse.take(WarehouseMsg::LookForMissing).unwrap();
        overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Intercept(Manual"]);
    }

    #[test]
    fn a_box_that_waits_over_a_weekend_is_not_missing() {
        let packed = Moment(0);
        let found_after = |days_off: std::ops::Range<i64>| {
            let mut unseen = BTreeMap::from([(ParcelId::new("A-1"), packed)]);
            (1..200).find(|hour| !missing(&mut unseen, packed + LOOK_EVERY * *hour, !days_off.contains(&(hour / 24))).is_empty())
        };
        assert_eq!(found_after(0..0), Some(49));
        assert_eq!(found_after(1..3), Some(49 + 48), "two days off behind the first");
    }

    #[test]
    fn a_slip_that_nobody_packs_is_told_of_once_and_one_that_waits_for_a_bench_is_not() {
        let at = |bench| InHand { bench, since: Some(Moment(0)) };
        let mut in_hand = BTreeMap::from([("A-1".into(), at(Some(0))), ("B-1".into(), at(None))]);
        let mut found_at = |hour: i64| unpacked(&mut in_hand, Moment(0) + LOOK_EVERY * hour, true);
        assert!(found_at(48).is_empty());
        assert_eq!(found_at(49), ["A-1".into()]);
        assert!(found_at(50).is_empty());
    }
}
