//! How far an order is: nothing of its own, but what follows from its parcels.

use crate::order::{Order, Stage};
use crate::parcel::{self, Parcel};
use crate::tracking::{self, Tracking};
use crate::{ParcelId, Twin, TwinError};
use serde::Serialize;
use std::fmt;

/// How far a parcel is, in the steps that matter to whoever ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Allocated,
    Packed,
    Shipped,
    Delivered,
    Returned,
    Lost,
    /// It is in no parcel any more.
    Dropped,
}

impl Step {
    /// Where a parcel is, and what its carrier says; one that is not made yet is at the beginning.
    pub fn of(parcel: Option<&Parcel>, tracking: Option<&Tracking>) -> Step {
        let Some(parcel) = parcel else { return Step::Allocated };
        match (parcel.stage, tracking.map(|tracking| tracking.stage)) {
            (parcel::Stage::Cancelled, _) => Step::Dropped,
            (parcel::Stage::HandedOver, Some(tracking::Stage::Delivered)) => Step::Delivered,
            (parcel::Stage::HandedOver, Some(tracking::Stage::Returned)) => Step::Returned,
            (parcel::Stage::HandedOver, Some(tracking::Stage::Lost)) => Step::Lost,
            (parcel::Stage::HandedOver, _) => Step::Shipped,
            _ if parcel.packed_at.is_some() => Step::Packed,
            _ => Step::Allocated,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Step::Allocated => "allocated",
            Step::Packed => "packed",
            Step::Shipped => "shipped",
            Step::Delivered => "delivered",
            Step::Returned => "returned",
            Step::Lost => "lost",
            Step::Dropped => "cancelled",
        }
    }

    /// Its carrier has it, or had it.
    pub fn has_left(self) -> bool {
        matches!(self, Step::Shipped | Step::Delivered | Step::Returned | Step::Lost)
    }
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fulfilment {
    /// One word for it: its own stage while nothing of it is on its way, else the step that all of its parcels have reached;
    /// and of parcels that ended, the end of most weight: lost, returned, delivered.
    pub stage: &'static str,
    /// Parcels that hold some of it.
    pub parcels: u32,
    pub packed: u32,
    pub shipped: u32,
    pub delivered: u32,
    pub returned: u32,
    pub lost: u32,
}

impl Fulfilment {
    /// Of an order by itself, and of each of its live parcels.
    pub fn of(stage: Stage, word: &'static str, steps: impl IntoIterator<Item = Step>) -> Self {
        let mut of = Fulfilment { stage: word, parcels: 0, packed: 0, shipped: 0, delivered: 0, returned: 0, lost: 0 };
        let (mut least, mut most) = (Step::Dropped, Step::Allocated);
        for step in steps.into_iter().filter(|step| *step != Step::Dropped) {
            of.parcels += 1;
            of.packed += u32::from(step >= Step::Packed);
            of.shipped += u32::from(step >= Step::Shipped);
            of.delivered += u32::from(step == Step::Delivered);
            of.returned += u32::from(step == Step::Returned);
            of.lost += u32::from(step == Step::Lost);
            (least, most) = (least.min(step), most.max(step));
        }
        if of.parcels > 0 && stage == Stage::Allocated {
            of.stage = if least >= Step::Delivered { most.as_str() } else { least.as_str() };
        }
        of
    }

    /// Of an order, by what the twin knows of its parcels.
    pub fn of_order(twin: &Twin, order: &Order) -> Result<Self, TwinError> {
        let step = |id: &ParcelId| -> Result<Step, TwinError> {
            let (parcel, tracking) = (twin.load::<Parcel>(id.text())?, twin.load::<Tracking>(id.text())?);
            Ok(Step::of(parcel.as_ref().map(|(_, p)| p), tracking.as_ref().map(|(_, t)| t)))
        };
        let steps = order.live_parts().map(|part| step(&part.parcel)).collect::<Result<Vec<_>, _>>()?;
        Ok(Fulfilment::of(order.stage, crate::Entity::stage_word(order), steps))
    }
}

/// `delivered`, `2 of 3 shipped`.
impl fmt::Display for Fulfilment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [
            (self.delivered, "delivered"),
            (self.returned, "returned"),
            (self.lost, "lost"),
            (self.shipped, "shipped"),
            (self.packed, "packed"),
        ];
        match steps.into_iter().find(|(count, _)| *count > 0) {
            Some((count, word)) if count < self.parcels => write!(f, "{count} of {} {word}", self.parcels),
            _ => f.write_str(self.stage),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_as_far_as_its_parcels() {
        use Step::*;
        for (steps, stage, words) in [
            (&[][..], "allocated", "allocated"),
            (&[Allocated, Packed], "allocated", "1 of 2 packed"),
            (&[Shipped, Shipped, Packed], "packed", "2 of 3 shipped"),
            (&[Shipped, Shipped, Dropped], "shipped", "shipped"),
            (&[Delivered, Shipped], "shipped", "1 of 2 delivered"),
            (&[Delivered, Delivered], "delivered", "delivered"),
            (&[Delivered, Returned, Dropped], "returned", "1 of 2 delivered"),
            (&[Returned], "returned", "returned"),
            (&[Lost, Delivered], "lost", "1 of 2 delivered"),
        ] {
            let of = Fulfilment::of(Stage::Allocated, "allocated", steps.iter().copied());
            assert_eq!((of.stage, of.to_string().as_str()), (stage, words), "{steps:?}");
        }
        let of = Fulfilment::of(Stage::Received, "partly allocated", [Shipped]);
        assert_eq!((of.stage, of.to_string().as_str()), ("partly allocated", "partly allocated"));
    }
}
