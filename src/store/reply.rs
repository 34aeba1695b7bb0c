//! What a function answered, as values: a tag, the cursor, the organisation's zone, and the payload.
//!
//! Functions reply in text and lists of text alone. Whatever does not read as it must is corrupt data, never a panic.

use std::collections::HashMap;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use redis::Value;

use super::error::StoreError;
use crate::domain::calendar::parse_date;
use crate::domain::instant::{Instant, from_ms};
use crate::domain::invalid::FieldError;
use crate::domain::refusal::Refusal;

/// A function's reply: `tag cursor zone spent due payload…`.
pub struct Reply {
    pub tag: String,
    pub cursor: String,
    pub zone: Tz,
    /// When something of the organisation next falls due, in milliseconds; 0 and below is due at once.
    pub due: Option<i64>,
    payload: std::vec::IntoIter<Value>,
}

pub fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

fn text(value: Value) -> Result<String, StoreError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(corrupt),
        Value::SimpleString(text) => Ok(text),
        Value::Int(number) => Ok(number.to_string()),
        other => Err(corrupt(format!("a text was expected, found {other:?}"))),
    }
}

fn list(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(corrupt(format!("a list was expected, found {other:?}"))),
    }
}

/// What the head of a reply says of every call: how many stored things it looked at, and when something of the
/// organisation next falls due. `None` for an error.
pub fn cost_and_due(reply: &Value) -> Option<(u32, Option<i64>)> {
    let Value::Array(items) = reply else { return None };
    let number = |at: usize| match items.get(at) {
        Some(Value::BulkString(bytes)) => std::str::from_utf8(bytes).ok(),
        Some(_) | None => None,
    };
    Some((number(3)?.parse().ok()?, number(4)?.parse().ok()))
}

impl Reply {
    pub fn parse(value: Value) -> Result<Reply, StoreError> {
        Reply::of(list(value)?)
    }

    fn of(items: Vec<Value>) -> Result<Reply, StoreError> {
        let mut payload = items.into_iter();
        let mut head = || text(payload.next().unwrap_or(Value::Nil));
        let (tag, cursor, zone) = (head()?, head()?, head()?);
        let (_spent, due) = (head()?, head()?);
        let zone = if zone.is_empty() { Tz::UTC } else { zone.parse().map_err(corrupt)? };
        let due = if due.is_empty() { None } else { Some(due.parse().map_err(corrupt)?) };
        Ok(Reply { tag, cursor, zone, due, payload })
    }

    /// Whether the call must be made again: something is due first (`AGAIN`), its own work has begun and is not at its
    /// end (`BEGUN`), or it asks for what only this side can compute (`ASK`).
    pub fn is_unfinished(&self) -> bool {
        ["AGAIN", "BEGUN", "ASK"].contains(&self.tag.as_str())
    }

    /// A list inside the payload, read the same way as the payload itself.
    pub fn nested(&mut self) -> Result<Reply, StoreError> {
        let items = list(self.next()?)?;
        let (tag, cursor) = (String::new(), String::new());
        Ok(Reply { tag, cursor, zone: self.zone, due: None, payload: items.into_iter() })
    }

    fn next(&mut self) -> Result<Value, StoreError> {
        self.payload.next().ok_or_else(|| corrupt(format!("the reply {} is too short", self.tag)))
    }

    pub fn is_empty(&self) -> bool {
        self.payload.len() == 0
    }

    pub fn text(&mut self) -> Result<String, StoreError> {
        let value = self.next()?;
        text(value)
    }

    /// Whether a text comes next, and not a list.
    pub fn text_is_next(&self) -> bool {
        matches!(self.payload.as_slice().first(), Some(Value::BulkString(_) | Value::SimpleString(_)))
    }

    /// A text, where the empty text means none.
    pub fn optional(&mut self) -> Result<Option<String>, StoreError> {
        Ok(Some(self.text()?).filter(|text| !text.is_empty()))
    }

    pub fn record(&mut self) -> Result<Record, StoreError> {
        let items = match self.next()? {
            Value::Map(pairs) => pairs.into_iter().flat_map(|(name, value)| [name, value]).collect(),
            other => list(other)?,
        };
        let mut fields = HashMap::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            fields.insert(text(name)?, text(value)?);
        }
        Ok(Record { fields })
    }

    pub fn refusal(&mut self) -> Result<Refusal, StoreError> {
        let (code, until, detail) = (self.text()?, self.text()?, self.text()?);
        if code == "invalid" {
            return Ok(Refusal::Invalid(vec![FieldError::new(until, detail)]));
        }
        Refusal::of(&code, Some(until.as_str())).ok_or_else(|| corrupt(format!("refusal {code} {until}")))
    }
}

/// The fields of one hash.
#[derive(Debug)]
pub struct Record {
    fields: HashMap<String, String>,
}

impl Record {
    /// The text of a field; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The stored text, also when empty.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn required(&self, name: &str) -> Result<&str, StoreError> {
        self.get(name).ok_or_else(|| corrupt(format!("field {name} is missing")))
    }

    pub fn optional<T: FromStr>(&self, name: &str) -> Result<Option<T>, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        let read = |text: &str| text.parse().map_err(|error| corrupt(format!("field {name}: {error}")));
        self.get(name).map(read).transpose()
    }

    pub fn parse<T: FromStr>(&self, name: &str) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        self.optional(name)?.ok_or_else(|| corrupt(format!("field {name} is missing")))
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|text| text != "0")
    }

    pub fn instant(&self, name: &str) -> Result<Option<Instant>, StoreError> {
        let at = |ms| from_ms(ms).ok_or_else(|| corrupt(format!("field {name} is no instant")));
        self.optional::<i64>(name)?.map(at).transpose()
    }

    pub fn instant_of(&self, name: &str) -> Result<Instant, StoreError> {
        self.instant(name)?.ok_or_else(|| corrupt(format!("field {name} is missing")))
    }

    pub fn date(&self, name: &str) -> Result<Option<NaiveDate>, StoreError> {
        let read = |text| parse_date(text).map_err(|error| corrupt(format!("field {name}: {error}")));
        self.get(name).map(read).transpose()
    }
}
