//! karrio's common rate sheet: a row per service, zone and weight band, in kilograms and centimetres unless it says otherwise.

use super::bands::{Service, service};
use super::table::{Row, Table};
use super::{Sheet, SheetError};
use smol_str::SmolStr;
use twin::Grams;
use twin::channel::Band;
use twin::money::Decimal;

/// The sheets begin their lightest band at 0.01 kg, the least weight they can write: it means from nothing.
const FROM_NOTHING_G: Grams = 10;

/// Zone names that mean every country, where the row lists none.
const EVERYWHERE: [&str; 3] = ["worldwide", "international", "rest of world"];

/// Reads a sheet. `home` is the ISO country it is posted in: a domestic row without a country list means it, and a worldwide
/// row does not. Columns are found by name; weights, sizes and rate may be missing altogether.
///
/// A row that lists no countries though its zone is a region ("EU") is left out with a note. The longest side and the length
/// plus girth are limited as the three sides of the row allow; where rows of a service differ, the least counts.
pub fn karrio(text: &str, file: &str, home: &str) -> Result<Vec<Sheet>, SheetError> {
    let table = Table::read(text, file, &["service_code", "service_name", "zone_label", "country_codes", "currency"])?;
    let mut services: Vec<Service> = Vec::new();
    for row in table.rows() {
        let currency = row.currency("currency")?;
        let service = service(&mut services, row.required("service_code")?, currency, &row)?;
        service.call(row.text("service_name"));
        service.promise(row.days("transit_days")?);
        limit_sides(service, &row)?;

        let (above_g, up_to_g) = weights(service, &row, &table)?;
        service.weight_up_to(up_to_g);
        let zone = row.required("zone_label")?;
        let Some(countries) = countries(&row, home)? else {
            service.note(format!("zone {zone} lists no countries: left out"));
            continue;
        };
        let flat = row.number("rate")?.unwrap_or(Decimal::ZERO);
        let zone = service.zone(zone, countries, &[]);
        service.band(&row, "max_weight", zone, Band { above_g, up_to_g, flat, per_kg: Decimal::ZERO, minimum_g: 0 })?;
    }
    Ok(services.into_iter().map(|service| service.sheet(file, &[SmolStr::new(home)])).collect())
}

/// The row's countries; none for everywhere; `None` where they are not known.
fn countries(row: &Row, home: &str) -> Result<Option<Vec<SmolStr>>, SheetError> {
    let listed = row.countries("country_codes")?;
    let domestic = row.text("domicile") == "true" && row.text("international") != "true";
    if listed.is_empty() && domestic {
        return Ok(Some(vec![SmolStr::new(home)]));
    }
    let everywhere = EVERYWHERE.contains(&row.text("zone_label").to_ascii_lowercase().as_str());
    Ok(Some(listed).filter(|listed| everywhere || !listed.is_empty()))
}

/// Above which weight and up to which the row's rate holds.
fn weights(service: &mut Service, row: &Row, table: &Table) -> Result<(Grams, Grams), SheetError> {
    let unit_g = match row.text("weight_unit") {
        "" | "KG" => Decimal::ONE_THOUSAND,
        "LB" => Decimal::new(45_359_237, 5),
        _ => return Err(row.wants("weight_unit", "KG or LB")),
    };
    let above_g = row.measure("min_weight", unit_g)?.unwrap_or(0);
    let up_to_g = row.measure("max_weight", unit_g)?.unwrap_or(Grams::MAX);
    if !table.has("max_weight") {
        service.note("the sheet has no weights: one price for every weight".into());
    }
    Ok((if above_g <= FROM_NOTHING_G { 0 } else { above_g }, up_to_g))
}

fn limit_sides(service: &mut Service, row: &Row) -> Result<(), SheetError> {
    let unit_mm = match row.text("dimension_unit") {
        "" | "CM" => Decimal::TEN,
        "IN" => Decimal::new(254, 1),
        _ => return Err(row.wants("dimension_unit", "CM or IN")),
    };
    let side = |field| row.measure(field, unit_mm).map(|side| side.filter(|mm| *mm > 0));
    let (length, width, height) = (side("max_length")?, side("max_width")?, side("max_height")?);
    let limits = &mut service.limits;
    let least = |known: u32, new: u32| if known == 0 { new } else { known.min(new) };
    if let Some(length_mm) = length {
        let longest_mm = length_mm.max(width.unwrap_or(0)).max(height.unwrap_or(0));
        limits.length_mm_max = least(limits.length_mm_max, longest_mm);
    }
    if let (Some(length_mm), Some(width_mm), Some(height_mm)) = (length, width, height) {
        let sum_mm = twin::Dims::new(length_mm, width_mm, height_mm).length_plus_girth_mm();
        limits.length_plus_girth_mm_max = least(limits.length_plus_girth_mm_max, sum_mm);
    }
    Ok(())
}
