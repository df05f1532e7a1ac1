//! USPS API v3, domestic parcels: OAuth2 tokens, prices (`/shipments/v3/options/search`, all mail classes in one answer),
//! labels (`/labels/v3/label`, ZPL at 203 dpi), tracking and cancelling. International mail is another API and is not
//! offered here: the answer to such a quote is empty. Territories are domestic, some of them with a customs form.
//!
//! **Batteries** are declared as a consumer device with its battery inside, below the sizes that need a mark.
//!
//! **Which price.** USPS answers several prices per mail class: flat-rate envelopes and boxes, presort, cubic. A channel
//! has one, so the driver takes the plain single piece in our own packaging (see [`response::plain_rank`]) of the
//! processing category that weight and size give, and asks for exactly that when it buys.
//!
//! **The same key gives the same label.** Labels 3.9.13 take an `X-Idempotency-Key`, "a randomly generated UUID and unique per
//! customer (CRID) across all label creation requests": "when the same idempotency key is resubmitted with an identical
//! request payload, the API will return the existing label without creating a duplicate or charging additional postage". Ours
//! is made of our key and whom the parcel is for ([`request::idempotency_key`]). How long a key lives is not said, nor what is
//! answered to another payload under a known one, as when the mailing date has moved on: then the label is asked for by its
//! key (`POST /label-reprint`; up to the mailing date, three times, not once it is cancelled), and bought only if there is none.
//!
//! **Giving back** (`DELETE /label/{number}`): 400 and "has already been submitted" means done before, "Order not found" that
//! there is no such label, "cannot be submitted" that it cannot be.
//!
//! **Tracking** is asked at `/tracking/v3r2/tracking`, 35 numbers in one POST: the documented 3.2 way for one number,
//! `GET /tracking/v3/tracking/{number}`, gives the same body without the list round it.

mod codes;
pub(super) mod request;
mod response;
#[cfg(test)]
mod tests;
mod token;
mod tracking;

use super::answer::{Read, Skips};
use super::caller::{self, Caller};
use super::{CarrierDriver, CarrierError, CarrierSettings, LostAnswer, Secret};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use request::Payer;
use std::sync::Arc;
use token::TokenCell;
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, Tracking};
use twin::defect::Defect;
use twin::{Address, CarrierId, Span, TrackingNumber};

/// Labels are for mailing dates up to seven days ahead; one less, as its today may be another than the warehouse's.
const SHIP_AHEAD_MAX: Span = Span::from_hours(6 * 24);
/// Numbers in one tracking call (USPS tracking v3r2).
const TRACK_BATCH_MAX: usize = 35;

const PAYMENT_TOKEN: HeaderName = HeaderName::from_static("x-payment-authorization-token");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");

/// Whether a call needs the payment token as well, and the key that makes it a purchase.
enum Payment {
    None,
    Token { idempotency_key: Option<HeaderValue> },
}

/// One USPS account.
pub struct Usps(Arc<Counter>);

struct Counter {
    caller: Caller,
    secret: Secret,
    payer: Payer,
    access: TokenCell,
    payment: TokenCell,
    search: Result<Uri, CarrierError>,
    label: Result<Uri, CarrierError>,
    reprint: Result<Uri, CarrierError>,
    tracking: Result<Uri, CarrierError>,
}

impl Usps {
    pub(super) fn new(settings: &CarrierSettings, secret: &Secret, caller: Caller) -> Self {
        Usps(Arc::new(Counter {
            secret: secret.clone(),
            payer: Payer::read(&settings.account),
            access: TokenCell::default(),
            payment: TokenCell::default(),
            search: caller.uri("/shipments/v3/options/search"),
            label: caller.uri("/labels/v3/label"),
            reprint: caller.uri("/labels/v3/label-reprint"),
            tracking: caller.uri("/tracking/v3r2/tracking"),
            caller,
        }))
    }
}

/// Whether it is domestic mail.
fn is_offered(from: &Address, to: &Address) -> bool {
    from.is_in_us_post() && to.is_in_us_post()
}

