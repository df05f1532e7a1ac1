//! The simulated scale: weighs what the floor puts on it, with noise, gain error and zero drift, and answers MT-SICS: level 0
//! whole, and level 1.
//!
//! It has no time of its own: the floor calls when a load has settled, so a reading is always stable, and `SIR` repeats on
//! change instead of ten times a second. Weighs in whole decigrams; never heavier than its capacity.

use super::plug::{FarEnd, Plug};
use crate::luck::Luck;
use bytes::BytesMut;
use drivers::Clock;
use drivers::devices::lines::LineGrammar;
use drivers::devices::scale::{ScaleGrammar, ScaleLine, write_weight};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use twin::Moment;

/// The longest command in bytes; a longer one is a syntax error.
const COMMAND_BYTES_MAX: usize = 64;
/// Zeroing works within this share of the capacity.
const ZEROING_PERCENT: i64 = 2;
const SERIAL: &[u8] = b"I4 A \"SIM0000001\"\r\n";
/// Every command it knows, with its level, in the order in which `I0` lists them.
const COMMANDS: [(u8, &str); 20] = [
    (0, "@"),
    (0, "I0"),
    (0, "I1"),
    (0, "I2"),
    (0, "I3"),
    (0, "I4"),
    (0, "I5"),
    (0, "S"),
    (0, "SI"),
    (0, "SIR"),
    (0, "Z"),
    (0, "ZI"),
    (1, "D"),
    (1, "DW"),
    (1, "K"),
    (1, "SR"),
    (1, "T"),
    (1, "TA"),
    (1, "TAC"),
    (1, "TI"),
];

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
            b"I0" => {
                for (n, (level, name)) in COMMANDS.iter().enumerate() {
                    let more = if n + 1 < COMMANDS.len() { 'B' } else { 'A' };
                    out.extend_from_slice(format!("I0 {more} {level} \"{name}\"\r\n").as_bytes());
                }
            }
            // Levels 0 and 1, and the version of each of the four.
            b"I1" => out.extend_from_slice(b"I1 A \"01\" \"2.30\" \"2.20\" \"\" \"\"\r\n"),
            b"I2" => {
                let capacity_g = self.noise.capacity_g;
                out.extend_from_slice(format!("I2 A \"SIMSCALE Conveyor {capacity_g}.00 g\"\r\n").as_bytes());
            }
            b"I3" => out.extend_from_slice(b"I3 A \"1.00 1.0.0.0.0\"\r\n"),
            b"I4" => out.extend_from_slice(SERIAL),
            b"I5" => out.extend_from_slice(b"I5 A \"00000001A\"\r\n"),
            b"S" | b"SI" => {
                self.on_change = false;
                self.say(out);
            }
            b"SR" | b"SIR" => {
                self.on_change = true;
                self.say(out);
            }
            b"Z" => self.zero([b"Z A", b"Z +", b"Z -"], out),
            b"ZI" => self.zero([b"ZI S", b"ZI +", b"ZI -"], out),
            b"T" => self.tare([b"T S", b"T +", b"T -"], out),
            b"TI" => self.tare([b"TI S", b"TI +", b"TI -"], out),
            b"TA" => write_weight(out, b"TA A", to_i32(self.tare_dg)),
            b"TAC" => {
                self.tare_dg = 0;
                out.extend_from_slice(b"TAC A\r\n");
                self.say_change(out);
            }
            b"DW" => out.extend_from_slice(b"DW A\r\n"),
            _ => self.obey_with_value(command, out),
        }
    }

    /// Commands that bear a value: a tare set by hand, the least change to be told of, a text for the display.
    fn obey_with_value(&mut self, command: &[u8], out: &mut BytesMut) {
        let space = command.iter().position(|b| *b == b' ').unwrap_or(command.len());
        let (name, value) = (&command[..space], command[space..].trim_ascii());
        match (name, weight_dg(value)) {
            (b"TA", Some(tare_dg)) => {
                self.tare_dg = i64::from(tare_dg);
                write_weight(out, b"TA A", tare_dg);
                self.say_change(out);
            }
            // Every change is told, so that which was asked for is among them.
            (b"SR" | b"SIR", Some(_)) => {
                self.on_change = true;
                self.say(out);
            }
            (b"D", _) if value.len() >= 2 && value.starts_with(b"\"") && value.ends_with(b"\"") => out.extend_from_slice(b"D A\r\n"),
            // Which keys work: it has none.
            (b"K", _) if matches!(value, b"1" | b"2" | b"3" | b"4") => out.extend_from_slice(b"K A\r\n"),
            // Known, with a value that it cannot be.
            (b"TA" | b"SR" | b"SIR" | b"D" | b"K", _) => out.extend_from_slice(&[name, b" L\r\n"].concat()),
            _ => out.extend_from_slice(b"ES\r\n"),
        }
    }

    fn tare(&mut self, [done, above, below]: [&[u8]; 3], out: &mut BytesMut) {
        if self.is_overloaded() || self.gross_dg() < 0 {
            out.extend_from_slice(if self.is_overloaded() { above } else { below });
            return out.extend_from_slice(b"\r\n");
        }
        self.tare_dg = self.gross_dg();
        write_weight(out, done, to_i32(self.tare_dg));
        self.say_change(out);
    }

    fn zero(&mut self, [done, above, below]: [&[u8]; 3], out: &mut BytesMut) {
        let range_dg = i64::from(self.noise.capacity_g) * 10 * ZEROING_PERCENT / 100;
        let gross_dg = self.gross_dg();
        if gross_dg.abs() > range_dg {
            out.extend_from_slice(if gross_dg > 0 { above } else { below });
            return out.extend_from_slice(b"\r\n");
        }
        self.zero_dg += gross_dg;
        self.tare_dg = 0;
        out.extend_from_slice(done);
        out.extend_from_slice(b"\r\n");
        self.say_change(out);
    }

    fn say_change(&self, out: &mut BytesMut) {
        if self.on_change {
            self.say(out);
        }
    }
}

