//! What the operating system says of this process, in the words that all Prometheus clients use
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use std::fs;
use std::time::SystemTime;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, getrlimit};

use super::sheet::Sheet;

/// What Linux shows in `/proc`; elsewhere nothing. `since`: when the process began.
pub(super) fn write(since: SystemTime, sheet: &mut Sheet) {
    let help = "Which build this is.";
    let version = ("version", env!("CARGO_PKG_VERSION"));
    sheet.gauges("build_info", help).add(&[version], 1.0);
    let since = since.duration_since(SystemTime::UNIX_EPOCH);
    let help = "Start time of the process since unix epoch in seconds.";
    let begun = since.unwrap_or_default().as_secs_f64();
    sheet.common("process_start_time_seconds", help, begun);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let descriptors = fs::read_dir("/proc/self/fd").ok();
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            kilobytes(&status, "VmRSS:"),
        ),
        (
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            kilobytes(&status, "VmSize:"),
        ),
        (
            "process_threads",
            "Number of OS threads in the process.",
            field(&status, "Threads:").and_then(|count| count.parse().ok()),
        ),
        (
            "process_open_fds",
            "Number of open file descriptors.",
            // One of them is this look's own.
            descriptors.map(|entries| entries.count().saturating_sub(1) as f64),
        ),
        (
            "process_max_fds",
            "Maximum number of open file descriptors.",
            getrlimit(Resource::Nofile)
                .current
                .map(|limit| limit as f64),
        ),
        (
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            processor_time(&stat),
        ),
    ] {
        if let Some(value) = value {
            sheet.common(name, help, value);
        }
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    let kilobytes: f64 = field(status, name)?.strip_suffix(" kB")?.parse().ok()?;
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
            kilobytes("VmPeak:\t 9 kB\nVmRSS:\t    1234 kB\n", "VmRSS:"),
            Some(1_263_616.0)
        );
        assert_eq!(kilobytes("", "VmRSS:"), None);
        assert_eq!(field("Name:\tx\nThreads:\t3\n", "Threads:"), Some("3"));
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 3 0 99 1 1";
        let ticks = clock_ticks_per_second() as f64;
        assert_eq!(processor_time(stat), Some(200.0 / ticks));
        assert_eq!(processor_time("7 (a) S"), None);
    }
}
