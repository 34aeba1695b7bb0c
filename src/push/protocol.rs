//! What travels over a socket: topics, the frames of both sides, close codes. Text in, values out, and back.
//!
//! It knows no socket and no document's inside.

use std::collections::BTreeMap;
use std::fmt;

use bytestring::ByteString;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::domain::calendar::parse_date;
use crate::domain::ids::{ClassId, ClubId, MemberId};
use crate::domain::json;

/// The subprotocol.
pub const PROTOCOL: &str = "rollcall.v1";

/// Bytes of the first frame, which may carry a token (16 KiB at most) and many topics.
pub const HELLO_BYTES_MAX: usize = 24 * 1024;
/// Bytes of any later frame.
pub const FRAME_BYTES_MAX: usize = 4 * 1024;

/// A change number; 0 is none.
pub type Version = u64;

/// Topics by name, each with the version its caller holds.
pub type Held = BTreeMap<String, Version>;

/// A document that can be listened to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    Class(ClassId),
    Day(ClubId, NaiveDate),
    /// Of the member whose token it is.
    Me(MemberId),
    Roster(ClassId),
}

/// What a client names a topic by. `me` has no name in it: whose it is says the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicName {
    Class(ClassId),
    Day(ClubId, NaiveDate),
    Me,
    Roster(ClassId),
}

impl TopicName {
    /// None for what is no topic.
    pub fn parse(text: &str) -> Option<TopicName> {
        if text == "me" {
            return Some(TopicName::Me);
        }
        let (kind, name) = text.split_once(':')?;
        match kind {
            "class" => ClassId::parse(name).ok().map(TopicName::Class),
            "roster" => ClassId::parse(name).ok().map(TopicName::Roster),
            "day" => {
                // A date has no colon; what is before it is the club's alone.
                let (club, date) = name.rsplit_once(':')?;
                Some(TopicName::Day(ClubId::parse(club).ok()?, parse_date(date).ok()?))
            }
            _ => None,
        }
    }
}

/// As a client names it.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Class(id) => write!(f, "class:{id}"),
            Topic::Day(club, date) => write!(f, "day:{club}:{date}"),
            Topic::Me(_) => f.write_str("me"),
            Topic::Roster(id) => write!(f, "roster:{id}"),
        }
    }
}

/// A frame from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Hello { token: Option<String>, epoch: Option<String>, topics: Held },
    Subscribe { id: Value, topics: Held },
    Unsubscribe { id: Value, topics: Vec<String> },
    Renew { id: Value, token: String },
    Pong,
}

/// Why a frame is not understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Unreadable {
    /// No JSON object, read as strictly as the body of a request: the connection ends.
    Frame,
    /// An object, but not one we know; answered with an error frame.
    Object { id: Option<Value>, code: &'static str, detail: String },
}

impl Asked {
    pub fn parse(text: &str) -> Result<Asked, Unreadable> {
        let Ok(Value::Object(frame)) = json::parse(text.as_bytes()) else { return Err(Unreadable::Frame) };
        let id = frame.get("id").cloned();
        let wrong = |code, detail: String| Unreadable::Object { id: id.clone(), code, detail };
        let invalid = |detail: &str| wrong("invalid", detail.to_owned());
        let op = frame.get("op").and_then(Value::as_str).ok_or_else(|| wrong("unknown_op", "no op".to_owned()))?;
        let id = || match frame.get("id") {
            Some(id @ (Value::Number(_) | Value::String(_))) => Ok(id.clone()),
            _ => Err(invalid("id must be a number or a text")),
        };
        let token = || text_of(&frame, "token").ok_or_else(|| invalid("token must be a text"));
        let versions = || versions(&frame).ok_or_else(|| invalid("topics must be an object of versions"));
        match op {
            "hello" => {
                let token = if frame.contains_key("token") { Some(token()?) } else { None };
                let epoch = text_of(&frame, "epoch");
                Ok(Asked::Hello { token, epoch, topics: versions()? })
            }
            "subscribe" => Ok(Asked::Subscribe { id: id()?, topics: versions()? }),
            "unsubscribe" => {
                let names = frame.get("topics").and_then(Value::as_array);
                let names = names.and_then(|names| names.iter().map(|n| n.as_str().map(str::to_owned)).collect());
                Ok(Asked::Unsubscribe { id: id()?, topics: names.ok_or_else(|| invalid("topics must be a list"))? })
            }
            "renew" => Ok(Asked::Renew { id: id()?, token: token()? }),
            "pong" => Ok(Asked::Pong),
            other => Err(wrong("unknown_op", format!("{:.40}", other))),
        }
    }
}

