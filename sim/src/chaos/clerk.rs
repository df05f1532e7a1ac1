//! A clerk in the office of a site under mishaps: looks at the open problems now and then, and does about each what the list says that
//! a person can do, by the messages that the API sends. Takes nothing out, as nobody would put it back here.

use crate::luck::Luck;
use actors::base::BagDeed;
use actors::carrier::CarrierMsg;
use actors::order_desk::DeskMsg;
use actors::putting_right::Fix;
use actors::remedies::Step;
use actors::taken_out::Hand;
use actors::warehouse::WarehouseMsg;
use actors::{Caller, House, ParcelMsg, origin};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use twin::bag::Bag;
use twin::facet::Facet;
use twin::parcel::{Interception, Parcel, Stage};
use twin::problem::Problem;
use twin::{By, Key, Kind, Origin, ParcelId, Span, StationId, TwinError};

/// What has been open for less may end by itself.
const PATIENCE: Span = Span::from_hours(1);
/// So often, of a million, it is not the first remedy of the list but any.
const ANY_PPM: u32 = 400_000;
const WHY: SmolStr = SmolStr::new_static("the list says so");

/// Goes through the list once. Returns what was done, and how often.
pub(super) fn look(house: &House, luck: &mut Luck) -> Result<BTreeMap<&'static str, u32>, TwinError> {
    let (twin, mut done) = (&house.twin, BTreeMap::new());
    let open = twin.listed::<Problem>(Facet::Problem, None, None).collect::<Result<Vec<_>, _>>()?;
    for (listed, _) in open {
        let Some((_, Problem { subject: Some(subject), cause, since, .. })) = twin.load::<Problem>(&listed.id)? else { continue };
        if house.clock.now() - since < PATIENCE {
            continue;
        }
        let Some(trouble) = twin.troubles(&subject)?.into_iter().find(|trouble| trouble.cause == cause) else { continue };
        let nth = if luck.chance_ppm(ANY_PPM) { luck.below(trouble.remedies.len() as u64) as usize } else { 0 };
        let Some(&remedy) = trouble.remedies.get(nth) else { continue };
        let clerk = Origin::by(By::Person("the clerk".into()));
        if origin::within(clerk, || act(house, &subject, remedy))? {
            *done.entry(remedy).or_default() += 1;
        }
    }
    Ok(done)
}

/// Does it. `false`: that is not for a clerk.
fn act(house: &House, subject: &Key, remedy: &str) -> Result<bool, TwinError> {
    let (id, why, reply) = (subject.id.clone(), WHY, Caller::nobody());
    match subject.kind {
        Kind::Parcel | Kind::Tracking => return of_parcel(house, id.into(), remedy),
        Kind::Order => match remedy {
            "cancel_order" => house.desk.cast(DeskMsg::Cancel { order: id.into(), reason: why, reply }),
            "release_order" => house.desk.cast(DeskMsg::PutRight { order: id.into(), fix: Fix::Release, why, reply }),
            _ => return Ok(false),
        },
        Kind::Bag => match (remedy, house.twin.load::<Bag>(&id)?) {
            ("settle_bag", Some((_, bag))) => {
                house.tell_warehouse(&bag.warehouse, WarehouseMsg::Bag { bag: id.into(), deed: BagDeed::Settle, why, reply });
            }
            _ => return Ok(false),
        },
        Kind::Carrier => match (remedy, house.carriers.get(&id.into())) {
            ("resume_carrier", Some(seat)) => seat.cast(CarrierMsg::AskAgain { why, reply }),
            _ => return Ok(false),
        },
        Kind::Station if remedy == "clear_rejects" => {
            let (station, in_force) = (StationId::from(id), house.in_force());
            let at = in_force.config.warehouses.iter().find(|w| w.stations.iter().any(|s| s.id == station));
            let Some(at) = at else { return Ok(false) };
            house.tell_warehouse(&at.id, WarehouseMsg::ByHand(station, Hand::ClearRejects { rejected: None, why }, reply));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn of_parcel(house: &House, id: ParcelId, remedy: &str) -> Result<bool, TwinError> {
    let Some((_, parcel)) = house.twin.load::<Parcel>(id.text())? else { return Ok(false) };
    let (why, reply) = (WHY, Caller::nobody());
    let step = match remedy {
        "ask_label" => Step::AskLabel,
        "void_again" => Step::AskVoid,
        "write_off_label" => Step::WriteOffLabel,
        "take_parcel_back" => Step::TakeBack,
        "put_parcel_aside" => Step::PutAside { place: "shelf 9".into() },
        "stop_parcel" => Step::Stop,
        "settle_parcel" => Step::Settle,
        "weigh_again" => Step::WeighAgain,
        "accept_measures" => Step::AcceptMeasures,
        "reprint" => Step::Reprint { station: None },
        "declare_lost" => Step::DeclareLost,
        "take_apart" => {
            house.desk.cast(DeskMsg::TakeApart { parcel: id, reason: why, reply });
            return Ok(true);
        }
        "write_off_parcel" if parcel.stage != Stage::Bagged => {
            house.tell(id.clone(), ParcelMsg::Intercept(Interception::Manual { why: why.clone() }));
            house.desk.cast(DeskMsg::TakeApart { parcel: id, reason: why, reply });
            return Ok(true);
        }
        "take_out_of_bag" => {
            let Some((bag, _)) = actors::parcels::bag_with(&house.twin, &id)? else { return Ok(false) };
            house.tell_warehouse(&parcel.plan.warehouse, WarehouseMsg::Bag { bag, deed: BagDeed::TakeOut(id), why, reply });
            return Ok(true);
        }
        "cancel_order" => {
            let Some(order) = parcel.plan.orders().into_iter().next() else { return Ok(false) };
            house.desk.cast(DeskMsg::Cancel { order, reason: why, reply });
            return Ok(true);
        }
        _ => return Ok(false),
    };
    house.tell(id, ParcelMsg::PutRight { step, why, reply });
    Ok(true)
}
