//! A forwarder or direct line (专线) that publishes a rate sheet and has no rate API: labels and tracking over a small JSON
//! API of our own, for the gateway in front of such a company. Its channels need a tariff; it never quotes.
//!
//! Every call carries `Authorization: Bearer <secret>`. Weights are grams, sizes millimetres, times RFC 3339 in UTC,
//! amounts decimal strings.
//!
//! ```text
//! POST /v1/labels                      Idempotency-Key: <key>   the same key always gives the first answer again
//!   {"customer":"C100","reference":"AMA-000001-1","service":"CN-US-PLUS",
//!    "from":{"name":"","company":"","street":"","street2":"","city":"","region":"","postcode":"","country":"CN",
//!            "phone":"","email":"","tax_id":""}, "to":{…},
//!    "weight_g":350,"dims_mm":[200,150,40],"value":{"amount":"12.50","currency":"USD"},
//!    "contents":"phone case","battery":false,"ship_at":"2026-11-09T10:00:00Z"}
//! 201 {"tracking":"LA473124829CN","charged":{"amount":"31.20","currency":"CNY"},     charged may be missing
//!      "label":{"format":"zpl","base64":"…"}}                                        tracking is a UPU S10 number
//!
//! GET /v1/tracking?numbers=LA473124829CN,LA473124832CN                               at most 100; unknown ones are left out
//! 200 {"parcels":[{"number":"LA473124829CN","events":[                               oldest first
//!      {"at":"2026-11-09T18:20:00Z","code":"accepted","text":"Received","place":"Shenzhen"}]}]}
//!
//! DELETE /v1/labels/LA473124829CN
//! 204                                              also if it was given back before; 404 where no label has that number,
//!                                                  409 once the parcel has been handed over
//!
//! any other status  {"error":{"code":"unknown_service","message":"…"}}
//! ```
//!
//! **The same key gives the same label**: it is our own API, and says so.
//!
//! `code` of an event is one of the names in [`codes`]; an unknown one is taken as an exception.

mod codes;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod tracking;

use super::answer::{Read, Skips};
use super::caller::{self, Caller, sensitive};
use super::{CarrierDriver, CarrierError, CarrierSettings, LostAnswer, Secret};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::sync::Arc;
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, Tracking};
use twin::defect::Defect;
use twin::{CarrierId, TrackingNumber, s10};

/// Numbers in one tracking call.
const TRACK_BATCH_MAX: usize = 100;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One customer account with a forwarder.
pub struct Forwarder(Arc<Account>);

struct Account {
    caller: Caller,
    customer: String,
    authorization: Result<HeaderValue, CarrierError>,
    labels: Result<Uri, CarrierError>,
}

impl Forwarder {
    pub(super) fn new(settings: &CarrierSettings, secret: &Secret, caller: Caller) -> Self {
        let bearer = sensitive(&format!("Bearer {}", secret.reveal()));
        Forwarder(Arc::new(Account {
            customer: settings.account.clone(),
            authorization: bearer.ok_or_else(|| caller.unsent("secret", "it has characters no header can carry")),
            labels: caller.uri("/v1/labels"),
            caller,
        }))
    }
}

impl CarrierDriver for Forwarder {
    fn id(&self) -> &CarrierId {
        &self.0.caller.carrier
    }

    fn quote(&self, _request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        let refusal = self.0.caller.not_offered("it has no rate API: its channels are rated by their tariff");
        Box::pin(std::future::ready(Err(refusal)))
    }

    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        let desk = self.0.clone();
        Box::pin(async move { desk.buy_label(&request).await })
    }

    fn lost_answer(&self) -> LostAnswer {
        LostAnswer::SameKeySameLabel
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

    fn void_label(&self, tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        let desk = self.0.clone();
        Box::pin(async move { desk.void_label(tracking).await })
    }

    fn fits(&self, request: &LabelRequest) -> Result<(), Defect> {
        request::label(request, &self.0.customer).map(drop)
    }

    fn track_batch_max(&self) -> usize {
        TRACK_BATCH_MAX
    }

    fn can_quote(&self) -> bool {
        false
    }
}

impl Account {
    async fn buy_label(&self, request: &LabelRequest) -> Result<Read<Label>, CarrierError> {
        let key = HeaderValue::from_str(&request.key).map_err(|e| self.caller.unsent("idempotency key", e))?;
        let body = request::label(request, &self.customer).map_err(|unfit| self.caller.unfit(unfit))?;
        let body = self.caller.json(&body)?;
        let mut post = caller::request(Method::POST, self.labels.clone()?, Some(self.authorization.clone()?), body);
        post.headers_mut().insert(IDEMPOTENCY_KEY, key);
        let response = self.caller.call(post).await?;
        if !response.status().is_success() {
            return Err(self.caller.refusal(&response, response::complaint));
        }
        let label = response::label(response.body()).map_err(|why| self.caller.unreadable("label", why))?;
        if s10::is_valid(label.value.tracking.as_str()) {
            return Ok(label);
        }
        Err(self.caller.unreadable("label", format!("{:?} is no UPU S10 number", label.value.tracking.as_str())))
    }

    async fn track(&self, numbers: &[TrackingNumber], found: &mut Vec<Tracking>, skips: &mut Skips) -> Result<(), CarrierError> {
        let uri = self.caller.uri(&request::tracking(numbers))?;
        let get = caller::request(Method::GET, uri, Some(self.authorization.clone()?), Bytes::new());
        let response = self.caller.call(get).await?;
        if response.status() != StatusCode::OK {
            return Err(self.caller.refusal(&response, response::complaint));
        }
        tracking::tracking(response.body(), found, skips).map_err(|why| self.caller.unreadable("tracking", why))
    }

    async fn void_label(&self, tracking: TrackingNumber) -> Result<(), CarrierError> {
        let uri = self.caller.uri(&format!("/v1/labels/{tracking}"))?;
        let delete = caller::request(Method::DELETE, uri, Some(self.authorization.clone()?), Bytes::new());
        let response = self.caller.call(delete).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Err(self.caller.not_known(&response, response::complaint)),
            _ => Err(self.caller.refusal(&response, response::complaint)),
        }
    }
}
