//! Where a parcel goes or comes from: what an address holds, how it is put right when an order comes in, and what is wrong with it.
//!
//! Puts right only what leaves no doubt (`UK` is `GB`, `7030` in New Jersey is `07030`); all else is named, field by field, and a
//! person decides. It never asks whether a house exists.

pub mod countries;
mod po_box;
pub mod postcodes;
pub mod regions;
pub mod territories;

pub use territories::is_declared;

use crate::defect::{Defect, Wrong};
use crate::personal::Personal;
use countries::Use;
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The longest single field of an address that is accepted, in bytes.
pub const ADDRESS_FIELD_MAX: usize = 200;

/// A postal address. `country` is ISO 3166-1 alpha-2, upper case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Who it is for or from.
    #[serde(default)]
    pub name: SmolStr,
    /// Of the person.
    #[serde(default)]
    pub company: SmolStr,
    /// Street and number.
    #[serde(default)]
    pub street: SmolStr,
    /// Flat, floor, building: what stands below the street.
    #[serde(default)]
    pub street2: SmolStr,
    /// Town.
    #[serde(default)]
    pub city: SmolStr,
    /// State or province, as the carrier writes it: `CA`.
    #[serde(default)]
    pub region: SmolStr,
    /// As the country's post writes it.
    #[serde(default)]
    pub postcode: SmolStr,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: SmolStr,
    /// With the country's prefix: `+86 755 …`.
    #[serde(default)]
    pub phone: SmolStr,
    /// For the carrier's news.
    #[serde(default)]
    pub email: SmolStr,
    /// The receiver's tax number, where customs want one.
    #[serde(default)]
    pub tax_id: SmolStr,
}

/// What the journal keeps of an address in the open: enough to choose a channel, a zone and a customs form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    pub country: SmolStr,
    pub region: SmolStr,
    pub postcode: SmolStr,
}

impl Address {
    /// What of it may stand in the open, and what is sealed.
    pub fn parted(self) -> (Place, Personal) {
        let Address { name, company, street, street2, city, region, postcode, country, phone, email, tax_id } = self;
        (
            Place { country, region, postcode },
            Personal { name, company, street, street2, city, phone, email, tax_id, ..Personal::default() },
        )
    }

    pub fn joined(place: Place, personal: Personal) -> Self {
        let Place { country, region, postcode } = place;
        let Personal { name, company, street, street2, city, phone, email, tax_id, gift_note: _ } = personal;
        Address { name, company, street, street2, city, region, postcode, country, phone, email, tax_id }
    }
}

impl Address {
    /// The first thing that is wrong with it once it is put right, or `None`.
    pub fn fault(&self) -> Option<String> {
        self.faults().first().map(Defect::to_string)
    }

