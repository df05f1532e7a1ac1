//! What a house is told of its goods, as CSV: `products.csv` (the product master), `stock.csv` (what was counted), and maps of
//! platforms' SKUs to ours. Columns are found by name; columns that nobody asked for are ignored.
//!
//! Of products and maps every good row is taken and every bad one is named by file, line, field and value; of counts a file is
//! taken whole or not at all, since half a count is none. Never guesses a value.

use super::csv::{BadRow, Rows};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;
use twin::goods::{BatteryKind, Facts, PRODUCT_SIDE_MM_MAX, PRODUCT_WEIGHT_G_MAX};
use twin::money::Currency;
use twin::seller::{OWN, Shop};
use twin::sku_map::{COMPONENT_QUANTITY_MAX, Component, fault};
use twin::stock::Counted;
use twin::{Dims, Money, SellerId, Sku, WarehouseId};

/// A product of a seller, as a file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductRow {
    pub owner: SellerId,
    pub sku: Sku,
    pub facts: Facts,
}

/// What a shop's SKU is of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapRow {
    pub shop: Shop,
    pub sku: Sku,
    pub components: Vec<Component>,
}

/// What a file holds: what can be taken, and what cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sifted<T> {
    pub rows: Vec<T>,
    pub bad: Vec<BadRow>,
}

impl<T> Sifted<T> {
    /// All of it, or the first row that is bad.
    pub fn whole(self) -> Result<Vec<T>, BadRow> {
        match self.bad.into_iter().next() {
            Some(bad) => Err(bad),
            None => Ok(self.rows),
        }
    }
}

const CATEGORY: usize = 1;
const BATTERY: usize = 6;
const OWNER: usize = 7;
const LIQUID: usize = 8;
const HS_CODE: usize = 9;
const ORIGIN: usize = 10;
const DESCRIPTION: usize = 11;
const VALUE: usize = 12;
const VALUE_CURRENCY: usize = 13;

/// Reads `products.csv`: sku, category, weight_g, length_mm, width_mm, height_mm, battery (0, 1, none, contained, packed_with or
/// alone; 1 is contained); and, where there are such columns, owner (`own` where it is empty), liquid (0 or 1), hs_code,
/// origin, description, declared_value and declared_currency.
pub fn read_products(name: &str, reader: impl Read) -> Result<Sifted<ProductRow>, BadRow> {
    let needed = ["sku", "category", "weight_g", "length_mm", "width_mm", "height_mm", "battery"];
    let wanted = ["owner", "liquid", "hs_code", "origin", "description", "declared_value", "declared_currency"];
    let mut rows = Rows::new(name, reader, needed, wanted)?;
    let (mut sifted, mut seen) = (Sifted { rows: Vec::new(), bad: Vec::new() }, HashSet::new());
    while rows.next_good(&mut sifted.bad)? {
        let product = rows.product().and_then(|product| match seen.insert((product.owner.clone(), product.sku.clone())) {
            true => Ok(product),
            false => Err(rows.bad(0, format!("each SKU of {} once", product.owner))),
        });
        match product {
            Ok(product) => sifted.rows.push(product),
            Err(bad) => sifted.bad.push(bad),
        }
    }
    Ok(sifted)
}

/// Reads `stock.csv`: warehouse, sku, on_hand; and, where there is such a column, owner (`own` where it is empty).
pub fn read_stock(name: &str, reader: impl Read) -> Result<Vec<Counted>, BadRow> {
    let mut rows = Rows::new(name, reader, ["warehouse", "sku", "on_hand"], ["owner"])?;
    let (mut stock, mut seen) = (Vec::new(), HashSet::new());
    while rows.next()? {
        let (warehouse, owner) = (WarehouseId::new(rows.id(0)?), rows.owner(3)?);
        if warehouse.as_str().contains(':') {
            return Err(rows.bad(0, "a warehouse's id, without :"));
        }
        let row = Counted { warehouse, owner, sku: rows.sku(1)?, on_hand: rows.whole(2, 0, u32::MAX)? };
        if !seen.insert((row.warehouse.clone(), row.owner.clone(), row.sku.clone())) {
            return Err(rows.bad(1, format!("each SKU of {} once in {}", row.owner, row.warehouse)));
        }
        stock.push(row);
    }
    Ok(stock)
}

