//! Lists of orders, parcels and returns by facets, and what a search finds: drawn here whole, without scripts. What was asked stands in
//! the page's address, so that a list can be kept and passed on.

use crate::api::Api;
use crate::api::board::ORDER_STAGES;
use crate::api::lists::{Filters, ask, found};
use crate::api::problem::{Problem, query};
use crate::page::page;
use crate::query::lists::{OrderRow, ParcelRow, ReturnRow};
use crate::query::pages::{Page, page as page_of};
use crate::query::search::Findings;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use twin::text::visible;
use twin::{parcel, returns, tracking};

/// What stands in the address. What is empty is not asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    /// `orders`, `parcels` or `returns`.
    of: String,
    /// A text to look for, instead of a list.
    q: String,
    stage: String,
    platform: String,
    warehouse: String,
    channel: String,
    country: String,
    from: String,
    to: String,
    after: String,
}

impl Asked {
    fn fields(&self) -> [(&'static str, &str); 9] {
        [
            ("of", &self.of),
            ("q", &self.q),
            ("stage", &self.stage),
            ("platform", &self.platform),
            ("warehouse", &self.warehouse),
            ("channel", &self.channel),
            ("country", &self.country),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    /// The address of the page that follows.
    fn next(&self, after: u64) -> String {
        let given = self.fields().into_iter().filter(|(_, value)| !value.is_empty());
        given.fold(format!("/lists?after={after}"), |url, (name, value)| format!("{url}&{name}={}", encoded(value)))
    }

    fn after(&self) -> Result<Option<u64>, Problem> {
        match self.after.as_str() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| Problem::bad_request("after is not a number of a record")),
        }
    }

    fn filters(&self) -> Result<Filters, Problem> {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        // A parcel is shown where it is now, so it is looked for there.
        let of_the_way = self.of == "parcels" && tracking::Stage::ALL.iter().any(|stage| stage.as_str() == self.stage.trim());
        let (stage, status) = if of_the_way { (None, given(&self.stage)) } else { (given(&self.stage), None) };
        Ok(Filters {
            stage,
            status,
            platform: given(&self.platform),
            warehouse: given(&self.warehouse),
            channel: given(&self.channel),
            country: given(&self.country).map(|country| country.to_uppercase()),
            from: given(&self.from),
            to: given(&self.to),
            after: self.after()?,
            ..Filters::default()
        })
    }
}

struct Cell {
    text: String,
    href: Option<String>,
    number: bool,
}

fn cell(text: impl AsRef<str>) -> Cell {
    Cell { text: visible(text.as_ref()).into_owned(), href: None, number: false }
}

fn maybe(text: Option<String>) -> Cell {
    cell(text.unwrap_or_default())
}

/// Leads to all that is known of it, on the first page.
fn named(id: String) -> Cell {
    Cell { href: Some(format!("/#find={}", encoded(&id))), ..cell(id) }
}

fn number(text: String) -> Cell {
    Cell { number: true, ..cell(text) }
}

/// To the second, as people read it.
fn time(at: Option<String>) -> Cell {
    cell(at.unwrap_or_default().get(..19).unwrap_or_default().replace('T', " "))
}

pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(byte as char),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
        url
    })
}

#[derive(Template)]
#[template(path = "lists.html", config = "src/console/askama.toml")]
struct Lists {
    name: String,
    title: String,
    asked: Asked,
    stages: Vec<&'static str>,
    record: Option<u64>,
    problem: Option<String>,
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    next: Option<String>,
}

pub async fn lists(State(api): State<Api>, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let mut asked = query(asked)?;
    let stages = match asked.of.as_str() {
        "parcels" => places(),
        "returns" => returns::Stage::ALL.map(returns::Stage::as_str).to_vec(),
        _ => {
            asked.of = "orders".into();
            ORDER_STAGES.to_vec()
        }
    };
    let mut lists = Lists {
        name: api.app.name.clone(),
        title: String::new(),
        stages,
        asked,
        record: None,
        problem: None,
        head: Vec::new(),
        rows: Vec::new(),
        next: None,
    };
    let mut status = StatusCode::OK;
    if let Err(problem) = lists.fill(&api).await {
        status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        lists.problem = Some(problem.detail);
    }
    match lists.render() {
        Ok(html) => Ok((status, page(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "the lists cannot be drawn");
            Err(Problem::internal())
        }
    }
}

/// Where a parcel may be: its stages in the house, and behind the handover.
fn places() -> Vec<&'static str> {
    let in_house = parcel::Stage::ALL.into_iter().filter(|stage| *stage != parcel::Stage::HandedOver).map(parcel::Stage::as_str);
    in_house.chain(tracking::Stage::ALL.map(tracking::Stage::as_str)).collect()
}

