//! A screen: a socket that comes back, and the documents it builds by the contract's four lines.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout_at};

use super::socket::{Frame, ROLLCALL, Socket};
use crate::Result;
use crate::chain::token;

/// Between two attempts to come back.
const RETRY: Duration = Duration::from_millis(100);

/// Topics with the version and document held.
pub struct Screen {
    ports: Vec<u16>,
    at: usize,
    /// Whose it is.
    pub sub: String,
    token: String,
    socket: Option<Socket>,
    epoch: String,
    pub held: BTreeMap<String, (u64, Value)>,
    pub counts: Counts,
}

/// What became of frames and connections.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub patches: u64,
    /// Patches that replaced the whole.
    pub replaced: u64,
    /// Patches that did not continue what was held.
    pub gaps: u64,
    /// Patches of what was held already.
    pub repeated: u64,
    pub reconnects: u64,
}

impl Screen {
    /// Begins at one of the instances and goes on to the next when its own is away.
    pub fn new(ports: &[u16], at: usize, sub: &str, role: &str, topics: &[String]) -> Result<Screen> {
        Ok(Screen {
            ports: ports.to_vec(),
            at: at % ports.len(),
            sub: sub.to_owned(),
            token: token(sub, role)?,
            socket: None,
            epoch: String::new(),
            held: topics.iter().map(|topic| (topic.clone(), (0, json!({})))).collect(),
            counts: Counts::default(),
        })
    }

    /// Takes in what comes until a moment, or until nothing is left to wait for.
    pub async fn listen(&mut self, until: Instant, enough: impl Fn(&Screen) -> bool) {
        while !enough(self) {
            let Some(socket) = &mut self.socket else {
                if self.come_back().await.is_err() {
                    self.at = (self.at + 1) % self.ports.len();
                    sleep(RETRY).await;
                }
                if Instant::now() >= until {
                    return;
                }
                continue;
            };
            match timeout_at(until, socket.next()).await {
                Err(_) => return,
                Ok(Ok(Frame::Text(text))) => match serde_json::from_slice(&text) {
                    Ok(frame) => self.take(&frame),
                    Err(_) => self.socket = None,
                },
                Ok(Ok(Frame::Close(_)) | Err(_)) => self.socket = None,
            }
        }
    }

    async fn come_back(&mut self) -> Result<()> {
        let port = self.ports[self.at];
        let mut socket = Socket::attempt(TcpSocket::new_v4()?, port, ROLLCALL).await?.map_err(|_| "refused")?;
        let topics: Map<String, Value> =
            self.held.iter().map(|(name, (have, _))| (name.clone(), json!(have))).collect();
        let hello = json!({ "op": "hello", "token": self.token, "epoch": self.epoch, "topics": topics });
        socket.send(&hello.to_string()).await?;
        self.socket = Some(socket);
        self.counts.reconnects += 1;
        Ok(())
    }

    fn take(&mut self, frame: &Value) {
        match frame["op"].as_str() {
            Some("welcome") => frame["epoch"].as_str().unwrap_or_default().clone_into(&mut self.epoch),
            Some("patch") => self.patch(frame),
            Some("bye") => self.socket = None,
            _ => {}
        }
    }

    fn patch(&mut self, frame: &Value) {
        let (from, to) = (frame["from"].as_u64().unwrap_or(0), frame["to"].as_u64().unwrap_or(0));
        let Some((have, document)) = frame["topic"].as_str().and_then(|topic| self.held.get_mut(topic)) else { return };
        self.counts.patches += 1;
        if from == 0 {
            self.counts.replaced += 1;
            *document = frame["data"].clone();
        } else if to <= *have {
            self.counts.repeated += 1;
            return;
        } else if from <= *have {
            merge(document, &frame["data"]);
        } else {
            self.counts.gaps += 1;
            // Coming back asks for what is missing.
            self.socket = None;
            return;
        }
        *have = to;
    }
}

/// RFC 7396.
fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = json!({});
    }
    let Value::Object(known) = document else { return };
    for (key, change) in changes {
        if change.is_null() {
            known.remove(key);
        } else {
            merge(known.entry(key.as_str()).or_insert(Value::Null), change);
        }
    }
}
