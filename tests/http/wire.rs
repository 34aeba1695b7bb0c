//! The same over real connections: what only framing shows.

use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use rollcall::http::body::{BODY_BYTES_MAX, Body};
use rollcall::http::problem::Problem;
use rollcall::http::{Metrics, Origins, edge};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn echo(body: Body) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(body.read().await?.to_string().len()))
}

/// A server of one path; it ends with the test's runtime.
async fn serve() -> u16 {
    let server = HttpServer::new(|| {
        App::new()
            .app_data(web::Data::new(Metrics::in_registry(prometheus::Registry::new()).unwrap()))
            .app_data(web::Data::new(Origins::default()))
            .wrap(from_fn(edge::edge))
            .configure(rollcall::http::routes)
            .route("/echo", web::post().to(echo))
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let port = server.addrs()[0].port();
    actix_web::rt::spawn(server.run());
    port
}

/// Sends these bytes and reads until the other side closes.
async fn exchange(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // An answer that comes before all is sent resets the rest: what was read until then counts.
    let (_, _) = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}").into_bytes()
}

fn chunked(body: &str) -> String {
    let chunks = body
        .as_bytes()
        .chunks(1000)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
    chunks.collect::<String>() + "0\r\n\r\n"
}

#[actix_web::test]
async fn a_chunked_body_is_bounded_like_any_other() {
    let port = serve().await;
    for (bytes, status) in [(BODY_BYTES_MAX, "200 OK"), (BODY_BYTES_MAX + 1, "413 Payload Too Large")] {
        let body = format!("\"{}\"", "x".repeat(bytes - 2));
        let answer = exchange(port, &post("Transfer-Encoding: chunked", &chunked(&body))).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bytes} in chunks: {answer}");
        let answer = exchange(port, &post(&format!("Content-Length: {bytes}"), &body)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bytes} at once: {answer}");
    }
}

#[actix_web::test]
async fn a_declared_length_too_long_is_answered_before_it_is_sent() {
    let port = serve().await;
    let answer = exchange(port, &post("Content-Length: 1000000000", "")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("\"code\":\"too_large\""));
}

#[actix_web::test]
async fn a_wrongly_framed_body_is_malformed() {
    let port = serve().await;
    let answer = exchange(port, &post("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[actix_web::test]
async fn a_head_is_answered_without_a_body() {
    let port = serve().await;
    let answer = exchange(port, b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("content-length: 18"), "{answer}");
}
