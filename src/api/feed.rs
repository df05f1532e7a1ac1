//! What is written just now, for all event streams together: each record is made JSON once, and so many bytes are kept.
//!
//! A stream that is further behind than that reads the journal. A stream that takes nothing at all while so many bytes are
//! written is cut off. Neither ever holds up the ledger: one task takes what it tells, at once.

use super::connections::Connection;
use super::limits::{FEED_BYTES_MAX, LISTENER_BYTES_WAITING_MAX, Limit, LimitLog};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use twin::{Key, Record};

/// A record as a stream sends it.
pub struct Shown {
    pub seq: u64,
    pub key: Key,
    /// `parcel.sorted`.
    pub name: String,
    pub data: String,
}

impl Shown {
    pub fn of(record: &Record) -> Self {
        let json = serde_json::to_value(record).unwrap_or_else(|error| {
            tracing::error!(seq = record.seq, %error, "a record cannot be written as JSON");
            Value::Null
        });
        Shown { seq: record.seq, key: record.key.clone(), name: name(&json["event"]), data: json.to_string() }
    }

    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.data.len()
    }
}

/// `parcel.sorted` for an event that is written `{"parcel":{"sorted":…}}` or `{"parcel":"packed"}`.
fn name(event: &Value) -> String {
    let Some((kind, what)) = event.as_object().and_then(|map| map.iter().next()) else { return "event".into() };
    match what {
        Value::String(word) => format!("{kind}.{word}"),
        Value::Object(map) => map.keys().next().map_or_else(|| kind.clone(), |word| format!("{kind}.{word}")),
        _ => kind.clone(),
    }
}

/// One stream, as the feed sees it.
#[derive(Default)]
pub struct Listener {
    connection: Option<Arc<Connection>>,
    /// How many bytes had been written when it took something last.
    took_at: AtomicU64,
    cut: AtomicBool,
}

impl Listener {
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }
}

pub struct Feed {
    limits: Arc<LimitLog>,
    inner: Mutex<Inner>,
    /// The newest record's number; `None` when there will be no more.
    newest: watch::Sender<Option<u64>>,
}

#[derive(Default)]
struct Inner {
    running: bool,
    kept: VecDeque<Arc<Shown>>,
    kept_bytes: usize,
    /// Since the feed began.
    written_bytes: u64,
    listeners: Vec<Weak<Listener>>,
}

impl Feed {
    pub fn new(limits: Arc<LimitLog>) -> Self {
        Feed { limits, inner: Mutex::default(), newest: watch::Sender::new(Some(0)) }
    }

    /// A new listener, and where it hears that something is new. The task that feeds begins with the first.
    pub fn join(
        self: &Arc<Self>,
        records: &broadcast::Sender<Arc<Vec<Record>>>,
        connection: Option<Arc<Connection>>,
    ) -> (Arc<Listener>, watch::Receiver<Option<u64>>) {
        let mut inner = self.lock();
        let listener = Arc::new(Listener { connection, took_at: AtomicU64::new(inner.written_bytes), ..Listener::default() });
        inner.listeners.push(Arc::downgrade(&listener));
        if !std::mem::replace(&mut inner.running, true) {
            let (feed, records) = (self.clone(), records.subscribe());
            tokio::spawn(async move { feed.run(records).await });
        }
        (listener, self.newest.subscribe())
    }

    /// How many streams come from this connection's peer.
    pub fn from_peer(&self, connection: &Connection) -> usize {
        let from_there = |l: Arc<Listener>| l.connection.as_ref().is_some_and(|c| c.peer() == connection.peer());
        self.lock().listeners.iter().filter_map(Weak::upgrade).filter(|l| from_there(l.clone())).count()
    }

    /// What was written after a number, as far as it is kept; `None` where the journal must be read instead.
    pub fn after(&self, seq: u64) -> Option<Vec<Arc<Shown>>> {
        let inner = self.lock();
        let first = inner.kept.front().map_or(u64::MAX, |shown| shown.seq);
        let newest = self.newest.borrow().unwrap_or_default();
        if newest <= seq {
            return Some(Vec::new());
        }
        (first <= seq + 1).then(|| inner.kept.iter().filter(|shown| shown.seq > seq).cloned().collect())
    }

    /// A listener goes on reading.
    pub fn takes(&self, listener: &Listener) {
        listener.took_at.store(self.lock().written_bytes, Ordering::Relaxed);
    }

    async fn run(&self, mut records: broadcast::Receiver<Arc<Vec<Record>>>) {
        loop {
            match records.recv().await {
                Ok(group) => self.write(&group),
                // What is left out is in the journal.
                Err(RecvError::Lagged(_)) => self.forget(),
                Err(RecvError::Closed) => break,
            }
        }
        self.newest.send_replace(None);
    }

    pub(super) fn write(&self, group: &[Record]) {
        let Some(newest) = group.last().map(|record| record.seq) else { return };
        let mut cut = Vec::new();
        {
            let mut inner = self.lock();
            inner.listeners.retain(|listener| listener.strong_count() > 0);
            if inner.listeners.is_empty() {
                (inner.kept, inner.kept_bytes) = (VecDeque::new(), 0);
            } else {
                if inner.kept.back().is_some_and(|last| last.seq + 1 != group[0].seq) {
                    (inner.kept, inner.kept_bytes) = (VecDeque::new(), 0);
                }
                for record in group {
                    inner.keep(Shown::of(record));
                }
                let written = inner.written_bytes;
                for listener in inner.listeners.iter().filter_map(Weak::upgrade) {
                    let waiting = written.saturating_sub(listener.took_at.load(Ordering::Relaxed));
                    if waiting > LISTENER_BYTES_WAITING_MAX && !listener.cut.swap(true, Ordering::Relaxed) {
                        cut.push((listener, waiting));
                    }
                }
            }
        }
        self.newest.send_replace(Some(newest));
        for (listener, waiting) in cut {
            let peer = listener.connection.as_ref().map_or_else(|| "nobody".to_owned(), |c| c.peer().to_string());
            let detail = format!("an event stream of {peer} took nothing while {waiting} bytes were written: it is cut off");
            self.limits.reached(Limit::ListenerBytes, &detail);
            if let Some(connection) = &listener.connection {
                connection.cut();
            }
        }
    }

    fn forget(&self) {
        let mut inner = self.lock();
        (inner.kept, inner.kept_bytes) = (VecDeque::new(), 0);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn keep(&mut self, shown: Shown) {
        self.kept_bytes += shown.bytes();
        self.written_bytes += shown.bytes() as u64;
        self.kept.push_back(Arc::new(shown));
        while self.kept_bytes > FEED_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.bytes();
        }
    }
}
