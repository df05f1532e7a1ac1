//! A live site under clients that hold on: half-sent heads, bodies that never end. Everybody else is answered meanwhile.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use support::{Live, order};

fn site() -> (tempfile::TempDir, Live) {
    let folder = tempfile::tempdir().unwrap();
    let live = Live::start(&folder.path().join("twin"), &["--orders-per-hour", "0"]);
    (folder, live)
}

fn connect(live: &Live) -> TcpStream {
    TcpStream::connect(live.url.trim_start_matches("http://")).expect("a connection")
}

/// Asks and hangs up; the status and the answer.
fn ask(live: &Live, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = connect(live);
    let host = live.url.trim_start_matches("http://");
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("the request goes out");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    (status, answer)
}

fn count(live: &Live, limit: &str) -> u64 {
    let (_, metrics) = ask(live, "GET", "/metrics", "");
    let series = format!("parceltwin_http_limit_reached_total{{limit=\"{limit}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&series)).expect("every limit has its series");
    line.parse().expect("a number")
}

#[test]
fn half_sent_heads_do_not_silence_the_site() {
    let (_folder, live) = site();
    assert_eq!(count(&live, "connections_per_peer"), 0);
    let mut held = Vec::new();
    for n in 0..800 {
        let mut stream = connect(&live);
        // Where it had to give way already, writing fails; that is its own matter.
        let _ = write!(stream, "GET / HTTP/1.1\r\nHost: x{n}\r\n");
        held.push(stream);
        if n % 200 == 199 {
            assert_eq!(ask(&live, "GET", "/healthz", "").0, 200, "behind {n} half-sent heads");
        }
    }
    assert_eq!(ask(&live, "POST", "/api/v1/orders", &order("A-1").to_string()).0, 201);
    assert_eq!(ask(&live, "GET", "/api/v1/board", "").0, 200);
    assert!(count(&live, "connections_per_peer") > 400);
}

#[test]
fn slow_bodies_hold_nobodys_place() {
    let (_folder, live) = site();
    let host = live.url.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..400 {
        let mut stream = connect(&live);
        let _ = write!(
            stream,
            "POST /api/v1/orders HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n["
        );
        held.push(stream);
    }
    for n in 0..20 {
        assert_eq!(ask(&live, "POST", "/api/v1/orders", &order(&format!("A-{n}")).to_string()).0, 201);
        assert_eq!(ask(&live, "GET", "/api/v1/board", "").0, 200);
    }
    assert_eq!(count(&live, "requests_in_flight"), 0);
}
