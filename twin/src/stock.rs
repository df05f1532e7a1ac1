//! A seller's stock of one SKU in one warehouse. Available = on hand − reserved − safety stock, and never below zero.
//!
//! It counts what is held and does not list who holds it: that is in the orders' stages, written in the same transaction by
//! the one actor that has both. So ten thousand open orders of a SKU cost no more than one.
//!
//! It is what is promised from. Where the pieces lie (bins, 库位) and which batch they are of (lots, 批次) will be nouns of
//! their own under `WAREHOUSE:OWNER:SKU:BIN:LOT`, of which this is the sum: a reservation never has to know a bin.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::{Moment, OrderId, SellerId, Sku, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The id of a seller's stock of a SKU in a warehouse: `SZX:own:0009406FD747`.
pub fn id(warehouse: &WarehouseId, owner: &SellerId, sku: &Sku) -> SmolStr {
    format_smolstr!("{warehouse}:{owner}:{sku}")
}

/// Warehouse, owner and SKU of a stock's id. A SKU may have a `:` in it, the others have none.
pub fn parts(id: &str) -> (&str, &str, &str) {
    let mut parts = id.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(warehouse), Some(owner), Some(sku)) => (warehouse, owner, sku),
        _ => ("", "", id),
    }
}

/// So many pieces were counted; an absolute number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub warehouse: WarehouseId,
    pub owner: SellerId,
    pub sku: Sku,
    pub on_hand: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    pub on_hand: u32,
    pub reserved: u32,
    /// Kept back for counting errors.
    pub safety: u32,
    /// How often something has happened to it.
    pub movements: u32,
}

/// A movement, and the how many-th it is to be: since the stock keeps sums only, that alone tells one that arrives twice.
#[derive(Clone, Debug)]
pub struct Command {
    pub nth: u32,
    pub what: Movement,
}

#[derive(Clone, Debug)]
pub enum Movement {
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
        quantity: u32,
    },
    /// The goods left the shelf in a parcel.
    Pick {
        order: OrderId,
        quantity: u32,
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

    /// To be moved so next.
    pub fn next(&self, what: Movement) -> Command {
        Command { nth: self.movements.saturating_add(1), what }
    }
}

impl Entity for Stock {
    const KIND: Kind = Kind::Stock;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, Command { nth, what }: Command) -> Result<Vec<Event>, Refusal> {
        if nth <= self.movements {
            return Ok(vec![]);
        }
        Ok(match what {
            Movement::Count { on_hand, safety } => {
                if on_hand < self.reserved {
                    return Err(Self::refuse(id, Why::Short { asked: self.reserved, available: on_hand }));
                }
                vec![Event::Counted { on_hand, safety }]
            }
            Movement::Receive { quantity, reference } => vec![Event::Received { quantity, reference }],
            Movement::Reserve { order, quantity } => {
                if quantity > self.available() {
                    return Err(Self::refuse(id, Why::Short { asked: quantity, available: self.available() }));
                }
                vec![Event::Reserved { order, quantity }]
            }
            Movement::Release { quantity, .. } | Movement::Pick { quantity, .. } if quantity > self.reserved => {
                return Err(Self::refuse(id, Why::Short { asked: quantity, available: self.reserved }));
            }
            Movement::Release { order, quantity } => vec![Event::Released { order, quantity }],
            Movement::Pick { order, quantity } => vec![Event::Picked { order, quantity }],
        })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        self.movements = self.movements.saturating_add(1);
        match event {
            Event::Counted { on_hand, safety } => {
                self.on_hand = *on_hand;
                self.safety = *safety;
            }
            Event::Received { quantity, .. } => self.on_hand = self.on_hand.saturating_add(*quantity),
            Event::Reserved { quantity, .. } => self.reserved = self.reserved.saturating_add(*quantity),
            Event::Released { quantity, .. } => self.reserved = self.reserved.saturating_sub(*quantity),
            Event::Picked { quantity, .. } => {
                self.reserved = self.reserved.saturating_sub(*quantity);
                self.on_hand = self.on_hand.saturating_sub(*quantity);
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

    fn movement() -> impl Strategy<Value = Movement> {
        let order = (0u8..6).prop_map(|n| OrderId::new(format!("O-{n}")));
        prop_oneof![
            (0u32..20, 0u32..3).prop_map(|(on_hand, safety)| Movement::Count { on_hand, safety }),
            (0u32..9).prop_map(|quantity| Movement::Receive { quantity, reference: "R".into() }),
            (order.clone(), 1u32..6).prop_map(|(order, quantity)| Movement::Reserve { order, quantity }),
            (order.clone(), 1u32..6).prop_map(|(order, quantity)| Movement::Release { order, quantity }),
            (order, 1u32..6).prop_map(|(order, quantity)| Movement::Pick { order, quantity }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_sold_twice(movements in proptest::collection::vec(movement(), 0..60)) {
            let mut stock = Stock::default();
            for movement in movements {
                let command = stock.next(movement);
                for event in stock.decide(&"W:S".into(), Moment(0), command.clone()).unwrap_or_default() {
                    stock.apply(Moment(0), &event);
                    prop_assert_eq!(stock.decide(&"W:S".into(), Moment(0), command.clone()), Ok(vec![]), "it arrives twice");
                }
                prop_assert!(stock.reserved <= stock.on_hand);
            }
        }
    }

    #[test]
    fn the_ten_thousandth_reservation_is_written_as_short_as_the_first() {
        let mut stock = Stock { on_hand: 20_000, ..Stock::default() };
        let mut lengths = Vec::new();
        for n in 0..10_000 {
            let reserve = stock.next(Movement::Reserve { order: OrderId::new(format!("O-{n}")), quantity: 1 });
            for event in stock.decide(&"W:S".into(), Moment(0), reserve).unwrap() {
                stock.apply(Moment(0), &event);
            }
            lengths.push(crate::entity::state_bytes(n + 1, &stock).len());
        }
        // Two numbers that are as long as numbers are.
        assert_eq!((stock.available(), lengths[0] + 2), (10_000, *lengths.last().unwrap()), "{stock:?}");
    }
}
