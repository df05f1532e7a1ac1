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
    /// Nothing was sent: no such name, nobody listens there, no request that could be sent.
    #[error("cannot reach {host}: {why}")]
    Unreachable { host: String, why: String },
    /// The request may have arrived.
    #[error("the connection to {host} broke off: {why}")]
    Broken { host: String, why: String },
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
            let fault = |e: reqwest::Error| {
                let (host, is_unsent, why) = (host.clone(), e.is_connect() || e.is_builder(), e.without_url().to_string());
                if is_unsent { WireError::Unreachable { host, why } } else { WireError::Broken { host, why } }
            };
            let request = reqwest::Request::try_from(request).map_err(fault)?;
            let mut answer = client.execute(request).await.map_err(fault)?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(fault)? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a host that does this with a connection comes to.
    fn called(at: Option<&'static [u8]>) -> WireError {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let host = async move {
                // Nobody listens any more.
                let Some(answer) = at else { return drop(listener) };
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(stream.read(&mut [0; 1_024]).await.unwrap() > 0);
                stream.write_all(answer).await.unwrap();
            };
            let wire = ReqwestWire::new().unwrap();
            let request = Request::post(format!("http://{address}/labels")).body(Bytes::from_static(b"{}")).unwrap();
            if at.is_none() {
                host.await;
                return wire.call(request).await.unwrap_err();
            }
            futures::join!(host, wire.call(request)).1.unwrap_err()
        })
    }

    #[test]
    fn a_host_that_is_not_reached_is_told_from_one_that_hangs_up() {
        let gone = called(None);
        assert!(matches!(gone, WireError::Unreachable { .. }), "{gone}");
        for answer in [&b""[..], b"HTTP/1.1 201 Crea", b"HTTP/1.1 201 Created\r\nContent-Length: 900\r\n\r\n{\"tracking\":\"LA4"] {
            let broken = called(Some(answer));
            assert!(matches!(&broken, WireError::Broken { host, .. } if host == "127.0.0.1"), "{broken}");
        }
    }
}
