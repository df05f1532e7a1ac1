//! `parceltwin twin`: looks into a twin on disk, checks it, copies it, makes it anew, and forgets.

use super::{Answer, TwinCommand, keep, screen};
use anyhow::{Context, bail};
use indicatif::ProgressBar;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use twin::copies::{self, At};
use twin::entity::Kind;
use twin::forget::{self, Asked};
use twin::home::Glance;
use twin::journal::Journal;
use twin::journal::folder::Sizes;
use twin::{By, Key, Moment, OrderId, Record, StoreError, TwinError, Way};

/// How often a journal that is followed is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

pub fn run(command: TwinCommand) -> anyhow::Result<Answer> {
    match command {
        TwinCommand::Show { kind, id, data } => show(&kind, &id, &data),
        TwinCommand::Log { data, follow, entity, after } => log(&data, entity.as_deref(), after, follow),
        TwinCommand::Verify { data, json } => verify(&data, json),
        TwinCommand::Rebuild { data, accept_loss } => rebuild(&data, accept_loss),
        TwinCommand::Compact { data, into } => compact(&data, &into),
        TwinCommand::Backup { data, to, keys_to, json } => backup(&data, &to, keys_to.as_deref(), json),
        TwinCommand::Restore { from, keys, data } => restore(&from, keys.as_deref(), &data),
        TwinCommand::Forget { data, order, delivered_before, keys_backup, by } => {
            let asked = match delivered_before {
                Some(date) => Asked::FinishedBefore(moment(&date)?),
                None => Asked::Orders(order.into_iter().map(Into::into).collect()),
            };
            forget(&data, &asked, keys_backup, by)
        }
    }
}

/// Looks at a twin, and says what is not as it should be there.
fn look(data: &Path) -> anyhow::Result<Glance> {
    let glance = Glance::at(data)?;
    for note in &glance.notes {
        eprintln!("parceltwin: {}: {note} (when a site starts on it; looking changes nothing)", data.display());
    }
    Ok(glance)
}

fn bar(what: &str) -> ProgressBar {
    screen::progress(false, what)
}

fn on(bar: &ProgressBar) -> impl FnMut(u64, u64) + '_ {
    |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    }
}

fn show(kind: &str, id: &str, data: &Path) -> anyhow::Result<Answer> {
    let kind: Kind = kind.parse().map_err(anyhow::Error::msg)?;
    let glance = look(data)?;
    let mut key = Key::new(kind, id);
    if kind == Kind::Order && glance.show(&key)?.is_none() {
        match &numbered(data, &glance, id)?[..] {
            [] => {}
            [one] => key.id = one.text().clone(),
            several => {
                let all: Vec<_> = several.iter().map(OrderId::as_str).collect();
                bail!("several orders have the number {id}: {}", all.join(", "));
            }
        }
    }
    match glance.show(&key)? {
        Some(json) => {
            screen::print(&(serde_json::to_string_pretty(&json)? + "\n"))?;
            Ok(Answer::Yes)
        }
        None => {
            eprintln!("{}", screen::shown(&format!("there is no {key} in {}", data.display())));
            Ok(Answer::No)
        }
    }
}

/// The orders of a number: as the query side has it, else as the journal does.
fn numbered(data: &Path, glance: &Glance, number: &str) -> anyhow::Result<Vec<OrderId>> {
    let known = crate::query::schema::look(data).and_then(|db| {
        let mut ask = db.prepare("SELECT id FROM orders WHERE number = ?1")?;
        let ids = ask.query_map([number], |row| row.get::<_, String>(0))?;
        Ok(ids.map(|id| Ok(OrderId::new(id?))).collect::<rusqlite::Result<Vec<_>>>()?)
    });
    match known {
        Ok(known) if !known.is_empty() => Ok(known),
        _ => Ok(glance.orders_numbered(number)?),
    }
}

