//! A site that keeps nothing leaves nothing behind for long, even when it is killed.

mod support;

use std::path::{Path, PathBuf};
use support::{Live, parceltwin};

fn start(temporary: &Path) -> Live {
    Live::spawn(parceltwin().args(["live", "--listen", "127.0.0.1:0", "--orders-per-hour", "0"]).env("TMPDIR", temporary))
}

fn folders(temporary: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_next_start_removes_the_folder_of_a_killed_site_and_of_no_other() {
    let temporary = tempfile::tempdir().unwrap();
    let mut killed = start(temporary.path());
    let left = folders(temporary.path());
    assert_eq!(left.len(), 1);
    killed.kill();
    assert_eq!(folders(temporary.path()), left, "a killed site cannot tidy up");
    let _first = start(temporary.path());
    let running = folders(temporary.path());
    assert!(running.len() == 1 && running != left, "{running:?}");
    let _second = start(temporary.path());
    let both = folders(temporary.path());
    assert!(both.len() == 2 && both.contains(&running[0]), "a running site keeps its folder: {both:?}");
}
