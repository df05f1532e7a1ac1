//! Simulated carriers: the far end of the HTTP wire, as axum routers called in process.
//!
//! Each imitates the endpoints, bodies, refusals and idempotency of a real API closely enough that the driver cannot tell;
//! prices come from small tariffs of their own ([`postage`]). What was sold, and what becomes of every parcel handed over,
//! stands in one [`CarrierBook`]. Nothing here knows a driver, a station or the twin, and nothing sets a timer: tracking
//! shows whatever of a parcel's plan lies in the past.
//!
//! ```text
//! driver ─► SimWire ─(latency, faults)─► usps::router ──┐
//!                                        mydhl::router ─┼─► CarrierBook ◄─ collect(), fate() ─ the floor
//!                                    forwarder::router ─┘
//! ```

pub mod book;
pub mod forwarder;
pub mod mydhl;
mod mydhl_answers;
mod mydhl_bodies;
mod pen;
pub mod postage;
pub mod transit;
pub mod usps;
mod usps_answers;
mod usps_bodies;
pub mod wire;
mod zpl;

#[cfg(test)]
mod tests;

pub use book::{CarrierBook, Collected, LabelFault};
pub use transit::{Fate, Reliability};
pub use wire::{Fault, LatencyModel, SimWire};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use drivers::Clock;
use drivers::carriers::CarrierKind;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use twin::CarrierId;

/// The longest request body that a simulated carrier reads, in bytes.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Room made for an answer before it is written, in bytes.
const ANSWER_BYTES_USUAL: usize = 2_048;

/// What a simulated carrier knows of us, and how well it works.
#[derive(Clone, Debug)]
pub struct Account {
    pub carrier: CarrierId,
    /// In the form that the driver of this kind is given.
    pub secret: String,
    pub reliability: Reliability,
}

/// The router of a simulated carrier of that kind.
pub fn router(kind: CarrierKind, book: &CarrierBook, clock: Clock, account: Account) -> Router {
    match kind {
        CarrierKind::Usps => usps::router(book, clock, account),
        CarrierKind::Mydhl => mydhl::router(book, clock, account),
        CarrierKind::Forwarder => forwarder::router(book, clock, account),
    }
}

/// An answer in JSON.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES_USUAL);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => with_type(status, JSON, bytes.into()),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn with_type(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Reads a body; the error is what is wrong with it.
fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|e| e.to_string())?;
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// The whole body, or `None` where it is over the limit.
async fn body(body: Body) -> Option<Bytes> {
    axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.ok()
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
