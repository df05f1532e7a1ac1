//! The pages: drawn with what there is, loading only what this site serves, with the headers that keep others out.

use super::{Edge, order};
use axum::http::StatusCode;

#[tokio::test]
async fn the_console_shows_the_site_and_says_what_to_do_when_it_is_empty() {
    let edge = Edge::open().await;
    edge.until("/api/v1/stations/SZX/dock-1", |s| s["open"] == true).await;
    let page = edge.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("<title>test &#38; site"), "names are escaped: {}", &page.text[..400]);
    for text in [
        "No orders yet: POST to <code>/api/v1/orders</code>",
        "line-1",
        "✕ offline",
        "Test &#60;Ground&#62;",
        "⚠ to rework",
        "3 on the belt",
    ] {
        assert!(page.text.contains(text), "{text} is missing in {}", page.text);
    }
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/board", |b| b["parcels"]["labelled"] == 1).await;
    let page = edge.get("/").await.text;
    assert!(page.contains("A-1-1") && page.contains(r#"id="no-orders" hidden"#), "{page}");
}

#[tokio::test]
async fn every_page_has_its_guards_and_loads_only_from_here() {
    let edge = Edge::open().await;
    for page in ["/", "/lists", "/lists?of=parcels", "/lists?q=%3Cb%3E", "/api/v1/docs"] {
        let answer = edge.get(page).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        for part in answer.text.split(['"']).filter(|part| part.ends_with(".js") || part.ends_with(".css")) {
            let loaded = edge.get(part).await;
            assert_eq!(loaded.status, StatusCode::OK, "{part}");
            assert!(!loaded.text.contains("innerHTML") && !loaded.text.contains("//cdn"), "{part}");
        }
        assert!(!answer.text.contains("http://") && !answer.text.contains("https://"), "{page} asks others");
        assert!(!answer.text.contains(" style=") && !answer.text.contains("onclick"), "the policy would block it");
    }
}
