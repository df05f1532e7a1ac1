//! Scenario files: a site, a demand, people, faults at known times, and what must come of it.

use crate::carriers::{Fault as WireFault, LabelFault, LatencyModel, Reliability};
use crate::demand::DemandSettings;
use crate::expect::Expectation;
use crate::floor::FloorSettings;
use crate::site_file::{SiteFile, text_of};
use actors::config::SiteConfig;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use twin::channel::Tariff;
use twin::{CarrierId, DeviceId, Moment, Span};

/// The name of the file in a scenario's folder.
pub const FILE: &str = "scenario.toml";
/// The largest scenario or site file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 4 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub about: String,
    /// The site file, relative to the scenario's folder.
    pub site: PathBuf,
    pub start: Moment,
    /// The run ends here even if parcels are still on their way.
    pub days_max: u32,
    /// The seeds that `check` runs; `sim` takes the first.
    pub seeds: Vec<u64>,
    /// Runs the same day once more with every check switched off.
    #[serde(default)]
    pub without_checks: bool,
    /// Compares the journal with `golden-SEED.txt`.
    #[serde(default)]
    pub golden: bool,
    #[serde(default)]
    pub expect: Vec<Expectation>,
    #[serde(default)]
    pub demand: DemandSettings,
    #[serde(default)]
    pub floor: FloorSettings,
    #[serde(default)]
    pub devices: DeviceSettings,
    #[serde(default)]
    pub wires: WireSettings,
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
    /// The folder it was read from.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// How well the simulated devices work when nothing is wrong with them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSettings {
    pub scanner_misread_ppm: u32,
    pub dims_noise_mm: u32,
    pub scale_noise_dg: u32,
}

impl Default for DeviceSettings {
    fn default() -> Self {
        DeviceSettings { scanner_misread_ppm: 2_000, dims_noise_mm: 2, scale_noise_dg: 10 }
    }
}

/// What lies between decision and effect: the disk and the network.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WireSettings {
    /// How long the ledger takes to make a group durable.
    pub durable_ms: u32,
    /// Between two looks at an idle device.
    pub keepalive_s: u32,
    pub carrier_latency: LatencyModel,
    pub reliability: Reliability,
}

impl Default for WireSettings {
    fn default() -> Self {
        WireSettings {
            durable_ms: 3,
            keepalive_s: 3_600,
            carrier_latency: LatencyModel { base_ms: 150, jitter_ms: 250 },
            reliability: Reliability::default(),
        }
    }
}

/// Something that breaks at a known time and is mended later.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Hours and minutes after the start: `09:30`.
    pub at: String,
    pub for_min: u32,
    #[serde(default)]
    pub device: Option<DeviceId>,
    #[serde(default)]
    pub carrier: Option<CarrierId>,
    pub kind: FaultKind,
    #[serde(default)]
    pub ppm: u32,
    #[serde(default)]
    pub dg_per_min: i32,
    #[serde(default)]
    pub bytes: u32,
    #[serde(default)]
    pub every_s: u32,
    #[serde(default)]
    pub ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Scale: its zero wanders by `dg_per_min`.
    Drift,
    /// Scanner: misses `ppm` of the codes.
    Misread,
    /// Sorter: neither asks nor takes answers.
    Stall,
    /// Printer.
    PaperOut,
    /// Any device: `bytes` of garbage every `every_s`.
    Garbage,
    /// Any device: hangs up and cannot be reached.
    Disconnect,
    /// Any device: connected, and says nothing.
    Silent,
    /// Carrier: requests are not answered.
    Timeouts,
    /// Carrier: `ppm` of the requests are answered 500.
    Errors,
    /// Carrier: obeys, and the answer never comes back.
    AnswersLost,
    /// Carrier: `ms` slower.
    Slow,
    /// Carrier: `ppm` of the labels that are given back are answered 500.
    VoidErrors,
    /// Carrier: every label wears the number of its first.
    SameNumber,
    /// Carrier: `ppm` of the labels that it sells are none: empty, a PDF, cut off.
    GarbageLabels,
}

impl Fault {
    pub fn after(&self) -> Option<Span> {
        let (h, m) = self.at.split_once(':')?;
        let (h, m) = (h.parse::<i64>().ok()?, m.parse::<i64>().ok()?);
        ((0..=999).contains(&h) && (0..60).contains(&m)).then(|| Span::from_mins(h * 60 + m))
    }

    pub fn lasts(&self) -> Span {
        Span::from_mins(i64::from(self.for_min))
    }

    /// The fault as the HTTP wire knows it.
    pub fn of_wire(&self) -> Option<WireFault> {
        Some(match self.kind {
            FaultKind::Timeouts => WireFault::Timeouts,
            FaultKind::Errors => WireFault::Errors500 { ppm: self.ppm },
            FaultKind::AnswersLost => WireFault::AnswersLost,
            FaultKind::Slow => WireFault::Slow { ms: self.ms },
            FaultKind::VoidErrors => WireFault::VoidErrors { ppm: self.ppm },
            _ => return None,
        })
    }

