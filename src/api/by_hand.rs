//! What a person decides about parcels: what goes into which, from where and over which channel, that one is taken apart, and that a
//! bag has left. The order desk and the dock check it as they check themselves, and a person's name stands in the journal.

use super::entities::called;
use super::limits::{COMMIT_WAIT_MAX, REASON_LENGTH_MAX};
use super::orders::{late, told_to_desk};
use super::problem::{FieldError, Problem, path};
use super::request_id::RequestId;
use super::returns::name_fault;
use super::{Api, gate};
use actors::order_desk::DeskMsg;
use actors::shipment::Shipment;
use actors::warehouse::WarehouseMsg;
use actors::{Caller, origin};
use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use twin::bag::Bag;
use twin::order::{Order, Share};
use twin::{BagId, By, OrderId, Origin, ParcelId};
use utoipa::ToSchema;

/// Parcels in one request.
const PARCELS_MAX: usize = 50;
/// Lines of orders in one parcel.
const ITEMS_MAX: usize = 400;

/// Parcels as a person wants them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub parcels: Vec<WantedParcel>,
}

/// One parcel: what goes into it, and from where it goes over which channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedParcel {
    /// Absent: the cheapest that has it all.
    #[schema(example = "SZX")]
    pub warehouse: Option<String>,
    /// Absent: the cheapest that takes it.
    #[schema(example = "usps/ground-advantage")]
    pub channel: Option<String>,
    /// Of one order, or of several that go to one address from one shop. The first order's buyer stands on the label.
    #[schema(min_items = 1, max_items = 400)]
    pub items: Vec<WantedItem>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedItem {
    /// Its id, or its number where no other has it.
    #[schema(example = "WEB-000001")]
    pub order: String,
    /// From 1. Absent: all lines, with all that is in no parcel, or in one that can still be taken apart.
    #[schema(example = 1, minimum = 1)]
    pub line: Option<u16>,
    /// Pieces of that line. Absent: all of them.
    #[schema(example = 2, minimum = 1)]
    pub quantity: Option<u32>,
}

/// What became of each parcel, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Allocated {
    pub parcels: Vec<PlacedParcel>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PlacedParcel {
    /// Absent where it could not be made.
    #[schema(example = "WEB-000001-1")]
    pub parcel: Option<String>,
    /// Why not.
    #[schema(example = "no stock: SZX: short of A-17: 1 of 2")]
    pub why: Option<String>,
}

