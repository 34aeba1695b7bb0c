//! Thousands of sockets that listen to one class and do nothing else.

use std::path::Path;

use serde_json::json;

use super::findings::Findings;
use super::ground::{Ground, Org, ahead, class, free_booking};
use crate::Result;
use crate::push::crowd::Crowd;
use crate::push::socket::ROLLCALL;

const SOCKETS: usize = 5_000;

/// How many one member may open is fewer than ten.
const A_MEMBER: usize = 5;

const MEMORY_MB_MAX: f64 = 100.0;

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let org = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        org.ask("POST", "/v1/classes", &class("one", ahead(0), 20)).await?;
        org
    };
    let service = ground.limited()?;
    let hello = |n: usize| {
        let token = org.token(&format!("m-{}", n / A_MEMBER), "member")?;
        Ok(json!({"op": "hello", "token": token, "topics": {"class:one": 0}}).to_string())
    };
    let hellos: Result<Vec<String>> = (0..SOCKETS).map(hello).collect();
    let before = service.resident_mb()?.0;
    service.forget_peak()?;
    let crowd = Crowd::gather(service.port, ROLLCALL, hellos?).await?;
    let (now, peak) = service.resident_mb()?;
    findings.told("sockets", SOCKETS as f64);
    findings.told("memory of a socket, KB", (now - before) * 1024.0 / SOCKETS as f64);
    findings.at_most("memory above before at most, MB", peak - before, MEMORY_MB_MAX);
    drop(crowd);
    Ok(())
}
