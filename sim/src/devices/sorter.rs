//! The simulated sorter's control: asks where items go, takes the answers, tells where they went, in OSIP.
//!
//! It decides nothing and moves nothing: that is the floor's. Its sequence numbers go on over connections, as those of a
//! control that was not restarted do.

use super::plug::{FarEnd, Plug};
use crate::luck::Luck;
use bytes::BytesMut;
use drivers::Clock;
use drivers::devices::frames::Heard;
use drivers::devices::sorter::{ANY_SIDE, Names, barcode_of, following, pic_of};
use drivers::devices::telegram::{ERROR_UNKNOWN_TYPE, Side, TELEGRAM_BYTES, Telegram, TelegramCodec, TelegramKind, stamp};
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::codec::Decoder;

/// Its name in telegrams.
const SORTER_SIDE: Side = *b"SRT01";
/// Where it asks from.
const ASKS_AT: SmolStr = SmolStr::new_static("SRT_0001000000000000");
/// Telegrams that a stalled control keeps; older ones are lost.
const WITHHELD_MAX: usize = 1_000;
/// The error of an item that did not go where it was sent, or was not sent anywhere.
const ERROR_NOT_AS_TOLD: u32 = 1;
/// The error of a machine that cannot work.
const ERROR_MACHINE: u32 = 90;

/// Takes each answer: the item's PIC and its chute. Called from the task that serves the wire: must not block.
pub type OnAnswer = Arc<dyn Fn(u32, u16) + Send + Sync>;

/// A handle; clones are the same sorter.
#[derive(Clone)]
pub struct SimSorter {
    plug: Plug,
    control: Arc<Mutex<Control>>,
    on_answer: OnAnswer,
}

struct Control {
    clock: Option<Clock>,
    names: Arc<Names>,
    far_side: Side,
    sequence: u32,
    inbox: BytesMut,
    stalled: bool,
    withheld: VecDeque<Telegram>,
    last: Option<Telegram>,
}

impl SimSorter {
    /// Its telegrams bear no time; see [`SimSorter::with_clock`].
    pub fn new(luck: Luck, on_answer: OnAnswer) -> Self {
        let control = Control {
            clock: None,
            names: Arc::default(),
            far_side: ANY_SIDE,
            sequence: 0,
            inbox: BytesMut::new(),
            stalled: false,
            withheld: VecDeque::new(),
            last: None,
        };
        SimSorter { plug: Plug::new(luck.branch("garble")), control: Arc::new(Mutex::new(control)), on_answer }
    }

    /// The same sorter with a calendar: its telegrams bear the time of `clock`.
    pub fn with_clock(self, clock: Clock) -> Self {
        self.control().clock = Some(clock);
        self
    }

    /// The same sorter with names of its own for chutes.
    pub fn with_names(self, names: Arc<Names>) -> Self {
        self.control().names = names;
        self
    }

    /// An item has been given this number and wants to know where to go.
    pub fn ask(&self, pic: u32) {
        self.say(Telegram {
            kind: TelegramKind::Request,
            barcode: barcode_of(pic),
            actual: ASKS_AT,
            error: Some(0),
            ..Telegram::default()
        });
    }

    /// The item went to this chute. Not `ok`: because no answer came in time or its chute was full.
    pub fn diverted(&self, pic: u32, chute: u16, ok: bool) {
        let error = Some(if ok { 0 } else { ERROR_NOT_AS_TOLD });
        let (kind, barcode, actual) = (TelegramKind::Update, barcode_of(pic), self.control().names.location(chute));
        self.say(Telegram { kind, barcode, actual, error, ..Telegram::default() });
    }

    /// Something is wrong with this part of the machine (`INFEED`), or with `None` no longer with any.
    pub fn fault(&self, part: Option<&str>) {
        let error = Some(if part.is_some() { ERROR_MACHINE } else { 0 });
        self.say(Telegram { kind: TelegramKind::Error, group: part.unwrap_or("").into(), error, ..Telegram::default() });
    }

    /// While stalled its control hangs: what it has to say waits until it is released, and what it is told is lost.
    pub fn stall(&self, stalled: bool) {
        let mut control = self.control();
        control.stalled = stalled;
        if !stalled {
            let withheld = std::mem::take(&mut control.withheld);
            withheld.iter().for_each(|telegram| self.plug.send(|out| telegram.write(out)));
        }
    }

    /// Sends the last telegram once more, as a control does that doubts its network.
    pub fn repeat_last(&self) {
        let control = self.control();
        if let Some(telegram) = &control.last {
            self.plug.send(|out| telegram.write(out));
        }
    }

    /// Of its own accord, with its own number.
    fn say(&self, telegram: Telegram) {
        let sequence = {
            let mut control = self.control();
            control.sequence = following(control.sequence);
            control.sequence
        };
        self.send(sequence, telegram);
    }

    fn send(&self, sequence: u32, telegram: Telegram) {
        let mut control = self.control();
        let made = control.clock.as_ref().map_or([b'0'; 14], |clock| stamp(clock.date()));
        let telegram = Telegram { sender: SORTER_SIDE, receiver: control.far_side, sequence, made, ..telegram };
        if control.stalled {
            if control.withheld.len() >= WITHHELD_MAX {
                control.withheld.pop_front();
            }
            control.withheld.push_back(telegram);
        } else {
            self.plug.send(|out| telegram.write(out));
            control.last = Some(telegram);
        }
    }

    fn chute(&self, location: &str) -> Option<u16> {
        self.control().names.chute(location)
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_heard(&self) -> Option<Telegram> {
        let mut control = self.control();
        loop {
            match TelegramCodec.decode(&mut control.inbox) {
                Ok(Some(Heard::Frame(_))) if control.stalled => {}
                Ok(Some(Heard::Frame(telegram))) => return Some(telegram),
                Ok(Some(Heard::Garbage(_))) => {}
                Ok(None) | Err(_) => {
                    debug_assert!(control.inbox.len() < TELEGRAM_BYTES);
                    return None;
                }
            }
        }
    }
}

impl FarEnd for SimSorter {
    fn plug(&self) -> &Plug {
        &self.plug
    }

    fn connected(&self) {
        let mut control = self.control();
        control.inbox.clear();
        control.far_side = ANY_SIDE;
    }

    fn hear(&self, bytes: &[u8]) {
        self.control().inbox.extend_from_slice(bytes);
        while let Some(telegram) = self.next_heard() {
            let answer = following(telegram.sequence);
            match telegram.kind {
                TelegramKind::SyncAsked => {
                    self.control().far_side = telegram.sender;
                    self.send(answer, Telegram { kind: TelegramKind::SyncAnswered, ..Telegram::default() });
                }
                TelegramKind::Response => {
                    if let (Some(pic), Some(chute)) = (pic_of(&telegram.barcode), self.chute(&telegram.target)) {
                        (self.on_answer)(pic, chute);
                    }
                }
                TelegramKind::Unknown => {
                    let (kind, error) = (TelegramKind::Error, Some(ERROR_UNKNOWN_TYPE));
                    self.send(answer, Telegram { kind, error, ..Telegram::default() });
                }
                _ => {}
            }
        }
    }
}
