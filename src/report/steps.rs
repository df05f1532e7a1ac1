//! Waiting and use: how long each step kept parcels, how much of that was waiting, how busy people and machines were, and who
//! made their cut-off.

use super::Run;
use super::charts::{self, BLUE, Bar, GREEN, GREY, ORANGE, SKY, VERMILION};
use super::headline::FULL_PCT;
use super::numbers::{count, duration_s, of, share};
use super::page::{Column, Figure, Section, Table};
use sim::kpis::{CutOff, Mark, Percentiles, Step, mark};

/// Bars in one chart; the tables have all.
const BARS_MAX: usize = 14;

/// What a step is called, and what begins and ends it.
fn called(step: &str) -> (&'static str, &'static str) {
    match step {
        "label" => ("label", "order received → label bought"),
        "bench" => ("bench", "label bought → box packed"),
        "line" => ("line", "packed or put right → in a bag or rejected"),
        "bag" => ("bag", "in the bag → bag closed"),
        "dock" => ("dock", "bag closed → handed over"),
        _ => ("rework", "stopped → put right"),
    }
}

/// Those at which a parcel waits for somebody and not for an hour of the day.
fn waited_for_hands(step: &str) -> bool {
    !matches!(step, "bag" | "dock")
}

pub fn section(run: &Run) -> anyhow::Result<Section> {
    let intro = "What waits, waits before somebody or something that is at work already: a long wait beside a use near 100 % is where the house is \
                 too small. A long wait beside a low use has another cause, such as an order on hold or a bag that waits for its hour.";
    Ok(Section {
        title: "Waiting and use",
        intro: intro.into(),
        figures: vec![waits(run)?, used(run)?, cut_offs(run)?],
        tables: vec![steps(run), stations(run), cut_off_table(run)],
    })
}

fn waits(run: &Run) -> anyhow::Result<Figure> {
    let title = "Wait before each step, minutes";
    let minutes = |s: f64| s / 60.0;
    let bar = |(name, wait): (&str, Percentiles)| Bar {
        name: called(name).0.into(),
        parts: vec![(minutes(wait.p50), ORANGE), (minutes(wait.p99 - wait.p50), SKY)],
        text: format!("{} / {}", duration_s(wait.p50), duration_s(wait.p99)),
    };
    let all = run.kpis.steps.all();
    let bars: Vec<_> =
        all.iter().filter(|(name, _)| waited_for_hands(name)).filter_map(|(name, s)| Some((*name, s.wait_s?))).map(bar).collect();
    if bars.is_empty() {
        return Ok(Figure::empty(title, "Nothing came so far that it could have waited."));
    }
    let caption = "Orange: half of the parcels waited no longer; blue: 99 of 100. When a label is asked for and when a line reads a box, records tell; \
                   when a packer or the rework table begins, the floor alone knows. Bags wait for their hour and are in the table.";
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &[(ORANGE, "half"), (SKY, "99 of 100")], caption))
}

fn used(run: &Run) -> anyhow::Result<Figure> {
    let title = "Use of people and machines, %";
    let stations = run.kpis.stations.iter().filter(|(_, station)| station.done > 0);
    let bar = |(id, station): (&twin::StationId, &sim::kpis::Station)| {
        let (mean, most) = (station.use_pct, station.use_busiest_hour_pct);
        let colour = if most >= FULL_PCT { VERMILION } else { BLUE };
        // An hour that was not worked to its end can be under the mean.
        let parts = vec![(mean, colour), ((most - mean).max(0.0), if most >= FULL_PCT { ORANGE } else { SKY })];
        Bar { name: id.to_string(), parts, text: format!("{mean:.0} / {most:.0} %") }
    };
    let bars: Vec<_> = stations.take(BARS_MAX).map(bar).collect();
    if bars.is_empty() {
        return Ok(Figure::empty(title, "Nothing was done at any station."));
    }
    let svg = charts::bars(title, &bars, Some((100.0, "all the time")))?;
    let caption = format!(
        "Dark: time at work, of all the time in the hours in which there was work; light: up to that in the busiest hour. Red and orange: {FULL_PCT:.0} % \
         or more of an hour, so what comes then waits."
    );
    let legend = [(BLUE, "on average"), (SKY, "busiest hour"), (VERMILION, "full in the busiest hour")];
    Ok(Figure::new(title, svg, &legend, caption).marked(Mark::Floor))
}

