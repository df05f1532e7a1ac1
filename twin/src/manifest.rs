//! A manifest: what is handed to one carrier at one collection. Bags, parcels, weight.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::{BagId, CarrierId, Grams, Moment, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub open: bool,
    pub warehouse: WarehouseId,
    pub carrier: CarrierId,
    pub bags: Vec<BagId>,
    pub parcels: u32,
    pub weight_g: u64,
    pub opened_at: Moment,
    pub closed_at: Option<Moment>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Open {
        warehouse: WarehouseId,
        carrier: CarrierId,
    },
    Load {
        bag: BagId,
        parcels: u32,
        weight_g: Grams,
    },
    /// The driver signed: nothing more goes on.
    Close,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Opened { warehouse: WarehouseId, carrier: CarrierId },
    Loaded { bag: BagId, parcels: u32, weight_g: Grams },
    Closed,
}

impl Entity for Manifest {
    const KIND: Kind = Kind::Manifest;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        let existed = self.open || self.closed_at.is_some();
        match command {
            Command::Open { .. } if existed => Ok(vec![]),
            Command::Open { warehouse, carrier } => Ok(vec![Event::Opened { warehouse, carrier }]),
            Command::Load { bag, .. } if self.bags.contains(&bag) => Ok(vec![]),
            Command::Load { bag, parcels, weight_g } if self.open => Ok(vec![Event::Loaded { bag, parcels, weight_g }]),
            Command::Load { .. } => {
                Err(Self::refuse(id, Why::WrongStage { is: "closed".into(), step: "loading a bag".into(), wants: "open".into() }))
            }
            Command::Close if self.open => Ok(vec![Event::Closed]),
            Command::Close => Ok(vec![]),
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Opened { warehouse, carrier } => {
                self.open = true;
                self.warehouse = warehouse.clone();
                self.carrier = carrier.clone();
                self.opened_at = at;
            }
            Event::Loaded { bag, parcels, weight_g } => {
                self.bags.push(bag.clone());
                self.parcels += parcels;
                self.weight_g += u64::from(*weight_g);
            }
            Event::Closed => {
                self.open = false;
                self.closed_at = Some(at);
            }
        }
    }

    fn stage_word(&self) -> &'static str {
        if self.open { "open" } else { "closed" }
    }

    fn listings(&self, id: &str) -> Vec<Listing> {
        // The dock numbers its own: `SZX/dock-1:direct:2`.
        let dock = id.split(':').next().unwrap_or_default();
        if self.open { vec![Listing::new(Facet::Manifest, dock, "")] } else { vec![] }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Manifest(event) = event { Some(event) } else { None }
    }
}
