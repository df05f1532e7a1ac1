//! `parceltwin query`: asks the tables that a site makes from its journal, also while it runs, and makes them anew.

use super::{Answer, QueryCommand, keep, screen};
use crate::query::search::{self, Findings};
use crate::query::tables::Tables;
use crate::query::{applied, schema};
use anyhow::{Context, bail};
use rusqlite::types::Value;
use serde_json::json;
use std::path::Path;
use twin::StoreError;
use twin::home::Glance;
use twin::journal::Journal;
use twin::projection::Projection;
use twin::text::visible;

/// Wider cells are cut in a table; `--json` and `--csv` have all of them.
const CELL_MAX: usize = 60;

pub fn run(command: QueryCommand) -> anyhow::Result<Answer> {
    match command {
        QueryCommand::Find { text, kind, data, json } => find(&text, kind.as_deref(), &data, json),
        QueryCommand::Sql { statement, data, json, csv } => sql(&statement, &data, json, csv),
        QueryCommand::Rebuild { data } => rebuild(&data),
    }
}

fn find(text: &str, kind: Option<&str>, data: &Path, as_json: bool) -> anyhow::Result<Answer> {
    let db = schema::look(data)?;
    let Some(Findings { record, found, next }) = search::find(&db, text, kind, None, search::FOUND_MAX)? else {
        bail!("nothing of {text:?} can be looked for: {}", search::TOO_SHORT);
    };
    say_behind(data, record);
    let none = found.is_empty();
    if as_json {
        screen::print(&(json!({"record": record, "found": found, "next": next}).to_string() + "\n"))?;
    } else {
        let head = ["kind", "id", "stage", "buyer", "country", "tracking", "what"].map(str::to_owned).to_vec();
        let rows = found.into_iter().map(|f| {
            let cells = [Some(f.kind), Some(f.id), f.stage, f.buyer, f.country, f.tracking, f.detail];
            cells.map(|cell| cell.map_or(Value::Null, Value::Text)).to_vec()
        });
        screen::print(&table(&head, rows.collect()))?;
        if next.is_some() {
            eprintln!("there is more; a longer text finds less");
        }
    }
    Ok(if none { Answer::No } else { Answer::Yes })
}

fn sql(statement: &str, data: &Path, as_json: bool, as_csv: bool) -> anyhow::Result<Answer> {
    let db = schema::look(data)?;
    let record = applied(&db)?;
    let mut statement = db.prepare(statement).context("the statement cannot be read")?;
    if !statement.readonly() {
        bail!("the tables are made from the journal: they can be asked and not changed");
    }
    let head: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &rusqlite::Row| (0..head.len()).map(|n| row.get(n)).collect::<Result<Vec<Value>, _>>();
    let rows: Vec<Vec<Value>> = statement.query_map([], row)?.collect::<Result<_, _>>().context("the statement failed")?;
    say_behind(data, record);
    screen::print(&match (as_json, as_csv) {
        (true, _) => in_json(&head, rows)?,
        (_, true) => in_csv(&head, rows),
        _ => table(&head, rows),
    })?;
    Ok(Answer::Yes)
}

/// Says on standard error how far the tables are behind the journal, where they are and that can be told.
fn say_behind(data: &Path, record: u64) {
    let journal = Glance::at(data).map(|glance| glance.folder.head().records);
    match journal {
        Ok(journal) if journal > record => eprintln!("as of record {record}; the journal has {journal}"),
        Ok(_) => {}
        Err(_) => eprintln!("as of record {record}; how far the journal is cannot be told just now"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => x.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// Cells one under the other; numbers to the right. Foreign text cannot act, nor begin a line of its own.
pub(super) fn table(head: &[String], rows: Vec<Vec<Value>>) -> String {
    let shown = |text: String| {
        let text = visible(&text).into_owned();
        match text.char_indices().nth(CELL_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    let cells: Vec<Vec<(String, bool)>> = rows
        .iter()
        .map(|row| row.iter().map(|value| (shown(text(value)), matches!(value, Value::Integer(_) | Value::Real(_)))).collect())
        .collect();
    let wide = |n: usize| cells.iter().map(|row| row[n].0.chars().count()).chain([head[n].chars().count()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(wide).collect();
    let mut lines = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = (&str, bool)>| {
        let parts: Vec<String> = cells
            .zip(&widths)
            .map(|((text, right), width)| {
                let space = " ".repeat(width.saturating_sub(text.chars().count()));
                if right { format!("{space}{text}") } else { format!("{text}{space}") }
            })
            .collect();
        lines.push_str(parts.join("  ").trim_end());
        lines.push('\n');
    };
    line(&mut head.iter().map(|name| (name.as_str(), false)));
    for row in &cells {
        line(&mut row.iter().map(|(text, right)| (text.as_str(), *right)));
    }
    lines
}

/// RFC 4180. A text that a spreadsheet would take for a formula gets a ' before it; programs ask for JSON.
fn in_csv(head: &[String], rows: Vec<Vec<Value>>) -> String {
    let cell = |value: &Value| {
        let text = text(value);
        let acts = matches!(value, Value::Text(_)) && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        let text = if acts { format!("'{text}") } else { text };
        if text.contains(['"', ',', '\n', '\r', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let head: Vec<Value> = head.iter().map(|name| Value::Text(name.clone())).collect();
    [head].iter().chain(&rows).map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n").collect()
}

fn in_json(head: &[String], rows: Vec<Vec<Value>>) -> anyhow::Result<String> {
    let value = |value: Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(n) => n.into(),
        Value::Real(x) => x.into(),
        other => text(&other).into(),
    };
    let row = |row: Vec<Value>| head.iter().cloned().zip(row.into_iter().map(value)).collect::<serde_json::Map<_, _>>();
    Ok(serde_json::to_string(&rows.into_iter().map(row).collect::<Vec<_>>())? + "\n")
}

fn rebuild(data: &Path) -> anyhow::Result<Answer> {
    if Glance::at(data)?.is_running()? {
        return Err(StoreError::Locked { path: data.display().to_string() }.into());
    }
    let home = keep::open(data, false, None)?;
    let bar = screen::progress(false, "making the query side anew");
    let made = Tables::make(data, &home.twin, &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
        true
    });
    bar.finish_and_clear();
    let tables = made?.context("it was stopped")?;
    let records = tables.applied().records;
    tables.close()?;
    home.settle()?;
    screen::print(&format!("made from {records} records: {}\n", schema::path(data).display()))?;
    Ok(Answer::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text_in_every_form() {
        let head = ["name".to_owned(), "n".to_owned()];
        let name = "=HYPERLINK(\"http://x\")\n\u{1b}[2J\u{202e}, 王";
        let rows = || vec![vec![Value::Text(name.into()), Value::Integer(-5)], vec![Value::Null, Value::Integer(1_000)]];
        let table = table(&head, rows());
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(!table.replace('\n', "").contains(twin::text::is_hidden), "{table:?}");
        let csv = in_csv(&head, rows());
        assert!(csv.starts_with("name,n\n\"'=HYPERLINK(\"\"http://x\"\")\n"), "{csv}");
        assert!(csv.ends_with(", 王\",-5\n,1000\n"), "{csv}");
        let json = in_json(&head, rows()).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()[0]["name"], name);
    }
}
