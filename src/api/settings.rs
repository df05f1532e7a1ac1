//! The site's settings over HTTP: what versions there are, what one says, how two differ; a draft comes in and is put in force.
//! Hands all that changes anything to their keeper and answers when it is durable; decides nothing itself.

use super::limits::{COMMIT_WAIT_MAX, REASON_LENGTH_MAX, SETTINGS_LISTED_MAX};
use super::problem::{FieldError, Problem, path, query};
use super::request_id::RequestId;
use super::versions::{
    ActivationForm, ActivationView, ArchivalForm, Archived, DiffView, DraftReceipt, Noted, VersionView, VersionsView, WholeView, With,
};
use super::{Api, gate};
use actors::settings::keeper::{Activated, Activation, Drafted, KeeperMsg, Reply};
use actors::settings::{SettingsFault, Versions};
use actors::{Caller, origin};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use sim::site_file::SiteFile;
use smol_str::SmolStr;
use twin::parts::Parts;
use twin::settings::Stage;
use twin::{Moment, Twin};

/// All versions of the site's settings
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "settings",
    responses((status = 200, description = "The one in force, and what of it waits for the next start", body = VersionsView))
)]
pub async fn list(State(api): State<Api>) -> Result<Json<VersionsView>, Problem> {
    let in_force = api.app.house.in_force();
    let read = |twin: &Twin| {
        let versions = Versions::load(twin)?;
        let newest = versions.newest_first().take(SETTINGS_LISTED_MAX);
        newest.map(|(number, settings)| VersionView::of(twin, number, settings)).collect()
    };
    let versions = api.read(read).await?;
    Ok(Json(VersionsView { in_force: in_force.version, needs_restart: in_force.needs_restart.clone(), versions }))
}

