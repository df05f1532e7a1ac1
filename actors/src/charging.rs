//! What a parcel costs, written down by the parcel itself, in the same work as what it is charged for: the estimate when it is
//! created, the carrier's price with the label, settled freight at the handover, and what a person adds.

use crate::{Host, House, Work};
use smol_str::{SmolStr, format_smolstr};
use twin::channel::QuoteRequest;
use twin::charges::{Basis, ChargeKind, Charges, Command, Rate};
use twin::parcel::{Parcel, Plan};
use twin::personal::Personal;
use twin::{Address, Money, ParcelId, Refusal, TrackingNumber, TwinError};

/// A parcel's charges; read from the twin when the first is due.
pub(crate) struct Charging {
    id: ParcelId,
    host: Option<Host<Charges>>,
}

impl Charging {
    pub fn of(id: ParcelId) -> Self {
        Charging { id, host: None }
    }

    fn host(&mut self, house: &House) -> Result<&mut Host<Charges>, TwinError> {
        let host = match self.host.take() {
            Some(host) => host,
            None => Host::load(&house.twin, self.id.text().clone())?,
        };
        Ok(self.host.insert(host))
    }

    fn charge(
        &mut self,
        house: &House,
        work: &mut Work,
        kind: ChargeKind,
        amount: Money,
        basis: Basis,
    ) -> Result<Result<usize, Refusal>, TwinError> {
        let in_force = house.in_force();
        let rates = &in_force.config.fx;
        let as_of = in_force.since;
        let rate = rates.of(amount.currency).map(|per_base| Rate { base: rates.base.code().into(), per_base, as_of });
        let command = Command::Charge { kind, amount, basis, settings: in_force.version, rate };
        Ok(self.host(house)?.command(work, command))
    }

    /// What was expected when it was decided.
    pub fn estimated(&mut self, house: &House, work: &mut Work, plan: &Plan) -> Result<Result<usize, Refusal>, TwinError> {
        let Some(estimate) = plan.estimate else { return Ok(Ok(0)) };
        let declared = request(house, plan, None);
        let in_force = house.in_force();
        let basis = match (in_force.channel_ever(&plan.channel), declared) {
            (Some(channel), Some(declared)) => rules::freight::estimated(channel, estimate, &declared),
            _ => Basis::Quote,
        };
        self.charge(house, work, ChargeKind::Estimate, estimate, basis)
    }

    /// The carrier's price for the label. One that cannot be meant is not taken; the answer says so, for a person.
    pub fn bought(
        &mut self,
        house: &House,
        work: &mut Work,
        plan: &Plan,
        tracking: &TrackingNumber,
        charged: Option<Money>,
    ) -> Result<Option<SmolStr>, TwinError> {
        let Some(charged) = charged else { return Ok(None) };
        if !rules::freight::is_plausible(charged, plan.estimate, &house.in_force().config.fx) {
            let expected = plan.estimate.map(|estimate| format_smolstr!(", {estimate} was expected")).unwrap_or_default();
            return Ok(Some(format_smolstr!("the carrier's price of {charged} for its label is not taken{expected}")));
        }
        let taken = self.charge(house, work, ChargeKind::Label, charged, Basis::Label { tracking: tracking.clone() })?;
        Ok(taken.err().map(|refusal| format_smolstr!("the carrier's price for its label is not taken: {}", refusal.why)))
    }

    /// Final freight: what the carrier charged, else the tariff on what was measured. Where something else was charged before,
    /// the difference.
    pub fn settled(&mut self, house: &House, work: &mut Work, parcel: &Parcel) -> Result<Result<usize, Refusal>, TwinError> {
        let plan = &parcel.plan;
        let in_force = house.in_force();
        let (Some(channel), Some(request)) = (in_force.channel_ever(&plan.channel), request(house, plan, Some(parcel))) else {
            return Ok(Ok(0));
        };
        let charges = &self.host(house)?.state;
        if parcel.tracking.as_ref().is_some_and(|tracking| charges.label(tracking).is_some()) {
            return Ok(Ok(0));
        }
        let before = charges.freight_so_far();
        let Some((due, basis)) = rules::freight::settle(channel, plan.estimate, &request) else { return Ok(Ok(0)) };
        match before {
            None => self.charge(house, work, ChargeKind::Freight, due, basis),
            Some(before) if before.currency == due.currency && before.amount != due.amount => {
                let difference = Money::new(due.amount - before.amount, due.currency);
                self.charge(house, work, ChargeKind::Adjustment, difference, Basis::Settled { before })
            }
            Some(_) => Ok(Ok(0)),
        }
    }

    /// The carrier took a label back that nobody used: what it cost comes back.
    pub fn given_back(&mut self, house: &House, work: &mut Work, tracking: TrackingNumber) -> Result<Result<usize, Refusal>, TwinError> {
        let Some(label) = self.host(house)?.state.label(&tracking) else { return Ok(Ok(0)) };
        let back = Money::new(-label.amount, label.currency);
        self.charge(house, work, ChargeKind::Adjustment, back, Basis::GivenBack { tracking })
    }

    /// What a person charges. None: it was charged before, under that reference.
    pub fn by_hand(
        &mut self,
        house: &House,
        work: &mut Work,
        kind: ChargeKind,
        amount: Money,
        (reason, reference): (SmolStr, SmolStr),
    ) -> Result<Result<usize, Refusal>, TwinError> {
        self.charge(house, work, kind, amount, Basis::Hand { reason, reference })
    }
}

/// What a parcel's freight is by what was measured, and what was expected; nothing where no tariff tells.
pub fn by_measure(house: &House, parcel: &Parcel) -> Option<(Money, Option<Money>)> {
    let in_force = house.in_force();
    let channel = in_force.channel_ever(&parcel.plan.channel).filter(|channel| channel.tariff.is_some())?;
    let (due, _) = rules::freight::settle(channel, None, &request(house, &parcel.plan, Some(parcel))?)?;
    Some((due, parcel.plan.estimate))
}

/// The parcel as a tariff prices it: as declared, or as it was measured.
fn request(house: &House, plan: &Plan, measured: Option<&Parcel>) -> Option<QuoteRequest> {
    let in_force = house.in_force();
    let warehouse = in_force.config.warehouse(&plan.warehouse)?;
    Some(QuoteRequest {
        from: warehouse.address.clone(),
        // Zones and surcharges go by what stands in the open.
        to: Address::joined(plan.ship_to.clone(), Personal::default()),
        weight_g: measured.and_then(|parcel| parcel.measured_g).unwrap_or(plan.declared_g),
        dims: measured.and_then(|parcel| parcel.measured).unwrap_or(plan.declared),
        value: plan.value.unwrap_or(Money::zero(in_force.config.fx.base)),
        battery: plan.battery,
        ship_at: house.clock.date(),
        time_zone: warehouse.time_zone.clone(),
    })
}
