//! The sorter: it asks where an item goes, is answered, and tells where the item went. [`super::telegram`] has the format.
//!
//! Telegrams that arrive twice are dropped by their sequence number. A sorter that is silent is asked with `SYNQ`. Never
//! repeats an answer: one that is late is worth nothing, for the item has passed the divert.

use super::telegram::{SEQUENCE_MAX, Side, Telegram, TelegramCodec, TelegramKind, stamp};
use super::{Conversation, Instruction, Observation, Trouble, Turn};
use smol_str::{SmolStr, format_smolstr};

/// Our name in telegrams.
pub const TWIN_SIDE: Side = *b"TWIN_";
/// The receiver of telegrams to a sorter that has not told its name yet.
pub const ANY_SIDE: Side = *b"_____";

/// Which of the last 64 sequence numbers were seen.
#[derive(Default)]
pub struct Seen {
    newest: u32,
    /// Bit n: the number n before the newest was seen. Zero: nothing was seen yet.
    window: u64,
}

impl Seen {
    /// Notes a number; `false` if it was seen before, or is so old that it must have been.
    pub fn note(&mut self, sequence: u32) -> bool {
        if self.window == 0 {
            (self.newest, self.window) = (sequence, u64::MAX);
            return true;
        }
        let ahead = (sequence + SEQUENCE_MAX - self.newest % SEQUENCE_MAX) % SEQUENCE_MAX;
        if ahead != 0 && ahead <= SEQUENCE_MAX / 2 {
            self.window = if ahead < 64 { (self.window << ahead) | 1 } else { 1 };
            self.newest = sequence;
            return true;
        }
        let behind = (SEQUENCE_MAX - ahead) % SEQUENCE_MAX;
        if behind >= 64 || self.window & (1 << behind) != 0 {
            return false;
        }
        self.window |= 1 << behind;
        true
    }

    fn is_long_ago(&self, sequence: u32) -> bool {
        let ahead = (sequence + SEQUENCE_MAX - self.newest % SEQUENCE_MAX) % SEQUENCE_MAX;
        self.window != 0 && ahead > SEQUENCE_MAX / 2 && SEQUENCE_MAX - ahead >= 64
    }
}

/// Our side of the wire.
pub(super) struct Sorter {
    far_side: Side,
    sequence: u32,
    seen: Seen,
    asked_alive: bool,
    trouble: Trouble,
}

impl Default for Sorter {
    fn default() -> Self {
        Sorter { far_side: ANY_SIDE, sequence: 0, seen: Seen::default(), asked_alive: false, trouble: Trouble::default() }
    }
}

impl Sorter {
    fn send(&mut self, kind: TelegramKind, pic: u32, chute: u16, turn: &mut Turn<'_>) {
        self.sequence = self.sequence % SEQUENCE_MAX + 1;
        let telegram = Telegram {
            sender: TWIN_SIDE,
            receiver: self.far_side,
            sequence: self.sequence,
            kind,
            made: stamp(turn.clock.date()),
            pic,
            chute,
            error: 0,
            text: SmolStr::default(),
        };
        telegram.write(turn.out);
    }
}

impl Conversation for Sorter {
    type Frame = Telegram;
    type Codec = TelegramCodec;
    const ANSWERS_KEEPALIVE: bool = true;

    fn open(&mut self, turn: &mut Turn<'_>) {
        self.asked_alive = false;
        self.far_side = ANY_SIDE;
        self.seen = Seen::default();
        self.send(TelegramKind::SyncAsked, 0, 0, turn);
    }

    fn hear(&mut self, telegram: Telegram, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.asked_alive) {
            *turn.due = None;
        }
        // A control that was restarted counts from 1 again, and says so with a SYNQ.
        if telegram.kind == TelegramKind::SyncAsked && self.seen.is_long_ago(telegram.sequence) {
            self.seen = Seen::default();
        }
        if !self.seen.note(telegram.sequence) {
            return;
        }
        let Telegram { pic, chute, .. } = telegram;
        match telegram.kind {
            TelegramKind::SyncAsked => self.send(TelegramKind::SyncAnswered, 0, 0, turn),
            TelegramKind::SyncAnswered => {
                self.far_side = telegram.sender;
                if turn.up_since.is_none() {
                    let name = String::from_utf8_lossy(&telegram.sender);
                    turn.up(format_smolstr!("{} {}", name.trim_end_matches('_'), telegram.text).trim_end().into());
                    // It says again what is still wrong.
                    self.trouble.clear(turn);
                }
            }
            // Before the handshake is done these are remains of an earlier conversation.
            _ if turn.up_since.is_none() => {}
            TelegramKind::Request => turn.say(Observation::DivertAsked { pic }),
            TelegramKind::Update => turn.say(Observation::Diverted { pic, chute, ok: telegram.error == 0 }),
            TelegramKind::Error if telegram.error == 0 => self.trouble.clear(turn),
            TelegramKind::Error if telegram.text.is_empty() => self.trouble.raise(format_smolstr!("error {}", telegram.error), turn),
            TelegramKind::Error => self.trouble.raise(telegram.text, turn),
            TelegramKind::Response => {}
        }
    }

    fn obey(&mut self, instruction: Instruction, turn: &mut Turn<'_>) {
        if let Instruction::Divert { pic, chute } = instruction {
            self.send(TelegramKind::Response, pic, chute, turn);
        }
    }

    fn due(&mut self, turn: &mut Turn<'_>) -> Result<(), SmolStr> {
        Err(format_smolstr!("no answer to SYNQ within {} ms", turn.settings.answer_timeout.0 / 1_000))
    }

    fn keepalive(&mut self, turn: &mut Turn<'_>) {
        self.asked_alive = true;
        self.send(TelegramKind::SyncAsked, 0, 0, turn);
        turn.await_answer();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_once_even_when_late_or_wrapped() {
        let mut seen = Seen::default();
        let notes = [99_997, 99_999, 99_999, 1, 99_998, 2, 1, 70, 2, 5, 69, 69];
        let expected = [true, true, false, true, true, true, false, true, false, false, true, false];
        assert_eq!(notes.map(|n| seen.note(n)), expected);
        assert!(seen.is_long_ago(3));
        assert!(!seen.is_long_ago(60));
    }
}
