//! The tunnel scanner with its dimensioner: one line per item, `CODE` or `CODE;L;W;H` with sides in millimetres, and for the
//! code, where none could be read, one of [`NO_READS`] or nothing. The code is passed on as it came, with its AIM identifier
//! and separators: [`super::code`] reads it.
//!
//! A line may be wrapped in STX and ETX; then bytes before the STX are known to be garbage. A scanner has nothing to
//! say while nothing passes and answers no question, so a dead one is noticed only when its wire breaks.

use super::lines::{LineGrammar, Lines};
use super::{Conversation, Instruction, Observation, Turn};
use smol_str::SmolStr;
use twin::measure::Dims;

/// The longest line in bytes, without its end.
pub const LINE_BYTES_MAX: usize = 640;
/// The longest code in bytes: the PDF417 of a parcel label has some 500.
pub const CODE_BYTES_MAX: usize = 600;
/// The longest side that is believed, in millimetres.
pub const SIDE_MM_MAX: u32 = 9_999;
/// What our simulated scanner says instead of a code.
pub const NOREAD: &str = "NOREAD";
/// What scanners are set to say instead of a code.
pub const NO_READS: [&str; 5] = [NOREAD, "NO READ", "?", "ERROR", "NR"];

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// Separators inside codes (GS, RS, EOT), and the tab that some scanners put at the end.
const SEPARATORS: [u8; 4] = [0x1d, 0x1e, 0x04, b'\t'];

/// One item that passed. No code: `NOREAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub code: Option<SmolStr>,
    pub dims: Option<Dims>,
}

/// The grammar of a scanner's lines.
pub struct ScanLine;

impl LineGrammar for ScanLine {
    type Frame = Scan;
    const LINE_BYTES_MAX: usize = LINE_BYTES_MAX;

    fn read(line: &[u8]) -> Option<Scan> {
        let (line, framed) = match line {
            [STX, inner @ .., ETX] => (inner, true),
            [STX, inner @ ..] => (inner, false),
            _ => (line, false),
        };
        if !line.iter().all(|b| matches!(b, b' '..=b'~') || SEPARATORS.contains(b)) {
            return None;
        }
        let (code, dims) = match split_dims(line) {
            Some((code, dims)) => (code, Some(dims)),
            None => (line, None),
        };
        let code = std::str::from_utf8(code).ok()?.trim();
        // A line of nothing is an item only where something else says that one passed.
        if code.len() > CODE_BYTES_MAX || (code.is_empty() && dims.is_none() && !framed) {
            return None;
        }
        let read = !code.is_empty() && !NO_READS.contains(&super::code::bare(code));
        Some(Scan { code: read.then(|| code.into()), dims })
    }

    fn begins(line: &[u8]) -> Option<usize> {
        let start = line.iter().rposition(|b| *b == STX)?;
        Self::read(&line[start..]).map(|_| start)
    }
}

/// Takes `;L;W;H` off the end, if that is how the line ends.
fn split_dims(line: &[u8]) -> Option<(&[u8], Dims)> {
    let mut parts = line.rsplitn(4, |b| *b == b';');
    let height_mm = side_mm(parts.next()?)?;
    let width_mm = side_mm(parts.next()?)?;
    let length_mm = side_mm(parts.next()?)?;
    Some((parts.next()?, Dims { length_mm, width_mm, height_mm }))
}

fn side_mm(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    let mut side = 0;
    for digit in digits {
        side = side * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(side)
}

/// Cuts a scanner's bytes into [`Scan`]s.
pub type ScannerCodec = Lines<ScanLine>;

/// Our side of the wire.
pub(super) struct Scanner;

impl Conversation for Scanner {
    type Frame = Scan;
    type Codec = ScannerCodec;
    const ANSWERS_KEEPALIVE: bool = false;

    fn open(&mut self, turn: &mut Turn<'_>) {
        turn.up("scanner".into());
    }

    fn hear(&mut self, scan: Scan, turn: &mut Turn<'_>) {
        turn.say(Observation::Scanned { code: scan.code, dims: scan.dims });
    }

    fn obey(&mut self, _instruction: Instruction, _turn: &mut Turn<'_>) {}

    fn due(&mut self, _turn: &mut Turn<'_>) -> Result<(), SmolStr> {
        Ok(())
    }

    fn keepalive(&mut self, _turn: &mut Turn<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_bytes, decode_all, never_breaks, split_at};
    use super::*;
    use proptest::prelude::*;

    fn scan(code: Option<&str>, dims: Option<[u32; 3]>) -> Scan {
        Scan { code: code.map(SmolStr::new), dims: dims.map(|[l, w, h]| Dims::new(l, w, h)) }
    }

    #[test]
    fn lines_as_scanners_send_them() {
        for (line, expected) in [
            (&b"RR473124829CN"[..], Some(scan(Some("RR473124829CN"), None))),
            (b"RR473124829CN;300;200;100", Some(scan(Some("RR473124829CN"), Some([300, 200, 100])))),
            (b"\x02RR473124829CN;300;200;100\x03", Some(scan(Some("RR473124829CN"), Some([300, 200, 100])))),
            (b"\x02RR473124829CN", Some(scan(Some("RR473124829CN"), None))),
            (b"NOREAD;300;200;100", Some(scan(None, Some([300, 200, 100])))),
            (b"NOREAD", Some(scan(None, None))),
            (b"A;B;1;2;3", Some(scan(Some("A;B"), Some([1, 2, 3])))),
            (b"A;1;2", Some(scan(Some("A;1;2"), None))),
            (b"A;1;2;99999", Some(scan(Some("A;1;2;99999"), None))),
            (b"420123\x1d9400", Some(scan(Some("420123\x1d9400"), None))),
            (b"\x02]C142078701\x1d9400\t\x03", Some(scan(Some("]C142078701\x1d9400"), None))),
            (b"[)>\x1e06\x1d1JAB\x1e\x04;1;2;3", Some(scan(Some("[)>\x1e06\x1d1JAB\x1e\x04"), Some([1, 2, 3])))),
            (b"?", Some(scan(None, None))),
            (b"]X0ERROR", Some(scan(None, None))),
            (b"\x02\x03", Some(scan(None, None))),
            (b";1;2;3", Some(scan(None, Some([1, 2, 3])))),
            (b"", None),
            (b"\x00\x81", None),
        ] {
            assert_eq!(ScanLine::read(line), expected, "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn garbage_on_the_same_line_is_cut_off_at_the_stx() {
        let (frames, garbage) = decode_all(ScannerCodec::default(), [&b"\xff\x00\x02abc\x02AB1\x03\r\n"[..]]);
        assert_eq!((frames, garbage), (vec![scan(Some("AB1"), None)], 6));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in any_bytes()) {
            never_breaks(ScannerCodec::default, &bytes, LINE_BYTES_MAX);
        }

        #[test]
        fn a_scan_after_garbage_is_found(noise in proptest::collection::vec(any::<u8>(), 0..600), cut in 0usize..700) {
            let mut bytes = noise;
            bytes.extend_from_slice(b"\x02RR473124829CN;300;200;100\x03\r\n");
            let (frames, _) = decode_all(ScannerCodec::default(), split_at(&bytes, cut));
            prop_assert_eq!(frames.last(), Some(&scan(Some("RR473124829CN"), Some([300, 200, 100]))));
        }
    }
}
