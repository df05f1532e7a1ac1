//! One call to a carrier: within its time limit, and with the answer sorted into success or a [`CarrierError`].
//! It never repeats a call.

use super::{CarrierError, CarrierSettings};
use crate::http_wire::call_within;
use crate::{Clock, HttpWire};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;
use twin::defect::Defect;
use twin::{CarrierId, Span};

/// Waiting time where a carrier throttles without saying for how long, in milliseconds.
const RETRY_AFTER_MS_DEFAULT: u64 = 1_000;
/// Of an error body that is not what the carrier documents, this much is kept, in bytes.
const ERROR_EXCERPT_MAX: usize = 200;

/// Room made for a request before it is written, in bytes.
const REQUEST_BYTES_USUAL: usize = 2_048;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why an answer cannot be read; the caller of the mapping adds whose it was.
pub(super) type Why = String;

/// A body as text. Bytes that are no UTF-8, such as an accent in Latin-1, cost that letter and not the answer.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    twin::text::lossy(body)
}

/// Reads JSON.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Why> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// A string that stays where it is in the body unless it holds escapes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// What a carrier said was wrong, in its own words.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Complaint {
    pub code: String,
    pub message: String,
}

pub(super) struct Caller {
    pub carrier: CarrierId,
    pub clock: Clock,
    /// Scheme, host and path prefix; no slash at the end.
    pub origin: String,
    wire: Arc<dyn HttpWire>,
    timeout: Span,
}

impl Caller {
    pub fn new(settings: &CarrierSettings, wire: Arc<dyn HttpWire>, clock: Clock) -> Self {
        let timeout = Span::from_ms(i64::try_from(settings.timeout_ms).unwrap_or(i64::MAX / 1_000));
        Caller { carrier: settings.id.clone(), clock, origin: settings.origin(), wire, timeout }
    }

    /// `path` under the carrier's origin, parsed once at the start where it does not change.
    pub fn uri(&self, path: &str) -> Result<Uri, CarrierError> {
        Uri::try_from(format!("{}{path}", self.origin)).map_err(|e| self.unsent("address", e))
    }

    pub fn json(&self, body: &impl Serialize) -> Result<Bytes, CarrierError> {
        let mut json = Vec::with_capacity(REQUEST_BYTES_USUAL);
        serde_json::to_writer(&mut json, body).map_err(|e| self.unsent("request", e))?;
        Ok(json.into())
    }

    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CarrierError> {
        Ok(call_within(&*self.wire, &self.clock, self.timeout, request).await?)
    }

    /// The error that an answer other than a success stands for.
    pub fn refusal(&self, response: &Response<Bytes>, read: impl Fn(&[u8]) -> Option<Complaint>) -> CarrierError {
        let status = response.status();
        let complaint =
            read(response.body()).unwrap_or_else(|| Complaint { code: status.as_str().to_owned(), message: excerpt(response.body()) });
        let carrier = self.carrier.clone();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CarrierError::Unauthorized { carrier, message: complaint.message },
            StatusCode::TOO_MANY_REQUESTS => CarrierError::Throttled { carrier, retry_after_ms: retry_after_ms(response.headers()) },
            _ => CarrierError::Refused { carrier, status: status.as_u16(), code: complaint.code, message: complaint.message },
        }
    }

    pub fn unreadable(&self, what: &'static str, why: impl ToString) -> CarrierError {
        CarrierError::Unreadable { carrier: self.carrier.clone(), what, why: why.to_string() }
    }

    pub fn unsent(&self, what: &'static str, why: impl ToString) -> CarrierError {
        CarrierError::Unsent { carrier: self.carrier.clone(), what, why: why.to_string() }
    }

    /// What a carrier said that has no label of that number.
    pub fn not_known(&self, response: &Response<Bytes>, read: impl Fn(&[u8]) -> Option<Complaint>) -> CarrierError {
        let message = read(response.body()).map_or_else(|| excerpt(response.body()), |complaint| complaint.message);
        CarrierError::NotKnown { carrier: self.carrier.clone(), message }
    }

    pub fn unfit(&self, unfit: Defect) -> CarrierError {
        CarrierError::Unfit { carrier: self.carrier.clone(), unfit }
    }

    pub fn not_offered(&self, why: impl Into<String>) -> CarrierError {
        CarrierError::NotOffered { carrier: self.carrier.clone(), why: why.into() }
    }
}

/// A request with the two headers every carrier wants.
pub(super) fn request(method: Method, uri: Uri, authorization: Option<HeaderValue>, body: Bytes) -> Request<Bytes> {
    let has_body = !body.is_empty();
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    if has_body {
        request.headers_mut().insert(CONTENT_TYPE, JSON);
    }
    if let Some(value) = authorization {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request
}

/// A header value that no log shows.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn retry_after_ms(headers: &HeaderMap) -> u64 {
    let seconds = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse::<u64>().ok());
    seconds.map_or(RETRY_AFTER_MS_DEFAULT, |s| s.saturating_mul(1_000))
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(ERROR_EXCERPT_MAX)]).into_owned()
}
