//! The sorter: it asks where an item goes, is answered, and tells where the item went. [`super::telegram`] has the format.
//!
//! OSIP knows an item by a barcode and a chute by a location. A barcode that is a number is taken for the sorter's own
//! number of the item (PIC); any other is given one here, and the answer bears the barcode again. A chute is the location
//! [`location_of`] names, or the one that the settings give it ([`Names`]).
//!
//! What a control asks or tells twice is dropped by its sequence number; a `SYNQ` is answered each time, and begins the count
//! anew where it is out of order. A sorter that is silent is asked with `SYNQ`. Never repeats an answer: one that is late is
//! worth nothing, for the item has passed the divert.

use super::telegram::{ERROR_UNKNOWN_TYPE, PLACE_BYTES, SEQUENCE_MAX, Side, Telegram, TelegramCodec, TelegramKind, stamp};
use super::{Conversation, Instruction, Observation, Trouble, Turn};
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeSet, VecDeque};

/// Items that can be between question and chute; of more the oldest are forgotten, and answered by their number alone.
const ITEMS_MAX: usize = 512;
/// Eight digits.
const ERROR_MAX: u32 = 99_999_999;
/// Numbers for items whose barcode is none begin here.
const OWN_PICS: u32 = 1 << 31;

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
}

/// The barcode of an item that is known by its number.
pub fn barcode_of(pic: u32) -> SmolStr {
    format_smolstr!("{pic:020}")
}

/// The number that a barcode is, if it is one.
pub fn pic_of(barcode: &str) -> Option<u32> {
    barcode.parse().ok().filter(|pic| (1..OWN_PICS).contains(pic))
}

/// A chute as a location: five groups of four, the number in the second and, above 9999, the third.
pub fn location_of(chute: u16) -> SmolStr {
    format_smolstr!("CHUT{:04}{:04}00000000", chute % 10_000, chute / 10_000)
}

/// The chute that a location is: the number in its second and third group, whatever the first says. `None` for an unknown
/// location and for one that has no number there.
pub fn chute_of(location: &str) -> Option<u16> {
    let group = |n: usize| location.get(4 * n..4 * n + 4)?.parse::<u32>().ok();
    u16::try_from(group(1)? + 10_000 * group(2)?).ok()
}

/// What a control calls its chutes and its troubles, where it was planned by somebody else. Values from a settings file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    pub locations: Vec<ChuteLocation>,
    pub errors: Vec<ErrorName>,
}

/// The location that a chute is: up to 20 characters, `EXT_0001000300000000`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChuteLocation {
    pub chute: u16,
    pub location: SmolStr,
}

/// What an error code says, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorName {
    pub code: u32,
    pub what: SmolStr,
}

impl Names {
    /// Where a chute is.
    pub fn location(&self, chute: u16) -> SmolStr {
        let named = self.locations.iter().find(|l| l.chute == chute);
        named.map_or_else(|| location_of(chute), |l| l.location.clone())
    }

    /// Which chute a location is. Where chutes have names of their own, no number in a location stands for one of them.
    pub fn chute(&self, location: &str) -> Option<u16> {
        let named = self.locations.iter().find(|l| l.location == location).map(|l| l.chute);
        named.or_else(|| chute_of(location).filter(|chute| self.locations.iter().all(|l| l.chute != *chute)))
    }

    /// What an error is called.
    fn error(&self, code: u32) -> SmolStr {
        let named = self.errors.iter().find(|e| e.code == code);
        named.map_or_else(|| format_smolstr!("error {code}"), |e| format_smolstr!("{} (error {code})", e.what))
    }

    /// What is wrong with the settings, in words that name the place.
    pub fn fault(&self) -> Option<String> {
        let (mut chutes, mut locations, mut codes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for ChuteLocation { chute, location } in &self.locations {
            // What pads a field, stands for an unknown location or begins a telegram cannot be in one.
            let is_text = location.bytes().all(|b| b.is_ascii_graphic() && !b"#*?".contains(&b));
            if !is_text || !(1..=PLACE_BYTES).contains(&location.len()) {
                return Some(format!("names.locations: {location:?} is no OSIP location of 1 to {PLACE_BYTES} characters"));
            }
            if !chutes.insert(chute) || !locations.insert(location) {
                return Some(format!("names.locations: chute {chute} or location {location} is there twice"));
            }
        }
        let odd = self.errors.iter().find(|e| e.code == 0 || e.code > ERROR_MAX || e.what.trim().is_empty() || !codes.insert(e.code));
        odd.map(|e| format!("names.errors: code {} is 0 (no error), over {ERROR_MAX}, there twice or has no name", e.code))
    }
}

/// An item whose way is not over.
struct Item {
    pic: u32,
    barcode: SmolStr,
    actual: SmolStr,
    /// The number of its latest question, if it has not been answered.
    asked: Option<u32>,
}

/// Our side of the wire.
pub(super) struct Sorter {
    far_side: Side,
    sequence: u32,
    seen: Seen,
    asked_alive: bool,
    items: VecDeque<Item>,
    own_pics: u32,
    trouble: Trouble,
}

impl Default for Sorter {
    fn default() -> Self {
        Sorter {
            far_side: ANY_SIDE,
            sequence: 0,
            seen: Seen::default(),
            asked_alive: false,
            items: VecDeque::new(),
            own_pics: 0,
            trouble: Trouble::default(),
        }
    }
}

impl Sorter {
    fn send(&self, sequence: u32, telegram: Telegram, turn: &mut Turn<'_>) {
        let telegram = Telegram { sender: TWIN_SIDE, receiver: self.far_side, sequence, made: stamp(turn.clock.date()), ..telegram };
        telegram.write(turn.out);
    }

