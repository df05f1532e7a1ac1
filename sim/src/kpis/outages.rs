//! When a device was not there, or not well: from the record that says so to the one that says it is over.

use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use twin::device::{Device, Event};
use twin::{DeviceId, Entity, Moment, Record, Span};

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outages {
    pub count: u64,
    /// Those that were not over when the journal ended; they count until then.
    pub open: u64,
    /// All of them together, s.
    pub out_s: f64,
    pub devices: BTreeMap<DeviceId, OfDevice>,
    /// Oldest first.
    #[serde(skip)]
    pub list: Vec<Outage>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct OfDevice {
    pub count: u64,
    pub out_s: f64,
    pub longest_s: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    pub device: DeviceId,
    pub from: Moment,
    /// None: not over.
    pub until: Option<Moment>,
    /// What it began with, in the device's or the wire's own words.
    pub what: SmolStr,
}

impl Outage {
    /// `end`: the journal's last moment.
    pub fn lasted(&self, end: Moment) -> Span {
        self.until.unwrap_or(end) - self.from
    }
}

/// Reads devices' records, oldest first.
#[derive(Default)]
pub(super) struct Watch {
    devices: BTreeMap<SmolStr, (Device, Option<usize>)>,
    list: Vec<Outage>,
}

impl Watch {
    pub(super) fn take_in(&mut self, record: &Record, event: &Event) {
        let (device, out) = self.devices.entry(record.key.id.clone()).or_default();
        device.apply(record.at, event);
        let what = match event {
            Event::Disconnected { why } => Some(format_smolstr!("disconnected: {why}")),
            Event::FaultRaised { what } | Event::FaultRepeated { what, .. } => Some(what.clone()),
            Event::Connected { .. } | Event::FaultCleared | Event::TakenOut { .. } | Event::PutBack { .. } => None,
        };
        match (*out, what) {
            (None, Some(what)) => {
                *out = Some(self.list.len());
                self.list.push(Outage { device: DeviceId::from(record.key.id.clone()), from: record.at, until: None, what });
            }
            (Some(n), None) if device.online && device.fault.is_none() => {
                self.list[n].until = Some(record.at);
                *out = None;
            }
            _ => {}
        }
    }

    pub(super) fn end(self, end: Moment) -> Outages {
        let mut all = Outages::default();
        for outage in &self.list {
            let lasted_s = outage.lasted(end).as_secs_f64();
            let of = all.devices.entry(outage.device.clone()).or_default();
            of.count += 1;
            of.out_s += lasted_s;
            of.longest_s = of.longest_s.max(lasted_s);
            all.count += 1;
            all.open += u64::from(outage.until.is_none());
            all.out_s += lasted_s;
        }
        Outages { list: self.list, ..all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::device::DeviceKind;
    use twin::{Twin, Tx};

    #[test]
    fn an_outage_lasts_until_the_device_is_there_and_well() {
        let twin = Twin::in_memory("test");
        let (id, at) = (SmolStr::new("SZX/line-1/scale"), |s: i64| Moment(s * 1_000_000));
        let mut device = Device::default();
        let connected = Event::Connected { kind: DeviceKind::Scale, identity: "1".into() };
        let history = [
            (0, connected.clone()),
            (10, Event::Disconnected { why: "hung up".into() }),
            (15, Event::FaultRaised { what: "overload".into() }),
            (20, connected),
            (32, Event::FaultCleared),
            (40, Event::FaultRepeated { what: "overload".into(), times: 3 }),
        ];
        for (n, (s, event)) in history.into_iter().enumerate() {
            device.apply(at(s), &event);
            let mut tx = Tx::at(at(s));
            tx.stage(&id, n as u32 + 1, vec![event], Default::default(), &device);
            twin.commit([tx]).unwrap();
        }
        let mut watch = Watch::default();
        for record in twin.records_of(&[twin::Kind::Device]) {
            let record = record.unwrap();
            let event = Device::of(&record.event).unwrap().clone();
            watch.take_in(&record, &event);
        }
        let all = watch.end(at(45));
        assert_eq!((all.count, all.open, all.out_s), (2, 1, 27.0));
        assert_eq!(all.devices[&DeviceId::from(id.clone())], OfDevice { count: 2, out_s: 27.0, longest_s: 22.0 });
        let seen: Vec<_> = all.list.iter().map(|o| (o.from, o.until, o.what.as_str())).collect();
        assert_eq!(seen, [(at(10), Some(at(32)), "disconnected: hung up"), (at(40), None, "overload")]);
    }
}
