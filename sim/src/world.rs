//! The simulated world of a site: a device behind every `sim:` address, a carrier behind every `sim:` base URL, and the
//! floor between them. The same for a run in virtual time and for a live site.

use crate::carriers::{self, Account, CarrierBook, Collected, SimWire};
use crate::devices::{Disturbed, ScaleNoise, ScannerNoise, SimPrinter, SimScale, SimScanner, SimSorter, dial_of};
use crate::floor::{Floor, FloorSettings, StationDevices};
use crate::luck::Luck;
use crate::scenario::{DeviceSettings, Fault, FaultKind, WireSettings};
use actors::config::{DeviceConfig, SiteConfig, StationConfig};
use drivers::Clock;
use drivers::carriers::{CarrierDriver, CarrierKind, Secret};
use drivers::platforms::ProductRow;
use drivers::wire::{Dial, WireAddress};
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::device::DeviceKind;
use twin::station::StationKind;
use twin::{CarrierId, DeviceId, Moment, Span};

/// How the simulated world behaves.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub seed: u64,
    pub floor: FloorSettings,
    pub devices: DeviceSettings,
    pub wires: WireSettings,
    /// Labels that the carriers sold in an earlier life of the same twin.
    pub labels_before: u64,
}

/// One simulated device of any kind.
#[derive(Clone)]
enum Device {
    Scanner(SimScanner),
    Scale(SimScale),
    Sorter(SimSorter),
    Printer(SimPrinter),
}

pub struct SimWorld {
    pub floor: Floor,
    pub book: CarrierBook,
    wire: SimWire,
    clock: Clock,
    setup: Setup,
    devices: BTreeMap<DeviceId, Device>,
}

impl SimWorld {
    pub fn build(site: &SiteConfig, setup: Setup, clock: Clock, products: &[ProductRow]) -> SimWorld {
        let seed = setup.seed;
        let book = CarrierBook::after(seed, setup.labels_before);
        let wire = SimWire::new(clock.clone(), seed);
        for carrier in site.carriers.iter().filter(|c| c.api.base_url == "sim:") {
            let account = Account {
                carrier: carrier.id().clone(),
                secret: sim_secret(carrier.api.kind).into(),
                reliability: setup.wires.reliability,
            };
            let router = carriers::router(carrier.api.kind, &book, clock.clone(), account);
            wire.mount(&format!("{}.sim", carrier.id()), router, setup.wires.carrier_latency);
        }
        let collecting = book.clone();
        let collect = Box::new(move |_: &CarrierId, code: &str, at: Moment| {
            // The carrier's own scanner reads the label. What it does not know stays at its depot; the floor has no use for the
            // answer.
            let collect = |number: &str| match collecting.collect(number, at) {
                Collected::Unknown => Ok::<_, std::convert::Infallible>(None),
                taken => Ok(Some(taken)),
            };
            let _ = drivers::devices::code::find(code, collect);
        });
        let floor = Floor::new(clock.clone(), seed, setup.floor.clone(), products, collect);
        let mut world = SimWorld { floor, book, wire, clock, setup, devices: BTreeMap::new() };
        for warehouse in &site.warehouses {
            for station in &warehouse.stations {
                let mut here = StationDevices::default();
                for device in station.devices.iter().filter(|d| d.address == WireAddress::Sim) {
                    let made = world.make(device, station);
                    match &made {
                        Device::Scanner(scanner) => here.scanner = Some(scanner.clone()),
                        Device::Scale(scale) => here.scale = Some(scale.clone()),
                        Device::Sorter(sorter) => here.sorter = Some(sorter.clone()),
                        Device::Printer(printer) => here.printer = Some(printer.clone()),
                    }
                    world.devices.insert(device.id.clone(), made);
                }
                world.floor.equip(&warehouse.id, station, here);
            }
        }
        world.floor.open_docks(site);
        world
    }

    fn make(&self, device: &DeviceConfig, at: &StationConfig) -> Device {
        let (floor, station) = (self.floor.clone(), at.id.clone());
        let luck = Luck::of(self.setup.seed, device.id.as_str(), "device");
        match device.kind {
            DeviceKind::Scanner if at.kind == StationKind::Line => Device::Scanner(SimScanner::new(luck, self.sight(0))),
            // In a person's hand: whoever holds it scans until it beeps.
            DeviceKind::Scanner => Device::Scanner(SimScanner::new(luck, ScannerNoise::default())),
            DeviceKind::Scale => {
                Device::Scale(SimScale::new(luck, ScaleNoise { noise_dg: self.setup.devices.scale_noise_dg, ..ScaleNoise::default() }))
            }
            DeviceKind::Sorter => {
                let sorter = SimSorter::new(luck, Arc::new(move |pic, chute| floor.answered(&station, pic, chute)));
                Device::Sorter(sorter.with_clock(self.clock.clone()).with_names(device.names.clone()))
            }
            DeviceKind::Printer => Device::Printer(SimPrinter::new(
                luck,
                Arc::new(move |_, zpl: bytes::Bytes| floor.printed(&station, &twin::text::lossy(&zpl))),
            )),
        }
    }

    fn sight(&self, more_ppm: u32) -> ScannerNoise {
        let usual = &self.setup.devices;
        ScannerNoise { misread_ppm: usual.scanner_misread_ppm + more_ppm, dims_noise_mm: usual.dims_noise_mm }
    }

