//! Whether a channel takes a parcel: where it collects, where it goes, how heavy and how large, batteries or not.
//!
//! Looks at the channel's own limits only. What the parcel would cost there, and which channel is best, is decided elsewhere.

use smol_str::SmolStr;
use twin::channel::{Channel, QuoteRequest};
use twin::order::Hold;
use twin::{Grams, WarehouseId};

const NOT_SERVED: &str = "not served";

/// Why a channel does not take a parcel. Its text begins with the kind of reason, which [`hold_named_in`] reads back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("not served: does not collect at {from}")]
    Origin { from: WarehouseId },
    #[error("not served: does not go to {country}")]
    Country { country: SmolStr },
    #[error("oversize: {weight_g} g, takes at most {limit_g} g")]
    Weight { weight_g: Grams, limit_g: Grams },
    #[error("oversize: {length_mm} mm long, takes at most {limit_mm} mm")]
    Length { length_mm: u32, limit_mm: u32 },
    #[error("oversize: {sum_mm} mm length plus girth, takes at most {limit_mm} mm")]
    LengthPlusGirth { sum_mm: u32, limit_mm: u32 },
    #[error("forbidden goods: takes no batteries")]
    Battery,
}

impl Unfit {
    /// What an order waits for when nothing better than this was found.
    pub fn hold(&self) -> Hold {
        match self {
            Unfit::Origin { .. } | Unfit::Country { .. } => Hold::NoChannel,
            Unfit::Weight { .. } | Unfit::Length { .. } | Unfit::LengthPlusGirth { .. } => Hold::Oversize,
            Unfit::Battery => Hold::ForbiddenGoods,
        }
    }
}

/// The hold that a written reason stands for: [`Unfit::hold`] for the text of an [`Unfit`], no channel for any other.
pub fn hold_named_in(why: &str) -> Hold {
    [Hold::Oversize, Hold::ForbiddenGoods].into_iter().find(|hold| why.starts_with(hold.as_str())).unwrap_or(Hold::NoChannel)
}

/// Whether a written reason says that the channel does not run between these places at all.
pub fn is_not_served(why: &str) -> bool {
    why.starts_with(NOT_SERVED)
}

/// Whether the channel takes this parcel from this warehouse; the first limit it breaks otherwise. A limit of 0 is none.
pub fn accepts(channel: &Channel, from: &WarehouseId, request: &QuoteRequest) -> Result<(), Unfit> {
    let country = &request.to.country;
    if !channel.origins.contains(from) {
        return Err(Unfit::Origin { from: from.clone() });
    }
    if channel.not_to.contains(country) || !(channel.to.is_empty() || channel.to.contains(country)) {
        return Err(Unfit::Country { country: country.clone() });
    }
    let limits = &channel.limits;
    if request.battery && !limits.battery {
        return Err(Unfit::Battery);
    }
    let over = |value: u32, limit: u32| limit != 0 && value > limit;
    if over(request.weight_g, limits.weight_g_max) {
        return Err(Unfit::Weight { weight_g: request.weight_g, limit_g: limits.weight_g_max });
    }
    let [length_mm, ..] = request.dims.sorted();
    if over(length_mm, limits.length_mm_max) {
        return Err(Unfit::Length { length_mm, limit_mm: limits.length_mm_max });
    }
    let sum_mm = request.dims.length_plus_girth_mm();
    if over(sum_mm, limits.length_plus_girth_mm_max) {
        return Err(Unfit::LengthPlusGirth { sum_mm, limit_mm: limits.length_plus_girth_mm_max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{address, channel, parcel};
    use twin::Dims;
    use twin::channel::Limits;

    fn limited() -> Channel {
        let limits = Limits { weight_g_max: 2000, length_mm_max: 600, length_plus_girth_mm_max: 900, battery: false };
        Channel { limits, to: vec!["US".into(), "RU".into()], not_to: vec!["RU".into()], ..channel(None) }
    }

    #[test]
    fn each_limit_has_its_reason_and_its_hold() {
        let small = Dims::new(200, 100, 50);
        let fits = parcel(address("US", "90001"), 2000, small);
        assert_eq!(accepts(&limited(), &"SZX".into(), &fits), Ok(()));
        let cases = [
            ("LAX", fits.clone(), "not served: does not collect at LAX", Hold::NoChannel),
            ("SZX", parcel(address("RU", "101000"), 1, small), "not served: does not go to RU", Hold::NoChannel),
            ("SZX", parcel(address("DE", "10115"), 1, small), "not served: does not go to DE", Hold::NoChannel),
            ("SZX", parcel(address("US", "1"), 2001, small), "oversize: 2001 g, takes at most 2000 g", Hold::Oversize),
            ("SZX", parcel(address("US", "1"), 1, Dims::new(10, 601, 10)), "oversize: 601 mm long, takes at most 600 mm", Hold::Oversize),
            (
                "SZX",
                parcel(address("US", "1"), 1, Dims::new(150, 101, 400)),
                "oversize: 902 mm length plus girth, takes at most 900 mm",
                Hold::Oversize,
            ),
            ("SZX", QuoteRequest { battery: true, ..fits }, "forbidden goods: takes no batteries", Hold::ForbiddenGoods),
        ];
        for (from, request, text, hold) in cases {
            let unfit = accepts(&limited(), &from.into(), &request).unwrap_err();
            assert_eq!((unfit.to_string().as_str(), unfit.hold()), (text, hold));
            assert_eq!(hold_named_in(text), hold, "the text says what the reason is: {text}");
            assert_eq!(is_not_served(text), hold == Hold::NoChannel);
        }
    }

    #[test]
    fn no_limits_take_anything() {
        let mut open = channel(None);
        open.limits.battery = true;
        let huge = QuoteRequest { battery: true, ..parcel(address("NZ", "1010"), u32::MAX, Dims::new(9_000, 9_000, 9_000)) };
        assert_eq!(accepts(&open, &"SZX".into(), &huge), Ok(()));
    }
}
