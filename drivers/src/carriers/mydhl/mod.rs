//! MyDHL API 3.1.1 (DHL Express): rates, shipments with ZPL labels, tracking of up to 200 waybills in one call.
//!
//! **Customs.** A parcel that crosses a customs border is declared with one line, made of the request's contents and value;
//! DAP, permanent export. **Telephone.** MyDHL requires one of both parties; where a buyer's address has none the warehouse's
//! is sent. **Batteries** are declared as lithium ion in a device (PI967 section II: service `HV` with content `967`).
//!
//! **A lost answer is lost.** The key goes out as `Message-Reference`, of which MyDHL says only that it is echoed, not that it
//! deduplicates. `GET /tracking` finds a waybill by its `shipmentReference` (with account and dates), but no call gives the label
//! again: `get-image` has the invoice, the waybill document and what was uploaded, none of them the transport label nor ZPL. So
//! a second asking buys a second waybill ([`LostAnswer::Neither`]). **Giving back.** No call takes a shipment back (`DELETE` is for
//! pickups only): [`CarrierDriver::void_label`] is not offered. A waybill that DHL never sees is never billed.

mod codes;
pub(super) mod request;
mod response;
#[cfg(test)]
mod tests;
mod tracking;

use super::answer::{Read, Skips};
use super::caller::{self, Caller, sensitive};
use super::{CarrierDriver, CarrierError, CarrierSettings, LostAnswer, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use std::sync::Arc;
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, Tracking};
use twin::defect::Defect;
use twin::{CarrierId, Span, TrackingNumber};

/// Shipments are planned up to ten days ahead; one less, as its today may be another than the warehouse's.
const SHIP_AHEAD_MAX: Span = Span::from_hours(9 * 24);
/// Waybills in one tracking call (`shipmentTrackingNumber`, `maxItems`).
const TRACK_BATCH_MAX: usize = 200;

const MESSAGE_REFERENCE: HeaderName = HeaderName::from_static("message-reference");

/// One DHL Express account.
pub struct Mydhl(Arc<Account>);

struct Account {
    caller: Caller,
    account: String,
    authorization: Result<HeaderValue, CarrierError>,
    rates: Result<Uri, CarrierError>,
    shipments: Result<Uri, CarrierError>,
}

impl Mydhl {
    pub(super) fn new(settings: &CarrierSettings, secret: &Secret, caller: Caller) -> Self {
        let basic = sensitive(&format!("Basic {}", STANDARD.encode(secret.reveal())));
        Mydhl(Arc::new(Account {
            account: settings.account.clone(),
            authorization: basic.ok_or_else(|| caller.unsent("secret", "it has characters no header can carry")),
            rates: caller.uri("/rates"),
            shipments: caller.uri("/shipments"),
            caller,
        }))
    }
}

impl CarrierDriver for Mydhl {
    fn id(&self) -> &CarrierId {
        &self.0.caller.carrier
    }

    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        let desk = self.0.clone();
        Box::pin(async move { desk.quote(&request).await })
    }

    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        let desk = self.0.clone();
        Box::pin(async move { desk.buy_label(&request).await })
    }

    fn lost_answer(&self) -> LostAnswer {
        LostAnswer::Neither
    }

    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>> {
        let desk = self.0.clone();
        Box::pin(async move {
            let (mut found, mut skips) = (Vec::with_capacity(numbers.len()), Skips::default());
            for batch in numbers.chunks(TRACK_BATCH_MAX) {
                desk.track(batch, &mut found, &mut skips).await?;
            }
            Ok(Read { value: found, skipped: skips.into_list() })
        })
    }

    fn void_label(&self, _tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        let refusal = self.0.caller.not_offered("it takes no shipment back; a waybill that it never sees is not billed");
        Box::pin(std::future::ready(Err(refusal)))
    }

    fn fits(&self, request: &LabelRequest) -> Result<(), Defect> {
        request::shipment(request, &self.0.account).map(drop)
    }

    fn ship_ahead_max(&self) -> Option<Span> {
        Some(SHIP_AHEAD_MAX)
    }

    fn track_batch_max(&self) -> usize {
        TRACK_BATCH_MAX
    }

    fn can_quote(&self) -> bool {
        true
    }
}

impl Account {
    async fn quote(&self, request: &QuoteRequest) -> Result<Read<Vec<Quote>>, CarrierError> {
        let body = request::rates(request, &self.account).map_err(|unfit| self.caller.unfit(unfit))?;
        let body = self.caller.json(&body)?;
        let response = self.send(Method::POST, self.rates.clone()?, body, None).await?;
        if response.status() != StatusCode::OK {
            return Err(self.caller.refusal(&response, response::complaint));
        }
        response::quotes(response.body(), request.time_zone.wall(request.ship_at)).map_err(|why| self.caller.unreadable("rates", why))
    }

    async fn buy_label(&self, request: &LabelRequest) -> Result<Read<Label>, CarrierError> {
        let key = HeaderValue::from_str(&request::message_reference(&request.key));
        let key = key.map_err(|e| self.caller.unsent("idempotency key", e))?;
        let body = request::shipment(request, &self.account).map_err(|unfit| self.caller.unfit(unfit))?;
        let body = self.caller.json(&body)?;
        let response = self.send(Method::POST, self.shipments.clone()?, body, Some(key)).await?;
        if !response.status().is_success() {
            return Err(self.caller.refusal(&response, response::complaint));
        }
        response::label(response.body()).map_err(|why| self.caller.unreadable("shipment", why))
    }

    async fn track(&self, numbers: &[TrackingNumber], found: &mut Vec<Tracking>, skips: &mut Skips) -> Result<(), CarrierError> {
        let uri = self.caller.uri(&request::tracking(numbers))?;
        let response = self.send(Method::GET, uri, Bytes::new(), None).await?;
        match response.status() {
            StatusCode::OK => tracking::tracking(response.body(), found, skips).map_err(|why| self.caller.unreadable("tracking", why)),
            // None of the numbers is known.
            StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.caller.refusal(&response, response::complaint)),
        }
    }

    async fn send(&self, method: Method, uri: Uri, body: Bytes, key: Option<HeaderValue>) -> Result<Response<Bytes>, CarrierError> {
        let mut request = caller::request(method, uri, Some(self.authorization.clone()?), body);
        if let Some(key) = key {
            request.headers_mut().insert(MESSAGE_REFERENCE, key);
        }
        self.caller.call(request).await
    }
}
