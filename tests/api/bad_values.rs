//! What a field must not hold, by the kind of value that it does hold.

use serde_json::{Value, json};

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Characters at most.
    Text(usize),
    Id,
    /// The id of a person, which may hold more.
    Person,
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
    /// Text of 64 characters at most, or a whole number.
    Mark,
    /// A recurrence of RFC 5545.
    Rule,
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
        [self.other_types(), strings(self.texts()), self.out_of_bounds()].concat()
    }

    /// Values of another type.
    fn other_types(self) -> Vec<Value> {
        match self {
            Kind::Flag => vec![json!("true"), json!("yes"), json!(0), json!(1), json!([]), json!({})],
            Kind::Int(..) => vec![json!("5"), json!("five"), json!(true), json!([5]), json!({})],
            Kind::Object => vec![json!("{}"), json!(7), json!(true), json!([]), json!([{}])],
            Kind::Mark => vec![json!(true), json!(1.5), json!(-1e300), json!([]), json!({})],
            Kind::List(_) | Kind::Scope(_) => {
                let inside = [json!([7]), json!([null]), json!([[]])];
                [
                    vec![json!("none"), json!("[]"), json!(7), json!(true), json!({}), json!({ "0": "x" })],
                    inside.to_vec(),
                ]
                .concat()
            }
            _ => no_text(),
        }
    }

    /// Texts that mean nothing here.
    fn texts(self) -> &'static [&'static str] {
        match self {
            Kind::Flag | Kind::Int(..) | Kind::Object | Kind::List(_) | Kind::Scope(_) => &[""],
            Kind::Text(_) => &["", "   ", "a\u{0}b", "a\nb", "\t", "\u{7f}", "\u{85}"],
            Kind::Mark => &["", " ", "r\u{0}"],
            Kind::Id => &["", "a b", "a/b", "a:b", "{a}", "å", "a\u{0}", "..", "a\n", "<x>"],
            Kind::Person => &["", "a b", "a\"b", "a\\b", "å", "a\u{0}", "..", "a\n", "<x>", "a\u{7f}"],
            Kind::Instant => &INSTANTS,
            Kind::Date => &["", "2026-3-3", "2026-02-30", "20260303", "1899-12-31", "2201-01-01", "-0001-01-01"],
            Kind::Time => &["", "8:00", "24:00", "08:60", "08:00:00", "noon"],
            Kind::Span => &SPANS,
            Kind::Zone => &["", "Europe/Atlantis", "Copenhagen", "europe/copenhagen ", "+01:00"],
            Kind::Phone => &["", "12", "phone", "+", "1234567890123456789", "12 34 a", "12+345"],
            Kind::Email => &["", "ann", "@", "ann@", "@x", "a b@x.dk", "a@b@c", "a.@x.dk", ".a@x.dk", "a..b@x.dk"],
            Kind::Language => &["", "danish", "d", "DA", "da_DK", "da-"],
            Kind::Currency => &["", "dkk", "DK", "DKKK", "€"],
            Kind::Rule => &["", "weekly", "FREQ=", "FREQ=NEVER", "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY\u{0}"],
            Kind::Word => &["", "other", "ACTIVE", "active "],
        }
    }

    /// Too much, too little, or not whole.
    fn out_of_bounds(self) -> Vec<Value> {
        match self {
            Kind::Text(most) => vec![json!("å".repeat(most + 1))],
            Kind::Id | Kind::Mark => vec![json!("x".repeat(65))],
            Kind::Person => vec![json!("x".repeat(256))],
            Kind::Email => vec![json!(format!("{}@x.dk", "a".repeat(250)))],
            Kind::Rule => vec![json!(";".repeat(301))],
            Kind::Scope(most) | Kind::List(most) => {
                let many: Vec<String> = (0..=most).map(|n| format!("x{n}")).collect();
                vec![json!(many)]
            }
            Kind::Int(least, most) => {
                let whole = [least - 1, most + 1, i64::MIN, i64::MAX].map(|n| json!(n));
                [whole.to_vec(), vec![json!(u64::MAX), json!(1e300), json!(-0.5), json!(2.5), json!(5.0)]].concat()
            }
            _ => Vec::new(),
        }
    }
}

const INSTANTS: [&str; 12] = [
    "",
    "yesterday",
    "2026-03-03",
    "2026-03-03T12:00:00",
    "2026-02-30T12:00:00Z",
    "2026-03-03T25:00:00Z",
    "1999-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "+292277026596-12-04T15:30:08Z",
    "1772438400000",
    "2026-03-03T12:00:00Z\u{0}",
    "2026-03-03T12:00:00+99:00",
];

const SPANS: [&str; 11] =
    ["", "7 days", "P", "PT", "P1Y", "P1M", "-P1D", "PT1.5H", "P99999D", "PT99999999999H", "P1D\u{0}"];
