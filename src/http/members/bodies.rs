//! A member and their standing, as they are shown.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::{BookingId, ClassId, MemberId};
use crate::domain::instant::with_zone;
use crate::domain::member::{Frozen, Member, Membership, MembershipStatus, Plan, Scope};
use crate::domain::standing::{Standing, Strike};
use crate::http::fees::MoneyBody;
use crate::http::schema::{
    CategoryScope, ClubScope, DateText, EmailText, FrozenList, LanguageText, MembershipStatusWord, NameText,
    PersonIdText, PhoneText, PlanWord, RevisionText,
};

/// A member as they are sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMember)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
pub struct NewMemberDoc {
    /// That of the path, or absent.
    #[schema(value_type = Option<PersonIdText>)]
    id: Option<String>,
    #[schema(value_type = NameText)]
    name: String,
    #[schema(value_type = Option<EmailText>)]
    email: Option<String>,
    #[schema(value_type = Option<PhoneText>)]
    phone: Option<String>,
    #[schema(value_type = Option<DateText>)]
    born: Option<String>,
    #[schema(value_type = Option<LanguageText>)]
    language: Option<String>,
    membership: NewMembershipDoc,
}

/// A membership as it is sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMembership)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
struct NewMembershipDoc {
    plan: PlanWord,
    status: MembershipStatusWord,
    /// Left out, the number there is stays.
    #[schema(maximum = 100_000)]
    clips: Option<u32>,
    /// A number of clips is applied once for each new value of this.
    clips_revision: Option<RevisionDoc>,
    #[schema(value_type = Option<DateText>)]
    valid_from: Option<String>,
    /// Inclusive.
    #[schema(value_type = Option<DateText>)]
    valid_until: Option<String>,
    /// All, where it is left out.
    #[serde(default)]
    #[schema(value_type = ClubScope)]
    clubs: (),
    /// All, where it is left out.
    #[serde(default)]
    #[schema(value_type = CategoryScope)]
    categories: (),
    #[serde(default)]
    #[schema(value_type = FrozenList)]
    frozen: (),
}

/// Text, or a whole number, which is then its digits.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = ClipsRevision)]
#[expect(dead_code, reason = "describes a value that the domain reads")]
enum RevisionDoc {
    #[schema(value_type = RevisionText)]
    Text(String),
    Number(i64),
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberBody {
    #[schema(value_type = String)]
    id: MemberId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// As it was put in, without outer blanks and what is not drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    born: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    membership: MembershipBody,
    /// What of the stored member cannot be read. A PUT without it repairs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// What a membership covers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Membership)]
pub struct MembershipBody {
    #[schema(value_type = PlanWord)]
    plan: Plan,
    #[schema(value_type = MembershipStatusWord)]
    status: MembershipStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    clips: Option<u32>,
    /// A number of clips is applied once for each new value of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    clips_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<NaiveDate>,
    /// Inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<NaiveDate>,
    #[schema(value_type = ScopeDoc)]
    clubs: Scope,
    #[schema(value_type = ScopeDoc)]
    categories: Scope,
    #[schema(value_type = Vec<FrozenDoc>)]
    frozen: Vec<Frozen>,
}

/// `"all"`, or a list.
#[derive(ToSchema)]
#[schema(as = Scope)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes a value that the domain writes")]
enum ScopeDoc {
    All(String),
    Only(Vec<String>),
}

/// Days, both inclusive, on which a membership rests.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Frozen)]
#[expect(dead_code, reason = "describes a value that the domain writes")]
struct FrozenDoc {
    #[schema(value_type = DateText)]
    from: NaiveDate,
    #[schema(value_type = DateText)]
    until: NaiveDate,
}

/// What a member may still do, and what stands against them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Standing)]
pub struct StandingBody {
    strikes: Vec<StrikeBody>,
    #[schema(format = DateTime)]
    banned_until: Option<String>,
    clips: Option<u32>,
    open_fees: MoneyBody,
    daily_limit: Option<u32>,
    /// Spots held on each local day.
    #[schema(value_type = BTreeMap<String, u32>)]
    booked: BTreeMap<NaiveDate, u32>,
    /// Places in classes that have not started.
    upcoming: u32,
}

/// One counted no-show.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Strike)]
pub struct StrikeBody {
    #[schema(value_type = String)]
    booking: BookingId,
    #[schema(value_type = String)]
    class: ClassId,
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    counts_until: String,
}

impl MemberBody {
    /// The member as the desk and the member see them.
    pub fn of(member: Member) -> MemberBody {
        let Member { id, name, email, phone, born, language, membership, unreadable } = member;
        let membership = MembershipBody::of(membership);
        MemberBody { id, name, email, phone, born, language, membership, unreadable }
    }
}

impl MembershipBody {
    fn of(membership: Membership) -> MembershipBody {
        let Membership { plan, status, clips, clips_revision, valid_from, valid_until, clubs, categories, frozen } =
            membership;
        MembershipBody { plan, status, clips, clips_revision, valid_from, valid_until, clubs, categories, frozen }
    }
}

impl StandingBody {
    /// The standing, with instants in the organisation's zone.
    pub fn of(standing: Standing, zone: Tz) -> StandingBody {
        StandingBody {
            strikes: standing.strikes.into_iter().map(|strike| StrikeBody::of(strike, zone)).collect(),
            banned_until: standing.banned_until.map(|until| with_zone(until, zone)),
            clips: standing.clips,
            open_fees: standing.open_fees.into(),
            daily_limit: standing.daily_limit,
            booked: standing.booked,
            upcoming: standing.upcoming,
        }
    }
}

impl StrikeBody {
    fn of(strike: Strike, zone: Tz) -> StrikeBody {
        let Strike { booking, class, at, counts_until } = strike;
        StrikeBody { booking, class, at: with_zone(at, zone), counts_until: with_zone(counts_until, zone) }
    }
}
