//! A class as it is shown: to everybody the same, and to a member with what it means to them.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::class::{Class, ClassStatus, Instructor};
use crate::domain::ids::{BookingId, ClassId, ClubId};
use crate::domain::instant::with_zone;
use crate::domain::policy::{BelowMinimum, Late, Mode, Then, UntouchedRoster};
use crate::domain::refusal::Refusal;
use crate::domain::span::Span;
use crate::domain::terms::Terms;
use crate::http::schema::{
    BelowMinimumWord, BookingStatusWord, ClassStatusWord, IdText, InstantText, LateWord, ModeWord, PersonIdText,
    ShortText, ThenWord, TitleText, UntouchedRosterWord,
};
use crate::store::classes::ClassView;

/// A class, with its live counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Class)]
pub struct ClassBody {
    #[schema(value_type = String)]
    id: ClassId,
    #[schema(value_type = String)]
    club: ClubId,
    title: String,
    category: Option<String>,
    room: Option<String>,
    #[schema(value_type = Option<InstructorDoc>)]
    instructor: Option<Instructor>,
    #[schema(format = DateTime)]
    starts_at: String,
    #[schema(format = DateTime)]
    ends_at: String,
    #[schema(value_type = ClassStatusWord)]
    status: ClassStatus,
    capacity: u32,
    booked: u32,
    free: u32,
    waiting: u32,
    checked_in: u32,
    minimum: u32,
    /// How many more bookings the minimum wants.
    needed: u32,
    min_age: Option<u32>,
    terms: TermsBody,
    /// Counts changes; what `If-Match` is compared with.
    revision: u64,
    /// The member's own place; only members are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<Option<MeBody>>,
    /// Whether the member may book; only members are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    can_book: Option<CanBookBody>,
}

/// Who teaches.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Instructor)]
#[expect(dead_code, reason = "describes a value that the domain writes")]
pub struct InstructorDoc {
    #[schema(value_type = PersonIdText)]
    id: String,
    #[schema(value_type = ShortText)]
    name: String,
}

/// A class's instants, limits and charges, fixed when booking opens. Fees are in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terms)]
pub struct TermsBody {
    #[schema(example = "Europe/Copenhagen")]
    timezone: &'static str,
    /// The local day that limits, freezes and ages are judged on.
    date: NaiveDate,
    #[schema(format = DateTime)]
    opens_at: String,
    #[schema(format = DateTime)]
    closes_at: String,
    #[schema(format = DateTime)]
    cancel_by: String,
    #[schema(format = DateTime)]
    promote_until: String,
    #[schema(format = DateTime)]
    decide_at: String,
    #[schema(format = DateTime)]
    check_in_opens: String,
    #[schema(format = DateTime)]
    check_in_due: String,
    #[schema(format = DateTime)]
    check_in_closes: String,
    daily_limit: Option<u32>,
    open_limit: Option<u32>,
    allow_overlap: bool,
    #[schema(value_type = LateWord)]
    late_cancel: Late,
    late_cancel_is_strike: bool,
    /// Free to cancel for this long after a booking that was made past `cancel_by`.
    #[schema(value_type = String, example = "PT10M")]
    after_booking: Span,
    waitlist_max: u32,
    #[schema(value_type = ModeWord)]
    waitlist_mode: Mode,
    #[schema(value_type = ThenWord)]
    waitlist_then: Then,
    #[schema(value_type = String, example = "PT30M")]
    offer_for: Span,
    #[schema(value_type = String, example = "PT30M")]
    grace: Span,
    #[schema(example = "DKK")]
    currency: String,
    late_cancel_fee: u32,
    late_check_in_fee: u32,
    no_show_fee: u32,
    strikes: Option<u32>,
    #[schema(value_type = String, example = "P14D")]
    strike_window: Span,
    #[schema(value_type = String, example = "P14D")]
    ban: Span,
    #[schema(value_type = BelowMinimumWord)]
    below_minimum: BelowMinimum,
    #[schema(value_type = UntouchedRosterWord)]
    untouched_roster: UntouchedRoster,
}

/// The member's live booking of the class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeBody {
    #[schema(value_type = String)]
    booking: BookingId,
    #[schema(value_type = BookingStatusWord)]
    status: BookingStatus,
    /// The place in the queue, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
}

/// Whether the member may book, and if not, the first reason why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CanBook)]
pub struct CanBookBody {
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "not_open")]
    code: Option<&'static str>,
    /// When it will be possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
}

impl ClassBody {
    /// The class, with instants in the zone; what it means to a member only where a member asked.
    pub fn of(view: ClassView, zone: Tz) -> ClassBody {
        let ClassView { class, me, barred } = view;
        let can_book = barred.map(|refusal| CanBookBody::of(refusal.as_ref(), zone));
        let me = can_book.is_some().then(|| me.as_ref().map(MeBody::of));
        ClassBody { me, can_book, ..ClassBody::public(class, zone) }
    }

