//! A station device as the twin knows it: reachable or not, healthy or not.

use crate::Moment;
use crate::entity::{Entity, Kind, Refusal};
use crate::problem::{Cause, Severity, Trouble};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What kind of device stands at the end of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    #[default]
    Scanner,
    Scale,
    Sorter,
    Printer,
}

impl DeviceKind {
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceKind::Scanner => "scanner",
            DeviceKind::Scale => "scale",
            DeviceKind::Sorter => "sorter",
            DeviceKind::Printer => "printer",
        }
    }
}

/// The fault of a device that works and says much that cannot be read.
pub const DEGRADED: &str = "sends what cannot be read";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    pub kind: DeviceKind,
    pub online: bool,
    /// What it says it is: a serial number, a firmware line.
    pub identity: SmolStr,
    /// What is wrong with it, in its own words: `paper out`.
    pub fault: Option<SmolStr>,
    pub disconnects: u32,
    pub faults: u32,
    pub since: Moment,
    /// A person took it out, for this reason: nothing is asked of it, and what it lacks is no fault.
    pub out: Option<SmolStr>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Connect {
        kind: DeviceKind,
        identity: SmolStr,
    },
    Disconnect {
        why: SmolStr,
    },
    RaiseFault {
        what: SmolStr,
    },
    ClearFault,
    /// It came again so many times since it was last told.
    RepeatFault {
        what: SmolStr,
        times: u32,
        /// The faults that were counted before that: it alone tells one that arrives twice.
        known: u32,
    },
    /// A person takes it out; told again for another reason, that is the reason.
    TakeOut {
        why: SmolStr,
    },
    PutBack {
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Connected {
        kind: DeviceKind,
        identity: SmolStr,
    },
    Disconnected {
        why: SmolStr,
    },
    FaultRaised {
        what: SmolStr,
    },
    FaultCleared,
    /// An intermittent fault: it is there, and came so many times since it was last told.
    FaultRepeated {
        what: SmolStr,
        times: u32,
    },
    TakenOut {
        why: SmolStr,
    },
    PutBack {
        why: SmolStr,
    },
}

impl Device {
    /// Nobody has heard of it yet.
    fn is_new(&self) -> bool {
        !self.online && self.disconnects == 0 && self.identity.is_empty() && self.fault.is_none() && self.out.is_none()
    }
}

impl Entity for Device {
    const KIND: Kind = Kind::Device;
    type Command = Command;
    type Event = Event;

    fn decide(&self, _id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Connect { kind, identity } if !self.online || self.identity != identity => vec![Event::Connected { kind, identity }],
            // One that was never reached is away too.
            Command::Disconnect { why } if self.online || self.is_new() => vec![Event::Disconnected { why }],
            Command::RaiseFault { what } if self.fault.as_ref() != Some(&what) => vec![Event::FaultRaised { what }],
            Command::ClearFault if self.fault.is_some() => vec![Event::FaultCleared],
            Command::RepeatFault { what, times, known } if times > 0 && known == self.faults => vec![Event::FaultRepeated { what, times }],
            Command::TakeOut { why } if self.out.as_ref() != Some(&why) => vec![Event::TakenOut { why }],
            Command::PutBack { why } if self.out.is_some() => vec![Event::PutBack { why }],
            _ => vec![],
        })
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        self.since = at;
        match event {
            Event::Connected { kind, identity } => {
                self.kind = *kind;
                self.online = true;
                self.identity = identity.clone();
            }
            Event::Disconnected { .. } => {
                self.online = false;
                self.disconnects += 1;
            }
            Event::FaultRaised { what } => {
                self.fault = Some(what.clone());
                self.faults += 1;
            }
            Event::FaultCleared => self.fault = None,
            Event::FaultRepeated { what, times } => {
                self.fault = Some(what.clone());
                self.faults = self.faults.saturating_add(*times);
            }
            Event::TakenOut { why } => self.out = Some(why.clone()),
            Event::PutBack { .. } => self.out = None,
        }
    }

    fn stage_word(&self) -> &'static str {
        if self.out.is_some() {
            "out"
        } else if self.online && self.fault.as_deref() == Some(DEGRADED) {
            "degraded"
        } else if self.fault.is_some() {
            "faulty"
        } else if self.online {
            "online"
        } else {
            "offline"
        }
    }

    fn troubles(&self) -> Vec<Trouble> {
        if self.out.is_some() {
            return vec![];
        }
        let trouble =
            |cause, severity, what: SmolStr| Trouble { cause, severity, what, remedies: vec!["take_device_out", "take_station_out"] };
        let offline = (!self.online).then(|| trouble(Cause::Offline, Severity::Urgent, "it cannot be reached".into()));
        let faulty = self.fault.as_ref().map(|what| trouble(Cause::Faulty, Severity::Act, what.clone()));
        offline.into_iter().chain(faulty).collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Device(event) = event { Some(event) } else { None }
    }
}
