//! An order: what a buyer bought. Parcels fulfil it: none, one or several, and one parcel may hold lines of several orders.
//!
//! received → held(reasons) → allocated (part by part, each to a parcel) ; or cancelled. How far it is on its way is not
//! written here: it follows from its parcels ([`crate::fulfilment`]). A later version of it from the platform replaces the
//! one before as long as no parcel holds any of it.

use crate::address::Place;
use crate::allocation::Decision;
use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::goods::Goods;
use crate::hold::Detail;
use crate::keys::Sealed;
use crate::money::Decimal;
use crate::new_order::{NewLine, Terms};
use crate::problem::{Cause, Severity, Trouble};
use crate::{ChannelId, Moment, Money, OrderId, ParcelId, SellerId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A line, and what lies in one of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// As the platform calls it.
    pub sku: crate::Sku,
    pub quantity: u32,
    pub unit_price: Decimal,
    /// One SKU of ours, or those of a bundle, with their facts as they were when this was decided; none: nobody knows yet
    /// what it is.
    pub goods: Vec<Goods>,
}

impl Line {
    pub fn of(line: &NewLine, goods: Vec<Goods>) -> Self {
        Line { sku: line.sku.clone(), quantity: line.quantity, unit_price: line.unit_price.amount, goods }
    }

    /// Whether it can be packed and declared: what lies in it is known, with weight and size.
    pub fn is_known(&self) -> bool {
        !self.goods.is_empty() && self.goods.iter().all(|goods| goods.facts.are_measured())
    }

    /// Its goods, each with the pieces of it in the whole line.
    pub fn pieces(&self) -> impl Iterator<Item = (&Goods, u32)> + Clone {
        self.goods.iter().map(|goods| (goods, goods.quantity.saturating_mul(self.quantity)))
    }
}

/// Where it is by itself. The rest of its way is told by its parcels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    /// Some of it is in no parcel yet.
    Received,
    /// All of it that is still wanted is in parcels.
    Allocated,
    /// None of it is in a parcel, and nothing more of it is wanted.
    Cancelled,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Received => "received",
            Stage::Allocated => "allocated",
            Stage::Cancelled => "cancelled",
        }
    }
}

/// Why an order waits. Several may stand at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    Unpaid,
    AddressInvalid,
    UnknownSku,
    NoStock,
    NoChannel,
    Oversize,
    ForbiddenGoods,
    Duplicate,
    Manual,
}

impl Hold {
    pub fn as_str(self) -> &'static str {
        match self {
            Hold::Unpaid => "unpaid",
            Hold::AddressInvalid => "address invalid",
            Hold::UnknownSku => "unknown SKU",
            Hold::NoStock => "no stock",
            Hold::NoChannel => "no channel",
            Hold::Oversize => "oversize",
            Hold::ForbiddenGoods => "forbidden goods",
            Hold::Duplicate => "duplicate",
            Hold::Manual => "manual",
        }
    }
}

/// What the platform says of an order, in one version of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub platform: SmolStr,
    pub shop: SmolStr,
    pub placed_at: Moment,
    /// When the platform changed it last, where it says so. Of two versions the later one counts, however they come.
    pub updated_at: Option<Moment>,
    pub ship_to: Place,
    /// Who the buyer is, sealed under a key of this order.
    pub buyer: Option<Sealed>,
    pub lines: Vec<Line>,
    pub currency: SmolStr,
    pub paid: bool,
    /// Why the platform wants a person to look at it first.
    pub held: Option<SmolStr>,
    pub terms: Terms,
    /// Whose shop it is, and so whose goods are sent.
    pub seller: SellerId,
}

impl Content {
    /// Whether the same goods go the same way to the same door: then a parcel that is made already is still right.
    pub fn ships_as(&self, other: &Content) -> bool {
        self.says_of_goods(other)
            && (&self.ship_to, &self.buyer, self.paid, &self.held) == (&other.ship_to, &other.buyer, other.paid, &other.held)
            && (&self.terms.service, &self.terms.tax) == (&other.terms.service, &other.terms.tax)
    }

    /// Whether the platform says the same in both. What we know of the goods may have changed since.
    pub fn says_as(&self, other: &Content) -> bool {
        self.ships_as(other) && (self.placed_at, self.updated_at, &self.terms) == (other.placed_at, other.updated_at, &other.terms)
    }

    fn says_of_goods(&self, other: &Content) -> bool {
        let says = |l: &Line| (l.sku.clone(), l.quantity, l.unit_price);
        self.currency == other.currency && self.lines.iter().map(says).eq(other.lines.iter().map(says))
    }

