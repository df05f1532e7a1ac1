//! The shape every noun shares: a key, a state that events build, and a decision that may refuse.

use crate::{Moment, bag, carrier, device, manifest, order, parcel, station, stock, warehouse};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// The kinds of noun the twin holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Order,
    Parcel,
    Stock,
    Warehouse,
    Station,
    Device,
    Carrier,
    Bag,
    Manifest,
}

impl Kind {
    pub const ALL: [Kind; 9] =
        [Kind::Order, Kind::Parcel, Kind::Stock, Kind::Warehouse, Kind::Station, Kind::Device, Kind::Carrier, Kind::Bag, Kind::Manifest];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Order => "order",
            Kind::Parcel => "parcel",
            Kind::Stock => "stock",
            Kind::Warehouse => "warehouse",
            Kind::Station => "station",
            Kind::Device => "device",
            Kind::Carrier => "carrier",
            Kind::Bag => "bag",
            Kind::Manifest => "manifest",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Kind::ALL.into_iter().find(|k| k.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Kind::ALL.iter().map(|k| k.as_str()).collect();
            format!("{text:?} is no kind of entity; the kinds are {}", known.join(", "))
        })
    }
}

/// One entity: its kind and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    pub kind: Kind,
    pub id: SmolStr,
}

impl Key {
    pub fn new(kind: Kind, id: impl Into<SmolStr>) -> Self {
        Key { kind, id: id.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

/// A rule said no. Not an error: an answer, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{entity} refuses: {why}")]
pub struct Refusal {
    pub entity: Key,
    pub why: Why,
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Why {
    #[error("it is {is}, and {step} wants it {wants}")]
    WrongStage { is: SmolStr, step: SmolStr, wants: SmolStr },
    #[error("it does not exist")]
    Absent,
    #[error("{asked} asked, {available} available")]
    Short { asked: u32, available: u32 },
    #[error("{what} is {is}, not {wants}")]
    Mismatch { what: SmolStr, is: SmolStr, wants: SmolStr },
    #[error("{what} is at its limit of {limit}")]
    Full { what: SmolStr, limit: u64 },
}

/// A noun of the trade.
///
/// The default value is the entity before anything happened to it.
pub trait Entity: Default + Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: Kind;
    type Command: fmt::Debug + Send;
    type Event: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Into<Event> + Send;

    /// What the command would make happen. An empty list: it has happened already.
    fn decide(&self, id: &SmolStr, at: Moment, command: Self::Command) -> Result<Vec<Self::Event>, Refusal>;

    /// Lets an event have happened. Total: any event that was ever written can be applied again.
    fn apply(&mut self, at: Moment, event: &Self::Event);

    /// The stage it is in, for counting; empty where the kind has none.
    fn stage_word(&self) -> &'static str {
        ""
    }

    /// The event if it is one of this kind.
    fn of(event: &Event) -> Option<&Self::Event>;

    fn refuse(id: &SmolStr, why: Why) -> Refusal {
        Refusal { entity: Key::new(Self::KIND, id.clone()), why }
    }
}

macro_rules! events {
    ($($variant:ident($module:ident :: $entity:ident)),* $(,)?) => {
        /// Anything that happened to anything: what the journal holds.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Event { $($variant($module::Event)),* }

        impl Event {
            pub fn kind(&self) -> Kind {
                match self { $(Event::$variant(_) => Kind::$variant),* }
            }
        }

        $(impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Event { Event::$variant(event) }
        })*

        /// The state bytes after `event`, given those before it (`None`: the entity is new). Used to replay a journal.
        pub(crate) fn apply_to_bytes(event: &Event, at: Moment, before: Option<&[u8]>) -> postcard::Result<Vec<u8>> {
            match event {
                $(Event::$variant(event) => {
                    let mut state: $module::$entity = match before {
                        Some(bytes) => postcard::from_bytes(bytes)?,
                        None => Default::default(),
                    };
                    state.apply(at, event);
                    postcard::to_stdvec(&state)
                }),*
            }
        }

        /// The stage word of state bytes, for counting.
        pub(crate) fn stage_of_bytes(kind: Kind, bytes: &[u8]) -> postcard::Result<&'static str> {
            match kind {
                $(Kind::$variant => Ok(postcard::from_bytes::<$module::$entity>(bytes)?.stage_word())),*
            }
        }

        /// Shows state bytes to `sink` as the type they are, so that a caller can print any entity.
        pub fn with_state<R>(kind: Kind, bytes: &[u8], sink: impl FnOnce(&dyn erased::State) -> R) -> postcard::Result<R> {
            match kind {
                $(Kind::$variant => Ok(sink(&postcard::from_bytes::<$module::$entity>(bytes)?))),*
            }
        }
    };
}

events! {
    Order(order::Order),
    Parcel(parcel::Parcel),
    Stock(stock::Stock),
    Warehouse(warehouse::Warehouse),
    Station(station::Station),
    Device(device::Device),
    Carrier(carrier::Carrier),
    Bag(bag::Bag),
    Manifest(manifest::Manifest),
}

/// States of any kind behind one door.
pub mod erased {
    use serde::Serialize;

    /// Something that can be written as JSON or any other self-describing format.
    pub trait State {
        fn json(&self) -> Result<serde_json::Value, serde_json::Error>;
    }

    impl<T: Serialize> State for T {
        fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
            serde_json::to_value(self)
        }
    }
}
