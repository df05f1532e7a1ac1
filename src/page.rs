//! Pages and what they load, asked for anew whenever they are shown.

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

pub fn page(html: String) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Html(html)).into_response()
}

pub fn asset(media: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}
