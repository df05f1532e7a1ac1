//! Exchange rates, for comparing prices in different currencies.
//!
//! Never for adding: an amount that is owed or booked stays in the currency it was quoted in.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use twin::Money;
use twin::money::{Currency, Decimal};

/// How much of each currency one unit of the base buys: `base = "USD", rates = { CNY = "7.12", EUR = "0.92" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// What prices are compared and reported in.
    pub base: Currency,
    /// How much of each other currency one unit of the base buys.
    #[serde(default, rename = "rates")]
    pub per_base: BTreeMap<Currency, Decimal>,
}

impl Rates {
    /// Only the base itself is known.
    pub fn only(base: Currency) -> Self {
        Rates { base, per_base: BTreeMap::new() }
    }

    /// What is wrong with them, or `None`.
    pub fn fault(&self) -> Option<String> {
        if self.per_base.get(&self.base).is_some_and(|rate| *rate != Decimal::ONE) {
            return Some(format!("the rate of {} to itself is not 1", self.base.code()));
        }
        let bad = self.per_base.iter().find(|(_, rate)| **rate <= Decimal::ZERO)?;
        Some(format!("the rate of {} is {}: it must be above 0", bad.0.code(), bad.1))
    }

    /// How much of a currency one unit of the base buys; `None`: unknown.
    pub fn of(&self, currency: Currency) -> Option<Decimal> {
        if currency == self.base {
            return Some(Decimal::ONE);
        }
        self.per_base.get(&currency).copied().filter(|rate| *rate > Decimal::ZERO)
    }

    /// The same value in another currency, unrounded; `None` where either rate is unknown (or the number would not fit).
    pub fn convert(&self, money: Money, to: Currency) -> Option<Money> {
        if money.currency == to {
            return Some(money);
        }
        let in_base = if money.currency == self.base { money.amount } else { money.amount.checked_div(self.of(money.currency)?)? };
        let amount = if to == self.base { in_base } else { in_base.checked_mul(self.of(to)?)? };
        Some(Money::new(amount, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rates() -> Rates {
        toml::from_str(
            r#"base = "USD"
            rates = { CNY = "7.12", EUR = "0.92", GBP = "0.79" }"#,
        )
        .unwrap()
    }

    #[test]
    fn converts_through_the_base() {
        let yuan = Money::new(Decimal::new(7120, 2), Currency::CNY);
        assert_eq!(rates().convert(yuan, Currency::USD).unwrap().rounded().to_string(), "10.00 USD");
        assert_eq!(rates().convert(yuan, Currency::EUR).unwrap().rounded().to_string(), "9.20 EUR");
        assert_eq!(rates().convert(yuan, Currency::CNY), Some(yuan));
        assert_eq!(rates().convert(yuan, Currency::JPY), None);
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(rates().fault(), None);
        let mut bad = rates();
        bad.per_base.insert(Currency::JPY, Decimal::ZERO);
        assert_eq!(bad.fault().unwrap(), "the rate of JPY is 0: it must be above 0");
        assert_eq!(bad.convert(Money::new(Decimal::ONE, Currency::JPY), Currency::USD), None);
        let to_itself = Rates { base: Currency::USD, per_base: [(Currency::USD, Decimal::TWO)].into() };
        assert_eq!(to_itself.fault().unwrap(), "the rate of USD to itself is not 1");
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_to_the_cent(cents in 0i64..10_000_000_000, from in 0usize..4, to in 0usize..4) {
            let known = [Currency::USD, Currency::CNY, Currency::EUR, Currency::GBP];
            let money = Money::new(Decimal::new(cents, 2), known[from]);
            let there = rates().convert(money, known[to]).unwrap();
            let back = rates().convert(there, known[from]).unwrap();
            prop_assert!((back.amount - money.amount).abs() <= Decimal::new(1, 2));
        }
    }
}
