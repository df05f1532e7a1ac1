//! What is wrong with one field: of an address as it came in, or of a parcel as a carrier would have it. Tells countries, states,
//! postcodes, sizes and lengths, never who somebody is or in which street.

use crate::words::{Language, Say, both};
use crate::{Dims, Grams, Money};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// One field that is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// As it stands in the twin: `postcode`; of one of two parties: `to.postcode`.
    pub field: SmolStr,
    pub what: Wrong,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    Empty,
    /// Customs want it.
    EmptyForCustoms,
    Zero,
    ZeroSide {
        dims: Dims,
    },
    Bytes {
        bytes: u32,
        limit: u32,
    },
    /// U+0007.
    Unprintable {
        sign: u32,
    },
    NoCountry {
        given: SmolStr,
    },
    NoCountryCode {
        given: SmolStr,
    },
    /// A region or postcode that the country does not have.
    NoneOf {
        given: SmolStr,
        country: SmolStr,
    },
    ZipTellsNoState {
        zip: SmolStr,
    },
    ZipInNoState {
        zip: SmolStr,
    },
    ZipElsewhere {
        zip: SmolStr,
        state: SmolStr,
        region: SmolStr,
    },
    NoState {
        given: SmolStr,
    },
    NoZip {
        given: SmolStr,
    },
    Characters {
        characters: u32,
        limit: u32,
    },
    Lines {
        characters: u32,
        lines: u32,
        limit: u32,
    },
    TwoNames {
        characters: u32,
        limit: u32,
    },
    TellsNothing {
        given: SmolStr,
    },
    Heavy {
        weight_g: Grams,
        limit_g: Grams,
    },
    NotUsd {
        value: Money,
    },
    /// Outside of what may leave the United States without a filing.
    Filing {
        value: Money,
        limit: u32,
    },
    NotCollected {
        country: SmolStr,
    },
}

impl Defect {
    pub fn new(field: impl Into<SmolStr>, what: Wrong) -> Self {
        Defect { field: field.into(), what }
    }
}

impl Say for Defect {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        let field = &self.field;
        both!(f, l, "{field} ", "{field}：")?;
        self.what.say(l, f)
    }
}

impl Say for Wrong {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        use Wrong::*;
        match self {
            Empty => both!(f, l, "is empty", "为空"),
            EmptyForCustoms => both!(f, l, "is empty: customs want to know", "为空：清关需要填写"),
            Zero => both!(f, l, "is 0", "为 0"),
            ZeroSide { dims } => both!(f, l, "{dims} has a side of 0", "{dims} 有一边为 0"),
            Bytes { bytes, limit } => both!(f, l, "of {bytes} bytes is over the limit of {limit}", "{bytes} 字节，超过上限 {limit} 字节"),
            Unprintable { sign } => both!(f, l, "has the unprintable character U+{sign:04X}", "含不可打印字符 U+{sign:04X}"),
            NoCountry { given } => both!(f, l, "{given:?} is no country of ISO 3166", "{given:?} 不是 ISO 3166 国家"),
            NoCountryCode { given } => both!(f, l, "{given:?} is not an ISO 3166 two-letter code", "{given:?} 不是 ISO 3166 两位国家代码"),
            NoneOf { given, country } => both!(f, l, "{given:?} is none of {country}", "{given:?} 不属于 {country}"),
            ZipTellsNoState { zip } => both!(f, l, "is empty, and ZIP {zip:?} tells no state", "为空，且由邮编 {zip:?} 无法得出州"),
            ZipInNoState { zip } => both!(f, l, "{zip:?} is in no state of the US", "{zip:?} 不在美国任何州内"),
            ZipElsewhere { zip, state, region } => {
                both!(f, l, "{zip:?} is in {state}, and the region says {region:?}", "{zip:?} 位于 {state}，而州填写为 {region:?}")
            }
            NoState { given } => both!(f, l, "{given:?} is no state", "{given:?} 不是美国的州"),
            NoZip { given } => both!(f, l, "{given:?} is no ZIP code", "{given:?} 不是美国邮编"),
            Characters { characters, limit } => {
                both!(f, l, "has {characters} characters; the carrier takes {limit}", "有 {characters} 个字符；物流商最多接受 {limit} 个")
            }
            Lines { characters, lines, limit } => both!(
                f,
                l,
                "has {characters} characters; the carrier takes {lines} lines of {limit}",
                "有 {characters} 个字符；物流商最多接受 {lines} 行，每行 {limit} 个"
            ),
            TwoNames { characters, limit } => both!(
                f,
                l,
                "has {characters} characters; USPS takes {limit} for each of two names",
                "有 {characters} 个字符；USPS 的姓和名各最多 {limit} 个"
            ),
            TellsNothing { given } => both!(f, l, "{given:?} tells customs nothing", "{given:?} 对清关没有意义"),
            Heavy { weight_g, limit_g } => {
                both!(f, l, "is {weight_g}; USPS takes 70 lb, {limit_g} g", "为 {weight_g} g；USPS 最多接受 70 lb，即 {limit_g} g")
            }
            NotUsd { value } => both!(f, l, "is {value}; a USPS customs form is in USD", "为 {value}；USPS 报关单须用美元"),
            Filing { value, limit } => both!(
                f,
                l,
                "is {value}; without an export filing it is above 0 and at most {limit} USD",
                "为 {value}；未做出口申报时须大于 0 且不超过 {limit} USD"
            ),
            NotCollected { country } => {
                both!(f, l, "is {country}; USPS collects in the United States only", "为 {country}；USPS 只在美国境内揽收")
            }
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.say(Language::English, f)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.say(Language::English, f)
    }
}
