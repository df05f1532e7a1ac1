//! How versions of the settings look as JSON, and what may be asked of them. For the API and the command line alike.

use super::limits::SETTINGS_CHANGES_MAX;
use actors::settings::keeper::Activated;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use twin::parts::Change;
use twin::settings::{Event, Settings};
use twin::{Key, Kind, Twin, TwinError, Way};
use utoipa::{IntoParams, ToSchema};

/// A version of the settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    #[schema(example = 3)]
    pub number: u32,
    /// draft, planned, active or archived.
    #[schema(example = "active")]
    pub stage: &'static str,
    /// What whoever drafted it said of it.
    #[schema(example = "winter rates of the post")]
    pub note: String,
    #[schema(example = "API key api")]
    pub drafted_by: String,
    #[schema(example = "2026-11-25T08:00:00Z")]
    pub drafted_at: String,
    /// Why it was put in force, or planned to be.
    #[schema(example = "the post's new rates hold")]
    pub reason: Option<String>,
    #[schema(example = "API key api")]
    pub activated_by: Option<String>,
    /// From when on it was asked to be in force.
    #[schema(example = "2026-12-01T00:00:00Z")]
    pub active_from: Option<String>,
    pub activated_at: Option<String>,
    pub archived_at: Option<String>,
    /// Why it is in force no more, or never will be.
    pub archived_why: Option<String>,
    /// The hash of each part's document, by the part's name: what two versions share they have under the same hash.
    pub parts: BTreeMap<String, String>,
}

impl VersionView {
    /// A version with what its history says of it.
    pub fn of(twin: &Twin, number: u32, settings: &Settings) -> Result<Self, TwinError> {
        let mut view = VersionView {
            number,
            stage: settings.stage.as_str(),
            note: settings.note.to_string(),
            drafted_by: String::new(),
            drafted_at: settings.drafted_at.to_string(),
            reason: settings.active_from.map(|_| settings.reason.to_string()),
            activated_by: None,
            active_from: settings.active_from.map(|at| at.to_string()),
            activated_at: settings.activated_at.map(|at| at.to_string()),
            archived_at: settings.archived_at.map(|at| at.to_string()),
            archived_why: None,
            parts: settings.parts.iter().map(|(name, hash)| (name.to_string(), hash.to_string())).collect(),
        };
        for record in twin.history(&[Key::new(Kind::Settings, number.to_string())], Way::After(0)) {
            let record = record?;
            let by = record.by.to_string();
            match record.event {
                twin::Event::Settings(Event::Drafted { .. }) => view.drafted_by = by,
                twin::Event::Settings(Event::Planned { .. }) => view.activated_by = Some(by),
                // What was planned is put in force by the clock: whoever planned it did it.
                twin::Event::Settings(Event::Activated { .. }) if record.by.is_system() && view.activated_by.is_some() => {}
                twin::Event::Settings(Event::Activated { .. }) => view.activated_by = Some(by),
                twin::Event::Settings(Event::Archived { why }) => view.archived_why = Some(why.to_string()),
                _ => {}
            }
        }
        Ok(view)
    }
}

/// All versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionsView {
    /// The version that the site goes by; 0: one that was never written down.
    #[schema(example = 3)]
    pub in_force: u32,
    /// What of it waits for the next start.
    #[schema(example = json!(["device SZX/line-1/scale: address"]))]
    pub needs_restart: Vec<String>,
    /// The newest first; of more than 500 those.
    pub versions: Vec<VersionView>,
}

/// A version with all that it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeView {
    #[serde(flatten)]
    pub version: VersionView,
    /// As a site file says it, each tariff in it.
    pub site: Value,
}

/// One difference between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    #[schema(example = "channel/usps/priority")]
    pub part: String,
    /// Where in the part; empty: the part as a whole.
    #[schema(example = "limits.weight_g_max")]
    pub path: String,
    /// As JSON; nothing: it was not there.
    #[schema(example = "30000")]
    pub before: Option<String>,
    /// As JSON; nothing: it is gone.
    #[schema(example = "31500")]
    pub after: Option<String>,
}

impl From<Change> for ChangeView {
    fn from(Change { part, path, before, after }: Change) -> Self {
        ChangeView { part: part.to_string(), path, before, after }
    }
}

/// How two versions differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffView {
    /// From this version
    #[schema(example = 3)]
    pub with: u32,
    /// to this.
    #[schema(example = 4)]
    pub number: u32,
    pub changes: Vec<ChangeView>,
    /// So many more differences than are listed.
    #[schema(example = 0)]
    pub more: usize,
}

impl DiffView {
    pub fn of(with: u32, number: u32, mut changes: Vec<Change>) -> Self {
        let more = changes.len().saturating_sub(SETTINGS_CHANGES_MAX);
        changes.truncate(SETTINGS_CHANGES_MAX);
        DiffView { with, number, changes: changes.into_iter().map(ChangeView::from).collect(), more }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct With {
    /// The version to compare with; where it is left out, the one in force.
    #[param(example = 3)]
    pub with: Option<u32>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Noted {
    /// What whoever reads the list shall know of it, up to 200 characters.
    #[param(example = "winter rates of the post")]
    pub note: String,
}

/// A draft that came in.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftReceipt {
    #[schema(example = 4)]
    pub number: u32,
    /// False: the same was written down before, under this number.
    #[schema(example = true)]
    pub new: bool,
    /// What is another in it than in the version in force.
    pub diff: DiffView,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivationForm {
    /// From when on; left out or in the past: from now.
    #[serde(default)]
    #[schema(example = "2026-12-01T00:00:00+08:00", format = DateTime)]
    pub from: Option<String>,
    /// 1 to 200 characters; stands in the journal.
    #[schema(example = "the post's new rates hold", min_length = 1, max_length = 200)]
    pub reason: String,
    /// The version that you believe to be in force: where it is another by now, the answer is 409 and nothing is done.
    #[serde(default)]
    #[schema(example = 3)]
    pub in_place_of: Option<u32>,
}

/// What came of an activation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivationView {
    #[schema(example = 4)]
    pub number: u32,
    /// active, or planned where its time is still to come.
    #[schema(example = "active")]
    pub stage: &'static str,
    #[schema(example = "2026-12-01T00:00:00Z")]
    pub active_from: String,
    /// What of it waits for the next start; all else holds from then on.
    #[schema(example = json!(["device SZX/line-1/scale: address"]))]
    pub needs_restart: Vec<String>,
    /// What may be so, and what will come of it.
    #[schema(example = json!([]))]
    pub advice: Vec<String>,
}

impl From<Activated> for ActivationView {
    fn from(Activated { number, stage, from, needs_restart, advice }: Activated) -> Self {
        ActivationView { number, stage: stage.as_str(), active_from: from.to_string(), needs_restart, advice }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivalForm {
    /// 1 to 200 characters; stands in the journal.
    #[schema(example = "drafted by mistake", min_length = 1, max_length = 200)]
    pub reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Archived {
    #[schema(example = 4)]
    pub number: u32,
    #[schema(example = "archived")]
    pub stage: &'static str,
}
