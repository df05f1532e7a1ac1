//! A product of a seller: the facts by which it travels from now on. Orders keep the facts that they were decided on.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::goods::Facts;
use crate::{Moment, SellerId, Sku};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The id of a seller's product: `own:P-000007`.
pub fn id(owner: &SellerId, sku: &Sku) -> SmolStr {
    format_smolstr!("{owner}:{sku}")
}

/// Owner and SKU of a product's id.
pub fn parts(id: &str) -> (&str, &str) {
    id.split_once(':').unwrap_or(("", id))
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Product {
    pub facts: Facts,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    /// It can be ordered.
    Sold,
    /// What is ordered of it is held; what was decided goes on.
    Retired,
}

#[derive(Clone, Debug)]
pub enum Command {
    Describe { facts: Box<Facts> },
    Retire,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Described { facts: Box<Facts> },
    Retired,
}

impl Product {
    /// The facts, while it can be ordered.
    pub fn sold(self) -> Option<Facts> {
        (self.stage == Stage::Sold).then_some(self.facts)
    }
}

impl Entity for Product {
    const KIND: Kind = Kind::Product;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Describe { facts } if self.stage == Stage::Sold && *facts == self.facts => vec![],
            Command::Describe { facts } => vec![Event::Described { facts }],
            Command::Retire => match self.stage {
                Stage::Absent => return Err(Self::refuse(id, Why::Absent)),
                Stage::Retired => vec![],
                Stage::Sold => vec![Event::Retired],
            },
        })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        match event {
            Event::Described { facts } => *self = Product { facts: Facts::clone(facts), stage: Stage::Sold },
            Event::Retired => self.stage = Stage::Retired,
        }
    }

    fn stage_word(&self) -> &'static str {
        match self.stage {
            Stage::Absent => "absent",
            Stage::Sold => "sold",
            Stage::Retired => "retired",
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Product(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_facts_are_no_event_and_a_retired_one_comes_back() {
        let id = SmolStr::new("own:A:1");
        let facts = |weight_g| Box::new(Facts { weight_g, ..Facts::default() });
        let mut product = Product::default();
        assert!(product.decide(&id, Moment(0), Command::Retire).unwrap_err().to_string().contains("does not exist"));
        let mut counts = Vec::new();
        for command in [
            Command::Describe { facts: facts(200) },
            Command::Describe { facts: facts(200) },
            Command::Describe { facts: facts(210) },
            Command::Retire,
            Command::Retire,
            Command::Describe { facts: facts(210) },
        ] {
            let events = product.decide(&id, Moment(0), command).unwrap();
            counts.push(events.len());
            events.iter().for_each(|event| product.apply(Moment(0), event));
        }
        assert_eq!((counts, product.stage_word()), (vec![1, 0, 1, 1, 0, 1], "sold"));
        assert_eq!(product.sold().unwrap().weight_g, 210);
        assert_eq!(parts(&id), ("own", "A:1"));
    }
}
