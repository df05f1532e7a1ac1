//! What people do about parcels and about problems, handed to the actors that decide it.

use super::Api;
use super::problem::{FieldError, Problem};
use super::remedies::{Telling, parcel_called, there};
use super::returns::{fault_free, length_fault, name_fault};
use crate::remedy::Remedy;
use actors::base::BagDeed;
use actors::charging::by_measure;
use actors::order_desk::{DeskMsg, Reply};
use actors::problems::{Handling, ProblemsMsg};
use actors::remedies::Step;
use actors::warehouse::WarehouseMsg;
use actors::{Caller, House, ParcelMsg, returns};
use smol_str::{SmolStr, format_smolstr};
use twin::bag::Bag;
use twin::charges::ChargeKind;
use twin::parcel::{Interception, Parcel, Stage};
use twin::{BagId, Key, Kind, Money, ParcelId, Span, WarehouseId};

/// A problem is put off for at most so long.
const SNOOZE_HOURS_MAX: u32 = 24 * 30;

/// What tells a parcel to do it.
async fn step(api: &Api, parcel: String, step: Step, why: SmolStr) -> Result<(Key, Telling), Problem> {
    let (key, parcel) = parcel_called(api, parcel).await?;
    Ok((key, Box::new(move |house: &House, reply: Reply| house.tell(parcel, ParcelMsg::PutRight { step, why, reply }))))
}

/// What tells the list of problems.
async fn handling(api: &Api, problem: String, step: Handling, note: SmolStr) -> Result<(Key, Telling), Problem> {
    let (key, (problem, _)) = there::<twin::problem::Problem>(api, problem).await?;
    let telling = move |house: &House, reply: Reply| house.problems.cast(ProblemsMsg::Handle { problem, step, note, reply });
    Ok((key, Box::new(telling)))
}

/// A parcel's remedy, and what whoever does it should know besides; nothing where it is about something else.
pub async fn ready(api: &Api, remedy: Remedy, why: &SmolStr) -> Result<Result<(Key, Telling), Remedy>, Problem> {
    let why = why.clone();
    let ready = match remedy {
        Remedy::StopParcel { parcel } => step(api, parcel, Step::Stop, why).await?,
        Remedy::PutParcelAside { parcel, place } => {
            fault_free(length_fault("place", &place, 1).into_iter().collect())?;
            step(api, parcel, Step::PutAside { place: place.into() }, why).await?
        }
        Remedy::TakeParcelBack { parcel } => step(api, parcel, Step::TakeBack, why).await?,
        Remedy::AskLabel { parcel } => step(api, parcel, Step::AskLabel, why).await?,
        Remedy::VoidAgain { parcel } => step(api, parcel, Step::AskVoid, why).await?,
        Remedy::WriteOffLabel { parcel } => step(api, parcel, Step::WriteOffLabel, why).await?,
        Remedy::SettleParcel { parcel } => step(api, parcel, Step::Settle, why).await?,
        Remedy::WeighAgain { parcel } => step(api, parcel, Step::WeighAgain, why).await?,
        Remedy::AcceptMeasures { parcel } => step(api, parcel, Step::AcceptMeasures, why).await?,
        Remedy::DeclareLost { parcel } => step(api, parcel, Step::DeclareLost, why).await?,
        Remedy::Reprint { parcel, station } => {
            step(api, parcel, Step::Reprint { station: station.map(|s| s.as_str().into()) }, why).await?
        }
        Remedy::WriteOffParcel { parcel } => {
            let (key, (id, state)) = there::<Parcel>(api, parcel).await?;
            if state.stage == Stage::Bagged {
                return Err(Problem::refused(format!("parcel {id} is bagged, and writing it off wants it out of its bag")));
            }
            let (parcel, why) = (ParcelId::from(id), format_smolstr!("written off: {why}"));
            let telling = move |house: &House, reply: Reply| {
                // Wherever it was thought to be, it is there no more.
                house.tell(parcel.clone(), ParcelMsg::Intercept(Interception::Manual { why: why.clone() }));
                house.desk.cast(DeskMsg::TakeApart { parcel, reason: why, reply });
            };
            (key, Box::new(telling) as Telling)
        }
        Remedy::TakeOutOfBag { parcel } => {
            let (key, (id, state)) = there::<Parcel>(api, parcel).await?;
            let parcel = ParcelId::from(id.clone());
            // It may not have heard of its bag yet.
            let held = api.read(move |twin| actors::parcels::bag_with(twin, &parcel)).await?;
            let Some((bag, _)) = held else {
                return Err(Problem::refused(format!("parcel {id} is {}, and in no bag that is here", state.stage.as_str())));
            };
            (key, bag_by_hand(bag, state.plan.warehouse, BagDeed::TakeOut(id.into()), why))
        }
        Remedy::ChargeParcel { parcel, kind, amount, currency, reference } => {
            let (kind, amount) = charged(&kind, &amount, &currency, &reference)?;
            let (key, parcel) = parcel_called(api, parcel).await?;
            let telling = move |house: &House, reply: Reply| {
                let caller = Caller::new(move |outcome: Result<bool, String>| reply.tell(outcome.map(drop)));
                house.tell(parcel, ParcelMsg::Charge { kind, amount, reason: why, reference: reference.into(), caller });
            };
            (Key::new(Kind::Charges, key.id), Box::new(telling) as Telling)
        }
        Remedy::AnnounceReturn { parcel } => back(api, parcel, returns::Step::Announce { reason: why }).await?,
        Remedy::CloseReturn { parcel, outcome } => back(api, parcel, returns::Step::Close { outcome: outcome.into(), note: why }).await?,
        Remedy::SettleBag { bag } => {
            let (key, (id, state)) = there::<Bag>(api, bag).await?;
            (key, bag_by_hand(id.into(), state.warehouse, BagDeed::Settle, why))
        }
        Remedy::AcknowledgeProblem { problem } => handling(api, problem, Handling::Acknowledge, why).await?,
        Remedy::AssignProblem { problem, to } => {
            if !to.is_empty() {
                fault_free(name_fault(&to).into_iter().map(|fault| FieldError { field: "to".into(), ..fault }).collect())?;
            }
            handling(api, problem, Handling::Assign(to.into()), why).await?
        }
        Remedy::SnoozeProblem { problem, hours } => {
            if !(1..=SNOOZE_HOURS_MAX).contains(&hours) {
                let fault = format!("{hours} given; 1 to {SNOOZE_HOURS_MAX} are accepted");
                return Err(Problem::faulty(vec![FieldError::new("hours", fault)]));
            }
            // Whole minutes, so that the same said twice within one is the same.
            let until = (api.app.house.clock.now() + Span::from_hours(i64::from(hours))).0;
            let minute = Span::from_mins(1).0;
            handling(api, problem, Handling::Snooze(twin::Moment(until - until.rem_euclid(minute))), why).await?
        }
        Remedy::CommentOnProblem { problem } => handling(api, problem, Handling::Comment, why).await?,
        other => return Ok(Err(other)),
    };
    Ok(Ok(ready))
}

