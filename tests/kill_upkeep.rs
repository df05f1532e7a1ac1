//! kill −9 in the middle of the first start, a rebuild, a compaction, a backup and a restore: the twin is as it was, and
//! what was being made is whole, not there, or says that it was broken off.
//!
//! A sample runs here; `PARCELTWIN_KILLS=100 cargo test --test kill_upkeep -- --nocapture` kills each a hundred times.

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Live, parceltwin};
use twin::home::Glance;
use twin::journal::Journal;
use twin::replay::silent;
use twin::{Head, Moment, Tx};

const KILLS: u64 = 8;

fn kills() -> u64 {
    std::env::var("PARCELTWIN_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS)
}

/// A twin of some thousand records with documents, as a site leaves it.
fn filled(dir: &Path) -> Head {
    let home = support::home::home(dir).expect("a new twin");
    let mut stock = twin::stock::Stock::default();
    let mut version = 0;
    for n in 0..300 {
        let mut txs = Vec::new();
        for _ in 0..40 {
            version += 1;
            let mut tx = Tx::at(Moment(1_762_617_600_000_000 + i64::from(version)));
            let event = twin::stock::Event::Received { quantity: 1, reference: "R".into() };
            twin::Entity::apply(&mut stock, tx.at, &event);
            tx.stage(&"SZX:own:P-1".into(), version, vec![event], Default::default(), &stock);
            tx.document(vec![(n % 250) as u8; 2_000]);
            txs.push(tx);
        }
        home.twin.commit(txs).expect("it is written");
    }
    home.settle().expect("it is written");
    home.twin.head()
}

#[expect(clippy::disallowed_methods, reason = "a test of the program itself measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// How long the command takes when nobody kills it.
fn takes(arguments: &[&str]) -> Duration {
    let began = now();
    let done = parceltwin().args(arguments).output().expect("the program runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    began.elapsed()
}

/// Runs the command and kills it somewhere on its way. Says whether it had come to its end before.
fn killed(arguments: &[&str], after: Duration) -> bool {
    let mut child = parceltwin().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(after);
    let ended = child.try_wait().expect("it can be asked").is_some();
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    ended
}

/// The copy is whole, or it is not there.
fn whole_or_absent(copy: &Path, head: Head, what: &str) -> bool {
    if !copy.exists() {
        return false;
    }
    let found = Glance::at(copy).and_then(|g| g.verify(&mut silent())).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(found, head, "{what}");
    true
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}

#[test]
fn upkeep_that_is_killed_leaves_everything_whole() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let data = place.path().join("data");
    let head = filled(&data);
    let mut luck = sim::luck::Luck::of(1, "kill upkeep", "when");
    for what in ["rebuild", "compact", "backup", "restore"] {
        let (copy, source) = (place.path().join(what), place.path().join("source of restore"));
        let partial = place.path().join(format!("{what}.partial"));
        if what == "restore" {
            takes(&["twin", "backup", "--data", text(&data), "--to", text(&source)]);
        }
        let arguments: Vec<&str> = match what {
            "rebuild" => vec!["twin", "rebuild", "--data", text(&data)],
            "compact" => vec!["twin", "compact", "--data", text(&data), "--into", text(&copy)],
            "backup" => vec!["twin", "backup", "--data", text(&data), "--to", text(&copy)],
            _ => vec!["twin", "restore", "--from", text(&source), "--data", text(&copy)],
        };
        let clear = || {
            for folder in [&copy, &partial] {
                if folder.exists() {
                    std::fs::remove_dir_all(folder).expect("it goes");
                }
            }
        };
        let whole = takes(&arguments);
        clear();
        let (mut ended, mut left) = (0, 0);
        for n in 0..kills() {
            let after = Duration::from_micros(luck.between(0, whole.as_micros() as i64) as u64);
            ended += u64::from(killed(&arguments, after));
            let message = format!("{what}, kill {n} after {after:?} of {whole:?}");
            if what != "rebuild" {
                whole_or_absent(&copy, head, &message);
                if partial.exists() {
                    left += 1;
                    match Glance::at(&partial) {
                        // It was whole, and only its name was missing.
                        Ok(whole) => assert_eq!(whole.verify(&mut silent()).unwrap_or_else(|e| panic!("{message}: {e}")), head),
                        Err(refused) => {
                            let refused = refused.to_string();
                            assert!(refused.contains("broken off") || refused.contains("holds no twin"), "{message}: {refused}");
                        }
                    }
                }
            }
            clear();
            // The twin itself is what it was, and a start makes it whole.
            let found = Glance::at(&data).and_then(|g| g.verify(&mut silent())).unwrap_or_else(|e| panic!("{message}: {e}"));
            assert_eq!(found, head, "{message}");
            let home = support::home::home(&data).unwrap_or_else(|e| panic!("{message}: {e}"));
            assert_eq!(home.twin.verify(&mut silent()).unwrap_or_else(|e| panic!("{message}: {e}")), head);
        }
        println!("{what}: {} kills within {whole:?}, {ended} after its end, {left} left a part that says so", kills());
    }
}

#[test]
fn a_first_start_that_is_killed_is_no_twin_or_a_whole_one() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut luck = sim::luck::Luck::of(2, "kill first start", "when");
    let began = now();
    drop(Live::start(&place.path().join("first"), &["--orders-per-hour", "0"]));
    let whole = began.elapsed();
    let mut twins = 0;
    for n in 0..kills() {
        let data = place.path().join(format!("data-{n}"));
        let arguments = ["live", "--listen", "127.0.0.1:0", "--orders-per-hour", "0", "--data", text(&data)];
        killed(&arguments, Duration::from_micros(luck.between(0, whole.as_micros() as i64) as u64));
        twins += u64::from(Glance::at(&data).is_ok());
        let live = Live::start(&data, &["--orders-per-hour", "0"]);
        drop(live);
        let glance = Glance::at(&data).unwrap_or_else(|e| panic!("kill {n}: {e}"));
        let head = glance.verify(&mut silent()).unwrap_or_else(|e| panic!("kill {n}: {e}"));
        assert_eq!(head, glance.folder.head(), "kill {n}");
    }
    println!("first start: {} kills within {whole:?}, {twins} had begun a twin", kills());
}

/// A full disk under the whole program: files may not grow beyond a limit.
#[test]
fn a_full_disk_ends_the_site_with_2_and_the_reason() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let data = place.path().join("data");
    // The shell's unit is 1024 bytes; a growing segment comes to the limit first. Without the signal a write fails with EFBIG.
    let script = "trap '' XFSZ; ulimit -f 3000; exec \"$0\" live --listen 127.0.0.1:0 --speed 60 --orders-per-hour 20000 --data \"$1\"";
    let done = std::process::Command::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_parceltwin"), text(&data)]).output();
    let done = done.expect("the site runs until the disk is full");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("File too large") && said.contains("the site stopped"), "{said}");
    let looked = parceltwin().args(["twin", "verify", "--data", text(&data)]).output().expect("the program runs");
    assert!(looked.status.success(), "{}{}", String::from_utf8_lossy(&looked.stdout), String::from_utf8_lossy(&looked.stderr));
    drop(Live::start(&data, &["--orders-per-hour", "0"]));
}
