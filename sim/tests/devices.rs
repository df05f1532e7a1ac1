//! Our device sessions against the simulated devices: in virtual time over in-memory wires, and over a real TCP port and
//! a real pseudo-terminal.

use bytes::Bytes;
use drivers::Clock;
use drivers::clock::virtual_runtime;
use drivers::devices::sorter::Names;
use drivers::devices::{Instruction, Observation, SessionSettings, run};
use drivers::wire::{Dial, WireAddress, dial};
use sim::devices::serve::{Listen, ListenOptions, listen};
use sim::devices::{Disturbed, OnAnswer, ScaleNoise, ScannerNoise, SimPrinter, SimScale, SimScanner, SimSorter, dial_of};
use sim::luck::Luck;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use twin::device::DeviceKind;
use twin::measure::Dims;
use twin::{Moment, Span};

/// What a session under test has said, and the hand that instructs it.
struct Session {
    log: Arc<Mutex<Vec<(Moment, Observation)>>>,
    instructions: UnboundedSender<Instruction>,
    ended: tokio::task::JoinHandle<()>,
}

impl Session {
    fn start(kind: DeviceKind, dial: Dial, clock: &Clock) -> Session {
        Session::start_as(kind, dial, clock, SessionSettings::default())
    }

    fn start_as(kind: DeviceKind, dial: Dial, clock: &Clock, settings: SessionSettings) -> Session {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (instructions, inbox) = unbounded_channel();
        let (noting, its_clock) = (log.clone(), clock.clone());
        let observe = Arc::new(move |what| noting.lock().unwrap().push((its_clock.now(), what)));
        let ended = tokio::spawn(run(kind, dial, clock.clone(), settings, observe, inbox));
        Session { log, instructions, ended }
    }

    fn told(&self, instruction: Instruction) {
        self.instructions.send(instruction).unwrap();
    }

    /// What was said since the last call.
    fn said(&self) -> Vec<Observation> {
        self.log.lock().unwrap().drain(..).map(|(_, what)| what).collect()
    }

    /// The same with the milliseconds at which it was said.
    fn said_at(&self) -> Vec<(i64, Observation)> {
        self.log.lock().unwrap().drain(..).map(|(at, what)| (at.0 / 1_000, what)).collect()
    }
}

fn in_virtual_time<F: Future<Output = ()>>(test: impl FnOnce(Clock) -> F) {
    let clock = Clock::virtual_from(Moment(0));
    virtual_runtime(&clock).unwrap().block_on(test(clock.clone()));
}

const MS: Span = Span::from_ms(1);
const EXACT: ScaleNoise = ScaleNoise { noise_dg: 0, gain_ppm: 0, capacity_g: 30_000 };

fn luck() -> Luck {
    Luck::of(1, "test", "device")
}

fn up(identity: &str) -> Observation {
    Observation::Up { identity: identity.into() }
}
fn down(why: &str) -> Observation {
    Observation::Down { why: why.into() }
}
fn fault(what: &str) -> Observation {
    Observation::Fault { what: what.into() }
}
fn stable(weight_dg: i32) -> Observation {
    Observation::Weight { weight_dg, stable: true }
}
fn scanned(code: Option<&str>, dims: Dims) -> Observation {
    Observation::Scanned { code: code.map(Into::into), dims: Some(dims) }
}

fn print(job: u64) -> Instruction {
    Instruction::Print { job, zpl: Bytes::from(format!("^XA^FO20,20^A0N,30^FDjob {job}^FS^XZ")) }
}

/// A printer that notes what it printed.
fn printer() -> (SimPrinter, Arc<Mutex<Vec<String>>>) {
    let labels = Arc::new(Mutex::new(Vec::new()));
    let noting = labels.clone();
    let on_printed = move |_, zpl: Bytes| {
        let text = String::from_utf8(zpl.to_vec()).unwrap();
        noting.lock().unwrap().push(sim::devices::field_texts(&text).join(" "));
    };
    (SimPrinter::new(luck(), Arc::new(on_printed)), labels)
}