fn text_of(frame: &Map<String, Value>, name: &str) -> Option<String> {
    frame.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn versions(frame: &Map<String, Value>) -> Option<Held> {
    match frame.get("topics") {
        None => Some(Held::new()),
        Some(Value::Object(topics)) => {
            topics.iter().map(|(topic, version)| Some((topic.clone(), version.as_u64()?))).collect()
        }
        Some(_) => None,
    }
}

/// Why the service ends a connection. 40xx come back with their versions, 41xx do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    Internal = 4000,
    TokenExpired = 4001,
    TooSlow = 4002,
    NoPong = 4003,
    Shedding = 4004,
    TooManyFrames = 4005,
    GoingAway = 4006,
    BadFrame = 4100,
    Unauthenticated = 4101,
    Forbidden = 4103,
    NoHello = 4108,
    TooManyConnections = 4109,
}

impl CloseCode {
    pub fn number(self) -> u16 {
        self as u16
    }

    /// A few words for people who look at the wire.
    pub fn reason(self) -> &'static str {
        match self {
            CloseCode::Internal => "internal",
            CloseCode::TokenExpired => "token expired",
            CloseCode::TooSlow => "too slow",
            CloseCode::NoPong => "no pong",
            CloseCode::Shedding => "shedding load",
            CloseCode::TooManyFrames => "too many frames",
            CloseCode::GoingAway => "going away",
            CloseCode::BadFrame => "bad frame",
            CloseCode::Unauthenticated => "unauthenticated",
            CloseCode::Forbidden => "forbidden",
            CloseCode::NoHello => "no hello in time",
            CloseCode::TooManyConnections => "too many connections",
        }
    }
}

// ---- frames to a client ----

/// The first frame after a hello.
pub fn welcome(epoch: &str, heartbeat_ms: u64, topics_max: usize, expires_at: &str) -> ByteString {
    let frame = json!({ "op": "welcome", "epoch": epoch, "heartbeat_ms": heartbeat_ms, "topics_max": topics_max,
        "expires_at": expires_at });
    frame.to_string().into()
}

/// The versions now; a hello has no id.
pub fn subscribed(id: Option<&Value>, topics: &[(String, Version)]) -> ByteString {
    let mut frame = json!({ "op": "subscribed" });
    if let Some(id) = id {
        frame["id"] = id.clone();
    }
    let versions: Map<String, Value> =
        topics.iter().map(|(topic, version)| (topic.clone(), (*version).into())).collect();
    frame["topics"] = Value::Object(versions);
    frame.to_string().into()
}

pub fn unsubscribed(id: &Value) -> ByteString {
    json!({ "op": "unsubscribed", "id": id }).to_string().into()
}

pub fn renewed(id: &Value, expires_at: &str) -> ByteString {
    json!({ "op": "renewed", "id": id, "expires_at": expires_at }).to_string().into()
}

pub fn ping() -> ByteString {
    ByteString::from_static(r#"{"op":"ping"}"#)
}

/// What caused a patch, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// None where no event is to be told of: a document that was read afresh.
    pub event: Option<String>,
    pub at: String,
}

