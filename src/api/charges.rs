//! What a parcel costs: every charge with what it rests on, and charges by hand. What is charged is never changed: a correction
//! is a further charge.

use super::Api;
use super::limits::{COMMIT_WAIT_MAX, REASON_LENGTH_MAX};
use super::problem::{FieldError, Problem, path};
use super::request_id::RequestId;
use super::{gate, idempotency};
use actors::Caller;
use actors::{ParcelMsg, origin};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;
use twin::charges::{ChargeKind, Charges};
use twin::parcel::Parcel;
use twin::{Money, ParcelId};
use utoipa::ToSchema;

/// A charge by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// `adjustment`, `duty`, `tax`, `handling`, `surcharge`, `insurance` or `return`.
    #[schema(value_type = String, example = "duty")]
    kind: ChargeKind,
    /// Above 0; an adjustment may be below.
    #[schema(value_type = Object, example = json!({"amount": "3.10", "currency": "USD"}))]
    amount: Money,
    /// 1 to 200 characters; stands in the journal.
    #[schema(example = "customs invoice 4711", min_length = 1, max_length = 200)]
    reason: String,
    /// Of an invoice's line, say: charged once, however often it is sent. Up to 200 characters. Where it is left out, the
    /// `Idempotency-Key`.
    #[serde(default)]
    #[schema(example = "4711/3", max_length = 200)]
    reference: String,
}

/// What one parcel costs, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargesOf {
    parcel: String,
    /// The sum of what counts, by currency.
    #[schema(value_type = Object, example = json!({"USD": "4.69"}))]
    cost: Value,
    /// The same in the base currency, at the rates of the charges; absent: one has no rate.
    #[schema(value_type = Option<Object>, example = json!({"amount": "4.69", "currency": "USD"}))]
    cost_in_base: Option<Value>,
    /// The oldest first.
    charges: Vec<Charged>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Charged {
    #[schema(example = "2026-11-09T00:00:44.900221Z")]
    at: String,
    /// `estimate`, `label`, `freight`, `adjustment`, `duty`, `tax`, `handling`, `surcharge`, `insurance` or `return`.
    #[schema(example = "label")]
    kind: &'static str,
    #[schema(value_type = Object, example = json!({"amount": "4.69", "currency": "USD"}))]
    amount: Money,
    /// `quote`, `tariff`, `label`, `estimate`, `settled`, `given back` or `hand`.
    #[schema(example = "tariff")]
    basis_kind: &'static str,
    /// In words.
    #[schema(example = "tariff on 908 g, 908 g chargeable, zone US (price sheet of 2026-10)")]
    basis: String,
    /// The version of the site's settings under which it was made; 0: not told.
    settings: u32,
    /// How much of its currency one unit of the base bought; absent: there was no rate.
    #[schema(value_type = Option<Object>)]
    rate: Option<Value>,
    /// An estimate counts no more once something final is there.
    counts: bool,
}

fn told(id: &SmolStr, charges: Charges) -> ChargesOf {
    let cost = charges.cost();
    let counting: Vec<_> = charges.counting().map(std::ptr::from_ref).collect();
    let in_base = |(currency, amount): (SmolStr, twin::money::Decimal)| serde_json::json!({"amount": amount.round_dp(6).normalize(), "currency": currency});
    ChargesOf {
        parcel: id.to_string(),
        cost: serde_json::to_value(cost.by_currency).unwrap_or_default(),
        cost_in_base: cost.in_base.map(in_base),
        charges: charges
            .charges
            .iter()
            .map(|charge| Charged {
                at: charge.at.to_string(),
                kind: charge.kind.as_str(),
                amount: charge.amount,
                basis_kind: charge.basis.kind(),
                basis: charge.basis.to_string(),
                settings: charge.settings,
                rate: charge.rate.as_ref().and_then(|rate| serde_json::to_value(rate).ok()),
                counts: counting.contains(&std::ptr::from_ref(charge)),
            })
            .collect(),
    }
}

