//! Tracking: what became of a parcel behind the handover, as its carrier says it. It begins when the parcel leaves the house,
//! and is called as the parcel is.
//!
//! handed over → departed origin → in flight → arrived → customs → last mile → out for delivery → delivered, returned or
//! lost. News comes in any order, late, repeated and corrected. A carrier may leave stages out, and never goes back but from one
//! end to another. Where the parcel was in the house, and why it was stopped there, is the parcel's own to know.

use crate::channel::{TrackEvent, TrackStatus};
use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::problem::{Cause, Severity, Trouble};
use crate::{CarrierId, Moment, TrackingNumber};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// The most news of one parcel that are kept; of what comes after, only what moves the parcel on.
pub const NEWS_MAX: usize = 256;
/// The most news in one record: what a carrier said at once stands together.
pub const NEWS_A_RECORD: usize = 32;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    /// With the carrier, who has not said that it moves.
    HandedOver,
    DepartedOrigin,
    InFlight,
    Arrived,
    Customs,
    LastMile,
    OutForDelivery,
    Delivered,
    Returned,
    Lost,
}

impl Stage {
    pub const ALL: [Stage; 10] = [
        Stage::HandedOver,
        Stage::DepartedOrigin,
        Stage::InFlight,
        Stage::Arrived,
        Stage::Customs,
        Stage::LastMile,
        Stage::OutForDelivery,
        Stage::Delivered,
        Stage::Returned,
        Stage::Lost,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::HandedOver => "handed over",
            Stage::DepartedOrigin => "departed origin",
            Stage::InFlight => "in flight",
            Stage::Arrived => "arrived",
            Stage::Customs => "customs",
            Stage::LastMile => "last mile",
            Stage::OutForDelivery => "out for delivery",
            Stage::Delivered => "delivered",
            Stage::Returned => "returned",
            Stage::Lost => "lost",
        }
    }

    /// The carrier has it and has not finished.
    pub fn is_under_way(self) -> bool {
        (Stage::HandedOver..=Stage::OutForDelivery).contains(&self)
    }

    /// Its way is over, unless the carrier takes that back.
    pub fn is_end(self) -> bool {
        matches!(self, Stage::Delivered | Stage::Returned | Stage::Lost)
    }

    /// Where a status puts a parcel that is on its way; `None`: it says nothing of that.
    fn of(status: TrackStatus) -> Option<Stage> {
        Some(match status {
            TrackStatus::DepartedOrigin => Stage::DepartedOrigin,
            TrackStatus::InFlight => Stage::InFlight,
            TrackStatus::Arrived => Stage::Arrived,
            TrackStatus::Customs | TrackStatus::ImportCleared => Stage::Customs,
            TrackStatus::LastMile | TrackStatus::AvailableForPickup => Stage::LastMile,
            TrackStatus::OutForDelivery => Stage::OutForDelivery,
            TrackStatus::Delivered => Stage::Delivered,
            TrackStatus::Returned => Stage::Returned,
            TrackStatus::Lost => Stage::Lost,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    pub stage: Stage,
    /// When the parcel was handed over.
    pub begun_at: Moment,
    /// When its stage was heard of.
    pub stage_at: Moment,
    pub changed_at: Moment,
    pub carrier: CarrierId,
    pub number: TrackingNumber,
    /// The newest thing the carrier said, by its own time.
    pub newest: Option<TrackEvent>,
    /// The newest thing said of customs, at either border.
    pub customs: Option<TrackEvent>,
    /// How many news were told.
    pub told: u32,
    /// The news that we have, by their marks, sorted; up to [`NEWS_MAX`].
    pub news: Vec<u32>,
    /// When the news says that its way ended, where one does.
    pub ended_at: Option<Moment>,
    /// The newest time at which it was said to be on its way back, or back.
    pub returning_at: Option<Moment>,
    /// Something the carrier says is wrong and that the seller should know before the buyer asks.
    pub exception: Option<SmolStr>,
}

#[derive(Clone, Debug)]
pub enum Command {
    /// The parcel was handed over, and wears this number.
    Begin {
        carrier: CarrierId,
        number: TrackingNumber,
    },
    Track {
        news: Vec<TrackEvent>,
    },
    /// What the carrier says cannot be had or read.
    RaiseException {
        what: SmolStr,
    },
    /// What was wrong has been dealt with by a person.
    Settle {
        why: SmolStr,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Begun {
        carrier: CarrierId,
        number: TrackingNumber,
    },
    /// What of a carrier's answer is new; where it names a later stage, the parcel is there now.
    Tracked {
        news: Vec<TrackEvent>,
    },
    ExceptionRaised {
        what: SmolStr,
    },
    ExceptionCleared,
    /// A person has dealt with what was wrong.
    Settled {
        why: SmolStr,
    },
}

/// Said of a parcel whose carrier does not stop talking.
const TOO_MUCH_NEWS: &str = "more news than is kept: from now on only what moves it on";

impl Tracking {
    /// Where it is after this news, and when its way ended: the same in whatever order the news comes. On its way it only
    /// goes forward; of several ends the one that happened last counts (a lost parcel is found, a delivered one comes back).
    fn after(&self, event: &TrackEvent) -> (Stage, Option<Moment>) {
        let here = (self.stage, self.ended_at);
        match Stage::of(event.status) {
            None => here,
            Some(to) if !to.is_end() && self.stage.is_end() => here,
            Some(to) if !to.is_end() => (to.max(self.stage), None),
            Some(to) if !self.stage.is_end() || (Some(event.at), to) > (self.ended_at, self.stage) => (to, Some(event.at)),
            Some(_) => here,
        }
    }

    /// The carrier says that it comes back, and nothing newer says that its way has ended elsewhere.
    pub fn is_coming_back(&self) -> bool {
        self.stage == Stage::Returned || self.returning_at.is_some_and(|at| self.ended_at.is_none_or(|ended| at > ended))
    }

    /// Whether this is new: not told before, or it moves the parcel, whatever its mark.
    fn is_news(&self, event: &TrackEvent) -> bool {
        let known = self.news.binary_search(&event.mark()).is_ok() || self.news.len() >= NEWS_MAX;
        !known || self.after(event).0 != self.stage
    }

    fn is_newest(&self, event: &TrackEvent) -> bool {
        self.newest.as_ref().is_none_or(|newest| newest.at <= event.at)
    }

    /// News in any order, late and repeated; what we know already is left out.
    fn track(&self, news: Vec<TrackEvent>) -> Vec<Event> {
        if !news.iter().any(|event| self.is_news(event)) {
            return Vec::new();
        }
        let mut way = self.clone();
        let (mut told, mut said) = (Vec::with_capacity(news.len()), Vec::new());
        for event in news {
            if !way.is_news(&event) {
                continue;
            }
            // What was wrong before something newer that we know is not wrong now.
            let is_newest = way.is_newest(&event);
            let was_full = way.news.len() == NEWS_MAX;
            way.hear(self.changed_at, &event);
            let before = said.len();
            match event.status {
                TrackStatus::DeliveryFailed | TrackStatus::Exception | TrackStatus::Returning if is_newest && !way.stage.is_end() => {
                    let what = match event.text.as_str() {
                        "" => format_smolstr!("the carrier says {:?}", event.code),
                        text => text.into(),
                    };
                    if way.exception.as_ref() != Some(&what) {
                        said.push(Event::ExceptionRaised { what });
                    }
                }
                TrackStatus::OutForDelivery | TrackStatus::Delivered if is_newest && way.exception.is_some() => {
                    said.push(Event::ExceptionCleared);
                }
                _ => {}
            }
            if way.news.len() == NEWS_MAX && !was_full {
                said.push(Event::ExceptionRaised { what: TOO_MUCH_NEWS.into() });
            }
            said[before..].iter().for_each(|event| way.apply(self.changed_at, event));
            told.push(event);
        }
        // The news last: what follows from it, an order delivered, names the newest record as its cause.
        said.extend(told.chunks(NEWS_A_RECORD).map(|news| Event::Tracked { news: news.to_vec() }));
        said
    }

    fn hear(&mut self, at: Moment, event: &TrackEvent) {
        let stage = self.stage;
        (self.stage, self.ended_at) = self.after(event);
        if self.stage != stage {
            self.stage_at = at;
        }
        if self.is_newest(event) {
            self.newest = Some(event.clone());
        }
        let of_customs = matches!(event.status, TrackStatus::ExportCleared | TrackStatus::Customs | TrackStatus::ImportCleared);
        if of_customs && self.customs.as_ref().is_none_or(|newest| newest.at <= event.at) {
            self.customs = Some(event.clone());
        }
        if matches!(event.status, TrackStatus::Returning | TrackStatus::Returned) {
            self.returning_at = self.returning_at.max(Some(event.at));
        }
        self.told = self.told.saturating_add(1);
        let mark = event.mark();
        if let (Err(place), true) = (self.news.binary_search(&mark), self.news.len() < NEWS_MAX) {
            self.news.insert(place, mark);
        }
    }
}

impl Entity for Tracking {
    const KIND: Kind = Kind::Tracking;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Begin { carrier, number } if self.stage == Stage::Absent => vec![Event::Begun { carrier, number }],
            Command::Begin { number, .. } if number == self.number => vec![],
            Command::Begin { number, .. } => {
                let why = Why::Mismatch { what: "its number".into(), is: self.number.0.clone(), wants: number.0 };
                return Err(Self::refuse(id, why));
            }
            Command::Track { .. } | Command::RaiseException { .. } | Command::Settle { .. } if self.stage == Stage::Absent => {
                return Err(Self::refuse(id, Why::Absent));
            }
            // What ended may have ended otherwise, or earlier news of it comes late.
            Command::Track { news } => self.track(news),
            Command::RaiseException { what } if self.exception.as_ref() == Some(&what) => vec![],
            Command::RaiseException { what } => vec![Event::ExceptionRaised { what }],
            Command::Settle { why } if self.exception.is_some() => vec![Event::Settled { why }],
            Command::Settle { .. } => vec![],
        })
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        self.changed_at = at;
        match event {
            Event::Begun { carrier, number } => {
                self.stage = Stage::HandedOver;
                (self.begun_at, self.stage_at) = (at, at);
                self.carrier = carrier.clone();
                self.number = number.clone();
            }
            Event::Tracked { news } => news.iter().for_each(|event| self.hear(at, event)),
            Event::ExceptionRaised { what } => self.exception = Some(what.clone()),
            Event::ExceptionCleared | Event::Settled { .. } => self.exception = None,
        }
    }

    fn stage_word(&self) -> &'static str {
        self.stage.as_str()
    }

    fn troubles(&self) -> Vec<Trouble> {
        let severity = if self.stage.is_end() { Severity::Act } else { Severity::Watch };
        let remedies = vec!["settle_parcel", "declare_lost"];
        self.exception.clone().map(|what| Trouble { cause: Cause::News, severity, what, remedies }).into_iter().collect()
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        if self.stage.is_under_way() {
            return vec![Listing::new(Facet::Watch, self.carrier.text().clone(), self.number.0.clone())];
        }
        vec![]
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Tracking(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn handed_over() -> Tracking {
        let mut tracking = Tracking::default();
        hear_of(&mut tracking, Command::Begin { carrier: "usps".into(), number: TrackingNumber::new("T1") });
        tracking
    }

    fn hear_of(tracking: &mut Tracking, command: Command) -> Vec<Event> {
        let decided = tracking.decide(&"P".into(), Moment(9), command).unwrap();
        decided.iter().for_each(|e| tracking.apply(Moment(9), e));
        decided
    }

    fn news(at: i64, status: TrackStatus) -> TrackEvent {
        TrackEvent { at: Moment(at), status, code: format_smolstr!("{status:?}"), text: "t".into(), place: "".into() }
    }

    /// Lets the parcel hear what a carrier says, and gives what of it was told.
    fn hear(tracking: &mut Tracking, news: Vec<TrackEvent>) -> Vec<TrackEvent> {
        let decided = hear_of(tracking, Command::Track { news }).into_iter();
        decided.flat_map(|e| if let Event::Tracked { news } = e { news } else { vec![] }).collect()
    }

    #[test]
    fn there_is_no_news_of_what_was_not_handed_over_and_it_is_handed_over_once() {
        let refusal = Tracking::default().decide(&"P".into(), Moment(1), Command::Track { news: vec![] }).unwrap_err();
        assert_eq!(refusal.to_string(), "tracking P refuses: it does not exist");
        let mut tracking = handed_over();
        let begin = |number| Command::Begin { carrier: "usps".into(), number: TrackingNumber::new(number) };
        assert_eq!(hear_of(&mut tracking, begin("T1")), []);
        let refusal = tracking.decide(&"P".into(), Moment(9), begin("T2")).unwrap_err();
        assert_eq!(refusal.to_string(), "tracking P refuses: its number is T1, not T2");
    }

    #[test]
    fn it_is_watched_until_its_way_ends() {
        let mut tracking = handed_over();
        let of = |tracking: &Tracking| tracking.listings("P").iter().map(|l| (l.facet, l.of.clone(), l.note.clone())).collect::<Vec<_>>();
        assert_eq!(of(&tracking), [(Facet::Watch, "usps".into(), "T1".into())]);
        hear(&mut tracking, vec![news(1, TrackStatus::Customs)]);
        assert_eq!(of(&tracking).len(), 1);
        for end in [TrackStatus::Lost, TrackStatus::Returned, TrackStatus::Delivered] {
            let mut ended = tracking.clone();
            hear(&mut ended, vec![news(2, end)]);
            assert!(ended.stage.is_end() && of(&ended).is_empty(), "{end:?}");
        }
    }

    #[test]
    fn what_is_said_at_once_is_one_record_up_to_a_measure() {
        let mut tracking = handed_over();
        let first = vec![news(1, TrackStatus::Accepted), news(2, TrackStatus::DepartedOrigin), news(3, TrackStatus::Exception)];
        let raised = Event::ExceptionRaised { what: "t".into() };
        assert_eq!(hear_of(&mut tracking, Command::Track { news: first.clone() }), [raised, Event::Tracked { news: first }]);
        let many: Vec<_> = (0..NEWS_A_RECORD as i64 + 1).map(|n| news(100 + n, TrackStatus::InFlight)).collect();
        let records = hear_of(&mut tracking, Command::Track { news: many });
        assert_eq!((records.len(), tracking.told), (2, 3 + NEWS_A_RECORD as u32 + 1));
    }

    #[test]
    fn it_comes_back_where_nothing_newer_says_that_it_ended_elsewhere() {
        use TrackStatus::*;
        for (said, back) in [
            (vec![(1, InFlight)], false),
            (vec![(1, Returning)], true),
            (vec![(1, Returning), (2, Delivered)], false),
            (vec![(2, Delivered), (1, Returning)], false),
            (vec![(2, Delivered), (3, Returning)], true),
            (vec![(1, Returning), (2, Lost)], false),
            (vec![(2, Returned)], true),
            (vec![(2, Returned), (3, Delivered)], false),
        ] {
            let mut tracking = handed_over();
            said.iter().for_each(|(at, status)| drop(hear(&mut tracking, vec![news(*at, *status)])));
            assert_eq!(tracking.is_coming_back(), back, "{said:?}");
        }
    }

    #[test]
    fn the_newest_word_of_customs_is_kept() {
        let mut tracking = handed_over();
        hear(&mut tracking, vec![news(5, TrackStatus::Customs), news(3, TrackStatus::ExportCleared), news(7, TrackStatus::LastMile)]);
        assert_eq!(tracking.customs, Some(news(5, TrackStatus::Customs)));
        hear(&mut tracking, vec![news(8, TrackStatus::ImportCleared)]);
        assert_eq!((tracking.stage, tracking.customs), (Stage::LastMile, Some(news(8, TrackStatus::ImportCleared))));
    }

    #[test]
    fn news_moves_forward_only_and_repeats_are_dropped() {
        let mut tracking = handed_over();
        let first = vec![news(1, TrackStatus::Accepted), news(2, TrackStatus::LastMile), news(3, TrackStatus::Arrived)];
        assert_eq!(hear(&mut tracking, first.clone()).len(), 3);
        assert_eq!(tracking.stage, Stage::LastMile);
        assert_eq!(hear_of(&mut tracking, Command::Track { news: first }), []);
    }

    #[test]
    fn a_delivery_stamped_before_what_is_known_is_told_all_the_same() {
        let mut tracking = handed_over();
        hear(&mut tracking, vec![news(1, TrackStatus::Accepted), news(2_000, TrackStatus::OutForDelivery)]);
        let late = hear(
            &mut tracking,
            vec![news(1, TrackStatus::Accepted), news(1_955, TrackStatus::Delivered), news(2_000, TrackStatus::OutForDelivery)],
        );
        assert_eq!((late, tracking.stage), (vec![news(1_955, TrackStatus::Delivered)], Stage::Delivered));
        assert_eq!(tracking.newest.as_ref().map(|t| t.at), Some(Moment(2_000)), "the newest by its own time");
    }

    #[test]
    fn an_end_may_be_corrected_and_a_correction_is_told() {
        let mut tracking = handed_over();
        hear(&mut tracking, vec![news(5, TrackStatus::Lost)]);
        assert_eq!(tracking.stage, Stage::Lost);
        hear(&mut tracking, vec![news(4, TrackStatus::Returned)]);
        assert_eq!(tracking.stage, Stage::Lost, "it came back before it was lost again");
        hear(&mut tracking, vec![news(9, TrackStatus::Delivered)]);
        assert_eq!(tracking.stage, Stage::Delivered, "found");
        let corrected = TrackEvent { place: "Reno".into(), ..news(9, TrackStatus::Delivered) };
        assert_eq!(hear(&mut tracking, vec![corrected.clone()]), [corrected]);
    }

    #[test]
    fn old_trouble_raises_no_exception_and_new_trouble_without_words_does() {
        let mut tracking = handed_over();
        hear(&mut tracking, vec![news(8, TrackStatus::OutForDelivery), news(3, TrackStatus::Exception)]);
        assert_eq!(tracking.exception, None);
        hear(&mut tracking, vec![TrackEvent { text: "".into(), code: "DX".into(), ..news(9, TrackStatus::Exception) }]);
        assert_eq!(tracking.exception.as_deref(), Some("the carrier says \"DX\""));
    }

    #[test]
    fn a_carrier_that_never_stops_talking_fills_nothing() {
        let mut tracking = handed_over();
        for n in 0..10 {
            hear(&mut tracking, (0..100).map(|m| news(n * 100 + m, TrackStatus::InFlight)).collect());
        }
        assert_eq!((tracking.told as usize, tracking.news.len()), (NEWS_MAX, NEWS_MAX));
        assert_eq!(tracking.exception.as_deref(), Some(TOO_MUCH_NEWS));
        hear(&mut tracking, vec![news(5_000, TrackStatus::Delivered)]);
        assert_eq!(tracking.stage, Stage::Delivered);
    }

    const HEARD: [TrackStatus; 13] = [
        TrackStatus::Returning,
        TrackStatus::InfoReceived,
        TrackStatus::Accepted,
        TrackStatus::DepartedOrigin,
        TrackStatus::InFlight,
        TrackStatus::Customs,
        TrackStatus::LastMile,
        TrackStatus::OutForDelivery,
        TrackStatus::DeliveryFailed,
        TrackStatus::Exception,
        TrackStatus::Delivered,
        TrackStatus::Returned,
        TrackStatus::Lost,
    ];

    proptest! {
        /// However a set of events comes, in whatever pieces and however often: the same stage, and the same events told, each once.
        #[test]
        fn the_order_of_news_changes_nothing(
            set in prop::collection::vec((0i64..20, 0usize..HEARD.len(), 0u8..3), 1..14),
            shuffled in prop::collection::vec((any::<prop::sample::Index>(), 1usize..5), 0..40),
        ) {
            let set: Vec<TrackEvent> = set.iter().map(|&(at, status, place)| {
                TrackEvent { place: format_smolstr!("{place}"), ..news(at, HEARD[status]) }
            }).collect();
            let mut sorted = set.clone();
            sorted.sort_by_key(|e| e.at);
            let mut once = handed_over();
            let mut told = hear(&mut once, sorted);
            let mut other = handed_over();
            let mut heard = Vec::new();
            for (from, many) in &shuffled {
                let from = from.index(set.len());
                heard.extend(hear(&mut other, set[from..set.len().min(from + many)].to_vec()));
            }
            // At last, everything that has not come yet, the newest first.
            heard.extend(hear(&mut other, set.iter().rev().cloned().collect()));
            let key = |e: &TrackEvent| (e.at, e.code.clone(), e.place.clone());
            told.sort_by_key(key);
            heard.sort_by_key(key);
            prop_assert_eq!(told, heard);
            prop_assert_eq!(once.is_coming_back(), other.is_coming_back());
            prop_assert_eq!((once.stage, once.ended_at, once.news), (other.stage, other.ended_at, other.news));
        }
    }
}
