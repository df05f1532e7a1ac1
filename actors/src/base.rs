//! What every kind of station stands on: what it can be asked, its place in the plan, its devices.

use crate::config::StationConfig;
use crate::device::DeviceMsg;
use crate::order_desk::Reply;
use crate::taken_out::Hand;
use crate::{Host, House, Seat};
use drivers::devices::{Instruction, Observation};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::device::DeviceKind;
use twin::station::Station;
use twin::{BagId, CarrierId, ChannelId, Dims, Grams, ManifestId, Moment, ParcelId, WarehouseId};

#[derive(Debug)]
pub enum StationMsg {
    /// A device of this station saw something, at that steady time of the clock.
    Saw { device: DeviceKind, at: Moment, what: Observation },
    /// Restart a device that fell.
    Restart(usize),
    /// Bench: print slip and label.
    Print(ParcelId),
    /// Line: what the parcel with that label says of itself, or why it may not be here.
    Inducted { item: u64, facts: Result<Box<Facts>, SmolStr> },
    /// Line: this carrier collects soon; close its bags.
    CloseBags(CarrierId),
    /// Line: other settings are in force.
    SettingsChanged,
    /// Bench, rework: print the label once more.
    Reprint(ParcelId),
    /// Line, dock: what a person does with a bag. Told, once it is durable, what came of it.
    Bag { bag: BagId, deed: BagDeed, why: SmolStr, reply: Reply },
    /// Dock: nothing more goes on this manifest.
    CloseManifest(ManifestId),
    /// Dock: a bag stands closed, and should have left long ago.
    Missed(BagId),
    /// Dock: a person says that a bag has left. Told, once it is durable, what came of it.
    HandOver(BagId, Reply),
    /// What a person takes out or puts back here. Told, once it is durable, what came of it.
    ByHand(Hand, Reply),
    /// A person took a device out, and why, or put it back.
    DeviceOut { device: DeviceKind, out: Option<SmolStr> },
}

/// What a person does with a bag.
#[derive(Clone, Debug)]
pub enum BagDeed {
    /// Takes a parcel out of it.
    TakeOut(ParcelId),
    /// Has dealt with what was wrong with it.
    Settle,
}

/// What a parcel says of itself when its label is read.
#[derive(Clone, Debug)]
pub struct Facts {
    pub declared_g: Grams,
    pub declared: Dims,
    pub channel: ChannelId,
    pub country: SmolStr,
}

/// What every kind of station has.
pub struct Base {
    pub house: Arc<House>,
    pub warehouse: WarehouseId,
    pub config: StationConfig,
    pub seat: Seat<StationMsg>,
    pub host: Host<Station>,
    pub devices: BTreeMap<DeviceKind, Seat<DeviceMsg>>,
    /// Those that a person took out, and why.
    pub devices_out: BTreeMap<DeviceKind, SmolStr>,
}

impl Base {
    /// Tells one of the station's devices what to do.
    pub fn instruct(&self, device: DeviceKind, instruction: Instruction) {
        if let Some(seat) = self.devices.get(&device) {
            seat.cast(DeviceMsg::Do(instruction));
        }
    }

    /// Whether the device with that place in the plan is a printer.
    pub fn is_printer(&self, device: usize) -> bool {
        self.config.devices.get(device).is_some_and(|d| d.kind == DeviceKind::Printer)
    }

    pub fn device(&self, kind: DeviceKind) -> Seat<DeviceMsg> {
        self.devices.get(&kind).cloned().unwrap_or_default()
    }
}
