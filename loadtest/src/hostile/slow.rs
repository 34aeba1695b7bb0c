//! Requests that never end: a connection's second head byte by byte, and a body in chunks that trickle.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use super::findings::Findings;
use super::ground::Ground;
use crate::Result;
use crate::stack::Service;

/// Connections of each kind.
const CLIENTS: usize = 20;

/// For so many seconds; a byte of a head each second, a chunk of one byte each fifth.
const SECONDS: u32 = 30;
const CHUNK_EVERY_S: u32 = 5;

const WHOLE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const SECOND: &[u8] = b"GET /healthz HTTP/1.1\r\nX: ";
const CHUNKED: &[u8] = b"POST /v1/classes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
    Transfer-Encoding: chunked\r\n\r\n";
const CHUNK: &[u8] = b"1\r\n \r\n";

/// An answer that is expected is there after so long.
const ANSWER_MAX: Duration = Duration::from_secs(5);

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let service = ground.limited()?;
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        heads.push(second_head(service.port).await?);
        let mut stream = TcpStream::connect(("127.0.0.1", service.port)).await?;
        stream.write_all(CHUNKED).await?;
        bodies.push(stream);
    }
    let begun = Instant::now();
    for second in 0..SECONDS {
        sleep_until((begun + Duration::from_secs(second.into())).into()).await;
        for stream in &mut heads {
            let _ = stream.write_all(b"x").await;
        }
        if second % CHUNK_EVERY_S == 0 {
            for stream in &mut bodies {
                let _ = stream.write_all(CHUNK).await;
            }
        }
    }
    sleep_until((begun + Duration::from_secs(SECONDS.into())).into()).await;
    let what = |kind| format!("{kind} of {CLIENTS} alive after {SECONDS} s");
    findings.at_most(what("second heads"), alive(&service, &heads)?, 0.0);
    findings.at_most(what("trickling bodies"), alive(&service, &bodies)?, 0.0);
    Ok(())
}

/// A connection that has had one answer and has begun to ask again.
async fn second_head(port: u16) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(WHOLE).await?;
    let mut answer = [0; 4096];
    if timeout(ANSWER_MAX, stream.read(&mut answer)).await?? == 0 {
        return Err("the first request was not answered".into());
    }
    stream.write_all(SECOND).await?;
    Ok(stream)
}

fn alive(service: &Service, streams: &[TcpStream]) -> Result<f64> {
    let ports: std::io::Result<Vec<u16>> = streams.iter().map(|one| Ok(one.local_addr()?.port())).collect();
    Ok(service.established(&ports?)? as f64)
}
