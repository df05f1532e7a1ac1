//! One carrier: quotes, labels and tracking through its driver, a bounded number of calls at a time. Holds back when the
//! carrier fails again and again, and asks again for every label until it has an answer. A call that dies counts as one
//! that broke off.

use crate::config::CarrierConfig;
use crate::order_desk::{DeskMsg, Reply};
use crate::origin::Cause;
use crate::parcels::{ParcelsMsg, Whose};
use crate::{Answer, Host, House, Outgoing, ParcelMsg, Seat, Told, origin};
use drivers::WireError;
use drivers::carriers::{CarrierDriver, CarrierError, LostAnswer, Read, Skipped};
use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use twin::carrier::{Carrier, Command};
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, TrackEvent, TrackStatus, Tracking};
use twin::verdict::{NoOffer, foreign};
use twin::{Because, By, ChannelId, Moment, Origin, ParcelId, Span, TrackingNumber, WarehouseId};

/// Failures in a row after which the carrier is left alone for a while.
pub const FAILURES_MAX: u32 = 8;
/// How long it is left alone at first; doubles up to [`PAUSE_MAX`].
pub const PAUSE_FIRST: Span = Span::from_secs(5);
pub const PAUSE_MAX: Span = Span::from_mins(5);
/// Between two attempts to buy one label; doubles with each, up to [`PAUSE_MAX`].
pub const RETRY_FIRST: Span = Span::from_ms(500);
/// Attempts after which a label counts as refused, bought or given back.
pub const ATTEMPTS_MAX: u32 = 60;
/// Tracking may take up this part of the calls under way.
const LOOKS_SHARE: usize = 4;
/// Counts the parts of carriers' answers that could not be read, and whole tracking answers that did not come.
const UNREAD: &str = "parceltwin_carrier_answers_unread_total";
/// Looks in a row without a readable answer, at which a parcel is told.
const UNREAD_MAX: u32 = 2;
/// Labels that are kept of a carrier that keeps no keys.
const SOLD_MAX: usize = 256;
/// A parcel without news for this long is looked at no more.
pub const WATCH_MAX: Span = Span::from_hours(24 * 60);

/// For what the desk asks prices: its round, and the warehouse that the parcel would leave from.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub round: u32,
    pub warehouse: WarehouseId,
}

#[derive(Debug)]
pub enum CarrierMsg {
    Quote(Box<QuoteRequest>, Asked),
    /// `again`: it was asked for before, and nobody knows what came of it.
    BuyLabel {
        request: Box<LabelRequest>,
        again: bool,
    },
    /// A label that nobody will use is to be taken back; asked until the carrier answers.
    Void {
        parcel: ParcelId,
        tracking: TrackingNumber,
    },
    /// What failed last time is due again.
    Retry(Retry),
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
    /// The pause is over.
    Resume,
    /// A person wants it asked again at once. Told once it is durable, as with the two below.
    AskAgain {
        why: SmolStr,
        reply: Reply,
    },
    /// A person takes one of its channels out: nothing new is sent over it.
    TakeChannelOut {
        channel: ChannelId,
        why: SmolStr,
        reply: Reply,
    },
    PutChannelBack {
        channel: ChannelId,
        why: SmolStr,
        reply: Reply,
    },
}

/// A call's outcome, with what is needed to go on.
#[derive(Debug)]
pub enum Call {
    Quoted(Result<Read<Vec<Quote>>, CarrierError>, Asked),
    Bought(Box<LabelRequest>, Attempts, Result<Read<Label>, CarrierError>),
    Tracked(Vec<Watched>, Result<Read<Vec<Tracking>>, CarrierError>),
    Voided { parcel: ParcelId, tracking: TrackingNumber, attempts: u32, outcome: Result<(), CarrierError> },
}

/// What is asked again after a while.
#[derive(Clone, Debug)]
pub enum Retry {
    Label(Box<LabelRequest>, Attempts),
    Void { parcel: ParcelId, tracking: TrackingNumber, attempts: u32 },
}

