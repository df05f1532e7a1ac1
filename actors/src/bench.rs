//! A packing bench: slip and label come out of its printer, goods become a parcel, and a scan says that it is packed.

use crate::station::Base;
use crate::{ParcelMsg, slip};
use bytes::Bytes;
use drivers::devices::{Instruction, Observation, code};
use std::collections::BTreeMap;
use twin::device::DeviceKind;
use twin::order::Order;
use twin::parcel::Parcel;
use twin::{ParcelId, TwinError};

#[derive(Default)]
pub struct Bench {
    jobs: u64,
    printing: BTreeMap<u64, ParcelId>,
}

impl Bench {
    /// Its printer was restarted and has forgotten what it was given.
    pub fn print_again(&mut self, base: &Base) -> Result<(), TwinError> {
        std::mem::take(&mut self.printing).into_values().try_for_each(|parcel| self.print(base, parcel))
    }

    pub fn print(&mut self, base: &Base, parcel: ParcelId) -> Result<(), TwinError> {
        if let Some(zpl) = sheets(base, &parcel, true)? {
            self.jobs += 1;
            self.printing.insert(self.jobs, parcel);
            base.instruct(DeviceKind::Printer, Instruction::Print { job: self.jobs, zpl });
        }
        Ok(())
    }

    pub fn saw(&mut self, base: &Base, what: Observation) -> Result<(), TwinError> {
        match what {
            Observation::Printed { job } => {
                if let (Some(parcel), Some(printer)) = (self.printing.remove(&job), printer(base)) {
                    base.house.tell(parcel, ParcelMsg::Printed(printer));
                }
            }
            Observation::Scanned { code: Some(code), .. } => match parcel_of(base, &code)? {
                Some(parcel) => base.house.tell(parcel, ParcelMsg::Packed),
                None => tracing::warn!(station = %base.config.id, %code, "no parcel has this label"),
            },
            _ => {}
        }
        Ok(())
    }
}

/// The parcel whose label a scanner read, whatever the scanner and the carrier put around its number.
pub(crate) fn parcel_of(base: &Base, code: &str) -> Result<Option<ParcelId>, TwinError> {
    code::find(code, |number| base.house.twin.parcel_of(number))
}

/// The id of a station's printer.
pub(crate) fn printer(base: &Base) -> Option<twin::DeviceId> {
    base.config.devices.iter().find(|d| d.kind == DeviceKind::Printer).map(|d| d.id.clone())
}

/// What is printed for a parcel: the pick slip where it is still to be picked, and the carrier's label.
pub(crate) fn sheets(base: &Base, id: &ParcelId, with_slip: bool) -> Result<Option<Bytes>, TwinError> {
    let Some((_, parcel)) = base.house.twin.load::<Parcel>(id.text())? else { return Ok(None) };
    let label = match parcel.label {
        Some(hash) => base.house.twin.document(&hash)?,
        None => None,
    };
    let Some(label) = label else {
        tracing::error!(parcel = %id, "has no label document to print");
        return Ok(None);
    };
    let order = if with_slip { base.house.twin.load::<Order>(parcel.plan.order.text())? } else { None };
    let mut zpl = order.map(|(_, order)| slip::pick_slip(id, &order.lines).into_bytes()).unwrap_or_default();
    zpl.extend_from_slice(&label);
    Ok(Some(zpl.into()))
}
