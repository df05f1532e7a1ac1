//! Freight by channel, and what choosing among channels was worth.
//!
//! All comparisons are in the base currency; an amount that is owed is shown in its own currency, too.

use super::Run;
use super::charts::{self, BLUE, Bar, GREEN, GREY, SKY};
use super::numbers::{count, money, of, share, share_of};
use super::page::{Column, Figure, Section, Table};
use super::series::Freight;
use std::cmp::Reverse;
use twin::money::{Currency, Decimal};
use twin::{ChannelId, Money};

/// Bars in one chart; the table below has all channels.
const BARS_MAX: usize = 12;

pub fn section(run: &Run) -> anyhow::Result<Section> {
    let mut channels: Vec<_> = run.series.freight.iter().collect();
    channels.sort_by_key(|(id, of)| (Reverse(of.in_base), *id));
    let intro = format!(
        "Freight of the parcels handed over, as the carrier charged it or, where it names no charge, by its tariff on what was measured; in {}.",
        run.rates.base.code()
    );
    let (mut figures, mut tables) = (vec![], vec![]);
    if channels.is_empty() {
        figures.push(Figure::empty("Freight by channel", "No parcel was handed over, so no freight is due."));
    } else {
        figures.extend([freight_bars(run, &channels)?, parcel_bars(&channels)?]);
        tables.push(table(run, &channels));
    }
    Ok(Section { title: "Freight", intro, figures, tables })
}

fn in_base(run: &Run, amount: Decimal) -> String {
    money(Money::new(amount, run.rates.base))
}

fn length(amount: Decimal) -> f64 {
    f64::try_from(amount).unwrap_or(0.0)
}

fn per_parcel(of: &Freight) -> Decimal {
    of.in_base.checked_div(Decimal::from(of.parcels)).unwrap_or_default()
}

fn freight_bars(run: &Run, channels: &[(&ChannelId, &Freight)]) -> anyhow::Result<Figure> {
    let title = format!("Freight by channel, {}", run.rates.base.code());
    let bar = |(id, of): &(&ChannelId, &Freight)| Bar {
        name: id.to_string(),
        parts: vec![(length(of.in_base), BLUE)],
        text: in_base(run, of.in_base),
    };
    let bars: Vec<_> = channels.iter().take(BARS_MAX).map(bar).collect();
    let total: Decimal = channels.iter().map(|c| c.1.in_base).sum();
    let most = channels[0];
    let caption = format!("{} takes {} of {}.", most.0, share_of(most.1.in_base, total), in_base(run, total));
    let svg = charts::bars(&title, &bars, None)?;
    Ok(Figure::new(title, svg, &[], caption))
}

fn parcel_bars(channels: &[(&ChannelId, &Freight)]) -> anyhow::Result<Figure> {
    let title = "Parcels by channel";
    let total: u64 = channels.iter().map(|c| c.1.parcels).sum();
    let bar = |(id, of): &(&ChannelId, &Freight)| Bar {
        name: id.to_string(),
        parts: vec![(of.parcels as f64, SKY)],
        text: format!("{} · {}", count(of.parcels), share(of.parcels, total)),
    };
    let bars: Vec<_> = channels.iter().take(BARS_MAX).map(bar).collect();
    let caption = "In the same order as the freight beside it: a short bar here next to a long one there is an expensive channel.";
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &[], caption))
}

fn table(run: &Run, channels: &[(&ChannelId, &Freight)]) -> Table {
    use Column::{Number, Text};
    let total: Decimal = channels.iter().map(|c| c.1.in_base).sum();
    let owed = |of: &Freight| {
        let amount = |(code, amount): (&smol_str::SmolStr, &Decimal)| Currency::from_code(code).map(|c| money(Money::new(*amount, c)));
        of.by_currency.iter().filter_map(amount).collect::<Vec<_>>().join(" + ")
    };
    let row = |name: String, of: &Freight| {
        let difference = of.in_base - of.estimated;
        let sign = if difference.is_sign_positive() && !difference.is_zero() { "+" } else { "" };
        let figures = [count(of.parcels), in_base(run, of.in_base), in_base(run, per_parcel(of)), share_of(of.in_base, total)];
        let estimate = [in_base(run, of.estimated), format!("{sign}{}", share_of(difference, of.estimated))];
        [vec![name], figures.into(), vec![owed(of)], estimate.into()].concat()
    };
    let mut rows: Vec<_> = channels.iter().map(|(id, of)| row(id.to_string(), of)).collect();
    let mut all = Freight { in_base: total, ..Freight::default() };
    channels.iter().for_each(|(_, of)| {
        all.parcels += of.parcels;
        all.estimated += of.estimated;
    });
    rows.push(row("all".into(), &all));
    let without = channels.iter().map(|c| c.1.without_rate).sum::<u64>();
    let without = match without {
        0 => String::new(),
        n => format!(" {} charged in a currency that has no exchange rate here: that freight is missing in the totals.", of(n, "parcel")),
    };
    let note = format!(
        "Estimated is what allocation reckoned with for the same parcels. A channel that settles far from it has a tariff here that its carrier \
         does not share, or goods that are not what the product master says.{without}"
    );
    let columns = vec![
        Text("channel"),
        Number("parcels"),
        Number("total"),
        Number("per parcel"),
        Number("share"),
        Number("as owed"),
        Number("estimated"),
        Number("difference"),
    ];
    Table { title: "Freight by channel", columns, rows, note }
}

