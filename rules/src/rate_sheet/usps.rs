//! USPS Notice 123 (retail), as `service,weight_upto,zone,usd` with weights such as `4oz` and `1lb`.

use super::bands::{Service, service};
use super::table::{Row, Table};
use super::{Sheet, SheetError};
use rust_decimal::prelude::ToPrimitive;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use twin::Grams;
use twin::channel::Band;
use twin::money::{Currency, Decimal};

/// Zone by distance → postcode prefixes it holds for, seen from where the parcels are posted (USPS zone chart of that origin).
/// A zone with an empty list is all the rest of the country.
pub type ZoneChart = BTreeMap<SmolStr, Vec<SmolStr>>;

/// Reads a sheet. The prices go by distance, so the zones need the chart of the posting place; zones that it does not name
/// are left out with a note.
///
/// Notice 123 has a row for each 4 oz up to a pound and for each pound above. An excerpt leaves rows out: the weights between
/// have no price then, since the next row's price is not theirs. Dimensional weight (166 in³/lb above one cubic foot) is not
/// part of the tariff.
pub fn usps(text: &str, file: &str, chart: &ZoneChart) -> Result<Vec<Sheet>, SheetError> {
    let table = Table::read(text, file, &["service", "weight_upto", "zone", "usd"])?;
    let mut services: Vec<Service> = Vec::new();
    for row in table.rows() {
        let service = service(&mut services, row.required("service")?, Currency::USD, &row)?;
        let (up_to_g, step_g) = weight_upto(&row)?;
        service.weight_up_to(up_to_g);
        let name = row.required("zone")?;
        let flat = row.number("usd")?.unwrap_or(Decimal::ZERO);
        let Some(prefixes) = chart.get(name) else {
            service.note(format!("zone {name} is not in the zone chart: left out"));
            service.skipped.push(row.skipped("zone", "not in the zone chart"));
            continue;
        };
        let zone = service.zone(name, vec![SmolStr::new_static("US")], prefixes);
        let known_g = service.zones[zone].bands.iter().map(|band| band.up_to_g).filter(|known_g| *known_g <= up_to_g).max().unwrap_or(0);
        let above_g = known_g.max(up_to_g.saturating_sub(step_g));
        // 15.999 oz and 1 lb are the same gram: the price that stands first holds.
        let same_gram = service.zones[zone].bands.iter().find(|band| band.up_to_g == up_to_g);
        if same_gram.is_some_and(|first| first.flat != flat) {
            service.skipped.push(row.skipped("usd", "a row before it has another price for the same weight in grams"));
        }
        if above_g < up_to_g {
            service.band(
                &row,
                "weight_upto",
                "usd",
                zone,
                Band { above_g, up_to_g, flat, per_kg: Decimal::ZERO, per_lb: Decimal::ZERO, minimum_g: 0 },
            )?;
        }
    }
    let source = format!("USPS Notice 123, retail: {file}");
    Ok(services.into_iter().map(|service| service.sheet(&source, &[])).collect())
}

/// Where the row ends, in whole grams (a parcel of 113 g is under 4 oz, one of 114 g over), and how far down it reaches.
fn weight_upto(row: &Row) -> Result<(Grams, Grams), SheetError> {
    let text = row.text("weight_upto");
    let ounce_g = Decimal::new(28_349_523_125, 9);
    let wants = || row.wants("weight_upto", "a weight such as 4oz or 1lb");
    let (number, unit_g, step) = match (text.strip_suffix("oz"), text.strip_suffix("lb")) {
        (Some(ounces), _) => (ounces, ounce_g, Decimal::from(4)),
        (_, Some(pounds)) => (pounds, ounce_g * Decimal::from(16), Decimal::ONE),
        _ => return Err(wants()),
    };
    let number = Decimal::from_str_exact(number.trim()).map_err(|_| wants())?;
    let grams = |n: Decimal| n.checked_mul(unit_g).and_then(|g| g.floor().to_u32()).ok_or_else(wants);
    let up_to_g = grams(number)?;
    Ok((up_to_g, up_to_g - grams((number - step).max(Decimal::ZERO))?))
}
