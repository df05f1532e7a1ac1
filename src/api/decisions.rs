//! Why one order leaves from where it does, or why it does not: all that was weighed, also what its event does not keep, said in
//! the language that is asked for.

use super::Api;
use super::entities::called;
use super::problem::{Problem, path, query};
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;
use twin::allocation::{Candidate, Decision};
use twin::hold::Detail;
use twin::order::Order;
use twin::words::{Language, Say};
use twin::{Money, Twin, TwinError};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Spoken {
    /// `en` or `zh`; where it is left out, the first of these in `Accept-Language`, else `en`.
    #[param(example = "zh")]
    lang: Option<String>,
}

/// What was weighed for an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Weighed {
    #[schema(example = "SHO-000001")]
    order: String,
    /// `chosen`, or in words what the order waits for.
    #[schema(example = "chosen")]
    outcome: String,
    #[schema(example = "cheapest-with-stock@1")]
    rule: String,
    warehouse: Option<String>,
    channel: Option<String>,
    #[schema(value_type = Object, example = json!({"amount": "4.69", "currency": "USD"}))]
    cost: Option<Money>,
    /// The version of the site's settings that it was made under; 0: not told.
    settings: u32,
    /// How many candidates there were; all of them follow.
    weighed: u32,
    /// The chosen one first, then those with a price, cheapest first, then those nearest to one.
    candidates: Vec<Fared>,
}

/// How one warehouse, or one channel from it, fared.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fared {
    warehouse: String,
    /// Absent: the whole warehouse.
    channel: Option<String>,
    #[schema(value_type = Object, example = json!({"amount": "7.79", "currency": "USD"}))]
    cost: Option<Money>,
    days: Option<u16>,
    /// In words.
    #[schema(example = "dearer by 3.10 USD")]
    verdict: String,
    /// Which reason it is.
    #[schema(example = "dearer")]
    verdict_kind: String,
    /// What the reason is about.
    #[schema(value_type = Object, example = json!({"by": {"amount": "3.10", "currency": "USD"}}))]
    parameters: Value,
}

fn fared(candidate: Candidate, language: Language) -> Fared {
    let Candidate { warehouse, channel, cost, days, verdict } = candidate;
    let (kind, parameters) = verdict.parts();
    Fared {
        warehouse: warehouse.to_string(),
        channel: channel.map(|c| c.to_string()),
        cost,
        days,
        verdict: verdict.words(language),
        verdict_kind: kind.into(),
        parameters,
    }
}

/// The first language that is asked for and spoken here.
fn language(asked: Option<&str>, headers: &HeaderMap) -> Result<Language, Problem> {
    if let Some(tag) = asked {
        return Language::of(tag).ok_or_else(|| Problem::bad_request(format!("lang {tag:?} is not en or zh")));
    }
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(accepted.split(',').filter_map(|tag| Language::of(tag.split(';').next()?)).next().unwrap_or_default())
}

/// `None`: nothing was weighed for it yet.
fn weighed(twin: &Twin, id: &SmolStr, order: Order, language: Language) -> Result<Option<Weighed>, TwinError> {
    let none = Weighed {
        order: id.to_string(),
        outcome: String::new(),
        rule: String::new(),
        warehouse: None,
        channel: None,
        cost: None,
        settings: 0,
        weighed: 0,
        candidates: Vec::new(),
    };
    let all = |kept: &[Candidate], all| -> Result<Vec<Fared>, TwinError> {
        Ok(twin.candidates(kept, all)?.into_iter().map(|candidate| fared(candidate, language)).collect())
    };
    if let Some(Decision { rule, warehouse, channel, cost, candidates, count, all: hash, settings }) = order.decision().cloned() {
        let (warehouse, channel) = (Some(warehouse.to_string()), Some(channel.to_string()));
        let outcome = twin::verdict::Verdict::Chosen.words(language);
        let candidates = all(&candidates, hash.as_ref())?;
        return Ok(Some(Weighed {
            order: none.order,
            outcome,
            rule: rule.into(),
            warehouse,
            channel,
            cost: Some(cost),
            settings,
            weighed: count,
            candidates,
        }));
    }
    for (hold, detail) in &order.holds {
        if let Detail::NoOffer { rule, candidates, count, all: hash, settings } = detail {
            let outcome = format!("{}: {}", hold.words(language), detail.words(language));
            let candidates = all(candidates, hash.as_ref())?;
            return Ok(Some(Weighed { outcome, rule: rule.to_string(), settings: *settings, weighed: *count, candidates, ..none }));
        }
    }
    Ok(None)
}

/// What was weighed for one order
///
/// Every warehouse, and every channel of one that has the goods, with its price or why it has none.
#[utoipa::path(
    get, path = "/api/v1/decisions/{order}", tag = "orders",
    params(("order" = String, Path, description = "The order's id"), Spoken),
    responses(
        (status = 200, description = "The decision, or why there is none, with all candidates", body = Weighed),
        (status = 404, description = "There is no such order, or nothing was weighed for it yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn decision(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    spoken: Result<Query<Spoken>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Weighed>, Problem> {
    let (id, language) = (called(&api, path(id)?).await?.text().clone(), language(query(spoken)?.lang.as_deref(), &headers)?);
    let wanted = id.clone();
    let found = api.read(move |twin| match twin.load::<Order>(&wanted)? {
        Some((_, order)) => weighed(twin, &wanted, order, language),
        None => Ok(None),
    });
    found.await?.map(Json).ok_or_else(|| Problem::absent(format!("there is no order {id} for which something was weighed")))
}