    /// How to reach each simulated device.
    pub fn dials(&self) -> BTreeMap<DeviceId, Dial> {
        let dial = |device: &Device| match device {
            Device::Scanner(d) => dial_of(d.clone()),
            Device::Scale(d) => dial_of(d.clone()),
            Device::Sorter(d) => dial_of(d.clone()),
            Device::Printer(d) => dial_of(d.clone()),
        };
        self.devices.iter().map(|(id, device)| (id.clone(), dial(device))).collect()
    }

    /// The scanner with that id, for whoever holds it in the hand.
    pub fn scanner(&self, id: &DeviceId) -> Option<&SimScanner> {
        match self.devices.get(id) {
            Some(Device::Scanner(scanner)) => Some(scanner),
            _ => None,
        }
    }

    /// A driver for each simulated carrier.
    pub fn drivers(&self, site: &SiteConfig) -> BTreeMap<CarrierId, Arc<dyn CarrierDriver>> {
        let simulated = site.carriers.iter().filter(|c| c.api.base_url == "sim:");
        simulated
            .map(|c| {
                let secret = Secret::new(sim_secret(c.api.kind));
                (c.id().clone(), drivers::carriers::driver(&c.api, secret, Arc::new(self.wire.clone()), self.clock.clone()))
            })
            .collect()
    }

    /// Sets the faults: each begins and ends at its time after `start`.
    pub fn schedule(&self, faults: &[Fault], start: Moment) {
        for fault in faults {
            let Some(after) = fault.after() else { continue };
            for (at, on) in [(start + after, true), (start + after + fault.lasts(), false)] {
                let mut switch = self.switch(fault);
                self.clock.at(at, move || switch(on));
            }
            if fault.kind == FaultKind::Garbage {
                self.litter(fault, start + after);
            }
        }
    }

    /// What turns a fault on and off.
    fn switch(&self, fault: &Fault) -> Box<dyn FnMut(bool) + Send> {
        if let (Some(carrier), Some(trouble)) = (&fault.carrier, fault.of_wire()) {
            let (wire, host) = (self.wire.clone(), format!("{carrier}.sim"));
            return Box::new(move |on| {
                wire.fault(&host, trouble, on);
            });
        }
        if let (Some(carrier), Some(trouble)) = (fault.carrier.clone(), fault.of_labels()) {
            let book = self.book.clone();
            return Box::new(move |on| {
                book.fault(&carrier, trouble, on);
            });
        }
        let Some(device) = fault.device.as_ref().and_then(|id| self.devices.get(id)).cloned() else { return Box::new(|_| ()) };
        let (clock, bad, usual, drift) = (self.clock.clone(), self.sight(fault.ppm), self.sight(0), fault.dg_per_min);
        match (fault.kind, device) {
            (FaultKind::Drift, Device::Scale(scale)) => Box::new(move |on| scale.drift(&clock, if on { drift } else { 0 })),
            (FaultKind::Misread, Device::Scanner(scanner)) => Box::new(move |on| scanner.set_noise(if on { bad } else { usual })),
            (FaultKind::Stall, Device::Sorter(sorter)) => Box::new(move |on| sorter.stall(on)),
            (FaultKind::PaperOut, Device::Printer(printer)) => {
                Box::new(move |on| if on { printer.out_of_paper() } else { printer.paper(PAPER) })
            }
            (FaultKind::Disconnect, device) => Box::new(move |on| each(&device, |d| d.unplug(on))),
            (FaultKind::Silent, device) => Box::new(move |on| each(&device, |d| d.silent(on))),
            _ => Box::new(|_| ()),
        }
    }

    fn litter(&self, fault: &Fault, from: Moment) {
        let Some(device) = fault.device.as_ref().and_then(|id| self.devices.get(id)) else { return };
        let every = Span::from_secs(i64::from(fault.every_s.max(1)));
        let times = (fault.lasts().0 / every.0).max(1);
        for n in 0..times {
            let (device, bytes) = (device.clone(), fault.bytes as usize);
            self.clock.at(from + every * n, move || each(&device, |d| d.garble(bytes)));
        }
    }
}

/// Labels in a fresh roll.
const PAPER: u64 = 1_000_000;

trait Trouble {
    fn unplug(&self, on: bool);
    fn silent(&self, on: bool);
    fn garble(&self, bytes: usize);
}

impl<D: Disturbed> Trouble for D {
    fn unplug(&self, on: bool) {
        Disturbed::unplug(self, on);
    }
    fn silent(&self, on: bool) {
        Disturbed::silent(self, on);
    }
    fn garble(&self, bytes: usize) {
        Disturbed::garble(self, bytes);
    }
}

fn each(device: &Device, what: impl FnOnce(&dyn Trouble)) {
    match device {
        Device::Scanner(d) => what(d),
        Device::Scale(d) => what(d),
        Device::Sorter(d) => what(d),
        Device::Printer(d) => what(d),
    }
}

/// The credentials that the simulated carriers know; they open nothing else.
fn sim_secret(kind: CarrierKind) -> &'static str {
    match kind {
        CarrierKind::Usps | CarrierKind::Mydhl => "simulated:simulated",
        CarrierKind::Forwarder => "simulated",
    }
}
