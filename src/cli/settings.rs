//! `parceltwin settings`: versions of a site's settings in a twin that no site has open, and which of them a site starts with.
//! A running site is asked over its API.

use super::{Answer, keep, screen};
use crate::api::versions::{ChangeView, VersionView};
use actors::settings::{Opening, SettingsFault, Versions};
use actors::{Work, origin};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use sim::site_file::SiteFile;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use twin::home::Home;
use twin::parts::{Change, Parts};
use twin::{By, Moment, Origin, Twin};

/// Differences that are printed at a start; `settings diff` prints all.
const SHOWN_MAX: usize = 40;

#[derive(Subcommand)]
pub enum SettingsCommand {
    /// List all versions, the newest first
    List {
        #[command(flatten)]
        twin: TwinFlags,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one version: who put it in force, when and why, and its parts
    Show {
        /// Its number; the one in force where it is left out
        number: Option<u32>,
        /// Print this part of it alone: limits, warehouse/SZX, channel/usps/priority …
        #[arg(long, value_name = "NAME")]
        part: Option<String>,
        #[command(flatten)]
        twin: TwinFlags,
    },
    /// Print a version as a site file (TOML)
    Export {
        /// Its number; the one in force where it is left out
        number: Option<u32>,
        #[command(flatten)]
        twin: TwinFlags,
    },
    /// Write a site file down as a new version, a draft
    ///
    /// The same content as that of a draft, or of what is in force, is no new version. To go back, import an earlier one anew.
    Import {
        /// The site file (TOML), with the tariffs that it names; or the number of an archived version
        what: String,
        /// What whoever reads the list shall know of it
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        #[command(flatten)]
        twin: TwinFlags,
        #[command(flatten)]
        by: ByFlags,
    },
    /// Print how two versions, or a version and a site file, differ
    ///
    /// Exit status 1: they do.
    Diff {
        /// A version's number, or a site file
        what: String,
        /// What it is compared with: a number or a file; the version in force where it is left out
        #[arg(long, value_name = "WHAT")]
        with: Option<String>,
        #[command(flatten)]
        twin: TwinFlags,
        /// Print the differences as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a version in force, now or from a time on
    Activate {
        /// Its number
        number: u32,
        /// From when on: 2026-12-01T00:00:00+08:00
        #[arg(long, value_name = "MOMENT")]
        from: Option<String>,
        /// Why; stands in the journal
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        twin: TwinFlags,
        #[command(flatten)]
        by: ByFlags,
    },
    /// Never put a draft or a planned version in force
    Archive {
        /// Its number
        number: u32,
        /// Why; stands in the journal
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        twin: TwinFlags,
        #[command(flatten)]
        by: ByFlags,
    },
}

#[derive(Args)]
pub struct TwinFlags {
    /// The twin's folder; of a running site use its API: GET and POST /api/v1/settings
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
pub struct ByFlags {
    /// Who does it; stands in the journal
    #[arg(long, value_name = "NAME")]
    by: String,
}

pub fn run(command: SettingsCommand) -> anyhow::Result<Answer> {
    match command {
        SettingsCommand::List { twin, json } => list(&twin.data, json),
        SettingsCommand::Show { number, part, twin } => show(&twin.data, number, part.as_deref()),
        SettingsCommand::Export { number, twin } => export(&twin.data, number),
        SettingsCommand::Import { what, note, twin, by } => {
            let number = what.parse::<u32>().ok();
            let file = if number.is_none() { Some(SiteFile::read(Path::new(&what))?.parts) } else { None };
            change(&twin.data, &by.by, |twin, versions, work, _| {
                let parts = match (file, number) {
                    (Some(parts), _) => parts,
                    (None, number) => versions.parts(twin, number.unwrap_or_default())?,
                };
                let (number, new) = versions.draft(work, &parts, note.as_str().into())?;
                let known = if new { "a draft" } else { "written down before" };
                Ok(format!("version {number}: {known}\n"))
            })
        }
        SettingsCommand::Diff { what, with, twin, json } => diff(&twin.data, &what, with.as_deref(), json),
        SettingsCommand::Activate { number, from, reason, twin, by } => {
            let read = |text: String| text.parse::<Moment>().with_context(|| format!("--from {text:?} is no moment with an offset"));
            let from = from.map(read).transpose()?;
            change(&twin.data, &by.by, |twin, versions, work, now| {
                versions.config(twin, number)?;
                if let Some(from) = from.filter(|from| *from > now) {
                    versions.plan(work, number, from, reason.into())?;
                    return Ok(format!("version {number}: planned, in force from {from} on\n"));
                }
                versions.activate(work, number, now, reason.into())?;
                Ok(format!("version {number}: in force\n"))
            })
        }
        SettingsCommand::Archive { number, reason, twin, by } => change(&twin.data, &by.by, |_, versions, work, _| {
            versions.archive(work, number, reason.into())?;
            Ok(format!("version {number}: archived\n"))
        }),
    }
}

fn open(data: &Path) -> anyhow::Result<(Home, Versions)> {
    let home = keep::open(data, false, None)?;
    let versions = Versions::load(&home.twin)?;
    Ok((home, versions))
}

/// What time it is for a twin that nobody has open.
fn now(twin: &Twin) -> Moment {
    drivers::Clock::wall(twin.head().at).now()
}

fn wanted(versions: &Versions, number: Option<u32>) -> anyhow::Result<u32> {
    number.or(versions.in_force()).context("no version is in force: no site was started on this twin")
}

/// Changes something on somebody's account, durably, and says what came of it.
fn change(
    data: &Path,
    by: &str,
    act: impl FnOnce(&Twin, &mut Versions, &mut Work, Moment) -> Result<String, SettingsFault>,
) -> anyhow::Result<Answer> {
    if by.trim().is_empty() {
        bail!("--by names nobody");
    }
    let (home, mut versions) = open(data)?;
    let now = now(&home.twin);
    let mut work = origin::within(Origin::by(By::Person(by.trim().into())), || Work::at(now));
    let said = act(&home.twin, &mut versions, &mut work, now)?;
    home.twin.commit([work.tx])?;
    home.settle()?;
    screen::print(&said)?;
    Ok(Answer::Yes)
}

fn list(data: &Path, as_json: bool) -> anyhow::Result<Answer> {
    let (home, versions) = open(data)?;
    let views = versions.newest_first().map(|(number, settings)| VersionView::of(&home.twin, number, settings));
    let views: Vec<_> = views.collect::<Result<_, _>>()?;
    if as_json {
        screen::print(&(serde_json::to_string_pretty(&views)? + "\n"))?;
        return Ok(Answer::Yes);
    }
    let mut text = String::new();
    for view in views {
        let since = view.active_from.as_deref().unwrap_or("-");
        let by = view.activated_by.as_deref().unwrap_or(&view.drafted_by);
        let why = view.reason.as_deref().unwrap_or(&view.note);
        writeln!(text, "{:>4}  {:<8}  {since:<20}  {by}  {}", view.number, view.stage, line(why))?;
    }
    screen::print(&text)?;
    Ok(Answer::Yes)
}

/// Foreign text in a line of its own.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn show(data: &Path, number: Option<u32>, part: Option<&str>) -> anyhow::Result<Answer> {
    let (home, versions) = open(data)?;
    let number = wanted(&versions, number)?;
    let settings = versions.get(number)?;
    let json = match part {
        None => serde_json::to_value(VersionView::of(&home.twin, number, settings)?)?,
        Some(part) => match versions.parts(&home.twin, number)?.get(part) {
            Some(json) => json.clone(),
            None => {
                let names: Vec<_> = settings.parts.keys().map(|name| name.as_str()).collect();
                bail!("version {number} has no part {part:?}; it has {}", names.join(", "));
            }
        },
    };
    screen::print(&(serde_json::to_string_pretty(&json)? + "\n"))?;
    Ok(Answer::Yes)
}

fn export(data: &Path, number: Option<u32>) -> anyhow::Result<Answer> {
    let (home, versions) = open(data)?;
    let site = versions.parts(&home.twin, wanted(&versions, number)?)?.joined();
    screen::print(&toml::to_string_pretty(&site).context("the settings cannot be written as TOML")?)?;
    Ok(Answer::Yes)
}

fn diff(data: &Path, what: &str, with: Option<&str>, as_json: bool) -> anyhow::Result<Answer> {
    let (home, versions) = open(data)?;
    let parts = |what: &str| match what.parse::<u32>() {
        Ok(number) => Ok(versions.parts(&home.twin, number)?),
        Err(_) => Ok::<_, anyhow::Error>(SiteFile::read(Path::new(what))?.parts),
    };
    let before = match with {
        Some(with) => parts(with)?,
        None => versions.parts(&home.twin, wanted(&versions, None)?)?,
    };
    let changes = parts(what)?.changes_from(&before);
    let same = changes.is_empty();
    screen::print(&match as_json {
        true => {
            let all: Vec<_> = changes.into_iter().map(ChangeView::from).collect();
            serde_json::to_string_pretty(&json!(all))? + "\n"
        }
        false => said(&changes, usize::MAX),
    })?;
    Ok(if same { Answer::Yes } else { Answer::No })
}

/// Differences, a line each, part by part.
fn said(changes: &[Change], most: usize) -> String {
    let mut text = String::new();
    let mut part = "";
    for change in changes.iter().take(most) {
        if change.part != part {
            part = &change.part;
            text.push_str(&format!("{part}\n"));
        }
        let place = if change.path.is_empty() { String::new() } else { format!("{}: ", change.path) };
        text.push_str(&match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!("  ~ {place}{} -> {}\n", short(before), short(after)),
            (None, Some(after)) => format!("  + {place}{}\n", short(after)),
            (Some(before), None) => format!("  - {place}{}\n", short(before)),
            (None, None) => String::new(),
        });
    }
    if changes.len() > most {
        text.push_str(&format!("and {} more differences\n", changes.len() - most));
    }
    text
}

/// A value on a line; a whole table is cut.
fn short(value: &str) -> String {
    const LENGTH_MAX: usize = 120;
    match value.char_indices().nth(LENGTH_MAX) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

/// The settings that a site starts with: the first time those of the file, later those in force, unless the file is to be taken
/// in their place. Where the two differ it is said.
pub fn at_start(twin: &Twin, file: Option<&Path>, parts: &Parts, take: bool) -> anyhow::Result<Opening> {
    let now = now(twin);
    let mut versions = Versions::load(twin)?;
    let mut work = Work::at(now);
    versions.catch_up(&mut work, twin, now)?;
    let name = file.map_or("the bundled site".into(), |path| path.display().to_string());
    let in_force = match versions.in_force() {
        None => versions.take(&mut work, parts, format!("taken from {name} at the first start").into())?,
        Some(number) if take => {
            let before = versions.parts(twin, number)?;
            if parts.changes_from(&before).is_empty() {
                number
            } else {
                let number = versions.take(&mut work, parts, format!("taken from {name} at the start").into())?;
                tell(&format!(
                    "version {number} of the settings is in force, taken from {name}:\n{}",
                    said(&parts.changes_from(&before), SHOWN_MAX)
                ));
                number
            }
        }
        Some(number) => {
            // Without a file there is nothing that somebody could have meant.
            let changes = if file.is_some() { parts.changes_from(&versions.parts(twin, number)?) } else { Vec::new() };
            if !changes.is_empty() {
                tell(&format!(
                    "{name} is not what is in force, which is version {number} of the settings and goes on. From that to the file:\n{}take the file with --take",
                    said(&changes, SHOWN_MAX)
                ));
            }
            number
        }
    };
    for (from, number) in versions.planned() {
        tell(&format!("version {number} of the settings will be in force from {from} on"));
    }
    twin.commit([work.tx])?;
    let cannot = || format!("version {in_force} of the settings cannot be in force any more: start with a site file and --take");
    Opening::of(twin, &versions, in_force).with_context(cannot)
}

fn tell(text: &str) {
    eprintln!("parceltwin: {}", screen::shown(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::Span;

    const SITE: &str = include_str!("../../scenarios/quick-start/site.toml");

    #[test]
    fn what_was_planned_for_a_time_at_which_no_site_ran_is_in_force_at_the_next_start() {
        // A journal of a year to come, so that the machine's clock has no say.
        let twin = Twin::in_memory("site");
        let begin: Moment = "2190-01-01T00:00:00Z".parse().unwrap();
        let read = |text: &str| SiteFile::of_toml(text, "site").unwrap().parts;
        let (first, second) = (read(SITE), read(&SITE.replace("\"7.12\"", "\"7.30\"")));
        let write = |at: Moment, act: &mut dyn FnMut(&mut Versions, &mut Work)| {
            let (mut versions, mut work) = (Versions::load(&twin).unwrap(), Work::at(at));
            act(&mut versions, &mut work);
            twin.commit([work.tx]).unwrap();
        };
        write(begin, &mut |versions, work| {
            versions.take(work, &first, "first".into()).unwrap();
        });
        let due = begin + Span::from_hours(24);
        write(begin, &mut |versions, work| {
            let (number, _) = versions.draft(work, &second, "second".into()).unwrap();
            versions.plan(work, number, due, "the second".into()).unwrap();
        });
        let start = || at_start(&twin, None, &first, false).unwrap();
        assert_eq!(start().version, 1);
        // A day goes by: something else is written.
        write(due, &mut |versions, work| {
            versions.draft(work, &read(&SITE.replace("\"7.12\"", "\"7.40\"")), "later".into()).unwrap();
        });
        let opening = start();
        assert_eq!((opening.version, opening.config.fx.per_base.values().any(|rate| rate.to_string() == "7.30")), (2, true));
        assert_eq!(start().version, 2);
        let versions = Versions::load(&twin).unwrap();
        let said: Vec<_> = versions.newest_first().map(|(n, s)| (n, s.stage.as_str(), s.active_from)).collect();
        assert_eq!(said, [(3, "draft", None), (2, "active", Some(due)), (1, "archived", Some(begin))]);
    }
}