    fn is_older_than(&self, other: &Content) -> bool {
        matches!((self.updated_at, other.updated_at), (Some(this), Some(that)) if this < that)
    }
}

/// What people said over what the platform says. It stands while the platform goes on saying what they said it over: the same old
/// data that comes again undoes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Over {
    /// The platform's address, where a person put another one in its place.
    pub address: Option<(Place, Option<Sealed>)>,
    /// The platform does not say that it is paid, and a person does.
    pub paid: bool,
    /// What the platform wanted a person to look at, and one did.
    pub looked_at: Option<SmolStr>,
}

/// So many pieces of one line of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share {
    /// The line's place in its order, from 0.
    pub line: u16,
    pub quantity: u32,
}

/// What became of the stock for a part of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// It lies on the shelf for this part alone.
    #[default]
    Reserved,
    /// It was picked for the parcel.
    Picked,
    /// The parcel is cancelled: nobody claims anything.
    Dropped,
}

/// Some of an order, in one parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub parcel: ParcelId,
    pub shares: Vec<Share>,
    pub claim: Claim,
    pub decision: Decision,
    /// Its carrier sold no label for it, and why; cleared by another version of the order.
    pub refused: Option<SmolStr>,
    /// All orders in the parcel, the one first whose buyer it goes to. Empty where there is no other.
    pub with: Vec<OrderId>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub stage: Stage,
    pub content: Content,
    /// What people said over the content; what they put in its place stands in the content.
    pub over: Over,
    /// How many versions of it were taken in.
    pub revision: u32,
    pub received_at: Moment,
    /// The key of the buyer is destroyed: nobody can tell any more.
    pub forgotten: bool,
    /// Each reason with what exactly is wrong.
    pub holds: BTreeMap<Hold, Detail>,
    pub parts: Vec<Part>,
    /// Why nothing more of it is wanted.
    pub cancelled: Option<SmolStr>,
}

#[derive(Clone, Debug)]
pub enum Command {
    /// A version of it came in.
    Receive {
        content: Box<Content>,
    },
    /// What lies in lines of which nobody knew that, by their places from 0.
    Identify {
        /// Whose shop it is now.
        seller: SellerId,
        goods: Vec<(u32, Vec<Goods>)>,
    },
    Hold {
        reason: Hold,
        detail: Detail,
    },
    ClearHold {
        reason: Hold,
        /// Where a person lets it go.
        why: SmolStr,
    },
    /// A person puts the address right; it has no faults any more.
    PutAddress {
        ship_to: Place,
        buyer: Option<Sealed>,
        why: SmolStr,
    },
    /// A person says that it is paid.
    MarkPaid {
        why: SmolStr,
    },
    /// Some of it goes into a parcel.
    Allocate {
        decision: Box<Decision>,
        parcel: ParcelId,
        shares: Vec<Share>,
        /// All orders in that parcel, where there are several.
        with: Vec<OrderId>,
    },
    /// The goods for a parcel left the shelf.
    Pick {
        parcel: ParcelId,
    },
    /// A parcel of it is cancelled; what was in it is in none.
    Drop {
        parcel: ParcelId,
        reason: SmolStr,
        /// Its carrier sold no label for it: its channel is not tried again.
        refused: bool,
    },
    /// What is in no parcel is not wanted any more.
    Cancel {
        reason: SmolStr,
    },
    /// Makes who the buyer is unreadable for ever.
    Forget,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first version of it, or a later one that replaces it.
    Received {
        content: Box<Content>,
    },
    Held {
        reason: Hold,
        detail: Detail,
    },
    HoldCleared {
        reason: Hold,
        /// In the words of the person who let it go; empty where its cause is gone.
        #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
        why: SmolStr,
    },
    /// A person gave another address than the platform.
    AddressPut {
        ship_to: Place,
        buyer: Option<Sealed>,
        why: SmolStr,
    },
    /// A person says so; the platform does not.
    Paid {
        why: SmolStr,
    },
    Identified {
        seller: SellerId,
        goods: Vec<(u32, Vec<Goods>)>,
    },
    Allocated {
        decision: Box<Decision>,
        parcel: ParcelId,
        /// Empty: all that was in no parcel.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shares: Vec<Share>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        with: Vec<OrderId>,
    },
    Picked {
        parcel: ParcelId,
    },
    Dropped {
        parcel: ParcelId,
        reason: SmolStr,
        /// Its carrier sold no label for it: its channel is not tried again for this version of the order.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        refused: bool,
    },
    Cancelled {
        reason: SmolStr,
    },
    Forgotten,
}