#[test]
fn a_scale_is_greeted_weighs_and_is_zeroed() {
    in_virtual_time(|clock| async move {
        let scale = SimScale::new(luck(), EXACT);
        let session = Session::start(DeviceKind::Scale, dial_of(scale.clone()), &clock);
        clock.sleep(MS).await;
        assert_eq!(session.said(), [up("SIM0000001"), stable(0)]);

        scale.load(350);
        clock.sleep(MS).await;
        let said = session.said();
        assert!(matches!(said[0], Observation::Weight { weight_dg: 2_000..3_400, stable: false }), "{said:?}");
        assert_eq!(said[1..], [stable(3_500)]);
        scale.load(40_000);
        scale.unload();
        clock.sleep(MS).await;
        assert_eq!(session.said()[1..], [Observation::Overload, stable(0)]);

        scale.drift(&clock, 30);
        clock.sleep(Span::from_mins(10)).await;
        scale.unload();
        session.told(Instruction::Zero);
        clock.sleep(MS).await;
        assert_eq!(session.said(), [stable(300), stable(0)]);
        scale.load(100);
        session.told(Instruction::Tare);
        scale.unload();
        clock.sleep(MS).await;
        assert_eq!(session.said().last(), Some(&stable(0)));
    });
}

#[test]
fn a_refused_zero_is_a_fault_until_the_next_weight() {
    in_virtual_time(|clock| async move {
        let scale = SimScale::new(luck(), EXACT);
        let session = Session::start(DeviceKind::Scale, dial_of(scale.clone()), &clock);
        clock.sleep(MS).await;
        scale.load(5_000);
        clock.sleep(MS).await;
        session.said();
        session.told(Instruction::Zero);
        clock.sleep(MS).await;
        scale.unload();
        clock.sleep(MS).await;
        let expected = [fault("zeroing refused: out of the zeroing range"), Observation::FaultCleared, stable(0)];
        assert_eq!(session.said(), expected);
    });
}

#[test]
fn garbage_is_skipped_and_the_next_frame_found() {
    in_virtual_time(|clock| async move {
        let (scanner, scale) = (SimScanner::new(luck(), ScannerNoise::default()), SimScale::new(luck(), EXACT));
        let (sorter, (printer, _)) = (SimSorter::new(luck(), Arc::new(|_, _| ())), printer());
        let sessions = [
            Session::start(DeviceKind::Scanner, dial_of(scanner.clone()), &clock),
            Session::start(DeviceKind::Scale, dial_of(scale.clone()), &clock),
            Session::start(DeviceKind::Sorter, dial_of(sorter.clone()), &clock),
            Session::start(DeviceKind::Printer, dial_of(printer.clone()), &clock),
        ];
        clock.sleep(MS).await;
        sessions.iter().for_each(|s| drop(s.said()));
        let dims = Dims::new(300, 200, 100);
        for bytes in [1, 7, 200, 5_000] {
            scanner.garble(bytes);
            scanner.pass(Some("RR473124829CN"), dims);
            scale.garble(bytes);
            scale.unload();
            sorter.garble(bytes);
            sorter.ask(7);
            printer.garble(bytes);
            sessions[3].told(print(1));
            clock.sleep(MS).await;
            let expected =
                [scanned(Some("RR473124829CN"), dims), stable(0), Observation::DivertAsked { pic: 7 }, Observation::Printed { job: 1 }];
            for (session, frame) in sessions.iter().zip(expected) {
                let said = session.said();
                assert!(matches!(said[0], Observation::Garbage { .. }), "{bytes}: {said:?}");
                assert_eq!(said.last(), Some(&frame), "{bytes}");
            }
        }
    });
}

