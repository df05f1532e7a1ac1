//! A station: supervises its devices and runs one of four kinds of work. The shell is the same for all; what differs is
//! in [`crate::bench`], [`crate::line`], [`crate::dock`] and [`crate::rework`].

use crate::bench::Bench;
use crate::config::StationConfig;
use crate::device::{DeviceActor, DeviceArguments, DeviceMsg};
use crate::dock::Dock;
use crate::line::{Facts, Line};
use crate::rework::Rework;
use crate::supervision::{Children, Start};
use crate::{Host, House, Seat, Told, origin};
use drivers::devices::{Instruction, Observation};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::device::DeviceKind;
use twin::station::{Command, Station, StationKind};
use twin::{CarrierId, ManifestId, Moment, ParcelId, WarehouseId};

pub enum StationMsg {
    /// A device of this station saw something, at that steady time of the clock.
    Saw { device: DeviceKind, at: Moment, what: Observation },
    /// Restart a device that fell.
    Restart(usize),
    /// Bench: print slip and label.
    Print(ParcelId),
    /// Line: what the parcel with that label says of itself, or why it may not be here.
    Inducted { item: u64, facts: Result<Box<Facts>, SmolStr> },
    /// Line: this carrier collects soon; close its bags.
    CloseBags(CarrierId),
    /// Line: other settings are in force.
    SettingsChanged,
    /// Dock: nothing more goes on this manifest.
    CloseManifest(ManifestId),
}

pub struct StationActor;

pub struct StationArguments {
    pub house: Arc<House>,
    pub warehouse: WarehouseId,
    pub config: StationConfig,
    pub seat: Seat<StationMsg>,
}

/// What every kind of station has.
pub struct Base {
    pub house: Arc<House>,
    pub warehouse: WarehouseId,
    pub config: StationConfig,
    pub seat: Seat<StationMsg>,
    pub host: Host<Station>,
    devices: BTreeMap<DeviceKind, Seat<DeviceMsg>>,
}

impl Base {
    /// Tells one of the station's devices what to do.
    pub fn instruct(&self, device: DeviceKind, instruction: Instruction) {
        if let Some(seat) = self.devices.get(&device) {
            seat.cast(DeviceMsg::Do(instruction));
        }
    }

    /// Whether the device with that place in the plan is a printer.
    fn is_printer(&self, device: usize) -> bool {
        self.config.devices.get(device).is_some_and(|d| d.kind == DeviceKind::Printer)
    }

    pub fn device(&self, kind: DeviceKind) -> Seat<DeviceMsg> {
        self.devices.get(&kind).cloned().unwrap_or_default()
    }
}

pub struct StationState {
    base: Base,
    children: Children,
    work: Kind,
}

enum Kind {
    Bench(Bench),
    Line(Box<Line>),
    Dock(Dock),
    Rework(Rework),
}

impl Actor for StationActor {
    type Msg = Told<StationMsg>;
    type State = StationState;
    type Arguments = StationArguments;

    async fn pre_start(&self, myself: ActorRef<Told<StationMsg>>, args: StationArguments) -> Result<StationState, ActorProcessingErr> {
        let StationArguments { house, warehouse, config, seat } = args;
        seat.take(myself.clone());
        let mut host = Host::<Station>::load(&house.twin, config.id.text().clone())?;
        let mut work = house.work();
        host.command(&mut work, Command::Open { kind: config.kind })?;
        house.commit(work);
        let mut children = Children::default();
        let mut devices = BTreeMap::new();
        for device in &config.devices {
            let device_seat = Seat::default();
            devices.insert(device.kind, device_seat.clone());
            let (house, station, device) = (house.clone(), seat.clone(), device.clone());
            let name = device.id.to_string();
            let start: Start = Arc::new(move |supervisor| {
                let arguments =
                    DeviceArguments { house: house.clone(), config: device.clone(), station: station.clone(), seat: device_seat.clone() };
                Box::pin(async move { Ok(DeviceActor::spawn_linked(None, DeviceActor, arguments, supervisor).await?.0.get_cell()) })
            });
            children.start(myself.get_cell(), name, start).await?;
        }
        let base = Base { house, warehouse, config, seat, host, devices };
        let work = match base.config.kind {
            StationKind::Bench => Kind::Bench(Bench::default()),
            StationKind::Line => Kind::Line(Box::new(Line::open(&base)?)),
            StationKind::Dock => Kind::Dock(Dock::open(&base)?),
            StationKind::Rework => Kind::Rework(Rework::default()),
        };
        Ok(StationState { base, children, work })
    }

    async fn handle(
        &self,
        myself: ActorRef<Told<StationMsg>>,
        told: Told<StationMsg>,
        state: &mut StationState,
    ) -> Result<(), ActorProcessingErr> {
        origin::during(told.cause, state.take(myself, told.message)).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Told<StationMsg>>,
        event: SupervisionEvent,
        state: &mut StationState,
    ) -> Result<(), ActorProcessingErr> {
        state.children.on_event(event, &state.base.house, &myself, StationMsg::Restart)
    }
}

impl StationState {
    async fn take(&mut self, myself: ActorRef<Told<StationMsg>>, message: StationMsg) -> Result<(), ActorProcessingErr> {
        let StationState { base, children, work } = self;
        if let Kind::Line(line) = work {
            line.take_plan(base)?;
        }
        match (message, work) {
            (StationMsg::Restart(child), work) => {
                let up = children.restart(child, &base.house, &myself, StationMsg::Restart).await?;
                // What a printer had not printed fell with it.
                match work {
                    Kind::Bench(bench) if up && base.is_printer(child) => bench.print_again(base)?,
                    Kind::Line(line) if up && base.is_printer(child) => line.print_tags(base)?,
                    _ => {}
                }
            }
            (StationMsg::Saw { what, .. }, Kind::Bench(bench)) => bench.saw(base, what)?,
            (StationMsg::Saw { at, what, .. }, Kind::Line(line)) => line.saw(base, at, what)?,
            (StationMsg::Saw { what, .. }, Kind::Dock(dock)) => dock.saw(base, what)?,
            (StationMsg::Saw { what, .. }, Kind::Rework(rework)) => rework.saw(base, what)?,
            (StationMsg::Print(parcel), Kind::Bench(bench)) => bench.print(base, parcel)?,
            (StationMsg::Inducted { item, facts }, Kind::Line(line)) => line.inducted(base, item, facts)?,
            (StationMsg::CloseBags(carrier), Kind::Line(line)) => line.close_bags(base, &carrier)?,
            // It has them by now.
            (StationMsg::SettingsChanged, Kind::Line(_)) => {}
            (StationMsg::CloseManifest(manifest), Kind::Dock(dock)) => dock.close(base, &manifest)?,
            (
                StationMsg::Print(_)
                | StationMsg::Inducted { .. }
                | StationMsg::CloseBags(_)
                | StationMsg::SettingsChanged
                | StationMsg::CloseManifest(_),
                _,
            ) => {
                tracing::error!(station = %base.config.id, "was asked for work of another kind of station");
            }
        }
        Ok(())
    }
}
