//! Somebody else's reader: `docs/read_journal.py`, written from `docs/JOURNAL.md` alone, reads what we wrote and finds it whole.

mod support;

use std::path::Path;
use std::process::{Command, Output};
use support::{parceltwin, project};

fn read(data: &Path) -> Output {
    let done = Command::new("python3").arg(project().join("docs/read_journal.py")).arg(data).arg("--check").output();
    done.expect("python3 is there: .ci/run installs it")
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_reader_in_another_language_finds_the_same_history() {
    let stored = project().join("tests/journals/1");
    let (theirs, ours) = (read(&stored), parceltwin().args(["twin", "log", "--data"]).arg(&stored).output().expect("the program runs"));
    assert!(theirs.status.success(), "{}{}", last_line(&theirs), String::from_utf8_lossy(&theirs.stderr));
    let verified = parceltwin().args(["twin", "verify", "--json", "--data"]).arg(&stored).output().expect("the program runs");
    let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    let (records, hash) = (verified["records"].as_u64().expect("a number"), verified["hash"].as_str().expect("a hash"));
    assert_eq!(last_line(&theirs), format!("whole: {records} records, hash {hash}"));
    let (theirs, ours) = (String::from_utf8_lossy(&theirs.stdout), String::from_utf8_lossy(&ours.stdout));
    assert_eq!(theirs.lines().count(), records as usize + 1);
    for (their, our) in theirs.lines().zip(ours.lines()) {
        let (their, our): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(their).expect("JSON"), serde_json::from_str(our).expect("JSON"));
        for field in ["seq", "version", "site"] {
            assert_eq!(their[field], our[field], "{their}\n{our}");
        }
        assert_eq!(their["id"], our["key"]["id"], "{their}\n{our}");
        assert_eq!(their["kind"], our["key"]["kind"], "{their}\n{our}");
    }
}

#[test]
fn it_finds_a_flipped_bit_too() {
    let copy = tempfile::tempdir().expect("a folder");
    let journal = copy.path().join("journal");
    std::fs::create_dir(&journal).expect("a folder");
    for name in ["00000001.seg", "anchor"] {
        std::fs::copy(project().join("tests/journals/1/journal").join(name), journal.join(name)).expect("it copies");
    }
    let path = journal.join("00000001.seg");
    let mut bytes = std::fs::read(&path).expect("it reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path, bytes).expect("it writes");
    let theirs = read(copy.path());
    let said = String::from_utf8_lossy(&theirs.stderr);
    assert!(theirs.status.code() == Some(1) && said.contains("segment 1, offset"), "{said}");
}
