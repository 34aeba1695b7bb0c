//! One member subscribes to every date of three centuries and lets go of it again.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::findings::Findings;
use super::ground::{CLUB, Ground, Org, free_booking};
use crate::Result;
use crate::push::socket::{Frame, ROLLCALL, Socket};

const SOCKETS: u64 = 3;

/// Topics of one frame, as many as a socket may have.
const TOPICS: u64 = 100;

/// From one subscribing to the next, with an unsubscribing between: just under 20 frames a second.
const EVERY: Duration = Duration::from_millis(104);

/// The first date, and how many there are.
const FIRST: (i32, u32, u32) = (1900, 1, 1);
const DATES: u64 = 109_500;

const MEMORY_MB_MAX: f64 = 100.0;

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let token = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        org.many(vec![org.put_member("ann", "active", "Ann Example")]).await?;
        org.token("ann", "member")?
    };
    let service = ground.limited()?;
    let before = service.resident_mb()?.0;
    service.forget_peak()?;
    let mut sockets = JoinSet::new();
    for n in 0..SOCKETS {
        let mut socket = Socket::open(service.port, ROLLCALL).await?;
        socket.send(&json!({"op": "hello", "token": token}).to_string()).await?;
        socket.until(br#"{"op":"welcome""#).await?;
        sockets.spawn(storm(socket, n * DATES / SOCKETS));
    }
    let mut told = Told::default();
    while let Some(ended) = sockets.join_next().await {
        let one = ended??;
        told.asked += one.asked;
        told.subscribed += one.subscribed;
        told.errors += one.errors;
    }
    let (now, peak) = service.resident_mb()?;
    findings.told("dates asked for", told.asked as f64);
    findings.told("frames that were answered subscribed", f64::from(told.subscribed));
    findings.told("answers that were errors", f64::from(told.errors));
    findings.told("memory above before, at the end, MB", now - before);
    findings.at_most("memory above before at most, MB", peak - before, MEMORY_MB_MAX);
    Ok(())
}

/// How far a socket came.
#[derive(Default)]
struct Told {
    asked: u64,
    subscribed: u32,
    errors: u32,
}

/// One socket's share of the dates; it ends early where the socket is closed.
async fn storm(mut socket: Socket, first: u64) -> std::result::Result<Told, String> {
    let (begun, mut told, mut turn) = (Instant::now(), Told::default(), 0);
    while told.asked < DATES / SOCKETS {
        let names: Vec<String> = (0..TOPICS).filter_map(|n| topic(first + told.asked + n)).collect();
        let topics: Map<String, Value> = names.iter().map(|name| (name.clone(), json!(0))).collect();
        let frames = [
            json!({"op": "subscribe", "id": 1, "topics": topics}),
            json!({"op": "unsubscribe", "id": 2, "topics": names}),
        ];
        for frame in frames {
            sleep_until((begun + EVERY / 2 * turn).into()).await;
            turn += 1;
            if socket.send(&frame.to_string()).await.is_err() || !drain(&mut socket, &mut told).await {
                return Ok(told);
            }
        }
        told.asked += TOPICS;
    }
    Ok(told)
}

/// Reads what has come; whether the socket is still open.
async fn drain(socket: &mut Socket, told: &mut Told) -> bool {
    while let Ok(frame) = timeout(Duration::from_millis(1), socket.next()).await {
        match frame {
            Ok(Frame::Text(text)) => {
                told.subscribed += u32::from(text.starts_with(br#"{"op":"subscribed""#));
                told.errors += u32::from(text.starts_with(br#"{"op":"error""#));
            }
            _ => return false,
        }
    }
    true
}

fn topic(n: u64) -> Option<String> {
    let (year, month, day) = FIRST;
    let date = NaiveDate::from_ymd_opt(year, month, day)?.checked_add_days(Days::new(n))?;
    Some(format!("day:{CLUB}:{date}"))
}
