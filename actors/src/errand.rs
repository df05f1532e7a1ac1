//! What cannot be done before some parcels have agreed to be stopped: cancelling an order, changing one whose goods are in
//! parcels, taking a parcel apart, putting orders together. Each parcel says for itself whether it is too late.
//!
//! Part of the order desk. While an errand is out, whatever else is said of its orders waits behind it.

use crate::intake::{Batch, Receipt, Version};
use crate::order_desk::{DeskMsg, DeskState, Reply};
use crate::parcel::Stopping;
use crate::shipment::{BY_HAND, Shipment};
use crate::{Answer, Outgoing};
use crate::{ParcelMsg, Told, origin};
use ractor::ActorProcessingErr;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeSet;
use twin::address::Place;
use twin::order::{CHANGES_ALWAYS, Command, Stage};
use twin::parcel::{self, Interception};
use twin::personal::Personal;
use twin::{Moment, OrderId, ParcelId, Span};

/// An errand whose parcels do not answer is over after this; whoever waits for it is told nothing, and asks again.
pub const ERRAND_MAX: Span = Span::from_mins(1);

pub(crate) struct Errand {
    orders: Vec<OrderId>,
    reason: SmolStr,
    since: Moment,
    waiting: BTreeSet<ParcelId>,
    stopped: Vec<ParcelId>,
    refused: Vec<String>,
    then: Then,
    /// What came for its orders meanwhile.
    behind: Vec<Told<DeskMsg>>,
}

/// What is done once all parcels have answered.
pub(crate) enum Then {
    Cancel {
        order: OrderId,
        reply: Reply,
    },
    Update {
        order: OrderId,
        version: Version,
        batch: Batch,
        nth: usize,
    },
    Apart {
        reply: Reply,
    },
    /// Its orders go over another channel.
    Another,
    /// What a person puts right about the order, for the errand's reason.
    Deed {
        order: OrderId,
        deed: Deed,
        reply: Reply,
    },
    Ship {
        shipments: Vec<Shipment>,
    },
}

/// What is done to an order that is in no parcel any more.
pub(crate) enum Deed {
    Hold,
    /// Its buyer lives there, and is that.
    Address(Box<(Place, Personal)>),
}

impl DeskState {
    pub(crate) fn is_busy(&self, order: &OrderId) -> bool {
        self.busy_with(order).is_some()
    }

    pub(crate) fn busy_with(&self, order: &OrderId) -> Option<u32> {
        self.errands.iter().find(|(_, errand)| errand.orders.contains(order)).map(|(n, _)| *n)
    }

    pub(crate) fn wait_behind(&mut self, errand: u32, message: DeskMsg) {
        if let Some(errand) = self.errands.get_mut(&errand) {
            errand.behind.push(message.into());
        }
    }

    /// Asks parcels to stop; `unreleased`: only those that no bench has begun with.
    pub(crate) fn begin_errand(
        &mut self,
        orders: Vec<OrderId>,
        parcels: BTreeSet<ParcelId>,
        reason: SmolStr,
        unreleased: bool,
        then: Then,
    ) {
        let house = self.house.clone();
        self.rounds += 1;
        let (number, by) = (self.rounds, origin::current().by);
        let order = if let Then::Cancel { order, .. } = &then { Some(order.clone()) } else { None };
        // Behind whatever the ledger still holds, the parcels' own creation among it.
        let mut work = house.work();
        for parcel in parcels.clone() {
            let asked = Stopping { reason: reason.clone(), order: order.clone(), unreleased, errand: number, by: by.clone() };
            work.say(Outgoing::Parcel(parcel, ParcelMsg::Cancel(Box::new(asked))));
        }
        let errand = Errand {
            orders,
            reason,
            since: house.clock.steady(),
            waiting: parcels,
            stopped: Vec::new(),
            refused: Vec::new(),
            then,
            behind: Vec::new(),
        };
        self.errands.insert(number, errand);
        house.commit(work);
    }

    /// A parcel that was to be stopped has answered.
    pub(crate) fn stopped(&mut self, number: u32, parcel: ParcelId, outcome: Result<(), String>) -> Result<(), ActorProcessingErr> {
        let Some(errand) = self.errands.get_mut(&number) else {
            // Nobody waits for it any more; what it says holds all the same.
            return if outcome.is_ok() { self.dropped(parcel, "cancelled".into()) } else { Ok(()) };
        };
        if !errand.waiting.remove(&parcel) {
            return Ok(());
        }
        match outcome {
            Ok(()) => errand.stopped.push(parcel),
            Err(why) => errand.refused.push(why),
        }
        match errand.waiting.is_empty() {
            true => self.finish(number),
            false => Ok(()),
        }
    }

