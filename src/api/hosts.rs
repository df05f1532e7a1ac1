//! By which names the site may be asked. A web page whose name was bound anew to this address (DNS rebinding) asks by its
//! own name, and its requests look like those of our own pages but for that: so the name has to be one of ours.
//!
//! It judges the `Host`, the `Origin` and an absolute request target; it knows nothing of what is asked.

use super::Api;
use super::limits::Limit;
use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a connection came in and from whom; stands among a request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    pub at: SocketAddr,
    pub from: SocketAddr,
}

/// The site's names.
#[derive(Clone, Debug)]
pub struct Hosts {
    listen: SocketAddr,
    configured: Vec<Named>,
}

/// A host as somebody writes it: without brackets and the dot at its end, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    host: String,
    port: Option<u16>,
}

impl Named {
    /// `None` where it is no `host` or `host:port`.
    fn read(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let (host, port) = (authority.host(), authority.port_u16());
        // `host:`, `host:99999` and `user@host` are nobody's way to write a host.
        let rest = text.strip_prefix(host)?;
        let plain = rest.is_empty() || rest.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()) && port.is_some());
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        (plain && !bare.is_empty()).then(|| Named { host: bare.to_ascii_lowercase(), port })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl Hosts {
    /// Asked at `listen` and by the configured names: `name` on any port (a proxy's), `name:port` on that one.
    pub fn new(listen: SocketAddr, configured: &[String]) -> Result<Self, String> {
        let read = |text: &String| Named::read(text).ok_or_else(|| format!("{text:?} is no host: write NAME or NAME:PORT"));
        Ok(Hosts { listen, configured: configured.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Whether a host and port are the site's. `at` is the address of ours that was connected to.
    fn is_ours(&self, named: &Named, default_port: u16, at: Option<SocketAddr>) -> bool {
        let configured = |c: &Named| c.host == named.host && c.port.is_none_or(|port| port == named.port.unwrap_or(default_port));
        if self.configured.iter().any(configured) {
            return true;
        }
        if named.port.unwrap_or(default_port) != self.listen.port() {
            return false;
        }
        let listens = |ip: IpAddr| ip == self.listen.ip() || at.is_some_and(|at| ip == at.ip().to_canonical());
        // Only these three: other loopback addresses and names below `localhost` are not ours unless configured.
        named.host == "localhost"
            || named.ip().is_some_and(|ip| ip == Ipv4Addr::LOCALHOST || ip == std::net::Ipv6Addr::LOCALHOST || listens(ip))
    }

    /// What is wrong with the names in a request, with the limit that says no.
    fn fault(&self, uri: &Uri, headers: &HeaderMap, at: Option<SocketAddr>) -> Option<(Limit, Problem)> {
        let unreadable = |detail: String| Some((Limit::Host, Problem::bad_request(detail)));
        let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut hosts: Vec<String> = headers.get_all(header::HOST).iter().map(text).collect();
        if hosts.len() > 1 {
            return unreadable("the request has several Host headers".into());
        }
        hosts.extend(uri.authority().map(ToString::to_string));
        if hosts.is_empty() && !is_for_machines(uri) {
            return unreadable("the request has no Host header".into());
        }
        for host in hosts {
            let Some(named) = Named::read(&host) else { return unreadable(format!("Host {host:?} cannot be read")) };
            // A name can be bound anew to this address, a number cannot.
            let ours = self.is_ours(&named, 80, at) || (is_for_machines(uri) && named.ip().is_some());
            if !ours {
                return Some((Limit::Host, misdirected(&host)));
            }
        }
        let origins = headers.get_all(header::ORIGIN).iter().map(text);
        for origin in origins {
            let named = [("http://", 80), ("https://", 443)]
                .into_iter()
                .find_map(|(scheme, port)| Some((Named::read(origin.strip_prefix(scheme)?)?, port)));
            if !named.is_some_and(|(named, port)| self.is_ours(&named, port, at)) {
                return Some((Limit::Origin, foreign(&origin)));
            }
        }
        None
    }
}

/// What a supervisor, a load balancer and Prometheus ask by the machine's number, without Host even (HTTP/1.0). It shows
/// counts and changes nothing.
fn is_for_machines(uri: &Uri) -> bool {
    matches!(uri.path(), "/healthz" | "/readyz" | "/metrics")
}

fn misdirected(host: &str) -> Problem {
    let detail = format!("Host {host:?} is not this site's: ask by the address that it listens at, or start it with --host NAME");
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "host", "This is another host", detail)
}

fn foreign(origin: &str) -> Problem {
    let detail = format!("Origin {origin:?} is not this site's: only its own pages may ask; start it with --host NAME for another name");
    Problem::new(StatusCode::FORBIDDEN, "origin", "Another site's page asks", detail)
}

/// Lets a request through that asks for this site.
pub async fn ours(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    let at = request.extensions().get::<Arrived>().map(|arrived| arrived.at);
    match api.app.hosts.fault(request.uri(), request.headers(), at) {
        None => Ok(next.run(request).await),
        Some((limit, problem)) => {
            api.limits.reached(limit, &problem.detail);
            Err(problem)
        }
    }
}
