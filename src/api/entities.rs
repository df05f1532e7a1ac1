//! What the twin knows of one thing, as JSON: its state, its version and, if asked for, what happened to it.

use super::Api;
use super::limits::HISTORY_MAX;
use super::problem::{Problem, path, query};
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;
use twin::fulfilment::Fulfilment;
use twin::order::Order;
use twin::parcel::Parcel;
use twin::{Key, Kind, OrderId, Record, Twin, TwinError, Unsealed, Way};
use utoipa::IntoParams;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Look {
    /// `true`: with what happened to it, oldest first; of more than 500 records the newest 500, and `history_complete` is false.
    pub history: bool,
    /// Of its history only what is older than this record: `before` the first of one answer leads to the next.
    pub before: Option<u64>,
}

/// One order
///
/// With its holds, what a person can do about each (`remedies`), and its parts: for each parcel the decision, with every warehouse and channel that was weighed, and why it won
/// or lost; and how far its parcels are. A bare number is enough where only one platform's shop has such an order.
#[utoipa::path(
    get, path = "/api/v1/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The order's id, or its number"), Look),
    responses(
        (status = 200, description = "Its state, id and version", body = Value),
        (status = 404, description = "There is no such order", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Several shops have an order of that number; all are named", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn order(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (id, look) = (path(id)?, query(look)?);
    let order = called(&api, id).await?;
    show(&api, Key::new(Kind::Order, order.text().clone()), look).await
}

/// The one order that is called so: by its id, or by the platform's number where no other has it.
pub async fn called(api: &Api, text: String) -> Result<OrderId, Problem> {
    let wanted = text.clone();
    let mut found = api.read(move |twin| twin.orders_called(&wanted)).await?;
    match (found.pop(), &found[..]) {
        (Some(one), []) => Ok(one),
        (None, _) => Err(Problem::absent(format!("there is no order {text}"))),
        (Some(last), others) => {
            let all: Vec<_> = others.iter().chain([&last]).map(OrderId::as_str).collect();
            let detail = format!("{} orders have the number {text}: {}", all.len(), all.join(", "));
            Err(Problem::new(StatusCode::CONFLICT, "ambiguous", "Several orders are called so", detail))
        }
    }
}

/// One parcel
///
/// With `tracked`, once it was handed over: where it is, as its carrier says; with `returned`, where it comes back. Its history is
/// told with theirs.
#[utoipa::path(
    get, path = "/api/v1/parcels/{id}", tag = "parcels",
    params(("id" = String, Path, description = "The parcel's id"), Look),
    responses(
        (status = 200, description = "Its state, id and version", body = Value),
        (status = 404, description = "There is no such parcel", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn parcel(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    show(&api, Key::new(Kind::Parcel, path(id)?), query(look)?).await
}

/// One seller
#[utoipa::path(
    get, path = "/api/v1/sellers/{id}", tag = "products",
    params(("id" = String, Path, description = "The seller's id"), Look),
    responses(
        (status = 200, description = "Name and shops, id and version", body = Value),
        (status = 404, description = "There is no such seller", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn seller(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    show(&api, Key::new(Kind::Seller, path(id)?), query(look)?).await
}

/// The parcel that wears a tracking number.
pub async fn by_tracking(api: &Api, tracking: String, look: Look) -> Result<Json<Value>, Problem> {
    let wanted = tracking.clone();
    match api.read(move |twin| twin.parcel_of(&wanted)).await? {
        Some(parcel) => show(api, Key::new(Kind::Parcel, parcel.text().clone()), look).await,
        None => Err(Problem::absent(format!("no parcel has tracking number {tracking}"))),
    }
}

/// A parcel's label
///
/// The document that the carrier sold, as it goes to a printer.
#[utoipa::path(
    get, path = "/api/v1/parcels/{id}/label", tag = "parcels",
    params(("id" = String, Path, description = "The parcel's id")),
    responses(
        (status = 200, description = "The label", body = String, content_type = "text/plain"),
        (status = 404, description = "No such parcel, or it has no label yet", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It is erased: its buyer was forgotten", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn label(State(api): State<Api>, id: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let id = SmolStr::new(path(id)?);
    let wanted = id.clone();
    let document = api
        .read(move |twin| match twin.load::<Parcel>(&wanted)? {
            Some((_, parcel)) => twin.label(&parcel),
            None => Ok(None),
        })
        .await?;
    match document {
        Some(Unsealed::Erased) => Err(Problem::erased(format!("the label of parcel {id} is erased: its buyer was forgotten"))),
        Some(Unsealed::Here(bytes)) => Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes).into_response()),
        None => Err(Problem::absent(format!("there is no parcel {id} with a label"))),
    }
}

/// One thing of any kind
///
/// Ids may contain slashes (`SZX/line-1`), written as they are or as `%2F`.
#[utoipa::path(
    get, path = "/api/v1/{noun}/{id}", tag = "things",
    params(
        ("noun" = String, Path, description = "stations, devices, warehouses, stock, carriers, bags, manifests, settings, products, sku-maps, sellers, orders, parcels, tracking, returns, charges or declarations", example = "stations"),
        ("id" = String, Path, description = "Its id", example = "SZX/line-1"),
        Look
    ),
    responses(
        (status = 200, description = "Its state, id and version", body = Value),
        (status = 404, description = "There is no such thing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn thing(
    State(api): State<Api>,
    at: Result<Path<(String, String)>, PathRejection>,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (noun, id) = path(at)?;
    match Kind::ALL.into_iter().find(|kind| plural(*kind) == noun) {
        Some(kind) => show(&api, Key::new(kind, id), query(look)?).await,
        None => {
            let known: Vec<_> = Kind::ALL.into_iter().map(plural).collect();
            Err(Problem::absent(format!("there are no {noun:?} here; there are {}", known.join(", "))))
        }
    }
}

/// Whether things are called so in a path.
pub fn is_noun(text: &str) -> bool {
    Kind::ALL.into_iter().any(|kind| plural(kind) == text)
}

/// How a kind is called in a path.
pub fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Order => "orders",
        Kind::Parcel => "parcels",
        Kind::Stock => "stock",
        Kind::Warehouse => "warehouses",
        Kind::Station => "stations",
        Kind::Device => "devices",
        Kind::Carrier => "carriers",
        Kind::Bag => "bags",
        Kind::Manifest => "manifests",
        Kind::Tracking => "tracking",
        Kind::Settings => "settings",
        Kind::Return => "returns",
        Kind::Product => "products",
        Kind::SkuMap => "sku-maps",
        Kind::Seller => "sellers",
        Kind::Charges => "charges",
        Kind::Declaration => "declarations",
        Kind::Problem => "problems",
    }
}

pub(super) async fn show(api: &Api, key: Key, look: Look) -> Result<Json<Value>, Problem> {
    let wanted = key.clone();
    let found = api
        .read(move |twin| {
            let Some(mut json) = twin.json(&wanted)? else { return Ok(None) };
            let Some(map) = json.as_object_mut() else { return Ok(Some(json)) };
            // What became of a parcel behind the handover are things of their own, and told beside it.
            let beside = if wanted.kind == Kind::Parcel { &[("tracked", Kind::Tracking), ("returned", Kind::Return)][..] } else { &[] };
            let beside: Vec<_> = beside.iter().map(|(name, kind)| (*name, Key::new(*kind, wanted.id.clone()))).collect();
            for (name, key) in &beside {
                if let Some(state) = twin.json(key)? {
                    map.insert((*name).into(), state);
                }
            }
            if wanted.kind == Kind::Order
                && let Some((_, order)) = twin.load::<Order>(&wanted.id)?
            {
                let far = Fulfilment::of_order(twin, &order)?;
                map.insert("remedies".into(), json!(super::order_remedies::remedies(&order)));
                map.insert("stage".into(), far.stage.into());
                map.insert("progress".into(), far.to_string().into());
                map.insert("fulfilment".into(), json!(far));
            }
            if look.history {
                let keys: Vec<_> = std::iter::once(wanted.clone()).chain(beside.into_iter().map(|(_, key)| key)).collect();
                let (records, complete) = history(twin, &keys, look.before.unwrap_or(u64::MAX))?;
                map.insert("history".into(), json!(records));
                map.insert("history_complete".into(), complete.into());
            }
            Ok(Some(json))
        })
        .await?;
    found.map(Json).ok_or_else(|| Problem::absent(format!("there is no {key}")))
}

/// What happened to a thing, and to what began behind it, before a record, oldest first, and whether that is all.
fn history(twin: &Twin, keys: &[Key], before: u64) -> Result<(Vec<Record>, bool), TwinError> {
    let newest_first = twin.history(keys, Way::Before(before));
    let mut found = newest_first.take(HISTORY_MAX).collect::<Result<Vec<_>, _>>()?;
    found.reverse();
    let complete = found.first().is_none_or(|r| r.version == 1 && keys.first() == Some(&r.key));
    Ok((found, complete))
}
