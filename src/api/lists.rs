//! Lists by facets and the search, from the query side. Each answer says up to which record it is; one who has just changed
//! something says `at_least` and waits until that is in it.

use super::Api;
use super::entities::{Look, by_tracking};
use super::limits::{AT_LEAST_WAIT_MAX, FILTER_LENGTH_MAX, PAGE_ROWS_MAX};
use super::problem::{Problem, query};
use crate::query::lists::{
    BagRow, DecisionRow, ExceptionRow, ManifestRow, OrderRow, ParcelRow, ProductRow, ReturnRow, SellerRow, SkuMapRow, StockRow, TrackingRow,
};
use crate::query::pages::{Listed, PAGE_ROWS, Page, Wish, page};
use crate::query::search::{FOUND_MAX, Findings, TEXT_MAX, TOO_SHORT, find};
use crate::query::{QueryError, applied};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use twin::{Moment, Span, parcel, tracking};
use utoipa::{IntoParams, ToSchema};

/// What a list may be asked for. Not every list has every facet; one that it has not is refused.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filters {
    /// As the rows say it: `sorted`, `handed over`, `held`. Orders, parcels, returns, bags, manifests. Of parcels, what only a `status` may be
    /// is taken for one.
    pub stage: Option<String>,
    /// As the rows say it: `in flight`, `delivered`. Parcels, tracking.
    pub status: Option<String>,
    /// Orders; parcels by their order's.
    pub platform: Option<String>,
    /// Orders, SKU maps.
    pub shop: Option<String>,
    /// Orders: the platform's own number, whichever platform and shop.
    pub number: Option<String>,
    /// Orders: whose shop that is.
    pub seller: Option<String>,
    /// Stock, products: whose it is.
    pub owner: Option<String>,
    /// Products.
    pub category: Option<String>,
    /// All but exceptions.
    pub warehouse: Option<String>,
    /// Orders, parcels, bags, decisions.
    pub channel: Option<String>,
    /// Parcels, tracking, manifests.
    pub carrier: Option<String>,
    /// ISO 3166 two-letter code. Orders, parcels.
    pub country: Option<String>,
    /// Stock, products; SKU maps by the platform's.
    pub sku: Option<String>,
    /// Returns: `restocked`, `written off`, `sent again`, `withdrawn`.
    pub outcome: Option<String>,
    /// Exceptions: `held`, `intercepted` …
    pub what: Option<String>,
    /// Exceptions: the kind of thing that they happened to.
    pub kind: Option<String>,
    /// That began then or later: RFC 3339, or a date for its beginning in UTC.
    #[param(example = "2026-11-09T00:00:00+08:00")]
    pub from: Option<String>,
    /// That began before then.
    pub to: Option<String>,
    /// The `next` of the page before.
    pub after: Option<u64>,
    /// Rows on the page, 1 to 200; 50 where it is left out.
    pub limit: Option<usize>,
    /// Waits until the answer has this record of the journal in it, up to 5 s.
    pub at_least: Option<u64>,
    /// Parcels: that one alone which wears this number, as it is now, with all that the twin knows of it.
    pub tracking: Option<String>,
    /// Parcels, with `tracking`: as for one parcel by its id.
    pub history: bool,
    /// Parcels, with `tracking` and `history`: as for one parcel by its id.
    pub before: Option<u64>,
}

impl Filters {
    /// What is asked of a list.
    pub fn wish<T: Listed>(&self) -> Result<Wish, Problem> {
        let facets = [
            ("stage", &self.stage),
            ("status", &self.status),
            ("platform", &self.platform),
            ("shop", &self.shop),
            ("number", &self.number),
            ("warehouse", &self.warehouse),
            ("channel", &self.channel),
            ("carrier", &self.carrier),
            ("country", &self.country),
            ("sku", &self.sku),
            ("outcome", &self.outcome),
            ("seller", &self.seller),
            ("owner", &self.owner),
            ("category", &self.category),
            ("what", &self.what),
            ("kind", &self.kind),
        ];
        let mut wish = Wish { after: self.after, limit: limit(self.limit, PAGE_ROWS, PAGE_ROWS_MAX)?, ..Wish::default() };
        for (facet, value) in facets {
            let Some(value) = value else { continue };
            let facet = if (T::TABLE, facet) == ("parcels", "stage") && is_of_the_way_alone(value) { "status" } else { facet };
            let known = T::FACETS.iter().any(|(f, _)| *f == facet) || (T::TABLE, facet) == ("parcels", "platform");
            if !known {
                let has: Vec<_> = T::FACETS.iter().map(|(f, _)| *f).collect();
                return Err(Problem::bad_request(format!("{} have no {facet}; they have {}", T::TABLE, has.join(", "))));
            }
            if value.chars().count() > FILTER_LENGTH_MAX {
                return Err(Problem::bad_request(format!("{facet} is over the limit of {FILTER_LENGTH_MAX} characters")));
            }
            wish.facets.push((facet, value.clone()));
        }
        if T::BEGAN.is_empty() && (self.from.is_some() || self.to.is_some()) {
            return Err(Problem::bad_request(format!("{} has no beginning; it is as it is now", T::TABLE)));
        }
        (wish.from, wish.to) = (moment("from", self.from.as_deref())?, moment("to", self.to.as_deref())?);
        Ok(wish)
    }
}

