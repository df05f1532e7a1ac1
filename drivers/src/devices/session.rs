//! Keeps one device connected: dial, handshake, conversation, keepalive, and again after a pause that doubles.
//!
//! One task per device and two timers at most, however many frames pass. Never gives up, never reads a protocol itself
//! (that is the conversation's), and never waits without listening for instructions.

use super::alarm::Alarm;
use super::frames::{Frames, Heard, WireLost};
use super::{Conversation, Instruction, Observation, Observe, SessionSettings, Turn};
use crate::Clock;
use crate::wire::{ByteStream, Dial};
use smol_str::{SmolStr, format_smolstr};
use tokio::sync::mpsc::UnboundedReceiver;
use twin::Moment;

/// Skipped bytes are added up and reported before the next good frame, when the wire falls silent, or at this many.
const GARBAGE_REPORT_BYTES: usize = 4096;

/// Why a connection, or the session with it, is over.
enum Ended {
    /// Nobody is left to give instructions.
    Dismissed,
    Lost {
        why: SmolStr,
        up_since: Option<Moment>,
    },
}

struct Session<D> {
    device: D,
    clock: Clock,
    settings: SessionSettings,
    observe: Observe,
    instructions: UnboundedReceiver<Instruction>,
}

/// What lasts as long as one stream does.
struct Connection<D: Conversation> {
    frames: Frames<D::Codec>,
    answer: Alarm,
    keepalive: Alarm,
    up_since: Option<Moment>,
    /// When the last good frame came.
    heard: Moment,
    /// Skipped bytes not reported yet.
    garbage: usize,
}

impl<D: Conversation> Connection<D> {
    fn new(stream: Box<dyn ByteStream>, clock: &Clock, settings: &SessionSettings) -> Self {
        let now = clock.steady();
        let mut answer = Alarm::new(clock);
        let mut keepalive = Alarm::new(clock);
        answer.due = Some(now + settings.answer_timeout);
        if D::ANSWERS_KEEPALIVE {
            keepalive.due = Some(now + settings.keepalive_every);
        }
        Connection { frames: Frames::new(stream, D::Codec::default()), answer, keepalive, up_since: None, heard: now, garbage: 0 }
    }
}

pub(super) async fn keep<D: Conversation>(
    device: D,
    dial: Dial,
    clock: Clock,
    settings: SessionSettings,
    observe: Observe,
    instructions: UnboundedReceiver<Instruction>,
) {
    let mut session = Session { device, clock, settings, observe, instructions };
    let mut backoff = session.settings.backoff_min;
    let mut outage_told = false;
    loop {
        let Ended::Lost { why, up_since } = session.connect_once(&dial).await else { return };
        if let Some(up_since) = up_since {
            outage_told = false;
            // A device that hangs up right after its handshake is not back yet: only a lasting connection resets the pause.
            if session.clock.steady() - up_since > backoff {
                backoff = session.settings.backoff_min;
            }
        }
        if !outage_told {
            outage_told = true;
            (session.observe)(Observation::Down { why });
        }
        let clock = session.clock.clone();
        if session.meanwhile(clock.sleep(backoff)).await.is_none() {
            return;
        }
        backoff = (backoff * 2).min(session.settings.backoff_max);
    }
}

impl<D: Conversation> Session<D> {
    async fn connect_once(&mut self, dial: &Dial) -> Ended {
        let clock = self.clock.clone();
        let limit = self.settings.connect_timeout;
        let lost = |why| Ended::Lost { why, up_since: None };
        match self.meanwhile(clock.timeout(limit, dial())).await {
            None => Ended::Dismissed,
            Some(None) => lost(format_smolstr!("no connection within {} ms", limit.0 / 1_000)),
            Some(Some(Err(e))) => lost(format_smolstr!("cannot connect: {e}")),
            Some(Some(Ok(stream))) => self.converse(stream).await,
        }
    }

    /// Waits for `future`, keeping the instructions that come in; `None` when nobody is left to give any.
    async fn meanwhile<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! { biased;
                instruction = self.instructions.recv() => {
                    if let Some(told) = self.device.keep(instruction?) {
                        (self.observe)(told);
                    }
                }
                out = &mut future => return Some(out),
            }
        }
    }

    async fn converse(&mut self, stream: Box<dyn ByteStream>) -> Ended {
        let mut connection = Connection::new(stream, &self.clock, &self.settings);
        let (device, mut turn) = self.turn(&mut connection);
        device.open(&mut turn);
        loop {
            let done = tokio::select! { biased;
                instruction = self.instructions.recv() => match instruction {
                    None => return Ended::Dismissed,
                    Some(instruction) => {
                        self.obey(instruction, &mut connection);
                        Ok(())
                    }
                },
                heard = connection.frames.next() => self.heard(heard, &mut connection),
                () = connection.answer.ring() => self.unanswered(&mut connection),
                () = connection.keepalive.ring() => {
                    self.look_alive(&mut connection);
                    Ok(())
                }
            };
            if let Err(why) = done {
                self.report_garbage(&mut connection);
                return Ended::Lost { why, up_since: connection.up_since };
            }
        }
    }

    fn turn<'a>(&'a mut self, connection: &'a mut Connection<D>) -> (&'a mut D, Turn<'a>) {
        let turn = Turn {
            now: self.clock.steady(),
            clock: &self.clock,
            settings: &self.settings,
            out: &mut connection.frames.out,
            due: &mut connection.answer.due,
            up_since: &mut connection.up_since,
            observe: &self.observe,
        };
        (&mut self.device, turn)
    }

    fn obey(&mut self, instruction: Instruction, connection: &mut Connection<D>) {
        if connection.up_since.is_some() {
            let (device, mut turn) = self.turn(connection);
            device.obey(instruction, &mut turn);
        } else if let Some(told) = self.device.keep(instruction) {
            (self.observe)(told);
        }
    }

    fn heard(&mut self, heard: Result<Heard<D::Frame>, WireLost>, connection: &mut Connection<D>) -> Result<(), SmolStr> {
        match heard? {
            Heard::Garbage(bytes) => {
                connection.garbage += bytes;
                if connection.garbage >= GARBAGE_REPORT_BYTES {
                    self.report_garbage(connection);
                }
            }
            Heard::Frame(frame) => {
                self.report_garbage(connection);
                let (device, mut turn) = self.turn(connection);
                let now = turn.now;
                device.hear(frame, &mut turn);
                connection.heard = now;
            }
        }
        Ok(())
    }

    fn unanswered(&mut self, connection: &mut Connection<D>) -> Result<(), SmolStr> {
        self.report_garbage(connection);
        if connection.up_since.is_none() {
            return Err(format_smolstr!("no answer to the handshake within {} ms", self.settings.answer_timeout.0 / 1_000));
        }
        let (device, mut turn) = self.turn(connection);
        device.due(&mut turn)
    }

    fn look_alive(&mut self, connection: &mut Connection<D>) {
        self.report_garbage(connection);
        let every = self.settings.keepalive_every;
        let quiet_from = connection.heard + every;
        let (device, mut turn) = self.turn(connection);
        let now = turn.now;
        if now >= quiet_from && turn.up_since.is_some() {
            device.keepalive(&mut turn);
        }
        connection.keepalive.due = Some(if now >= quiet_from { now + every } else { quiet_from });
    }

    fn report_garbage(&self, connection: &mut Connection<D>) {
        if connection.garbage > 0 {
            (self.observe)(Observation::Garbage { bytes: std::mem::take(&mut connection.garbage) });
        }
    }
}
