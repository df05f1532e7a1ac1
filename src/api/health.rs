//! Is it alive, is it ready. Alive: the process answers. Ready: the ledger, through which everything goes, answers too.

use super::Api;
use super::limits::READY_WAIT_MAX;
use super::problem::Problem;
use actors::{Answer, Caller, Outgoing};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `alive` or `ready`.
    pub status: &'static str,
}

/// Is the process alive
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It answers", body = Health)))]
pub async fn healthz() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Does the ledger answer
///
/// An empty sheet of work goes through it, behind everything that waits there.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It answers within a second", body = Health),
        (status = 503, description = "It does not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn readyz(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    let (caller, answer) = Caller::waiting();
    let mut work = api.app.house.work();
    work.say(Outgoing::Answer(Answer::Written(caller)));
    api.app.house.commit(work);
    match api.clock.timeout(READY_WAIT_MAX, answer).await {
        Some(Ok(())) => Ok(Json(Health { status: "ready" })),
        Some(Err(_)) => Err(Problem::unavailable("the ledger has stopped")),
        None => Err(Problem::unavailable(format!("the ledger did not answer within {} s", READY_WAIT_MAX.as_secs_f64()))),
    }
}