/// What tells a parcel that comes back.
async fn back(api: &Api, parcel: String, step: returns::Step) -> Result<(Key, Telling), Problem> {
    let (key, parcel) = parcel_called(api, parcel).await?;
    let telling = move |house: &House, reply: Reply| house.tell(parcel, ParcelMsg::Return(step, reply));
    Ok((Key::new(Kind::Return, key.id), Box::new(telling)))
}

/// What is charged by hand, and how much.
fn charged(kind: &str, amount: &str, currency: &str, reference: &str) -> Result<(ChargeKind, Money), Problem> {
    let mut faults = Vec::from_iter(length_fault("reference", reference, 1));
    let by_hand = || ChargeKind::ALL.into_iter().filter(|kind| !kind.is_found_out());
    let found = by_hand().find(|known| known.as_str() == kind);
    if found.is_none() {
        let known: Vec<_> = by_hand().map(ChargeKind::as_str).collect();
        faults.push(FieldError::new("kind", format!("{kind:?}; one of {} is accepted", known.join(", "))));
    }
    let money = serde_json::from_value::<Money>(serde_json::json!({ "amount": amount, "currency": currency }));
    if let Err(error) = &money {
        faults.push(FieldError::new("amount", format!("{amount:?} {currency:?}: {error}")));
    }
    match (found, money) {
        (Some(kind), Ok(amount)) if faults.is_empty() => Ok((kind, amount)),
        _ => Err(Problem::faulty(faults)),
    }
}

fn bag_by_hand(bag: BagId, warehouse: WarehouseId, deed: BagDeed, why: SmolStr) -> Telling {
    Box::new(move |house, reply| house.tell_warehouse(&warehouse, WarehouseMsg::Bag { bag, deed, why, reply }))
}

/// What accepting a parcel's measures changes in its freight, in words.
pub fn freight_by_measure(house: &House, parcel: &Parcel) -> String {
    match by_measure(house, parcel) {
        Some((due, Some(expected))) if due == expected => format!("its freight stays {due}"),
        Some((due, Some(expected))) => format!("its freight by what was measured is {due}; {expected} was expected"),
        Some((due, None)) => format!("its freight by what was measured is {due}"),
        None => "its carrier prices it by itself, and its invoice will say what it makes of these measures".into(),
    }
}
