//! What must hold of labels and of the list of problems when a site has been through its mishaps: the carriers' books against the twin,
//! and the twin's list against the states of its things.

use crate::carriers::CarrierBook;
use drivers::carriers::{CarrierDriver, LostAnswer};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use twin::bag::Bag;
use twin::carrier::Carrier;
use twin::device::Device;
use twin::facet::Facet;
use twin::order::Order;
use twin::parcel::{Parcel, Stage, Void};
use twin::problem::{self, Problem};
use twin::station::Station;
use twin::tracking::Tracking;
use twin::{CarrierId, Entity, Key, ParcelId, TrackingNumber, Twin, TwinError};

/// Every label that was bought is worn by a parcel that needs it, or was given back, or a person was told of it; none is worn twice.
pub(super) fn wrong(
    twin: &Twin,
    book: &CarrierBook,
    drivers: &BTreeMap<CarrierId, Arc<dyn CarrierDriver>>,
    wrong: &mut String,
) -> Result<(), TwinError> {
    let mut worn = BTreeMap::<TrackingNumber, (ParcelId, Parcel)>::new();
    for row in twin.all::<Parcel>() {
        let (id, parcel) = row?;
        let Some(number) = parcel.tracking.clone() else { continue };
        if let Some((other, _)) = worn.insert(number.clone(), (id.clone().into(), parcel)) {
            let _ = writeln!(wrong, "{id} and {other} wear one number, {number}");
        }
    }
    let told = |parcel: &Parcel| matches!(parcel.void, Void::Refused { .. } | Void::WrittenOff { .. });
    for (carrier, driver) in drivers {
        let voided: BTreeSet<_> = book.voided(carrier).into_iter().collect();
        for number in book.bought(carrier) {
            match (worn.get(&number), voided.contains(&number)) {
                (Some((id, parcel)), true) if parcel.stage != Stage::Cancelled => {
                    let _ = writeln!(wrong, "{number} was given back to {carrier}, and {id} wears it and is {}", parcel.stage.as_str());
                }
                (_, true) => {}
                (Some((_, parcel)), false) if parcel.stage != Stage::Cancelled || told(parcel) => {}
                (Some((id, parcel)), false) => {
                    let _ = writeln!(wrong, "{number} was bought of {carrier} for {id}, which is cancelled: its void is {:?}", parcel.void);
                }
                (None, false) => {
                    let parcel = book.bought_for(&number).unwrap_or_default();
                    let state = twin.load::<Parcel>(&parcel)?.map(|(_, state)| state).unwrap_or_default();
                    let lost = driver.lost_answer() == LostAnswer::Neither && state.label_lost > 0;
                    if !lost && !told(&state) {
                        let is = (state.stage, &state.tracking, &state.void, state.label_lost);
                        let _ = writeln!(wrong, "{number} was bought of {carrier} for {parcel}, and nobody knows of it: {is:?}");
                    }
                }
            }
        }
    }
    Ok(())
}

/// What is open is what the states say is wrong, in these words, and something can be done about each.
pub(super) fn list(twin: &Twin, wrong: &mut String) -> Result<(), TwinError> {
    let mut there = BTreeMap::new();
    troubles::<Order>(twin, &mut there)?;
    troubles::<Parcel>(twin, &mut there)?;
    troubles::<Tracking>(twin, &mut there)?;
    troubles::<Bag>(twin, &mut there)?;
    troubles::<Device>(twin, &mut there)?;
    troubles::<Carrier>(twin, &mut there)?;
    troubles::<Station>(twin, &mut there)?;
    let mut open = BTreeMap::new();
    for row in twin.listed::<Problem>(Facet::Problem, None, None) {
        let id = row?.0.id;
        let what = twin.load::<Problem>(&id)?.map(|(_, problem)| problem.what).unwrap_or_default();
        open.insert(id, what);
    }
    for (id, what) in &there {
        match open.get(id) {
            Some(words) if words == what => {}
            Some(words) => drop(writeln!(wrong, "problem {id} says {words:?}, and it is {what:?}")),
            None => drop(writeln!(wrong, "{id} is wrong ({what}), and no problem is open for it")),
        }
    }
    for (id, what) in open.iter().filter(|(id, _)| !there.contains_key(*id)) {
        let _ = writeln!(wrong, "problem {id} ({what}) is open, and its cause is gone");
    }
    Ok(())
}

/// What is wrong with those of a kind, as the list calls it; what nobody can do anything about is called so.
fn troubles<E: Entity>(twin: &Twin, there: &mut BTreeMap<SmolStr, SmolStr>) -> Result<(), TwinError> {
    for row in twin.all::<E>() {
        let (id, state) = row?;
        for trouble in state.troubles() {
            let what = if trouble.remedies.is_empty() { "nobody can do anything about it".into() } else { trouble.what };
            there.insert(problem::id(trouble.cause, &Key::new(E::KIND, id.clone())), what);
        }
    }
    Ok(())
}
