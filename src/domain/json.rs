//! Reads JSON the strict way: one value, no duplicate keys, no trailing text, no
//! deeper than [`DEPTH_MAX`], valid UTF-8. Two readers of the same bytes can then
//! never disagree about what they say.
//!
//! It knows nothing of requests; bodies and fingerprints are built on it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Arrays and objects inside one another. No body of the contract needs more than
/// five; the bound keeps a small body from costing a deep stack.
pub const DEPTH_MAX: usize = 32;

/// Reads one JSON value; the error is a sentence for the caller, with the place.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 after byte {}", error.valid_up_to()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth_left: DEPTH_MAX }.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// The same value always as the same text: keys sorted, no white space.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Strict, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Strict { depth_left }),
            None => Err(E::custom(format_args!("deeper than {DEPTH_MAX} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom("a key appears twice in one object"));
            }
            let value = access.next_value_seed(inside)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        let refused: &[&[u8]] = &[
            b"",
            b" ",
            b"{",
            b"nul",
            b"{}{}",
            b"{} x",
            b"[1,]",
            b"{\"a\":1,}",
            b"{'a':1}",
            b"{a:1}",
            b"NaN",
            b"01",
            b"+1",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"\"\\ud800\"",
            b"\"\x01\"",
            b"{\"a\":1,\"a\":1}",
            b"{\"a\":{\"b\":1,\"b\":2}}",
            b"{\"a\":1,\"\\u0061\":2}",
            b"// x\n{}",
            b"1e999",
            b"\"\n\"",
        ];
        for bytes in refused {
            assert!(parse(bytes).is_err(), "{:?} was taken", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn depth_is_taken_at_the_limit_and_refused_one_past_it() {
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(parse(nested(DEPTH_MAX + 1).as_bytes()).is_err());
        assert!(parse(nested(60_000).as_bytes()).is_err());
    }

    #[test]
    fn the_canonical_text_forgets_order_and_space_but_nothing_else() -> Result<(), String> {
        let one = parse(br#" {"b": [1, {"z":null,"a":"\u00e9"}], "a": 2.5} "#)?;
        let two = parse("{\"a\":2.5,\"b\":[1,{\"a\":\"é\",\"z\":null}]}".as_bytes())?;
        assert_eq!(canonical(&one), canonical(&two));
        assert_eq!(canonical(&one), r#"{"a":2.5,"b":[1,{"a":"é","z":null}]}"#);
        assert_ne!(canonical(&parse(b"[1,2]")?), canonical(&parse(b"[2,1]")?));
        Ok(())
    }
}
