//! The composition root: the only file that knows everybody.
//!
//! It builds the house from the ground up (Redis, lanes, library, store, jobs, HTTP), hands each room what it needs,
//! and takes it down in the opposite order. `main` and the tests start the same thing; with port 0 any number of
//! them runs side by side.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web;
use prometheus::Registry;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::config::{Config, RateLimitConfig, TokenKeys};
use crate::http::wire::{Door, Patience, Room};
use crate::http::{
    self, Auth, AuthSettings, Docs, Guesses, Health, KeyError, KeySource, Metrics, Origins, RateLimit, TimeTravel,
};
use crate::jobs::keeper::Keeper;
use crate::jobs::ticker::Ticker;
use crate::push::counters::Counters;
use crate::push::hub::{Hub, Limits};
use crate::store::Store;
use crate::store::durability::Durability;
use crate::store::embedded::{Embedded, EmbeddedError};
use crate::store::error::StoreError;
use crate::store::lanes::{LaneLimits, Lanes};
use crate::store::library::Library;
use crate::store::target::RedisTarget;
use crate::token::{self, TokenError};

/// How long a start waits for Redis. After that the service runs and answers 503 until Redis is there.
const REDIS_WAIT: Duration = Duration::from_secs(3);
/// Open files that are kept for all but clients: Redis, logs, the program itself.
const FILES_RESERVED: u64 = 96;
/// Of the connections there can be, so large a part is left for newcomers while idle ones are being ended.
const PART_FOR_NEWCOMERS: usize = 8;
/// Of the connections that are kept, so large a part is never a socket's, so that calls get in.
const PART_FOR_CALLS: usize = 4;
/// The whole end may take ten seconds.
const STOP_MAX: Duration = Duration::from_millis(9_500);

/// Why the service did not start: one line for the operator.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("ROLLCALL_LISTEN: {0} cannot be listened on: {1}")]
    Listen(String, io::Error),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error("Redis cannot be used: {0}")]
    Redis(StoreError),
    #[error(transparent)]
    Secret(#[from] TokenError),
    #[error("{0}: {1}")]
    Keys(&'static str, KeyError),
    #[error("the counters cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("the server cannot be started: {0}")]
    Server(#[from] io::Error),
}

/// The running service.
pub struct App {
    port: u16,
    redis: RedisTarget,
    store: Store,
    hub: Hub,
    health: web::Data<Health>,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
    /// The jobs; they end when this is dropped.
    tasks: JoinSet<()>,
    embedded: Option<Embedded>,
}

impl App {
    /// Starts everything. Must be called inside a tokio runtime, which carries the connections and jobs; HTTP has
    /// threads of its own.
    pub async fn start(config: Config) -> Result<App, StartError> {
        App::start_within(config, Limits::default()).await
    }

    /// The same, with other bounds for its sockets.
    pub async fn start_within(config: Config, mut limits: Limits) -> Result<App, StartError> {
        let (files, room) = room();
        limits.connections_max = limits.connections_max.min(room.kept - room.kept / PART_FOR_CALLS);
        let (listener, address) = listen(&config.listen)?;
        let auth = auth(&config).await?;
        let (embedded, redis) = redis(&config).await?;
        let lanes = Lanes::open(&redis, config.replica_acks, LaneLimits::default()).map_err(StartError::Redis)?;
        let library = Library::with_budget(config.budget);
        let durability = Durability::new(config.durability);
        prepare(&lanes, &library, &durability).await?;
        let store = Store::new(lanes.clone(), library.clone(), durability.clone());

        let mut tasks = JoinSet::new();
        tasks.spawn(Ticker::new(store.clone()).run());
        tasks.spawn(Keeper::new(store.clone()).run());
        if let Some(keeping) = auth.keeping_keys() {
            tasks.spawn(keeping);
        }
        let health = web::Data::new(health(lanes.clone(), library, store.clone()));
        tasks.spawn(async move { durability.keep_checking(&lanes).await });

        let registry = Registry::new();
        let counters = Counters::in_registry(&registry)?;
        let hub = Hub::new(store.clone(), Handle::current(), limits, counters);
        let door = Door { listener, patience: Patience::default(), room };
        let server = serve(door, &config, auth, store.clone(), hub.clone(), health.clone(), registry)?;
        let handle = server.handle();
        let running = tokio::spawn(server);
        let connections = room.kept;
        info!(files, connections, "up to {files} files may be open, so {connections} connections are kept");
        if let Some(time_zones) = &config.time_zones {
            info!("{time_zones}");
        }
        info!(port = address.port(), "listening on http://{address}");
        Ok(App { port: address.port(), redis, store, hub, health, server: handle, running, tasks, embedded })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Redis it uses, credentials and all: for tests and `rollcall check`.
    pub fn redis_url(&self) -> String {
        self.redis.url()
    }

    /// The store it uses, for what fills it beside HTTP.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs until SIGTERM or SIGINT, then stops within ten seconds. Further signals change nothing.
    pub async fn until_signal(self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: stopping"),
            _ = interrupt.recv() => info!("SIGINT: stopping"),
        }
        if timeout(STOP_MAX, self.stop()).await.is_err() {
            warn!("not everything ended in time");
        }
        Ok(())
    }

    /// Stops accepting, finishes the requests under way, then ends the jobs and the private Redis.
    pub async fn stop(mut self) {
        self.health.drain();
        self.hub.drain().await;
        self.server.stop(true).await;
        if let Err(error) = self.running.await {
            error!("the server ended badly: {error}");
        }
        self.tasks.shutdown().await;
        self.hub.end().await;
        // The last hands on the lanes let go before Redis ends, or they would look for it.
        drop((self.store, self.hub, self.health));
        let _ = spawn_blocking(move || drop(self.embedded)).await;
        info!("stopped");
    }
}

/// The given Redis, or a private one.
async fn redis(config: &Config) -> Result<(Option<Embedded>, RedisTarget), StartError> {
    if let Some(target) = &config.redis {
        return Ok((None, target.clone()));
    }
    let data_dir = config.signing.data_dir.clone();
    let started = spawn_blocking(move || Embedded::start(&data_dir)).await;
    let embedded = started.map_err(io::Error::other)??;
    let target = embedded.target();
    Ok((Some(embedded), target))
}

/// Waits a little for Redis and gives it the library. A Redis that is away heals later, by the first call.
async fn prepare(lanes: &Lanes, library: &Library, durability: &Durability) -> Result<(), StartError> {
    let ready = async {
        lanes.ready(REDIS_WAIT).await?;
        library.load(lanes).await?;
        durability.check(lanes).await
    };
    match ready.await {
        Ok(()) => Ok(()),
        Err(refused @ StoreError::Corrupt(_)) => Err(StartError::Redis(refused)),
        Err(away) => {
            warn!("starting without Redis: {away}");
            Ok(())
        }
    }
}

/// Ready means: Redis answers, has our library, and would keep a write.
fn health(lanes: Lanes, library: Library, store: Store) -> Health {
    Health::new(move || {
        let (lanes, library, store) = (lanes.clone(), library.clone(), store.clone());
        async move {
            let able = async {
                library.ensure(&lanes).await?;
                store.ready().await
            };
            able.await.map_err(|error: StoreError| error.to_string())
        }
    })
}

/// Raises the bound of open files as far as the system lets us. Says how many there are, and the connections that they
/// leave room for.
fn room() -> (u64, Room) {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        warn!("the bound of open files cannot be raised: {error}");
        rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(FILES_RESERVED, |(soft, _)| soft)
    });
    let taken = usize::try_from(files.saturating_sub(FILES_RESERVED)).unwrap_or(usize::MAX).max(1);
    let kept = taken - taken / PART_FOR_NEWCOMERS;
    (files, Room { kept, taken })
}

