//! A token that is fetched when first needed and again shortly before it ends, by one caller while the others wait.
//! It keeps the token in memory only.

use crate::Clock;
use crate::carriers::CarrierError;
use http::HeaderValue;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use twin::{Moment, Span};

/// A token is renewed this long before it ends, so that it does not end on its way.
const RENEW_BEFORE: Span = Span::from_secs(60);

#[derive(Default)]
pub struct TokenCell {
    held: Mutex<Option<(HeaderValue, Moment)>>,
    /// Held by the one caller that fetches.
    fetching: tokio::sync::Mutex<()>,
}

impl TokenCell {
    /// The token in hand, or the one that `fetch` gives with its length of life.
    pub async fn get<F>(&self, clock: &Clock, fetch: F) -> Result<HeaderValue, CarrierError>
    where
        F: Future<Output = Result<(HeaderValue, Span), CarrierError>>,
    {
        if let Some(token) = self.fresh(clock) {
            return Ok(token);
        }
        let _turn = self.fetching.lock().await;
        if let Some(token) = self.fresh(clock) {
            return Ok(token);
        }
        let asked = clock.steady();
        let (token, life) = fetch.await?;
        *self.lock() = Some((token.clone(), asked + life - RENEW_BEFORE));
        Ok(token)
    }

    /// Drops `refused`, unless somebody has already put another in its place.
    pub fn forget(&self, refused: &HeaderValue) {
        let mut held = self.lock();
        if held.as_ref().is_some_and(|(token, _)| token == refused) {
            *held = None;
        }
    }

    fn fresh(&self, clock: &Clock) -> Option<HeaderValue> {
        let held = self.lock();
        let (token, until) = held.as_ref()?;
        (clock.steady() < *until).then(|| token.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<(HeaderValue, Moment)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