/// Warehouse and carrier, as one says them, and how its parcels fared.
fn carriers<'a>(run: &'a Run) -> impl Iterator<Item = (String, &'a CutOff)> {
    let at = run.kpis.cut_offs.at.iter();
    at.flat_map(|(warehouse, carriers)| carriers.iter().map(move |(carrier, of)| (format!("{warehouse} {carrier}"), of)))
}

fn cut_offs(run: &Run) -> anyhow::Result<Figure> {
    let title = "Left with the first pickup that was due";
    let bar = |(name, of): (String, &CutOff)| Bar {
        name,
        parts: vec![(of.made as f64, GREEN), ((of.due - of.made) as f64, GREY)],
        text: share(of.made, of.due),
    };
    let bars: Vec<_> = carriers(run).take(BARS_MAX).map(bar).collect();
    if bars.is_empty() {
        return Ok(Figure::empty(title, "No pickup was due while the run lasted."));
    }
    let caption = "Length: parcels with a pickup to make. Green: those that made it.";
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &[(GREEN, "made it"), (GREY, "left later, or not at all")], caption))
}

fn cut_off_table(run: &Run) -> Table {
    let row = |(name, of): (String, &CutOff)| vec![name, count(of.due), count(of.made), share(of.made, of.due)];
    let all = &run.kpis.cut_offs;
    let mut rows: Vec<_> = carriers(run).map(row).collect();
    rows.push(row(("all".into(), &CutOff { due: all.due, made: all.made, made_pct: all.made_pct })));
    let note = "Due is the carrier's first cut-off at the warehouse after the parcel was created, however shortly after. A parcel made it if it was \
                handed over before the cut-off that comes next. Not counted: what was cancelled, what is to leave after the end of the run, and \
                carriers that come when they are called.";
    let columns =
        vec![Column::Text("warehouse and carrier"), Column::Number("due"), Column::Number("made it"), Column::Number("of those due")];
    Table { title: "Cut-offs", columns, rows, note: note.into() }
}

/// `half / 99 of 100 / slowest`, and what it is where records do not tell it.
fn times(path: &str, times: Option<Percentiles>) -> String {
    let Some(times) = times else { return "–".into() };
    let text = format!("{} / {} / {}", duration_s(times.p50), duration_s(times.p99), duration_s(times.max));
    match mark::of(path) {
        Some((Mark::Measured, _)) | None => text,
        Some((Mark::Modelled, _)) => text + " · modelled",
        Some((Mark::Floor, _)) => text + " · floor",
    }
}

fn steps(run: &Run) -> Table {
    use Column::{Number, Text};
    let use_of = |pct: Option<f64>| pct.map_or_else(|| "–".into(), |pct| format!("{pct:.1} %"));
    let row = |(name, step): &(&str, &Step)| {
        let path = |figure: &str| format!("steps.{name}.{figure}");
        let took = (step.done > 0).then_some(step.took_s);
        vec![
            called(name).0.into(),
            called(name).1.into(),
            count(step.done),
            format!("{:.1}", step.per_hour),
            count(step.per_hour_max),
            times(&path("took_s"), took),
            times(&path("wait_s"), step.wait_s),
            times(&path("service_s"), step.service_s),
            use_of(step.use_pct),
            use_of(step.use_busiest_hour_pct),
        ]
    };
    let columns = vec![
        Text("step"),
        Text("from → to"),
        Number("parcels"),
        Number("an hour"),
        Number("busiest hour"),
        Text("took: half / 99 of 100 / slowest"),
        Text("of that waiting"),
        Text("of that service"),
        Number("use"),
        Number("use, busiest hour"),
    ];
    let by = mark::MARKS.iter().filter(|(path, mark, _)| *mark == Mark::Modelled && path.starts_with("steps."));
    let by: Vec<_> = by.map(|(path, _, by)| format!("{path}: {by}")).collect();
    let note = format!(
        "Without a word behind it a time is measured. Modelled ones follow from the scenario's settings ({}). Floor, and all use: known to the \
         simulated floor alone. A step that has nobody at work has no use; the docks of the floor take no time. At rework the floor counts boxes, also those \
         that nobody knows, and the records count parcels. “An hour” is the average of the hours in \
         which any parcel came through.",
        by.join("; ")
    );
    Table { title: "Step by step", columns, rows: run.kpis.steps.all().iter().map(row).collect(), note }
}

