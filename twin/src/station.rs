//! A station: a packing bench, a sorting line or a dock door, and what stands under its chutes.

use crate::entity::{Entity, Kind, Refusal};
use crate::{BagId, ManifestId, Moment, ParcelId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StationKind {
    /// Goods become a parcel: printer and scanner.
    Bench,
    /// Scanner with dimensioner, scale, sorter, tag printer.
    #[default]
    Line,
    /// Bags leave: scanner.
    Dock,
    /// Intercepted parcels are put right: printer and scanner.
    Rework,
}

impl StationKind {
    pub fn as_str(self) -> &'static str {
        match self {
            StationKind::Bench => "bench",
            StationKind::Line => "line",
            StationKind::Dock => "dock",
            StationKind::Rework => "rework",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Station {
    pub kind: StationKind,
    pub open: bool,
    /// The open bag under each chute.
    pub bags: BTreeMap<u16, BagId>,
    /// Bags are numbered from here.
    pub bags_opened: u64,
    /// Manifests are numbered from here (docks only).
    pub manifests_opened: u64,
    /// Items sent to the reject chute (lines only) without being known: no read, unknown label.
    pub rejected: u64,
    pub last_item: Option<Item>,
}

/// What was last seen of one item on a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub pic: u32,
    pub parcel: Option<ParcelId>,
    pub chute: u16,
    pub why: SmolStr,
}

#[derive(Clone, Debug)]
pub enum Command {
    Open {
        kind: StationKind,
    },
    PlaceBag {
        chute: u16,
        bag: BagId,
    },
    RemoveBag {
        chute: u16,
    },
    /// The dock's `nth` manifest, counted from 1.
    OpenManifest {
        nth: u64,
        manifest: ManifestId,
    },
    /// An item no parcel answers for goes to the reject chute, the `nth` one, counted from 1.
    Reject {
        nth: u64,
        pic: u32,
        chute: u16,
        code: Option<SmolStr>,
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Opened { kind: StationKind },
    BagPlaced { chute: u16, bag: BagId },
    BagRemoved { chute: u16 },
    ManifestOpened { manifest: ManifestId },
    Rejected { pic: u32, chute: u16, code: Option<SmolStr>, why: SmolStr },
}

impl Entity for Station {
    const KIND: Kind = Kind::Station;
    type Command = Command;
    type Event = Event;

    fn decide(&self, _id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Open { kind } if self.open && self.kind == kind => vec![],
            Command::Open { kind } => vec![Event::Opened { kind }],
            Command::PlaceBag { chute, bag } if self.bags.get(&chute) == Some(&bag) => vec![],
            Command::PlaceBag { chute, bag } => vec![Event::BagPlaced { chute, bag }],
            Command::RemoveBag { chute } if self.bags.contains_key(&chute) => vec![Event::BagRemoved { chute }],
            Command::RemoveBag { .. } => vec![],
            Command::OpenManifest { nth, .. } if nth <= self.manifests_opened => vec![],
            Command::OpenManifest { manifest, .. } => vec![Event::ManifestOpened { manifest }],
            Command::Reject { nth, .. } if nth <= self.rejected => vec![],
            Command::Reject { pic, chute, code, why, .. } => vec![Event::Rejected { pic, chute, code, why }],
        })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        match event {
            Event::Opened { kind } => {
                self.kind = *kind;
                self.open = true;
            }
            Event::BagPlaced { chute, bag } => {
                self.bags.insert(*chute, bag.clone());
                self.bags_opened += 1;
            }
            Event::BagRemoved { chute } => {
                self.bags.remove(chute);
            }
            Event::ManifestOpened { .. } => self.manifests_opened += 1,
            Event::Rejected { pic, chute, why, .. } => {
                self.rejected += 1;
                self.last_item = Some(Item { pic: *pic, parcel: None, chute: *chute, why: why.clone() });
            }
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Station(event) = event { Some(event) } else { None }
    }
}
