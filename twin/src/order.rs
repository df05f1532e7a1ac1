//! An order: what a buyer bought. Parcels fulfil it.
//!
//! received → held(reasons) → allocated → released → packed → shipped → delivered; or cancelled, returned.

use crate::address::Place;
use crate::allocation::Decision;
use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::goods::Goods;
use crate::keys::Sealed;
use crate::money::Decimal;
use crate::{Address, Moment, Money, OrderId, ParcelId, SellerId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, ToSmolStr};
use std::collections::BTreeMap;

/// The most lines one order may have.
pub const ORDER_LINES_MAX: usize = 200;
/// The highest price of one piece, in whole units of its currency.
pub const UNIT_PRICE_MAX: i64 = 1_000_000_000;
/// The most pieces of one SKU in one line.
pub const LINE_QUANTITY_MAX: u32 = 10_000;

/// An order as it comes in, platform differences already gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewOrder {
    pub id: OrderId,
    /// `shopify`, `amazon`, `temu`…
    pub platform: SmolStr,
    pub shop: SmolStr,
    pub placed_at: Moment,
    pub ship_to: Address,
    pub lines: Vec<NewLine>,
    /// The platform says the buyer has paid.
    #[serde(default = "yes")]
    pub paid: bool,
    /// Why a person must look at it before it ships: what the platform says of it that no other field holds.
    #[serde(default)]
    pub held: Option<SmolStr>,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewLine {
    pub sku: crate::Sku,
    pub quantity: u32,
    pub unit_price: Money,
}

impl NewOrder {
    /// What is wrong with it, or `None`: the field and the reason. Such an order is not accepted at all.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let id = self.id.as_str();
        if !crate::id::is_from_outside(id) {
            return Some(("id", format!("{id:?} must be {}", crate::id::ID_RULE)));
        }
        if self.lines.is_empty() || self.lines.len() > ORDER_LINES_MAX {
            return Some(("lines", format!("{} lines; 1 to {ORDER_LINES_MAX} are accepted", self.lines.len())));
        }
        for line in &self.lines {
            if line.quantity == 0 || line.quantity > LINE_QUANTITY_MAX {
                return Some(("lines.quantity", format!("{} of {}; 1 to {LINE_QUANTITY_MAX} are accepted", line.quantity, line.sku)));
            }
            if line.unit_price.amount.is_sign_negative() && !line.unit_price.amount.is_zero() {
                return Some(("lines.unit_price", format!("{} for {} is negative", line.unit_price, line.sku)));
            }
            if line.unit_price.amount > Decimal::from(UNIT_PRICE_MAX) {
                return Some(("lines.unit_price", format!("{} for {} is over the limit of {UNIT_PRICE_MAX}", line.unit_price, line.sku)));
            }
            if line.unit_price.currency != self.lines[0].unit_price.currency {
                return Some((
                    "lines.unit_price",
                    format!("{} and {} in one order", self.lines[0].unit_price.currency.code(), line.unit_price.currency.code()),
                ));
            }
        }
        None
    }
}

/// A line, and what lies in one of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// As the platform calls it.
    pub sku: crate::Sku,
    pub quantity: u32,
    pub unit_price: Decimal,
    /// One SKU of ours, or those of a bundle, with their facts as they were when this was decided; none: nobody knows yet
    /// what it is.
    pub goods: Vec<Goods>,
}

impl Line {
    pub fn of(line: &NewLine, goods: Vec<Goods>) -> Self {
        Line { sku: line.sku.clone(), quantity: line.quantity, unit_price: line.unit_price.amount, goods }
    }

    /// Its goods, each with the pieces of it in the whole line.
    pub fn pieces(&self) -> impl Iterator<Item = (&Goods, u32)> + Clone {
        self.goods.iter().map(|goods| (goods, goods.quantity.saturating_mul(self.quantity)))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    Received,
    Allocated,
    Released,
    Packed,
    Shipped,
    Delivered,
    Returned,
    Cancelled,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Received => "received",
            Stage::Allocated => "allocated",
            Stage::Released => "released",
            Stage::Packed => "packed",
            Stage::Shipped => "shipped",
            Stage::Delivered => "delivered",
            Stage::Returned => "returned",
            Stage::Cancelled => "cancelled",
        }
    }
}

/// Why an order waits. Several may stand at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    Unpaid,
    AddressInvalid,
    UnknownSku,
    NoStock,
    NoChannel,
    Oversize,
    ForbiddenGoods,
    Duplicate,
    Manual,
}

