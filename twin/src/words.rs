//! Reasons are types; this is how they are said, in English and in Chinese, where somebody reads them. Both languages stand side by
//! side with each reason, so that none can be left out. Nothing ever decides by these words, or reads them back.

use std::fmt;

/// A language in which the house can say why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// ISO 639: `en`, `zh`.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// By its code, with or without a country: `zh-CN`; `None`: one that the house does not speak.
    pub fn of(tag: &str) -> Option<Self> {
        let language = tag.trim().split(['-', '_']).next()?;
        Language::ALL.into_iter().find(|known| known.code().eq_ignore_ascii_case(language))
    }
}

/// Something that can be said in every [`Language`].
pub trait Say {
    fn say(&self, language: Language, f: &mut fmt::Formatter) -> fmt::Result;

    fn words(&self, language: Language) -> String
    where
        Self: Sized,
    {
        Said(self, language).to_string()
    }
}

/// What is said, in that language, ready to stand within another text.
pub struct Said<'a, T>(pub &'a T, pub Language);

impl<T: Say> fmt::Display for Said<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.say(self.1, f)
    }
}

/// One reason in both languages: English first. Fields are named in the texts.
macro_rules! both {
    ($f:expr, $language:expr, $english:literal, $chinese:literal $(,)?) => {
        match $language {
            $crate::words::Language::English => write!($f, $english),
            $crate::words::Language::Chinese => write!($f, $chinese),
        }
    };
}
pub(crate) use both;