/// Reads maps of SKUs: platform, shop, sku (as the platform calls it), our_sku; and, where there is such a column, quantity (1
/// where it is empty). Rows of one SKU are one bundle. A bundle with a bad row is left out whole.
pub fn read_maps(name: &str, reader: impl Read) -> Result<Sifted<MapRow>, BadRow> {
    let mut rows = Rows::new(name, reader, ["platform", "shop", "sku", "our_sku"], ["quantity"])?;
    let (mut maps, mut spoiled, mut bad) = (BTreeMap::<(Shop, Sku), Vec<Component>>::new(), BTreeSet::new(), Vec::new());
    while rows.next_good(&mut bad)? {
        let key = (Shop::new(rows.field(0), rows.field(1)), Sku::new(rows.field(2)));
        let component = rows.component().and_then(|component| {
            let known = maps.get(&key).cloned().unwrap_or_default();
            let all: Vec<_> = known.into_iter().chain([component.clone()]).collect();
            match fault(&all) {
                None => Ok(component),
                Some((_, why)) => Err(rows.bad(3, format!("a bundle that can be packed: {why}"))),
            }
        });
        match component {
            Ok(component) => maps.entry(key).or_default().push(component),
            Err(row) => {
                spoiled.insert(key);
                bad.push(row);
            }
        }
    }
    maps.retain(|key, _| !spoiled.contains(key));
    let rows = maps.into_iter().map(|((shop, sku), components)| MapRow { shop, sku, components }).collect();
    Ok(Sifted { rows, bad })
}

