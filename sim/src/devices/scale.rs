//! The simulated scale: weighs what the floor puts on it, with noise, gain error and zero drift, and answers MT-SICS.
//!
//! It has no time of its own: the floor calls when a load has settled, so a reading is always stable, and `SIR` repeats on
//! change instead of ten times a second. Weighs in whole decigrams; never heavier than its capacity.

use super::plug::{FarEnd, Plug};
use crate::luck::Luck;
use bytes::BytesMut;
use drivers::Clock;
use drivers::devices::scale::write_weight;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use twin::Moment;

/// The longest command in bytes; a longer one is a syntax error.
const COMMAND_BYTES_MAX: usize = 64;
/// Zeroing works within this share of the capacity.
const ZEROING_PERCENT: i64 = 2;
const SERIAL: &[u8] = b"I4 A \"SIM0000001\"\r\n";

/// How well it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleNoise {
    /// Standard deviation of a settled reading, decigrams.
    pub noise_dg: u32,
    /// What it shows too much (or too little), in millionths of the load.
    pub gain_ppm: i32,
    /// More than this is an overload, grams.
    pub capacity_g: u32,
}

impl Default for ScaleNoise {
    /// A conveyor scale: ±2 g, 60 kg.
    fn default() -> Self {
        ScaleNoise { noise_dg: 20, gain_ppm: 0, capacity_g: 60_000 }
    }
}

/// A handle; clones are the same scale.
#[derive(Clone)]
pub struct SimScale {
    plug: Plug,
    cell: Arc<Mutex<Cell>>,
}

struct Cell {
    luck: Luck,
    noise: ScaleNoise,
    load_g: u32,
    /// The error of the present load, drawn when it was put on.
    error_dg: i64,
    drift: Option<(Clock, Moment, i32)>,
    zero_dg: i64,
    tare_dg: i64,
    /// `SR` or `SIR` was asked: every change is sent.
    on_change: bool,
    command: BytesMut,
}

impl SimScale {
    pub fn new(luck: Luck, noise: ScaleNoise) -> Self {
        let plug = Plug::new(luck.branch("garble"));
        let cell =
            Cell { luck, noise, load_g: 0, error_dg: 0, drift: None, zero_dg: 0, tare_dg: 0, on_change: false, command: BytesMut::new() };
        SimScale { plug, cell: Arc::new(Mutex::new(cell)) }
    }

    /// From now on it weighs so well.
    pub fn set_noise(&self, noise: ScaleNoise) {
        self.cell().noise = noise;
    }

    /// Something of this true weight lies on it and has settled: a dynamic reading on the way up, then the stable one.
    pub fn load(&self, true_g: u32) {
        let mut cell = self.cell();
        let on_the_way = cell.luck.between(600, 950);
        cell.put(true_g);
        if cell.on_change {
            let dynamic_dg = cell.net_dg() * on_the_way / 1_000;
            self.plug.send(|out| {
                write_weight(out, b"S D", to_i32(dynamic_dg));
                cell.say(out);
            });
        }
    }

    /// It is empty again; the stable residual is sent.
    pub fn unload(&self) {
        let mut cell = self.cell();
        cell.put(0);
        if cell.on_change {
            self.plug.send(|out| cell.say(out));
        }
    }

    /// From now on its zero moves by so many decigrams a minute. Zeroing takes away what has built up so far.
    pub fn drift(&self, clock: &Clock, dg_per_min: i32) {
        let mut cell = self.cell();
        cell.zero_dg -= cell.drift_dg();
        cell.drift = (dg_per_min != 0).then(|| (clock.clone(), clock.now(), dg_per_min));
    }

    fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cell {
    fn put(&mut self, load_g: u32) {
        self.load_g = load_g;
        self.error_dg = self.luck.noise(self.noise.noise_dg);
    }

    fn drift_dg(&self) -> i64 {
        self.drift.as_ref().map_or(0, |(clock, since, dg_per_min)| (clock.now() - *since).0 / 1_000 * i64::from(*dg_per_min) / 60_000)
    }

    fn gross_dg(&self) -> i64 {
        let load_dg = i64::from(self.load_g) * 10;
        let gain_dg = load_dg * i64::from(self.noise.gain_ppm) / 1_000_000;
        load_dg + gain_dg + self.error_dg + self.drift_dg() - self.zero_dg
    }

    fn net_dg(&self) -> i64 {
        self.gross_dg() - self.tare_dg
    }

    fn is_overloaded(&self) -> bool {
        self.load_g > self.noise.capacity_g
    }

    /// The settled reading.
    fn say(&self, out: &mut BytesMut) {
        if self.is_overloaded() {
            out.extend_from_slice(b"S +\r\n");
        } else {
            write_weight(out, b"S S", to_i32(self.net_dg()));
        }
    }

    fn obey(&mut self, command: &[u8], out: &mut BytesMut) {
        match command {
            b"" => {}
            b"@" => {
                (self.on_change, self.tare_dg) = (false, 0);
                out.extend_from_slice(SERIAL);
            }
            b"I4" => out.extend_from_slice(SERIAL),
            b"S" | b"SI" => {
                self.on_change = false;
                self.say(out);
            }
            b"SR" | b"SIR" => {
                self.on_change = true;
                self.say(out);
            }
            b"Z" => self.zero(out),
            b"T" if self.is_overloaded() => out.extend_from_slice(b"T +\r\n"),
            b"T" if self.gross_dg() < 0 => out.extend_from_slice(b"T -\r\n"),
            b"T" => {
                self.tare_dg = self.gross_dg();
                write_weight(out, b"T S", to_i32(self.tare_dg));
                self.say_change(out);
            }
            b"TA" => write_weight(out, b"TA A", to_i32(self.tare_dg)),
            b"TAC" => {
                self.tare_dg = 0;
                out.extend_from_slice(b"TAC A\r\n");
                self.say_change(out);
            }
            _ => out.extend_from_slice(b"ES\r\n"),
        }
    }

    fn zero(&mut self, out: &mut BytesMut) {
        let range_dg = i64::from(self.noise.capacity_g) * 10 * ZEROING_PERCENT / 100;
        let gross_dg = self.gross_dg();
        if gross_dg.abs() > range_dg {
            out.extend_from_slice(if gross_dg > 0 { b"Z +\r\n" } else { b"Z -\r\n" });
            return;
        }
        self.zero_dg += gross_dg;
        self.tare_dg = 0;
        out.extend_from_slice(b"Z A\r\n");
        self.say_change(out);
    }

    fn say_change(&self, out: &mut BytesMut) {
        if self.on_change {
            self.say(out);
        }
    }
}

fn to_i32(dg: i64) -> i32 {
    dg.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

impl FarEnd for SimScale {
    fn plug(&self) -> &Plug {
        &self.plug
    }

    /// A wire that is new was broken before, which cancels `SR`.
    fn connected(&self) {
        let mut cell = self.cell();
        cell.on_change = false;
        cell.command.clear();
    }

    fn hear(&self, bytes: &[u8]) {
        let mut cell = self.cell();
        for byte in bytes {
            if !matches!(byte, b'\r' | b'\n') {
                if cell.command.len() <= COMMAND_BYTES_MAX {
                    cell.command.extend_from_slice(&[*byte]);
                }
                continue;
            }
            let command = std::mem::take(&mut cell.command);
            let mut answer = BytesMut::new();
            cell.obey(&command, &mut answer);
            if !answer.is_empty() {
                self.plug.send(|out| out.extend_from_slice(&answer));
            }
        }
    }
}
