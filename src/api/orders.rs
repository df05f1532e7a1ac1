//! Orders come in and are cancelled. Hands them to the order desk and answers when it is durable; decides nothing itself.

use super::entities::called;
use super::limits::{COMMIT_WAIT_MAX, REASON_LENGTH_MAX};
use super::problem::{FieldError, Problem, path};
use super::request_id::RequestId;
use super::{Api, gate, idempotency, order_form};
use crate::api::idempotency::Claim;
use actors::intake::Receipt;
use actors::order_desk::{DeskMsg, Reply};
use actors::{Caller, origin};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use twin::{Hash, OrderId};
use utoipa::ToSchema;

/// What became of a request full of orders.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipts {
    /// In the order of the request.
    pub orders: Vec<OrderReceipt>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OrderReceipt {
    /// Its number, and whose it is.
    #[schema(example = "WEB-000001@amazon:shop-1")]
    pub id: String,
    pub outcome: Outcome,
    /// Why it was refused, and what can still change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// New, and durable.
    Accepted,
    /// A later version of one that was here. It replaces what was there.
    Updated,
    /// It was here just so; nothing changed.
    Known,
    /// A later version of it was here before; nothing changed.
    Superseded,
    /// It is too late for what it changes; nothing changed. `why` says more.
    Refused,
}

