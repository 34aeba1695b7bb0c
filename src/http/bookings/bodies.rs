//! A booking as its owner, the desk and the roster see it; and the bodies that ask for one.

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::booking::{Booking, BookingStatus, PaidWith};
use crate::domain::fields::{Fields, flag, string, text};
use crate::domain::ids::{BookingId, ClassId, MemberId};
use crate::domain::instant::with_zone;
use crate::domain::invalid::Parsed;
use crate::http::classes::ClassBody;
use crate::http::fees::MoneyBody;
use crate::http::reason::REASON_LEN;
use crate::http::schema::{BookingStatusWord, PaidWithWord, PersonIdText, ReasonText};
use crate::store::bookings::{CancelPreview, Charge, Roster, RosterEntry};
use crate::store::classes::ClassView;

/// A member's claim on a class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct BookingBody {
    #[schema(value_type = String)]
    id: BookingId,
    #[schema(value_type = String)]
    class: ClassId,
    #[schema(value_type = String)]
    member: MemberId,
    #[schema(value_type = BookingStatusWord)]
    status: BookingStatus,
    /// The place in the queue, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    offer_expires_at: Option<String>,
    #[schema(value_type = PaidWithWord)]
    paid_with: PaidWith,
    /// Checked in late.
    late: bool,
    /// Waiting, and on the premises.
    present: bool,
    /// What is still charged for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<MoneyBody>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A booking with the name that goes with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RosterEntry)]
pub struct RosterEntryBody {
    #[serde(flatten)]
    booking: BookingBody,
    /// Empty where the member was erased.
    name: String,
    /// Whether it is the member's first class ever; known once they are checked in.
    first_time: bool,
}

/// Who has a spot and who waits, the waitlist by position.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Roster)]
pub struct RosterBody {
    class: ClassBody,
    bookings: Vec<RosterEntryBody>,
    waitlist: Vec<RosterEntryBody>,
}

/// What cancelling now would cost.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CancelPreview)]
pub struct CancelPreviewBody {
    /// `free`, `charged` or `refused`.
    #[schema(example = "free")]
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<MoneyBody>,
    /// Whether the clip is kept.
    clip: bool,
    /// Whether it counts as a strike.
    strike: bool,
    #[schema(format = DateTime)]
    free_until: String,
}

/// A request for a place in a class.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBooking)]
pub struct NewBookingBody {
    /// For whom: needed from the desk, and a member's own id at most.
    #[schema(value_type = Option<PersonIdText>)]
    pub member: Option<MemberId>,
    /// Whether a place on the waitlist will do.
    #[schema(default = true, nullable = false)]
    pub waitlist: Option<bool>,
    /// The desk's alone: the member is here, and checked in at once if there is a spot.
    #[schema(default = false, nullable = false)]
    pub walk_in: Option<bool>,
}

/// How a cancel is meant.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Cancel)]
pub struct CancelBody {
    /// The desk's alone: false cancels free after the cutoff, true charges even where that is refused.
    #[schema(value_type = Option<bool>, nullable = false)]
    pub charge: Charge,
    #[schema(value_type = Option<ReasonText>)]
    pub reason: Option<String>,
}

impl BookingBody {
    /// The booking, with instants in the zone.
    pub fn of(booking: Booking, zone: Tz) -> BookingBody {
        BookingBody {
            id: booking.id,
            class: booking.class,
            member: booking.member,
            status: booking.status,
            position: booking.position,
            offer_expires_at: booking.offer_expires_at.map(|at| with_zone(at, zone)),
            paid_with: booking.paid_with,
            late: booking.late,
            present: booking.present,
            fee: booking.fee.map(MoneyBody::from),
            created_at: with_zone(booking.created_at, zone),
            updated_at: with_zone(booking.updated_at, zone),
        }
    }
}

impl RosterEntryBody {
    fn of(entry: RosterEntry, zone: Tz) -> RosterEntryBody {
        let RosterEntry { booking, first_time, name } = entry;
        RosterEntryBody { booking: BookingBody::of(booking, zone), name, first_time }
    }
}

impl RosterBody {
    /// The roster, with instants in the zone.
    pub fn of(roster: Roster, zone: Tz) -> RosterBody {
        let entries =
            |entries: Vec<RosterEntry>| entries.into_iter().map(|entry| RosterEntryBody::of(entry, zone)).collect();
        RosterBody {
            bookings: entries(roster.bookings),
            waitlist: entries(roster.waitlist),
            class: ClassBody::of(ClassView { class: roster.class, me: None, barred: None }, zone),
        }
    }
}

impl CancelPreviewBody {
    /// The preview, with its instant in the zone.
    pub fn of(preview: CancelPreview, zone: Tz) -> CancelPreviewBody {
        let CancelPreview { outcome, fee, clip, strike, free_until } = preview;
        let fee = fee.map(MoneyBody::from);
        CancelPreviewBody { outcome, fee, clip, strike, free_until: with_zone(free_until, zone) }
    }
}

impl NewBookingBody {
    /// Reads the body of a booking.
    pub fn parse(body: &Value) -> Parsed<NewBookingBody> {
        let mut f = Fields::of(body)?;
        let member = f.nullable("member", string(MemberId::parse));
        let waitlist = f.given("waitlist", flag);
        let walk_in = f.given("walk_in", flag);
        f.finish(|| Some(NewBookingBody { member: member?, waitlist: waitlist?, walk_in: walk_in? }))
    }
}

impl CancelBody {
    /// Reads the body of a cancel; only the desk may say how it is charged.
    pub fn parse(body: &Value, desk: bool) -> Parsed<CancelBody> {
        let mut f = Fields::of(body)?;
        let charge = if desk { f.given("charge", flag) } else { Some(None) };
        let reason = f.nullable("reason", text(REASON_LEN));
        f.finish(|| {
            let charge = match charge? {
                None => Charge::ByTheRules,
                Some(true) => Charge::Always,
                Some(false) => Charge::Never,
            };
            Some(CancelBody { charge, reason: reason? })
        })
    }
}
