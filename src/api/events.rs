//! The journal as server-sent events: what was, then what happens, without a gap and without a repetition.
//!
//! A stream reads the journal until nothing is left, then listens; whenever the listening lags behind or leaps, it goes
//! back to the journal. It starts no task: it lives exactly as long as its connection.

use super::Api;
use super::limits::{EVENT_BATCH, STREAMS_MAX};
use super::problem::{Problem, query};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use twin::{Kind, Record, Twin};
use utoipa::IntoParams;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Only events with a higher sequence number; 0 is the whole journal. Without it, and without `Last-Event-ID`: from now on.
    after: Option<u64>,
    /// Only events of one thing (`parcel/AMA-000001-1`) or of one kind (`parcel`).
    entity: Option<String>,
}

/// What happens, as it happens
///
/// Server-sent events. `id` is the sequence number, `event` the kind and the event (`parcel.sorted`), `data` the journal
/// record as JSON: `by` says who did it (`{"device": "SZX/line-1/scanner"}`, or `"system"`), `because` what led to it
/// (`{"record": 123}`, `{"request": "key"}`, or `"nothing"`). A reconnecting client's `Last-Event-ID` comes before `after`.
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
    let follow = Follow {
        live: api.app.house.listeners.subscribe(),
        twin: api.app.house.twin.clone(),
        last: after,
        ready: VecDeque::new(),
        reading: true,
        only,
        _permit: api.gate.stream()?,
    };
    let stream =
        futures::stream::unfold(follow, |mut follow| async move { follow.next().await.map(|record| (Ok(event(&record)), follow)) });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Problem::bad_request("Last-Event-ID is not a sequence number"))
}

/// `parcel.sorted` for an event that is written `{"parcel":{"sorted":…}}` or `{"parcel":"packed"}`.
fn name(event: &Value) -> String {
    let Some((kind, what)) = event.as_object().and_then(|map| map.iter().next()) else { return "event".into() };
    match what {
        Value::String(word) => format!("{kind}.{word}"),
        Value::Object(map) => map.keys().next().map_or_else(|| kind.clone(), |word| format!("{kind}.{word}")),
        _ => kind.clone(),
    }
}

fn event(record: &Record) -> Event {
    match serde_json::to_value(record) {
        Ok(json) => Event::default().id(record.seq.to_string()).event(name(&json["event"])).data(json.to_string()),
        Err(error) => {
            tracing::error!(seq = record.seq, %error, "a record cannot be written as JSON");
            Event::default().comment("a record cannot be shown")
        }
    }
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

    fn takes(&self, record: &Record) -> bool {
        record.key.kind == self.kind && self.id.as_ref().is_none_or(|id| *id == record.key.id)
    }
}

/// One listener's place in the journal.
struct Follow {
    twin: Arc<Twin>,
    /// Subscribed before the journal is read, so that what is written meanwhile waits here.
    live: broadcast::Receiver<Arc<Vec<Record>>>,
    last: u64,
    ready: VecDeque<Record>,
    reading: bool,
    only: Option<Only>,
    _permit: OwnedSemaphorePermit,
}

impl Follow {
    /// The next record; `None` when there will be none.
    async fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(record);
            }
            let records = if self.reading { self.read().await? } else { self.listen().await? };
            if let Some(newest) = records.last() {
                self.last = newest.seq;
            }
            let only = self.only.as_ref();
            self.ready.extend(records.into_iter().filter(|record| only.is_none_or(|only| only.takes(record))));
        }
    }

    /// A stretch of the journal; empty at its end.
    async fn read(&mut self) -> Option<Vec<Record>> {
        let (twin, after) = (self.twin.clone(), self.last);
        let read = move || twin.records(after).take(EVENT_BATCH).collect::<Result<Vec<_>, _>>();
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(records)) => {
                self.reading = !records.is_empty();
                Some(records)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, after, "an event stream ends: the journal cannot be read");
                None
            }
            Err(_) => None,
        }
    }

    /// What was just written; empty when the journal must be read instead.
    async fn listen(&mut self) -> Option<Vec<Record>> {
        match self.live.recv().await {
            Ok(records) => {
                let fresh: Vec<_> = records.iter().filter(|r| r.seq > self.last).cloned().collect();
                let leaps = fresh.first().is_some_and(|r| r.seq > self.last + 1);
                self.reading = leaps;
                Some(if leaps { Vec::new() } else { fresh })
            }
            Err(RecvError::Lagged(groups)) => {
                tracing::debug!(groups, streams_max = STREAMS_MAX, "an event stream lags and reads the journal");
                self.reading = true;
                Some(Vec::new())
            }
            Err(RecvError::Closed) => None,
        }
    }
}
