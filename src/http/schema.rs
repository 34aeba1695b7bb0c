//! How the domain's own words and values appear in the API's description. The words are
//! read from the domain, so the description cannot fall behind it.

use std::ops::RangeInclusive;

use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

use crate::domain::booking::{BookingStatus, PaidWith};
use crate::domain::class::{ClassStatus, NAME_LEN, TITLE_LEN};
use crate::domain::closure::CLOSURE_REASON_LEN;
use crate::domain::event;
use crate::domain::fee::FeeKind;
use crate::domain::ids::{ID_LEN_MAX, PERSON_ID_LEN_MAX};
use crate::domain::member::{CLIPS_REVISION_LEN, EMAIL_LEN_MAX, FROZEN_LEN_MAX, MembershipStatus, Plan, SCOPE_LEN_MAX};
use crate::domain::org;
use crate::domain::phone::{self, PHONE_LEN_MAX};
use crate::domain::policy::{BelowMinimum, Late, Mode, Then, UntouchedRoster};
use crate::domain::presets;
use crate::domain::series::{EXCEPTIONS_MAX, RULE_LEN_MAX, Reach, SERIES_ID_LEN_MAX};
use crate::domain::visible;
use crate::http::reason::REASON_LEN;

/// What the domain takes at most.
const FEE_MINOR_MAX: u32 = 100_000_000;

