//! This carrier, this message: these records, and these words to others.

use super::*;
use crate::testing::Overheard;
use drivers::carriers::Read;
use std::sync::Mutex;
use twin::{Address, CarrierId, Dims};

/// Answers as it was told to, one after the other; then it cannot be reached.
#[derive(Default)]
struct Counter {
    id: CarrierId,
    labels: Mutex<VecDeque<Result<Label, CarrierError>>>,
    voids: Mutex<VecDeque<Result<(), CarrierError>>>,
    keeps_no_keys: bool,
    news: Mutex<VecDeque<Vec<TrackEvent>>>,
}

fn unreachable() -> CarrierError {
    WireError::Unreachable { host: "counter".into(), why: "nobody is there".into() }.into()
}

impl CarrierDriver for Counter {
    fn id(&self) -> &CarrierId {
        &self.id
    }
    fn lost_answer(&self) -> drivers::carriers::LostAnswer {
        if self.keeps_no_keys { LostAnswer::Neither } else { LostAnswer::SameKeySameLabel }
    }
    fn quote(&self, _: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        Box::pin(async { Err(unreachable()) })
    }
    fn buy_label(&self, _: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        let answer = self.labels.lock().unwrap().pop_front().unwrap_or_else(|| Err(unreachable()));
        Box::pin(async { answer.map(Read::from) })
    }
    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>> {
        let events = self.news.lock().unwrap().pop_front();
        let answer = events.map(|events| numbers.into_iter().map(|number| Tracking { number, events: events.clone() }).collect::<Vec<_>>());
        Box::pin(async { answer.map(Read::from).ok_or_else(unreachable) })
    }
    fn void_label(&self, _: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        let answer = self.voids.lock().unwrap().pop_front().unwrap_or(Ok(()));
        Box::pin(async { answer })
    }
    fn track_batch_max(&self) -> usize {
        2
    }
    fn can_quote(&self) -> bool {
        false
    }
}

struct Scene {
    overheard: Overheard,
    counter: Arc<Counter>,
    carrier: CarrierState,
    /// What its calls brought back.
    back: Arc<Mutex<VecDeque<CarrierMsg>>>,
}

impl Scene {
    fn new() -> Self {
        Scene::with(Counter::default())
    }

    fn with(counter: Counter) -> Self {
        let counter = Arc::new(Counter { id: "direct".into(), ..counter });
        let overheard = Overheard::new([("direct".into(), counter.clone() as Arc<dyn CarrierDriver>)].into());
        let house = overheard.house.clone();
        let config = house.in_force().config.carrier(&"direct".into()).unwrap().clone();
        let host = Host::load(&house.twin, "direct").unwrap();
        let (myself, back) = (Seat::default(), Arc::new(Mutex::new(VecDeque::new())));
        let heard = back.clone();
        myself.hear(move |told: Told<CarrierMsg>| heard.lock().unwrap().push_back(told.message));
        let carrier = CarrierState::new(house, myself, config, counter.clone(), host);
        Scene { overheard, counter, carrier, back }
    }

    /// Says it, and lets the call that comes of it return.
    async fn told(&mut self, message: CarrierMsg) {
        self.carrier.take(message).unwrap();
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        loop {
            let Some(back) = self.back.lock().unwrap().pop_front() else { return };
            self.carrier.take(back).unwrap();
        }
    }
}

fn request(parcel: &str) -> CarrierMsg {
    let request = Box::new(LabelRequest {
        key: format_smolstr!("{parcel}.0"),
        parcel: parcel.into(),
        service: "packet".into(),
        warehouse: "SZX".into(),
        from: Address::default(),
        to: Address::default(),
        weight_g: 400,
        dims: Dims::default(),
        value: twin::Money::zero("USD".parse().unwrap()),
        contents: "toys".into(),
        battery: false,
        ship_at: Moment(0),
        time_zone: "UTC".parse().unwrap(),
    });
    CarrierMsg::BuyLabel { request, again: false }
}

fn label() -> Label {
    Label { tracking: TrackingNumber::new("T1"), zpl: b"^XA^XZ".to_vec(), charged: None, plate: None }
}

fn scan(hour: i64, status: TrackStatus) -> TrackEvent {
    TrackEvent { at: Moment(hour * 3_600_000_000), status, code: "X".into(), text: "".into(), place: "".into() }
}