    /// Of our own accord, with our own number.
    fn ask(&mut self, kind: TelegramKind, turn: &mut Turn<'_>) {
        self.sequence = following(self.sequence);
        self.send(self.sequence, Telegram { kind, ..Telegram::default() }, turn);
    }

    /// An item wants to know where to go, for the first time or again.
    fn asked(&mut self, telegram: Telegram) -> u32 {
        let Telegram { barcode, actual, sequence, .. } = telegram;
        let known = self.items.iter_mut().find(|item| !barcode.is_empty() && item.barcode == barcode);
        if let Some(item) = known {
            (item.actual, item.asked) = (actual, Some(sequence));
            return item.pic;
        }
        let pic = pic_of(&barcode).unwrap_or_else(|| {
            self.own_pics = (self.own_pics + 1) % OWN_PICS;
            OWN_PICS + self.own_pics
        });
        if self.items.len() >= ITEMS_MAX {
            self.items.pop_front();
        }
        self.items.push_back(Item { pic, barcode, actual, asked: Some(sequence) });
        pic
    }

    /// An item has arrived; the number by which it asked, if it has one.
    fn arrived(&mut self, barcode: &str) -> Option<u32> {
        match self.items.iter().position(|item| !barcode.is_empty() && item.barcode == barcode) {
            Some(at) => self.items.remove(at).map(|item| item.pic),
            None => pic_of(barcode),
        }
    }

    fn trouble(&mut self, telegram: &Telegram, turn: &Turn<'_>) {
        let place = match (telegram.group.as_str(), telegram.actual.as_str()) {
            ("", "") => "sorter".into(),
            (group, "") => SmolStr::new(group),
            (group, location) => format_smolstr!("{group} {location}"),
        };
        match telegram.error {
            None | Some(0) => self.trouble.clear(turn),
            Some(ERROR_UNKNOWN_TYPE) if telegram.kind == TelegramKind::Error => {
                self.trouble.raise(format_smolstr!("{place}: does not know one of our telegrams (error {ERROR_UNKNOWN_TYPE})"), turn);
            }
            Some(error) => self.trouble.raise(format_smolstr!("{place}: {}", turn.settings.names.error(error)), turn),
        }
    }
}

/// The number after this one.
pub fn following(sequence: u32) -> u32 {
    sequence % SEQUENCE_MAX + 1
}

impl Conversation for Sorter {
    type Frame = Telegram;
    type Codec = TelegramCodec;
    const ANSWERS_KEEPALIVE: bool = true;

    fn open(&mut self, turn: &mut Turn<'_>) {
        self.asked_alive = false;
        self.far_side = ANY_SIDE;
        self.seen = Seen::default();
        self.ask(TelegramKind::SyncAsked, turn);
    }

