//! `parceltwin remedy`: what a person does about something that is wrong, told to a running site.

use super::{Answer, screen};
use crate::remedy::{Asked, Done, Remedy};
use anyhow::{Context, bail};
use clap::Args;
use drivers::http_wire::{HttpWire, ReqwestWire};
use serde_json::Value;

#[derive(Args)]
pub struct RemedyFlags {
    #[command(subcommand)]
    remedy: Remedy,
    /// Who does it; stands in the journal
    #[arg(long, value_name = "NAME", global = true)]
    by: Option<String>,
    /// Why; stands in the journal
    #[arg(long, value_name = "TEXT", global = true)]
    why: Option<String>,
    /// Where the site is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", global = true)]
    site: String,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

/// Exit status 1: the site says that it cannot be done as things are.
pub fn run(flags: RemedyFlags) -> anyhow::Result<Answer> {
    // Global flags cannot be required by clap.
    let by = flags.by.context("--by NAME is missing: who does it stands in the journal")?;
    let why = flags.why.context("--why TEXT is missing: the reason stands in the journal")?;
    let address = format!("{}/api/v1/remedies", flags.site.trim_end_matches('/'));
    let body = serde_json::to_vec(&Asked { by, why, remedy: flags.remedy })?;
    let request = http::Request::post(&address).header("content-type", "application/json").body(body.into());
    let request = request.with_context(|| format!("--site {} is no address", flags.site))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { ReqwestWire::new()?.call(request).await })?;
    let text = String::from_utf8_lossy(answer.body());
    if answer.status().is_success() {
        let done: Done = serde_json::from_str(&text).with_context(|| format!("{address} is no site of this version"))?;
        let stage = if done.stage.is_empty() { "done" } else { &done.stage };
        let note = if done.note.is_empty() { String::new() } else { format!("; {}", done.note) };
        screen::print(&if flags.json { format!("{text}\n") } else { format!("{} {}: {stage}{note}\n", done.kind, done.id) })?;
        return Ok(Answer::Yes);
    }
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut said = problem["detail"].as_str().map_or_else(|| text.clone().into_owned(), str::to_owned);
    for error in problem["errors"].as_array().into_iter().flatten() {
        said.push_str(&format!("\n{}: {}", error["field"].as_str().unwrap_or_default(), error["detail"].as_str().unwrap_or_default()));
    }
    if answer.status() != http::StatusCode::CONFLICT && answer.status() != http::StatusCode::NOT_FOUND {
        bail!("{address} answered {}: {said}", answer.status());
    }
    if flags.json {
        screen::print(&format!("{text}\n"))?;
    } else {
        eprintln!("{}", screen::shown(&said));
    }
    Ok(Answer::No)
}
