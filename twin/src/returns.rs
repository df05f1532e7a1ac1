//! A return: a parcel that comes back, from the first word of it to the shelf. One for each parcel, called as it is; what a buyer
//! sends on their own account, with a label of its own, may come beside it under ids of its own (`R-…`).
//!
//! announced (by the carrier, or by a person) → arrived (its label was read in a warehouse) → received (opened: what of its goods
//! is in which condition) → restocking, where something goes back on the shelf → closed. Any step may be left out by a person who
//! has the box in hand. One that never comes is written off, one that was delivered after all is withdrawn. Up to `restocking` the
//! parcel's own actor writes it; from there on the order desk, which alone writes stock, in one transaction with that.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::{Moment, Sku, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, ToSmolStr};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    Announced,
    Arrived,
    Received,
    Restocking,
    Closed,
}

impl Stage {
    pub const ALL: [Stage; 5] = [Stage::Announced, Stage::Arrived, Stage::Received, Stage::Restocking, Stage::Closed];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Announced => "announced",
            Stage::Arrived => "arrived",
            Stage::Received => "received",
            Stage::Restocking => "restocking",
            Stage::Closed => "closed",
        }
    }
}

/// How goods came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// As new.
    #[default]
    Sellable,
    Opened,
    Damaged,
    /// They were sent, and are not in the box.
    Missing,
}

impl Condition {
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Sellable => "sellable",
            Condition::Opened => "opened",
            Condition::Damaged => "damaged",
            Condition::Missing => "missing",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was sellable is in stock again.
    Restocked,
    WrittenOff,
    /// The goods left again, in another parcel.
    SentAgain,
    /// It did not come: the parcel was delivered after all.
    Withdrawn,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Restocked => "restocked",
            Outcome::WrittenOff => "written off",
            Outcome::SentAgain => "sent again",
            Outcome::Withdrawn => "withdrawn",
        }
    }
}

/// Goods of one SKU that were in the parcel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub sku: Sku,
    pub quantity: u32,
}

/// Goods of one SKU that came back in one condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    pub sku: Sku,
    pub quantity: u32,
    pub condition: Condition,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Return {
    pub stage: Stage,
    pub announced_at: Moment,
    pub arrived_at: Option<Moment>,
    pub received_at: Option<Moment>,
    pub closed_at: Option<Moment>,
    /// Why it comes back, in the words of who said so.
    pub reason: SmolStr,
    /// What was in the parcel when it left.
    pub expected: Vec<Expected>,
    /// Where it came back to.
    pub warehouse: Option<WarehouseId>,
    /// All that was expected, and in which condition it came.
    pub items: Vec<Returned>,
    pub outcome: Option<Outcome>,
    pub note: SmolStr,
}

#[derive(Clone, Debug)]
pub enum Command {
    Announce {
        expected: Vec<Expected>,
        reason: SmolStr,
    },
    /// It was delivered after all.
    Withdraw,
    /// Its label was read in a warehouse.
    Arrive {
        warehouse: WarehouseId,
    },
    /// It was opened. What is not named is missing. Again until it is closed: a count may be put right.
    Receive {
        warehouse: WarehouseId,
        items: Vec<Returned>,
    },
    /// A person says what becomes of it.
    Close {
        outcome: Outcome,
        note: SmolStr,
    },
    /// The order desk: what was sellable is in stock, in the same transaction.
    Restock,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Announced {
        expected: Vec<Expected>,
        reason: SmolStr,
    },
    Withdrawn,
    Arrived {
        warehouse: WarehouseId,
    },
    Received {
        warehouse: WarehouseId,
        items: Vec<Returned>,
    },
    /// It is closed with that, but for the stock where something goes back on the shelf.
    Decided {
        outcome: Outcome,
        note: SmolStr,
    },
    Restocked,
}

impl Return {
    /// What goes back on the shelf, each SKU once.
    pub fn sellable(&self) -> impl Iterator<Item = (&Sku, u32)> {
        self.items.iter().filter(|item| item.condition == Condition::Sellable).map(|item| (&item.sku, item.quantity))
    }

    fn wrong_stage(&self, id: &SmolStr, step: &str, wants: &str) -> Refusal {
        Self::refuse(id, Why::WrongStage { is: self.stage.as_str().into(), step: step.into(), wants: wants.into() })
    }

