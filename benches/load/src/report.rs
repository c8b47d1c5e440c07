//! The table, and each trial as a line of JSON.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::receipts::Faults;
use crate::scenario::Scenario;
use crate::trial::Measured;

/// All rounds of a scenario.
pub(crate) struct Results {
    pub(crate) scenario: Scenario,
    pub(crate) ours: Vec<Measured>,
    /// Empty: there is no peer.
    pub(crate) peer: Vec<Measured>,
}

/// What stands where nothing was measured.
const NOTHING: &str = "-";

impl Results {
    /// What went wrong with ours in all rounds, closed connections included: nothing may.
    pub(crate) fn our_faults(&self) -> u64 {
        let Faults {
            missing,
            repeated,
            disordered,
        } = faults(&self.ours);
        missing + repeated + disordered + closed(&self.ours)
    }
}

/// A Markdown table with a row for each scenario. Costs, rates and memory are medians over the rounds;
/// the ratio is the median of the rounds' own ratios; latencies and faults are of all rounds together.
pub(crate) fn table(results: &[Results], peer: &str) -> String {
    let mut table = String::new();
    let mut row = |cells: &[String]| {
        // Writing to a string does not fail.
        writeln!(table, "| {} |", cells.join(" | ")).unwrap_or_default();
    };
    let mut head = vec!["scenario".to_owned(), "cost".to_owned()];
    for column in [
        "",
        "p50 ms",
        "p99 ms",
        "per s",
        "missing/twice/disordered",
        "MiB",
    ] {
        head.push(format!("{column} ours").trim().to_owned());
        head.push(format!("{column} {peer}").trim().to_owned());
        if column.is_empty() {
            head.push(format!("**{peer} / ours**"));
        }
    }
    row(&head);
    row(&vec!["---".to_owned(); head.len()]);
    for result in results {
        let load = &result.scenario.load;
        let sides = [&result.ours, &result.peer];
        let mut cells = vec![load.to_string(), load.unit().to_owned()];
        cells.extend(sides.map(|side| cell(median(side.iter().map(|one| one.cost)))));
        let ratios = result.peer.iter().zip(&result.ours);
        let ratio = median(ratios.map(|(peer, ours)| peer.cost / ours.cost));
        cells.push(format!("**{}**", cell(ratio)));
        for part in [0.5, 0.99] {
            cells.extend(sides.map(|side| cell(latency(side, part))));
        }
        cells.extend(sides.map(|side| {
            let rate = median(side.iter().filter_map(|one| one.rate));
            rate.map_or(NOTHING.to_owned(), |rate| format!("{rate:.0}"))
        }));
        cells.extend(sides.map(|side| shown_faults(side)));
        cells.extend(sides.map(|side| {
            let memory = median(side.iter().map(|one| one.memory as f64));
            cell(memory.map(|bytes| bytes / f64::from(1 << 20)))
        }));
        row(&cells);
    }
    table
}

/// One trial.
pub(crate) fn line(scenario: &Scenario, side: &str, round: usize, measured: &Measured) -> Value {
    let trials = std::slice::from_ref(measured);
    json!({
        "scenario": scenario.name,
        "load": scenario.load.to_string(),
        "side": side,
        "round": round,
        "cost": measured.cost,
        "unit": scenario.load.unit(),
        "rate": measured.rate,
        "p50Ms": latency(trials, 0.5),
        "p99Ms": latency(trials, 0.99),
        "missing": measured.faults.missing,
        "twice": measured.faults.repeated,
        "disordered": measured.faults.disordered,
        "closed": measured.closed,
        "memoryBytes": measured.memory,
        "lateMs": measured.late.as_secs_f64() * 1e3,
    })
}

/// One trial, for whoever waits for the next.
pub(crate) fn brief(scenario: &Scenario, side: &str, measured: &Measured) -> String {
    let trials = std::slice::from_ref(measured);
    format!(
        "{}, {side}: {} {}, p50 {} ms, p99 {} ms, faults {}, publisher late by {:.0} ms at most",
        scenario.name,
        cell(Some(measured.cost)),
        scenario.load.unit(),
        cell(latency(trials, 0.5)),
        cell(latency(trials, 0.99)),
        shown_faults(trials),
        measured.late.as_secs_f64() * 1e3,
    )
}

