//! All figures of a run: as a plain table for the terminal, and in full, with units, at the end of the page.

use super::Run;
use super::headline::{DIVERT_ANSWER_MS_MAX, PUBLISHED_TO_TRACKING_MS, PUBLISHED_WRONG_APPLIED_PCT, PUBLISHED_WRONG_LEFT_PCT};
use super::numbers::{count, duration_ms, duration_s, money, percent, share};
use super::page::{Column, Section, Table};
use serde_json::Value;
use sim::kpis::{Kpis, Step, mark};
use twin::Money;
use twin::money::{Currency, Decimal};

/// How long the machine took is no property of the run, and would make two pages of one journal differ.
const LEFT_OUT: [&str; 2] = ["wall_s", "cpu_s"];
/// What the figures are stands beside each.
const BESIDE: &str = "marks";

/// `journal: N records, hash H`, for people and programs that compare runs.
pub fn journal_line(kpis: &Kpis) -> String {
    format!("journal: {} records, hash {}", kpis.journal.records, kpis.journal.hash)
}

/// One line of the terminal's table: what, how much, and what to say about it.
struct Row(String, String, String);

/// The figures of a run as aligned lines; the last is that of the journal.
pub fn table(kpis: &Kpis) -> String {
    let row = |name: &str, value: String, note: &str| Row(name.into(), value, note.into());
    let part = |name: &str, n: u64, of: u64| {
        Row(format!("  {name}"), count(n), if n == 0 { String::new() } else { format!("{:>7}", share(n, of)) })
    };
    let floor = mark::Mark::Floor.as_str();
    let (o, p, l, cost) = (kpis.orders, kpis.parcels, kpis.labels, &kpis.cost);
    let mut rows = vec![
        row("orders received", count(o.received), ""),
        part("allocated", o.allocated, o.received),
        part("held", o.held, o.received),
        part("cancelled", o.cancelled, o.received),
        part("waiting", o.waiting, o.received),
        row("parcels", count(p.created), ""),
        part("delivered", p.delivered, p.created),
        part("open", p.open, p.created),
        part("intercepted", p.intercepted, p.created),
        part("returned", p.returned, p.created),
        part("lost", p.lost, p.created),
        part("cancelled", p.cancelled, p.created),
        row(
            "wrong labels applied",
            count(l.wrong_applied),
            &format!("{:>7}  {floor}; a vendor publishes {PUBLISHED_WRONG_APPLIED_PCT} %", percent(l.wrong_applied_pct)),
        ),
        row(
            "wrong labels left",
            count(l.wrong_left),
            &format!("{:>7}  {floor}; a vendor publishes {PUBLISHED_WRONG_LEFT_PCT} %", percent(l.wrong_left_pct)),
        ),
    ];
    if let Some(without) = l.wrong_left_without_checks {
        rows.push(row(
            "  without any check",
            count(without),
            &l.wrong_left_without_checks_pct.map(|pct| format!("{:>7}", percent(pct))).unwrap_or_default(),
        ));
    }
    let interceptions = kpis.interceptions.values().sum();
    rows.push(row("interceptions", count(interceptions), ""));
    rows.extend(kpis.interceptions.iter().map(|(reason, n)| part(reason, *n, interceptions)));
    rows.extend(waits(kpis));
    let (wait, divert, rework) = (kpis.latency_ms.accept_to_tracking, kpis.latency_ms.divert, kpis.rework);
    let base = |amount: Decimal| match Currency::from_code(cost.currency) {
        Some(currency) => money(Money::new(amount, currency)),
        None => format!("{amount} {}", cost.currency),
    };
    rows.extend([
        row(
            "reworked",
            count(rework.reworked),
            &format!("{} put aside, {} past the sorter undecided", count(rework.shelved), count(rework.no_decision)),
        ),
        row(
            "order to tracking, p50",
            duration_ms(wait.p50),
            &format!("modelled; a vendor publishes {}", duration_ms(PUBLISHED_TO_TRACKING_MS)),
        ),
        row("  p99", duration_ms(wait.p99), "modelled"),
        row("answer to sorter, p99.9", duration_ms(divert.p999), &format!("modelled; limit {}", duration_ms(DIVERT_ANSWER_MS_MAX))),
        row("left with first pickup due", count(kpis.cut_offs.made), &of_due(kpis.cut_offs.made, kpis.cut_offs.due)),
        row("devices out", count(kpis.outages.count), &if kpis.outages.count > 0 { duration_s(kpis.outages.out_s) } else { String::new() }),
        row("freight", base(cost.total), ""),
        row("  per parcel", base(cost.per_parcel), ""),
    ]);
    let simulated = format!("{:.1} h", kpis.virtual_h);
    rows.push(match kpis.wall_s > 0.0 {
        true => row(
            "simulated time",
            simulated,
            &format!("in {}, {} of processor", duration_ms(kpis.wall_s * 1e3), duration_ms(kpis.cpu_s * 1e3)),
        ),
        false => row("simulated time", simulated, ""),
    });
    let wide = |of: fn(&Row) -> &String| rows.iter().map(|r| of(r).chars().count()).max().unwrap_or(0);
    let (names, values) = (wide(|r| &r.0), wide(|r| &r.1));
    let mut text = format!("{}, seed {}\n\n", kpis.scenario, kpis.seed);
    for Row(name, value, note) in &rows {
        text.push_str(format!("{name:names$}  {value:>values$}  {note}").trim_end());
        text.push('\n');
    }
    text + &journal_line(kpis) + "\n"
}