/// How often one label was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attempts {
    pub made: u32,
    /// Behind one of them it may have been bought.
    pub lost: bool,
}

#[derive(Clone, Debug)]
pub struct Watched {
    parcel: ParcelId,
    tracking: TrackingNumber,
    since: Moment,
    /// Which history of it was passed on last: the sum of its events' marks, whatever their order. 0 for none.
    told: u64,
    /// The same of what could not be read, so that nobody is told of it at each look.
    alarmed: u64,
    /// Looks in a row whose whole answer could not be read.
    unread: u32,
    /// Its way has ended; the next look is the last, unless that says otherwise.
    ended: bool,
}

enum Job {
    Quote(Box<QuoteRequest>, Asked),
    Label(Box<LabelRequest>, Attempts),
    Void { parcel: ParcelId, tracking: TrackingNumber, attempts: u32 },
}

pub struct CarrierActor;

pub struct CarrierArguments {
    pub house: Arc<House>,
    pub config: CarrierConfig,
}

pub struct CarrierState {
    house: Arc<House>,
    /// Its own seat, not the carrier's: what it tells itself ends with it.
    myself: Seat<CarrierMsg>,
    config: CarrierConfig,
    driver: Arc<dyn CarrierDriver>,
    host: Host<Carrier>,
    /// Each with the origin of whoever asked: the answer comes because of it.
    queue: VecDeque<Told<Job>>,
    /// Tracking waits in a line of its own: it never keeps a label from being bought.
    looks: VecDeque<Vec<Watched>>,
    /// The keys of all labels that are being asked for; looked up only.
    asking: HashSet<SmolStr>,
    /// The last labels of a carrier that would not sell them again under their keys: their parcels may fall over them.
    sold: VecDeque<(SmolStr, Label)>,
    /// The numbers that are being given back; looked up only.
    voiding: HashSet<TrackingNumber>,
    calls: usize,
    looking: usize,
    failures: u32,
    pauses: u32,
    paused_until: Moment,
    watched: BTreeMap<Moment, Vec<Watched>>,
    /// All that are watched, so that nothing is watched twice; looked up only.
    watching: HashSet<ParcelId>,
    /// The earliest look that is set.
    look_at: Option<Moment>,
}

impl Actor for CarrierActor {
    type Msg = Told<CarrierMsg>;
    type State = CarrierState;
    type Arguments = CarrierArguments;

    async fn pre_start(&self, myself: ActorRef<Told<CarrierMsg>>, args: CarrierArguments) -> Result<CarrierState, ActorProcessingErr> {
        let CarrierArguments { house, config } = args;
        let driver = house.drivers.get(config.id()).ok_or_else(|| format!("carrier {} has no driver", config.id()))?.clone();
        let host = Host::load(&house.twin, config.id().text().clone())?;
        if let Some(seat) = house.carriers.get(config.id()) {
            seat.take(myself.clone());
        }
        Ok(CarrierState::new(house, Seat::of(myself), config, driver, host))
    }

    async fn post_start(&self, _: ActorRef<Told<CarrierMsg>>, carrier: &mut CarrierState) -> Result<(), ActorProcessingErr> {
        // What the one before was asked. At the start of the house nobody hears this, and all is taken up anyway.
        carrier.house.parcels.cast(ParcelsMsg::TakeUp(Whose::Carrier(carrier.config.id().clone())));
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Told<CarrierMsg>>,
        told: Told<CarrierMsg>,
        carrier: &mut CarrierState,
    ) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || carrier.take(told.message))
    }
}

