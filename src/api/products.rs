//! What is sold is told and changed here: products with their facts, what shops call them, and whose the shops are. Hands it to
//! the order desk and answers when it is durable; decides nothing itself.

use super::entities::{Look, show};
use super::limits::{CHANGES_PER_REQUEST_MAX, COMMIT_WAIT_MAX};
use super::problem::{FieldError, Problem, path, query};
use super::product_form::{
    CountForm, Counts, Fault, MapForm, Maps, Parts, ProductFacts, ProductForm, Products, SellerForm, count, map_change, product_change,
    seller_change,
};
use super::request_id::RequestId;
use super::{Api, gate};
use actors::Caller;
use actors::catalog::{CatalogMsg, CatalogReply, Change};
use actors::order_desk::DeskMsg;
use actors::{catalog, origin};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;
use twin::seller::Shop;
use twin::{Key, Kind, SellerId, Sku, product, sku_map};
use utoipa::ToSchema;

/// What became of a change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// Absent where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "own:P-000001")]
    pub id: Option<String>,
    /// `new`, `changed`, `same` (it was so before) or `refused`.
    #[schema(example = "changed")]
    pub outcome: String,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What is still wanting of what was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "its weight is not told: orders of it are held until it is")]
    pub note: Option<String>,
}

/// What is still wanting of a product that is taken as it is.
fn wanting(change: &Change) -> Option<String> {
    let Change::Product { facts, .. } = change else { return None };
    (!facts.are_measured()).then(|| "its weight is not told: orders of it are held until it is".into())
}

/// What became of each row, in the order of the request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AllTold {
    pub rows: Vec<Told>,
}

fn faulty((field, why): Fault) -> Problem {
    Problem { title: "What is told has faults", ..Problem::faulty(vec![FieldError::new(field, why)]) }
}

async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let body = gate::json_body(headers, body).await?;
    serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))
}

/// Tells the desk, and waits until what came of it is durable.
async fn tell(
    api: &Api,
    request: RequestId,
    message: impl FnOnce(CatalogReply) -> DeskMsg,
) -> Result<Vec<Result<catalog::Outcome, String>>, Problem> {
    let (caller, answer) = Caller::waiting();
    let message = message(caller);
    origin::within(request.origin(), || api.app.house.desk.cast(message));
    match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(outcomes)) => Ok(outcomes),
        Some(Err(_)) => Err(Problem::unavailable("the site has stopped, or its desk fell; send the same again: it is harmless")),
        None => {
            let waited = COMMIT_WAIT_MAX.as_secs_f64();
            Err(Problem::unavailable(format!("the ledger did not answer within {waited} s; send the same again: it is harmless")))
        }
    }
}

fn changes(changes: Vec<Change>) -> impl FnOnce(CatalogReply) -> DeskMsg {
    move |reply| DeskMsg::Catalog(CatalogMsg::Change(changes, reply))
}

fn word(outcome: catalog::Outcome) -> String {
    match outcome {
        catalog::Outcome::New => "new".into(),
        catalog::Outcome::Changed => "changed".into(),
        catalog::Outcome::Same => "same".into(),
    }
}

/// One change, told and answered.
async fn tell_one(api: &Api, request: RequestId, id: String, change: Change) -> Result<(StatusCode, Json<Told>), Problem> {
    let note = wanting(&change);
    match tell(api, request, changes(vec![change])).await?.pop() {
        Some(Ok(outcome)) => {
            let status = if outcome == catalog::Outcome::New { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(Told { id: Some(id), outcome: word(outcome), why: None, note })))
        }
        Some(Err(refusal)) => Err(Problem::refused(refusal)),
        None => Err(Problem::internal()),
    }
}

/// Several: what can be told is, and every row is answered.
async fn tell_all<T: DeserializeOwned, C, M: FnOnce(CatalogReply) -> DeskMsg>(
    api: &Api,
    request: RequestId,
    rows: Option<Value>,
    change: fn(T) -> Result<(String, C), Fault>,
    wanting: fn(&C) -> Option<String>,
    message: fn(Vec<C>) -> M,
) -> Result<Json<AllTold>, Problem> {
    let Some(Value::Array(rows)) = rows else { return Err(Problem::bad_request("there is no list of rows in the body")) };
    if rows.len() > CHANGES_PER_REQUEST_MAX {
        return Err(Problem::too_large(format!("{} rows in one request; at most {CHANGES_PER_REQUEST_MAX} are accepted", rows.len())));
    }
    let (mut told, mut changes, mut places) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for row in rows {
        let read = serde_json::from_value::<T>(row).map_err(|e| ("row".to_owned(), format!("cannot be read: {e}")));
        let refused = |why| Told { id: None, outcome: "refused".into(), why: Some(why), note: None };
        match read.and_then(change) {
            Ok((id, change)) => {
                places.push((told.len(), wanting(&change)));
                told.push(Told { id: Some(id), ..refused(String::new()) });
                changes.push(change);
            }
            Err((field, why)) => told.push(refused(format!("{field} {why}"))),
        }
    }
    for ((place, note), outcome) in places.into_iter().zip(tell(api, request, message(changes)).await?) {
        (told[place].outcome, told[place].why, told[place].note) = match outcome {
            Ok(outcome) => (word(outcome), None, note),
            Err(refusal) => ("refused".into(), Some(refusal), None),
        };
    }
    Ok(Json(AllTold { rows: told }))
}

