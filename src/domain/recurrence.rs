//! A recurrence rule (RRULE) of RFC 5545, section 3.3.10, by whole days: what may be written, and which days it means.
//!
//! Everything the RFC forbids is refused, and so is what a class cannot follow, with a sentence that names the part.
//! A rule gives days and not instants: a class has one local time a day, which the series has in a field of its own, as
//! it has the last day. The scales of RFC 7529 are not read. Libraries that read rules (`rrule`, dateutil, rrule.js) drop
//! or lose what they do not expect, so none stands between the text and the days; two of them check the days in a test.

use std::ops::RangeInclusive;

use chrono::Weekday;

mod days;

/// INTERVAL goes up to this, which by days is nearly 180 years.
pub const INTERVAL_MAX: u32 = 65_535;

/// What a rule's days are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A weekday of BYDAY: the second Monday has the number 2, the last one -1, and every Monday has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ByDay {
    number: Option<i32>,
    weekday: Weekday,
}

/// A rule that RFC 5545 allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    frequency: Frequency,
    interval: u32,
    count: Option<u32>,
    week_start: Weekday,
    months: Vec<i32>,
    weeks: Vec<i32>,
    year_days: Vec<i32>,
    month_days: Vec<i32>,
    weekdays: Vec<ByDay>,
    positions: Vec<i32>,
}

/// Why a text is no rule a class can follow. Each sentence reads on after the field's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("must stand in one line: a folded line of a calendar file is put together first")]
    Lines,
    #[error("must not have blanks")]
    Blanks,
    #[error("must not have an empty part: a semicolon stands between two parts, and none at the end")]
    EmptyPart,
    #[error("cannot be read at {0:?}: each part is a name, `=` and a value, such as FREQ=WEEKLY")]
    NoPart(String),
    #[error("must not have {0}: RFC 5545 knows no such part")]
    Unknown(String),
    #[error("must not have {0}: it is of RFC 7529, whose scales and leap months are not supported")]
    Scale(String),
    #[error("must not have {0} more than once")]
    Twice(&'static str),
    #[error("must have FREQ: DAILY, WEEKLY, MONTHLY or YEARLY")]
    NoFrequency,
    #[error("cannot have FREQ={0}: FREQ is DAILY, WEEKLY, MONTHLY or YEARLY")]
    Frequency(String),
    #[error(
        "must recur by days, weeks, months or years, without {0}: a class has one local time a day, which is `time`"
    )]
    TimeOfDay(String),
    #[error("must not have both COUNT and UNTIL, which RFC 5545 forbids; the last day is `until`")]
    CountAndUntil,
    #[error("must not have UNTIL; the last day is `until`")]
    Until,
    #[error("cannot have {text:?} in {part}, which takes {takes}")]
    Value { part: &'static str, text: String, takes: String },
    #[error("must not have {part} with FREQ={frequency}: RFC 5545 allows it {only}")]
    Frequent { part: &'static str, frequency: &'static str, only: &'static str },
    #[error(
        "must not have a number before a weekday, as in BYDAY={0}, but with FREQ=MONTHLY or FREQ=YEARLY (RFC 5545)"
    )]
    Numbered(String),
    #[error("must not have a number before a weekday, as in BYDAY={0}, together with BYWEEKNO (RFC 5545)")]
    NumberedInWeeks(String),
    #[error("must not have BYSETPOS alone: it chooses among the days that another BY part gives (RFC 5545)")]
    Positions,
}

/// Parts that can be read; the others have reasons of their own.
const PARTS: [&str; 14] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYSETPOS",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
];
/// Parts of RFC 7529.
const SCALES: [&str; 2] = ["RSCALE", "SKIP"];
const WEEKDAYS: &str = "MO, TU, WE, TH, FR, SA and SU";

