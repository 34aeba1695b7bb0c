//! What is hardly HTTP: answered with a 4xx or by hanging up, and the next caller notices nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::support::api::World;

/// What the service says to these bytes, up to where it hangs up or falls silent.
fn said_to(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    // The service may hang up before it has heard everything.
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read) = stream.read(&mut piece) {
        if read == 0 {
            break;
        }
        said.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn status(said: &str) -> Option<u16> {
    said.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hardly_http_harms_nobody() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let (port, desk) = (world.services()[0].port, org.desk());
    let before = org.cursor().await;
    let put = format!(
        "PUT /v1/clubs/new HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
        desk.token()
    );
    let get = format!("GET /v1/clubs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", desk.token());
    let strange: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"hello\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET /v1/clubs HTTP/9.9\r\nHost: x\r\n\r\n".to_vec(),
        b"GET  HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET /v1/clubs HTTP/1.1\r\nno colon\r\n\r\n".to_vec(),
        b"GET /v1/clubs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n".to_vec(),
        b"GET /v1/clubs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n".to_vec(),
        [get.as_bytes(), b"X: ", &[b'x'; 200_000], b"\r\n\r\n"].concat(),
        [put.as_bytes(), b"Content-Length: -1\r\n\r\n{}"].concat(),
        [put.as_bytes(), b"Content-Length: 10\r\nContent-Length: 20\r\n\r\n{\"name\":\"N\"}"].concat(),
        [put.as_bytes(), b"Content-Length: 99999999999999999999\r\n\r\n{}"].concat(),
        [put.as_bytes(), b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"].concat(),
        [put.as_bytes(), b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}\r\n0\r\n\r\n"].concat(),
        [put.as_bytes(), b"Transfer-Encoding: gzip\r\n\r\n{}"].concat(),
        [put.as_bytes(), b"Content-Length: 12\r\nIdempotency-Key: \xff\r\n\r\n{\"name\":\"N\"}"].concat(),
        [put.as_bytes(), b"Content-Length: 12\r\nIf-Match: \xff\r\n\r\n{\"name\":\"N\"}"].concat(),
        [put.as_bytes(), b"Content-Length: 12\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n{\"name\":\"N\"}"]
            .concat(),
        // Fewer bytes than promised: waited for, and never carried out.
        [put.as_bytes(), b"Content-Length: 500\r\n\r\n{\"name\":\"N\"}"].concat(),
    ];
    for bytes in strange {
        let said = tokio::task::block_in_place(|| said_to(port, &bytes));
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(
            said.is_empty() || status(&said).is_some_and(|status| (400..500).contains(&status)),
            "{shown:?}: {said}"
        );
    }
    assert_eq!(org.cursor().await, before);
    desk.put("/v1/clubs/new", json!({ "name": "New" })).await;
}
