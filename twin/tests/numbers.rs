//! What the journal is written in lasts for ever: numbers keep their meaning, and a journal that was written once reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use twin::entity::{Kind, STATES_VERSION};
use twin::home::Glance;
use twin::journal::Journal;
use twin::replay::silent;
use twin::schema::NUMBERS;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `type number` → what it is called and what stands there.
fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut numbers = BTreeMap::new();
    for line in lines.filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        let mut parts = line.splitn(3, ' ');
        let key = format!("{} {}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let before = numbers.insert(key.clone(), parts.next().unwrap_or_default().to_owned());
        assert!(before.is_none(), "{key} is given twice: every field and variant needs a number of its own");
    }
    numbers
}

#[test]
fn no_number_changes_its_meaning() {
    let path = project().join("docs/journal-numbers.txt");
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let now: Vec<String> =
        NUMBERS.iter().flat_map(|lines| lines.iter().map(|l| unboxed(l.split_whitespace().collect::<Vec<_>>().join(" ")))).collect();
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("kind {} {}", kind.number(), kind.as_str())).collect();
    let (known, now) = (lines(stored.lines()), lines(now.iter().chain(&kinds).map(String::as_str)));
    let mut wrong = Vec::new();
    for (number, meaning) in &known {
        match now.get(number) {
            _ if meaning.starts_with("retired") => {
                if now.contains_key(number) {
                    wrong.push(format!("{number} is retired ({meaning}) and used again: take the next free number"));
                }
            }
            None => wrong.push(format!(
                "{number} ({meaning}) is gone, and journals hold it: keep it readable, or write \"retired\" before its meaning in docs/journal-numbers.txt"
            )),
            Some(is) if is != meaning => wrong.push(format!(
                "{number} was {meaning:?} and is {is:?}. If it only got another name in the code, change the name in docs/journal-numbers.txt; \
                 if it means or holds something else, give that a new number and leave this one"
            )),
            Some(_) => {}
        }
    }
    for (number, meaning) in now.iter().filter(|(number, _)| !known.contains_key(*number)) {
        wrong.push(format!("{number} {meaning} is new: add this line to docs/journal-numbers.txt"));
    }
    assert!(wrong.is_empty(), "{}\n\n{}", wrong.join("\n"), path.display());
}

/// A type as the journal means it: where it lies in memory is no part of that.
fn unboxed(mut text: String) -> String {
    while let Some(at) = text.find("Box<") {
        let mut depth = 0;
        let end = text[at..].find(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            c == '>' && depth == 0
        });
        let Some(end) = end else { return text };
        text.remove(at + end);
        text.replace_range(at..at + 4, "");
    }
    text
}

/// Journals that earlier builds wrote, kept in the repository as they are, for ever: one for each time that what is written changed.
fn stored() -> Vec<PathBuf> {
    let all = project().join("tests/journals").read_dir().expect("they are there").map(|entry| entry.expect("it reads").path());
    let mut all: Vec<_> = all.filter(|path| path.is_dir()).collect();
    all.sort();
    assert!(all.len() >= 2);
    all
}

fn blessed() -> bool {
    std::env::var_os("PARCELTWIN_BLESS").is_some()
}

#[test]
fn the_stored_journals_open_replay_and_verify() {
    stored().iter().for_each(|dir| opens_replays_and_verifies(dir));
}

fn opens_replays_and_verifies(dir: &Path) {
    let glance = Glance::at(dir).expect("it opens");
    let head = glance.verify(&mut silent()).expect("it verifies");
    let mut text = format!("site {}, {} records, hash {}\n", glance.folder.site(), head.records, head.hash);
    let mut kinds = BTreeMap::new();
    for record in twin::records(&*glance.folder, 0) {
        let record = record.expect("it reads");
        *kinds.entry(format!("{} {}", record.key.kind.as_str(), record.event.number())).or_insert(0) += 1;
        if record.seq % 25 == 1 {
            text.push_str(&serde_json::to_string(&record).expect("it prints"));
            text.push('\n');
        }
    }
    for (kind, count) in kinds {
        text.push_str(&format!("{kind}: {count}\n"));
    }
    let path = dir.join("expected.txt");
    // Only what is new is written; what was said once stands.
    if blessed() && !path.exists() {
        std::fs::write(&path, &text).expect("it writes");
    }
    let expected = std::fs::read_to_string(&path).expect("what the build said that wrote it");
    assert_eq!(text, expected, "a build that reads old journals otherwise than the one that wrote them is wrong, not this file");
}

#[test]
fn states_in_another_shape_have_another_version() {
    // The states that the stored journals lead to, as bytes. Where they change, so must STATES_VERSION: live twins on disk
    // are then made anew before anybody decodes them.
    let mut bytes = Vec::new();
    for dir in stored() {
        let glance = Glance::at(&dir).expect("it opens");
        let shelf = twin::MemoryShelf::default();
        twin::replay::Replay::of(&*glance.folder, &shelf).run(0, &mut silent()).expect("it replays");
        for kind in Kind::ALL {
            for row in twin::Shelf::states(&shelf, kind, "") {
                bytes.extend_from_slice(&row.expect("it reads").1);
            }
        }
    }
    let now = format!("{STATES_VERSION} {}", twin::Hash::of(&bytes));
    let path = project().join("tests/journals/states.txt");
    if blessed() {
        std::fs::write(&path, now.clone() + "\n").expect("it writes");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        now,
        known.trim(),
        "states are another shape: raise STATES_VERSION in twin/src/entity.rs, then put {now:?} into tests/journals/states.txt"
    );
}
