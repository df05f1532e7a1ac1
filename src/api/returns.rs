//! What comes back: a person announces it, receives it, and says what becomes of it. Hands each step to the parcel, and answers
//! when it is durable; decides nothing itself.

use super::limits::{COMMIT_WAIT_MAX, REASON_LENGTH_MAX};
use super::problem::{FieldError, Problem, path};
use super::request_id::RequestId;
use super::{Api, gate};
use actors::Caller;
use actors::returns::Step;
use actors::{ParcelMsg, origin};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;
use twin::parcel::Parcel;
use twin::{By, Key, Kind, Origin, ParcelId, returns};
use utoipa::ToSchema;

/// Names of people.
const NAME_LENGTH_MAX: usize = 60;
/// Goods of one return that are told apart.
const ITEMS_MAX: usize = 500;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// Who says so, 1 to 60 characters; stands in the journal.
    #[schema(example = "Li Wei", min_length = 1, max_length = 60)]
    pub by: String,
    /// Why it comes back, 1 to 200 characters.
    #[schema(example = "the buyer refused it", min_length = 1, max_length = 200)]
    pub reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reception {
    /// Who opened it, 1 to 60 characters; stands in the journal.
    #[schema(example = "Li Wei", min_length = 1, max_length = 60)]
    pub by: String,
    /// Where it came back to; left out: where it left from.
    #[schema(example = "SZX")]
    pub warehouse: Option<String>,
    /// What came. Of what was in the parcel and is not named here, the rest is missing.
    pub items: Vec<ReceivedItem>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceivedItem {
    #[schema(example = "P-000007")]
    pub sku: String,
    #[schema(example = 2, minimum = 1)]
    pub quantity: u32,
    pub condition: Condition,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// As new.
    Sellable,
    Opened,
    Damaged,
    Missing,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Who decides it, 1 to 60 characters; stands in the journal.
    #[schema(example = "Li Wei", min_length = 1, max_length = 60)]
    pub by: String,
    pub outcome: Outcome,
    /// Up to 200 characters.
    #[serde(default)]
    #[schema(example = "two as new, one broken", max_length = 200)]
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, clap::ValueEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Outcome {
    /// What is sellable goes back into stock.
    Restocked,
    /// Nothing of it goes back; also of one that never came.
    WrittenOff,
    /// The goods leave again, in another parcel.
    SentAgain,
    /// It does not come: the parcel was delivered after all.
    Withdrawn,
}

impl From<Outcome> for returns::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Restocked => returns::Outcome::Restocked,
            Outcome::WrittenOff => returns::Outcome::WrittenOff,
            Outcome::SentAgain => returns::Outcome::SentAgain,
            Outcome::Withdrawn => returns::Outcome::Withdrawn,
        }
    }
}

