//! The journal as server-sent events: what was, then what happens, without a gap and without a repetition.
//!
//! A stream reads the journal until nothing is left, then listens to the feed; where it is further behind than the feed
//! keeps, it goes back to the journal. It holds little at a time and lives no longer than its connection.

use super::Api;
use super::connections::Connection;
use super::feed::{Feed, Listener, Shown};
use super::limits::{ALIVE_EVERY, EVENT_BATCH, EVENT_BATCH_BYTES, Limit, STREAMS_PER_PEER_MAX};
use super::problem::{Problem, query};
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, watch};
use twin::{Key, Kind, OrderId, Record, Twin, TwinError, Way};
use utoipa::IntoParams;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Only events with a higher sequence number; 0 is the whole journal. Without it, and without `Last-Event-ID`: from now on.
    after: Option<u64>,
    /// Only events of one thing (`parcel/AMA-000001-1`) or of one kind (`parcel`).
    entity: Option<String>,
    /// Also an event `alive`, without a number, after each second in which nothing else was sent.
    alive: bool,
}

/// What happens, as it happens
///
/// Server-sent events. `id` is the sequence number, `event` the kind and the event (`parcel.sorted`), `data` the journal
/// record as JSON: `by` says who did it (`{"device": "SZX/line-1/scanner"}`, or `"system"`), `because` what led to it
/// (`{"record": 123}`, `{"request": "key"}`, or `"nothing"`). A reconnecting client's
/// `Last-Event-ID` comes before `after`. With `alive=true` a stream is never silent for longer than a second.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(From, ("Last-Event-ID" = Option<u64>, Header, description = "The last sequence number that was received")),
    responses(
        (status = 200, description = "An endless stream", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A number beyond the journal's end", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many streams", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn events(
    State(api): State<Api>,
    connection: Option<Extension<Arc<Connection>>>,
    headers: HeaderMap,
    from: Result<Query<From>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let from = query(from)?;
    let only = from.entity.as_deref().map(Only::read).transpose()?;
    let head = api.app.house.twin.head().records;
    let after = last_seen(&headers)?.or(from.after).unwrap_or(head);
    if after > head {
        // Another journal, most likely: waiting for its number would leave out what comes before.
        return Err(Problem::bad_request(format!(
            "after {after} there is nothing: the journal ends at {head}; start again from 0 or {head}"
        )));
    }
    let permit = api.gate.stream(&api.limits)?;
    let connection = connection.map(|Extension(connection)| connection);
    if connection.as_ref().is_some_and(|c| api.feed.from_peer(c) >= STREAMS_PER_PEER_MAX) {
        let full = Problem::overloaded(format!("{STREAMS_PER_PEER_MAX} event streams are open to your address already"));
        api.limits.reached(Limit::StreamsPerPeer, &full.detail);
        return Err(full);
    }
    // Joined before the journal is read, so that what is written meanwhile waits there.
    let (listener, news) = api.feed.join(&api.app.house.listeners, connection);
    let follow = Follow {
        feed: api.feed.clone(),
        listener,
        news,
        twin: api.app.house.twin.clone(),
        last: after,
        ready: VecDeque::new(),
        reading: true,
        only: only.map(Arc::new),
        _permit: permit,
    };
    let stream = futures::stream::unfold(follow, |mut follow| async move { follow.next().await.map(|shown| (Ok(event(&shown)), follow)) });
    Ok(Sse::new(stream).keep_alive(keep_alive(from.alive)))
}

/// What is sent when there is nothing to send. A comment keeps the way open and no more: a browser's script sees none.
fn keep_alive(alive: bool) -> KeepAlive {
    if !alive {
        return KeepAlive::default();
    }
    let every = std::time::Duration::from_micros(ALIVE_EVERY.0 as u64);
    // Who lost the stream asks again as soon.
    KeepAlive::new().interval(every).event(Event::default().event("alive").retry(every).data("alive"))
}

fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Problem::bad_request("Last-Event-ID is not a sequence number"))
}

fn event(shown: &Shown) -> Event {
    Event::default().id(shown.seq.to_string()).event(&shown.name).data(&shown.data)
}

struct Only {
    kind: Kind,
    id: Option<SmolStr>,
}