/// What is told can be told only of what is there.
async fn must_be_there(api: &Api, key: Key) -> Result<(), Problem> {
    let wanted = key.clone();
    match api.read(move |twin| twin.json(&wanted)).await? {
        Some(_) => Ok(()),
        None => Err(Problem::absent(format!("there is no {key}"))),
    }
}

/// Tell what products are
///
/// Up to 1,000 in one request. Every row is answered by itself: one that is refused keeps no other back, and one that says what
/// is known changes nothing. Orders that wait for a product go on; what was decided keeps the facts it was decided on.
#[utoipa::path(
    post, path = "/api/v1/products", tag = "products", request_body = Products,
    responses(
        (status = 200, description = "What became of each", body = AllTold,
            headers(("x-request-id" = String, description = "The `because` of what it changed"))),
        (status = 413, description = "Too many rows or bytes", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn describe_all(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<AllTold>, Problem> {
    let mut body: Value = read(&headers, body).await?;
    tell_all(&api, request, body.get_mut("products").map(Value::take), product_change, wanting, changes).await
}

/// Tell what a product is
///
/// All of its facts: what is left out is not known any more. Later orders take them; earlier ones keep theirs.
#[utoipa::path(
    put, path = "/api/v1/products/{owner}/{sku}", tag = "products", request_body = ProductFacts,
    params(("owner" = String, Path, description = "Whose it is", example = "own"), ("sku" = String, Path, description = "Our SKU", example = "P-000001")),
    responses(
        (status = 200, description = "It is so now, or was before", body = Told,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 201, description = "It is new", body = Told),
        (status = 409, description = "A rule says no", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A fact cannot be", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn describe(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    at: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let (owner, sku) = path(at)?;
    let facts = read(&headers, body).await?;
    let (id, change) = product_change(ProductForm { owner, sku, facts }).map_err(faulty)?;
    tell_one(&api, request, id, change).await
}

/// One product
#[utoipa::path(
    get, path = "/api/v1/products/{owner}/{sku}", tag = "products",
    params(("owner" = String, Path, description = "Whose it is"), ("sku" = String, Path, description = "Our SKU"), Look),
    responses(
        (status = 200, description = "Its facts, id and version", body = Value),
        (status = 404, description = "There is no such product", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn product(
    State(api): State<Api>,
    at: Result<Path<(SmolStr, SmolStr)>, PathRejection>,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (owner, sku) = path(at)?;
    show(&api, Key::new(Kind::Product, product::id(&owner.into(), &sku.into())), query(look)?).await
}

/// Sell a product no more
///
/// What is ordered of it from now on is held; orders that are here go on. Told what it is again, it is sold again.
#[utoipa::path(
    delete, path = "/api/v1/products/{owner}/{sku}", tag = "products",
    params(("owner" = String, Path, description = "Whose it is"), ("sku" = String, Path, description = "Our SKU")),
    responses(
        (status = 200, description = "It is retired", body = Told,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 404, description = "There is no such product", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A rule says no", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn retire(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    at: Result<Path<(SmolStr, SmolStr)>, PathRejection>,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let (owner, sku) = path(at)?;
    let (owner, sku) = (SellerId::from(owner), Sku::from(sku));
    let id = product::id(&owner, &sku);
    must_be_there(&api, Key::new(Kind::Product, id.clone())).await?;
    tell_one(&api, request, id.into(), Change::Retire { owner, sku }).await
}

/// Tell what shops' SKUs are
///
/// Up to 1,000 in one request; every row is answered by itself. Orders that wait for such a SKU go on.
#[utoipa::path(
    post, path = "/api/v1/sku-maps", tag = "products", request_body = Maps,
    responses(
        (status = 200, description = "What became of each", body = AllTold,
            headers(("x-request-id" = String, description = "The `because` of what it changed"))),
        (status = 413, description = "Too many rows or bytes", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn map_all(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<AllTold>, Problem> {
    let mut body: Value = read(&headers, body).await?;
    tell_all(&api, request, body.get_mut("maps").map(Value::take), map_change, wanting, changes).await
}

/// Tell what a shop's SKU is
///
/// One piece of a SKU of ours, or a bundle. Orders that wait for it go on; what was decided stays.
#[utoipa::path(
    put, path = "/api/v1/sku-maps/{platform}/{shop}/{sku}", tag = "products", request_body = Parts,
    params(
        ("platform" = String, Path, description = "The platform", example = "amazon"),
        ("shop" = String, Path, description = "The shop", example = "shop-1"),
        ("sku" = String, Path, description = "As the platform calls it", example = "Gift set"),
    ),
    responses(
        (status = 200, description = "It is so now, or was before", body = Told,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 201, description = "It is new", body = Told),
        (status = 409, description = "The shop's seller does not sell one of them", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It cannot be packed", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn map(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    at: Result<Path<(String, String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let (platform, shop, sku) = path(at)?;
    let Parts { components } = read(&headers, body).await?;
    let (id, change) = map_change(MapForm { platform, shop, sku, components }).map_err(faulty)?;
    tell_one(&api, request, id, change).await
}

fn map_key(at: Result<Path<(SmolStr, SmolStr, SmolStr)>, PathRejection>) -> Result<(Shop, Sku, Key), Problem> {
    let (platform, shop, sku) = path(at)?;
    let (shop, sku) = (Shop { platform, shop }, Sku::from(sku));
    let key = Key::new(Kind::SkuMap, sku_map::id(&shop, &sku));
    Ok((shop, sku, key))
}

/// What a shop's SKU is
#[utoipa::path(
    get, path = "/api/v1/sku-maps/{platform}/{shop}/{sku}", tag = "products",
    params(
        ("platform" = String, Path, description = "The platform"), ("shop" = String, Path, description = "The shop"),
        ("sku" = String, Path, description = "As the platform calls it"), Look,
    ),
    responses(
        (status = 200, description = "Its components, id and version", body = Value),
        (status = 404, description = "It is not mapped", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn mapped(
    State(api): State<Api>,
    at: Result<Path<(SmolStr, SmolStr, SmolStr)>, PathRejection>,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (_, _, key) = map_key(at)?;
    show(&api, key, query(look)?).await
}

/// Take back what a shop's SKU is
///
/// From now on it is the seller's product of that name, or held where there is none.
#[utoipa::path(
    delete, path = "/api/v1/sku-maps/{platform}/{shop}/{sku}", tag = "products",
    params(
        ("platform" = String, Path, description = "The platform"), ("shop" = String, Path, description = "The shop"),
        ("sku" = String, Path, description = "As the platform calls it"),
    ),
    responses(
        (status = 200, description = "It is mapped no more", body = Told,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 404, description = "It was never mapped", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A rule says no", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn unmap(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    at: Result<Path<(SmolStr, SmolStr, SmolStr)>, PathRejection>,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let (shop, sku, key) = map_key(at)?;
    must_be_there(&api, key.clone()).await?;
    tell_one(&api, request, key.id.into(), Change::Unmap { shop, sku }).await
}

/// Tell what was counted
///
/// Absolute numbers, up to 1,000 in one request; every row is answered by itself. Orders that wait for stock go on. Fewer than
/// are reserved are refused: what is promised has to be cancelled first.
#[utoipa::path(
    post, path = "/api/v1/stock", tag = "products", request_body = Counts,
    responses(
        (status = 200, description = "What became of each", body = AllTold,
            headers(("x-request-id" = String, description = "The `because` of what it changed"))),
        (status = 413, description = "Too many rows or bytes", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn count_all(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<AllTold>, Problem> {
    let mut body: Value = read(&headers, body).await?;
    let counts = |rows| move |reply| DeskMsg::Count(rows, reply);
    tell_all(&api, request, body.get_mut("stock").map(Value::take), count as fn(CountForm) -> _, |_| None, counts).await
}

/// Tell whose shops these are
///
/// All of a seller's shops: what is left out is the house's own again. A shop of another seller is refused. Orders keep whose
/// they were when they came in.
#[utoipa::path(
    put, path = "/api/v1/sellers/{id}", tag = "products", request_body = SellerForm,
    params(("id" = String, Path, description = "The seller's id, without :", example = "LUM")),
    responses(
        (status = 200, description = "It is so now, or was before", body = Told,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 201, description = "The seller is new", body = Told),
        (status = 409, description = "A shop is another seller's", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It cannot be", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn seller(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let id = path(id)?;
    let (id, change) = seller_change(&id, read(&headers, body).await?).map_err(faulty)?;
    tell_one(&api, request, id, change).await
}
