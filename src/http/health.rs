//! Alive, ready, and counted: what a supervisor and a monitor ask.
//!
//! Alive says only that the process answers. Ready says that it could serve a
//! booking now: the store answers within a second, has our library and would keep
//! a write. How that is found out is the store's affair.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::metrics::Metrics;
use super::problem::Problem;
use super::resource::on;
use crate::domain::zones;

/// How long the store may take to say that it is ready.
const READY_WAIT_MAX: Duration = Duration::from_secs(1);

type Probe = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Knows whether the service could serve.
pub struct Health {
    probe: Probe,
    draining: AtomicBool,
    /// The last answer, so that a change is logged and a probe every second is not.
    ready: AtomicBool,
}

/// How the service is.
#[derive(Serialize, ToSchema)]
pub struct HealthBody {
    #[schema(example = "ready")]
    status: &'static str,
}

/// A service that is ready.
#[derive(Serialize, ToSchema)]
pub struct ReadyBody {
    #[schema(example = "ready")]
    status: &'static str,
    /// The release of the tz database that local times follow.
    #[schema(example = "2026f")]
    time_zones: &'static str,
}

impl Health {
    /// `probe` asks the store; its error says in a few words what is missing.
    pub fn new<F, Answer>(probe: F) -> Health
    where
        F: Fn() -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<(), String>> + Send + 'static,
    {
        Health {
            probe: Box::new(move || Box::pin(probe())),
            draining: AtomicBool::new(false),
            ready: AtomicBool::new(true),
        }
    }

    /// From now on the service is not ready: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the service is ready; what is missing is said in the log, once.
    async fn is_ready(&self) -> bool {
        let answer = self.check().await;
        let was_ready = self.ready.swap(answer.is_ok(), Ordering::Relaxed);
        match &answer {
            Ok(()) if !was_ready => tracing::info!("the service is ready again"),
            Err(missing) if was_ready => tracing::warn!("the service is not ready: {missing}"),
            Ok(()) | Err(_) => {}
        }
        answer.is_ok()
    }

    async fn check(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) {
            return Err("it is stopping".to_owned());
        }
        match tokio::time::timeout(READY_WAIT_MAX, (self.probe)()).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err("the store did not answer within a second".to_owned()),
        }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/healthz").get(healthz)).service(on("/readyz").get(readyz)).service(on("/metrics").get(metrics));
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "running", responses((status = 200, body = HealthBody)))]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(HealthBody { status: "alive" })
}

/// The service could serve a booking now.
#[utoipa::path(get, path = "/readyz", tag = "running", responses((status = 200, body = ReadyBody), (status = 503)))]
pub async fn readyz(health: web::Data<Health>) -> Result<HttpResponse, Problem> {
    if health.is_ready().await {
        Ok(HttpResponse::Ok().json(ReadyBody { status: "ready", time_zones: &zones::table().release }))
    } else {
        Err(Problem::unavailable("The service is not ready; what is missing is in its log."))
    }
}

/// Counters, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "running", responses((status = 200, body = String)))]
pub async fn metrics(metrics: web::Data<Metrics>) -> Result<HttpResponse, Problem> {
    match metrics.text() {
        Ok(text) => Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body(text)),
        Err(error) => {
            tracing::error!(%error, "the counters cannot be written");
            Err(Problem::internal())
        }
    }
}
