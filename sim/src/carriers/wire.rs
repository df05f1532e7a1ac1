//! The HTTP wire of a simulation: a host name leads to a router that is called in process.
//!
//! It models what a network adds: latency, drawn per host from a stream of its own, and faults that a scenario switches
//! while it runs. It opens no socket and knows nothing of what it carries.

use crate::luck::Luck;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use drivers::{Clock, HttpWire, WireError};
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tower::ServiceExt;
use twin::Span;

/// How long an answer takes: `base_ms`, and up to `jitter_ms` more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencyModel {
    pub base_ms: u32,
    pub jitter_ms: u32,
}

/// What can go wrong between us and a host. Each kind is on or off by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Requests do not arrive; they wait until the fault is cleared, which the caller rarely does.
    Timeouts,
    /// Requests arrive and are obeyed, and the answers never come back: the case that idempotency keys are for.
    AnswersLost,
    /// So many of a million requests are answered 500 without being obeyed.
    Errors500 { ppm: u32 },
    /// The same, of the requests that give something back (`DELETE`) alone.
    VoidErrors { ppm: u32 },
    /// Answers take so much longer.
    Slow { ms: u32 },
}

struct Host {
    router: Router,
    latency: LatencyModel,
    weather: Mutex<Weather>,
    cleared: Notify,
}

struct Weather {
    luck: Luck,
    unreachable: bool,
    answers_lost: bool,
    errors_ppm: u32,
    void_errors_ppm: u32,
    slow_ms: u32,
}

/// Cheap to clone; all clones are the same wire.
#[derive(Clone)]
pub struct SimWire(Arc<Switchboard>);

struct Switchboard {
    clock: Clock,
    seed: u64,
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
}

impl SimWire {
    pub fn new(clock: Clock, seed: u64) -> Self {
        SimWire(Arc::new(Switchboard { clock, seed, hosts: Mutex::new(BTreeMap::new()) }))
    }

    /// `host` (`usps.sim`) is answered by `router` from now on.
    pub fn mount(&self, host: &str, router: Router, latency: LatencyModel) {
        let luck = Luck::of(self.0.seed, host, "wire");
        let weather = Weather { luck, unreachable: false, answers_lost: false, errors_ppm: 0, void_errors_ppm: 0, slow_ms: 0 };
        let host_entry = Host { router, latency, weather: Mutex::new(weather), cleared: Notify::new() };
        self.hosts().insert(host.to_owned(), Arc::new(host_entry));
    }

    /// Switches a fault. `false`: there is no such host.
    pub fn fault(&self, host: &str, fault: Fault, on: bool) -> bool {
        let Some(host) = self.find(host) else { return false };
        {
            let mut weather = host.weather();
            match fault {
                Fault::Timeouts => weather.unreachable = on,
                Fault::AnswersLost => weather.answers_lost = on,
                Fault::Errors500 { ppm } => weather.errors_ppm = if on { ppm } else { 0 },
                Fault::VoidErrors { ppm } => weather.void_errors_ppm = if on { ppm } else { 0 },
                Fault::Slow { ms } => weather.slow_ms = if on { ms } else { 0 },
            }
        }
        host.cleared.notify_waiters();
        true
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Host>>> {
        self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, host: &str) -> Option<Arc<Host>> {
        self.hosts().get(host).cloned()
    }
}

impl HttpWire for SimWire {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, WireError>> {
        let name = request.uri().host().unwrap_or_default();
        match self.find(name) {
            Some(host) => {
                let clock = self.0.clock.clone();
                Box::pin(async move { host.answer(&clock, request).await })
            }
            None => {
                let unreachable = WireError::Unreachable { host: name.to_owned(), why: "no such host in this simulation".into() };
                Box::pin(std::future::ready(Err(unreachable)))
            }
        }
    }
}

impl Host {
    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, clock: &Clock, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        self.until(|weather| !weather.unreachable).await;
        let (wait, fails) = {
            let mut weather = self.weather();
            let jitter = if self.latency.jitter_ms > 0 { weather.luck.between(0, i64::from(self.latency.jitter_ms)) } else { 0 };
            let ppm = if request.method() == Method::DELETE { weather.errors_ppm.max(weather.void_errors_ppm) } else { weather.errors_ppm };
            let fails = ppm > 0 && weather.luck.chance_ppm(ppm);
            (i64::from(self.latency.base_ms) + jitter + i64::from(weather.slow_ms), fails)
        };
        // Half of the way there, half of it back.
        if wait > 0 {
            clock.sleep(Span::from_us(wait * 500)).await;
        }
        let response = if fails { Ok(broken()) } else { self.route(request).await };
        if wait > 0 {
            clock.sleep(Span::from_us(wait * 500)).await;
        }
        self.until(|weather| !weather.answers_lost).await;
        response
    }

    /// Waits for better weather.
    async fn until(&self, fair: impl Fn(&Weather) -> bool) {
        loop {
            let cleared = self.cleared.notified();
            if fair(&self.weather()) {
                return;
            }
            cleared.await;
        }
    }

    async fn route(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        let Ok(response) = self.router.clone().oneshot(request.map(Body::from)).await;
        let (head, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(why) => Err(WireError::Unreachable { host: "-".into(), why: why.to_string() }),
        }
    }
}

fn broken() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"Internal Server Error"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