    /// The fault as the carriers' book knows it.
    pub fn of_labels(&self) -> Option<LabelFault> {
        Some(match self.kind {
            FaultKind::SameNumber => LabelFault::SameNumber,
            FaultKind::GarbageLabels => LabelFault::Garbage { ppm: self.ppm },
            _ => return None,
        })
    }

    fn is_of_carrier(&self) -> bool {
        self.of_wire().is_some() || self.of_labels().is_some()
    }

    fn wrong(&self) -> Option<String> {
        if self.after().is_none() {
            return Some(format!("fault at {:?}: at is hours and minutes after the start, such as 09:30", self.at));
        }
        match (&self.device, &self.carrier, self.is_of_carrier()) {
            (Some(_), None, false) | (None, Some(_), true) => None,
            _ => {
                Some(format!("fault at {}: {:?} needs {}", self.at, self.kind, if self.is_of_carrier() { "a carrier" } else { "a device" }))
            }
        }
    }
}

/// Why a scenario or site file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{}: {why}", path.display())]
    Read { path: PathBuf, why: String },
    #[error("{}: {why}", path.display())]
    Content { path: PathBuf, why: String },
}

impl Scenario {
    /// Reads `path`, a scenario's folder or its file.
    pub fn read(path: &Path) -> Result<Scenario, FileError> {
        let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let mut scenario: Scenario = read_toml(&file)?;
        scenario.folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        match scenario.fault() {
            Some(why) => Err(FileError::Content { path: file, why }),
            None => Ok(scenario),
        }
    }

    /// The site that it plays in.
    pub fn read_site(&self) -> Result<SiteConfig, FileError> {
        self.read_site_file().map(|file| file.config)
    }

    /// The same with what can be kept of it.
    pub fn read_site_file(&self) -> Result<SiteFile, FileError> {
        let path = self.folder.join(&self.site);
        let file = SiteFile::read(&path)?;
        let site = &file.config;
        let devices: Vec<_> = site.devices().map(|(_, d)| &d.id).collect();
        let unknown = self.faults.iter().find_map(|f| match (&f.device, &f.carrier) {
            (Some(d), _) if !devices.contains(&d) => Some(format!("a fault is for device {d}, which {} does not have", path.display())),
            (_, Some(c)) if !site.carriers.iter().any(|k| k.id() == c) => {
                Some(format!("a fault is for carrier {c}, which {} does not have", path.display()))
            }
            _ => None,
        });
        match unknown {
            Some(why) => Err(FileError::Content { path: self.folder.join(FILE), why }),
            None => Ok(file),
        }
    }

    fn fault(&self) -> Option<String> {
        if self.seeds.is_empty() {
            return Some("seeds is empty; name at least one".into());
        }
        if let Some((field, why)) = self.demand.fault() {
            return Some(format!("demand.{field}: {why}"));
        }
        self.faults.iter().find_map(Fault::wrong)
    }
}

/// Reads a site file with the tariffs that it names, and checks it.
pub fn read_site(path: &Path) -> Result<SiteConfig, FileError> {
    SiteFile::read(path).map(|file| file.config)
}

/// Reads a file that holds one tariff.
pub fn read_tariff(path: &Path) -> Result<Tariff, FileError> {
    read_toml(path)
}

/// The same for a site that is already text; it can name no files.
pub fn parse_site(text: &str, name: &str) -> Result<SiteConfig, FileError> {
    SiteFile::of_toml(text, name).map(|file| file.config)
}

fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    toml::from_str(&text_of(path)?).map_err(|e| FileError::Content { path: path.to_owned(), why: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_of_a_device_or_of_a_carrier_as_its_kind_is() {
        let read = |rest: &str| toml::from_str::<Fault>(&format!("at = \"09:00\"\nfor_min = 5\n{rest}")).map_err(|e| e.to_string());
        for kind in ["timeouts", "errors", "answers_lost", "slow", "void_errors", "same_number", "garbage_labels"] {
            let fault = read(&format!("carrier = \"usps\"\nkind = \"{kind}\"")).unwrap();
            assert_eq!((fault.wrong(), fault.ppm), (None, 0), "{kind}");
            assert!(fault.of_wire().is_some() != fault.of_labels().is_some(), "{kind}");
            let wrong = read(&format!("device = \"d\"\nkind = \"{kind}\"")).unwrap().wrong();
            assert!(wrong.is_some_and(|why| why.ends_with("needs a carrier")), "{kind}");
        }
        let garbage = read("carrier = \"usps\"\nkind = \"garbage_labels\"\nppm = 7").unwrap();
        assert_eq!(garbage.of_labels(), Some(LabelFault::Garbage { ppm: 7 }));
        let stall = read("carrier = \"usps\"\nkind = \"stall\"").unwrap().wrong();
        assert!(stall.is_some_and(|why| why.ends_with("needs a device")));
        assert!(read("carrier = \"usps\"\nkind = \"floods\"").unwrap_err().contains("floods"));
    }
}
