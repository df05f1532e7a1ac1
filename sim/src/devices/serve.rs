//! One simulated device by itself on a real wire, for a person or another program to talk to: a pseudo-terminal or a TCP
//! port, with things passing all the time.
//!
//! The only place of the simulation that does real I/O and runs on the wall clock. No run ever uses it.

use super::plug::{FarEnd, serve};
use super::printer::{SimPrinter, field_texts};
use super::scale::{ScaleNoise, SimScale};
use super::scanner::{ScannerNoise, SimScanner};
use super::sorter::SimSorter;
use crate::luck::Luck;
use bytes::Bytes;
use drivers::Clock;
use rustix::fs::{Mode, OFlags};
use smol_str::format_smolstr;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_serial::{SerialPort, SerialStream};
use twin::device::DeviceKind;
use twin::measure::Dims;
use twin::text::visible;
use twin::{Moment, Span};

/// How long a load stays on the scale, and how long an item takes from the question to the divert, as a share of `every`.
const STAY_SHARE: i64 = 2;
/// How often a pseudo-terminal is made available again: a client that took it for itself alone leaves it so when it goes.
const RELEASE_EVERY: Span = Span::from_secs(1);
/// The chute of items for which no answer came.
const NO_DECISION_CHUTE: u16 = 0;

/// Where the device can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A new pseudo-terminal; its name is announced.
    Pty,
    /// A TCP port; port 0 takes a free one. The newest connection counts.
    Tcp(SocketAddr),
}

/// What passes the device, and what becomes of what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    pub seed: u64,
    /// From one item to the next.
    pub every: Span,
    /// What the scale gets to weigh, grams, in this order and then again from the first.
    pub weights_g: Vec<u32>,
    /// What the scanner reads, in this order and then again from the first; without any it makes up numbers.
    pub codes: Vec<String>,
    pub misread_ppm: u32,
    /// Where the printer puts its labels, one file each; without it their texts are announced only.
    pub labels_to: Option<PathBuf>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions {
            seed: 1,
            every: Span::from_secs(2),
            weights_g: vec![120, 250, 350, 480, 1_100, 2_400],
            codes: vec![],
            misread_ppm: 20_000,
            labels_to: None,
        }
    }
}

/// Why a device cannot be put on a wire.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("cannot listen on tcp:{address}: {source}")]
    Tcp { address: SocketAddr, source: std::io::Error },
    #[error("cannot make a pseudo-terminal: {source}")]
    Pty { source: tokio_serial::Error },
    #[error("the pseudo-terminal has no name")]
    Nameless,
}

/// Runs one device for ever. `announce` gets the address to connect to first (`tcp:127.0.0.1:2001`, `serial:/dev/pts/5`),
/// then a line for each thing that happens. Needs a tokio runtime with I/O and time enabled.
pub async fn listen(
    kind: DeviceKind,
    at: Listen,
    options: ListenOptions,
    announce: impl Fn(String) + Send + Sync + 'static,
) -> Result<(), ListenError> {
    let clock = Clock::free(1.0, Moment::default());
    let announce: Arc<dyn Fn(String) + Send + Sync> = Arc::new(announce);
    let luck = Luck::of(options.seed, kind.as_str(), "device");
    let passing = Passing { luck: Luck::of(options.seed, kind.as_str(), "passing"), clock, options, announce: announce.clone() };
    match kind {
        DeviceKind::Scanner => {
            let noise = ScannerNoise { misread_ppm: passing.options.misread_ppm, dims_noise_mm: 2 };
            let scanner = SimScanner::new(luck, noise);
            alongside(on_wire(scanner.clone(), at, &announce), passing.scans(scanner)).await
        }
        DeviceKind::Scale => {
            let scale = SimScale::new(luck, ScaleNoise::default());
            alongside(on_wire(scale.clone(), at, &announce), passing.loads(scale)).await
        }
        DeviceKind::Sorter => {
            let answers = Answers::default();
            let sorter = SimSorter::new(luck, answers.taker()).with_clock(passing.clock.clone());
            alongside(on_wire(sorter.clone(), at, &announce), passing.items(sorter, answers)).await
        }
        DeviceKind::Printer => {
            let printer = SimPrinter::new(luck, label_taker(passing.options.labels_to.clone(), announce.clone()));
            on_wire(printer, at, &announce).await
        }
    }
}

async fn alongside(wire: impl Future<Output = Result<(), ListenError>>, stuff: impl Future<Output = ()>) -> Result<(), ListenError> {
    tokio::select! { biased;
        end = wire => end,
        () = stuff => Ok(()),
    }
}

