//! What a field must not hold, by the kind of value that it does hold.

use serde_json::{Value, json};

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Characters at most.
    Text(usize),
    Id,
    Int(i64, i64),
    Flag,
    Instant,
    Date,
    Time,
    Span,
    Zone,
    Phone,
    Email,
    Language,
    Currency,
    /// One of some words.
    Word,
    /// `"all"` or a list of so many.
    Scope(usize),
    /// A list of so many.
    List(usize),
    Object,
}

/// A field of a body: where it is, what it holds, and whether it may be left out or null.
#[derive(Clone, Copy)]
pub struct Field {
    pub pointer: &'static str,
    pub kind: Kind,
    pub may_be_absent: bool,
    pub may_be_null: bool,
}

/// A field that must be there.
pub fn needed(pointer: &'static str, kind: Kind) -> Field {
    Field { pointer, kind, may_be_absent: false, may_be_null: false }
}

/// A field that may be left out or null.
pub fn nullable(pointer: &'static str, kind: Kind) -> Field {
    Field { pointer, kind, may_be_absent: true, may_be_null: true }
}

/// A field that may be left out, but not null.
pub fn given(pointer: &'static str, kind: Kind) -> Field {
    Field { pointer, kind, may_be_absent: true, may_be_null: false }
}

impl Field {
    /// Everything that is wrong here.
    pub fn bad_values(&self) -> Vec<Value> {
        let mut bad = self.kind.bad_values();
        if !self.may_be_null {
            bad.push(Value::Null);
        }
        bad
    }
}

fn strings(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

/// Values that are no text.
fn no_text() -> Vec<Value> {
    vec![json!(7), json!(-1.5), json!(true), json!([]), json!(["x"]), json!({}), json!({ "x": 1 })]
}

impl Kind {
    fn bad_values(self) -> Vec<Value> {
        let mut bad = match self {
            Kind::Flag => strings(&["true", "", "yes"]),
            Kind::Int(..) => strings(&["5", "", "five"]),
            Kind::Object => strings(&["", "{}"]),
            Kind::List(_) | Kind::Scope(_) => strings(&["", "none", "[]"]),
            _ => no_text(),
        };
        bad.extend(match self {
            Kind::Text(max) => {
                let long = json!("å".repeat(max + 1));
                [strings(&["", "   ", "a\u{0}b", "a\nb", "\t", "\u{7f}", "\u{85}"]), vec![long]].concat()
            }
            Kind::Id => {
                let long = json!("x".repeat(65));
                [strings(&["", "a b", "a/b", "a:b", "{a}", "å", "a\u{0}", "..", "a\n", "<x>"]), vec![long]].concat()
            }
            Kind::Int(least, most) => vec![
                json!(least - 1),
                json!(most + 1),
                json!(i64::MIN),
                json!(i64::MAX),
                json!(u64::MAX),
                json!(1e300),
                json!(-0.5),
                json!(2.5),
                json!(5.0),
                json!(true),
                json!([5]),
                json!({}),
            ],
            Kind::Flag => vec![json!(0), json!(1), json!([]), json!({})],
            Kind::Instant => strings(&[
                "", "yesterday", "2026-03-03", "2026-03-03T12:00:00", "2026-02-30T12:00:00Z", "2026-03-03T25:00:00Z",
                "1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "+292277026596-12-04T15:30:08Z", "1772438400000",
                "2026-03-03T12:00:00Z\u{0}", "2026-03-03T12:00:00+99:00",
            ]),
            Kind::Date => strings(&["", "2026-3-3", "2026-02-30", "20260303", "1899-12-31", "2201-01-01", "-0001-01-01"]),
            Kind::Time => strings(&["", "8:00", "24:00", "08:60", "08:00:00", "noon"]),
            Kind::Span => strings(&["", "7 days", "P", "PT", "P1Y", "P1M", "-P1D", "PT1.5H", "P99999D", "PT99999999999H", "P1D\u{0}"]),
            Kind::Zone => strings(&["", "Europe/Atlantis", "Copenhagen", "europe/copenhagen ", "+01:00"]),
            Kind::Phone => strings(&["", "12", "phone", "+", "1234567890123456789", "12 34 a"]),
            Kind::Email => [strings(&["", "ann", "@", "ann@", "@x", "a b@x.dk", "a@b@c"]), vec![json!(format!("{}@x.dk", "a".repeat(250)))]].concat(),
            Kind::Language => strings(&["", "danish", "d", "DA", "da_DK", "da-"]),
            Kind::Currency => strings(&["", "dkk", "DK", "DKKK", "€"]),
            Kind::Word => strings(&["", "other", "ACTIVE", "active "]),
            Kind::Scope(most) | Kind::List(most) => {
                let many: Vec<String> = (0..=most).map(|n| format!("x{n}")).collect();
                vec![json!(7), json!(true), json!({}), json!({ "0": "x" }), json!([7]), json!([null]), json!([[]]), json!(many)]
            }
            Kind::Object => vec![json!(7), json!(true), json!([]), json!([{}])],
        });
        bad
    }
}
