//! What a run took: wall seconds, and processor seconds of the thread that it is on. Figures for people; nothing in a run depends
//! on them.

use rustix::time::{ClockId, Timespec, clock_gettime};

pub struct Meter {
    wall: Timespec,
    cpu: Timespec,
}

impl Meter {
    pub fn start() -> Self {
        Meter { wall: clock_gettime(ClockId::Monotonic), cpu: clock_gettime(ClockId::ThreadCPUTime) }
    }

    pub fn wall_s(&self) -> f64 {
        seconds(clock_gettime(ClockId::Monotonic)) - seconds(self.wall)
    }

    pub fn cpu_s(&self) -> f64 {
        seconds(clock_gettime(ClockId::ThreadCPUTime)) - seconds(self.cpu)
    }
}

fn seconds(t: Timespec) -> f64 {
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}