impl<R: Read> Rows<'_, R> {
    fn owner(&self, at: usize) -> Result<SellerId, BadRow> {
        match self.field(at) {
            "" => Ok(SellerId::new(OWN)),
            owner if twin::is_seller(owner) => Ok(SellerId::new(owner)),
            _ => Err(self.bad(at, "an id: 1 to 64 printable characters without space, /, ? or :")),
        }
    }

    fn product(&self) -> Result<ProductRow, BadRow> {
        let side = |at| self.whole(at, 1, PRODUCT_SIDE_MM_MAX);
        let text = |at| SmolStr::new(self.field(at));
        let facts = Facts {
            weight_g: self.whole(2, 0, PRODUCT_WEIGHT_G_MAX)?,
            dims: Dims::new(side(3)?, side(4)?, side(5)?),
            battery: self.battery()?,
            liquid: if self.field(LIQUID).is_empty() { false } else { self.flag(LIQUID)? },
            category: text(CATEGORY),
            hs_code: text(HS_CODE),
            origin: SmolStr::new(self.field(ORIGIN).to_ascii_uppercase()),
            description: text(DESCRIPTION),
            declared_value: self.declared()?,
        };
        if let Some((field, why)) = facts.fault() {
            let at = [("category", CATEGORY), ("hs_code", HS_CODE), ("origin", ORIGIN), ("description", DESCRIPTION)];
            let at = at.into_iter().find(|(name, _)| *name == field).map_or(VALUE, |(_, at)| at);
            return Err(self.bad(at, format!("another value: {why}")));
        }
        Ok(ProductRow { owner: self.owner(OWNER)?, sku: self.sku(0)?, facts })
    }

    fn battery(&self) -> Result<BatteryKind, BadRow> {
        let word = self.field(BATTERY);
        let kind = match word {
            "0" | "false" | "no" => Some(BatteryKind::None),
            "1" | "true" | "yes" => Some(BatteryKind::Contained),
            _ => BatteryKind::ALL.into_iter().find(|kind| kind.as_str() == word),
        };
        kind.ok_or_else(|| self.bad(BATTERY, "0, 1, none, contained, packed_with or alone"))
    }

    fn declared(&self) -> Result<Option<Money>, BadRow> {
        if self.field(VALUE).is_empty() {
            return Ok(None);
        }
        let amount = self.field(VALUE).parse::<Decimal>().map_err(|_| self.bad(VALUE, "a decimal amount from 0 such as 7.79"))?;
        let currency = Currency::from_code(self.field(VALUE_CURRENCY));
        let currency = currency.ok_or_else(|| self.bad(VALUE_CURRENCY, "an ISO 4217 code such as USD"))?;
        Ok(Some(Money::new(amount, currency)))
    }

    fn component(&self) -> Result<Component, BadRow> {
        for at in [0, 1] {
            let text = self.field(at);
            if text.is_empty() || text.chars().count() > twin::ID_LENGTH_MAX {
                return Err(self.bad(at, format!("1 to {} characters", twin::ID_LENGTH_MAX)));
            }
        }
        self.sku(2)?;
        let quantity = if self.field(4).is_empty() { 1 } else { self.whole(4, 1, COMPONENT_QUANTITY_MAX)? };
        Ok(Component { sku: self.sku(3)?, quantity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "sku,category,weight_g,length_mm,width_mm,height_mm,battery,unit_cost\n";
    const LAMP: &str = "LAMP,home,800,300,200,150,1,7.00\n";

    #[test]
    fn good_products_go_in_and_bad_ones_are_named() {
        let read = read_products("p.csv", format!("{HEADER}{LAMP}").as_bytes()).unwrap();
        let ProductRow { owner, sku, facts } = &read.rows[0];
        assert_eq!((owner.as_str(), sku.as_str(), facts.weight_g, facts.dims), ("own", "LAMP", 800, Dims::new(300, 200, 150)));
        assert_eq!((facts.battery, facts.liquid, &facts.declared_value), (BatteryKind::Contained, false, &None));
        let text = format!(
            "{HEADER}{LAMP}{LAMP}A,home,0.8,300,200,150,1,7\nB,home,8,300,200,0,1,7\nC,home,8,300,200,1,maybe,7\nD,home,8\nE,home,8,300,200,1,none,7\n"
        );
        let read = read_products("p.csv", text.as_bytes()).unwrap();
        assert_eq!(read.rows.iter().map(|r| r.sku.as_str()).collect::<Vec<_>>(), ["LAMP", "E"]);
        assert_eq!(
            read.bad.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "p.csv line 3: sku is \"LAMP\"; expected each SKU of own once",
                "p.csv line 4: weight_g is \"0.8\"; expected a whole number from 0 to 1000000",
                "p.csv line 5: height_mm is \"0\"; expected a whole number from 1 to 10000",
                "p.csv line 6: battery is \"maybe\"; expected 0, 1, none, contained, packed_with or alone",
                "p.csv line 7: row is \"D,home,8\"; expected 8 fields as in the header, not 3",
            ]
        );
        assert_eq!(read.whole().unwrap_err().line, 3);
        assert_eq!(read_products("p.csv", &b"sku\nA\n"[..]).unwrap_err().field, "header");
    }

    #[test]
    fn customs_facts_and_owners_have_columns_of_their_own() {
        let header = "owner,sku,category,weight_g,length_mm,width_mm,height_mm,battery,liquid,hs_code,origin,description,declared_value,declared_currency\n";
        let good = "LUM,LAMP,home,800,300,200,150,packed_with,1,940521,cn,LED table lamp,4.50,EUR\n";
        let read = read_products("p.csv", format!("{header}{good}").as_bytes()).unwrap();
        let ProductRow { owner, facts, .. } = &read.rows[0];
        assert_eq!((owner.as_str(), facts.origin.as_str(), facts.hs_code.as_str()), ("LUM", "CN", "940521"));
        assert_eq!((facts.battery, facts.liquid, facts.description.as_str()), (BatteryKind::PackedWith, true, "LED table lamp"));
        assert_eq!(facts.declared_value.unwrap().to_string(), "4.50 EUR");
        let told = |from: &str, to: &str| {
            let read = read_products("p.csv", format!("{header}{}", good.replace(from, to)).as_bytes()).unwrap();
            assert_eq!((read.rows.len(), read.bad.len()), (0, 1), "{to}");
            read.bad[0].to_string()
        };
        assert_eq!(told("940521", "9405"), "p.csv line 2: hs_code is \"9405\"; expected another value: \"9405\" is not six to ten digits");
        assert!(told(",cn,", ",xx,").contains("origin is \"xx\""));
        assert!(told("EUR", "").contains("declared_currency is \"\""));
        assert!(told("4.50", "-1").contains("declared_value is \"-1\""));
        assert!(told("LUM", "L:M").contains("owner is \"L:M\""));
    }

    #[test]
    fn counts_stand_once_for_each_owner() {
        let twice = read_stock("s.csv", &b"warehouse,sku,on_hand\nSZX,LAMP,2\nFRA,LAMP,0\nSZX,LAMP,3\n"[..]).unwrap_err();
        assert_eq!(twice.to_string(), "s.csv line 4: sku is \"LAMP\"; expected each SKU of own once in SZX");
        let two = read_stock("s.csv", &b"owner,warehouse,sku,on_hand\nLUM,SZX,LAMP,2\n,SZX,LAMP,3\n"[..]).unwrap();
        assert_eq!(two.iter().map(|r| (r.owner.as_str(), r.on_hand)).collect::<Vec<_>>(), [("LUM", 2), ("own", 3)]);
    }

    #[test]
    fn a_bundle_is_taken_whole_or_not() {
        let text = "platform,shop,sku,our_sku,quantity\namazon,a-1,Gift set,A,2\nshopify,s,CUP,CUP-01,\namazon,a-1,Gift set,B,1\n\
                    amazon,a-1,Half,A,1\namazon,a-1,Half,B,0\namazon,a-1,Twice,A,1\namazon,a-1,Twice,A,1\n";
        let read = read_maps("m.csv", text.as_bytes()).unwrap();
        let shown: Vec<_> =
            read.rows.iter().map(|r| (r.sku.as_str(), r.components.iter().map(|c| c.quantity).collect::<Vec<_>>())).collect();
        assert_eq!(shown, [("Gift set", vec![2, 1]), ("CUP", vec![1])]);
        assert_eq!(
            read.bad.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "m.csv line 6: quantity is \"0\"; expected a whole number from 1 to 1000",
                "m.csv line 8: our_sku is \"A\"; expected a bundle that can be packed: A stands twice",
            ]
        );
    }

    proptest! {
        /// Whatever stands between commas: each row is taken or named, none is lost, and nothing breaks off.
        #[test]
        fn every_row_is_taken_or_named(rows in prop::collection::vec(prop::collection::vec("[ -~é]{0,8}|[0-9]{1,4}|none|own", 7), 0..12)) {
            let mut text = csv::Writer::from_writer(Vec::new());
            text.write_record(["sku", "category", "weight_g", "length_mm", "width_mm", "height_mm", "battery"]).unwrap();
            rows.iter().for_each(|row| text.write_record(row).unwrap());
            let text = text.into_inner().unwrap();
            let read = read_products("p.csv", &text[..]).unwrap();
            prop_assert_eq!(read.rows.len() + read.bad.len(), rows.len());
            prop_assert!(read.rows.iter().all(|row| row.facts.fault().is_none()));
            let maps = String::from_utf8(text).unwrap().replacen("sku,category,weight_g,length_mm", "platform,shop,sku,our_sku", 1);
            let maps = read_maps("m.csv", maps.as_bytes()).unwrap();
            prop_assert!(maps.rows.iter().all(|row| fault(&row.components).is_none()));
        }
    }
}
