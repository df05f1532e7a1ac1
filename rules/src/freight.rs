//! What one parcel cost in the end, once it has been measured, and on what each figure rests.
//!
//! Settles the freight of one parcel; it neither bills a customer nor checks a carrier's invoice.

use crate::fx::Rates;
use crate::rating::rate;
use twin::Money;
use twin::channel::{Channel, Quote, QuoteRequest};
use twin::charges::Basis;
use twin::money::Decimal;

/// A carrier's price for a label so many times above the estimate is a slip of somebody's, and not taken.
pub const TIMES_ESTIMATE_MAX: u32 = 20;

fn by_tariff(channel: &Channel, quote: Quote, request: &QuoteRequest) -> (Money, Basis) {
    let chargeable_g = quote.chargeable_g.unwrap_or(request.weight_g);
    let source = channel.tariff.as_ref().map_or("", |tariff| &tariff.source).into();
    (quote.total, Basis::Tariff { zone: quote.zone, weight_g: request.weight_g, chargeable_g, source })
}

/// The freight of one parcel without a price of the carrier's: the channel's tariff on the measured weight and size (`request`);
/// else the estimate it was allocated with; else nothing is known.
pub fn settle(channel: &Channel, estimate: Option<Money>, request: &QuoteRequest) -> Option<(Money, Basis)> {
    let gap = match channel.tariff.as_ref().map(|tariff| rate(tariff, &channel.service, request, channel.days)) {
        Some(Ok(quote)) => return Some(by_tariff(channel, quote, request)),
        Some(Err(why)) => Some(why),
        None => None,
    };
    estimate.map(|estimate| (estimate, Basis::Estimate { gap }))
}

/// On what an estimate rests: the tariff, where it gives the same for the parcel as it is declared (`request`), else a quote.
pub fn estimated(channel: &Channel, estimate: Money, request: &QuoteRequest) -> Basis {
    let quote = channel.tariff.as_ref().and_then(|tariff| rate(tariff, &channel.service, request, channel.days).ok());
    quote.filter(|quote| quote.total == estimate).map_or(Basis::Quote, |quote| by_tariff(channel, quote, request).1)
}

/// Whether a carrier's price for a label can be meant: something, and not many times what was expected.
pub fn is_plausible(charged: Money, estimate: Option<Money>, rates: &Rates) -> bool {
    let in_base = |money| rates.convert(money, rates.base).map(|money: Money| money.amount);
    let most = estimate.and_then(in_base).and_then(|estimate| estimate.checked_mul(Decimal::from(TIMES_ESTIMATE_MAX)));
    charged.amount > Decimal::ZERO && most.zip(in_base(charged)).is_none_or(|(most, charged)| charged <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{address, channel, parcel, tariff};
    use twin::Dims;
    use twin::money::Currency;

    fn usd(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), Currency::USD)
    }

    #[test]
    fn the_best_known_figure_says_on_what_it_rests() {
        let (rated, asked) = (channel(Some(tariff())), channel(None));
        let of = |channel: &Channel, estimate, weight_g| {
            let settled = settle(channel, estimate, &parcel(address("US", "90001"), weight_g, Dims::default()));
            settled.map(|(money, basis)| (money.to_string(), basis.to_string()))
        };
        let told = |money: &str, why: &str| Some((money.to_string(), why.to_string()));
        let by_tariff = format!("tariff on 20 g, 30 g chargeable, zone US ({})", tariff().source);
        assert_eq!(of(&rated, Some(usd(450)), 20), told("26.94 CNY", &by_tariff));
        let gap = "estimate: no charge by the carrier, and by tariff no weight band for 530 g in zone US";
        assert_eq!(of(&rated, Some(usd(450)), 530), told("4.50 USD", gap));
        assert_eq!(of(&asked, Some(usd(450)), 1), told("4.50 USD", "estimate: no charge by the carrier, and the channel has no tariff"));
        assert_eq!(of(&asked, None, 1), None);
    }

    #[test]
    fn an_estimate_rests_on_the_tariff_that_gives_it_and_else_on_a_quote() {
        let declared = parcel(address("US", "90001"), 20, Dims::default());
        let (rated, asked) = (channel(Some(tariff())), channel(None));
        let yuan = Money::new(Decimal::new(2_694, 2), Currency::CNY);
        assert!(matches!(estimated(&rated, yuan, &declared), Basis::Tariff { chargeable_g: 30, .. }));
        assert_eq!(estimated(&rated, usd(450), &declared), Basis::Quote);
        assert_eq!(estimated(&asked, usd(450), &declared), Basis::Quote);
    }

    #[test]
    fn a_price_that_cannot_be_meant_is_told_from_one_that_can() {
        let rates = Rates { base: Currency::USD, per_base: [(Currency::CNY, Decimal::from(8))].into() };
        let of = |charged, estimate| is_plausible(charged, estimate, &rates);
        let yuan = |n: i64| Money::new(Decimal::from(n), Currency::CNY);
        assert!(of(usd(490), None) && of(usd(490), Some(usd(450))) && of(usd(9_000), Some(usd(450))) && of(yuan(30), Some(usd(450))));
        assert!(!of(usd(-490), None) && !of(usd(0), Some(usd(450))) && !of(usd(9_001), Some(usd(450))) && !of(yuan(721), Some(usd(450))));
        assert!(of(Money::new(Decimal::from(9_000_000), Currency::JPY), Some(usd(450))), "without a rate nothing can be told");
    }
}
