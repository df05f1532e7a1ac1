//! What people do about things that are wrong: each remedy is handed to the actor that decides it, and answered when it is durable.

use super::Api;
use super::entities::called;
use super::limits::COMMIT_WAIT_MAX;
use super::order_remedies;
use super::orders::late;
use super::parcel_remedies;
use super::problem::Problem;
use super::request_id::RequestId;
use super::returns::{fault_free, length_fault, name_fault, read};
use crate::remedy::{Asked, Done, Remedy};
use actors::carrier::CarrierMsg;
use actors::catalog::{CatalogMsg, Change};
use actors::order_desk::{DeskMsg, Reply};
use actors::putting_right::Fix;
use actors::shipment::Shipment;
use actors::taken_out::Hand;
use actors::warehouse::WarehouseMsg;
use actors::{Caller, House, origin};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use smol_str::SmolStr;
use twin::bag::Bag;
use twin::carrier::Carrier;
use twin::order::Order;
use twin::parcel::Parcel;
use twin::product::{self, Product};
use twin::station::Station;
use twin::{
    BagId, By, CarrierId, ChannelId, DeviceId, Entity, Key, Kind, OrderId, Origin, ParcelId, SellerId, Sku, StationId, Twin, TwinError,
};

/// Put something right
///
/// One list of what a person can do about whatever is wrong; `parceltwin remedy` does the same. The actor whose thing it is checks it
/// as it checks itself, and the answer comes when it is durable. The same again is harmless.
#[utoipa::path(
    post, path = "/api/v1/remedies", tag = "remedies", request_body = Asked,
    responses(
        (status = 200, description = "It is done", body = Done,
            headers(("x-request-id" = String, description = "The `because` of its records"))),
        (status = 404, description = "There is no such thing", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It cannot be done as things are; both states are named", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Faulty fields, each named", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The site does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn remedy(
    State(api): State<Api>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Done>, Problem> {
    let Asked { by, why, remedy } = read(&headers, body).await?;
    fault_free([name_fault(&by), length_fault("why", &why, 1)].into_iter().flatten().collect())?;
    let origin = Origin { by: By::Person(SmolStr::new(by)), ..request.origin() };
    let why = SmolStr::new(why);
    let waits = order_remedies::Waits::of(&remedy);
    let by_measure = matches!(remedy, Remedy::AcceptMeasures { .. });
    let (key, told) = ready(&api, remedy, why).await?;
    let (caller, answer) = Caller::waiting();
    origin::within(origin, || told(&api.app.house, caller));
    match api.clock.timeout(COMMIT_WAIT_MAX, answer).await {
        Some(Ok(Ok(()))) => {}
        Some(Ok(Err(refusal))) => return Err(Problem::refused(refusal)),
        Some(Err(_)) => return Err(Problem::unavailable("whoever does it fell over it; send the same again: it is harmless")),
        None => return Err(Problem::unavailable(late())),
    }
    let note = match waits {
        Some(waits) => order_remedies::note(&api, key.id.clone(), waits).await?,
        None if by_measure => {
            let (house, id) = (api.app.house.clone(), key.id.clone());
            let parcel = api.read(move |twin| twin.load::<Parcel>(&id)).await?;
            parcel.map(|(_, parcel)| parcel_remedies::freight_by_measure(&house, &parcel)).unwrap_or_default()
        }
        None => String::new(),
    };
    let wanted = key.clone();
    let (stage, standing) = api.read(move |twin| Ok((twin.stage_word(&wanted)?, standing(twin, &wanted)?))).await?;
    let note = if note.is_empty() { standing } else { note };
    Ok(Json(Done { kind: key.kind.as_str().into(), id: key.id.to_string(), stage: stage.into(), note }))
}

/// What hands a remedy to the one who decides it.
pub type Telling = Box<dyn FnOnce(&House, Reply) + Send>;

/// The thing that a remedy is about, which is there, and what tells it.
async fn ready(api: &Api, remedy: Remedy, why: SmolStr) -> Result<(Key, Telling), Problem> {
    let remedy = match parcel_remedies::ready(api, remedy, &why).await? {
        Ok(ready) => return Ok(ready),
        Err(other) => other,
    };
    Ok(match remedy {
        Remedy::CancelOrder { order } => {
            let order = called(api, order).await?;
            let key = Key::new(Kind::Order, order.text().clone());
            (key, Box::new(|house, reply| house.desk.cast(DeskMsg::Cancel { order, reason: why, reply })))
        }
        Remedy::HoldOrder { order } => put_right(called(api, order).await?, Fix::Hold, why),
        Remedy::ReleaseOrder { order } => put_right(called(api, order).await?, Fix::Release, why),
        Remedy::MarkPaid { order } => put_right(called(api, order).await?, Fix::Paid, why),
        Remedy::PutAddressRight { order, to } => {
            let correction = order_remedies::correction(to)?;
            put_right(called(api, order).await?, Fix::Address(correction), why)
        }
        Remedy::NameSku { order, line, sku, quantity } => {
            let (sku, quantity) = order_remedies::named(sku, quantity)?;
            put_right(called(api, order).await?, Fix::Name { line, sku, quantity }, why)
        }
        Remedy::TellWeight { sku, weight_g, owner } => {
            order_remedies::weighed(&owner, &sku, weight_g)?;
            let (owner, sku) = (SellerId::new(owner), Sku::new(sku));
            let (key, _) = there::<Product>(api, product::id(&owner, &sku).into()).await?;
            let change = Change::Weigh { owner, sku, weight_g };
            let telling = move |house: &House, reply: Reply| {
                let told = Caller::new(move |outcomes: Vec<Result<_, String>>| {
                    reply.tell(outcomes.into_iter().try_for_each(|outcome| outcome.map(drop)))
                });
                house.desk.cast(DeskMsg::Catalog(CatalogMsg::Change(vec![change], told)));
            };
            (key, Box::new(telling))
        }
        Remedy::SendOrder { order, warehouse, channel } => {
            let id = called(api, order).await?;
            let (wanted, key) = (id.clone(), Key::new(Kind::Order, id.text().clone()));
            let order = api.read(move |twin| twin.load::<Order>(wanted.text())).await?.map(|(_, order)| order).unwrap_or_default();
            let open = order.open_shares();
            if open.is_empty() || order.cancelled.is_some() {
                let word = order.stage_word();
                return Err(Problem::refused(format!("order {id} is {word}, and sending it wants something of it in no parcel")));
            }
            let (warehouse, channel) = (place("warehouse", warehouse)?, place("channel", channel)?);
            let telling = move |house: &House, reply: Reply| {
                let placed = Caller::new(move |outcome: Result<ParcelId, String>| reply.tell(outcome.map(drop)));
                let (warehouse, channel) = (warehouse.map(Into::into), channel.map(Into::into));
                house.desk.cast(DeskMsg::Ship(vec![Shipment { orders: vec![(id, open)], warehouse, channel, placed: Some(placed) }]));
            };
            (key, Box::new(telling))
        }
        Remedy::TakeApart { parcel } => {
            let (key, parcel) = parcel_called(api, parcel).await?;
            (key, Box::new(|house, reply| house.desk.cast(DeskMsg::TakeApart { parcel, reason: why, reply })))
        }
        Remedy::HandOverBag { bag } => {
            let (key, bag): (Key, (SmolStr, Bag)) = there(api, bag).await?;
            let id = BagId::from(bag.0);
            (key, Box::new(move |house, reply| house.tell_warehouse(&bag.1.warehouse, WarehouseMsg::HandOver(id, reply))))
        }
        Remedy::TakeStationOut { station } => at_station(api, station, Hand::TakeOut { why })?,
        Remedy::PutStationBack { station } => at_station(api, station, Hand::PutBack { why })?,
        Remedy::TakeChuteOut { station, chute } => at_station(api, station, Hand::TakeChuteOut { chute, why })?,
        Remedy::PutChuteBack { station, chute } => at_station(api, station, Hand::PutChuteBack { chute, why })?,
        Remedy::ClearRejects { station, rejected } => at_station(api, station, Hand::ClearRejects { rejected, why })?,
        Remedy::TakeDeviceOut { device } => at_device(api, device, |device| Hand::TakeDeviceOut { device, why })?,
        Remedy::PutDeviceBack { device } => at_device(api, device, |device| Hand::PutDeviceBack { device, why })?,
        Remedy::TakeChannelOut { channel } => {
            over_channel(api, channel, |channel, reply| CarrierMsg::TakeChannelOut { channel, why, reply })?
        }
        Remedy::PutChannelBack { channel } => {
            over_channel(api, channel, |channel, reply| CarrierMsg::PutChannelBack { channel, why, reply })?
        }
        Remedy::ResumeCarrier { carrier } => {
            let carrier = CarrierId::from(SmolStr::new(named("carrier", carrier)?));
            to_carrier(api, carrier, |reply| CarrierMsg::AskAgain { why, reply })?
        }
        // Whatever is left is a parcel's or a problem's, and was taken before.
        other => return Err(Problem::bad_request(format!("nobody does {other:?}"))),
    })
}

/// What the order desk is told of an order.
fn put_right(order: OrderId, fix: Fix, why: SmolStr) -> (Key, Telling) {
    let key = Key::new(Kind::Order, order.text().clone());
    (key, Box::new(|house, reply| house.desk.cast(DeskMsg::PutRight { order, fix, why, reply })))
}

/// The same of one that may be left out.
fn place(field: &str, id: Option<String>) -> Result<Option<SmolStr>, Problem> {
    id.map(|id| named(field, id).map(SmolStr::new)).transpose()
}

/// A name that is not longer than names are.
fn named(field: &str, id: String) -> Result<String, Problem> {
    fault_free(length_fault(field, &id, 1).into_iter().collect())?;
    Ok(id)
}

/// What a person does at a station that runs.
fn at_station(api: &Api, station: String, hand: Hand) -> Result<(Key, Telling), Problem> {
    let id = StationId::from(SmolStr::new(named("station", station)?));
    let in_force = api.app.house.in_force();
    let Some(warehouse) = in_force.config.warehouses.iter().find(|w| w.stations.iter().any(|s| s.id == id)) else {
        return Err(Problem::absent(format!("there is no station {id}")));
    };
    let (key, warehouse) = (Key::new(Kind::Station, id.text().clone()), warehouse.id.clone());
    Ok((key, Box::new(move |house, reply| house.tell_warehouse(&warehouse, WarehouseMsg::ByHand(id, hand, reply)))))
}

/// The same of one of its devices.
fn at_device(api: &Api, device: String, hand: impl FnOnce(DeviceId) -> Hand) -> Result<(Key, Telling), Problem> {
    let id = DeviceId::from(SmolStr::new(named("device", device)?));
    let in_force = api.app.house.in_force();
    let Some((station, _)) = in_force.config.devices().find(|(_, device)| device.id == id) else {
        return Err(Problem::absent(format!("there is no device {id}")));
    };
    let key = Key::new(Kind::Device, id.text().clone());
    Ok((key, at_station(api, station.id.to_string(), hand(id))?.1))
}

/// What a carrier is told of one of its channels.
fn over_channel(
    api: &Api,
    channel: String,
    message: impl FnOnce(ChannelId, Reply) -> CarrierMsg + Send + 'static,
) -> Result<(Key, Telling), Problem> {
    let id = ChannelId::from(SmolStr::new(named("channel", channel)?));
    let in_force = api.app.house.in_force();
    let Some(channel) = in_force.channel_ever(&id) else { return Err(Problem::absent(format!("there is no channel {id}"))) };
    to_carrier(api, channel.carrier.clone(), |reply| message(id, reply))
}

fn to_carrier(
    api: &Api,
    carrier: CarrierId,
    message: impl FnOnce(Reply) -> CarrierMsg + Send + 'static,
) -> Result<(Key, Telling), Problem> {
    let Some(seat) = api.app.house.carriers.get(&carrier).cloned() else {
        return Err(Problem::absent(format!("there is no carrier {carrier}")));
    };
    Ok((Key::new(Kind::Carrier, carrier.text().clone()), Box::new(move |_, reply| seat.cast(message(reply)))))
}

/// What of a thing its stage does not say: which parts of it are out, and what waits for a person there.
fn standing(twin: &Twin, key: &Key) -> Result<String, TwinError> {
    let mut notes = Vec::new();
    match key.kind {
        Kind::Station => {
            let station = twin.load::<Station>(&key.id)?.unwrap_or_default().1;
            notes.extend(station.chutes_out.iter().map(|(chute, why)| format!("chute {chute} is out: {why}")));
            if station.rejects_open() > 0 {
                notes.push(format!("{} at the reject chute", station.rejects_open()));
            }
        }
        Kind::Carrier => {
            let carrier = twin.load::<Carrier>(&key.id)?.unwrap_or_default().1;
            notes.extend(carrier.channels_out.iter().map(|(channel, why)| format!("channel {channel} is out: {why}")));
        }
        _ => {}
    }
    Ok(notes.join("; "))
}

/// A parcel that is there.
pub async fn parcel_called(api: &Api, id: String) -> Result<(Key, ParcelId), Problem> {
    let (key, (id, _)) = there::<Parcel>(api, id).await?;
    Ok((key, ParcelId::from(id)))
}

/// A thing that is there, with its state.
pub async fn there<E: Entity>(api: &Api, id: String) -> Result<(Key, (SmolStr, E)), Problem> {
    fault_free(length_fault(E::KIND.as_str(), &id, 1).into_iter().collect())?;
    let id = SmolStr::new(id);
    let wanted = id.clone();
    let Some((_, state)) = api.read(move |twin| twin.load::<E>(&wanted)).await? else {
        return Err(Problem::absent(format!("there is no {} {id}", E::KIND.as_str())));
    };
    Ok((Key::new(E::KIND, id.clone()), (id, state)))
}
