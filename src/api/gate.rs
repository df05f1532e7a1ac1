//! The gate: how much may be under way at the edge at once, and how a body comes in.
//!
//! It counts and measures; it knows nothing of what is asked.

use super::Api;
use super::limits::{BODY_BYTES_MAX, BODY_WAIT_MAX, ORDERS_IN_FLIGHT_MAX, REQUESTS_IN_FLIGHT_MAX, STREAMS_MAX};
use super::problem::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub struct Gate {
    requests: Arc<Semaphore>,
    orders: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Gate {
            requests: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT_MAX)),
            orders: Arc::new(Semaphore::new(ORDERS_IN_FLIGHT_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        }
    }
}

impl Gate {
    /// Room for so many orders until the permit is dropped.
    pub fn orders(&self, count: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let full = || Problem::overloaded(format!("{ORDERS_IN_FLIGHT_MAX} orders are being written already"));
        let count = u32::try_from(count).map_err(|_| full())?;
        self.orders.clone().try_acquire_many_owned(count).map_err(|_| full())
    }

    /// Room for one more event stream until the permit is dropped.
    pub fn stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let full = |_| Problem::overloaded(format!("{STREAMS_MAX} event streams are open already"));
        self.streams.clone().try_acquire_owned().map_err(full)
    }

    #[cfg(test)]
    pub fn take_all_requests(&self) -> OwnedSemaphorePermit {
        self.requests.clone().try_acquire_many_owned(REQUESTS_IN_FLIGHT_MAX as u32).unwrap()
    }
}

/// Lets a request through while there is room.
pub async fn bound(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    match api.gate.requests.clone().try_acquire_owned() {
        Ok(_permit) => Ok(next.run(request).await),
        Err(_) => Err(Problem::overloaded(format!("{REQUESTS_IN_FLIGHT_MAX} requests are being answered already"))),
    }
}

/// A whole JSON body, as bytes. Asking for the media type also keeps web pages of others from posting here unasked:
/// a browser sends JSON to another site only after a preflight, which is not answered.
pub async fn json_body(api: &Api, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("Content-Type is {media:?}; send application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body is not JSON", detail));
    }
    match api.clock.timeout(BODY_WAIT_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Some(Ok(whole)) => Ok(whole.to_bytes()),
        Some(Err(e)) if e.is::<LengthLimitError>() => {
            Err(Problem::too_large(format!("the body is over the limit of {BODY_BYTES_MAX} bytes; send the orders in several requests")))
        }
        Some(Err(e)) => Err(Problem::bad_request(format!("the body broke off: {e}"))),
        None => {
            let detail = format!("the body was not here within {} s", BODY_WAIT_MAX.as_secs_f64());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-late", "The body came too slowly", detail))
        }
    }
}