    /// Everything that was expected once, in one condition or another; what nobody speaks of is missing.
    fn counted(&self, id: &SmolStr, items: Vec<Returned>) -> Result<Vec<Returned>, Refusal> {
        let mut came: BTreeMap<(Sku, Condition), u32> = BTreeMap::new();
        for Returned { sku, quantity, condition } in items.into_iter().filter(|item| item.quantity > 0) {
            let all = came.entry((sku, condition)).or_default();
            *all = all.saturating_add(quantity);
        }
        let mut left: BTreeMap<Sku, u32> = BTreeMap::new();
        for Expected { sku, quantity } in &self.expected {
            let all = left.entry(sku.clone()).or_default();
            *all = all.saturating_add(*quantity);
        }
        for ((sku, _), quantity) in &came {
            let Some(left) = left.get_mut(sku) else {
                let wants = self.expected.iter().map(|e| e.sku.as_str()).collect::<Vec<_>>().join(", ").into();
                return Err(Self::refuse(id, Why::Mismatch { what: "what was in it".into(), is: sku.to_smolstr(), wants }));
            };
            match left.checked_sub(*quantity) {
                Some(rest) => *left = rest,
                None => return Err(Self::refuse(id, Why::Short { asked: *quantity, available: *left })),
            }
        }
        for (sku, rest) in left.into_iter().filter(|(_, rest)| *rest > 0) {
            let missing = came.entry((sku, Condition::Missing)).or_default();
            *missing = missing.saturating_add(rest);
        }
        Ok(came.into_iter().map(|((sku, condition), quantity)| Returned { sku, quantity, condition }).collect())
    }

    fn close(&self, id: &SmolStr, outcome: Outcome, note: SmolStr) -> Result<Vec<Event>, Refusal> {
        use Stage::*;
        match (self.stage, outcome) {
            (Restocking | Closed, _) if self.outcome == Some(outcome) => Ok(vec![]),
            (Absent, _) => Err(Self::refuse(id, Why::Absent)),
            (Received, Outcome::Restocked) if self.sellable().next().is_none() => {
                let why = Why::Mismatch { what: "what came back".into(), is: "not sellable".into(), wants: "sellable".into() };
                Err(Self::refuse(id, why))
            }
            (Received, Outcome::Restocked | Outcome::SentAgain) => Ok(vec![Event::Decided { outcome, note }]),
            (Announced | Arrived | Received, Outcome::WrittenOff) => Ok(vec![Event::Decided { outcome, note }]),
            (Announced, Outcome::Withdrawn) => Ok(vec![Event::Withdrawn]),
            (Restocking | Closed, _) => Err(self.wrong_stage(id, outcome.as_str(), "not yet closed")),
            (_, Outcome::Withdrawn) => Err(self.wrong_stage(id, outcome.as_str(), "announced")),
            _ => Err(self.wrong_stage(id, outcome.as_str(), "received")),
        }
    }
}

