//! The connections underneath HTTP: who may stay, and for how long.
//!
//! The server's own clocks cover the first head of a connection and an idle one. What they leave open is covered here,
//! below it: every later head, a body that is left unread, an answer that is hardly taken, and more connections than
//! the process may have files. A request tells its connection's [`Watch`] when it begins and when it is answered.

mod bodies;
mod crowd;
mod pace;
mod socket;
mod watch;

use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::{HttpService, Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Extensions, Server, Service, ServiceFactory};
use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::net::TcpSocket;

pub use self::bodies::{Arrival, Outgoing};
pub use self::watch::{Answering, Watch};

use self::crowd::Crowd;
use self::socket::Socket;

/// How long things may take on a connection; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The head of a request, from its first byte; of a new connection, from its beginning.
    pub head: Duration,
    /// What is left of a chunked body once its answer was given.
    pub drain: Duration,
    /// Nothing at all. Longer than proxies keep theirs, so that they close first.
    pub idle: Duration,
    /// An answer that stands still, or that goes out slower than the least rate.
    pub stall: Duration,
    /// The least rate: so many bytes make good for a second of standing still.
    pub answer_bytes_per_s: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            head: Duration::from_secs(5),
            drain: Duration::from_secs(2),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(30),
            answer_bytes_per_s: 4 * 1024,
        }
    }
}

/// Connections the kernel holds for us until a worker takes them.
const BACKLOG: u32 = 1024;
/// How long a client may take nothing at all before the kernel ends its connection: without this a reader that stalls
/// keeps it for ever, also where nobody here waits to write.
const UNREAD_MAX: Duration = Duration::from_secs(20);
/// Bytes not yet sent that the kernel takes: what waits beyond that can still be merged or dropped, and is counted.
const UNSENT_BYTES_MAX: u32 = 16 * 1024;
/// How long what a client still sends is thrown away after an answer that closes, so that it can read the answer.
const LINGER: Duration = Duration::from_secs(1);
/// How long requests under way may take to finish at the end.
const DRAIN_S: u64 = 5;

/// More threads than this the server does not start.
const WORKERS_MAX: usize = 512;

/// Connections a server may have: beyond `kept` the idle ones are ended first, beyond `taken` none are accepted until
/// others have ended.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub kept: usize,
    pub taken: usize,
}

/// Listens on an address. Connections have the options of their listener.
pub fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let options = SockRef::from(&listener);
    options.set_tcp_user_timeout(Some(UNREAD_MAX))?;
    options.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    // What is written is whole: nothing may wait for a client that acknowledges late.
    options.set_tcp_nodelay(true)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Where clients come in.
pub struct Door {
    pub listener: TcpListener,
    pub patience: Patience,
    pub room: Room,
}

/// A server of an app behind a door.
pub fn serve<F, I, S, B>(door: Door, app: F) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let Door { listener, patience, room } = door;
    let workers = available_parallelism().map_or(1, NonZeroUsize::get).min(WORKERS_MAX);
    let crowd = Crowd::new(room.kept);
    let builder = Server::build();
    let ending = builder.graceful_shutdown_signal();
    let service = move || {
        let (ending, crowd) = (ending.clone(), crowd.clone());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(patience.idle)
            .client_request_timeout(patience.head)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|socket: &Socket, data: &mut Extensions| {
                data.insert(Rc::clone(socket.watch()));
            });
        let app = app().into_factory().map_err(|error| error.into().error_response());
        let http = http.finish(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            let socket = Socket::new(stream, Watch::new(patience, crowd.enter()));
            async move { Ok((socket, actix_http::Protocol::Http1, peer)) }
        })
        .and_then(http)
    };
    let builder = builder
        .workers(workers)
        .max_concurrent_connections(room.taken.div_ceil(workers).max(1))
        .shutdown_timeout(DRAIN_S)
        .disable_signals()
        .listen("http", listener, service)?;
    Ok(builder.run())
}