/// English where nobody asks for another language, and that as its text in JSON: whoever wants the parts asks for them. What is
/// not for people (states) has the parts.
macro_rules! said {
    ($($t:ident),*) => {$(
        impl std::fmt::Display for $t {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                $crate::words::Say::say(self, $crate::words::Language::English, f)
            }
        }
        impl serde::Serialize for $t {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { $t::serialize(self, to) }
            }
        }
        impl<'de> serde::Deserialize<'de> for $t {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    return Err(serde::de::Error::custom("a reason is not read back from its words"));
                }
                $t::deserialize(from)
            }
        }
    )*};
}
pub(crate) use said;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocation::Candidate;
    use crate::charges::{Basis, ChargeKind};
    use crate::declaration::Missing;
    use crate::defect::{Defect, Wrong};
    use crate::field::{Field, Pen, Variants};
    use crate::hold::{Detail, Unmapped};
    use crate::money::{Currency, Decimal};
    use crate::order::Hold;
    use crate::schema::NUMBERS;
    use crate::verdict::{NoOffer, Unfit, Verdict};
    use crate::{Dims, Money};
    use std::collections::BTreeSet;

    fn usd(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), Currency::USD)
    }

    fn wrongs() -> Vec<Wrong> {
        use Wrong::*;
        let text = |text: &str| text.into();
        vec![
            Empty,
            EmptyForCustoms,
            Zero,
            ZeroSide { dims: Dims::new(200, 0, 50) },
            Bytes { bytes: 201, limit: 200 },
            Unprintable { sign: 7 },
            NoCountry { given: text("XQ") },
            NoCountryCode { given: text("Japan") },
            NoneOf { given: text("7030"), country: text("CA") },
            ZipTellsNoState { zip: text("00000") },
            ZipInNoState { zip: text("00001") },
            ZipElsewhere { zip: text("00907"), state: text("PR"), region: text("NY") },
            NoState { given: text("Ontario") },
            NoZip { given: text("ABCDE") },
            Characters { characters: 51, limit: 50 },
            Lines { characters: 51, lines: 2, limit: 20 },
            TwoNames { characters: 120, limit: 50 },
            TellsNothing { given: text("gift") },
            Heavy { weight_g: 40_000, limit_g: 31_751 },
            NotUsd { value: Money::new(Decimal::TEN, Currency::EUR) },
            Filing { value: usd(250_001), limit: 2_500 },
            NotCollected { country: text("DE") },
        ]
    }

    fn unfits() -> Vec<Unfit> {
        use Unfit::*;
        vec![
            Origin { from: "LAX".into() },
            Country { country: "RU".into() },
            Weight { weight_g: 9_000, limit_g: 2_000 },
            Length { length_mm: 601, limit_mm: 600 },
            Width { width_mm: 251, limit_mm: 250 },
            Height { height_mm: 100, limit_mm: 50 },
            LengthPlusGirth { sum_mm: 902, limit_mm: 900 },
            Battery,
            PoBox,
        ]
    }

    fn no_offers() -> Vec<NoOffer> {
        use NoOffer::*;
        let (carrier, said) = (|| "usps".into(), || "it said so".into());
        let mut all: Vec<NoOffer> = unfits().into_iter().map(NoOffer::from).collect();
        all.extend(wrongs().into_iter().map(|what| Misfit { carrier: carrier(), defect: Defect::new("to.postcode", what) }));
        all.extend([
            NotAsked,
            NoZone { to: "XX 12345".into() },
            NoBand { chargeable_g: 530, zone: "US".into() },
            SheetGivesNothing { chargeable_g: 530, zone: "US".into(), total: usd(0) },
            SheetTooLarge { chargeable_g: 530, zone: "US".into() },
            Free { total: usd(0) },
            NoRate { from: "JPY".into(), to: "USD".into() },
            NoService { carrier: carrier(), service: "PACKET".into() },
            QuotedTwice,
            ServiceUnreadable { carrier: carrier(), service: "PACKET".into(), said: said() },
            Paused,
            Timeout { host: "usps.example".into(), timeout_ms: 5_000 },
            Unreachable { host: "usps.example".into(), said: said() },
            AnswerTooLarge { host: "usps.example".into(), limit_bytes: 8 },
            Unauthorized { carrier: carrier(), said: said() },
            Throttled { carrier: carrier(), retry_after_ms: 1_000 },
            Answered { carrier: carrier(), status: 400, code: "E1".into(), said: said() },
            Unreadable { carrier: carrier(), what: "rates".into(), said: said() },
            NotOffered { carrier: carrier(), said: said() },
            TakenOut { said: said() },
            LabelRefused { said: said() },
        ]);
        all
    }

    fn verdicts() -> Vec<Verdict> {
        use Verdict::*;
        let mut all = vec![
            Chosen,
            Dearer { by: usd(310) },
            Dearer { by: usd(0) },
            Slower { days: 9, against: 6 },
            DaysUnknown,
            LaterByName,
            Short { sku: "A-17".into(), there: 1, wanted: 2, more: 0 },
            Short { sku: "A-17".into(), there: 1, wanted: 2, more: 3 },
        ];
        all.extend(no_offers().into_iter().map(Verdict::from));
        all
    }

    fn unmapped() -> Vec<Unmapped> {
        let sku = || "A-17".into();
        vec![
            Unmapped::Unknown { sku: sku() },
            Unmapped::Retired { sku: sku() },
            Unmapped::Part { sku: sku(), part: "B-3".into() },
            Unmapped::Unweighed { sku: sku(), part: sku() },
            Unmapped::Unweighed { sku: sku(), part: "B-3".into() },
        ]
    }

    fn details() -> Vec<Detail> {
        let candidate = |verdict| Candidate { warehouse: "SZX".into(), channel: Some("a".into()), cost: None, days: None, verdict };
        let weighed = Detail::weighed("r@1", 0, vec![candidate(NoOffer::from(Unfit::Battery).into()); 3]).0;
        let faults = vec![Defect::new("city", Wrong::Empty), Defect::new("postcode", Wrong::NoZip { given: "X".into() })];
        let unmapped = unmapped();
        vec![
            "in their words".into(),
            Detail::Unpaid,
            Detail::Address { faults },
            Detail::Unknown { lines: unmapped },
            Detail::NoValue,
            weighed,
            Detail::NothingToChoose,
            Detail::ByHand { why: "in their words".into() },
        ]
    }

    fn missing() -> Vec<Missing> {
        use Missing::*;
        vec![Goods, Description { line: 2 }, HsCode { line: 2 }, Origin { line: 2 }, Weight { line: 2 }, Value { line: 2 }]
    }

    fn bases() -> Vec<Basis> {
        use Basis::*;
        let tracking = || crate::TrackingNumber::new("T1");
        vec![
            Quote,
            Tariff { zone: "US".into(), weight_g: 530, chargeable_g: 600, source: "sheet of 2026-10".into() },
            Label { tracking: tracking() },
            Estimate { gap: None },
            Estimate { gap: Some(NoOffer::NoBand { chargeable_g: 530, zone: "US".into() }) },
            Settled { before: usd(490) },
            GivenBack { tracking: tracking() },
            Hand { reason: "in their words".into(), reference: "invoice 7".into() },
        ]
    }

    /// All numbers of a type's variants in the schema.
    fn numbers(name: &str) -> BTreeSet<u32> {
        let of = |line: &&&str| line.split(' ').next() == Some(name);
        NUMBERS.iter().flat_map(|lines| lines.iter()).filter(of).filter_map(|line| line.split(' ').nth(1)?.parse().ok()).collect()
    }

    fn covered<T: Variants>(name: &str, all: &[T]) {
        assert_eq!(all.iter().map(Variants::number).collect::<BTreeSet<_>>(), numbers(name), "{name}: a variant has no example here");
    }

    /// Whatever can be said is said in both languages, with the same numbers and names in both, and comes back from the journal.
    fn said_in_both<T: Say + Field + PartialEq + fmt::Debug>(all: &[T]) {
        for one in all {
            let (english, chinese) = (one.words(Language::English), one.words(Language::Chinese));
            assert!(!english.is_empty() && !english.contains(is_han), "{english}");
            let is_foreign = english == "in their words" || english == "A-17, B-3";
            assert!(is_foreign || chinese.contains(is_han), "{english}: {chinese}");
            let figures = |text: &str| {
                let mut found: Vec<_> =
                    text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(str::to_owned).collect();
                found.sort();
                found
            };
            let iso = |text: &str| text.replace("ISO 3166 two-letter", "ISO 3166").replace("\u{4e24}\u{4f4d}", "");
            assert_eq!(figures(&iso(&english)), figures(&iso(&chinese)), "{english}: {chinese}");
            let mut bytes = Vec::new();
            one.put(&mut Pen::new(&mut bytes));
            assert_eq!(&T::take(&mut minicbor::Decoder::new(&bytes)).expect("it reads"), one);
        }
    }

    fn is_han(c: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&c)
    }

    #[test]
    fn every_reason_is_said_in_both_languages_and_read_back() {
        covered("verdict", &verdicts());
        covered("no_offer", &no_offers());
        covered("unfit", &unfits());
        covered("wrong", &wrongs());
        covered("detail", &details());
        covered("unmapped", &unmapped());
        covered("basis", &bases());
        said_in_both(&bases());
        covered("missing", &missing());
        said_in_both(&missing());
        covered("charge_kind", &ChargeKind::ALL);
        said_in_both(&ChargeKind::ALL);
        said_in_both(&verdicts());
        said_in_both(&no_offers());
        said_in_both(&unfits());
        said_in_both(&wrongs());
        said_in_both(&details());
        said_in_both(&unmapped());
        let holds: Vec<_> = numbers("hold").into_iter().map(|n| Hold::take_fields(n, None).expect("it is known")).collect();
        said_in_both(&holds);
    }

    /// Each has a kind of its own, but for those that differ in numbers only; the parts are all that the words tell.
    #[test]
    fn a_verdict_is_told_by_its_kind_and_parts_too() {
        let parts = |verdict: Verdict| {
            let (kind, parameters) = verdict.parts();
            format!("{kind} {parameters}")
        };
        assert_eq!(parts(Verdict::Chosen), "chosen {}");
        assert_eq!(parts(Verdict::Dearer { by: usd(310) }), r#"dearer {"by":{"amount":"3.10","currency":"USD"}}"#);
        assert_eq!(parts(NoOffer::from(Unfit::Battery).into()), "battery {}");
        assert_eq!(parts(NoOffer::NotAsked.into()), "not_asked {}");
        let misfit = NoOffer::Misfit { carrier: "usps".into(), defect: Defect::new("to.city", Wrong::Empty) };
        assert_eq!(parts(misfit.into()), r#"misfit {"carrier":"usps","defect":{"field":"to.city","what":"empty"}}"#);
        let heavy = Unfit::Weight { weight_g: 9_000, limit_g: 2_000 };
        assert_eq!(parts(NoOffer::from(heavy).into()), r#"weight {"limit_g":2000,"weight_g":9000}"#);
        assert!(verdicts().into_iter().all(|verdict| !verdict.parts().0.is_empty()));
    }

    #[test]
    fn in_json_a_reason_is_its_words_and_in_a_state_its_parts() {
        for verdict in verdicts() {
            assert_eq!(serde_json::to_value(&verdict).expect("JSON"), verdict.to_string());
            let bytes = postcard::to_allocvec(&verdict).expect("it is written");
            assert_eq!(postcard::from_bytes::<Verdict>(&bytes).expect("it reads"), verdict);
        }
        for detail in details() {
            let bytes = postcard::to_allocvec(&detail).expect("it is written");
            assert_eq!(postcard::from_bytes::<Detail>(&bytes).expect("it reads"), detail);
        }
    }

    #[test]
    fn languages_are_known_by_their_tags() {
        let of = |tag| Language::of(tag).map(Language::code);
        assert_eq!([of("zh-CN"), of("ZH"), of("en_US"), of("fr"), of("")], [Some("zh"), Some("zh"), Some("en"), None, None]);
    }
}
