//! The policy document as the API's description shows it. It is read and written by
//! the domain; these types only describe it and are never made.

#![expect(dead_code, reason = "types that describe a document and are never made")]

use utoipa::ToSchema;

use super::schema::{BelowMinimumWord, LateWord, ModeWord, ThenWord, UntouchedRosterWord};

/// Everything a chain may decide for itself. Durations are ISO 8601 in weeks, days, hours,
/// minutes and seconds; fees are in minor units of the currency.
#[derive(ToSchema)]
#[schema(as = Policy)]
pub struct PolicyDoc {
    #[schema(example = "Europe/Copenhagen")]
    timezone: String,
    #[schema(example = "DKK")]
    currency: String,
    /// The preferred one first.
    languages: Vec<String>,
    booking: BookingRulesDoc,
    cancel: CancelRulesDoc,
    waitlist: WaitlistRulesDoc,
    attendance: AttendanceRulesDoc,
    /// A change announced later than this before the start lets everyone booked cancel free.
    #[schema(example = "PT24H")]
    change_notice: String,
    retention: RetentionDoc,
}

/// When a class can be booked, and how many of them.
#[derive(ToSchema)]
#[schema(as = BookingRules)]
struct BookingRulesDoc {
    opens: OpensDoc,
    #[schema(example = "PT0S")]
    closes_before: String,
    /// Spots a member may hold on one local day.
    #[schema(minimum = 1, maximum = 100)]
    daily_limit: Option<u32>,
    /// Places, waiting ones included, a member may hold in classes ahead.
    #[schema(minimum = 1, maximum = 1000)]
    open_limit: Option<u32>,
    allow_overlap: bool,
}

/// When booking opens: so long before the start, or at a fixed local time so many days before.
#[derive(ToSchema)]
#[schema(as = Opens)]
#[serde(untagged)]
enum OpensDoc {
    Before {
        #[schema(example = "P7D")]
        before: String,
    },
    Days {
        #[schema(maximum = 366)]
        days: u32,
        #[schema(example = "08:00")]
        at: String,
    },
}

/// What cancelling costs.
#[derive(ToSchema)]
#[schema(as = CancelRules)]
struct CancelRulesDoc {
    #[schema(example = "PT2H")]
    free_until: String,
    late: LateWord,
    late_fee: u32,
    late_is_strike: bool,
    /// A late cancel's charge is waived when the spot is taken again.
    forgive_if_refilled: bool,
}

/// How a freed spot finds its next member.
#[derive(ToSchema)]
#[schema(as = WaitlistRules)]
struct WaitlistRulesDoc {
    #[schema(maximum = 500)]
    max: u32,
    mode: ModeWord,
    /// How long an offer stands, quiet hours not counted.
    #[schema(example = "PT30M")]
    offer_for: String,
    #[schema(example = "PT3H")]
    promote_until: String,
    then: ThenWord,
    /// A promoted member may cancel free for this long.
    #[schema(example = "PT30M")]
    grace: String,
    leave_overlapping: bool,
    quiet: Option<QuietDoc>,
}

/// Local hours in which no offer is made and their clock stands still.
#[derive(ToSchema)]
#[schema(as = Quiet)]
struct QuietDoc {
    #[schema(example = "22:00")]
    from: String,
    #[schema(example = "07:00")]
    until: String,
}

/// The roll, and what missing it costs.
#[derive(ToSchema)]
#[schema(as = AttendanceRules)]
struct AttendanceRulesDoc {
    /// Before the start.
    #[schema(example = "PT60M")]
    check_in_opens: String,
    /// Before the start; later is late.
    #[schema(example = "PT5M")]
    check_in_due: String,
    /// After the start; later is a no-show.
    #[schema(example = "PT10M")]
    check_in_closes: String,
    late_fee: u32,
    no_show_fee: u32,
    /// So many no-shows within `strike_window` begin a ban; none are counted where it is null.
    #[schema(minimum = 1, maximum = 100)]
    strikes: Option<u32>,
    #[schema(example = "P14D")]
    strike_window: String,
    #[schema(example = "P14D")]
    ban: String,
    #[schema(maximum = 5000)]
    minimum: u32,
    #[schema(example = "PT2H")]
    decide_before: String,
    below_minimum: BelowMinimumWord,
    untouched_roster: UntouchedRosterWord,
}

/// How long things are kept.
#[derive(ToSchema)]
#[schema(as = Retention)]
struct RetentionDoc {
    #[schema(example = "P400D")]
    history: String,
    #[schema(example = "P14D")]
    events: String,
}
