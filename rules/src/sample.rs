//! The parcel that tests ask prices for.

use twin::channel::{Channel, QuoteRequest, Tariff};
use twin::money::{Currency, Decimal};
use twin::{Address, Dims, Grams, Moment, Money, TimeZone};

pub fn address(country: &str, postcode: &str) -> Address {
    Address { country: country.into(), postcode: postcode.into(), ..Address::default() }
}

pub fn parcel(to: Address, weight_g: Grams, dims: Dims) -> QuoteRequest {
    let value = Money::new(Decimal::TEN, Currency::USD);
    QuoteRequest { from: address("CN", "518000"), to, weight_g, dims, value, battery: false, ship_at: Moment(0), time_zone: TimeZone::UTC }
}

/// Collects at `SZX` and goes everywhere.
pub fn channel(tariff: Option<Tariff>) -> Channel {
    Channel {
        id: "acme/direct".into(),
        carrier: "acme".into(),
        name: "Acme Direct".into(),
        service: "DIRECT".into(),
        origins: vec!["SZX".into()],
        to: vec![],
        not_to: vec![],
        limits: Default::default(),
        tariff,
        tariff_file: None,
        last_resort: false,
        days: Some(9),
        days_count: Default::default(),
    }
}

/// 98 per kg plus 24 up to 100 g, at least 30 g; 92 plus 22 up to 200 g; nothing up to 700 g; 87 plus 13 up to 2 kg. US only.
pub fn tariff() -> Tariff {
    toml::from_str(
        r#"
        currency = "CNY"
        source = "test"
        [[zones]]
        name = "US"
        countries = ["US"]
        bands = [
            { above_g = 0, up_to_g = 100, per_kg = "98", flat = "24", minimum_g = 30 },
            { above_g = 100, up_to_g = 200, per_kg = "92", flat = "22" },
            { above_g = 700, up_to_g = 2000, per_kg = "87", flat = "13", minimum_g = 700 },
        ]
        "#,
    )
    .unwrap()
}