impl Event {
    /// Who a buyer is, where this tells it.
    pub fn buyer(&self) -> Option<&Sealed> {
        match self {
            Event::Received { content } => content.buyer.as_ref(),
            Event::AddressPut { buyer, .. } => buyer.as_ref(),
            _ => None,
        }
    }
}

/// What may still change in an order whose goods are in parcels.
pub const CHANGES_ALWAYS: [&str; 3] = ["updated_at", "ship_by", "deliver_by"];

impl Order {
    /// Parcels that hold some of it.
    pub fn live_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.claim != Claim::Dropped)
    }

    pub fn part(&self, parcel: &ParcelId) -> Option<&Part> {
        self.parts.iter().find(|part| part.parcel == *parcel)
    }

    /// Channels that took it and whose carriers sold no label for it then, each with why.
    pub fn refused_channels(&self) -> impl Iterator<Item = (&ChannelId, &SmolStr)> {
        self.parts.iter().filter_map(|part| Some((&part.decision.channel, part.refused.as_ref()?)))
    }

    /// The decision made last.
    pub fn decision(&self) -> Option<&Decision> {
        self.parts.last().map(|part| &part.decision)
    }

    /// What of it is in no parcel.
    pub fn open_shares(&self) -> Vec<Share> {
        let open = self.content.lines.iter().enumerate().map(|(n, line)| {
            let taken = |part: &Part| part.shares.iter().filter(|s| usize::from(s.line) == n).map(|s| s.quantity).sum::<u32>();
            Share { line: n as u16, quantity: line.quantity.saturating_sub(self.live_parts().map(taken).sum()) }
        });
        open.filter(|share| share.quantity > 0).collect()
    }

    /// The lines of these shares, each with so many pieces of it.
    pub fn lines_of<'a>(&'a self, shares: &'a [Share]) -> impl Iterator<Item = (&'a Line, u32)> {
        shares.iter().filter_map(|share| Some((self.content.lines.get(usize::from(share.line))?, share.quantity)))
    }

    /// Value of all lines, in the order's currency; `None` where it cannot be told.
    pub fn value(&self) -> Option<Money> {
        let all: Vec<_> = self.content.lines.iter().enumerate().map(|(n, l)| Share { line: n as u16, quantity: l.quantity }).collect();
        self.value_of(&all)
    }

    /// The same of some of it.
    pub fn value_of(&self, shares: &[Share]) -> Option<Money> {
        let currency = crate::money::Currency::from_code(&self.content.currency)?;
        let add = |sum: Decimal, (line, pieces): (&Line, u32)| sum.checked_add(line.unit_price.checked_mul(Decimal::from(pieces))?);
        Some(Money::new(self.lines_of(shares).try_fold(Decimal::ZERO, add)?, currency))
    }

    pub fn is_held(&self) -> bool {
        !self.holds.is_empty() && self.stage == Stage::Received
    }

    /// Whether this version was left behind by one that is here already.
    pub fn is_superseded(&self, content: &Content) -> bool {
        content.is_older_than(&self.content)
    }

    /// What the platform says of it, in the version that is here.
    pub fn as_told(&self) -> Cow<'_, Content> {
        let Over { address, paid, looked_at: _ } = &self.over;
        if address.is_none() && !paid {
            return Cow::Borrowed(&self.content);
        }
        let mut told = self.content.clone();
        if let Some((place, buyer)) = address {
            (told.ship_to, told.buyer) = (place.clone(), buyer.clone());
        }
        told.paid &= !paid;
        Cow::Owned(told)
    }

    /// A version of the platform's as it counts here, and what of people's words still stands over it.
    fn counted(&self, mut content: Content) -> (Content, Over) {
        let mut over = self.over.clone();
        over.address = over.address.filter(|(place, buyer)| (place, buyer) == (&content.ship_to, &content.buyer));
        if over.address.is_some() {
            (content.ship_to, content.buyer) = (self.content.ship_to.clone(), self.content.buyer.clone());
        }
        over.paid &= !content.paid;
        content.paid |= over.paid;
        over.looked_at = over.looked_at.filter(|said| content.held.as_ref() == Some(said));
        (content, over)
    }

    /// Whether the platform said just that already.
    pub fn says(&self, content: &Content) -> bool {
        content.says_as(&self.as_told())
    }

    /// Whether a parcel that is made already is still right by that version.
    pub fn ships(&self, content: &Content) -> bool {
        let (mut counted, _) = self.counted(content.clone());
        // A look that is not wanted any more changes no parcel.
        if counted.held.is_none() {
            counted.held.clone_from(&self.content.held);
        }
        counted.ships_as(&self.content)
    }

    fn stage_now(&self) -> Stage {
        let live = self.live_parts().next().is_some();
        match self.cancelled {
            Some(_) if !live => Stage::Cancelled,
            Some(_) => Stage::Allocated,
            None if self.open_shares().is_empty() => Stage::Allocated,
            None => Stage::Received,
        }
    }

    fn wrong_stage(&self, id: &SmolStr, step: &str, wants: &str) -> Refusal {
        Self::refuse(id, Why::WrongStage { is: self.stage_word().into(), step: step.into(), wants: wants.into() })
    }

    fn receive(&self, id: &SmolStr, content: Box<Content>) -> Result<Vec<Event>, Refusal> {
        if self.stage != Stage::Absent {
            if self.says(&content) || self.is_superseded(&content) {
                return Ok(vec![]);
            }
            if self.cancelled.is_some() {
                return Err(self.wrong_stage(id, "another version of it", "not cancelled"));
            }
            if self.live_parts().next().is_some() && !self.ships(&content) {
                let wants = format_smolstr!("in no parcel, or only {} to change", CHANGES_ALWAYS.join(", "));
                return Err(self.wrong_stage(id, "another version of it", &wants));
            }
        }
        Ok(vec![Event::Received { content }])
    }

    /// The event, and the end of the hold that it solves.
    fn solving(&self, event: Event, solved: Hold, why: SmolStr) -> Vec<Event> {
        let cleared = self.holds.contains_key(&solved).then_some(Event::HoldCleared { reason: solved, why });
        [event].into_iter().chain(cleared).collect()
    }

    /// Whether so much of it is in no parcel yet.
    fn has_open(&self, id: &SmolStr, shares: &[Share]) -> Result<(), Refusal> {
        let open = self.open_shares();
        for share in shares {
            let available = open.iter().find(|o| o.line == share.line).map_or(0, |o| o.quantity);
            let asked: u32 = shares.iter().filter(|s| s.line == share.line).map(|s| s.quantity).sum();
            if asked > available || share.quantity == 0 {
                return Err(Self::refuse(id, Why::Short { asked, available }));
            }
        }
        if shares.is_empty() { Err(Self::refuse(id, Why::Short { asked: 0, available: 0 })) } else { Ok(()) }
    }
}

