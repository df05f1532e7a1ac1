//! The open problems of a site, as its twin has them: what is wrong now, since when, whose it is, and what would solve it.

use super::Api;
use super::entities::plural;
use super::problem::{FieldError, Problem};
use super::returns::fault_free;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use twin::facet::Facet;
use twin::problem::{self, Cause, Severity};
use twin::{Key, Kind, Moment, Twin, TwinError};
use utoipa::{IntoParams, ToSchema};

/// Problems in one answer.
const ANSWER_MAX: usize = 1_000;
/// Problems that are looked at for one answer.
const LOOKS_MAX: usize = 20_000;

/// Which problems; what is left out is no condition.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of what sort: `held`, `intercepted`, `label_lost`, `label_kept`, `stopped`, `alarm`, `news`, `offline`, `faulty`, `suspended` or `rejects`
    pub cause: Option<String>,
    /// `watch`, `act` or `urgent`
    pub severity: Option<String>,
    /// Of what kind of thing: `order`, `parcel`, `tracking`, `bag`, `device`, `carrier` or `station`
    pub kind: Option<String>,
    /// Whose they are; empty: nobody's
    pub owner: Option<String>,
    /// Those that were put off too
    pub snoozed: bool,
}

impl Wanted {
    /// What none can be of: a list that is empty for a slip of the pen looks as if nothing were wrong.
    fn faults(&self) -> Vec<FieldError> {
        let fault = |field: &str, given: &Option<String>, known: Vec<&'static str>| {
            let given = given.as_deref().filter(|given| !known.contains(given))?;
            Some(FieldError::new(field, format!("{given:?}; one of {} is accepted", known.join(", "))))
        };
        let severities = [Severity::Watch, Severity::Act, Severity::Urgent].map(Severity::as_str);
        let faults = [
            fault("cause", &self.cause, Cause::ALL.map(Cause::as_str).into()),
            fault("severity", &self.severity, severities.into()),
            fault("kind", &self.kind, Kind::ALL.map(Kind::as_str).into()),
        ];
        faults.into_iter().flatten().collect()
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problems {
    /// The most urgent first, and of those the oldest; up to 1,000.
    pub problems: Vec<ProblemView>,
    /// How many those are, also where the list is cut.
    pub open: u64,
    /// How many others are put off.
    pub snoozed: u64,
}

/// Something that is wrong now.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ProblemView {
    #[schema(example = "intercepted:parcel:WEB-000001-1")]
    pub id: String,
    /// Of what kind the thing is that has it.
    #[schema(example = "parcel")]
    pub kind: String,
    /// Its id.
    #[schema(example = "WEB-000001-1")]
    pub of: String,
    pub cause: &'static str,
    /// `watch`, `act` or `urgent`.
    pub severity: &'static str,
    /// In words. May hold foreign text.
    pub what: String,
    /// When it was opened last.
    pub since: String,
    pub first_at: String,
    /// How often it was there.
    pub times: u32,
    /// Whose it is; empty: nobody's.
    pub owner: String,
    /// Somebody has seen it since it was opened last.
    pub acknowledged: bool,
    pub snoozed_until: Option<String>,
    /// What people wrote down about it, oldest first.
    pub notes: Vec<NoteView>,
    /// What a person can do about it, as `POST /api/v1/remedies` calls it; the one that fits best stands first.
    pub remedies: Vec<&'static str>,
    /// Where to read more of the thing.
    pub href: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoteView {
    pub at: String,
    pub by: String,
    pub text: String,
}

/// What is wrong now
///
/// What the twin says is open: the same after a restart, and empty when all causes are gone. `POST /api/v1/remedies` takes what is to
/// be done about it, and who has it, has seen it or puts it off.
#[utoipa::path(
    get, path = "/api/v1/problems", tag = "remedies", params(Wanted),
    responses(
        (status = 200, description = "Those that are open", body = Problems),
        (status = 422, description = "There is no such cause, severity or kind", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn problems(State(api): State<Api>, wanted: Result<Query<Wanted>, QueryRejection>) -> Result<Json<Problems>, Problem> {
    let Query(wanted) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    fault_free(wanted.faults())?;
    let now = api.app.house.clock.now();
    Ok(Json(api.read(move |twin| open(twin, now, &wanted, ANSWER_MAX)).await?))
}

/// Those that are open, and so many of them in full.
pub fn open(twin: &Twin, now: Moment, wanted: &Wanted, most: usize) -> Result<Problems, TwinError> {
    let (mut found, mut snoozed) = (Vec::new(), 0);
    for row in twin.listed::<problem::Problem>(Facet::Problem, wanted.kind.as_deref(), None).take(LOOKS_MAX) {
        let id = row?.0.id;
        let Some((_, problem)) = twin.load::<problem::Problem>(&id)? else { continue };
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let fits = fits(&wanted.cause, problem.cause.as_str())
            && fits(&wanted.severity, problem.severity.as_str())
            && fits(&wanted.owner, &problem.owner)
            && problem.open;
        if !fits {
            continue;
        }
        if problem.snoozed_until.is_some_and(|until| until > now) && !wanted.snoozed {
            snoozed += 1;
            continue;
        }
        found.push((id, problem));
    }
    let open = found.len() as u64;
    let urgency = |severity: Severity| std::cmp::Reverse(severity);
    found.sort_by(|(a, this), (b, that)| (urgency(this.severity), this.since, a).cmp(&(urgency(that.severity), that.since, b)));
    found.truncate(most);
    let problems = found.into_iter().map(|(id, problem)| view(twin, &id, problem)).collect::<Result<_, _>>()?;
    Ok(Problems { problems, open, snoozed })
}

fn view(twin: &Twin, id: &str, problem: problem::Problem) -> Result<ProblemView, TwinError> {
    let subject = problem.subject.unwrap_or_else(|| Key::new(Kind::Problem, id));
    let troubles = twin.troubles(&subject)?;
    let remedies = troubles.into_iter().find(|trouble| trouble.cause == problem.cause).map(|trouble| trouble.remedies).unwrap_or_default();
    let note = |note: problem::Note| NoteView { at: note.at.to_string(), by: note.by.to_string(), text: note.text.to_string() };
    Ok(ProblemView {
        id: id.to_owned(),
        kind: subject.kind.as_str().to_owned(),
        of: subject.id.to_string(),
        cause: problem.cause.as_str(),
        severity: problem.severity.as_str(),
        what: problem.what.to_string(),
        since: problem.since.to_string(),
        first_at: problem.first_at.to_string(),
        times: problem.times,
        owner: problem.owner.to_string(),
        acknowledged: problem.acknowledged,
        snoozed_until: problem.snoozed_until.map(|until| until.to_string()),
        notes: problem.notes.into_iter().map(note).collect(),
        remedies,
        href: format!("/api/v1/{}/{}", plural(subject.kind), subject.id),
    })
}
