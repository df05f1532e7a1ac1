//! `parceltwin problems`: what is wrong on a running site now, and what can be done about it.

use super::{Answer, query, screen};
use crate::console::lists::encoded;
use anyhow::{Context, bail};
use clap::Args;
use drivers::http_wire::{HttpWire, ReqwestWire};
use rusqlite::types::Value as Cell;
use serde_json::Value;

#[derive(Args)]
pub struct ProblemsFlags {
    /// Only of this sort: held, intercepted, label_lost, label_kept, stopped, alarm, news, offline, faulty, suspended or rejects
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
    /// Only watch, act or urgent
    #[arg(long, value_name = "HOW")]
    severity: Option<String>,
    /// Only of this kind of thing: order, parcel, tracking, bag, device, carrier or station
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this person's; empty: nobody's
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Those that were put off too
    #[arg(long)]
    snoozed: bool,
    /// Where the site is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    site: String,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Exit status 1: there are some.
pub fn run(flags: ProblemsFlags) -> anyhow::Result<Answer> {
    let given = [("cause", &flags.cause), ("severity", &flags.severity), ("kind", &flags.kind), ("owner", &flags.owner)];
    let mut address = format!("{}/api/v1/problems?snoozed={}", flags.site.trim_end_matches('/'), flags.snoozed);
    for (name, value) in given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))) {
        address.push_str(&format!("&{name}={}", encoded(value)));
    }
    let request = http::Request::get(&address).body(Vec::new().into());
    let request = request.with_context(|| format!("--site {} is no address", flags.site))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { ReqwestWire::new()?.call(request).await })?;
    let text = String::from_utf8_lossy(answer.body());
    if !answer.status().is_success() {
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        bail!("{address} answered {}: {}", answer.status(), problem["detail"].as_str().unwrap_or(&text));
    }
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    let (Some(problems), Some(open)) = (told["problems"].as_array(), told["open"].as_u64()) else {
        bail!("{address} is no site of this version");
    };
    screen::print(&if flags.json { format!("{text}\n") } else { listed(problems, open, told["snoozed"].as_u64().unwrap_or_default()) })?;
    Ok(if open == 0 { Answer::Yes } else { Answer::No })
}

/// A line for each, and how many there are.
fn listed(problems: &[Value], open: u64, snoozed: u64) -> String {
    let head = ["severity", "since", "id", "what", "owner", "what can be done"].map(str::to_owned);
    let row = |problem: &Value| {
        let said = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let remedies: Vec<_> = problem["remedies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // As they are typed behind `parceltwin remedy`.
        let remedies = remedies.join(", ").replace('_', "-");
        [said("severity"), said("since"), said("id"), said("what"), said("owner"), remedies].map(Cell::Text).into()
    };
    let table = if problems.is_empty() { String::new() } else { query::table(&head, problems.iter().map(row).collect()) };
    let cut = if (problems.len() as u64) < open { format!(", {} shown", problems.len()) } else { String::new() };
    let off = if snoozed > 0 { format!(", {snoozed} put off") } else { String::new() };
    format!("{table}{open} open{cut}{off}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_is_a_line_each_and_foreign_text_is_literal() {
        let problem = json!({
            "severity": "urgent", "since": "2026-11-09T00:00:44Z", "id": "alarm:parcel:A-1-1", "what": "torn\u{1b}[2J\nall is well",
            "owner": "", "remedies": ["settle_parcel", "reprint"],
        });
        let text = listed(&[problem], 3, 2);
        assert_eq!(
            text,
            "severity  since                 id                  what                        owner  what can be done\n\
             urgent    2026-11-09T00:00:44Z  alarm:parcel:A-1-1  torn\\u001b[2J\\nall is well         settle-parcel, reprint\n\
             3 open, 1 shown, 2 put off\n"
        );
        assert_eq!(listed(&[], 0, 0), "0 open\n");
    }
}