async fn on_wire(device: impl FarEnd, at: Listen, announce: &Arc<dyn Fn(String) + Send + Sync>) -> Result<(), ListenError> {
    match at {
        Listen::Tcp(address) => {
            let failed = |source| ListenError::Tcp { address, source };
            let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
            announce(format!("tcp:{}", listener.local_addr().map_err(failed)?));
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, from) = listener.accept().await.map_err(failed)?;
                announce(format!("connected from {from}"));
                stream.set_nodelay(true).map_err(failed)?;
                connections.spawn(serve(device.clone(), stream));
                while connections.try_join_next().is_some() {}
            }
        }
        Listen::Pty => {
            let (mut ours, theirs) = SerialStream::pair().map_err(|source| ListenError::Pty { source })?;
            let name = theirs.name().ok_or(ListenError::Nameless)?;
            // Their end stays open: without it our end would see an end whenever a client leaves.
            let flags = OFlags::RDWR | OFlags::NOCTTY;
            let kept =
                rustix::fs::open(&name, flags, Mode::empty()).map_err(|e| ListenError::Pty { source: std::io::Error::from(e).into() })?;
            drop(theirs);
            announce(format!("serial:{name}"));
            let clock = Clock::free(1.0, Moment::default());
            let serving = async {
                loop {
                    serve(device.clone(), &mut ours).await;
                    clock.sleep(RELEASE_EVERY).await;
                }
            };
            let releasing = async {
                loop {
                    // It fails only if the terminal is gone, which `serve` notices too.
                    let _ = rustix::termios::ioctl_tiocnxcl(&kept);
                    clock.sleep(RELEASE_EVERY).await;
                }
            };
            alongside(serving, releasing).await
        }
    }
}

/// The things that pass the device.
struct Passing {
    luck: Luck,
    clock: Clock,
    options: ListenOptions,
    announce: Arc<dyn Fn(String) + Send + Sync>,
}

impl Passing {
    /// The time that a thing stays, and the time until the next one comes.
    fn pace(&self) -> (Span, Span) {
        let every = Span(self.options.every.0.max(1_000));
        let stay = Span(every.0 / STAY_SHARE);
        (stay, Span(every.0 - stay.0))
    }

    async fn scans(mut self, scanner: SimScanner) {
        for n in 1u32.. {
            let code = match self.options.codes.get((n as usize - 1) % self.options.codes.len().max(1)) {
                Some(code) => code.as_str().into(),
                None => format_smolstr!("SIM{n:08}"),
            };
            let mut side = || self.luck.between(80, 400) as u32;
            scanner.pass(Some(&code), Dims::new(side(), side(), side()));
            self.clock.sleep(self.options.every).await;
        }
    }

    async fn loads(self, scale: SimScale) {
        let (stay, pause) = self.pace();
        for n in 0.. {
            let weight_g = self.options.weights_g.get(n % self.options.weights_g.len().max(1)).copied().unwrap_or(0);
            (self.announce)(format!("{weight_g} g on the scale"));
            scale.load(weight_g);
            self.clock.sleep(stay).await;
            scale.unload();
            self.clock.sleep(pause).await;
        }
    }

    async fn items(self, sorter: SimSorter, answers: Answers) {
        let (travel, pause) = self.pace();
        for pic in 1.. {
            sorter.ask(pic);
            self.clock.sleep(travel).await;
            let answer = answers.take(pic);
            match answer {
                Some(chute) => (self.announce)(format!("item {pic}: chute {chute}")),
                None => (self.announce)(format!("item {pic}: no answer in time")),
            }
            sorter.diverted(pic, answer.unwrap_or(NO_DECISION_CHUTE), answer.is_some());
            self.clock.sleep(pause).await;
        }
    }
}

/// The sorter's answers that have come and whose items have not passed the divert yet.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<BTreeMap<u32, u16>>>);

impl Answers {
    fn taker(&self) -> super::OnAnswer {
        let answers = self.clone();
        Arc::new(move |pic, chute| {
            answers.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pic, chute);
        })
    }

    /// The answer for this item; those for earlier ones came too late and are forgotten.
    fn take(&self, pic: u32) -> Option<u16> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let later = answers.split_off(&(pic + 1));
        std::mem::replace(&mut *answers, later).remove(&pic)
    }
}

fn label_taker(folder: Option<PathBuf>, announce: Arc<dyn Fn(String) + Send + Sync>) -> super::OnPrinted {
    Arc::new(move |nth, zpl: Bytes| {
        let text = String::from_utf8_lossy(&zpl);
        announce(format!("label {nth}: {}", visible(&field_texts(&text).join(" | "))));
        if let Some(folder) = &folder {
            let path = folder.join(format!("label-{nth:05}.zpl"));
            if let Err(e) = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, &zpl)) {
                announce(format!("label {nth}: cannot write {}: {e}", path.display()));
            }
        }
    })
}