#[test]
fn a_broken_wire_is_told_once_and_tried_again_at_doubling_intervals() {
    in_virtual_time(|clock| async move {
        let scale = SimScale::new(luck(), EXACT);
        let dials = Arc::new(Mutex::new(Vec::new()));
        let (noting, its_clock, inner) = (dials.clone(), clock.clone(), dial_of(scale.clone()));
        let dial: Dial = Arc::new(move || {
            noting.lock().unwrap().push(its_clock.now().0 / 1_000);
            inner()
        });
        let session = Session::start(DeviceKind::Scale, dial, &clock);
        clock.sleep(Span::from_secs(10)).await;
        scale.hang_up();
        clock.sleep(Span::from_secs(10)).await;
        let again = [up("SIM0000001"), stable(0)];
        let said = session.said();
        assert_eq!(said[2..], [&[down("the device hung up")][..], &again].concat());
        assert_eq!(dials.lock().unwrap().drain(..).collect::<Vec<_>>(), [0, 10_250]);

        scale.unplug(true);
        clock.sleep(Span::from_secs(100)).await;
        scale.unplug(false);
        clock.sleep(Span::from_secs(30)).await;
        assert_eq!(session.said(), [&[down("the device hung up")][..], &again].concat());
        let waits: Vec<i64> = dials.lock().unwrap().windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    });
}

#[test]
fn a_silent_device_is_found_out_by_the_keepalive() {
    in_virtual_time(|clock| async move {
        let (scale, sorter) = (SimScale::new(luck(), EXACT), SimSorter::new(luck(), Arc::new(|_, _| ())));
        let sessions = [
            Session::start(DeviceKind::Scale, dial_of(scale.clone()), &clock),
            Session::start(DeviceKind::Sorter, dial_of(sorter.clone()), &clock),
        ];
        clock.sleep(Span::from_secs(95)).await;
        assert_eq!(sessions[0].said(), [up("SIM0000001"), stable(0)]);
        assert_eq!(sessions[1].said(), [up("SRT01")]);
        scale.silent(true);
        sorter.silent(true);
        clock.sleep(Span::from_secs(60)).await;
        assert_eq!(sessions[0].said_at(), [(122_000, down("no answer to I4 within 2000 ms"))]);
        assert_eq!(sessions[1].said_at(), [(122_000, down("no answer to SYNQ within 2000 ms"))]);
        scale.silent(false);
        sorter.silent(false);
        clock.sleep(Span::from_secs(60)).await;
        assert_eq!(sessions[0].said(), [up("SIM0000001"), stable(0)]);
        assert_eq!(sessions[1].said(), [up("SRT01")]);
    });
}

/// A control that somebody else planned: its chutes are where its own locations are, and its errors have words.
#[test]
fn a_sorter_with_names_of_its_own_is_understood() {
    let names: Names = toml::from_str(
        "locations = [{ chute = 12, location = \"SORT/0007/LEFT\" }]\nerrors = [{ code = 90, what = \"jam at the infeed\" }]",
    )
    .unwrap();
    let names = Arc::new(names);
    in_virtual_time(|clock| async move {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let noting = answers.clone();
        let on_answer: OnAnswer = Arc::new(move |pic, chute| noting.lock().unwrap().push((pic, chute)));
        // The control knows both chutes by its own names only.
        let sorter = SimSorter::new(luck(), on_answer).with_names(names.clone());
        let settings = SessionSettings { names: names.clone(), ..SessionSettings::default() };
        let session = Session::start_as(DeviceKind::Sorter, dial_of(sorter.clone()), &clock, settings);
        clock.sleep(MS).await;
        session.said();
        sorter.ask(7);
        session.told(Instruction::Divert { pic: 7, chute: 12 });
        clock.sleep(MS).await;
        sorter.diverted(7, 12, true);
        sorter.fault(Some("INFEED"));
        clock.sleep(MS).await;
        let expected = [
            Observation::DivertAsked { pic: 7 },
            Observation::Diverted { pic: 7, chute: 12, ok: true },
            fault("INFEED: jam at the infeed (error 90)"),
        ];
        assert_eq!(session.said(), expected);
        assert_eq!(answers.lock().unwrap().drain(..).collect::<Vec<_>>(), [(7, 12)]);
        // Whoever has not been told the names cannot tell the chute.
        let other = Session::start(DeviceKind::Sorter, dial_of(sorter.clone()), &clock);
        clock.sleep(MS).await;
        other.said();
        sorter.diverted(8, 12, true);
        clock.sleep(MS).await;
        assert!(other.said().contains(&Observation::Diverted { pic: 8, chute: 0, ok: false }));
    });
}