/// One version with all that it says
///
/// With `Accept: application/toml` as a site file.
#[utoipa::path(
    get, path = "/api/v1/settings/{id}", tag = "settings",
    params(("id" = String, Path, description = "Its number", example = "3")),
    responses(
        (status = 200, description = "What it says, and by whom it was put in force and why", content((WholeView = "application/json"), (String = "application/toml"))),
        (status = 404, description = "There is no such version", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(State(api): State<Api>, id: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Result<Response, Problem> {
    let number = number(&path(id)?)?;
    let read = move |twin: &Twin| {
        let versions = Versions::load(twin)?;
        let Ok(settings) = versions.get(number) else { return Ok(None) };
        Ok(Some((VersionView::of(twin, number, settings)?, Parts::read(twin, &settings.parts)?.joined())))
    };
    let Some((version, site)) = api.read(read).await? else { return Err(fault(SettingsFault::Absent(number))) };
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !accept.contains(TOML) {
        return Ok(Json(WholeView { version, site }).into_response());
    }
    let text = toml::to_string_pretty(&site).map_err(|error| {
        tracing::error!(%error, number, "settings cannot be written as TOML");
        Problem::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, TOML)], text).into_response())
}

/// How two versions differ
///
/// Part by part, from the one to compare with to this one.
#[utoipa::path(
    get, path = "/api/v1/settings/{id}/diff", tag = "settings",
    params(("id" = String, Path, description = "Its number", example = "4"), With),
    responses(
        (status = 200, description = "Each difference; none: they say the same", body = DiffView),
        (status = 404, description = "There is no such version", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn diff(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    with: Result<Query<With>, QueryRejection>,
) -> Result<Json<DiffView>, Problem> {
    let number = number(&path(id)?)?;
    let with = query(with)?.with.unwrap_or(api.app.house.in_force().version);
    compare(&api, with, number).await.map(Json)
}

async fn compare(api: &Api, with: u32, number: u32) -> Result<DiffView, Problem> {
    let read = move |twin: &Twin| {
        let versions = Versions::load(twin)?;
        let parts = |number| match versions.parts(twin, number) {
            Ok(parts) => Ok(Ok(parts)),
            Err(SettingsFault::Twin(error)) => Err(error),
            Err(absent) => Ok(Err(absent)),
        };
        // Compared with settings that were never written down, all is new.
        let before = if with == 0 { Ok(Parts::default()) } else { parts(with)? };
        Ok(before.and_then(|before| Ok(parts(number)??.changes_from(&before))))
    };
    Ok(DiffView::of(with, number, api.read(read).await?.map_err(fault)?))
}

/// Draft a version
///
/// The body is a whole site file, as TOML or the same as JSON (`GET /api/v1/settings/{id}` has one to change under `site`); it
/// can name no files. It is checked as a start checks it, and in force for nobody until it is activated. The same content again
/// is the same version.
#[utoipa::path(
    post, path = "/api/v1/settings", tag = "settings",
    params(Noted),
    request_body(content((Value = "application/json", example = json!({"name": "quick-start", "fx": {"base": "USD"}, "warehouse": [], "carrier": [], "channel": []})), (String = "application/toml", example = "name = \"quick-start\"\n…"))),
    responses(
        (status = 201, description = "A new version", body = DraftReceipt,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 200, description = "It was written down before", body = DraftReceipt),
        (status = 422, description = "It cannot be a site's settings; the detail says where and why, as a start does", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is neither application/json nor application/toml", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn draft(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    noted: Result<Query<Noted>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let note = query(noted)?.note;
    if note.chars().count() > REASON_LENGTH_MAX {
        return Err(Problem::bad_request(format!("note is over the limit of {REASON_LENGTH_MAX} characters")));
    }
    let (media, body) = gate::typed_body(&headers, body, &[gate::JSON, TOML]).await?;
    let read = tokio::task::spawn_blocking(move || match media {
        TOML => SiteFile::of_toml(std::str::from_utf8(&body).map_err(|e| e.to_string())?, "the body").map_err(|e| e.to_string()),
        _ => SiteFile::of_json(&body, "the body").map_err(|e| e.to_string()),
    });
    let file = read.await.map_err(|_| Problem::internal())?.map_err(faulty)?;
    let (parts, note) = (Box::new(file.parts), note.into());
    let Drafted { number, new } = asked(&api, request, |reply| KeeperMsg::Draft { parts, note, reply }).await?;
    let diff = compare(&api, api.app.house.in_force().version, number).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(DraftReceipt { number, new, diff })).into_response())
}

/// Put a version in force
///
/// At once, or when its time comes, also behind a restart. It is checked as a whole before. All decisions from then on are made
/// under it; the one before is archived. What it changes of devices, stations, warehouses and carriers' accounts waits for the next
/// start, and is named.
#[utoipa::path(
    post, path = "/api/v1/settings/{id}/activate", tag = "settings",
    params(("id" = String, Path, description = "Its number", example = "4")),
    request_body = ActivationForm,
    responses(
        (status = 200, description = "It is in force, or planned", body = ActivationView,
            headers(("x-request-id" = String, description = "The `because` of its records"))),
        (status = 404, description = "There is no such version", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was in force before, or another is in force than was believed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It cannot be in force, a reason is missing, or `from` is no time", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn activate(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ActivationView>, Problem> {
    let number = number(&path(id)?)?;
    let body = gate::json_body(&headers, body).await?;
    let form: ActivationForm = serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    let reason = reason(form.reason)?;
    let read = |text: String| text.parse::<Moment>().map_err(|e| wrong("from", format!("{text:?} is no moment with an offset: {e}")));
    let from = form.from.map(read).transpose()?;
    let wish = Activation { number, from, reason, in_place_of: form.in_place_of };
    let done: Activated = asked(&api, request, |reply| KeeperMsg::Activate { asked: wish, reply }).await?;
    Ok(Json(done.into()))
}

/// Never put a version in force
///
/// Of a draft, or of one that is planned. Twice is once.
#[utoipa::path(
    post, path = "/api/v1/settings/{id}/archive", tag = "settings",
    params(("id" = String, Path, description = "Its number", example = "4")),
    request_body = ArchivalForm,
    responses(
        (status = 200, description = "It is archived", body = Archived,
            headers(("x-request-id" = String, description = "The `because` of its record"))),
        (status = 404, description = "There is no such version", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is in force", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or too long a one", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn archive(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Archived>, Problem> {
    let number = number(&path(id)?)?;
    let body = gate::json_body(&headers, body).await?;
    let form: ArchivalForm = serde_json::from_slice(&body).map_err(|e| Problem::bad_request(format!("the body cannot be read: {e}")))?;
    let why = reason(form.reason)?;
    asked(&api, request, |reply| KeeperMsg::Archive { number, why, reply }).await?;
    Ok(Json(Archived { number, stage: Stage::Archived.as_str() }))
}

const TOML: &str = "application/toml";

fn number(text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| Problem::absent(format!("there is no version {text:?} of the settings; versions have numbers")))
}

fn reason(text: String) -> Result<SmolStr, Problem> {
    match text.chars().count() {
        1..=REASON_LENGTH_MAX => Ok(text.into()),
        length => Err(wrong("reason", format!("{length} characters; 1 to {REASON_LENGTH_MAX} are accepted"))),
    }
}

fn wrong(field: &str, why: String) -> Problem {
    Problem { title: "The request has faults", ..Problem::faulty(vec![FieldError::new(field, why)]) }
}

fn faulty(why: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "faulty-settings", "The settings have faults", why)
}

fn fault(fault: SettingsFault) -> Problem {
    match fault {
        SettingsFault::Absent(_) => Problem::absent(fault.to_string()),
        SettingsFault::Faulty(why) => faulty(why),
        SettingsFault::Refused(_) | SettingsFault::Overtaken { .. } | SettingsFault::InForce(_) => Problem::refused(fault.to_string()),
        SettingsFault::Twin(error) => error.into(),
    }
}

/// Asks the keeper for something, and waits until what came of it is durable.
async fn asked<T: Send + 'static>(api: &Api, request: RequestId, message: impl FnOnce(Reply<T>) -> KeeperMsg) -> Result<T, Problem> {
    let (caller, answer) = Caller::waiting();
    let message = message(caller);
    origin::within(request.origin(), || api.app.house.keeper.cast(message));
    match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(outcome)) => outcome.map_err(fault),
        Some(Err(_)) => Err(Problem::unavailable("the site has stopped")),
        None => {
            let waited = COMMIT_WAIT_MAX.as_secs_f64();
            Err(Problem::unavailable(format!("the ledger did not answer within {waited} s; send the same again: it is harmless")))
        }
    }
}