/// Hand orders in
///
/// Accepts all or, where one has a fault, none. The answer comes when the orders are on disk. An order is known by platform, shop
/// and id: the same content again changes nothing, so sending again is always safe; another content is a later version of it and
/// replaces the one before, as long as no bench has begun with it. With an `Idempotency-Key` the answer is repeated word for word.
#[utoipa::path(
    post, path = "/api/v1/orders", tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of up to 255 characters that is new for each new request")),
    request_body = order_form::OrdersForm,
    responses(
        (status = 201, description = "At least one order was new", body = Receipts,
            headers(("x-request-id" = String, description = "Its key or, without one, a number: the `because` of what it leads to"))),
        (status = 200, description = "None was new; some may have been updated", body = Receipts),
        (status = 400, description = "Not JSON, or a bad key", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The same key is under way; or it is too late for what each of the orders changes, and why", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes or orders", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Faulty orders, or a key that came with another body", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much under way", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receive(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = idempotency::key_of(&headers)?;
    let body = gate::json_body(&headers, body).await?;
    let print = Hash::of(&body);
    let orders = tokio::task::spawn_blocking(move || order_form::read(&body)).await.map_err(|_| Problem::internal())??;
    let ids: Vec<OrderId> = orders.iter().map(|o| o.id()).collect();
    let ticket = match key.map(|key| api.keys.claim(key, print)).transpose()? {
        Some(Claim::Answered(receipts)) => return Ok(answer(&ids, &receipts, true)),
        Some(Claim::Ours(ticket)) => Some(ticket),
        None => None,
    };
    let permit = api.gate.orders(&api.limits, orders.len())?;
    let house = api.app.house.clone();
    // A task of its own: a caller who hangs up and asks again with the same key must find the answer.
    let received = tokio::spawn(origin::during(request.origin(), async move {
        let receipts = actors::site::receive(&house, orders).await;
        if let (Some(ticket), Ok(receipts)) = (ticket, &receipts) {
            ticket.keep(receipts);
        }
        drop(permit);
        receipts
    }));
    match api.clock.timeout(COMMIT_WAIT_MAX, received).await {
        Some(Ok(Ok(receipts))) => Ok(answer(&ids, &receipts, false)),
        Some(Ok(Err(why))) => Err(Problem::unavailable(format!("{why}; whether the orders were accepted is not known: send them again"))),
        Some(Err(_)) => Err(Problem::internal()),
        None => Err(Problem::unavailable(late())),
    }
}

pub fn late() -> String {
    format!("the ledger did not answer within {} s; send the same again: it is harmless", COMMIT_WAIT_MAX.as_secs_f64())
}

fn answer(ids: &[OrderId], receipts: &[Receipt], replayed: bool) -> Response {
    let told = |(id, receipt): (&OrderId, &Receipt)| {
        let (outcome, why) = match receipt {
            Receipt::Accepted => (Outcome::Accepted, None),
            Receipt::Updated => (Outcome::Updated, None),
            Receipt::Known => (Outcome::Known, None),
            Receipt::Superseded => (Outcome::Superseded, None),
            Receipt::Refused(why) => (Outcome::Refused, Some(why.to_string())),
        };
        OrderReceipt { id: id.to_string(), outcome, why }
    };
    let orders: Vec<_> = ids.iter().zip(receipts).map(told).collect();
    let mut response = match receipts {
        all if all.iter().all(|r| matches!(r, Receipt::Refused(_))) => {
            let errors = orders.iter().map(|o| FieldError::new(&o.id, o.why.as_deref().unwrap_or_default())).collect();
            let first = orders.first().and_then(|o| o.why.clone()).unwrap_or_default();
            Problem { errors, ..Problem::refused(first) }.into_response()
        }
        some if some.contains(&Receipt::Accepted) => (StatusCode::CREATED, Json(Receipts { orders })).into_response(),
        _ => (StatusCode::OK, Json(Receipts { orders })).into_response(),
    };
    if replayed {
        response.headers_mut().insert(idempotency::REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// 1 to 200 characters; stands in the journal.
    #[schema(example = "buyer changed their mind", min_length = 1, max_length = 200)]
    pub reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Cancelled {
    pub id: String,
    #[schema(example = "cancelled")]
    pub stage: &'static str,
}

/// Cancel an order
///
/// Frees its stock and cancels its parcels, unless they have left already. Where some have, the others are cancelled all the
/// same, and the answer says which are not. Cancelling twice is harmless.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/cancel", tag = "orders",
    params(("id" = String, Path, description = "The order's id, or its number")),
    request_body = Cancellation,
    responses(
        (status = 200, description = "It is cancelled", body = Cancelled,
            headers(("x-request-id" = String, description = "The `because` of its records"))),
        (status = 404, description = "There is no such order", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is too far on; both states are named", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or too long a one", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn cancel(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Cancelled>, Problem> {
    let order = called(&api, path(id)?).await?;
    let body = gate::json_body(&headers, body).await?;
    let form: Cancellation = serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    let length = form.reason.chars().count();
    if !(1..=REASON_LENGTH_MAX).contains(&length) {
        let why = format!("{length} characters; 1 to {REASON_LENGTH_MAX} are accepted");
        return Err(Problem { title: "The cancellation has faults", ..Problem::faulty(vec![FieldError::new("reason", why)]) });
    }
    let reason = form.reason.into();
    let wanted = order.clone();
    told_to_desk(&api, request, |reply| DeskMsg::Cancel { order: wanted, reason, reply }).await?;
    Ok(Json(Cancelled { id: order.to_string(), stage: "cancelled" }))
}

/// Tells the desk something, and waits until what came of it is durable.
pub async fn told_to_desk(api: &Api, request: RequestId, message: impl FnOnce(Reply) -> DeskMsg) -> Result<(), Problem> {
    let (caller, answer) = Caller::waiting();
    let message = message(caller);
    origin::within(request.origin(), || api.app.house.desk.cast(message));
    match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(refusal))) => Err(Problem::refused(refusal)),
        Some(Err(_)) => Err(Problem::unavailable("the site has stopped")),
        None => Err(Problem::unavailable(late())),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Forgotten {
    pub id: String,
    #[schema(example = true)]
    pub forgotten: bool,
}

/// Forget who the buyer is
///
/// Name, street, telephone, e-mail, tax number and the labels that hold them become unreadable for ever, in every copy of the
/// journal: the key that sealed them is destroyed. What was bought, what it cost and why stays. Only for an order that has
/// left the house or was cancelled. Twice is once.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/forget", tag = "orders",
    params(("id" = String, Path, description = "The order's id, or its number")),
    responses(
        (status = 200, description = "It is forgotten", body = Forgotten,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 404, description = "There is no such order", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody still needs to know where it goes", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn forget(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Forgotten>, Problem> {
    let order = called(&api, path(id)?).await?;
    let wanted = order.clone();
    told_to_desk(&api, request, |reply| DeskMsg::Erase { order: wanted, reply }).await?;
    Ok(Json(Forgotten { id: order.to_string(), forgotten: true }))
}
