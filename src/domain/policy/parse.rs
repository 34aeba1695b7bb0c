//! A policy from its JSON: one table of fields for each of its groups, and what no two fields together may say.
//!
//! The bounds are generous: they keep out what cannot be meant, not what is unusual. What is judged between fields is
//! only what could never work for any class.

use std::fmt;
use std::ops::RangeInclusive;

use chrono::Timelike;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    AttendanceRules, BelowMinimum, BookingRules, CancelRules, Late, Mode, Opens, Policy, Quiet, Retention, Then,
    UntouchedRoster, WaitlistRules,
};
use crate::domain::calendar::{parse_time, parse_zone};
use crate::domain::fields::{Fields, flag, integer, list, string};
use crate::domain::invalid::{FieldError, Parsed, wrong};
use crate::domain::phone::Country;
use crate::domain::span::{DAY_MS, MINUTE_MS, Span};

/// A chain speaks at least one language, and no screen has room for a menu of more.
const LANGUAGES: RangeInclusive<usize> = 1..=10;
/// Characters of a language tag: the longest RFC 5646 promises room for.
const LANGUAGE_LEN_MAX: usize = 35;
const DAILY_LIMIT: RangeInclusive<u32> = 1..=100;
const OPEN_LIMIT: RangeInclusive<u32> = 1..=1_000;
const OPENS_DAYS: RangeInclusive<u32> = 0..=366;
const WAITLIST_MAX: RangeInclusive<u32> = 0..=500;
const STRIKES: RangeInclusive<u32> = 1..=100;
/// A million crowns in øre: above any price, and its sums stay exact in Lua's numbers.
const FEE_MINOR: RangeInclusive<u32> = 0..=100_000_000;
/// 0: a class is held for whoever comes.
pub const MINIMUM: RangeInclusive<u32> = 0..=5_000;

/// Spans around one class, in milliseconds.
const UP_TO_A_YEAR: RangeInclusive<i64> = 0..=366 * DAY_MS;
/// An offer nobody can read in time is none.
const OFFER_FOR: RangeInclusive<i64> = MINUTE_MS..=366 * DAY_MS;
/// Spans in a member's history.
const UP_TO_TEN_YEARS: RangeInclusive<i64> = 0..=3_660 * DAY_MS;
const KEEP_HISTORY: RangeInclusive<i64> = DAY_MS..=3_660 * DAY_MS;
const KEEP_EVENTS: RangeInclusive<i64> = DAY_MS..=366 * DAY_MS;

/// The text is no currency code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency of three capital letters, such as DKK")]
pub struct CurrencyError;

/// The text is no language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a language tag such as da or pt-BR")]
pub struct LanguageError;

/// A currency code of three capital letters (ISO 4217).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Currency(String);

