//! The record of why an order leaves from where it does, by which channel, at what price; or why it does not.
//!
//! The event keeps the winner and the best five others, by rank. Where more were weighed, all of them are a document that it
//! names: at thirty carriers they would be 20 KB an order, and nobody reads them but in a dispute.

use crate::field::{Field, Pen};
use crate::verdict::Verdict;
use crate::{ChannelId, Hash, Money, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// So many candidates stand in an event: the winner and five others.
pub const CANDIDATES_KEPT: usize = 6;

/// A decision with what was weighed. People search it when money is in dispute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The rule and its version: `cheapest-with-stock@1`.
    pub rule: SmolStr,
    pub warehouse: WarehouseId,
    pub channel: ChannelId,
    /// Expected cost, in the channel's own currency.
    pub cost: Money,
    /// The chosen one first, then those with a price, cheapest first, then those nearest to one.
    pub candidates: Vec<Candidate>,
    /// How many were weighed: every warehouse, and every channel of one that has the goods.
    pub count: u32,
    /// The document with all of them, where these are not all.
    pub all: Option<Hash>,
    /// The version of the site's settings that it was made under; 0: not told.
    pub settings: u32,
}

/// One warehouse, or one channel from one warehouse, and how it fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub warehouse: WarehouseId,
    pub channel: Option<ChannelId>,
    pub cost: Option<Money>,
    pub days: Option<u16>,
    /// Why it won or lost.
    pub verdict: Verdict,
}

impl Decision {
    /// As it is written, and the document that goes with it where an event does not keep all.
    pub fn kept(mut self) -> (Self, Option<Vec<u8>>) {
        let all = keep(&mut self.candidates);
        self.all = all.as_deref().map(Hash::of);
        (self, all)
    }
}

/// Leaves what an event keeps of them; returns the document with all of them where these are not all.
pub fn keep(candidates: &mut Vec<Candidate>) -> Option<Vec<u8>> {
    let all = (candidates.len() > CANDIDATES_KEPT).then(|| to_bytes(candidates));
    candidates.truncate(CANDIDATES_KEPT);
    all
}

/// An array of `candidate`, written as in a record.
pub fn to_bytes(candidates: &Vec<Candidate>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 * candidates.len());
    candidates.put(&mut Pen::new(&mut bytes));
    bytes
}

pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Candidate>, String> {
    Vec::take(&mut minicbor::Decoder::new(bytes)).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Decimal};
    use crate::verdict::{NoOffer, Unfit};
    use crate::{Moment, Twin, Tx};

    /// Thirty channels: ten with a price, the others each with a reason of its own.
    fn thirty() -> Decision {
        let money = |n: i64| Money::new(Decimal::new(500 + 10 * n, 2), Currency::USD);
        let candidate = |n: i64| {
            let verdict = match n {
                0 => Verdict::Chosen,
                1..10 => Verdict::Dearer { by: Money::new(Decimal::new(10 * n, 2), Currency::USD) },
                n if n % 4 == 0 => NoOffer::from(Unfit::Country { country: "US".into() }).into(),
                n if n % 4 == 1 => NoOffer::from(Unfit::Weight { weight_g: 9_000, limit_g: 2_000 }).into(),
                n if n % 4 == 2 => NoOffer::NoBand { chargeable_g: 2_530, zone: "zone 5".into() }.into(),
                _ => NoOffer::NotAsked.into(),
            };
            let channel = Some(smol_str::format_smolstr!("carrier-{n:02}/service-{n:02}").into());
            Candidate { warehouse: "SZX".into(), channel, cost: (n < 10).then(|| money(n)), days: (n < 10).then_some(9), verdict }
        };
        let candidates: Vec<_> = (0..30).map(candidate).collect();
        let (rule, warehouse, channel) = ("cheapest-with-stock@1".into(), "SZX".into(), "carrier-00/service-00".into());
        Decision { rule, warehouse, channel, cost: money(0), candidates, count: 30, all: None, settings: 0 }
    }

    #[test]
    fn an_event_keeps_the_winner_and_the_best_five_and_a_document_has_all() {
        let whole = thirty();
        let (kept, document) = whole.clone().kept();
        assert_eq!((kept.candidates.as_slice(), kept.count), (&whole.candidates[..CANDIDATES_KEPT], 30));
        let twin = Twin::in_memory("test");
        let mut tx = Tx::at(Moment(1));
        assert_eq!(Some(tx.document(document.expect("there are more than six"))), kept.all);
        let mut order = crate::order::Order { stage: crate::order::Stage::Received, ..Default::default() };
        let event =
            crate::order::Event::Allocated { decision: Box::new(kept.clone()), parcel: "O-1-1".into(), shares: vec![], with: vec![] };
        crate::Entity::apply(&mut order, tx.at, &event);
        tx.stage(&"O-1".into(), 1, vec![event], Default::default(), &order);
        twin.commit([tx]).expect("it is written");
        assert_eq!(twin.candidates(&kept.candidates, kept.all.as_ref()).expect("it reads"), whole.candidates);
        let json = twin.json(&crate::Key::new(crate::Kind::Order, "O-1")).expect("it reads").expect("it is there");
        assert_eq!(json["parts"][0]["decision"]["candidates"].as_array().map(Vec::len), Some(30));
        assert_eq!(json["parts"][0]["decision"]["candidates"][29]["verdict"], "oversize: 9000 g, takes at most 2000 g");
        let few = Decision { candidates: whole.candidates[..6].to_vec(), count: 6, ..whole };
        assert_eq!(few.clone().kept(), (few, None), "six need no document");
    }

    /// In the event, in bytes: with texts, all in the event, these thirty were 2,061.
    #[test]
    fn thirty_channels_make_an_event_of_half_a_kilobyte() {
        let size = |decision: &Decision| {
            let mut bytes = Vec::new();
            decision.put(&mut Pen::new(&mut bytes));
            bytes.len()
        };
        let whole = thirty();
        let (kept, document) = whole.clone().kept();
        let all = document.map_or(0, |d| d.len());
        println!("{} bytes with all in the event, {} kept, {all} in the document", size(&whole), size(&kept));
        assert!(size(&kept) < 500 && all < 2_000, "{} {all}", size(&kept));
    }
}
