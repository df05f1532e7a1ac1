//! What customs are told of a parcel that crosses their border: its goods line by line, in plain words and numbers.
//!
//! drafted with the parcel → lodged with its label → in customs → cleared; or withdrawn with it. What is missing for customs stands
//! beside it by name: nothing is made up. It computes no duty, and talks to no customs office.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::money::Decimal;
use crate::words::{Language, Say, both};
use crate::{Grams, Moment, Sku, TrackingNumber};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::fmt;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    Drafted,
    /// It went to the carrier with the request for the label.
    Lodged,
    /// Customs have the parcel, as the carrier says.
    InCustoms,
    Cleared,
    /// Its parcel was cancelled.
    Withdrawn,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Drafted => "drafted",
            Stage::Lodged => "lodged",
            Stage::InCustoms => "in customs",
            Stage::Cleared => "cleared",
            Stage::Withdrawn => "withdrawn",
        }
    }
}

/// Why goods cross the border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    #[default]
    Sale,
    Return,
}

/// Who pays duty and tax (Incoterms 2020).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incoterm {
    /// The buyer, at the door.
    Dap,
    /// The seller.
    Ddp,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Sale => "sale",
            Purpose::Return => "return",
        }
    }
}

impl Incoterm {
    pub fn as_str(self) -> &'static str {
        match self {
            Incoterm::Dap => "DAP",
            Incoterm::Ddp => "DDP",
        }
    }
}

/// Goods of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    pub sku: Sku,
    /// In plain words: `cotton T-shirt`.
    pub description: SmolStr,
    /// Six digits of the Harmonized System, or more of a country's own.
    pub hs_code: SmolStr,
    /// Where it was made, ISO 3166.
    pub origin: SmolStr,
    pub quantity: u32,
    /// Of one piece.
    pub weight_g: Grams,
    /// Of one piece, in the declaration's currency.
    pub unit_value: Decimal,
}

/// What customs want and the house does not know. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    Goods,
    Description { line: u16 },
    HsCode { line: u16 },
    Origin { line: u16 },
    Weight { line: u16 },
    Value { line: u16 },
}

impl Missing {
    /// Which it is, in one word, for counting.
    pub fn kind(self) -> &'static str {
        match self {
            Missing::Goods => "goods",
            Missing::Description { .. } => "description",
            Missing::HsCode { .. } => "hs_code",
            Missing::Origin { .. } => "origin",
            Missing::Weight { .. } => "weight",
            Missing::Value { .. } => "value",
        }
    }
}

/// What is declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Countries, ISO 3166.
    pub from: SmolStr,
    pub to: SmolStr,
    pub purpose: Purpose,
    pub goods: Vec<Declared>,
    /// ISO 4217, of all values.
    pub currency: SmolStr,
    pub incoterm: Option<Incoterm>,
    /// Import One-Stop Shop, European Union.
    pub ioss: SmolStr,
    /// VAT On E-Commerce, Norway.
    pub voec: SmolStr,
    /// Economic Operators Registration and Identification of the seller.
    pub eori: SmolStr,
}

impl Draft {
    /// What customs want of it and it does not have.
    pub fn missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        if self.goods.is_empty() {
            missing.push(Missing::Goods);
        }
        for (goods, line) in self.goods.iter().zip(1..) {
            let digits = goods.hs_code.chars().filter(char::is_ascii_digit).count();
            let wants = [
                (goods.description.trim().is_empty(), Missing::Description { line }),
                (digits < HS_DIGITS_MIN, Missing::HsCode { line }),
                (goods.origin.len() != 2, Missing::Origin { line }),
                (goods.weight_g == 0, Missing::Weight { line }),
                (goods.unit_value <= Decimal::ZERO, Missing::Value { line }),
            ];
            missing.extend(wants.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, what)| what));
        }
        missing
    }

    /// Its goods as a label has them: `toys × 3, kitchen × 1`. Goods without a description go by their SKU.
    pub fn words(&self) -> SmolStr {
        let mut kinds: Vec<(&str, u32)> = Vec::with_capacity(self.goods.len());
        for goods in &self.goods {
            let what = if goods.description.trim().is_empty() { goods.sku.as_str() } else { goods.description.trim() };
            match kinds.iter_mut().find(|(known, _)| *known == what) {
                Some((_, pieces)) => *pieces = pieces.saturating_add(goods.quantity),
                None => kinds.push((what, goods.quantity)),
            }
        }
        let words: Vec<_> = kinds.iter().map(|(what, pieces)| format!("{what} × {pieces}")).collect();
        words.join(", ").into()
    }

    /// What all of it is worth; `None`: that cannot be counted.
    pub fn value(&self) -> Option<Decimal> {
        let line = |sum: Decimal, goods: &Declared| sum.checked_add(goods.unit_value.checked_mul(Decimal::from(goods.quantity))?);
        self.goods.iter().try_fold(Decimal::ZERO, line)
    }
}

