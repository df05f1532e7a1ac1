//! A packing bench: slip and label come out of its printer, goods become a parcel, and a scan says that it is packed.

use crate::base::Base;
use crate::{ParcelMsg, origin, slip};
use bytes::Bytes;
use drivers::devices::{Instruction, Observation, code};
use std::collections::BTreeMap;
use twin::device::DeviceKind;
use twin::parcel::Parcel;
use twin::{Because, Origin, ParcelId, TwinError, Unsealed};

#[derive(Default)]
pub struct Bench {
    jobs: u64,
    /// What the printer was given, and because of what.
    printing: BTreeMap<u64, (ParcelId, Because)>,
}

impl Bench {
    /// Its printer was restarted and has forgotten what it was given.
    pub fn print_again(&mut self, base: &Base) -> Result<(), TwinError> {
        let lost = std::mem::take(&mut self.printing).into_values();
        lost.into_iter()
            .try_for_each(|(parcel, because)| origin::within(Origin { because, ..Origin::default() }, || self.print(base, parcel)))
    }

    /// What it was given and has not packed goes to another bench.
    pub fn give_up(&mut self) {
        self.printing.clear();
    }

    pub fn print(&mut self, base: &Base, parcel: ParcelId) -> Result<(), TwinError> {
        self.print_sheets(base, parcel, true)
    }

    fn print_sheets(&mut self, base: &Base, parcel: ParcelId, with_slip: bool) -> Result<(), TwinError> {
        if let Some(zpl) = sheets(base, &parcel, with_slip)? {
            self.jobs += 1;
            self.printing.insert(self.jobs, (parcel, origin::current().because));
            base.instruct(DeviceKind::Printer, Instruction::Print { job: self.jobs, zpl });
        }
        Ok(())
    }

    /// A person wants its label once more; the slip too, where it is still to be packed.
    pub fn print_again_by_hand(&mut self, base: &Base, parcel: ParcelId) -> Result<(), TwinError> {
        let to_pack = base.house.twin.load::<Parcel>(parcel.text())?.is_some_and(|(_, parcel)| parcel.packed_at.is_none());
        self.print_sheets(base, parcel, to_pack)
    }

    pub fn saw(&mut self, base: &Base, what: Observation) -> Result<(), TwinError> {
        match what {
            Observation::Printed { job } => {
                if let (Some((parcel, because)), Some(printer)) = (self.printing.remove(&job), printer(base)) {
                    let said = Origin { because, ..origin::current() };
                    origin::within(said, || base.house.tell(parcel, ParcelMsg::Printed(printer)));
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
    let label = base.house.twin.label(&parcel)?;
    let Some(Unsealed::Here(label)) = label else {
        tracing::error!(parcel = %id, "has no label document to print");
        return Ok(None);
    };
    let mut zpl = if with_slip { slip::pick_slip(id, &parcel.plan.items).into_bytes() } else { Vec::new() };
    zpl.extend_from_slice(&label);
    Ok(Some(zpl.into()))
}