impl Entity for Return {
    const KIND: Kind = Kind::Return;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        use Stage::*;
        let withdrawn = self.outcome == Some(Outcome::Withdrawn);
        Ok(match command {
            Command::Announce { expected, reason } if self.stage == Absent || withdrawn => vec![Event::Announced { expected, reason }],
            Command::Announce { .. } => vec![],
            Command::Withdraw if self.stage == Announced => vec![Event::Withdrawn],
            Command::Withdraw => vec![],
            Command::Arrive { warehouse } if self.stage == Announced => vec![Event::Arrived { warehouse }],
            Command::Arrive { .. } if matches!(self.stage, Arrived | Received | Restocking) => vec![],
            Command::Arrive { .. } => return Err(self.wrong_stage(id, "its arrival", "announced")),
            Command::Receive { warehouse, items } if matches!(self.stage, Announced | Arrived | Received) => {
                let items = self.counted(id, items)?;
                match self.stage {
                    Received if self.items == items && self.warehouse.as_ref() == Some(&warehouse) => vec![],
                    _ => vec![Event::Received { warehouse, items }],
                }
            }
            Command::Receive { .. } => return Err(self.wrong_stage(id, "its reception", "announced, and not yet closed")),
            Command::Close { outcome, note } => self.close(id, outcome, note)?,
            Command::Restock if self.stage == Restocking => vec![Event::Restocked],
            Command::Restock if self.outcome == Some(Outcome::Restocked) => vec![],
            Command::Restock => return Err(self.wrong_stage(id, "restocking", "decided so")),
        })
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Announced { expected, reason } => {
                *self = Return { stage: Stage::Announced, announced_at: at, ..Return::default() };
                self.expected = expected.clone();
                self.reason = reason.clone();
            }
            Event::Withdrawn => {
                self.stage = Stage::Closed;
                self.outcome = Some(Outcome::Withdrawn);
                self.closed_at = Some(at);
            }
            Event::Arrived { warehouse } => {
                self.stage = Stage::Arrived;
                self.arrived_at = Some(at);
                self.warehouse = Some(warehouse.clone());
            }
            Event::Received { warehouse, items } => {
                self.stage = Stage::Received;
                self.received_at = Some(at);
                self.warehouse = Some(warehouse.clone());
                self.items = items.clone();
            }
            Event::Decided { outcome, note } => {
                self.outcome = Some(*outcome);
                self.note = note.clone();
                self.stage = if *outcome == Outcome::Restocked { Stage::Restocking } else { Stage::Closed };
                self.closed_at = Some(at).filter(|_| self.stage == Stage::Closed);
            }
            Event::Restocked => {
                self.stage = Stage::Closed;
                self.closed_at = Some(at);
            }
        }
    }

    fn stage_word(&self) -> &'static str {
        self.stage.as_str()
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        match self.stage {
            Stage::Restocking => vec![Listing::new(Facet::Restock, "", "")],
            _ => vec![],
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Return(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn take(of: &mut Return, command: Command) -> Result<usize, String> {
        let events = of.decide(&"P".into(), Moment(7), command).map_err(|refusal| refusal.to_string())?;
        events.iter().for_each(|event| of.apply(Moment(7), event));
        Ok(events.len())
    }

    fn item(sku: &str, quantity: u32, condition: Condition) -> Returned {
        Returned { sku: sku.into(), quantity, condition }
    }

    fn announce() -> Command {
        let expected = vec![Expected { sku: "A".into(), quantity: 3 }, Expected { sku: "B".into(), quantity: 1 }];
        Command::Announce { expected, reason: "refused".into() }
    }

    fn receive(items: &[Returned]) -> Command {
        Command::Receive { warehouse: "SZX".into(), items: items.to_vec() }
    }

    fn close(outcome: Outcome) -> Command {
        Command::Close { outcome, note: "li looked".into() }
    }

    #[test]
    fn what_is_sellable_is_restocked_once_and_what_nobody_names_is_missing() {
        let mut it = Return::default();
        assert_eq!(take(&mut it, announce()), Ok(1));
        assert_eq!(take(&mut it, announce()), Ok(0));
        assert_eq!(take(&mut it, Command::Arrive { warehouse: "SZX".into() }), Ok(1));
        assert_eq!(take(&mut it, receive(&[item("A", 1, Condition::Sellable), item("A", 1, Condition::Damaged)])), Ok(1));
        assert_eq!(take(&mut it, receive(&[item("A", 1, Condition::Damaged), item("A", 1, Condition::Sellable)])), Ok(0));
        let all = [item("A", 1, Condition::Sellable), item("A", 1, Condition::Damaged), item("A", 1, Condition::Missing)];
        assert_eq!(it.items, [&all[..], &[item("B", 1, Condition::Missing)]].concat());
        assert_eq!(take(&mut it, receive(&[item("A", 2, Condition::Sellable)])), Ok(1), "a count is put right");
        assert_eq!(take(&mut it, close(Outcome::Restocked)), Ok(1));
        assert_eq!((it.stage, it.listings("P").len()), (Stage::Restocking, 1));
        assert_eq!(it.sellable().collect::<Vec<_>>(), [(&Sku::from("A"), 2)]);
        assert_eq!((take(&mut it, Command::Restock), take(&mut it, Command::Restock)), (Ok(1), Ok(0)));
        assert_eq!((it.stage, it.listings("P").len(), take(&mut it, close(Outcome::Restocked))), (Stage::Closed, 0, Ok(0)));
    }

    #[test]
    fn each_refusal_says_why() {
        let mut it = Return::default();
        let refused = |it: &mut Return, command| take(it, command).unwrap_err();
        assert_eq!(refused(&mut it, close(Outcome::WrittenOff)), "return P refuses: it does not exist");
        assert_eq!(refused(&mut it, Command::Restock), "return P refuses: it is absent, and restocking wants it decided so");
        take(&mut it, announce()).unwrap();
        for (items, why) in [
            (vec![item("A", 4, Condition::Sellable)], "4 asked, 3 available"),
            (vec![item("A", u32::MAX, Condition::Opened), item("A", u32::MAX, Condition::Opened)], "4294967295 asked, 3 available"),
            (vec![item("C", 1, Condition::Sellable)], "what was in it is C, not A, B"),
        ] {
            assert_eq!(refused(&mut it, receive(&items)), format!("return P refuses: {why}"));
        }
        assert_eq!(refused(&mut it, close(Outcome::Restocked)), "return P refuses: it is announced, and restocked wants it received");
        take(&mut it, receive(&[item("A", 3, Condition::Damaged)])).unwrap();
        assert_eq!(refused(&mut it, close(Outcome::Restocked)), "return P refuses: what came back is not sellable, not sellable");
        assert_eq!(refused(&mut it, close(Outcome::Withdrawn)), "return P refuses: it is received, and withdrawn wants it announced");
        take(&mut it, close(Outcome::WrittenOff)).unwrap();
        assert_eq!(refused(&mut it, close(Outcome::SentAgain)), "return P refuses: it is closed, and sent again wants it not yet closed");
        assert_eq!(
            refused(&mut it, receive(&[])),
            "return P refuses: it is closed, and its reception wants it announced, and not yet closed"
        );
    }

    #[test]
    fn one_that_was_delivered_after_all_is_withdrawn_and_may_come_again() {
        let mut it = Return::default();
        assert_eq!(take(&mut it, Command::Withdraw), Ok(0));
        take(&mut it, announce()).unwrap();
        assert_eq!(take(&mut it, Command::Withdraw), Ok(1));
        assert_eq!((it.stage, it.outcome), (Stage::Closed, Some(Outcome::Withdrawn)));
        assert_eq!((take(&mut it, announce()), it.stage, it.outcome), (Ok(1), Stage::Announced, None));
        take(&mut it, Command::Arrive { warehouse: "SZX".into() }).unwrap();
        assert_eq!((take(&mut it, Command::Withdraw), it.stage), (Ok(0), Stage::Arrived), "it is here, whatever the carrier says");
    }

    fn command() -> impl Strategy<Value = Command> {
        let conditions = [Condition::Sellable, Condition::Opened, Condition::Damaged, Condition::Missing];
        let outcomes = [Outcome::Restocked, Outcome::WrittenOff, Outcome::SentAgain, Outcome::Withdrawn];
        let item = (0usize..2, 0u32..4, 0usize..4).prop_map(move |(sku, n, how)| item(["A", "B"][sku], n, conditions[how]));
        prop_oneof![
            Just(announce()),
            Just(Command::Withdraw),
            Just(Command::Arrive { warehouse: "SZX".into() }),
            prop::collection::vec(item, 0..4).prop_map(|items| receive(&items)),
            (0usize..4).prop_map(move |n| close(outcomes[n])),
            Just(Command::Restock),
        ]
    }

    proptest! {
        /// Whatever is done in whatever order: twice is once, everything expected is somewhere, and there is always a way on.
        #[test]
        fn twice_is_once_and_nothing_of_it_gets_lost(commands in prop::collection::vec(command(), 0..30)) {
            let mut it = Return::default();
            let mut restocked = 0;
            for command in commands {
                let restocks = matches!(command, Command::Restock);
                if let Ok(n) = take(&mut it, command.clone()) {
                    restocked += usize::from(restocks && n > 0);
                    if !(matches!(command, Command::Announce { .. }) && it.outcome == Some(Outcome::Withdrawn)) {
                        prop_assert_eq!(take(&mut it, command), Ok(0));
                    }
                }
                if it.stage >= Stage::Received && !it.items.is_empty() {
                    for Expected { sku, quantity } in &it.expected {
                        let came: u32 = it.items.iter().filter(|i| i.sku == *sku).map(|i| i.quantity).sum();
                        prop_assert_eq!(came, *quantity);
                    }
                }
                prop_assert_eq!(it.stage == Stage::Closed, it.closed_at.is_some());
                let mut on = it.clone();
                match on.stage {
                    Stage::Absent | Stage::Closed => {}
                    Stage::Restocking => prop_assert_eq!(take(&mut on, Command::Restock), Ok(1)),
                    _ => prop_assert_eq!(take(&mut on, close(Outcome::WrittenOff)), Ok(1)),
                }
            }
            prop_assert!(restocked <= 1);
        }
    }
}
