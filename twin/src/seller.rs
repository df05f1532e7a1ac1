//! A seller (货主): whose goods these are, and which shops are theirs. A shop that nobody claims is the house's own.
//!
//! That two sellers never claim the same shop is for whoever commands them to see to: a seller knows only itself.

use crate::entity::{Entity, Kind, Refusal};
use crate::facet::{Facet, Listing};
use crate::{Moment, id};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The house's own seller: of every shop that nobody claims.
pub const OWN: &str = "own";
/// The most shops of one seller.
pub const SHOPS_MAX: usize = 1_000;

/// An account on a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shop {
    /// `shopify`, `amazon`…
    pub platform: SmolStr,
    pub shop: SmolStr,
}

impl Shop {
    pub fn new(platform: impl Into<SmolStr>, shop: impl Into<SmolStr>) -> Self {
        Shop { platform: platform.into(), shop: shop.into() }
    }

    /// As it stands in lists and ids: `amazon:shop-1`.
    pub fn key(&self) -> SmolStr {
        format_smolstr!("{}:{}", id::escaped(&self.platform), id::escaped(&self.shop))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seller {
    /// As people call it.
    pub name: SmolStr,
    /// Sorted, each once.
    pub shops: Vec<Shop>,
    /// Somebody described it.
    pub known: bool,
}

#[derive(Clone, Debug)]
pub enum Command {
    Describe { name: SmolStr, shops: Vec<Shop> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Described { name: SmolStr, shops: Vec<Shop> },
}

impl Entity for Seller {
    const KIND: Kind = Kind::Seller;
    type Command = Command;
    type Event = Event;

    fn decide(&self, _id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        let Command::Describe { name, mut shops } = command;
        shops.sort_unstable();
        shops.dedup();
        let same = self.known && self.name == name && self.shops == shops;
        Ok(if same { vec![] } else { vec![Event::Described { name, shops }] })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        let Event::Described { name, shops } = event;
        *self = Seller { name: name.clone(), shops: shops.clone(), known: true };
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        self.shops.iter().map(|shop| Listing::new(Facet::Shop, shop.key(), "")).collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Seller(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn described_twice_is_once_and_shops_stand_once() {
        let shops = || vec![Shop::new("amazon", "b"), Shop::new("amazon", "a:1"), Shop::new("amazon", "b")];
        let describe = || Command::Describe { name: "Lumen".into(), shops: shops() };
        let mut seller = Seller::default();
        for event in seller.decide(&"LUM".into(), Moment(1), describe()).unwrap() {
            seller.apply(Moment(1), &event);
        }
        assert_eq!(seller.shops, [Shop::new("amazon", "a:1"), Shop::new("amazon", "b")]);
        assert_eq!(seller.decide(&"LUM".into(), Moment(2), describe()), Ok(vec![]));
        assert_eq!(seller.listings("LUM")[0], Listing::new(Facet::Shop, "amazon:a%3A1", ""));
    }
}