/// The things that `kind/id`, or an id alone, may mean. Orders may go by their number.
fn meant(data: &Path, entity: &str) -> anyhow::Result<Vec<Key>> {
    let named = entity.split_once('/').and_then(|(kind, id)| Some(Key::new(kind.parse().ok()?, id)));
    let number = named.as_ref().filter(|key| key.kind == Kind::Order).map_or(entity, |key| key.id.as_str());
    let orders = numbered(data, &look(data)?, number)?;
    let orders = orders.into_iter().map(|order| Key::new(Kind::Order, order.text().clone()));
    Ok(orders.chain(named.clone()).chain(Kind::ALL.map(|kind| Key::new(kind, entity))).collect())
}

fn log(data: &Path, entity: Option<&str>, after: u64, follow: bool) -> anyhow::Result<Answer> {
    let mut after = after;
    let meant = entity.map(|entity| meant(data, entity)).transpose()?;
    loop {
        let glance = look(data)?;
        let end = glance.folder.head().records;
        if end > after {
            let records: Box<dyn Iterator<Item = Result<Record, TwinError>> + '_> = match &meant {
                Some(keys) => Box::new(twin::history(&*glance.folder, keys, Way::After(after))),
                None => Box::new(twin::records(&*glance.folder, after)),
            };
            for record in records {
                screen::print(&(line(glance.folder.site(), &record?)? + "\n"))?;
            }
            after = end;
        }
        if !follow {
            return Ok(Answer::Yes);
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

/// A record with its site, as JSON.
fn line(site: &str, record: &Record) -> anyhow::Result<String> {
    let mut json = serde_json::to_value(record)?;
    if let Some(map) = json.as_object_mut() {
        map.insert("site".into(), site.into());
    }
    Ok(json.to_string())
}

fn verify(data: &Path, as_json: bool) -> anyhow::Result<Answer> {
    let bar = bar("verify");
    let found = Glance::at(data).and_then(|glance| Ok((glance.verify(&mut on(&bar))?, glance)));
    bar.finish_and_clear();
    match found {
        Ok((head, glance)) => {
            let (site, segments) = (glance.folder.site(), glance.folder.segments().len());
            screen::print(&match as_json {
                true => json!({"whole": true, "site": site, "segments": segments, "records": head.records, "hash": head.hash, "notes": glance.notes}).to_string() + "\n",
                false => {
                    let notes: String = glance.notes.iter().map(|n| format!("  {n}\n")).collect();
                    format!("whole: {} records in {segments} segments of site {site}, hash {}\n{notes}", head.records, head.hash)
                }
            })?;
            Ok(Answer::Yes)
        }
        Err(e) if e.is_damage() => {
            screen::print(&match (as_json, &e) {
                (true, TwinError::Store(StoreError::Damaged(damage))) => {
                    let at = json!({"file": damage.file, "offset": damage.offset, "record": damage.record, "why": damage.why});
                    json!({"whole": false, "what": e.to_string(), "at": at}).to_string() + "\n"
                }
                (true, _) => json!({"whole": false, "what": e.to_string()}).to_string() + "\n",
                (false, _) => format!("{e}\n"),
            })?;
            Ok(Answer::No)
        }
        Err(e) => Err(e.into()),
    }
}

fn rebuild(data: &Path, accept_loss: bool) -> anyhow::Result<Answer> {
    let live = data.join("live");
    // Only where there is a journal to make it from, and nobody is at work.
    let glance = Glance::at(data)?;
    if glance.is_running()? {
        return Err(StoreError::Locked { path: data.display().to_string() }.into());
    }
    drop(glance);
    if live.exists() {
        let old = data.join("live.old");
        if old.exists() {
            std::fs::remove_dir_all(&old).context("cannot remove what an earlier rebuild left")?;
        }
        std::fs::rename(&live, &old).context("cannot put the old live twin aside")?;
    }
    let home = keep::open(data, accept_loss, None)?;
    let head = home.twin.head();
    home.settle()?;
    let old = data.join("live.old");
    if old.exists() {
        std::fs::remove_dir_all(&old).context("cannot remove the old live twin")?;
    }
    screen::print(&format!("rebuilt from {} records, hash {}\n", head.records, head.hash))?;
    Ok(Answer::Yes)
}

fn compact(data: &Path, into: &Path) -> anyhow::Result<Answer> {
    let bar = bar("compact");
    let copied = copies::compact(&At::path(data)?, &At::path(into)?, Sizes::default(), &mut on(&bar));
    bar.finish_and_clear();
    let head = copied?;
    // Its live twin is made now, and not when a site is waiting for it.
    keep::open(into, false, None)?.settle()?;
    screen::print(&format!("copied {} records, hash {}, into {}\n", head.records, head.hash, into.display()))?;
    Ok(Answer::Yes)
}

fn backup(data: &Path, to: &Path, keys_to: Option<&Path>, as_json: bool) -> anyhow::Result<Answer> {
    let bar = bar("backup");
    let copied = copies::backup(&At::path(data)?, &At::path(to)?, &mut on(&bar));
    bar.finish_and_clear();
    let copied = copied?;
    if let Some(keys_to) = keys_to {
        copies::backup_keys(&At::path(data)?, &At::path(keys_to)?)?;
    }
    let head = copied.head;
    screen::print(&match as_json {
        true => {
            json!({"records": head.records, "hash": head.hash, "segments_copied": copied.segments, "keys": keys_to.is_some()}).to_string()
                + "\n"
        }
        false => {
            let keys = if keys_to.is_some() { "" } else { "; the keys to who the buyers are were not copied (--keys-to)" };
            format!(
                "{} holds records 1 to {}, hash {}; {} segments copied now{keys}\n",
                to.display(),
                head.records,
                head.hash,
                copied.segments
            )
        }
    })?;
    Ok(Answer::Yes)
}

fn restore(from: &Path, keys: Option<&Path>, data: &Path) -> anyhow::Result<Answer> {
    let bar = bar("restore");
    let keys_at = keys.map(At::path).transpose()?;
    let restored = copies::restore(&At::path(from)?, keys_at.as_ref(), &At::path(data)?, &mut on(&bar));
    bar.finish_and_clear();
    let head = restored?;
    let lacks = if keys.is_some() { "" } else { "; without keys: start it with --accept-loss, and who the buyers are stays unreadable" };
    screen::print(&format!("{} holds records 1 to {}, hash {}{lacks}\n", data.display(), head.records, head.hash))?;
    Ok(Answer::Yes)
}

/// A date stands for its beginning, UTC.
fn moment(text: &str) -> anyhow::Result<Moment> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    whole.parse().with_context(|| format!("--delivered-before {text:?} is neither a date (2026-11-25) nor a moment with an offset"))
}

fn forget(data: &Path, asked: &Asked, keys_backup: Option<PathBuf>, by: String) -> anyhow::Result<Answer> {
    if by.trim().is_empty() {
        bail!("--by names nobody");
    }
    let home = keep::open(data, false, None)?;
    let now = drivers::Clock::wall(home.twin.head().at).now();
    let done = forget::forget(&home.twin, asked, By::Person(by.trim().into()), now)?;
    if let Some(backup) = keys_backup {
        copies::backup_keys(&At::path(data)?, &At::path(&backup)?)?;
    }
    // Who is forgotten stands in the query side too.
    crate::query::follow::settle(data, &home.twin)?;
    home.settle()?;
    for (order, why) in &done.refused {
        eprintln!("{order}: {why}");
    }
    let again = if done.known > 0 { format!(", {} had been before", done.known) } else { String::new() };
    screen::print(&format!("{} orders are forgotten{again}, {} are not\n", done.forgotten, done.refused.len()))?;
    Ok(if done.refused.is_empty() { Answer::Yes } else { Answer::No })
}
