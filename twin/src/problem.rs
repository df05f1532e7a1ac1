//! An open problem: something that is wrong with a thing, until its cause is gone, and what people do about it meanwhile.
//!
//! What is wrong stands in the state of the thing itself ([`crate::Entity::troubles`]); a problem is opened and closed as that
//! changes, so the list of those that are open follows from the states and is the same after a restart. One that comes again is the
//! same problem, with a count.

use crate::entity::{Entity, Key, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::{By, Moment};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// Notes that are kept with a problem; the journal keeps all.
pub const NOTES_MAX: usize = 20;

/// What sort of thing is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An order waits.
    #[default]
    Held,
    /// A parcel was stopped before it did harm.
    Intercepted,
    /// A label may have been bought, and nobody can tell.
    LabelLost,
    /// A label that nobody needs was not taken back.
    LabelKept,
    /// A person wants a parcel stopped.
    Stopped,
    /// Something about a parcel or a bag that no stage expresses.
    Alarm,
    /// What a carrier says of a parcel on its way.
    News,
    /// A device that cannot be reached.
    Offline,
    /// A device that says that something is wrong with it.
    Faulty,
    /// A carrier that failed too often in a row.
    Suspended,
    /// Items at a line's reject chute that no parcel answers for.
    Rejects,
}

impl Cause {
    pub const ALL: [Cause; 11] = [
        Cause::Held,
        Cause::Intercepted,
        Cause::LabelLost,
        Cause::LabelKept,
        Cause::Stopped,
        Cause::Alarm,
        Cause::News,
        Cause::Offline,
        Cause::Faulty,
        Cause::Suspended,
        Cause::Rejects,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Held => "held",
            Cause::Intercepted => "intercepted",
            Cause::LabelLost => "label_lost",
            Cause::LabelKept => "label_kept",
            Cause::Stopped => "stopped",
            Cause::Alarm => "alarm",
            Cause::News => "news",
            Cause::Offline => "offline",
            Cause::Faulty => "faulty",
            Cause::Suspended => "suspended",
            Cause::Rejects => "rejects",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It may end by itself.
    Watch,
    /// A person has to do something.
    #[default]
    Act,
    /// Now: goods, money or other parcels are at stake.
    Urgent,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Watch => "watch",
            Severity::Act => "act",
            Severity::Urgent => "urgent",
        }
    }
}

/// Something that is wrong with a thing now, as its state tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub cause: Cause,
    pub severity: Severity,
    /// In words, for a person. May hold foreign text.
    pub what: SmolStr,
    /// What a person can do about it, as the remedies are called; the one that fits best stands first.
    pub remedies: Vec<&'static str>,
}

/// What somebody wrote down about a problem.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub at: Moment,
    pub by: SmolStr,
    pub text: SmolStr,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    pub subject: Option<Key>,
    pub cause: Cause,
    pub severity: Severity,
    pub what: SmolStr,
    pub open: bool,
    /// When it was opened last.
    pub since: Moment,
    pub first_at: Moment,
    /// How often it was there: opened, or opened again, or its words changed.
    pub times: u32,
    pub closed_at: Option<Moment>,
    /// Whose it is.
    pub owner: SmolStr,
    /// Somebody has seen it, since it was opened last.
    pub acknowledged: bool,
    /// Nobody wants to see it before.
    pub snoozed_until: Option<Moment>,
    pub notes: Vec<Note>,
}

/// The id of a thing's problem of this sort.
pub fn id(cause: Cause, subject: &Key) -> SmolStr {
    format_smolstr!("{}:{}:{}", cause.as_str(), subject.kind.as_str(), subject.id)
}

#[derive(Clone, Debug)]
pub enum Command {
    /// It is there, in these words.
    Find {
        subject: Key,
        trouble: Trouble,
    },
    /// Its cause is gone.
    Close,
    Acknowledge {
        by: By,
        note: SmolStr,
    },
    Assign {
        to: SmolStr,
        by: By,
        note: SmolStr,
    },
    Snooze {
        until: Moment,
        by: By,
        note: SmolStr,
    },
    Comment {
        by: By,
        note: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// For the first time, or again.
    Opened {
        subject: Key,
        cause: Cause,
        severity: Severity,
        what: SmolStr,
    },
    Changed {
        severity: Severity,
        what: SmolStr,
    },
    Closed,
    Acknowledged {
        by: SmolStr,
        note: SmolStr,
    },
    Assigned {
        to: SmolStr,
        by: SmolStr,
        note: SmolStr,
    },
    Snoozed {
        until: Moment,
        by: SmolStr,
        note: SmolStr,
    },
    Commented {
        by: SmolStr,
        note: SmolStr,
    },
}

fn name(by: By) -> SmolStr {
    format_smolstr!("{by}")
}

impl Problem {
    fn noted(&mut self, at: Moment, by: &SmolStr, text: &SmolStr) {
        if text.is_empty() {
            return;
        }
        if self.notes.len() >= NOTES_MAX {
            self.notes.remove(0);
        }
        self.notes.push(Note { at, by: by.clone(), text: text.clone() });
    }

