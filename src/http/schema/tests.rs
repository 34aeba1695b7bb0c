use serde_json::{Value, json};

use super::*;
use crate::domain::calendar::{parse_date, parse_time};
use crate::domain::fields::text;
use crate::domain::ids::{ClubId, MemberId};
use crate::domain::instant::parse_instant;
use crate::domain::member::parse_email;
use crate::domain::phone::{Country, parse_phone};
use crate::domain::policy::parse_language;
use crate::domain::span::Span;

/// Texts that show where the two might differ.
const TEXTS: [&str; 77] = [
    "",
    " ",
    "a",
    "a b",
    " a ",
    ".",
    "..",
    "...",
    "a/b",
    "a:b",
    "å",
    "a|b~c+d",
    "a\n",
    "\u{200b}",
    "\u{3164}",
    "\u{2800}",
    "\u{202e}abc",
    "a\u{2066}",
    "\u{e0041}",
    "👩\u{200d}🚀",
    "محمد",
    "P7D",
    "PT2H",
    "P",
    "PT",
    "P1W2D",
    "P1DT2H3M4S",
    "PT1M2H",
    "P1Y",
    "PT0S",
    "P0000000000D",
    "P1D ",
    "18:00",
    "24:00",
    "9:00",
    "23:59",
    "2026-02-28",
    "2026-2-28",
    "1899-12-31",
    "2200-01-01",
    "2201-01-01",
    "2026-01-10T18:00:00Z",
    "1999-12-31T23:59:59Z",
    "2199-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "ann@example.com",
    "a@b@c",
    "a.@example.com",
    ".a@example.com",
    "a..b@example.com",
    "a.b@example.com",
    "a@-example.com",
    "a@example..com",
    "f:1:ann",
    "o'neill@example.com",
    "oauth/google:1",
    "{x}",
    "a\\b",
    "a\"b",
    "<a>",
    "\u{202a}+45\u{a0}20\u{2011}12",
    "(+45) 201",
    "１２３",
    "DK",
    "a @b",
    "@b",
    "å@ö.se",
    "a\u{a0}@b",
    "+47 12 34 56 78",
    "12",
    "123",
    "+",
    "(0) 1-2.3/4",
    "1+2",
    "da",
    "pt-BR",
    "DA",
];

fn allows(schema: RefOr<Schema>, text: &Value) -> bool {
    let schema = serde_json::to_value(schema).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.is_valid(text)
}

#[test]
fn a_text_that_is_described_is_read_and_one_that_is_read_is_described() {
    type Row = (&'static str, fn() -> RefOr<Schema>, fn(&str) -> bool);
    let table: [Row; 12] = [
        ("id", IdText::schema, |text| ClubId::parse(text).is_ok()),
        ("person", PersonIdText::schema, |text| MemberId::parse(text).is_ok()),
        ("country", CountryText::schema, |text| Country::parse(text).is_ok()),
        ("name", NameText::schema, |text_| text(1..=200)(&json!(text_)).is_ok()),
        ("span", SpanText::schema, |text| Span::parse(text).is_ok()),
        ("time", TimeText::schema, |text| parse_time(text).is_ok()),
        ("date", DateText::schema, |text| parse_date(text).is_ok()),
        ("instant", InstantText::schema, |text| parse_instant(text).is_ok()),
        ("email", EmailText::schema, |text| parse_email(text).is_ok()),
        ("phone", PhoneText::schema, |text| parse_phone(text).is_ok()),
        ("language", LanguageText::schema, |text| parse_language(text).is_ok()),
        ("zone", ZoneText::schema, |text| crate::domain::calendar::parse_zone(text).is_ok()),
    ];
    for (name, schema, reads) in table {
        for text in TEXTS {
            assert_eq!(allows(schema(), &json!(text)), reads(text), "{name}: {text:?}");
        }
    }
}

#[test]
fn a_name_is_described_up_to_its_longest_and_no_further() {
    for (length, good) in [(1, true), (200, true), (201, false)] {
        assert_eq!(allows(NameText::schema(), &json!("å".repeat(length))), good, "{length}");
    }
    assert!(allows(FeeAmount::schema(), &json!(FEE_MINOR_MAX)));
    assert!(!allows(FeeAmount::schema(), &json!(FEE_MINOR_MAX + 1)));
}