/// Whether no parcel can be in this stage in the house, but on its way.
fn is_of_the_way_alone(stage: &str) -> bool {
    let in_house = parcel::Stage::ALL.iter().any(|of| of.as_str() == stage);
    !in_house && tracking::Stage::ALL.iter().any(|of| of.as_str() == stage)
}

fn limit(asked: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match asked.unwrap_or(usual) {
        n if (1..=most).contains(&n) => Ok(n),
        n => Err(Problem::bad_request(format!("limit {n} is not between 1 and {most}"))),
    }
}

fn moment(name: &str, text: Option<&str>) -> Result<Option<Moment>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    match whole.parse() {
        Ok(moment) => Ok(Some(moment)),
        Err(_) => Err(Problem::bad_request(format!("{name} is neither a date (2026-11-25) nor a moment with its offset, with + as %2B"))),
    }
}

/// Asks the query side where waiting for its disk holds up nobody.
pub async fn ask<T: Send + 'static>(
    api: &Api,
    ask: impl FnOnce(&Connection) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, Problem> {
    let query = api.app.query.clone();
    match tokio::task::spawn_blocking(move || query.ask(ask)).await {
        Ok(answer) => Ok(answer?),
        Err(error) => {
            tracing::error!(%error, "a question to the query side broke off");
            Err(Problem::internal())
        }
    }
}

/// Waits until the query side has taken in a record.
async fn wait_for(api: &Api, record: Option<u64>) -> Result<(), Problem> {
    let Some(record) = record else { return Ok(()) };
    let query = &api.app.query;
    let until = api.clock.now() + AT_LEAST_WAIT_MAX;
    while query.applied().is_none_or(|applied| applied.records < record) {
        if record > api.app.house.twin.head().records {
            return Err(Problem::bad_request(format!("record {record} is not in the journal, which ends with {}", query.done())));
        }
        if api.clock.now() >= until {
            let detail = format!("the query side is at record {} and did not come to {record} within 5 s", query.done());
            return Err(Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "query", "Lists and searches are behind", detail));
        }
        api.clock.sleep(Span::from_ms(10)).await;
    }
    Ok(())
}

async fn list<T: Listed + Send + 'static>(api: Api, filters: Filters) -> Result<Json<Page<T>>, Problem> {
    if filters.tracking.is_some() || filters.history || filters.before.is_some() {
        return Err(Problem::bad_request(format!("{} are not asked for by tracking number", T::TABLE)));
    }
    let wish = filters.wish::<T>()?;
    wait_for(&api, filters.at_least).await?;
    ask(&api, move |db| page(db, &wish)).await.map(Json)
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $row:ty, $path:literal, $tag:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = $tag, params(Filters),
            responses(
                (status = 200, description = "The newest first", body = Page<$row>),
                (status = 503, description = "The query side is being made, or behind", body = Problem, content_type = "application/problem+json"),
            )
        )]
        pub async fn $name(State(api): State<Api>, filters: Result<Query<Filters>, QueryRejection>) -> Result<Json<Page<$row>>, Problem> {
            list(api, query(filters)?).await
        }
    )*};
}

