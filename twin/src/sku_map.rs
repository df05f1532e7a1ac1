//! What a platform's SKU is of ours: one piece of one SKU, or a bundle (组合商品) such as two of A and one of B.
//!
//! It says nothing of the products themselves; one that is not there holds the order as an unmapped SKU does.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::seller::Shop;
use crate::{Moment, Sku, id};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The most SKUs in one bundle.
pub const COMPONENTS_MAX: usize = 50;
/// The most pieces of one SKU in one bundle.
pub const COMPONENT_QUANTITY_MAX: u32 = 1_000;

/// The id of a shop's SKU: `amazon:shop-1:Gift%20set`.
pub fn id(shop: &Shop, sku: &Sku) -> SmolStr {
    format_smolstr!("{}:{}", shop.key(), id::escaped(sku.as_str()))
}

/// Shop and SKU of an id, as the platform writes them.
pub fn parts(id: &str) -> (Shop, Sku) {
    let mut parts = id.splitn(3, ':').map(id::unescaped);
    let mut next = || parts.next().unwrap_or_default();
    let shop = Shop { platform: next(), shop: next() };
    (shop, Sku::from(next()))
}

/// So many pieces of one SKU of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub sku: Sku,
    pub quantity: u32,
}

/// Nothing in it: it is not mapped, or not any more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkuMap {
    pub components: Vec<Component>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Map { components: Vec<Component> },
    Unmap,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Mapped { components: Vec<Component> },
    Unmapped,
}

/// What is wrong with the components of a map, with the field.
pub fn fault(components: &[Component]) -> Option<(&'static str, String)> {
    if components.is_empty() || components.len() > COMPONENTS_MAX {
        return Some(("components", format!("{} SKUs; 1 to {COMPONENTS_MAX} are accepted", components.len())));
    }
    for (n, Component { sku, quantity }) in components.iter().enumerate() {
        if !(1..=COMPONENT_QUANTITY_MAX).contains(quantity) {
            return Some(("components.quantity", format!("{quantity} of {sku}; 1 to {COMPONENT_QUANTITY_MAX} are accepted")));
        }
        if components[..n].iter().any(|c| c.sku == *sku) {
            return Some(("components.sku", format!("{sku} stands twice")));
        }
    }
    None
}

impl Entity for SkuMap {
    const KIND: Kind = Kind::SkuMap;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Map { components } => match fault(&components) {
                Some((what, why)) => {
                    let wants = "a bundle that can be packed".into();
                    return Err(Self::refuse(id, Why::Mismatch { what: what.into(), is: why.into(), wants }));
                }
                None if components == self.components => vec![],
                None => vec![Event::Mapped { components }],
            },
            Command::Unmap if self.components.is_empty() => vec![],
            Command::Unmap => vec![Event::Unmapped],
        })
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        self.components = match event {
            Event::Mapped { components } => components.clone(),
            Event::Unmapped => Vec::new(),
        };
    }

    fn stage_word(&self) -> &'static str {
        match self.components.as_slice() {
            [] => "unmapped",
            [Component { quantity: 1, .. }] => "mapped",
            _ => "bundle",
        }
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        self.components.iter().map(|part| Listing::new(Facet::Part, part.sku.text().clone(), "")).collect()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::SkuMap(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_packed_is_refused_and_the_same_is_no_event() {
        let part = |sku: &str, quantity| Component { sku: sku.into(), quantity };
        for (components, told) in [
            (vec![], "0 SKUs; 1 to 50 are accepted"),
            (vec![part("A", 0)], "0 of A; 1 to 1000 are accepted"),
            (vec![part("A", 1), part("A", 2)], "A stands twice"),
        ] {
            let refusal = SkuMap::default().decide(&"a:b:c".into(), Moment(0), Command::Map { components }).unwrap_err();
            assert!(refusal.to_string().contains(told), "{refusal}");
        }
        let bundle = SkuMap { components: vec![part("A", 2), part("B", 1)] };
        assert_eq!(bundle.decide(&"a:b:c".into(), Moment(0), Command::Map { components: bundle.components.clone() }), Ok(vec![]));
        assert_eq!(bundle.stage_word(), "bundle");
        assert_eq!(SkuMap::default().decide(&"a:b:c".into(), Moment(0), Command::Unmap), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn an_id_tells_whatever_the_platform_writes(platform in ".{0,12}", shop in ".{0,12}", sku in ".{0,12}") {
            let shop = Shop::new(platform, shop);
            let sku = Sku::new(sku);
            let id = super::id(&shop, &sku);
            prop_assert!(id.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b'?'), "{}", id);
            prop_assert_eq!(parts(&id), (shop, sku));
        }
    }
}
