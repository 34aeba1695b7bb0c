//! Reading a JSON object field by field, so that a parser reads like the table of its fields.
//!
//! A parser asks for each field with the parser of its value, goes on after a wrong one, and at the end `finish` reports
//! all that was wrong, missing or not asked for. It knows nothing of any particular body.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::invalid::{FieldError, Parsed, under, wrong};
use super::visible::{is_plain, is_seen};

/// A JSON object being read. Each reader gives `None` for a field that is wrong, which `finish` then reports.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub fn of(body: &'a Value) -> Parsed<Self> {
        match body {
            Value::Object(object) => Ok(Self { object, known: Vec::new(), errors: Vec::new() }),
            _ => wrong("must be an object"),
        }
    }

    /// A field that must be there and not null.
    pub fn required<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        match self.look(name) {
            None | Some(Value::Null) => self.note(name, wrong("is missing")),
            Some(value) => self.note(name, parse(value)),
        }
    }

    /// A field that may be absent or null, both of which mean none.
    pub fn nullable<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<Option<T>> {
        match self.look(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.note(name, parse(value)).map(Some),
        }
    }

    /// A field that may be absent, but not null.
    pub fn given<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<Option<T>> {
        match self.look(name) {
            None => Some(None),
            Some(Value::Null) => self.note(name, wrong("must not be null")),
            Some(value) => self.note(name, parse(value)).map(Some),
        }
    }

    /// A field of a change: absent leaves what there is (`None`), null takes it away (`Some(None)`).
    pub fn clearable<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<Option<Option<T>>> {
        let named = self.has(name);
        self.nullable(name, parse).map(|value| named.then_some(value))
    }

    /// A field that somebody else reads.
    pub fn accept(&mut self, name: &'static str) {
        self.known.push(name);
    }

    /// Whether the field is there, be it null.
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Reports what is wrong between fields that are each right.
    pub fn refuse(&mut self, pointer: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(pointer, detail));
    }

    /// Reports the fields nobody asked for, and builds the value if nothing was wrong.
    pub fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Parsed<T> {
        let unknown = self.object.keys().filter(|name| !self.known.contains(&name.as_str()));
        self.errors.extend(unknown.map(|name| FieldError::new("", "is not a known field").under(name)));
        match build() {
            Some(value) if self.errors.is_empty() => Ok(value),
            Some(_) | None => Err(self.errors),
        }
    }

    fn look(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object.get(name)
    }

    fn note<T>(&mut self, name: &str, parsed: Parsed<T>) -> Option<T> {
        parsed.map_err(|errors| self.errors.extend(under(name, errors))).ok()
    }
}

/// Text of so many characters, of which at least one is seen, without control characters and turns of the writing
/// direction; spaces around it are dropped.
pub fn text(len: RangeInclusive<usize>) -> impl Fn(&Value) -> Parsed<String> {
    move |value| {
        let good = value.as_str().filter(|text| is_plain(text)).map(str::trim);
        match good.filter(|text| len.contains(&text.chars().count()) && is_seen(text)) {
            Some(text) => Ok(text.to_owned()),
            None => wrong(format!(
                "must be text of {} to {} characters: one at least that is seen, and none that controls or turns the writing",
                len.start(),
                len.end()
            )),
        }
    }
}

/// A whole number in a range; `5.0` is none.
pub fn integer(range: RangeInclusive<u32>) -> impl Fn(&Value) -> Parsed<u32> {
    move |value| {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| range.contains(number)) {
            Some(number) => Ok(number),
            None => wrong(format!("must be a whole number from {} to {}", range.start(), range.end())),
        }
    }
}

/// True or false.
pub fn flag(value: &Value) -> Parsed<bool> {
    value.as_bool().map_or_else(|| wrong("must be true or false"), Ok)
}

/// A string that means something: `parse` reads it, and its error says what it must be.
pub fn string<T, E: Display>(parse: impl Fn(&str) -> Result<T, E>) -> impl Fn(&Value) -> Parsed<T> {
    move |value| match value.as_str() {
        Some(text) => parse(text).or_else(|error| wrong(error.to_string())),
        None => wrong("must be a string"),
    }
}

