//! Downloads of the largest static body that nobody reads, and others that are read a little at a time.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::findings::Findings;
use super::ground::Ground;
use crate::Result;
use crate::stack::Service;
use crate::wire::{Wire, request};

const UNREAD: usize = 200;
const TRICKLING: usize = 20;

/// What a client has room for, and one who trickles.
const RECEIVE_BYTES: u32 = 4 * 1024;
const TRICKLING_BYTES: u32 = 16 * 1024;

/// Those who trickle read so many bytes a second: enough for the kernel to tell the sender of new room before the
/// sender gives up on one who takes nothing, and minutes for the whole body.
const READ_BYTES: usize = 1024;

/// After so long nobody who does not read, or hardly, is still served.
const ALIVE_MAX: Duration = Duration::from_secs(60);

/// What memory may grow by.
const MEMORY_MB_MAX: f64 = 100.0;

/// Where the large static bodies are; the largest of them is taken.
const BODIES: [&str; 5] =
    ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/openapi.json", "/asyncapi.json", "/rollcall.js"];

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let service = ground.limited()?;
    let (path, bytes) = largest(service.port).await?;
    findings.told(format!("bytes of {path}"), bytes as f64);
    let before = service.resident_mb()?.0;
    service.forget_peak()?;
    let (mut unread, mut trickling) = (Vec::new(), Vec::new());
    for _ in 0..UNREAD {
        unread.push(ask(service.port, path, RECEIVE_BYTES).await?);
    }
    for _ in 0..TRICKLING {
        trickling.push(ask(service.port, path, TRICKLING_BYTES).await?);
    }
    let begun = Instant::now();
    while begun.elapsed() < ALIVE_MAX {
        sleep(Duration::from_secs(1)).await;
        for stream in &mut trickling {
            let _ = timeout(Duration::from_millis(5), stream.read(&mut [0; READ_BYTES])).await;
        }
    }
    findings.at_most("memory above before at most, MB", service.resident_mb()?.1 - before, MEMORY_MB_MAX);
    let alive = format!("after {} s", ALIVE_MAX.as_secs());
    findings.at_most(format!("unread, still served {alive}"), alive_of(&service, &unread)?, 0.0);
    findings.at_most(format!("trickling, still served {alive}"), alive_of(&service, &trickling)?, 0.0);
    drop((unread, trickling));
    sleep(Duration::from_secs(3)).await;
    findings.told("memory above before, when all have gone, MB", service.resident_mb()?.0 - before);
    Ok(())
}

async fn largest(port: u16) -> Result<(&'static str, usize)> {
    let mut found = ("", 0);
    for path in BODIES {
        let mut wire = Wire::open(port).await?;
        let answer = wire.call(&request("GET", path, "", None, "")).await?;
        if answer.status == 200 && answer.body.len() > found.1 {
            found = (path, answer.body.len());
        }
    }
    if found.1 == 0 { Err("there is no static body".into()) } else { Ok(found) }
}

/// A request whose answer does not fit into what its sender has room for.
async fn ask(port: u16, path: &str, room: u32) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(room)?;
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: br\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}

fn alive_of(service: &Service, streams: &[TcpStream]) -> Result<f64> {
    let ports: std::io::Result<Vec<u16>> = streams.iter().map(|one| Ok(one.local_addr()?.port())).collect();
    Ok(service.established(&ports?)? as f64)
}
