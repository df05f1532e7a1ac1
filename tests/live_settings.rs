//! The settings of a live site across its starts, and the commands on a twin that no site has open: the program itself.

mod support;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use support::{Live, parceltwin, project};

const SITE: &str = "scenarios/quick-start/site.toml";

fn written(folder: &Path, name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let text = std::fs::read_to_string(project().join(SITE)).expect("it is bundled");
    let path = folder.join(name);
    std::fs::write(&path, change(text)).expect("it can be written");
    path
}

/// Starts a site with a file, lets it come up, ends it, and returns what it said on standard error.
fn started(data: &Path, more: &[&str]) -> String {
    let errors = tempfile::NamedTempFile::new().expect("a file");
    let mut command = parceltwin();
    command.args(["live", "--simulated", "--orders-per-hour", "0", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
    command.stderr(Stdio::from(errors.reopen().expect("it opens")));
    Live::spawn(&mut command).kill();
    std::fs::read_to_string(errors.path()).expect("it reads")
}

fn settings(data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        parceltwin().arg("settings").args(arguments).arg("--data").arg(data).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (status.code(), text(stdout), text(stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}

#[test]
fn a_restart_never_undoes_what_was_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("twin");
    let first = written(folder.path(), "site.toml", |text| text);
    let other = written(folder.path(), "other.toml", |text| text.replace("CNY = \"7.12\"", "CNY = \"7.30\""));
    assert_eq!(started(&data, &[text(&first)]), "", "at the first start the file is taken");
    // Changed meanwhile; killed, and started with the file as it was.
    let (status, out, _) = settings(&data, &["import", text(&other), "--by", "li", "--note", "the yuan fell"]);
    assert_eq!((status, &out[..]), (Some(0), "version 2: a draft\n"));
    let (status, out, _) = settings(&data, &["activate", "2", "--by", "li", "--reason", "as of today"]);
    assert_eq!((status, &out[..]), (Some(0), "version 2: in force\n"));
    let said = started(&data, &[text(&first)]);
    for words in ["is not what is in force, which is version 2", "fx\n  ~ rates.CNY: \"7.30\" -> \"7.12\"", "take the file with --take"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(started(&data, &[text(&other)]), "", "nothing is said where both are the same");
    let (_, exported, _) = settings(&data, &["export"]);
    assert!(exported.contains("CNY = \"7.30\""), "{exported}");
    // Until somebody says so.
    let said = started(&data, &[text(&first), "--take"]);
    assert!(said.contains("version 3 of the settings is in force, taken from"), "{said}");
    let (_, list, _) = settings(&data, &["list"]);
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    let stages: Vec<_> = lines.iter().map(|words| (words[0], words[1])).collect();
    assert_eq!(stages, [("3", "active"), ("2", "archived"), ("1", "archived")]);
    assert!(list.contains("li  as of today") && list.contains("at the first start"), "{list}");
    assert_eq!(started(&data, &[text(&first), "--take"]), "", "the same is not taken twice");
    let verified = parceltwin().args(["twin", "verify", "--data"]).arg(&data).output().expect("the program runs");
    assert!(verified.status.success());
}

#[test]
fn what_needs_a_restart_is_there_with_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("twin");
    let file = written(folder.path(), "site.toml", |text| text);
    let other = written(folder.path(), "other.toml", |text| text.replace("\"SZX/bench-2", "\"SZX/bench-9"));
    started(&data, &[text(&file)]);
    settings(&data, &["import", text(&other), "--by", "li"]);
    let (_, out, err) = settings(&data, &["activate", "2", "--by", "li", "--reason", "another bench"]);
    assert!(out == "version 2: in force\n", "{out}{err}");
    // What waits for a start is there with it.
    let mut live = Live::start(&data, &[text(&other), "--simulated", "--orders-per-hour", "0"]);
    let board = answer_of(&format!("{}/api/v1/board", live.url));
    assert!(board.contains("SZX/bench-9") && !board.contains("SZX/bench-2"), "{board}");
    let listed = answer_of(&format!("{}/api/v1/settings", live.url));
    assert!(listed.contains("\"in_force\":2") && listed.contains("\"needs_restart\":[]"), "{listed}");
    // A running site has its twin to itself.
    let (status, _, err) = settings(&data, &["list"]);
    assert!(status == Some(2) && err.contains("in use by another process"), "{err}");
    live.kill();
}

/// One answer over a plain connection.
fn answer_of(url: &str) -> String {
    asked("GET", url, "")
}

fn asked(method: &str, url: &str, more: &str) -> String {
    let rest = url.strip_prefix("http://").expect("an address");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host).expect("it listens");
    let more = if more.is_empty() { "\r\n" } else { more };
    write!(stream, "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}").expect("it takes it");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn post(url: &str, media: &str, body: &str) -> String {
    asked("POST", url, &format!("Content-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

#[test]
fn what_was_answered_is_in_force_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("twin");
    let file = written(folder.path(), "site.toml", |text| text);
    let mut live = Live::start(&data, &[text(&file), "--simulated"]);
    let settings = format!("{}/api/v1/settings", live.url);
    let text_of = |rate: &str| std::fs::read_to_string(&file).expect("it reads").replace("\"7.12\"", &format!("\"{rate}\""));
    for (number, rate) in [(2, "7.21"), (3, "7.22"), (4, "7.23")] {
        let drafted = post(&settings, "application/toml", &text_of(rate));
        assert!(drafted.starts_with("HTTP/1.1 201") && drafted.contains(&format!("\"number\":{number},\"new\":true")), "{drafted}");
        let activated = post(&format!("{settings}/{number}/activate"), "application/json", r#"{"reason": "the rate of the day"}"#);
        assert!(activated.contains("\"stage\":\"active\""), "{activated}");
    }
    // And one for later.
    let draft = post(&settings, "application/toml", &text_of("7.30"));
    assert!(draft.contains("\"number\":5"), "{draft}");
    let planned = post(&format!("{settings}/5/activate"), "application/json", r#"{"reason": "later", "from": "2190-01-01T00:00:00Z"}"#);
    assert!(planned.contains("\"stage\":\"planned\""), "{planned}");
    live.kill();
    let said = started(&data, &[text(&file)]);
    for words in ["which is version 4", "\"7.23\" -> \"7.12\"", "version 5 of the settings will be in force from 2190-01-01T00:00:00Z on"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("twin");
    let file = written(folder.path(), "site.toml", |text| text);
    started(&data, &[text(&file)]);
    let faulty = written(folder.path(), "faulty.toml", |text| text.replacen("carrier = \"usps\"", "carrier = \"nobody\"", 1));
    for (arguments, status, words) in [
        (vec!["import", text(&faulty), "--by", "li"], 2, "there is no carrier nobody"),
        (vec!["import", text(&file), "--by", " "], 2, "--by names nobody"),
        (vec!["import", text(&file), "--by", "li"], 0, ""),
        (vec!["import", "7", "--by", "li"], 2, "there is no version 7"),
        (vec!["activate", "7", "--by", "li", "--reason", "no"], 2, "there is no version 7"),
        (vec!["activate", "1", "--by", "li", "--reason", "no", "--from", "noon"], 2, "--from \"noon\" is no moment"),
        (vec!["archive", "1", "--by", "li", "--reason", "no"], 2, "version 1 is in force"),
        (vec!["diff", text(&file)], 0, ""),
        (vec!["show", "--part", "none"], 2, "version 1 has no part \"none\"; it has carrier/direct"),
        (vec!["show", "--part", "fx"], 0, ""),
    ] {
        let (is, out, err) = settings(&data, &arguments);
        assert_eq!(is, Some(status), "{arguments:?}: {out}{err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    let (_, out, _) = settings(&data, &["show"]);
    let shown: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!((&shown["stage"], &shown["drafted_by"]), (&"active".into(), &"the system".into()));
    let alone = parceltwin().args(["live", "--take"]).output().expect("the program runs");
    assert!(!alone.status.success() && String::from_utf8_lossy(&alone.stderr).contains("SITE"), "--take without a file");
}
