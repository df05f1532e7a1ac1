//! The order as a caller writes it, and every way in which it can be wrong.
//!
//! Fields that are not known are refused: a misspelt `paid` must not ship an unpaid order. Rules of the trade stay with
//! [`NewOrder::fault`]; only lengths and spellings are judged here.

use super::limits::{FIELD_ERRORS_MAX, ORDERS_PER_REQUEST_MAX};
use super::problem::{FieldError, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use twin::address::ADDRESS_FIELD_MAX;
use twin::id::ID_LENGTH_MAX;
use twin::money::{Currency, Decimal};
use twin::order::{NewLine, NewOrder};
use twin::{Address, Moment, Money, OrderId, Sku};
use utoipa::ToSchema;

/// An order from any platform.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderForm {
    /// The platform's order number, prefixed by the shop where two shops could collide. Printable ASCII
    /// characters without space, / or ?, and not dots alone.
    #[schema(example = "WEB-000001", min_length = 1, max_length = 64, pattern = r"^\.*[!-\-0->@-~][!-.0->@-~]*$")]
    pub id: String,
    #[schema(example = "amazon", max_length = 64)]
    pub platform: String,
    #[schema(example = "shop-1", max_length = 64)]
    pub shop: String,
    /// RFC 3339 with an offset.
    #[schema(example = "2026-11-09T00:00:33+08:00", format = DateTime)]
    pub placed_at: String,
    pub ship_to: AddressForm,
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<LineForm>,
    /// The platform says the buyer has paid. An unpaid order is held.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub paid: bool,
}

fn yes() -> bool {
    true
}

/// A postal address. What is wrong with it for the carriers holds the order, it does not refuse it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressForm {
    #[serde(default)]
    #[schema(example = "Ann Buyer", max_length = 200)]
    pub name: String,
    #[serde(default)]
    #[schema(example = "1 Main St", max_length = 200)]
    pub street: String,
    #[serde(default)]
    #[schema(example = "Beverly Hills", max_length = 200)]
    pub city: String,
    /// State or province, as the carrier writes it.
    #[serde(default)]
    #[schema(example = "CA", max_length = 200)]
    pub region: String,
    #[serde(default)]
    #[schema(example = "90210", max_length = 200)]
    pub postcode: String,
    /// ISO 3166-1 alpha-2, upper case.
    #[schema(example = "US", max_length = 200)]
    pub country: String,
}

/// Goods of one SKU.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineForm {
    #[schema(example = "P-000001", max_length = 64)]
    pub sku: String,
    #[schema(example = 2, minimum = 1, maximum = 10_000)]
    pub quantity: u32,
    pub unit_price: MoneyForm,
}

/// An amount with its currency. The amount is text: a JSON number would be a float.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyForm {
    /// A decimal: digits, and a point with digits behind it or none.
    #[schema(example = "7.79", pattern = r"^[0-9]{1,10}(\.[0-9]{1,9})?$")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// What `POST /api/v1/orders` takes: one order, a list, or a list under `orders`.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code)] // Stands in the API's description only; `read` takes the body apart so that it can name fields.
pub enum OrdersForm {
    One(Box<OrderForm>),
    List(Vec<OrderForm>),
    Named { orders: Vec<OrderForm> },
}