    fn hear(&mut self, telegram: Telegram, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.asked_alive) {
            *turn.due = None;
        }
        let answer = following(telegram.sequence);
        match telegram.kind {
            TelegramKind::SyncAsked => {
                self.far_side = telegram.sender;
                // A control that was restarted counts from 1 again, and says so with a SYNQ.
                if !self.seen.note(telegram.sequence) {
                    self.seen = Seen::default();
                    self.seen.note(telegram.sequence);
                }
                return self.send(answer, Telegram { kind: TelegramKind::SyncAnswered, ..Telegram::default() }, turn);
            }
            // Its number is ours plus one, and says nothing of its own.
            TelegramKind::SyncAnswered => {
                self.far_side = telegram.sender;
                if turn.up_since.is_none() {
                    let name = String::from_utf8_lossy(&telegram.sender);
                    turn.up(name.trim_end_matches('_').into());
                    // It says again what is still wrong.
                    self.trouble.clear(turn);
                }
                return;
            }
            // Before the handshake is done these are remains of an earlier conversation.
            _ if turn.up_since.is_none() || !self.seen.note(telegram.sequence) => return,
            _ => {}
        }
        match telegram.kind {
            TelegramKind::Request => {
                let pic = self.asked(telegram);
                turn.say(Observation::DivertAsked { pic });
            }
            TelegramKind::Update => {
                let chute = turn.settings.names.chute(&telegram.actual);
                let ok = chute.is_some() && telegram.error.is_none_or(|error| error == 0);
                if let Some(pic) = self.arrived(&telegram.barcode) {
                    turn.say(Observation::Diverted { pic, chute: chute.unwrap_or(0), ok });
                }
            }
            TelegramKind::Error | TelegramKind::System | TelegramKind::Location => self.trouble(&telegram, turn),
            TelegramKind::Unknown => {
                let refusal = Telegram { kind: TelegramKind::Error, error: Some(ERROR_UNKNOWN_TYPE), ..Telegram::default() };
                self.send(answer, refusal, turn);
            }
            TelegramKind::SyncAsked | TelegramKind::SyncAnswered | TelegramKind::Response => {}
        }
    }

    fn obey(&mut self, instruction: Instruction, turn: &mut Turn<'_>) {
        let Instruction::Divert { pic, chute } = instruction else { return };
        let item = self.items.iter_mut().find(|item| item.pic == pic);
        let (barcode, actual, asked) = match item {
            Some(item) => (item.barcode.clone(), item.actual.clone(), item.asked.take()),
            None => (barcode_of(pic), SmolStr::default(), None),
        };
        let sequence = asked.map_or_else(|| following(self.sequence), following);
        if asked.is_none() {
            self.sequence = sequence;
        }
        let target = turn.settings.names.location(chute);
        self.send(
            sequence,
            Telegram { kind: TelegramKind::Response, barcode, actual, target, error: Some(0), ..Telegram::default() },
            turn,
        );
    }

    fn due(&mut self, turn: &mut Turn<'_>) -> Result<(), SmolStr> {
        Err(format_smolstr!("no answer to SYNQ within {} ms", turn.settings.answer_timeout.0 / 1_000))
    }

    fn keepalive(&mut self, turn: &mut Turn<'_>) {
        self.asked_alive = true;
        self.ask(TelegramKind::SyncAsked, turn);
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
    }

    #[test]
    fn chutes_and_locations() {
        for chute in [0, 1, 9_999, 10_000, u16::MAX] {
            assert_eq!((location_of(chute).len(), chute_of(&location_of(chute))), (20, Some(chute)));
        }
        assert_eq!(location_of(7), "CHUT0007000000000000");
        for (location, chute) in
            [("EXT_0003000000000000", Some(3)), ("????????????????????", None), ("", None), ("EXT_000A000000000000", None)]
        {
            assert_eq!(chute_of(location), chute);
        }
        assert_eq!((pic_of(&barcode_of(7)), pic_of("RR473124829CN"), pic_of("9261290361980000")), (Some(7), None, None));
    }

    #[test]
    fn a_control_has_names_of_its_own() {
        let names = |json: &str| serde_json::from_str::<Names>(json).unwrap();
        let own = names(r#"{"locations": [{"chute": 3, "location": "SORT/0007"}], "errors": [{"code": 12, "what": "jam at the infeed"}]}"#);
        assert_eq!((own.fault(), own.location(3), own.location(4)), (None, "SORT/0007".into(), location_of(4)));
        assert_eq!((own.chute("SORT/0007"), own.chute(&location_of(4)), own.chute(&location_of(3))), (Some(3), Some(4), None));
        assert_eq!((own.error(12), own.error(13)), ("jam at the infeed (error 12)".into(), "error 13".into()));
        assert_eq!(Names::default().chute("EXT_0003000000000000"), Some(3));
        for (json, fault) in [
            (r#"{"locations": [{"chute": 1, "location": "A"}, {"chute": 2, "location": "A"}]}"#, "twice"),
            (r#"{"locations": [{"chute": 1, "location": "A"}, {"chute": 1, "location": "B"}]}"#, "twice"),
            (r#"{"locations": [{"chute": 1, "location": "A*"}]}"#, "no OSIP location"),
            (r#"{"locations": [{"chute": 1, "location": "123456789012345678901"}]}"#, "no OSIP location"),
            (r#"{"errors": [{"code": 0, "what": "none"}]}"#, "code 0"),
        ] {
            assert!(names(json).fault().is_some_and(|why| why.contains(fault)), "{json}");
        }
    }
}
