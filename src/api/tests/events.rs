//! Server-sent events: from the beginning into the present without a gap or a repetition.

use super::{Edge, order};
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use serde_json::Value;
use twin::Span;

struct Stream {
    edge: Edge,
    body: BodyDataStream,
    rest: String,
}

#[derive(Debug)]
struct Seen {
    id: u64,
    name: String,
    data: Value,
}

impl Stream {
    async fn open(edge: Edge, path: &str, last: Option<u64>) -> Self {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        if let Some(last) = last {
            request.headers_mut().insert("last-event-id", last.into());
        }
        let answer = edge.answer(request).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Stream { edge, body: answer.into_body().into_data_stream(), rest: String::new() }
    }

    async fn next(&mut self) -> Seen {
        while !self.rest.contains("\n\n") {
            let bytes = self.edge.api.clock.timeout(Span::from_secs(10), self.body.next()).await;
            self.rest.push_str(std::str::from_utf8(&bytes.expect("an event in time").unwrap().unwrap()).unwrap());
        }
        let (one, rest) = self.rest.split_once("\n\n").unwrap();
        let field = |name: &str| one.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned();
        let seen = Seen { id: field("id").parse().unwrap(), name: field("event"), data: serde_json::from_str(&field("data")).unwrap() };
        self.rest = rest.to_owned();
        seen
    }
}

#[tokio::test]
async fn from_the_beginning_into_the_present() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/parcels?tracking=T1", |_| true).await;
    let before = edge.site.house.twin.head().records;
    let mut stream = Stream::open(edge, "/api/v1/events?after=0", None).await;
    let mut names = Vec::new();
    for n in 1..=before {
        let seen = stream.next().await;
        assert_eq!((seen.id, seen.data["seq"].as_u64()), (n, Some(n)));
        names.push(seen.name);
    }
    for name in [
        "warehouse.opened",
        "station.opened",
        "stock.counted",
        "order.received",
        "order.allocated",
        "parcel.created",
        "parcel.label_bought",
    ] {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    stream.edge.post("/api/v1/orders", &order("A-2")).await;
    stream.edge.until("/api/v1/parcels?tracking=T2", |_| true).await;
    for n in before + 1..=stream.edge.site.house.twin.head().records {
        assert_eq!(stream.next().await.id, n, "no gap and no repetition where reading becomes listening");
    }
}

#[tokio::test]
async fn a_listener_far_behind_reads_the_journal_again() {
    let edge = Edge::open().await;
    let mut stream = Stream::open(edge, "/api/v1/events?after=0", None).await;
    let first = stream.next().await.id;
    // More groups than the channel holds, while nobody reads.
    for n in 0..300 {
        let batch: Vec<_> = (0..10).map(|m| order(&format!("L-{n}-{m}"))).collect();
        assert_eq!(stream.edge.post("/api/v1/orders", &Value::Array(batch)).await.status, StatusCode::CREATED);
    }
    let head = stream.edge.site.house.twin.head().records;
    assert!(head > 3_000);
    for n in first + 1..=head {
        assert_eq!(stream.next().await.id, n);
    }
}

/// Records as the ledger tells them, with numbers that go on from the last.
fn told(edge: &Edge, count: usize) -> Vec<twin::Record> {
    let last = edge.site.house.twin.records(0).last().unwrap().unwrap();
    (1..=count as u64).map(|n| twin::Record { seq: last.seq + n, ..last.clone() }).collect()
}

#[tokio::test]
async fn a_listener_that_never_reads_is_cut_off_by_bytes_and_the_others_are_not() {
    let edge = Edge::open().await;
    edge.until("/api/v1/stations/SZX/dock-1", |s| s["open"] == true).await;
    let all = std::sync::Arc::new(crate::api::connections::Connections::default());
    let places: Vec<_> = (0..2).map(|n| all.arrive("192.0.2.1".parse().unwrap(), n).0.unwrap()).collect();
    let mut streams = Vec::new();
    for place in &places {
        let mut request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
        request.extensions_mut().insert(place.connection.clone());
        streams.push(edge.answer(request).await.into_body().into_data_stream());
    }
    let feed = &edge.api.feed;
    let (reader, _news) = feed.join(&edge.site.house.listeners, None);
    assert_eq!(feed.from_peer(&places[0].connection), 2);
    let group = told(&edge, 1_000);
    let bytes: usize = group.iter().map(|record| crate::api::feed::Shown::of(record).bytes()).sum();
    let (mut seq, mut written) = (group[0].seq, 0);
    while written <= crate::api::limits::LISTENER_BYTES_WAITING_MAX + bytes as u64 {
        let next: Vec<_> = group.iter().zip(seq..).map(|(record, seq)| twin::Record { seq, ..record.clone() }).collect();
        seq += 1_000;
        written += bytes as u64;
        feed.write(&next);
        feed.takes(&reader);
    }
    for (place, mut stream) in places.iter().zip(streams) {
        let cut = edge.api.clock.timeout(Span::from_secs(10), place.connection.is_cut()).await;
        assert!(cut.is_some(), "its connection ends");
        assert!(stream.next().await.is_none(), "and so does the stream");
    }
    assert!(!reader.is_cut(), "who takes what comes is never cut off");
    let kept = feed.after(seq - 2).unwrap();
    assert_eq!(kept.len(), 1);
    assert!(feed.after(group[0].seq).is_none(), "what is not kept any more is in the journal");
}

