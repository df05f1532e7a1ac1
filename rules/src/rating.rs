//! What one parcel costs by a tariff: its chargeable weight, its zone, its weight band, and the surcharges.
//!
//! A parcel outside every zone or band has no price, and the answer says which was missing. It is never free. Nothing here
//! asks whether the channel takes the parcel at all (see `channels`), nor converts currencies (see `fx`).

use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use twin::address::postcodes::begins;
use twin::channel::{ChargeableWeight, Quote, QuoteRequest, Tariff, Zone};
use twin::money::Decimal;
use twin::verdict::NoOffer;
use twin::{Address, Dims, Grams, Money};

/// The weight a parcel is charged for, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chargeable {
    /// On the scale.
    pub actual_g: Grams,
    /// By its size, rounded up to the gram; 0 where the rule has no divisor.
    pub volumetric_g: Grams,
    /// What is charged for.
    pub chargeable_g: Grams,
    /// `volumetric 1200 g (÷6000) over actual 530 g, rounded up to 1500 g`.
    pub why: SmolStr,
}

/// A pound is 453.59237 g: this many of them are so many grams, rounded down, so that they are not a gram more than the pounds.
fn grams(pounds: u128) -> Grams {
    Grams::try_from(pounds.saturating_mul(45_359_237) / 100_000).unwrap_or(Grams::MAX)
}

/// Each begun pound whole.
fn pounds(weight_g: Grams) -> u64 {
    (u64::from(weight_g) * 100_000).div_ceil(45_359_237)
}

/// Grams that the whole volumetric pounds are, or 0 for a parcel that is not above the volume from which they count. Sides are
/// rounded up to the hundredth of an inch (25.4 mm), as they are declared.
fn volumetric_pounds_g(rule: &ChargeableWeight, dims: Dims) -> Grams {
    let inch = |mm: u32| (u128::from(mm) * 1_000).div_ceil(254);
    let volume = inch(dims.length_mm).saturating_mul(inch(dims.width_mm)).saturating_mul(inch(dims.height_mm));
    const IN3: u128 = 1_000_000;
    if volume <= u128::from(rule.volumetric_above_in3) * IN3 { 0 } else { grams(volume.div_ceil(u128::from(rule.in3_per_lb) * IN3)) }
}

/// Volumetric grams: mm³ ÷ divisor, because cm³ ÷ divisor is kilograms. Rounded up.
fn volumetric_g(rule: &ChargeableWeight, dims: Dims) -> Grams {
    if rule.in3_per_lb != 0 {
        return volumetric_pounds_g(rule, dims);
    }
    if rule.divisor == 0 {
        return 0;
    }
    let volume_mm3 = u128::from(dims.length_mm) * u128::from(dims.width_mm) * u128::from(dims.height_mm);
    if volume_mm3 <= u128::from(rule.volumetric_above_cm3) * 1_000 {
        return 0;
    }
    Grams::try_from(volume_mm3.div_ceil(u128::from(rule.divisor))).unwrap_or(Grams::MAX)
}

/// Some lines charge actual weight while volumetric is under a multiple of it.
fn volumetric_counts(rule: &ChargeableWeight, weight_g: Grams, volumetric_g: Grams) -> bool {
    u64::from(volumetric_g) * 10 >= u64::from(weight_g) * u64::from(rule.volumetric_from_tenths)
}

fn rounded_up(weight_g: Grams, step_g: Grams) -> Grams {
    let step_g = u64::from(step_g.max(1));
    Grams::try_from(u64::from(weight_g).div_ceil(step_g) * step_g).unwrap_or(Grams::MAX)
}

fn chargeable_g(rule: &ChargeableWeight, weight_g: Grams, volumetric_g: Grams) -> Grams {
    let by_size_g = if volumetric_counts(rule, weight_g, volumetric_g) { volumetric_g } else { 0 };
    rounded_up(weight_g.max(by_size_g), rule.step_g).max(rule.minimum_g)
}

