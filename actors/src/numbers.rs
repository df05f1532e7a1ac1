//! Whose the numbers on labels are: the one place where a parcel gets one. What the twin knows is looked up there; what is on its
//! way there is kept here, so that two labels that come at once with one number are not both worn.

use crate::House;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use twin::parcel::Parcel;
use twin::{ParcelId, Span, TrackingNumber, TwinError};

/// Carriers use numbers again after months; a parcel that was made this long ago has no claim on its number any more.
pub const NUMBER_OLD: Span = Span::from_hours(24 * 120);

/// Numbers that were claimed and are not in the twin yet; looked up only.
#[derive(Default)]
pub struct Numbers(Mutex<HashMap<TrackingNumber, ParcelId>>);

impl Numbers {
    /// Claims a number for a parcel, or says whose it is.
    pub fn claim(&self, house: &House, number: &TrackingNumber, parcel: &ParcelId) -> Result<Option<ParcelId>, TwinError> {
        // Held throughout: whoever asks for the same number waits.
        let mut claimed = self.claimed();
        if let Some(other) = claimed.get(number).filter(|other| *other != parcel) {
            return Ok(Some(other.clone()));
        }
        if let Some(other) = house.twin.parcel_of(number.as_str())?.filter(|other| other != parcel) {
            let made = house.twin.load::<Parcel>(other.text())?.map(|(_, parcel)| parcel.created_at);
            if made.is_some_and(|made| house.clock.now() - made < NUMBER_OLD) {
                return Ok(Some(other));
            }
        }
        claimed.insert(number.clone(), parcel.clone());
        Ok(None)
    }

    /// The twin has it by now.
    pub fn settle(&self, number: &TrackingNumber) {
        self.claimed().remove(number);
    }

    fn claimed(&self) -> MutexGuard<'_, HashMap<TrackingNumber, ParcelId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
