//! What exactly an order waits for, with every hold: as parts where the house says it, as a text where a platform or a person does.

use crate::allocation::{Candidate, keep};
use crate::defect::Defect;
use crate::order::Hold;
use crate::words::{Language, Said, Say, both, said};
use crate::{Hash, Sku};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Detail {
    /// In the words of whoever holds it: a platform, a person.
    Said {
        text: SmolStr,
    },
    /// The platform does not say that it is paid.
    Unpaid,
    Address {
        faults: Vec<Defect>,
    },
    Unknown {
        lines: Vec<Unmapped>,
    },
    /// Its lines add up to more than can be counted.
    NoValue,
    /// Nothing that was weighed by this rule takes it. The nearest to a solution stands first; of more than fit in, all are in the
    /// document.
    NoOffer {
        rule: SmolStr,
        candidates: Vec<Candidate>,
        count: u32,
        all: Option<Hash>,
        /// The version of the site's settings that it was weighed under; 0: not told.
        settings: u32,
    },
    /// No warehouse and no channel to choose from.
    NothingToChoose,
    /// A person holds it, and a person lets it go: no check and no version from the platform does.
    ByHand {
        why: SmolStr,
    },
}

/// Why nobody knows what lies in a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Unmapped {
    /// The seller has no product of that name, and no map says what it is.
    Unknown { sku: Sku },
    /// The seller sells it no more.
    Retired { sku: Sku },
    /// A bundle of something that its seller does not sell.
    Part { sku: Sku, part: Sku },
    /// It is known, and weight or size of this SKU of ours are not.
    Unweighed { sku: Sku, part: Sku },
}

impl Detail {
    /// Of what was weighed, as it is written, and the document that goes with it where an event does not keep all.
    pub fn weighed(rule: &str, settings: u32, mut candidates: Vec<Candidate>) -> (Self, Option<Vec<u8>>) {
        if candidates.is_empty() {
            return (Detail::NothingToChoose, None);
        }
        let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        let document = keep(&mut candidates);
        let all = document.as_deref().map(Hash::of);
        (Detail::NoOffer { rule: rule.into(), candidates, count, all, settings }, document)
    }

    /// Whether a person holds it, so that a person alone lets it go.
    pub fn is_by_hand(&self) -> bool {
        matches!(self, Detail::ByHand { .. })
    }

    /// The hold that it is the detail of.
    pub fn hold(&self) -> Hold {
        match self {
            Detail::Said { .. } | Detail::NoValue | Detail::ByHand { .. } => Hold::Manual,
            Detail::Unpaid => Hold::Unpaid,
            Detail::Address { .. } => Hold::AddressInvalid,
            Detail::Unknown { .. } => Hold::UnknownSku,
            Detail::NoOffer { candidates, .. } => candidates.first().map_or(Hold::NoChannel, |nearest| nearest.verdict.hold()),
            Detail::NothingToChoose => Hold::NoChannel,
        }
    }
}

impl Hold {
    /// What a person can do about it, as the remedies are called; the one that fits best stands first. What ends by itself when its
    /// cause is gone (stock that is counted, a product that is told) may be looked at anew at once.
    pub fn remedies(self) -> &'static [&'static str] {
        match self {
            Hold::Unpaid => &["mark_paid", "cancel_order"],
            Hold::AddressInvalid => &["put_address_right", "cancel_order"],
            Hold::UnknownSku => &["name_sku", "tell_weight", "cancel_order"],
            Hold::NoChannel => &["release_order", "put_address_right", "cancel_order"],
            Hold::NoStock | Hold::Oversize | Hold::ForbiddenGoods | Hold::Duplicate | Hold::Manual => &["release_order", "cancel_order"],
        }
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Detail::Said { text: text.into() }
    }
}

said! { Detail, Unmapped }

/// One after the other, with that between them.
fn joined<T: fmt::Display>(f: &mut fmt::Formatter, items: impl IntoIterator<Item = T>, between: &str) -> fmt::Result {
    for (n, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if n == 0 { "" } else { between })?;
    }
    Ok(())
}

impl Say for Detail {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Detail::Said { text } | Detail::ByHand { why: text } => f.write_str(text),
            Detail::Unpaid => both!(f, l, "the platform does not say that it is paid", "平台未确认已付款"),
            Detail::Address { faults } => {
                joined(f, faults.iter().map(|fault| Said(fault, l)), if l == Language::Chinese { "；" } else { "; " })
            }
            Detail::Unknown { lines } => {
                joined(f, lines.iter().map(|line| Said(line, l)), if l == Language::Chinese { "、" } else { ", " })
            }
            Detail::NoValue => both!(f, l, "its value cannot be told", "无法得出其价值"),
            Detail::NoOffer { candidates, count, .. } => {
                let Some(nearest) = candidates.first() else { return Detail::NothingToChoose.say(l, f) };
                let (warehouse, verdict) = (&nearest.warehouse, Said(&nearest.verdict, l));
                match &nearest.channel {
                    Some(channel) => both!(f, l, "{warehouse} by {channel}: {verdict}", "{warehouse} 经 {channel}：{verdict}")?,
                    None => both!(f, l, "{warehouse}: {verdict}", "{warehouse}：{verdict}")?,
                }
                match count.saturating_sub(1) {
                    0 => Ok(()),
                    more => both!(f, l, " (and {more} more)", "（另有 {more} 项）"),
                }
            }
            Detail::NothingToChoose => both!(f, l, "no warehouse and no channel to choose from", "没有可选的仓库和渠道"),
        }
    }
}

impl Say for Unmapped {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unmapped::Unknown { sku } => both!(f, l, "{sku}", "{sku}（未建档）"),
            Unmapped::Retired { sku } => both!(f, l, "{sku} (retired)", "{sku}（已停售）"),
            Unmapped::Unweighed { sku, part } if sku == part => {
                both!(f, l, "{sku} (its weight or size is not told)", "{sku}（未录入重量或尺寸）")
            }
            Unmapped::Unweighed { sku, part } => {
                both!(f, l, "{sku} (of {part}, whose weight or size is not told)", "{sku}（含未录入重量或尺寸的 {part}）")
            }
            Unmapped::Part { sku, part } => both!(f, l, "{sku} (of {part}, which is not sold)", "{sku}（含未在售的 {part}）"),
        }
    }
}

impl Say for Hold {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        let chinese = match self {
            Hold::Unpaid => "未付款",
            Hold::AddressInvalid => "地址异常",
            Hold::UnknownSku => "未知商品",
            Hold::NoStock => "缺货",
            Hold::NoChannel => "无可用渠道",
            Hold::Oversize => "超规",
            Hold::ForbiddenGoods => "违禁品",
            Hold::Duplicate => "重复订单",
            Hold::Manual => "人工挂起",
        };
        f.write_str(if l == Language::Chinese { chinese } else { self.as_str() })
    }
}
