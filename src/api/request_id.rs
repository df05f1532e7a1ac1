//! What a request is called, in its answer and in every record that it leads to: by its idempotency key or, where it
//! brings none, by a number of ours.

use super::{Api, idempotency};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use smol_str::{SmolStr, format_smolstr};
use std::sync::atomic::{AtomicU64, Ordering};
use twin::{Because, By, Origin};

pub const HEADER: &str = "x-request-id";

/// Counts requests from 1, behind the length that the journal had when the edge opened: whatever of an earlier run stands
/// in the journal was counted behind a smaller one.
pub struct Numbers {
    journal: u64,
    requests: AtomicU64,
}

impl Numbers {
    pub fn behind(journal: u64) -> Self {
        Numbers { journal, requests: AtomicU64::new(0) }
    }

    fn next(&self) -> SmolStr {
        format_smolstr!("{}-{}", self.journal, self.requests.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Handlers find it among the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestId(SmolStr);

impl RequestId {
    /// The origin of what the request asks for. There is one key to the API so far.
    pub fn origin(self) -> Origin {
        Origin { by: By::ApiKey(SmolStr::new_static("api")), because: Because::Request(self.0) }
    }
}

/// Names a request before it is handled, and its answer too.
pub async fn name(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    // A key that is no good is refused by whoever reads it.
    let key = idempotency::key_of(request.headers()).ok().flatten();
    let id = key.unwrap_or_else(|| api.numbers.next());
    let shown = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    // It came in a header or is a number, so it fits into one.
    if let Ok(shown) = shown {
        response.headers_mut().insert(HEADER, shown);
    }
    response
}