impl CarrierState {
    fn new(
        house: Arc<House>,
        myself: Seat<CarrierMsg>,
        config: CarrierConfig,
        driver: Arc<dyn CarrierDriver>,
        host: Host<Carrier>,
    ) -> Self {
        CarrierState {
            house,
            myself,
            config,
            driver,
            host,
            queue: VecDeque::new(),
            looks: VecDeque::new(),
            asking: HashSet::new(),
            sold: VecDeque::new(),
            voiding: HashSet::new(),
            calls: 0,
            looking: 0,
            failures: 0,
            pauses: 0,
            paused_until: Moment(i64::MIN),
            watched: BTreeMap::new(),
            watching: HashSet::new(),
            look_at: None,
        }
    }

    fn take(&mut self, message: CarrierMsg) -> Result<(), ActorProcessingErr> {
        match message {
            // A quote that must wait for a pause is better answered without.
            CarrierMsg::Quote(_, asked) if self.is_paused() => self.quoted(asked, Err(NoOffer::Paused)),
            CarrierMsg::Quote(request, asked) => self.queue.push_back(Job::Quote(request, asked).into()),
            // Two askings with one key would be two labels of a carrier that keeps no keys.
            CarrierMsg::BuyLabel { request, .. } if self.asking.contains(&request.key) => {}
            // A carrier that keeps no keys is asked once. What it sold, we may know still; else a person decides.
            CarrierMsg::BuyLabel { request, again: true } if self.driver.lost_answer() == LostAnswer::Neither => {
                let told = match self.sold.iter().find(|(key, _)| *key == request.key) {
                    Some((_, label)) => ParcelMsg::Label(Ok(label.clone())),
                    None => ParcelMsg::LabelLost { why: "it was asked for before, and nobody knows what came of it".into(), decide: true },
                };
                self.house.tell(request.parcel, told);
            }
            CarrierMsg::BuyLabel { request, again } => {
                self.asking.insert(request.key.clone());
                self.enqueue(request, Attempts { made: 0, lost: again });
            }
            CarrierMsg::Retry(Retry::Label(request, attempts)) => self.enqueue(request, attempts),
            CarrierMsg::Retry(Retry::Void { parcel, tracking, attempts }) => {
                self.queue.push_back(Job::Void { parcel, tracking, attempts }.into());
            }
            CarrierMsg::Void { parcel, tracking } => {
                if self.voiding.insert(tracking.clone()) {
                    self.queue.push_back(Job::Void { parcel, tracking, attempts: 0 }.into());
                }
            }
            CarrierMsg::Watch { parcel, tracking, first_after } => {
                let since = self.house.clock.now();
                if !self.watching.insert(parcel.clone()) {
                    return Ok(());
                }
                self.watch(since + first_after, Watched { parcel, tracking, since, told: 0, alarmed: 0, unread: 0, ended: false });
            }
            CarrierMsg::Look => self.look(),
            CarrierMsg::Returned(call) => {
                match &call {
                    Call::Tracked(..) => self.looking -= 1,
                    _ => self.calls -= 1,
                }
                self.returned(call)?;
            }
            CarrierMsg::Resume => {}
            CarrierMsg::AskAgain { why, reply } => {
                (self.failures, self.pauses, self.paused_until) = (0, 0, Moment(i64::MIN));
                self.by_hand(Command::AskAgain { why }, |_| DeskMsg::TryAgain, reply)?;
            }
            CarrierMsg::TakeChannelOut { channel, why, reply } => {
                self.by_hand(Command::TakeChannelOut { channel: channel.clone(), why }, |carrier| carrier.channel_out(channel), reply)?;
            }
            CarrierMsg::PutChannelBack { channel, why, reply } => {
                self.by_hand(Command::PutChannelBack { channel: channel.clone(), why }, |carrier| carrier.channel_out(channel), reply)?;
            }
        }
        self.run();
        Ok(())
    }

    /// Writes down what a person does, tells the desk where that is new, and answers.
    fn by_hand(&mut self, command: Command, told: impl FnOnce(&Self) -> DeskMsg, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        if self.host.command(&mut work, command)? > 0 {
            work.say(Outgoing::Desk(told(self)));
        }
        work.say(Outgoing::Answer(Answer::Done(reply, Ok(()))));
        house.commit(work);
        Ok(())
    }