/// The orders in a body, or everything that is wrong with them.
pub fn read(body: &[u8]) -> Result<Vec<NewOrder>, Problem> {
    let json: Value = serde_json::from_slice(body).map_err(|e| Problem::bad_request(format!("the body is not JSON: {e}")))?;
    let (list, single) = match json {
        Value::Array(list) => (list, false),
        Value::Object(mut map) if map.contains_key("orders") => match (map.remove("orders"), map.keys().next()) {
            (Some(Value::Array(list)), None) => (list, false),
            (_, Some(other)) => return Err(Problem::faulty(vec![FieldError::new(other, "stands beside `orders`; only `orders` may")])),
            _ => return Err(Problem::faulty(vec![FieldError::new("orders", "is not a list")])),
        },
        order @ Value::Object(_) => (vec![order], true),
        _ => return Err(Problem::bad_request("the body is neither an order nor a list of orders")),
    };
    if list.len() > ORDERS_PER_REQUEST_MAX {
        return Err(Problem::too_large(format!("{} orders in one request; at most {ORDERS_PER_REQUEST_MAX} are accepted", list.len())));
    }
    if list.is_empty() {
        return Err(Problem::faulty(vec![FieldError::new("orders", "is empty")]));
    }
    let (mut orders, mut errors) = (Vec::with_capacity(list.len()), Vec::new());
    for (n, value) in list.into_iter().enumerate() {
        let at = |field: &str| match (single, field) {
            (true, field) => field.to_owned(),
            (false, "" | ".") => format!("orders[{n}]"),
            (false, field) => format!("orders[{n}].{field}"),
        };
        match one(value) {
            Ok(order) => orders.push(order),
            Err(faults) => errors.extend(faults.into_iter().map(|e| FieldError { field: at(&e.field), ..e })),
        }
        if errors.len() > FIELD_ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() { Ok(orders) } else { Err(Problem::faulty(errors)) }
}

fn one(value: Value) -> Result<NewOrder, Vec<FieldError>> {
    let form: OrderForm = serde_path_to_error::deserialize(value).map_err(|e| {
        let field = e.path().to_string();
        vec![FieldError::new(field, e.into_inner().to_string())]
    })?;
    let mut errors = too_long(&form);
    let OrderForm { id, platform, shop, placed_at, ship_to, lines, paid } = form;
    let placed_at = placed_at.parse::<Moment>().map_err(|e| errors.push(FieldError::new("placed_at", e.to_string()))).unwrap_or_default();
    let mut new_lines = Vec::with_capacity(lines.len());
    for (n, line) in lines.into_iter().enumerate() {
        match money(&line.unit_price) {
            Ok(unit_price) => new_lines.push(NewLine { sku: Sku::new(line.sku), quantity: line.quantity, unit_price }),
            Err((field, why)) => errors.push(FieldError::new(format!("lines[{n}].unit_price.{field}"), why)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let AddressForm { name, street, city, region, postcode, country } = ship_to;
    let ship_to = Address {
        name: name.into(),
        street: street.into(),
        city: city.into(),
        region: region.into(),
        postcode: postcode.into(),
        country: country.into(),
        ..Address::default()
    };
    let order = NewOrder { id: OrderId::new(id), platform: platform.into(), shop: shop.into(), placed_at, ship_to, lines: new_lines, paid };
    match order.fault() {
        None => Ok(order),
        Some((field, why)) => Err(vec![FieldError::new(with_line(&order, field), why)]),
    }
}

fn money(form: &MoneyForm) -> Result<Money, (&'static str, String)> {
    let amount = Some(&form.amount).filter(|text| is_amount(text)).and_then(|text| Decimal::from_str_exact(text).ok());
    let amount = amount.ok_or_else(|| ("amount", format!("{:?} is no decimal: write digits, as in 7 or 7.79", form.amount)))?;
    let currency = Currency::from_code(&form.currency).ok_or_else(|| ("currency", format!("{:?} is no ISO 4217 code", form.currency)))?;
    Ok(Money::new(amount, currency))
}

/// The pattern of the amount in the API's description, to the letter: what else a reader of decimals takes (`1_000`, `1e3`,
/// `+5`, `.5`) means another sum to somebody.
fn is_amount(text: &str) -> bool {
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let digits = |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 10) && part.is_none_or(|part| digits(part, 9))
}

/// Texts that would swell the journal.
fn too_long(form: &OrderForm) -> Vec<FieldError> {
    let to = &form.ship_to;
    let ids = [("platform", &form.platform), ("shop", &form.shop)].map(|(field, text)| (field, text, ID_LENGTH_MAX));
    let address = [
        ("ship_to.name", &to.name),
        ("ship_to.street", &to.street),
        ("ship_to.city", &to.city),
        ("ship_to.region", &to.region),
        ("ship_to.postcode", &to.postcode),
        ("ship_to.country", &to.country),
    ]
    .map(|(field, text)| (field, text, ADDRESS_FIELD_MAX));
    // Characters, as the API's description counts.
    let long = |text: &str, max: usize| format!("{} characters; at most {max} are accepted", text.chars().count());
    let fixed = ids.into_iter().chain(address).filter(|(_, text, max)| text.chars().count() > *max);
    let mut errors: Vec<_> = fixed.map(|(field, text, max)| FieldError::new(field, long(text, max))).collect();
    for (n, line) in form.lines.iter().enumerate().filter(|(_, line)| line.sku.chars().count() > ID_LENGTH_MAX) {
        errors.push(FieldError::new(format!("lines[{n}].sku"), long(&line.sku, ID_LENGTH_MAX)));
    }
    errors
}

/// `lines.quantity` with the line it is about: the last one of the shortest beginning that has the fault.
fn with_line(order: &NewOrder, field: &str) -> String {
    let Some(rest) = field.strip_prefix("lines.") else { return field.to_owned() };
    let faulty = |count: &usize| NewOrder { lines: order.lines[..*count].to_vec(), ..order.clone() }.fault().is_some_and(|f| f.0 == field);
    match (1..=order.lines.len()).find(faulty) {
        Some(count) => format!("lines[{}].{rest}", count - 1),
        None => field.to_owned(),
    }
}