/// Digits that a code of the Harmonized System has everywhere.
const HS_DIGITS_MIN: usize = 6;

/// The declaration of one parcel; its id is the parcel's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    pub stage: Stage,
    pub draft: Draft,
    /// What customs want and it did not have when it was drafted.
    pub missing: Vec<Missing>,
    /// Of the label with which it was lodged.
    pub tracking: Option<TrackingNumber>,
    /// When customs last did something with it, as the carrier says.
    pub customs_at: Option<Moment>,
    /// In the carrier's words.
    pub customs_said: SmolStr,
}

#[derive(Clone, Debug)]
pub enum Command {
    Draft {
        draft: Box<Draft>,
    },
    Lodge {
        tracking: TrackingNumber,
    },
    /// Customs have it, since then.
    Present {
        at: Moment,
        said: SmolStr,
    },
    Clear {
        at: Moment,
        said: SmolStr,
    },
    Withdraw,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Drafted { draft: Box<Draft>, missing: Vec<Missing> },
    Lodged { tracking: TrackingNumber },
    Presented { at: Moment, said: SmolStr },
    Cleared { at: Moment, said: SmolStr },
    Withdrawn,
}

impl Declaration {
    /// Whether that is newer than what is known of customs; news comes in any order.
    fn is_news(&self, at: Moment, stage: Stage) -> bool {
        self.customs_at.is_none_or(|known| (known, self.stage) < (at, stage))
    }
}

impl Entity for Declaration {
    const KIND: Kind = Kind::Declaration;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        use Stage::*;
        if self.stage == Absent && !matches!(command, Command::Draft { .. }) {
            return Err(Self::refuse(id, Why::Absent));
        }
        let wrong = |step: &str, wants: &str| {
            Err(Self::refuse(id, Why::WrongStage { is: self.stage.as_str().into(), step: step.into(), wants: wants.into() }))
        };
        match command {
            Command::Draft { .. } if self.stage != Absent => Ok(vec![]),
            Command::Draft { draft } => {
                let missing = draft.missing();
                Ok(vec![Event::Drafted { draft, missing }])
            }
            Command::Lodge { tracking } if self.tracking.as_ref() == Some(&tracking) => Ok(vec![]),
            Command::Lodge { tracking } => match self.stage {
                Drafted | Lodged => Ok(vec![Event::Lodged { tracking }]),
                _ => wrong("lodging", "drafted"),
            },
            Command::Present { at, said } => match self.stage {
                Lodged | InCustoms | Cleared if self.is_news(at, InCustoms) => Ok(vec![Event::Presented { at, said }]),
                Lodged | InCustoms | Cleared => Ok(vec![]),
                _ => wrong("customs' news", "lodged"),
            },
            Command::Clear { at, said } => match self.stage {
                Lodged | InCustoms | Cleared if self.is_news(at, Cleared) => Ok(vec![Event::Cleared { at, said }]),
                Lodged | InCustoms | Cleared => Ok(vec![]),
                _ => wrong("clearing", "lodged"),
            },
            Command::Withdraw => match self.stage {
                Drafted | Lodged => Ok(vec![Event::Withdrawn]),
                Withdrawn => Ok(vec![]),
                _ => wrong("withdrawing", "drafted or lodged"),
            },
        }
    }

    fn apply(&mut self, _at: Moment, event: &Event) {
        match event {
            Event::Drafted { draft, missing } => {
                *self =
                    Declaration { stage: Stage::Drafted, draft: Draft::clone(draft), missing: missing.clone(), ..Declaration::default() }
            }
            Event::Lodged { tracking } => {
                self.stage = Stage::Lodged;
                self.tracking = Some(tracking.clone());
            }
            Event::Presented { at, said } => {
                self.stage = Stage::InCustoms;
                (self.customs_at, self.customs_said) = (Some(*at), said.clone());
            }
            Event::Cleared { at, said } => {
                self.stage = Stage::Cleared;
                (self.customs_at, self.customs_said) = (Some(*at), said.clone());
            }
            Event::Withdrawn => self.stage = Stage::Withdrawn,
        }
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Declaration(event) = event { Some(event) } else { None }
    }
}

impl Say for Missing {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Missing::Goods => both!(f, l, "no goods are declared", "没有申报商品"),
            Missing::Description { line } => both!(f, l, "line {line} has no description in plain words", "第 {line} 行没有品名"),
            Missing::HsCode { line } => both!(f, l, "line {line} has no HS code", "第 {line} 行没有海关编码"),
            Missing::Origin { line } => both!(f, l, "line {line} has no country of origin", "第 {line} 行没有原产国"),
            Missing::Weight { line } => both!(f, l, "line {line} has no weight", "第 {line} 行没有重量"),
            Missing::Value { line } => both!(f, l, "line {line} has no value", "第 {line} 行没有申报价值"),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.say(Language::English, f)
    }
}

