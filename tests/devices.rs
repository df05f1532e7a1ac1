#![allow(clippy::disallowed_methods, reason = "a test of the live program waits in real time")]
//! A simulated device by itself speaks the real protocol to anybody, and a live site takes it for a real one.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Live, parceltwin, project};

/// How long a device may take to say something, and a site to notice what became of one.
const PATIENCE: Duration = Duration::from_secs(20);

/// One device in a process of its own. Killed when dropped.
struct Device {
    child: Child,
    /// As it goes into a site file: `tcp:127.0.0.1:41234`, `serial:/dev/pts/5`.
    address: String,
}

impl Device {
    fn start(kind: &str, listen: &str, more: &[&str]) -> Device {
        let mut child =
            parceltwin().args(["device", kind, "--listen", listen]).args(more).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let address = lines.next().expect("it says where it is").expect("its output is text");
        std::thread::spawn(move || lines.for_each(drop));
        Device { child, address }
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address.strip_prefix("tcp:").expect("it listens on TCP")).expect("it accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit can be set");
        stream
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line, without its end.
fn line(from: &mut impl BufRead) -> String {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).expect("the device says something in time");
    String::from_utf8(line).expect("its protocol is ASCII").trim_end().to_owned()
}

/// The first line that `wanted` likes; what comes by itself in between is passed over.
fn await_line(from: &mut impl BufRead, wanted: impl Fn(&str) -> bool) -> String {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let said = line(from);
        if wanted(&said) {
            return said;
        }
    }
    panic!("the device never said it");
}

#[test]
fn the_scale_answers_mt_sics() {
    let device = Device::start("scale", "tcp:127.0.0.1:0", &["--weights", "350", "--every", "0.4"]);
    let stream = device.tcp();
    let mut answers = BufReader::new(stream.try_clone().expect("a socket can be shared"));
    let say = |command: &str| (&stream).write_all(format!("{command}\r\n").as_bytes()).expect("it listens");
    say("@");
    let identity = await_line(&mut answers, |l| l.starts_with("I4 A "));
    assert!(identity.starts_with("I4 A \"") && identity.ends_with('"'), "{identity}");
    // Until one is taken while the load lies on it.
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "it never weighed 350 g");
        say("S");
        let stable = await_line(&mut answers, |l| l.starts_with("S "));
        if stable.starts_with("S S ") && stable.contains("350.") && stable.ends_with(" g") {
            break;
        }
    }
    say("SI");
    let at_once = await_line(&mut answers, |l| l.starts_with("S "));
    assert!(at_once.starts_with("S S ") || at_once.starts_with("S D "), "{at_once}");
    say("Z");
    let zeroed = await_line(&mut answers, |l| l.starts_with("Z "));
    assert!(["Z A", "Z I", "Z +"].contains(&zeroed.as_str()), "{zeroed}");
    say("NONSENSE");
    assert!(["ES", "ET", "EL"].contains(&await_line(&mut answers, |l| l.starts_with('E')).as_str()));
}

#[test]
fn weights_come_in_the_order_in_which_they_are_given() {
    let device = Device::start("scale", "tcp:127.0.0.1:0", &["--weights", "500,750,1000", "--every", "0.2"]);
    let stream = device.tcp();
    let mut answers = BufReader::new(stream.try_clone().expect("a socket can be shared"));
    (&stream).write_all(b"SIR\r\n").expect("it listens");
    let mut seen = Vec::new();
    while seen.len() < 7 {
        let stable = await_line(&mut answers, |l| l.starts_with("S S "));
        let grams: f64 = stable[4..].trim().trim_end_matches(" g").parse().expect("a weight");
        match (grams / 250.0).round() as u32 * 250 {
            // Between two of them it is empty.
            0 => {}
            g if seen.last() == Some(&g) => {}
            g => seen.push(g),
        }
    }
    let order = [500, 750, 1_000];
    let first = order.iter().position(|g| *g == seen[0]).expect("one of them");
    assert!(seen.iter().enumerate().all(|(n, g)| *g == order[(first + n) % 3]), "{seen:?}");
}

