//! The sorter's telegrams: OSIP, as OpenWMS publishes it (`org.openwms.common.comm.osip`). Each is 160 printable ASCII
//! characters, padded with `*`, and CR LF behind it.
//!
//! | from | length | field |
//! |---:|---:|---|
//! | 0 | 3 | `###` |
//! | 3 | 5 | length of the whole telegram, padding included: always `00160` |
//! | 8 | 5 | sender, padded with `_` |
//! | 13 | 5 | receiver, padded with `_` |
//! | 18 | 5 | sequence number of the sender, `00001` to `99999`, then `00001` again; an answer has the request's plus one |
//! | 23 | 4 | type |
//! | 27 | | the type's fields, see [`KINDS`]: barcode, locations and groups 20 characters each, error 8, date 14 |
//!
//! An absent field is all `*`, an unknown location all `?`, an error that was not set all `x`; a date is
//! `yyyyMMddHHmmss`. Never panics on any bytes; after garbage it hunts for the next `###00160`.

use super::frames::Heard;
use bytes::{Buf, BytesMut};
use smol_str::SmolStr;
use tokio_util::codec::Decoder;
use twin::Moment;

/// Every telegram has this length in bytes, CR LF not counted.
pub const TELEGRAM_BYTES: usize = 160;
/// The longest barcode, location or group; more is cut off.
pub const PLACE_BYTES: usize = 20;
/// The highest sequence number; the next is 1.
pub const SEQUENCE_MAX: u32 = 99_999;
/// The error in answer to a telegram of an unknown type.
pub const ERROR_UNKNOWN_TYPE: u32 = 10;

const START: &[u8] = b"###";
const LENGTH: &[u8] = b"00160";
const SENDER: usize = 8;
const RECEIVER: usize = 13;
const SEQUENCE: usize = 18;
const KIND: usize = 23;
const FIELDS: usize = 27;
const ERROR_BYTES: usize = 8;
const DATE_BYTES: usize = 14;

/// What a telegram is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TelegramKind {
    /// Are you there? Also the handshake.
    SyncAsked,
    /// I am.
    SyncAnswered,
    /// Where does the item with that barcode go?
    Request,
    /// It goes to the target.
    Response,
    /// It is at that location now.
    Update,
    /// A location works, or does not.
    Location,
    /// A part of the plant works, or does not.
    System,
    /// Something is wrong, or with error code 0: no longer.
    Error,
    /// A type that we do not know.
    #[default]
    Unknown,
}

/// One field of a type's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Barcode,
    Actual,
    Target,
    Group,
    Error,
    Date,
}

use Field::*;

/// Each type: its letters and its fields in their order.
const KINDS: [(TelegramKind, &[u8; 4], &[Field]); 8] = [
    (TelegramKind::SyncAsked, b"SYNQ", &[Date]),
    (TelegramKind::SyncAnswered, b"SYNC", &[Date]),
    (TelegramKind::Request, b"REQ_", &[Barcode, Actual, Target, Error, Date]),
    (TelegramKind::Response, b"RES_", &[Barcode, Actual, Target, Group, Error, Date]),
    (TelegramKind::Update, b"UPD_", &[Barcode, Actual, Error, Date]),
    (TelegramKind::Location, b"LOCU", &[Group, Actual, Error, Date]),
    (TelegramKind::System, b"SYSU", &[Group, Error, Date]),
    (TelegramKind::Error, b"ERR_", &[Group, Error, Date]),
];

/// The name of one side of the wire: five letters, shorter ones padded with `_`.
pub type Side = [u8; 5];

/// One telegram. Fields that its type has not are left out when it is written and empty when it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telegram {
    pub sender: Side,
    pub receiver: Side,
    pub sequence: u32,
    pub kind: TelegramKind,
    pub barcode: SmolStr,
    pub actual: SmolStr,
    pub target: SmolStr,
    pub group: SmolStr,
    /// `None` where none was set; 0 is "no error"; at most eight digits.
    pub error: Option<u32>,
    /// Fourteen digits; [`stamp`] makes them.
    pub made: [u8; DATE_BYTES],
}