impl CarrierDriver for Usps {
    fn id(&self) -> &CarrierId {
        &self.0.caller.carrier
    }

    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        let counter = self.0.clone();
        Box::pin(async move { counter.quote(&request).await })
    }

    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        let counter = self.0.clone();
        Box::pin(async move { counter.buy_label(&request).await })
    }

    fn lost_answer(&self) -> LostAnswer {
        LostAnswer::SameKeySameLabel
    }

    fn find_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Option<Read<Label>>, CarrierError>> {
        let counter = self.0.clone();
        Box::pin(async move { counter.find_label(&request).await })
    }

    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>> {
        let counter = self.0.clone();
        Box::pin(async move {
            let (mut found, mut skips) = (Vec::with_capacity(numbers.len()), Skips::default());
            for batch in numbers.chunks(TRACK_BATCH_MAX) {
                counter.track(batch, &mut found, &mut skips).await?;
            }
            Ok(Read { value: found, skipped: skips.into_list() })
        })
    }

    fn void_label(&self, tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        let counter = self.0.clone();
        Box::pin(async move { counter.void_label(tracking).await })
    }

    fn fits(&self, request: &LabelRequest) -> Result<(), Defect> {
        // Another country is not a fault of the address: there is no price for it.
        if !is_offered(&request.from, &request.to) {
            return Ok(());
        }
        request::label(request).map(drop)
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

impl Counter {
    async fn quote(&self, request: &QuoteRequest) -> Result<Read<Vec<Quote>>, CarrierError> {
        if !is_offered(&request.from, &request.to) {
            return Ok(Vec::new().into());
        }
        let body = request::options_search(request, &self.payer).map_err(|unfit| self.caller.unfit(unfit))?;
        let body = self.caller.json(&body)?;
        let response = self.authorized(Method::POST, self.search.clone()?, body, Payment::None).await?;
        if response.status() != StatusCode::OK {
            return Err(self.caller.refusal(&response, response::complaint));
        }
        let category = request::category(request.weight_g, request.dims);
        let day = request::mailing_day(request.ship_at, &request.time_zone);
        response::quotes(response.body(), category, day).map_err(|why| self.caller.unreadable("prices", why))
    }

    async fn buy_label(&self, request: &LabelRequest) -> Result<Read<Label>, CarrierError> {
        if !is_offered(&request.from, &request.to) {
            return Err(self.caller.not_offered("labels are domestic: both addresses must be in the US"));
        }
        let body = self.caller.json(&request::label(request).map_err(|unfit| self.caller.unfit(unfit))?)?;
        let response = self.authorized(Method::POST, self.label.clone()?, body, self.purchase(request)?).await?;
        if response.status().is_success() {
            return response::label(response.body()).map_err(|why| self.caller.unreadable("label", why));
        }
        let refusal = self.caller.refusal(&response, response::complaint);
        if response::is_of_key(&refusal)
            && let Some(label) = self.find_label(request).await?
        {
            return Ok(label);
        }
        Err(refusal)
    }

    async fn find_label(&self, request: &LabelRequest) -> Result<Option<Read<Label>>, CarrierError> {
        let body = self.caller.json(&request::REPRINT)?;
        let response = self.authorized(Method::POST, self.reprint.clone()?, body, self.purchase(request)?).await?;
        if response.status().is_success() {
            return response::label(response.body()).map(Some).map_err(|why| self.caller.unreadable("label", why));
        }
        let refusal = self.caller.refusal(&response, response::complaint);
        if response::is_unknown(&refusal) { Ok(None) } else { Err(refusal) }
    }

    fn purchase(&self, request: &LabelRequest) -> Result<Payment, CarrierError> {
        let key = HeaderValue::from_str(&request::idempotency_key(request));
        Ok(Payment::Token { idempotency_key: Some(key.map_err(|e| self.caller.unsent("idempotency key", e))?) })
    }

    async fn track(&self, numbers: &[TrackingNumber], found: &mut Vec<Tracking>, skips: &mut Skips) -> Result<(), CarrierError> {
        let body = self.caller.json(&request::tracking(numbers))?;
        let response = self.authorized(Method::POST, self.tracking.clone()?, body, Payment::None).await?;
        match response.status() {
            StatusCode::OK | StatusCode::MULTI_STATUS => {
                tracking::tracking(response.body(), found, skips).map_err(|why| self.caller.unreadable("tracking", why))
            }
            // None of the numbers is known.
            StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.caller.refusal(&response, response::complaint)),
        }
    }

    async fn void_label(&self, tracking: TrackingNumber) -> Result<(), CarrierError> {
        let uri = self.caller.uri(&format!("/labels/v3/label/{tracking}"))?;
        let response = self.authorized(Method::DELETE, uri, Bytes::new(), Payment::Token { idempotency_key: None }).await?;
        if response.status().is_success() {
            return Ok(());
        }
        let refusal = self.caller.refusal(&response, response::complaint);
        if response::is_given_back(&refusal) {
            return Ok(());
        }
        Err(if response::is_unknown(&refusal) { self.caller.not_known(&response, response::complaint) } else { refusal })
    }

    /// Sends with a token; with a fresh one once more where the token was refused.
    async fn authorized(&self, method: Method, uri: Uri, body: Bytes, payment: Payment) -> Result<Response<Bytes>, CarrierError> {
        let mut renewed = false;
        loop {
            let access = self.access.get(&self.caller.clock, self.fetch_access()).await?;
            let mut request = caller::request(method.clone(), uri.clone(), Some(access.clone()), body.clone());
            let mut paid_with = None;
            if let Payment::Token { idempotency_key: key } = &payment {
                let token = self.payment.get(&self.caller.clock, self.fetch_payment(&access)).await?;
                request.headers_mut().insert(PAYMENT_TOKEN, token.clone());
                if let Some(key) = key {
                    request.headers_mut().insert(IDEMPOTENCY_KEY, key.clone());
                }
                paid_with = Some(token);
            }
            let response = self.caller.call(request).await?;
            if response.status() != StatusCode::UNAUTHORIZED || renewed {
                return Ok(response);
            }
            renewed = true;
            self.access.forget(&access);
            if let Some(token) = paid_with {
                self.payment.forget(&token);
            }
        }
    }

    async fn fetch_access(&self) -> Result<(HeaderValue, twin::Span), CarrierError> {
        let body = self.caller.json(&request::access(&self.secret))?;
        let request = caller::request(Method::POST, self.caller.uri("/oauth2/v3/token")?, None, body);
        let response = self.token(request).await?;
        response::access(response.body()).map_err(|why| self.caller.unsent("access token", why))
    }

    async fn fetch_payment(&self, access: &HeaderValue) -> Result<(HeaderValue, twin::Span), CarrierError> {
        let body = self.caller.json(&request::payment(&self.payer))?;
        let uri = self.caller.uri("/payments/v3/payment-authorization")?;
        let request = caller::request(Method::POST, uri, Some(access.clone()), body);
        let response = self.token(request).await?;
        response::payment(response.body()).map_err(|why| self.caller.unsent("payment token", why))
    }

    async fn token(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CarrierError> {
        let response = self.caller.call(request).await?;
        if response.status().is_success() { Ok(response) } else { Err(self.caller.refusal(&response, response::complaint)) }
    }
}
