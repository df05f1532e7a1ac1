//! What a parcel costs: an estimate when it is decided, the carrier's price with the label, what is settled at the handover, and
//! whatever comes later. Only ever added to: a correction is a further charge. Each says on what it rests and at which rate.
//!
//! Never bills anybody, and never converts but with the rate that a charge brought along.

use crate::entity::{Entity, Kind, Refusal, Why};
use crate::money::Decimal;
use crate::verdict::NoOffer;
use crate::words::{Language, Said, Say, both, said};
use crate::{Grams, Moment, Money, TrackingNumber};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::fmt;

/// The most charges of one parcel.
pub const CHARGES_MAX: usize = 256;
/// The most that one charge may be, in whole units of its currency.
pub const CHARGE_MAX: i64 = 10_000_000;

/// What is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeKind {
    /// Freight as it was expected when the order was decided. Counts until something final is there.
    Estimate,
    /// What the carrier took for the label.
    Label,
    /// Settled freight of a parcel whose carrier named no price.
    Freight,
    /// A correction, in either direction.
    Adjustment,
    Duty,
    /// Import VAT and sales tax.
    Tax,
    /// Work in the house: packing, repacking, putting right.
    Handling,
    /// Fuel, remote area, peak, oversize: what the carrier bills beside the freight.
    Surcharge,
    Insurance,
    /// Of a parcel that comes back.
    Return,
}

impl ChargeKind {
    pub const ALL: [ChargeKind; 10] = [
        ChargeKind::Estimate,
        ChargeKind::Label,
        ChargeKind::Freight,
        ChargeKind::Adjustment,
        ChargeKind::Duty,
        ChargeKind::Tax,
        ChargeKind::Handling,
        ChargeKind::Surcharge,
        ChargeKind::Insurance,
        ChargeKind::Return,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ChargeKind::Estimate => "estimate",
            ChargeKind::Label => "label",
            ChargeKind::Freight => "freight",
            ChargeKind::Adjustment => "adjustment",
            ChargeKind::Duty => "duty",
            ChargeKind::Tax => "tax",
            ChargeKind::Handling => "handling",
            ChargeKind::Surcharge => "surcharge",
            ChargeKind::Insurance => "insurance",
            ChargeKind::Return => "return",
        }
    }

    /// Whether the house finds it out by itself; all else is charged by hand, or by an invoice.
    pub fn is_found_out(self) -> bool {
        matches!(self, ChargeKind::Estimate | ChargeKind::Label | ChargeKind::Freight)
    }

    /// What an estimate was an estimate of.
    fn is_final_freight(self) -> bool {
        matches!(self, ChargeKind::Label | ChargeKind::Freight)
    }
}

/// On what a charge rests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Basis {
    /// The carrier's quote.
    Quote,
    /// The channel's rate sheet.
    Tariff { zone: SmolStr, weight_g: Grams, chargeable_g: Grams, source: SmolStr },
    /// The carrier's answer with this label.
    Label { tracking: TrackingNumber },
    /// The estimate, for want of anything better: no price with the label, and none by tariff for this reason, or no tariff.
    Estimate { gap: Option<NoOffer> },
    /// What it comes to in the end, less what was charged before.
    Settled { before: Money },
    /// The label was not used, and the carrier took it back.
    GivenBack { tracking: TrackingNumber },
    /// By hand; the record says by whom. One reference (an invoice's line, a request's key) charges once; without any, as often as it is
    /// said.
    Hand { reason: SmolStr, reference: SmolStr },
}

impl Basis {
    /// Which it is, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Basis::Quote => "quote",
            Basis::Tariff { .. } => "tariff",
            Basis::Label { .. } => "label",
            Basis::Estimate { .. } => "estimate",
            Basis::Settled { .. } => "settled",
            Basis::GivenBack { .. } => "given back",
            Basis::Hand { .. } => "hand",
        }
    }
}

/// How much of a charge's currency one unit of the site's base currency bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// ISO 4217.
    pub base: SmolStr,
    pub per_base: Decimal,
    /// Since when the site goes by it: when the settings that say so were put in force. 1970: it goes by none that are written down.
    pub as_of: Moment,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Charge {
    pub at: Moment,
    pub kind: ChargeKind,
    pub amount: Money,
    pub basis: Basis,
    /// The version of the settings under which it was made; 0: not told.
    pub settings: u32,
    /// `None`: there was no rate.
    pub rate: Option<Rate>,
}

impl Charge {
    /// In the base currency of its rate, unrounded.
    pub fn in_base(&self) -> Option<Decimal> {
        let rate = self.rate.as_ref()?;
        self.amount.amount.checked_div(rate.per_base)
    }
}

