//! One device: keeps its session alive, mirrors whether it is there and well, and passes what it saw to its station.

use crate::base::StationMsg;
use crate::config::DeviceConfig;
use crate::fault::{Faults, counted};
use crate::order_desk::Reply;
use crate::origin::Cause;
use crate::{Answer, Host, House, Outgoing, Seat, Told, origin};
use drivers::devices::{Instruction, Observation, SessionSettings};
use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::SmolStr;
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
    /// A person takes it out, or puts it back. Told once it is durable.
    TakeOut {
        why: SmolStr,
        reply: Reply,
    },
    PutBack {
        why: SmolStr,
        reply: Reply,
    },
    /// The time that its faults asked for has come.
    LookAtFaults,
    /// Its session with that number is over, which it never should be while we live and it is not out.
    Ended(u32),
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
    /// Its own seat, not the device's: what it tells itself ends with it.
    myself: Seat<DeviceMsg>,
    config: DeviceConfig,
    station: Seat<StationMsg>,
    host: Host<Device>,
    faults: Faults,
    /// When it will be told to look at them.
    look_at: Option<Moment>,
    begin: Begin,
    /// Sessions so far.
    sessions: u32,
    /// Dropping it ends the session. One that is out has none.
    instructions: Option<UnboundedSender<Instruction>>,
}

/// Begins the session with that number.
type Begin = Box<dyn Fn(u32) -> UnboundedSender<Instruction> + Send>;

impl Actor for DeviceActor {
    type Msg = Told<DeviceMsg>;
    type State = DeviceState;
    type Arguments = DeviceArguments;

    async fn pre_start(&self, myself: ActorRef<Told<DeviceMsg>>, args: DeviceArguments) -> Result<DeviceState, ActorProcessingErr> {
        let DeviceArguments { house, config, station, seat } = args;
        let host = Host::<Device>::load(&house.twin, config.id.text().clone())?;
        let dial = house.dials.get(&config.id).ok_or_else(|| format!("device {}: nothing is wired to it", config.id))?.clone();
        let (clock, cause) = (house.clock.clone(), Cause::from(Origin::by(By::Device(config.id.clone()))));
        let own = Seat::of(myself.clone());
        let mine = own.clone();
        // A fallen actor's session ends when its instruction channel closes; until then only what it sees of goods is heard.
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
        let (clock, mine) = (house.clock.clone(), own.clone());
        let begin = move |nth| {
            let (instructions, inbox) = tokio::sync::mpsc::unbounded_channel();
            let session = drivers::devices::run(device, dial.clone(), clock.clone(), settings.clone(), observe.clone(), inbox);
            let mine = mine.clone();
            tokio::spawn(async move {
                // A session that panics has said so on standard error; what matters here is that it is over.
                let _ = AssertUnwindSafe(session).catch_unwind().await;
                mine.cast(DeviceMsg::Ended(nth));
            });
            instructions
        };
        seat.take(myself);
        Ok(DeviceState::new(house, own, config, station, host, Box::new(begin)))
    }

    async fn handle(
        &self,
        _: ActorRef<Told<DeviceMsg>>,
        told: Told<DeviceMsg>,
        device: &mut DeviceState,
    ) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || device.take(told.message))
    }
}

impl DeviceState {
    fn new(
        house: Arc<House>,
        myself: Seat<DeviceMsg>,
        config: DeviceConfig,
        station: Seat<StationMsg>,
        host: Host<Device>,
        begin: Begin,
    ) -> Self {
        let faults = Faults::taken_up(host.state.fault.clone());
        let instructions = host.state.out.is_none().then(|| begin(0));
        DeviceState { house, myself, config, station, host, faults, look_at: None, begin, sessions: 0, instructions }
    }

