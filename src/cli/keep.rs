//! Opens a twin's data folder for work, says what was found, and looks after it while a site runs: the anchor is synced and
//! the indexes of histories are kept up every second, and sealed segments are read again one after the other, with an alarm where one has gone bad.

use super::screen;
use crate::api::metrics::JOURNAL_DAMAGED;
use anyhow::Context;
use drivers::Clock;
use metrics::gauge;
use std::path::Path;
use std::sync::Arc;
use twin::home::{Home, HomeOpening};
use twin::journal::Journal;
use twin::journal::folder::{Folder, Opening};
use twin::journal::segment::{START, Segment};
use twin::keys::Entropy;
use twin::{Moment, Span, Twin};

const ANCHOR_EVERY: Span = Span::from_secs(1);
/// Between two looks at a sealed segment: 64 MB a minute are a hundred gigabytes a day.
const CHECK_EVERY: Span = Span::from_mins(1);

/// Opens the twin in `data`; begins one for `new_site` where there is none.
pub fn open(data: &Path, accept_loss: bool, new_site: Option<&str>) -> anyhow::Result<Home> {
    let bar = screen::progress(false, "making the live twin anew");
    let mut progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let opening = HomeOpening {
        journal: Opening { accept_loss, ..Opening::default() },
        entropy: entropy(),
        new_site: new_site.map(site_id).transpose()?,
        progress: &mut progress,
    };
    let opened = Home::open(data, opening);
    bar.finish_and_clear();
    let (home, notes) = opened?;
    for note in notes {
        eprintln!("parceltwin: {}: {note}", data.display());
    }
    Ok(home)
}

/// Chance from the machine: keys must not be guessed.
fn entropy() -> Entropy {
    Box::new(|bytes| getrandom::fill(bytes).expect("the machine has a source of chance, or nothing here is safe"))
}

/// A name for a new site that no other has: its plan's name and four bytes of chance.
fn site_id(name: &str) -> anyhow::Result<String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).context("the machine has no source of chance")?;
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    Ok(format!("{name}-{:08x}", u32::from_be_bytes(bytes)))
}

/// Looks after a twin until the runtime ends.
pub fn look_after(home: &Arc<Home>) {
    // In the machine's time, however fast the site's clock runs.
    let clock = Clock::free(1.0, Moment::default());
    let (kept, waiting) = (home.clone(), clock.clone());
    tokio::spawn(async move {
        loop {
            waiting.sleep(ANCHOR_EVERY).await;
            let (anchored, indexed) = (kept.clone(), kept.clone());
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || anchored.keep()).await {
                tracing::error!(%error, "the anchor cannot be synced");
            }
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || indexed.folder().keep_indexes()).await {
                tracing::error!(%error, "a segment of the journal cannot be read to make its index");
            }
        }
    });
    let (folder, twin) = (home.folder().clone(), home.twin.clone());
    gauge!(JOURNAL_DAMAGED).set(0.0);
    tokio::spawn(async move {
        let mut next = 0;
        loop {
            clock.sleep(CHECK_EVERY).await;
            let (folder, twin, at) = (folder.clone(), twin.clone(), next);
            next = tokio::task::spawn_blocking(move || check(&folder, &twin, at)).await.unwrap_or(0);
        }
    });
}

/// Reads one sealed segment again, and says which comes next.
fn check(folder: &Folder, twin: &Twin, at: usize) -> usize {
    let segments = folder.segments();
    let sealed = segments.len().saturating_sub(1);
    let Some(segment) = segments.get(at).filter(|_| at < sealed) else { return 0 };
    if let Err(error) = check_segment(folder, segment) {
        tracing::error!(%error, "a sealed segment has gone bad");
        gauge!(JOURNAL_DAMAGED).set(1.0);
        twin.alarm(twin.head().at, &error.to_string());
    }
    at + 1
}

fn check_segment(folder: &Folder, segment: &Segment) -> Result<(), twin::StoreError> {
    segment.walk(START, segment.head.before, &mut |_, group| {
        for (hash, place) in &group.documents {
            if twin::Hash::of(&folder.document(place)?) != *hash {
                return Err(segment.damaged(place.offset, Some(group.first), format!("document {hash} is not what was written")));
            }
        }
        Ok(())
    })?;
    Ok(())
}
