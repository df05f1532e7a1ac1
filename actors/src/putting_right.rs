//! What a person puts right about an order: it is held or goes on, its address is another one, it is paid, a line of it is this of ours.
//!
//! Part of the order desk. Parcels that no bench has begun with are taken back first ([`crate::errand`]); where one is too far, nothing
//! is changed. Each says in the order's own events by whom and why, and the same again changes nothing.

use crate::catalog::Change;
use crate::errand::{Deed, Then};
use crate::order_desk::{DeskMsg, DeskState, Reply};
use crate::{Answer, Caller, Outgoing, Work};
use ractor::ActorProcessingErr;
use smol_str::SmolStr;
use std::collections::BTreeSet;
use twin::defect::Defect;
use twin::hold::{Detail, Unmapped};
use twin::order::{Command, Hold, Order};
use twin::personal::Personal;
use twin::seller::Shop;
use twin::sku_map::Component;
use twin::{Address, OrderId, Sku, TwinError, Tx, Unsealed};

/// What is to be put right.
#[derive(Clone, Debug)]
pub enum Fix {
    /// It waits until a person lets it go.
    Hold,
    /// It goes on, unless somebody must say more first.
    Release,
    Address(Box<Correction>),
    /// It is paid, whatever the platform says.
    Paid,
    /// A line, from 1, is so many of a SKU of ours; as is every other of that shop's SKU.
    Name {
        line: u32,
        sku: Sku,
        quantity: u32,
    },
}

/// The fields of an address that are to be others. Empty: it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Correction {
    pub name: Option<SmolStr>,
    pub company: Option<SmolStr>,
    pub street: Option<SmolStr>,
    pub street2: Option<SmolStr>,
    pub city: Option<SmolStr>,
    pub region: Option<SmolStr>,
    pub postcode: Option<SmolStr>,
    pub country: Option<SmolStr>,
    pub phone: Option<SmolStr>,
    pub email: Option<SmolStr>,
    pub tax_id: Option<SmolStr>,
}

impl Correction {
    /// The whole address, as the house reads it, or what would be wrong with it.
    fn put_into(self, mut address: Address) -> Result<Address, Vec<Defect>> {
        for (field, said) in [
            (&mut address.name, self.name),
            (&mut address.company, self.company),
            (&mut address.street, self.street),
            (&mut address.street2, self.street2),
            (&mut address.city, self.city),
            (&mut address.region, self.region),
            (&mut address.postcode, self.postcode),
            (&mut address.country, self.country),
            (&mut address.phone, self.phone),
            (&mut address.email, self.email),
            (&mut address.tax_id, self.tax_id),
        ] {
            if let Some(said) = said {
                *field = said;
            }
        }
        address.put_right();
        let faults = address.faults();
        if faults.is_empty() { Ok(address) } else { Err(faults) }
    }
}

/// Whether a person's word ends it. The others end when what they want is said: by a remedy of its own.
fn ends_by_word(hold: Hold) -> bool {
    !matches!(hold, Hold::Unpaid | Hold::AddressInvalid | Hold::UnknownSku)
}

impl DeskState {
    pub(crate) fn put_right(&mut self, id: OrderId, fix: Fix, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        // What happens to an order comes one after the other.
        if let Some(errand) = self.busy_with(&id) {
            self.wait_behind(errand, DeskMsg::PutRight { order: id, fix, why, reply });
            return Ok(());
        }
        let host = self.order(&id)?;
        if !host.exists() {
            self.orders.remove(&id);
            reply.tell(Err(format!("there is no order {id}")));
            return Ok(());
        }
        match fix {
            Fix::Hold => self.take_back(id, Deed::Hold, why, reply),
            Fix::Address(correction) => self.correct(id, *correction, why, reply),
            Fix::Release => self.let_go(id, why, reply),
            Fix::Paid => self.mark_paid(id, why, reply),
            Fix::Name { line, sku, quantity } => self.name(id, line, Component { sku, quantity }, why, reply),
        }
    }

