//! The edge before a real site: all actors, an embedded twin in memory, one carrier that sells at once, devices that are
//! never reached.

mod charges;
mod declared;
mod described;
mod events;
mod hosts;
mod lists;
mod orders;
mod origins;
mod pages;
mod products;
mod reading;
pub mod remedies;
mod remedies_orders;
mod remedies_parcels;
mod remedies_stations;
mod returns;
mod rough_day;
mod settings;
mod time;
mod tracking;
mod ways_out;

use super::hosts::Hosts;
use super::{Api, AppState};
use crate::cli::own_pace::Stage;
use crate::query::Query;
use crate::query::follow::Follower;
use crate::router::routes;
use actors::config::SiteConfig;
use actors::ledger::Pace;
use actors::outgoing::Question;
use actors::site::{Site, World};
use actors::{Delivery, ParcelMsg, Seat};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use drivers::Clock;
use drivers::carriers::{CarrierDriver, CarrierError, Read};
use drivers::platforms::ProductRow;
use drivers::wire::Dial;
use futures::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tower::ServiceExt;
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, TrackEvent, TrackStatus, Tracking};
use twin::goods::Facts;
use twin::money::{Currency, Decimal};
use twin::parcel::Divert;
use twin::stock::Counted;
use twin::{CarrierId, Dims, Moment, Money, Span, TrackingNumber, Twin};

/// One recorder serves all tests of the process.
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

const LISTEN: std::net::SocketAddr = std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

const SITE: &str = r#"
name = "test site"
[fx]
base = "USD"
[[warehouse]]
id = "SZX"
name = "Shenzhen"
time_zone = "Asia/Shanghai"
address = { name = "W", street = "1 Road", city = "Shenzhen", postcode = "518000", country = "CN" }
[[warehouse.station]]
id = "SZX/bench-1"
kind = "bench"
device = [{ id = "SZX/bench-1/printer", kind = "printer", address = "sim:" }, { id = "SZX/bench-1/scanner", kind = "scanner", address = "sim:" }]
[[warehouse.station]]
id = "SZX/line-1"
kind = "line"
device = [
  { id = "SZX/line-1/scanner", kind = "scanner", address = "sim:" },
  { id = "SZX/line-1/scale", kind = "scale", address = "sim:" },
  { id = "SZX/line-1/sorter", kind = "sorter", address = "sim:" },
  { id = "SZX/line-1/printer", kind = "printer", address = "sim:" },
]
line = { scan_to_weight_ms = 800, scan_to_ask_ms = 1500, tolerance_ms = 400, sscc_prefix = "6901234", sorting = { reject = 9, chutes = [{ chute = 1, channel = "test/ground" }] } }
[[warehouse.station]]
id = "SZX/dock-1"
kind = "dock"
device = [{ id = "SZX/dock-1/scanner", kind = "scanner", address = "sim:" }]
[[carrier]]
api = { id = "test", kind = "forwarder", base_url = "sim:", account = "A" }
cutoffs = ["16:30"]
[[channel]]
id = "test/ground"
carrier = "test"
name = "Test <Ground>"
service = "G"
origins = ["SZX"]
"#;

/// Quotes 5 USD and sells labels T1, T2 …
struct Seller {
    id: CarrierId,
    sold: AtomicU32,
    /// What it says that a label costs, in cents; 0: nothing.
    pub charges: AtomicI64,
    /// The ship dates that it heard.
    dates: Mutex<Vec<Moment>>,
    /// What it heard to be in the parcels.
    contents: Mutex<Vec<String>>,
}

impl CarrierDriver for Seller {
    fn id(&self) -> &CarrierId {
        &self.id
    }
    fn lost_answer(&self) -> drivers::carriers::LostAnswer {
        drivers::carriers::LostAnswer::Neither
    }
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        self.dates.lock().unwrap().push(request.ship_at);
        let total = Money::new(Decimal::new(500, 2), Currency::USD);
        let quote = Quote { service: "G".into(), total, breakdown: vec![], days: Some(7), chargeable_g: None, zone: "".into() };
        Box::pin(async { Ok(vec![quote].into()) })
    }
    fn buy_label(&self, request: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        self.dates.lock().unwrap().push(request.ship_at);
        self.contents.lock().unwrap().push(request.contents.to_string());
        let n = self.sold.fetch_add(1, Ordering::Relaxed) + 1;
        let charged = Some(self.charges.load(Ordering::Relaxed)).filter(|cents| *cents != 0);
        let charged = charged.map(|cents| Money::new(Decimal::new(cents, 2), Currency::USD));
        Box::pin(async move {
            Ok(Label { tracking: TrackingNumber::new(format!("T{n}")), plate: None, charged, zpl: b"^XA^XZ".to_vec() }.into())
        })
    }
    fn track(&self, _: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>> {
        Box::pin(async { Ok(vec![].into()) })
    }
    fn void_label(&self, _: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        Box::pin(async { Ok(()) })
    }
    fn track_batch_max(&self) -> usize {
        10
    }
    fn can_quote(&self) -> bool {
        true
    }
}

/// So many of the one product in the one warehouse.
pub fn counted(on_hand: u32) -> Counted {
    Counted { warehouse: "SZX".into(), owner: "own".into(), sku: "A-17".into(), on_hand }
}

/// A running site and the edge before it.
pub struct Edge {
    pub site: Site,
    pub api: Api,
    seller: Arc<Seller>,
    router: Router,
    _follower: Follower,
    _data: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

impl Edge {
    pub async fn open() -> Self {
        Edge::by(Clock::free(1.0, Moment::default())).await
    }

