//! The label printer: ZPL goes to it as it is, and `~HS` asks whether the label came out.
//!
//! One job is on its way at a time. It counts as printed once a status that was asked for after it says that nothing is
//! left to print and nothing is wrong. If the wire drops before that, the job is sent again after the reconnect: the label
//! **may print twice**, and that is the lesser evil, because a label too many is noticed by the hand that holds it, and a
//! label too few is a parcel that leaves the building without one.
//!
//! A printer without paper or with an open head may answer nothing at all. So silence is a fault and never a reason to
//! hang up: dialling again would send the same job once more. While a fault stands no new job is sent.

use super::host_status::{Buffer, Head, PrinterCodec, PrinterLine, Status};
use super::{Conversation, Instruction, Observation, Trouble, Turn};
use bytes::Bytes;
use smol_str::{SmolStr, format_smolstr};
use std::collections::VecDeque;
use twin::Span;

/// Jobs that may wait; more are refused with a fault.
pub const JOBS_MAX: usize = 1_000;
/// The largest job in bytes; a larger one is refused with a fault.
pub const JOB_BYTES_MAX: usize = 1024 * 1024;
/// How often a printer that is at work is asked whether it is done.
const BUSY_POLL_EVERY: Span = Span::from_ms(100);

/// Our side of the wire.
#[derive(Default)]
pub(super) struct Printer {
    jobs: VecDeque<(u64, Bytes)>,
    /// The first job has been sent over this connection.
    sent: bool,
    /// `~HS` sent and not answered.
    unanswered: u32,
    /// A status came since the last `~HS`.
    fresh: bool,
    identity: SmolStr,
    buffer: Option<Buffer>,
    head: Option<Head>,
    trouble: Trouble,
    /// A job was refused, and that fault stands.
    refused: bool,
}

impl Printer {
    fn ask(&mut self, turn: &mut Turn<'_>) {
        turn.out.extend_from_slice(b"~HS");
        self.unanswered = self.unanswered.saturating_add(1);
        self.fresh = false;
        turn.await_answer();
    }

    fn status(&mut self, status: Status, turn: &mut Turn<'_>) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.fresh = true;
        if turn.up_since.is_none() {
            let identity = if self.identity.is_empty() { "label printer".into() } else { self.identity.clone() };
            turn.up(identity);
        }
        match status.fault() {
            Some(what) => self.trouble.raise(what.into(), turn),
            None => self.trouble.clear(turn),
        }
        if self.sent && status.is_idle() && !self.trouble.is() {
            self.sent = false;
            if let Some((job, _)) = self.jobs.pop_front() {
                turn.say(Observation::Printed { job });
            }
            if std::mem::take(&mut self.refused) {
                turn.say(Observation::FaultCleared);
            }
        }
        self.go_on(turn);
    }

    /// Decides what to wait for next.
    fn go_on(&mut self, turn: &mut Turn<'_>) {
        *turn.due = if self.unanswered > 0 || self.trouble.is() {
            // Answers to questions asked before a job must not be taken for its own: wait for those that are late.
            Some(turn.now + turn.settings.answer_timeout)
        } else if self.sent {
            Some(turn.now + BUSY_POLL_EVERY)
        } else if let Some((_, zpl)) = self.jobs.front() {
            turn.out.extend_from_slice(zpl);
            self.sent = true;
            return self.ask(turn);
        } else {
            None
        };
    }

    fn take_in(&mut self, instruction: Instruction) -> Option<Observation> {
        let Instruction::Print { job, zpl } = instruction else { return None };
        let what = if self.jobs.len() >= JOBS_MAX {
            format_smolstr!("job {job} refused: {JOBS_MAX} jobs wait")
        } else if zpl.len() > JOB_BYTES_MAX {
            format_smolstr!("job {job} refused: over {JOB_BYTES_MAX} bytes")
        } else {
            self.jobs.push_back((job, zpl));
            return None;
        };
        self.refused = true;
        Some(Observation::Fault { what })
    }
}

impl Conversation for Printer {
    type Frame = PrinterLine;
    type Codec = PrinterCodec;
    const ANSWERS_KEEPALIVE: bool = true;

    fn open(&mut self, turn: &mut Turn<'_>) {
        (self.sent, self.unanswered, self.buffer, self.head) = (false, 0, None, None);
        turn.out.extend_from_slice(b"~HI");
        self.ask(turn);
    }

    fn hear(&mut self, line: PrinterLine, turn: &mut Turn<'_>) {
        match line {
            PrinterLine::Identity(identity) => self.identity = identity,
            PrinterLine::Buffer(buffer) => (self.buffer, self.head) = (Some(buffer), None),
            PrinterLine::Head(head) => self.head = Some(head),
            // A status of which a line was damaged counts as no answer.
            PrinterLine::End => {
                if let (Some(buffer), Some(head)) = (self.buffer.take(), self.head.take()) {
                    self.status(Status { buffer, head }, turn);
                }
            }
        }
    }

    fn obey(&mut self, instruction: Instruction, turn: &mut Turn<'_>) {
        if let Some(refusal) = self.take_in(instruction) {
            turn.say(refusal);
        }
        if turn.due.is_none() {
            self.go_on(turn);
        }
    }

    fn due(&mut self, turn: &mut Turn<'_>) -> Result<(), SmolStr> {
        if self.unanswered > 0 && !self.fresh {
            self.trouble.raise("no answer".into(), turn);
            self.ask(turn);
        } else {
            self.unanswered = 0;
            if self.sent || self.trouble.is() { self.ask(turn) } else { self.go_on(turn) }
        }
        Ok(())
    }

    fn keepalive(&mut self, turn: &mut Turn<'_>) {
        if turn.due.is_none() {
            self.ask(turn);
        }
    }

    fn keep(&mut self, instruction: Instruction) -> Option<Observation> {
        self.take_in(instruction)
    }
}