/// `100.00 g` as our own driver reads it in an answer.
fn weight_dg(value: &[u8]) -> Option<i32> {
    match ScaleGrammar::read(&[b"S S ", value].concat())? {
        ScaleLine::Weight { weight_dg, .. } => Some(weight_dg),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends one command to a scale with 100 g on it and gives the lines of its answer.
    fn ask(command: &str) -> Vec<String> {
        let noise = ScaleNoise { noise_dg: 0, gain_ppm: 0, capacity_g: 30_000 };
        let scale = SimScale::new(Luck::of(1, "test", "device"), noise);
        scale.load(100);
        let mut out = BytesMut::new();
        scale.cell().obey(command.as_bytes(), &mut out);
        let text = String::from_utf8(out.to_vec()).unwrap();
        assert!(text.ends_with("\r\n"), "{command}: {text:?}");
        text.lines().map(str::to_owned).collect()
    }

    /// MT-SICS reference manual, levels 0 and 1: each command, and what it is answered with. All calls of the public client
    /// `mettler-toledo-device` 1.5.0 (PyPI) are among them.
    #[test]
    fn every_command_of_levels_0_and_1_is_answered() {
        for (command, expected) in [
            ("@", "I4 A \"SIM0000001\""),
            ("I1", "I1 A \"01\" \"2.30\" \"2.20\" \"\" \"\""),
            ("I2", "I2 A \"SIMSCALE Conveyor 30000.00 g\""),
            ("I3", "I3 A \"1.00 1.0.0.0.0\""),
            ("I4", "I4 A \"SIM0000001\""),
            ("I5", "I5 A \"00000001A\""),
            ("S", "S S     100.00 g"),
            ("SI", "S S     100.00 g"),
            ("SIR", "S S     100.00 g"),
            ("SR", "S S     100.00 g"),
            ("SR 0.5 g", "S S     100.00 g"),
            ("Z", "Z A"),
            ("ZI", "ZI S"),
            ("D \"READY\"", "D A"),
            ("DW", "DW A"),
            ("K 1", "K A"),
            ("K 9", "K L"),
            ("T", "T S     100.00 g"),
            ("TI", "TI S     100.00 g"),
            ("TA", "TA A       0.00 g"),
            ("TA 25.00 g", "TA A      25.00 g"),
            ("TA much", "TA L"),
            ("TAC", "TAC A"),
            ("I9", "ES"),
            ("si", "ES"),
            ("S S", "ES"),
        ] {
            assert_eq!(ask(command), [expected], "{command}");
        }
    }

    #[test]
    fn it_lists_its_commands_and_knows_each_of_them() {
        let listed = ask("I0");
        let names: Vec<&str> = listed.iter().map(|line| line.split('"').nth(1).unwrap()).collect();
        for name in ["@", "I0", "I1", "I2", "I3", "I4", "I5", "S", "SI", "SIR", "Z", "ZI"] {
            assert!(names.contains(&name), "level 0 has {name}");
        }
        assert!(listed[..listed.len() - 1].iter().all(|l| l.starts_with("I0 B ")) && listed.last().unwrap().starts_with("I0 A "));
        for name in names {
            assert_ne!(ask(name), ["ES"], "{name}");
        }
    }
}
