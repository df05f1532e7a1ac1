//! Station devices: scanner, scale, sorter, printer. Each speaks its own protocol over a byte wire; all of them report
//! [`Observation`]s and take [`Instruction`]s, so that whoever runs a station need not know a protocol.
//!
//! ```text
//!   far end ◄──bytes──► frames (codec) ◄──► one device's conversation ──► Observation
//!                             └── session: dial, time limits, keepalive, reconnect ◄── Instruction
//! ```
//!
//! Nothing here decides anything about a parcel, and nothing here can tell a real device from a simulated one.

use crate::Clock;
use crate::wire::Dial;
use bytes::Bytes;
use smol_str::SmolStr;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;
use twin::device::DeviceKind;
use twin::measure::Dims;
use twin::{Moment, Span};

mod alarm;
pub mod code;
pub mod frames;
pub mod glyphs;
pub mod host_status;
pub mod lines;
pub mod printer;
pub mod scale;
pub mod scanner;
mod session;
pub mod sorter;
pub mod telegram;
#[cfg(test)]
mod testing;
pub mod zpl;

use frames::Heard;
use tokio_util::codec::Decoder;

/// What a device says, or what happened to its wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Connected, and the handshake of its protocol is done.
    Up {
        identity: SmolStr,
    },
    /// The wire was lost or could not be made. Said once per outage; the session goes on trying.
    Down {
        why: SmolStr,
    },
    /// An item passed the scanner; no code means that none could be read.
    Scanned {
        code: Option<SmolStr>,
        dims: Option<Dims>,
    },
    /// Decigrams (0.1 g), net of tare; negative when something was taken off after zeroing.
    Weight {
        weight_dg: i32,
        stable: bool,
    },
    /// More on the scale than it can weigh.
    Overload,
    /// Less than nothing on the scale: its platform is lifted or missing.
    Underload,
    /// The sorter asks where the item that it numbered `pic` shall go.
    DivertAsked {
        pic: u32,
    },
    /// Where the item really went. Not `ok`: no decision came in time or the chute was full, and it went there instead.
    Diverted {
        pic: u32,
        chute: u16,
        ok: bool,
    },
    /// The printer has nothing left to print, so this job is on paper.
    Printed {
        job: u64,
    },
    /// Something is wrong with the device, in the words of the trade: `paper out`. Said again only when the words change.
    Fault {
        what: SmolStr,
    },
    FaultCleared,
    /// So many bytes were not of its protocol and were skipped.
    Garbage {
        bytes: usize,
    },
}

/// What a device is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    Zero,
    Tare,
    /// The answer to [`Observation::DivertAsked`].
    Divert {
        pic: u32,
        chute: u16,
    },
    /// `zpl` is sent as it is; `job` comes back in [`Observation::Printed`].
    Print {
        job: u64,
        zpl: Bytes,
    },
}

/// Takes what a device says. Called from the session's task: must not block.
pub type Observe = Arc<dyn Fn(Observation) + Send + Sync>;

/// The time limits of a session, and what the device calls things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// For opening the stream.
    pub connect_timeout: Span,
    /// For the handshake, for an answer to a keepalive, and for a printer's status.
    pub answer_timeout: Span,
    /// A device that said nothing for so long is asked whether it is there.
    pub keepalive_every: Span,
    /// Wait before the second attempt to connect; doubles from attempt to attempt.
    pub backoff_min: Span,
    /// The longest wait between attempts.
    pub backoff_max: Span,
    /// Sorters only.
    pub names: Arc<sorter::Names>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        SessionSettings {
            connect_timeout: Span::from_secs(5),
            answer_timeout: Span::from_secs(2),
            keepalive_every: Span::from_secs(30),
            backoff_min: Span::from_ms(250),
            backoff_max: Span::from_secs(30),
            names: Arc::default(),
        }
    }
}

