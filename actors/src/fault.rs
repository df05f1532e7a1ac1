//! What is written of a device's faults. The first of a kind and its end are written at once; one that comes again within a
//! minute of its last is an intermittent fault: it stands until it has been away for a minute, and how often it came is
//! written as one number a minute. Bytes that cannot be read are counted, and enough of them are a fault like any other.
//!
//! Never waits and never writes: it says what is to be written, and when it wants to be looked at again.

use smol_str::SmolStr;
use twin::device::{Command, DEGRADED, Device};
use twin::{Moment, Span};

/// A fault that comes again within this is the same one.
pub const WINDOW: Span = Span::from_secs(60);
/// Kinds of fault that are told apart within a window; a device that says more of them is not believed word by word.
const KINDS_MAX: usize = 8;
/// So many bytes within a window, or so many times, are more than a plug that was pulled or a light that flickered.
const GARBAGE_BYTES_MAX: usize = 4_096;
const GARBAGE_TIMES_MAX: u32 = 20;

/// A command as the device stands now.
pub fn counted(command: Command, device: &Device) -> Command {
    match command {
        Command::RepeatFault { what, times, .. } => Command::RepeatFault { what, times, known: device.faults },
        other => other,
    }
}

/// One device's faults.
#[derive(Default)]
pub struct Faults {
    /// What the device says of itself.
    said: Option<SmolStr>,
    garbage: Garbage,
    /// What was the matter when last looked at.
    last: Option<SmolStr>,
    /// What the twin has.
    written: Option<SmolStr>,
    /// Written within the window, with when each was last there.
    recent: Vec<(SmolStr, Moment)>,
    /// An intermittent fault, since its last coming or going.
    intermittent: Option<Moment>,
    /// How often something came again, not written yet.
    again: u32,
    /// When that was last written.
    counted: Moment,
}

#[derive(Default)]
struct Garbage {
    since: Moment,
    bytes: usize,
    times: u32,
    /// The last of it, while it is a fault.
    last: Option<Moment>,
}

impl Faults {
    /// As the twin has it from an earlier life.
    pub fn taken_up(written: Option<SmolStr>) -> Self {
        Faults { written, ..Faults::default() }
    }

    /// What the device says is wrong with it, or that nothing is.
    pub fn said(&mut self, now: Moment, what: Option<SmolStr>) -> Vec<Command> {
        self.said = what;
        self.look(now)
    }

    /// It is there: what stands written and is not said any more is over.
    pub fn up(&mut self, now: Moment) -> Vec<Command> {
        self.look(now)
    }

    /// So many bytes could not be read.
    pub fn garbage(&mut self, now: Moment, bytes: usize) -> Vec<Command> {
        let garbage = &mut self.garbage;
        if now - garbage.since > WINDOW {
            (garbage.since, garbage.bytes, garbage.times) = (now, 0, 0);
        }
        garbage.bytes = garbage.bytes.saturating_add(bytes);
        garbage.times = garbage.times.saturating_add(1);
        let much = garbage.bytes >= GARBAGE_BYTES_MAX || garbage.times >= GARBAGE_TIMES_MAX;
        if much || garbage.last.is_some() {
            garbage.last = Some(now);
        }
        self.look(now)
    }

    /// When [`Faults::due`] has something to do, if nothing happens before.
    pub fn next(&self) -> Option<Moment> {
        let counting = self.intermittent.map(|last| if self.again > 0 { self.counted } else { last });
        [self.garbage.last, counting].into_iter().flatten().min().map(|since| since + WINDOW)
    }

    /// Time has passed: what was away long enough is over, and what came again is counted.
    pub fn due(&mut self, now: Moment) -> Vec<Command> {
        if self.garbage.last.is_some_and(|last| now - last >= WINDOW) {
            self.garbage.last = None;
        }
        let mut commands = self.look(now);
        let Some(last) = self.intermittent else { return commands };
        if self.again > 0 && now - self.counted >= WINDOW {
            let again = std::mem::take(&mut self.again);
            self.counted = now;
            let what = self.last.clone().or_else(|| self.written.clone()).unwrap_or_default();
            commands.push(Command::RepeatFault { what: what.clone(), times: again, known: 0 });
            self.written = Some(what);
        }
        if now - last >= WINDOW {
            self.intermittent = None;
            self.recent.clear();
            commands.extend(self.write());
        }
        commands
    }

    fn look(&mut self, now: Moment) -> Vec<Command> {
        let is = self.said.clone().or_else(|| self.garbage.last.map(|_| DEGRADED.into()));
        if is == self.last {
            // An end that an earlier life did not see.
            return if self.intermittent.is_none() { self.write() } else { vec![] };
        }
        if let Some(was) = std::mem::replace(&mut self.last, is.clone()) {
            self.noted(was, now);
        }
        let Some(is) = is else {
            if self.intermittent.is_some() {
                self.intermittent = Some(now);
                return vec![];
            }
            return self.write();
        };
        self.recent.retain(|(_, last)| now - *last <= WINDOW);
        let known = self.recent.iter().any(|(what, _)| *what == is);
        if !known && self.recent.len() < KINDS_MAX {
            self.noted(is, now);
            return self.write();
        }
        self.again = self.again.saturating_add(1);
        if self.intermittent.replace(now).is_none() {
            self.counted = now;
        }
        if known {
            self.noted(is.clone(), now);
        }
        if self.written.is_some() {
            return vec![];
        }
        (self.written, self.counted) = (Some(is.clone()), now);
        vec![Command::RepeatFault { what: is, times: std::mem::take(&mut self.again), known: 0 }]
    }

