//! `parceltwin twin`: looks into a twin on disk, checks it, mends it, copies it.

use super::{Answer, TwinCommand, screen};
use anyhow::{Context, bail};
use std::path::Path;
use std::sync::Arc;
use twin::entity::Kind;
use twin::{Key, Record, SledStore, StoreError, Twin, TwinError};

pub fn run(command: TwinCommand) -> anyhow::Result<Answer> {
    match command {
        TwinCommand::Show { kind, id, data } => show(&kind, &id, &data),
        TwinCommand::Log { follow: true, entity, site, .. } => follow(&site, entity.as_deref()),
        TwinCommand::Log { data, entity, .. } => log(&data, entity.as_deref()),
        TwinCommand::Verify { data } => verify(&data),
        TwinCommand::Rebuild { data } => {
            let head = open(&data)?.rebuild()?;
            screen::print(&format!("rebuilt from {} records, hash {}\n", head.records, head.hash))?;
            Ok(Answer::Yes)
        }
        TwinCommand::Compact { data, into } => compact(&data, &into),
    }
}

fn open(data: &Path) -> anyhow::Result<Twin> {
    if !data.join("db").exists() {
        bail!("{} holds no twin", data.display());
    }
    let store = SledStore::open(data).map_err(|e| match e {
        StoreError::Locked { .. } => anyhow::Error::new(e).context("a running site holds its twin; ask its API, or stop it first"),
        other => other.into(),
    })?;
    Ok(Twin::open(Arc::new(store))?)
}

fn show(kind: &str, id: &str, data: &Path) -> anyhow::Result<Answer> {
    let kind: Kind = kind.parse().map_err(anyhow::Error::msg)?;
    let twin = open(data)?;
    let key = Key::new(kind, id);
    match twin.json(&key)? {
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

fn wanted(record: &Record, entity: Option<&str>) -> bool {
    let Some(entity) = entity else { return true };
    let named = entity.split_once('/').is_some_and(|(kind, id)| kind == record.key.kind.as_str() && id == record.key.id);
    named || record.key.id == entity
}

fn log(data: &Path, entity: Option<&str>) -> anyhow::Result<Answer> {
    let twin = open(data)?;
    for record in twin.records(0) {
        let record = record?;
        if wanted(&record, entity) {
            screen::print(&(serde_json::to_string(&record)? + "\n"))?;
        }
    }
    Ok(Answer::Yes)
}

/// The journal of a running site, through its API: the store itself belongs to one process.
fn follow(site: &str, entity: Option<&str>) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let url = format!("{}/api/v1/events?after=0", site.trim_end_matches('/'));
        let mut answer = reqwest::get(&url).await.and_then(|a| a.error_for_status()).with_context(|| format!("cannot follow {site}"))?;
        let mut pending = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            pending.extend_from_slice(&chunk);
            while let Some(end) = pending.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data:") else { continue };
                let record: Record = serde_json::from_slice(data)?;
                if wanted(&record, entity) {
                    screen::print(&(serde_json::to_string(&record)? + "\n"))?;
                }
            }
        }
        Ok(Answer::Yes)
    })
}

fn verify(data: &Path) -> anyhow::Result<Answer> {
    let twin = open(data)?;
    let bar = screen::progress(false, "verify");
    bar.set_length(twin.head().records);
    let found = twin.verify(|n| bar.set_position(n));
    bar.finish_and_clear();
    match found {
        Ok(head) => {
            screen::print(&format!(
                "whole: {} records, hash {}; the states are what the journal makes of them\n",
                head.records, head.hash
            ))?;
            Ok(Answer::Yes)
        }
        Err(e @ (TwinError::Damaged { .. } | TwinError::Diverged { .. } | TwinError::BadState { .. })) => {
            screen::print(&format!("{e}\n"))?;
            Ok(Answer::No)
        }
        Err(e) => Err(e.into()),
    }
}

fn compact(data: &Path, into: &Path) -> anyhow::Result<Answer> {
    if into.exists() {
        bail!("{} exists; name a folder that does not", into.display());
    }
    let twin = open(data)?;
    let bar = screen::progress(false, "compact");
    bar.set_length(twin.head().records);
    let copied = twin.copy_to(&SledStore::open(into)?, |n| bar.set_position(n));
    bar.finish_and_clear();
    let head = copied?;
    if head != twin.head() {
        bail!(
            "the copy ends at record {} with hash {}, the twin at {} with {}",
            head.records,
            head.hash,
            twin.head().records,
            twin.head().hash
        );
    }
    screen::print(&format!("copied {} records, hash {}, into {}\n", head.records, head.hash, into.display()))?;
    Ok(Answer::Yes)
}
