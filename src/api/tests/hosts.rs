//! Who may be asked by which name. The names are those of DNS rebinding reports and of load balancers' manuals.

use super::{Edge, order};
use crate::api::hosts::{Arrived, Hosts};
use axum::body::Body;
use axum::http::Request;

/// Asks by these headers; a connection may tell where it came in.
async fn ask(edge: &Edge, path: &str, host: Option<&str>, origin: Option<&str>, at: Option<&str>) -> (u16, String) {
    let mut request = Request::get(path);
    for (name, value) in [("host", host), ("origin", origin)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(at) = at {
        request.extensions_mut().insert(Arrived { at: at.parse().unwrap(), from: "192.0.2.7:5".parse().unwrap() });
    }
    let answer = edge.answer_as_it_is(request).await;
    let status = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let edge = Edge::open().await;
    for (host, expected) in [
        ("127.0.0.1:8080", 200),
        ("localhost:8080", 200),
        ("LOCALHOST.:8080", 200),
        ("[::1]:8080", 200),
        ("twin.example", 200),
        ("twin.example:443", 200),
        ("10.0.0.5:8080", 200),
        ("localhost", 421),
        ("localhost:8081", 421),
        ("localhost:80800", 400),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("localhost.evil.example:8080", 421),
        ("a.twin.example", 421),
        ("2130706433:8080", 421),
        ("0.0.0.0:8080", 421),
        ("192.168.1.4:8080", 421),
        ("evil@127.0.0.1:8080", 400),
        ("127.0.0.1:8080 evil", 400),
        ("127.0.0.1:", 400),
        ("", 400),
    ] {
        let at = (host == "10.0.0.5:8080").then_some("10.0.0.5:8080");
        let (status, text) = ask(&edge, "/api/v1/board", Some(host), None, at).await;
        assert_eq!(status, expected, "{host:?}: {text}");
    }
    let (status, text) = ask(&edge, "/api/v1/board", None, None, None).await;
    assert_eq!(status, 400, "{text}");
    let target = ask(&edge, "http://evil.example/api/v1/board", Some("127.0.0.1:8080"), None, None).await;
    assert_eq!(target.0, 421, "an absolute target comes before Host: {}", target.1);
}

#[tokio::test]
async fn only_our_own_pages_may_ask() {
    let edge = Edge::open().await;
    for (origin, expected) in [
        ("http://127.0.0.1:8080", 200),
        ("http://localhost:8080", 200),
        ("http://[::1]:8080", 200),
        ("https://twin.example", 200),
        ("http://twin.example", 200),
        ("null", 403),
        ("", 403),
        ("http://evil.example", 403),
        ("http://evil.example:8080", 403),
        ("http://localhost", 403),
        ("http://localhost:3000", 403),
        ("file://127.0.0.1:8080", 403),
        ("http://127.0.0.1:8080/", 403),
    ] {
        let (status, text) = ask(&edge, "/api/v1/board", Some("127.0.0.1:8080"), Some(origin), None).await;
        assert_eq!(status, expected, "{origin:?}: {text}");
    }
}

#[tokio::test]
async fn a_rebound_name_posts_no_order_and_forgets_nobody() {
    let edge = Edge::open().await;
    for path in ["/api/v1/orders", "/api/v1/orders/A-1/forget"] {
        let mut request = super::post(path, &order("A-1"));
        request.headers_mut().insert("host", "evil.example:8080".parse().unwrap());
        request.headers_mut().insert("origin", "http://evil.example:8080".parse().unwrap());
        let answer = edge.ask(request).await;
        assert_eq!(answer.status, 421, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.json()["type"], "urn:parceltwin:problem:host");
    }
    let (status, _) = ask(&edge, "/api/v1/orders/A-1", Some("localhost:8080"), None, None).await;
    assert_eq!(status, 404);
    let metrics = edge.get("/metrics").await.text;
    let count = metrics.lines().find(|l| l.starts_with("parceltwin_http_limit_reached_total{limit=\"host\"}")).unwrap();
    assert!(!count.ends_with(" 0"), "{count}");
}

#[tokio::test]
async fn machines_ask_for_health_by_any_number_and_by_no_foreign_name() {
    let edge = Edge::open().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        for host in [None, Some("10.1.2.3"), Some("10.1.2.3:9000"), Some("[2001:db8::1]:8080"), Some("twin.example")] {
            let (status, text) = ask(&edge, path, host, None, None).await;
            assert_eq!(status, 200, "{path} by {host:?}: {text}");
        }
        assert_eq!(ask(&edge, path, Some("evil.example"), None, None).await.0, 421, "{path}");
        assert_eq!(ask(&edge, path, Some("10.1.2.3"), Some("http://10.1.2.3"), None).await.0, 403, "{path}");
    }
}

#[test]
fn a_configured_host_is_a_host() {
    for (text, good) in
        [("twin.example", true), ("twin.example:8443", true), ("[::1]:1", true), ("http://a", false), ("a b", false), ("a:x", false)]
    {
        assert_eq!(Hosts::new(super::LISTEN, &[text.to_owned()]).is_ok(), good, "{text}");
    }
}
