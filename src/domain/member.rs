//! A member, as the membership system tells of them: who they are, and what their membership covers.
//!
//! Whether that is enough for a class, on its day, is judged in the atomic core. Contact details are personal data: they
//! are never logged, and go when the member is erased.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use super::calendar::parse_date;
use super::fields::{Fields, exactly, integer, list, string, text};
use super::ids::{ClubId, MemberId};
use super::invalid::{Parsed, wrong};
use super::phone::parse_phone;
use super::policy::parse_language;
use super::words::words;

/// Characters of a member's name.
pub const NAME_LEN: RangeInclusive<usize> = 1..=200;
/// Characters of a mail address: the longest that mail can be delivered to (RFC 5321).
pub const EMAIL_LEN_MAX: usize = 254;
pub const CLIPS_MAX: u32 = 100_000;
/// Characters of the mark by which the membership system tells one number of clips from another.
pub const CLIPS_REVISION_LEN: RangeInclusive<usize> = 1..=64;
/// Clubs or categories one membership can name.
pub const SCOPE_LEN_MAX: usize = 500;
/// Frozen spans kept of one membership: years of holidays.
pub const FROZEN_LEN_MAX: usize = 100;

/// A text is no mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a mail address of at most 254 characters that mail can be sent to")]
pub struct EmailError;

words! {
    /// What a member books with.
    Plan {
        Unlimited = "unlimited",
        Clips = "clips",
    }
}

words! {
    /// Whether a membership is in force.
    MembershipStatus {
        Active = "active",
        /// Keeps what is booked, and books nothing more.
        Blocked = "blocked",
        Ended = "ended",
    }
}

/// Where, or for what, a membership counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Only(Vec<String>),
}

/// Days, both inclusive, on which a membership rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Frozen {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub plan: Plan,
    pub status: MembershipStatus,
    /// None in an upsert keeps the number there is.
    pub clips: Option<u32>,
    /// A number of clips is applied once for each new value of this.
    pub clips_revision: Option<String>,
    pub valid_from: Option<NaiveDate>,
    /// Inclusive.
    pub valid_until: Option<NaiveDate>,
    pub clubs: Scope,
    pub categories: Scope,
    pub frozen: Vec<Frozen>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: MemberId,
    pub name: String,
    pub email: Option<String>,
    /// As it was put in; `phone` says how it is compared.
    pub phone: Option<String>,
    pub born: Option<NaiveDate>,
    pub language: Option<String>,
    pub membership: Membership,
    /// What of a stored member cannot be read, and so counts as none.
    pub unreadable: Option<String>,
}

impl Member {
    /// The body of a PUT of the member `id`. It may repeat that id, so that what was read can be put back.
    pub fn parse(id: MemberId, body: &Value) -> Parsed<Self> {
        let mut f = Fields::of(body)?;
        let same_id = f.nullable("id", exactly(id.as_str()));
        let name = f.required("name", text(NAME_LEN));
        let email = f.nullable("email", string(parse_email));
        let phone = f.nullable("phone", string(parse_phone));
        let born = f.nullable("born", string(parse_date));
        let language = f.nullable("language", string(parse_language));
        let membership = f.required("membership", Membership::parse);
        f.finish(|| {
            same_id?;
            Some(Self {
                id,
                name: name?,
                email: email?,
                phone: phone?,
                born: born?,
                language: language?,
                membership: membership?,
                unreadable: None,
            })
        })
    }
}

impl Membership {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut f = Fields::of(value)?;
        let plan = f.required("plan", string(Plan::parse));
        let status = f.required("status", string(MembershipStatus::parse));
        let clips = f.nullable("clips", integer(0..=CLIPS_MAX));
        let clips_revision = f.nullable("clips_revision", clips_revision);
        let valid_from = f.nullable("valid_from", string(parse_date));
        let valid_until = f.nullable("valid_until", string(parse_date));
        let clubs = f.given("clubs", |value| scope(value, string(|id| ClubId::parse(id).map(|id| id.to_string()))));
        let categories = f.given("categories", |value| scope(value, text(super::class::NAME_LEN)));
        let frozen = f.given("frozen", list(0..=FROZEN_LEN_MAX, Frozen::parse));
        if let (Some(Some(from)), Some(Some(until))) = (valid_from, valid_until)
            && until < from
        {
            f.refuse("/valid_until", "must not be before `valid_from`");
        }
        f.finish(|| {
            Some(Self {
                plan: plan?,
                status: status?,
                clips: clips?,
                clips_revision: clips_revision?,
                valid_from: valid_from?,
                valid_until: valid_until?,
                clubs: clubs?.unwrap_or(Scope::All),
                categories: categories?.unwrap_or(Scope::All),
                frozen: frozen?.unwrap_or_default(),
            })
        })
    }
}

impl Frozen {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut f = Fields::of(value)?;
        let from = f.required("from", string(parse_date));
        let until = f.required("until", string(parse_date));
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            f.refuse("/until", "must not be before `from`");
        }
        f.finish(|| Some(Self { from: from?, until: until? }))
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Only(names) => serializer.collect_seq(names),
        }
    }
}

/// A mail address that the mail library sends to, its domain perhaps in letters of another script. What it would take
/// only in quotes (blanks, commas) is none: people never mean it.
pub fn parse_email(text: &str) -> Result<String, EmailError> {
    let text = text.trim();
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"');
    let deliverable = text.parse::<lettre::Address>().is_ok();
    let sound = deliverable && !text.contains(odd) && text.chars().count() <= EMAIL_LEN_MAX;
    sound.then(|| text.to_owned()).ok_or(EmailError)
}

/// Text, or a whole number, which is then its digits.
fn clips_revision(value: &Value) -> Parsed<String> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        Value::String(_) => text(CLIPS_REVISION_LEN)(value),
        _ => wrong("must be text of 1 to 64 characters, or a whole number"),
    }
}

fn scope(value: &Value, item: impl Fn(&Value) -> Parsed<String>) -> Parsed<Scope> {
    match value {
        Value::String(word) if word == "all" => Ok(Scope::All),
        Value::Array(_) => list(0..=SCOPE_LEN_MAX, item)(value).map(Scope::Only),
        _ => wrong("must be \"all\" or a list"),
    }
}

#[cfg(test)]
mod tests;
