//! The gate: how much may be under way at the edge at once, and how a body comes in.
//!
//! It counts and measures; it knows nothing of what is asked.

use super::Api;
use super::connections::Connection;
use super::limits::{
    BODY_BYTES_FREE, BODY_BYTES_IN_FLIGHT_MAX, BODY_BYTES_MAX, BODY_GRACE, BODY_RATE_MIN, BODY_WAIT_MAX, Limit, LimitLog,
    ORDERS_IN_FLIGHT_MAX, REQUESTS_IN_FLIGHT_MAX, STREAMS_MAX,
};
use super::problem::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use drivers::Clock;
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use twin::Span;

pub struct Gate {
    requests: Arc<Semaphore>,
    orders: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    body_bytes: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Gate {
            requests: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT_MAX)),
            orders: Arc::new(Semaphore::new(ORDERS_IN_FLIGHT_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            body_bytes: Arc::new(Semaphore::new(BODY_BYTES_IN_FLIGHT_MAX)),
        }
    }
}

impl Gate {
    /// Room for so many orders until the permit is dropped.
    pub fn orders(&self, limits: &LimitLog, count: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let full = || overloaded(limits, Limit::OrdersInFlight, format!("{ORDERS_IN_FLIGHT_MAX} orders are being written already"));
        let count = u32::try_from(count).map_err(|_| full())?;
        self.orders.clone().try_acquire_many_owned(count).map_err(|_| full())
    }

    /// Room for one more event stream until the permit is dropped.
    pub fn stream(&self, limits: &LimitLog) -> Result<OwnedSemaphorePermit, Problem> {
        let full = |_| overloaded(limits, Limit::Streams, format!("{STREAMS_MAX} event streams are open already"));
        self.streams.clone().try_acquire_owned().map_err(full)
    }

    #[cfg(test)]
    pub fn take_all_requests(&self) -> OwnedSemaphorePermit {
        self.requests.clone().try_acquire_many_owned(REQUESTS_IN_FLIGHT_MAX as u32).unwrap()
    }
}

fn overloaded(limits: &LimitLog, limit: Limit, detail: String) -> Problem {
    limits.reached(limit, &detail);
    Problem::overloaded(detail)
}

/// Lets a request through while there is room.
pub async fn bound(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    match api.gate.requests.clone().try_acquire_owned() {
        Ok(_permit) => Ok(next.run(request).await),
        Err(_) => {
            let detail = format!("{REQUESTS_IN_FLIGHT_MAX} requests are being answered already");
            Err(overloaded(&api.limits, Limit::RequestsInFlight, detail))
        }
    }
}

/// Waits for the whole body before the request takes the place of another: who sends slowly holds up nobody else.
pub async fn whole(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    if !matches!(*request.method(), Method::POST | Method::PUT) {
        return Ok(next.run(request).await);
    }
    let (head, body) = request.into_parts();
    let coming_in = head.extensions.get::<Arc<Connection>>().map(Connection::body_comes_in);
    let (bytes, _room) = match collect(&api.clock, &api.gate, &head.headers, body).await {
        Ok(whole) => whole,
        Err((limit, problem)) => {
            if let Some(limit) = limit {
                api.limits.reached(limit, &problem.detail);
            }
            return Err(problem);
        }
    };
    drop(coming_in);
    Ok(next.run(Request::from_parts(head, Body::from(bytes))).await)
}

type Refusal = (Option<Limit>, Problem);

async fn collect(
    clock: &Clock,
    gate: &Gate,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
    let too_large = || {
        let detail = format!("the body is over the limit of {BODY_BYTES_MAX} bytes; send the orders in several requests");
        (Some(Limit::BodyBytes), Problem::too_large(detail))
    };
    let told = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let began = clock.now();
    let (mut bytes, mut room) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
    loop {
        let passed = clock.now() - began;
        // Until when what is here already is enough.
        let enough = BODY_GRACE + Span((bytes.len() as u64 * 1_000_000 / BODY_RATE_MIN) as i64);
        let limit = enough.min(BODY_WAIT_MAX);
        let frame = clock.timeout(Span(limit.0 - passed.0), body.frame()).await;
        match frame {
            Some(None) => return Ok((bytes.freeze(), room)),
            // Trailers are nobody's.
            Some(Some(Ok(frame))) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Some(Some(Err(e))) => return Err((None, Problem::bad_request(format!("the body broke off: {e}")))),
            None => return Err(late(bytes.len(), limit < BODY_WAIT_MAX)),
        }
        if bytes.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        let held = BODY_BYTES_FREE + room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if let Some(more) = bytes.len().checked_sub(held).filter(|more| *more > 0) {
            let more = gate.body_bytes.clone().try_acquire_many_owned(more as u32).map_err(|_| {
                let detail = format!("{BODY_BYTES_IN_FLIGHT_MAX} bytes of bodies are coming in already");
                (Some(Limit::BodyBytesInFlight), Problem::overloaded(detail))
            })?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
        }
    }
}

