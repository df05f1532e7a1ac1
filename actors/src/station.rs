//! A station: supervises its devices and runs one of four kinds of work. The shell is the same for all; what differs is
//! in [`crate::bench`], [`crate::line`], [`crate::dock`] and [`crate::rework`].

use crate::base::{Base, StationMsg};
use crate::bench::Bench;
use crate::config::StationConfig;
use crate::device::{DeviceActor, DeviceArguments, DeviceMsg};
use crate::dock::Dock;
use crate::line::Line;
use crate::order_desk::Reply;
use crate::rework::Rework;
use crate::supervision::{Children, Start};
use crate::taken_out::Hand;
use crate::{Host, House, Seat, Told, origin};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::WarehouseId;
use twin::device::DeviceKind;
use twin::station::{Command, Station, StationKind};

pub struct StationActor;

pub struct StationArguments {
    pub house: Arc<House>,
    pub warehouse: WarehouseId,
    pub config: StationConfig,
    pub seat: Seat<StationMsg>,
}

pub struct StationState {
    base: Base,
    children: Children,
    role: Role,
}

enum Role {
    Bench(Bench),
    Line(Box<Line>),
    Dock(Dock),
    Rework(Rework),
}

impl Actor for StationActor {
    type Msg = Told<StationMsg>;
    type State = StationState;
    type Arguments = StationArguments;

    async fn pre_start(&self, myself: ActorRef<Told<StationMsg>>, args: StationArguments) -> Result<StationState, ActorProcessingErr> {
        let StationArguments { house, warehouse, config, seat } = args;
        seat.take(myself.clone());
        let mut host = Host::<Station>::load(&house.twin, config.id.text().clone())?;
        let mut work = house.work();
        host.command(&mut work, Command::Open { kind: config.kind })?;
        house.commit(work);
        let mut children = Children::default();
        let mut devices = BTreeMap::new();
        for device in &config.devices {
            let device_seat = Seat::default();
            devices.insert(device.kind, device_seat.clone());
            let (house, station, device) = (house.clone(), seat.clone(), device.clone());
            let name = device.id.to_string();
            let start: Start = Arc::new(move |supervisor| {
                let arguments =
                    DeviceArguments { house: house.clone(), config: device.clone(), station: station.clone(), seat: device_seat.clone() };
                Box::pin(async move { Ok(DeviceActor::spawn_linked(None, DeviceActor, arguments, supervisor).await?.0.get_cell()) })
            });
            children.start(myself.get_cell(), name, start).await?;
        }
        let mut base = Base { house, warehouse, config, seat, host, devices, devices_out: BTreeMap::new() };
        base.look_at_devices()?;
        let role = match base.config.kind {
            StationKind::Bench => Role::Bench(Bench::default()),
            StationKind::Line => Role::Line(Box::new(Line::open(&base)?)),
            StationKind::Dock => Role::Dock(Dock::open(&base)?),
            StationKind::Rework => Role::Rework(Rework::default()),
        };
        Ok(StationState { base, children, role })
    }

    async fn handle(
        &self,
        myself: ActorRef<Told<StationMsg>>,
        told: Told<StationMsg>,
        state: &mut StationState,
    ) -> Result<(), ActorProcessingErr> {
        origin::during(told.cause, state.take(myself, told.message)).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Told<StationMsg>>,
        event: SupervisionEvent,
        state: &mut StationState,
    ) -> Result<(), ActorProcessingErr> {
        state.children.on_event(event, &state.base.house, &myself, StationMsg::Restart)
    }
}

