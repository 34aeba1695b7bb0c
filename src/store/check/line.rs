//! A line of what happened, as a check reads it.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;

/// A line of the stream or of a class's history. Of the data only what can be checked is kept.
pub struct Line {
    pub ms: i64,
    pub number: i64,
    /// Tells whether two lines are the same text.
    pub text_hash: u64,
    pub event: String,
    pub class: Option<String>,
    pub booking: Option<String>,
    pub member: Option<String>,
    /// The booking's status after the event.
    pub status: Option<String>,
    /// What a class was changed in.
    pub changed: BTreeSet<String>,
    /// The class's counts as announced.
    pub counts: Option<Value>,
    /// The ledger line it announces.
    pub fee: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    event: String,
    class: Option<String>,
    booking: Option<String>,
    member: Option<String>,
    data: Value,
}

impl Line {
    /// `<ms>-<number>` and the event's JSON.
    pub fn read(id: &str, text: &str) -> Option<Line> {
        let (ms, number) = id.split_once('-')?;
        let written: Written = serde_json::from_str(text).ok()?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut data = written.data;
        let text_of = |name: &str| data[name].as_str().map(str::to_owned);
        let names = |value: &Value| {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Line {
            ms: ms.parse().ok()?,
            number: number.parse().ok()?,
            text_hash: hasher.finish(),
            event: written.event,
            class: written.class,
            booking: written.booking,
            member: written.member,
            status: text_of("status"),
            changed: names(&data["changed"]),
            fee: text_of("fee"),
            counts: data.get_mut("class").map(Value::take),
        })
    }
}
