//! One record: an event, where it stands in history, whose it is, by whom and because of what; and how that is written.
//!
//! A map of numbered fields, as in [`crate::field`]: 0 time (µs since 1970, UTC), 1 kind, 2 id, 3 version, 4 event tag,
//! 5 the event's schema version (left out: 1), 6 the event's fields, 7 by whom `[1 person | 2 API key | 3 device |
//! 4 carrier, name]`, 8 because of what (a number: how many records earlier; a text: a request), 9 how many µs before its
//! time it was decided. The sequence number follows from the group that holds it, the site from the segment.

use crate::entity::{Key, Kind};
use crate::event::Event;
use crate::field::{Field, Pen, counted};
use crate::{Because, By, Moment, Span};
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The newest schema version of an event that this program knows.
pub const EVENT_SCHEMA: u32 = 1;

/// One event, where it stands in history, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was written. Never earlier than the record before it.
    pub at: Moment,
    /// How long before that it was decided, which is the moment that the entity knows.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub decided_before: Span,
    #[serde(default)]
    pub by: By,
    #[serde(default)]
    pub because: Because,
    pub key: Key,
    /// How many events the entity has had, this one included.
    pub version: u32,
    pub event: Event,
}

impl Record {
    pub fn decided_at(&self) -> Moment {
        self.at - self.decided_before
    }

    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        let mut pen = Pen::new(bytes);
        let bare = self.event.is_bare();
        let (by, because, early) = (!self.by.is_system(), !self.because.is_nothing(), !self.decided_before.is_zero());
        pen.map(5 + u64::from(!bare) + u64::from(by) + u64::from(because) + u64::from(early));
        pen.uint(0);
        pen.int(self.at.0);
        pen.uint(1);
        pen.uint(u64::from(self.key.kind.number()));
        pen.uint(2);
        pen.text(&self.key.id);
        pen.uint(3);
        pen.uint(u64::from(self.version));
        pen.uint(4);
        pen.uint(u64::from(self.event.number()));
        if !bare {
            pen.uint(6);
            self.event.put_fields(&mut pen);
        }
        if by {
            pen.uint(7);
            self.by.put(&mut pen);
        }
        match &self.because {
            Because::Nothing => {}
            Because::Request(key) => {
                pen.uint(8);
                pen.text(key);
            }
            Because::Record(seq) => {
                pen.uint(8);
                pen.uint(self.seq.saturating_sub(*seq));
            }
        }
        if early {
            pen.uint(9);
            pen.int(self.decided_before.0);
        }
    }

    /// Reads record `seq`. Fields that are not known are skipped; an event that is not known is refused in words.
    pub(crate) fn take(seq: u64, bytes: &[u8]) -> Result<Record, Error> {
        let d = &mut Decoder::new(bytes);
        let (mut at, mut kind, mut id, mut version, mut tag, mut schema) = (None, None, None, None, None, 1);
        let (mut fields, mut event) = (None, None);
        let (mut by, mut because, mut decided_before) = (By::System, Because::Nothing, Span::ZERO);
        let length = d.map()?;
        for _ in 0..counted(length, d)? {
            match d.u64()? {
                0 => at = Some(Moment(d.i64()?)),
                1 => kind = Some(d.u32()?),
                2 => id = Some(SmolStr::new(d.str()?)),
                3 => version = Some(d.u32()?),
                4 => tag = Some(d.u32()?),
                5 => schema = d.u32()?,
                6 => match (kind.and_then(Kind::of_number), tag) {
                    // As we write it, what it is stands before it.
                    (Some(kind), Some(tag)) if schema <= EVENT_SCHEMA => event = Some(Event::take_fields(kind, tag, Some(&mut *d))?),
                    _ => {
                        fields = Some(d.position());
                        d.skip()?;
                    }
                },
                7 => by = By::take(d)?,
                8 => {
                    because = match d.datatype()? {
                        Type::String => Because::Request(SmolStr::new(d.str()?)),
                        _ => Because::Record(seq.saturating_sub(d.u64()?)),
                    }
                }
                9 => decided_before = Span(d.i64()?),
                _ => d.skip()?,
            }
        }
        if d.position() != bytes.len() {
            return Err(Error::message("something stands behind its last field"));
        }
        let lacks = |what: &str| Error::message(format!("it has no {what}"));
        let kind = kind.ok_or_else(|| lacks("kind"))?;
        let kind = Kind::of_number(kind)
            .ok_or_else(|| Error::message(format!("kind {kind} is not known to this program; a newer one wrote it")))?;
        let tag = tag.ok_or_else(|| lacks("event"))?;
        if schema > EVENT_SCHEMA {
            let newer = format!(
                "{} event {tag} has schema version {schema}, and this program knows {EVENT_SCHEMA}; a newer one wrote it",
                kind.as_str()
            );
            return Err(Error::message(newer));
        }
        let event = match event {
            Some(event) => event,
            None => Event::take_fields(kind, tag, fields.map(|position| Decoder::new(&bytes[position..])).as_mut())?,
        };
        Ok(Record {
            seq,
            at: at.ok_or_else(|| lacks("time"))?,
            decided_before,
            by,
            because,
            key: Key { kind, id: id.ok_or_else(|| lacks("id"))? },
            version: version.ok_or_else(|| lacks("version"))?,
            event,
        })
    }
}