/// The latency that this part of all events did not exceed, in milliseconds.
fn latency(trials: &[Measured], part: f64) -> Option<f64> {
    let mut all: Option<Histogram<u64>> = None;
    for latencies in trials.iter().filter_map(|one| one.latencies.as_ref()) {
        match &mut all {
            None => all = Some(latencies.clone()),
            // All have the same bounds, so that they can be added.
            Some(all) => all.add(latencies).unwrap_or_default(),
        }
    }
    all.map(|all| all.value_at_quantile(part) as f64 / 1e6)
}

fn shown_faults(trials: &[Measured]) -> String {
    if trials.is_empty() {
        return NOTHING.to_owned();
    }
    let Faults {
        missing,
        repeated,
        disordered,
    } = faults(trials);
    match closed(trials) {
        0 => format!("{missing}/{repeated}/{disordered}"),
        closed => format!("{missing}/{repeated}/{disordered}, {closed} closed"),
    }
}

fn faults(trials: &[Measured]) -> Faults {
    trials.iter().fold(Faults::default(), |mut sum, one| {
        sum += one.faults;
        sum
    })
}

fn closed(trials: &[Measured]) -> u64 {
    trials.iter().map(|one| one.closed).sum()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(match values.len() % 2 {
        0 => (values[values.len() / 2 - 1] + upper) / 2.0,
        _ => upper,
    })
}

/// To three digits, more or less.
fn cell(number: Option<f64>) -> String {
    match number {
        None => NOTHING.to_owned(),
        Some(number) if number >= 100.0 => format!("{number:.0}"),
        Some(number) if number >= 10.0 => format!("{number:.1}"),
        Some(number) => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::crowd::histogram;

    fn measured(cost: f64, milliseconds: u64, missing: u64) -> Measured {
        let mut latencies = histogram().unwrap();
        latencies.record(milliseconds * 1_000_000).unwrap();
        Measured {
            cost,
            rate: Some(2_000.0),
            latencies: Some(latencies),
            faults: Faults {
                missing,
                ..Faults::default()
            },
            closed: 0,
            memory: 32 << 20,
            late: Duration::ZERO,
        }
    }

    fn results(ours: Vec<Measured>, peer: Vec<Measured>) -> Results {
        Results {
            scenario: Scenario::named("rooms-1000", false).unwrap(),
            ours,
            peer,
        }
    }

    #[test]
    fn a_row_has_medians_the_median_of_ratios_and_the_sums_of_faults() {
        let ours = vec![
            measured(10.0, 1, 0),
            measured(20.0, 2, 0),
            measured(40.0, 9, 0),
        ];
        let peer = vec![
            measured(40.0, 3, 1),
            measured(60.0, 4, 0),
            measured(80.0, 5, 2),
        ];
        let table = table(&[results(ours, peer)], "Node");
        let rows: Vec<_> = table.lines().collect();
        assert_eq!(rows.len(), 3, "{table}");
        let cells: Vec<_> = rows[2].split('|').map(str::trim).collect();
        assert_eq!(cells.len(), rows[0].split('|').count(), "{table}");
        assert_eq!(cells[1], "500 rooms of 2, 1,000 msg/s");
        assert_eq!(cells[3..6], ["20.0", "60.0", "**3.00**"]);
        assert!(cells[6].starts_with("2.0"), "{table}");
        assert_eq!(cells[12..14], ["0/0/0", "3/0/0"]);
        assert_eq!(cells[14], "32.0");
    }

    #[test]
    fn without_a_peer_its_cells_are_empty() {
        let table = table(&[results(vec![measured(10.0, 1, 0)], Vec::new())], "peer");
        assert!(table.contains("| 10.0 | - | **-** |"), "{table}");
    }

    #[test]
    fn whatever_went_wrong_with_ours_is_a_fault() {
        let ours = vec![measured(1.0, 1, 0), measured(1.0, 1, 3)];
        assert_eq!(results(ours, Vec::new()).our_faults(), 3);
        let mut closing = measured(1.0, 1, 0);
        closing.closed = 1;
        assert_eq!(results(vec![closing], Vec::new()).our_faults(), 1);
    }
}
