//! Carriers: one trait, and one folder per carrier that turns our words into its bodies and back.
//!
//! A driver is mapping and nothing else. It keeps no parcel, never retries on its own (but for one fresh token), never
//! chooses a service and never reads the environment. Every folder is alike: `mod.rs` the driver, `request.rs` what is
//! sent, `response.rs` and `tracking.rs` what is understood, `codes.rs` the tracking codes, `tests.rs` recorded and small bodies.

mod answer;
pub mod calendar;
mod caller;
pub mod figures;
mod fitting;
mod forwarder;
mod label_image;
mod mydhl;
mod odd_json;
mod settings;
mod soft;
mod usps;

#[cfg(test)]
pub(crate) mod mangled;
#[cfg(test)]
mod recorded;

pub use answer::{Read, Skipped};
pub use settings::{CarrierKind, CarrierSettings, Secret};
pub use twin::defect::Defect;

use crate::http_wire::RESPONSE_BYTES_MAX;
use crate::{Clock, HttpWire, WireError};
use futures::future::BoxFuture;
use std::sync::Arc;
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, Tracking};
use twin::verdict::{NoOffer, foreign};
use twin::{Address, CarrierId, Span, TrackingNumber};

/// One account with one carrier.
pub trait CarrierDriver: Send + Sync {
    fn id(&self) -> &CarrierId;

    /// The price of every service offered for that parcel; empty where the carrier does not serve the lane.
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>>;

    /// Buys a label. Asked again with the same `request.key` it gives the same label (how far the carrier helps with
    /// that stands in the head comment of its folder).
    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>>;

    /// News of up to [`track_batch_max`](Self::track_batch_max) numbers in one call; more are asked in several calls.
    /// Numbers the carrier does not know are left out of the answer.
    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>>;

