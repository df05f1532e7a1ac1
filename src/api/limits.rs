//! Every bound of the HTTP edge, in one place. Each stands in the problem that it causes.
//!
//! Mailboxes behind the edge are unbounded, so what is let in here is what bounds the work of the house.

use drivers::Clock;
use metrics::counter;
use std::sync::Mutex;
use twin::{Moment, Span};

/// The largest request body, in bytes (8 MiB).
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A request body must be here whole within this.
pub const BODY_WAIT_MAX: Span = Span::from_secs(30);
/// Orders in one request.
pub const ORDERS_PER_REQUEST_MAX: usize = 1_000;
/// Products or SKU maps in one request.
pub const CHANGES_PER_REQUEST_MAX: usize = 1_000;
/// Orders that are being made durable at once, over all requests.
pub const ORDERS_IN_FLIGHT_MAX: usize = 10_000;
/// Requests to the API that are being answered at once; health and metrics are not counted.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 64;
/// Event streams open at once.
pub const STREAMS_MAX: usize = 64;
/// Event streams to one peer; a proxy and all programs of one machine are one peer.
pub const STREAMS_PER_PEER_MAX: usize = 32;
/// Records just written that are kept for all event streams together, in bytes. Who is further behind reads the journal.
pub const FEED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// An event stream that takes nothing while so many bytes are written is cut off; it may come again with its `Last-Event-ID`.
pub const LISTENER_BYTES_WAITING_MAX: u64 = 16 * 1024 * 1024;
/// Connections at once. Below the 1,024 files that a process may usually have open, with room for the twin and the devices.
pub const CONNECTIONS_MAX: usize = 512;
/// Connections from one peer; a proxy and all programs of one machine are one peer.
pub const CONNECTIONS_PER_PEER_MAX: usize = 256;
/// The head of a request must be here whole within this; an idle connection is closed after it.
pub const HEAD_WAIT_MAX: Span = Span::from_secs(15);
/// A peer that takes nothing of its answer for this long is cut off.
pub const ANSWER_STALL_MAX: Span = Span::from_secs(30);
/// What one connection may buffer of a head or an answer, in bytes.
pub const CONNECTION_BUFFER_BYTES: usize = 64 * 1024;
/// A body may come as slowly as it likes for this long …
pub const BODY_GRACE: Span = Span::from_secs(5);
/// … and then must have come at this rate since, in bytes a second.
pub const BODY_RATE_MIN: u64 = 4 * 1024;
/// Bytes of all bodies that are coming in at once, each beyond its first [`BODY_BYTES_FREE`].
pub const BODY_BYTES_IN_FLIGHT_MAX: usize = 128 * 1024 * 1024;
/// A body up to this length, in bytes, always finds room.
pub const BODY_BYTES_FREE: usize = 64 * 1024;
/// What a 429 tells the caller to wait.
pub const RETRY_AFTER_S: u32 = 1;
/// How long an answer waits for the ledger before it says that it does not know.
pub const COMMIT_WAIT_MAX: Span = Span::from_secs(30);
/// Faulty fields named in one answer.
pub const FIELD_ERRORS_MAX: usize = 50;
/// The longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_LENGTH_MAX: usize = 255;
/// Answers remembered by their `Idempotency-Key`; the one not asked for the longest goes first.
pub const IDEMPOTENCY_KEYS_MAX: usize = 10_000;
/// The longest reason of a cancellation, in characters.
pub const REASON_LENGTH_MAX: usize = 200;
/// Versions of the settings in one answer, the newest.
pub const SETTINGS_LISTED_MAX: usize = 500;
/// Differences between two of them in one answer.
pub const SETTINGS_CHANGES_MAX: usize = 500;
/// Records read from the journal in one go for an event stream.
pub const EVENT_BATCH: usize = 1_000;
/// The same in bytes of JSON: what a stream holds that is not being read.
pub const EVENT_BATCH_BYTES: usize = 256 * 1024;
/// Records of one history in one answer; older ones come with `before`.
pub const HISTORY_MAX: usize = 500;
/// Rows of a page that may be asked for.
pub const PAGE_ROWS_MAX: usize = 200;
/// The longest value of a filter, in characters.
pub const FILTER_LENGTH_MAX: usize = 100;
/// How long an answer waits for a record that it is to know of.
pub const AT_LEAST_WAIT_MAX: Span = Span::from_secs(5);
/// How many of the newest records are looked through for parcels that changed lately.
pub const RECENT_SCAN: u64 = 2_000;
/// Parcels in the list of those that changed lately.
pub const RECENT_PARCELS_MAX: usize = 40;
/// How old the board may be that is handed to several callers.
pub const BOARD_AGE_MAX: Span = Span::from_ms(500);
/// How far back in its own history a device's last trouble is looked for, in records.
pub const TROUBLE_SCAN: usize = 64;
/// A stream that is asked to says that it is alive after so long without anything else.
pub const ALIVE_EVERY: Span = Span::from_secs(1);
/// Ready means that the ledger answers within this.
pub const READY_WAIT_MAX: Span = Span::from_secs(1);
/// The same limit is in the log at most once in this time, with how often it was reached since.
pub const LOG_EVERY: Span = Span::from_secs(10);
/// Counted by `limit`: one of [`Limit::as_str`].
pub const LIMIT_REACHED: &str = "parceltwin_http_limit_reached_total";

