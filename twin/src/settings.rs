//! A version of the site's settings: which parts it is made of, since when it is in force, and why. Its id is its number.
//!
//! A version is whole, as a tree of git is: it names every part by the hash of a document, so what did not change costs a name.
//! What stands in a part is nothing to the twin; [`crate::parts`] takes it apart, and `actors/src/config.rs` reads and checks it. No secret ever does.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::{Hash, Moment};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Where a version is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    /// Written down, and in force for nobody.
    Draft,
    /// Will be in force from its time on.
    Planned,
    /// In force. At most one is.
    Active,
    /// Was in force, or will never be.
    Archived,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Draft => "draft",
            Stage::Planned => "planned",
            Stage::Active => "active",
            Stage::Archived => "archived",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub stage: Stage,
    /// Each part's document, by the part's name: `limits`, `warehouse/SZX`, `channel/usps/priority`.
    pub parts: BTreeMap<SmolStr, Hash>,
    /// What whoever drafted it said of it.
    pub note: SmolStr,
    /// Why it was put in force, or planned to be.
    pub reason: SmolStr,
    /// From when on it is to be in force, by the date.
    pub active_from: Option<Moment>,
    pub drafted_at: Moment,
    pub activated_at: Option<Moment>,
    pub archived_at: Option<Moment>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Draft {
        parts: BTreeMap<SmolStr, Hash>,
        note: SmolStr,
    },
    /// Put it in force when that time comes.
    Plan {
        from: Moment,
        reason: SmolStr,
    },
    /// It is in force now.
    Activate {
        from: Moment,
        reason: SmolStr,
    },
    Archive {
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Drafted { parts: Vec<(SmolStr, Hash)>, note: SmolStr },
    Planned { from: Moment, reason: SmolStr },
    Activated { from: Moment, reason: SmolStr },
    Archived { why: SmolStr },
}

impl Entity for Settings {
    const KIND: Kind = Kind::Settings;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        let refuse = |step: &str, wants: &str| {
            let why = Why::WrongStage { is: self.stage.as_str().into(), step: step.into(), wants: wants.into() };
            Err(Self::refuse(id, why))
        };
        match (command, self.stage) {
            (Command::Draft { parts, note }, Stage::Absent) => Ok(vec![Event::Drafted { parts: parts.into_iter().collect(), note }]),
            (Command::Draft { parts, .. }, _) if parts == self.parts => Ok(vec![]),
            (Command::Draft { .. }, _) => refuse("writing it down", "a number of its own"),
            (_, Stage::Absent) => Err(Self::refuse(id, Why::Absent)),
            (Command::Plan { from, .. }, Stage::Planned) if self.active_from == Some(from) => Ok(vec![]),
            (Command::Plan { from, reason }, Stage::Draft | Stage::Planned) => Ok(vec![Event::Planned { from, reason }]),
            (Command::Plan { .. }, _) => refuse("planning it", "draft or planned"),
            (Command::Activate { .. }, Stage::Active) => Ok(vec![]),
            (Command::Activate { from, reason }, Stage::Draft | Stage::Planned) => Ok(vec![Event::Activated { from, reason }]),
            (Command::Activate { .. }, _) => refuse("putting it in force", "draft or planned; import what it says as a new version"),
            (Command::Archive { .. }, Stage::Archived) => Ok(vec![]),
            (Command::Archive { why }, _) => Ok(vec![Event::Archived { why }]),
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Drafted { parts, note } => {
                self.stage = Stage::Draft;
                self.parts = parts.iter().cloned().collect();
                self.note = note.clone();
                self.drafted_at = at;
            }
            Event::Planned { from, reason } => {
                self.stage = Stage::Planned;
                self.active_from = Some(*from);
                self.reason = reason.clone();
            }
            Event::Activated { from, reason } => {
                self.stage = Stage::Active;
                self.active_from = Some(*from);
                self.reason = reason.clone();
                self.activated_at = Some(at);
            }
            Event::Archived { .. } => {
                self.stage = Stage::Archived;
                self.archived_at = Some(at);
            }
        }
    }

    fn stage_word(&self) -> &'static str {
        self.stage.as_str()
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Settings(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(n: u8) -> BTreeMap<SmolStr, Hash> {
        [("limits".into(), Hash([n; 32]))].into()
    }

    fn done(settings: &mut Settings, command: Command) -> Result<usize, Refusal> {
        let events = settings.decide(&"2".into(), Moment(7), command)?;
        events.iter().for_each(|event| settings.apply(Moment(7), event));
        Ok(events.len())
    }

    #[test]
    fn a_version_goes_one_way() {
        let plan = |from| Command::Plan { from: Moment(from), reason: "new year".into() };
        let activate = || Command::Activate { from: Moment(9), reason: "new year".into() };
        let archive = || Command::Archive { why: "version 3 is in force".into() };
        let mut settings = Settings::default();
        let told = |outcome: Result<usize, Refusal>| outcome.unwrap_err().to_string();
        assert_eq!(told(done(&mut settings, activate())), "settings 2 refuses: it does not exist");
        assert_eq!(done(&mut settings, Command::Draft { parts: parts(1), note: "".into() }), Ok(1));
        assert_eq!(done(&mut settings, plan(8)), Ok(1));
        assert_eq!(done(&mut settings, plan(9)), Ok(1), "another time");
        assert_eq!((settings.stage, settings.active_from), (Stage::Planned, Some(Moment(9))));
        assert_eq!(done(&mut settings, activate()), Ok(1));
        assert_eq!(told(done(&mut settings, plan(10))), "settings 2 refuses: it is active, and planning it wants it draft or planned");
        assert_eq!(done(&mut settings, archive()), Ok(1));
        assert!(told(done(&mut settings, activate())).starts_with("settings 2 refuses: it is archived"));
        let other = Command::Draft { parts: parts(2), note: "".into() };
        assert!(done(&mut settings, other).is_err(), "what a version says never changes");
    }

    fn commands() -> impl Strategy<Value = Command> {
        let reason = || Just(SmolStr::new("why"));
        prop_oneof![
            (0u8..2).prop_map(|n| Command::Draft { parts: parts(n), note: "".into() }),
            ((1i64..4), reason()).prop_map(|(from, reason)| Command::Plan { from: Moment(from), reason }),
            ((1i64..4), reason()).prop_map(|(from, reason)| Command::Activate { from: Moment(from), reason }),
            reason().prop_map(|why| Command::Archive { why }),
        ]
    }

    proptest! {
        #[test]
        fn every_command_twice_is_the_command_once(all in proptest::collection::vec(commands(), 0..12)) {
            let mut settings = Settings::default();
            for command in all {
                let parts = settings.parts.clone();
                if done(&mut settings, command.clone()).is_ok() {
                    prop_assert_eq!(done(&mut settings, command), Ok(0));
                }
                prop_assert!(parts.is_empty() || parts == settings.parts);
            }
        }
    }
}
