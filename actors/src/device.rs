//! One device: keeps its session alive, mirrors whether it is there and well, and passes what it saw to its station.

use crate::config::DeviceConfig;
use crate::station::StationMsg;
use crate::{Host, House, Seat};
use drivers::devices::{Instruction, Observation, SessionSettings};
use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use twin::device::{Command, Device};
use twin::{Moment, Span};

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
    type Msg = DeviceMsg;
    type State = DeviceState;
    type Arguments = DeviceArguments;

    async fn pre_start(&self, myself: ActorRef<DeviceMsg>, args: DeviceArguments) -> Result<DeviceState, ActorProcessingErr> {
        let DeviceArguments { house, config, station, seat } = args;
        let host = Host::load(&house.twin, config.id.text().clone())?;
        let dial = house.dials.get(&config.id).ok_or_else(|| format!("device {}: nothing is wired to it", config.id))?.clone();
        let (instructions, inbox) = tokio::sync::mpsc::unbounded_channel();
        let (clock, actor) = (house.clock.clone(), myself.clone());
        // A fallen actor's session ends when its instruction channel closes; until then its news goes nowhere.
        let observe = Arc::new(move |what| drop(actor.cast(DeviceMsg::Saw(clock.steady(), what))));
        let keepalive_every = Span::from_secs(i64::from(house.config.limits.keepalive_s.max(1)));
        let settings = SessionSettings { keepalive_every, ..SessionSettings::default() };
        let session = drivers::devices::run(config.kind, dial, house.clock.clone(), settings, observe, inbox);
        let actor = myself.clone();
        tokio::spawn(async move {
            // A session that panics has said so on standard error; what matters here is that it is over.
            let _ = AssertUnwindSafe(session).catch_unwind().await;
            let _ = actor.cast(DeviceMsg::Ended);
        });
        seat.take(myself);
        Ok(DeviceState { house, config, station, host, instructions })
    }

    async fn handle(&self, _: ActorRef<DeviceMsg>, message: DeviceMsg, device: &mut DeviceState) -> Result<(), ActorProcessingErr> {
        match message {
            DeviceMsg::Do(instruction) => {
                device.instructions.send(instruction).map_err(|_| format!("the session of {} ended", device.config.id))?;
            }
            DeviceMsg::Ended => return Err(format!("the session of {} ended", device.config.id).into()),
            DeviceMsg::Saw(at, what) => {
                let command = match &what {
                    Observation::Up { identity } => Some(Command::Connect { kind: device.config.kind, identity: identity.clone() }),
                    Observation::Down { why } => Some(Command::Disconnect { why: why.clone() }),
                    Observation::Fault { what } => Some(Command::RaiseFault { what: what.clone() }),
                    Observation::FaultCleared => Some(Command::ClearFault),
                    Observation::Garbage { bytes } => {
                        tracing::debug!(device = %device.config.id, bytes, "skipped what cannot be read");
                        return Ok(());
                    }
                    _ => None,
                };
                if let Some(command) = command {
                    let mut work = device.house.work();
                    device.host.command(&mut work, command)?;
                    device.house.commit(work);
                }
                device.station.cast(StationMsg::Saw { device: device.config.kind, at, what });
            }
        }
        Ok(())
    }
}