/// What was charged for one parcel; its id is the parcel's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Charges {
    pub charges: Vec<Charge>,
}

/// What a parcel costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    pub by_currency: BTreeMap<SmolStr, Decimal>,
    /// All of it in the base currency, at the rates of the charges; `None`: one has no rate, or another base.
    pub in_base: Option<(SmolStr, Decimal)>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Charge { kind: ChargeKind, amount: Money, basis: Basis, settings: u32, rate: Option<Rate> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Charged { kind: ChargeKind, amount: Money, basis: Basis, settings: u32, rate: Option<Rate> },
}

impl Charges {
    /// The charges that count: all, but that an estimate counts only as long as there is no label and no settled freight, and of
    /// several estimates the last.
    pub fn counting(&self) -> impl Iterator<Item = &Charge> {
        let is_final = self.charges.iter().any(|charge| charge.kind.is_final_freight());
        let last = self.charges.iter().rposition(|charge| charge.kind == ChargeKind::Estimate);
        self.charges
            .iter()
            .enumerate()
            .filter(move |(n, charge)| charge.kind != ChargeKind::Estimate || (!is_final && last == Some(*n)))
            .map(|(_, charge)| charge)
    }

    /// What it costs: the sum of the charges that count.
    pub fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        let mut in_base: Option<(SmolStr, Decimal)> = None;
        let mut is_whole = true;
        for charge in self.counting() {
            let of = cost.by_currency.entry(charge.amount.currency.code().into()).or_default();
            *of = of.checked_add(charge.amount.amount).unwrap_or(*of);
            let base = charge.rate.as_ref().map(|rate| rate.base.clone());
            let (sum_base, sum) = in_base.get_or_insert_with(|| (base.clone().unwrap_or_default(), Decimal::ZERO));
            match charge.in_base().and_then(|amount| sum.checked_add(amount)) {
                Some(total) if base.as_ref() == Some(sum_base) => *sum = total,
                _ => is_whole = false,
            }
        }
        cost.in_base = in_base.filter(|_| is_whole);
        cost
    }

    /// What was charged for the way to the door itself, where something final was: label or settled freight, and what corrected it.
    pub fn freight_so_far(&self) -> Option<Money> {
        let mut finals = self.charges.iter().filter(|charge| charge.kind.is_final_freight());
        let first = finals.next()?.amount;
        let same = |charge: &&Charge| charge.amount.currency == first.currency;
        let more: Decimal = finals.filter(same).map(|charge| charge.amount.amount).sum();
        let is_settlement = |charge: &&Charge| matches!(charge.basis, Basis::Settled { .. });
        let settled: Decimal = self.charges.iter().filter(same).filter(is_settlement).map(|charge| charge.amount.amount).sum();
        Some(Money::new(first.amount + more + settled, first.currency))
    }

    /// Of a label that was bought: what the carrier took for it, and has not given back.
    pub fn label(&self, tracking: &TrackingNumber) -> Option<Money> {
        let given_back = |charge: &Charge| matches!(&charge.basis, Basis::GivenBack { tracking: of } if of == tracking);
        let bought = |charge: &&Charge| matches!(&charge.basis, Basis::Label { tracking: of } if of == tracking);
        if self.charges.iter().any(given_back) { None } else { self.charges.iter().find(bought).map(|charge| charge.amount) }
    }

    /// What was expected.
    pub fn estimate(&self) -> Option<Money> {
        self.charges.iter().rev().find(|charge| charge.kind == ChargeKind::Estimate).map(|charge| charge.amount)
    }
}

impl Entity for Charges {
    const KIND: Kind = Kind::Charges;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        let Command::Charge { kind, amount, basis, settings, rate } = command;
        let wrong = |wants: &str| {
            let what = smol_str::format_smolstr!("the amount of a charge for {}", kind.as_str());
            Err(Self::refuse(id, Why::Mismatch { what, is: smol_str::format_smolstr!("{amount}"), wants: wants.into() }))
        };
        if amount.amount.is_zero() || (amount.amount.is_sign_negative() && kind != ChargeKind::Adjustment) {
            return wrong(if kind == ChargeKind::Adjustment { "another than 0" } else { "above 0" });
        }
        if amount.amount.abs() > Decimal::from(CHARGE_MAX) {
            return wrong("at most 10,000,000");
        }
        // What the house finds out it finds out once; by hand the same may be charged again.
        let is_again = |known: &&Charge| match (&known.basis, &basis) {
            (Basis::Hand { reference: known, .. }, Basis::Hand { reference, .. }) => !reference.is_empty() && known == reference,
            (known_basis, basis) => known.kind == kind && known.amount == amount && known_basis == basis,
        };
        match self.charges.iter().find(is_again) {
            Some(known) if (known.kind, known.amount) == (kind, amount) => return Ok(vec![]),
            Some(known) => {
                let is = smol_str::format_smolstr!("{} for {}", known.amount, known.kind.as_str());
                let wants = smol_str::format_smolstr!("{amount} for {}", kind.as_str());
                return Err(Self::refuse(id, Why::Mismatch { what: "what was charged under that reference".into(), is, wants }));
            }
            None => {}
        }
        if self.charges.len() >= CHARGES_MAX {
            return Err(Self::refuse(id, Why::Full { what: "charges".into(), limit: CHARGES_MAX as u64 }));
        }
        Ok(vec![Event::Charged { kind, amount, basis, settings, rate }])
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        let Event::Charged { kind, amount, basis, settings, rate } = event.clone();
        // Most have two, of many parcels.
        self.charges.reserve_exact(1);
        self.charges.push(Charge { at, kind, amount, basis, settings, rate });
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Charges(event) = event { Some(event) } else { None }
    }
}