impl Rule {
    /// A rule such as `FREQ=WEEKLY;BYDAY=MO,TH`, in letters of any case, with or without `RRULE:` before it.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        if text.contains(['\r', '\n']) {
            return Err(RuleError::Lines);
        }
        let text = text.to_ascii_uppercase();
        let parts = parts(text.strip_prefix("RRULE:").unwrap_or(&text))?;
        let part = |name| parts.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let numbers = |name, signed, digits, range| {
            part(name).map_or_else(|| Ok(Vec::new()), |value| numbers(name, value, signed, digits, range))
        };
        let one = |name, max| part(name).map(|value| count(name, value, max)).transpose();
        if let Some(name) = ["BYHOUR", "BYMINUTE", "BYSECOND"].into_iter().find(|name| part(name).is_some()) {
            return Err(RuleError::TimeOfDay(name.to_owned()));
        }
        let rule = Rule {
            frequency: frequency(part("FREQ"))?,
            interval: one("INTERVAL", INTERVAL_MAX)?.unwrap_or(1),
            count: one("COUNT", u32::MAX)?,
            week_start: part("WKST").map_or(Ok(Weekday::Mon), week_start)?,
            months: numbers("BYMONTH", false, 2, 1..=12)?,
            weeks: numbers("BYWEEKNO", true, 2, 1..=53)?,
            year_days: numbers("BYYEARDAY", true, 3, 1..=366)?,
            month_days: numbers("BYMONTHDAY", true, 2, 1..=31)?,
            weekdays: part("BYDAY").map_or_else(|| Ok(Vec::new()), |value| value.split(',').map(by_day).collect())?,
            positions: numbers("BYSETPOS", true, 3, 1..=366)?,
        };
        match (part("UNTIL"), part("COUNT")) {
            (Some(_), Some(_)) => return Err(RuleError::CountAndUntil),
            (Some(_), None) => return Err(RuleError::Until),
            (None, _) => {}
        }
        rule.holds_together()?;
        Ok(rule)
    }

    /// What RFC 5545 says of parts beside each other.
    fn holds_together(&self) -> Result<(), RuleError> {
        let frequent = |part, only| Err(RuleError::Frequent { part, frequency: self.frequency.name(), only });
        let yearly = self.frequency == Frequency::Yearly;
        if !self.weeks.is_empty() && !yearly {
            return frequent("BYWEEKNO", "only with FREQ=YEARLY");
        }
        if !self.year_days.is_empty() && !yearly {
            return frequent("BYYEARDAY", "not with DAILY, WEEKLY and MONTHLY");
        }
        if !self.month_days.is_empty() && self.frequency == Frequency::Weekly {
            return frequent("BYMONTHDAY", "not with WEEKLY");
        }
        if let Some(numbered) = self.weekdays.iter().find(|day| day.number.is_some()) {
            if !matches!(self.frequency, Frequency::Monthly | Frequency::Yearly) {
                return Err(RuleError::Numbered(numbered.text()));
            }
            if !self.weeks.is_empty() {
                return Err(RuleError::NumberedInWeeks(numbered.text()));
            }
        }
        let others = [&self.months, &self.weeks, &self.year_days, &self.month_days];
        if !self.positions.is_empty() && self.weekdays.is_empty() && others.into_iter().all(Vec::is_empty) {
            return Err(RuleError::Positions);
        }
        Ok(())
    }
}

impl Frequency {
    fn name(self) -> &'static str {
        match self {
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        }
    }
}

impl ByDay {
    fn text(self) -> String {
        let name: String = self.weekday.to_string().chars().take(2).collect();
        format!("{}{}", self.number.map(|number| number.to_string()).unwrap_or_default(), name.to_ascii_uppercase())
    }
}

