//! The service, started in this process as `main` starts it, on a free port.
//!
//! Each instance has a thread and a runtime of its own, so tests may use any runtime, and an instance ends for itself.

use std::sync::mpsc;
use std::thread::JoinHandle;

use rollcall::app::App;
use rollcall::config::{Config, Settings};
use rollcall::push::hub::Limits;
use rollcall::store::Store;
use rollcall::store::library::BUDGET;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use super::redis::{Keeps, Redis};

/// What tokens are signed with in tests.
pub const SECRET: &str = "a secret of the tests, long enough for HS256";

/// A running instance.
pub struct Service {
    pub port: u16,
    pub store: Store,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _data_dir: TempDir,
}

impl Service {
    /// An instance on this Redis, with time travel and without limits of rate.
    pub fn on(redis: &Redis) -> Service {
        Service::with(redis, |_| {})
    }

    /// An instance whose settings were changed; what `change` leaves is as in [`Service::on`].
    pub fn with(redis: &Redis, change: impl FnOnce(&mut Settings)) -> Service {
        Service::start(redis, change, Limits::default(), BUDGET)
    }

    /// An instance with other bounds for its sockets.
    pub fn within(redis: &Redis, limits: Limits) -> Service {
        Service::start(redis, |_| {}, limits, BUDGET)
    }

    /// An instance whose calls of Redis look at other numbers of things before they leave the rest.
    pub fn with_budget(redis: &Redis, budget: u32) -> Service {
        Service::start(redis, |_| {}, Limits::default(), budget)
    }

    fn start(redis: &Redis, change: impl FnOnce(&mut Settings), limits: Limits, budget: u32) -> Service {
        logs_errors();
        let data_dir = TempDir::with_prefix("rollcall-test-data-").expect("a data directory");
        let durability = if redis.keeps() == Keeps::Nothing { "any" } else { "required" };
        let mut settings = Settings {
            listen: Some("127.0.0.1:0".into()),
            redis_url: Some(redis.url().into()),
            durability: Some(durability.into()),
            rate_limit: Some("0".into()),
            read_limit: Some("0".into()),
            time_travel: Some("on".into()),
            ..Settings::default()
        };
        settings.signing.data_dir = Some(data_dir.path().into());
        settings.signing.jwt_secret = Some(SECRET.into());
        change(&mut settings);
        let mut config = Config::read(&settings).unwrap_or_else(|error| panic!("the settings of the test: {error}"));
        config.budget = budget;
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || run(config, limits, &tell, stopped));
        let started = told.recv().expect("the service's thread");
        let (port, store) = started.unwrap_or_else(|error| panic!("the service did not start: {error}"));
        Service { port, store, stop: Some(stop), thread: Some(thread), _data_dir: data_dir }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// What the service logs is seen when a test fails; `RUST_LOG` says how much.
fn logs_errors() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    let _ = tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_test_writer().try_init();
}

fn run(
    config: Config,
    limits: Limits,
    tell: &mpsc::Sender<Result<(u16, Store), String>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match App::start_within(config, limits).await {
            Ok(app) => {
                let _ = tell.send(Ok((app.port(), app.store().clone())));
                let _ = stopped.await;
                app.stop().await;
            }
            Err(error) => {
                let _ = tell.send(Err(error.to_string()));
            }
        }
    });
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