said! { Basis }

impl Say for Basis {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Basis::Quote => both!(f, l, "quoted by the carrier", "物流商报价"),
            Basis::Tariff { zone, weight_g, chargeable_g, source } => both!(
                f,
                l,
                "tariff on {weight_g} g, {chargeable_g} g chargeable, zone {zone} ({source})",
                "按运价表：重 {weight_g} g，计费重 {chargeable_g} g，分区 {zone}（{source}）"
            ),
            Basis::Label { tracking } => both!(f, l, "charged by the carrier with label {tracking}", "物流商随面单 {tracking} 收取"),
            Basis::Estimate { gap: None } => {
                both!(f, l, "estimate: no charge by the carrier, and the channel has no tariff", "预估：物流商未收费，且渠道没有运价表")
            }
            Basis::Estimate { gap: Some(gap) } => {
                let gap = Said(gap, l);
                both!(f, l, "estimate: no charge by the carrier, and by tariff {gap}", "预估：物流商未收费，且按运价表{gap}")
            }
            Basis::Settled { before } => both!(f, l, "settled, where {before} was charged before", "结算，此前已收 {before}"),
            Basis::GivenBack { tracking } => both!(f, l, "label {tracking} was given back", "面单 {tracking} 已退回"),
            Basis::Hand { reason, .. } => f.write_str(reason),
        }
    }
}

