//! The API's description of itself, and a page to try it from. The page needs nothing from the network: it reads the
//! description and makes a form of every operation.

use super::problem::{FieldError, Problem};
use super::{board, entities, events, health, metrics, order_form, orders};
use crate::console::{asset, page};
use axum::Json;
use axum::response::Response;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "parceltwin",
        description = "Orders in, parcels out, and everything that happens between. Errors are RFC 9457 problems.",
        license(name = "Apache-2.0")
    ),
    paths(
        orders::receive,
        orders::cancel,
        orders::forget,
        entities::order,
        entities::parcel,
        entities::parcel_by_tracking,
        entities::label,
        entities::thing,
        events::events,
        board::board,
        health::healthz,
        health::readyz,
        metrics::scrape
    ),
    components(schemas(Problem, FieldError, order_form::OrderForm)),
    tags(
        (name = "orders", description = "Hand orders in, cancel them, see what was decided"),
        (name = "parcels", description = "Where a parcel is and what was measured"),
        (name = "events", description = "The journal as it is written"),
        (name = "board", description = "The site at a glance"),
        (name = "things", description = "Anything else the twin knows"),
        (name = "health", description = "For those who run it")
    )
)]
pub struct Description;

pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

pub async fn docs() -> Response {
    page(include_str!("docs.html").to_owned())
}

pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("docs.js"))
}