macro_rules! word_schemas {
    ($($(#[$doc:meta])* $schema:ident $name:literal = $words:expr;)+) => {$(
        $(#[$doc])*
        pub struct $schema;

        impl PartialSchema for $schema {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some($words)).into()
            }
        }

        impl ToSchema for $schema {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

word_schemas! {
    /// Where a class is in its life.
    ClassStatusWord "ClassStatus" = ClassStatus::ALL.iter().map(|word| word.as_str());
    /// What has become of a booking.
    BookingStatusWord "BookingStatus" = BookingStatus::ALL.iter().map(|word| word.as_str());
    /// What a spot was taken with.
    PaidWithWord "PaidWith" = PaidWith::ALL.iter().map(|word| word.as_str());
    /// What a member books with.
    PlanWord "Plan" = Plan::ALL.iter().map(|word| word.as_str());
    /// Whether a membership is in force.
    MembershipStatusWord "MembershipStatus" = MembershipStatus::ALL.iter().map(|word| word.as_str());
    /// Which way the money goes.
    FeeKindWord "FeeKind" = FeeKind::ALL.iter().map(|word| word.as_str());
    /// Which classes follow an edit of their series.
    ReachWord "Reach" = Reach::ALL.iter().map(|word| word.as_str());
    /// A policy that ships with the product.
    PresetWord "PresetId" = presets::presets().iter().map(|preset| preset.id);
    /// What is announced.
    EventWord "EventName" = event::NAMES.iter().copied();
    /// A cancel after the cutoff.
    LateWord "Late" = Late::ALL.iter().map(|word| word.as_str());
    /// Whether a freed spot is given or offered.
    ModeWord "WaitlistMode" = Mode::ALL.iter().map(|word| word.as_str());
    /// What a freed spot does once promotion has ended.
    ThenWord "WaitlistThen" = Then::ALL.iter().map(|word| word.as_str());
    /// What becomes of a class that too few have booked.
    BelowMinimumWord "BelowMinimum" = BelowMinimum::ALL.iter().map(|word| word.as_str());
    /// What becomes of a roster on which nobody was checked in.
    UntouchedRosterWord "UntouchedRoster" = UntouchedRoster::ALL.iter().map(|word| word.as_str());
}

macro_rules! value_schemas {
    ($($(#[$doc:meta])* $schema:ident $name:literal = $built:expr;)+) => {$(
        $(#[$doc])*
        pub struct $schema;

        impl PartialSchema for $schema {
            fn schema() -> RefOr<Schema> {
                $built.into()
            }
        }

        impl ToSchema for $schema {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

value_schemas! {
    /// The name of a thing.
    IdText "Id" = pattern(format!("^(?!\\.\\.?$)[A-Za-z0-9._~@+|-]{{1,{ID_LEN_MAX}}}$")).examples(["main"]);
    /// Who somebody is: the `sub` of their token.
    PersonIdText "PersonId" = pattern(format!("^(?!\\.\\.?$)[!#-;=?-\\[\\]-~]{{1,{PERSON_ID_LEN_MAX}}}$")).examples(["ann"]);
    /// The name of a series, which is shorter: its classes' ids are made of it and the date.
    SeriesIdText "SeriesId" = pattern(format!("^(?!\\.\\.?$)[A-Za-z0-9._~@+|-]{{1,{SERIES_ID_LEN_MAX}}}$"));
    /// The name of an organisation, a club or a member.
    NameText "Name" = plain(org::NAME_LEN);
    /// A class's title.
    TitleText "Title" = plain(TITLE_LEN);
    /// The name of a room, a category or an instructor.
    ShortText "ShortName" = plain(NAME_LEN);
    /// Why something is done.
    ReasonText "ReasonText" = plain(REASON_LEN);
    /// Why a club is closed.
    ClosureReasonText "ClosureReason" = plain(CLOSURE_REASON_LEN);
    /// A mark by which one number of clips is told from another.
    RevisionText "RevisionText" = plain(CLIPS_REVISION_LEN);
    /// When a series recurs.
    RuleText "Rule" = plain(1..=RULE_LEN_MAX).examples(["FREQ=WEEKLY;BYDAY=MO,TH"]);
    /// RFC 3339 with an offset, of the years 2000 to 2199.
    InstantText "Instant" = pattern("^2[01][0-9][0-9]-".to_owned()).format(Some(date_time()));
    /// A day, of the years 1900 to 2200.
    DateText "Date" = pattern("^(19[0-9][0-9]|2[01][0-9][0-9]|2200)-".to_owned()).format(Some(date()));
    /// A local time.
    TimeText "Time" = pattern("^([01][0-9]|2[0-3]):[0-5][0-9]$".to_owned()).examples(["18:00"]);
    /// A duration of ISO 8601 in whole weeks, days, hours, minutes and seconds.
    SpanText "Duration" = pattern(
        "^P(?=.)([0-9]{1,9}W)?([0-9]{1,9}D)?(T(?=.)([0-9]{1,9}H)?([0-9]{1,9}M)?([0-9]{1,9}S)?)?$".to_owned()
    ).examples(["PT2H"]);
    /// A mail address that mail can be sent to, at most 254 characters.
    EmailText "Email" = pattern(format!("^(?=[^@]{{1,64}}@){MAIL_PART}+([.]{MAIL_PART}+)*@{MAIL_LABEL}([.]{MAIL_LABEL})*$")).max_length(Some(EMAIL_LEN_MAX));
    /// 3 to 18 digits, with an optional leading `+` and whatever people write between them.
    PhoneText "Phone" = pattern(format!("^{PHONE_FILL}*[+\\uff0b]?({PHONE_FILL}*{PHONE_DIGIT}){{3,18}}{PHONE_FILL}*$")).max_length(Some(PHONE_LEN_MAX)).examples(["+4712345678"]);
    /// A country of ISO 3166 that has telephone numbers.
    CountryText "Country" = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(phone::countries())).examples(["DK"]);
    /// A language tag.
    LanguageText "Language" = pattern("^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$".to_owned()).max_length(Some(35)).examples(["da"]);
    /// A currency (ISO 4217).
    CurrencyText "Currency" = pattern("^[A-Z]{3}$".to_owned()).examples(["DKK"]);
    /// A time zone of the IANA database.
    ZoneText "TimeZone" = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())));
    /// A fee in minor units of the currency.
    FeeAmount "FeeAmount" = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(FEE_MINOR_MAX));
    /// The preferred one first.
    LanguageList "Languages" = list(LanguageText::schema(), 1..=10);
    /// Clubs, `"all"` or by id.
    ClubScope "ClubScope" = scope(IdText::schema());
    /// Categories, `"all"` or by name.
    CategoryScope "CategoryScope" = scope(ShortText::schema());
    /// Days left out.
    DateList "Dates" = list(DateText::schema(), 0..=EXCEPTIONS_MAX);
    /// Spans of days on which a membership rests, none of them twice.
    FrozenList "FrozenSpans" = list(utoipa::openapi::Ref::from_schema_name("Frozen").into(), 0..=FROZEN_LEN_MAX);
}

/// What stands on either side of the `@`.
const MAIL_PART: &str = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\uffff-]";
/// A label of a mail address's domain.
const MAIL_LABEL: &str = r"[A-Za-z0-9_\u00a1-\uffff]([A-Za-z0-9_\u00a1-\uffff-]*[A-Za-z0-9_\u00a1-\uffff])?";
/// What people and address books write between the digits of a phone number.
const PHONE_FILL: &str = r"[ \u00a0\u00ad\u2000-\u2015\u202a-\u202f\u205f-\u206f\u2212\u3000\ufeff\uff0d()./-]";
const PHONE_DIGIT: &str = r"[0-9\uff10-\uff19\u0660-\u0669\u06f0-\u06f9]";

fn pattern(pattern: String) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// Text as `domain::fields::text` reads it.
fn plain(len: RangeInclusive<usize>) -> ObjectBuilder {
    pattern(visible::pattern()).min_length(Some(*len.start())).max_length(Some(*len.end()))
}

fn list(item: RefOr<Schema>, len: RangeInclusive<usize>) -> ArrayBuilder {
    ArrayBuilder::new().items(item).unique_items(true).min_items(Some(*len.start())).max_items(Some(*len.end()))
}

fn scope(item: RefOr<Schema>) -> OneOfBuilder {
    let all = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["all"]));
    OneOfBuilder::new().item(all).item(list(item, 0..=SCOPE_LEN_MAX))
}

fn date_time() -> SchemaFormat {
    SchemaFormat::KnownFormat(KnownFormat::DateTime)
}

fn date() -> SchemaFormat {
    SchemaFormat::KnownFormat(KnownFormat::Date)
}

#[cfg(test)]
mod tests;
