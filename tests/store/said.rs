//! What a function answered, taken apart.

use std::collections::HashMap;

use redis::{FromRedisValue, Value as Reply};

/// What a function answered.
#[derive(Clone, Debug)]
pub struct Said {
    pub tag: String,
    pub cursor: String,
    /// How much was looked at.
    pub spent: u32,
    /// When something next falls due, in milliseconds; empty for never.
    pub due: String,
    pub payload: Vec<Reply>,
}

impl Said {
    pub fn of(value: Reply) -> Said {
        let Reply::Array(items) = value else { panic!("no list: {value:?}") };
        let mut items = items.into_iter();
        let mut head =
            || text(&items.next().expect("a tag, a cursor, a zone, what was looked at, and what is due next"));
        let (tag, cursor, _zone, spent, due) = (head(), head(), head(), head(), head());
        let spent = spent.parse().expect("how much was looked at");
        Said { tag, cursor, spent, due, payload: items.collect() }
    }

    pub fn text(&self, index: usize) -> String {
        text(&self.payload[index])
    }

    /// The code of a refusal; any other answer fails the test.
    pub fn code(&self) -> String {
        assert_eq!(self.tag, "REFUSED", "{self:?}");
        self.text(0)
    }

    /// A list of names and values.
    pub fn record(&self, index: usize) -> HashMap<String, String> {
        HashMap::from_redis_value(self.payload[index].clone()).expect("names and values")
    }

    /// A field of the booking or class answered: the last part.
    pub fn field(&self, name: &str) -> String {
        self.record(self.payload.len() - 1).remove(name).unwrap_or_default()
    }
}

pub fn text(value: &Reply) -> String {
    String::from_redis_value(value.clone()).expect("text")
}