    /// Takes its parcels back where there are any, and does it then.
    fn take_back(&mut self, id: OrderId, deed: Deed, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let order = &self.order(&id)?.state;
        // One that is cancelled says so itself, and keeps the parcels that were too far.
        let parcels: BTreeSet<_> = match order.cancelled {
            Some(_) => BTreeSet::new(),
            None => order.live_parts().map(|part| part.parcel.clone()).collect(),
        };
        let none = parcels.is_empty();
        self.begin_errand(vec![id.clone()], parcels, why, true, Then::Deed { order: id, deed, reply });
        if none { self.finish(self.rounds) } else { Ok(()) }
    }

    /// Does what waited for parcels to be taken back.
    pub(crate) fn do_deed(
        &mut self,
        work: &mut Work,
        id: &OrderId,
        deed: Deed,
        why: SmolStr,
    ) -> Result<Result<(), String>, ActorProcessingErr> {
        let house = self.house.clone();
        let command = match deed {
            Deed::Hold => Command::Hold { reason: Hold::Manual, detail: Detail::ByHand { why } },
            Deed::Address(right) => {
                let (ship_to, personal) = *right;
                let buyer = sealed(&house.twin, &mut work.tx, &personal, Some(&self.order(id)?.state))?;
                Command::PutAddress { ship_to, buyer: Some(buyer), why }
            }
        };
        self.short.remove(id);
        Ok(self.order(id)?.command(work, command).map(drop).map_err(|refusal| refusal.to_string()))
    }

    fn correct(&mut self, id: OrderId, correction: Correction, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let twin = self.house.twin.clone();
        let order = &self.order(&id)?.state;
        let known = match order.content.buyer.as_ref().map(|buyer| twin.unseal(buyer)) {
            Some(Ok(Unsealed::Here(known))) => known,
            None => Personal::default(),
            Some(Ok(Unsealed::Erased)) => {
                reply.tell(Err(format!("the buyer of order {id} is forgotten, and an address wants one who is known")));
                return Ok(());
            }
            // It may be a version that is not durable yet.
            Some(Err(error)) => {
                tracing::warn!(order = %id, %error, "who its buyer is cannot be read");
                reply.tell(Err(format!("who the buyer of order {id} is cannot be read now; send the same again")));
                return Ok(());
            }
        };
        let gift_note = known.gift_note.clone();
        let before = Address::joined(order.content.ship_to.clone(), known);
        match correction.put_into(before.clone()) {
            Err(faults) => {
                let faults = Detail::Address { faults };
                reply.tell(Err(format!("the address of order {id} would be wrong: {faults}; nothing is changed")));
                Ok(())
            }
            Ok(same) if same == before => self.answer(reply),
            Ok(address) => {
                let (ship_to, personal) = address.parted();
                self.take_back(id, Deed::Address(Box::new((ship_to, Personal { gift_note, ..personal }))), why, reply)
            }
        }
    }

    /// A person's word ends what it can end; what only checks can clear is looked at anew.
    fn let_go(&mut self, id: OrderId, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        self.identify(&id)?;
        let order = self.order(&id)?.state.clone();
        if order.cancelled.is_some() {
            reply.tell(Err(format!("order {id}: it is cancelled, and a release wants it held")));
            return Ok(());
        }
        // The house may read addresses better than when it came in.
        let address_is_right = |order: &Order| {
            let address = house.twin.address(&order.content.ship_to, order.content.buyer.as_ref());
            address.is_ok_and(|address| address.faults().is_empty())
        };
        let (mut work, mut kept) = (house.work(), Vec::new());
        for (hold, detail) in &order.holds {
            if ends_by_word(*hold) || (*hold == Hold::AddressInvalid && address_is_right(&order)) {
                self.order(&id)?.command(&mut work, Command::ClearHold { reason: *hold, why: why.clone() })?;
            } else {
                let ends = hold.remedies().first().copied().unwrap_or_default();
                kept.push(format!("{}: {detail} ({ends} ends that)", hold.as_str()));
            }
        }
        let changed = !work.tx.is_empty();
        let outcome = if changed || kept.is_empty() { Ok(()) } else { Err(format!("order {id} is held, {}", kept.join("; "))) };
        if changed {
            self.short.remove(&id);
            let nth = work.tx.len();
            self.plan_when_written(&mut work, vec![(id, nth)]);
        }
        work.say(Outgoing::Answer(Answer::Done(reply, outcome)));
        house.commit(work);
        Ok(())
    }

