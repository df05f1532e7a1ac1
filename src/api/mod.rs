//! The edge of a live site over HTTP: orders in, questions answered, events out, and the first page of the console.
//!
//! It reads requests, hands them to the cast, and writes answers. It decides nothing about an order or a parcel, and every
//! answer to a change comes only when the change is durable. Whoever starts a site binds a port and
//! hands it to [`serve()`].

pub mod board;
pub mod by_hand;
pub mod charges;
pub mod connections;
pub mod decisions;
pub mod docs;
pub mod entities;
pub mod events;
pub mod feed;
pub mod gate;
pub mod health;
pub mod hosts;
pub mod idempotency;
pub mod limits;
pub mod lists;
pub mod metrics;
pub mod order_form;
pub mod orders;
pub mod problem;
pub mod product_form;
pub mod products;
pub mod request_id;
pub mod returns;
pub mod serve;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod versions;

use crate::console;
use crate::query::Query;
use actors::House;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use drivers::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use problem::Problem;
use std::ops::Deref;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use twin::{Moment, StationId, Twin, TwinError};

/// How many items are on each line.
pub type Moving = Arc<dyn Fn() -> Vec<(StationId, usize)> + Send + Sync>;

/// What the edge needs of the site it stands before.
#[derive(Clone)]
pub struct AppState {
    pub house: Arc<House>,
    /// Where the floor is simulated: what is on the belts.
    pub moving: Option<Moving>,
    /// From [`metrics::install`].
    pub metrics: PrometheusHandle,
    /// The site's name, shown to people.
    pub name: String,
    /// By which names it may be asked.
    pub hosts: hosts::Hosts,
    pub query: Arc<Query>,
}

/// What every handler shares.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

pub struct Shared {
    pub app: AppState,
    /// Time as callers feel it: the machine's, also where the site's clock runs faster.
    pub clock: Clock,
    pub gate: gate::Gate,
    pub limits: Arc<limits::Limits>,
    pub feed: Arc<feed::Feed>,
    pub keys: Arc<idempotency::Keys>,
    pub board: board::Kept,
    pub numbers: request_id::Numbers,
}

impl Deref for Api {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    fn new(app: AppState) -> Self {
        let clock = if app.house.clock.is_virtual() { app.house.clock.clone() } else { Clock::free(1.0, Moment::default()) };
        let (gate, keys, board) = (gate::Gate::default(), Arc::default(), board::Kept::default());
        let numbers = request_id::Numbers::behind(app.house.twin.head().records);
        let limits = Arc::new(limits::Limits::by(clock.clone()));
        let feed = Arc::new(feed::Feed::new(limits.clone()));
        Api(Arc::new(Shared { app, clock, gate, limits, feed, keys, board, numbers }))
    }

    /// Asks the twin where waiting for its disk holds up nobody.
    pub async fn read<T: Send + 'static>(&self, ask: impl FnOnce(&Twin) -> Result<T, TwinError> + Send + 'static) -> Result<T, Problem> {
        let twin = self.app.house.twin.clone();
        match tokio::task::spawn_blocking(move || ask(&twin)).await {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                tracing::error!(%error, "a question to the twin broke off");
                Err(Problem::internal())
            }
        }
    }
}

/// Answers everything that a live site answers over HTTP until told to stop. Needs a tokio runtime with time enabled.
pub async fn serve(listener: TcpListener, state: AppState, stop: watch::Receiver<()>) {
    let api = Api::new(state);
    let limits = api.limits.clone();
    serve::serve(listener, routes(api), limits, stop).await;
}