    fn channel_out(&self, channel: ChannelId) -> DeskMsg {
        let out = self.host.state.channels_out.get(&channel).cloned();
        DeskMsg::ChannelOut { carrier: self.config.id().clone(), channel, out }
    }

    fn quoted(&self, Asked { round, warehouse }: Asked, quotes: Result<Read<Vec<Quote>>, NoOffer>) {
        self.house.desk.cast(DeskMsg::Quotes { round, warehouse, carrier: self.config.id().clone(), quotes });
    }

    fn is_paused(&self) -> bool {
        self.house.clock.steady() < self.paused_until
    }

    /// Queues a label; where too many wait already, it comes again later.
    fn enqueue(&mut self, request: Box<LabelRequest>, attempts: Attempts) {
        if self.queue.len() < self.house.in_force().config.limits.carrier_queue_max {
            self.queue.push_back(Job::Label(request, attempts).into());
        } else {
            self.retry_after(PAUSE_FIRST, Retry::Label(request, attempts));
        }
    }

    fn retry_after(&self, span: Span, retry: Retry) {
        // Because of what it was asked at first.
        let (myself, retry) = (self.myself.clone(), Told::from(CarrierMsg::Retry(retry)));
        // A carrier that fell meanwhile re-asks from the twin.
        self.house.clock.after(span, move || myself.send(retry));
    }

    /// Sends off what is queued, as far as the limits allow.
    fn run(&mut self) {
        let limit = self.house.in_force().config.limits.carrier_calls_max;
        while self.looking < (limit / LOOKS_SHARE).max(1) && !self.is_paused() {
            let Some(batch) = self.looks.pop_front() else { break };
            self.looking += 1;
            let (myself, driver, cause) = (self.myself.clone(), self.driver.clone(), Cause::from(self.said(Because::Nothing)));
            tokio::spawn(async move {
                let outcome = unless_it_panics(|| driver.track(batch.iter().map(|w| w.tracking.clone()).collect())).await;
                // A carrier that fell meanwhile watches what the twin knows.
                myself.send(Told { cause, message: CarrierMsg::Returned(Call::Tracked(batch, outcome)) });
            });
        }
        while self.calls < limit && !self.is_paused() {
            let Some(Told { cause: asked, message: job }) = self.queue.pop_front() else { return };
            let Some(job) = self.timely(&asked, job) else { continue };
            self.calls += 1;
            let (myself, driver, cause) = (self.myself.clone(), self.driver.clone(), Cause::from(self.said(asked.origin().because)));
            tokio::spawn(async move {
                let call = match job {
                    Job::Quote(request, asked) => Call::Quoted(unless_it_panics(|| driver.quote(*request)).await, asked),
                    Job::Label(request, Attempts { made, lost }) => {
                        let outcome = bought(&*driver, &request, lost).await;
                        Call::Bought(request, Attempts { made: made + 1, lost }, outcome)
                    }
                    Job::Void { parcel, tracking, attempts } => {
                        let outcome = unless_it_panics(|| driver.void_label(tracking.clone())).await;
                        Call::Voided { parcel, tracking, attempts: attempts + 1, outcome }
                    }
                };
                // A carrier that fell meanwhile re-asks from the twin.
                myself.send(Told { cause, message: CarrierMsg::Returned(call) });
            });
        }
    }

    /// The job for a pickup that the carrier can be asked for. One that is too far ahead, as behind a long holiday: a price is
    /// asked for the last day that it knows, a label is not bought yet.
    fn timely(&self, asked: &Cause, mut job: Job) -> Option<Job> {
        let last = self.driver.ship_ahead_max().map(|ahead| self.house.clock.date() + ahead);
        match &mut job {
            Job::Quote(request, _) => request.ship_at = request.ship_at.min(last.unwrap_or(request.ship_at)),
            Job::Label(request, attempts) => {
                // It may have waited here until its pickup was over.
                request.ship_at = request.ship_at.max(self.house.next_pickup(self.config.id(), &request.warehouse));
                if let Some(last) = last.filter(|last| request.ship_at > *last) {
                    origin::within(asked.clone(), || self.retry_after(request.ship_at - last, Retry::Label(request.clone(), *attempts)));
                    return None;
                }
            }
            Job::Void { .. } => {}
        }
        Some(job)
    }

