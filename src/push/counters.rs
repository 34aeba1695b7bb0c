//! What sockets count, for Prometheus.
//!
//! Close codes are the only label's values: few, fixed, and never an id.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use super::protocol::CloseCode;

/// Seconds; from a change that is passed on at once to an instance that hardly keeps up.
const LAG_BUCKETS_S: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// The counters of this instance's sockets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counters {
    pub sessions: IntGauge,
    /// Documents held, for those who listen and for those who may come back.
    pub topics: IntGauge,
    pub refused: IntCounter,
    pub frames: IntCounter,
    /// Also of those that are never told so, because they do not read.
    pub too_slow: IntCounter,
    closes: IntCounterVec,
    resumes: IntCounterVec,
    pub afresh: IntCounter,
    pub lag: Histogram,
}

impl Counters {
    pub fn in_registry(registry: &Registry) -> Result<Counters, prometheus::Error> {
        let gauge = |name, help| registered(registry, IntGauge::new(name, help)?);
        let counter = |name, help| registered(registry, IntCounter::new(name, help)?);
        let labelled = |name, help, label| registered(registry, IntCounterVec::new(Opts::new(name, help), &[label])?);
        let lag = HistogramOpts::new("rollcall_live_lag_seconds", "From a change to its being passed on to sockets.");
        Ok(Counters {
            sessions: gauge("rollcall_live_sessions", "Sockets open.")?,
            topics: gauge("rollcall_live_topics", "Documents held for sockets.")?,
            refused: counter("rollcall_live_refused_total", "Upgrades refused for a while.")?,
            frames: counter("rollcall_live_frames_total", "Frames sent.")?,
            too_slow: counter("rollcall_live_too_slow_total", "Sockets given up because their clients do not read.")?,
            closes: labelled("rollcall_live_closes_total", "Sockets closed by the service.", "code")?,
            resumes: labelled("rollcall_live_resumes_total", "Versions held by who came back.", "result")?,
            afresh: counter("rollcall_live_afresh_total", "Times all documents of an organisation were read afresh.")?,
            lag: registered(registry, Histogram::with_opts(lag.buckets(LAG_BUCKETS_S.to_vec()))?)?,
        })
    }

    pub fn closed(&self, code: CloseCode) {
        self.closes.with_label_values(&[&code.number().to_string()]).inc();
    }

    /// Whether the missed patches were there for somebody who came back, or the whole had to be sent.
    pub fn resumed(&self, hit: bool) {
        self.resumes.with_label_values(&[if hit { "hit" } else { "missed" }]).inc();
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, counter: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}
