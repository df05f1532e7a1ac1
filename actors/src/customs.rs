//! What customs are told of a parcel, written down by the parcel itself, in the same work as what it is declared for: drafted when
//! it is created and crosses a border, lodged with its label, and what customs make of it as the carrier's news has it.

use crate::{Host, House, Work};
use metrics::counter;
use smol_str::{SmolStr, ToSmolStr};
use std::sync::atomic::{AtomicU64, Ordering};
use twin::address::is_declared;
use twin::channel::{TrackEvent, TrackStatus};
use twin::declaration::{Command, Declaration, Declared, Draft, Missing, Stage, missing_in_words};
use twin::goods::Facts;
use twin::money::Decimal;
use twin::order::{Line, Order};
use twin::parcel::{Item, Plan};
use twin::personal::Personal;
use twin::product::{self, Product};
use twin::{Address, OrderId, ParcelId, TrackingNumber, TwinError};

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
    host: Option<Box<Host<Declaration>>>,
}

impl Customs {
    pub fn of(id: ParcelId) -> Self {
        Customs { id, crosses: None, host: None }
    }

    fn crosses_a_border(&mut self, house: &House, plan: &Plan) -> bool {
        *self.crosses.get_or_insert_with(|| {
            let to = Address::joined(plan.ship_to.clone(), Personal::default());
            house.in_force().config.warehouse(&plan.warehouse).is_some_and(|warehouse| is_declared(&warehouse.address, &to))
        })
    }

    fn host(&mut self, house: &House) -> Result<&mut Host<Declaration>, TwinError> {
        let host = match self.host.take() {
            Some(host) => host,
            None => Box::new(Host::load(&house.twin, self.id.text().clone())?),
        };
        Ok(self.host.insert(host))
    }

    /// Does it where the parcel crosses a border. A refusal stops no parcel; whoever reads the log hears of it.
    fn command(&mut self, house: &House, work: &mut Work, plan: &Plan, command: Command) -> Result<(), TwinError> {
        if self.crosses_a_border(house, plan) {
            let host = self.host(house)?;
            if host.exists() || matches!(command, Command::Draft { .. }) {
                host.command(work, command).map_err(|refusal| tracing::warn!(%refusal, "customs are not told")).ok();
            }
        }
        Ok(())
    }

    /// Drafted with the parcel that goes abroad. What is missing is said and counted, and nothing is made up for it.
    pub fn drafted(&mut self, house: &House, work: &mut Work, plan: &Plan) -> Result<(), TwinError> {
        if !self.crosses_a_border(house, plan) {
            return Ok(());
        }
        let mut orders = Vec::with_capacity(1);
        for id in plan.orders() {
            if let Some((_, order)) = house.twin.load::<Order>(id.text())? {
                orders.push((id, order));
            }
        }
        let mut draft = draft(house, plan, &orders);
        told_since(house, plan, &mut draft)?;
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

/// As the orders have it, for the pieces that are in the parcel.
fn draft(house: &House, plan: &Plan, orders: &[(OrderId, Order)]) -> Draft {
    let lead = orders.first().map(|(_, order)| &order.content);
    let currency = lead.map(|content| content.currency.clone()).unwrap_or_default();
    let goods = |item: &Item| {
        let line = orders.iter().find(|(id, _)| *id == item.order).and_then(|(_, order)| order.content.lines.get(usize::from(item.line)));
        let Facts { description, category, hs_code, origin, weight_g, declared_value, .. } = line
            .and_then(|line| line.goods.iter().find(|goods| goods.sku == item.sku))
            .map(|goods| goods.facts.clone())
            .unwrap_or_default();
        // A category is no description that customs take, but the nearest there is.
        let description = if description.is_empty() && category != "unknown" { category } else { description };
        let declared = declared_value.filter(|value| value.currency.code() == currency).map(|value| value.amount);
        let unit_value = declared.or_else(|| line.and_then(share_of_price)).unwrap_or_default();
        Declared { sku: item.sku.clone(), description, hs_code, origin, quantity: item.quantity, weight_g, unit_value }
    };
    let to = Address::joined(plan.ship_to.clone(), Personal::default());
    let in_force = house.in_force();
    let tax = lead.map(|content| content.terms.tax.clone()).unwrap_or_default();
    Draft {
        from: in_force.config.warehouse(&plan.warehouse).map_or_else(SmolStr::default, |warehouse| warehouse.address.place().to_smolstr()),
        to: to.place().to_smolstr(),
        goods: plan.items.iter().map(goods).collect(),
        ioss: tax.ioss,
        voec: tax.voec,
        eori: tax.eori,
        currency,
        ..Draft::default()
    }
}

/// An order keeps the facts that it was decided on; what customs want and nobody had told by then is taken as it is told now, so that
/// a parcel that is made anew has it.
fn told_since(house: &House, plan: &Plan, draft: &mut Draft) -> Result<(), TwinError> {
    for goods in &mut draft.goods {
        if !goods.hs_code.is_empty() && !goods.origin.is_empty() && !goods.description.is_empty() {
            continue;
        }
        let Some((_, product)) = house.twin.load::<Product>(&product::id(&plan.seller, &goods.sku))? else { continue };
        for (field, told) in [
            (&mut goods.hs_code, product.facts.hs_code),
            (&mut goods.origin, product.facts.origin),
            (&mut goods.description, product.facts.description),
        ] {
            if field.is_empty() {
                *field = told;
            }
        }
    }
    Ok(())
}

/// What one piece of a line's goods was sold for; of a bundle each piece the same.
fn share_of_price(line: &Line) -> Option<Decimal> {
    let pieces: u32 = line.goods.iter().map(|goods| goods.quantity).sum();
    line.unit_price.checked_div(Decimal::from(pieces)).map(|value| value.round_dp(4))
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
