//! One device: keeps its session alive, mirrors whether it is there and well, and passes what it saw to its station.

use crate::config::DeviceConfig;
use crate::station::StationMsg;
use crate::{Host, House, Seat, Told, origin};
use drivers::devices::{Instruction, Observation, SessionSettings};
use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use twin::device::{Command, Device};
use twin::{By, Moment, Origin, Span};

pub enum DeviceMsg {
    /// With the clock's steady time.
    Saw(Moment, Observation),
    Do(Instruction),
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
    /// Dropping it ends the session.
    instructions: UnboundedSender<Instruction>,
}

impl Actor for DeviceActor {
    type Msg = Told<DeviceMsg>;
    type State = DeviceState;
    type Arguments = DeviceArguments;

    async fn pre_start(&self, myself: ActorRef<Told<DeviceMsg>>, args: DeviceArguments) -> Result<DeviceState, ActorProcessingErr> {
        let DeviceArguments { house, config, station, seat } = args;
        let host = Host::load(&house.twin, config.id.text().clone())?;
        let dial = house.dials.get(&config.id).ok_or_else(|| format!("device {}: nothing is wired to it", config.id))?.clone();
        let (instructions, inbox) = tokio::sync::mpsc::unbounded_channel();
        let (clock, actor, origin) = (house.clock.clone(), myself.clone(), Origin::by(By::Device(config.id.clone())));
        // A fallen actor's session ends when its instruction channel closes; until then its news goes nowhere.
        let observe =
            Arc::new(move |what| drop(actor.cast(Told { origin: origin.clone(), message: DeviceMsg::Saw(clock.steady(), what) })));
        let keepalive_every = Span::from_secs(i64::from(house.config.limits.keepalive_s.max(1)));
        let settings = SessionSettings { keepalive_every, ..SessionSettings::default() };
        let session = drivers::devices::run(config.kind, dial, house.clock.clone(), settings, observe, inbox);
        let actor = myself.clone();
        tokio::spawn(async move {
            // A session that panics has said so on standard error; what matters here is that it is over.
            let _ = AssertUnwindSafe(session).catch_unwind().await;
            let _ = actor.cast(DeviceMsg::Ended.into());
        });
        seat.take(myself);
        Ok(DeviceState { house, config, station, host, instructions })
    }

    async fn handle(
        &self,
        _: ActorRef<Told<DeviceMsg>>,
        told: Told<DeviceMsg>,
        device: &mut DeviceState,
    ) -> Result<(), ActorProcessingErr> {
        origin::within(told.origin, || device.take(told.message))
    }
}

impl DeviceState {
    fn take(&mut self, message: DeviceMsg) -> Result<(), ActorProcessingErr> {
        match message {
            DeviceMsg::Do(instruction) => {
                self.instructions.send(instruction).map_err(|_| format!("the session of {} ended", self.config.id))?;
            }
            DeviceMsg::Ended => return Err(format!("the session of {} ended", self.config.id).into()),
            DeviceMsg::Saw(at, what) => {
                let command = match &what {
                    Observation::Up { identity } => Some(Command::Connect { kind: self.config.kind, identity: identity.clone() }),
                    Observation::Down { why } => Some(Command::Disconnect { why: why.clone() }),
                    Observation::Fault { what } => Some(Command::RaiseFault { what: what.clone() }),
                    Observation::FaultCleared => Some(Command::ClearFault),
                    Observation::Garbage { bytes } => {
                        tracing::debug!(device = %self.config.id, bytes, "skipped what cannot be read");
                        return Ok(());
                    }
                    _ => None,
                };
                if let Some(command) = command {
                    let mut work = self.house.work();
                    self.host.command(&mut work, command)?;
                    self.house.commit(work);
                }
                self.station.cast(StationMsg::Saw { device: self.config.kind, at, what });
            }
        }
        Ok(())
    }
}
