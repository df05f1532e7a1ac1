//! Stock of one SKU in one warehouse. Available = on hand − reserved − safety stock, and never below zero.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::{Moment, OrderId, Sku, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The id of the stock of a SKU in a warehouse: `SZX:0009406FD747`.
pub fn id(warehouse: &WarehouseId, sku: &Sku) -> SmolStr {
    format_smolstr!("{warehouse}:{sku}")
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    pub on_hand: u32,
    pub reserved: u32,
    /// Kept back for counting errors.
    pub safety: u32,
    /// Who holds what, so that a reservation that arrives twice is one.
    pub reservations: Vec<(OrderId, u32)>,
}

#[derive(Clone, Debug)]
pub enum Command {
    /// Somebody counted: this many are there.
    Count {
        on_hand: u32,
        safety: u32,
    },
    /// Goods came in.
    Receive {
        quantity: u32,
        reference: SmolStr,
    },
    Reserve {
        order: OrderId,
        quantity: u32,
    },
    /// The order does not need it any more.
    Release {
        order: OrderId,
    },
    /// The goods left the shelf in a parcel.
    Pick {
        order: OrderId,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Counted { on_hand: u32, safety: u32 },
    Received { quantity: u32, reference: SmolStr },
    Reserved { order: OrderId, quantity: u32 },
    Released { order: OrderId, quantity: u32 },
    Picked { order: OrderId, quantity: u32 },
}

impl Stock {
    pub fn available(&self) -> u32 {
        self.on_hand.saturating_sub(self.reserved).saturating_sub(self.safety)
    }

    fn reservation(&self, order: &OrderId) -> Option<u32> {
        self.reservations.iter().find(|(o, _)| o == order).map(|(_, q)| *q)
    }
}

impl Entity for Stock {
    const KIND: Kind = Kind::Stock;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Count { on_hand, safety } => {
                if on_hand < self.reserved {
                    return Err(Self::refuse(id, Why::Short { asked: self.reserved, available: on_hand }));
                }
                vec![Event::Counted { on_hand, safety }]
            }
            Command::Receive { quantity, reference } => vec![Event::Received { quantity, reference }],
            Command::Reserve { order, quantity } => {
                if self.reservation(&order).is_some() {
                    return Ok(vec![]);
                }
                if quantity > self.available() {
                    return Err(Self::refuse(id, Why::Short { asked: quantity, available: self.available() }));
                }
                vec![Event::Reserved { order, quantity }]
            }
            Command::Release { order } => match self.reservation(&order) {
                Some(quantity) => vec![Event::Released { order, quantity }],
                None => vec![],
            },
            Command::Pick { order } => match self.reservation(&order) {
                Some(quantity) => vec![Event::Picked { order, quantity }],
                None => vec![],
            },
        })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        match event {
            Event::Counted { on_hand, safety } => {
                self.on_hand = *on_hand;
                self.safety = *safety;
            }
            Event::Received { quantity, .. } => self.on_hand = self.on_hand.saturating_add(*quantity),
            Event::Reserved { order, quantity } => {
                self.reserved += quantity;
                self.reservations.push((order.clone(), *quantity));
            }
            Event::Released { order, quantity } => {
                self.reserved = self.reserved.saturating_sub(*quantity);
                self.reservations.retain(|(o, _)| o != order);
            }
            Event::Picked { order, quantity } => {
                self.reserved = self.reserved.saturating_sub(*quantity);
                self.on_hand = self.on_hand.saturating_sub(*quantity);
                self.reservations.retain(|(o, _)| o != order);
            }
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Stock(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn command() -> impl Strategy<Value = Command> {
        let order = (0u8..6).prop_map(|n| OrderId::new(format!("O-{n}")));
        prop_oneof![
            (0u32..20, 0u32..3).prop_map(|(on_hand, safety)| Command::Count { on_hand, safety }),
            (0u32..9).prop_map(|quantity| Command::Receive { quantity, reference: "R".into() }),
            (order.clone(), 1u32..6).prop_map(|(order, quantity)| Command::Reserve { order, quantity }),
            order.clone().prop_map(|order| Command::Release { order }),
            order.prop_map(|order| Command::Pick { order }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_sold_twice(commands in proptest::collection::vec(command(), 0..60)) {
            let mut stock = Stock::default();
            for command in commands {
                for event in stock.decide(&"W:S".into(), Moment(0), command).unwrap_or_default() {
                    stock.apply(Moment(0), &event);
                }
                let held: u32 = stock.reservations.iter().map(|(_, q)| q).sum();
                prop_assert_eq!(held, stock.reserved);
                prop_assert!(stock.reserved <= stock.on_hand);
            }
        }
    }
}
