//! A tariff and its channel as TOML, laid out as people write them in a site file: a line for each band. Every text from a
//! sheet is quoted; nothing is left out that counts.

use std::fmt::Write;
use twin::channel::{Band, Channel, ChargeableWeight, DaysCount, Limits, Surcharge, Tariff};
use twin::money::Decimal;

/// A tariff as a file of its own.
pub fn tariff(tariff: &Tariff) -> String {
    let mut text = format!("currency = {}\nsource = {}\n", quoted(tariff.currency.code()), quoted(&tariff.source));
    let weight = weight(&tariff.weight);
    if !weight.is_empty() {
        let _ = writeln!(text, "weight = {{ {weight} }}");
    }
    if !tariff.surcharges.is_empty() {
        text.push_str("surcharges = [\n");
        for surcharge in &tariff.surcharges {
            let _ = writeln!(text, "  {{ {} }},", surcharge_fields(surcharge));
        }
        text.push_str("]\n");
    }
    for zone in &tariff.zones {
        let _ = write!(text, "\n[[zones]]\nname = {}\ncountries = {}\n", quoted(&zone.name), list(&zone.countries));
        if !zone.postcode_prefixes.is_empty() {
            let _ = writeln!(text, "postcode_prefixes = {}", list(&zone.postcode_prefixes));
        }
        text.push_str("bands = [\n");
        for of in &zone.bands {
            let _ = writeln!(text, "  {{ {} }},", band(of));
        }
        text.push_str("]\n");
    }
    text
}

/// A channel for the site file, whose tariff is in `tariff_file`.
pub fn channel(channel: &Channel, tariff_file: &str) -> String {
    let mut text = String::from("[[channel]]\n");
    for (name, value) in [
        ("id", quoted(channel.id.as_str())),
        ("carrier", quoted(channel.carrier.as_str())),
        ("name", quoted(&channel.name)),
        ("service", quoted(&channel.service)),
        ("origins", list(&channel.origins)),
    ] {
        let _ = writeln!(text, "{name} = {value}");
    }
    for (name, countries) in [("to", &channel.to), ("not_to", &channel.not_to)] {
        if !countries.is_empty() {
            let _ = writeln!(text, "{name} = {}", list(countries));
        }
    }
    let _ = writeln!(text, "limits = {{ {} }}", limits(&channel.limits));
    if let Some(days) = channel.days {
        let _ = writeln!(text, "days = {days}");
        if channel.days_count == DaysCount::Working {
            text.push_str("days_count = \"working\"\n");
        }
    }
    let _ = writeln!(text, "tariff_file = {}", quoted(tariff_file));
    text
}

/// As TOML quotes it, escapes and all.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

/// `name = number` for each that is not what goes without saying.
fn numbers(fields: &[(&str, u32, u32)]) -> String {
    let said = fields.iter().filter(|(_, number, usual)| number != usual);
    said.map(|(name, number, _)| format!("{name} = {number}")).collect::<Vec<_>>().join(", ")
}

fn amount(name: &str, amount: Decimal) -> Option<String> {
    (!amount.is_zero()).then(|| format!("{name} = {}", quoted(&amount.to_string())))
}

fn weight(weight: &ChargeableWeight) -> String {
    // Taken apart, so that a field that is added cannot be forgotten here.
    let ChargeableWeight { divisor, volumetric_from_tenths, volumetric_above_cm3, in3_per_lb, volumetric_above_in3, step_g, minimum_g } =
        *weight;
    numbers(&[
        ("divisor", divisor, 0),
        ("volumetric_from_tenths", volumetric_from_tenths, 0),
        ("volumetric_above_cm3", volumetric_above_cm3, 0),
        ("in3_per_lb", in3_per_lb, 0),
        ("volumetric_above_in3", volumetric_above_in3, 0),
        ("step_g", step_g, 1),
        ("minimum_g", minimum_g, 0),
    ])
}

fn limits(limits: &Limits) -> String {
    let Limits { weight_g_max, length_mm_max, width_mm_max, height_mm_max, length_plus_girth_mm_max, battery, no_po_box } = *limits;
    let numbers = numbers(&[
        ("weight_g_max", weight_g_max, 0),
        ("length_mm_max", length_mm_max, 0),
        ("width_mm_max", width_mm_max, 0),
        ("height_mm_max", height_mm_max, 0),
        ("length_plus_girth_mm_max", length_plus_girth_mm_max, 0),
    ]);
    let mut said: Vec<String> = Some(numbers).filter(|n| !n.is_empty()).into_iter().collect();
    said.push(format!("battery = {battery}"));
    said.extend(no_po_box.then(|| "no_po_box = true".into()));
    said.join(", ")
}

fn band(band: &Band) -> String {
    let Band { above_g, up_to_g, flat, per_kg, per_lb, minimum_g } = band;
    let mut said = vec![format!("above_g = {above_g}, up_to_g = {up_to_g}")];
    said.extend([amount("flat", *flat), amount("per_kg", *per_kg), amount("per_lb", *per_lb)].into_iter().flatten());
    said.extend((*minimum_g != 0).then(|| format!("minimum_g = {minimum_g}")));
    said.join(", ")
}

fn surcharge_fields(surcharge: &Surcharge) -> String {
    let Surcharge { name, percent, flat, postcode_prefixes } = surcharge;
    let mut said = vec![format!("name = {}", quoted(name))];
    said.extend([amount("percent", *percent), amount("flat", *flat)].into_iter().flatten());
    said.extend((!postcode_prefixes.is_empty()).then(|| format!("postcode_prefixes = {}", list(postcode_prefixes))));
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK_START: &str = include_str!("../../../scenarios/quick-start/site.toml");

    /// Every tariff of the bundled site, which has all that a tariff can say, and names that are no plain text.
    #[test]
    fn what_is_written_reads_as_what_it_was() {
        let site = sim::scenario::parse_site(QUICK_START, "quick-start").unwrap();
        let tariffs: Vec<Tariff> = site.channels.iter().filter_map(|c| c.tariff.clone()).collect();
        assert!(tariffs.len() >= 4);
        for mut of in tariffs {
            assert_eq!(toml::from_str::<Tariff>(&tariff(&of)).unwrap(), of);
            of.source = "a \"sheet\"\n[[zones]]\\ 运价表\u{1b}".into();
            of.zones[0].name = "'''\"\"\"".into();
            of.zones[0].bands[0].minimum_g = 7;
            of.surcharges.push(Surcharge {
                name: "remote".into(),
                percent: Decimal::ZERO,
                flat: Decimal::new(-150, 2),
                postcode_prefixes: vec!["99".into()],
            });
            assert_eq!(toml::from_str::<Tariff>(&tariff(&of)).unwrap(), of);
        }
        for mut of in site.channels {
            of.days_count = DaysCount::Working;
            of.days = of.days.or(Some(3));
            of.last_resort = false;
            of.tariff = None;
            #[derive(serde::Deserialize)]
            struct Channels {
                channel: Vec<Channel>,
            }
            let read: Channels = toml::from_str(&channel(&of, "tariffs/x.toml")).unwrap();
            of.tariff_file = Some("tariffs/x.toml".into());
            assert_eq!(read.channel, [of]);
        }
    }
}
