//! A disk that is full, or that fails to sync, at any point: what was acknowledged stays, the writer says why it stops and
//! stops, and the next start goes on.

#[path = "support/disk.rs"]
mod disk;

use disk::{CutDisk, Dice};
use std::sync::Arc;
use twin::journal::disk::{Below, Disk};
use twin::journal::folder::{Folder, Opening, Sizes};
use twin::journal::{Draft, Head, Journal};
use twin::{Because, By, Event, Key, Moment, Record, Span, StoreError, stock};

const SIZES: Sizes = Sizes { segment_bytes: 40 << 10, chunk_bytes: 8 << 10 };

fn data(disk: &CutDisk) -> Arc<dyn Disk> {
    Arc::new(Below { disk: Arc::new(disk.clone()), folder: "data".into() })
}

fn open(disk: &CutDisk) -> Result<Folder, StoreError> {
    let opening = Opening { sizes: SIZES, accept_loss: false };
    match Folder::exists(&*data(disk))? {
        true => Folder::open(data(disk), opening).map(|(folder, _)| folder),
        false => Folder::create(data(disk), "full", opening),
    }
}

fn draft(head: Head, bytes: usize) -> Draft {
    let mut draft = Draft::after(head);
    draft.push(&Record {
        seq: head.records + 1,
        at: Moment(head.records as i64 + 1),
        decided_before: Span::ZERO,
        by: By::System,
        because: Because::Nothing,
        key: Key::new(twin::Kind::Stock, "W:S"),
        version: head.records as u32 + 1,
        event: Event::Stock(stock::Event::Counted { on_hand: 1, safety: 0 }),
    });
    let document = vec![7; bytes];
    draft.documents.push((twin::Hash::of(&document), document));
    draft
}

/// Appends until something fails; the head that was acknowledged last, and why it ended.
fn append_until_it_fails(disk: &CutDisk, dice: &mut Dice) -> (Option<Head>, StoreError) {
    let mut acknowledged = None;
    let folder = match open(disk) {
        Ok(folder) => folder,
        Err(error) => return (None, error),
    };
    loop {
        match folder.append(&mut draft(folder.head(), dice.below(3000) as usize)) {
            Ok(_) => acknowledged = Some(folder.head()),
            Err(error) => {
                let again = folder.append(&mut draft(folder.head(), 1)).expect_err("what failed once is not trusted again");
                assert!(matches!(again, StoreError::Broken { .. }));
                return (acknowledged, error);
            }
        }
    }
}

#[test]
fn a_full_disk_at_any_point_loses_nothing() {
    for seed in 0..200 {
        let mut dice = Dice::of(seed);
        let disk = CutDisk::default();
        disk.state().room = Some(dice.below(200_000));
        let (acknowledged, error) = append_until_it_fails(&disk, &mut dice);
        assert!(error.to_string().contains("No space left"), "seed {seed}: {error}");
        // Somebody makes room; or the power goes before that.
        let disk = if dice.one_in(2) { disk.after_a_kill() } else { disk.after_a_cut(&mut dice) };
        let folder = open(&disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert!(folder.head().records >= acknowledged.map_or(0, |head| head.records), "seed {seed}");
        folder.append(&mut draft(folder.head(), 100)).expect("it goes on");
    }
}

#[test]
fn a_sync_that_fails_ends_the_writer_and_loses_nothing() {
    for seed in 0..200 {
        let mut dice = Dice::of(seed);
        let mut disk = CutDisk::default();
        drop(open(&disk).expect("a new journal"));
        disk = disk.after_a_kill();
        let mut acknowledged = None;
        let folder = open(&disk).expect("it opens");
        let fails_at = dice.below(30);
        for n in 0.. {
            disk.state().sync_fails = n == fails_at;
            match folder.append(&mut draft(folder.head(), dice.below(3000) as usize)) {
                Ok(_) => acknowledged = Some(folder.head()),
                Err(error) => {
                    assert!(error.to_string().contains("Input/output error"), "{error}");
                    break;
                }
            }
        }
        let folder = open(&disk.after_a_cut(&mut dice)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert!(folder.head().records >= acknowledged.map_or(0, |head| head.records), "seed {seed}");
    }
}
