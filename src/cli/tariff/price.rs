//! `parceltwin tariff price`: what one parcel costs by a tariff, with zone, weight and band; or why it has no price there.

use super::PriceFlags;
use crate::cli::{Answer, screen};
use anyhow::{Context, bail};
use rules::channels::accepts;
use rules::rating::{chargeable, rate, zone};
use serde_json::{Value, json};
use sim::scenario::{read_site, read_tariff};
use twin::channel::{Band, Quote, QuoteRequest, Tariff, Zone};
use twin::money::{Currency, Decimal};
use twin::{Address, Dims, Moment, Money, TimeZone};

pub fn run(flags: &PriceFlags) -> anyhow::Result<Answer> {
    let mut request = request(flags)?;
    let (tariff, service, days, unfit) = match &flags.channel {
        None => (read_tariff(&flags.file)?, "".into(), None, None),
        Some(id) => {
            let site = read_site(&flags.file)?;
            let Some(channel) = site.channels.iter().find(|c| c.id.as_str() == id) else {
                let has: Vec<&str> = site.channels.iter().map(|c| c.id.as_str()).collect();
                bail!("{} has no channel {id}; it has {}", flags.file.display(), has.join(", "));
            };
            let Some(tariff) = channel.tariff.clone() else { bail!("channel {id} has no tariff: its carrier is asked for each price") };
            let from = channel.origins.first().with_context(|| format!("channel {id} collects at no warehouse"))?;
            if let Some(warehouse) = site.warehouse(from) {
                request.from = warehouse.address.clone();
            }
            let unfit = accepts(channel, from, &request).err().map(|unfit| unfit.to_string());
            (tariff, channel.service.clone(), channel.days, unfit)
        }
    };
    let quote = match unfit {
        Some(unfit) => Err(unfit),
        None => rate(&tariff, &service, &request, days).map_err(|why| why.to_string()),
    };
    screen::print(&if flags.json { as_json(&tariff, &request, &quote)? } else { as_text(&tariff, &request, &quote) })?;
    Ok(if quote.is_ok() { Answer::Yes } else { Answer::No })
}

fn request(flags: &PriceFlags) -> anyhow::Result<QuoteRequest> {
    let (country, postcode) = flags.to.split_once(':').unwrap_or((&flags.to, ""));
    let mut to = Address { country: country.into(), postcode: postcode.into(), ..Address::default() };
    to.put_right();
    if twin::address::countries::country(&to.country).is_none() {
        bail!("--to {:?}: {country:?} is no country of ISO 3166", flags.to);
    }
    Ok(QuoteRequest {
        from: Address::default(),
        to,
        weight_g: flags.weight_g,
        dims: flags.sides.as_deref().map(sides).transpose()?.unwrap_or_default(),
        value: flags.value.as_deref().map(value).transpose()?.unwrap_or(Money::zero(Currency::USD)),
        battery: flags.battery,
        ship_at: Moment(0),
        time_zone: TimeZone::UTC,
    })
}

/// `200x150x40`, millimetres.
fn sides(text: &str) -> anyhow::Result<Dims> {
    let sides: Option<Vec<u32>> = text.split('x').map(|side| side.trim().parse().ok()).collect();
    match sides.as_deref() {
        Some(&[length_mm, width_mm, height_mm]) => Ok(Dims::new(length_mm, width_mm, height_mm)),
        _ => bail!("--sides {text:?} is not three sides in millimetres such as 200x150x40"),
    }
}

/// `12.50USD`.
fn value(text: &str) -> anyhow::Result<Money> {
    let parts = text.find(|c: char| c.is_ascii_alphabetic()).map(|at| text.split_at(at));
    let money = parts.and_then(|(amount, code)| {
        let amount: Decimal = amount.trim().parse().ok().filter(|amount| *amount >= Decimal::ZERO)?;
        Some(Money::new(amount, Currency::from_code(code)?))
    });
    money.with_context(|| format!("--value {text:?} is not an amount with its currency such as 12.50USD"))
}

/// The zone that the parcel is in and the band that it falls into, where there are any.
fn place<'a>(tariff: &'a Tariff, request: &QuoteRequest) -> (Option<&'a Zone>, Option<&'a Band>) {
    let weight_g = chargeable(&tariff.weight, request.weight_g, request.dims).chargeable_g;
    let zone = zone(tariff, &request.to);
    (zone, zone.and_then(|zone| zone.bands.iter().find(|band| band.above_g < weight_g && weight_g <= band.up_to_g)))
}

fn as_text(tariff: &Tariff, request: &QuoteRequest, quote: &Result<Quote, String>) -> String {
    let mut lines = Vec::new();
    match quote {
        Ok(quote) => {
            lines.push(quote.total.to_string());
            lines.extend(quote.breakdown.iter().map(|(what, amount)| format!("  {what}: {amount}")));
            lines.extend(quote.days.map(|days| format!("days: {days}")));
        }
        Err(why) => lines.push(format!("no price: {why}")),
    }
    let (zone, band) = place(tariff, request);
    if let Some(zone) = zone {
        lines.push(format!("zone: {}", zone.name));
    }
    lines.push(format!("weight: {}", chargeable(&tariff.weight, request.weight_g, request.dims).why));
    if let Some(band) = band {
        let least = if band.minimum_g > 0 { format!(", at least {} g", band.minimum_g) } else { String::new() };
        lines.push(format!("band: above {} g up to {} g{least}", band.above_g, band.up_to_g));
    }
    lines.push(format!("tariff: {}", tariff.source));
    lines.join("\n") + "\n"
}

fn as_json(tariff: &Tariff, request: &QuoteRequest, quote: &Result<Quote, String>) -> anyhow::Result<String> {
    let money = |money: Money| json!({"amount": money.amount.to_string(), "currency": money.currency.code()});
    let weight = chargeable(&tariff.weight, request.weight_g, request.dims);
    let (zone, band) = place(tariff, request);
    let found = quote.as_ref().ok();
    let breakdown = |quote: &Quote| quote.breakdown.iter().map(|(what, amount)| json!({"what": what, "price": money(*amount)})).collect();
    let answer = json!({
        "price": found.map(|quote| money(quote.total)),
        "why_not": quote.as_ref().err(),
        "breakdown": found.map_or_else(Vec::<Value>::new, breakdown),
        "days": found.and_then(|quote| quote.days),
        "zone": zone.map(|zone| &zone.name),
        "weight": {
            "actual_g": weight.actual_g, "volumetric_g": weight.volumetric_g,
            "chargeable_g": found.and_then(|quote| quote.chargeable_g).unwrap_or(weight.chargeable_g), "why": weight.why,
        },
        "band": band.map(|band| json!({"above_g": band.above_g, "up_to_g": band.up_to_g, "minimum_g": band.minimum_g})),
        "tariff": tariff.source,
    });
    Ok(serde_json::to_string_pretty(&answer)? + "\n")
}
