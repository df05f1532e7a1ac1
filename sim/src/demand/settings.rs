//! What a scenario says about demand, with what goes without saying.
//!
//! Holds settings and finds their faults; never draws anything.

use super::{HOUR_US, MILLION, buyers};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use twin::{Span, TimeZone};

/// The most orders of one run.
pub const ORDERS_MAX: u32 = 2_000_000;
/// The most products of one run.
pub const SKUS_MAX: u32 = 100_000;
/// The longest window, in microseconds: a year.
pub const WINDOW_US_MAX: i64 = 366 * HOUR_US * 24;

/// How much is bought, when, from where. Weights are relative: 3 and 1 mean three quarters and one quarter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemandSettings {
    /// Exactly so many orders come.
    pub orders: u32,
    /// All of them within this time. In files `window_s`, whole seconds.
    #[serde(rename = "window_s", with = "whole_seconds")]
    pub window: Span,
    /// How many products there are.
    pub skus: u32,
    pub platforms: Vec<PlatformShare>,
    /// Where buyers live, by ISO 3166 code, out of [`countries_known`].
    pub countries: BTreeMap<SmolStr, u32>,
    /// How busy each hour of the day is, from midnight, by the clock of `time_zone`.
    pub hour_weights: [u16; 24],
    /// Whose clock `hour_weights` go by: its name in the tz database.
    pub time_zone: TimeZone,
    /// Weights of orders with 1, 2, 3 … lines.
    pub line_weights: Vec<u32>,
    /// Weights of lines with 1, 2, 3 … pieces.
    pub quantity_weights: Vec<u32>,
    /// Orders with something wrong, in millionths: unpaid, no postcode, or a SKU that nobody knows, in equal parts.
    pub problem_ppm: u32,
    /// Products that are or contain a battery, in millionths.
    pub battery_ppm: u32,
    /// Stock of all warehouses together, in per cent of the demand that is to be expected.
    pub stock_cover_pct: u32,
    /// Products of which there is far too little, in millionths; at least one product unless 0.
    pub short_ppm: u32,
}

/// One platform's part of the demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformShare {
    /// `amazon`. Its shops are `amazon-1`, `amazon-2` …
    pub platform: SmolStr,
    /// Order ids begin with it: `AMA`.
    pub prefix: SmolStr,
    pub shops: u32,
    pub weight: u32,
}

impl Default for DemandSettings {
    fn default() -> Self {
        let share =
            |platform: &str, prefix: &str, weight| PlatformShare { platform: platform.into(), prefix: prefix.into(), shops: 4, weight };
        DemandSettings {
            orders: 10_000,
            window: Span::from_hours(24),
            skus: 2_000,
            platforms: vec![
                share("shopify", "SHO", 30),
                share("amazon", "AMA", 26),
                share("temu", "TEM", 20),
                share("ebay", "EBA", 12),
                share("tiktok_shop", "TIK", 12),
            ],
            countries: buyers::COUNTRIES.iter().map(|c| (c.code.into(), c.weight)).collect(),
            // Asleep at four, lunch at noon, most of all in the evening.
            hour_weights: [26, 14, 7, 4, 3, 4, 8, 18, 34, 48, 56, 58, 56, 58, 60, 58, 57, 55, 55, 60, 66, 68, 58, 42],
            time_zone: "Asia/Shanghai".parse().expect("it is in the tz database that the program brings along"),
            line_weights: vec![76, 18, 6],
            quantity_weights: vec![90, 8, 2],
            problem_ppm: 2_000,
            battery_ppm: 200_000,
            stock_cover_pct: 300,
            short_ppm: 10_000,
        }
    }
}

/// The countries whose addresses can be made up.
pub fn countries_known() -> impl Iterator<Item = &'static str> {
    buyers::COUNTRIES.iter().map(|c| c.code)
}