    fn noted(&mut self, what: SmolStr, now: Moment) {
        if let Some((_, last)) = self.recent.iter_mut().find(|(known, _)| *known == what) {
            *last = now;
        } else if self.recent.len() < KINDS_MAX {
            self.recent.push((what, now));
        }
    }

    /// What makes the twin know what is the matter now.
    fn write(&mut self) -> Vec<Command> {
        if self.written == self.last {
            return vec![];
        }
        self.written = self.last.clone();
        vec![self.last.clone().map_or(Command::ClearFault, |what| Command::RaiseFault { what })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::entity::Entity;

    /// Runs happenings at milliseconds, `None` for an end, with the timer going off where it should; gives what was written.
    fn run(happenings: impl IntoIterator<Item = (i64, Option<&'static str>)>, until_ms: i64) -> (Vec<String>, Device) {
        let (mut faults, mut device, mut written) = (Faults::default(), Device::default(), Vec::new());
        let mut put = |at: Moment, commands: Vec<Command>, device: &mut Device| {
            for command in commands {
                for event in device.decide(&"d".into(), at, counted(command, device)).unwrap() {
                    device.apply(at, &event);
                    written.push(format!("{} {event:?}", at.0 / 1_000));
                }
            }
        };
        let end = std::iter::once((until_ms, Some("END")));
        for (ms, what) in happenings.into_iter().chain(end) {
            let now = Moment(ms * 1_000);
            while let Some(due) = faults.next().filter(|due| *due <= now) {
                put(due, faults.due(due), &mut device);
            }
            if what != Some("END") {
                put(now, faults.said(now, what.map(SmolStr::new)), &mut device);
            }
        }
        (written, device)
    }

    #[test]
    fn a_fault_and_its_end_are_written_at_once() {
        let (written, device) =
            run([(0, Some("paper out")), (500, None), (100_000, Some("paper out")), (101_000, Some("head open"))], 300_000);
        let expected = [
            "0 FaultRaised { what: \"paper out\" }",
            "500 FaultCleared",
            "100000 FaultRaised { what: \"paper out\" }",
            "101000 FaultRaised { what: \"head open\" }",
        ];
        assert_eq!(written, expected);
        assert_eq!((device.fault.as_deref(), device.faults), (Some("head open"), 3));
    }

    #[test]
    fn what_comes_again_and_again_is_one_record_with_a_count() {
        // A unit that alternates 3,504 times a second for ten seconds.
        let alternating = (0..35_040).map(|n| (n * 10_000 / 35_040, (n % 2 == 0).then_some("weighs in lb: set it to g")));
        let (written, device) = run(alternating, 600_000);
        let expected = [
            "0 FaultRaised { what: \"weighs in lb: set it to g\" }",
            "0 FaultCleared",
            "0 FaultRepeated { what: \"weighs in lb: set it to g\", times: 1 }",
            "60000 FaultRepeated { what: \"weighs in lb: set it to g\", times: 17518 }",
            "69999 FaultCleared",
        ];
        assert_eq!(written, expected);
        assert_eq!((device.fault, device.faults), (None, 17_520));
    }

    #[test]
    fn while_it_goes_on_it_stands_and_is_counted_once_a_minute() {
        let (written, device) = run((0..7_200).map(|n| (n * 500, (n % 2 == 0).then_some("paused"))), 3_600_000);
        assert!(written.len() <= 65, "{} records in an hour", written.len());
        assert!(device.fault.is_some() && device.faults >= 3_500, "{device:?}");
    }

    #[test]
    fn many_kinds_are_not_written_word_by_word() {
        const UNITS: [&str; 20] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"];
        let (written, device) = run((0..10_000).map(|n| (n, Some(UNITS[n as usize % 20]))), 600_000);
        assert!(written.len() < 20, "{written:?}");
        assert_eq!(device.fault.as_deref(), Some("t"), "what is the matter in the end is what the twin has");
    }

    #[test]
    fn much_garbage_is_a_fault_until_there_is_none_for_a_minute() {
        let mut faults = Faults::default();
        let at = |s: i64| Moment(s * 1_000_000);
        assert!(faults.garbage(at(0), 300).is_empty() && faults.next().is_none(), "a little is no fault");
        assert!(faults.garbage(at(100), 4_000).is_empty());
        assert!(matches!(&faults.garbage(at(101), 96)[..], [Command::RaiseFault { what }] if what == DEGRADED));
        for s in 102..150 {
            assert!(faults.garbage(at(s), 1_000_000).is_empty());
        }
        assert_eq!(faults.next(), Some(at(149) + WINDOW));
        assert!(matches!(faults.due(at(149) + WINDOW)[..], [Command::ClearFault]));
        assert_eq!(faults.next(), None);
        let often = (0..20).flat_map(|n| faults.garbage(at(500 + n), 1)).count();
        assert_eq!(often, 1);
        // What the device says of itself comes before what we think of it.
        assert!(matches!(&faults.said(at(530), Some("jam".into()))[..], [Command::RaiseFault { what }] if what == "jam"));
        assert_eq!(Device { online: true, fault: Some(DEGRADED.into()), ..Device::default() }.stage_word(), "degraded");
    }

    #[test]
    fn a_fault_of_an_earlier_life_ends() {
        let mut faults = Faults::taken_up(Some("paper out".into()));
        assert!(matches!(faults.said(Moment(0), None)[..], [Command::ClearFault]));
        let mut faults = Faults::taken_up(Some("paper out".into()));
        assert!(faults.said(Moment(0), Some("paper out".into())).is_empty());
    }
}
