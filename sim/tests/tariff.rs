//! The bundled site's own tariffs against the simulated carrier that it pays: they charge the same, for any parcel the carrier takes.

use actors::config::SiteConfig;
use proptest::prelude::*;
use rules::rating::rate;
use sim::carriers::postage::{mail_class, usps_cents, usps_dimensional_pounds, usps_zone};
use std::sync::OnceLock;
use twin::channel::{Channel, QuoteRequest};
use twin::money::{Currency, Decimal};
use twin::{Address, Dims, Grams, Moment, Money, TimeZone};

fn channels() -> &'static [Channel] {
    static CHANNELS: OnceLock<Vec<Channel>> = OnceLock::new();
    CHANNELS.get_or_init(|| {
        let site = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/quick-start/site.toml");
        let site: SiteConfig = toml::from_str(&std::fs::read_to_string(site).unwrap()).unwrap();
        assert_eq!(site.fault(), None);
        site.channels.into_iter().filter(|c| c.carrier.as_str() == "usps").collect()
    })
}

/// Pounds and inches in hundredths, rounded up: as the driver declares them.
fn hundredths(n: u32, per: u64, of: u64) -> i64 {
    (u64::from(n) * 100 * of).div_ceil(per) as i64
}

/// What the channel's tariff says, and what the carrier charges.
fn both(channel: &Channel, zip: &str, weight_g: Grams, dims: Dims) -> (Result<String, String>, String) {
    let at = |zip: &str| Address { country: "US".into(), postcode: zip.into(), ..Address::default() };
    let value = Money::new(Decimal::TEN, Currency::USD);
    let request = QuoteRequest {
        from: at("90021"),
        to: at(zip),
        weight_g,
        dims,
        value,
        battery: false,
        ship_at: Moment(0),
        time_zone: TimeZone::UTC,
    };
    let ours = rate(channel.tariff.as_ref().unwrap(), &channel.service, &request, None);
    let sides = [dims.length_mm, dims.width_mm, dims.height_mm].map(|mm| hundredths(mm, 254, 10));
    let pounds = hundredths(weight_g, 45_359_237, 100_000).max(usps_dimensional_pounds(sides) * 100);
    let cents = usps_cents(mail_class(&channel.service).unwrap(), usps_zone("90021", zip), pounds);
    (ours.map(|q| q.total.to_string()).map_err(|e| e.to_string()), Money::new(Decimal::new(cents, 2), Currency::USD).to_string())
}

/// One ZIP in each of the eight zones.
const ZIPS: [&str; 8] = ["90001", "94105", "80202", "78701", "60601", "55401", "44101", "10001"];

#[test]
fn every_weight_in_every_zone_costs_what_the_carrier_charges() {
    for channel in channels() {
        for (n, zip) in ZIPS.iter().enumerate() {
            assert_eq!(usize::from(usps_zone("90021", zip)), n + 1);
            for weight_g in (1..=31_751).filter(|g| g % 37 == 0 || *g < 1_000 || *g > 31_700) {
                let (ours, theirs) = both(channel, zip, weight_g, Dims::new(200, 100, 50));
                assert_eq!(ours, Ok(theirs), "{} to {zip}: {weight_g} g", channel.id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    /// Large and light ones too: up to 130 inches of length and girth.
    #[test]
    fn any_parcel_costs_what_the_carrier_charges(
        which in 0usize..2, zip in 501u32..99_951, weight_g in 1u32..=31_751, sides in prop::array::uniform3(1u32..=1_000),
    ) {
        let dims = Dims::new(sides[0], sides[1], sides[2]);
        let channel = &channels()[which];
        if dims.length_plus_girth_mm() > channel.limits.length_plus_girth_mm_max {
            return Ok(());
        }
        let (ours, theirs) = both(channel, &format!("{zip:05}"), weight_g, dims);
        prop_assert_eq!(ours, Ok(theirs), "{} g, {}", weight_g, dims);
    }
}