fn serve(
    door: Door,
    config: &Config,
    auth: Auth,
    store: Store,
    hub: Hub,
    health: web::Data<Health>,
    registry: Registry,
) -> Result<actix_web::dev::Server, StartError> {
    let auth = web::Data::new(auth);
    let rate = |limit: Option<RateLimitConfig>| limit.map_or((0, 0), |limit| (limit.per_second, limit.burst));
    let rate_limit = web::Data::new(RateLimit::new(rate(config.read_limit), rate(config.rate_limit)));
    let guesses = web::Data::new(Guesses::new(config.rate_limit.is_some()));
    let origins = web::Data::new(Origins::new(config.allowed_origins.clone()));
    let metrics = web::Data::new(Metrics::in_registry(registry)?);
    let time_travel = web::Data::new(TimeTravel(config.time_travel));
    let docs = web::Data::new(Docs(config.docs));
    let (store, hub) = (web::Data::new(store), web::Data::new(hub));
    let server = http::wire::serve(door, move || {
        actix_web::App::new()
            .app_data(store.clone())
            .app_data(hub.clone())
            .app_data(auth.clone())
            .app_data(rate_limit.clone())
            .app_data(guesses.clone())
            .app_data(origins.clone())
            .app_data(metrics.clone())
            .app_data(health.clone())
            .app_data(time_travel.clone())
            .app_data(docs.clone())
            .configure(http::routes)
            .wrap(Compress::default())
            .wrap(from_fn(http::edge::edge))
    });
    Ok(server?)
}

async fn auth(config: &Config) -> Result<Auth, StartError> {
    let (variable, keys) = match &config.tokens.keys {
        TokenKeys::Secret => {
            ("ROLLCALL_JWT_SECRET", KeySource::Secret(token::signing_secret(&config.signing)?.into_bytes()))
        }
        TokenKeys::PublicKey(pem) => ("ROLLCALL_JWT_PUBLIC_KEY", KeySource::PublicKey(pem.clone())),
        TokenKeys::Jwks(text) => ("ROLLCALL_JWKS_FILE", KeySource::Jwks(text.clone())),
        TokenKeys::JwksUrl(url) => ("ROLLCALL_JWKS_URL", KeySource::JwksUrl(url.clone())),
    };
    let (issuer, audience) = (config.tokens.issuer.clone(), config.tokens.audience.clone());
    let settings = AuthSettings { keys, issuer, audience, claims: config.tokens.claims.clone() };
    Auth::start(settings).await.map_err(|error| StartError::Keys(variable, error))
}

/// Listens on the first address that can be bound, before anything else is started.
fn listen(addresses: &[SocketAddr]) -> Result<(TcpListener, SocketAddr), StartError> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it stands for no address");
    for &address in addresses {
        match http::wire::listen(address) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    let names: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    Err(StartError::Listen(names.join(" or "), last))
}
