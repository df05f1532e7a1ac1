//! What was understood of a carrier's answer, and what was not: one part that cannot be read never takes its neighbours
//! with it, and never vanishes. It decides nothing about what is missing; the caller says so and counts.

use super::soft::Soft;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::fmt::Display;

/// The most parts of one answer that are told one by one; more are counted.
const TOLD_MAX: usize = 200;

/// An answer as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read<T> {
    pub value: T,
    pub skipped: Vec<Skipped>,
}

impl<T> From<T> for Read<T> {
    fn from(value: T) -> Self {
        Read { value, skipped: Vec::new() }
    }
}

/// A part of an answer that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The tracking number or the service that it is about, where that much could be read.
    pub about: Option<SmolStr>,
    /// Where it stood: `trackingEvents[3]`.
    pub place: SmolStr,
    /// What is wrong with it, with the value. The carrier's own text: escape it before it is shown.
    pub why: SmolStr,
    /// A whole event, quote or parcel is missing; `false`: only a detail of one.
    pub whole: bool,
}

/// Gathers what is skipped while an answer is read.
#[derive(Debug, Default)]
pub(super) struct Skips {
    list: Vec<Skipped>,
    more: usize,
    about: Option<SmolStr>,
}

impl Skips {
    /// What the parts that follow are about.
    pub fn about(&mut self, about: Option<&str>) {
        self.about = about.map(SmolStr::new);
    }

    /// An event, quote or parcel that is left out.
    pub fn whole(&mut self, place: impl Display, why: impl Display) {
        self.push(place.to_smolstr(), why.to_smolstr(), true);
    }

    /// A detail that is left out.
    pub fn detail(&mut self, place: impl Display, why: impl Display) {
        self.push(place.to_smolstr(), why.to_smolstr(), false);
    }

    /// The value, if there is one; one of another kind than it should be is noted as a missing detail.
    pub fn take<'s, T>(&mut self, place: &str, soft: &'s Soft<T>) -> Option<&'s T> {
        match soft {
            Soft::Good(value) => Some(value),
            Soft::Absent => None,
            Soft::Bad(is) => {
                self.detail(place, format_smolstr!("{place} is {is}"));
                None
            }
        }
    }

    fn push(&mut self, place: SmolStr, why: SmolStr, whole: bool) {
        if self.list.len() < TOLD_MAX {
            self.list.push(Skipped { about: self.about.clone(), place, why, whole });
        } else {
            self.more += 1;
        }
    }

    pub fn into_list(mut self) -> Vec<Skipped> {
        if self.more > 0 {
            let why = format_smolstr!("and {} parts more", self.more);
            self.list.push(Skipped { about: None, place: "".into(), why, whole: true });
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_tell_is_counted() {
        let mut skips = Skips::default();
        skips.about(Some("T1"));
        (0..TOLD_MAX + 7).for_each(|n| skips.whole(format_args!("events[{n}]"), "no time"));
        let list = skips.into_list();
        assert_eq!((list.len(), list[0].about.as_deref()), (TOLD_MAX + 1, Some("T1")));
        assert_eq!(list[TOLD_MAX].why, "and 7 parts more");
    }
}
