//! What the catalog says does not depend on what of it is durable already, and is what was told last.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use twin::{Dims, Moment, Tx};

const SHOPS: [&str; 3] = ["s1", "s2", "s3"];
const SKUS: [&str; 3] = ["A", "B", "Set"];
const SELLERS: [&str; 3] = ["own", "LUM", "KITE"];

#[derive(Clone, Debug)]
enum Step {
    Tell(Change),
    /// The oldest work that is not durable becomes so.
    Durable,
    /// The desk falls, with all that was not durable.
    Fall,
}

fn shop(n: usize) -> Shop {
    Shop::new("amazon", SHOPS[n])
}

fn step() -> impl Strategy<Value = Step> {
    let facts = |weight_g| Box::new(Facts { weight_g, dims: Dims::new(1, 1, 1), ..Facts::default() });
    let part = (0..3usize, 1..4u32).prop_map(|(sku, quantity)| Component { sku: SKUS[sku].into(), quantity });
    let change = prop_oneof![
        (0..3usize, 0..3usize, 0..4u32).prop_map(move |(owner, sku, g)| Change::Product {
            owner: SELLERS[owner].into(),
            sku: SKUS[sku].into(),
            facts: facts(g)
        }),
        (0..3usize, 0..3usize, 1..4u32).prop_map(|(owner, sku, weight_g)| Change::Weigh {
            owner: SELLERS[owner].into(),
            sku: SKUS[sku].into(),
            weight_g
        }),
        (0..3usize, 0..3usize).prop_map(|(owner, sku)| Change::Retire { owner: SELLERS[owner].into(), sku: SKUS[sku].into() }),
        (0..3usize, 0..3usize, prop::collection::vec(part, 0..3)).prop_map(|(n, sku, components)| Change::Map {
            shop: shop(n),
            sku: SKUS[sku].into(),
            components
        }),
        (0..3usize, 0..3usize).prop_map(|(n, sku)| Change::Unmap { shop: shop(n), sku: SKUS[sku].into() }),
        (1..3usize, prop::collection::vec(0..3usize, 0..3)).prop_map(|(id, shops)| Change::Seller {
            id: SELLERS[id].into(),
            name: "N".into(),
            shops: shops.into_iter().map(shop).collect()
        }),
    ];
    prop_oneof![4 => change.prop_map(Step::Tell), 3 => Just(Step::Durable), 1 => Just(Step::Fall)]
}

/// The same in plain maps.
#[derive(Clone, Default)]
struct Model {
    products: BTreeMap<(SellerId, Sku), (u32, bool)>,
    maps: BTreeMap<(Shop, Sku), Vec<Component>>,
    shops: BTreeMap<Shop, SellerId>,
}

impl Model {
    fn take(&mut self, change: Change) {
        match change {
            Change::Seller { id, shops, .. } => {
                self.shops.retain(|_, of| *of != id);
                self.shops.extend(shops.into_iter().map(|shop| (shop, id.clone())));
            }
            Change::Product { owner, sku, facts } => drop(self.products.insert((owner, sku), (facts.weight_g, true))),
            Change::Weigh { owner, sku, weight_g } => self.products.get_mut(&(owner, sku)).into_iter().for_each(|p| p.0 = weight_g),
            Change::Retire { owner, sku } => self.products.get_mut(&(owner, sku)).into_iter().for_each(|p| p.1 = false),
            Change::Map { shop, sku, components } => drop(self.maps.insert((shop, sku), components)),
            Change::Unmap { shop, sku } => drop(self.maps.remove(&(shop, sku))),
        }
    }

    fn seller_of(&self, shop: &Shop) -> SellerId {
        self.shops.get(shop).cloned().unwrap_or_else(|| SellerId::new(OWN))
    }

    /// SKU, pieces and weight of each of its goods; `None`: nobody knows.
    fn goods(&self, shop: &Shop, sku: &Sku) -> Option<Vec<(Sku, u32, u32)>> {
        let itself = vec![Component { sku: sku.clone(), quantity: 1 }];
        let parts = self.maps.get(&(shop.clone(), sku.clone())).unwrap_or(&itself);
        let seller = self.seller_of(shop);
        let known = |part: &Component| {
            let (weight_g, _) = self.products.get(&(seller.clone(), part.sku.clone())).filter(|(weight_g, sold)| *sold && *weight_g > 0)?;
            Some((part.sku.clone(), part.quantity, *weight_g))
        };
        parts.iter().map(known).collect()
    }
}

/// What is not durable yet, with what the model is once it is.
type Unsettled = (Tx, Vec<(Wrote, u32)>, Model);

proptest! {
    #[test]
    fn it_says_what_it_was_told_last_durable_or_not(steps in prop::collection::vec(step(), 1..60)) {
        let twin = Arc::new(Twin::in_memory("catalog"));
        let mut catalog = Catalog::new(twin.clone());
        let mut model = Model::default();
        let mut waiting: VecDeque<Unsettled> = VecDeque::new();
        let mut durable = Model::default();
        for step in steps {
            match step {
                Step::Tell(change) => {
                    let mut work = Work::at(Moment(1));
                    let (outcome, wrote) = catalog.change(&mut work, change.clone()).unwrap();
                    prop_assert_eq!(matches!(outcome, Ok(Outcome::New | Outcome::Changed)), wrote.is_some());
                    prop_assert_eq!(work.tx.is_empty(), wrote.is_none());
                    if outcome.is_ok() {
                        model.take(change);
                    }
                    waiting.push_back((work.tx, wrote.into_iter().collect(), model.clone()));
                }
                Step::Durable => {
                    if let Some((tx, wrote, then)) = waiting.pop_front() {
                        twin.commit([tx]).unwrap();
                        wrote.iter().for_each(|(wrote, version)| catalog.settled(wrote, *version));
                        durable = then;
                    }
                }
                Step::Fall => {
                    waiting.clear();
                    catalog = Catalog::new(twin.clone());
                    model = durable.clone();
                }
            }
            for shop in (0..SHOPS.len()).map(shop) {
                let seller = catalog.seller_of(&shop).unwrap();
                prop_assert_eq!(&seller, &model.seller_of(&shop));
                for sku in SKUS.map(Sku::from) {
                    let goods = catalog.goods(&seller, &shop, &sku).unwrap().ok();
                    let told = goods.map(|goods| goods.into_iter().map(|g| (g.sku, g.quantity, g.facts.weight_g)).collect());
                    prop_assert_eq!(told, model.goods(&shop, &sku), "{} of {}", sku, shop.shop);
                }
            }
        }
        while let Some((tx, wrote, _)) = waiting.pop_front() {
            twin.commit([tx]).unwrap();
            wrote.iter().for_each(|(wrote, version)| catalog.settled(wrote, *version));
        }
        prop_assert!(catalog.sellers.0.is_empty() && catalog.products.0.is_empty() && catalog.maps.0.is_empty(), "it keeps nothing that is durable");
    }
}