impl Say for ChargeKind {
    fn say(&self, l: Language, f: &mut fmt::Formatter) -> fmt::Result {
        let chinese = match self {
            ChargeKind::Estimate => "预估运费",
            ChargeKind::Label => "面单费",
            ChargeKind::Freight => "运费",
            ChargeKind::Adjustment => "调整",
            ChargeKind::Duty => "关税",
            ChargeKind::Tax => "进口税",
            ChargeKind::Handling => "操作费",
            ChargeKind::Surcharge => "附加费",
            ChargeKind::Insurance => "保险费",
            ChargeKind::Return => "退件费",
        };
        f.write_str(if l == Language::Chinese { chinese } else { self.as_str() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn usd(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), Currency::USD)
    }

    fn rate(of: Money) -> Option<Rate> {
        let per_base = if of.currency == Currency::CNY { Decimal::from(8) } else { Decimal::ONE };
        (of.currency != Currency::JPY).then(|| Rate { base: "USD".into(), per_base, as_of: Moment(0) })
    }

    fn hand() -> Basis {
        Basis::Hand { reason: "packed twice".into(), reference: "".into() }
    }

    fn label() -> Basis {
        Basis::Label { tracking: TrackingNumber::new("T1") }
    }

    fn charge(charges: &mut Charges, kind: ChargeKind, amount: Money, basis: Basis) -> Result<usize, Refusal> {
        let events = charges.decide(&"P-1".into(), Moment(1), Command::Charge { kind, amount, basis, settings: 0, rate: rate(amount) })?;
        events.iter().for_each(|event| charges.apply(Moment(1), event));
        Ok(events.len())
    }

    /// The cost after each of these.
    fn costs(steps: Vec<(ChargeKind, Money, Basis)>) -> Vec<String> {
        let mut charges = Charges::default();
        let cost = |(kind, amount, basis)| {
            charge(&mut charges, kind, amount, basis).expect("it is taken");
            charges.cost().in_base.map_or("unknown".into(), |(base, sum)| format!("{} {base}", sum.normalize()))
        };
        steps.into_iter().map(cost).collect()
    }

    #[test]
    fn an_estimate_counts_until_a_label_or_settled_freight_is_there() {
        use ChargeKind::*;
        let yuan = Money::new(Decimal::from(40), Currency::CNY);
        assert_eq!(
            costs(vec![(Estimate, usd(490), Basis::Quote), (Label, usd(512), label()), (Duty, usd(100), hand())]),
            ["4.9 USD", "5.12 USD", "6.12 USD"]
        );
        let gap = || Basis::Estimate { gap: None };
        assert_eq!(
            costs(vec![(Estimate, yuan, Basis::Quote), (Handling, usd(50), hand()), (Freight, yuan, gap())]),
            ["5 USD", "5.5 USD", "5.5 USD"]
        );
        assert_eq!(
            costs(vec![(Estimate, usd(490), Basis::Quote), (Estimate, usd(500), gap())]),
            ["4.9 USD", "5 USD"],
            "of estimates the last"
        );
        let back = Basis::GivenBack { tracking: TrackingNumber::new("T1") };
        assert_eq!(
            costs(vec![(Estimate, usd(490), Basis::Quote), (Label, usd(490), label()), (Adjustment, usd(-490), back)]),
            ["4.9 USD", "4.9 USD", "0 USD"]
        );
        let yen = Money::new(Decimal::from(90), Currency::JPY);
        assert_eq!(costs(vec![(Label, usd(490), label()), (Tax, yen, hand())]), ["4.9 USD", "unknown"], "what has no rate is not left out");
    }

    #[test]
    fn what_is_found_out_twice_counts_once_and_by_hand_as_often_as_it_is_said() {
        let mut charges = Charges::default();
        let mut twice = |kind, basis: Basis| [0; 2].map(|_| charge(&mut charges, kind, usd(490), basis.clone()).unwrap());
        assert_eq!(twice(ChargeKind::Label, label()), [1, 0]);
        assert_eq!(twice(ChargeKind::Handling, hand()), [1, 1]);
        let invoice = || Basis::Hand { reason: "customs".into(), reference: "invoice 7".into() };
        assert_eq!(twice(ChargeKind::Duty, invoice()), [1, 0]);
        let other = charge(&mut charges, ChargeKind::Duty, usd(500), invoice()).unwrap_err().to_string();
        assert_eq!(other, "charges P-1 refuses: what was charged under that reference is 4.90 USD for duty, not 5.00 USD for duty");
        assert_eq!(
            (charges.freight_so_far(), charges.label(&TrackingNumber::new("T1")), charges.label(&TrackingNumber::new("T2"))),
            (Some(usd(490)), Some(usd(490)), None)
        );
    }

    #[test]
    fn nothing_is_charged_for_nothing_nor_beyond_all_bounds() {
        let mut charges = Charges::default();
        let mut why = |kind, amount| charge(&mut charges, kind, amount, hand()).map_err(|r| r.why.to_string());
        let wanted = "the amount of a charge for label is -4.90 USD, not above 0";
        assert_eq!(why(ChargeKind::Label, usd(-490)).unwrap_err(), wanted);
        assert!(why(ChargeKind::Duty, usd(0)).is_err() && why(ChargeKind::Adjustment, usd(0)).is_err());
        assert!(why(ChargeKind::Tax, usd(CHARGE_MAX * 100 + 1)).is_err());
        for _ in 0..CHARGES_MAX {
            why(ChargeKind::Adjustment, usd(-1)).unwrap();
        }
        assert_eq!(why(ChargeKind::Adjustment, usd(-1)).unwrap_err(), "charges is at its limit of 256");
    }

    proptest! {
        /// Money is conserved: whatever comes in whatever order, the cost is the sum of what counts.
        #[test]
        fn the_cost_is_the_sum_of_what_counts(steps in prop::collection::vec((0usize..10, 1i64..10_000, any::<bool>()), 0..40)) {
            let mut charges = Charges::default();
            for (kind, cents, yuan) in &steps {
                let amount = if *yuan { Money::new(Decimal::new(*cents, 2), Currency::CNY) } else { usd(*cents) };
                charge(&mut charges, ChargeKind::ALL[*kind], amount, hand()).unwrap();
            }
            let is_final = steps.iter().any(|(kind, ..)| (1..=2).contains(kind));
            let last = steps.iter().rposition(|(kind, ..)| *kind == 0);
            let counts = |(n, (kind, ..)): &(usize, &(usize, i64, bool))| *kind != 0 || (!is_final && last == Some(*n));
            let sum: Decimal = steps.iter().enumerate().filter(counts).map(|(_, (_, cents, yuan))| Decimal::new(*cents, 2) / Decimal::from(if *yuan { 8 } else { 1 })).sum();
            let cost = charges.cost();
            prop_assert_eq!(cost.in_base.map_or(Decimal::ZERO, |(_, sum)| sum), sum);
        }
    }
}