fn late(length: usize, slow: bool) -> Refusal {
    let (limit, why) = match slow {
        true => (Limit::BodyRate, format!("slower than {BODY_RATE_MIN} bytes a second")),
        false => (Limit::BodyWait, format!("not whole within {} s", BODY_WAIT_MAX.as_secs_f64())),
    };
    let detail = format!("{length} bytes of the body came, {why}");
    (Some(limit), Problem::new(StatusCode::REQUEST_TIMEOUT, "body-late", "The body came too slowly", detail))
}

/// A whole JSON body, as bytes. Asking for the media type also keeps web pages of others from posting here unasked:
/// a browser sends JSON to another site only after a preflight, which is not answered.
pub async fn json_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    typed_body(headers, body, &[JSON]).await.map(|(_, bytes)| bytes)
}

pub const JSON: &str = "application/json";

/// A whole body of one of these media types, none of which a browser sends unasked, and which it is.
pub async fn typed_body(headers: &HeaderMap, body: Body, taken: &[&'static str]) -> Result<(&'static str, Bytes), Problem> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    let Some(media) = taken.iter().find(|taken| essence.eq_ignore_ascii_case(taken)) else {
        let detail = format!("Content-Type is {media:?}; send {}", taken.join(" or "));
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body is of another sort", detail));
    };
    // It was waited for and measured before.
    let whole = body.collect().await.map_err(|e| Problem::bad_request(format!("the body broke off: {e}")))?;
    Ok((media, whole.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use twin::Moment;

    /// What becomes of a body of pieces with pauses between them, and then nothing; by a clock a thousand times as fast.
    async fn slow(pieces: usize, bytes: usize, pause: Span, ends: bool) -> Result<usize, Refusal> {
        let clock = Clock::free(1_000.0, Moment::default());
        let waits = clock.clone();
        let pieces = futures::stream::iter(0..pieces).then(move |_| {
            let waits = waits.clone();
            async move {
                waits.sleep(pause).await;
                Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; bytes]))
            }
        });
        let never = futures::stream::poll_fn(move |_| if ends { std::task::Poll::Ready(None) } else { std::task::Poll::Pending });
        let body = Body::from_stream(pieces.chain(never));
        collect(&clock, &Gate::default(), &HeaderMap::new(), body).await.map(|(bytes, _)| bytes.len())
    }

    #[tokio::test]
    async fn a_body_comes_whole_in_time_or_is_refused_by_the_limit_that_says_so() {
        assert_eq!(slow(10, 1_000, Span::ZERO, true).await.unwrap(), 10_000);
        for (pieces, bytes, pause, limit) in [
            (0, 0, Span::ZERO, Limit::BodyRate),
            (3, 100, Span::ZERO, Limit::BodyRate),
            (1_000, 1, Span::from_ms(500), Limit::BodyRate),
            (8, 100_000, Span::ZERO, Limit::BodyWait),
        ] {
            let (reached, problem) = slow(pieces, bytes, pause, false).await.unwrap_err();
            assert_eq!((reached, problem.status), (Some(limit), 408), "{pieces} × {bytes}: {problem:?}");
        }
    }

    #[tokio::test]
    async fn small_bodies_find_room_when_large_ones_have_taken_all() {
        let (clock, gate) = (Clock::free(1.0, Moment::default()), Gate::default());
        let headers = HeaderMap::new();
        let ask = |bytes: usize| collect(&clock, &gate, &headers, Body::from(vec![b' '; bytes]));
        let mut large = Vec::new();
        while let Ok(one) = ask(BODY_BYTES_MAX).await {
            large.push(one);
        }
        assert!(large.len() >= BODY_BYTES_IN_FLIGHT_MAX / BODY_BYTES_MAX);
        let (reached, problem) = ask(BODY_BYTES_MAX).await.unwrap_err();
        assert_eq!((reached, problem.status), (Some(Limit::BodyBytesInFlight), 429));
        assert!(ask(BODY_BYTES_FREE).await.is_ok());
        large.pop();
        assert!(ask(BODY_BYTES_MAX / 2).await.is_ok());
        assert_eq!(ask(BODY_BYTES_MAX + 1).await.unwrap_err().1.status, 413);
    }
}
