//! How a warehouse or one of its channels fared when an order was decided, and why: reasons with what they are about. What follows
//! from a reason (which hold, how near to a solution) is told here by its type; its words are for people alone.

use crate::defect::Defect;
use crate::order::Hold;
use crate::words::{Language, Said, Say, both, said};
use crate::{CarrierId, Grams, Money, Sku, WarehouseId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;
use std::fmt;

/// Of what a carrier says itself, so many characters are kept.
pub const FOREIGN_MAX: usize = 500;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Verdict {
    Chosen,
    /// In the currency prices are compared in, to its smallest unit; 0: by less than that.
    Dearer {
        by: Money,
    },
    /// At the same price.
    Slower {
        days: u16,
        against: u16,
    },
    /// At the same price as one that says its days.
    DaysUnknown,
    /// At the same price and in as many days.
    LaterByName,
    /// The warehouse has too little of a SKU, and of `more` others.
    Short {
        sku: Sku,
        there: u32,
        wanted: u32,
        more: u32,
    },
    NoOffer {
        why: NoOffer,
    },
}

/// Why a channel has no price that could be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoOffer {
    /// By the channel's own limits.
    Unfit {
        why: Unfit,
    },
    /// The carrier would refuse the parcel as it is.
    Misfit {
        carrier: CarrierId,
        defect: Defect,
    },
    /// A channel of the last resort.
    NotAsked,
    /// Its carrier was asked for a label of this order before, and sold none.
    LabelRefused {
        said: SmolStr,
    },
    /// Country and postcode.
    NoZone {
        to: SmolStr,
    },
    NoBand {
        chargeable_g: Grams,
        zone: SmolStr,
    },
    /// The sheet's numbers add up to nothing, so one of them is missing.
    SheetGivesNothing {
        chargeable_g: Grams,
        zone: SmolStr,
        total: Money,
    },
    /// The sheet's numbers are beyond what can be counted.
    SheetTooLarge {
        chargeable_g: Grams,
        zone: SmolStr,
    },
    /// What is quoted at nothing or less is no price.
    Free {
        total: Money,
    },
    /// ISO 4217 codes.
    NoRate {
        from: SmolStr,
        to: SmolStr,
    },
    /// The carrier quoted, but not this service.
    NoService {
        carrier: CarrierId,
        service: SmolStr,
    },
    QuotedTwice,
    /// Of an answer, the part for this service.
    ServiceUnreadable {
        carrier: CarrierId,
        service: SmolStr,
        said: SmolStr,
    },
    /// It failed again and again, and is left alone for a while.
    Paused,
    Timeout {
        host: SmolStr,
        timeout_ms: u64,
    },
    Unreachable {
        host: SmolStr,
        said: SmolStr,
    },
    AnswerTooLarge {
        host: SmolStr,
        limit_bytes: u32,
    },
    Unauthorized {
        carrier: CarrierId,
        said: SmolStr,
    },
    Throttled {
        carrier: CarrierId,
        retry_after_ms: u64,
    },
    /// In the carrier's own words.
    Answered {
        carrier: CarrierId,
        status: u16,
        code: SmolStr,
        said: SmolStr,
    },
    /// `rates`, `request`…: what of the talk with the carrier could not be read.
    Unreadable {
        carrier: CarrierId,
        what: SmolStr,
        said: SmolStr,
    },
    /// The carrier, or the driver for it, does no such thing.
    NotOffered {
        carrier: CarrierId,
        said: SmolStr,
    },
    /// A person took the channel out, and said so.
    TakenOut {
        said: SmolStr,
    },
}

/// Why a channel does not take a parcel: the first of its own limits that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    Origin {
        from: WarehouseId,
    },
    Country {
        country: SmolStr,
    },
    Weight {
        weight_g: Grams,
        limit_g: Grams,
    },
    Length {
        length_mm: u32,
        limit_mm: u32,
    },
    /// The second longest side.
    Width {
        width_mm: u32,
        limit_mm: u32,
    },
    /// The shortest side.
    Height {
        height_mm: u32,
        limit_mm: u32,
    },
    LengthPlusGirth {
        sum_mm: u32,
        limit_mm: u32,
    },
    Battery,
    PoBox,
}

impl Unfit {
    /// What an order waits for when nothing better than this was found.
    pub fn hold(&self) -> Hold {
        match self {
            Unfit::Origin { .. } | Unfit::Country { .. } | Unfit::PoBox => Hold::NoChannel,
            Unfit::Weight { .. } | Unfit::Length { .. } | Unfit::Width { .. } | Unfit::Height { .. } | Unfit::LengthPlusGirth { .. } => {
                Hold::Oversize
            }
            Unfit::Battery => Hold::ForbiddenGoods,
        }
    }
}

