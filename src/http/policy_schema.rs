//! The policy document as the API's description shows it. It is read and written by
//! the domain; these types only describe it and are never made.

#![expect(dead_code, reason = "types that describe a document and are never made")]

use utoipa::ToSchema;

use super::schema::{
    BelowMinimumWord, CountryText, CurrencyText, FeeAmount, LanguageList, LateWord, ModeWord, SpanText, ThenWord,
    TimeText, UntouchedRosterWord, ZoneText,
};

/// Everything a chain may decide for itself. What a policy that is put leaves out is as in the preset `standard`; one that
/// is shown is whole. Durations are ISO 8601 in weeks, days, hours,
/// minutes and seconds; fees are in minor units of the currency.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Policy)]
pub struct PolicyDoc {
    #[schema(value_type = ZoneText, required = false)]
    timezone: String,
    #[schema(value_type = CurrencyText, required = false)]
    currency: String,
    /// The preferred one first.
    #[schema(value_type = LanguageList, required = false)]
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
    #[schema(value_type = SpanText, required = false)]
    change_notice: String,
    #[schema(required = false)]
    retention: RetentionDoc,
    /// Where phone numbers are read; left out or null: in the country of the time zone.
    #[schema(value_type = Option<CountryText>)]
    phone_region: Option<String>,
}

/// When a class can be booked, and how many of them.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingRules)]
struct BookingRulesDoc {
    #[schema(required = false)]
    opens: OpensDoc,
    #[schema(value_type = SpanText, required = false)]
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
    #[schema(value_type = SpanText, required = false)]
    free_until: String,
    #[schema(required = false)]
    late: LateWord,
    #[schema(value_type = FeeAmount, required = false)]
    late_fee: u32,
    #[schema(required = false)]
    late_is_strike: bool,
    /// A late cancel's charge is waived when the spot is taken again.
    #[schema(required = false)]
    forgive_if_refilled: bool,
    /// Whoever books, or takes a first-come spot, once cancelling is no longer free may cancel free for this long, until
    /// the class starts.
    #[schema(value_type = SpanText, required = false)]
    after_booking: String,
}

/// How a freed spot finds its next member.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WaitlistRules)]
struct WaitlistRulesDoc {
    #[schema(maximum = 500, required = false)]
    max: u32,
    #[schema(required = false)]
    mode: ModeWord,
    /// How long an offer stands, quiet hours not counted.
    #[schema(value_type = SpanText, required = false)]
    offer_for: String,
    #[schema(value_type = SpanText, required = false)]
    promote_until: String,
    #[schema(required = false)]
    then: ThenWord,
    /// A promoted member may cancel free for this long.
    #[schema(value_type = SpanText, required = false)]
    grace: String,
    #[schema(required = false)]
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
    #[schema(value_type = SpanText, required = false)]
    check_in_opens: String,
    /// Before the start; later is late.
    #[schema(value_type = SpanText, required = false)]
    check_in_due: String,
    /// After the start; later is a no-show.
    #[schema(value_type = SpanText, required = false)]
    check_in_closes: String,
    #[schema(value_type = FeeAmount, required = false)]
    late_fee: u32,
    #[schema(value_type = FeeAmount, required = false)]
    no_show_fee: u32,
    /// So many no-shows within `strike_window` begin a ban; none are counted where it is null.
    #[schema(minimum = 1, maximum = 100)]
    strikes: Option<u32>,
    #[schema(value_type = SpanText, required = false)]
    strike_window: String,
    #[schema(value_type = SpanText, required = false)]
    ban: String,
    #[schema(maximum = 5000, required = false)]
    minimum: u32,
    #[schema(value_type = SpanText, required = false)]
    decide_before: String,
    #[schema(required = false)]
    below_minimum: BelowMinimumWord,
    #[schema(required = false)]
    untouched_roster: UntouchedRosterWord,
}

/// How long things are kept.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Retention)]
struct RetentionDoc {
    #[schema(value_type = SpanText, required = false)]
    history: String,
    #[schema(value_type = SpanText, required = false)]
    events: String,
}
