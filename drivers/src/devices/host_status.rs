//! What a ZPL printer answers: three lines to `~HS` (host status) and one to `~HI` (host identification), each between STX
//! and ETX and followed by CR LF. The field layout is that of the ZPL II programming guide.
//!
//! ```text
//! 1  aaa,b,c,dddd,eee,f,g,h,iii,j,k,l      b paper out, c paused, eee formats waiting, f buffer full, h partial format,
//!                                          j memory lost, k too cold, l too hot
//! 2  mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www      o head open, p ribbon out, t label waiting to be taken, u labels remaining
//! 3  xxxx,y                                password and memory: of no interest
//! ```
//!
//! Never sends anything and never panics on any bytes.

use super::frames::Heard;
use super::telegram::put_digits;
use bytes::{Buf, BytesMut};
use smol_str::SmolStr;
use tokio_util::codec::Decoder;

/// The longest line in bytes, STX and ETX not counted.
pub const LINE_BYTES_MAX: usize = 160;

pub(super) const STX: u8 = 0x02;
pub(super) const ETX: u8 = 0x03;
const LINE_1_FIELDS: usize = 12;
const LINE_2_FIELDS: usize = 11;
const LINE_3_FIELDS: usize = 2;

/// One line of a printer's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrinterLine {
    Buffer(Buffer),
    Head(Head),
    /// The third line, which ends a status.
    End,
    /// Model and firmware.
    Identity(SmolStr),
}

/// What line 1 tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    pub paper_out: bool,
    pub paused: bool,
    /// Formats received and not printed yet.
    pub formats: u32,
    pub full: bool,
    /// A format has begun and its end has not come.
    pub partial_format: bool,
    pub memory_lost: bool,
    pub too_cold: bool,
    pub too_hot: bool,
}

/// What line 2 tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub open: bool,
    pub ribbon_out: bool,
    /// A label hangs in the peeler and must be taken before the next is printed.
    pub label_waiting: bool,
    /// Copies of the current format still to be printed.
    pub labels_remaining: u32,
}

/// A whole status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub buffer: Buffer,
    pub head: Head,
}

impl Status {
    /// Nothing left to print.
    pub fn is_idle(&self) -> bool {
        self.buffer.formats == 0 && !self.buffer.partial_format && self.head.labels_remaining == 0
    }

    /// What keeps it from printing, the most telling first; `None` if nothing does.
    pub fn fault(&self) -> Option<&'static str> {
        let Status { buffer, head } = self;
        let faults = [
            (head.open, "head open"),
            (buffer.paper_out, "paper out"),
            (head.ribbon_out, "ribbon out"),
            (buffer.memory_lost, "memory lost"),
            (buffer.too_hot, "head too hot"),
            (buffer.too_cold, "head too cold"),
            (buffer.full, "buffer full"),
            (buffer.paused, "paused"),
            (head.label_waiting && !self.is_idle(), "label not taken"),
        ];
        faults.into_iter().find_map(|(is, words)| is.then_some(words))
    }
}

impl PrinterLine {
    /// Reads what stands between STX and ETX.
    pub fn read(line: &[u8]) -> Option<PrinterLine> {
        if !line.iter().all(|b| matches!(b, b' '..=b'~')) {
            return None;
        }
        let text = std::str::from_utf8(line).ok()?;
        let mut fields = [""; LINE_1_FIELDS];
        let mut count = 0;
        for field in text.split(',') {
            *fields.get_mut(count)? = field.trim();
            count += 1;
        }
        let flag = |n: usize| match fields[n] {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        };
        let number = |n: usize| fields[n].parse::<u32>().ok();
        match count {
            LINE_1_FIELDS => Some(PrinterLine::Buffer(Buffer {
                paper_out: flag(1)?,
                paused: flag(2)?,
                formats: number(4)?,
                full: flag(5)?,
                partial_format: flag(7)?,
                memory_lost: flag(9)?,
                too_cold: flag(10)?,
                too_hot: flag(11)?,
            })),
            LINE_2_FIELDS => Some(PrinterLine::Head(Head {
                open: flag(2)?,
                ribbon_out: flag(3)?,
                label_waiting: flag(7)?,
                labels_remaining: number(8)?,
            })),
            LINE_3_FIELDS => {
                number(0)?;
                flag(1)?;
                Some(PrinterLine::End)
            }
            3.. if fields[0].bytes().any(|b| b.is_ascii_alphabetic()) => {
                Some(PrinterLine::Identity(smol_str::format_smolstr!("{} {}", fields[0], fields[1])))
            }
            _ => None,
        }
    }
}