/// The parts of a rule, each known and there once.
fn parts(text: &str) -> Result<Vec<(&'static str, &str)>, RuleError> {
    if text.contains(char::is_whitespace) {
        return Err(RuleError::Blanks);
    }
    let mut found: Vec<(&'static str, &str)> = Vec::new();
    for part in text.split(';') {
        if part.is_empty() {
            return Err(RuleError::EmptyPart);
        }
        let named = part.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let (name, value) = named.ok_or_else(|| RuleError::NoPart(part.to_owned()))?;
        if SCALES.contains(&name) {
            return Err(RuleError::Scale(name.to_owned()));
        }
        let known = PARTS.into_iter().find(|known| *known == name);
        let known = known.ok_or_else(|| RuleError::Unknown(name.to_owned()))?;
        if found.iter().any(|(name, _)| *name == known) {
            return Err(RuleError::Twice(known));
        }
        found.push((known, value));
    }
    Ok(found)
}

fn frequency(value: Option<&str>) -> Result<Frequency, RuleError> {
    match value.ok_or(RuleError::NoFrequency)? {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        timed @ ("HOURLY" | "MINUTELY" | "SECONDLY") => Err(RuleError::TimeOfDay(format!("FREQ={timed}"))),
        other => Err(RuleError::Frequency(other.to_owned())),
    }
}

fn week_start(value: &str) -> Result<Weekday, RuleError> {
    weekday(value).ok_or_else(|| value_error("WKST", value, format!("one of {WEEKDAYS}")))
}

fn by_day(item: &str) -> Result<ByDay, RuleError> {
    let takes = || format!("{WEEKDAYS}, and before each a number from 1 to 53 or -53 to -1 where that is allowed");
    let wrong = || value_error("BYDAY", item, takes());
    let (number, name) = item.split_at_checked(item.len().saturating_sub(2)).ok_or_else(wrong)?;
    let weekday = weekday(name).ok_or_else(wrong)?;
    let number = match number {
        "" => None,
        number => Some(signed_number(number, true, 2, &(1..=53)).ok_or_else(wrong)?),
    };
    Ok(ByDay { number, weekday })
}

fn weekday(name: &str) -> Option<Weekday> {
    match name {
        "MO" => Some(Weekday::Mon),
        "TU" => Some(Weekday::Tue),
        "WE" => Some(Weekday::Wed),
        "TH" => Some(Weekday::Thu),
        "FR" => Some(Weekday::Fri),
        "SA" => Some(Weekday::Sat),
        "SU" => Some(Weekday::Sun),
        _ => None,
    }
}

/// COUNT and INTERVAL, which are positive.
fn count(part: &'static str, value: &str, max: u32) -> Result<u32, RuleError> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| digits && (1..=max).contains(number));
    number.ok_or_else(|| value_error(part, value, format!("a number from 1 to {max}")))
}

/// A list of numbers of so many digits at most; where they are signed, negative ones count from the end.
fn numbers(
    part: &'static str,
    value: &str,
    signed: bool,
    digits: usize,
    range: RangeInclusive<i32>,
) -> Result<Vec<i32>, RuleError> {
    let (least, most) = (*range.start(), *range.end());
    let read = |item: &str| {
        if part == "BYMONTH" && item.strip_suffix('L').is_some_and(|month| month.parse::<u8>().is_ok()) {
            return Err(RuleError::Scale(format!("BYMONTH={item}")));
        }
        let takes = || match signed {
            true => format!("numbers from {least} to {most} and from -{most} to -{least}"),
            false => format!("numbers from {least} to {most}"),
        };
        signed_number(item, signed, digits, &range).ok_or_else(|| value_error(part, item, takes()))
    };
    value.split(',').map(read).collect()
}

/// The number without its sign lies in the range.
fn signed_number(text: &str, signed: bool, digits: usize, range: &RangeInclusive<i32>) -> Option<i32> {
    let bare = if signed { text.strip_prefix(['+', '-']).unwrap_or(text) } else { text };
    let plain = (1..=digits).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = bare.parse().ok().filter(|number| plain && range.contains(number))?;
    Some(if text.starts_with('-') { -number } else { number })
}

fn value_error(part: &'static str, text: &str, takes: String) -> RuleError {
    RuleError::Value { part, text: text.to_owned(), takes }
}

#[cfg(test)]
mod tests;