fn stations(run: &Run) -> Table {
    use Column::{Number, Text};
    let rows = (run.kpis.stations.iter())
        .map(|(id, s)| {
            let (mean, most) = (format!("{:.1} %", s.use_pct), format!("{:.1} %", s.use_busiest_hour_pct));
            vec![id.to_string(), s.kind.as_str().into(), count(s.hands.into()), count(s.done), mean, most, count(s.waiting_max)]
        })
        .collect();
    let columns = vec![
        Text("station"),
        Text("kind"),
        Number("hands"),
        Number("done"),
        Number("use"),
        Number("busiest hour"),
        Number("most that waited"),
    ];
    let note = "Hands: the packers of a bench, the one person at a rework table, the one infeed of a line (busy for the gap that a box needs). Use: of \
                all hands' time in the hours in which there was work; busiest hour: of one whole hour. All of it is known to the floor alone. What \
                the house keeps back because a bench has its fill does not wait at the bench, but counts as waiting in the step.";
    Table { title: "Stations", columns, rows, note: note.into() }
}

/// Devices that were not there or not well.
pub fn devices(run: &Run) -> Section {
    use Column::{Number, Text};
    let (outages, end) = (&run.kpis.outages, run.end);
    let mut section = Section { title: "Devices that were out", ..Section::default() };
    if outages.count == 0 {
        section.intro = "Every device was there and well, all the time.".into();
        return section;
    }
    section.intro = format!(
        "{} of {}, {} together{}. A device is out from the record that says it is gone or not well to the one that says both are over.",
        of(outages.count, "outage"),
        of(outages.devices.len() as u64, "device"),
        duration_s(outages.out_s),
        if outages.open > 0 { format!("; {} not over when the run ended", count(outages.open)) } else { String::new() }
    );
    let rows = (outages.devices.iter())
        .map(|(id, of)| vec![id.to_string(), count(of.count), duration_s(of.out_s), duration_s(of.longest_s)])
        .collect();
    let columns = vec![Text("device"), Number("outages"), Number("out"), Number("longest")];
    section.tables.push(Table { title: "By device", columns, rows, note: String::new() });
    let rows = (outages.list.iter().take(OUTAGES_MAX))
        .map(|o| {
            let until = o.until.map_or_else(|| "not over".into(), |until| run.local.text(until));
            vec![o.device.to_string(), run.local.text(o.from), until, duration_s(o.lasted(end).as_secs_f64()), o.what.to_string()]
        })
        .collect();
    let columns = vec![Text("device"), Text("from"), Text("to"), Number("how long"), Text("what it began with")];
    let note = match outages.list.len().saturating_sub(OUTAGES_MAX) {
        0 => format!("Oldest first. Times are {}.", run.local.zone()),
        more => format!("Oldest first; {} more are in the journal. Times are {}.", count(more as u64), run.local.zone()),
    };
    section.tables.push(Table { title: "Outages", columns, rows, note });
    section
}

/// Outages that the page lists.
const OUTAGES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use crate::report::sample::Day;

    #[test]
    fn steps_show_what_each_time_is_and_full_stations_stand_out() {
        let page = Day::of(300).html();
        for text in [
            "order received → label bought",
            " · modelled</td>",
            " · floor</td>",
            "SZX/bench-1",
            "At their limit in the busiest hour: packers.",
            "steps.bench.service_s: floor.pack_s",
        ] {
            assert!(page.contains(text), "{text} is not on the page");
        }
    }

    #[test]
    fn outages_are_listed_with_their_times() {
        let page = Day::of(60).html();
        let section = &page[page.find("<h2>Devices that were out</h2>").unwrap()..];
        for text in [
            "2 outages of 1 device",
            "1 not over when the run ended",
            "2026-11-09 01:00",
            "2026-11-09 01:05",
            "5 min 0 s",
            "paper out",
            "not over",
        ] {
            assert!(section.contains(text), "{text} is not in the section");
        }
    }
}