#[test]
fn a_sorter_asks_is_answered_and_repeats_itself_unheard() {
    in_virtual_time(|clock| async move {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let noting = answers.clone();
        let on_answer: OnAnswer = Arc::new(move |pic, chute| noting.lock().unwrap().push((pic, chute)));
        let sorter = SimSorter::new(luck(), on_answer).with_clock(clock.clone());
        let session = Session::start(DeviceKind::Sorter, dial_of(sorter.clone()), &clock);
        clock.sleep(MS).await;
        session.said();
        sorter.ask(7);
        sorter.repeat_last();
        session.told(Instruction::Divert { pic: 7, chute: 12 });
        clock.sleep(MS).await;
        sorter.diverted(7, 12, true);
        sorter.repeat_last();
        sorter.diverted(8, 0, false);
        sorter.fault(Some("INFEED"));
        sorter.fault(None);
        clock.sleep(MS).await;
        let expected = [
            Observation::DivertAsked { pic: 7 },
            Observation::Diverted { pic: 7, chute: 12, ok: true },
            Observation::Diverted { pic: 8, chute: 0, ok: false },
            fault("INFEED: error 90"),
            Observation::FaultCleared,
        ];
        assert_eq!(session.said(), expected);
        assert_eq!(answers.lock().unwrap().drain(..).collect::<Vec<_>>(), [(7, 12)]);

        // A stalled control says late what it has to say, and what it was told meanwhile is lost.
        sorter.stall(true);
        sorter.ask(9);
        session.told(Instruction::Divert { pic: 9, chute: 3 });
        clock.sleep(Span::from_secs(3)).await;
        assert_eq!(session.said(), []);
        sorter.stall(false);
        clock.sleep(MS).await;
        assert_eq!(session.said(), [Observation::DivertAsked { pic: 9 }]);
        assert_eq!(answers.lock().unwrap().len(), 0);
    });
}

#[test]
fn a_label_is_printed_when_the_printer_says_so() {
    in_virtual_time(|clock| async move {
        let (printer, labels) = printer();
        let session = Session::start(DeviceKind::Printer, dial_of(printer.clone()), &clock);
        for job in 1..=3 {
            session.told(print(job));
        }
        clock.sleep(MS).await;
        let printed = [1, 2, 3].map(|job| Observation::Printed { job });
        assert_eq!(session.said(), [&[up("SIM ZT411-203dpi V1.0.0")][..], &printed].concat());

        printer.paper(1);
        session.told(print(4));
        session.told(print(5));
        clock.sleep(Span::from_secs(60)).await;
        // The last label came out, but the printer says that it is out of paper: the job counts once it is ready again.
        assert_eq!(session.said(), [fault("paper out")]);
        printer.paper(100);
        clock.sleep(Span::from_secs(3)).await;
        let expected = [Observation::FaultCleared, Observation::Printed { job: 4 }, Observation::Printed { job: 5 }];
        assert_eq!(session.said(), expected);
        assert_eq!(*labels.lock().unwrap(), ["job 1", "job 2", "job 3", "job 4", "job 5"]);
    });
}

