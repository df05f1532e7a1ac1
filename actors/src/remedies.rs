//! What a person does about a parcel: each step is the parcel's own to decide, and stands in the journal with their name and reason.

use crate::parcel::ParcelState;
use crate::warehouse::WarehouseMsg;
use crate::{ParcelMsg, Work};
use smol_str::{SmolStr, format_smolstr};
use twin::channel::{TrackEvent, TrackStatus};
use twin::entity::Why;
use twin::parcel::{Command, Interception, Parcel, Stage};
use twin::tracking;
use twin::{Entity, Refusal, StationId, TwinError};

/// What a person wants done with a parcel.
#[derive(Clone, Debug)]
pub enum Step {
    /// Stop it, wherever it is, until the handover.
    Stop,
    /// Put it on a shelf of its own, until somebody takes it back.
    PutAside { place: SmolStr },
    /// What was stopped or put aside goes on.
    TakeBack,
    /// Ask its carrier (again) for its label.
    AskLabel,
    /// Ask its carrier once more to take its label back.
    AskVoid,
    /// Let a label be that cannot be given back.
    WriteOffLabel,
    /// What was wrong with it, in the house or on its way, has been dealt with.
    Settle,
    /// It goes over the line once more, as it is.
    WeighAgain,
    /// What the line measured is what it is.
    AcceptMeasures,
    /// Print its label once more; nowhere: where it is worked on.
    Reprint { station: Option<StationId> },
    /// Its carrier will not find it any more.
    DeclareLost,
}

impl ParcelState {
    /// Does what a person wants, or says why not.
    pub(crate) fn put_right(&mut self, work: &mut Work, step: Step, why: SmolStr) -> Result<Result<(), Refusal>, TwinError> {
        let refused = |is: &str, step: &str, wants: &str| {
            let why = Why::WrongStage { is: is.into(), step: step.into(), wants: wants.into() };
            Ok(Err(Parcel::refuse(self.id.text(), why)))
        };
        let (stage, is_packed) = (self.host.state.stage, self.host.state.packed_at.is_some());
        let command = match step {
            Step::Stop => return Ok(self.stop(work, why)),
            Step::PutAside { .. } if stage == Stage::Bagged => return refused("bagged", "putting it aside", "out of its bag"),
            Step::PutAside { place } => {
                let why = format_smolstr!("put aside at {place}: {why}");
                let moves = stage == Stage::Labelled || stage.is_on_line();
                return Ok(self.stop(work, why.clone()).and_then(|()| match moves {
                    true => self.host.command(work, Command::Intercept { why: Interception::Stopped { why } }).map(drop),
                    false => Ok(()),
                }));
            }
            Step::TakeBack => return Ok(self.take_back(work, why)),
            Step::AskLabel => {
                return Ok(match self.host.command(work, Command::AskLabel) {
                    Ok(n) if n > 0 => {
                        // Whoever decides that knows that it may be bought twice.
                        let again = self.host.state.label_lost > 0 && !self.loses_labels();
                        self.ask_for_label(work, crate::ledger::Account::Last, again)?;
                        Ok(())
                    }
                    other => other.map(drop),
                });
            }
            Step::AskVoid => {
                let asked = self.host.command(work, Command::AskVoid);
                if asked.as_ref().is_ok_and(|n| *n > 0) {
                    self.give_label_back(work);
                }
                return Ok(asked.map(drop));
            }
            Step::WriteOffLabel => Command::WriteOffLabel { why },
            Step::Settle => {
                self.host.command(work, Command::Settle { why: why.clone() }).map_err(|r| tracing::debug!(%r, "refused")).ok();
                if self.tracking()?.exists() {
                    return Ok(self.tracking()?.command(work, tracking::Command::Settle { why }).map(drop));
                }
                return Ok(Ok(()));
            }
            Step::WeighAgain => Command::Rework { note: format_smolstr!("to be weighed again: {why}"), declared: None },
            Step::AcceptMeasures => {
                let parcel = &self.host.state;
                let Some(weight_g) = parcel.measured_g else { return refused("not measured", "taking its measures over", "measured") };
                let declared = Some((weight_g, parcel.measured.unwrap_or(parcel.plan.declared)));
                // Said twice: it goes its way already, by these measures.
                if stage != Stage::Intercepted && declared == Some((parcel.plan.declared_g, parcel.plan.declared)) {
                    return Ok(Ok(()));
                }
                Command::Rework { note: format_smolstr!("its measures are taken over: {why}"), declared }
            }
            Step::Reprint { station } => {
                let nth = self.host.state.reprints.saturating_add(1);
                let asked = self.host.command(work, Command::AskReprint { nth, why });
                if asked.is_ok() {
                    let parcel = self.id.clone();
                    self.tell_warehouse(work, WarehouseMsg::Reprint { parcel, station });
                }
                return Ok(asked.map(drop));
            }
            Step::DeclareLost if stage != Stage::HandedOver => return refused(stage.as_str(), "declaring it lost", "handed over"),
            Step::DeclareLost => {
                let at = self.house.clock.date();
                let lost = TrackEvent { at, status: TrackStatus::Lost, code: "".into(), text: why, place: "".into() };
                return self.take(work, ParcelMsg::Track(vec![lost]));
            }
        };
        let reworks = matches!(command, Command::Rework { .. });
        // Said twice: it goes its way already.
        if reworks && stage == Stage::Labelled && self.host.state.reworks > 0 {
            return Ok(Ok(()));
        }
        let done = self.host.command(work, command);
        if reworks && done.as_ref().is_ok_and(|n| *n > 0) {
            self.goes_on(work, is_packed);
        }
        Ok(done.map(drop))
    }

    fn stop(&mut self, work: &mut Work, why: SmolStr) -> Result<(), Refusal> {
        let stopped = self.host.command(work, Command::Stop { why })?;
        if stopped > 0 && self.host.state.stage == Stage::Labelled {
            // No bench begins with it, and nobody misses it.
            let id = self.id.clone();
            self.tell_warehouse(work, WarehouseMsg::Seen(id));
        }
        Ok(())
    }

    fn take_back(&mut self, work: &mut Work, why: SmolStr) -> Result<(), Refusal> {
        let let_go = self.host.command(work, Command::LetGo { why: why.clone() })?;
        let parcel = &self.host.state;
        let (is_packed, aside) = (parcel.packed_at.is_some(), matches!(parcel.interception, Some(Interception::Stopped { .. })));
        if parcel.stage == Stage::Intercepted && aside {
            self.host.command(work, Command::Rework { note: format_smolstr!("taken back: {why}"), declared: None })?;
            self.goes_on(work, is_packed);
        } else if let_go > 0 && parcel.stage == Stage::Labelled {
            self.goes_on(work, is_packed);
        }
        Ok(())
    }

    /// A bench should pack it, or a line see it, soon.
    fn goes_on(&self, work: &mut Work, is_packed: bool) {
        let id = self.id.clone();
        self.tell_warehouse(work, if is_packed { WarehouseMsg::Packed(id) } else { WarehouseMsg::Ready(id) });
    }
}
