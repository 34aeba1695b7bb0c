//! Reading an organisation raw: its keys, and each as the type it should have.
//!
//! Reads go out many at a time, because a Redis with a million keys answers one by one in minutes. What a key means is
//! `picture.rs`'s affair.

use std::collections::{BTreeMap, HashMap};

use redis::streams::StreamRangeReply;
use redis::{FromRedisValue, Value};
use tokio::task::JoinSet;

use crate::domain::ids::OrgId;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::lanes::Lanes;
use crate::store::reply::corrupt;

/// Keys one SCAN is asked to look at.
const SCAN_COUNT: usize = 1_000;

/// Reads under way at once: far fewer than the lanes allow, so that a live service keeps its room.
const READS_MAX: usize = 256;

/// Lines of a stream read at once.
const LINES_MAX: usize = 1_000;

/// The members of a sorted set and their scores.
pub type Scores = BTreeMap<String, i64>;

/// The fields of a hash; an empty one counts as none.
#[derive(Debug, Default)]
pub struct Fields(HashMap<String, String>);

impl Fields {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The text of a field, or nothing in its place.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// A whole number; `None` where there is none, and where it is not one.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// A number that is 0 until it is first counted.
    pub fn count(&self, name: &str) -> i64 {
        self.number(name).unwrap_or(0)
    }
}

/// A key's content. `Err` holds what Redis said of a key of another type.
pub enum Content {
    Hash(Fields),
    Sorted(Scores),
    Lines(Vec<String>),
    Text,
    WrongType(String),
}

/// How a key is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Hash,
    Sorted,
    List,
    Text,
}

/// Every key that matches, sorted. SCAN may name one twice.
pub async fn keys(lanes: &Lanes, pattern: &str) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT);
        let (next, page): (String, Vec<Vec<u8>>) = read(lanes.call(&scan).await?)?;
        found.extend(page.iter().map(|key| String::from_utf8_lossy(key).into_owned()));
        if next == "0" {
            found.sort();
            found.dedup();
            return Ok(found);
        }
        cursor = next;
    }
}

/// Every key of an organisation.
pub async fn keys_of(lanes: &Lanes, org: &OrgId) -> Result<Vec<String>, StoreError> {
    // Nothing that an id may hold means anything to MATCH.
    keys(lanes, &format!("{}*", keys::prefix(org))).await
}

/// The number of the last change; none where it cannot be read.
pub async fn changes(lanes: &Lanes, org: &OrgId) -> Result<Option<String>, StoreError> {
    match lanes.call(redis::cmd("HGET").arg(keys::anchor(org)).arg("changes")).await {
        Err(StoreError::Corrupt(_)) => Ok(None),
        value => read(value?),
    }
}

/// The server's time in milliseconds.
pub async fn time(lanes: &Lanes) -> Result<i64, StoreError> {
    let (seconds, micros): (i64, i64) = read(lanes.call(&redis::cmd("TIME")).await?)?;
    Ok(seconds * 1000 + micros / 1000)
}

/// The content of each key, in no order.
pub async fn contents(
    lanes: &Lanes,
    wanted: Vec<(String, Kind)>,
    mut each: impl FnMut(String, Content),
) -> Result<(), StoreError> {
    let mut under_way = JoinSet::new();
    let mut wanted = wanted.into_iter();
    loop {
        while under_way.len() < READS_MAX {
            let Some((key, kind)) = wanted.next() else { break };
            let lanes = lanes.clone();
            under_way.spawn(async move {
                let content = content(&lanes, &key, kind).await;
                (key, content)
            });
        }
        match under_way.join_next().await {
            Some(done) => {
                let (key, content) = done.map_err(corrupt)?;
                each(key, content?);
            }
            None => return Ok(()),
        }
    }
}

async fn content(lanes: &Lanes, key: &str, kind: Kind) -> Result<Content, StoreError> {
    let command = match kind {
        Kind::Hash => redis::cmd("HGETALL").arg(key).to_owned(),
        Kind::Sorted => redis::cmd("ZRANGE").arg(key).arg(0).arg(-1).arg("WITHSCORES").to_owned(),
        Kind::List => redis::cmd("LRANGE").arg(key).arg(0).arg(-1).to_owned(),
        Kind::Text => redis::cmd("STRLEN").arg(key).to_owned(),
    };
    let value = match lanes.call(&command).await {
        Err(StoreError::Corrupt(why)) => return Ok(Content::WrongType(why)),
        value => value?,
    };
    Ok(understood(kind, value).unwrap_or_else(|error| Content::WrongType(error.to_string())))
}

fn understood(kind: Kind, value: Value) -> Result<Content, StoreError> {
    Ok(match kind {
        Kind::Hash => Content::Hash(Fields(read(value)?)),
        Kind::Sorted => {
            let scores: Vec<(String, f64)> = read(value)?;
            Content::Sorted(scores.into_iter().map(|(member, score)| (member, score as i64)).collect())
        }
        Kind::List => Content::Lines(read(value)?),
        Kind::Text => Content::Text,
    })
}

/// Every line of a stream, oldest first: its id and its fields. `Err` inside holds what Redis said of another type.
pub async fn stream(
    lanes: &Lanes,
    key: &str,
    mut each: impl FnMut(String, Fields),
) -> Result<Result<(), String>, StoreError> {
    let mut from = "-".to_owned();
    loop {
        let mut range = redis::cmd("XRANGE");
        range.arg(key).arg(&from).arg("+").arg("COUNT").arg(LINES_MAX);
        let page = match lanes.call(&range).await {
            Err(StoreError::Corrupt(why)) => return Ok(Err(why)),
            page => read::<StreamRangeReply>(page?)?.ids,
        };
        let Some(last) = page.last() else { return Ok(Ok(())) };
        from = format!("({}", last.id);
        for line in page {
            let field = |(name, value): (String, Value)| Ok((name, read::<String>(value)?));
            let fields = line.map.into_iter().map(field).collect::<Result<_, StoreError>>()?;
            each(line.id, Fields(fields));
        }
    }
}

fn read<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    T::from_redis_value(value).map_err(corrupt)
}
