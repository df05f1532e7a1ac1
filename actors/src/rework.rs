//! The rework bench: a person opens an intercepted parcel, scans the pick slip inside and then the label outside
//! (or [`NO_LABEL`] where it cannot be read). The slip says whose goods these are; the label, whose they were taken for.

use crate::base::Base;
use crate::bench::sheets;
use crate::{ParcelMsg, returns, slip};
use drivers::devices::{Instruction, Observation, code};
use ractor::ActorProcessingErr;
use std::convert::Infallible;
use twin::ParcelId;
use twin::device::DeviceKind;
use twin::parcel::{Interception, Parcel, REWORK_MAX, Stage};

/// The command barcode for a label that is missing or unreadable.
pub const NO_LABEL: &str = "NOLABEL";

#[derive(Default)]
pub struct Rework {
    slip: Option<ParcelId>,
    jobs: u64,
}

impl Rework {
    pub fn saw(&mut self, base: &Base, what: Observation) -> Result<(), ActorProcessingErr> {
        let Observation::Scanned { code: Some(code), .. } = what else { return Ok(()) };
        if base.host.state.out.is_some() {
            self.slip = None;
            tracing::warn!(station = %base.config.id, ?code, "was read at a station that is out");
            return Ok(());
        }
        if let Some(parcel) = slip::parcel_of(&code) {
            self.slip = Some(parcel);
            return Ok(());
        }
        let Some(id) = self.slip.take() else {
            if !returns::arrived(base, &code)? {
                tracing::warn!(station = %base.config.id, %code, "a label was scanned before its slip");
            }
            return Ok(());
        };
        let Some((_, parcel)) = base.house.twin.load::<Parcel>(id.text())? else { return Ok(()) };
        if parcel.stage.is_on_line() {
            // The sorter let it drop without an answer, and the line has not missed it yet.
            let why = Interception::Manual { why: "dropped without a decision".into() };
            base.house.tell(id.clone(), ParcelMsg::Intercept(why));
        }
        if let Some(why) = &parcel.stopped {
            return self.set_aside(base, id, format!("it is stopped, and stays here until it is taken back or cancelled: {why}"));
        }
        if parcel.tracking.is_none() {
            return self.set_aside(base, id, "it has no label yet: ask for it again, or send it over another channel".into());
        }
        if parcel.reworks >= REWORK_MAX {
            return self.set_aside(base, id, format!("it went round {REWORK_MAX} times"));
        }
        let stopped = parcel.stage == Stage::Intercepted || parcel.stage.is_on_line();
        let is_own = |number: &str| Ok::<_, Infallible>(parcel.tracking.as_ref().filter(|t| t.as_str() == number).map(|_| ()));
        let Ok(own) = code::find(&code, is_own).map(|found| found.is_some());
        match (stopped, &parcel.interception) {
            // The goods are right and so is the label: what the master data says of them is not.
            (true, Some(Interception::Weight { .. } | Interception::Size { .. })) if own => {
                let declared = parcel.measured_g.map(|g| (g, parcel.measured.unwrap_or(parcel.plan.declared)));
                base.house.tell(id, ParcelMsg::Rework { note: "contents checked by hand, measures taken over".into(), declared });
            }
            (true, _) if own => {
                base.house.tell(id, ParcelMsg::Rework { note: "checked by hand, its own label".into(), declared: None });
            }
            (true, _) => {
                self.print(base, &id)?;
                base.house.tell(id, ParcelMsg::Rework { note: "wore another label; its own was printed again".into(), declared: None });
            }
            // Its own label was never read on a line: it only needs a new one.
            (false, _) if parcel.stage == Stage::Labelled && own => {}
            (false, _) if parcel.stage == Stage::Labelled => self.print(base, &id)?,
            // It came back, and was opened at once.
            (false, _) if parcel.stage == Stage::HandedOver && returns::is_back(base, id.clone())? => {}
            (false, _) => {
                let stage = parcel.stage.as_str();
                return self.set_aside(base, id, format!("the twin has it {stage}: another parcel went in its place"));
            }
        }
        Ok(())
    }

    /// Nothing more can be done here: a sheet says so to the person, and the board to everybody.
    fn set_aside(&mut self, base: &Base, id: ParcelId, why: String) -> Result<(), ActorProcessingErr> {
        self.jobs += 1;
        let zpl = slip::shelf_sheet(&id, &why).into();
        base.instruct(DeviceKind::Printer, Instruction::Print { job: self.jobs, zpl });
        base.house.tell(id, ParcelMsg::Alarm(format!("set aside at {}: {why}", base.config.id).into()));
        Ok(())
    }

    pub fn print(&mut self, base: &Base, id: &ParcelId) -> Result<(), ActorProcessingErr> {
        if let Some(zpl) = sheets(base, id, false)? {
            self.jobs += 1;
            base.instruct(DeviceKind::Printer, Instruction::Print { job: self.jobs, zpl });
        }
        Ok(())
    }
}
