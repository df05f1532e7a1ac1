//! By whom something happened, and because of what: stands in every record.

use crate::{CarrierId, DeviceId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The house itself: a rule, a timer, a consequence of an earlier record.
    #[default]
    System,
    /// Somebody, by the name under which they are known here.
    Person(SmolStr),
    /// A program that holds an API key, by the key's name.
    ApiKey(SmolStr),
    /// What a device saw or said.
    Device(DeviceId),
    /// What a carrier answered or told.
    Carrier(CarrierId),
}

/// What led to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It came from outside by itself: a scan, a carrier's news, the start of the house.
    #[default]
    Nothing,
    /// A request, by its idempotency key; without one, by the number that its answer carried.
    Request(SmolStr),
    /// An earlier record, by its sequence number.
    Record(u64),
}

/// Where a piece of work comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    pub by: By,
    pub because: Because,
}

impl By {
    pub fn is_system(&self) -> bool {
        *self == By::System
    }
}

impl Because {
    pub fn is_nothing(&self) -> bool {
        *self == Because::Nothing
    }
}

impl Origin {
    pub fn by(by: By) -> Self {
        Origin { by, because: Because::Nothing }
    }

    /// A consequence of the record with this number.
    pub fn record(seq: u64) -> Self {
        Origin { by: By::System, because: Because::Record(seq) }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::System => f.write_str("the system"),
            By::Person(name) => write!(f, "{name}"),
            By::ApiKey(name) => write!(f, "API key {name}"),
            By::Device(id) => write!(f, "device {id}"),
            By::Carrier(id) => write!(f, "carrier {id}"),
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Nothing => f.write_str("of nothing"),
            Because::Request(key) => write!(f, "of request {key}"),
            Because::Record(seq) => write!(f, "of record {seq}"),
        }
    }
}
