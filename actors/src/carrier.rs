//! One carrier: quotes, labels and tracking through its driver, a bounded number of calls at a time. Holds back when the
//! carrier fails again and again, and asks again for every label until it has an answer.

use crate::config::CarrierConfig;
use crate::{Host, House, ParcelMsg};
use drivers::carriers::{CarrierDriver, CarrierError};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::{SmolStr, ToSmolStr};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use twin::carrier::{Carrier, Command};
use twin::channel::{LabelRequest, Quote, QuoteRequest, TrackStatus, Tracking};
use twin::{Moment, ParcelId, Span, TrackingNumber};

/// Failures in a row after which the carrier is left alone for a while.
pub const FAILURES_MAX: u32 = 8;
/// How long it is left alone at first; doubles up to [`PAUSE_MAX`].
pub const PAUSE_FIRST: Span = Span::from_secs(5);
pub const PAUSE_MAX: Span = Span::from_mins(5);
/// Between two attempts to buy one label; doubles with each, up to [`PAUSE_MAX`].
pub const RETRY_FIRST: Span = Span::from_ms(500);
/// Attempts after which a label counts as refused.
pub const ATTEMPTS_MAX: u32 = 60;
/// A parcel without news for this long is looked at no more.
pub const WATCH_MAX: Span = Span::from_hours(24 * 60);

pub type QuoteReply = Box<dyn FnOnce(Result<Vec<Quote>, SmolStr>) + Send>;

pub enum CarrierMsg {
    Quote(Box<QuoteRequest>, QuoteReply),
    BuyLabel(Box<LabelRequest>),
    /// Look at this number from now on until the parcel has arrived.
    Watch {
        parcel: ParcelId,
        tracking: TrackingNumber,
        first_after: Span,
    },
    /// Time to look at the numbers that are due.
    Look,
    /// A call came back.
    Returned(Call),
    /// The pause is over, or a retry is due.
    Resume,
}

/// A call's outcome, with what is needed to go on.
pub enum Call {
    Quoted(Result<Vec<Quote>, CarrierError>, QuoteReply),
    Bought(Box<LabelRequest>, u32, Result<twin::channel::Label, CarrierError>),
    Tracked(Vec<Watched>, Result<Vec<Tracking>, CarrierError>),
}

#[derive(Clone)]
pub struct Watched {
    parcel: ParcelId,
    tracking: TrackingNumber,
    since: Moment,
}

enum Job {
    Quote(Box<QuoteRequest>, QuoteReply),
    Label(Box<LabelRequest>, u32),
    Track(Vec<Watched>),
}

pub struct CarrierActor;

pub struct CarrierArguments {
    pub house: Arc<House>,
    pub config: CarrierConfig,
}

pub struct CarrierState {
    house: Arc<House>,
    myself: ActorRef<CarrierMsg>,
    config: CarrierConfig,
    driver: Arc<dyn CarrierDriver>,
    host: Host<Carrier>,
    queue: VecDeque<Job>,
    calls: usize,
    failures: u32,
    paused_until: Moment,
    watched: BTreeMap<Moment, Vec<Watched>>,
    /// The earliest look that is set.
    look_at: Option<Moment>,
}

impl Actor for CarrierActor {
    type Msg = CarrierMsg;
    type State = CarrierState;
    type Arguments = CarrierArguments;

    async fn pre_start(&self, myself: ActorRef<CarrierMsg>, args: CarrierArguments) -> Result<CarrierState, ActorProcessingErr> {
        let CarrierArguments { house, config } = args;
        let driver = house.drivers.get(config.id()).ok_or_else(|| format!("carrier {} has no driver", config.id()))?.clone();
        let host = Host::load(&house.twin, config.id().text().clone())?;
        if let Some(seat) = house.carriers.get(config.id()) {
            seat.take(myself.clone());
        }
        Ok(CarrierState {
            house,
            myself,
            config,
            driver,
            host,
            queue: VecDeque::new(),
            calls: 0,
            failures: 0,
            paused_until: Moment(i64::MIN),
            watched: BTreeMap::new(),
            look_at: None,
        })
    }

    async fn handle(&self, _: ActorRef<CarrierMsg>, message: CarrierMsg, carrier: &mut CarrierState) -> Result<(), ActorProcessingErr> {
        match message {
            // A quote that must wait for a pause is better answered without.
            CarrierMsg::Quote(_, reply) if carrier.is_paused() => reply(Err("the carrier does not answer just now".into())),
            CarrierMsg::Quote(request, reply) => carrier.queue.push_back(Job::Quote(request, reply)),
            CarrierMsg::BuyLabel(request) if carrier.queue.len() >= carrier.house.config.limits.carrier_queue_max => {
                let why = smol_str::format_smolstr!("{} labels wait already", carrier.house.config.limits.carrier_queue_max);
                carrier.house.tell(request.parcel, ParcelMsg::Label(Err(why)));
            }
            CarrierMsg::BuyLabel(request) => carrier.queue.push_back(Job::Label(request, 0)),
            CarrierMsg::Watch { parcel, tracking, first_after } => {
                let since = carrier.house.clock.now();
                carrier.watch(since + first_after, Watched { parcel, tracking, since });
            }
            CarrierMsg::Look => carrier.look(),
            CarrierMsg::Returned(call) => {
                carrier.calls -= 1;
                carrier.returned(call)?;
            }
            CarrierMsg::Resume => {}
        }
        carrier.run();
        Ok(())
    }
}

