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

    /// Buys a label. What comes of asking again with the same `request.key` says [`lost_answer`](Self::lost_answer). An error
    /// that [may have happened](CarrierError::may_have_happened) is no refusal: the carrier may have sold the label.
    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>>;

    /// What becomes of a label whose answer did not come; why stands in the head comment of the driver's folder.
    fn lost_answer(&self) -> LostAnswer;

    /// The label that was bought before under `request.key`, where the carrier tells it without selling another; `None` where
    /// there is none, and from every carrier that cannot be asked. For a request that is no longer, byte for byte, what was
    /// asked under its key: another mailing date, say.
    fn find_label(&self, _request: LabelRequest) -> BoxFuture<'static, Result<Option<Read<Label>>, CarrierError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// News of up to [`track_batch_max`](Self::track_batch_max) numbers in one call; more are asked in several calls.
    /// Numbers the carrier does not know are left out of the answer.
    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>>;

    /// Gives back a label that was not used. What may come of it:
    /// - `Ok`: it is given back, now or by an earlier asking whose answer was lost.
    /// - [`CarrierError::NotKnown`]: the carrier has no label of that number. Of one that was asked for before that may mean that
    ///   it is given back; of any other a person wants to know.
    /// - [`CarrierError::NotOffered`], or any other error that is neither transient nor may have happened: it cannot be given
    ///   back, for the reason that it says.
    /// - An error that [is transient](CarrierError::is_transient) or [may have happened](CarrierError::may_have_happened): ask again.
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

/// What comes of asking for a label again after an answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostAnswer {
    /// The same key gives the label that was bought before.
    SameKeySameLabel,
    /// The label bought before is found by our reference; see [`CarrierDriver::find_label`].
    FoundByReference,
    /// Neither: asked again, a second label is bought, and nobody is told of the first.
    Neither,
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
    /// It said yes, and nobody can read to what: something may have been bought.
    #[error("cannot read the {what} of {carrier}: {why}")]
    Unreadable { carrier: CarrierId, what: &'static str, why: String },
    /// What was needed before asking could not be had, so that it was not asked.
    #[error("cannot ask {carrier}: the {what} cannot be used: {why}")]
    Unsent { carrier: CarrierId, what: &'static str, why: String },
    /// It has no label of the number that was to be given back.
    #[error("{carrier} knows no such label: {message}")]
    NotKnown { carrier: CarrierId, message: String },
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
            CarrierError::Wire(WireError::Unreachable { host, why } | WireError::Broken { host, why }) => {
                NoOffer::Unreachable { host: host.into(), said: foreign(&why) }
            }
            CarrierError::Wire(WireError::TooLarge { host }) => {
                NoOffer::AnswerTooLarge { host: host.into(), limit_bytes: RESPONSE_BYTES_MAX as u32 }
            }
            CarrierError::Unauthorized { carrier, message } => NoOffer::Unauthorized { carrier, said: foreign(&message) },
            CarrierError::Throttled { carrier, retry_after_ms } => NoOffer::Throttled { carrier, retry_after_ms },
            CarrierError::Refused { carrier, status, code, message } => {
                NoOffer::Answered { carrier, status, code: foreign(&code), said: foreign(&message) }
            }
            CarrierError::NotKnown { carrier, message } => {
                NoOffer::Answered { carrier, status: 404, code: "".into(), said: foreign(&message) }
            }
            CarrierError::Unreadable { carrier, what, why } | CarrierError::Unsent { carrier, what, why } => {
                NoOffer::Unreadable { carrier, what: what.into(), said: foreign(&why) }
            }
            CarrierError::Unfit { carrier, unfit: defect } => NoOffer::Misfit { carrier, defect },
            CarrierError::NotOffered { carrier, why } => NoOffer::NotOffered { carrier, said: foreign(&why) },
        }
    }
}

impl CarrierError {
    /// Whether the same request may succeed later: timeouts, an unreachable host, a connection that broke off, 408, 429 and 5xx.
    pub fn is_transient(&self) -> bool {
        match self {
            CarrierError::Wire(WireError::Timeout { .. } | WireError::Unreachable { .. } | WireError::Broken { .. }) => true,
            CarrierError::Throttled { .. } => true,
            CarrierError::Refused { status, .. } => *status >= 500 || *status == 408,
            _ => false,
        }
    }

    /// Whether the carrier may have done what it was asked, although nobody can tell: an answer that did not come, came in part
    /// or cannot be read, and a failure that the carrier, or a gateway before it, may have had after the deed. Such an error is
    /// never a refusal. Not so: nobody reached, a request never sent, 4xx, and 501, 503, 505, which are said before the deed.
    pub fn may_have_happened(&self) -> bool {
        match self {
            CarrierError::Wire(WireError::Timeout { .. } | WireError::Broken { .. } | WireError::TooLarge { .. }) => true,
            CarrierError::Wire(WireError::Unreachable { .. }) => false,
            CarrierError::Unreadable { .. } => true,
            CarrierError::Refused { status, .. } => *status >= 500 && !matches!(status, 501 | 503 | 505),
            CarrierError::Unauthorized { .. }
            | CarrierError::Throttled { .. }
            | CarrierError::Unsent { .. }
            | CarrierError::NotKnown { .. }
            | CarrierError::Unfit { .. }
            | CarrierError::NotOffered { .. } => false,
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

    #[test]
    fn what_may_have_happened_is_told_from_what_has_not() {
        let (carrier, host, why) = (CarrierId::new("usps"), || "h".to_owned(), || "w".to_owned());
        let refused = |status| CarrierError::Refused { carrier: carrier.clone(), status, code: "x".into(), message: "y".into() };
        for error in [
            WireError::Timeout { host: host(), timeout_ms: 1 }.into(),
            WireError::Broken { host: host(), why: why() }.into(),
            WireError::TooLarge { host: host() }.into(),
            CarrierError::Unreadable { carrier: carrier.clone(), what: "label", why: why() },
            refused(500),
            refused(502),
            refused(504),
            refused(520),
        ] {
            assert!(error.may_have_happened(), "{error}");
        }
        for error in [
            WireError::Unreachable { host: host(), why: why() }.into(),
            CarrierError::Unsent { carrier: carrier.clone(), what: "request", why: why() },
            CarrierError::Unauthorized { carrier: carrier.clone(), message: why() },
            CarrierError::Throttled { carrier: carrier.clone(), retry_after_ms: 5 },
            CarrierError::NotKnown { carrier: carrier.clone(), message: why() },
            CarrierError::Unfit { carrier: carrier.clone(), unfit: Defect::new("to.city", twin::defect::Wrong::Empty) },
            CarrierError::NotOffered { carrier: carrier.clone(), why: why() },
            refused(302),
            refused(400),
            refused(404),
            refused(408),
            refused(409),
            refused(503),
        ] {
            assert!(!error.may_have_happened(), "{error}");
        }
    }
}
