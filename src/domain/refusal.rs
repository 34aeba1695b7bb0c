//! Why something was not done: every refusal there is, and its code.
//!
//! A refusal is an answer, not an error. The atomic core says a code and sometimes when it will be possible; this is where
//! that text becomes a value again. What HTTP makes of it is `http/problem.rs`'s affair.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::calendar::{day_start, days_on, parse_date};
use super::instant::{Instant, from_ms};
use super::invalid::FieldError;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotOpen {
        until: Instant,
    },
    Closed,
    Full,
    WaitlistFull,
    WaitlistClosed,
    DailyLimit,
    OpenLimit,
    Overlap,
    Banned {
        until: Instant,
    },
    NotEntitled,
    Frozen {
        /// The last frozen day.
        until: NaiveDate,
    },
    MembershipEnded,
    NoClips,
    TooYoung,
    ClassCancelled,
    ClassFinished,
    CancelClosed,
    CheckInNotOpen,
    CheckInClosed,
    OfferExpired,
    NotOffered,
    WrongStatus,
    NotFound,
    Stale,
    IdempotencyMismatch,
    /// The caller, or the member, has done this too often.
    RateLimited {
        until: Instant,
        wait_s: u64,
    },
    /// A body that only stored state shows to be wrong: a club that does not exist, a start in the past.
    Invalid(Vec<FieldError>),
}

impl Refusal {
    /// The refusal of that code. `until` is what the core says with it: milliseconds for `not_open` and `banned`, the last
    /// frozen day for `frozen`, `<ms> <seconds to wait>` for `rate_limited`, `<pointer> <detail>` for `invalid`. None where the code or that text means nothing.
    #[must_use]
    pub fn of(code: &str, until: Option<&str>) -> Option<Self> {
        let instant = || from_ms(until?.parse().ok()?);
        Some(match code {
            "not_open" => Self::NotOpen { until: instant()? },
            "closed" => Self::Closed,
            "full" => Self::Full,
            "waitlist_full" => Self::WaitlistFull,
            "waitlist_closed" => Self::WaitlistClosed,
            "daily_limit" => Self::DailyLimit,
            "open_limit" => Self::OpenLimit,
            "overlap" => Self::Overlap,
            "banned" => Self::Banned { until: instant()? },
            "not_entitled" => Self::NotEntitled,
            "frozen" => Self::Frozen { until: parse_date(until?).ok()? },
            "membership_ended" => Self::MembershipEnded,
            "no_clips" => Self::NoClips,
            "too_young" => Self::TooYoung,
            "class_cancelled" => Self::ClassCancelled,
            "class_finished" => Self::ClassFinished,
            "cancel_closed" => Self::CancelClosed,
            "check_in_not_open" => Self::CheckInNotOpen,
            "check_in_closed" => Self::CheckInClosed,
            "offer_expired" => Self::OfferExpired,
            "not_offered" => Self::NotOffered,
            "wrong_status" => Self::WrongStatus,
            "not_found" => Self::NotFound,
            "stale" => Self::Stale,
            "idempotency_mismatch" => Self::IdempotencyMismatch,
            "rate_limited" => {
                let (until, wait_s) = until?.split_once(' ')?;
                Self::RateLimited { until: from_ms(until.parse().ok()?)?, wait_s: wait_s.parse().ok()? }
            }
            "invalid" => {
                let (pointer, detail) = until?.split_once(' ')?;
                Self::Invalid(vec![FieldError::new(pointer, detail)])
            }
            _ => return None,
        })
    }

