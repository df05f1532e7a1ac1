//! A building: where it is, and the counters its bags and manifests are numbered from.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::{Address, Moment};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Warehouse {
    pub address: Address,
    pub open: bool,
    pub bags_opened: u64,
    pub manifests_opened: u64,
}

#[derive(Clone, Debug)]
pub enum Command {
    Open { address: Address },
    /// Takes the next bag number.
    NumberBag,
    /// Takes the next manifest number.
    NumberManifest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Opened { address: Address },
    BagNumbered { number: u64 },
    ManifestNumbered { number: u64 },
}

impl Entity for Warehouse {
    const KIND: Kind = Kind::Warehouse;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Open { address } if self.open && self.address == address => Ok(vec![]),
            Command::Open { address } => Ok(vec![Event::Opened { address }]),
            _ if !self.open => Err(Self::refuse(id, Why::Absent)),
            Command::NumberBag => Ok(vec![Event::BagNumbered { number: self.bags_opened + 1 }]),
            Command::NumberManifest => Ok(vec![Event::ManifestNumbered { number: self.manifests_opened + 1 }]),
        }
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        match event {
            Event::Opened { address } => {
                self.address = address.clone();
                self.open = true;
            }
            Event::BagNumbered { number } => self.bags_opened = *number,
            Event::ManifestNumbered { number } => self.manifests_opened = *number,
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Warehouse(event) = event { Some(event) } else { None }
    }
}