    /// Gives back a label that was not used.
    fn void_label(&self, tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>>;

    /// Whether the carrier's own description lets it take this parcel as it is: lengths, spellings, what must be there. Asked
    /// before anything is sent, so that an address is mended by a person and not refused by a machine.
    fn fits(&self, _request: &LabelRequest) -> Result<(), Defect> {
        Ok(())
    }

    /// How far ahead it lets a pickup be when it sells a label or names a price; where it says nothing, any time. A label for a
    /// pickup behind a long holiday is bought later.
    fn ship_ahead_max(&self) -> Option<Span> {
        None
    }

    /// Numbers in one tracking call.
    fn track_batch_max(&self) -> usize;

    /// `false`: the carrier has no rate API, so its channels need a tariff.
    fn can_quote(&self) -> bool;
}

/// Why a carrier did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Its 401 and 403, after a fresh token where it uses tokens.
    #[error("{carrier} does not accept our credentials: {message}; check the account and the secret")]
    Unauthorized { carrier: CarrierId, message: String },
    /// Its 429.
    #[error("{carrier} wants fewer requests: try again in {retry_after_ms} ms")]
    Throttled { carrier: CarrierId, retry_after_ms: u64 },
    /// Any other answer that is not a success, in the carrier's own words.
    #[error("{carrier} answered {status} {code}: {message}")]
    Refused { carrier: CarrierId, status: u16, code: String, message: String },
    #[error("cannot read the {what} of {carrier}: {why}")]
    Unreadable { carrier: CarrierId, what: &'static str, why: String },
    /// Known before asking: its own description says that it would refuse the parcel as it is.
    #[error("{carrier} cannot take it: {unfit}")]
    Unfit { carrier: CarrierId, unfit: Defect },
    /// Known before asking: the carrier, or this driver for it, has no such service.
    #[error("{carrier} does not offer this: {why}")]
    NotOffered { carrier: CarrierId, why: String },
}

impl From<CarrierError> for NoOffer {
    /// As it stands in a decision.
    fn from(error: CarrierError) -> Self {
        match error {
            CarrierError::Wire(WireError::Timeout { host, timeout_ms }) => {
                NoOffer::Timeout { host: host.into(), timeout_ms: timeout_ms.try_into().unwrap_or_default() }
            }
            CarrierError::Wire(WireError::Unreachable { host, why }) => NoOffer::Unreachable { host: host.into(), said: foreign(&why) },
            CarrierError::Wire(WireError::TooLarge { host }) => {
                NoOffer::AnswerTooLarge { host: host.into(), limit_bytes: RESPONSE_BYTES_MAX as u32 }
            }
            CarrierError::Unauthorized { carrier, message } => NoOffer::Unauthorized { carrier, said: foreign(&message) },
            CarrierError::Throttled { carrier, retry_after_ms } => NoOffer::Throttled { carrier, retry_after_ms },
            CarrierError::Refused { carrier, status, code, message } => {
                NoOffer::Answered { carrier, status, code: foreign(&code), said: foreign(&message) }
            }
            CarrierError::Unreadable { carrier, what, why } => NoOffer::Unreadable { carrier, what: what.into(), said: foreign(&why) },
            CarrierError::Unfit { carrier, unfit: defect } => NoOffer::Misfit { carrier, defect },
            CarrierError::NotOffered { carrier, why } => NoOffer::NotOffered { carrier, said: foreign(&why) },
        }
    }
}

impl CarrierError {
    /// Whether the same request may succeed later: timeouts, an unreachable host, 408, 429 and 5xx.
    pub fn is_transient(&self) -> bool {
        match self {
            CarrierError::Wire(WireError::Timeout { .. } | WireError::Unreachable { .. }) | CarrierError::Throttled { .. } => true,
            CarrierError::Refused { status, .. } => *status >= 500 || *status == 408,
            _ => false,
        }
    }
}

/// The driver for `settings.kind`. `secret` is what stands in the environment variable `settings.secret_env`:
/// `client id:client secret` for USPS, `user:password` for MyDHL, a bearer token for a forwarder.
pub fn driver(settings: &CarrierSettings, secret: Secret, wire: Arc<dyn HttpWire>, clock: Clock) -> Arc<dyn CarrierDriver> {
    let caller = caller::Caller::new(settings, wire, clock);
    match settings.kind {
        CarrierKind::Usps => Arc::new(usps::Usps::new(settings, &secret, caller)),
        CarrierKind::Mydhl => Arc::new(mydhl::Mydhl::new(settings, &secret, caller)),
        CarrierKind::Forwarder => Arc::new(forwarder::Forwarder::new(settings, &secret, caller)),
    }
}

/// What of a warehouse's address its carrier would refuse for every parcel, by the field in the site file: told at the start,
/// so that not one order after the other is held for it.
pub fn origin_fault(kind: CarrierKind, address: &Address) -> Option<Defect> {
    match kind {
        CarrierKind::Usps => usps::request::origin(address).err(),
        CarrierKind::Mydhl => mydhl::request::origin(address).err(),
        // Our own API: whatever an address may hold it takes.
        CarrierKind::Forwarder => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_is_told_from_what_will_not() {
        let carrier = CarrierId::new("usps");
        let refused = |status| CarrierError::Refused { carrier: carrier.clone(), status, code: "x".into(), message: "y".into() };
        assert!(CarrierError::from(WireError::Timeout { host: "h".into(), timeout_ms: 1 }).is_transient());
        assert!(CarrierError::from(WireError::Unreachable { host: "h".into(), why: "w".into() }).is_transient());
        assert!(CarrierError::Throttled { carrier: carrier.clone(), retry_after_ms: 5 }.is_transient());
        assert!(refused(503).is_transient() && refused(500).is_transient() && refused(408).is_transient());
        assert!(!refused(400).is_transient() && !refused(404).is_transient());
        assert!(!CarrierError::Unauthorized { carrier: carrier.clone(), message: "no".into() }.is_transient());
        assert!(!CarrierError::from(WireError::TooLarge { host: "h".into() }).is_transient());
        assert_eq!(refused(400).to_string(), "usps answered 400 x: y");
    }
}
