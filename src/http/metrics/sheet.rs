//! The figures of one moment.

use prometheus::TextEncoder;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use crate::counter::CounterSet;
use crate::histogram::Distribution;

/// Metrics in the order in which they were written.
#[derive(Default)]
pub(super) struct Sheet(Vec<MetricFamily>);

/// One metric of a sheet, to which samples are added.
pub(super) struct Family<'a>(&'a mut MetricFamily);

/// The names and values of a sample's labels.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Sheet {
    /// Begins a metric of this kind. Its name is whole.
    fn begin(&mut self, name: &str, help: &str, kind: MetricType) -> Family<'_> {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        let index = self.0.len();
        self.0.push(family);
        Family(&mut self.0[index])
    }

    /// Begins a counter, whose name ends in `_total`.
    pub(super) fn counters(&mut self, name: &str, help: &str) -> Family<'_> {
        self.begin(&own(name), help, MetricType::COUNTER)
    }

    /// A counter with one sample.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.counters(name, help).add(&[], value as f64);
    }

    /// A counter with a sample for each kind.
    pub(super) fn counter_set<K: PartialEq, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        counts: &CounterSet<K, N>,
    ) {
        let mut family = self.counters(name, help);
        family.add_set(&[], label, counts);
    }

    /// Begins a gauge.
    pub(super) fn gauges(&mut self, name: &str, help: &str) -> Family<'_> {
        self.begin(&own(name), help, MetricType::GAUGE)
    }

    /// A gauge with one sample.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauges(name, help).add(&[], value);
    }

    /// Begins a histogram, of seconds.
    pub(super) fn histograms(&mut self, name: &str, help: &str) -> Family<'_> {
        self.begin(&own(name), help, MetricType::HISTOGRAM)
    }

    /// A figure under a name that all programs have it under.
    pub(super) fn common(&mut self, name: &str, help: &str, value: f64) {
        let kind = match name.ends_with("_total") {
            true => MetricType::COUNTER,
            false => MetricType::GAUGE,
        };
        self.begin(name, help, kind).add(&[], value);
    }

    /// The text format. A metric without samples is left out.
    pub(super) fn text(mut self) -> prometheus::Result<String> {
        self.0.retain(|family| !family.get_metric().is_empty());
        TextEncoder::new().encode_to_string(&self.0)
    }
}

/// What the program calls a metric of its own.
fn own(name: &str) -> String {
    format!("agent_gateway_{name}")
}

impl Family<'_> {
    /// Adds a sample.
    pub(super) fn add(&mut self, labels: Labels<'_>, value: f64) {
        let mut metric = labelled(labels);
        match self.0.get_field_type() {
            MetricType::COUNTER => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            _ => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        self.0.mut_metric().push(metric);
    }

    /// Adds a sample for each kind, which is the value of `label`.
    pub(super) fn add_set<K: PartialEq, const N: usize>(
        &mut self,
        labels: Labels<'_>,
        label: &str,
        counts: &CounterSet<K, N>,
    ) {
        for (kind, counter) in counts.all() {
            self.add(&[labels, &[(label, kind)]].concat(), counter.get() as f64);
        }
    }

    /// Adds the samples of a histogram.
    pub(super) fn add_distribution(&mut self, labels: Labels<'_>, distribution: &Distribution) {
        let mut histogram = Histogram::default();
        histogram.set_sample_count(distribution.count);
        histogram.set_sample_sum(distribution.sum.as_secs_f64());
        let buckets = distribution.buckets.iter().map(|(bound, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound.as_secs_f64());
            bucket.set_cumulative_count(*count);
            bucket
        });
        histogram.set_bucket(buckets.collect());
        let mut metric = labelled(labels);
        metric.set_histogram(histogram);
        self.0.mut_metric().push(metric);
    }
}

fn labelled(labels: Labels<'_>) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}
