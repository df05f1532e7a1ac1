//! What comes back. A parcel's actor keeps its return, from the first word of it to what a person decides; where something goes
//! back on the shelf the order desk takes over, which alone writes stock, and closes the return in the same transaction.
//! A scanner at a dock or a rework bench that reads the label of one that is announced says that it has arrived.

use crate::base::Base;
use crate::bench::parcel_of;
use crate::ledger::Account;
use crate::order_desk::{DeskMsg, DeskState, moved};
use crate::parcel::ParcelState;
use crate::{Caller, Outgoing};
use crate::{Host, ParcelMsg, Work, origin};
use ractor::ActorProcessingErr;
use smol_str::{SmolStr, format_smolstr};
use twin::facet::Facet;
use twin::parcel::{Item, Parcel, Plan, Stage};
use twin::returns::{self, Expected, Outcome, Return, Returned};
use twin::stock::{self, Movement};
use twin::tracking;
use twin::{Entity, ParcelId, Refusal, TwinError, WarehouseId, entity::Why};

/// What a person, or a scanner in a person's hand, says of a return.
#[derive(Clone, Debug)]
pub enum Step {
    /// It will come back.
    Announce {
        reason: SmolStr,
    },
    /// It is here, and not opened yet.
    Arrive {
        warehouse: WarehouseId,
    },
    /// It was opened. Nobody: in the warehouse that it left from.
    Receive {
        warehouse: Option<WarehouseId>,
        items: Vec<Returned>,
    },
    Close {
        outcome: Outcome,
        note: SmolStr,
    },
}

/// What was in a parcel when it left.
fn contents(plan: &Plan) -> Vec<Expected> {
    let mut all: Vec<Expected> = Vec::with_capacity(plan.items.len());
    for Item { sku, quantity, .. } in &plan.items {
        match all.iter_mut().find(|known| known.sku == *sku) {
            Some(known) => known.quantity = known.quantity.saturating_add(*quantity),
            None => all.push(Expected { sku: sku.clone(), quantity: *quantity }),
        }
    }
    all
}

impl ParcelState {
    fn returned(&mut self) -> Result<&mut Host<Return>, TwinError> {
        let host = match self.returned.take() {
            Some(host) => host,
            None => Box::new(Host::load(&self.house.twin, self.id.text().clone())?),
        };
        Ok(self.returned.insert(host))
    }

    fn announcement(&self, reason: SmolStr) -> returns::Command {
        returns::Command::Announce { expected: contents(&self.host.state.plan), reason }
    }

    /// What its carrier's news mean for its return.
    pub(crate) fn look_back(&mut self, work: &mut Work) -> Result<(), TwinError> {
        let way = &self.tracking()?.state;
        let outcome = if way.returning_at.is_none() {
            return Ok(());
        } else if way.is_coming_back() {
            let said = way.exception.clone().or(way.newest.as_ref().map(|news| news.text.clone())).filter(|said| !said.is_empty());
            let carrier = way.carrier.clone();
            let announce = self.announcement(said.unwrap_or_else(|| format_smolstr!("{carrier} says that it comes back")));
            self.returned()?.command(work, announce)
        } else if way.stage == tracking::Stage::Delivered {
            self.returned()?.command(work, returns::Command::Withdraw)
        } else {
            return Ok(());
        };
        if let Err(refusal) = outcome {
            tracing::warn!(%refusal, "what its carrier says of its return");
        }
        Ok(())
    }

