//! The shape every noun shares: a key, a state that events build, and a decision that may refuse.

use crate::Moment;
use crate::event::Event;
use crate::facet::Listing;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::cell::Cell;
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
    Tracking,
    Settings,
    Return,
    Product,
    SkuMap,
    Seller,
    Charges,
    Declaration,
}

impl Kind {
    pub const ALL: [Kind; 17] = [
        Kind::Order,
        Kind::Parcel,
        Kind::Stock,
        Kind::Warehouse,
        Kind::Station,
        Kind::Device,
        Kind::Carrier,
        Kind::Bag,
        Kind::Manifest,
        Kind::Tracking,
        Kind::Settings,
        Kind::Return,
        Kind::Product,
        Kind::SkuMap,
        Kind::Seller,
        Kind::Charges,
        Kind::Declaration,
    ];

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
            Kind::Tracking => "tracking",
            Kind::Settings => "settings",
            Kind::Return => "return",
            Kind::Product => "product",
            Kind::SkuMap => "sku_map",
            Kind::Seller => "seller",
            Kind::Charges => "charges",
            Kind::Declaration => "declaration",
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

    /// The lists that it stands in.
    fn listings(&self, _id: &str) -> Vec<Listing> {
        Vec::new()
    }

    /// The event if it is one of this kind.
    fn of(event: &Event) -> Option<&Self::Event>;

    fn refuse(id: &SmolStr, why: Why) -> Refusal {
        Refusal { entity: Key::new(Self::KIND, id.clone()), why }
    }
}

/// The shape of all states together. States are thrown away and made anew from the journal where it differs, so it must
/// grow with every change of any of them; a test says when it must.
pub const STATES_VERSION: u32 = 10;

/// A state as the shelf keeps it: how many events made it, then the state itself.
pub(crate) fn state_bytes<E: Serialize>(version: u32, state: &E) -> Vec<u8> {
    thread_local! {
        /// Every command writes one; they are kept no larger than they are.
        static SHEET: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut sheet = SHEET.take();
    sheet.clear();
    sheet.extend_from_slice(&version.to_le_bytes());
    // Writing our own plain data into memory has no way to fail.
    let sheet = postcard::to_extend(state, sheet).unwrap_or_default();
    let bytes = sheet[..].to_vec();
    SHEET.set(sheet);
    bytes
}

pub(crate) fn read_state<E: DeserializeOwned>(bytes: &[u8]) -> Result<(u32, E), String> {
    let (version, state) = bytes.split_first_chunk::<4>().ok_or("it is empty")?;
    Ok((u32::from_le_bytes(*version), postcard::from_bytes(state).map_err(|e| e.to_string())?))
}
