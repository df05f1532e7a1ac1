//! Money: a decimal amount with its currency. Never a float, never added across currencies.

pub use iso_currency::Currency;
pub use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

/// Two amounts of different currencies met where only one may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot add {added} to an amount in {into}: convert it first")]
pub struct CurrencyMismatch {
    pub into: Currency,
    pub added: Money,
}

impl Money {
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Money { amount, currency }
    }
    pub fn zero(currency: Currency) -> Self {
        Money { amount: Decimal::ZERO, currency }
    }
    pub fn checked_add(self, other: Money) -> Result<Money, CurrencyMismatch> {
        if self.currency != other.currency {
            return Err(CurrencyMismatch { into: self.currency, added: other });
        }
        Ok(Money { amount: self.amount + other.amount, currency: self.currency })
    }
    /// Rounded to the currency's own smallest unit, half away from zero, with all its decimals: 9.90, not 9.9.
    pub fn rounded(self) -> Money {
        let places = self.currency.exponent().map_or(2, u32::from);
        let mut amount = self.amount.round_dp_with_strategy(places, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        amount.rescale(places);
        Money { amount, ..self }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_do_not_mix() {
        let usd = Money::new(Decimal::new(105, 2), Currency::USD);
        let cny = Money::new(Decimal::ONE, Currency::CNY);
        assert_eq!(usd.checked_add(usd).unwrap().to_string(), "2.10 USD");
        assert!(usd.checked_add(cny).unwrap_err().to_string().contains("CNY"));
        assert_eq!(Money::new(Decimal::new(12345, 4), Currency::USD).rounded().to_string(), "1.23 USD");
    }
}