/// What somebody ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Host,
    Origin,
    Accept,
    Connections,
    ConnectionsPerPeer,
    HeadWait,
    AnswerStall,
    BodyWait,
    BodyRate,
    BodyBytes,
    BodyBytesInFlight,
    RequestsInFlight,
    OrdersInFlight,
    Streams,
    StreamsPerPeer,
    ListenerBytes,
}

impl Limit {
    pub const ALL: [Limit; 16] = [
        Limit::Host,
        Limit::Origin,
        Limit::Accept,
        Limit::Connections,
        Limit::ConnectionsPerPeer,
        Limit::HeadWait,
        Limit::AnswerStall,
        Limit::BodyWait,
        Limit::BodyRate,
        Limit::BodyBytes,
        Limit::BodyBytesInFlight,
        Limit::RequestsInFlight,
        Limit::OrdersInFlight,
        Limit::Streams,
        Limit::StreamsPerPeer,
        Limit::ListenerBytes,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Limit::Host => "host",
            Limit::Origin => "origin",
            Limit::Accept => "accept",
            Limit::Connections => "connections",
            Limit::ConnectionsPerPeer => "connections_per_peer",
            Limit::HeadWait => "head_wait",
            Limit::AnswerStall => "answer_stall",
            Limit::BodyWait => "body_wait",
            Limit::BodyRate => "body_rate",
            Limit::BodyBytes => "body_bytes",
            Limit::BodyBytesInFlight => "body_bytes_in_flight",
            Limit::RequestsInFlight => "requests_in_flight",
            Limit::OrdersInFlight => "orders_in_flight",
            Limit::Streams => "streams",
            Limit::StreamsPerPeer => "streams_per_peer",
            Limit::ListenerBytes => "listener_bytes",
        }
    }
}

/// Counts how often each limit is reached, and says so once in a while: an attack must not fill the log.
pub struct LimitLog {
    clock: Clock,
    said: Mutex<[Said; Limit::ALL.len()]>,
}

#[derive(Clone, Copy, Default)]
struct Said {
    at: Option<Moment>,
    since: u64,
}

impl LimitLog {
    pub fn by(clock: Clock) -> Self {
        LimitLog { clock, said: Mutex::default() }
    }

    /// A limit was reached; `detail` is what the caller is told, or would be.
    pub fn reached(&self, limit: Limit, detail: &str) {
        counter!(LIMIT_REACHED, "limit" => limit.as_str()).increment(1);
        if let Some(times) = self.due(limit) {
            tracing::warn!(limit = limit.as_str(), times, "a limit of the edge was reached: {detail}");
        }
    }

    /// How often it was reached since it was last said, where it is time to say it again.
    fn due(&self, limit: Limit) -> Option<u64> {
        let now = self.clock.now();
        let mut said = self.said.lock().unwrap_or_else(|e| e.into_inner());
        let said = &mut said[limit as usize];
        said.since += 1;
        if said.at.is_some_and(|at| now - at < LOG_EVERY) {
            return None;
        }
        said.at = Some(now);
        Some(std::mem::take(&mut said.since))
    }
}
