//! What customs are told of a parcel, written down by the parcel itself, in the same work as what it is declared for: drafted when
//! it is created and crosses a border, lodged with its label, and what customs make of it as the carrier's news has it.

use crate::{Host, House, Work};
use metrics::counter;
use smol_str::{SmolStr, ToSmolStr};
use std::sync::atomic::{AtomicU64, Ordering};
use twin::address::is_declared;
use twin::channel::{TrackEvent, TrackStatus};
use twin::declaration::{Command, Declaration, Draft, Goods, Missing, Stage, missing_in_words};
use twin::order::{Line, Order};
use twin::parcel::Plan;
use twin::personal::Personal;
use twin::{Address, ParcelId, TrackingNumber, TwinError};

/// Facts that customs want and the house does not know, by `what`.
pub const MISSING: &str = "parceltwin_customs_missing_total";
/// How often it is said aloud: the first time, and again after so many declarations with something missing.
const SAID_EVERY: u64 = 10_000;

/// How many declarations had something missing, so that the log hears of it and is not flooded.
#[derive(Debug, Default)]
pub struct Gaps(AtomicU64);

/// A parcel's declaration, where it has one; read from the twin when it is first needed.
pub(crate) struct Customs {
    id: ParcelId,
    /// Whether its parcel crosses a border; that never changes.
    crosses: Option<bool>,
    host: Option<Host<Declaration>>,
}

impl Customs {
    pub fn of(id: ParcelId) -> Self {
        Customs { id, crosses: None, host: None }
    }

    fn crosses_a_border(&mut self, house: &House, plan: &Plan) -> bool {
        *self.crosses.get_or_insert_with(|| {
            let to = Address::joined(plan.ship_to.clone(), Personal::default());
            house.config.warehouse(&plan.warehouse).is_some_and(|warehouse| is_declared(&warehouse.address, &to))
        })
    }

    fn host(&mut self, house: &House) -> Result<&mut Host<Declaration>, TwinError> {
        let host = match self.host.take() {
            Some(host) => host,
            None => Host::load(&house.twin, self.id.text().clone())?,
        };
        Ok(self.host.insert(host))
    }

    /// Does it where the parcel crosses a border; what is refused is not worth more than a line for whoever looks.
    fn command(&mut self, house: &House, work: &mut Work, plan: &Plan, command: Command) -> Result<(), TwinError> {
        if self.crosses_a_border(house, plan) {
            let host = self.host(house)?;
            if host.exists() || matches!(command, Command::Draft { .. }) {
                host.command(work, command).map_err(|refusal| tracing::debug!(%refusal, "refused")).ok();
            }
        }
        Ok(())
    }

    /// Drafted with the parcel that goes abroad. What is missing is said and counted, and nothing is made up for it.
    pub fn drafted(&mut self, house: &House, work: &mut Work, plan: &Plan) -> Result<(), TwinError> {
        if !self.crosses_a_border(house, plan) {
            return Ok(());
        }
        let Some((_, order)) = house.twin.load::<Order>(plan.order.text())? else { return Ok(()) };
        let draft = draft(house, plan, &order);
        let missing = draft.missing();
        self.command(house, work, plan, Command::Draft { draft: Box::new(draft) })?;
        if !missing.is_empty() {
            house.gaps.told(&self.id, &missing);
        }
        Ok(())
    }

    /// What the label tells customs: the words of its declaration; of a parcel without one, what was planned.
    pub fn contents(&mut self, house: &House, plan: &Plan) -> Result<SmolStr, TwinError> {
        if !self.crosses_a_border(house, plan) {
            return Ok(plan.contents.clone());
        }
        let declaration = &self.host(house)?.state;
        Ok(if declaration.stage == Stage::Absent { plan.contents.clone() } else { declaration.draft.words() })
    }

    pub fn lodged(&mut self, house: &House, work: &mut Work, plan: &Plan, tracking: &TrackingNumber) -> Result<(), TwinError> {
        self.command(house, work, plan, Command::Lodge { tracking: tracking.clone() })
    }

    pub fn withdrawn(&mut self, house: &House, work: &mut Work, plan: &Plan) -> Result<(), TwinError> {
        self.command(house, work, plan, Command::Withdraw)
    }

    /// The carrier's news, as far as it tells of customs. What is at the door is through them, also where nobody said so.
    pub fn heard(&mut self, house: &House, work: &mut Work, plan: &Plan, news: &[TrackEvent]) -> Result<(), TwinError> {
        for event in news {
            let said = if event.text.is_empty() { event.code.clone() } else { event.text.clone() };
            let command = match event.status {
                TrackStatus::Customs => Command::Present { at: event.at, said },
                TrackStatus::ImportCleared => Command::Clear { at: event.at, said },
                TrackStatus::Delivered if self.is_waiting(house, plan)? => Command::Clear { at: event.at, said },
                _ => continue,
            };
            self.command(house, work, plan, command)?;
        }
        Ok(())
    }

    fn is_waiting(&mut self, house: &House, plan: &Plan) -> Result<bool, TwinError> {
        Ok(self.crosses_a_border(house, plan) && matches!(self.host(house)?.state.stage, Stage::Lodged | Stage::InCustoms))
    }
}

/// As the order has it. Products have no codes and origins yet, and their category stands for a description.
fn draft(house: &House, plan: &Plan, order: &Order) -> Draft {
    let goods = |line: &Line| {
        let category = house.products.get(&line.sku).map_or("", |product| product.category.trim());
        Goods {
            sku: line.sku.clone(),
            description: if category == "unknown" { SmolStr::default() } else { category.into() },
            hs_code: SmolStr::default(),
            origin: SmolStr::default(),
            quantity: line.quantity,
            weight_g: line.weight_g,
            unit_value: line.unit_price,
        }
    };
    let to = Address::joined(plan.ship_to.clone(), Personal::default());
    Draft {
        from: house.config.warehouse(&plan.warehouse).map_or_else(SmolStr::default, |warehouse| warehouse.address.place().to_smolstr()),
        to: to.place().to_smolstr(),
        goods: order.lines.iter().map(goods).collect(),
        currency: order.currency.clone(),
        ..Draft::default()
    }
}

impl Gaps {
    fn told(&self, parcel: &ParcelId, missing: &[Missing]) {
        for what in missing {
            counter!(MISSING, "what" => what.kind()).increment(1);
        }
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(SAID_EVERY) {
            let missing = missing_in_words(missing);
            tracing::warn!(%parcel, %missing, before, "customs want more than is known of the goods; each declaration says what");
        }
    }
}