#[test]
fn a_silent_printer_is_faulty_until_it_speaks_and_is_not_hung_up() {
    in_virtual_time(|clock| async move {
        let (printer, labels) = printer();
        let session = Session::start(DeviceKind::Printer, dial_of(printer.clone()), &clock);
        clock.sleep(MS).await;
        session.said();
        printer.silent(true);
        session.told(print(1));
        session.told(print(2));
        clock.sleep(Span::from_secs(30)).await;
        assert_eq!(session.said_at(), [(2_001, fault("no answer"))]);
        printer.silent(false);
        clock.sleep(Span::from_secs(10)).await;
        assert_eq!(session.said(), [Observation::FaultCleared, Observation::Printed { job: 1 }, Observation::Printed { job: 2 }]);
        assert_eq!(*labels.lock().unwrap(), ["job 1", "job 2"]);
    });
}

#[test]
fn a_job_that_was_not_confirmed_is_printed_again_after_a_reconnect() {
    in_virtual_time(|clock| async move {
        let (printer, labels) = printer();
        let session = Session::start(DeviceKind::Printer, dial_of(printer.clone()), &clock);
        clock.sleep(MS).await;
        session.said();
        printer.silent(true);
        session.told(print(1));
        clock.sleep(MS).await;
        printer.hang_up();
        session.told(print(2));
        printer.silent(false);
        clock.sleep(Span::from_secs(10)).await;
        let expected =
            [down("the device hung up"), up("SIM ZT411-203dpi V1.0.0"), Observation::Printed { job: 1 }, Observation::Printed { job: 2 }];
        assert_eq!(session.said(), expected);
        assert_eq!(*labels.lock().unwrap(), ["job 1", "job 1", "job 2"]);
    });
}

#[test]
fn a_job_larger_than_the_wire_passes_and_too_many_jobs_are_refused() {
    in_virtual_time(|clock| async move {
        let (printer, labels) = printer();
        let session = Session::start(DeviceKind::Printer, dial_of(printer.clone()), &clock);
        let zpl = Bytes::from(format!("^XA^GFA,{}^FDlarge^FS^XZ", "FF00".repeat(100_000)));
        session.told(Instruction::Print { job: 1, zpl });
        clock.sleep(MS).await;
        assert_eq!(session.said()[1..], [Observation::Printed { job: 1 }]);
        assert_eq!(*labels.lock().unwrap(), ["large"]);

        printer.unplug(true);
        clock.sleep(MS).await;
        for job in 2..=1_002 {
            session.told(print(job));
        }
        clock.sleep(MS).await;
        assert_eq!(session.said(), [down("the device hung up"), fault("job 1002 refused: 1000 jobs wait")]);
    });
}

#[test]
fn a_session_ends_with_its_instructions() {
    in_virtual_time(|clock| async move {
        let (scale, (printer, _)) = (SimScale::new(luck(), EXACT), printer());
        printer.unplug(true);
        for (kind, dial) in [(DeviceKind::Scale, dial_of(scale)), (DeviceKind::Printer, dial_of(printer))] {
            let session = Session::start(kind, dial, &clock);
            clock.sleep(Span::from_secs(5)).await;
            drop(session.instructions);
            session.ended.await.unwrap();
        }
    });
}

#[test]
fn the_same_seed_says_the_same_at_the_same_times() {
    let trial = || {
        let mut said = Vec::new();
        in_virtual_time(|clock| {
            let said = &mut said;
            async move {
                let noise = ScannerNoise { misread_ppm: 200_000, dims_noise_mm: 3 };
                let scanner = SimScanner::new(luck(), noise);
                let scale = SimScale::new(luck(), ScaleNoise::default());
                let sessions = [
                    Session::start(DeviceKind::Scanner, dial_of(scanner.clone()), &clock),
                    Session::start(DeviceKind::Scale, dial_of(scale.clone()), &clock),
                ];
                for n in 0..200 {
                    clock.sleep(Span::from_ms(137)).await;
                    scanner.garble(n % 3);
                    scanner.pass(Some("RR473124829CN"), Dims::new(300, 200, 100));
                    scale.load(100 + n as u32);
                    if n % 50 == 49 {
                        scanner.hang_up();
                        scale.hang_up();
                    }
                }
                *said = sessions.iter().flat_map(Session::said_at).collect();
            }
        });
        said
    };
    let first = trial();
    assert!(first.len() > 400, "{}", first.len());
    assert_eq!(first, trial());
}