lists! {
    /// Orders by facets
    orders: OrderRow, "/api/v1/orders", "orders";
    /// Parcels on their way by facets: what became of each behind the handover
    on_their_way: TrackingRow, "/api/v1/tracking", "parcels";
    /// Returns by facets, with what came back
    returns: ReturnRow, "/api/v1/returns", "returns";
    /// Bags by facets
    bags: BagRow, "/api/v1/bags", "lists";
    /// Manifests by facets
    manifests: ManifestRow, "/api/v1/manifests", "lists";
    /// Stock as it is now
    stock: StockRow, "/api/v1/stock", "lists";
    /// What is sold
    products: ProductRow, "/api/v1/products", "products";
    /// What shops call what is sold
    sku_maps: SkuMapRow, "/api/v1/sku-maps", "products";
    /// Whose goods there are beside the house's own
    sellers: SellerRow, "/api/v1/sellers", "products";
    /// What wanted a look, and what was said when somebody looked
    exceptions: ExceptionRow, "/api/v1/exceptions", "lists";
    /// Why each order leaves from where it does: decisions with all that was weighed
    decisions: DecisionRow, "/api/v1/decisions", "lists";
}

/// A page of parcels, or the one that was asked for by its tracking number.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Parcels {
    Page(Page<ParcelRow>),
    One(Value),
}

/// Parcels by facets, or one by its tracking number
#[utoipa::path(
    get, path = "/api/v1/parcels", tag = "parcels", params(Filters),
    responses(
        (status = 200, description = "The newest first; with `tracking`: the state, id and version of that one", body = Parcels),
        (status = 404, description = "No parcel has that tracking number", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The query side is being made, or behind", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn parcels(State(api): State<Api>, filters: Result<Query<Filters>, QueryRejection>) -> Result<Json<Parcels>, Problem> {
    let filters = query(filters)?;
    match filters.tracking {
        Some(tracking) => {
            Ok(Json(Parcels::One(by_tracking(&api, tracking, Look { history: filters.history, before: filters.before }).await?.0)))
        }
        None => Ok(Json(Parcels::Page(list(api, filters).await?.0))),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Up to 200 characters. All words of it must be there: parts of three letters from anywhere, of two where a word begins,
    /// or single Chinese characters; case, accents and marks aside.
    #[param(example = "musterfr")]
    q: String,
    /// Only `order`, `parcel`, `bag`, `manifest`, `product` or `exception`.
    kind: Option<String>,
    /// The `next` of the answer before.
    after: Option<u64>,
    /// Found things in the answer, 1 to 50; 50 where it is left out.
    limit: Option<usize>,
    /// Waits until the answer has this record of the journal in it, up to 5 s.
    at_least: Option<u64>,
}

/// Find by a part of a text
///
/// Looks through buyers' names, companies, addresses, telephone numbers and e-mail addresses, the ids of orders, parcels, bags and
/// manifests, SKUs, tracking numbers, and the words of exceptions. Who was forgotten is not found.
#[utoipa::path(
    get, path = "/api/v1/search", tag = "lists", params(Wanted),
    responses(
        (status = 200, description = "What is called exactly so, then the newest first", body = Findings),
        (status = 503, description = "The query side is being made, or behind", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn search(State(api): State<Api>, wanted: Result<Query<Wanted>, QueryRejection>) -> Result<Json<Findings>, Problem> {
    let wanted = query(wanted)?;
    wait_for(&api, wanted.at_least).await?;
    found(&api, wanted.q, wanted.kind, wanted.after, wanted.limit).await.map(Json)
}

/// What is found, for the console too.
pub async fn found(api: &Api, text: String, kind: Option<String>, after: Option<u64>, most: Option<usize>) -> Result<Findings, Problem> {
    if text.chars().count() > TEXT_MAX {
        return Err(Problem::bad_request(format!("q is over the limit of {TEXT_MAX} characters")));
    }
    if let Some(kind) = kind.as_deref().filter(|kind| !["order", "parcel", "bag", "manifest", "product", "exception"].contains(kind)) {
        return Err(Problem::bad_request(format!("kind {kind:?} is not order, parcel, bag, manifest, product or exception")));
    }
    let most = limit(most, FOUND_MAX, FOUND_MAX)?;
    let findings = ask(api, move |db| match find(db, &text, kind.as_deref(), after, most)? {
        Some(findings) => Ok(Ok(findings)),
        None => Ok(Err(applied(db)?)),
    });
    findings.await?.map_err(|_| Problem::bad_request(format!("nothing of q can be looked for: {TOO_SHORT}")))
}
