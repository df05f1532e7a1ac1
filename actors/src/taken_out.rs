//! What a person takes out of use and puts back at a station: itself, a chute, a device; and that what stood at its reject chute is dealt
//! with. Whose thing it is writes it down, and those who go by it are told once it is durable; whoever starts later reads the twin.

use crate::base::Base;
use crate::config::StationConfig;
use crate::device::DeviceMsg;
use crate::order_desk::Reply;
use crate::warehouse::WarehouseMsg;
use crate::{Answer, Outgoing};
use ractor::ActorProcessingErr;
use smol_str::{SmolStr, format_smolstr};
use twin::device::{Device, DeviceKind};
use twin::station::{Command, Station, StationKind};
use twin::{DeviceId, Entity, Twin, TwinError};

/// What a person does at a station, and why.
#[derive(Clone, Debug, PartialEq)]
pub enum Hand {
    TakeOut {
        why: SmolStr,
    },
    PutBack {
        why: SmolStr,
    },
    TakeChuteOut {
        chute: u16,
        why: SmolStr,
    },
    PutChuteBack {
        chute: u16,
        why: SmolStr,
    },
    TakeDeviceOut {
        device: DeviceId,
        why: SmolStr,
    },
    PutDeviceBack {
        device: DeviceId,
        why: SmolStr,
    },
    /// Up to the so many-th item that was ever rejected; nothing: all until now.
    ClearRejects {
        rejected: Option<u64>,
        why: SmolStr,
    },
}

/// Why a station is to be given no work: it is out, or it is a bench whose printer is.
fn no_work(kind: StationKind, out: Option<&SmolStr>, printer_out: Option<&SmolStr>) -> Option<SmolStr> {
    let printer_out = printer_out.filter(|_| kind == StationKind::Bench);
    out.cloned().or_else(|| printer_out.map(|why| format_smolstr!("its printer is out: {why}")))
}

/// The same as the twin has it.
pub fn no_work_for(twin: &Twin, station: &StationConfig) -> Result<Option<SmolStr>, TwinError> {
    let printer = station.devices.iter().find(|device| device.kind == DeviceKind::Printer);
    let printer_out = printer.map(|printer| out::<Device>(twin, printer.id.text(), |device| device.out)).transpose()?.flatten();
    Ok(no_work(station.kind, out::<Station>(twin, station.id.text(), |station| station.out)?.as_ref(), printer_out.as_ref()))
}

fn out<E: Entity>(twin: &Twin, id: &SmolStr, why: impl Fn(E) -> Option<SmolStr>) -> Result<Option<SmolStr>, TwinError> {
    Ok(twin.load::<E>(id)?.and_then(|(_, state)| why(state)))
}

impl Base {
    /// Reads which of its devices are out.
    pub fn look_at_devices(&mut self) -> Result<(), TwinError> {
        for device in &self.config.devices {
            if let Some(why) = out::<Device>(&self.house.twin, device.id.text(), |device| device.out)? {
                self.devices_out.insert(device.kind, why);
            }
        }
        Ok(())
    }

    pub fn no_work(&self) -> Option<SmolStr> {
        no_work(self.config.kind, self.host.state.out.as_ref(), self.devices_out.get(&DeviceKind::Printer))
    }

    /// What its warehouse is told where it begins or ends to be given work.
    pub fn standing(&self) -> WarehouseMsg {
        WarehouseMsg::StationOut { station: self.config.id.clone(), out: self.no_work() }
    }

    /// Writes down what a person does, tells those who go by it, and answers.
    pub fn write(&mut self, command: Command, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let before = self.no_work();
        self.host.command(&mut work, command)?;
        if self.no_work() != before {
            work.say(Outgoing::Warehouse(self.warehouse.clone(), self.standing()));
        }
        work.say(Outgoing::Answer(Answer::Done(reply, Ok(()))));
        house.commit(work);
        Ok(())
    }

    /// Hands it to the device that it is about.
    pub fn tell_device(&self, device: &DeviceId, message: impl FnOnce(Reply) -> DeviceMsg, reply: Reply) {
        match self.config.devices.iter().find(|known| known.id == *device) {
            Some(known) => self.device(known.kind).cast(message(reply)),
            None => reply.tell(Err(format!("{} has no device {device}", self.config.id))),
        }
    }
}
