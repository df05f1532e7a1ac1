//! The API's description of itself, and a page to try it from. The page needs nothing from the network: it reads the
//! description and makes a form of every operation.

use super::problem::{FieldError, Problem};
use super::{
    board, by_hand, charges, decisions, entities, events, health, lists, metrics, order_form, orders, problems, products, remedies,
    returns, settings,
};
use crate::page::{asset, page};
use axum::Json;
use axum::response::Response;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "parceltwin",
        description = "Orders in, parcels out, and everything that happens between. Errors are RFC 9457 problems.",
        license(name = "Apache-2.0")
    ),
    modifiers(&ByAll),
    paths(
        orders::receive,
        orders::cancel,
        orders::forget,
        by_hand::allocate,
        by_hand::take_apart,
        by_hand::hand_over,
        entities::order,
        entities::parcel,
        entities::label,
        charges::charges,
        charges::charge,
        lists::orders,
        lists::parcels,
        lists::bags,
        lists::manifests,
        lists::on_their_way,
        lists::returns,
        lists::stock,
        lists::products,
        lists::sku_maps,
        lists::sellers,
        products::describe_all,
        products::describe,
        products::product,
        products::retire,
        products::map_all,
        products::map,
        products::mapped,
        products::unmap,
        products::seller,
        products::count_all,
        entities::seller,
        remedies::remedy,
        problems::problems,
        lists::exceptions,
        lists::decisions,
        decisions::decision,
        lists::search,
        settings::list,
        settings::show,
        settings::diff,
        settings::draft,
        settings::activate,
        settings::archive,
        returns::announce,
        returns::receive,
        returns::close,
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
        (name = "returns", description = "What comes back, and what becomes of it"),
        (name = "products", description = "What is sold, what shops call it, and whose the shops are"),
        (name = "remedies", description = "What a person does about something that is wrong"),
        (name = "lists", description = "What there is, by facets or by a part of a text; a moment behind what is written"),
        (name = "settings", description = "What the site goes by, in versions, and how it is changed while it runs"),
        (name = "events", description = "The journal as it is written"),
        (name = "board", description = "The site at a glance"),
        (name = "things", description = "Anything else the twin knows"),
        (name = "health", description = "For those who run it")
    )
)]
pub struct Description;

/// What stands before every handler, or before all of a sort, can answer for it; an operation that says more keeps its words.
struct ByAll;

const ALWAYS: [(&str, &str); 4] = [
    ("400", "The request cannot be read"),
    ("403", "The Origin is not this site's"),
    ("421", "The Host is not this site's"),
    ("500", "The site failed; its log says how"),
];
const BOUNDED: [(&str, &str); 1] = [("429", "Too much under way")];
const POSTED: [(&str, &str); 2] = [("408", "The body came too slowly"), ("413", "Too many bytes")];
const WITH_BODY: [(&str, &str); 1] = [("415", "The body is not application/json")];

impl Modify for ByAll {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut description.paths.paths {
            let bounded = if path.starts_with("/api/") { &BOUNDED[..] } else { &[] };
            if let Some(get) = &mut item.get {
                add(get, &[&ALWAYS, bounded]);
            }
            for told in [&mut item.post, &mut item.put].into_iter().flatten() {
                let with_body = if told.request_body.is_some() { &WITH_BODY[..] } else { &[] };
                add(told, &[&ALWAYS, bounded, &POSTED, with_body]);
            }
            if let Some(delete) = &mut item.delete {
                add(delete, &[&ALWAYS, bounded]);
            }
        }
    }
}

fn add(operation: &mut Operation, answers: &[&[(&str, &str)]]) {
    for (status, description) in answers.iter().copied().flatten() {
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(|| {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            RefOr::T(ResponseBuilder::new().description(*description).content("application/problem+json", problem).build())
        });
    }
}

pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

pub async fn docs() -> Response {
    page(include_str!("docs.html").to_owned())
}

pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("docs.js"))
}
