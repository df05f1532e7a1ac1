//! What an answer that is not a success looks like: RFC 9457 `application/problem+json`.
//!
//! Every refusal and failure of the edge is made here, so that all look alike. Never tells a caller what the inside of a
//! failure looked like; that goes to the log.

use super::limits::{FIELD_ERRORS_MAX, RETRY_AFTER_S};
use crate::query::QueryError;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use twin::TwinError;
use utoipa::ToSchema;

/// An RFC 9457 problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Which problem it is; stable, for programs: `urn:parceltwin:problem:faulty-order`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence: what failed, with which value, and what to do.
    pub detail: String,
    /// Each faulty field, where there are such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One field of the request that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where it stands: `orders[3].lines[0].quantity`.
    pub field: String,
    pub detail: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        FieldError { field: field.into(), detail: detail.into() }
    }
}

impl Problem {
    pub fn new(status: StatusCode, slug: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Problem {
            kind: format!("urn:parceltwin:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read", detail)
    }

    pub fn absent(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    pub fn erased(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::GONE, "erased", "It is erased", detail)
    }

    /// Fields that are wrong. Beyond the limit only their number is told.
    pub fn faulty(mut errors: Vec<FieldError>) -> Self {
        let found = errors.len();
        errors.truncate(FIELD_ERRORS_MAX);
        let more = if found > FIELD_ERRORS_MAX { format!("; the first {FIELD_ERRORS_MAX} are named") } else { String::new() };
        let detail = format!("{found} faulty field{}{more}. Nothing was accepted.", if found == 1 { "" } else { "s" });
        Problem { errors, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "faulty-order", "The orders have faults", detail) }
    }

    pub fn too_large(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large", detail)
    }

    pub fn overloaded(detail: impl Into<String>) -> Self {
        let detail = format!("{}. Try again in {RETRY_AFTER_S} s.", detail.into());
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "There is too much under way", detail)
    }

    pub fn refused(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::CONFLICT, "refused", "A rule says no", detail)
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The site does not answer", detail)
    }

    pub fn internal() -> Self {
        let detail = "Something failed inside; the log of the site says what.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The site failed", detail)
    }
}

impl From<TwinError> for Problem {
    fn from(error: TwinError) -> Self {
        tracing::error!(%error, "the twin cannot be read");
        Problem::internal()
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let detail = match error {
            QueryError::Making { of: 0, .. } => "the query side is not there yet; the rest of the site works".to_owned(),
            QueryError::Making { done, of } => format!("the query side is being made: {done} of {of} records; the rest of the site works"),
            error => {
                tracing::error!(%error, "the query side cannot be read");
                "the query side cannot be read and is looked after; the rest of the site works".to_owned()
            }
        };
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "query", "Lists and searches are not there yet", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }
}

/// The query of a request, or the problem with it.
pub fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(inner)| inner).map_err(|e| Problem::bad_request(e.body_text()))
}

/// What stands in the path of a request, or the problem with it.
pub fn path<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Problem> {
    path.map(|Path(inner)| inner).map_err(|e| Problem::bad_request(e.body_text()))
}