    /// The same by another clock.
    pub async fn by(clock: Clock) -> Self {
        Edge::on(clock, Arc::new(Twin::in_memory("test"))).await
    }

    /// The same on a twin that another may have left.
    pub async fn on(clock: Clock, twin: Arc<Twin>) -> Self {
        Edge::all(&Stage::shared(), clock, twin).await
    }

    /// The same with its actors elsewhere.
    pub async fn elsewhere(stage: &Stage, clock: Clock) -> Self {
        Edge::all(stage, clock, Arc::new(Twin::in_memory("test"))).await
    }

    async fn all(stage: &Stage, clock: Clock, twin: Arc<Twin>) -> Self {
        Edge::of(stage, clock, twin, toml::from_str(SITE).unwrap()).await
    }

    /// The same of another site; all its carriers sell at once.
    pub async fn of(stage: &Stage, clock: Clock, twin: Arc<Twin>, config: SiteConfig) -> Self {
        let never: Dial = Arc::new(|| Box::pin(std::future::pending()));
        let facts = Facts { category: "toys".into(), weight_g: 200, dims: Dims::new(100, 80, 50), ..Facts::default() };
        let product = ProductRow { owner: "own".into(), sku: "A-17".into(), facts };
        let sells = |id: &CarrierId| {
            Arc::new(Seller {
                id: id.clone(),
                sold: AtomicU32::new(0),
                charges: AtomicI64::new(0),
                dates: Mutex::default(),
                contents: Mutex::default(),
            })
        };
        let sellers: Vec<_> = config.carriers.iter().map(|carrier| sells(carrier.id())).collect();
        let seller = sellers[0].clone();
        let driver = |seller: Arc<Seller>| -> (CarrierId, Arc<dyn CarrierDriver>) { (seller.id.clone(), seller) };
        let world = World {
            clock,
            twin,
            pace: Pace::Modelled(Span::from_ms(1)),
            delivery: Delivery::Mailbox,
            dials: config.devices().map(|(_, device)| (device.id.clone(), never.clone())).collect(),
            drivers: sellers.into_iter().map(driver).collect(),
        };
        let site = stage.run(Site::start(config, world)).await.unwrap().unwrap();
        site.describe(vec![product.into()]);
        site.count(vec![counted(1_000)]);
        let metrics = METRICS.get_or_init(|| super::metrics::install().unwrap()).clone();
        let data = tempfile::tempdir().unwrap();
        let query = Arc::new(Query::of(data.path()));
        let follower = Follower::start(query.clone(), site.house.twin.clone()).unwrap();
        let moving = Arc::new(|| vec![("SZX/line-1".into(), 3)]);
        let api = Api::new(AppState {
            house: site.house.clone(),
            moving: Some(moving),
            metrics,
            name: "test & site".into(),
            hosts: Hosts::new(LISTEN, &["twin.example".into()]).unwrap(),
            query,
        });
        Edge { site, router: routes(api.clone()), api, seller, _follower: follower, _data: data }
    }

    /// As one who asks by the address.
    pub async fn answer(&self, mut request: Request<Body>) -> axum::response::Response {
        request.headers_mut().entry("host").or_insert(HeaderValue::from_static("127.0.0.1:8080"));
        self.answer_as_it_is(request).await
    }

    pub async fn answer_as_it_is(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.answer(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// What the carrier heard to be in the parcels.
    pub fn contents(&self) -> Vec<String> {
        self.seller.contents.lock().unwrap().clone()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(post(path, body)).await
    }

    /// Lets a labelled parcel be packed, sorted, and leave with its carrier, as the stations say it.
    pub fn hand_over(&self, parcel: &str) {
        let say = |message| self.site.house.tell(parcel.into(), message);
        say(ParcelMsg::Packed);
        say(ParcelMsg::Induct { item: 1, station: "SZX/line-1".into(), line: Seat::default() });
        let question = Question { sorter: Seat::default(), pic: 1, asked_at: Moment(0), reject: 9 };
        say(ParcelMsg::Judge { measured_g: Some(402), measured: None, divert: Divert::Pass { chute: 1 }, question });
        say(ParcelMsg::Bag { chute: 1, bag: "069012341000000017".into() });
        say(ParcelMsg::HandOver { bag: "069012341000000017".into() });
    }

    /// Lets a carrier say something of a parcel.
    pub fn news(&self, parcel: &str, at: i64, status: TrackStatus, text: &str) {
        let news = TrackEvent { at: Moment(at), status, code: "".into(), text: text.into(), place: "Reno".into() };
        self.site.house.tell(parcel.into(), ParcelMsg::Track(vec![news]));
    }

    /// Asks until the answer is as it should be; a site takes some milliseconds for everything.
    pub async fn until(&self, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let answer = self.get(path).await;
            if answer.status == StatusCode::OK && good(&answer.json()) {
                return answer.json();
            }
            self.api.clock.sleep(Span::from_ms(10)).await;
        }
        panic!("{path} never became as it should: {}", self.get(path).await.text)
    }
}

pub fn post(path: &str, body: &Value) -> Request<Body> {
    Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

pub fn order(id: &str) -> Value {
    json!({
        "id": id, "platform": "amazon", "shop": "s1", "placed_at": "2026-11-09T00:00:33+08:00",
        "ship_to": { "name": "Ann", "street": "1 Main St", "city": "Beverly Hills", "region": "CA", "postcode": "90210", "country": "US" },
        "lines": [{ "sku": "A-17", "quantity": 2, "unit_price": { "amount": "7.79", "currency": "USD" } }]
    })
}