impl NoOffer {
    pub fn hold(&self) -> Hold {
        match self {
            NoOffer::Unfit { why } => why.hold(),
            _ => Hold::NoChannel,
        }
    }
}

impl Verdict {
    /// What an order waits for when nothing better than this was found.
    pub fn hold(&self) -> Hold {
        match self {
            Verdict::Short { .. } => Hold::NoStock,
            Verdict::NoOffer { why } => why.hold(),
            _ => Hold::NoChannel,
        }
    }

    /// How near to a solution, nearest first: a price may appear, a parcel may be split, goods may be swapped; a channel that
    /// does not run there is far, a warehouse that has not the goods farther.
    pub fn distance(&self) -> u8 {
        match self {
            Verdict::Short { .. } => 4,
            Verdict::NoOffer { why: NoOffer::Unfit { why: Unfit::Origin { .. } | Unfit::Country { .. } } } => 3,
            verdict => match verdict.hold() {
                Hold::ForbiddenGoods => 2,
                Hold::Oversize => 1,
                _ => 0,
            },
        }
    }

    /// Which reason it is, in one word, and what it is about: `dearer`, `{"by": …}`; of an offer that was none, the reason for
    /// that: `no_band`.
    pub fn parts(&self) -> (SmolStr, Value) {
        let mut value = Verdict::serialize(self, serde_json::value::Serializer).unwrap_or_default();
        loop {
            match value {
                Value::String(kind) => return (kind.into(), Value::Object(Default::default())),
                Value::Object(mut map) => {
                    let Some(kind) = map.keys().next().cloned() else { return Default::default() };
                    let mut inner = map.remove(&kind).unwrap_or_default();
                    match inner.get_mut("why").map(Value::take) {
                        Some(why) => value = why,
                        None => return (kind.into(), inner),
                    }
                }
                _ => return Default::default(),
            }
        }
    }
}

impl From<Unfit> for NoOffer {
    fn from(why: Unfit) -> Self {
        NoOffer::Unfit { why }
    }
}

impl From<NoOffer> for Verdict {
    fn from(why: NoOffer) -> Self {
        Verdict::NoOffer { why }
    }
}

/// A carrier's own words, cut where they are longer than anybody reads.
pub fn foreign(text: &str) -> SmolStr {
    match text.char_indices().nth(FOREIGN_MAX) {
        Some((end, _)) => smol_str::format_smolstr!("{}…", &text[..end]),
        None => text.into(),
    }
}

said! { Verdict }

impl Say for Verdict {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Verdict::Chosen => both!(f, l, "chosen", "选中"),
            Verdict::Dearer { by } if by.amount.is_zero() => {
                let (least, code) = (rust_decimal::Decimal::new(1, by.amount.scale()), by.currency.code());
                both!(f, l, "dearer by under {least} {code}", "贵不到 {least} {code}")
            }
            Verdict::Dearer { by } => both!(f, l, "dearer by {by}", "贵 {by}"),
            Verdict::Slower { days, against } => {
                both!(f, l, "same price, {days} days against {against}", "同价，时效 {days} 天，慢于 {against} 天")
            }
            Verdict::DaysUnknown => both!(f, l, "same price, days unknown", "同价，时效未知"),
            Verdict::LaterByName => both!(f, l, "same price and days, later by name", "同价同时效，按名称排在后"),
            Verdict::Short { sku, there, wanted, more } => {
                both!(f, l, "short of {sku}: {there} of {wanted}", "缺货：{sku} 可用 {there}，需要 {wanted}")?;
                match more {
                    0 => Ok(()),
                    more => both!(f, l, ", and of {more} more SKUs", "，另有 {more} 个商品编码缺货"),
                }
            }
            Verdict::NoOffer { why } => why.say(l, f),
        }
    }
}