/// max(actual, volumetric), rounded up to the rule's step, at least its minimum.
///
/// With `volumetric_from_tenths` a heavier parcel of the same size can be charged for less: past the multiple its size
/// no longer counts. That is how such lines publish it.
pub fn chargeable(rule: &ChargeableWeight, weight_g: Grams, dims: Dims) -> Chargeable {
    let volumetric_g = volumetric_g(rule, dims);
    let chargeable_g = chargeable_g(rule, weight_g, volumetric_g);
    let mut why = if volumetric_g <= weight_g {
        format!("actual {weight_g} g")
    } else if volumetric_counts(rule, weight_g, volumetric_g) {
        let per = if rule.in3_per_lb == 0 { format!("÷{}", rule.divisor) } else { format!("÷{} in³/lb", rule.in3_per_lb) };
        format!("volumetric {volumetric_g} g ({per}) over actual {weight_g} g")
    } else {
        let (whole, tenth) = (rule.volumetric_from_tenths / 10, rule.volumetric_from_tenths % 10);
        format!("actual {weight_g} g, volumetric {volumetric_g} g is under {whole}.{tenth} times that")
    };
    let basis_g = if volumetric_counts(rule, weight_g, volumetric_g) { weight_g.max(volumetric_g) } else { weight_g };
    if chargeable_g != basis_g {
        let how = if rounded_up(basis_g, rule.step_g) < rule.minimum_g { "at least" } else { "rounded up to" };
        why.push_str(&format!(", {how} {chargeable_g} g"));
    }
    Chargeable { actual_g: weight_g, volumetric_g, chargeable_g, why: why.into() }
}

/// Length of the longest prefix that fits, spaces left out; 0 where none is asked for. British outward codes match whole.
fn prefix_fit(prefixes: &[SmolStr], to: &Address) -> Option<usize> {
    if prefixes.is_empty() {
        return Some(0);
    }
    let british = matches!(to.country.as_str(), "GB" | "GG" | "IM" | "JE");
    let fits = prefixes.iter().filter(|prefix| begins(british, &to.postcode, prefix));
    fits.map(|prefix| prefix.chars().filter(|c| c.is_alphanumeric()).count()).max()
}

/// Whether the tariff prices the address under this country by its postcode.
pub(crate) fn names_postcode(tariff: &Tariff, country: &str, to: &Address) -> bool {
    let names = |zone: &Zone| zone.countries.iter().any(|c| c == country) && !zone.postcode_prefixes.is_empty();
    tariff.zones.iter().any(|zone| names(zone) && prefix_fit(&zone.postcode_prefixes, to).is_some())
}

/// The zone an address is in: of the zones that name its place (`PR`, `RE`), or else the country that it is in the post of, the one
/// with the longest fitting postcode prefix, the first of equals. A zone without countries stands for every country that no zone
/// before it names. A far part of a country (`FR 97400`) is in its zones by postcode only.
pub fn zone<'a>(tariff: &'a Tariff, to: &Address) -> Option<&'a Zone> {
    let (place, part) = (to.place(), to.territory());
    let mut named = false;
    let mut best: Option<((bool, usize), &Zone)> = None;
    for zone in &tariff.zones {
        let has = |code: &str| zone.countries.iter().any(|c| c == code);
        let own = has(place);
        let near = part.is_some_and(|p| has(p.of) && (p.in_its_post || !zone.postcode_prefixes.is_empty()));
        if !own && !near && (named || !zone.countries.is_empty()) {
            continue;
        }
        let fit = prefix_fit(&zone.postcode_prefixes, to);
        named |= own || near && (fit.is_some() || part.is_some_and(|p| p.in_its_post));
        // A zone that names the place itself is nearer than one that names its country.
        if let Some(fit) = fit.map(|fit| (own || !near, fit))
            && best.is_none_or(|(longest, _)| fit > longest)
        {
            best = Some((fit, zone));
        }
    }
    best.map(|(_, zone)| zone)
}