/// Three lines of a printer at rest, as it sends them.
const AT_REST: &[u8; 82] = b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02001,0,0,0,1,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";

/// Appends the three lines of a status. The far end's half of [`PrinterLine::read`].
pub fn write_status(out: &mut BytesMut, status: &Status) {
    let Status { buffer, head } = status;
    let mut lines = *AT_REST;
    // Where the fields stand in the lines above.
    let flags = [
        (5, buffer.paper_out),
        (7, buffer.paused),
        (18, buffer.full),
        (22, buffer.partial_format),
        (28, buffer.memory_lost),
        (30, buffer.too_cold),
        (32, buffer.too_hot),
        (43, head.open),
        (45, head.ribbon_out),
        (53, head.label_waiting),
    ];
    for (at, is) in flags {
        lines[at] = b'0' + u8::from(is);
    }
    put_digits(&mut lines[14..17], buffer.formats.min(999).into());
    put_digits(&mut lines[55..63], head.labels_remaining.min(99_999_999).into());
    out.extend_from_slice(&lines);
}

/// Cuts a printer's bytes into [`PrinterLine`]s.
#[derive(Default)]
pub struct PrinterCodec;

impl Decoder for PrinterCodec {
    type Item = Heard<PrinterLine>;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        let start = bytes.iter().position(|b| *b == STX).unwrap_or(bytes.len());
        // Line ends between the lines are part of the protocol.
        let garbage = bytes[..start].iter().filter(|b| !matches!(b, b'\r' | b'\n')).count();
        bytes.advance(start);
        if garbage > 0 {
            return Ok(Some(Heard::Garbage(garbage)));
        }
        let Some(end) = bytes.iter().skip(1).position(|b| matches!(*b, STX | ETX)).map(|n| n + 1) else {
            let overlong = bytes.len() > LINE_BYTES_MAX + 1;
            return Ok(overlong.then(|| Heard::Garbage(skip(bytes))));
        };
        if bytes[end] == STX {
            bytes.advance(end);
            return Ok(Some(Heard::Garbage(end)));
        }
        let line = PrinterLine::read(&bytes[1..end]);
        bytes.advance(end + 1);
        Ok(Some(line.map_or(Heard::Garbage(end + 1), Heard::Frame)))
    }
}

fn skip(bytes: &mut BytesMut) -> usize {
    let length = bytes.len();
    bytes.clear();
    length
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_bytes, decode_all, never_breaks, split_at};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_status_of_the_programming_guide_is_read() {
        let sent = b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";
        let (lines, garbage) = decode_all(PrinterCodec, [&sent[..]]);
        let expected = [PrinterLine::Buffer(Buffer::default()), PrinterLine::Head(Head::default()), PrinterLine::End];
        assert_eq!((&lines[..], garbage), (&expected[..], 0));
    }

    #[test]
    fn who_it_is() {
        let expected = PrinterLine::Identity("ZTC ZT411-203dpi V92.21.39Z".into());
        assert_eq!(PrinterLine::read(b"ZTC ZT411-203dpi,V92.21.39Z,8,8192KB"), Some(expected));
    }

    fn any_status() -> impl Strategy<Value = Status> {
        (any::<[bool; 10]>(), 0..=999u32, 0..=99_999_999u32).prop_map(|(f, formats, labels_remaining)| Status {
            buffer: Buffer {
                paper_out: f[0],
                paused: f[1],
                formats,
                full: f[2],
                partial_format: f[3],
                memory_lost: f[4],
                too_cold: f[5],
                too_hot: f[6],
            },
            head: Head { open: f[7], ribbon_out: f[8], label_waiting: f[9], labels_remaining },
        })
    }

    proptest! {
        #[test]
        fn a_status_after_garbage_reads_back(status in any_status(), noise in any_bytes(), cut in 0usize..2_200) {
            let mut bytes = BytesMut::from(&noise[..]);
            write_status(&mut bytes, &status);
            let (lines, _) = decode_all(PrinterCodec, split_at(&bytes, cut));
            let expected = [PrinterLine::Buffer(status.buffer), PrinterLine::Head(status.head), PrinterLine::End];
            prop_assert!(lines.ends_with(&expected));
        }

        #[test]
        fn any_bytes_are_survived(bytes in any_bytes()) {
            never_breaks(|| PrinterCodec, &bytes, LINE_BYTES_MAX + 1);
        }
    }
}