impl Say for NoOffer {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        use NoOffer::*;
        match self {
            Unfit { why } => why.say(l, f),
            Misfit { carrier, defect } => {
                let defect = Said(defect, l);
                both!(f, l, "{carrier} cannot take it: {defect}", "{carrier} 无法接收：{defect}")
            }
            LabelRefused { said } => both!(f, l, "its carrier sold no label for it: {said}", "承运商拒绝出面单：{said}"),
            NotAsked => both!(f, l, "not asked: a last resort, and others take it", "未询价：备用渠道，已有其他渠道可发"),
            NoZone { to } => both!(f, l, "no zone for {to}", "{to} 没有对应分区"),
            NoBand { chargeable_g, zone } => {
                both!(f, l, "no weight band for {chargeable_g} g in zone {zone}", "分区 {zone} 没有 {chargeable_g} g 的重量段")
            }
            SheetGivesNothing { chargeable_g, zone, total } => both!(
                f,
                l,
                "the sheet gives {chargeable_g} g in zone {zone} for {total}, and no parcel is free: complete the sheet",
                "运价表中分区 {zone} 的 {chargeable_g} g 价格为 {total}，包裹不会免费：请补全运价表"
            ),
            SheetTooLarge { chargeable_g, zone } => both!(
                f,
                l,
                "the price of {chargeable_g} g in zone {zone} is too large to count: correct the sheet",
                "分区 {zone} 的 {chargeable_g} g 价格过大，无法计算：请更正运价表"
            ),
            Free { total } => both!(f, l, "quoted at {total}: no parcel is free", "报价为 {total}：包裹不会免费"),
            NoRate { from, to } => both!(f, l, "no exchange rate from {from} to {to}", "没有 {from} 到 {to} 的汇率"),
            NoService { carrier, service } => both!(f, l, "{carrier} offers no {service} for it", "{carrier} 对此包裹不提供 {service}"),
            QuotedTwice => both!(f, l, "the carrier quoted it twice", "物流商重复报价"),
            ServiceUnreadable { carrier, service, said } => {
                both!(f, l, "the answer of {carrier} for {service} cannot be read: {said}", "{carrier} 对 {service} 的应答无法读取：{said}")
            }
            Paused => both!(f, l, "the carrier does not answer just now", "物流商暂时没有应答"),
            Timeout { host, timeout_ms } => {
                both!(f, l, "no answer from {host} within {timeout_ms} ms", "{host} 在 {timeout_ms} 毫秒内没有应答")
            }
            Unreachable { host, said } => both!(f, l, "cannot reach {host}: {said}", "无法连接 {host}：{said}"),
            AnswerTooLarge { host, limit_bytes } => {
                both!(f, l, "the answer of {host} is over the limit of {limit_bytes} bytes", "{host} 的应答超过上限 {limit_bytes} 字节")
            }
            Unauthorized { carrier, said } => both!(
                f,
                l,
                "{carrier} does not accept our credentials: {said}; check the account and the secret",
                "{carrier} 不接受我们的凭证：{said}；请检查账号和密钥"
            ),
            Throttled { carrier, retry_after_ms } => both!(
                f,
                l,
                "{carrier} wants fewer requests: try again in {retry_after_ms} ms",
                "{carrier} 限制请求频率：请在 {retry_after_ms} 毫秒后重试"
            ),
            Answered { carrier, status, code, said } => {
                both!(f, l, "{carrier} answered {status} {code}: {said}", "{carrier} 应答 {status} {code}：{said}")
            }
            Unreadable { carrier, what, said } => {
                both!(f, l, "cannot read the {what} of {carrier}: {said}", "{carrier} 的 {what} 无法读取：{said}")
            }
            NotOffered { carrier, said } => both!(f, l, "{carrier} does not offer this: {said}", "{carrier} 不提供此服务：{said}"),
            TakenOut { said } => both!(f, l, "taken out by a person: {said}", "已人工停用：{said}"),
        }
    }
}

impl Say for Unfit {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unfit::Origin { from } => both!(f, l, "not served: does not collect at {from}", "不可达：不在 {from} 揽收"),
            Unfit::Country { country } => both!(f, l, "not served: does not go to {country}", "不可达：不派送到 {country}"),
            Unfit::Weight { weight_g, limit_g } => {
                both!(f, l, "oversize: {weight_g} g, takes at most {limit_g} g", "超规：重 {weight_g} g，最多接受 {limit_g} g")
            }
            Unfit::Length { length_mm, limit_mm } => {
                both!(f, l, "oversize: {length_mm} mm long, takes at most {limit_mm} mm", "超规：长 {length_mm} mm，最多接受 {limit_mm} mm")
            }
            Unfit::Width { width_mm, limit_mm } => {
                both!(f, l, "oversize: {width_mm} mm wide, takes at most {limit_mm} mm", "超规：宽 {width_mm} mm，最多接受 {limit_mm} mm")
            }
            Unfit::Height { height_mm, limit_mm } => {
                both!(f, l, "oversize: {height_mm} mm high, takes at most {limit_mm} mm", "超规：高 {height_mm} mm，最多接受 {limit_mm} mm")
            }
            Unfit::LengthPlusGirth { sum_mm, limit_mm } => both!(
                f,
                l,
                "oversize: {sum_mm} mm length plus girth, takes at most {limit_mm} mm",
                "超规：长加围长 {sum_mm} mm，最多接受 {limit_mm} mm"
            ),
            Unfit::Battery => both!(f, l, "forbidden goods: takes no batteries", "违禁品：不接受带电产品"),
            Unfit::PoBox => both!(f, l, "no PO boxes: delivers to doors only", "不派送邮政信箱：只派送到门"),
        }
    }
}

impl fmt::Display for NoOffer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.say(Language::English, f)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.say(Language::English, f)
    }
}