impl CarrierState {
    fn is_paused(&self) -> bool {
        self.house.clock.now() < self.paused_until
    }

    /// Sends off what is queued, as far as the limits allow.
    fn run(&mut self) {
        while self.calls < self.house.config.limits.carrier_calls_max && !self.is_paused() {
            let Some(job) = self.queue.pop_front() else { return };
            self.calls += 1;
            let (myself, driver) = (self.myself.clone(), self.driver.clone());
            tokio::spawn(async move {
                let call = match job {
                    Job::Quote(request, reply) => Call::Quoted(driver.quote(*request).await, reply),
                    Job::Label(request, attempts) => {
                        let outcome = driver.buy_label((*request).clone()).await;
                        Call::Bought(request, attempts + 1, outcome)
                    }
                    Job::Track(batch) => {
                        let outcome = driver.track(batch.iter().map(|w| w.tracking.clone()).collect()).await;
                        Call::Tracked(batch, outcome)
                    }
                };
                // A carrier that fell meanwhile re-asks from the twin.
                let _ = myself.cast(CarrierMsg::Returned(call));
            });
        }
    }

    fn returned(&mut self, call: Call) -> Result<(), ActorProcessingErr> {
        match call {
            Call::Quoted(outcome, reply) => {
                self.felt(outcome.as_ref().err())?;
                reply(outcome.map_err(|e| e.to_smolstr()));
            }
            Call::Bought(request, attempts, outcome) => {
                self.felt(outcome.as_ref().err())?;
                match outcome {
                    Err(e) if e.is_transient() && attempts < ATTEMPTS_MAX => {
                        let pause = Span((RETRY_FIRST * (1 << attempts.min(12))).0.min(PAUSE_MAX.0));
                        self.queue.push_back(Job::Label(request, attempts));
                        self.wake_after(pause);
                    }
                    outcome => self.house.tell(request.parcel, ParcelMsg::Label(outcome.map_err(|e| e.to_smolstr()))),
                }
            }
            Call::Tracked(batch, outcome) => {
                self.felt(outcome.as_ref().err())?;
                self.tracked(batch, outcome.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Counts failures in a row; pauses and resumes, and says so in the twin.
    fn felt(&mut self, error: Option<&CarrierError>) -> Result<(), ActorProcessingErr> {
        let command = match error {
            Some(e) if e.is_transient() => {
                self.failures += 1;
                if self.failures < FAILURES_MAX {
                    return Ok(());
                }
                let doublings = (self.failures - FAILURES_MAX).min(8);
                let pause = Span((PAUSE_FIRST * (1 << doublings)).0.min(PAUSE_MAX.0));
                self.paused_until = self.house.clock.now() + pause;
                self.wake_after(pause);
                Command::Suspend { why: e.to_smolstr() }
            }
            _ if self.failures == 0 => return Ok(()),
            _ => {
                self.failures = 0;
                Command::Resume
            }
        };
        let mut work = self.house.work();
        self.host.command(&mut work, command)?;
        self.house.commit(work);
        Ok(())
    }

    fn wake_after(&self, span: Span) {
        let myself = self.myself.clone();
        self.house.clock.after(span, move || drop(myself.cast(CarrierMsg::Resume)));
    }

    fn watch(&mut self, at: Moment, watched: Watched) {
        // Whole minutes, so that numbers come due together and share a call.
        let minute = Span::from_mins(1).0;
        let at = Moment((at.0 + minute - 1).div_euclid(minute) * minute);
        self.watched.entry(at).or_default().push(watched);
        self.set_look();
    }

    fn set_look(&mut self) {
        let Some((&first, _)) = self.watched.first_key_value() else { return };
        if self.look_at.is_none_or(|at| first < at) {
            self.look_at = Some(first);
            let myself = self.myself.clone();
            self.house.clock.at(first, move || drop(myself.cast(CarrierMsg::Look)));
        }
    }

    fn look(&mut self) {
        let now = self.house.clock.now();
        self.look_at = None;
        let later = self.watched.split_off(&(now + Span(1)));
        let due: Vec<Watched> = std::mem::replace(&mut self.watched, later).into_values().flatten().collect();
        for batch in due.chunks(self.driver.track_batch_max().max(1)) {
            self.queue.push_back(Job::Track(batch.to_vec()));
        }
        self.set_look();
    }

    fn tracked(&mut self, batch: Vec<Watched>, news: Vec<Tracking>) {
        let now = self.house.clock.now();
        let mut news: BTreeMap<TrackingNumber, Vec<_>> = news.into_iter().map(|t| (t.number, t.events)).collect();
        let next = now + Span::from_hours(i64::from(self.config.track_every_h.max(1)));
        for watched in batch {
            let events = news.remove(&watched.tracking).unwrap_or_default();
            let ended = events.iter().any(|e| matches!(e.status, TrackStatus::Delivered | TrackStatus::Returned | TrackStatus::Lost));
            if !events.is_empty() {
                self.house.tell(watched.parcel.clone(), ParcelMsg::Track(events));
            }
            if ended {
                continue;
            }
            if now - watched.since > WATCH_MAX {
                self.house.tell(watched.parcel, ParcelMsg::Alarm("no news of it for sixty days".into()));
            } else {
                self.watch(next, watched);
            }
        }
    }
}