#[tokio::test]
async fn a_label_goes_to_its_parcel() {
    let mut scene = Scene::new();
    scene.counter.labels.lock().unwrap().push_back(Ok(label()));
    scene.told(request("O-1")).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Label(Ok("]);
}

#[tokio::test]
async fn one_that_cannot_be_reached_is_asked_again_and_pauses_after_some_failures() {
    let mut scene = Scene::new();
    for n in 0..FAILURES_MAX - 1 {
        scene.told(request(&format!("O-{n}"))).await;
        scene.overheard.expect(&[]);
    }
    scene.told(request("O-9")).await;
    scene.overheard.expect(&["wrote Carrier(Suspended"]);
    // While it pauses nothing is asked; what comes is kept.
    scene.counter.labels.lock().unwrap().push_back(Ok(label()));
    scene.told(request("O-10")).await;
    scene.overheard.expect(&[]);
    scene.carrier.paused_until = Moment(i64::MIN);
    scene.told(CarrierMsg::Resume).await;
    scene.overheard.expect(&["wrote Carrier(Resumed", "parcels hears To(ParcelId(\"O-10\"), Label(Ok("]);
}

#[tokio::test]
async fn what_a_carrier_refuses_its_parcel_hears_at_once() {
    let mut scene = Scene::new();
    let refused = CarrierError::NotOffered { carrier: "direct".into(), why: "no".into() };
    scene.counter.labels.lock().unwrap().push_back(Err(refused));
    scene.told(request("O-1")).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Label(Err("]);
}

fn unreadable() -> CarrierError {
    CarrierError::Unreadable { carrier: "direct".into(), what: "label", why: "no ZPL".into() }
}

#[tokio::test]
async fn a_lost_answer_is_no_refusal_and_the_same_key_is_asked_again() {
    let mut scene = Scene::new();
    scene.counter.labels.lock().unwrap().extend([Err(unreadable()), Ok(label())]);
    scene.told(request("O-1")).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), LabelLost { why: \"cannot read"]);
    // Asked for once more while it waits: one asking is enough.
    scene.told(request("O-1")).await;
    scene.overheard.expect(&[]);
    let CarrierMsg::BuyLabel { request, .. } = request("O-1") else { unreachable!() };
    scene.told(CarrierMsg::Retry(Retry::Label(request, Attempts { made: 1, lost: true }))).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Label(Ok("]);
}

#[tokio::test]
async fn a_carrier_that_keeps_no_keys_is_not_asked_twice_and_a_person_decides() {
    let mut scene = Scene::with(Counter { keeps_no_keys: true, ..Counter::default() });
    scene.counter.labels.lock().unwrap().extend([Err(unreadable()), Ok(label())]);
    scene.told(request("O-1")).await;
    let heard = scene.overheard.heard();
    assert!(heard.len() == 1 && heard[0].contains("LabelLost") && heard[0].contains("decide: true"), "{heard:?}");
    assert_eq!(scene.counter.labels.lock().unwrap().len(), 1, "it is not asked again by itself");
    // One whose parcel fell over it is known still; another nobody knows.
    scene.told(request("O-2")).await;
    scene.overheard.heard();
    for (parcel, heard) in [("O-2", "Label(Ok("), ("O-3", "LabelLost {")] {
        let CarrierMsg::BuyLabel { request, .. } = request(parcel) else { unreachable!() };
        scene.told(CarrierMsg::BuyLabel { request, again: true }).await;
        scene.overheard.expect(&[&format!("parcels hears To(ParcelId(\"{parcel}\"), {heard}")]);
    }
}

#[tokio::test]
async fn a_label_is_given_back_until_the_carrier_answers_and_its_no_is_told() {
    let mut scene = Scene::new();
    let refused = |status| CarrierError::Refused { carrier: "direct".into(), status, code: "x".into(), message: "y".into() };
    scene.counter.voids.lock().unwrap().extend([Err(refused(500)), Err(refused(409))]);
    let void = || CarrierMsg::Void { parcel: "O-1".into(), tracking: TrackingNumber::new("T1") };
    scene.told(void()).await;
    scene.overheard.expect(&[]);
    // Asked for again meanwhile, as after a fall of its parcel: once is enough.
    scene.told(void()).await;
    scene.overheard.expect(&[]);
    scene.told(CarrierMsg::Retry(Retry::Void { parcel: "O-1".into(), tracking: TrackingNumber::new("T1"), attempts: 1 })).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), NotGivenBack("]);
    scene.told(void()).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), GivenBack("]);
}

#[tokio::test]
async fn a_label_that_is_not_given_back_for_hours_is_told_and_can_be_asked_for_again() {
    let mut scene = Scene::new();
    let fails = || CarrierError::Refused { carrier: "direct".into(), status: 500, code: "x".into(), message: "y".into() };
    scene.counter.voids.lock().unwrap().extend([Err(fails()), Err(fails())]);
    let void = |attempts| Retry::Void { parcel: "O-1".into(), tracking: TrackingNumber::new("T1"), attempts };
    scene.told(CarrierMsg::Retry(void(ATTEMPTS_MAX - 2))).await;
    scene.overheard.expect(&[]);
    scene.told(CarrierMsg::Retry(void(ATTEMPTS_MAX - 1))).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), NotGivenBack("]);
    scene.told(CarrierMsg::Void { parcel: "O-1".into(), tracking: TrackingNumber::new("T1") }).await;
    scene.overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), GivenBack("]);
}

#[tokio::test]
async fn the_same_history_is_told_once_and_an_end_is_looked_at_twice() {
    let mut scene = Scene::new();
    let watch = || CarrierMsg::Watch { parcel: "O-1".into(), tracking: TrackingNumber::new("T1"), first_after: Span::ZERO };
    let on_the_way = vec![scan(1, TrackStatus::Accepted), scan(2, TrackStatus::InFlight)];
    let delivered = [&on_the_way[..], &[scan(9, TrackStatus::Delivered)]].concat();
    scene.counter.news.lock().unwrap().extend([on_the_way.clone(), on_the_way, delivered.clone(), delivered]);
    scene.told(watch()).await;
    scene.told(watch()).await;
    assert_eq!(scene.carrier.watched.values().flatten().count(), 1, "watched once");
    let mut told = Vec::new();
    for _ in 0..5 {
        // Whatever is due, is due now.
        scene.carrier.watched = std::mem::take(&mut scene.carrier.watched).into_values().map(|all| (Moment(0), all)).collect();
        scene.told(CarrierMsg::Look).await;
        told.push(scene.overheard.heard().len());
    }
    assert_eq!(told, [1, 0, 1, 0, 0], "new news, the same, the end, and once more the end");
    assert!(scene.carrier.watched.is_empty() && scene.carrier.watching.is_empty());
}

#[tokio::test]
async fn a_person_has_a_carrier_asked_again_at_once() {
    let mut scene = Scene::new();
    for n in 0..FAILURES_MAX {
        scene.told(request(&format!("O-{n}"))).await;
    }
    scene.counter.labels.lock().unwrap().push_back(Ok(label()));
    scene.told(request("O-9")).await;
    scene.overheard.expect(&["wrote Carrier(Suspended"]);
    let again = || CarrierMsg::AskAgain { why: "their line is up".into(), reply: crate::Caller::nobody() };
    scene.told(again()).await;
    scene.overheard.expect(&[
        "wrote Carrier(AskedAgain { why: \"their line is up\"",
        "says Desk(TryAgain",
        "says Answer(Done(",
        "parcels hears To(ParcelId(\"O-9\"), Label(Ok(",
    ]);
    scene.told(again()).await;
    scene.overheard.expect(&["says Answer(Done("]);
}

#[tokio::test]
async fn one_that_was_left_alone_in_an_earlier_life_is_not_once_it_answers() {
    let mut scene = Scene::new();
    let mut work = scene.carrier.house.work();
    scene.carrier.host.command(&mut work, Command::Suspend { why: "it failed".into() }).unwrap();
    scene.carrier.house.commit(work);
    scene.overheard.heard();
    scene.counter.labels.lock().unwrap().push_back(Ok(label()));
    scene.told(request("O-1")).await;
    scene.overheard.expect(&["wrote Carrier(Resumed", "parcels hears To(ParcelId(\"O-1\"), Label(Ok("]);
}

#[tokio::test]
async fn a_channel_that_a_person_takes_out_is_told_to_the_desk_once() {
    let mut scene = Scene::new();
    let (channel, why, reply) = (|| "direct/packet".into(), || "strike".into(), crate::Caller::nobody);
    let out = || CarrierMsg::TakeChannelOut { channel: channel(), why: why(), reply: reply() };
    let back = || CarrierMsg::PutChannelBack { channel: channel(), why: why(), reply: reply() };
    let told = "says Desk(ChannelOut { carrier: CarrierId(\"direct\"), channel: ChannelId(\"direct/packet\"), out: ";
    scene.told(out()).await;
    scene.overheard.expect(&["wrote Carrier(ChannelTakenOut", &format!("{told}Some(\"strike\")"), "says Answer("]);
    scene.told(out()).await;
    scene.overheard.expect(&["says Answer("]);
    scene.told(back()).await;
    scene.overheard.expect(&["wrote Carrier(ChannelPutBack", &format!("{told}None"), "says Answer("]);
    scene.told(back()).await;
    scene.overheard.expect(&["says Answer("]);
}