impl Lists {
    async fn fill(&mut self, api: &Api) -> Result<(), Problem> {
        let asked = self.asked.clone();
        if !asked.q.trim().is_empty() {
            self.title = format!("What has “{}”", visible(asked.q.trim()));
            let findings = found(api, asked.q.trim().to_owned(), None, asked.after()?, None).await?;
            self.show_found(findings);
            return Ok(());
        }
        let filters = asked.filters()?;
        match asked.of.as_str() {
            "parcels" => {
                self.title = "Parcels".into();
                let wish = filters.wish::<ParcelRow>()?;
                self.show_parcels(ask(api, move |db| page_of(db, &wish)).await?);
            }
            "returns" => {
                self.title = "Returns".into();
                let wish = filters.wish::<ReturnRow>()?;
                self.show_returns(ask(api, move |db| page_of(db, &wish)).await?);
            }
            _ => {
                self.title = "Orders".into();
                let wish = filters.wish::<OrderRow>()?;
                self.show_orders(ask(api, move |db| page_of(db, &wish)).await?);
            }
        }
        Ok(())
    }

    fn show_found(&mut self, findings: Findings) {
        self.record = Some(findings.record);
        self.next = findings.next.map(|after| self.asked.next(after));
        self.head = vec!["", "Id", "Stage", "Buyer", "Country", "Tracking", "What"];
        let row = |f: crate::query::search::Found| {
            vec![cell(f.kind), named(f.id), maybe(f.stage), maybe(f.buyer), maybe(f.country), maybe(f.tracking), maybe(f.detail)]
        };
        self.rows = findings.found.into_iter().map(row).collect();
    }

    fn show_orders(&mut self, page: Page<OrderRow>) {
        self.record = Some(page.record);
        self.next = page.next.map(|after| self.asked.next(after));
        self.head =
            vec!["Order", "Stage", "Received (UTC)", "Platform", "Buyer", "City", "Country", "Pieces", "Warehouse", "Channel", "Waits for"];
        let row = |o: OrderRow| {
            let buyer = if o.forgotten { Some("erased".into()) } else { o.buyer };
            vec![
                named(o.id),
                cell(o.stage),
                time(o.received_at),
                cell(format!("{}, {}", o.platform, o.shop)),
                maybe(buyer),
                maybe(o.city),
                cell(o.country),
                number(o.pieces.to_string()),
                maybe(o.warehouse),
                maybe(o.channel),
                maybe(o.holds),
            ]
        };
        self.rows = page.rows.into_iter().map(row).collect();
    }

    fn show_returns(&mut self, page: Page<ReturnRow>) {
        self.record = Some(page.record);
        self.next = page.next.map(|after| self.asked.next(after));
        self.head = vec!["Parcel", "Stage", "Announced (UTC)", "Because", "Pieces", "Warehouse", "Came back", "What became of it", "Note"];
        let row = |r: ReturnRow| {
            let came: Vec<_> = r.items.iter().map(|item| format!("{} × {} {}", item.sku, item.quantity, item.condition)).collect();
            vec![
                named(r.parcel),
                cell(r.stage),
                time(r.announced_at),
                cell(r.reason),
                number(r.expected.to_string()),
                maybe(r.warehouse),
                cell(came.join(", ")),
                maybe(r.outcome),
                maybe(r.note),
            ]
        };
        self.rows = page.rows.into_iter().map(row).collect();
    }

    fn show_parcels(&mut self, page: Page<ParcelRow>) {
        self.record = Some(page.record);
        self.next = page.next.map(|after| self.asked.next(after));
        self.head = vec![
            "Parcel",
            "Stage",
            "Created (UTC)",
            "Buyer",
            "Country",
            "Warehouse",
            "Channel",
            "Tracking",
            "Declared",
            "Measured",
            "Trouble",
            "News",
        ];
        let row = |p: ParcelRow| {
            vec![
                named(p.id),
                cell(p.status.unwrap_or(p.stage)),
                time(p.created_at),
                maybe(p.buyer),
                cell(p.country),
                cell(p.warehouse),
                cell(p.channel),
                maybe(p.tracking),
                number(format!("{} g", p.declared_g)),
                number(p.measured_g.map(|g| format!("{g} g")).unwrap_or_default()),
                maybe(p.trouble),
                maybe(p.news),
            ]
        };
        self.rows = page.rows.into_iter().map(row).collect();
    }
}