/// Whose a record is, read without the rest of it: the number of its kind, and its id.
pub(crate) fn key_of(bytes: &[u8]) -> Result<(u32, &str), Error> {
    let d = &mut Decoder::new(bytes);
    let (mut kind, mut id) = (None, None);
    let length = d.map()?;
    for _ in 0..counted(length, d)? {
        match d.u64()? {
            0 => drop(d.i64()?),
            1 => kind = Some(d.u32()?),
            2 => id = Some(d.str()?),
            _ => d.skip()?,
        }
        if let (Some(kind), Some(id)) = (kind, id) {
            return Ok((kind, id));
        }
    }
    Err(Error::message("it has no kind or no id"))
}

impl By {
    fn put(&self, pen: &mut Pen) {
        let (number, name) = match self {
            By::System => (0, ""),
            By::Person(name) => (1, name.as_str()),
            By::ApiKey(name) => (2, name.as_str()),
            By::Device(id) => (3, id.as_str()),
            By::Carrier(id) => (4, id.as_str()),
        };
        pen.array(2);
        pen.uint(number);
        pen.text(name);
    }

    fn take(d: &mut Decoder) -> Result<By, Error> {
        d.array()?;
        let (number, name) = (d.u64()?, SmolStr::take(d)?);
        Ok(match number {
            0 => By::System,
            1 => By::Person(name),
            2 => By::ApiKey(name),
            3 => By::Device(name.into()),
            4 => By::Carrier(name.into()),
            newer => return Err(Error::message(format!("a record is by {newer} {name}, which this program does not know"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Money, money, parcel, stock};

    fn both_ways(record: Record) -> Vec<u8> {
        let mut bytes = Vec::new();
        record.put(&mut bytes);
        assert_eq!(Record::take(record.seq, &bytes).unwrap(), record);
        assert_eq!(key_of(&bytes).unwrap(), (u32::from(record.key.kind.number()), record.key.id.as_str()));
        bytes
    }

    fn record(event: impl Into<Event>) -> Record {
        let event = event.into();
        Record {
            seq: 70_000,
            at: Moment(1_762_617_600_000_000),
            decided_before: Span::ZERO,
            by: By::System,
            because: Because::Nothing,
            key: Key::new(event.kind(), "SHO-0000001"),
            version: 3,
            event,
        }
    }

    #[test]
    fn a_record_reads_back_with_all_it_says() {
        let plain = both_ways(record(parcel::Event::Packed));
        assert_eq!(plain.len(), 30, "a bare event costs its envelope alone");
        both_ways(Record {
            by: By::Device("SZX/line-1/scale".into()),
            because: Because::Record(69_998),
            ..record(parcel::Event::Verified)
        });
        both_ways(Record { by: By::Person("li".into()), because: Because::Request("k-1".into()), ..record(parcel::Event::Packed) });
        both_ways(Record { decided_before: Span(17), ..record(parcel::Event::Sorted { chute: 0 }) });
        let huge = Money::new(rust_decimal::Decimal::MAX, money::Currency::USD);
        for freight in [huge, Money::new(rust_decimal::Decimal::new(-990, 2), money::Currency::CNY)] {
            let (tracking, label) = (crate::TrackingNumber::new("T1"), crate::Hash::default());
            both_ways(record(parcel::Event::LabelBought { tracking, label, charged: Some(freight), plate: None }));
        }
        both_ways(record(parcel::Event::Measured { weight_g: 0, dims: Some(crate::Dims::default()) }));
    }

    #[test]
    fn a_newer_field_is_skipped_and_a_newer_event_refused_in_words() {
        let mut bytes = Vec::new();
        record(stock::Event::Counted { on_hand: 4, safety: 0 }).put(&mut bytes);
        let mut newer = vec![bytes[0] + 1];
        newer.extend_from_slice(&bytes[1..]);
        newer.extend_from_slice(&[0x18, 99, 0x63, b'n', b'e', b'w']);
        assert_eq!(Record::take(70_000, &newer).unwrap(), record(stock::Event::Counted { on_hand: 4, safety: 0 }));
        let mut unknown = Vec::new();
        let mut pen = Pen::new(&mut unknown);
        pen.map(5);
        [(0, 1), (1, u64::from(Kind::Stock.number())), (3, 1), (4, 250), (2, 0)].into_iter().for_each(|(field, value)| {
            pen.uint(field);
            if field == 2 { pen.text("W:S") } else { pen.uint(value) }
        });
        let why = Record::take(1, &unknown).unwrap_err().to_string();
        assert!(why.contains("stock 250") && why.contains("newer"), "{why}");
    }
}
