//! Takes connections and serves them: a head has to come in time, an answer has to be taken, and there are so many at once.
//!
//! What is asked is the router's business.

use super::connections::{Connection, Connections, Place};
use super::hosts::Arrived;
use super::limits::{ANSWER_STALL_MAX, CONNECTION_BUFFER_BYTES, HEAD_WAIT_MAX, Limit, LimitLog};
use axum::Router;
use axum::body::Body;
use drivers::Clock;
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::{ServiceExt, service_fn};
use twin::{Moment, Span};

/// How long no connection is taken when the machine gives none: too many files are open, most likely.
const ACCEPT_PAUSE: Span = Span::from_ms(100);

/// Serves until told to stop, and then until the last answer is given.
pub async fn serve(listener: TcpListener, router: Router, limits: Arc<LimitLog>, mut stop: watch::Receiver<()>) {
    let (connections, clock) = (Arc::new(Connections::default()), Clock::free(1.0, Moment::default()));
    let mut tasks = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    number += 1;
                    let (place, reached) = connections.arrive(peer.ip(), number);
                    if let Some(limit) = reached {
                        let what = if place.is_some() { "the oldest that waits for its peer gave way" } else { "all are being answered: the newcomer was refused" };
                        limits.reached(limit, &format!("{} connections, one more from {}: {what}", connections.count(), peer.ip()));
                    }
                    if let Some(place) = place {
                        tasks.spawn(one(stream, peer, place, router.clone(), limits.clone(), stop.clone()));
                    }
                }
                Err(error) => {
                    limits.reached(Limit::Accept, &format!("no connection can be taken: {error}"));
                    clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn one(stream: TcpStream, peer: SocketAddr, place: Place, router: Router, limits: Arc<LimitLog>, mut stop: watch::Receiver<()>) {
    // Without them it would be slower or hold on longer; neither is a reason to refuse.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, millis(ANSWER_STALL_MAX).as_millis() as u32);
    let Ok(at) = stream.local_addr() else { return };
    let connection = place.connection.clone();
    let asked = connection.clone();
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let under_way = asked.ask();
        request.extensions_mut().insert(Arrived { at, from: peer });
        request.extensions_mut().insert(asked.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            // Under way until the whole answer is handed to the connection, or the connection ends.
            let answer = answer.await?;
            Ok::<_, std::convert::Infallible>(answer.map(|body| {
                body.map_frame(move |frame| {
                    let _ = &under_way;
                    frame
                })
            }))
        }
    });
    let service = TowerToHyperService::new(service);
    let mut serving = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(millis(HEAD_WAIT_MAX))
            .max_buf_size(CONNECTION_BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
    );
    let mut stopping = false;
    let outcome = loop {
        tokio::select! {
            biased;
            () = connection.is_cut() => return,
            _ = stop.changed(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            outcome = serving.as_mut() => break outcome,
        }
    };
    if let Err(error) = outcome
        && let Some(limit) = reached(&error, &connection)
    {
        limits.reached(limit, &format!("a connection from {} was ended: {error}", peer.ip()));
    }
}

fn millis(span: Span) -> Duration {
    Duration::from_micros(span.0.unsigned_abs())
}

/// Which limit ended a connection, if one did; other ends are the peer's own business.
fn reached(error: &hyper::Error, connection: &Connection) -> Option<Limit> {
    let timed_out =
        |e: &(dyn Error + 'static)| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::TimedOut);
    if error.source().is_some_and(timed_out) {
        return Some(Limit::AnswerStall);
    }
    // An idle connection that asked before ends the same way, and that is as it should be.
    (error.is_timeout() && connection.never_asked()).then_some(Limit::HeadWait)
}