/// Put lines of orders into parcels by hand
///
/// Each parcel is checked as if the house had chosen it: address, stock, what the channel takes, and its price. What is in other
/// parcels is taken out of them first, as long as no bench has begun with them. So orders are split, put together, and sent from
/// another warehouse or over another channel.
#[utoipa::path(
    post, path = "/api/v1/allocations", tag = "orders", request_body = Allocation,
    responses(
        (status = 200, description = "All parcels are made", body = Allocated),
        (status = 409, description = "Some are not; each says why", body = Allocated),
        (status = 404, description = "There is no such order", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "What is asked cannot be", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn allocate(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = gate::json_body(&headers, body).await?;
    let form: Allocation = serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    let (mut shipments, mut answers) = (Vec::with_capacity(form.parcels.len()), Vec::with_capacity(form.parcels.len()));
    bounds("parcels", form.parcels.len(), PARCELS_MAX)?;
    for (n, wanted) in form.parcels.into_iter().enumerate() {
        bounds(&format!("parcels[{n}].items"), wanted.items.len(), ITEMS_MAX)?;
        let orders = shares(&api, &format!("parcels[{n}].items"), wanted.items).await?;
        let (placed, answer) = Caller::waiting();
        let (warehouse, channel) = (wanted.warehouse.map(|w| w.as_str().into()), wanted.channel.map(|c| c.as_str().into()));
        shipments.push(Shipment { orders, warehouse, channel, placed: Some(placed) });
        answers.push(answer);
    }
    origin::within(request.origin(), || api.app.house.desk.cast(DeskMsg::Ship(shipments)));
    let all = api.clock.timeout(COMMIT_WAIT_MAX, futures::future::join_all(answers)).await;
    let Some(all) = all else { return Err(Problem::unavailable(late())) };
    let mut parcels = Vec::with_capacity(all.len());
    for outcome in all {
        let outcome: Result<ParcelId, String> = outcome.map_err(|_| Problem::unavailable("the site has stopped"))?;
        let (parcel, why) = match outcome {
            Ok(parcel) => (Some(parcel.to_string()), None),
            Err(why) => (None, Some(why)),
        };
        parcels.push(PlacedParcel { parcel, why });
    }
    let status = if parcels.iter().all(|p| p.parcel.is_some()) { StatusCode::OK } else { StatusCode::CONFLICT };
    Ok((status, Json(Allocated { parcels })).into_response())
}

fn bounds(field: &str, count: usize, max: usize) -> Result<(), Problem> {
    match count {
        n if (1..=max).contains(&n) => Ok(()),
        n => Err(Problem::faulty(vec![FieldError::new(field, format!("{n} given; 1 to {max} are accepted"))])),
    }
}

/// The items of a parcel by order, each order once.
async fn shares(api: &Api, at: &str, items: Vec<WantedItem>) -> Result<Vec<(OrderId, Vec<Share>)>, Problem> {
    let mut orders: Vec<(OrderId, Vec<Share>)> = Vec::new();
    for (n, item) in items.into_iter().enumerate() {
        let id = called(api, item.order).await?;
        let wanted = id.clone();
        let order = api.read(move |twin| twin.load::<Order>(wanted.text())).await?.map(|(_, order)| order).unwrap_or_default();
        let whole = |line: usize| Some(Share { line: line as u16, quantity: order.content.lines.get(line)?.quantity });
        let wrong = |field: &str, why: String| Problem::faulty(vec![FieldError::new(format!("{at}[{n}].{field}"), why)]);
        let shares: Vec<Share> = match (item.line, item.quantity) {
            (None, None) => (0..order.content.lines.len()).filter_map(whole).collect(),
            (None, Some(_)) => return Err(wrong("quantity", "needs a line of which it is".into())),
            (Some(line), quantity) => {
                let count = order.content.lines.len();
                let share = usize::from(line).checked_sub(1).and_then(whole);
                let share = share.ok_or_else(|| wrong("line", format!("there is no line {line} in {id}, which has {count}")))?;
                vec![Share { quantity: quantity.unwrap_or(share.quantity), ..share }]
            }
        };
        match orders.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => known.extend(shares),
            None => orders.push((id, shares)),
        }
    }
    Ok(orders)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeApart {
    /// 1 to 200 characters; stands in the journal.
    #[schema(example = "the box is too large", min_length = 1, max_length = 200)]
    pub reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TakenApart {
    #[schema(example = "WEB-000001-1")]
    pub id: String,
    #[schema(example = "cancelled")]
    pub stage: &'static str,
}

/// Take a parcel apart
///
/// Cancels it, and lets its orders find other parcels by themselves: each its own. Possible until a line has judged the box.
#[utoipa::path(
    post, path = "/api/v1/parcels/{id}/take-apart", tag = "parcels",
    params(("id" = String, Path, description = "The parcel's id")),
    request_body = TakeApart,
    responses(
        (status = 200, description = "It is cancelled", body = TakenApart),
        (status = 409, description = "There is no such parcel, or it is too far on", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or too long a one", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn take_apart(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<axum::extract::Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<TakenApart>, Problem> {
    let parcel = ParcelId::new(path(id)?);
    let body = gate::json_body(&headers, body).await?;
    let form: TakeApart = serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    bounds("reason", form.reason.chars().count(), REASON_LENGTH_MAX)?;
    let (wanted, reason) = (parcel.clone(), form.reason.into());
    told_to_desk(&api, request, |reply| DeskMsg::TakeApart { parcel: wanted, reason, reply }).await?;
    Ok(Json(TakenApart { id: parcel.to_string(), stage: "cancelled" }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// Who saw it leave, 1 to 60 characters; stands in the journal.
    #[schema(example = "Li Wei", min_length = 1, max_length = 60)]
    pub by: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HandedOver {
    #[schema(example = "069012341000000017")]
    pub id: String,
    #[schema(example = "handed over")]
    pub stage: &'static str,
}

/// Say that a bag has left
///
/// For one that went with its carrier while the dock's scanner was off or the site was shut: it goes onto the carrier's manifest, all that
/// is in it is handed over, and its tracking begins. What was said before is answered with 200 again.
#[utoipa::path(
    post, path = "/api/v1/bags/{id}/hand-over", tag = "lists",
    params(("id" = String, Path, description = "The number on its tag")),
    request_body = HandOver,
    responses(
        (status = 200, description = "It is handed over", body = HandedOver),
        (status = 404, description = "There is no such bag", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not closed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No name, or too long a one", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn hand_over(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<axum::extract::Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<HandedOver>, Problem> {
    let id = BagId::new(path(id)?);
    let body = gate::json_body(&headers, body).await?;
    let form: HandOver = serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    if let Some(fault) = name_fault(&form.by) {
        return Err(Problem::faulty(vec![fault]));
    }
    let wanted = id.clone();
    let Some((_, bag)) = api.read(move |twin| twin.load::<Bag>(wanted.text())).await? else {
        return Err(Problem::absent(format!("there is no bag {id}")));
    };
    let (caller, answer) = Caller::waiting();
    let origin = Origin { by: By::Person(form.by.into()), ..request.origin() };
    origin::within(origin, || api.app.house.tell_warehouse(&bag.warehouse, WarehouseMsg::HandOver(id.clone(), caller)));
    match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(Ok(()))) => Ok(Json(HandedOver { id: id.to_string(), stage: "handed over" })),
        Some(Ok(Err(refusal))) => Err(Problem::refused(refusal)),
        Some(Err(_)) => Err(Problem::unavailable("the dock fell over it; send the same again: it is harmless")),
        None => Err(Problem::unavailable(late())),
    }
}