    /// The origin of what it answers.
    fn said(&self, because: Because) -> Origin {
        Origin { by: By::Carrier(self.config.id().clone()), because }
    }

    fn returned(&mut self, call: Call) -> Result<(), ActorProcessingErr> {
        match call {
            Call::Quoted(outcome, asked) => {
                self.count_outcome(outcome.as_ref().err())?;
                outcome.iter().for_each(|read| self.say_skipped("prices", &read.skipped));
                self.quoted(asked, outcome.map_err(NoOffer::from));
            }
            Call::Bought(request, attempts, outcome) => {
                self.count_outcome(outcome.as_ref().err())?;
                self.bought(request, attempts, outcome);
            }
            Call::Tracked(mut batch, outcome) => {
                self.count_outcome(outcome.as_ref().err())?;
                self.count_unread(&mut batch, outcome.as_ref().err());
                if let Err(why) = &outcome {
                    tracing::warn!(carrier = %self.config.id(), parcels = batch.len(), why = ?why.to_smolstr(), "no news could be had");
                    metrics::counter!(UNREAD, "carrier" => self.config.id().to_string(), "what" => "tracking").increment(1);
                }
                let news = outcome.unwrap_or_default();
                self.say_skipped("tracking", &news.skipped);
                self.tracked(batch, news);
            }
            Call::Voided { parcel, tracking, attempts, outcome } => {
                self.count_outcome(outcome.as_ref().err())?;
                match outcome {
                    // Some hours later a person should know; they can have it asked again.
                    Err(e) if attempts < ATTEMPTS_MAX && (e.is_transient() || e.may_have_happened()) => {
                        tracing::warn!(%tracking, why = ?e.to_smolstr(), "a label that nobody uses is not given back yet");
                        self.retry_after(pause_after(attempts), Retry::Void { parcel, tracking, attempts });
                    }
                    // An earlier asking may have done it, and its answer did not come.
                    Err(CarrierError::NotKnown { .. }) if attempts > 1 => self.given_back(parcel, tracking, Ok(())),
                    outcome => self.given_back(parcel, tracking, outcome.map_err(|e| foreign(&e.to_smolstr()))),
                }
            }
        }
        Ok(())
    }

    fn given_back(&mut self, parcel: ParcelId, tracking: TrackingNumber, outcome: Result<(), SmolStr>) {
        self.voiding.remove(&tracking);
        let told = match outcome {
            Ok(()) => ParcelMsg::GivenBack(tracking),
            Err(why) => ParcelMsg::NotGivenBack(tracking, why),
        };
        self.house.tell(parcel, told);
    }

    /// What came of asking for a label. A lost answer is no refusal: the same key is asked again where that is harmless, and else
    /// a person decides.
    fn bought(&mut self, request: Box<LabelRequest>, mut attempts: Attempts, outcome: Result<Read<Label>, CarrierError>) {
        if let Err(e) = &outcome {
            let lost = e.may_have_happened();
            attempts.lost |= lost;
            let again = e.is_transient() || lost;
            let harmless = self.driver.lost_answer() != LostAnswer::Neither;
            let goes_on = again && attempts.made < ATTEMPTS_MAX && (harmless || !attempts.lost);
            if lost || again && attempts.lost && !goes_on {
                let lost = ParcelMsg::LabelLost { why: foreign(&e.to_smolstr()), decide: !goes_on };
                self.house.tell(request.parcel.clone(), lost);
            }
            if goes_on {
                self.retry_after(pause_after(attempts.made), Retry::Label(request, attempts));
                return;
            }
            self.asking.remove(&request.key);
            if again && attempts.lost {
                return;
            }
        }
        self.asking.remove(&request.key);
        if let Ok(read) = &outcome
            && self.driver.lost_answer() == LostAnswer::Neither
        {
            self.sold.push_back((request.key.clone(), read.value.clone()));
            if self.sold.len() > SOLD_MAX {
                self.sold.pop_front();
            }
        }
        outcome.iter().for_each(|read| self.say_skipped("label", &read.skipped));
        self.house.tell(request.parcel, ParcelMsg::Label(outcome.map(|read| read.value).map_err(|e| foreign(&e.to_smolstr()))));
    }

