//! A building: where it is.

use crate::entity::{Entity, Kind, Refusal};
use crate::{Address, Moment};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Warehouse {
    pub address: Address,
    pub open: bool,
}

#[derive(Clone, Debug)]
pub enum Command {
    Open { address: Address },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Opened { address: Box<Address> },
}

impl Entity for Warehouse {
    const KIND: Kind = Kind::Warehouse;
    type Command = Command;
    type Event = Event;

    fn decide(&self, _id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        let Command::Open { address } = command;
        Ok(if self.open && self.address == address { vec![] } else { vec![Event::Opened { address: Box::new(address) }] })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        let Event::Opened { address } = event;
        self.address = Address::clone(address);
        self.open = true;
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Warehouse(event) = event { Some(event) } else { None }
    }
}
