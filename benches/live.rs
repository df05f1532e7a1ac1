//! A live site under load, in a process of its own: 50 orders a second over HTTP, simulated carriers that take 200 ms.
//! From the sending of the order to its tracking number in the event stream; and how long the sorter waits for its answer.
//!
//! `cargo bench --bench live [-- SECONDS [ORDERS_A_SECOND]]`

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The first boxes reach the line when they are picked and packed.
const LINE_BUSY_S: u64 = 150;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (seconds, rate) = (numbers.first().copied().unwrap_or(60), numbers.get(1).copied().unwrap_or(50));
    let data = tempfile::tempdir_in(".").expect("a folder on the disk that is measured");
    let mut site = Command::new(env!("CARGO_BIN_EXE_parceltwin"))
        .args(["live", "--listen", "127.0.0.1:0", "--orders-per-hour", "0", "--carrier-latency-ms", "200", "--data"])
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the site starts");
    let mut lines = BufReader::new(site.stdout.take().expect("its output is piped")).lines();
    let url = loop {
        let line = lines.next().expect("it says where it listens").expect("text");
        if let Some((_, url)) = line.split_once("console   ") {
            break url.trim_end_matches('/').to_owned();
        }
    };
    std::thread::spawn(move || lines.for_each(drop));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(load(&url, seconds, rate));
    site.kill().expect("it can be ended");
    site.wait().expect("it ends");
}

async fn load(url: &str, seconds: u64, rate: u64) {
    let client = reqwest::Client::new();
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let waits: Arc<Mutex<Vec<f64>>> = Arc::default();
    let (known, found) = (sent.clone(), waits.clone());
    let mut stream = client.get(format!("{url}/api/v1/events?after=0&entity=parcel")).send().await.expect("events");
    let listener = tokio::spawn(async move {
        let mut rest = Vec::new();
        while let Ok(Some(chunk)) = stream.chunk().await {
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line);
                if !text.starts_with("data:") || !text.contains("label_bought") {
                    continue;
                }
                let Some(at) = text.find("LIVE-") else { continue };
                let id: String = text[at..].chars().take_while(|c| *c != '"').collect();
                let order = id.strip_suffix("-1").unwrap_or(&id);
                if let Some(started) = known.lock().expect("no panic").remove(order) {
                    found.lock().expect("no panic").push(started.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
    });
    let cities =
        [("Austin", "TX", "78701", "US"), ("Miami", "FL", "33125", "US"), ("London", "", "SW1A 1AA", "GB"), ("Berlin", "", "10115", "DE")];
    let started = Instant::now();
    let mut answers = Vec::new();
    for n in 0..seconds * rate {
        tokio::time::sleep_until((started + Duration::from_micros(n * 1_000_000 / rate)).into()).await;
        let (city, region, postcode, country) = cities[n as usize % cities.len()];
        let id = format!("LIVE-{n}");
        let body = serde_json::json!({
            "id": id, "platform": "shopify", "shop": "shopify-1", "placed_at": "2026-11-09T10:00:00+08:00",
            "ship_to": {"name": "A Buyer", "street": "1 Main St", "city": city, "region": region, "postcode": postcode, "country": country},
            "lines": [{"sku": format!("P-{:06}", 1 + n % 1_500), "quantity": 1, "unit_price": {"amount": "7.79", "currency": "USD"}}],
        });
        sent.lock().expect("no panic").insert(id, Instant::now());
        let request = client.post(format!("{url}/api/v1/orders")).json(&body);
        answers.push(tokio::spawn(async move {
            let before = Instant::now();
            let status = request.send().await.expect("an answer").status();
            assert!(status.is_success(), "{status}");
            before.elapsed().as_secs_f64() * 1e3
        }));
    }
    let mut accepted = Vec::new();
    for answer in answers {
        accepted.push(answer.await.expect("a request ends"));
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut waits = waits.lock().expect("no panic").clone();
    println!("{} orders at {rate}/s; accepted: {}", accepted.len(), quantiles(&mut accepted));
    println!("{} of them with a tracking number: {}", waits.len(), quantiles(&mut waits));
    let left = Duration::from_secs(LINE_BUSY_S).saturating_sub(started.elapsed());
    tokio::time::sleep(left).await;
    let metrics = client.get(format!("{url}/metrics")).send().await.expect("metrics").text().await.expect("text");
    println!("how long the sorter waited for its answer:");
    metrics.lines().filter(|l| l.starts_with("parceltwin_divert_answer_seconds")).for_each(|l| println!("  {l}"));
    listener.abort();
}

fn quantiles(ms: &mut [f64]) -> String {
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| ms.get(((ms.len() as f64 * q) as usize).min(ms.len().saturating_sub(1))).copied().unwrap_or(0.0);
    format!("p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms", at(0.5), at(0.99), at(1.0))
}
