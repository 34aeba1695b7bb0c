//! What the service counts about its requests, for Prometheus.
//!
//! Labels are route templates, methods, statuses and codes: few, fixed, and never
//! an id or a name. Who scrapes them is not known here.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use super::problem::Code;

/// Seconds; from a read in memory to the longest wait for a store that is away.
const LATENCY_BUCKETS_S: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The route of a request that no route was found for.
pub const UNMATCHED: &str = "unmatched";

/// The counters of the rim.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    latency: HistogramVec,
    in_flight: IntGauge,
    problems: IntCounterVec,
}

/// A request under way; counted until it is dropped, answered or not.
pub struct InFlight(IntGauge);

impl Metrics {
    /// Counted together with whatever else is in the registry. Each app has one of its own, so that two in one process
    /// do not count together.
    pub fn in_registry(registry: Registry) -> Result<Metrics, prometheus::Error> {
        let labels = ["route", "method", "status"];
        let requests = IntCounterVec::new(Opts::new("rollcall_http_requests_total", "Requests answered."), &labels)?;
        let latency = HistogramOpts::new("rollcall_http_request_seconds", "Time until a request's answer began.")
            .buckets(LATENCY_BUCKETS_S.to_vec());
        let latency = HistogramVec::new(latency, &["route", "method"])?;
        let in_flight = IntGauge::new("rollcall_http_requests_in_flight", "Requests under way.")?;
        let problems = IntCounterVec::new(
            Opts::new(
                "rollcall_http_problems_total",
                "Problems answered; unavailable, outcome_unknown and internal are the store's.",
            ),
            &["code"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(latency.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(problems.clone()))?;
        Ok(Metrics { registry, requests, latency, in_flight, problems })
    }

    /// A request has come in.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request was answered.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, code: Option<Code>, took: Duration) {
        let method = method_label(method);
        self.requests.with_label_values(&[route, method, status.as_str()]).inc();
        self.observed(route, method).observe(took.as_secs_f64());
        if let Some(code) = code {
            self.problems.with_label_values(&[code.as_str()]).inc();
        }
    }

    fn observed(&self, route: &str, method: &str) -> Histogram {
        self.latency.with_label_values(&[route, method])
    }

    /// The registry's counters and those of the whole process, in the text format.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut families = self.registry.gather();
        families.extend(prometheus::gather());
        TextEncoder::new().encode_to_string(&families)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A client may send any word as a method; only the known ones become a label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
