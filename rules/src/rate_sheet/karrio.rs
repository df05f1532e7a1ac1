//! karrio's common rate sheet: a row per service, zone and weight band, in kilograms and centimetres unless it
//! says otherwise; those of USPS are in pounds and inches and do not say so.

use super::bands::{Service, service};
use super::table::{Row, Table};
use super::{Sheet, SheetError};
use smol_str::SmolStr;
use twin::Grams;
use twin::channel::Band;
use twin::money::Decimal;

/// The sheets begin their lightest band at 0.01 kg, the least weight they can write: it means from nothing.
const FROM_NOTHING_G: Grams = 10;

const POUND_G: Decimal = Decimal::from_parts(45_359_237, 0, 0, false, 5);
const INCH_MM: Decimal = Decimal::from_parts(254, 0, 0, false, 1);

/// Carriers whose sheets are in pounds and inches though they do not say so (karrio's connectors `usps` and `usps_international` set
/// `LB` and `IN` for all their services).
fn is_imperial(file: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.to_ascii_lowercase().starts_with("usps")
}

/// Zone names that mean every country, where the row lists none.
const EVERYWHERE: [&str; 3] = ["worldwide", "international", "rest of world"];

/// Reads a sheet. `home` is the ISO country it is posted in: a domestic row without a country list means it, and a worldwide
/// row does not. Columns are found by name; weights, sizes and rate may be missing altogether.
///
/// A row that lists no countries though its zone is a region ("EU") is left out with a note. All three sides of the row are limits,
/// whichever is which; where rows of a service differ, the least counts.
pub fn karrio(text: &str, file: &str, home: &str) -> Result<Vec<Sheet>, SheetError> {
    let table = Table::read(text, file, &["service_code", "service_name", "zone_label", "country_codes", "currency"])?;
    let mut services: Vec<Service> = Vec::new();
    let imperial = is_imperial(file) && !(table.has("weight_unit") || table.has("dimension_unit"));
    for row in table.rows() {
        let currency = row.currency("currency")?;
        let service = service(&mut services, row.required("service_code")?, currency, &row)?;
        service.call(row.text("service_name"));
        if imperial {
            service.note("the sheet names no units: read in pounds and inches, as this carrier counts".into());
        }
        service.promise(row.days("transit_days")?);
        limit_sides(service, &row, imperial)?;

        let (above_g, up_to_g) = weights(service, &row, &table, imperial)?;
        service.weight_up_to(up_to_g);
        let zone = row.required("zone_label")?;
        let Some(countries) = countries(&row, home)? else {
            service.note(format!("zone {zone} lists no countries: left out"));
            service.skipped.push(row.skipped("country_codes", "its zone is a region and lists no countries"));
            continue;
        };
        let flat = row.number("rate")?.unwrap_or(Decimal::ZERO);
        let zone = service.zone(zone, countries, &[]);
        service.band(
            &row,
            "max_weight",
            "rate",
            zone,
            Band { above_g, up_to_g, flat, per_kg: Decimal::ZERO, per_lb: Decimal::ZERO, minimum_g: 0 },
        )?;
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
fn weights(service: &mut Service, row: &Row, table: &Table, imperial: bool) -> Result<(Grams, Grams), SheetError> {
    let unit_g = match row.text("weight_unit") {
        "" if imperial => POUND_G,
        "" | "KG" => Decimal::ONE_THOUSAND,
        "LB" => POUND_G,
        _ => return Err(row.wants("weight_unit", "KG or LB")),
    };
    let above_g = row.measure("min_weight", unit_g)?.unwrap_or(0);
    let up_to_g = row.measure("max_weight", unit_g)?.unwrap_or(Grams::MAX);
    if !table.has("max_weight") {
        service.note("the sheet has no weights: one price for every weight".into());
    }
    Ok((if above_g <= FROM_NOTHING_G { 0 } else { above_g }, up_to_g))
}

fn limit_sides(service: &mut Service, row: &Row, imperial: bool) -> Result<(), SheetError> {
    let unit_mm = match row.text("dimension_unit") {
        "" if imperial => INCH_MM,
        "" | "CM" => Decimal::TEN,
        "IN" => INCH_MM,
        _ => return Err(row.wants("dimension_unit", "CM or IN")),
    };
    let side = |field| row.measure(field, unit_mm).map(Option::unwrap_or_default);
    let sides_mm = [side("max_length")?, side("max_width")?, side("max_height")?];
    // Which side of a parcel a width alone limits is not said.
    if sides_mm[0] > 0 {
        service.limit_sides(sides_mm);
    }
    Ok(())
}
