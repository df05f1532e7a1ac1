//! What the rows of one service amount to: its zones with their weight bands, its countries, limits and promise.

use super::table::Row;
use super::{Sheet, SheetError, SkippedRow};
use smol_str::SmolStr;
use twin::Grams;
use twin::channel::{Band, ChargeableWeight, Limits, Tariff, Zone};
use twin::money::Currency;

/// Rows of one service, gathered in the order of the sheet.
pub(super) struct Service {
    pub code: SmolStr,
    pub name: String,
    currency: Currency,
    pub zones: Vec<Zone>,
    pub limits: Limits,
    heaviest_g: Grams,
    pub days: Option<u16>,
    pub notes: Vec<String>,
    /// Rows with a price, and rows without.
    priced: usize,
    unpriced: usize,
    pub skipped: Vec<SkippedRow>,
}

/// The service with this code, begun where this is its first row.
pub(super) fn service<'s>(
    services: &'s mut Vec<Service>,
    code: &str,
    currency: Currency,
    row: &Row,
) -> Result<&'s mut Service, SheetError> {
    let at = services.iter().position(|service| service.code == code).unwrap_or(services.len());
    if at == services.len() {
        services.push(Service {
            code: code.into(),
            name: code.into(),
            currency,
            zones: vec![],
            limits: Limits::default(),
            heaviest_g: 0,
            days: None,
            notes: vec![],
            priced: 0,
            unpriced: 0,
            skipped: vec![],
        });
    }
    let service = &mut services[at];
    if service.currency != currency {
        return Err(row.conflict("currency", format!("differs from the {} of the rows of {code} before it", service.currency.code())));
    }
    Ok(service)
}

impl Service {
    /// The first name that is more than the code.
    pub fn call(&mut self, name: &str) {
        if self.name == self.code.as_str() && !name.is_empty() {
            self.name = name.into();
        }
    }

    pub fn promise(&mut self, days: Option<u16>) {
        self.days = self.days.max(days);
    }

    /// A sentence on what was left open, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The place of this zone among `zones`, begun where it is new.
    pub fn zone(&mut self, name: &str, countries: Vec<SmolStr>, postcode_prefixes: &[SmolStr]) -> usize {
        let at = self.zones.iter().position(|zone| zone.name == name && zone.countries == countries).unwrap_or(self.zones.len());
        if at == self.zones.len() {
            self.zones.push(Zone { name: name.into(), countries, postcode_prefixes: postcode_prefixes.to_vec(), bands: vec![] });
        }
        at
    }

    /// Puts a row's band into its zone. A band without a price is left out: a parcel in it has none. Two prices for one
    /// weight, or a band that ends before it begins, refuse the sheet. `field` is where the row says how far it reaches,
    /// `price` where it says what that costs.
    pub fn band(&mut self, row: &Row, field: &'static str, price: &'static str, zone: usize, band: Band) -> Result<(), SheetError> {
        if band.above_g >= band.up_to_g {
            return Err(row.conflict(field, format!("ends at {} g, not above where it begins: {} g", band.up_to_g, band.above_g)));
        }
        let zone = &mut self.zones[zone];
        if band.flat.is_zero() && band.per_kg.is_zero() {
            self.unpriced += 1;
            self.skipped.push(row.skipped(price, "no price"));
            return Ok(());
        }
        if let Some(other) = zone.bands.iter().find(|other| band.above_g < other.up_to_g && other.above_g < band.up_to_g) {
            let (from_g, to_g) = (other.above_g, other.up_to_g);
            return Err(row.conflict(field, format!("overlaps another price in zone {}: above {from_g} g up to {to_g} g", zone.name)));
        }
        zone.bands.push(band);
        self.priced += 1;
        Ok(())
    }

    /// All three sides hold, and length plus girth as they allow it; where rows differ, the least counts. A 0 limits nothing.
    pub fn limit_sides(&mut self, sides_mm: [u32; 3]) {
        self.limits.within_sides(sides_mm);
        if sides_mm.iter().all(|side| *side > 0) {
            let [length_mm, width_mm, height_mm] = sides_mm;
            let sum_mm = twin::Dims::new(length_mm, width_mm, height_mm).length_plus_girth_mm();
            let known_mm = &mut self.limits.length_plus_girth_mm_max;
            *known_mm = if *known_mm == 0 { sum_mm } else { sum_mm.min(*known_mm) };
        }
    }

    /// The heaviest row counts; `Grams::MAX` is no limit.
    pub fn weight_up_to(&mut self, up_to_g: Grams) {
        self.heaviest_g = self.heaviest_g.max(up_to_g);
    }

    /// Done: zones without countries stand last, and `elsewhere` are the countries they do not mean.
    pub fn sheet(mut self, source: &str, elsewhere: &[SmolStr]) -> Sheet {
        self.zones.sort_by_key(|zone| zone.countries.is_empty());
        for zone in &mut self.zones {
            zone.bands.sort_by_key(|band| band.above_g);
        }
        let anywhere = self.zones.iter().any(|zone| zone.countries.is_empty());
        let mut to: Vec<SmolStr> = Vec::new();
        for country in self.zones.iter().flat_map(|zone| &zone.countries) {
            if !to.contains(country) {
                to.push(country.clone());
            }
        }
        let not_to = if anywhere { elsewhere.iter().filter(|c| !to.contains(c)).cloned().collect() } else { vec![] };
        if anywhere {
            to.clear();
        }
        if self.unpriced > 0 {
            self.notes.push(format!("{} of {} rows have no price", self.unpriced, self.priced + self.unpriced));
        }
        let weight = ChargeableWeight::default();
        let tariff = Tariff { currency: self.currency, source: source.into(), weight, zones: self.zones, surcharges: vec![] };
        let tariff = (self.priced > 0 || self.unpriced == 0).then_some(tariff);
        self.limits.weight_g_max = if self.heaviest_g == Grams::MAX { 0 } else { self.heaviest_g };
        let Service { code, name, limits, days, notes, skipped, .. } = self;
        Sheet { service: code, name, to, not_to, limits, days, tariff, notes, skipped }
    }
}
