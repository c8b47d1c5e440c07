//! The memory of each process generation of the gateway, by /proc.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::interval;

use super::world::{Phase, World};

/// What was measured of one process generation, in KiB, once a second.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    generation: u32,
    resident: Vec<u64>,
}

/// Measures until the run is over.
pub(crate) async fn measure(world: Arc<World>) -> Vec<Vitals> {
    let mut generations: Vec<Vitals> = Vec::new();
    let mut every = interval(Duration::from_secs(1));
    while world.phase() != Phase::Over {
        tokio::select! {
            _ = every.tick() => {}
            () = world.reaches(Phase::Over) => break,
        }
        let (generation, pid) = {
            let site = world.site.borrow();
            (site.generation, site.pid)
        };
        // Elsewhere than on Linux, and of a process that has just ended, there is nothing.
        let Some(resident) = resident(pid) else {
            continue;
        };
        match generations.last_mut() {
            Some(latest) if latest.generation == generation => latest.resident.push(resident),
            _ => generations.push(Vitals {
                generation,
                resident: vec![resident],
            }),
        }
    }
    generations
}

fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Vitals {
    /// One line: how long it lived, and its memory in MiB.
    pub(crate) fn line(&self) -> String {
        let mib = |kib: Option<&u64>| *kib.unwrap_or(&0) as f64 / 1024.0;
        let mut sorted = self.resident.clone();
        sorted.sort_unstable();
        format!(
            "gateway {}: {} s, RSS start {:.1}, median {:.1}, max {:.1}, end {:.1} MiB",
            self.generation,
            self.resident.len(),
            mib(self.resident.first()),
            mib(sorted.get(sorted.len() / 2)),
            mib(sorted.last()),
            mib(self.resident.last()),
        )
    }
}
