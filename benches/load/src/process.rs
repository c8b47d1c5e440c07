//! What the kernel says about a process.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The processor time of a process, user and system, all of its threads, ended ones too. Read from
/// /proc/PID/stat: to 10 ms, but what is between two readings does not get lost.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat =
        fs::read_to_string(&path).with_context(|| format!("{path}: the server has ended"))?;
    // The second field is the name, which may have anything in it but ends with the last parenthesis.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(Duration::from_secs_f64(
        ticks as f64 / clock_ticks_per_second() as f64,
    ))
}

/// The memory that a process has in RAM (VmRSS), in bytes.
pub(crate) fn memory(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status =
        fs::read_to_string(&path).with_context(|| format!("{path}: the server has ended"))?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let kilobytes: u64 = resident
        .and_then(|kilobytes| kilobytes.parse().ok())
        .with_context(|| format!("{path}: no VmRSS, the server has ended"))?;
    Ok(kilobytes * 1024)
}

/// Has this process, and the servers that it starts, use as many descriptors as they may.
///
/// # Errors
/// When that is not enough for so many sockets.
pub(crate) fn raise_descriptors(sockets: usize) -> anyhow::Result<()> {
    /// For all that is no socket of an agent.
    const BESIDES: usize = 200;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )
    .context("RLIMIT_NOFILE cannot be raised")?;
    let most = limit.maximum.unwrap_or(u64::MAX);
    ensure!(
        most >= (sockets + BESIDES) as u64,
        "{sockets} sockets need more descriptors than the limit (ulimit -Hn), which is {most}"
    );
    Ok(())
}

/// The machine's load of the last minute, as /proc/loadavg has it.
pub(crate) fn load_average() -> String {
    let average = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = average.split(' ').next().unwrap_or_default();
    minute.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_processor_time_of_work_is_seen() {
        let before = cpu(std::process::id()).unwrap();
        let began = Instant::now();
        while cpu(std::process::id()).unwrap() < before + Duration::from_millis(50) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "it does not grow"
            );
        }
    }

    #[test]
    fn memory_that_is_used_is_seen() {
        let before = memory(std::process::id()).unwrap();
        let used = vec![1_u8; 32 << 20];
        let after = memory(std::process::id()).unwrap();
        assert!(after >= before + (30 << 20), "{before} {after} {}", used[9]);
    }

    #[test]
    fn a_process_that_has_ended_is_an_error() {
        let error = cpu(u32::MAX).unwrap_err();
        assert!(error.to_string().contains("has ended"), "{error}");
    }
}