impl Currency {
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let sound = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        sound.then(|| Self(text.to_owned())).ok_or(CurrencyError)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A language as a short tag of RFC 5646: `da`, `nb`, `pt-BR`.
pub fn parse_language(tag: &str) -> Result<String, LanguageError> {
    let mut parts = tag.split('-');
    let language = parts
        .next()
        .is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    let sound = language && parts.all(subtag) && tag.len() <= LANGUAGE_LEN_MAX;
    sound.then(|| tag.to_owned()).ok_or(LanguageError)
}

fn subtag(part: &str) -> bool {
    (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn policy(value: &Value) -> Parsed<Policy> {
    let mut f = Fields::of(value)?;
    let timezone = f.required("timezone", string(parse_zone));
    let currency = f.required("currency", string(Currency::parse));
    let languages = f.required("languages", list(LANGUAGES, string(parse_language)));
    let booking = f.required("booking", booking);
    let cancel = f.required("cancel", cancel);
    let waitlist = f.required("waitlist", waitlist);
    let attendance = f.required("attendance", attendance);
    let change_notice = f.required("change_notice", span(UP_TO_A_YEAR));
    let retention = f.required("retention", retention);
    let phone_region = f.nullable("phone_region", string(Country::parse));
    f.finish(|| {
        Some(Policy {
            timezone: timezone?,
            currency: currency?,
            languages: languages?,
            booking: booking?,
            cancel: cancel?,
            waitlist: waitlist?,
            attendance: attendance?,
            change_notice: change_notice?,
            retention: retention?,
            phone_region: phone_region?,
        })
    })
}

fn booking(value: &Value) -> Parsed<BookingRules> {
    let mut f = Fields::of(value)?;
    let opens = f.required("opens", opens);
    let closes_before = f.required("closes_before", span(UP_TO_A_YEAR));
    let daily_limit = f.nullable("daily_limit", integer(DAILY_LIMIT));
    let open_limit = f.nullable("open_limit", integer(OPEN_LIMIT));
    let allow_overlap = f.required("allow_overlap", flag);
    if let (Some(opens), Some(closes)) = (&opens, &closes_before)
        && closes.fixed_ms() >= longest_ms(opens)
    {
        f.refuse("/closes_before", "must be shorter than the time booking opens before the start");
    }
    f.finish(|| {
        Some(BookingRules {
            opens: opens?,
            closes_before: closes_before?,
            daily_limit: daily_limit?,
            open_limit: open_limit?,
            allow_overlap: allow_overlap?,
        })
    })
}

fn opens(value: &Value) -> Parsed<Opens> {
    let mut f = Fields::of(value)?;
    let before = f.given("before", span(UP_TO_A_YEAR));
    let days = f.given("days", integer(OPENS_DAYS));
    let at = f.given("at", string(parse_time));
    match (f.has("before"), f.has("days"), f.has("at")) {
        (true, false, false) | (false, true, true) => {}
        (false, true, false) => f.refuse("/at", "is missing"),
        (false, false, true) => f.refuse("/days", "is missing"),
        (false, false, false) => f.refuse("", "must be `before`, or `days` and `at`"),
        (true, _, _) => f.refuse(
            "",
            "must be `before`, or `days` and `at`, not both: an opens override must null the other form's keys",
        ),
    }
    f.finish(|| match (before?, days?, at?) {
        (Some(before), None, None) => Some(Opens::Before(before)),
        (None, Some(days), Some(at)) => Some(Opens::Days { days, at }),
        (Some(_) | None, _, _) => None,
    })
}

/// The longest any class can be open for booking, measured from its start: for a class that starts at midnight's end.
fn longest_ms(opens: &Opens) -> i64 {
    match opens {
        Opens::Before(span) => span.fixed_ms(),
        Opens::Days { days, at } => (i64::from(*days) + 1) * DAY_MS - 1_000 * i64::from(at.num_seconds_from_midnight()),
    }
}

fn cancel(value: &Value) -> Parsed<CancelRules> {
    let mut f = Fields::of(value)?;
    let free_until = f.required("free_until", span(UP_TO_A_YEAR));
    let late = f.required("late", string(Late::parse));
    let late_fee = f.required("late_fee", integer(FEE_MINOR));
    let late_is_strike = f.required("late_is_strike", flag);
    let forgive_if_refilled = f.required("forgive_if_refilled", flag);
    let after_booking = f.required("after_booking", span(UP_TO_A_YEAR));
    f.finish(|| {
        Some(CancelRules {
            free_until: free_until?,
            late: late?,
            late_fee: late_fee?,
            late_is_strike: late_is_strike?,
            forgive_if_refilled: forgive_if_refilled?,
            after_booking: after_booking?,
        })
    })
}

fn waitlist(value: &Value) -> Parsed<WaitlistRules> {
    let mut f = Fields::of(value)?;
    let max = f.required("max", integer(WAITLIST_MAX));
    let mode = f.required("mode", string(Mode::parse));
    let offer_for = f.required("offer_for", span(OFFER_FOR));
    let promote_until = f.required("promote_until", span(UP_TO_A_YEAR));
    let then = f.required("then", string(Then::parse));
    let grace = f.required("grace", span(UP_TO_A_YEAR));
    let leave_overlapping = f.required("leave_overlapping", flag);
    let quiet = f.nullable("quiet", quiet);
    f.finish(|| {
        Some(WaitlistRules {
            max: max?,
            mode: mode?,
            offer_for: offer_for?,
            promote_until: promote_until?,
            then: then?,
            grace: grace?,
            leave_overlapping: leave_overlapping?,
            quiet: quiet?,
        })
    })
}

fn quiet(value: &Value) -> Parsed<Quiet> {
    let mut f = Fields::of(value)?;
    let from = f.required("from", string(parse_time));
    let until = f.required("until", string(parse_time));
    if from.is_some() && from == until {
        f.refuse("/until", "must differ from `from`; no quiet hours at all is null");
    }
    f.finish(|| Some(Quiet { from: from?, until: until? }))
}

fn attendance(value: &Value) -> Parsed<AttendanceRules> {
    let mut f = Fields::of(value)?;
    let check_in_opens = f.required("check_in_opens", span(UP_TO_A_YEAR));
    let check_in_due = f.required("check_in_due", span(UP_TO_A_YEAR));
    let check_in_closes = f.required("check_in_closes", span(UP_TO_A_YEAR));
    let late_fee = f.required("late_fee", integer(FEE_MINOR));
    let no_show_fee = f.required("no_show_fee", integer(FEE_MINOR));
    let strikes = f.nullable("strikes", integer(STRIKES));
    let strike_window = f.required("strike_window", span(UP_TO_TEN_YEARS));
    let ban = f.required("ban", span(UP_TO_TEN_YEARS));
    let minimum = f.required("minimum", integer(MINIMUM));
    let decide_before = f.required("decide_before", span(UP_TO_A_YEAR));
    let below_minimum = f.required("below_minimum", string(BelowMinimum::parse));
    let untouched_roster = f.required("untouched_roster", string(UntouchedRoster::parse));
    f.finish(|| {
        Some(AttendanceRules {
            check_in_opens: check_in_opens?,
            check_in_due: check_in_due?,
            check_in_closes: check_in_closes?,
            late_fee: late_fee?,
            no_show_fee: no_show_fee?,
            strikes: strikes?,
            strike_window: strike_window?,
            ban: ban?,
            minimum: minimum?,
            decide_before: decide_before?,
            below_minimum: below_minimum?,
            untouched_roster: untouched_roster?,
        })
    })
    .and_then(check_in_works)
}

/// Check-in must be open at some time, and at some time not yet late.
fn check_in_works(rules: AttendanceRules) -> Parsed<AttendanceRules> {
    let opens_ms = rules.check_in_opens.fixed_ms();
    if opens_ms + rules.check_in_closes.fixed_ms() == 0 {
        return Err(vec![FieldError::new("/check_in_closes", "must not be zero where `check_in_opens` is")]);
    }
    if rules.check_in_due.fixed_ms() > opens_ms {
        return Err(vec![FieldError::new("/check_in_due", "must not be before check-in opens")]);
    }
    Ok(rules)
}

fn retention(value: &Value) -> Parsed<Retention> {
    let mut f = Fields::of(value)?;
    let history = f.required("history", span(KEEP_HISTORY));
    let events = f.required("events", span(KEEP_EVENTS));
    f.finish(|| Some(Retention { history: history?, events: events? }))
}

/// A span whose length lies within bounds, a day counted as 24 hours.
fn span(bounds_ms: RangeInclusive<i64>) -> impl Fn(&Value) -> Parsed<Span> {
    move |value| {
        let span = string(Span::parse)(value)?;
        if bounds_ms.contains(&span.fixed_ms()) {
            return Ok(span);
        }
        wrong(format!("must be a duration from {} to {}", written(*bounds_ms.start()), written(*bounds_ms.end())))
    }
}

fn written(ms: i64) -> String {
    match ms % DAY_MS {
        0 if ms > 0 => format!("P{}D", ms / DAY_MS),
        _ => format!("PT{}M", ms / MINUTE_MS),
    }
}