#[test]
fn the_printer_prints_and_tells_its_status() {
    let labels = tempfile::tempdir().expect("a temporary folder");
    let device =
        Device::start("printer", "tcp:127.0.0.1:0", &["--labels", labels.path().to_str().expect("a temporary folder has a plain name")]);
    let mut stream = device.tcp();
    stream.write_all(b"^XA^FO30,30^A0N,40^FDHELLO^FS^XZ\n~HS").expect("it listens");
    let mut status = Vec::new();
    let mut byte = [0];
    while status.iter().filter(|b| **b == 0x03).count() < 3 {
        stream.read_exact(&mut byte).expect("~HS is answered with three lines");
        status.push(byte[0]);
    }
    let text = String::from_utf8(status).expect("its protocol is ASCII");
    let lines: Vec<_> = text.split_terminator('\u{3}').map(|l| l.trim_start_matches(['\r', '\n'])).collect();
    assert!(lines.iter().all(|l| l.starts_with('\u{2}')), "{lines:?}");
    let fields: Vec<_> = lines.iter().map(|l| l.trim_start_matches('\u{2}').split(',').count()).collect();
    assert_eq!(fields, [12, 11, 2], "{lines:?}");
    let start = Instant::now();
    let printed = loop {
        if let Some(file) = std::fs::read_dir(labels.path()).expect("the folder is there").next() {
            let zpl = std::fs::read_to_string(file.expect("it can be read").path()).expect("a label is text");
            if zpl.contains("^XZ") {
                break zpl;
            }
        }
        assert!(start.elapsed() < PATIENCE, "the label never came out");
        std::thread::yield_now();
    };
    assert!(printed.contains("^FDHELLO^FS"), "{printed}");
}

/// One telegram as a foreign control would write it.
fn telegram(sequence: u32, kind: &str, payload: &str) -> String {
    let telegram = format!("{:*<160}\r\n", format!("###00160MFC__SRT01{sequence:05}{kind}{payload}20261109100000"));
    assert_eq!(telegram.len(), 162);
    telegram
}

#[test]
fn the_sorter_shakes_hands_and_asks() {
    let device = Device::start("sorter", "tcp:127.0.0.1:0", &["--every", "0.4"]);
    let mut stream = device.tcp();
    stream.write_all(telegram(1, "SYNQ", "").as_bytes()).expect("it listens");
    let next = |stream: &mut TcpStream| {
        let mut telegram = [0; 162];
        stream.read_exact(&mut telegram).expect("a telegram comes");
        String::from_utf8(telegram.to_vec()).expect("its protocol is ASCII")
    };
    let mut kinds = Vec::new();
    let mut asked = None;
    let confirmed = loop {
        let telegram = next(&mut stream);
        assert!(telegram.starts_with("###00160") && telegram.ends_with("\r\n"), "{telegram}");
        let (kind, barcode) = (telegram[23..27].to_owned(), telegram[27..47].to_owned());
        if kind == "REQ_" && asked.is_none() && kinds.contains(&"SYNC".to_owned()) {
            let sequence: u32 = telegram[18..23].parse().expect("a sequence is a number");
            let (at, to, group) = (&telegram[47..67], "CHUT0003000000000000", "*".repeat(20));
            let answer = self::telegram(sequence + 1, "RES_", &format!("{barcode}{at}{to}{group}00000000"));
            stream.write_all(answer.as_bytes()).expect("it listens");
            asked = Some(barcode);
        } else if kind == "SYNC" {
            assert_eq!(&telegram[18..23], "00002", "an answer has the request's number plus one: {telegram}");
            kinds.push(kind);
            continue;
        } else if kind == "UPD_" && asked.as_ref() == Some(&barcode) {
            break telegram;
        }
        kinds.push(kind);
        assert!(kinds.len() < 50, "{kinds:?}");
    };
    assert_eq!(&confirmed[47..67], "CHUT0003000000000000", "it went where we said: {confirmed}");
    assert_eq!(&confirmed[67..75], "00000000", "{confirmed}");
}