    fn take(&mut self, message: DeviceMsg) -> Result<(), ActorProcessingErr> {
        match message {
            DeviceMsg::Do(instruction) => match &self.instructions {
                Some(session) => session.send(instruction).map_err(|_| format!("the session of {} ended", self.config.id))?,
                None => tracing::debug!(device = %self.config.id, "is out, and is asked for nothing"),
            },
            DeviceMsg::Ended(nth) if nth != self.sessions || self.instructions.is_none() => {}
            DeviceMsg::Ended(_) => return Err(format!("the session of {} ended", self.config.id).into()),
            DeviceMsg::TakeOut { why, reply } => {
                self.stand(Command::TakeOut { why }, reply)?;
                self.instructions = None;
            }
            DeviceMsg::PutBack { why, reply } => {
                self.stand(Command::PutBack { why }, reply)?;
                if self.instructions.is_none() {
                    // It says anew whether it is there, and what is wrong with it.
                    self.faults = Faults::taken_up(self.host.state.fault.clone());
                    self.sessions += 1;
                    self.instructions = Some((self.begin)(self.sessions));
                }
            }
            DeviceMsg::LookAtFaults if self.instructions.is_none() => self.look_at = None,
            DeviceMsg::LookAtFaults => {
                self.look_at = None;
                let commands = self.faults.due(self.house.clock.steady());
                self.write(commands)?;
                self.look_later();
            }
            // The last words of the session that ended.
            DeviceMsg::Saw(..) if self.instructions.is_none() => {}
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
                self.look_later();
                if !matches!(what, Observation::Garbage { .. }) {
                    self.station.cast(StationMsg::Saw { device: self.config.kind, at, what });
                }
            }
        }
        Ok(())
    }
}