    /// A parcel is cancelled, whoever wanted it: its orders get back what was in it, and go another way.
    pub(crate) fn dropped(&mut self, parcel: ParcelId, reason: SmolStr) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let orders = self.orders_in(&parcel)?;
        self.drop_part(&mut work, &parcel, &orders, &reason)?;
        let fresh = orders.into_iter().map(|id| (id, work.tx.len())).collect();
        self.plan_when_written(&mut work, fresh);
        house.commit(work);
        Ok(())
    }

    fn orders_in(&self, parcel: &ParcelId) -> Result<Vec<OrderId>, ActorProcessingErr> {
        Ok(self.parcel(parcel)?.map(|parcel| parcel.plan.orders()).unwrap_or_default())
    }

    pub(crate) fn finish(&mut self, number: u32) -> Result<(), ActorProcessingErr> {
        let Some(errand) = self.errands.remove(&number) else { return Ok(()) };
        let Errand { orders, reason, stopped, refused, then, behind, .. } = errand;
        let house = self.house.clone();
        let mut work = house.work();
        // Those that shared a parcel with its orders, and have to find another.
        let mut others = BTreeSet::new();
        for parcel in &stopped {
            let within = self.orders_in(parcel)?;
            self.drop_part(&mut work, parcel, &within, &reason)?;
            others.extend(within.into_iter().filter(|id| !orders.contains(id)));
        }
        let (mut fresh, mut ready) = (Vec::new(), Vec::new());
        match then {
            Then::Cancel { order, reply } => {
                let host = self.order(&order)?;
                let outcome = match host.state.stage {
                    Stage::Received => host.command(&mut work, Command::Cancel { reason }).map(drop).map_err(|r| r.to_string()),
                    Stage::Cancelled => Ok(()),
                    _ => Err(String::new()),
                };
                self.short.remove(&order);
                self.rest_when_written(&mut work, order);
                let outcome = match (outcome, &refused[..]) {
                    (outcome, []) => outcome,
                    (Ok(()), refused) => Err(format!("{}; what was in no parcel that left is cancelled", refused.join("; "))),
                    (Err(_), refused) => Err(refused.join("; ")),
                };
                work.say(Outgoing::Answer(Answer::Done(reply, outcome)));
            }
            Then::Update { order, version, batch, nth } => {
                let receipt = match &refused[..] {
                    [] => self.update(&mut work, &order, version, &mut fresh)?,
                    refused => {
                        others.insert(order);
                        let can = CHANGES_ALWAYS.join(", ");
                        Receipt::Refused(format_smolstr!("{}; of it only {can} can still change", refused.join("; ")))
                    }
                };
                work.say(Outgoing::Answer(Answer::Receipts(batch, vec![(nth, receipt)])));
            }
            Then::Apart { reply } => {
                others.extend(orders);
                let outcome = if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) };
                work.say(Outgoing::Answer(Answer::Done(reply, outcome)));
            }
            Then::Another => others.extend(orders),
            Then::Deed { order, deed, reply } => {
                let outcome = match &refused[..] {
                    [] => self.do_deed(&mut work, &order, deed, reason)?,
                    refused => Err(refused.join("; ")),
                };
                // Of what was stopped it finds other parcels, unless it is held now.
                others.insert(order);
                work.say(Outgoing::Answer(Answer::Done(reply, outcome)));
            }
            Then::Ship { shipments } if refused.is_empty() => {
                others.extend(orders);
                ready = shipments;
            }
            Then::Ship { shipments } => {
                others.extend(orders);
                let refused = refused.join("; ");
                for placed in shipments.into_iter().filter_map(|s| s.placed) {
                    placed.tell(Err(refused.clone()));
                }
            }
        }
        fresh.extend(others.into_iter().map(|id| (id, work.tx.len())));
        self.plan_when_written(&mut work, fresh);
        house.commit(work);
        // What was set free stands before what it is used for.
        for shipment in ready {
            self.ship(shipment)?;
        }
        behind.into_iter().for_each(|told| self.myself.send(told));
        Ok(())
    }

    /// Errands whose parcels never answered.
    pub(crate) fn end_late_errands(&mut self, now: Moment) -> Result<(), ActorProcessingErr> {
        let late: Vec<_> = self.errands.iter().filter(|(_, e)| now - e.since > ERRAND_MAX).map(|(n, _)| *n).collect();
        for number in late {
            if let Some(errand) = self.errands.get_mut(&number) {
                tracing::warn!(parcels = ?errand.waiting, "did not say whether they can be stopped");
                let silent = std::mem::take(&mut errand.waiting);
                errand.refused.extend(silent.into_iter().map(|id| format!("{id} does not answer")));
            }
            self.finish(number)?;
        }
        Ok(())
    }

    /// Whether an order can still be cancelled is for its parcels to say; without one, for the order itself.
    pub(crate) fn cancel(&mut self, id: OrderId, reason: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        if let Some(errand) = self.busy_with(&id) {
            self.wait_behind(errand, DeskMsg::Cancel { order: id, reason, reply });
            return Ok(());
        }
        let host = self.order(&id)?;
        if !host.exists() {
            self.orders.remove(&id);
            reply.tell(Err(format!("there is no order {id}")));
            return Ok(());
        }
        let parcels: BTreeSet<_> = host.state.live_parts().map(|part| part.parcel.clone()).collect();
        let none = parcels.is_empty();
        self.begin_errand(vec![id.clone()], parcels, reason, false, Then::Cancel { order: id, reply });
        if none { self.finish(self.rounds) } else { Ok(()) }
    }

    /// A parcel is cancelled, and its orders go another way. Before it is judged by a line; after that it is too late.
    pub(crate) fn take_apart(&mut self, parcel: ParcelId, reason: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let orders = self.orders_in(&parcel)?;
        if orders.is_empty() {
            reply.tell(Err(format!("there is no parcel {parcel}")));
            return Ok(());
        }
        if let Some(errand) = orders.iter().find_map(|id| self.busy_with(id)) {
            self.wait_behind(errand, DeskMsg::TakeApart { parcel, reason, reply });
            return Ok(());
        }
        self.begin_errand(orders, BTreeSet::from([parcel]), reason, false, Then::Apart { reply });
        Ok(())
    }

    /// Its carrier sold no label for a parcel: it is cancelled, and its orders go over the next best channel, so often and no more.
    /// Where a person chose the channel, a person chooses again.
    pub(crate) fn try_another_channel(&mut self, id: ParcelId) -> Result<(), ActorProcessingErr> {
        let Some(parcel) = self.parcel(&id)? else { return Ok(()) };
        let (stage, Some(why), None) = (parcel.stage, parcel.label_refused.clone(), &parcel.tracking) else { return Ok(()) };
        if stage != parcel::Stage::Intercepted || matches!(parcel.interception, Some(Interception::NumberTaken { .. })) {
            return Ok(());
        }
        let orders = parcel.plan.orders();
        if let Some(errand) = orders.iter().find_map(|id| self.busy_with(id)) {
            self.wait_behind(errand, DeskMsg::TryAnotherChannel(id));
            return Ok(());
        }
        let most = self.house.in_force().config.limits.other_channels_max;
        for order in &orders {
            let order = &self.order(order)?.state;
            let by_hand = order.part(&id).is_none_or(|part| part.decision.rule == BY_HAND);
            if by_hand || parcel.stopped.is_some() || order.refused_channels().count() >= most {
                return Ok(());
            }
        }
        let reason = format_smolstr!("{} sold no label for it: {why}", parcel.plan.channel);
        self.begin_errand(orders, BTreeSet::from([id]), reason, false, Then::Another);
        Ok(())
    }

    /// Shipments as a person wants them. What they need and other parcels hold is taken out of these first, where no bench
    /// has begun with them.
    pub(crate) fn ship_by_hand(&mut self, shipments: Vec<Shipment>) -> Result<(), ActorProcessingErr> {
        let orders: BTreeSet<OrderId> = shipments.iter().flat_map(|s| s.orders.iter().map(|(id, _)| id.clone())).collect();
        if let Some(errand) = orders.iter().find_map(|id| self.busy_with(id)) {
            self.wait_behind(errand, DeskMsg::Ship(shipments));
            return Ok(());
        }
        let mut parcels = BTreeSet::new();
        for id in &orders {
            let order = &self.order(id)?.state;
            let open = order.open_shares();
            let asked = |line: u16| -> u32 {
                let shares = shipments.iter().flat_map(|s| &s.orders).filter(|(other, _)| other == id).flat_map(|(_, shares)| shares);
                shares.filter(|share| share.line == line).map(|share| share.quantity).sum()
            };
            for part in order.live_parts() {
                let needed = part.shares.iter().any(|s| asked(s.line) > open.iter().find(|o| o.line == s.line).map_or(0, |o| o.quantity));
                if needed {
                    parcels.insert(part.parcel.clone());
                }
            }
        }
        let none = parcels.is_empty();
        self.begin_errand(orders.into_iter().collect(), parcels, "put into other parcels by hand".into(), true, Then::Ship { shipments });
        if none { self.finish(self.rounds) } else { Ok(()) }
    }
}
