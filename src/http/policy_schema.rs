//! The policy document as the API's description shows it. It is read and written by
//! the domain; these types only describe it and are never made.

#![expect(dead_code, reason = "types that describe a document and are never made")]

use utoipa::ToSchema;

use super::schema::{BelowMinimumWord, LateWord, ModeWord, ThenWord, UntouchedRosterWord};

/// Everything a chain may decide for itself. What a policy that is put leaves out is as in the preset `standard`; one that
/// is shown is whole. Durations are ISO 8601 in weeks, days, hours,
/// minutes and seconds; fees are in minor units of the currency.
#[derive(ToSchema)]
#[schema(as = Policy)]
pub struct PolicyDoc {
    #[schema(example = "Europe/Copenhagen", required = false)]
    timezone: String,
    #[schema(example = "DKK", required = false)]
    currency: String,
    /// The preferred one first.
    #[schema(required = false)]
    languages: Vec<String>,
    #[schema(required = false)]
    booking: BookingRulesDoc,
    #[schema(required = false)]
    cancel: CancelRulesDoc,
    #[schema(required = false)]
    waitlist: WaitlistRulesDoc,
    #[schema(required = false)]
    attendance: AttendanceRulesDoc,
    /// A change announced later than this before the start lets everyone booked cancel free.
    #[schema(example = "PT24H", required = false)]
    change_notice: String,
    #[schema(required = false)]
    retention: RetentionDoc,
}

/// When a class can be booked, and how many of them.
#[derive(ToSchema)]
#[schema(as = BookingRules)]
struct BookingRulesDoc {
    #[schema(required = false)]
    opens: OpensDoc,
    #[schema(example = "PT0S", required = false)]
    closes_before: String,
    /// Spots a member may hold on one local day.
    #[schema(minimum = 1, maximum = 100)]
    daily_limit: Option<u32>,
    /// Places, waiting ones included, a member may hold in classes ahead.
    #[schema(minimum = 1, maximum = 1000)]
    open_limit: Option<u32>,
    #[schema(required = false)]
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
    #[schema(example = "PT2H", required = false)]
    free_until: String,
    #[schema(required = false)]
    late: LateWord,
    #[schema(required = false)]
    late_fee: u32,
    #[schema(required = false)]
    late_is_strike: bool,
    /// A late cancel's charge is waived when the spot is taken again.
    #[schema(required = false)]
    forgive_if_refilled: bool,
}

/// How a freed spot finds its next member.
#[derive(ToSchema)]
#[schema(as = WaitlistRules)]
struct WaitlistRulesDoc {
    #[schema(maximum = 500, required = false)]
    max: u32,
    #[schema(required = false)]
    mode: ModeWord,
    /// How long an offer stands, quiet hours not counted.
    #[schema(example = "PT30M", required = false)]
    offer_for: String,
    #[schema(example = "PT3H", required = false)]
    promote_until: String,
    #[schema(required = false)]
    then: ThenWord,
    /// A promoted member may cancel free for this long.
    #[schema(example = "PT30M", required = false)]
    grace: String,
    #[schema(required = false)]
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
    #[schema(example = "PT60M", required = false)]
    check_in_opens: String,
    /// Before the start; later is late.
    #[schema(example = "PT5M", required = false)]
    check_in_due: String,
    /// After the start; later is a no-show.
    #[schema(example = "PT10M", required = false)]
    check_in_closes: String,
    #[schema(required = false)]
    late_fee: u32,
    #[schema(required = false)]
    no_show_fee: u32,
    /// So many no-shows within `strike_window` begin a ban; none are counted where it is null.
    #[schema(minimum = 1, maximum = 100)]
    strikes: Option<u32>,
    #[schema(example = "P14D", required = false)]
    strike_window: String,
    #[schema(example = "P14D", required = false)]
    ban: String,
    #[schema(maximum = 5000, required = false)]
    minimum: u32,
    #[schema(example = "PT2H", required = false)]
    decide_before: String,
    #[schema(required = false)]
    below_minimum: BelowMinimumWord,
    #[schema(required = false)]
    untouched_roster: UntouchedRosterWord,
}

/// How long things are kept.
#[derive(ToSchema)]
#[schema(as = Retention)]
struct RetentionDoc {
    #[schema(example = "P400D", required = false)]
    history: String,
    #[schema(example = "P14D", required = false)]
    events: String,
}
