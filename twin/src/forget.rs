//! Forgetting who a buyer is: an event of the order first, durable, then the key is destroyed. The rest of the order, what
//! it cost and why, stays.

use crate::entity::{Entity, Refusal, Why};
use crate::facet::Standing;
use crate::fulfilment::Step;
use crate::order::{Command, Order};
use crate::parcel::{self, Parcel};
use crate::tracking::Tracking;
use crate::{By, Moment, Origin, Twin, TwinError, Tx};
use smol_str::SmolStr;

/// Whose buyers.
#[derive(Clone, Debug)]
pub enum Asked {
    Orders(Vec<SmolStr>),
    /// All orders that came to their end before this moment.
    FinishedBefore(Moment),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub forgotten: u64,
    /// Those were forgotten before.
    pub known: u64,
    pub refused: Vec<(SmolStr, String)>,
}

/// Forgets, where no site is running: nobody else commands the orders.
pub fn forget(twin: &Twin, asked: &Asked, by: By, now: Moment) -> Result<Done, TwinError> {
    let orders = match asked {
        Asked::Orders(ids) => ids.clone(),
        Asked::FinishedBefore(moment) => finished_before(twin, *moment)?,
    };
    let mut done = Done::default();
    for id in orders {
        let mut called = twin.orders_called(&id)?;
        let id = match (called.pop(), &called[..]) {
            (Some(order), []) => order.text().clone(),
            (None, _) => {
                done.refused.push((id, "there is no such order".into()));
                continue;
            }
            (Some(last), others) => {
                let all: Vec<_> = others.iter().chain([&last]).map(|order| order.as_str()).collect();
                done.refused.push((id, format!("several orders have that number: {}", all.join(", "))));
                continue;
            }
        };
        let Some((version, mut order)) = twin.load::<Order>(&id)? else { continue };
        if let Err(refusal) = has_left(twin, &id, &order)? {
            done.refused.push((id, refusal.to_string()));
            continue;
        }
        let mut tx = Tx::at(now);
        tx.origin = Origin::by(by.clone());
        match stage(&mut tx, &id, version, &mut order, now) {
            Err(refusal) => done.refused.push((id, refusal.to_string())),
            Ok(false) => {
                erase(twin, &order, &id, now)?;
                done.known += 1;
            }
            Ok(true) => {
                twin.commit([tx])?;
                erase(twin, &order, &id, now)?;
                done.forgotten += 1;
            }
        }
    }
    Ok(done)
}

/// Whether every parcel that holds some of an order has left the house: before that, somebody needs to know where it goes.
pub fn has_left(twin: &Twin, id: &SmolStr, order: &Order) -> Result<Result<(), Refusal>, TwinError> {
    for part in order.live_parts() {
        let parcel = twin.load::<Parcel>(part.parcel.text())?.map(|(_, parcel)| parcel);
        let step = Step::of(parcel.as_ref(), None);
        if !step.has_left() && step != Step::Dropped {
            let wants = "shipped, delivered, returned or cancelled".into();
            return Ok(Err(Order::refuse(id, Why::WrongStage { is: step.as_str().into(), step: "forgetting".into(), wants })));
        }
    }
    Ok(Ok(()))
}

/// Destroys the key of an order that was told to be forgotten, once that is durable.
pub fn erase(twin: &Twin, order: &Order, id: &SmolStr, now: Moment) -> Result<(), TwinError> {
    match &order.content.buyer {
        Some(buyer) => Ok(twin.keys().destroy(buyer.key, id, now)?),
        None => Ok(()),
    }
}

fn stage(tx: &mut Tx, id: &SmolStr, version: u32, order: &mut Order, now: Moment) -> Result<bool, Refusal> {
    let events = order.decide(id, now, Command::Forget)?;
    if events.is_empty() {
        return Ok(false);
    }
    let before = Standing::of(id, version, order);
    events.iter().for_each(|event| order.apply(now, event));
    let version = version + events.len() as u32;
    tx.stage(id, version, events, before, order);
    Ok(true)
}

fn finished_before(twin: &Twin, moment: Moment) -> Result<Vec<SmolStr>, TwinError> {
    let mut ids = Vec::new();
    for row in twin.all::<Order>() {
        let (id, order) = row?;
        // One that may not be forgotten yet says so by itself.
        if order.forgotten || order.decide(&id, moment, Command::Forget).is_err() {
            continue;
        }
        let mut ended = Some(order.received_at);
        for part in order.live_parts() {
            let end = end_of(twin, part.parcel.text())?;
            ended = ended.and_then(|latest| Some(latest.max(end?)));
        }
        if ended.is_some_and(|at| at < moment) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// When a parcel came to its end; `None`: it has not.
fn end_of(twin: &Twin, id: &SmolStr) -> Result<Option<Moment>, TwinError> {
    Ok(match twin.load::<Parcel>(id)? {
        Some((_, state)) if state.stage == parcel::Stage::HandedOver => {
            twin.load::<Tracking>(id)?.filter(|(_, way)| way.stage.is_end()).map(|(_, way)| way.changed_at)
        }
        parcel => parcel.filter(|(_, state)| state.stage.is_final()).map(|(_, state)| state.changed_at),
    })
}
