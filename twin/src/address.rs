//! Where a parcel goes or comes from.

use crate::personal::Personal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The longest single field of an address that is accepted, in bytes.
pub const ADDRESS_FIELD_MAX: usize = 200;

/// A postal address. `country` is ISO 3166-1 alpha-2, upper case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    #[serde(default)]
    pub name: SmolStr,
    #[serde(default)]
    pub company: SmolStr,
    #[serde(default)]
    pub street: SmolStr,
    /// Flat, floor, building: what stands below the street.
    #[serde(default)]
    pub street2: SmolStr,
    #[serde(default)]
    pub city: SmolStr,
    /// State or province, as the carrier writes it: `CA`.
    #[serde(default)]
    pub region: SmolStr,
    #[serde(default)]
    pub postcode: SmolStr,
    pub country: SmolStr,
    #[serde(default)]
    pub phone: SmolStr,
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
        (Place { country, region, postcode }, Personal { name, company, street, street2, city, phone, email, tax_id })
    }

    pub fn joined(place: Place, personal: Personal) -> Self {
        let Place { country, region, postcode } = place;
        let Personal { name, company, street, street2, city, phone, email, tax_id } = personal;
        Address { name, company, street, street2, city, region, postcode, country, phone, email, tax_id }
    }

    /// What is wrong with it, or `None`.
    pub fn fault(&self) -> Option<String> {
        if self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()) {
            return Some(format!("country {:?} is not an ISO 3166 two-letter code", self.country));
        }
        if self.postcode.is_empty() && !NO_POSTCODE.contains(&self.country.as_str()) {
            return Some("postcode is empty".into());
        }
        let fields = [
            &self.name,
            &self.company,
            &self.street,
            &self.street2,
            &self.city,
            &self.region,
            &self.postcode,
            &self.phone,
            &self.email,
            &self.tax_id,
        ];
        if let Some(long) = fields.iter().find(|f| f.len() > ADDRESS_FIELD_MAX) {
            return Some(format!("a field of {} bytes is over the limit of {ADDRESS_FIELD_MAX}", long.len()));
        }
        None
    }
}

/// Countries in trade with us that have no postcodes in use.
const NO_POSTCODE: [&str; 4] = ["HK", "AE", "QA", "MO"];