/// Runs one device until the sender of `instructions` is dropped: dials, shakes hands, reads, writes, keeps alive, and
/// connects again with exponential backoff, all on `clock`.
///
/// While the wire is down, print jobs wait; `Zero`, `Tare` and `Divert` are dropped, for they are about a moment that is gone.
/// An instruction that the device's kind does not know is dropped too.
pub async fn run(
    kind: DeviceKind,
    dial: Dial,
    clock: Clock,
    settings: SessionSettings,
    observe: Observe,
    instructions: UnboundedReceiver<Instruction>,
) {
    match kind {
        DeviceKind::Scanner => session::keep(scanner::Scanner, dial, clock, settings, observe, instructions).await,
        DeviceKind::Scale => session::keep(scale::Scale::default(), dial, clock, settings, observe, instructions).await,
        DeviceKind::Sorter => session::keep(sorter::Sorter::default(), dial, clock, settings, observe, instructions).await,
        DeviceKind::Printer => session::keep(printer::Printer::default(), dial, clock, settings, observe, instructions).await,
    }
}

/// One kind of device's side of the conversation: what to say on which occasion. Pure but for the [`Turn`] it is handed.
trait Conversation: Send {
    type Frame: Send;
    type Codec: Decoder<Item = Heard<Self::Frame>, Error = std::io::Error> + Default + Send;
    /// Whether a device of this kind can be asked if it is there.
    const ANSWERS_KEEPALIVE: bool;

    /// A fresh wire: begin the handshake. Until [`Turn::up`] is called an answer is awaited for `answer_timeout`.
    fn open(&mut self, turn: &mut Turn<'_>);
    fn hear(&mut self, frame: Self::Frame, turn: &mut Turn<'_>);
    fn obey(&mut self, instruction: Instruction, turn: &mut Turn<'_>);
    /// The moment that was put in [`Turn::due`] has come. An error gives the wire up.
    fn due(&mut self, turn: &mut Turn<'_>) -> Result<(), SmolStr>;
    /// Nothing was heard for `keepalive_every`.
    fn keepalive(&mut self, turn: &mut Turn<'_>);
    /// An instruction that came while there was no wire. `Some` is what went wrong with it.
    fn keep(&mut self, _instruction: Instruction) -> Option<Observation> {
        None
    }
}

/// What a conversation may touch while it is its turn.
struct Turn<'a> {
    /// The clock's steady time.
    now: Moment,
    /// For dates that the device is told.
    clock: &'a Clock,
    settings: &'a SessionSettings,
    /// Bytes for the device.
    out: &'a mut bytes::BytesMut,
    /// When the conversation wants to be called again at the latest, if nothing is heard before.
    due: &'a mut Option<Moment>,
    /// Since when the handshake is done.
    up_since: &'a mut Option<Moment>,
    observe: &'a Observe,
}

impl Turn<'_> {
    fn say(&self, observation: Observation) {
        (self.observe)(observation);
    }

    /// The handshake is done. Later calls change nothing.
    fn up(&mut self, identity: SmolStr) {
        if self.up_since.is_none() {
            *self.up_since = Some(self.now);
            *self.due = None;
            self.say(Observation::Up { identity });
        }
    }

    fn await_answer(&mut self) {
        *self.due = Some(self.now + self.settings.answer_timeout);
    }
}

/// The one fault that a device is known to have. Says only what changes.
#[derive(Default)]
struct Trouble(Option<SmolStr>);

impl Trouble {
    fn is(&self) -> bool {
        self.0.is_some()
    }

    fn raise(&mut self, what: SmolStr, turn: &Turn<'_>) {
        if self.0.as_ref() != Some(&what) {
            self.0 = Some(what.clone());
            turn.say(Observation::Fault { what });
        }
    }

    fn clear(&mut self, turn: &Turn<'_>) {
        if self.0.take().is_some() {
            turn.say(Observation::FaultCleared);
        }
    }
}