impl StationState {
    async fn take(&mut self, myself: ActorRef<Told<StationMsg>>, message: StationMsg) -> Result<(), ActorProcessingErr> {
        let StationState { base, children, role } = self;
        if let Role::Line(line) = role {
            line.take_plan(base)?;
        }
        match (message, role) {
            (StationMsg::Restart(child), role) => {
                let up = children.restart(child, &base.house, &myself, StationMsg::Restart).await?;
                // What a printer had not printed fell with it.
                match role {
                    Role::Bench(bench) if up && base.is_printer(child) => bench.print_again(base)?,
                    Role::Line(line) if up && base.is_printer(child) => line.print_tags(base)?,
                    _ => {}
                }
            }
            (StationMsg::ByHand(hand, reply), role) => by_hand(base, role, hand, reply)?,
            (StationMsg::DeviceOut { device, out }, role) => device_out(base, role, device, out)?,
            // The last words of one that is out.
            (StationMsg::Saw { device, .. }, _) if base.devices_out.contains_key(&device) => {}
            (StationMsg::Saw { what, .. }, Role::Bench(bench)) => bench.saw(base, what)?,
            (StationMsg::Saw { at, what, .. }, Role::Line(line)) => line.saw(base, at, what)?,
            (StationMsg::Saw { what, .. }, Role::Dock(dock)) => dock.saw(base, what)?,
            (StationMsg::Saw { what, .. }, Role::Rework(rework)) => rework.saw(base, what)?,
            // Its warehouse gives it to another, as soon as it hears.
            (StationMsg::Print(_), Role::Bench(_)) if base.no_work().is_some() => {}
            (StationMsg::Print(parcel), Role::Bench(bench)) => bench.print(base, parcel)?,
            (StationMsg::Reprint(parcel), Role::Bench(bench)) => bench.print_again_by_hand(base, parcel)?,
            (StationMsg::Reprint(parcel), Role::Rework(rework)) => rework.print(base, &parcel)?,
            (StationMsg::Bag { bag, deed, why, reply }, Role::Line(line)) => line.bag_by_hand(base, &bag, deed, why, reply)?,
            (StationMsg::Bag { bag, deed, why, reply }, Role::Dock(dock)) => dock.bag_by_hand(base, &bag, deed, why, reply)?,
            (StationMsg::Bag { reply, .. }, _) => reply.tell(Err(format!("{} has no bags", base.config.id))),
            (StationMsg::Inducted { item, facts }, Role::Line(line)) => line.inducted(base, item, facts)?,
            (StationMsg::CloseBags(carrier), Role::Line(line)) => line.close_bags(base, &carrier)?,
            // It has them by now.
            (StationMsg::SettingsChanged, Role::Line(_)) => {}
            (StationMsg::CloseManifest(manifest), Role::Dock(dock)) => dock.close(base, &manifest)?,
            (StationMsg::Missed(bag), Role::Dock(dock)) => dock.missed(base, &bag)?,
            (StationMsg::HandOver(bag, reply), Role::Dock(dock)) => dock.load(base, &bag, reply)?,
            (
                StationMsg::Print(_)
                | StationMsg::Reprint(_)
                | StationMsg::Inducted { .. }
                | StationMsg::CloseBags(_)
                | StationMsg::SettingsChanged
                | StationMsg::CloseManifest(_)
                | StationMsg::Missed(_)
                | StationMsg::HandOver(..),
                _,
            ) => {
                tracing::error!(station = %base.config.id, "was asked for work of another kind of station");
            }
        }
        Ok(())
    }
}

fn by_hand(base: &mut Base, role: &mut Role, hand: Hand, reply: Reply) -> Result<(), ActorProcessingErr> {
    match (hand, role) {
        (Hand::TakeOut { why }, role) => {
            if let Role::Bench(bench) = role {
                bench.give_up();
            }
            base.write(Command::TakeOut { why }, reply)
        }
        (Hand::PutBack { why }, _) => base.write(Command::PutBack { why }, reply),
        (Hand::TakeDeviceOut { device, why }, _) => {
            base.tell_device(&device, |reply| DeviceMsg::TakeOut { why, reply }, reply);
            Ok(())
        }
        (Hand::PutDeviceBack { device, why }, _) => {
            base.tell_device(&device, |reply| DeviceMsg::PutBack { why, reply }, reply);
            Ok(())
        }
        (Hand::TakeChuteOut { chute, why }, Role::Line(line)) => line.take_chute_out(base, chute, why, reply),
        (Hand::PutChuteBack { chute, why }, Role::Line(_)) => base.write(Command::PutChuteBack { chute, why }, reply),
        (Hand::ClearRejects { rejected, why }, Role::Line(_)) => {
            let rejected = rejected.unwrap_or(base.host.state.rejected);
            base.write(Command::ClearRejects { rejected, why }, reply)
        }
        (Hand::TakeChuteOut { .. } | Hand::PutChuteBack { .. } | Hand::ClearRejects { .. }, _) => {
            let Base { config, .. } = base;
            reply.tell(Err(format!("{} is a {}: only a line has chutes", config.id, config.kind.as_str())));
            Ok(())
        }
    }
}

/// One of its devices is out, durably, or back.
fn device_out(base: &mut Base, role: &mut Role, device: DeviceKind, out: Option<SmolStr>) -> Result<(), ActorProcessingErr> {
    let (before, is_out) = (base.no_work(), out.is_some());
    match out {
        Some(why) => drop(base.devices_out.insert(device, why)),
        None => drop(base.devices_out.remove(&device)),
    }
    match role {
        Role::Bench(bench) if device == DeviceKind::Printer && is_out => bench.give_up(),
        // Tags of bags that were closed meanwhile.
        Role::Line(line) if device == DeviceKind::Printer && !is_out => line.print_tags(base)?,
        _ => {}
    }
    if base.no_work() != before {
        base.house.tell_warehouse(&base.warehouse, base.standing());
    }
    Ok(())
}

#[cfg(test)]
#[path = "station_tests.rs"]
mod tests;