impl Hold {
    pub fn as_str(self) -> &'static str {
        match self {
            Hold::Unpaid => "unpaid",
            Hold::AddressInvalid => "address invalid",
            Hold::UnknownSku => "unknown SKU",
            Hold::NoStock => "no stock",
            Hold::NoChannel => "no channel",
            Hold::Oversize => "oversize",
            Hold::ForbiddenGoods => "forbidden goods",
            Hold::Duplicate => "duplicate",
            Hold::Manual => "manual",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub stage: Stage,
    pub platform: SmolStr,
    pub shop: SmolStr,
    /// Whose shop that was when it came in, so whose goods it takes.
    pub seller: SellerId,
    pub placed_at: Moment,
    pub received_at: Moment,
    pub ship_to: Place,
    /// Who the buyer is, sealed under a key of this order.
    pub buyer: Option<Sealed>,
    /// The key is destroyed: nobody can tell any more.
    pub forgotten: bool,
    pub lines: Vec<Line>,
    pub currency: SmolStr,
    /// Each reason with what exactly is wrong.
    pub holds: BTreeMap<Hold, SmolStr>,
    pub decision: Option<Decision>,
    pub parcel: Option<ParcelId>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Receive {
        order: Box<NewOrder>,
        buyer: Option<Sealed>,
        seller: SellerId,
        lines: Vec<Line>,
    },
    /// What lies in lines of which nobody knew that, by their places from 0.
    Identify {
        /// Whose shop it is now.
        seller: SellerId,
        goods: Vec<(u32, Vec<Goods>)>,
    },
    Hold {
        reason: Hold,
        detail: SmolStr,
    },
    ClearHold {
        reason: Hold,
    },
    Allocate {
        decision: Box<Decision>,
        parcel: ParcelId,
    },
    Release,
    Pack,
    Ship,
    Deliver,
    Return,
    Cancel {
        reason: SmolStr,
    },
    /// Makes who the buyer is unreadable for ever.
    Forget,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Received {
        platform: SmolStr,
        shop: SmolStr,
        placed_at: Moment,
        ship_to: Box<Place>,
        buyer: Option<Box<Sealed>>,
        lines: Vec<Line>,
        currency: SmolStr,
        seller: SellerId,
    },
    Identified {
        seller: SellerId,
        goods: Vec<(u32, Vec<Goods>)>,
    },
    Held {
        reason: Hold,
        detail: SmolStr,
    },
    HoldCleared {
        reason: Hold,
    },
    Allocated {
        decision: Box<Decision>,
        parcel: ParcelId,
    },
    Released,
    Packed,
    Shipped,
    Delivered,
    Returned,
    Cancelled {
        reason: SmolStr,
    },
    Forgotten,
}

impl Order {
    /// Whether stock is reserved for it: from its allocation until it is packed.
    pub fn holds_stock(&self) -> bool {
        matches!(self.stage, Stage::Allocated | Stage::Released)
    }

    /// The goods of all its lines, each with its pieces.
    pub fn goods(&self) -> impl Iterator<Item = (&Goods, u32)> + Clone {
        self.lines.iter().flat_map(Line::pieces)
    }

    /// What it needs of each SKU of ours, in the order of its lines.
    pub fn needs(&self) -> Vec<(crate::Sku, u32)> {
        crate::goods::added_up(self.goods())
    }

    /// Value of all lines, in the order's currency; `None` where it cannot be told.
    pub fn value(&self) -> Option<Money> {
        let currency = crate::money::Currency::from_code(&self.currency)?;
        let line = |sum: Decimal, l: &Line| sum.checked_add(l.unit_price.checked_mul(Decimal::from(l.quantity))?);
        Some(Money::new(self.lines.iter().try_fold(Decimal::ZERO, line)?, currency))
    }

    pub fn is_held(&self) -> bool {
        !self.holds.is_empty() && self.stage == Stage::Received
    }

