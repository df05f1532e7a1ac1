//! What one parcel cost in the end, once it has been measured.
//!
//! Settles the freight of one parcel for reports; it neither bills a customer nor checks a carrier's invoice.

use crate::rating::rate;
use smol_str::{SmolStr, format_smolstr};
use twin::Money;
use twin::channel::{Channel, QuoteRequest};

/// The freight of one parcel and where the figure comes from: the carrier's own charge if it named one; else the channel's
/// tariff on the measured weight and size (`request`); else the estimate it was allocated with; else nothing is known.
pub fn settle(channel: &Channel, charged: Option<Money>, estimate: Option<Money>, request: &QuoteRequest) -> (Option<Money>, SmolStr) {
    if let Some(charged) = charged {
        return (Some(charged), SmolStr::new_static("charged by the carrier"));
    }
    let no_tariff = match channel.tariff.as_ref().map(|tariff| rate(tariff, &channel.service, request, channel.days)) {
        Some(Ok(quote)) => {
            let charged_g = quote.chargeable_g.unwrap_or(request.weight_g);
            return (Some(quote.total), format_smolstr!("tariff on {} g as measured, {charged_g} g chargeable", request.weight_g));
        }
        Some(Err(why)) => format_smolstr!("by tariff {why}"),
        None => SmolStr::new_static("the channel has no tariff"),
    };
    match estimate {
        Some(estimate) => (Some(estimate), format_smolstr!("estimate: no charge by the carrier, and {no_tariff}")),
        None => (None, format_smolstr!("unknown: no charge by the carrier, no estimate, and {no_tariff}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{address, channel, parcel, tariff};
    use twin::Dims;
    use twin::money::{Currency, Decimal};

    #[test]
    fn the_best_known_figure_is_named() {
        let usd = |cents| Some(Money::new(Decimal::new(cents, 2), Currency::USD));
        let (rated, asked) = (channel(Some(tariff())), channel(None));
        let of = |channel: &Channel, charged, estimate, weight_g| {
            let (money, why) = settle(channel, charged, estimate, &parcel(address("US", "90001"), weight_g, Dims::default()));
            (money.map(|m| m.to_string()).unwrap_or_default(), why.to_string())
        };
        let told = |money: &str, why: &str| (money.to_string(), why.to_string());
        assert_eq!(of(&rated, usd(499), usd(450), 100), told("4.99 USD", "charged by the carrier"));
        assert_eq!(of(&rated, None, usd(450), 20), told("26.94 CNY", "tariff on 20 g as measured, 30 g chargeable"));
        let gap = "estimate: no charge by the carrier, and by tariff no weight band for 530 g in zone US";
        assert_eq!(of(&rated, None, usd(450), 530), told("4.50 USD", gap));
        assert_eq!(of(&asked, None, usd(450), 1), told("4.50 USD", "estimate: no charge by the carrier, and the channel has no tariff"));
        assert_eq!(of(&asked, None, None, 1), told("", "unknown: no charge by the carrier, no estimate, and the channel has no tariff"));
    }
}
