//! One request in, one response out. Live it is reqwest; in simulation a router called in process.

use crate::Clock;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use twin::Span;

/// The largest response body that is read, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why a request has no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("no answer from {host} within {timeout_ms} ms")]
    Timeout { host: String, timeout_ms: i64 },
    #[error("cannot reach {host}: {why}")]
    Unreachable { host: String, why: String },
    #[error("the answer of {host} is over the limit of {RESPONSE_BYTES_MAX} bytes")]
    TooLarge { host: String },
}

/// The far end of an HTTP conversation. Requests carry absolute URIs.
pub trait HttpWire: Send + Sync {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, WireError>>;
}

/// Calls with a time limit kept on our own clock, so that it holds in virtual time too.
pub async fn call_within(wire: &dyn HttpWire, clock: &Clock, limit: Span, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
    let host = request.uri().host().unwrap_or("?").to_owned();
    match clock.timeout(limit, wire.call(request)).await {
        Some(answer) => answer,
        None => Err(WireError::Timeout { host, timeout_ms: limit.0 / 1_000 }),
    }
}

/// The real network.
#[derive(Clone, Debug)]
pub struct ReqwestWire {
    client: reqwest::Client,
}

impl ReqwestWire {
    pub fn new() -> Result<Self, WireError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("parceltwin/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| WireError::Unreachable { host: "-".into(), why: e.to_string() })?;
        Ok(Self { client })
    }
}

impl HttpWire for ReqwestWire {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, WireError>> {
        let client = self.client.clone();
        Box::pin(async move {
            let host = request.uri().host().unwrap_or("?").to_owned();
            let unreachable = |e: reqwest::Error| WireError::Unreachable { host: host.clone(), why: e.without_url().to_string() };
            let request = reqwest::Request::try_from(request).map_err(unreachable)?;
            let mut answer = client.execute(request).await.map_err(unreachable)?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
                if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
                    return Err(WireError::TooLarge { host });
                }
                body.extend_from_slice(&chunk);
            }
            *response.body_mut() = body.into();
            Ok(response)
        })
    }
}