/// Which warehouse and channel won, and what the choice saved.
pub fn choosing(run: &Run) -> anyhow::Result<Section> {
    let choices = &run.series.choices;
    let intro = format!(
        "{} allocated; in {} of these decisions another offer could have taken the parcel, too, and only these can show what choosing is worth.",
        of(choices.decisions, "order"),
        count(choices.with_alternative)
    );
    let mut section = Section { title: "Choosing warehouse and channel", intro, ..Section::default() };
    let title = "How often each was on offer, and chosen";
    let mut offers: Vec<_> = choices.offers.iter().collect();
    if offers.is_empty() {
        section.figures.push(Figure::empty(title, "No order was allocated."));
        return Ok(section);
    }
    offers.sort_by_key(|(key, of)| (Reverse(of.chosen), Reverse(of.priced), *key));
    let bars: Vec<_> = (offers.iter().take(BARS_MAX))
        .map(|((warehouse, channel), of)| Bar {
            name: format!("{warehouse} {channel}"),
            parts: vec![(of.chosen as f64, GREEN), ((of.priced - of.chosen) as f64, GREY)],
            text: share(of.chosen, of.priced),
        })
        .collect();
    let caption = "Length: orders it had a price for. Green and the percentage: those it won.";
    let legend = [(GREEN, "chosen"), (GREY, "had a price, and another was better")];
    section.figures.extend([worth(run)?, Figure::new(title, charts::bars(title, &bars, None)?, &legend, caption)]);
    section.tables.extend([saved(run), by_offer(run, &offers)]);
    Ok(section)
}

const NEXT_BEST: &str = "next best";

/// Name, the sum of what the alternative would have cost, and how it is reckoned.
fn alternatives(run: &Run) -> [(&'static str, Decimal); 3] {
    let of = &run.series.choices;
    [(NEXT_BEST, of.next_best), ("average", of.average), ("dearest", of.dearest)]
}

fn worth(run: &Run) -> anyhow::Result<Figure> {
    let title = format!("Estimated freight, chosen and otherwise, {}", run.rates.base.code());
    let choices = &run.series.choices;
    if choices.with_alternative == 0 {
        return Ok(Figure::empty(title, "No order had more than one offer."));
    }
    let bar = |name: &str, amount, colour| Bar { name: name.into(), parts: vec![(length(amount), colour)], text: in_base(run, amount) };
    let bars: Vec<_> =
        [bar("chosen", choices.chosen, GREEN)].into_iter().chain(alternatives(run).map(|(name, cost)| bar(name, cost, GREY))).collect();
    let saved = choices.next_best - choices.chosen;
    let caption = format!(
        "{} less than the next best offers would have cost ({}): about {} an order.",
        in_base(run, saved),
        share_of(saved, choices.next_best),
        in_base(run, saved / Decimal::from(choices.with_alternative))
    );
    let svg = charts::bars(&title, &bars, None)?;
    Ok(Figure::new(title, svg, &[], caption))
}

fn saved(run: &Run) -> Table {
    use Column::{Number, Text};
    let choices = &run.series.choices;
    let row = |(name, cost): (&str, Decimal)| {
        let more = cost - choices.chosen;
        // Only against the next best is the difference a saving: nobody would have taken the others.
        let saved = if name == NEXT_BEST { [in_base(run, more), share_of(more, cost)] } else { ["–".into(), "–".into()] };
        [vec![name.into(), in_base(run, cost), in_base(run, choices.chosen)], saved.into()].concat()
    };
    Table {
        title: "Saved by choosing",
        columns: vec![Text("compared with"), Number("would have cost"), Number("chosen"), Number("saved"), Number("of that")],
        rows: alternatives(run).map(row).into(),
        note: "Saved = Σ over orders that another offer could have taken, too, of (cost of the next best offer − cost of the chosen one), both as \
               estimated at allocation and converted to the base currency. Next best: the cheapest of the other offers that could have taken the \
               parcel. Average (the mean of all offers, the chosen one among them) and dearest show how far prices lie apart; nobody would have \
               paid them, so nothing was saved against them."
            .into(),
    }
}

fn by_offer(run: &Run, offers: &[(&(twin::WarehouseId, ChannelId), &super::choices::Offers)]) -> Table {
    use Column::{Number, Text};
    let mean = |sum: Decimal, n: u64| sum.checked_div(Decimal::from(n)).map_or_else(|| "–".into(), |mean| in_base(run, mean));
    let rows = (offers.iter())
        .map(|((warehouse, channel), of)| {
            let lost = of.priced - of.chosen;
            let names = [warehouse.to_string(), channel.to_string(), count(of.priced), count(of.chosen), share(of.chosen, of.priced)];
            [names.to_vec(), vec![mean(of.chosen_cost, of.chosen), mean(of.dearer_by, lost)]].concat()
        })
        .collect();
    let columns = vec![
        Text("warehouse"),
        Text("channel"),
        Number("had a price"),
        Number("chosen"),
        Number("won"),
        Number("mean price when chosen"),
        Number("mean dearer when not"),
    ];
    Table { title: "Warehouses and channels on offer", columns, rows, note: String::new() }
}