/// A tariff's price for one parcel: band price (fixed, per kilogram, or a registration fee with both) plus surcharges.
///
/// Each part is rounded to the currency by itself, so that the breakdown adds up to the total. `days` is the channel's promise.
pub fn rate(tariff: &Tariff, service: &SmolStr, request: &QuoteRequest, days: Option<u16>) -> Result<Quote, NoOffer> {
    let to = &request.to;
    let Some(zone) = zone(tariff, to) else {
        return Err(NoOffer::NoZone { to: format_smolstr!("{} {}", to.country, to.postcode).trim_end().to_smolstr() });
    };
    let weight_g = chargeable_g(&tariff.weight, request.weight_g, volumetric_g(&tariff.weight, request.dims));
    let Some(band) = zone.bands.iter().find(|band| band.above_g < weight_g && weight_g <= band.up_to_g) else {
        return Err(NoOffer::NoBand { chargeable_g: weight_g, zone: zone.name.clone() });
    };
    let charged_g = weight_g.max(band.minimum_g);
    let too_large = || NoOffer::SheetTooLarge { chargeable_g: charged_g, zone: zone.name.clone() };
    let money = |amount| Money::new(amount, tariff.currency).rounded();

    let by_weight = band.per_kg.checked_mul(Decimal::new(i64::from(charged_g), 3)).ok_or_else(too_large)?;
    let by_pound = band.per_lb.checked_mul(Decimal::from(pounds(charged_g))).ok_or_else(too_large)?;
    let base = band.flat.checked_add(by_weight).and_then(|sum| sum.checked_add(by_pound)).ok_or_else(too_large)?;
    let nothing = |total| NoOffer::SheetGivesNothing { chargeable_g: charged_g, zone: zone.name.clone(), total };
    // Surcharges on nothing are no price either.
    if money(base).amount <= Decimal::ZERO {
        return Err(nothing(money(base)));
    }
    let mut breakdown = Vec::with_capacity(2 + tariff.surcharges.len());
    if !band.per_kg.is_zero() && !band.flat.is_zero() && band.per_lb.is_zero() {
        breakdown.push((SmolStr::new_static("registration"), money(band.flat)));
        breakdown.push((SmolStr::new_static("freight"), money(by_weight)));
    } else {
        breakdown.push((SmolStr::new_static("freight"), money(base)));
    }
    for surcharge in &tariff.surcharges {
        if prefix_fit(&surcharge.postcode_prefixes, to).is_none() {
            continue;
        }
        let share = base.checked_mul(surcharge.percent).map(|percents| percents / Decimal::ONE_HUNDRED);
        let amount = share.and_then(|share| share.checked_add(surcharge.flat)).ok_or_else(too_large)?;
        if !amount.is_zero() {
            breakdown.push((surcharge.name.clone(), money(amount)));
        }
    }
    let total = breakdown.iter().try_fold(Decimal::ZERO, |sum, (_, part)| sum.checked_add(part.amount)).ok_or_else(too_large)?;
    let total = Money::new(total, tariff.currency);
    if total.amount <= Decimal::ZERO {
        return Err(nothing(total));
    }
    Ok(Quote { service: service.clone(), total, breakdown, days, chargeable_g: Some(charged_g), zone: zone.name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{address, parcel, tariff};
    use proptest::prelude::*;

    const FLAT: Dims = Dims::new(0, 0, 0);

    fn by_size(divisor: u32, volumetric_from_tenths: u32, step_g: Grams, minimum_g: Grams) -> ChargeableWeight {
        ChargeableWeight { divisor, volumetric_from_tenths, step_g, minimum_g, ..ChargeableWeight::default() }
    }

    fn price(tariff: &Tariff, to: Address, weight_g: Grams) -> Result<String, String> {
        rate(tariff, &"S".into(), &parcel(to, weight_g, FLAT), None).map(|q| q.total.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn size_counts_when_it_outweighs_the_scale() {
        let shoebox = Dims::new(400, 300, 100);
        let found = chargeable(&by_size(6000, 0, 500, 0), 530, shoebox);
        assert_eq!((found.volumetric_g, found.chargeable_g), (2000, 2000));
        assert_eq!(found.why, "volumetric 2000 g (÷6000) over actual 530 g");
        assert_eq!(
            chargeable(&by_size(5000, 0, 500, 0), 530, shoebox).why,
            "volumetric 2400 g (÷5000) over actual 530 g, rounded up to 2500 g"
        );
        assert_eq!(chargeable(&by_size(0, 0, 1, 0), 530, shoebox).why, "actual 530 g");
        assert_eq!(chargeable(&by_size(0, 0, 500, 2000), 530, shoebox).why, "actual 530 g, at least 2000 g");
    }

    #[test]
    fn under_twice_the_actual_size_does_not_count() {
        let rule = by_size(6000, 20, 1, 0);
        let box_of_2000_g = Dims::new(400, 300, 100);
        assert_eq!(chargeable(&rule, 1000, box_of_2000_g).chargeable_g, 2000);
        let heavier = chargeable(&rule, 1001, box_of_2000_g);
        assert_eq!((heavier.chargeable_g, heavier.why.as_str()), (1001, "actual 1001 g, volumetric 2000 g is under 2.0 times that"));
    }

    #[test]
    fn bands_leave_out_their_lower_edge_and_hold_their_upper() {
        let us = || address("US", "90001");
        assert_eq!(price(&tariff(), us(), 100).unwrap(), "33.80 CNY");
        assert_eq!(price(&tariff(), us(), 101).unwrap(), "31.29 CNY");
        assert_eq!(price(&tariff(), us(), 200).unwrap(), "40.40 CNY");
        assert_eq!(price(&tariff(), us(), 201).unwrap_err(), "no weight band for 201 g in zone US");
        assert_eq!(price(&tariff(), us(), 700).unwrap_err(), "no weight band for 700 g in zone US");
        assert_eq!(price(&tariff(), us(), 701).unwrap(), "73.99 CNY");
        assert_eq!(price(&tariff(), us(), 0).unwrap_err(), "no weight band for 0 g in zone US");
        assert_eq!(price(&tariff(), address("XX", "12345"), 100).unwrap_err(), "no zone for XX 12345");
        assert_eq!(price(&tariff(), address("HK", ""), 100).unwrap_err(), "no zone for HK");
    }

    #[test]
    fn a_bands_minimum_raises_what_is_charged() {
        let quote = rate(&tariff(), &"S".into(), &parcel(address("US", "1"), 12, FLAT), Some(12)).unwrap();
        assert_eq!((quote.total.to_string().as_str(), quote.chargeable_g, quote.days), ("26.94 CNY", Some(30), Some(12)));
        let parts: Vec<String> = quote.breakdown.iter().map(|(name, part)| format!("{name} {part}")).collect();
        assert_eq!(parts, ["registration 24.00 CNY", "freight 2.94 CNY"]);
    }

    #[test]
    fn surcharges_stand_by_name_and_the_parts_add_up() {
        let mut tariff = tariff();
        tariff.surcharges = toml::from_str::<std::collections::BTreeMap<String, Vec<_>>>(
            r#"all = [
                { name = "fuel", percent = "12.5" },
                { name = "remote area", flat = "20", postcode_prefixes = ["995", "99 6"] },
            ]"#,
        )
        .unwrap()
        .remove("all")
        .unwrap();
        let parts = |postcode| {
            let quote = rate(&tariff, &"S".into(), &parcel(address("US", postcode), 100, FLAT), None).unwrap();
            let sum: Decimal = quote.breakdown.iter().map(|(_, part)| part.amount).sum();
            assert_eq!(sum, quote.total.amount);
            quote.breakdown.iter().map(|(name, part)| format!("{name} {}", part.amount)).collect::<Vec<_>>()
        };
        assert_eq!(parts("90001"), ["registration 24.00", "freight 9.80", "fuel 4.23"]);
        assert_eq!(parts("996-01"), ["registration 24.00", "freight 9.80", "fuel 4.23", "remote area 20.00"]);
    }

    #[test]
    fn nothing_is_ever_free_nor_beyond_counting() {
        let us = || address("US", "90001");
        let mut sheet = tariff();
        (sheet.zones[0].bands[0].flat, sheet.zones[0].bands[0].per_kg) = (Decimal::ZERO, Decimal::ZERO);
        assert!(price(&sheet, us(), 50).unwrap_err().contains("no parcel is free"));
        sheet.zones[0].bands[0].flat = Decimal::MAX;
        sheet.zones[0].bands[0].per_kg = Decimal::MAX;
        assert!(price(&sheet, us(), 100).unwrap_err().contains("too large to count"));
    }

    #[test]
    fn the_longest_prefix_wins_and_a_zone_without_countries_takes_the_unnamed() {
        let mut sheet = tariff();
        let zone = |name: &str, countries: &[&str], prefixes: &[&str]| Zone {
            name: name.into(),
            countries: countries.iter().map(SmolStr::new).collect(),
            postcode_prefixes: prefixes.iter().map(SmolStr::new).collect(),
            bands: vec![],
        };
        sheet.zones = vec![
            zone("GB", &["GB"], &[]),
            zone("Highlands", &["GB"], &["IV", "KW"]),
            zone("Skye", &["GB"], &["IV41"]),
            zone("West", &["US"], &["9"]),
            zone("rest", &[], &[]),
            zone("too late", &["FR"], &[]),
        ];
        let name = |country, postcode| super::zone(&sheet, &address(country, postcode)).map_or("none", |z| z.name.as_str());
        assert_eq!(name("GB", "SW1A 1AA"), "GB");
        assert_eq!(name("GB", "iv2 3aa"), "Highlands");
        assert_eq!(name("GB", "IV 41 8AA"), "Skye");
        assert_eq!(name("GB", "IV4 7AA"), "Highlands");
        assert_eq!(name("US", "90001"), "West");
        assert_eq!(name("US", "10001"), "none", "named earlier, so not in the rest");
        assert_eq!(name("DE", "10115"), "rest");
        assert_eq!(name("FR", "75001"), "rest");
    }

    fn named_zone(name: &str, countries: &[&str], prefixes: &[&str]) -> Zone {
        Zone {
            name: name.into(),
            countries: countries.iter().map(SmolStr::new).collect(),
            postcode_prefixes: prefixes.iter().map(SmolStr::new).collect(),
            bands: vec![],
        }
    }

    #[test]
    fn outward_codes_match_whole_in_zones_and_surcharges() {
        let mut sheet = tariff();
        sheet.zones = vec![named_zone("mainland", &["GB"], &[]), named_zone("islands", &["GB"], &["PA67", "S1", "G"])];
        let name = |postcode| super::zone(&sheet, &address("GB", postcode)).map_or("none", |z| z.name.as_str());
        for postcode in ["PA6 7LN", "pa67ln", "S10 2TN", "SE1 1AA", "SO1 1AA", "GL1 1AA", "GU1 1AA"] {
            assert_eq!(name(postcode), "mainland", "{postcode}");
        }
        for postcode in ["PA67 6AA", "pa676aa", "S1 2AB", "G1 1AA"] {
            assert_eq!(name(postcode), "islands", "{postcode}");
        }
        let fit = |prefix: &str, postcode| prefix_fit(&[prefix.into()], &address("GB", postcode)).is_some();
        assert!(fit("S1", "S1 2AB") && !fit("S1", "S10 2TN") && fit("BT", "BT1 5GS") && !fit("B", "BT1 5GS"));
    }

    #[test]
    fn a_place_is_in_one_zone_however_it_is_spelt() {
        let mut sheet = tariff();
        let at = |sheet: &Tariff, to: &Address| super::zone(sheet, to).map_or("none".to_owned(), |z| z.name.to_string());
        let state = Address { region: "PR".into(), ..address("US", "00907") };
        let (france, island) = (address("FR", "97400"), address("RE", "97400"));
        sheet.zones = vec![named_zone("US", &["US"], &[]), named_zone("FR", &["FR"], &[]), named_zone("rest", &[], &[])];
        assert_eq!([at(&sheet, &state), at(&sheet, &address("PR", "00907"))], ["US", "US"]);
        assert_eq!([at(&sheet, &france), at(&sheet, &island)], ["rest", "rest"], "not at the price of France");
        sheet.zones.insert(0, named_zone("overseas", &["FR"], &["974"]));
        assert_eq!([at(&sheet, &france), at(&sheet, &island), at(&sheet, &address("FR", "75001"))], ["overseas", "overseas", "FR"]);
        sheet.zones.extend([named_zone("Caribbean", &["PR", "VI"], &[]), named_zone("Indian Ocean", &["RE"], &[])]);
        assert_eq!([at(&sheet, &state), at(&sheet, &address("PR", "00907"))], ["Caribbean", "Caribbean"]);
        assert_eq!([at(&sheet, &france), at(&sheet, &island)], ["Indian Ocean", "Indian Ocean"]);
    }

    #[test]
    fn surcharges_on_nothing_are_no_price() {
        let mut sheet = tariff();
        (sheet.zones[0].bands[0].flat, sheet.zones[0].bands[0].per_kg) = (Decimal::ZERO, Decimal::ZERO);
        sheet.surcharges =
            vec![twin::channel::Surcharge { name: "fuel".into(), percent: Decimal::ZERO, flat: Decimal::TEN, postcode_prefixes: vec![] }];
        assert!(price(&sheet, address("US", "90001"), 50).unwrap_err().contains("no parcel is free"));
    }

    #[test]
    fn pounds_are_whole_and_inches_rounded_up() {
        let rule = ChargeableWeight { in3_per_lb: 166, volumetric_above_in3: 1_728, ..ChargeableWeight::default() };
        let found = |side_mm: u32| chargeable(&rule, 1_000, Dims::new(304, 304, side_mm)).chargeable_g;
        assert_eq!((found(304), found(330)), (1_000, 5_443), "12.97³ in is 11.2 lb, so 12");
        assert_eq!(chargeable(&rule, 1_000, Dims::new(304, 304, 330)).why, "volumetric 5443 g (÷166 in³/lb) over actual 1000 g");
        let counted = [(1, 1), (453, 1), (454, 2), (907, 2), (908, 3), (31_751, 70)];
        assert!(counted.into_iter().all(|(weight_g, lb)| pounds(weight_g) == lb && pounds(grams(lb.into())) == lb));
    }

    proptest! {
        #[test]
        fn chargeable_is_at_least_the_scale_in_steps_or_the_minimum(
            weight_g in 0u32..100_000, sides in prop::array::uniform3(0u32..3_000),
            divisor in prop::sample::select(vec![0u32, 5000, 6000, 8000, 9000]), tenths in 0u32..30, step_g in 0u32..2_000, minimum_g in 0u32..5_000,
        ) {
            let rule = by_size(divisor, tenths, step_g, minimum_g);
            let found = chargeable(&rule, weight_g, Dims::new(sides[0], sides[1], sides[2]));
            prop_assert!(found.chargeable_g >= weight_g && found.chargeable_g >= minimum_g);
            prop_assert!(found.chargeable_g == minimum_g || found.chargeable_g.is_multiple_of(step_g.max(1)));
            prop_assert!(u64::from(found.chargeable_g) < u64::from(weight_g.max(found.volumetric_g).max(minimum_g)) + u64::from(step_g.max(1)));
        }

        /// Where size always counts. With a multiple of the actual it does not hold: see `under_twice_the_actual`.
        #[test]
        fn heavier_is_never_charged_less(
            a_g in 0u32..50_000, more_g in 0u32..50_000, sides in prop::array::uniform3(0u32..2_000), step_g in 0u32..2_000, minimum_g in 0u32..5_000,
        ) {
            let (rule, dims) = (by_size(6000, 0, step_g, minimum_g), Dims::new(sides[0], sides[1], sides[2]));
            prop_assert!(chargeable(&rule, a_g, dims).chargeable_g <= chargeable(&rule, a_g + more_g, dims).chargeable_g);
        }

        #[test]
        fn a_parcel_has_a_price_exactly_in_a_band(weight_g in 0u32..2_500) {
            let priced = price(&tariff(), address("US", "1"), weight_g).is_ok();
            prop_assert_eq!(priced, (1..=200).contains(&weight_g) || (701..=2000).contains(&weight_g));
        }

        /// No size and no rule overflows.
        #[test]
        fn any_parcel_can_be_weighed(weight_g: u32, sides: [u32; 3], divisor: u32, tenths: u32, step_g: u32, minimum_g: u32) {
            let found = chargeable(&by_size(divisor, tenths, step_g, minimum_g), weight_g, Dims::new(sides[0], sides[1], sides[2]));
            prop_assert!(found.chargeable_g >= weight_g);
        }
    }
}