impl DemandSettings {
    /// What is wrong with them, or `None`: the setting and the reason. Nothing may be drawn from settings with a fault.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        if self.orders > ORDERS_MAX {
            return Some(("orders", format!("{}; at most {ORDERS_MAX}", self.orders)));
        }
        if self.window.0 <= 0 || self.window.0 > WINDOW_US_MAX {
            return Some(("window_s", format!("{}; from 1 to {}", self.window.0 / 1_000_000, WINDOW_US_MAX / 1_000_000)));
        }
        if self.skus == 0 || self.skus > SKUS_MAX {
            return Some(("skus", format!("{}; from 1 to {SKUS_MAX}", self.skus)));
        }
        if weightless(self.platforms.iter().map(|p| p.weight)) {
            return Some(("platforms", "no platform has a weight".into()));
        }
        if let Some(p) = self.platforms.iter().find(|p| p.shops == 0 || !is_prefix(&p.prefix)) {
            return Some((
                "platforms",
                format!("{} needs a shop, and a prefix of 1 to 16 letters and digits, not {:?}", p.platform, p.prefix),
            ));
        }
        if let Some(code) = self.countries.keys().find(|code| buyers::country(code).is_none()) {
            return Some(("countries", format!("{code}; known are {}", countries_known().collect::<Vec<_>>().join(", "))));
        }
        if weightless(self.countries.values().copied()) {
            return Some(("countries", "no country has a weight".into()));
        }
        if weightless(self.hour_weights.iter().map(|w| u32::from(*w))) {
            return Some(("hour_weights", "no hour has a weight".into()));
        }
        for (name, weights) in [("line_weights", &self.line_weights), ("quantity_weights", &self.quantity_weights)] {
            if weights.len() > 20 || weightless(weights.iter().copied()) {
                return Some((name, format!("{weights:?}; 1 to 20 weights, not all 0")));
            }
        }
        let shares = [("problem_ppm", self.problem_ppm), ("battery_ppm", self.battery_ppm), ("short_ppm", self.short_ppm)];
        if let Some((name, ppm)) = shares.into_iter().find(|(_, ppm)| u64::from(*ppm) > MILLION) {
            return Some((name, format!("{ppm}; at most {MILLION}")));
        }
        if self.stock_cover_pct > 10_000 {
            return Some(("stock_cover_pct", format!("{}; at most 10000", self.stock_cover_pct)));
        }
        None
    }
}

fn weightless(mut weights: impl Iterator<Item = u32>) -> bool {
    weights.all(|weight| weight == 0)
}

fn is_prefix(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

mod whole_seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use twin::Span;

    pub fn serialize<S: Serializer>(span: &Span, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(span.0 / 1_000_000)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Span, D::Error> {
        i64::deserialize(d).map(|s| Span(s.saturating_mul(1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demand::{catalogue, orders};

    #[test]
    fn settings_are_read_strictly_and_told_what_is_wrong() {
        let read = |text: &str| toml::from_str::<DemandSettings>(text);
        let settings = read(
            "orders = 5\nwindow_s = 3600\n[countries]\nUS = 1\n[[platforms]]\nplatform = \"ebay\"\nprefix = \"EBA\"\nshops = 1\nweight = 1",
        )
        .unwrap();
        assert_eq!((settings.orders, settings.window, settings.skus), (5, Span::from_hours(1), 2_000));
        let mut drawn = orders(1, &settings, &catalogue(1, &settings), twin::Moment(0));
        assert!(drawn.all(|(_, o)| o.ship_to.country == "US" && o.shop == "ebay-1"));
        assert_eq!(DemandSettings::default().fault(), None);
        assert_eq!(read(&toml::to_string(&settings).unwrap()).unwrap(), settings);
        assert!(read("order = 5").unwrap_err().to_string().contains("unknown field `order`"));
        let fault = |text: &str| read(text).unwrap().fault().unwrap();
        assert_eq!(fault("skus = 0"), ("skus", "0; from 1 to 100000".into()));
        assert_eq!(fault("[countries]\nXX = 1").1, "XX; known are US, GB, DE, FR, CA, AU, ES, IT, NL, JP");
        assert_eq!(fault("window_s = 0").0, "window_s");
        assert_eq!(fault("problem_ppm = 1000001"), ("problem_ppm", "1000001; at most 1000000".into()));
        assert_eq!(fault("line_weights = [0]"), ("line_weights", "[0]; 1 to 20 weights, not all 0".into()));
        assert_eq!(fault("platforms = []"), ("platforms", "no platform has a weight".into()));
    }
}
