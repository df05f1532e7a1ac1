//! Numbers as carriers write them: JSON numbers read into exact decimals, and our grams and millimetres in their units,
//! rounded up so that a parcel is never declared lighter or smaller than it is. Nothing here keeps a float.

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use smol_str::SmolStr;
use std::fmt;

/// Decimal places tried first when a JSON number is read; prices and weights have two or three.
const PLACES_QUICK: u32 = 4;
const SCALE_QUICK: f64 = 10_000.0;
/// Whole numbers below this are exact in a JSON number (2⁵³).
const EXACT_MAX: i128 = 1 << 53;
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A decimal that is a number on the wire, not a string. Up to 15 significant digits pass unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figure(pub Decimal);

impl Figure {
    /// The decimal that was written where JSON has this number.
    pub fn of_number(number: &serde_json::Number) -> Option<Self> {
        let whole = number.as_i64().map(Decimal::from).or_else(|| number.as_u64().map(Decimal::from));
        whole.or_else(|| decimal(number.as_f64()?)).map(Figure)
    }

    /// The whole number in it, if it is one and not negative.
    pub fn whole(self) -> Option<u64> {
        if self.0.fract().is_zero() { u64::try_from(self.0.trunc()).ok() } else { None }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (mantissa, mut scale) = (self.0.mantissa(), self.0.scale());
        if mantissa.abs() >= EXACT_MAX || scale as usize >= POWERS.len() {
            return Err(serde::ser::Error::custom(format!("{} has more digits than a JSON number keeps", self.0)));
        }
        let mut mantissa = mantissa as i64;
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        match scale {
            0 => serializer.serialize_i64(mantissa),
            // Both operands are exact and the division rounds once, so this is the double nearest to the decimal,
            // which prints as that decimal.
            _ => serializer.serialize_f64(mantissa as f64 / POWERS[scale as usize]),
        }
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Figure;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a string with a number in it")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Figure, E> {
                Ok(Figure(n.into()))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Figure, E> {
                Ok(Figure(n.into()))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Figure, E> {
                decimal(n).map(Figure).ok_or_else(|| E::custom(format!("{n} is not a decimal amount")))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Figure, E> {
                text.trim().parse().map(Figure).map_err(|e| E::custom(format!("{text:?}: {e}")))
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

/// The decimal that was written where JSON gave this double: of all decimals that read as it, the one of few digits.
fn decimal(n: f64) -> Option<Decimal> {
    let scaled = (n * SCALE_QUICK).round();
    if scaled.abs() < EXACT_MAX as f64 && scaled / SCALE_QUICK == n {
        let (mut mantissa, mut places) = (scaled as i64, PLACES_QUICK);
        while places > 0 && mantissa % 10 == 0 {
            (mantissa, places) = (mantissa / 10, places - 1);
        }
        return Some(Decimal::new(mantissa, places));
    }
    // The shortest text that reads back as this double.
    let text = serde_json::Number::from_f64(n)?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// A code or number that a carrier writes as a string here and as a number there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code(pub SmolStr);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Code;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Code, E> {
                Ok(Code(smol_str::format_smolstr!("{n}")))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Code, E> {
                Ok(Code(smol_str::format_smolstr!("{n}")))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Code, E> {
                Ok(Code(text.into()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Pounds with two decimals, rounded up (1 lb = 453.59237 g).
pub fn pounds(grams: u32) -> Decimal {
    Decimal::new((u64::from(grams) * 10_000_000).div_ceil(45_359_237) as i64, 2)
}

/// Inches with two decimals, rounded up (1 in = 25.4 mm).
pub fn inches(mm: u32) -> Decimal {
    Decimal::new((u64::from(mm) * 1_000).div_ceil(254) as i64, 2)
}

/// Kilograms; three decimals hold every gram.
pub fn kilograms(grams: u32) -> Decimal {
    Decimal::new(i64::from(grams), 3)
}

/// Centimetres; one decimal holds every millimetre.
pub fn centimetres(mm: u32) -> Decimal {
    Decimal::new(i64::from(mm), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_they_were_written() {
        for text in
            ["42.74", "25.99", "0.1", "457.3", "0.07", "184", "19.15", "1000115566.29", "0.000123", "1.0001", "-3.5", "123456.789012"]
        {
            let figure: Figure = serde_json::from_str(text).unwrap();
            assert_eq!(figure.0, text.parse::<Decimal>().unwrap(), "{text}");
            assert_eq!(serde_json::to_string(&figure).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Figure>("\"14399\"").unwrap().whole(), Some(14_399));
        assert_eq!(serde_json::from_str::<Figure>("23.50").unwrap().0.to_string(), "23.5");
        assert!(serde_json::from_str::<Figure>("\"n/a\"").is_err());
        assert!(serde_json::to_string(&Figure(Decimal::new(9_007_199_254_740_993, 2))).is_err());
    }

    #[test]
    fn every_cent_up_to_a_thousand_survives() {
        for cents in 0..100_000_i64 {
            let figure = Figure(Decimal::new(cents, 2));
            let back: Figure = serde_json::from_str(&serde_json::to_string(&figure).unwrap()).unwrap();
            assert_eq!(back, figure);
        }
    }

    #[test]
    fn units_are_rounded_up() {
        assert_eq!(pounds(20_000).to_string(), "44.10");
        assert_eq!(pounds(1).to_string(), "0.01");
        assert_eq!(pounds(453).to_string(), "1.00");
        assert_eq!(pounds(454).to_string(), "1.01");
        assert_eq!(inches(500).to_string(), "19.69");
        assert_eq!(inches(254).to_string(), "10.00");
        assert_eq!(kilograms(1_234).to_string(), "1.234");
        assert_eq!(centimetres(255).to_string(), "25.5");
    }

    #[test]
    fn a_code_may_be_a_number() {
        assert_eq!(serde_json::from_str::<Code>("9356579890").unwrap().0, "9356579890");
        assert_eq!(serde_json::from_str::<Code>("\"JD01\"").unwrap().0, "JD01");
    }
}