fn routes(api: Api) -> Router {
    let bounded = Router::new()
        .route("/", get(console::index))
        .route("/lists", get(console::lists::lists))
        .route("/api/v1/orders", post(orders::receive).get(lists::orders))
        .route("/api/v1/orders/{id}", get(entities::order))
        .route("/api/v1/orders/{id}/cancel", post(orders::cancel))
        .route("/api/v1/orders/{id}/forget", post(orders::forget))
        .route("/api/v1/allocations", post(by_hand::allocate))
        .route("/api/v1/parcels/{id}/take-apart", post(by_hand::take_apart))
        .route("/api/v1/parcels", get(lists::parcels))
        .route("/api/v1/tracking", get(lists::on_their_way))
        .route("/api/v1/returns", get(lists::returns))
        .route("/api/v1/returns/{parcel}/announce", post(returns::announce))
        .route("/api/v1/returns/{parcel}/receive", post(returns::receive))
        .route("/api/v1/returns/{parcel}/close", post(returns::close))
        .route("/api/v1/bags", get(lists::bags))
        .route("/api/v1/manifests", get(lists::manifests))
        .route("/api/v1/stock", post(products::count_all).get(lists::stock))
        .route("/api/v1/products", post(products::describe_all).get(lists::products))
        .route("/api/v1/products/{owner}/{sku}", get(products::product).put(products::describe).delete(products::retire))
        .route("/api/v1/sku-maps", post(products::map_all).get(lists::sku_maps))
        .route("/api/v1/sku-maps/{platform}/{shop}/{sku}", get(products::mapped).put(products::map).delete(products::unmap))
        .route("/api/v1/sellers", get(lists::sellers))
        .route("/api/v1/sellers/{id}", get(entities::seller).put(products::seller))
        .route("/api/v1/exceptions", get(lists::exceptions))
        .route("/api/v1/decisions", get(lists::decisions))
        .route("/api/v1/decisions/{order}", get(decisions::decision))
        .route("/api/v1/search", get(lists::search))
        .route("/api/v1/parcels/{id}", get(entities::parcel))
        .route("/api/v1/parcels/{id}/label", get(entities::label))
        .route("/api/v1/settings", post(settings::draft).get(settings::list))
        .route("/api/v1/settings/{id}", get(settings::show))
        .route("/api/v1/settings/{id}/diff", get(settings::diff))
        .route("/api/v1/settings/{id}/activate", post(settings::activate))
        .route("/api/v1/settings/{id}/archive", post(settings::archive))
        .route("/api/v1/parcels/{id}/charges", get(charges::charges).post(charges::charge))
        .route("/api/v1/{noun}/{*id}", get(entities::thing))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/board", get(board::board))
        .layer(from_fn_with_state(api.clone(), gate::bound))
        .layer(from_fn_with_state(api.clone(), gate::whole))
        .layer(from_fn_with_state(api.clone(), request_id::name));
    Router::new()
        .merge(bounded)
        .merge(console::assets())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::scrape))
        .route("/api/v1/openapi.json", get(docs::openapi))
        .route("/api/v1/docs", get(docs::docs))
        .route("/api/v1/docs.js", get(docs::script))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(api.clone(), hosts::ours))
        .layer(from_fn(guard))
        .layer(from_fn_with_state(api.clone(), metrics::measure))
        .with_state(api)
}

/// What stands below `/api/v1/` besides things.
const STATIC: [&str; 9] = ["allocations", "events", "board", "openapi.json", "docs", "docs.js", "exceptions", "decisions", "search"];

async fn unknown(uri: Uri) -> Problem {
    Problem::absent(format!("there is nothing at {}; /api/v1/docs lists what there is", uri.path()))
}

/// One route takes things of any kind, so it matches whatever anybody makes up: where it knows no such kind there is nothing,
/// whatever the method.
async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let is_api = uri.path().strip_prefix("/api/v1/").map(|rest| rest.split('/').next().unwrap_or_default());
    if is_api.is_some_and(|noun| !entities::is_noun(noun) && !STATIC.contains(&noun)) {
        return unknown(uri).await;
    }
    let detail = format!("{} does not take {method}; /api/v1/docs says what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "That is not how to ask", detail)
}

/// Everything a page of ours may use comes from here, and nobody may put it into a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
