//! Pongs as fast as loopback takes them, from a stranger who never says hello and from a member.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::findings::Findings;
use super::ground::{Ground, Org, free_booking};
use crate::Result;
use crate::push::socket::{ROLLCALL, Socket};
use crate::stack::Service;

/// How long frames are sent.
const SPAN: Duration = Duration::from_secs(3);

/// What a control frame may carry at most, and how many go into one write.
const PAYLOAD: u8 = 125;
const FRAMES: usize = 4_096;

/// What memory may grow by, and where the attack ends for the machine's sake.
const MEMORY_MB_MAX: f64 = 100.0;
const ENOUGH_MB: f64 = 1_500.0;

/// How often the service's memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let token = {
        let setup = ground.unlimited()?;
        Org::found(setup.port, "a", &free_booking()).await?.token("ann", "member")?
    };
    for (who, hello) in [("a stranger", None), ("a member", Some(json!({"op": "hello", "token": token}).to_string()))] {
        let service = ground.limited()?;
        let mut socket = Socket::open(service.port, ROLLCALL).await?;
        if let Some(hello) = hello {
            socket.send(&hello).await?;
            socket.until(br#"{"op":"welcome""#).await?;
        }
        let before = service.resident_mb()?.0;
        service.forget_peak()?;
        let sent_mb = pongs(&service, socket.into_std()?, before).await?;
        findings.told(format!("{who}: MB of pongs taken in {} s", SPAN.as_secs()), sent_mb);
        let grown = service.resident_mb()?.1 - before;
        findings.at_most(format!("{who}: memory above before at most, MB"), grown, MEMORY_MB_MAX);
    }
    Ok(())
}

/// Sends them on a thread of its own; how many MB were taken.
async fn pongs(service: &Service, mut stream: TcpStream, before: f64) -> Result<f64> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(Duration::from_millis(200)))?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let sender = thread::spawn(move || {
        let mut frame = vec![0x8a, 0x80 | PAYLOAD, 0, 0, 0, 0];
        frame.resize(frame.len() + usize::from(PAYLOAD), b'x');
        let (frames, mut sent, begun) = (frame.repeat(FRAMES), 0, Instant::now());
        let mut left = 0;
        while begun.elapsed() < SPAN && !stopped.load(Ordering::Relaxed) {
            match stream.write(&frames[left..]) {
                Ok(bytes) => {
                    sent += bytes;
                    left = (left + bytes) % frames.len();
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        sent
    });
    while !sender.is_finished() {
        sleep(LOOK).await;
        if service.resident_mb()?.0 - before > ENOUGH_MB {
            stop.store(true, Ordering::Relaxed);
        }
    }
    let sent = sender.join().map_err(|_| "the sender's thread broke")?;
    Ok(sent as f64 / (1024.0 * 1024.0))
}