    fn mark_paid(&mut self, id: OrderId, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let outcome = self.order(&id)?.command(&mut work, Command::MarkPaid { why });
        if matches!(outcome, Ok(1..)) {
            let nth = work.tx.len();
            self.plan_when_written(&mut work, vec![(id, nth)]);
        }
        work.say(Outgoing::Answer(Answer::Done(reply, outcome.map(drop).map_err(|refusal| refusal.to_string()))));
        house.commit(work);
        Ok(())
    }

    /// The shop's SKU is that of ours from now on, so all that waits for it goes on.
    fn name(&mut self, id: OrderId, line: u32, of_ours: Component, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let order = self.order(&id)?.state.clone();
        let lines = &order.content.lines;
        let Some(named) = (line as usize).checked_sub(1).and_then(|n| lines.get(n)) else {
            reply.tell(Err(format!("order {id} has no line {line}; it has {}", lines.len())));
            return Ok(());
        };
        if let [goods] = &named.goods[..]
            && (&goods.sku, goods.quantity) == (&of_ours.sku, of_ours.quantity)
        {
            return self.answer(reply);
        }
        if !named.goods.is_empty() {
            let is: Vec<_> = named.goods.iter().map(|goods| format!("{} × {}", goods.quantity, goods.sku)).collect();
            reply.tell(Err(format!("line {line} of order {id}: it is known to be {}, and a name wants it unknown", is.join(" and "))));
            return Ok(());
        }
        if order.cancelled.is_some() {
            reply.tell(Err(format!("order {id}: it is cancelled, and a name wants it held")));
            return Ok(());
        }
        let shop = Shop::new(order.content.platform.clone(), order.content.shop.clone());
        let change = Change::Map { shop: shop.clone(), sku: named.sku.clone(), components: vec![of_ours] };
        let told = Caller::new(move |mut outcomes: Vec<Result<_, String>>| reply.tell(outcomes.pop().unwrap_or_else(nothing).map(drop)));
        self.change(vec![change], told)?;
        // The map keeps no reasons; the order's hold ends with it. A name that was refused is none.
        let seller = self.catalog.seller_of(&shop)?;
        if !matches!(self.catalog.goods(&seller, &shop, &named.sku)?, Err(Unmapped::Unknown { .. })) {
            self.named.insert(id, why);
        }
        Ok(())
    }

    /// It is so already, and durable when everything before it is.
    fn answer(&mut self, reply: Reply) -> Result<(), ActorProcessingErr> {
        let mut work = self.house.work();
        work.say(Outgoing::Answer(Answer::Done(reply, Ok(()))));
        self.house.commit(work);
        Ok(())
    }
}

fn nothing<T>() -> Result<T, String> {
    Err("nothing came of it".into())
}

/// Who a buyer is, sealed under the order's key where there is one; as it stands already, where it does.
pub(crate) fn sealed(twin: &twin::Twin, tx: &mut Tx, personal: &Personal, order: Option<&Order>) -> Result<twin::keys::Sealed, TwinError> {
    let told = order.and_then(|order| order.over.address.as_ref()?.1.as_ref());
    let known = order.and_then(|order| order.content.buyer.as_ref());
    for sealed in known.into_iter().chain(told) {
        if matches!(twin.unseal(sealed), Ok(Unsealed::Here(same)) if same == *personal) {
            return Ok(sealed.clone());
        }
    }
    match known {
        Some(known) => twin.seal(tx, known.key, &personal.to_bytes()),
        None => twin.seal_buyer(tx, personal),
    }
}
