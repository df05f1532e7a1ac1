//! Sheets of Chinese direct lines: first-plus-continued weight as a price per kilogram (首重续重) and a registration fee (挂号费).

use super::bands::{Service, service};
use super::table::{Row, Table};
use super::{Sheet, SheetError};
use twin::Grams;
use twin::channel::Band;
use twin::money::{Currency, Decimal};

const COLUMNS: [&str; 7] = ["country", "channel", "min_kg_excl", "max_kg_incl", "min_billable_kg", "cny_per_kg", "registration_cny"];

/// Reads `country,channel,last_mile,min_kg_excl,max_kg_incl,min_billable_kg,cny_per_kg,registration_cny,max_cm,days`.
///
/// Each country is a zone. A gap between the bands stays a gap: a parcel in it has no price.
pub fn wanb(text: &str, file: &str) -> Result<Vec<Sheet>, SheetError> {
    let table = Table::read(text, file, &COLUMNS)?;
    let mut services: Vec<Service> = Vec::new();
    for row in table.rows() {
        let service = service(&mut services, row.required("channel")?, Currency::CNY, &row)?;
        service.promise(row.days("days")?);
        limit_sides(service, &row)?;
        let up_to_g = row.kilograms("max_kg_incl")?.ok_or_else(|| row.wants("max_kg_incl", "filled in"))?;
        let above_g = row.kilograms("min_kg_excl")?.unwrap_or(0);
        let minimum_g = row.kilograms("min_billable_kg")?.unwrap_or(0);
        let per_kg = row.number("cny_per_kg")?.unwrap_or(Decimal::ZERO);
        let fee = row.number("registration_cny")?.unwrap_or(Decimal::ZERO);
        // A fee without a price per kilogram is half a price, so none.
        let flat = if per_kg.is_zero() { Decimal::ZERO } else { fee };
        let band = Band { above_g, up_to_g, flat, per_kg, per_lb: Decimal::ZERO, minimum_g };
        service.weight_up_to(up_to_g);
        let country = row.required("country")?;
        let zone = service.zone(country, row.countries("country")?, &[]);
        service.band(&row, "max_kg_incl", "cny_per_kg", zone, band)?;
    }
    Ok(services.into_iter().map(|service| service.sheet(file, &[])).collect())
}

/// The three sides of `60x40x40` (cm).
fn limit_sides(service: &mut Service, row: &Row) -> Result<(), SheetError> {
    let text = row.text("max_cm");
    if text.is_empty() {
        return Ok(());
    }
    let sides = text.split('x').map(|cm| cm.trim().parse::<u16>().ok().map(|cm| Grams::from(cm) * 10)).collect::<Option<Vec<_>>>();
    let Some(&[length_mm, width_mm, height_mm]) = sides.as_deref() else {
        return Err(row.wants("max_cm", "three sides such as 60x40x40"));
    };
    service.limit_sides([length_mm, width_mm, height_mm]);
    Ok(())
}