    fn public(class: Class, zone: Tz) -> ClassBody {
        ClassBody {
            id: class.id,
            club: class.club,
            title: class.title,
            category: class.category,
            room: class.room,
            instructor: class.instructor,
            starts_at: with_zone(class.starts_at, zone),
            ends_at: with_zone(class.ends_at, zone),
            status: class.status,
            capacity: class.capacity,
            booked: class.booked,
            free: class.free,
            waiting: class.waiting,
            checked_in: class.checked_in,
            minimum: class.minimum,
            needed: class.needed,
            min_age: class.min_age,
            terms: TermsBody::of(class.terms, zone),
            revision: class.revision,
            me: None,
            can_book: None,
        }
    }
}

impl TermsBody {
    fn of(terms: Terms, zone: Tz) -> TermsBody {
        let at = |instant| with_zone(instant, zone);
        let policy = terms.policy;
        TermsBody {
            timezone: terms.zone.name(),
            date: terms.date,
            opens_at: at(terms.opens_at),
            closes_at: at(terms.closes_at),
            cancel_by: at(terms.cancel_by),
            promote_until: at(terms.promote_until),
            decide_at: at(terms.decide_at),
            check_in_opens: at(terms.check_in_opens),
            check_in_due: at(terms.check_in_due),
            check_in_closes: at(terms.check_in_closes),
            daily_limit: policy.booking.daily_limit,
            open_limit: policy.booking.open_limit,
            allow_overlap: policy.booking.allow_overlap,
            late_cancel: policy.cancel.late,
            late_cancel_is_strike: policy.cancel.late_is_strike,
            after_booking: policy.cancel.after_booking,
            waitlist_max: policy.waitlist.max,
            waitlist_mode: policy.waitlist.mode,
            waitlist_then: policy.waitlist.then,
            offer_for: policy.waitlist.offer_for,
            grace: policy.waitlist.grace,
            currency: policy.currency.to_string(),
            late_cancel_fee: policy.cancel.late_fee,
            late_check_in_fee: policy.attendance.late_fee,
            no_show_fee: policy.attendance.no_show_fee,
            strikes: policy.attendance.strikes,
            strike_window: policy.attendance.strike_window,
            ban: policy.attendance.ban,
            below_minimum: policy.attendance.below_minimum,
            untouched_roster: policy.attendance.untouched_roster,
        }
    }
}

impl MeBody {
    fn of(booking: &Booking) -> MeBody {
        MeBody { booking: booking.id.clone(), status: booking.status, position: booking.position }
    }
}

impl CanBookBody {
    fn of(barred: Option<&Refusal>, zone: Tz) -> CanBookBody {
        let until = barred.and_then(|refusal| refusal.until(zone));
        CanBookBody {
            allowed: barred.is_none(),
            code: barred.map(Refusal::code),
            until: until.map(|until| with_zone(until, zone)),
        }
    }
}

/// A class to publish.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClass)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
pub struct NewClassDoc {
    #[schema(value_type = Option<IdText>)]
    id: Option<String>,
    #[schema(value_type = IdText)]
    club: String,
    #[schema(value_type = TitleText)]
    title: String,
    #[schema(value_type = Option<ShortText>)]
    category: Option<String>,
    #[schema(value_type = Option<ShortText>)]
    room: Option<String>,
    instructor: Option<InstructorDoc>,
    #[schema(value_type = InstantText)]
    starts_at: String,
    #[schema(minimum = 1, maximum = 1440)]
    minutes: u32,
    #[schema(minimum = 1, maximum = 5000)]
    capacity: u32,
    /// The policy's, where it is left out.
    #[schema(maximum = 5000)]
    minimum: Option<u32>,
    #[schema(maximum = 120)]
    min_age: Option<u32>,
    /// A merge patch (RFC 7396) over the organisation's policy.
    #[schema(value_type = Option<Object>)]
    policy: Option<()>,
}

/// A change to a class: what is left out stays, null takes away what may be absent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClassChange)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
pub struct ClassChangeDoc {
    #[serde(default)]
    #[schema(value_type = InstantText)]
    starts_at: String,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1440)]
    minutes: u32,
    #[serde(default)]
    #[schema(value_type = TitleText)]
    title: String,
    #[schema(value_type = Option<ShortText>)]
    category: Option<String>,
    #[schema(value_type = Option<ShortText>)]
    room: Option<String>,
    instructor: Option<InstructorDoc>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5000)]
    capacity: u32,
    #[schema(maximum = 5000)]
    minimum: Option<u32>,
}
