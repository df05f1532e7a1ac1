//! One device: keeps its session alive, mirrors whether it is there and well, and passes what it saw to its station.

use crate::base::StationMsg;
use crate::config::DeviceConfig;
use crate::fault::{Faults, counted};
use crate::origin::Cause;
use crate::{Host, House, Seat, Told, origin};
use drivers::devices::{Instruction, Observation, SessionSettings};
use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use twin::device::{Command, DEGRADED, Device};
use twin::{By, Moment, Origin, Span};

#[derive(Debug)]
pub enum DeviceMsg {
    /// With the clock's steady time.
    Saw(Moment, Observation),
    Do(Instruction),
    /// The time that its faults asked for has come.
    LookAtFaults,
    /// Its session is over, which it never should be while we live.
    Ended,
}

pub struct DeviceActor;

pub struct DeviceArguments {
    pub house: Arc<House>,
    pub config: DeviceConfig,
    pub station: Seat<StationMsg>,
    pub seat: Seat<DeviceMsg>,
}

pub struct DeviceState {
    house: Arc<House>,
    config: DeviceConfig,
    station: Seat<StationMsg>,
    host: Host<Device>,
    faults: Faults,
    /// When it will be told to look at them.
    look_at: Option<Moment>,
    /// Dropping it ends the session.
    instructions: UnboundedSender<Instruction>,
}

impl Actor for DeviceActor {
    type Msg = Told<DeviceMsg>;
    type State = DeviceState;
    type Arguments = DeviceArguments;

    async fn pre_start(&self, myself: ActorRef<Told<DeviceMsg>>, args: DeviceArguments) -> Result<DeviceState, ActorProcessingErr> {
        let DeviceArguments { house, config, station, seat } = args;
        let host = Host::<Device>::load(&house.twin, config.id.text().clone())?;
        let dial = house.dials.get(&config.id).ok_or_else(|| format!("device {}: nothing is wired to it", config.id))?.clone();
        let (instructions, inbox) = tokio::sync::mpsc::unbounded_channel();
        let (clock, mine, cause) = (house.clock.clone(), Seat::of(myself.clone()), Cause::from(Origin::by(By::Device(config.id.clone()))));
        // A fallen actor's session ends when its instruction channel closes; until then its news goes nowhere.
        let (to, device) = (station.clone(), config.kind);
        let observe = Arc::new(move |what| {
            let (at, cause) = (clock.steady(), cause.clone());
            match what {
                // Nobody goes by it.
                Observation::Weight { stable: false, .. } => {}
                // Of the goods, not of the device: that is the station's alone.
                Observation::Scanned { .. }
                | Observation::Weight { .. }
                | Observation::DivertAsked { .. }
                | Observation::Diverted { .. }
                | Observation::Printed { .. } => to.send(Told { cause, message: StationMsg::Saw { device, at, what } }),
                _ => mine.send(Told { cause, message: DeviceMsg::Saw(at, what) }),
            }
        });
        let keepalive_every = Span::from_secs(i64::from(house.in_force().config.limits.keepalive_s.max(1)));
        let settings = SessionSettings { keepalive_every, names: config.names.clone(), ..SessionSettings::default() };
        let session = drivers::devices::run(config.kind, dial, house.clock.clone(), settings, observe, inbox);
        let actor = myself.clone();
        tokio::spawn(async move {
            // A session that panics has said so on standard error; what matters here is that it is over.
            let _ = AssertUnwindSafe(session).catch_unwind().await;
            let _ = actor.cast(DeviceMsg::Ended.into());
        });
        seat.take(myself);
        let faults = Faults::taken_up(host.state.fault.clone());
        Ok(DeviceState { house, config, station, host, faults, look_at: None, instructions })
    }

    async fn handle(
        &self,
        myself: ActorRef<Told<DeviceMsg>>,
        told: Told<DeviceMsg>,
        device: &mut DeviceState,
    ) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || device.take(&myself, told.message))
    }
}

impl DeviceState {
    fn take(&mut self, myself: &ActorRef<Told<DeviceMsg>>, message: DeviceMsg) -> Result<(), ActorProcessingErr> {
        match message {
            DeviceMsg::Do(instruction) => {
                self.instructions.send(instruction).map_err(|_| format!("the session of {} ended", self.config.id))?;
            }
            DeviceMsg::Ended => return Err(format!("the session of {} ended", self.config.id).into()),
            DeviceMsg::LookAtFaults => {
                self.look_at = None;
                let commands = self.faults.due(self.house.clock.steady());
                self.write(commands)?;
                self.look_later(myself);
            }
            DeviceMsg::Saw(at, what) => {
                let commands = match &what {
                    Observation::Up { identity } => {
                        let mut commands = vec![Command::Connect { kind: self.config.kind, identity: identity.clone() }];
                        // What it said was wrong in an earlier life it says again, if it still is.
                        commands.extend(self.faults.up(at));
                        commands
                    }
                    Observation::Down { why } => vec![Command::Disconnect { why: why.clone() }],
                    Observation::Fault { what } => self.faults.said(at, Some(what.clone())),
                    Observation::FaultCleared => self.faults.said(at, None),
                    Observation::Garbage { bytes } => {
                        metrics::counter!("parceltwin_device_garbage_bytes_total", "device" => self.config.id.to_string())
                            .increment(*bytes as u64);
                        tracing::debug!(device = %self.config.id, bytes, "skipped what cannot be read");
                        self.faults.garbage(at, *bytes)
                    }
                    _ => vec![],
                };
                self.write(commands)?;
                self.look_later(myself);
                if !matches!(what, Observation::Garbage { .. }) {
                    self.station.cast(StationMsg::Saw { device: self.config.kind, at, what });
                }
            }
        }
        Ok(())
    }
}

impl DeviceState {
    fn write(&mut self, commands: Vec<Command>) -> Result<(), ActorProcessingErr> {
        if commands.is_empty() {
            return Ok(());
        }
        let mut work = self.house.work();
        for command in commands {
            if matches!(&command, Command::RaiseFault { what } if what == DEGRADED) {
                tracing::warn!(device = %self.config.id, "{DEGRADED}");
            }
            let command = counted(command, &self.host.state);
            self.host.command(&mut work, command)?;
        }
        self.house.commit(work);
        Ok(())
    }

    /// Sets one timer at most, for the earliest moment at which there is something to look at.
    fn look_later(&mut self, myself: &ActorRef<Told<DeviceMsg>>) {
        let Some(next) = self.faults.next() else { return };
        if self.look_at.is_none() {
            self.look_at = Some(next);
            let (myself, clock) = (myself.clone(), &self.house.clock);
            let told = Told { cause: Origin::by(By::Device(self.config.id.clone())).into(), message: DeviceMsg::LookAtFaults };
            // If the actor is gone by then, whoever follows it looks for himself.
            clock.after(next - clock.steady(), move || drop(myself.cast(told)));
        }
    }
}
