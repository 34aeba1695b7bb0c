//! A screen: one socket, and the documents it builds by the four lines of the contract.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::contract::describes;
use crate::support::api::{Named, Org, Person, World, merge, signed, token};
use crate::support::service::SECRET;

/// Nothing here takes so long unless something is broken.
const WAIT: Duration = Duration::from_secs(10);

/// A socket and what it has shown so far.
#[derive(Debug)]
pub struct Screen {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub epoch: String,
    /// Topic, and the version and document held.
    pub held: BTreeMap<String, (u64, Value)>,
    /// Every frame since the last look, pings aside.
    pub frames: Vec<Value>,
    /// Whether it does what every client must.
    pub answers_pings: bool,
    pub pings: usize,
    next_id: u64,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Closed(u16),
    Broken,
}

impl Screen {
    /// Connects to an instance without a word.
    pub async fn connects(port: u16) -> Screen {
        Screen::tries(port, &[("Sec-WebSocket-Protocol", "rollcall.v1")]).await.unwrap_or_else(|refused| {
            panic!("the upgrade was refused: {}", refused.status());
        })
    }

    /// Connects with these headers; `Err` is the answer to an upgrade that was refused.
    pub async fn tries(port: u16, headers: &[(&'static str, &str)]) -> Result<Screen, Box<Response<Option<Vec<u8>>>>> {
        let mut request = format!("ws://127.0.0.1:{port}/v1/live").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => {
                let (epoch, held, frames) = (String::new(), BTreeMap::new(), Vec::new());
                Ok(Screen { socket, epoch, held, frames, answers_pings: true, pings: 0, next_id: 1 })
            }
            Err(Error::Http(response)) => Err(response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Says hello with these versions held, and takes the welcome.
    pub async fn says_hello(&mut self, person: &Person, epoch: &str, topics: Value) -> Value {
        self.sends(json!({ "op": "hello", "token": person.token(), "epoch": epoch, "topics": topics })).await;
        let welcome = self.hears("welcome").await;
        self.epoch = welcome["epoch"].as_str().unwrap().to_owned();
        welcome
    }

    /// A person's screen on an instance that shows these topics, each known already.
    pub async fn of(world: &World, instance: usize, person: &Person, topics: &[&str]) -> Screen {
        let mut screen = Screen::connects(world.services()[instance].port).await;
        let topics: Value = topics.iter().map(|topic| ((*topic).to_owned(), json!(0))).collect();
        screen.says_hello(person, "", topics.clone()).await;
        if topics.as_object().is_some_and(|topics| !topics.is_empty()) {
            screen.hears("subscribed").await;
        }
        for topic in topics.as_object().unwrap().keys() {
            screen.until(|screen| screen.held.contains_key(topic)).await;
        }
        screen
    }

    /// Comes back to an instance with what it held before.
    pub async fn comes_back(self, port: u16, person: &Person) -> Screen {
        let mut screen = Screen::connects(port).await;
        let versions: Value = self.held.iter().map(|(topic, (have, _))| (topic.clone(), json!(have))).collect();
        screen.held = self.held;
        screen.says_hello(person, &self.epoch, versions).await;
        screen.hears("subscribed").await;
        screen
    }

    /// The same, where the service may not be able to answer at first.
    pub async fn tries_to_come_back(&self, port: u16, person: &Person) -> Result<Screen, End> {
        let mut screen = Screen::connects(port).await;
        let versions: Value = self.held.iter().map(|(topic, (have, _))| (topic.clone(), json!(have))).collect();
        screen.held = self.held.clone();
        screen.sends(json!({ "op": "hello", "token": person.token(), "epoch": self.epoch, "topics": versions })).await;
        loop {
            let frame = screen.next().await?;
            if frame["op"] == "welcome" {
                screen.epoch = frame["epoch"].as_str().unwrap().to_owned();
            } else if frame["op"] == "subscribed" {
                return Ok(screen);
            }
        }
    }

    /// Sends a frame as the document describes it; others go by [`Screen::sends_raw`].
    pub async fn sends(&mut self, frame: Value) {
        describes(&frame);
        self.socket.send(Message::text(frame.to_string())).await.expect("an open socket");
    }

    pub async fn sends_raw(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// Subscribes, and takes the answer.
    pub async fn subscribes(&mut self, topics: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.sends(json!({ "op": "subscribe", "id": id, "topics": topics })).await;
        let answer = self.hears("subscribed").await;
        assert_eq!(answer["id"], id);
        answer
    }

    pub fn doc(&self, topic: &str) -> &Value {
        &self.held.get(topic).unwrap_or_else(|| panic!("{topic} was never shown")).1
    }

    pub fn have(&self, topic: &str) -> u64 {
        self.held.get(topic).map_or(0, |(have, _)| *have)
    }

    /// Waits for a frame with this op, taking in whatever comes before.
    pub async fn hears(&mut self, op: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|end| panic!("{end:?} while waiting for {op}"));
            if frame["op"] == op {
                return frame;
            }
        }
    }

    /// Waits for a patch of a topic that names an event.
    pub async fn hears_of(&mut self, topic: &str, event: &str) -> Value {
        loop {
            let frame = self.hears("patch").await;
            if frame["topic"] == topic && frame["event"] == event {
                return frame;
            }
        }
    }

    /// Takes frames in until something is so.
    pub async fn until(&mut self, so: impl Fn(&Screen) -> bool) {
        while !so(self) {
            let shown = self.held.clone();
            self.next().await.unwrap_or_else(|end| panic!("{end:?} while showing {shown:#?}"));
        }
    }

    /// Takes in what still comes, until nothing has come for so long.
    pub async fn hears_nothing_for(&mut self, ms: u64) {
        while let Ok(Ok(_)) = timeout(Duration::from_millis(ms), self.next()).await {}
    }

    /// Takes frames in until so many pings have come.
    pub async fn hears_pings(&mut self, most: usize) {
        while self.pings < most {
            self.hears_nothing_for(100).await;
        }
    }

    /// Waits until the service has answered a control frame, and so has taken everything sent before.
    pub async fn is_there(&mut self) {
        self.sends_raw(Message::Ping(b"there?".to_vec().into())).await;
        loop {
            let message = timeout(WAIT, self.socket.next()).await.expect("an answer");
            match message {
                Some(Ok(Message::Pong(_))) => return,
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("{other:?} while waiting for a pong"),
            }
        }
    }

    /// Says goodbye, and waits until the service has answered it.
    pub async fn leaves(mut self) {
        self.socket.close(None).await.expect("an open socket");
        while self.next().await.is_ok() {}
    }

    /// Waits until the socket is closed by the service.
    pub async fn ends(&mut self) -> End {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }

    /// The next frame, taken in; pings are answered and not shown.
    pub async fn next(&mut self) -> Result<Value, End> {
        loop {
            let message = timeout(WAIT, self.socket.next()).await;
            let message = message.unwrap_or_else(|_| panic!("nothing came for {WAIT:?}; so far {:#?}", self.frames));
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("a frame is JSON");
                    describes(&frame);
                    if frame["op"] == "ping" {
                        self.pings += 1;
                        if !self.answers_pings {
                            continue;
                        }
                        self.sends(json!({ "op": "pong" })).await;
                        continue;
                    }
                    self.take(&frame);
                    self.frames.push(frame.clone());
                    return Ok(frame);
                }
                Some(Ok(Message::Close(reason))) => {
                    return Err(reason.map_or(End::Broken, |reason| End::Closed(reason.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Broken),
            }
        }
    }

    /// The whole client, as the contract has it.
    fn take(&mut self, frame: &Value) {
        if frame["op"] == "gone" {
            self.held.remove(frame["topic"].as_str().unwrap());
        }
        if frame["op"] != "patch" {
            return;
        }
        let version = |name: &str| frame[name].as_u64().expect("a version");
        let (from, to) = (version("from"), version("to"));
        let held = self.held.entry(frame["topic"].as_str().unwrap().to_owned()).or_insert((0, Value::Null));
        if from == 0 {
            held.1 = frame["data"].clone();
        } else if to <= held.0 {
            return;
        } else {
            assert!(from <= held.0, "a gap: held {}, {frame}", held.0);
            merge(&mut held.1, &frame["data"]);
        }
        held.0 = to;
    }
}

impl Org {
    /// A token that is good for so many seconds.
    pub fn token_for(&self, sub: &str, role: &str, seconds: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        signed(&json!({ "sub": sub, "role": role, "org": self.id, "exp": now + seconds }), SECRET)
    }

    /// A token of another organisation.
    pub fn token_in(&self, org: &str, sub: &str, role: &str) -> String {
        token(sub, role, Some(org))
    }

    /// What the API shows of a class, as its topic does.
    pub async fn face(&self, class: &impl Named) -> Value {
        face_of(&self.desk().sees(class).await.body)
    }
}

/// The public face in a class's body; what is null is absent.
pub fn face_of(body: &Value) -> Value {
    let names = [
        "status",
        "capacity",
        "booked",
        "free",
        "waiting",
        "checked_in",
        "needed",
        "title",
        "room",
        "instructor",
        "starts_at",
        "ends_at",
        "revision",
    ];
    let known = names.into_iter().filter(|name| !body[*name].is_null());
    known.map(|name| (name.to_owned(), body[name].clone())).collect()
}
