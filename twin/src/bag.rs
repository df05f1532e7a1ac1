//! A bag: parcels for one channel and destination under one chute, closed with a bag tag (SSCC).

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::problem::{Cause, Severity, Trouble};
use crate::{ChannelId, Grams, ManifestId, Moment, ParcelId, StationId, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, ToSmolStr};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    Open,
    Closed,
    HandedOver,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Open => "open",
            Stage::Closed => "closed",
            Stage::HandedOver => "handed over",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bag {
    pub stage: Stage,
    pub warehouse: WarehouseId,
    pub station: StationId,
    pub chute: u16,
    pub channel: ChannelId,
    pub parcels: Vec<ParcelId>,
    pub weight_g: Grams,
    pub manifest: Option<ManifestId>,
    pub opened_at: Moment,
    /// What was said of it last that wants a look; over once it has left.
    pub exception: Option<SmolStr>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Open {
        warehouse: WarehouseId,
        station: StationId,
        chute: u16,
        channel: ChannelId,
    },
    Add {
        parcel: ParcelId,
        weight_g: Grams,
    },
    /// A person took a parcel out of it.
    Remove {
        parcel: ParcelId,
        weight_g: Grams,
    },
    Close {
        why: SmolStr,
    },
    HandOver {
        manifest: ManifestId,
    },
    RaiseException {
        what: SmolStr,
    },
    /// What was wrong with it has been dealt with.
    Settle {
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Opened { warehouse: WarehouseId, station: StationId, chute: u16, channel: ChannelId },
    Added { parcel: ParcelId, weight_g: Grams },
    Closed { why: SmolStr },
    HandedOver { manifest: ManifestId },
    ExceptionRaised { what: SmolStr },
    Removed { parcel: ParcelId, weight_g: Grams },
    Settled { why: SmolStr },
}

impl Entity for Bag {
    const KIND: Kind = Kind::Bag;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        let wrong = |step: &str, wants: Stage| {
            let is = self.stage.as_str().into();
            Err(Self::refuse(id, Why::WrongStage { is, step: step.into(), wants: wants.as_str().into() }))
        };
        match (self.stage, command) {
            (Stage::Absent, Command::Open { warehouse, station, chute, channel }) => {
                Ok(vec![Event::Opened { warehouse, station, chute, channel }])
            }
            (_, Command::Open { .. }) => Ok(vec![]),
            (_, Command::Add { parcel, .. }) if self.parcels.contains(&parcel) => Ok(vec![]),
            (Stage::Open, Command::Add { parcel, weight_g }) => Ok(vec![Event::Added { parcel, weight_g }]),
            (_, Command::Add { .. }) => wrong("adding a parcel", Stage::Open),
            (Stage::Open | Stage::Closed, Command::Remove { parcel, weight_g }) if self.parcels.contains(&parcel) => {
                Ok(vec![Event::Removed { parcel, weight_g }])
            }
            (Stage::HandedOver, Command::Remove { .. }) => wrong("taking a parcel out", Stage::Closed),
            (_, Command::Remove { .. }) => Ok(vec![]),
            (_, Command::Settle { why }) if self.exception.is_some() => Ok(vec![Event::Settled { why }]),
            (_, Command::Settle { .. }) => Ok(vec![]),
            (Stage::Open, Command::Close { why }) => Ok(vec![Event::Closed { why }]),
            (_, Command::Close { .. }) => Ok(vec![]),
            (Stage::Closed, Command::HandOver { manifest }) => Ok(vec![Event::HandedOver { manifest }]),
            (Stage::HandedOver, Command::HandOver { manifest }) if self.manifest.as_ref() == Some(&manifest) => Ok(vec![]),
            (Stage::HandedOver, Command::HandOver { manifest }) => {
                let is = self.manifest.to_owned().unwrap_or_default().to_smolstr();
                Err(Self::refuse(id, Why::Mismatch { what: "its manifest".into(), is, wants: manifest.to_smolstr() }))
            }
            (_, Command::HandOver { .. }) => wrong("handover", Stage::Closed),
            (Stage::Open | Stage::Closed, Command::RaiseException { what }) if self.exception.as_ref() != Some(&what) => {
                Ok(vec![Event::ExceptionRaised { what }])
            }
            // Said before, or over by now.
            (_, Command::RaiseException { .. }) => Ok(vec![]),
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Opened { warehouse, station, chute, channel } => {
                *self = Bag {
                    stage: Stage::Open,
                    warehouse: warehouse.clone(),
                    station: station.clone(),
                    chute: *chute,
                    channel: channel.clone(),
                    opened_at: at,
                    ..Bag::default()
                }
            }
            Event::Added { parcel, weight_g } => {
                self.parcels.push(parcel.clone());
                self.weight_g = self.weight_g.saturating_add(*weight_g);
            }
            Event::Removed { parcel, weight_g } => {
                self.parcels.retain(|other| other != parcel);
                self.weight_g = self.weight_g.saturating_sub(*weight_g);
                // Whatever was said of what was in it is looked at anew.
                self.exception = None;
            }
            Event::Settled { .. } => self.exception = None,
            Event::Closed { .. } => self.stage = Stage::Closed,
            Event::ExceptionRaised { what } => self.exception = Some(what.clone()),
            Event::HandedOver { manifest } => {
                self.stage = Stage::HandedOver;
                self.manifest = Some(manifest.clone());
                self.exception = None;
            }
        }
    }

    fn stage_word(&self) -> &'static str {
        self.stage.as_str()
    }

    fn troubles(&self) -> Vec<Trouble> {
        let remedies = match self.stage {
            Stage::Closed => vec!["settle_bag", "hand_over_bag", "take_out_of_bag"],
            _ => vec!["settle_bag", "take_out_of_bag"],
        };
        let exception = self.exception.clone();
        exception.map(|what| Trouble { cause: Cause::Alarm, severity: Severity::Urgent, what, remedies }).into_iter().collect()
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        let facet = match self.stage {
            Stage::Open => Facet::Open,
            Stage::Closed => Facet::Closed,
            Stage::Absent | Stage::HandedOver => return vec![],
        };
        let held = self.parcels.iter().map(|parcel| Listing::new(Facet::Holds, parcel.text().clone(), ""));
        std::iter::once(Listing::new(facet, self.station.text().clone(), "")).chain(held).collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Bag(event) = event { Some(event) } else { None }
    }
}