impl DeviceState {
    /// Out or back, as a person says; its station hears it.
    fn stand(&mut self, command: Command, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        if self.host.command(&mut work, command)? > 0 {
            let told = StationMsg::DeviceOut { device: self.config.kind, out: self.host.state.out.clone() };
            work.say(Outgoing::Station(self.station.clone(), told));
        }
        work.say(Outgoing::Answer(Answer::Done(reply, Ok(()))));
        house.commit(work);
        Ok(())
    }

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
    fn look_later(&mut self) {
        let Some(next) = self.faults.next() else { return };
        if self.look_at.is_none() {
            self.look_at = Some(next);
            let (myself, clock) = (self.myself.clone(), &self.house.clock);
            let told = Told { cause: Origin::by(By::Device(self.config.id.clone())).into(), message: DeviceMsg::LookAtFaults };
            clock.after(next - clock.steady(), move || myself.send(told));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Overheard;
    use std::collections::BTreeMap;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use twin::device::DeviceKind;

    fn device() -> (Overheard, DeviceState, UnboundedReceiver<Instruction>) {
        let overheard = Overheard::new(BTreeMap::new());
        let house = overheard.house.clone();
        let config = house.in_force().config.devices().find(|(_, device)| device.kind == DeviceKind::Scale).unwrap().1.clone();
        let (instructions, inbox) = unbounded_channel();
        let station = Seat::default();
        overheard.ear("the station", &station);
        let host = Host::load(&house.twin, config.id.text().clone()).unwrap();
        (overheard, DeviceState::new(house, Seat::default(), config, station, host, Box::new(move |_| instructions.clone())), inbox)
    }

    #[test]
    fn what_it_is_and_what_is_wrong_with_it_is_written_once_and_its_station_hears_it() {
        let (overheard, mut device, _inbox) = device();
        let up = || DeviceMsg::Saw(Moment(0), Observation::Up { identity: "MT 1".into() });
        device.take(up()).unwrap();
        overheard.expect(&["wrote Device(Connected", "the station hears Saw { device: Scale"]);
        device.take(up()).unwrap();
        overheard.expect(&["the station hears Saw"]);
        device.take(DeviceMsg::Saw(Moment(1), Observation::Fault { what: "overload".into() })).unwrap();
        overheard.expect(&["wrote Device(FaultRaised { what: \"overload\"", "the station hears Saw"]);
        device.take(DeviceMsg::Saw(Moment(2), Observation::FaultCleared)).unwrap();
        overheard.expect(&["wrote Device(FaultCleared", "the station hears Saw"]);
        device.take(DeviceMsg::Saw(Moment(3), Observation::Down { why: "the plug was pulled".into() })).unwrap();
        overheard.expect(&["wrote Device(Disconnected", "the station hears Saw"]);
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_is_a_fault_only_where_there_is_much_of_it() {
        let (overheard, mut device, _inbox) = device();
        device.take(DeviceMsg::Saw(Moment(0), Observation::Garbage { bytes: 3 })).unwrap();
        overheard.expect(&[]);
        device.take(DeviceMsg::Saw(Moment(1), Observation::Garbage { bytes: 100_000 })).unwrap();
        overheard.expect(&["wrote Device(FaultRaised"]);
    }

    #[test]
    fn one_that_is_out_is_asked_nothing_and_lacks_nothing_and_begins_anew_when_it_is_back() {
        let (overheard, mut device, mut inbox) = device();
        let say = |device: &mut DeviceState, what| device.take(DeviceMsg::Saw(Moment(0), what)).unwrap();
        say(&mut device, Observation::Up { identity: "MT 1".into() });
        say(&mut device, Observation::Fault { what: "overload".into() });
        overheard.heard();
        let (why, reply) = (|| "being repaired".into(), crate::Caller::nobody);
        device.take(DeviceMsg::TakeOut { why: why(), reply: reply() }).unwrap();
        overheard.expect(&[
            "wrote Device(TakenOut { why: \"being repaired\"",
            "says Station(a seat, DeviceOut { device: Scale, out: Some(\"being repaired\")",
            "says Answer(Done(",
        ]);
        device.take(DeviceMsg::TakeOut { why: why(), reply: reply() }).unwrap();
        overheard.expect(&["says Answer(Done("]);
        device.take(DeviceMsg::Do(Instruction::Zero)).unwrap();
        assert!(inbox.try_recv().is_err(), "it is asked for nothing");
        device.take(DeviceMsg::Ended(0)).unwrap();
        say(&mut device, Observation::Down { why: "the plug was pulled".into() });
        device.take(DeviceMsg::LookAtFaults).unwrap();
        overheard.expect(&[]);
        for expected in
            [&["wrote Device(PutBack", "says Station(a seat, DeviceOut { device: Scale, out: None", "says Answer(Done("][..], &["says"]]
        {
            device.take(DeviceMsg::PutBack { why: "repaired".into(), reply: reply() }).unwrap();
            overheard.expect(expected);
        }
        device.take(DeviceMsg::Ended(0)).unwrap();
        device.take(DeviceMsg::Do(Instruction::Zero)).unwrap();
        assert!(matches!(inbox.try_recv(), Ok(Instruction::Zero)));
        // What was wrong before is over, and what is wrong now is said.
        say(&mut device, Observation::Up { identity: "MT 2".into() });
        overheard.expect(&["wrote Device(Connected", "wrote Device(FaultCleared", "the station hears Saw"]);
        say(&mut device, Observation::Down { why: "the plug was pulled".into() });
        overheard.expect(&["wrote Device(Disconnected", "the station hears Saw"]);
        assert!(device.take(DeviceMsg::Ended(1)).is_err());
    }

    #[test]
    fn it_does_what_it_is_told_and_falls_when_its_session_is_over() {
        let (_overheard, mut device, mut inbox) = device();
        device.take(DeviceMsg::Do(Instruction::Zero)).unwrap();
        assert!(matches!(inbox.try_recv(), Ok(Instruction::Zero)));
        assert!(device.take(DeviceMsg::Ended(0)).unwrap_err().to_string().contains("ended"));
        drop(inbox);
        assert!(device.take(DeviceMsg::Do(Instruction::Zero)).is_err());
    }
}
