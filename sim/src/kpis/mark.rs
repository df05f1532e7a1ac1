//! What each figure of a run is: told by the records, a consequence of what the scenario says, or known to the simulated
//! floor alone.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// From the journal's records, as a live site would have it.
    Measured,
    /// It follows from settings of the scenario: another scenario has another, and none says how fast a real house is.
    Modelled,
    /// Only the simulated floor knows it: no device tells it, and a live site cannot know it.
    Floor,
}

impl Mark {
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::Measured => "measured",
            Mark::Modelled => "modelled",
            Mark::Floor => "known to the floor alone",
        }
    }
}

/// Figures by their path in `kpis.json`, each with what it is and, where it is modelled, by which settings. A path stands for all
/// below it that has no line of its own.
pub const MARKS: [(&str, Mark, &str); 27] = [
    ("orders", Mark::Measured, ""),
    ("parcels", Mark::Measured, ""),
    ("labels", Mark::Floor, ""),
    ("latency_ms.accept_to_tracking", Mark::Modelled, "wires.carrier_latency and wires.durable_ms"),
    ("latency_ms.divert", Mark::Modelled, "wires.durable_ms"),
    ("cost", Mark::Measured, ""),
    ("journal", Mark::Measured, ""),
    ("interceptions", Mark::Measured, ""),
    ("rework", Mark::Floor, ""),
    ("cut_offs", Mark::Measured, ""),
    ("outages", Mark::Measured, ""),
    ("stations", Mark::Floor, ""),
    ("steps", Mark::Measured, ""),
    ("steps.label.took_s", Mark::Modelled, "wires.carrier_latency and wires.durable_ms"),
    ("steps.label.service_s", Mark::Modelled, "wires.carrier_latency and wires.durable_ms"),
    ("steps.bench.wait_s", Mark::Floor, ""),
    ("steps.bench.service_s", Mark::Modelled, "floor.pack_s"),
    ("steps.bench.use_pct", Mark::Floor, ""),
    ("steps.bench.use_busiest_hour_pct", Mark::Floor, ""),
    ("steps.line.service_s", Mark::Modelled, "the line's scan_to_ask_ms and floor.answer_within_ms"),
    ("steps.line.use_pct", Mark::Floor, ""),
    ("steps.line.use_busiest_hour_pct", Mark::Floor, ""),
    ("steps.rework.wait_s", Mark::Floor, ""),
    ("steps.rework.service_s", Mark::Modelled, "floor.rework_s"),
    ("steps.rework.use_pct", Mark::Floor, ""),
    ("steps.rework.use_busiest_hour_pct", Mark::Floor, ""),
    ("virtual_h", Mark::Measured, ""),
];

/// The mark of a figure by its path, and the settings that a modelled one follows from. None: it is no figure of the run.
pub fn of(path: &str) -> Option<(Mark, &'static str)> {
    let holds = |marked: &str| path.strip_prefix(marked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let best = MARKS.iter().filter(|(marked, ..)| holds(marked)).max_by_key(|(marked, ..)| marked.len());
    best.map(|(_, mark, by)| (*mark, *by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_says_what_a_figure_is() {
        assert_eq!(of("steps.bench.took_s.p99"), Some((Mark::Measured, "")));
        assert_eq!(of("steps.bench.wait_s.p99"), Some((Mark::Floor, "")));
        assert_eq!(of("steps.bench.service_s"), Some((Mark::Modelled, "floor.pack_s")));
        assert_eq!(of("labels.wrong_left"), Some((Mark::Floor, "")));
        assert_eq!((of("latency_ms"), of("orderless"), of("seed")), (None, None, None));
    }
}
