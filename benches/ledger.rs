//! How many events per second become durable: 64 senders, each waiting for its own event, through the ledger on sled.
//!
//! `cargo bench --bench ledger [-- SECONDS [SENDERS]]`

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use actors::ledger::{Host, Ledger, LedgerArguments, LedgerMsg, Pace};
use actors::{Seat, Work};
use drivers::Clock;
use ractor::Actor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use twin::Moment;
use twin::stock::{Command, Stock};

#[path = "../tests/support/home.rs"]
mod home;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (seconds, senders) = (numbers.first().copied().unwrap_or(5), numbers.get(1).copied().unwrap_or(64));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let dir = tempfile::tempdir_in(".").expect("a folder on the disk that is measured");
        let home = home::home(dir.path()).expect("a twin");
        let twin = home.twin.clone();
        let clock = Clock::free(1.0, Moment::default());
        let seat = Seat::default();
        let arguments = LedgerArguments {
            twin: twin.clone(),
            clock: clock.clone(),
            pace: Pace::Disk,
            listeners: tokio::sync::broadcast::channel(16).0,
            seat: seat.clone(),
        };
        Ledger::spawn(None, Ledger, arguments).await.expect("a ledger");
        let done = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let tasks: Vec<_> = (0..senders)
            .map(|n| {
                let (clock, twin, seat, done) = (clock.clone(), twin.clone(), seat.clone(), done.clone());
                tokio::spawn(async move {
                    let mut host = Host::<Stock>::load(&twin, format!("BENCH:{n}")).expect("a new entity");
                    while started.elapsed() < Duration::from_secs(seconds) {
                        let (tell, durable) = tokio::sync::oneshot::channel();
                        let mut work = Work::at(clock.now());
                        host.command(&mut work, Command::Receive { quantity: 1, reference: "bench".into() }).expect("stock takes goods in");
                        work.then(move || tell.send(()).expect("the sender waits"));
                        seat.cast(LedgerMsg::Commit(work));
                        durable.await.expect("the ledger lives");
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a sender ends");
        }
        let (done, took) = (done.load(Ordering::Relaxed), started.elapsed().as_secs_f64());
        assert_eq!(twin.head().records, done);
        println!("{senders} senders, {took:.1} s: {done} durable events, {:.0} a second", done as f64 / took);
    });
}
