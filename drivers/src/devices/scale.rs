//! The scale, which speaks MT-SICS level 0: `@` resets and is answered with the serial number, `SR` makes it send every
//! change of weight, `Z` zeroes, `T` tares. Lines are upper case and end with CR LF.
//!
//! `S`, `SI`, `SIR` and `@` would cancel `SR`, so a scale that is silent is asked for its serial number (`I4`) instead.
//! Weights are read into whole decigrams with integer arithmetic; never into a float.

use super::lines::{LineGrammar, Lines};
use super::{Conversation, Instruction, Observation, Trouble, Turn};
use smol_str::{SmolStr, format_smolstr};
use twin::{Moment, Span};

/// The longest line in bytes, without its end.
pub const LINE_BYTES_MAX: usize = 80;
/// The heaviest reading that is believed: 10 t, in decigrams.
pub const WEIGHT_DG_MAX: i32 = 100_000_000;
/// Refusals in a row after which `SR` is no longer repeated.
const REFUSALS_MAX: u32 = 3;
/// An overload that lasts so long is a fault: something leans on the scale.
const OVERLOAD_STUCK: Span = Span::from_secs(60);

/// The width of the weight field in a weight response: `S S     100.00 g`.
const WEIGHT_FIELD: usize = 10;

/// What a scale can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScaleLine {
    /// Decigrams. `stable`: `S S`, otherwise `S D`.
    Weight {
        weight_dg: i32,
        stable: bool,
    },
    /// A weight in a unit that is neither grams nor kilograms.
    Unit(SmolStr),
    /// `S I`: it cannot weigh just now.
    Busy,
    Overload,
    Underload,
    /// `I4 A "serial"`.
    Serial(SmolStr),
    /// `Z A`, `T S …`: done.
    Done,
    /// `Z I`, `T +` and the like: not done, with the words for it.
    Refused(&'static str),
    /// `ES`, `ET`, `EL`: it did not understand.
    Error(&'static str),
}

/// The grammar of a scale's answers.
pub struct ScaleGrammar;

impl LineGrammar for ScaleGrammar {
    type Frame = ScaleLine;
    const LINE_BYTES_MAX: usize = LINE_BYTES_MAX;

    fn read(line: &[u8]) -> Option<ScaleLine> {
        use ScaleLine::*;
        Some(match line {
            b"ES" => Error("syntax error (ES)"),
            b"ET" => Error("transmission error (ET)"),
            b"EL" => Error("logical error (EL)"),
            b"S I" => Busy,
            b"S +" => Overload,
            b"S -" => Underload,
            b"Z A" | b"ZI S" | b"ZI D" | b"TAC A" | b"SR A" => Done,
            b"Z I" | b"ZI I" => Refused("zeroing refused: not stable"),
            b"Z +" | b"Z -" | b"ZI +" | b"ZI -" => Refused("zeroing refused: out of the zeroing range"),
            b"T I" => Refused("taring refused: not stable"),
            b"T +" | b"T -" => Refused("taring refused: out of the taring range"),
            [b'S', b' ', state @ (b'S' | b'D'), b' ', weight @ ..] => match read_weight(weight)? {
                Ok(weight_dg) => Weight { weight_dg, stable: *state == b'S' },
                Err(unit) => Unit(unit),
            },
            [b'T', b' ', b'S', b' ', weight @ ..] | [b'T', b'A', b' ', b'A', b' ', weight @ ..] => {
                read_weight(weight)?.ok()?;
                Done
            }
            [b'I', b'4', b' ', b'A', b' ', b'"', serial @ .., b'"'] if serial.iter().all(|b| matches!(b, b' '..=b'~')) => {
                Serial(std::str::from_utf8(serial).ok()?.into())
            }
            _ => return None,
        })
    }

    /// A weight response has a fixed width, so a whole one can be told from the remains of one.
    fn begins(line: &[u8]) -> Option<usize> {
        let start = line.len().checked_sub(4 + WEIGHT_FIELD + 2)?;
        let end = &line[start..];
        let fixed = matches!(end, [b'S', b' ', b'S' | b'D', b' ', .., b' ', b'g']);
        (fixed && Self::read(end).is_some()).then_some(start)
    }
}

/// `    100.00 g` to decigrams, rounded half away from zero; `Err` is a unit that we do not weigh in.
fn read_weight(field: &[u8]) -> Option<Result<i32, SmolStr>> {
    let mut words = field.split(|b| *b == b' ').filter(|word| !word.is_empty());
    let (number, unit) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let (negative, digits) = match number {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // In millionths of the unit, so that kilograms keep their milligrams.
    let (mut micro, mut decimals) = (0i64, None::<u32>);
    for byte in digits {
        match (byte, decimals) {
            (b'0'..=b'9', Some(6..)) => return None,
            (b'0'..=b'9', _) => {
                micro = micro * 10 + i64::from(byte - b'0');
                decimals = decimals.map(|n| n + 1);
            }
            (b'.', None) => decimals = Some(0),
            _ => return None,
        }
        if micro > 1_000_000_000_000 {
            return None;
        }
    }
    if digits.iter().filter(|b| b.is_ascii_digit()).count() == 0 {
        return None;
    }
    micro *= 10i64.pow(6 - decimals.unwrap_or(0));
    let per_dg = match unit {
        b"g" => 100_000,
        b"kg" => 100,
        _ if unit.len() <= 4 && unit.iter().all(u8::is_ascii_alphabetic) => {
            return Some(Err(String::from_utf8_lossy(unit).as_ref().into()));
        }
        _ => return None,
    };
    let weight_dg = i32::try_from((micro + per_dg / 2) / per_dg).ok().filter(|dg| *dg <= WEIGHT_DG_MAX)?;
    Some(Ok(if negative { -weight_dg } else { weight_dg }))
}

/// Appends a weight response: `letters` is `S S`, `S D`, `T S` or `TA A`. The far end's half of [`ScaleGrammar`].
/// The field has room for 999 999.9 g; of a heavier weight the leading digits are lost, as on a real display.
pub fn write_weight(out: &mut bytes::BytesMut, letters: &[u8], weight_dg: i32) {
    let mut field = *b"          ";
    let mut rest = weight_dg.unsigned_abs();
    let mut at = WEIGHT_FIELD;
    // Two decimals as scales of this class show them; the last is always 0.
    for position in 0.. {
        at -= 1;
        field[at] = match position {
            0 => b'0',
            2 => b'.',
            _ => {
                let digit = b'0' + (rest % 10) as u8;
                rest /= 10;
                digit
            }
        };
        if (position >= 3 && rest == 0) || at == 1 {
            break;
        }
    }
    if weight_dg < 0 {
        field[at - 1] = b'-';
    }
    out.extend_from_slice(letters);
    out.extend_from_slice(b" ");
    out.extend_from_slice(&field);
    out.extend_from_slice(b" g\r\n");
}

/// Cuts a scale's bytes into [`ScaleLine`]s.
pub type ScaleCodec = Lines<ScaleGrammar>;

/// Our side of the wire.
#[derive(Default)]
pub(super) struct Scale {
    asked_alive: bool,
    refusals: u32,
    overload_since: Option<Moment>,
    trouble: Trouble,
}

impl Conversation for Scale {
    type Frame = ScaleLine;
    type Codec = ScaleCodec;
    const ANSWERS_KEEPALIVE: bool = true;

    fn open(&mut self, turn: &mut Turn<'_>) {
        (self.asked_alive, self.refusals, self.overload_since) = (false, 0, None);
        turn.out.extend_from_slice(b"@\r\n");
    }

    fn hear(&mut self, line: ScaleLine, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.asked_alive) {
            *turn.due = None;
            if matches!(line, ScaleLine::Serial(_)) {
                return;
            }
        }
        match line {
            ScaleLine::Serial(identity) => {
                // Unasked it means that the scale was switched off and on, and forgot what it was told.
                turn.out.extend_from_slice(b"SR\r\n");
                turn.up(identity);
            }
            // Before the handshake is done these are remains of an earlier conversation.
            _ if turn.up_since.is_none() => {}
            ScaleLine::Weight { weight_dg, stable } => {
                self.refusals = 0;
                self.overload_since = None;
                self.trouble.clear(turn);
                turn.say(Observation::Weight { weight_dg, stable });
            }
            ScaleLine::Overload => {
                self.overload_since.get_or_insert(turn.now);
                turn.say(Observation::Overload);
            }
            ScaleLine::Underload => turn.say(Observation::Underload),
            ScaleLine::Busy => {}
            ScaleLine::Done => self.trouble.clear(turn),
            ScaleLine::Unit(unit) => self.trouble.raise(format_smolstr!("weighs in {unit}: set it to g"), turn),
            ScaleLine::Refused(what) => self.trouble.raise(what.into(), turn),
            ScaleLine::Error(what) => {
                self.refusals += 1;
                if self.refusals <= REFUSALS_MAX {
                    // Most likely our `SR` arrived damaged.
                    turn.out.extend_from_slice(b"SR\r\n");
                } else {
                    self.trouble.raise(what.into(), turn);
                }
            }
        }
    }

    fn obey(&mut self, instruction: Instruction, turn: &mut Turn<'_>) {
        match instruction {
            Instruction::Zero => turn.out.extend_from_slice(b"Z\r\n"),
            Instruction::Tare => turn.out.extend_from_slice(b"T\r\n"),
            Instruction::Divert { .. } | Instruction::Print { .. } => {}
        }
    }

    fn due(&mut self, turn: &mut Turn<'_>) -> Result<(), SmolStr> {
        Err(format_smolstr!("no answer to I4 within {} ms", turn.settings.answer_timeout.0 / 1_000))
    }

    fn keepalive(&mut self, turn: &mut Turn<'_>) {
        if self.overload_since.is_some_and(|since| turn.now - since >= OVERLOAD_STUCK) {
            self.trouble.raise("overloaded for a minute".into(), turn);
        }
        self.asked_alive = true;
        turn.out.extend_from_slice(b"I4\r\n");
        turn.await_answer();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_bytes, decode_all, never_breaks, split_at};
    use super::*;
    use bytes::BytesMut;
    use proptest::prelude::*;

    fn weight(weight_dg: i32, stable: bool) -> Option<ScaleLine> {
        Some(ScaleLine::Weight { weight_dg, stable })
    }

    #[test]
    fn lines_as_scales_send_them() {
        for (line, expected) in [
            (&b"S S     100.00 g"[..], weight(1_000, true)),
            (b"S D    -350.06 g", weight(-3_501, false)),
            (b"S S   10.0000 kg", weight(100_000, true)),
            (b"S S 0.05 g", weight(1, true)),
            (b"S S      12.5 lb", Some(ScaleLine::Unit("lb".into()))),
            (b"S S 100000001.0 g", None),
            (b"S S 1.2.3 g", None),
            (b"S S . g", None),
            (b"S S     100.00", None),
            (b"S +", Some(ScaleLine::Overload)),
            (b"S -", Some(ScaleLine::Underload)),
            (b"S I", Some(ScaleLine::Busy)),
            (b"T S     100.00 g", Some(ScaleLine::Done)),
            (b"Z I", Some(ScaleLine::Refused("zeroing refused: not stable"))),
            (b"I4 A \"B021002593\"", Some(ScaleLine::Serial("B021002593".into()))),
            (b"ES", Some(ScaleLine::Error("syntax error (ES)"))),
            (b"HELLO", None),
        ] {
            assert_eq!(ScaleGrammar::read(line), expected, "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn weights_are_written_as_the_manual_shows_them() {
        for (dg, text) in
            [(1_000, "S S     100.00 g\r\n"), (0, "S S       0.00 g\r\n"), (-7, "S S      -0.70 g\r\n"), (300_000, "S S   30000.00 g\r\n")]
        {
            let mut out = BytesMut::new();
            write_weight(&mut out, b"S S", dg);
            assert_eq!(out, text);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in any_bytes()) {
            never_breaks(ScaleCodec::default, &bytes, LINE_BYTES_MAX);
        }

        #[test]
        fn a_weight_after_garbage_is_found(noise in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..400, dg in -999_999i32..=9_999_999) {
            let mut bytes = BytesMut::from(&noise[..]);
            write_weight(&mut bytes, b"S S", dg);
            let (frames, _) = decode_all(ScaleCodec::default(), split_at(&bytes, cut));
            prop_assert_eq!(frames.last().cloned(), weight(dg, true));
        }
    }
}
