//! How the domain's own words and values appear in the API's description. The words are
//! read from the domain, so the description cannot fall behind it.

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

use crate::domain::booking::{BookingStatus, PaidWith};
use crate::domain::class::ClassStatus;
use crate::domain::event;
use crate::domain::fee::FeeKind;
use crate::domain::member::{MembershipStatus, Plan};
use crate::domain::policy::{BelowMinimum, Late, Mode, Then, UntouchedRoster};

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
