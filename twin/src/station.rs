//! A station: a packing bench, a sorting line or a dock door, and what stands under its chutes.

use crate::entity::{Entity, Kind, Refusal};
use crate::problem::{Cause, Severity, Trouble};
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
    /// Of those items, so many were dealt with by a person.
    pub cleared: u64,
    /// A person took it out, for this reason: nothing is given to it.
    pub out: Option<SmolStr>,
    /// The chutes that a person took out, and why.
    pub chutes_out: BTreeMap<u16, SmolStr>,
}

impl Station {
    /// Items that were sent to the reject chute since a person said that what stood there is dealt with.
    pub fn rejects_open(&self) -> u64 {
        self.rejected.saturating_sub(self.cleared)
    }
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
    /// A person takes it out; told again for another reason, that is the reason.
    TakeOut {
        why: SmolStr,
    },
    PutBack {
        why: SmolStr,
    },
    TakeChuteOut {
        chute: u16,
        why: SmolStr,
    },
    PutChuteBack {
        chute: u16,
        why: SmolStr,
    },
    /// What stood at the reject chute is dealt with, up to the so many-th that was ever rejected.
    ClearRejects {
        rejected: u64,
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Opened {
        kind: StationKind,
    },
    BagPlaced {
        chute: u16,
        bag: BagId,
    },
    BagRemoved {
        chute: u16,
    },
    ManifestOpened {
        manifest: ManifestId,
    },
    Rejected {
        pic: u32,
        chute: u16,
        code: Option<SmolStr>,
        why: SmolStr,
    },
    TakenOut {
        why: SmolStr,
    },
    PutBack {
        why: SmolStr,
    },
    ChuteTakenOut {
        chute: u16,
        why: SmolStr,
    },
    ChutePutBack {
        chute: u16,
        why: SmolStr,
    },
    /// All up to the so many-th that was ever rejected.
    RejectsCleared {
        rejected: u64,
        why: SmolStr,
    },
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
            Command::TakeOut { why } if self.out.as_ref() == Some(&why) => vec![],
            Command::TakeOut { why } => vec![Event::TakenOut { why }],
            Command::PutBack { why } if self.out.is_some() => vec![Event::PutBack { why }],
            Command::PutBack { .. } => vec![],
            Command::TakeChuteOut { chute, why } if self.chutes_out.get(&chute) == Some(&why) => vec![],
            Command::TakeChuteOut { chute, why } => vec![Event::ChuteTakenOut { chute, why }],
            Command::PutChuteBack { chute, why } if self.chutes_out.contains_key(&chute) => vec![Event::ChutePutBack { chute, why }],
            Command::PutChuteBack { .. } => vec![],
            Command::ClearRejects { rejected, .. } if rejected.min(self.rejected) <= self.cleared => vec![],
            Command::ClearRejects { rejected, why } => vec![Event::RejectsCleared { rejected: rejected.min(self.rejected), why }],
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
            Event::TakenOut { why } => self.out = Some(why.clone()),
            Event::PutBack { .. } => self.out = None,
            Event::ChuteTakenOut { chute, why } => {
                self.chutes_out.insert(*chute, why.clone());
            }
            Event::ChutePutBack { chute, .. } => {
                self.chutes_out.remove(chute);
            }
            Event::RejectsCleared { rejected, .. } => self.cleared = *rejected,
        }
    }

    /// The one thing that it can be: there is no word for one that works.
    fn stage_word(&self) -> &'static str {
        if self.out.is_some() { "out" } else { "" }
    }

    fn troubles(&self) -> Vec<Trouble> {
        // How many it are the station knows; the problem is the same.
        let what = SmolStr::new_static("items at the reject chute that no parcel answers for");
        let open = (self.rejects_open() > 0).then_some(Trouble {
            cause: Cause::Rejects,
            severity: Severity::Act,
            what,
            remedies: vec!["clear_rejects"],
        });
        open.into_iter().collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Station(event) = event { Some(event) } else { None }
    }
}
