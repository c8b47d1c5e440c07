//! What the operating system says of this process, in the words that all Prometheus clients use
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use std::fs;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, getrlimit};

/// A figure's name, what it is, and itself.
pub(super) type Figure = (&'static str, &'static str, f64);

/// What Linux shows in `/proc`; elsewhere nothing.
pub(super) fn figures() -> Vec<Figure> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let descriptors = fs::read_dir("/proc/self/fd").ok();
    let limit = getrlimit(Resource::Nofile).current;
    [
        resident(&status).map(|bytes| {
            let help = "Resident memory size in bytes.";
            ("process_resident_memory_bytes", help, bytes)
        }),
        descriptors.map(|entries| {
            // One of them is this look's own.
            let open = entries.count().saturating_sub(1);
            let help = "Number of open file descriptors.";
            ("process_open_fds", help, open as f64)
        }),
        limit.map(|limit| {
            let help = "Maximum number of open file descriptors.";
            ("process_max_fds", help, limit as f64)
        }),
        processor_time(&stat).map(|seconds| {
            let help = "Total user and system CPU time spent in seconds.";
            ("process_cpu_seconds_total", help, seconds)
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn resident(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn processor_time(stat: &str) -> Option<f64> {
    // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_the_kernel_writes() {
        assert_eq!(
            resident("VmPeak:\t 9 kB\nVmRSS:\t    1234 kB\n"),
            Some(1_263_616.0)
        );
        assert_eq!(resident(""), None);
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 3 0 99 1 1";
        let ticks = clock_ticks_per_second() as f64;
        assert_eq!(processor_time(stat), Some(200.0 / ticks));
        assert_eq!(processor_time("7 (a) S"), None);
    }
}
