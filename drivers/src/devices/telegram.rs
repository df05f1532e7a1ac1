//! The sorter's telegrams: 160 printable ASCII characters each, after OSIP, with the header and message types of that
//! protocol and a body of fixed fields.
//!
//! | from | length | field |
//! |---:|---:|---|
//! | 0 | 3 | `###` |
//! | 3 | 5 | length of what follows the header: always `00137` |
//! | 8 | 5 | sender, padded with `_` |
//! | 13 | 5 | receiver, padded with `_` |
//! | 18 | 5 | sequence number of the sender, `00001` to `99999`, then `00001` again |
//! | 23 | 4 | type: `SYNQ` `SYNC` `REQ_` `RES_` `UPD_` `ERR_` |
//! | 27 | 17 | when it was made, UTC: `YYYYMMDDhhmmssSSS` |
//! | 44 | 10 | PIC, the sorter's own number for the item on the belt |
//! | 54 | 5 | chute |
//! | 59 | 8 | error code: `00000000` is none |
//! | 67 | 93 | text, padded with `*` |
//!
//! Fields that a type does not use are zeros. Never panics on any bytes; after garbage it hunts for the next `###`.

use super::frames::Heard;
use bytes::{Buf, BytesMut};
use smol_str::SmolStr;
use tokio_util::codec::{Decoder, Encoder};
use twin::Moment;

/// Every telegram has this length in bytes.
pub const TELEGRAM_BYTES: usize = 160;
/// The longest text; more is cut off.
pub const TEXT_BYTES_MAX: usize = TELEGRAM_BYTES - TEXT;
/// The highest sequence number; the next is 1.
pub const SEQUENCE_MAX: u32 = 99_999;

const START: &[u8] = b"###";
const LENGTH: &[u8] = b"00137";
const SENDER: usize = 8;
const RECEIVER: usize = 13;
const SEQUENCE: usize = 18;
const KIND: usize = 23;
const MADE: usize = 27;
const PIC: usize = 44;
const CHUTE: usize = 54;
const ERROR: usize = 59;
const TEXT: usize = 67;

/// What a telegram is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TelegramKind {
    /// Are you there? Also the handshake.
    SyncAsked,
    /// I am; the text says what I am.
    SyncAnswered,
    /// Where does the item PIC go?
    Request,
    /// It goes to the chute.
    Response,
    /// It went to the chute.
    Update,
    /// Something is wrong (the text says what), or with error code 0: no longer.
    Error,
}

const KINDS: [(TelegramKind, &[u8; 4]); 6] = [
    (TelegramKind::SyncAsked, b"SYNQ"),
    (TelegramKind::SyncAnswered, b"SYNC"),
    (TelegramKind::Request, b"REQ_"),
    (TelegramKind::Response, b"RES_"),
    (TelegramKind::Update, b"UPD_"),
    (TelegramKind::Error, b"ERR_"),
];

/// The name of one side of the wire: five letters, shorter ones padded with `_`.
pub type Side = [u8; 5];

/// One telegram. `made` is the 17 digits of the timestamp; [`stamp`] makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telegram {
    pub sender: Side,
    pub receiver: Side,
    pub sequence: u32,
    pub kind: TelegramKind,
    pub made: [u8; 17],
    pub pic: u32,
    pub chute: u16,
    /// 0 is none; at most eight digits.
    pub error: u32,
    pub text: SmolStr,
}

/// `YYYYMMDDhhmmssSSS` in UTC, zeros for a moment that no calendar has.
pub fn stamp(moment: Moment) -> [u8; 17] {
    let mut made = [b'0'; 17];
    if let Ok(at) = jiff::Timestamp::from_microsecond(moment.0) {
        let at = jiff::tz::Offset::UTC.to_datetime(at);
        let field = |n: i16| u64::from(n.unsigned_abs());
        let field8 = |n: i8| u64::from(n.unsigned_abs());
        put_digits(&mut made[..4], field(at.year()));
        put_digits(&mut made[4..6], field8(at.month()));
        put_digits(&mut made[6..8], field8(at.day()));
        put_digits(&mut made[8..10], field8(at.hour()));
        put_digits(&mut made[10..12], field8(at.minute()));
        put_digits(&mut made[12..14], field8(at.second()));
        put_digits(&mut made[14..], field(at.millisecond()));
    }
    made
}