    fn step(&self, id: &SmolStr, name: &str, from: &[Stage], to: Stage, event: Event) -> Result<Vec<Event>, Refusal> {
        if self.stage == to {
            return Ok(vec![]);
        }
        if from.contains(&self.stage) {
            return Ok(vec![event]);
        }
        let wants: Vec<_> = from.iter().map(|s| s.as_str()).collect();
        Err(Self::refuse(id, Why::WrongStage { is: self.stage.as_str().into(), step: name.into(), wants: wants.join(" or ").to_smolstr() }))
    }
}

impl Entity for Order {
    const KIND: Kind = Kind::Order;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        use Stage::*;
        match command {
            Command::Receive { order, buyer, seller, lines } => {
                if self.stage != Absent {
                    return Ok(vec![]);
                }
                let currency = order.lines.first().map_or("USD", |l| l.unit_price.currency.code()).into();
                let NewOrder { platform, shop, placed_at, ship_to, .. } = *order;
                let ship_to = Box::new(ship_to.parted().0);
                Ok(vec![Event::Received { platform, shop, placed_at, ship_to, buyer: buyer.map(Box::new), lines, currency, seller }])
            }
            Command::Identify { seller, mut goods } => {
                let unknown = |n: &u32| self.lines.get(*n as usize).is_some_and(|line| line.goods.is_empty());
                goods.retain(|(n, goods)| unknown(n) && !goods.is_empty());
                match goods.is_empty() {
                    true => Ok(vec![]),
                    false => self.step(id, "identification", &[Received], Absent, Event::Identified { seller, goods }),
                }
            }
            Command::Hold { reason, detail } => match self.holds.get(&reason) {
                Some(known) if *known == detail => Ok(vec![]),
                _ => self.step(id, "hold", &[Received], Absent, Event::Held { reason, detail }),
            },
            Command::ClearHold { reason } if self.holds.contains_key(&reason) => Ok(vec![Event::HoldCleared { reason }]),
            Command::ClearHold { .. } => Ok(vec![]),
            Command::Allocate { decision, parcel } => {
                self.step(id, "allocation", &[Received], Allocated, Event::Allocated { decision, parcel })
            }
            Command::Release => self.step(id, "release", &[Allocated], Released, Event::Released),
            Command::Pack => self.step(id, "packing", &[Released], Packed, Event::Packed),
            Command::Ship => self.step(id, "shipping", &[Packed, Released], Shipped, Event::Shipped),
            // As the parcel's news has it: what was delivered may come back, and what was told to come back be delivered.
            Command::Deliver => self.step(id, "delivery", &[Shipped, Returned], Delivered, Event::Delivered),
            Command::Return => self.step(id, "return", &[Shipped, Delivered], Returned, Event::Returned),
            Command::Cancel { reason } => {
                self.step(id, "cancelling", &[Received, Allocated, Released, Packed], Cancelled, Event::Cancelled { reason })
            }
            Command::Forget if self.forgotten => Ok(vec![]),
            // Until it has left, somebody needs to know where it goes.
            Command::Forget => match self.stage {
                Shipped | Delivered | Returned | Cancelled => Ok(vec![Event::Forgotten]),
                Absent => Err(Self::refuse(id, Why::Absent)),
                stage => Err(Self::refuse(
                    id,
                    Why::WrongStage {
                        is: stage.as_str().into(),
                        step: "forgetting".into(),
                        wants: "shipped, delivered, returned or cancelled".into(),
                    },
                )),
            },
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Received { platform, shop, placed_at, ship_to, buyer, lines, currency, seller } => {
                *self = Order {
                    stage: Stage::Received,
                    platform: platform.clone(),
                    shop: shop.clone(),
                    seller: seller.clone(),
                    placed_at: *placed_at,
                    received_at: at,
                    ship_to: Place::clone(ship_to),
                    buyer: buyer.as_deref().cloned(),
                    lines: lines.clone(),
                    currency: currency.clone(),
                    ..Order::default()
                }
            }
            Event::Identified { seller, goods } => {
                self.seller = seller.clone();
                for (n, goods) in goods {
                    if let Some(line) = self.lines.get_mut(*n as usize) {
                        line.goods.clone_from(goods);
                    }
                }
            }
            Event::Held { reason, detail } => {
                self.holds.insert(*reason, detail.clone());
            }
            Event::HoldCleared { reason } => {
                self.holds.remove(reason);
            }
            Event::Allocated { decision, parcel } => {
                self.stage = Stage::Allocated;
                self.holds.clear();
                self.decision = Some(Decision::clone(decision));
                self.parcel = Some(parcel.clone());
            }
            Event::Released => self.stage = Stage::Released,
            Event::Packed => self.stage = Stage::Packed,
            Event::Shipped => self.stage = Stage::Shipped,
            Event::Delivered => self.stage = Stage::Delivered,
            Event::Returned => self.stage = Stage::Returned,
            Event::Cancelled { .. } => self.stage = Stage::Cancelled,
            Event::Forgotten => self.forgotten = true,
        }
    }

    fn stage_word(&self) -> &'static str {
        if self.is_held() { "held" } else { self.stage.as_str() }
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        match self.stage {
            Stage::Received => {
                let unmapped = self.lines.iter().filter(|line| line.goods.is_empty());
                let unmapped = unmapped.map(|line| Listing::new(Facet::Unmapped, line.sku.text().clone(), ""));
                std::iter::once(Listing::new(Facet::Plan, "", "")).chain(unmapped).collect()
            }
            Stage::Allocated | Stage::Released | Stage::Packed | Stage::Shipped => vec![Listing::new(Facet::Underway, "", "")],
            _ => vec![],
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Order(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parcel's news decides, in whatever order carriers tell it: what was delivered may come back, and the other way round.
    #[test]
    fn an_order_ends_as_its_parcel_does() {
        let id = SmolStr::new("A-1");
        for (commands, end) in [
            (vec![Command::Deliver, Command::Return], Stage::Returned),
            (vec![Command::Return, Command::Deliver], Stage::Delivered),
            (vec![Command::Deliver, Command::Return, Command::Return, Command::Deliver, Command::Return], Stage::Returned),
        ] {
            let mut order = Order { stage: Stage::Shipped, ..Order::default() };
            for command in commands {
                for event in order.decide(&id, Moment(1), command).expect("it may end otherwise") {
                    order.apply(Moment(1), &event);
                }
            }
            assert_eq!(order.stage, end);
        }
        let cancelled = Order { stage: Stage::Cancelled, ..Order::default() };
        assert!(cancelled.decide(&id, Moment(1), Command::Return).is_err());
    }
}
