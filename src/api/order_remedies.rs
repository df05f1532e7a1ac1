//! What people put right about orders: what of it cannot be asked, and what came of it, in words. The order desk decides it.

use super::Api;
use super::problem::{FieldError, Problem};
use super::returns::{fault_free, length_fault};
use crate::remedy::{NewAddress, Remedy};
use actors::putting_right::Correction;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use twin::address::ADDRESS_FIELD_MAX;
use twin::goods::PRODUCT_WEIGHT_G_MAX;
use twin::id::ID_LENGTH_MAX;
use twin::order::{Hold, Order, Stage};
use twin::sku_map::COMPONENT_QUANTITY_MAX;
use twin::{Grams, Sku, Span};

/// So long it is waited for what comes of a remedy by itself: a plan, or another hold.
const SETTLED_WAIT_MAX: Span = Span::from_secs(3);
const LOOK_EVERY: Span = Span::from_ms(20);

/// The fields of an address that are to be others.
pub fn correction(said: Box<NewAddress>) -> Result<Box<Correction>, Problem> {
    let mut faults = Vec::new();
    let mut none = true;
    let mut field = |name: &str, text: Option<String>| {
        let text = text?;
        none = false;
        let length = text.chars().count();
        if length > ADDRESS_FIELD_MAX {
            faults.push(FieldError::new(name, format!("{length} characters; at most {ADDRESS_FIELD_MAX} are accepted")));
        }
        Some(SmolStr::new(text))
    };
    let correction = Correction {
        name: field("name", said.name),
        company: field("company", said.company),
        street: field("street", said.street),
        street2: field("street2", said.street2),
        city: field("city", said.city),
        region: field("region", said.region),
        postcode: field("postcode", said.postcode),
        country: field("country", said.country),
        phone: field("phone", said.phone),
        email: field("email", said.email),
        tax_id: field("tax_id", said.tax_id),
    };
    if none {
        faults.push(FieldError::new("remedy", "names no field of an address"));
    }
    fault_free(faults)?;
    Ok(Box::new(correction))
}

/// A SKU of ours, and so many pieces of it.
pub fn named(sku: String, quantity: u32) -> Result<(Sku, u32), Problem> {
    let mut faults = Vec::from_iter(sku_fault(&sku));
    if !(1..=COMPONENT_QUANTITY_MAX).contains(&quantity) {
        faults.push(FieldError::new("quantity", format!("{quantity}; 1 to {COMPONENT_QUANTITY_MAX} are accepted")));
    }
    fault_free(faults)?;
    Ok((Sku::new(sku), quantity))
}

/// A SKU of ours, and what a piece of it weighs.
pub fn weighed(owner: &str, sku: &str, weight_g: Grams) -> Result<(), Problem> {
    let mut faults: Vec<_> = length_fault("owner", owner, 1).into_iter().chain(sku_fault(sku)).collect();
    if !(1..=PRODUCT_WEIGHT_G_MAX).contains(&weight_g) {
        faults.push(FieldError::new("weight_g", format!("{weight_g}; 1 to {PRODUCT_WEIGHT_G_MAX} are accepted")));
    }
    fault_free(faults)
}

fn sku_fault(sku: &str) -> Option<FieldError> {
    let fits = (1..=ID_LENGTH_MAX).contains(&sku.len()) && !sku.chars().any(char::is_control);
    (!fits).then(|| FieldError::new("sku", format!("is not one line of 1 to {ID_LENGTH_MAX} bytes")))
}

/// What is to be waited for once a remedy is done: that its order is planned, or held for another reason.
#[derive(Clone, Copy)]
pub struct Waits {
    /// The hold that ends a moment later, since what is told is durable before anybody goes by it.
    ends: Option<Hold>,
}

impl Waits {
    pub fn of(remedy: &Remedy) -> Option<Self> {
        match remedy {
            Remedy::ReleaseOrder { .. } | Remedy::MarkPaid { .. } | Remedy::PutAddressRight { .. } => Some(Waits { ends: None }),
            Remedy::NameSku { .. } => Some(Waits { ends: Some(Hold::UnknownSku) }),
            _ => None,
        }
    }
}

/// How an order stands once what was done has had its effect: empty where it goes on.
pub async fn note(api: &Api, id: SmolStr, Waits { ends }: Waits) -> Result<String, Problem> {
    let mut waited = Span::ZERO;
    loop {
        let wanted = id.clone();
        let Some((_, order)) = api.read(move |twin| twin.load::<Order>(&wanted)).await? else { return Ok(String::new()) };
        if order.stage != Stage::Received {
            return Ok(String::new());
        }
        let settles = order.holds.is_empty() || ends.is_some_and(|hold| order.holds.contains_key(&hold));
        if !settles || waited >= SETTLED_WAIT_MAX {
            return Ok(match order.holds.is_empty() {
                true => "it is being planned".into(),
                false => format!("it is held now, {}", holds_in_words(&order)),
            });
        }
        api.clock.sleep(LOOK_EVERY).await;
        waited = waited + LOOK_EVERY;
    }
}

fn holds_in_words(order: &Order) -> String {
    let one = |(hold, detail): (&Hold, &twin::hold::Detail)| format!("{}: {detail} ({})", hold.as_str(), hold.remedies().join(" or "));
    order.holds.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What a person can do about each hold of an order, as the remedies are called.
pub fn remedies(order: &Order) -> BTreeMap<Hold, &'static [&'static str]> {
    order.holds.keys().map(|hold| (*hold, hold.remedies())).collect()
}
