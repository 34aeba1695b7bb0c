//! The clocks of connections and what strangers may hold, over raw sockets, with bounds that are short enough to wait for.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, web};
use rollcall::http::wire::{Door, Patience, Room, listen, serve};
use rollcall::http::{Auth, Metrics, Origins, edge};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::rig::Settings;

/// Longer than any bound of these tests.
const LONG: Duration = Duration::from_secs(20);
const ROOMY: Room = Room { kept: 1_000, taken: 2_000 };

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The service's own routes behind these bounds; they end with the test's runtime.
async fn server(patience: Patience, room: Room) -> u16 {
    let (listener, address) = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let auth = web::Data::new(Auth::start(Settings::default().auth).await.unwrap());
    let server = serve(Door { listener, patience, room }, move || {
        App::new()
            .app_data(auth.clone())
            .app_data(web::Data::new(Metrics::in_registry(prometheus::Registry::new()).unwrap()))
            .app_data(web::Data::new(Origins::default()))
            .configure(rollcall::http::routes)
            .wrap(Compress::default())
            .wrap(from_fn(edge::edge))
    });
    actix_web::rt::spawn(server.unwrap());
    address.port()
}

struct Client(TcpStream);

impl Client {
    async fn connects(port: u16) -> Client {
        Client(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    async fn sends(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Asks whether it is alive, and takes the answer.
    async fn is_served(&mut self) {
        self.sends("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut answer = String::new();
        while !answer.ends_with("{\"status\":\"alive\"}") {
            let mut bytes = [0; 4_096];
            let read = timeout(LONG, self.0.read(&mut bytes)).await.unwrap().unwrap();
            assert_ne!(read, 0, "ended after {answer}");
            answer += std::str::from_utf8(&bytes[..read]).unwrap();
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Sends one of these pieces every so often until the connection ends. Says what came and how long it took.
    async fn sends_until_ended(self, piece: &str, every: Duration) -> (String, Duration) {
        let begun = Instant::now();
        let (mut reader, mut writer) = self.0.into_split();
        let sending = async {
            while writer.write_all(piece.as_bytes()).await.is_ok() {
                sleep(every).await;
            }
            std::future::pending::<()>().await;
        };
        let mut answer = Vec::new();
        let reading = timeout(LONG, reader.read_to_end(&mut answer));
        tokio::select! {
            ended = reading => { assert!(ended.is_ok(), "the connection never ended"); }
            () = sending => {}
        }
        (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
    }
}

#[actix_web::test]
async fn every_head_has_its_time_from_its_first_byte_and_no_more() {
    let port = server(Patience { head: ms(1_000), ..Patience::default() }, ROOMY).await;
    for earlier in [0, 1, 2] {
        let mut client = Client::connects(port).await;
        for _ in 0..earlier {
            client.is_served().await;
        }
        client.sends("GET /healthz HTTP/1.1\r\nHost: x\r\nX: ").await;
        let (_, took) = client.sends_until_ended("x", ms(50)).await;
        assert!(took >= ms(900), "a head after {earlier} requests was cut off after {took:?}");
    }
    // Quiet for longer than a head may take, and then a head that comes in time, though in pieces.
    let mut client = Client::connects(port).await;
    client.is_served().await;
    sleep(ms(1_200)).await;
    client.sends("GET /healthz HTTP/1.1\r\nHost: x\r\nX: ").await;
    sleep(ms(200)).await;
    client.sends("x\r\nY: y\r\n\r\n").await;
    client.is_served().await;
}

#[actix_web::test]
async fn a_pipelined_head_that_never_ends_is_cut_off_as_well() {
    let port = server(Patience { head: ms(500), ..Patience::default() }, ROOMY).await;
    let mut client = Client::connects(port).await;
    client.sends("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nX: ").await;
    let (answer, _) = client.sends_until_ended("x", ms(50)).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
}

#[actix_web::test]
async fn an_idle_connection_is_kept_for_so_long() {
    let port = server(Patience { idle: ms(700), ..Patience::default() }, ROOMY).await;
    let mut client = Client::connects(port).await;
    for _ in 0..3 {
        client.is_served().await;
        sleep(ms(300)).await;
    }
    let begun = Instant::now();
    assert_eq!(timeout(LONG, client.0.read(&mut [0])).await.expect("an end").unwrap(), 0);
    assert!(begun.elapsed() >= ms(100), "{:?}", begun.elapsed());
}

#[actix_web::test]
async fn a_body_that_is_answered_before_its_end_is_read_for_a_moment_only() {
    let port = server(Patience { drain: ms(500), ..Patience::default() }, ROOMY).await;
    for path in ["/v1/classes", "/healthz", "/nothing"] {
        for (framing, piece) in [("Transfer-Encoding: chunked", "1\r\nx\r\n"), ("Content-Length: 60000", "x")] {
            let mut client = Client::connects(port).await;
            client.sends(&format!("POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n")).await;
            let (answer, took) = client.sends_until_ended(piece, ms(50)).await;
            assert!(answer.starts_with("HTTP/1.1 4") && answer.contains("connection: close"), "{path}: {answer}");
            assert!(took < ms(5_000), "{path} with {framing} took {took:?}");
        }
    }
}

/// A client with a small buffer that asks for the largest file there is.
async fn asks_for_much(port: u16) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&std::net::SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut client = Client(TcpStream::from_std(socket.into()).unwrap());
    client.sends("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client
}

/// How long it takes until the service has given the client up, which reads a byte now and then.
async fn given_up(client: Client, every: Duration) -> Duration {
    let begun = Instant::now();
    let broken = |read: std::io::Result<usize>| read.is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
    while !broken(client.0.try_read(&mut [0])) && SockRef::from(&client.0).take_error().unwrap().is_none() {
        assert!(begun.elapsed() < LONG, "it is still being answered");
        sleep(every).await;
    }
    begun.elapsed()
}

#[actix_web::test]
async fn an_answer_that_is_hardly_taken_is_ended_and_a_slow_one_is_not() {
    let patience = Patience { stall: ms(1_500), answer_bytes_per_s: 64 * 1024, ..Patience::default() };
    let port = server(patience, ROOMY).await;
    for every in [ms(20), ms(400)] {
        let took = given_up(asks_for_much(port).await, every).await;
        assert!(took >= ms(1_400), "given up after {took:?}");
    }
    // At several times the least rate, for longer than an answer may stand still.
    let mut slow = asks_for_much(port).await;
    let (begun, mut taken) = (Instant::now(), 0);
    while begun.elapsed() < ms(4_000) {
        let mut bytes = [0; 8 * 1024];
        taken += timeout(LONG, slow.0.read(&mut bytes)).await.expect("more").unwrap();
        sleep(ms(10)).await;
    }
    assert!(taken > 300_000, "only {taken} bytes came");
}

#[actix_web::test]
async fn newcomers_get_in_though_idle_connections_fill_the_room() {
    let port = server(Patience::default(), Room { kept: 8, taken: 16 }).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut client = Client::connects(port).await;
        client.is_served().await;
        idle.push(client);
    }
    let (mut first, mut last) = (idle.remove(0), idle.pop().unwrap());
    assert_eq!(timeout(LONG, first.0.read(&mut [0])).await.expect("an end").unwrap(), 0, "the idlest left");
    last.is_served().await;
}

#[actix_web::test]
async fn silent_connections_and_begun_heads_make_room_too() {
    let port = server(Patience::default(), Room { kept: 8, taken: 16 }).await;
    let mut held = Vec::new();
    for number in 0..40 {
        let mut client = Client::connects(port).await;
        if number % 2 == 0 {
            client.sends("GET /healthz HTTP/1.1\r\nX: ").await;
        }
        held.push(client);
    }
    Client::connects(port).await.is_served().await;
}