    /// A person's step. One who has the box in hand need not have been told of it before.
    pub(crate) fn step_back(&mut self, work: &mut Work, step: Step) -> Result<Result<(), Refusal>, TwinError> {
        let parcel = &self.host.state;
        if parcel.stage != Stage::HandedOver {
            let why =
                Why::WrongStage { is: parcel.stage.as_str().into(), step: "a return".into(), wants: Stage::HandedOver.as_str().into() };
            return Ok(Err(Parcel::refuse(self.id.text(), why)));
        }
        let left_from = parcel.plan.warehouse.clone();
        let command = match step {
            Step::Announce { reason } => self.announcement(reason),
            Step::Arrive { warehouse } => returns::Command::Arrive { warehouse },
            Step::Receive { warehouse, items } => returns::Command::Receive { warehouse: warehouse.unwrap_or(left_from), items },
            Step::Close { outcome, note } => returns::Command::Close { outcome, note },
        };
        let unannounced = self.announcement("it came without a word".into());
        let id = self.id.clone();
        let host = self.returned()?;
        if matches!(command, returns::Command::Receive { .. }) {
            // Tried first: what is refused leaves nothing behind.
            let (mut trial, mut unwritten) = (host.clone(), Work::at(work.tx.at));
            let tried = trial.command(&mut unwritten, unannounced.clone()).and_then(|_| trial.command(&mut unwritten, command.clone()));
            if let Err(refusal) = tried.and_then(|_| host.command(work, unannounced)) {
                return Ok(Err(refusal));
            }
        }
        let outcome = host.command(work, command);
        if matches!(outcome, Ok(n) if n > 0) && host.state.stage == returns::Stage::Restocking {
            // Whoever says that it goes on the shelf brings it there.
            work.say_on(Account::By(origin::current().by), Outgoing::Desk(DeskMsg::Restock(id)));
        }
        Ok(outcome.map(drop))
    }
}

impl DeskState {
    /// Returns whose goods are to go on the shelf since before this desk sat down.
    pub(crate) fn take_up_returns(&mut self) -> Result<(), ActorProcessingErr> {
        let owed = self.house.twin.listed::<Return>(Facet::Restock, None, None).map(|row| Ok(ParcelId::from(row?.0.id)));
        let owed = owed.collect::<Result<Vec<_>, TwinError>>()?;
        owed.into_iter().for_each(|parcel| self.myself.cast(DeskMsg::Restock(parcel)));
        Ok(())
    }

    /// What is sellable is in stock again, and the return is closed: one transaction, so that it happens once.
    pub(crate) fn restock(&mut self, parcel: ParcelId) -> Result<(), ActorProcessingErr> {
        // Asked again while the first is being written.
        if self.restocking.contains(&parcel) {
            return Ok(());
        }
        let house = self.house.clone();
        let mut work = house.work();
        let mut host = Host::<Return>::load(&house.twin, parcel.text().clone())?;
        let goods = host.state.clone();
        match host.command(&mut work, returns::Command::Restock) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(refusal) => {
                tracing::warn!(%refusal, "is not put into stock");
                return Ok(());
            }
        }
        // Whose they were when they left, and where they came back to.
        let Some((owner, warehouse)) = self.parcel(&parcel)?.map(|parcel| parcel.plan.seller).zip(goods.warehouse.clone()) else {
            tracing::error!(%parcel, "is not put into stock: nobody knows whose it is, or where it lies");
            return Ok(());
        };
        for (sku, quantity) in goods.sellable() {
            let host = self.stock(stock::id(&warehouse, &owner, sku))?;
            moved(host, &mut work, Movement::Receive { quantity, reference: format_smolstr!("return {parcel}") })?;
        }
        self.restocking.insert(parcel.clone());
        self.plan_short(&mut work);
        // A desk that fell has forgotten it anyway.
        work.say(Outgoing::Desk(DeskMsg::Restocked(parcel)));
        house.commit(work);
        Ok(())
    }
}

/// A scanner of this station read a label that is no business of its own: whether it is on a parcel that comes back, which then
/// has arrived.
pub(crate) fn arrived(base: &Base, code: &str) -> Result<bool, TwinError> {
    match parcel_of(base, code)? {
        Some(parcel) => is_back(base, parcel),
        None => Ok(false),
    }
}

/// The same of a parcel that is in somebody's hands.
pub(crate) fn is_back(base: &Base, parcel: ParcelId) -> Result<bool, TwinError> {
    let stage = base.house.twin.load::<Return>(parcel.text())?.unwrap_or_default().1.stage;
    if stage == returns::Stage::Announced {
        let step = Step::Arrive { warehouse: base.warehouse.clone() };
        base.house.tell(parcel, ParcelMsg::Return(step, Caller::nobody()));
    }
    Ok(!matches!(stage, returns::Stage::Absent | returns::Stage::Closed))
}