pub(super) fn put_digits(field: &mut [u8], mut n: u64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

fn digits(field: &[u8]) -> Option<u64> {
    field.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

/// Whether a character can stand in a text: printable, and neither of the two that have a meaning of their own.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'#' && byte != b'*'
}

impl Telegram {
    /// Appends the 160 characters. Characters that a text cannot hold become `?`.
    pub fn write(&self, out: &mut BytesMut) {
        let mut frame = [b'*'; TELEGRAM_BYTES];
        frame[..3].copy_from_slice(START);
        frame[3..SENDER].copy_from_slice(LENGTH);
        frame[SENDER..RECEIVER].copy_from_slice(&self.sender);
        frame[RECEIVER..SEQUENCE].copy_from_slice(&self.receiver);
        put_digits(&mut frame[SEQUENCE..KIND], self.sequence.into());
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(b"ERR_", |(_, letters)| *letters);
        frame[KIND..MADE].copy_from_slice(kind);
        frame[MADE..PIC].copy_from_slice(&self.made);
        put_digits(&mut frame[PIC..CHUTE], self.pic.into());
        put_digits(&mut frame[CHUTE..ERROR], self.chute.into());
        put_digits(&mut frame[ERROR..TEXT], self.error.into());
        for (place, byte) in frame[TEXT..].iter_mut().zip(self.text.bytes()) {
            *place = if is_text(byte) { byte } else { b'?' };
        }
        out.extend_from_slice(&frame);
    }

    /// Reads 160 characters; `None` if they are not a telegram.
    pub fn read(frame: &[u8]) -> Option<Telegram> {
        if frame.len() != TELEGRAM_BYTES || !frame.starts_with(START) || &frame[3..SENDER] != LENGTH {
            return None;
        }
        let (kind, _) = KINDS.iter().find(|(_, letters)| &frame[KIND..MADE] == *letters)?;
        digits(&frame[MADE..PIC])?;
        let (text, padding) = frame[TEXT..].split_at(frame[TEXT..].iter().position(|b| *b == b'*').unwrap_or(TEXT_BYTES_MAX));
        if !text.iter().copied().all(is_text) || !padding.iter().all(|b| *b == b'*') {
            return None;
        }
        let sequence = u32::try_from(digits(&frame[SEQUENCE..KIND])?).ok().filter(|n| *n >= 1)?;
        Some(Telegram {
            sender: side(&frame[SENDER..RECEIVER])?,
            receiver: side(&frame[RECEIVER..SEQUENCE])?,
            sequence,
            kind: *kind,
            made: frame[MADE..PIC].try_into().ok()?,
            pic: digits(&frame[PIC..CHUTE])?.try_into().ok()?,
            chute: digits(&frame[CHUTE..ERROR])?.try_into().ok()?,
            error: digits(&frame[ERROR..TEXT])?.try_into().ok()?,
            text: std::str::from_utf8(text).ok()?.into(),
        })
    }
}

fn side(field: &[u8]) -> Option<Side> {
    let name: Side = field.try_into().ok()?;
    name.iter().all(|b| is_text(*b)).then_some(name)
}

/// Cuts a sorter's bytes into [`Telegram`]s and writes them.
#[derive(Default)]
pub struct TelegramCodec;

impl Decoder for TelegramCodec {
    type Item = Heard<Telegram>;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        let start = hunt(bytes, 0);
        if start > 0 {
            bytes.advance(start);
            return Ok(Some(Heard::Garbage(start)));
        }
        let Some(frame) = bytes.get(..TELEGRAM_BYTES) else { return Ok(None) };
        Ok(Some(match Telegram::read(frame) {
            Some(telegram) => {
                bytes.advance(TELEGRAM_BYTES);
                Heard::Frame(telegram)
            }
            None => {
                // It may have been cut short by the next one: go on from the next place that could be a beginning.
                let next = hunt(bytes, 1);
                bytes.advance(next);
                Heard::Garbage(next)
            }
        }))
    }
}

impl Encoder<Telegram> for TelegramCodec {
    type Error = std::io::Error;

    fn encode(&mut self, telegram: Telegram, out: &mut BytesMut) -> Result<(), Self::Error> {
        telegram.write(out);
        Ok(())
    }
}

/// The first place from `from` on where the bytes there are agree with the beginning of a telegram; the end if there is none.
fn hunt(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let head = rest.len().min(SENDER);
        if rest[..head].iter().eq(START.iter().chain(LENGTH).take(head)) {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_bytes, decode_all, never_breaks, split_at};
    use super::*;
    use proptest::prelude::*;

    fn request() -> Telegram {
        let made = stamp("2026-11-09T00:00:33.125Z".parse().unwrap());
        let (sender, receiver) = (*b"SRT01", *b"TWIN_");
        Telegram { sender, receiver, sequence: 42, kind: TelegramKind::Request, made, pic: 7, chute: 0, error: 0, text: "".into() }
    }

    #[test]
    fn a_telegram_looks_as_the_table_says() {
        let mut out = BytesMut::new();
        request().write(&mut out);
        let expected = format!("{:*<160}", "###00137SRT01TWIN_00042REQ_2026110900003312500000000070000000000000");
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        assert_eq!(Telegram::read(&out), Some(request()));
    }

    #[test]
    fn a_telegram_cut_short_costs_only_itself() {
        let mut out = BytesMut::new();
        request().write(&mut out);
        out.truncate(100);
        request().write(&mut out);
        assert_eq!(decode_all(TelegramCodec, [&out[..]]), (vec![request()], 100));
    }

    fn any_telegram() -> impl Strategy<Value = Telegram> {
        let kind = proptest::sample::select(KINDS.map(|(kind, _)| kind).to_vec());
        let numbers = (1..=SEQUENCE_MAX, any::<u32>(), any::<u16>(), 0..=99_999_999u32, 0..4_102_444_800_000_000i64);
        (kind, numbers, "[ -\"$-)+-~]{0,93}").prop_map(|(kind, (sequence, pic, chute, error, at), text)| Telegram {
            sequence,
            kind,
            made: stamp(Moment(at)),
            pic,
            chute,
            error,
            text: text.into(),
            ..request()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(telegram in any_telegram()) {
            let mut out = BytesMut::new();
            telegram.write(&mut out);
            prop_assert_eq!(Telegram::read(&out), Some(telegram));
        }

        #[test]
        fn any_bytes_are_survived(bytes in any_bytes()) {
            never_breaks(|| TelegramCodec, &bytes, TELEGRAM_BYTES);
        }

        #[test]
        fn a_telegram_after_garbage_is_found(noise in any_bytes(), cut in 0usize..2_200) {
            let mut bytes = BytesMut::from(&noise[..]);
            request().write(&mut bytes);
            let (frames, garbage) = decode_all(TelegramCodec, split_at(&bytes, cut));
            prop_assert_eq!(frames.last(), Some(&request()));
            prop_assert_eq!(garbage, noise.len());
        }
    }
}
