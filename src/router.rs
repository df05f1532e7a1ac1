//! What is asked where: the API and the console behind one door. Whoever starts a site binds a port and hands it to
//! [`serve()`].

use crate::api::{
    Api, AppState, board, by_hand, charges, decisions, docs, entities, events, gate, health, hosts, lists, metrics, orders,
    problem::Problem, problems, products, remedies, request_id, returns, serve, settings,
};
use crate::console;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Answers everything that a live site answers over HTTP until told to stop. Needs a tokio runtime with time enabled.
pub async fn serve(listener: TcpListener, state: AppState, stop: watch::Receiver<()>) {
    let api = Api::new(state);
    let limits = api.limits.clone();
    serve::serve(listener, routes(api), limits, stop).await;
}

pub(crate) fn routes(api: Api) -> Router {
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
        .route("/api/v1/bags/{id}/hand-over", post(by_hand::hand_over))
        .route("/api/v1/manifests", get(lists::manifests))
        .route("/api/v1/stock", post(products::count_all).get(lists::stock))
        .route("/api/v1/products", post(products::describe_all).get(lists::products))
        .route("/api/v1/products/{owner}/{sku}", get(products::product).put(products::describe).delete(products::retire))
        .route("/api/v1/sku-maps", post(products::map_all).get(lists::sku_maps))
        .route("/api/v1/sku-maps/{platform}/{shop}/{sku}", get(products::mapped).put(products::map).delete(products::unmap))
        .route("/api/v1/sellers", get(lists::sellers))
        .route("/api/v1/sellers/{id}", get(entities::seller).put(products::seller))
        .route("/api/v1/remedies", post(remedies::remedy))
        .route("/api/v1/problems", get(problems::problems))
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
const STATIC: [&str; 10] =
    ["allocations", "remedies", "events", "board", "openapi.json", "docs", "docs.js", "exceptions", "decisions", "search"];

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