/// `yyyyMMddHHmmss` in UTC, zeros for a moment that no calendar has.
pub fn stamp(moment: Moment) -> [u8; DATE_BYTES] {
    let mut made = [b'0'; DATE_BYTES];
    if let Ok(at) = jiff::Timestamp::from_microsecond(moment.0) {
        let at = jiff::tz::Offset::UTC.to_datetime(at);
        put_digits(&mut made[..4], at.year().unsigned_abs().into());
        for (n, part) in [at.month(), at.day(), at.hour(), at.minute(), at.second()].into_iter().enumerate() {
            put_digits(&mut made[4 + 2 * n..6 + 2 * n], part.unsigned_abs().into());
        }
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

/// Whether a character can stand in a field: printable, and not the one that begins a telegram.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'#'
}

impl Field {
    fn bytes(self) -> usize {
        match self {
            Barcode | Actual | Target | Group => PLACE_BYTES,
            Error => ERROR_BYTES,
            Date => DATE_BYTES,
        }
    }
}

impl Telegram {
    /// Appends the 160 characters and CR LF. Characters that a field cannot hold become `?`.
    pub fn write(&self, out: &mut BytesMut) {
        let mut frame = [b'*'; TELEGRAM_BYTES];
        frame[..3].copy_from_slice(START);
        frame[3..SENDER].copy_from_slice(LENGTH);
        frame[SENDER..RECEIVER].copy_from_slice(&self.sender);
        frame[RECEIVER..SEQUENCE].copy_from_slice(&self.receiver);
        put_digits(&mut frame[SEQUENCE..KIND], self.sequence.into());
        let (_, letters, fields) = KINDS.iter().find(|(kind, ..)| *kind == self.kind).unwrap_or(&KINDS[KINDS.len() - 1]);
        frame[KIND..FIELDS].copy_from_slice(*letters);
        let mut at = FIELDS;
        for field in *fields {
            let place = &mut frame[at..at + field.bytes()];
            at += field.bytes();
            match (field, self.error) {
                (Barcode, _) => put_text(place, &self.barcode),
                (Actual, _) => put_text(place, &self.actual),
                (Target, _) => put_text(place, &self.target),
                (Group, _) => put_text(place, &self.group),
                (Error, Some(error)) => put_digits(place, error.into()),
                (Error, None) => place.fill(b'x'),
                (Date, _) => place.copy_from_slice(&self.made),
            }
        }
        out.extend_from_slice(&frame);
        out.extend_from_slice(b"\r\n");
    }

    /// Reads 160 characters; `None` if they are not a telegram.
    pub fn read(frame: &[u8]) -> Option<Telegram> {
        if frame.len() != TELEGRAM_BYTES || !frame.starts_with(START) || &frame[3..SENDER] != LENGTH {
            return None;
        }
        let sequence = u32::try_from(digits(&frame[SEQUENCE..KIND])?).ok()?;
        let (sender, receiver) = (side(&frame[SENDER..RECEIVER])?, side(&frame[RECEIVER..SEQUENCE])?);
        if !frame[KIND..].iter().copied().all(is_text) {
            return None;
        }
        let mut telegram = Telegram { sender, receiver, sequence, made: [b'0'; DATE_BYTES], ..Telegram::default() };
        let Some((kind, _, fields)) = KINDS.iter().find(|(_, letters, _)| &frame[KIND..FIELDS] == *letters) else {
            return Some(telegram);
        };
        telegram.kind = *kind;
        let mut at = FIELDS;
        for field in *fields {
            let place = &frame[at..at + field.bytes()];
            at += field.bytes();
            match field {
                Barcode => telegram.barcode = text(place)?,
                Actual => telegram.actual = text(place)?,
                Target => telegram.target = text(place)?,
                Group => telegram.group = text(place)?,
                Error if place.iter().all(|b| matches!(b, b'x' | b'X' | b'*')) => {}
                Error => telegram.error = Some(u32::try_from(digits(place)?).ok()?),
                // Its clock is of no use to us; a control without one leaves it open.
                Date => telegram.made = place.try_into().ok()?,
            }
        }
        Some(telegram)
    }
}

fn put_text(place: &mut [u8], text: &str) {
    for (place, byte) in place.iter_mut().zip(text.bytes()) {
        *place = if is_text(byte) { byte } else { b'?' };
    }
}

fn text(place: &[u8]) -> Option<SmolStr> {
    Some(std::str::from_utf8(place).ok()?.trim_end_matches('*').into())
}

fn side(field: &[u8]) -> Option<Side> {
    let name: Side = field.try_into().ok()?;
    name.iter().all(|b| is_text(*b)).then_some(name)
}

/// Cuts a sorter's bytes into [`Telegram`]s. The line ends between them belong to the protocol and may be left out.
#[derive(Default)]
pub struct TelegramCodec;

impl Decoder for TelegramCodec {
    type Item = Heard<Telegram>;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        let ends = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        bytes.advance(ends);
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
        let (sender, receiver) = (*b"SPS01", *b"MFC__");
        let (barcode, actual) = ("00000000000000000007".into(), "EXT_0000000000000000".into());
        Telegram { sender, receiver, sequence: 42, kind: TelegramKind::Request, barcode, actual, made, ..Telegram::default() }
    }

    /// Field by field as OpenWMS publishes them.
    #[test]
    fn telegrams_look_as_they_are_published() {
        use TelegramKind::*;
        let place = |name: &str| format!("{name:*<20}");
        let of = |kind, error| Telegram { kind, error, target: "CHUT0007000000000000".into(), group: "FGWORKPLACE9".into(), ..request() };
        let (item, at, to, group) = ("00000000000000000007", "EXT_0000000000000000", "CHUT0007000000000000", place("FGWORKPLACE9"));
        for (telegram, payload) in [
            (of(SyncAsked, None), "SYNQ20261109000033".to_owned()),
            (of(SyncAnswered, None), "SYNC20261109000033".to_owned()),
            (of(Request, Some(0)), format!("REQ_{item}{at}{to}0000000020261109000033")),
            (request(), format!("REQ_{item}{at}{}xxxxxxxx20261109000033", place(""))),
            (of(Response, Some(0)), format!("RES_{item}{at}{to}{group}0000000020261109000033")),
            (of(Update, Some(1)), format!("UPD_{item}{at}0000000120261109000033")),
            (of(Location, Some(90)), format!("LOCU{group}{at}0000009020261109000033")),
            (of(System, Some(0)), format!("SYSU{group}0000000020261109000033")),
            (of(Error, Some(10)), format!("ERR_{group}0000001020261109000033")),
        ] {
            let expected = format!("{:*<160}\r\n", format!("###00160SPS01MFC__00042{payload}"));
            let mut out = BytesMut::new();
            telegram.write(&mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
            let read = Telegram::read(&out[..TELEGRAM_BYTES]).unwrap();
            let mut again = BytesMut::new();
            read.write(&mut again);
            assert_eq!((again, read.kind, read.sequence), (out, telegram.kind, 42));
        }
    }

    #[test]
    fn line_ends_may_be_there_or_not_and_a_type_may_be_unknown() {
        let mut one = BytesMut::new();
        request().write(&mut one);
        let bare = &one[..TELEGRAM_BYTES];
        let unknown = [&bare[..KIND], b"LOFF", &bare[FIELDS..]].concat();
        let sent = [bare, bare, b"\n", &one, b"\r\n", &unknown].concat();
        let (frames, garbage) = decode_all(TelegramCodec, [&sent[..]]);
        assert_eq!((frames.len(), frames[3].kind, garbage), (4, TelegramKind::Unknown, 0));
    }

    #[test]
    fn a_telegram_cut_short_costs_only_itself() {
        let mut out = BytesMut::new();
        request().write(&mut out);
        out.truncate(100);
        request().write(&mut out);
        assert_eq!(decode_all(TelegramCodec, [&out[..]]), (vec![request()], 100));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            kind in 0..KINDS.len(), texts in proptest::array::uniform4("[ -\"$-)+-~]{0,20}"), numbers in (0..=SEQUENCE_MAX, 0..=99_999_999u32),
            at in 0..4_102_444_800_000_000i64,
        ) {
            let (kind, _, fields) = KINDS[kind];
            let [barcode, actual, target, group] = texts.map(SmolStr::from);
            let has = |field: Field, text: SmolStr| if fields.contains(&field) { text } else { SmolStr::default() };
            let telegram = Telegram {
                sequence: numbers.0,
                kind,
                barcode: has(Barcode, barcode),
                actual: has(Actual, actual),
                target: has(Target, target),
                group: has(Group, group),
                error: fields.contains(&Error).then_some(numbers.1),
                made: stamp(Moment(at)),
                ..request()
            };
            let mut out = BytesMut::new();
            telegram.write(&mut out);
            prop_assert_eq!(Telegram::read(&out[..TELEGRAM_BYTES]), Some(telegram));
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
            prop_assert!(garbage <= noise.len());
        }
    }
}