/// The id that the path names already.
pub fn exactly(id: &str) -> impl Fn(&Value) -> Parsed<()> {
    move |value| if value == id { Ok(()) } else { wrong("must be the id in the path, or absent") }
}

/// A list of so many values, none of them twice.
pub fn list<T: PartialEq>(
    len: RangeInclusive<usize>,
    parse: impl Fn(&Value) -> Parsed<T>,
) -> impl Fn(&Value) -> Parsed<Vec<T>> {
    move |value| {
        let Some(values) = value.as_array().filter(|values| len.contains(&values.len())) else {
            return wrong(format!("must be a list of {} to {}", len.start(), len.end()));
        };
        let mut items = Vec::with_capacity(values.len());
        let mut errors = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let item = match parse(value) {
                Ok(item) if items.contains(&item) => wrong("is listed twice"),
                other => other,
            };
            match item {
                Ok(item) => items.push(item),
                Err(wrong) => errors.extend(under(&index.to_string(), wrong)),
            }
        }
        if errors.is_empty() { Ok(items) } else { Err(errors) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::invalid::pointers;

    #[test]
    fn text_is_trimmed_and_counted_in_characters() {
        let three = text(1..=3);
        assert_eq!(three(&json!("  åøæ ")), Ok("åøæ".to_owned()));
        for bad in [
            json!("åøæå"),
            json!("   "),
            json!(""),
            json!("a\u{7f}"),
            json!("\na"),
            json!("a\u{85}"),
            json!("\u{200b}"),
            json!("\u{3164} "),
            json!("a\u{202e}"),
            json!(7),
            json!(null),
        ] {
            assert_eq!(pointers(three(&bad)), [""], "{bad}");
        }
    }

    #[test]
    fn a_number_is_whole_and_within_its_range() {
        let few = integer(1..=3);
        assert_eq!(few(&json!(3)), Ok(3));
        for bad in [
            json!(0),
            json!(4),
            json!(2.0),
            json!(-1),
            json!("2"),
            json!(u64::MAX),
            json!(4_294_967_298_u64),
            json!(true),
        ] {
            assert_eq!(pointers(few(&bad)), [""], "{bad}");
        }
    }

    #[test]
    fn a_list_names_each_wrong_item_and_says_of_a_double_which_it_is() {
        let ones = list(0..=3, integer(1..=9));
        assert_eq!(ones(&json!([1, 2, 3])), Ok(vec![1, 2, 3]));
        assert_eq!(pointers(ones(&json!([1, "2", 1]))), ["/1", "/2"]);
        assert_eq!(pointers(ones(&json!([1, 2, 3, "x"]))), [""]);
    }

    #[test]
    fn a_field_is_required_nullable_given_or_clearable() {
        let body = json!({"null": null, "one": 1});
        let mut f = Fields::of(&body).unwrap();
        assert_eq!(f.required("one", integer(1..=1)), Some(1));
        assert_eq!(f.nullable("null", integer(1..=1)), Some(None));
        assert_eq!(f.nullable("absent", integer(1..=1)), Some(None));
        assert_eq!(f.given("one", integer(1..=1)), Some(Some(1)));
        assert_eq!(f.given("absent", integer(1..=1)), Some(None));
        assert_eq!(f.clearable("absent", integer(1..=1)), Some(None));
        assert_eq!(f.clearable("null", integer(1..=1)), Some(Some(None)));
        assert_eq!(f.clearable("one", integer(1..=1)), Some(Some(Some(1))));
        assert_eq!(f.finish(|| Some(())), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_told_at_the_end_with_what_nobody_asked_for() {
        let body = json!({"odd": 1, "null": null, "two": 2});
        let mut f = Fields::of(&body).unwrap();
        assert_eq!(f.required("null", flag), None);
        assert_eq!(f.given("null", flag), None);
        assert_eq!(f.required("two", flag), None);
        assert_eq!(pointers(f.finish(|| Some(()))), ["/null", "/null", "/two", "/odd"]);
    }
}