/// A merge patch that takes a topic from one version to another; `from` 0 replaces it.
pub fn patch(topic: &Topic, from: Version, to: Version, data: &Value, cause: &Cause) -> ByteString {
    // No topic, event or instant has a character that JSON would escape.
    let event = cause.event.as_ref().map(|event| format!(r#","event":"{event}""#)).unwrap_or_default();
    let at = &cause.at;
    format!(r#"{{"op":"patch","topic":"{topic}","from":{from},"to":{to},"data":{data}{event},"at":"{at}"}}"#).into()
}

/// The right to a topic ended.
pub fn gone(topic: &Topic, code: &str) -> ByteString {
    json!({ "op": "gone", "topic": topic.to_string(), "code": code }).to_string().into()
}

pub fn bye(after_ms: u64, spread_ms: u64) -> ByteString {
    json!({ "op": "bye", "after_ms": after_ms, "spread_ms": spread_ms }).to_string().into()
}

/// Something asked for is not had; `topic` where it is about one.
pub fn error(id: Option<&Value>, topic: Option<&str>, code: &str, detail: &str) -> ByteString {
    let mut frame = json!({ "op": "error" });
    let named = [("id", id.cloned()), ("topic", topic.map(Value::from))];
    for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        frame[name] = value;
    }
    frame["code"] = code.into();
    frame["detail"] = detail.into();
    frame.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_those_of_the_contract() {
        for text in ["class:yoga-1", "day:main:2026-03-02", "roster:yoga-1"] {
            let topic = match TopicName::parse(text) {
                Some(TopicName::Class(id)) => Topic::Class(id),
                Some(TopicName::Day(club, date)) => Topic::Day(club, date),
                Some(TopicName::Roster(id)) => Topic::Roster(id),
                other => panic!("{text} is read as {other:?}"),
            };
            assert_eq!(topic.to_string(), text);
        }
        // Of a day, what is before the last colon is the club's: no club is called so, but its id is what is judged.
        assert_eq!(TopicName::parse("day:2026-03-02:main"), None);
        assert_eq!(TopicName::parse("me"), Some(TopicName::Me));
        for bad in
            ["", "me:ann", "class", "class:", "class:a b", "day:main", "day:main:2026-3-2", "day::2026-03-02", "x:y"]
        {
            assert_eq!(TopicName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_object_ends_the_connection_and_what_is_unknown_does_not() {
        let twice = r#"{"op":"pong","op":"renew"}"#;
        for bad in ["", "[]", "1", "nul", "{", "\"hello\"", twice, r#"{"op":"pong"} x"#] {
            assert_eq!(Asked::parse(bad), Err(Unreadable::Frame), "{bad}");
        }
        for (odd, code) in [
            ("{}", "unknown_op"),
            (r#"{"op":"dance","id":7}"#, "unknown_op"),
            (r#"{"op":"subscribe","topics":{}}"#, "invalid"),
            (r#"{"op":"subscribe","id":1,"topics":[]}"#, "invalid"),
            (r#"{"op":"subscribe","id":1,"topics":{"me":-1}}"#, "invalid"),
            (r#"{"op":"hello","token":5}"#, "invalid"),
        ] {
            let found = Asked::parse(odd);
            assert!(
                matches!(&found, Err(Unreadable::Object { code: found, .. }) if *found == code),
                "{odd}: {found:?}"
            );
        }
    }

    #[test]
    fn a_patch_reads_as_the_contract_says() {
        let at = "2026-03-02T09:00:00+01:00";
        let cause = Cause { event: Some("booking_confirmed".to_owned()), at: at.to_owned() };
        let frame = patch(&Topic::Class("yoga".parse().unwrap()), 3, 7, &json!({ "booked": 2 }), &cause);
        let read: Value = serde_json::from_str(&frame).unwrap();
        let expected = json!({ "op": "patch", "topic": "class:yoga", "from": 3, "to": 7, "data": { "booked": 2 },
            "event": "booking_confirmed", "at": at });
        assert_eq!(read, expected);
    }
}
