//! A carrier as the twin knows it: whether we may buy from it just now.

use crate::Moment;
use crate::entity::{Entity, Kind, Refusal};
use crate::problem::{Cause, Severity, Trouble};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    /// Why we hold back: it failed too often in a row.
    pub suspended: Option<SmolStr>,
    pub suspensions: u32,
    pub since: Moment,
}

#[derive(Clone, Debug)]
pub enum Command {
    Suspend { why: SmolStr },
    Resume,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Suspended { why: SmolStr },
    Resumed,
}

impl Entity for Carrier {
    const KIND: Kind = Kind::Carrier;
    type Command = Command;
    type Event = Event;

    fn decide(&self, _id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Suspend { why } if self.suspended.is_none() => vec![Event::Suspended { why }],
            Command::Resume if self.suspended.is_some() => vec![Event::Resumed],
            _ => vec![],
        })
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        self.since = at;
        match event {
            Event::Suspended { why } => {
                self.suspended = Some(why.clone());
                self.suspensions += 1;
            }
            Event::Resumed => self.suspended = None,
        }
    }

    fn stage_word(&self) -> &'static str {
        if self.suspended.is_some() { "suspended" } else { "open" }
    }

    fn troubles(&self) -> Vec<Trouble> {
        self.suspended.iter().map(|why| Trouble { cause: Cause::Suspended, severity: Severity::Urgent, what: why.clone() }).collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Carrier(event) = event { Some(event) } else { None }
    }
}
