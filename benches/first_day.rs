//! Parcels per processor second through `first-day` (every codec, rule and in-process HTTP call, journal in memory), and
//! as a ratio to the bare line in SimPy (`benches/line.py`), both in the same minute.
//!
//! `cargo bench --bench first_day [-- RUNS]`. Without Python 3 and SimPy the ratio is left out, and says so.

use rustix::time::{ClockId, clock_gettime};
use sim::scenario::Scenario;
use std::path::Path;
use std::process::Command;

fn main() {
    parceltwin::keep_freed_memory();
    let runs = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(3);
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(&project.join("scenarios/first-day")).expect("the bundled scenario");
    for _ in 0..runs {
        let before = cpu_s();
        let run = sim::run::run(&scenario, 1, None, &mut |_| ()).expect("it runs");
        let took = cpu_s() - before;
        let rate = run.kpis.parcels.created as f64 / took;
        print!("first-day: {took:.2} s of CPU, {rate:.0} parcels a CPU second");
        match simpy(project) {
            Some(bare) => println!("; SimPy, the bare line: {bare:.0}; ratio {:.3}", rate / bare),
            None => println!("; no ratio: python3 with SimPy is not there"),
        }
    }
}

fn cpu_s() -> f64 {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

fn simpy(project: &Path) -> Option<f64> {
    let output = Command::new("python3").arg(project.join("benches/line.py")).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