    /// Everything that is wrong with it once it is put right.
    pub fn faults(&self) -> Vec<Defect> {
        let mut right = self.clone();
        right.put_right();
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, what| faults.push(Defect { field: SmolStr::new_static(field), what });
        let country = countries::country(&right.country);
        if country.is_none() {
            let shaped = right.country.len() == 2 && right.country.bytes().all(|b| b.is_ascii_uppercase());
            let given = right.country.clone();
            fault("country", if shaped { Wrong::NoCountry { given } } else { Wrong::NoCountryCode { given } });
        }
        for (field, text) in [("name", &right.name), ("street", &right.street), ("city", &right.city)] {
            if text.is_empty() {
                fault(field, Wrong::Empty);
            }
        }
        if let Some(country) = country {
            if let Some(what) = right.region_fault() {
                fault("region", what);
            }
            if let Some(what) = right.postcode_fault(country) {
                fault("postcode", what);
            }
        }
        for (field, text) in right.fields() {
            if text.len() > ADDRESS_FIELD_MAX {
                fault(field, Wrong::Bytes { bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), limit: ADDRESS_FIELD_MAX as u32 });
            }
            if let Some(sign) = text.chars().find(|c| is_unprintable(*c)) {
                fault(field, Wrong::Unprintable { sign: sign.into() });
            }
        }
        faults
    }

    fn region_fault(&self) -> Option<Wrong> {
        if !regions::are_known(&self.country) {
            return None;
        }
        if self.region.is_empty() {
            // Carriers want it in the United States only, and there the ZIP tells it if it is right.
            return (self.country == "US" && !self.postcode.is_empty()).then(|| Wrong::ZipTellsNoState { zip: self.postcode.clone() });
        }
        if regions::code_of(&self.country, &self.region).is_none() {
            return Some(Wrong::NoneOf { given: self.region.clone(), country: self.country.clone() });
        }
        None
    }

    fn postcode_fault(&self, country: &countries::Country) -> Option<Wrong> {
        if self.postcode.is_empty() {
            return (country.postcodes == Use::Needed).then_some(Wrong::Empty);
        }
        if postcodes::written(country, &self.postcode, &self.region).is_none() {
            return Some(Wrong::NoneOf { given: self.postcode.clone(), country: self.country.clone() });
        }
        // Prices and customs are others there, so it must be sure which of the two is meant.
        let outside = |state: &str| territories::TERRITORIES.iter().any(|t| t.of == "US" && t.code == Some(state));
        match regions::state_of_zip(&self.postcode) {
            _ if self.country != "US" => None,
            None => Some(Wrong::ZipInNoState { zip: self.postcode.clone() }),
            Some(state) if state != self.region && (outside(state) || outside(&self.region)) => {
                Some(Wrong::ZipElsewhere { zip: self.postcode.clone(), state: state.into(), region: self.region.clone() })
            }
            Some(_) => None,
        }
    }

    fn fields(&self) -> [(&'static str, &SmolStr); 11] {
        [
            ("name", &self.name),
            ("company", &self.company),
            ("street", &self.street),
            ("street2", &self.street2),
            ("city", &self.city),
            ("region", &self.region),
            ("postcode", &self.postcode),
            ("country", &self.country),
            ("phone", &self.phone),
            ("email", &self.email),
            ("tax_id", &self.tax_id),
        ]
    }

    /// Writes it as the rest of the house reads it: no space round a field, ISO country, state as a code, postcode as its post writes
    /// it. Places of the United States that have a country code too become states. What is in doubt stays as it was.
    ///
    /// Called once, where an order comes in, and changes nothing the second time.
    pub fn put_right(&mut self) {
        for field in [
            &mut self.name,
            &mut self.company,
            &mut self.street,
            &mut self.street2,
            &mut self.city,
            &mut self.region,
            &mut self.postcode,
            &mut self.country,
            &mut self.phone,
            &mut self.email,
            &mut self.tax_id,
        ] {
            let trimmed = field.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
            if trimmed.len() < field.len() {
                *field = trimmed.into();
            }
        }
        if self.name.is_empty() && !self.company.is_empty() {
            self.name = self.company.clone();
        }
        let Some(code) = countries::code_of(&self.country, &self.postcode) else { return };
        self.country = SmolStr::new_static(code);
        let state = territories::TERRITORIES.iter().find(|t| t.of == "US" && t.in_its_post && t.code == Some(code));
        if let Some(code) = state.and_then(|t| t.code) {
            (self.country, self.region) = (SmolStr::new_static("US"), SmolStr::new_static(code));
        }
        self.put_region_right();
        self.put_postcode_right();
        if self.region.is_empty()
            && self.country == "US"
            && let Some(state) = regions::state_of_zip(&self.postcode)
        {
            self.region = SmolStr::new_static(state);
        }
        if self.city.is_empty()
            && let Some((_, city)) = CITIES.iter().find(|(code, _)| *code == self.country)
        {
            self.city = SmolStr::new_static(city);
        }
    }

    fn put_region_right(&mut self) {
        if let Some(region) = regions::code_of(&self.country, &self.region) {
            self.region = SmolStr::new_static(region);
        } else if let Some((country, region)) = self.region.split_once('-')
            && country.eq_ignore_ascii_case(&self.country)
            && !regions::are_known(&self.country)
            && !region.is_empty()
        {
            // ISO 3166-2: `IT-MI`.
            self.region = region.into();
        }
    }

    fn put_postcode_right(&mut self) {
        let Some(country) = countries::country(&self.country) else { return };
        // In France a business gets its post at the town's office, `CEDEX` or `SP`, which belongs to the town (La Poste, NF Z10-011).
        let french = self.country == "FR" || territories::TERRITORIES.iter().any(|t| t.of == "FR" && t.code == Some(&*self.country));
        let upper = self.postcode.to_ascii_uppercase();
        if french
            && let Some(at) = upper.find("CEDEX").or_else(|| upper.find(" SP").map(|at| at + 1))
            && let Some(written) = postcodes::written(country, &upper[..at], &self.region)
        {
            if !self.city.to_ascii_uppercase().ends_with(upper[at..].trim_end()) {
                self.city = format_smolstr!("{} {}", self.city, &upper[at..]);
            }
            self.postcode = written.into();
            return;
        }
        if !self.postcode.is_empty()
            && let Some(written) = postcodes::written(country, &self.postcode, &self.region)
            && written != self.postcode
        {
            self.postcode = written.into();
        }
    }
}

/// Countries that are one city, which shops leave out (libaddressinput: their `require` has no C).
const CITIES: [(&str, &str); 6] =
    [("GI", "Gibraltar"), ("HK", "Hong Kong"), ("MC", "Monaco"), ("MO", "Macao"), ("SG", "Singapore"), ("VA", "Vatican City")];

/// Control characters, line and paragraph ends, and what turns the direction of writing: they show something else than they say.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
#[path = "address/tests.rs"]
mod tests;