fn of_due(made: u64, due: u64) -> String {
    if due == 0 { "none was due".into() } else { format!("{:>7}  of {} due", share(made, due), count(due)) }
}

/// How long was waited for hands, and how much these were at work.
fn waits(kpis: &Kpis) -> Vec<Row> {
    let steps = &kpis.steps;
    let of = [
        ("wait for a packer, p99", "bench", steps.bench),
        ("wait for a line, p99", "line", steps.line),
        ("wait for rework, p99", "rework", steps.rework),
    ];
    let row = |(name, step, of): &(&str, &str, Step)| {
        let what = mark::of(&format!("steps.{step}.wait_s")).map_or("", |(mark, _)| mark.as_str());
        let used = of.use_busiest_hour_pct.map_or_else(String::new, |pct| format!("; at work {pct:.0} % of the busiest hour"));
        Some(Row((*name).into(), duration_s(of.wait_s?.p99), format!("{what}{used}")))
    };
    of.iter().filter_map(row).collect()
}

/// Every figure of `kpis.json` under its own name there.
pub fn section(run: &Run) -> anyhow::Result<Section> {
    let mut rows = Vec::new();
    flatten("", &serde_json::to_value(run.kpis)?, run.kpis.cost.currency, &mut rows);
    let table = Table {
        title: "As in kpis.json",
        columns: vec![Column::Text("figure"), Column::Number("value"), Column::Text("unit"), Column::Text("what it is")],
        rows,
        note: "wall_s and cpu_s, the time the machine took, stand in kpis.json only: they differ from run to run, and this page does not."
            .into(),
    };
    Ok(Section { title: "All figures", tables: vec![table], ..Section::default() })
}

fn flatten(name: &str, value: &Value, currency: &str, rows: &mut Vec<Vec<String>>) {
    let text = match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()) && *key != BESIDE) {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, currency, rows);
            }
            return;
        }
        Value::Null => "–".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let what = match mark::of(name) {
        Some((mark, "")) => mark.as_str().into(),
        Some((mark, by)) => format!("{}: {by}", mark.as_str()),
        None => String::new(),
    };
    rows.push(vec![name.into(), text, unit(name, currency), what]);
}

/// What a figure is counted in, by its name.
fn unit(name: &str, currency: &str) -> String {
    let (group, last) = (name.split('.').next().unwrap_or_default(), name.rsplit('.').next().unwrap_or_default());
    match group {
        _ if last.ends_with("_pct") => "%".into(),
        _ if last.ends_with("_h") => "h".into(),
        _ if name.split('.').any(|part| part.ends_with("_s")) => "s".into(),
        "steps" | "cut_offs" => "parcels".into(),
        "outages" => "outages".into(),
        "stations" if matches!(last, "done" | "waiting_max") => "boxes".into(),
        "latency_ms" => "ms".into(),
        "cost" if name.starts_with("cost.by_currency.") => last.into(),
        "cost" if last != "currency" => currency.into(),
        "orders" => "orders".into(),
        "parcels" | "interceptions" => "parcels".into(),
        "labels" | "rework" => "boxes".into(),
        "journal" if last == "records" => "records".into(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Day;

    #[test]
    fn the_table_is_aligned_and_ends_with_the_journal() {
        let kpis = Day::of(300).kpis;
        let text = table(&kpis);
        let (figures, journal) = text.strip_suffix('\n').unwrap().rsplit_once('\n').unwrap();
        assert_eq!(journal, format!("journal: {} records, hash {}", kpis.journal.records, kpis.journal.hash));
        insta::assert_snapshot!(figures, @r"
        A day <& more>, seed 1

        orders received                      300
          allocated                          277   92.3 %
          held                                23    7.7 %
          cancelled                            0
          waiting                              0
        parcels                              277
          delivered                          242   87.4 %
          open                                27    9.7 %
          intercepted                          4    1.4 %
          returned                             0
          lost                                 4    1.4 %
          cancelled                            0
        wrong labels applied                  13   4.81 %  known to the floor alone; a vendor publishes 5.3 %
        wrong labels left                      0   0.00 %  known to the floor alone; a vendor publishes 0.2 %
          without any check                   13   5.00 %
        interceptions                         18
          duplicate label                      9   50.0 %
          unknown item                         1    5.6 %
          wrong weight                         8   44.4 %
        wait for a packer, p99        2 h 54 min  known to the floor alone; at work 100 % of the busiest hour
        wait for a line, p99          10 min 0 s  measured; at work 50 % of the busiest hour
        wait for rework, p99          8 min 30 s  known to the floor alone
        reworked                              18  0 put aside, 0 past the sorter undecided
        order to tracking, p50             2.4 s  modelled; a vendor publishes 11 s
          p99                             41.7 s  modelled
        answer to sorter, p99.9            64 ms  modelled; limit 150 ms
        left with first pickup due           180   90.0 %  of 200 due
        devices out                            2  9.3 d
        freight                     1,075.48 USD
          per parcel                    4.17 USD
        simulated time                   233.1 h
        ");
    }

    #[test]
    fn units_follow_from_names() {
        let of = |name| unit(name, "USD");
        assert_eq!([of("labels.wrong_left_pct"), of("labels.wrong_left"), of("latency_ms.divert.p999")], ["%", "boxes", "ms"]);
        assert_eq!([of("cost.total"), of("cost.by_currency.CNY"), of("cost.currency")], ["USD", "CNY", ""]);
        assert_eq!([of("virtual_h"), of("seed"), of("journal.records")], ["h", "", "records"]);
    }
}
