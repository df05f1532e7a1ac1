//! Every bound of the HTTP edge, in one place. Each stands in the problem that it causes.
//!
//! Mailboxes behind the edge are unbounded, so what is let in here is what bounds the work of the house.

use twin::Span;

/// The largest request body, in bytes (8 MiB).
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A request body must be here whole within this.
pub const BODY_WAIT_MAX: Span = Span::from_secs(30);
/// Orders in one request.
pub const ORDERS_PER_REQUEST_MAX: usize = 1_000;
/// Orders that are being made durable at once, over all requests.
pub const ORDERS_IN_FLIGHT_MAX: usize = 10_000;
/// Requests to the API that are being answered at once; health and metrics are not counted.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 64;
/// Event streams open at once.
pub const STREAMS_MAX: usize = 64;
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
/// The longest reason of a cancellation, in bytes.
pub const REASON_LENGTH_MAX: usize = 200;
/// Records read from the journal in one go for an event stream.
pub const EVENT_BATCH: usize = 1_000;
/// How many of the newest records a question for an entity's history may read.
pub const HISTORY_SCAN_MAX: u64 = 1_000_000;
/// Records of one history that are answered; the newest stay.
pub const HISTORY_MAX: usize = 500;
/// How many of the newest records are looked through for parcels that changed lately.
pub const RECENT_SCAN: u64 = 2_000;
/// Parcels in the list of those that changed lately.
pub const RECENT_PARCELS_MAX: usize = 40;
/// How old the board may be that is handed to several callers.
pub const BOARD_AGE_MAX: Span = Span::from_ms(500);
/// Ready means that the ledger answers within this.
pub const READY_WAIT_MAX: Span = Span::from_secs(1);