#[tokio::test]
async fn one_peer_leaves_streams_for_others() {
    use crate::api::limits::{STREAMS_MAX, STREAMS_PER_PEER_MAX};
    let edge = Edge::open().await;
    let all = std::sync::Arc::new(crate::api::connections::Connections::default());
    let mut number = 0;
    let mut open = |peer: &str| {
        number += 1;
        let mut request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
        request.extensions_mut().insert(all.arrive(peer.parse().unwrap(), number).0.unwrap().connection.clone());
        edge.answer(request)
    };
    const { assert!(STREAMS_PER_PEER_MAX < STREAMS_MAX) };
    let mut streams = Vec::new();
    for _ in 0..STREAMS_PER_PEER_MAX {
        streams.push(open("192.0.2.1").await);
    }
    assert_eq!(open("192.0.2.1").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(open("192.0.2.2").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn one_thing_only_and_from_the_last_event_on() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &serde_json::json!([order("A-1"), order("A-2")])).await;
    edge.until("/api/v1/parcels?tracking=T2", |_| true).await;
    let mut stream = Stream::open(edge, "/api/v1/events?after=0&entity=order/A-2", None).await;
    let received = stream.next().await;
    assert_eq!((received.name.as_str(), &received.data["key"]["id"]), ("order.received", &Value::from("A-2@amazon:s1")));
    // Found by the index, then as it happens: nothing of it is told twice or left out where the two meet.
    let mut versions = vec![received.data["version"].clone()];
    versions.push(stream.next().await.data["version"].clone());
    let cancel = Request::post("/api/v1/orders/A-2/cancel")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"reason": "test"}"#))
        .unwrap();
    assert!(stream.edge.answer(cancel).await.status().is_success());
    versions.push(stream.next().await.data["version"].clone());
    assert_eq!(versions, [1, 2, 3].map(Value::from));
    let Stream { edge, .. } = stream;
    let mut stream = Stream::open(edge, "/api/v1/events?after=0&entity=order", Some(received.id)).await;
    let next = stream.next().await;
    assert!(next.id > received.id, "Last-Event-ID comes before after=0: {next:?}");
    let Stream { edge, .. } = stream;
    assert_eq!(edge.get("/api/v1/events?after=99999").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(edge.get("/api/v1/events?entity=ship/1").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn streams_are_bounded_and_make_room_when_they_go() {
    let edge = Edge::open().await;
    let open = || edge.answer(Request::get("/api/v1/events").body(Body::empty()).unwrap());
    let mut streams = Vec::new();
    for _ in 0..crate::api::limits::STREAMS_MAX {
        streams.push(open().await);
    }
    assert_eq!(open().await.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(streams);
    assert_eq!(open().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_stream_that_is_asked_to_says_each_second_that_it_is_alive() {
    let edge = Edge::open().await;
    let mut body = edge
        .answer(Request::get("/api/v1/events?entity=return&alive=true").body(Body::empty()).unwrap())
        .await
        .into_body()
        .into_data_stream();
    let began = edge.api.clock.now();
    for _ in 0..2 {
        let bytes = edge.api.clock.timeout(Span::from_secs(3), body.next()).await.expect("it says something within a second or so");
        let text = String::from_utf8(bytes.unwrap().unwrap().to_vec()).unwrap();
        assert!(text.contains("event: alive\n") && text.contains("data: alive\n") && text.contains("retry: 1000\n"), "{text}");
        assert!(!text.contains("id:"), "what a listener has seen is records: {text}");
    }
    assert!(edge.api.clock.now() - began < Span::from_ms(2_900));
    let mut quiet =
        edge.answer(Request::get("/api/v1/events?entity=return").body(Body::empty()).unwrap()).await.into_body().into_data_stream();
    assert!(edge.api.clock.timeout(Span::from_ms(1_500), quiet.next()).await.is_none(), "nobody asked it to");
}