/// All that is missing in one line; empty: nothing.
pub fn missing_in_words(missing: &[Missing]) -> SmolStr {
    let words: Vec<_> = missing.iter().map(Missing::to_string).collect();
    format_smolstr!("{}", words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shirt() -> Declared {
        Declared {
            sku: "A-17".into(),
            description: "cotton T-shirt".into(),
            hs_code: "6109.10".into(),
            origin: "CN".into(),
            quantity: 2,
            weight_g: 180,
            unit_value: Decimal::new(779, 2),
        }
    }

    fn draft(goods: Vec<Declared>) -> Draft {
        Draft { from: "CN".into(), to: "DE".into(), goods, currency: "USD".into(), ..Draft::default() }
    }

    fn through(declaration: &mut Declaration, command: Command) -> Result<usize, Refusal> {
        let events = declaration.decide(&"P-1".into(), Moment(1), command)?;
        events.iter().for_each(|event| declaration.apply(Moment(1), event));
        Ok(events.len())
    }

    fn lodged() -> Declaration {
        let mut declaration = Declaration::default();
        through(&mut declaration, Command::Draft { draft: Box::new(draft(vec![shirt()])) }).unwrap();
        through(&mut declaration, Command::Lodge { tracking: TrackingNumber::new("T1") }).unwrap();
        declaration
    }

    #[test]
    fn what_customs_want_and_is_not_known_is_named() {
        assert_eq!(draft(vec![shirt()]).missing(), []);
        assert_eq!(draft(vec![]).missing(), [Missing::Goods]);
        let bare = Declared { sku: "B-3".into(), quantity: 1, ..Declared::default() };
        let wanted = "line 2 has no description in plain words; line 2 has no HS code; line 2 has no country of origin; line 2 has no weight; \
                      line 2 has no value";
        assert_eq!(missing_in_words(&draft(vec![shirt(), bare.clone()]).missing()), wanted);
        assert_eq!(draft(vec![shirt(), bare, shirt()]).words(), "cotton T-shirt × 4, B-3 × 1");
        assert_eq!(draft(vec![shirt(), shirt()]).value(), Some(Decimal::new(3_116, 2)));
        let chapter = Declared { hs_code: "61".into(), ..shirt() };
        assert_eq!(draft(vec![chapter]).missing(), [Missing::HsCode { line: 1 }], "a chapter is no code");
    }

    #[test]
    fn it_goes_from_draft_to_cleared_and_each_step_once() {
        let mut declaration = lodged();
        let lodge = || Command::Lodge { tracking: TrackingNumber::new("T1") };
        let (present, clear) =
            (|| Command::Present { at: Moment(5), said: "Held".into() }, || Command::Clear { at: Moment(6), said: "".into() });
        assert_eq!(through(&mut declaration, lodge()).unwrap(), 0);
        assert_eq!([present(), present()].map(|c| through(&mut declaration, c).unwrap()), [1, 0]);
        assert_eq!((declaration.stage, declaration.customs_said.as_str()), (Stage::InCustoms, "Held"));
        assert_eq!([clear(), clear(), present()].map(|c| through(&mut declaration, c).unwrap()), [1, 0, 0]);
        assert_eq!(declaration.stage, Stage::Cleared);
        assert!(through(&mut declaration, Command::Withdraw).is_err());
        let mut cancelled = lodged();
        assert_eq!([Command::Withdraw, Command::Withdraw].map(|c| through(&mut cancelled, c).unwrap()), [1, 0]);
        assert!(through(&mut cancelled, clear()).is_err());
        assert!(through(&mut Declaration::default(), clear()).is_err(), "what was never drafted");
    }

    proptest! {
        /// The newest of customs' news counts, in whatever order it comes.
        #[test]
        fn news_ends_the_same_in_any_order(
            (sorted, turned) in prop::collection::btree_map(1i64..50, any::<bool>(), 1..8).prop_flat_map(|news| {
                let news: Vec<_> = news.into_iter().collect();
                (Just(news.clone()), Just(news).prop_shuffle())
            }),
        ) {
            let told = |news: &[(i64, bool)]| {
                let mut declaration = lodged();
                for (at, clears) in news {
                    let (at, said) = (Moment(*at), SmolStr::default());
                    let command = if *clears { Command::Clear { at, said } } else { Command::Present { at, said } };
                    through(&mut declaration, command).unwrap();
                }
                declaration.stage
            };
            let newest = if sorted.last().is_some_and(|(_, clears)| *clears) { Stage::Cleared } else { Stage::InCustoms };
            prop_assert_eq!((told(&sorted), told(&turned)), (newest, newest));
        }
    }
}
