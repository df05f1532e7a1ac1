//! What is sent to a forwarder. The bodies stand in the head comment of the folder.

use crate::carriers::calendar;
use crate::carriers::fitting;
use serde::Serialize;
use smol_str::SmolStr;
use twin::channel::LabelRequest;
use twin::defect::{Defect, Wrong};
use twin::{Address, Grams, Money, TrackingNumber};

#[derive(Serialize)]
pub struct Label<'a> {
    customer: &'a str,
    reference: &'a str,
    service: &'a str,
    from: &'a Address,
    to: &'a Address,
    weight_g: Grams,
    dims_mm: [u32; 3],
    value: Money,
    contents: &'a str,
    battery: bool,
    ship_at: SmolStr,
}

/// The API has no limits of its own; customs want to know what is in it, and nothing weighs nothing.
pub fn label<'a>(request: &'a LabelRequest, customer: &'a str) -> Result<Label<'a>, Defect> {
    let dims = request.dims;
    fitting::measured(request)?;
    if request.contents.trim().is_empty() {
        return Err(Defect::new("contents", Wrong::EmptyForCustoms));
    }
    Ok(Label {
        customer,
        reference: request.parcel.as_str(),
        service: &request.service,
        from: &request.from,
        to: &request.to,
        weight_g: request.weight_g,
        dims_mm: [dims.length_mm, dims.width_mm, dims.height_mm],
        value: request.value,
        contents: &request.contents,
        battery: request.battery,
        ship_at: calendar::date_time_z(request.ship_at),
    })
}

/// `/v1/tracking?numbers=a,b`.
pub fn tracking(numbers: &[TrackingNumber]) -> String {
    let mut path = String::with_capacity(24 + numbers.len() * 14);
    path.push_str("/v1/tracking?numbers=");
    for (i, number) in numbers.iter().enumerate() {
        if i > 0 {
            path.push(',');
        }
        path.extend(number.as_str().chars().filter(char::is_ascii_alphanumeric));
    }
    path
}