impl Entity for Order {
    const KIND: Kind = Kind::Order;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        if self.stage == Stage::Absent && !matches!(command, Command::Receive { .. }) {
            return Err(Self::refuse(id, Why::Absent));
        }
        let claim = |parcel: &ParcelId| self.part(parcel).map(|part| part.claim);
        match command {
            Command::Receive { content } => self.receive(id, content),
            Command::Hold { reason, detail } => match self.holds.get(&reason) {
                Some(known) if *known == detail => Ok(vec![]),
                // What a person holds waits for a person, whoever else wants a look at it.
                Some(known) if known.is_by_hand() && !detail.is_by_hand() => Ok(vec![]),
                _ if self.stage == Stage::Received => Ok(vec![Event::Held { reason, detail }]),
                _ => Err(self.wrong_stage(id, "hold", "received")),
            },
            Command::ClearHold { reason, why } if self.holds.contains_key(&reason) => Ok(vec![Event::HoldCleared { reason, why }]),
            Command::ClearHold { .. } => Ok(vec![]),
            Command::PutAddress { ship_to, buyer, .. } if (&ship_to, &buyer) == (&self.content.ship_to, &self.content.buyer) => Ok(vec![]),
            Command::PutAddress { .. } if self.stage != Stage::Received || self.live_parts().next().is_some() => {
                Err(self.wrong_stage(id, "another address", "received, and in no parcel"))
            }
            Command::PutAddress { ship_to, buyer, why } => {
                Ok(self.solving(Event::AddressPut { ship_to, buyer, why: why.clone() }, Hold::AddressInvalid, why))
            }
            Command::MarkPaid { .. } if self.content.paid => Ok(vec![]),
            Command::MarkPaid { .. } if self.cancelled.is_some() => Err(self.wrong_stage(id, "payment", "not cancelled")),
            Command::MarkPaid { why } => Ok(self.solving(Event::Paid { why: why.clone() }, Hold::Unpaid, why)),
            Command::Identify { seller, mut goods } => {
                let news = |n: &u32, goods: &[Goods]| {
                    self.content.lines.get(*n as usize).is_some_and(|line| !line.is_known() && line.goods != goods)
                };
                goods.retain(|(n, goods)| news(n, goods) && !goods.is_empty());
                match (goods.is_empty(), self.stage) {
                    (true, _) => Ok(vec![]),
                    (false, Stage::Received) => Ok(vec![Event::Identified { seller, goods }]),
                    _ => Err(self.wrong_stage(id, "identification", "received")),
                }
            }
            Command::Allocate { parcel, .. } if claim(&parcel).is_some() => Ok(vec![]),
            Command::Allocate { .. } if self.stage != Stage::Received => Err(self.wrong_stage(id, "allocation", "received")),
            Command::Allocate { decision, parcel, mut shares, with } => {
                self.has_open(id, &shares)?;
                if shares == self.open_shares() {
                    shares.clear();
                }
                Ok(vec![Event::Allocated { decision, parcel, shares, with }])
            }
            Command::Pick { parcel } => match claim(&parcel) {
                Some(Claim::Reserved) => Ok(vec![Event::Picked { parcel }]),
                Some(Claim::Picked) => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "picking", &format_smolstr!("in parcel {parcel}"))),
            },
            Command::Drop { parcel, reason, refused } => match claim(&parcel) {
                Some(Claim::Reserved | Claim::Picked) => Ok(vec![Event::Dropped { parcel, reason, refused }]),
                _ => Ok(vec![]),
            },
            Command::Cancel { .. } if self.cancelled.is_some() => Ok(vec![]),
            Command::Cancel { reason } => match self.stage {
                Stage::Received => Ok(vec![Event::Cancelled { reason }]),
                _ => Err(self.wrong_stage(id, "cancelling", "not in parcels")),
            },
            Command::Forget if self.forgotten => Ok(vec![]),
            // Until it has left, somebody needs to know where it goes.
            Command::Forget if self.stage == Stage::Received || self.live_parts().any(|part| part.claim == Claim::Reserved) => {
                Err(self.wrong_stage(id, "forgetting", "shipped, delivered, returned or cancelled"))
            }
            Command::Forget => Ok(vec![Event::Forgotten]),
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        let part = |order: &mut Order, parcel: &ParcelId, claim: Claim| {
            if let Some(part) = order.parts.iter_mut().find(|part| part.parcel == *parcel) {
                part.claim = claim;
            }
        };
        match event {
            Event::Received { content } => {
                if self.revision == 0 {
                    self.received_at = at;
                }
                (self.content, self.over) = self.counted(Content::clone(content));
                self.revision += 1;
                // Another address may please whom this one did not.
                self.parts.iter_mut().for_each(|part| part.refused = None);
                self.holds.retain(|_, detail| detail.is_by_hand());
            }
            Event::Held { reason, detail } => {
                self.holds.insert(*reason, detail.clone());
            }
            Event::HoldCleared { reason, .. } => {
                self.holds.remove(reason);
                if *reason == Hold::Manual {
                    self.over.looked_at.clone_from(&self.content.held);
                }
            }
            Event::AddressPut { ship_to, buyer, .. } => {
                let told = self.over.address.take().unwrap_or_else(|| (self.content.ship_to.clone(), self.content.buyer.clone()));
                (self.content.ship_to, self.content.buyer) = (ship_to.clone(), buyer.clone());
                self.parts.iter_mut().for_each(|part| part.refused = None);
                self.over.address = (told != (ship_to.clone(), buyer.clone())).then_some(told);
            }
            Event::Paid { .. } => (self.content.paid, self.over.paid) = (true, true),
            Event::Identified { seller, goods } => {
                self.content.seller = seller.clone();
                for (n, goods) in goods {
                    if let Some(line) = self.content.lines.get_mut(*n as usize) {
                        line.goods.clone_from(goods);
                    }
                }
            }
            Event::Allocated { decision, parcel, shares, with } => {
                let shares = if shares.is_empty() { self.open_shares() } else { shares.clone() };
                let (parcel, decision, with) = (parcel.clone(), Decision::clone(decision), with.clone());
                self.parts.push(Part { parcel, shares, claim: Claim::Reserved, decision, refused: None, with });
                if self.open_shares().is_empty() {
                    self.holds.clear();
                }
            }
            Event::Picked { parcel } => part(self, parcel, Claim::Picked),
            Event::Dropped { parcel, reason, refused } => {
                part(self, parcel, Claim::Dropped);
                if let Some(part) = self.parts.iter_mut().find(|part| part.parcel == *parcel).filter(|_| *refused) {
                    part.refused = Some(reason.clone());
                }
            }
            Event::Cancelled { reason } => {
                self.cancelled = Some(reason.clone());
                self.holds.clear();
            }
            Event::Forgotten => self.forgotten = true,
        }
        self.stage = self.stage_now();
    }

    fn stage_word(&self) -> &'static str {
        match self.stage {
            Stage::Received if !self.holds.is_empty() => "held",
            Stage::Received if self.live_parts().next().is_some() => "partly allocated",
            stage => stage.as_str(),
        }
    }

    fn troubles(&self) -> Vec<Trouble> {
        if !self.is_held() {
            return vec![];
        }
        let holds: Vec<_> = self.holds.iter().map(|(hold, detail)| format!("{}: {detail}", hold.as_str())).collect();
        let mut remedies: Vec<_> = self.holds.keys().flat_map(|hold| hold.remedies()).copied().collect();
        let all = remedies.clone();
        let mut n = 0;
        remedies.retain(|remedy| {
            n += 1;
            !all[..n - 1].contains(remedy)
        });
        vec![Trouble { cause: Cause::Held, severity: Severity::Act, what: holds.join("; ").into(), remedies }]
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        let mut listings = Vec::with_capacity(1);
        if self.stage == Stage::Received {
            listings.push(Listing::new(Facet::Plan, "", ""));
            let unmapped = self.content.lines.iter().filter(|line| !line.is_known());
            listings.extend(unmapped.map(|line| Listing::new(Facet::Unmapped, line.sku.text().clone(), "")));
        }
        if self.live_parts().any(|part| part.claim == Claim::Reserved) {
            listings.push(Listing::new(Facet::Underway, "", ""));
        }
        listings
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Order(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(updated_at: Option<i64>, quantities: &[u32], shop: &str) -> Box<Content> {
        let lines =
            quantities.iter().enumerate().map(|(n, q)| Line { sku: format!("S{n}").as_str().into(), quantity: *q, ..Line::default() });
        let (updated_at, lines) = (updated_at.map(Moment), lines.collect());
        Box::new(Content { shop: shop.into(), updated_at, lines, currency: "USD".into(), paid: true, ..Content::default() })
    }

    fn tell(order: &mut Order, command: Command) -> Result<usize, String> {
        let events = order.decide(&"O".into(), Moment(1), command).map_err(|r| r.to_string())?;
        events.iter().for_each(|event| order.apply(Moment(1), event));
        Ok(events.len())
    }

    fn decision() -> Box<Decision> {
        let cost = Money::zero(crate::money::Currency::USD);
        Box::new(Decision {
            rule: "r".into(),
            warehouse: "W".into(),
            channel: "c".into(),
            cost,
            candidates: vec![],
            count: 0,
            all: None,
            settings: 0,
        })
    }

    fn allocate(order: &mut Order, parcel: &str, shares: &[(u16, u32)]) -> Result<usize, String> {
        let shares = shares.iter().map(|&(line, quantity)| Share { line, quantity }).collect();
        tell(order, Command::Allocate { decision: decision(), parcel: parcel.into(), shares, with: vec![] })
    }

    #[test]
    fn an_order_goes_into_parcels_part_by_part_and_what_is_dropped_is_open_again() {
        let mut order = Order::default();
        tell(&mut order, Command::Receive { content: content(None, &[3, 1], "s") }).unwrap();
        assert_eq!(allocate(&mut order, "O-1", &[(0, 2)]), Ok(1));
        assert_eq!(order.stage_word(), "partly allocated");
        assert!(allocate(&mut order, "O-2", &[(0, 2)]).unwrap_err().ends_with("2 asked, 1 available"));
        assert!(allocate(&mut order, "O-2", &[]).is_err());
        assert_eq!(allocate(&mut order, "O-2", &[(0, 1), (1, 1)]), Ok(1));
        assert_eq!(order.stage_word(), "allocated");
        assert_eq!(allocate(&mut order, "O-2", &[(0, 1), (1, 1)]), Ok(0), "twice is once");
        tell(&mut order, Command::Pick { parcel: "O-2".into() }).unwrap();
        tell(&mut order, Command::Drop { parcel: "O-1".into(), reason: "r".into(), refused: false }).unwrap();
        assert_eq!((order.stage_word(), order.open_shares()), ("partly allocated", vec![Share { line: 0, quantity: 2 }]));
        assert!(tell(&mut order, Command::Pick { parcel: "O-1".into() }).is_err());
        tell(&mut order, Command::Cancel { reason: "r".into() }).unwrap();
        assert_eq!(order.stage_word(), "allocated", "what is in a parcel goes on");
        tell(&mut order, Command::Drop { parcel: "O-2".into(), reason: "r".into(), refused: false }).unwrap();
        assert_eq!(order.stage_word(), "cancelled");
    }

    #[test]
    fn a_later_version_replaces_an_earlier_one_until_parcels_hold_it() {
        let mut order = Order::default();
        let receive = |order: &mut Order, c: Box<Content>| tell(order, Command::Receive { content: c });
        assert_eq!(receive(&mut order, content(Some(5), &[2], "s")), Ok(1));
        tell(&mut order, Command::Hold { reason: Hold::Unpaid, detail: Detail::Unpaid }).unwrap();
        assert_eq!(receive(&mut order, content(Some(5), &[2], "s")), Ok(0), "the same again");
        assert_eq!(receive(&mut order, content(Some(4), &[9], "s")), Ok(0), "an older one that comes late");
        assert_eq!(receive(&mut order, content(Some(6), &[1], "s")), Ok(1));
        assert_eq!((order.content.lines[0].quantity, order.holds.len(), order.revision), (1, 0, 2));
        allocate(&mut order, "O-1", &[(0, 1)]).unwrap();
        assert!(receive(&mut order, content(Some(7), &[3], "s")).unwrap_err().contains("in no parcel, or only updated_at"));
        let mut later = content(Some(8), &[1], "s");
        later.terms.ship_by = Some(Moment(99));
        assert_eq!(receive(&mut order, later), Ok(1), "its dates may change");
        tell(&mut order, Command::Drop { parcel: "O-1".into(), reason: "r".into(), refused: false }).unwrap();
        assert_eq!(receive(&mut order, content(Some(9), &[3], "s")), Ok(1));
        tell(&mut order, Command::Cancel { reason: "r".into() }).unwrap();
        assert!(receive(&mut order, content(Some(10), &[4], "s")).is_err());
    }

    /// What the platform says, at that time: where it goes, whether it is paid, and why a person should look at it.
    fn version(updated_at: i64, postcode: &str, paid: bool, held: Option<&str>) -> Command {
        let mut content = content(Some(updated_at), &[1], "s");
        content.ship_to = Place { country: "DE".into(), postcode: postcode.into(), ..Place::default() };
        (content.paid, content.held) = (paid, held.map(SmolStr::new));
        Command::Receive { content }
    }

    fn put(postcode: &str) -> Command {
        let ship_to = Place { country: "DE".into(), postcode: postcode.into(), ..Place::default() };
        Command::PutAddress { ship_to, buyer: None, why: "r".into() }
    }

    #[test]
    fn what_people_say_stands_while_the_platform_says_the_same_as_before() {
        let mut order = Order::default();
        let told = |order: &Order| (order.content.ship_to.postcode.to_string(), order.content.paid);
        tell(&mut order, version(1, "10115", false, Some("look"))).unwrap();
        tell(&mut order, Command::Hold { reason: Hold::Unpaid, detail: Detail::Unpaid }).unwrap();
        tell(&mut order, Command::Hold { reason: Hold::AddressInvalid, detail: Detail::Address { faults: vec![] } }).unwrap();
        assert_eq!(tell(&mut order, Command::MarkPaid { why: "r".into() }), Ok(2), "and its hold ends");
        assert_eq!(tell(&mut order, put("10117")), Ok(2), "and its hold ends");
        assert_eq!((told(&order), order.holds.len()), (("10117".into(), true), 0));
        assert_eq!(tell(&mut order, version(1, "10115", false, Some("look"))), Ok(0), "the same version again");
        assert_eq!(tell(&mut order, version(2, "10115", false, None)), Ok(1), "another one with the same address");
        assert_eq!(told(&order), ("10117".into(), true));
        allocate(&mut order, "O-1", &[(0, 1)]).unwrap();
        assert_eq!(tell(&mut order, version(3, "10115", true, None)), Ok(1), "that it is paid now is no news for its parcel");
        assert!(tell(&mut order, version(4, "20095", true, None)).is_err(), "another address is");
        assert!(tell(&mut order, put("20095")).unwrap_err().contains("it is allocated, and another address wants it received"));
        tell(&mut order, Command::Drop { parcel: "O-1".into(), reason: "r".into(), refused: false }).unwrap();
        tell(&mut order, version(4, "20095", false, None)).unwrap();
        assert_eq!(told(&order), ("20095".into(), false), "what it says anew counts");
        assert_eq!(order.over, Over::default());
        tell(&mut order, put("10117")).unwrap();
        tell(&mut order, put("20095")).unwrap();
        assert_eq!(order.over, Over::default(), "back to what the platform says");
    }

    #[test]
    fn what_a_person_holds_a_person_lets_go() {
        let mut order = Order::default();
        let by_hand = || Command::Hold { reason: Hold::Manual, detail: Detail::ByHand { why: "r".into() } };
        tell(&mut order, version(1, "10115", true, None)).unwrap();
        assert_eq!(tell(&mut order, by_hand()), Ok(1));
        assert_eq!(tell(&mut order, version(2, "10117", true, Some("look"))), Ok(1));
        assert_eq!(tell(&mut order, Command::Hold { reason: Hold::Manual, detail: "look".into() }), Ok(0));
        assert_eq!(order.holds[&Hold::Manual], Detail::ByHand { why: "r".into() });
        tell(&mut order, Command::ClearHold { reason: Hold::Manual, why: "r".into() }).unwrap();
        assert_eq!((order.stage_word(), order.over.looked_at.as_deref()), ("received", Some("look")));
        allocate(&mut order, "O-1", &[(0, 1)]).unwrap();
        assert!(tell(&mut order, by_hand()).unwrap_err().contains("it is allocated"));
        assert_eq!(tell(&mut order, version(3, "10117", true, None)), Ok(1), "that nobody need look any more changes no parcel");
    }

    #[test]
    fn goods_without_a_weight_are_not_known() {
        let facts = |weight_g| crate::goods::Facts { weight_g, dims: crate::Dims::new(1, 1, 1), ..Default::default() };
        let goods = |weight_g| Goods { sku: "A".into(), quantity: 1, facts: facts(weight_g) };
        let mut order = Order::default();
        let mut content = content(None, &[1], "s");
        content.lines[0].goods = vec![goods(0)];
        tell(&mut order, Command::Receive { content }).unwrap();
        assert!(order.listings("O").iter().any(|listing| listing.facet == Facet::Unmapped));
        let identify = || Command::Identify { seller: "own".into(), goods: vec![(0, vec![goods(200)])] };
        assert_eq!((tell(&mut order, identify()), tell(&mut order, identify())), (Ok(1), Ok(0)));
        assert!(order.content.lines[0].is_known());
        assert!(order.listings("O").iter().all(|listing| listing.facet != Facet::Unmapped));
    }

    proptest! {
        /// However the versions of an order come, and however often: what counts in the end is the latest.
        #[test]
        fn versions_in_any_order_end_right(order_of in Just((1i64..8).collect::<Vec<_>>()).prop_shuffle(), again in prop::collection::vec(0usize..7, 0..7)) {
            let mut order = Order::default();
            let all = order_of.iter().copied().chain(again.iter().map(|n| order_of[*n]));
            for n in all {
                tell(&mut order, Command::Receive { content: content(Some(n), &[n as u32], "s") }).unwrap();
            }
            prop_assert_eq!(order.content, *content(Some(7), &[7], "s"));
        }

        /// Pieces are in at most one live parcel, whatever is asked.
        #[test]
        fn no_piece_is_in_two_parcels(steps in prop::collection::vec((0u8..3, 0u16..3, 1u32..4, 0usize..6), 0..40)) {
            let mut order = Order::default();
            tell(&mut order, Command::Receive { content: content(None, &[3, 2, 5], "s") }).unwrap();
            for (n, (what, line, quantity, parcel)) in steps.into_iter().enumerate() {
                let _ = match what {
                    0 => allocate(&mut order, &format!("O-{n}"), &[(line, quantity), ((line + 1) % 3, 1)]),
                    1 => tell(&mut order, Command::Drop { parcel: format!("O-{parcel}").as_str().into(), reason: "r".into(), refused: false }),
                    _ => tell(&mut order, Command::Pick { parcel: format!("O-{parcel}").as_str().into() }),
                };
                for (n, line) in order.content.lines.iter().enumerate() {
                    let taken: u32 = order.live_parts().flat_map(|p| &p.shares).filter(|s| usize::from(s.line) == n).map(|s| s.quantity).sum();
                    let open: u32 = order.open_shares().iter().filter(|s| usize::from(s.line) == n).map(|s| s.quantity).sum();
                    prop_assert_eq!(taken + open, line.quantity);
                }
            }
        }
    }
}
