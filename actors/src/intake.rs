//! Orders as they come in: new ones, and later versions of those that are here.
//!
//! Part of the order desk. A version that changes what is in a parcel already asks that parcel first ([`crate::errand`]).

use crate::errand::Then;
use crate::ledger::Account;
use crate::order_desk::{DeskMsg, DeskState};
use crate::putting_right::sealed;
use crate::{Answer, Caller, Outgoing};
use ractor::ActorProcessingErr;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::sync::{Arc, Mutex, PoisonError};
use twin::address::Place;
use twin::hold::Detail;
use twin::keys::Sealed;
use twin::order::{Command, Content, Order};
use twin::personal::Personal;
use twin::{NewOrder, OrderId, TwinError, Tx};

/// What became of one order that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    Accepted,
    /// A later version of one that was here.
    Updated,
    /// It was here just so; nothing changed.
    Known,
    /// A later version of it was here before; nothing changed.
    Superseded,
    /// It is too late for that, in words.
    Refused(SmolStr),
}

/// Told, in the order of the request, when all is durable.
pub type Receipts = Caller<Vec<Receipt>>;

/// The receipts of one request, of which some come later than others.
#[derive(Clone, Debug)]
pub struct Batch(Arc<Mutex<Waiting>>);

#[derive(Debug)]
struct Waiting {
    receipts: Vec<Option<Receipt>>,
    reply: Option<Receipts>,
}

impl Batch {
    fn of(count: usize, reply: Receipts) -> Self {
        Batch(Arc::new(Mutex::new(Waiting { receipts: vec![None; count], reply: Some(reply) })))
    }

    /// The last one answers for all.
    pub(crate) fn tell(&self, receipts: impl IntoIterator<Item = (usize, Receipt)>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (nth, receipt) in receipts {
            if let Some(slot) = waiting.receipts.get_mut(nth) {
                *slot = Some(receipt);
            }
        }
        let Some(all) = waiting.receipts.iter().cloned().collect() else { return };
        let reply = waiting.reply.take();
        drop(waiting);
        if let Some(reply) = reply {
            reply.tell(all);
        }
    }
}

/// A version of an order as the house reads it, and what holds it.
pub(crate) struct Version {
    pub(crate) content: Box<Content>,
    /// The address that a person gave, where the platform says no other than before and the buyer's words are new.
    pub(crate) again: Option<(Place, Sealed)>,
    pub(crate) holds: Vec<Detail>,
}

impl DeskState {
    pub(crate) fn receive(&mut self, orders: Vec<NewOrder>, reply: Receipts) -> Result<(), ActorProcessingErr> {
        // What happens to an order comes one after the other.
        if let Some(errand) = orders.iter().find_map(|order| self.busy_with(&order.id())) {
            self.wait_behind(errand, DeskMsg::Receive(orders, reply));
            return Ok(());
        }
        let house = self.house.clone();
        let mut work = house.work();
        let batch = Batch::of(orders.len(), reply);
        let (mut receipts, mut fresh) = (Vec::with_capacity(orders.len()), Vec::new());
        for (nth, mut order) in orders.into_iter().enumerate() {
            let id = order.id();
            // The one place: whoever took the order in, from here on its address is written as the house reads it.
            order.ship_to.put_right();
            let host = self.order(&id)?;
            let state = host.exists().then(|| host.state.clone());
            if state.as_ref().is_some_and(|state| state.forgotten) {
                receipts.push((nth, Receipt::Known));
                continue;
            }
            let mut version = self.version(&mut work.tx, order, state.as_ref())?;
            let Some(state) = state else {
                if self.take_in(&mut work, &id, version)? {
                    fresh.push((id, work.tx.len()));
                }
                receipts.push((nth, Receipt::Accepted));
                continue;
            };
            let receipt = match () {
                () if state.says(&version.content) => Receipt::Known,
                () if state.is_superseded(&version.content) => Receipt::Superseded,
                () if state.cancelled.is_some() => Receipt::Refused(format_smolstr!("order {id} is cancelled")),
                () if state.ships(&version.content) => {
                    // What is known of its goods stays as it was when it was decided.
                    (version.content.lines, version.content.seller) = (state.content.lines, state.content.seller);
                    self.update(&mut work, &id, version, &mut fresh)?
                }
                () if state.live_parts().next().is_none() => self.update(&mut work, &id, version, &mut fresh)?,
                () => {
                    let parcels = state.live_parts().map(|part| part.parcel.clone()).collect();
                    let reason = "another version of its order came in".into();
                    self.begin_errand(
                        vec![id.clone()],
                        parcels,
                        reason,
                        true,
                        Then::Update { order: id, version, batch: batch.clone(), nth },
                    );
                    continue;
                }
            };
            receipts.push((nth, receipt));
        }
        self.plan_when_written(&mut work, fresh);
        work.say(Outgoing::Answer(Answer::Receipts(batch, receipts)));
        house.commit(work);
        Ok(())
    }