    /// Counts failures in a row; pauses and resumes, and says so in the twin.
    fn count_outcome(&mut self, error: Option<&CarrierError>) -> Result<(), ActorProcessingErr> {
        let command = match error {
            // Calls that were under way when the pause began say nothing new.
            Some(e) if e.is_transient() && self.is_paused() => {
                tracing::debug!(%e, "while paused");
                return Ok(());
            }
            Some(e) if e.is_transient() => {
                self.failures += 1;
                if self.failures < FAILURES_MAX {
                    return Ok(());
                }
                let doublings = self.pauses.min(8);
                self.pauses += 1;
                let pause = Span((PAUSE_FIRST * (1 << doublings)).0.min(PAUSE_MAX.0));
                self.paused_until = self.house.clock.steady() + pause;
                self.wake_after(pause);
                Command::Suspend { why: e.to_smolstr() }
            }
            // It may have been left alone in an earlier life.
            _ if self.failures == 0 && self.host.state.suspended.is_none() => return Ok(()),
            _ => {
                self.failures = 0;
                self.pauses = 0;
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
        self.house.clock.after(span, move || myself.cast(CarrierMsg::Resume));
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
            self.house.clock.at(first, move || myself.cast(CarrierMsg::Look));
        }
    }

    fn look(&mut self) {
        let now = self.house.clock.now();
        self.look_at = None;
        let later = self.watched.split_off(&(now + Span(1)));
        let due: Vec<Watched> = std::mem::replace(&mut self.watched, later).into_values().flatten().collect();
        for batch in due.chunks(self.driver.track_batch_max().max(1)) {
            self.looks.push_back(batch.to_vec());
        }
        self.set_look();
    }

    /// An answer that cannot be read at all may be an accident. The second one in a row is not: each of its parcels is told,
    /// once, since nobody else will hear where it is.
    fn count_unread(&self, batch: &mut [Watched], error: Option<&CarrierError>) {
        let why = error.filter(|e| !e.is_transient());
        for watched in batch {
            watched.unread = if why.is_some() { watched.unread + 1 } else { 0 };
            if let Some(why) = why.filter(|_| watched.unread == UNREAD_MAX) {
                let what = format_smolstr!("news of it cannot be had: {why}");
                self.house.tell(watched.parcel.clone(), ParcelMsg::Unread(what));
            }
        }
    }

    /// Tells a parcel that news of it is lost, once.
    fn alarm(&self, watched: &mut Watched, skipped: &[Skipped]) {
        let mine = || skipped.iter().filter(|s| s.whole && s.about.as_deref() == Some(watched.tracking.as_str()));
        let alarmed = sum(mine().map(|s| twin::channel::mark(&[s.why.as_bytes()]).into()));
        if alarmed == watched.alarmed {
            return;
        }
        watched.alarmed = alarmed;
        if let Some(first) = mine().next() {
            let more = mine().count() - 1;
            let more = if more == 0 { SmolStr::default() } else { format_smolstr!(" (and {more} more)") };
            let what = format_smolstr!("news of it cannot be read: {}{more}", first.why);
            self.house.tell(watched.parcel.clone(), ParcelMsg::Unread(what));
        }
    }

    /// What of an answer could not be read, for whoever runs the site. It is foreign text: escaped, so that it forges no line.
    fn say_skipped(&self, what: &'static str, skipped: &[Skipped]) {
        if skipped.is_empty() {
            return;
        }
        for Skipped { about, place, why, whole } in skipped {
            tracing::warn!(carrier = %self.config.id(), %what, about = ?about, place = ?place, why = ?why, whole, "a part of an answer cannot be read");
        }
        metrics::counter!(UNREAD, "carrier" => self.config.id().to_string(), "what" => what).increment(skipped.len() as u64);
    }

    fn tracked(&mut self, batch: Vec<Watched>, news: Read<Vec<Tracking>>) {
        let now = self.house.clock.now();
        let Read { value: news, skipped } = news;
        let mut news: BTreeMap<TrackingNumber, Vec<_>> = news.into_iter().map(|t| (t.number, t.events)).collect();
        let in_force = self.house.in_force();
        let config = in_force.config.carrier(self.config.id()).unwrap_or(&self.config);
        let next = now + Span::from_hours(i64::from(config.track_every_h.max(1)));
        let again_after = Span::from_hours(24 * i64::from(config.look_again_after_d));
        for mut watched in batch {
            let events = news.remove(&watched.tracking).unwrap_or_default();
            let ended = events.iter().any(|e| matches!(e.status, TrackStatus::Delivered | TrackStatus::Returned | TrackStatus::Lost));
            // Whatever came late, was corrected or changed its meaning makes another history. The parcel knows what of it is new.
            let events_none = events.is_empty();
            let history = sum(events.iter().map(|e| u64::from(e.mark()) << 8 | e.status as u64));
            if history != watched.told && !events.is_empty() {
                watched.told = history;
                self.house.tell(watched.parcel.clone(), ParcelMsg::Track(events));
            }
            // An end is looked at twice, also where the second answer is another end or nothing at all.
            if watched.ended && (ended || events_none) || ended && again_after == Span(0) {
                self.watching.remove(&watched.parcel);
                continue;
            }
            watched.ended = ended;
            if ended {
                self.watch(now + again_after, watched);
                continue;
            }
            self.alarm(&mut watched, &skipped);
            if now - watched.since > WATCH_MAX {
                self.watching.remove(&watched.parcel);
                // Nobody will find it any more; who looks for it is told so, and not by the carrier.
                let text: SmolStr = "no news of it for sixty days".into();
                let lost = TrackEvent { at: self.house.clock.date(), status: TrackStatus::Lost, code: "".into(), text, place: "".into() };
                origin::within(Origin::default(), || self.house.tell(watched.parcel, ParcelMsg::Track(vec![lost])));
            } else {
                self.watch(next, watched);
            }
        }
    }
}

/// How long to wait after so many attempts.
fn pause_after(attempts: u32) -> Span {
    Span((RETRY_FIRST * (1 << attempts.min(12))).0.min(PAUSE_MAX.0))
}

/// Buys a label; one that may be bought already is looked for first, where the carrier finds it by our reference.
async fn bought(driver: &dyn CarrierDriver, request: &LabelRequest, lost: bool) -> Result<Read<Label>, CarrierError> {
    if lost
        && driver.lost_answer() == LostAnswer::FoundByReference
        && let Some(label) = unless_it_panics(|| driver.find_label(request.clone())).await?
    {
        return Ok(label);
    }
    unless_it_panics(|| driver.buy_label(request.clone())).await
}

/// A number for a set, whatever its order.
fn sum(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, |sum, part| sum.wrapping_add(part.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
}

/// The call's outcome, also where it panics: whoever waits for it must hear something.
async fn unless_it_panics<T>(call: impl FnOnce() -> BoxFuture<'static, Result<T, CarrierError>>) -> Result<T, CarrierError> {
    match AssertUnwindSafe(async { call().await }).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(_) => Err(WireError::Broken { host: "the carrier".into(), why: "the call panicked".into() }.into()),
    }
}

#[cfg(test)]
#[path = "carrier_tests.rs"]
mod tests;