    /// The contract's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOpen { .. } => "not_open",
            Self::Closed => "closed",
            Self::Full => "full",
            Self::WaitlistFull => "waitlist_full",
            Self::WaitlistClosed => "waitlist_closed",
            Self::DailyLimit => "daily_limit",
            Self::OpenLimit => "open_limit",
            Self::Overlap => "overlap",
            Self::Banned { .. } => "banned",
            Self::NotEntitled => "not_entitled",
            Self::Frozen { .. } => "frozen",
            Self::MembershipEnded => "membership_ended",
            Self::NoClips => "no_clips",
            Self::TooYoung => "too_young",
            Self::ClassCancelled => "class_cancelled",
            Self::ClassFinished => "class_finished",
            Self::CancelClosed => "cancel_closed",
            Self::CheckInNotOpen => "check_in_not_open",
            Self::CheckInClosed => "check_in_closed",
            Self::OfferExpired => "offer_expired",
            Self::NotOffered => "not_offered",
            Self::WrongStatus => "wrong_status",
            Self::NotFound => "not_found",
            Self::Stale => "stale",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::RateLimited { .. } => "rate_limited",
            Self::Invalid(_) => "invalid",
        }
    }

    /// When it will be possible, for those refusals that time alone lifts: a freeze ends with its last day in the zone.
    #[must_use]
    pub fn until(&self, zone: Tz) -> Option<Instant> {
        match self {
            Self::NotOpen { until } | Self::Banned { until } | Self::RateLimited { until, .. } => Some(*until),
            Self::Frozen { until } => Some(day_start(days_on(*until, 1), zone)),
            Self::Closed
            | Self::Full
            | Self::WaitlistFull
            | Self::WaitlistClosed
            | Self::DailyLimit
            | Self::OpenLimit
            | Self::Overlap
            | Self::NotEntitled
            | Self::MembershipEnded
            | Self::NoClips
            | Self::TooYoung
            | Self::ClassCancelled
            | Self::ClassFinished
            | Self::CancelClosed
            | Self::CheckInNotOpen
            | Self::CheckInClosed
            | Self::OfferExpired
            | Self::NotOffered
            | Self::WrongStatus
            | Self::NotFound
            | Self::Stale
            | Self::IdempotencyMismatch
            | Self::Invalid(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's 409s in its order, then the rest that the core can answer.
    const CODES: &str = "not_open closed full waitlist_full waitlist_closed daily_limit open_limit overlap banned \
        not_entitled frozen membership_ended no_clips too_young class_cancelled class_finished cancel_closed \
        check_in_not_open check_in_closed offer_expired not_offered wrong_status \
        not_found stale idempotency_mismatch rate_limited invalid";

    fn until_of(code: &str) -> Option<&'static str> {
        match code {
            "not_open" | "banned" => Some("1767978000000"),
            "frozen" => Some("2026-01-31"),
            "rate_limited" => Some("1767978000000 60"),
            "invalid" => Some("/club is not a club of this organisation"),
            _ => None,
        }
    }

    #[test]
    fn every_code_comes_back_as_itself() {
        for code in CODES.split_whitespace() {
            assert_eq!(Refusal::of(code, until_of(code)).map(|refusal| refusal.code()), Some(code), "{code}");
        }
    }

    #[test]
    fn a_code_without_the_text_it_needs_means_nothing() {
        for code in ["not_open", "banned", "frozen", "rate_limited", "invalid"] {
            assert_eq!(Refusal::of(code, None), None, "{code}");
            assert_eq!(Refusal::of(code, Some("soon")), None, "{code}");
        }
        assert_eq!(Refusal::of("FULL", None), None);
    }

    #[test]
    fn a_freeze_ends_when_the_day_after_its_last_one_begins() {
        let frozen = Refusal::of("frozen", Some("2026-03-28")).unwrap();
        let until = frozen.until(Tz::Europe__Copenhagen).unwrap();
        assert_eq!(until.to_rfc3339(), "2026-03-28T23:00:00+00:00");
    }

    #[test]
    fn an_invalid_body_says_where_and_why() {
        let refusal = Refusal::of("invalid", until_of("invalid"));
        assert_eq!(
            refusal,
            Some(Refusal::Invalid(vec![FieldError::new("/club", "is not a club of this organisation")]))
        );
    }
}
