//! Phone numbers: one number however it is written.
//!
//! A number is kept as it was put in, and compared in E.164. How it is dialled abroad is read by the rules of Google's
//! libphonenumber (crate `rlibphonenumber`); which country a number without `+` or `00` belongs to says the organisation's
//! zone, or its policy. A number that two ways of reading make two is nobody's.

use std::fmt;
use std::ops::RangeInclusive;

use chrono_tz::Tz;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};
use serde::{Serialize, Serializer};

/// Digits of a phone number: from a short national one to the longest of E.164, with an international prefix.
pub const PHONE_DIGITS: RangeInclusive<usize> = 3..=18;

/// Characters of a phone number with everything people write between its digits.
pub const PHONE_LEN_MAX: usize = 64;

/// The country of each zone.
const ZONES: &str = include_str!("phone/zones.txt");

/// A text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a phone number of 3 to 18 digits, with an optional leading +")]
pub struct PhoneError;

/// A text names no country that has telephone numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a country of two capital letters (ISO 3166), such as DK")]
pub struct CountryError;

/// A country in which numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country([u8; 2]);

impl Country {
    /// Two capital letters of a country that has a numbering plan.
    pub fn parse(text: &str) -> Result<Country, CountryError> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_not_two| CountryError)?;
        let country = Country(letters);
        let known = letters.iter().all(u8::is_ascii_uppercase) && country.code().is_some();
        known.then_some(country).ok_or(CountryError)
    }

    /// The country a zone lies in; none for UTC and its kind.
    #[must_use]
    pub fn of_zone(zone: Tz) -> Option<Country> {
        let lines = ZONES.lines().filter_map(|line| line.split_once(' '));
        let mut found = lines.filter(|(_, zones)| zones.split(' ').any(|name| name == zone.name()));
        Country::parse(found.next()?.0).ok()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn region(self) -> Option<Region> {
        Region::try_from(self.as_str()).ok()
    }

    /// What its numbers begin with when they are dialled from abroad.
    fn code(self) -> Option<String> {
        PHONE_NUMBER_UTIL.get_country_code_for_region(self.region()?).map(|code| code.to_string())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Every country whose numbers can be read, sorted.
#[must_use]
pub fn countries() -> Vec<String> {
    let mut all: Vec<String> = PHONE_NUMBER_UTIL.get_supported_regions().map(|region| region.to_string()).collect();
    all.sort();
    all
}

/// A phone number as it is kept and shown: what was put in, without outer blanks and characters that are not drawn.
pub fn parse_phone(text: &str) -> Result<String, PhoneError> {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let shown: String = text.chars().filter(|c| !ignorable.contains(*c)).collect();
    let shown = shown.trim();
    let digits = compact(shown).ok_or(PhoneError)?;
    let sound = PHONE_DIGITS.contains(&digits.trim_start_matches('+').len()) && shown.chars().count() <= PHONE_LEN_MAX;
    sound.then(|| shown.to_owned()).ok_or(PhoneError)
}

/// The digits of a number, with the `+` in front of them if there is one; `None` where there is anything else than what
/// people write between digits.
#[must_use]
pub fn compact(text: &str) -> Option<String> {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let mut found = String::new();
    for c in text.trim().chars().filter(|c| !ignorable.contains(*c)) {
        match c {
            '+' | '＋' if found.is_empty() => found.push('+'),
            ' ' | '.' | '/' | '(' | ')' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => {}
            c if c.is_whitespace() && !c.is_control() => {}
            c => found.push(digit(c)?),
        }
    }
    Some(found)
}

/// A digit of any of the scripts that phones are written in.
fn digit(c: char) -> Option<char> {
    const ZEROS: [char; 4] = ['0', '\u{ff10}', '\u{660}', '\u{6f0}'];
    let value = |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10);
    char::from_digit(ZEROS.iter().find_map(value)?, 10)
}

/// What a number is, read in a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its digits in E.164, and those it has at home.
    One { abroad: String, home: String },
    /// No number that is in use: as it would be dialled, or its digits alone.
    Unsure { abroad: String, home: String },
    /// Each way of reading it makes another number.
    Many,
}

impl Reading {
    /// Reads what [`compact`] has made.
    #[must_use]
    pub fn of(compact: &str, country: Option<Country>) -> Reading {
        let international = compact.strip_prefix("00").map(|rest| format!("+{rest}"));
        let mut ways = Vec::new();
        if compact.starts_with('+') {
            ways.extend(dialled(compact, None));
        } else if let Some(international) = &international {
            ways.extend(dialled(international, None));
        } else if let Some(country) = country {
            ways.extend(dialled(compact, Some(country)));
            if country.code().is_some_and(|code| compact.starts_with(&code)) {
                ways.extend(dialled(&format!("+{compact}"), None));
            }
        }
        let written = |number: &PhoneNumber| (abroad(number), number.get_national_significant_number());
        let mut sound: Vec<_> = ways.iter().filter(|number| number.is_valid()).map(written).collect();
        sound.dedup();
        match (sound.pop(), sound.is_empty()) {
            (Some((abroad, home)), true) => Reading::One { abroad, home },
            (Some(_), false) => Reading::Many,
            (None, _) => {
                let digits = compact.trim_start_matches('+').to_owned();
                let (abroad, home) = ways.first().map_or((format!("={compact}"), digits), written);
                Reading::Unsure { abroad, home }
            }
        }
    }

    /// What the number is compared by; none where it is nobody's.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Reading::One { abroad, .. } | Reading::Unsure { abroad, .. } => Some(abroad),
            Reading::Many => None,
        }
    }

    /// The digits it has at home.
    #[must_use]
    pub fn home(&self) -> Option<&str> {
        match self {
            Reading::One { home, .. } | Reading::Unsure { home, .. } => Some(home),
            Reading::Many => None,
        }
    }
}

/// Whether the digits, without `+`, begin with the country's own code.
#[must_use]
pub fn begins_abroad(digits: &str, country: Option<Country>) -> bool {
    country.and_then(Country::code).is_some_and(|code| digits.starts_with(&code))
}

fn dialled(text: &str, country: Option<Country>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL.parse(text, country.and_then(Country::region)).ok()
}

fn abroad(number: &PhoneNumber) -> String {
    format!("{}{}", number.country_code, number.get_national_significant_number())
}

#[cfg(test)]
mod tests;