impl Only {
    fn read(text: &str) -> Result<Self, Problem> {
        let (kind, id) = text.split_once('/').map_or((text, None), |(kind, id)| (kind, Some(id)));
        let kind = kind.parse().map_err(|why: String| Problem::bad_request(why))?;
        Ok(Only { kind, id: id.map(SmolStr::new) })
    }

    /// Orders are called by their number alone too, and then all of that number are meant.
    fn is_number_of(&self, key: &Key, id: &str) -> bool {
        key.kind == Kind::Order && OrderId::from(key.id.clone()).number() == id
    }

    /// The things of which something can have happened already; `None`: all of its kind.
    fn keys(&self, twin: &Twin) -> Result<Option<Vec<Key>>, TwinError> {
        let Some(id) = &self.id else { return Ok(None) };
        let ids = match self.kind {
            Kind::Order => twin.orders_called(id)?.into_iter().map(|order| order.text().clone()).collect(),
            _ => vec![id.clone()],
        };
        Ok(Some(ids.into_iter().map(|id| Key { kind: self.kind, id }).collect()))
    }

    fn takes(&self, key: &Key) -> bool {
        key.kind == self.kind && self.id.as_ref().is_none_or(|id| *id == key.id || self.is_number_of(key, id))
    }
}

/// One listener's place in the journal.
struct Follow {
    feed: Arc<Feed>,
    listener: Arc<Listener>,
    news: watch::Receiver<Option<u64>>,
    twin: Arc<Twin>,
    last: u64,
    ready: VecDeque<Arc<Shown>>,
    reading: bool,
    only: Option<Arc<Only>>,
    _permit: OwnedSemaphorePermit,
}

impl Follow {
    /// The next record; `None` when there will be none, or when it was cut off.
    async fn next(&mut self) -> Option<Arc<Shown>> {
        loop {
            if self.listener.is_cut() {
                return None;
            }
            self.feed.takes(&self.listener);
            if let Some(shown) = self.ready.pop_front() {
                return Some(shown);
            }
            if self.reading {
                self.read().await?;
            } else {
                self.listen().await?;
            }
        }
    }

    /// A stretch of the journal, of so many records and bytes.
    async fn read(&mut self) -> Option<()> {
        let (twin, after, only) = (self.twin.clone(), self.last, self.only.clone());
        let read = move || {
            let (mut last, mut bytes, mut found) = (after, 0, VecDeque::new());
            // Of one thing alone nothing else is read, so where that ends it is at the end of the journal as it was before.
            let end = twin.head().records;
            let one = only.as_ref().map(|only| only.keys(&twin)).transpose()?.flatten();
            let mut records: Box<dyn Iterator<Item = Result<Record, TwinError>> + '_> = match &one {
                Some(keys) => Box::new(twin.history(keys, Way::After(after))),
                None => Box::new(twin.records(after)),
            };
            for _ in 0..EVENT_BATCH {
                let Some(record) = records.next().transpose()? else {
                    if one.is_some() {
                        last = end.max(last);
                    }
                    break;
                };
                last = record.seq;
                if only.as_ref().is_none_or(|only| only.takes(&record.key)) {
                    let shown = Shown::of(&record);
                    bytes += shown.bytes();
                    found.push_back(Arc::new(shown));
                }
                if bytes >= EVENT_BATCH_BYTES {
                    break;
                }
            }
            Ok::<_, TwinError>((last, found))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok((last, found))) => {
                self.reading = last > after;
                (self.last, self.ready) = (last, found);
                Some(())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, after, "an event stream ends: the journal cannot be read");
                None
            }
            Err(_) => None,
        }
    }

    /// Waits for what is written next.
    async fn listen(&mut self) -> Option<()> {
        let open = self.news.borrow_and_update().is_some();
        match self.feed.after(self.last) {
            Some(new) if !new.is_empty() => {
                self.last = new.last().map_or(self.last, |shown| shown.seq);
                let only = self.only.as_ref();
                self.ready.extend(new.into_iter().filter(|shown| only.is_none_or(|only| only.takes(&shown.key))));
            }
            // Waiting is not taking nothing.
            Some(_) if open => self.news.changed().await.ok()?,
            Some(_) => return None,
            None => self.reading = true,
        }
        Some(())
    }
}
