//! Text protocols of one line per message: cuts at line ends and skips what no line of the protocol can be.
//!
//! Never keeps more than the protocol's longest line: of a longer one only the end is looked at. Never panics on any bytes.

use super::frames::Heard;
use bytes::{Buf, BytesMut};
use std::marker::PhantomData;
use tokio_util::codec::Decoder;

/// What a line may be in one protocol.
pub trait LineGrammar {
    type Frame;
    /// The longest line in bytes, its end not counted.
    const LINE_BYTES_MAX: usize;

    /// The frame that these bytes, without their line end, are exactly.
    fn read(line: &[u8]) -> Option<Self::Frame>;

    /// Where, in a line that begins with garbage, a frame begins that reaches to its end. Only for grammars that are strict
    /// enough to tell; what is found must satisfy [`LineGrammar::read`].
    fn begins(line: &[u8]) -> Option<usize>;
}

/// A line codec for one grammar. Lines end with LF, CR LF or CR; empty ones mean nothing.
pub struct Lines<G> {
    /// Bytes already seen to hold no line end.
    scanned: usize,
    /// Bytes of an overlong line that were thrown away and not reported yet.
    skipped: usize,
    grammar: PhantomData<fn() -> G>,
}

impl<G> Default for Lines<G> {
    fn default() -> Self {
        Lines { scanned: 0, skipped: 0, grammar: PhantomData }
    }
}

impl<G: LineGrammar> Decoder for Lines<G> {
    type Item = Heard<G::Frame>;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        loop {
            let Some(length) = bytes[self.scanned..].iter().position(|b| matches!(b, b'\n' | b'\r')).map(|n| n + self.scanned) else {
                return Ok(self.no_line_yet(bytes));
            };
            self.scanned = 0;
            let skipped = std::mem::take(&mut self.skipped);
            let line = &bytes[..length];
            let kept_from = length.saturating_sub(G::LINE_BYTES_MAX);
            let whole = if skipped + kept_from == 0 { G::read(line) } else { None };
            let begins = || G::begins(&line[kept_from..]).map(|n| n + kept_from);
            match whole {
                Some(frame) => {
                    bytes.advance(length + 1);
                    return Ok(Some(Heard::Frame(frame)));
                }
                None if length + skipped == 0 => bytes.advance(1),
                None => {
                    // The frame behind the garbage, if there is one, stays: next time it is a whole line of its own.
                    let start = begins();
                    bytes.advance(start.unwrap_or(length + 1));
                    return Ok(Some(Heard::Garbage(skipped + start.unwrap_or(length))));
                }
            }
        }
    }
}

impl<G: LineGrammar> Lines<G> {
    /// Keeps the end of what may become a line. A stream without any line end is reported in shares.
    fn no_line_yet(&mut self, bytes: &mut BytesMut) -> Option<Heard<G::Frame>> {
        let excess = bytes.len().saturating_sub(G::LINE_BYTES_MAX);
        bytes.advance(excess);
        self.skipped += excess;
        self.scanned = bytes.len();
        (self.skipped >= G::LINE_BYTES_MAX).then(|| Heard::Garbage(std::mem::take(&mut self.skipped)))
    }
}
