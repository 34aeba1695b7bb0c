//! The policy document as the API's description shows it. It is read and written by
//! the domain; these types only describe it and are never made.

#![expect(dead_code, reason = "types that describe a document and are never made")]

use utoipa::ToSchema;

use super::schema::{
    BelowMinimumWord, CurrencyText, FeeAmount, LanguageList, LateWord, ModeWord, SpanText, ThenWord, TimeText,
    UntouchedRosterWord, ZoneText,
};

/// Everything a chain may decide for itself. Durations are ISO 8601 in weeks, days, hours,
/// minutes and seconds; fees are in minor units of the currency.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Policy)]
pub struct PolicyDoc {
    #[schema(value_type = ZoneText)]
    timezone: String,
    #[schema(value_type = CurrencyText)]
    currency: String,
    /// The preferred one first.
    #[schema(value_type = LanguageList)]
    languages: Vec<String>,
    booking: BookingRulesDoc,
    cancel: CancelRulesDoc,
    waitlist: WaitlistRulesDoc,
    attendance: AttendanceRulesDoc,
    /// A change announced later than this before the start lets everyone booked cancel free.
    #[schema(value_type = SpanText)]
    change_notice: String,
    retention: RetentionDoc,
}

/// When a class can be booked, and how many of them.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingRules)]
struct BookingRulesDoc {
    opens: OpensDoc,
    #[schema(value_type = SpanText)]
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
#[serde(untagged)]
#[schema(as = Opens)]
enum OpensDoc {
    Before(OpensBeforeDoc),
    Days(OpensDaysDoc),
}

/// So long before the start.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpensBefore)]
struct OpensBeforeDoc {
    #[schema(value_type = SpanText)]
    before: String,
}

/// At a local time so many days before.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpensDays)]
struct OpensDaysDoc {
    #[schema(maximum = 366)]
    days: u32,
    #[schema(value_type = TimeText)]
    at: String,
}

/// What cancelling costs.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelRules)]
struct CancelRulesDoc {
    #[schema(value_type = SpanText)]
    free_until: String,
    late: LateWord,
    #[schema(value_type = FeeAmount)]
    late_fee: u32,
    late_is_strike: bool,
    /// A late cancel's charge is waived when the spot is taken again.
    forgive_if_refilled: bool,
}

/// How a freed spot finds its next member.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WaitlistRules)]
struct WaitlistRulesDoc {
    #[schema(maximum = 500)]
    max: u32,
    mode: ModeWord,
    /// How long an offer stands, quiet hours not counted.
    #[schema(value_type = SpanText)]
    offer_for: String,
    #[schema(value_type = SpanText)]
    promote_until: String,
    then: ThenWord,
    /// A promoted member may cancel free for this long.
    #[schema(value_type = SpanText)]
    grace: String,
    leave_overlapping: bool,
    quiet: Option<QuietDoc>,
}

/// Local hours in which no offer is made and their clock stands still.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Quiet)]
struct QuietDoc {
    #[schema(value_type = TimeText)]
    from: String,
    #[schema(value_type = TimeText)]
    until: String,
}

/// The roll, and what missing it costs.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AttendanceRules)]
struct AttendanceRulesDoc {
    /// Before the start.
    #[schema(value_type = SpanText)]
    check_in_opens: String,
    /// Before the start; later is late.
    #[schema(value_type = SpanText)]
    check_in_due: String,
    /// After the start; later is a no-show.
    #[schema(value_type = SpanText)]
    check_in_closes: String,
    #[schema(value_type = FeeAmount)]
    late_fee: u32,
    #[schema(value_type = FeeAmount)]
    no_show_fee: u32,
    /// So many no-shows within `strike_window` begin a ban; none are counted where it is null.
    #[schema(minimum = 1, maximum = 100)]
    strikes: Option<u32>,
    #[schema(value_type = SpanText)]
    strike_window: String,
    #[schema(value_type = SpanText)]
    ban: String,
    #[schema(maximum = 5000)]
    minimum: u32,
    #[schema(value_type = SpanText)]
    decide_before: String,
    below_minimum: BelowMinimumWord,
    untouched_roster: UntouchedRosterWord,
}

/// How long things are kept.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Retention)]
struct RetentionDoc {
    #[schema(value_type = SpanText)]
    history: String,
    #[schema(value_type = SpanText)]
    events: String,
}
