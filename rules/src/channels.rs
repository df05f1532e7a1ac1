//! Whether a channel takes a parcel: where it collects, where it goes, how heavy and how large, batteries or not.
//!
//! Looks at the channel's own limits only. What the parcel would cost there, and which channel is best, is decided elsewhere.

use crate::rating::names_postcode;
use smol_str::SmolStr;
use twin::channel::{Channel, QuoteRequest};
use twin::verdict::Unfit;
use twin::{Address, WarehouseId};

/// Whether the channel takes this parcel from this warehouse; the first limit it breaks otherwise. A limit of 0 is none.
pub fn accepts(channel: &Channel, from: &WarehouseId, request: &QuoteRequest) -> Result<(), Unfit> {
    if !channel.origins.contains(from) {
        return Err(Unfit::Origin { from: from.clone() });
    }
    if !goes_to(channel, &request.to) {
        return Err(Unfit::Country { country: request.to.place().into() });
    }
    let limits = &channel.limits;
    if request.battery && !limits.battery {
        return Err(Unfit::Battery);
    }
    let over = |value: u32, limit: u32| limit != 0 && value > limit;
    if over(request.weight_g, limits.weight_g_max) {
        return Err(Unfit::Weight { weight_g: request.weight_g, limit_g: limits.weight_g_max });
    }
    let (sides_mm, limits_mm) = (request.dims.sorted(), limits.sides_mm_max());
    if over(sides_mm[0], limits_mm[0]) {
        return Err(Unfit::Length { length_mm: sides_mm[0], limit_mm: limits_mm[0] });
    }
    if over(sides_mm[1], limits_mm[1]) {
        return Err(Unfit::Width { width_mm: sides_mm[1], limit_mm: limits_mm[1] });
    }
    if over(sides_mm[2], limits_mm[2]) {
        return Err(Unfit::Height { height_mm: sides_mm[2], limit_mm: limits_mm[2] });
    }
    let sum_mm = request.dims.length_plus_girth_mm();
    if over(sum_mm, limits.length_plus_girth_mm_max) {
        return Err(Unfit::LengthPlusGirth { sum_mm, limit_mm: limits.length_plus_girth_mm_max });
    }
    if limits.no_po_box && request.to.is_po_box() {
        return Err(Unfit::PoBox);
    }
    Ok(())
}