    fn said(&self, by: &SmolStr, text: &SmolStr) -> bool {
        self.notes.last().is_some_and(|note| (&note.by, &note.text) == (by, text))
    }
}

impl Entity for Problem {
    const KIND: Kind = Kind::Problem;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        if self.subject.is_none() && !matches!(command, Command::Find { .. }) {
            return Err(Self::refuse(id, Why::Absent));
        }
        Ok(match command {
            Command::Find { trouble: Trouble { severity, what, .. }, .. } if self.open => {
                match (severity, &what) == (self.severity, &self.what) {
                    true => vec![],
                    false => vec![Event::Changed { severity, what }],
                }
            }
            Command::Find { subject, trouble: Trouble { cause, severity, what, .. } } => {
                vec![Event::Opened { subject, cause, severity, what }]
            }
            Command::Close if self.open => vec![Event::Closed],
            Command::Close => vec![],
            Command::Acknowledge { by, note } => match (self.acknowledged, name(by)) {
                (true, by) if self.said(&by, &note) || note.is_empty() => vec![],
                (_, by) => vec![Event::Acknowledged { by, note }],
            },
            Command::Assign { to, .. } if to == self.owner => vec![],
            Command::Assign { to, by, note } => vec![Event::Assigned { to, by: name(by), note }],
            Command::Snooze { until, .. } if self.snoozed_until == Some(until) => vec![],
            Command::Snooze { until, by, note } => vec![Event::Snoozed { until, by: name(by), note }],
            Command::Comment { by, note } => match name(by) {
                by if self.said(&by, &note) => vec![],
                by => vec![Event::Commented { by, note }],
            },
        })
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Opened { subject, cause, severity, what } => {
                if self.subject.is_none() {
                    self.first_at = at;
                }
                self.subject = Some(subject.clone());
                (self.cause, self.severity, self.what) = (*cause, *severity, what.clone());
                (self.open, self.since, self.closed_at) = (true, at, None);
                (self.acknowledged, self.snoozed_until) = (false, None);
                self.times = self.times.saturating_add(1);
            }
            Event::Changed { severity, what } => {
                (self.severity, self.what) = (*severity, what.clone());
                self.times = self.times.saturating_add(1);
            }
            Event::Closed => (self.open, self.closed_at) = (false, Some(at)),
            Event::Acknowledged { by, note } => {
                self.acknowledged = true;
                self.noted(at, by, note);
            }
            Event::Assigned { to, by, note } => {
                self.owner = to.clone();
                self.noted(at, by, note);
            }
            Event::Snoozed { until, by, note } => {
                self.snoozed_until = Some(*until);
                self.noted(at, by, note);
            }
            Event::Commented { by, note } => self.noted(at, by, note),
        }
    }

    fn stage_word(&self) -> &'static str {
        if self.open { "open" } else { "closed" }
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        match (&self.subject, self.open) {
            (Some(subject), true) => vec![Listing::new(Facet::Problem, subject.kind.as_str(), subject.id.clone())],
            _ => vec![],
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Problem(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(problem: &mut Problem, at: i64, command: Command) -> usize {
        let events = problem.decide(&"p".into(), Moment(at), command).unwrap();
        events.iter().for_each(|event| problem.apply(Moment(at), event));
        events.len()
    }

    fn find(what: &str) -> Command {
        let trouble = Trouble { cause: Cause::Offline, severity: Severity::Act, what: what.into(), remedies: vec![] };
        Command::Find { subject: Key::new(Kind::Device, "L/scale"), trouble }
    }

    #[test]
    fn one_that_comes_again_is_the_same_with_a_count_and_wants_to_be_seen_again() {
        let mut problem = Problem::default();
        let li = || By::Person("Li".into());
        assert_eq!([take(&mut problem, 1, find("no answer")), take(&mut problem, 2, find("no answer"))], [1, 0]);
        assert_eq!(take(&mut problem, 3, Command::Acknowledge { by: li(), note: "cable ordered".into() }), 1);
        assert_eq!(take(&mut problem, 4, Command::Assign { to: "Chen".into(), by: li(), note: "".into() }), 1);
        assert_eq!([take(&mut problem, 5, Command::Close), take(&mut problem, 6, Command::Close)], [1, 0]);
        assert_eq!((problem.stage_word(), problem.closed_at, problem.listings("p")), ("closed", Some(Moment(5)), vec![]));
        assert_eq!(take(&mut problem, 7, find("refused")), 1);
        assert_eq!((problem.times, problem.since, problem.first_at, problem.acknowledged), (2, Moment(7), Moment(1), false));
        assert_eq!((problem.owner.as_str(), problem.notes.len(), problem.notes[0].by.as_str()), ("Chen", 1, "Li"));
        for n in 0..2 * NOTES_MAX {
            take(&mut problem, 8, Command::Comment { by: li(), note: format_smolstr!("{n}") });
        }
        assert_eq!((problem.notes.len(), problem.notes[NOTES_MAX - 1].text.as_str()), (NOTES_MAX, "39"));
    }
}