/// Runs our session against `parceltwin device`'s far end over a real wire until it has said `enough`.
fn over_a_real_wire(
    kind: DeviceKind,
    at: Listen,
    enough: impl Fn(&[Observation]) -> bool,
    act: impl Fn(&Observation) -> Option<Instruction>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (told, mut lines) = unbounded_channel();
        let options = ListenOptions { every: Span::from_ms(20), misread_ppm: 0, ..ListenOptions::default() };
        let far = tokio::spawn(listen(kind, at, options, move |line| drop(told.send(line))));
        let address: WireAddress = lines.recv().await.unwrap().parse().unwrap();
        let clock = Clock::free(1.0, Moment::default());
        let session = Session::start(kind, dial(&address).unwrap(), &clock);
        let mut said = Vec::new();
        for _ in 0..500 {
            clock.sleep(Span::from_ms(10)).await;
            for what in session.said() {
                if let Some(instruction) = act(&what) {
                    session.told(instruction);
                }
                said.push(what);
            }
            if enough(&said) {
                far.abort();
                return;
            }
        }
        panic!("over {address} the {} said only {said:?}", kind.as_str());
    });
}

fn each_kind(at: Listen) {
    let scans = |said: &[Observation]| said.iter().filter(|o| matches!(o, Observation::Scanned { code: Some(_), .. })).count() >= 3;
    over_a_real_wire(DeviceKind::Scanner, at, scans, |_| None);
    let weights = |said: &[Observation]| {
        said.contains(&up("SIM0000001"))
            && said.iter().filter(|o| matches!(o, Observation::Weight { weight_dg: 1_000.., stable: true })).count() >= 3
    };
    over_a_real_wire(DeviceKind::Scale, at, weights, |_| None);
    let diverts = |said: &[Observation]| said.iter().any(|o| matches!(o, Observation::Diverted { chute: 5, ok: true, .. }));
    over_a_real_wire(DeviceKind::Sorter, at, diverts, |what| match what {
        // Some way ahead, so that the answer is there in time on a slow machine too.
        Observation::DivertAsked { pic } => Some(Instruction::Divert { pic: pic + 20, chute: 5 }),
        _ => None,
    });
    let labels = |said: &[Observation]| said.contains(&Observation::Printed { job: 7 });
    over_a_real_wire(DeviceKind::Printer, at, labels, |what| matches!(what, Observation::Up { .. }).then(|| print(7)));
}

#[test]
fn over_a_tcp_port() {
    each_kind(Listen::Tcp(([127, 0, 0, 1], 0).into()));
}

#[test]
fn over_a_pseudo_terminal() {
    each_kind(Listen::Pty);
}

#[test]
fn in_a_runtime_with_many_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::free(1.0, Moment::default());
        let scanner = SimScanner::new(luck(), ScannerNoise::default());
        let session = Session::start(DeviceKind::Scanner, dial_of(scanner.clone()), &clock);
        while session.said().is_empty() {
            clock.sleep(MS).await;
        }
        clock.sleep(Span::from_ms(20)).await;
        for n in 0..1_000 {
            scanner.pass(Some("RR473124829CN"), Dims::new(300, 200, 100));
            if n % 10 == 0 {
                clock.sleep(MS).await;
            }
        }
        clock.sleep(Span::from_ms(200)).await;
        assert_eq!(session.said().len(), 1_000);
    });
}
