//! What lies in Redis under a house: read, compared, damaged and put back.

use std::collections::{BTreeMap, BTreeSet};

use redis::{Cmd, FromRedisValue};
use serde_json::Value;

use crate::house::House;

/// Every key and its content.
pub type Dump = BTreeMap<String, Vec<u8>>;

impl House {
    pub async fn command<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let value = self.lanes.call(command).await.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        T::from_redis_value(value).expect("what was asked for")
    }

    /// A command on one key of the organisation.
    pub async fn on<T: FromRedisValue>(&self, name: &str, key: &str, args: &[&str]) -> T {
        self.command(redis::cmd(name).arg(self.key(key)).arg(args)).await
    }

    /// A stored field; empty where there is none.
    pub async fn field(&self, key: &str, name: &str) -> String {
        self.on::<Option<String>>("HGET", key, &[name]).await.unwrap_or_default()
    }

    pub async fn number(&self, key: &str, name: &str) -> i64 {
        self.field(key, name).await.parse().unwrap_or(0)
    }

    /// The events since a cursor, as `name` or `name member`; one that names several members once for each.
    pub async fn events_since(&self, cursor: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (_, line) in self.lines_since(cursor).await {
            let event = line["event"].as_str().unwrap_or_default();
            let passed = line["data"]["passed"].as_array().into_iter().flatten();
            let members: Vec<&Value> = [&line["member"]].into_iter().chain(passed.map(|one| &one["member"])).collect();
            let named = members.iter().filter_map(|member| member.as_str());
            let known = found.len();
            found.extend(named.map(|member| format!("{event} {member}")));
            if found.len() == known {
                found.push(event.to_owned());
            }
        }
        found
    }

    /// The events since a cursor: id and line.
    pub async fn lines_since(&self, cursor: &str) -> Vec<(String, Value)> {
        let lines: Vec<(String, Vec<String>)> = self.on("XRANGE", "events", &[&format!("({cursor}"), "+"]).await;
        lines.into_iter().map(|(id, fields)| (id, serde_json::from_str(&fields[1]).expect("JSON"))).collect()
    }

    pub async fn cursor(&self) -> String {
        format!("{}-{}", self.number("org", "ms").await, self.number("org", "changes").await)
    }

    /// Everything in this Redis, to be put back.
    pub async fn dump(&self) -> Dump {
        self.every_key("return redis.call('DUMP', key)").await
    }

    /// Everything in this Redis, to be compared: fields of hashes come in an order that means nothing.
    pub async fn sight(&self) -> Dump {
        self.every_key(
            "local kind = redis.call('TYPE', key).ok \
            if kind ~= 'hash' and kind ~= 'set' then return redis.call('DUMP', key) end \
            local flat, out = redis.call(kind == 'hash' and 'HGETALL' or 'SMEMBERS', key), {} \
            for i = 1, #flat, 2 do out[#out + 1] = flat[i] .. '\\0' .. (flat[i + 1] or '') end \
            table.sort(out) return kind .. table.concat(out, '\\0')",
        )
        .await
    }

    async fn every_key(&self, content: &str) -> Dump {
        let script = format!(
            "local function of(key) {content} end local out = {{}} \
            for _, key in ipairs(redis.call('KEYS', '*')) do out[#out + 1] = key out[#out + 1] = of(key) end return out"
        );
        let pairs: Vec<(String, Vec<u8>)> = self.command(redis::cmd("EVAL").arg(script).arg(0)).await;
        pairs.into_iter().collect()
    }

    /// Puts everything back as it was dumped.
    pub async fn restore(&self, dump: &Dump) {
        let script = "redis.call('FLUSHALL') for i = 1, #ARGV, 2 do \
            redis.call('RESTORE', ARGV[i], 0, ARGV[i + 1]) end return #ARGV";
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(0);
        for (key, content) in dump {
            command.arg(key).arg(content);
        }
        let _: i64 = self.command(&command).await;
    }

    /// Puts one key back, or takes it away where there was none.
    pub async fn restore_key(&self, dump: &Dump, key: &str) {
        let _: i64 = self.command(redis::cmd("DEL").arg(key)).await;
        if let Some(content) = dump.get(key) {
            let _: String = self.command(redis::cmd("RESTORE").arg(key).arg(0).arg(content)).await;
        }
    }
}

pub fn assert_same(before: &Dump, after: &Dump, what: &str) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&String> = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).collect();
    assert!(changed.is_empty(), "{what}: changed {changed:?}");
}
