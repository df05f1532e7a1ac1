//! A carrier as the twin knows it: whether we may buy from it just now.

use crate::entity::{Entity, Kind, Refusal};
use crate::problem::{Cause, Severity, Trouble};
use crate::{ChannelId, Moment};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    /// Why we hold back: it failed too often in a row.
    pub suspended: Option<SmolStr>,
    pub suspensions: u32,
    pub since: Moment,
    /// Its channels that a person took out, and why: nothing new is sent over them.
    pub channels_out: BTreeMap<ChannelId, SmolStr>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Suspend {
        why: SmolStr,
    },
    Resume,
    /// A person wants it asked again at once.
    AskAgain {
        why: SmolStr,
    },
    /// Told again for another reason, that is the reason.
    TakeChannelOut {
        channel: ChannelId,
        why: SmolStr,
    },
    PutChannelBack {
        channel: ChannelId,
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Suspended { why: SmolStr },
    Resumed,
    AskedAgain { why: SmolStr },
    ChannelTakenOut { channel: ChannelId, why: SmolStr },
    ChannelPutBack { channel: ChannelId, why: SmolStr },
}

impl Entity for Carrier {
    const KIND: Kind = Kind::Carrier;
    type Command = Command;
    type Event = Event;

    fn decide(&self, _id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Suspend { why } if self.suspended.is_none() => vec![Event::Suspended { why }],
            Command::Resume if self.suspended.is_some() => vec![Event::Resumed],
            Command::AskAgain { why } if self.suspended.is_some() => vec![Event::AskedAgain { why }],
            Command::TakeChannelOut { channel, why } if self.channels_out.get(&channel) != Some(&why) => {
                vec![Event::ChannelTakenOut { channel, why }]
            }
            Command::PutChannelBack { channel, why } if self.channels_out.contains_key(&channel) => {
                vec![Event::ChannelPutBack { channel, why }]
            }
            _ => vec![],
        })
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Suspended { why } => {
                self.since = at;
                self.suspended = Some(why.clone());
                self.suspensions += 1;
            }
            Event::Resumed | Event::AskedAgain { .. } => {
                self.since = at;
                self.suspended = None;
            }
            Event::ChannelTakenOut { channel, why } => {
                self.channels_out.insert(channel.clone(), why.clone());
            }
            Event::ChannelPutBack { channel, .. } => {
                self.channels_out.remove(channel);
            }
        }
    }

    fn stage_word(&self) -> &'static str {
        if self.suspended.is_some() { "suspended" } else { "open" }
    }

    fn troubles(&self) -> Vec<Trouble> {
        let remedies = vec!["resume_carrier", "take_channel_out"];
        let suspended = self.suspended.clone();
        suspended.map(|what| Trouble { cause: Cause::Suspended, severity: Severity::Urgent, what, remedies }).into_iter().collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Carrier(event) = event { Some(event) } else { None }
    }
}