    /// A later version is taken in, unless the order itself says no.
    pub(crate) fn update(
        &mut self,
        work: &mut crate::Work,
        id: &OrderId,
        version: Version,
        fresh: &mut Vec<(OrderId, usize)>,
    ) -> Result<Receipt, ActorProcessingErr> {
        self.short.remove(id);
        let host = self.order(id)?;
        if let Err(refusal) = host.command(work, Command::Receive { content: version.content }) {
            return Ok(Receipt::Refused(refusal.to_smolstr()));
        }
        if let Some((ship_to, buyer)) = version.again {
            let why = "as it was put right before".into();
            host.command(work, Command::PutAddress { ship_to, buyer: Some(buyer), why })?;
        }
        if host.state.stage == twin::order::Stage::Received {
            self.hold(work, id, &version.holds)?;
            if version.holds.is_empty() {
                fresh.push((id.clone(), work.tx.len()));
            }
        }
        self.rest_when_written(work, id.clone());
        Ok(Receipt::Updated)
    }

    /// A new order. Whether it can be planned at once.
    fn take_in(&mut self, work: &mut crate::Work, id: &OrderId, version: Version) -> Result<bool, ActorProcessingErr> {
        self.order(id)?.command(work, Command::Receive { content: version.content })?;
        self.hold(work, id, &version.holds)?;
        Ok(version.holds.is_empty())
    }

    fn hold(&mut self, work: &mut crate::Work, id: &OrderId, holds: &[Detail]) -> Result<(), ActorProcessingErr> {
        let host = self.order(id)?;
        for detail in holds {
            host.command(work, Command::Hold { reason: detail.hold(), detail: detail.clone() })?;
        }
        Ok(())
    }

    /// Orders that can be planned, each with the records behind it in this work.
    pub(crate) fn plan_when_written(&mut self, work: &mut crate::Work, fresh: Vec<(OrderId, usize)>) {
        for (id, nth) in fresh {
            // A desk that fell meanwhile plans what it finds received.
            work.say_on(Account::Nth(nth), Outgoing::Desk(DeskMsg::Plan(id)));
        }
    }

    /// What a platform says, as the house reads it. Who the buyer is gets sealed, under the order's key where there is one.
    fn version(&mut self, tx: &mut Tx, order: NewOrder, before: Option<&Order>) -> Result<Version, TwinError> {
        let (seller, lines, unknown) = self.catalog.lines(&order)?;
        let mut holds: Vec<_> = unknown.into_iter().collect();
        // An address that a person put right stays so while the platform gives the same as before.
        let twin = self.house.twin.clone();
        let told = before.and_then(|order| order.over.address.as_ref());
        let stays = told.is_some_and(|(place, buyer)| twin.address(place, buyer.as_ref()).is_ok_and(|told| told == order.ship_to));
        let faults = if stays { Vec::new() } else { order.ship_to.faults() };
        if !faults.is_empty() {
            holds.push(Detail::Address { faults });
        }
        let over = before.map(|order| &order.over);
        if let Some(why) = order.held.as_ref().filter(|why| over.and_then(|over| over.looked_at.as_ref()) != Some(*why)) {
            holds.push(Detail::Said { text: why.clone() });
        }
        if !order.paid && !over.is_some_and(|over| over.paid) {
            holds.push(Detail::Unpaid);
        }
        let NewOrder { number: _, platform, shop, placed_at, updated_at, ship_to, lines: new, paid, held, terms, gift_note } = order;
        let currency = new.first().map_or("USD", |l| l.unit_price.currency.code()).into();
        let (ship_to, personal) = ship_to.parted();
        let personal = Personal { gift_note, ..personal };
        let buyer = sealed(&twin, tx, &personal, before)?;
        let again = match before.filter(|_| stays && told.is_some_and(|(_, told)| told.as_ref() != Some(&buyer))) {
            Some(Order { content, .. }) => match twin.address(&content.ship_to, content.buyer.as_ref()) {
                Ok(ours) => {
                    let (place, ours) = ours.parted();
                    Some((place, sealed(&twin, tx, &Personal { gift_note: personal.gift_note, ..ours }, before)?))
                }
                // What a person put right this very moment; the platform's later word counts then.
                Err(error) => {
                    tracing::warn!(%error, "the address that a person put right cannot be read: the platform's counts");
                    None
                }
            },
            None => None,
        };
        let content =
            Content { platform, shop, placed_at, updated_at, ship_to, buyer: Some(buyer), lines, currency, paid, held, terms, seller };
        Ok(Version { content: Box::new(content), again, holds })
    }
}