/// What a parcel costs
///
/// Every charge with what it rests on, and the sum of those that count.
#[utoipa::path(
    get, path = "/api/v1/parcels/{id}/charges", tag = "parcels",
    params(("id" = String, Path, description = "The parcel's id")),
    responses(
        (status = 200, description = "Its charges and their sum", body = ChargesOf),
        (status = 404, description = "There is no such parcel", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn charges(State(api): State<Api>, id: Result<Path<String>, PathRejection>) -> Result<Json<ChargesOf>, Problem> {
    let id = SmolStr::new(path(id)?);
    let wanted = id.clone();
    let found = api.read(move |twin| match twin.load::<Parcel>(&wanted)? {
        Some(_) => Ok(Some(twin.load::<Charges>(&wanted)?.unwrap_or_default().1)),
        None => Ok(None),
    });
    found.await?.map(|charges| Json(told(&id, charges))).ok_or_else(|| Problem::absent(format!("there is no parcel {id}")))
}

/// Charge something for a parcel
///
/// By hand: duty, tax, handling, a surcharge, insurance, a return, or an adjustment of what was charged before. Never changed nor
/// taken back. Under the same reference it is charged once; without any, as often as it is sent.
#[utoipa::path(
    post, path = "/api/v1/parcels/{id}/charges", tag = "parcels",
    params(
        ("id" = String, Path, description = "The parcel's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The reference, where the body has none")
    ),
    request_body = ByHand,
    responses(
        (status = 201, description = "It is charged; all charges", body = ChargesOf,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 200, description = "It was charged before, under that reference", body = ChargesOf),
        (status = 404, description = "There is no such parcel", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is refused: an amount that cannot be, or 256 charges already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No reason, too long a one, or a kind that the house finds out itself", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn charge(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ChargesOf>), Problem> {
    let id = ParcelId::new(path(id)?);
    let key = idempotency::key_of(&headers)?.unwrap_or_default();
    let body = gate::json_body(&headers, body).await?;
    let ByHand { kind, amount, reason, reference } =
        serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    let mut faults = Vec::new();
    let length = reason.chars().count();
    if !(1..=REASON_LENGTH_MAX).contains(&length) {
        faults.push(FieldError::new("reason", format!("{length} characters; 1 to {REASON_LENGTH_MAX} are accepted")));
    }
    let long = reference.chars().count();
    if long > REASON_LENGTH_MAX {
        faults.push(FieldError::new("reference", format!("{long} characters; up to {REASON_LENGTH_MAX} are accepted")));
    }
    if kind.is_found_out() {
        faults.push(FieldError::new("kind", format!("{} is found out by the house itself", kind.as_str())));
    }
    if !faults.is_empty() {
        return Err(Problem { title: "The charge has faults", ..Problem::faulty(faults) });
    }
    let wanted = id.clone();
    if api.read(move |twin| twin.load::<Parcel>(wanted.text())).await?.is_none() {
        return Err(Problem::absent(format!("there is no parcel {id}")));
    }
    let (caller, answer) = Caller::waiting();
    let reference = if reference.is_empty() { key } else { reference.into() };
    let message = ParcelMsg::Charge { kind, amount, reason: reason.into(), reference, caller };
    origin::within(request.origin(), || api.app.house.tell(id.clone(), message));
    let status = match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(Ok(true))) => StatusCode::CREATED,
        Some(Ok(Ok(false))) => StatusCode::OK,
        Some(Ok(Err(refusal))) => return Err(Problem::refused(refusal)),
        Some(Err(_)) => return Err(Problem::unavailable("the site has stopped")),
        None => return Err(Problem::unavailable("the site took too long; whether it is charged, its charges tell")),
    };
    let wanted = id.clone();
    let charges = api.read(move |twin| Ok(twin.load::<Charges>(wanted.text())?.unwrap_or_default().1)).await?;
    Ok((status, Json(told(id.text(), charges))))
}
