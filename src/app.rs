//! The composition root: the only file that knows everybody.
//!
//! It builds the house from the ground up (Redis, lanes, library, store, jobs, HTTP), hands each room what it needs,
//! and takes it down in the opposite order. `main` and the tests start the same thing; with port 0 any number of
//! them runs side by side.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{HttpServer, web};
use prometheus::Registry;
use socket2::SockRef;
use thiserror::Error;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::config::{Config, RateLimitConfig, TokenKeys};
use crate::http::{
    self, Auth, AuthSettings, Guesses, Health, KeyError, KeySource, Metrics, Origins, RateLimit, TimeTravel,
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

/// Connections the kernel holds for us until a worker takes them.
const BACKLOG: u32 = 1024;
/// How long a start waits for Redis. After that the service runs and answers 503 until Redis is there.
const REDIS_WAIT: Duration = Duration::from_secs(3);
/// An idle connection is kept longer than proxies keep theirs, so that they close first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to send the head of its request.
const REQUEST_HEAD_WAIT: Duration = Duration::from_secs(5);
/// How long a client may leave data unread before its connection is ended: without this a reader that stalls keeps it
/// for ever. Set on the listening socket, from which accepted ones have it.
const UNREAD_MAX: Duration = Duration::from_secs(20);
/// Bytes not yet sent that the kernel takes: what waits beyond that can still be merged or dropped.
const UNSENT_BYTES_MAX: u32 = 16 * 1024;
/// How long requests under way may take to finish at the end; the whole end may take ten seconds.
const DRAIN_S: u64 = 5;
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
    pub async fn start_within(config: Config, limits: Limits) -> Result<App, StartError> {
        let (listener, address) = listen(&config.listen)?;
        let (embedded, redis) = redis(&config).await?;
        let lanes = Lanes::open(&redis, config.replica_acks, LaneLimits::default()).map_err(StartError::Redis)?;
        let library = Library::with_budget(config.budget);
        let durability = Durability::new(config.durability);
        prepare(&lanes, &library, &durability).await?;
        let store = Store::new(lanes.clone(), library.clone(), durability.clone());

        let mut tasks = JoinSet::new();
        tasks.spawn(Ticker::new(store.clone()).run());
        tasks.spawn(Keeper::new(store.clone()).run());
        let health = web::Data::new(health(lanes.clone(), library, store.clone()));
        tasks.spawn(async move { durability.keep_checking(&lanes).await });

        let registry = Registry::new();
        let counters = Counters::in_registry(&registry)?;
        let hub = Hub::new(store.clone(), Handle::current(), limits, counters);
        let server = serve(listener, &config, store.clone(), hub.clone(), health.clone(), registry).await?;
        let handle = server.handle();
        let running = tokio::spawn(server);
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

async fn serve(
    listener: TcpListener,
    config: &Config,
    store: Store,
    hub: Hub,
    health: web::Data<Health>,
    registry: Registry,
) -> Result<actix_web::dev::Server, StartError> {
    let auth = web::Data::new(auth(config).await?);
    let rate = |limit: Option<RateLimitConfig>| limit.map_or((0, 0), |limit| (limit.per_second, limit.burst));
    let rate_limit = web::Data::new(RateLimit::new(rate(config.read_limit), rate(config.rate_limit)));
    let guesses = web::Data::new(Guesses::new(config.rate_limit.is_some()));
    let origins = web::Data::new(Origins::new(config.allowed_origins.clone()));
    let metrics = web::Data::new(Metrics::in_registry(registry)?);
    let time_travel = web::Data::new(TimeTravel(config.time_travel));
    let (store, hub) = (web::Data::new(store), web::Data::new(hub));
    let server = HttpServer::new(move || {
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
            .configure(http::routes)
            .wrap(Compress::default())
            .wrap(from_fn(http::edge::edge))
    })
    .workers(available_parallelism().map_or(1, NonZeroUsize::get))
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(REQUEST_HEAD_WAIT)
    .shutdown_timeout(DRAIN_S)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

async fn auth(config: &Config) -> Result<Auth, StartError> {
    let (variable, keys) = match &config.token_keys {
        TokenKeys::Secret => {
            ("ROLLCALL_JWT_SECRET", KeySource::Secret(token::signing_secret(&config.signing)?.into_bytes()))
        }
        TokenKeys::PublicKey(pem) => ("ROLLCALL_JWT_PUBLIC_KEY", KeySource::PublicKey(pem.clone())),
        TokenKeys::Jwks(text) => ("ROLLCALL_JWKS_FILE", KeySource::Jwks(text.clone())),
        TokenKeys::JwksUrl(url) => ("ROLLCALL_JWKS_URL", KeySource::JwksUrl(url.clone())),
    };
    let settings = AuthSettings { keys, issuer: config.jwt_issuer.clone(), audience: config.jwt_audience.clone() };
    Auth::start(settings).await.map_err(|error| StartError::Keys(variable, error))
}

/// Listens on the first address that can be bound, before anything else is started.
fn listen(addresses: &[SocketAddr]) -> Result<(TcpListener, SocketAddr), StartError> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it stands for no address");
    for &address in addresses {
        match bind(address) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    let names: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    Err(StartError::Listen(names.join(" or "), last))
}

fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let options = SockRef::from(&listener);
    options.set_tcp_user_timeout(Some(UNREAD_MAX))?;
    options.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}
