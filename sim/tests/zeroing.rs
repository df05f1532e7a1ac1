//! The line's rule for zeroing against the simulated scale's noise and drift.

use actors::zero::Zero;
use sim::luck::Luck;

/// The standard deviation of a reading, in 0.1 g.
const NOISE_DG: u32 = 10;

/// Readings of the empty scale, drifting by `drift_mdg` (thousandths of 0.1 g) each: how often it was zeroed, and the readings.
fn day(drift_mdg: i64, readings: i64) -> (usize, Vec<i64>) {
    let (mut luck, mut zero, mut zeroed, mut zero_dg) = (Luck::of(3, "scale", "noise"), Zero::default(), 0, 0);
    let read = (0..readings).map(|n| {
        let gross_dg = luck.noise(NOISE_DG) + n * drift_mdg / 1_000;
        let net_dg = gross_dg - zero_dg;
        if zero.has_drifted(net_dg as i32) {
            zero_dg = gross_dg;
            zeroed += 1;
        }
        net_dg
    });
    let read = read.collect();
    (zeroed, read)
}

#[test]
fn noise_alone_never_zeroes_and_is_not_doubled() {
    let (zeroed, read) = day(0, 200_000);
    let variance = read.iter().map(|dg| dg * dg).sum::<i64>() as f64 / read.len() as f64 / f64::from(NOISE_DG * NOISE_DG);
    assert_eq!(zeroed, 0);
    assert!((0.95..1.1).contains(&variance), "{variance} times the scale's own");
}

#[test]
fn a_drift_is_taken_away_before_it_matters() {
    for drift_mdg in [-2_000, -500, -20, 20, 500, 2_000] {
        let (zeroed, read) = day(drift_mdg, 20_000);
        let worst = read.iter().map(|dg| dg.abs()).max().unwrap();
        assert!(zeroed > 3, "{drift_mdg}: {zeroed}");
        // Three times the noise, the window it takes to be sure, and a chance error.
        let bound = 3 * 10 + 20 * drift_mdg.abs() / 1_000 + 2 * 60;
        assert!(worst <= bound, "{drift_mdg}: {worst} over {bound}");
    }
}