/// Whether it goes to the place, however the place is spelt: what it says of the place's own code counts before what it says of
/// the country whose post it is in. Far parts of a country (`FR 97400`) must be named, by code or by their postcodes in the tariff.
fn goes_to(channel: &Channel, to: &Address) -> bool {
    let has = |list: &[SmolStr], code: &str| list.iter().any(|c| c == code);
    let place = to.place();
    if has(&channel.not_to, place) || has(&channel.to, place) {
        return !has(&channel.not_to, place);
    }
    let Some(part) = to.territory().filter(|part| part.of != place) else { return channel.to.is_empty() };
    let by_postcode = || channel.tariff.as_ref().is_some_and(|tariff| names_postcode(tariff, part.of, to));
    if !part.in_its_post {
        return channel.to.is_empty() || has(&channel.to, part.of) && by_postcode();
    }
    !has(&channel.not_to, part.of) && (channel.to.is_empty() || has(&channel.to, part.of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{address, channel, parcel};
    use twin::Dims;
    use twin::channel::Limits;
    use twin::order::Hold;

    fn limited() -> Channel {
        let limits = Limits { weight_g_max: 2000, length_mm_max: 600, length_plus_girth_mm_max: 900, ..Limits::default() };
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
        }
    }

    /// DHL Kleinpaket: 353 × 250 × 50 mm.
    #[test]
    fn all_three_sides_hold() {
        let limits = Limits { length_mm_max: 353, width_mm_max: 250, height_mm_max: 50, ..Limits::default() };
        let flat = Channel { limits, ..channel(None) };
        let told = |dims| accepts(&flat, &"SZX".into(), &parcel(address("DE", "10115"), 1, dims)).map_err(|e| (e.to_string(), e.hold()));
        assert_eq!(told(Dims::new(50, 353, 250)), Ok(()));
        let high = "oversize: 100 mm high, takes at most 50 mm".to_string();
        assert_eq!(told(Dims::new(176, 125, 100)), Err((high, Hold::Oversize)));
        let wide = "oversize: 251 mm wide, takes at most 250 mm".to_string();
        assert_eq!(told(Dims::new(251, 10, 300)), Err((wide, Hold::Oversize)));
    }

    proptest::proptest! {
        /// A box fits exactly when some way of turning it fits.
        #[test]
        fn a_box_fits_if_it_can_be_turned_to_fit(sides in proptest::array::uniform3(1u32..400), most in proptest::array::uniform3(1u32..400)) {
            let mut limits = Limits::default();
            limits.within_sides(most);
            let bounded = Channel { limits, ..channel(None) };
            let [a, b, c] = sides;
            let turns = [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]];
            let fits = turns.iter().any(|turn| turn.iter().zip(most).all(|(side, most)| *side <= most));
            let request = parcel(address("DE", "10115"), 1, Dims::new(a, b, c));
            proptest::prop_assert_eq!(accepts(&bounded, &"SZX".into(), &request).is_ok(), fits);
        }
    }

    #[test]
    fn a_channel_without_po_boxes_takes_none() {
        let mut doors = channel(None);
        doors.limits.no_po_box = true;
        let to = |street: &str| Address { street: street.into(), ..address("US", "90001") };
        let request = |street| parcel(to(street), 1, Dims::new(1, 1, 1));
        assert_eq!(accepts(&doors, &"SZX".into(), &request("1 Box Elder Lane")), Ok(()));
        let unfit = accepts(&doors, &"SZX".into(), &request("P.O. Box 12")).unwrap_err();
        assert_eq!(unfit, Unfit::PoBox);
        assert_eq!(accepts(&channel(None), &"SZX".into(), &request("P.O. Box 12")), Ok(()));
    }

    #[test]
    fn a_place_is_one_however_it_is_spelt() {
        let goes = |to: &[&str], not_to: &[&str], address: Address| {
            let list = |codes: &[&str]| codes.iter().map(SmolStr::new).collect();
            let channel = Channel { to: list(to), not_to: list(not_to), ..channel(None) };
            accepts(&channel, &"SZX".into(), &parcel(address, 1, Dims::new(1, 1, 1))).is_ok()
        };
        let state = |code: &str| Address { region: code.into(), ..address("US", "") };
        for code in ["PR", "GU", "VI", "AS", "MP"] {
            for place in [state(code), address(code, "")] {
                assert!(
                    goes(&["US"], &[], place.clone()) && goes(&[code], &[], place.clone()) && goes(&[], &["DE"], place.clone()),
                    "{code}"
                );
                assert!(
                    !goes(&["US"], &[code], place.clone()) && !goes(&[], &["US"], place.clone()) && !goes(&["DE"], &[], place),
                    "{code}"
                );
            }
        }
        for place in [address("FR", "97400"), address("RE", "97400")] {
            assert!(goes(&["RE"], &[], place.clone()) && goes(&[], &[], place.clone()));
            assert!(!goes(&["FR"], &[], place.clone()) && !goes(&[], &["RE"], place.clone()), "far from France");
        }
        assert!(goes(&["GB"], &[], address("JE", "JE2 3AB")) && !goes(&["GB"], &["JE"], address("GB", "JE2 3AB")));
        assert!(goes(&["ES"], &[], address("ES", "35001")));
    }

    #[test]
    fn no_limits_take_anything() {
        let mut open = channel(None);
        open.limits.battery = true;
        let huge = QuoteRequest { battery: true, ..parcel(address("NZ", "1010"), u32::MAX, Dims::new(9_000, 9_000, 9_000)) };
        assert_eq!(accepts(&open, &"SZX".into(), &huge), Ok(()));
    }
}