#[test]
fn the_scanner_reads_what_passes() {
    let device = Device::start("scanner", "tcp:127.0.0.1:0", &["--codes", "ABC123", "--every", "0.1"]);
    let mut lines = BufReader::new(device.tcp());
    let read = await_line(&mut lines, |l| l.contains("ABC123"));
    let sides: Vec<u32> = read.trim_matches(['\u{2}', '\u{3}']).split(';').skip(1).map(|s| s.parse().expect("millimetres")).collect();
    assert!(sides.len() == 3 && sides.iter().all(|s| (50..500).contains(s)), "{read}");
}

#[test]
fn on_a_pseudo_terminal_a_client_needs_nothing_but_its_name() {
    let device = Device::start("scanner", "pty", &["--codes", "PTY-1", "--every", "0.1"]);
    let path = device.address.strip_prefix("serial:").expect("it has a terminal");
    let terminal = std::fs::File::open(path).expect("it can be opened");
    let read = await_line(&mut BufReader::new(terminal), |l| l.contains("PTY-1"));
    assert!(read.contains(';'), "{read}");
}

#[test]
fn what_is_no_device_or_no_address_is_named() {
    for (kind, listen, says) in [
        ("toaster", "pty", "toaster"),
        ("scale", "tcp:nowhere", "tcp:nowhere"),
        ("scale", "pigeon", "pigeon"),
        ("scale", "tcp:1.2.3.4:1", "tcp:1.2.3.4:1"),
    ] {
        let output = parceltwin().args(["device", kind, "--listen", listen]).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(2), "{kind} {listen}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(says), "{kind} {listen}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_site_takes_standalone_devices_for_real_ones() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut scale = Device::start("scale", "tcp:127.0.0.1:0", &["--weights", "350"]);
    let scanner = Device::start("scanner", "pty", &["--codes", "UNKNOWN-1", "--every", "1"]);
    let sorter = Device::start("sorter", "tcp:127.0.0.1:0", &[]);
    let printer = Device::start("printer", "pty", &[]);
    let mut site = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("the bundled site is there");
    for (kind, device) in [("scale", &scale), ("scanner", &scanner), ("sorter", &sorter), ("printer", &printer)] {
        let was = format!("id = \"SZX/line-1/{kind}\", kind = \"{kind}\", address = \"sim:\"");
        assert!(site.contains(&was), "the bundled site has changed");
        site = site.replace(&was, &was.replace("sim:", &device.address));
    }
    let file = folder.path().join("site.toml");
    std::fs::write(&file, site).expect("it can be written");
    let products = "sku,category,weight_g,length_mm,width_mm,height_mm,battery\nP-000007,toys,300,200,150,80,0\n";
    std::fs::write(folder.path().join("products.csv"), products).expect("it can be written");
    std::fs::write(folder.path().join("stock.csv"), "warehouse,sku,on_hand\nLAX,P-000007,5\nSZX,P-000007,5\n").expect("it can be written");
    let live = Live::start(&folder.path().join("data"), &[file.to_str().expect("a temporary folder has a plain name")]);
    let client = reqwest::Client::new();
    for kind in ["scale", "scanner", "sorter", "printer"] {
        let is = await_device(&client, &live, &format!("SZX/line-1/{kind}"), true).await;
        assert!(!is["identity"].as_str().expect("a text").is_empty(), "{is}");
    }
    // The simulated carriers answer an order that was posted; the rest of the site is simulated still.
    let order = support::order("DEV-1");
    let answer = client.post(format!("{}/api/v1/orders", live.url)).json(&order).send().await.expect("the site answers");
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    let tracked = await_json(&client, &live, "parcels/DEV-1-1", |parcel| parcel["tracking"].is_string()).await;
    assert_eq!(tracked["plan"]["warehouse"], "LAX", "{tracked}");
    // Its plug is pulled.
    let before = await_device(&client, &live, "SZX/line-1/scale", true).await;
    let address = scale.address.clone();
    drop(scale);
    let gone = await_device(&client, &live, "SZX/line-1/scale", false).await;
    assert_eq!(gone["disconnects"].as_u64(), before["disconnects"].as_u64().map(|n| n + 1));
    // Another one is put in its place.
    scale = Device::start("scale", &address, &["--weights", "350"]);
    assert_eq!(scale.address, address);
    let back = await_device(&client, &live, "SZX/line-1/scale", true).await;
    assert_eq!(back["identity"], before["identity"]);
}

/// A device that nobody simulates: `talk` has the first connection for itself.
fn far_end(talk: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = format!("tcp:{}", listener.local_addr().expect("it has an address"));
    std::thread::spawn(move || listener.accept().map(|(stream, _)| talk(stream)));
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn device_trouble_is_told_and_told_once() {
    let scanner = far_end(|mut stream| {
        let _ = stream.write_all(&[0xaa; 1_000_000]);
        let _ = stream.read(&mut [0]);
    });
    let scale = far_end(|mut stream| {
        let mut said = BufReader::new(stream.try_clone().expect("a socket can be shared"));
        assert_eq!(line(&mut said), "@");
        stream.write_all(b"I4 A \"ODD1\"\r\n").expect("it listens");
        assert_eq!(line(&mut said), "SR");
        for _ in 0..5_000 {
            stream.write_all(b"S S       1.00 lb\r\nS S       0.00 g\r\n").expect("it listens");
        }
        stream.write_all(b"S S       1.00 lb\r\n").expect("it listens");
        let _ = said.read(&mut [0]);
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut site = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("the bundled site is there");
    for (kind, address) in [("scale", &scale), ("scanner", &scanner)] {
        let was = format!("id = \"SZX/line-1/{kind}\", kind = \"{kind}\", address = \"sim:\"");
        assert!(site.contains(&was), "the bundled site has changed");
        site = site.replace(&was, &was.replace("sim:", address));
    }
    let file = folder.path().join("site.toml");
    std::fs::write(&file, site).expect("it can be written");
    std::fs::write(folder.path().join("products.csv"), "sku,category,weight_g,length_mm,width_mm,height_mm,battery\n").expect("a file");
    std::fs::write(folder.path().join("stock.csv"), "warehouse,sku,on_hand\n").expect("it can be written");
    let live = Live::start(&folder.path().join("data"), &[file.to_str().expect("a temporary folder has a plain name")]);
    let client = reqwest::Client::new();
    let degraded = |device: &serde_json::Value| device["fault"] == "sends what cannot be read" && device["online"] == true;
    await_json(&client, &live, "devices/SZX/line-1/scanner", degraded).await;
    let odd = |device: &serde_json::Value| device["fault"] == "weighs in lb: set it to g";
    await_json(&client, &live, "devices/SZX/line-1/scale", odd).await;
    let board = await_json(&client, &live, "board", |b| b["problems_open"] == 2).await;
    let text = board["problems"].to_string();
    assert_eq!((text.matches("weighs in lb").count(), text.matches("sends what cannot be read").count()), (1, 1), "{text}");
    assert!(board["records"].as_u64().is_some_and(|n| n < 60), "{} records", board["records"]);
    let metrics = client.get(format!("{}/metrics", live.url)).send().await.expect("the site answers").text().await.expect("a text");
    assert!(metrics.contains("parceltwin_device_garbage_bytes_total{device=\"SZX/line-1/scanner\"}"), "{metrics}");
}

async fn await_device(client: &reqwest::Client, live: &Live, id: &str, online: bool) -> serde_json::Value {
    await_json(client, live, &format!("devices/{id}"), |device| device["online"] == online).await
}

/// Asks until the answer is as it should become.
async fn await_json(client: &reqwest::Client, live: &Live, path: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let start = Instant::now();
    let mut last = serde_json::Value::Null;
    while start.elapsed() < PATIENCE {
        let answer = client.get(format!("{}/api/v1/{path}", live.url)).send().await.expect("the site answers");
        if answer.status().is_success() {
            last = answer.json().await.expect("it is JSON");
            if wanted(&last) {
                return last;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} did not become so: {last}");
}
