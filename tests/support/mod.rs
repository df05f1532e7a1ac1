#![allow(dead_code, reason = "each test uses its part")]
//! What several whole-system tests need: the program itself, started and stopped.

pub mod home;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The program under test.
pub fn parceltwin() -> Command {
    Command::new(env!("CARGO_BIN_EXE_parceltwin"))
}

/// The project's folder.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A live site in a process of its own. Killed when dropped.
pub struct Live {
    pub child: Child,
    pub url: String,
}

impl Live {
    /// Starts a simulated site on a free port and waits until it says where it listens.
    pub fn start(data: &Path, more: &[&str]) -> Live {
        Live::spawn(parceltwin().args(["live", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more))
    }

    /// The same by a command of one's own.
    pub fn spawn(command: &mut Command) -> Live {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let url = loop {
            let line = lines.next().expect("the site says where it listens before it ends").expect("its output is text");
            if let Some((_, url)) = line.split_once("console   ") {
                break url.trim_end_matches('/').to_owned();
            }
        };
        // Somebody must go on reading, or the site would wait for us.
        std::thread::spawn(move || lines.for_each(drop));
        Live { child, url }
    }

    /// Ends the process as a power cut ends it for the process: at once, with nothing said.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running process can be killed");
        self.child.wait().expect("a killed process ends");
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An order for one piece of a product that the quick-start site sells.
pub fn order(id: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id,
        "platform": "shopify",
        "shop": "shopify-1",
        "placed_at": "2026-11-09T10:00:00+08:00",
        "ship_to": {"name": "A Buyer", "street": "1 Main St", "city": "Austin", "region": "TX", "postcode": "78701", "country": "US"},
        "lines": [{"sku": "P-000007", "quantity": 1, "unit_price": {"amount": "7.79", "currency": "USD"}}],
    })
}