/// Announce a return
///
/// A carrier's news announce one by themselves; this is for what a person knows first. Twice is once.
#[utoipa::path(
    post, path = "/api/v1/returns/{parcel}/announce", tag = "returns",
    params(("parcel" = String, Path, description = "The parcel's id; a return is called as its parcel is")),
    request_body = Announcement,
    responses(
        (status = 200, description = "The return's state, id and version", body = Value,
            headers(("x-request-id" = String, description = "The `because` of its records"))),
        (status = 404, description = "There is no such parcel", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has not left; its stage is named", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Faulty fields, each named", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn announce(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let parcel = ParcelId::new(path(id)?);
    let form: Announcement = read(&headers, body).await?;
    let faults = [name_fault(&form.by), length_fault("reason", &form.reason, 1)];
    fault_free(faults.into_iter().flatten().collect())?;
    told(&api, request, parcel, form.by, Step::Announce { reason: form.reason.into() }).await
}

/// Receive a return
///
/// It was opened: what came back, and how. One that nobody announced may be received all the same. Again until it is closed: a count
/// may be put right. More of a SKU than left, or a SKU that was not in the parcel, is refused.
#[utoipa::path(
    post, path = "/api/v1/returns/{parcel}/receive", tag = "returns",
    params(("parcel" = String, Path, description = "The parcel's id")),
    request_body = Reception,
    responses(
        (status = 200, description = "The return's state, id and version", body = Value,
            headers(("x-request-id" = String, description = "The `because` of its records"))),
        (status = 404, description = "There is no such parcel", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "That was not in it, or it is closed; both states are named", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Faulty fields, each named", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receive(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let parcel = ParcelId::new(path(id)?);
    let Reception { by, warehouse, items } = read(&headers, body).await?;
    let mut faults: Vec<_> = name_fault(&by).into_iter().collect();
    if items.len() > ITEMS_MAX {
        faults.push(FieldError::new("items", format!("{} of them; up to {ITEMS_MAX} are accepted", items.len())));
    }
    for (n, item) in items.iter().enumerate().filter(|(_, item)| item.quantity == 0) {
        faults.push(FieldError::new(format!("items[{n}].quantity"), format!("none of {:?}; leave it out", item.sku)));
    }
    let warehouse = warehouse.map(twin::WarehouseId::new);
    if let Some(unknown) = warehouse.as_ref().filter(|id| api.app.house.in_force().config.warehouse(id).is_none()) {
        faults.push(FieldError::new("warehouse", format!("there is no warehouse {:?} in this site", unknown.as_str())));
    }
    fault_free(faults)?;
    let condition = |of| match of {
        Condition::Sellable => returns::Condition::Sellable,
        Condition::Opened => returns::Condition::Opened,
        Condition::Damaged => returns::Condition::Damaged,
        Condition::Missing => returns::Condition::Missing,
    };
    let returned = |item: ReceivedItem| returns::Returned {
        sku: twin::Sku::new(item.sku),
        quantity: item.quantity,
        condition: condition(item.condition),
    };
    let items = items.into_iter().map(returned).collect();
    told(&api, request, parcel, by, Step::Receive { warehouse, items }).await
}

/// Close a return
///
/// With `restocked` what is sellable goes into stock at once, by whoever closes it; until that is written its stage is `restocking`.
/// The same again is harmless.
#[utoipa::path(
    post, path = "/api/v1/returns/{parcel}/close", tag = "returns",
    params(("parcel" = String, Path, description = "The parcel's id")),
    request_body = Closing,
    responses(
        (status = 200, description = "The return's state, id and version", body = Value,
            headers(("x-request-id" = String, description = "The `because` of its records"))),
        (status = 404, description = "There is no such parcel", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It cannot end so; both states are named", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Faulty fields, each named", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn close(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let parcel = ParcelId::new(path(id)?);
    let Closing { by, outcome, note } = read(&headers, body).await?;
    fault_free([name_fault(&by), length_fault("note", &note, 0)].into_iter().flatten().collect())?;
    told(&api, request, parcel, by, Step::Close { outcome: outcome.into(), note: note.into() }).await
}

pub async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let body = gate::json_body(headers, body).await?;
    serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))
}

pub fn name_fault(name: &str) -> Option<FieldError> {
    let length = name.chars().count();
    if !(1..=NAME_LENGTH_MAX).contains(&length) || name.chars().any(char::is_control) || name.trim().is_empty() {
        return Some(FieldError::new("by", format!("{length} characters; a name of 1 to {NAME_LENGTH_MAX} that prints is accepted")));
    }
    None
}

pub fn length_fault(field: &str, text: &str, least: usize) -> Option<FieldError> {
    let length = text.chars().count();
    let fits = (least..=REASON_LENGTH_MAX).contains(&length);
    (!fits).then(|| FieldError::new(field, format!("{length} characters; {least} to {REASON_LENGTH_MAX} are accepted")))
}

pub fn fault_free(faults: Vec<FieldError>) -> Result<(), Problem> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem { title: "The step has faults", ..Problem::faulty(faults) })
}

/// Tells the parcel, on the account of whoever did it, and waits until what came of it is durable.
async fn told(api: &Api, request: RequestId, parcel: ParcelId, by: String, step: Step) -> Result<Json<Value>, Problem> {
    let id = parcel.clone();
    if api.read(move |twin| twin.load::<Parcel>(id.text())).await?.is_none() {
        return Err(Problem::absent(format!("there is no parcel {parcel}")));
    }
    let (caller, answer) = Caller::waiting();
    let message = ParcelMsg::Return(step, caller);
    let origin = Origin { by: By::Person(SmolStr::new(by)), ..request.origin() };
    origin::within(origin, || api.app.house.tell(parcel.clone(), message));
    match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(Ok(()))) => {}
        Some(Ok(Err(refusal))) => return Err(Problem::refused(refusal)),
        Some(Err(_)) => return Err(Problem::unavailable("the parcel fell over it; send the same again: it is harmless")),
        None => return Err(Problem::unavailable("the ledger did not answer in time; send the same again: it is harmless")),
    }
    let key = Key::new(Kind::Return, parcel.text().clone());
    let state = api.read(move |twin| twin.json(&key)).await?;
    state.map(Json).ok_or_else(Problem::internal)
}
