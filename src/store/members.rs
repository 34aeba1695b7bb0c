//! Members as the membership system tells of them, and their standing.

use std::collections::BTreeMap;

use super::bookings::unreadable_cursor;
use super::error::StoreError;
use super::reply::{Record, Reply, corrupt};
use super::{Answer, Page, Store, Write};
use crate::domain::booking::Money;
use crate::domain::calendar::parse_date;
use crate::domain::ids::{MemberId, OrgId};
use crate::domain::instant::from_ms;
use crate::domain::member::{Frozen, Member, Membership, Scope};
use crate::domain::policy::Policy;
use crate::domain::standing::{Standing, Strike};

impl Store {
    /// Creates or replaces a member. Places that an ended or newly frozen membership no longer covers are cancelled.
    pub async fn put_member(&self, write: &Write, member: &Member) -> Result<Answer<Member>, StoreError> {
        let fields = fields(member);
        let mut args = vec![member.id.as_str()];
        args.extend(fields.iter().flat_map(|(name, value)| [*name, value.as_str()]));
        Answer::of(self.write(write, "put_member", &args).await?, member_of)
    }

    /// Forgets the person. Erased again, it changes nothing.
    pub async fn erase_member(&self, write: &Write, id: &MemberId) -> Result<Answer<()>, StoreError> {
        self.durability.check_writes()?;
        self.note_erasure().await?;
        Answer::of(self.write(write, "erase_member", &[id.as_str()]).await?, |_| Ok(()))
    }

    /// Ends a ban by hand; the strikes it rested on stay counted.
    pub async fn lift_ban(&self, write: &Write, id: &MemberId, reason: &str) -> Result<Answer<Standing>, StoreError> {
        Answer::of(self.write(write, "lift_ban", &[id.as_str(), reason]).await?, standing)
    }

    pub async fn member(&self, org: &OrgId, id: &MemberId) -> Result<Answer<Member>, StoreError> {
        Answer::of(self.read(org, "read_member", &[id.as_str()]).await?, member_of)
    }

    /// All members by id, or those whose id, phone or name begins with `query`.
    pub async fn members(
        &self,
        org: &OrgId,
        query: Option<&str>,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Answer<Page<Member>>, StoreError> {
        let folded = query.map(fold).unwrap_or_default();
        let reply = self.read(org, "list_members", &[&folded, &limit.to_string(), after.unwrap_or_default()]).await?;
        if after.is_some_and(|after| !after.starts_with(&folded)) {
            return Ok(Answer::refused(&reply, unreadable_cursor()));
        }
        Answer::of(reply, |reply| {
            let next = reply.optional()?;
            let mut items = Vec::new();
            while !reply.is_empty() {
                items.push(member_of(reply)?);
            }
            Ok(Page { items, next })
        })
    }

    pub async fn standing(&self, org: &OrgId, id: &MemberId) -> Result<Answer<Standing>, StoreError> {
        Answer::of(self.read(org, "read_standing", &[id.as_str()]).await?, standing)
    }
}

/// Lower case, the way both sides of a look-up are written; a phone number loses its punctuation, whichever it has.
fn fold(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let digits = lower.chars().any(|c| c.is_ascii_digit());
    let phone = digits && lower.chars().all(|c| c.is_ascii_digit() || "+ -()./".contains(c));
    if phone { lower.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect() } else { lower }
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::All => "all".to_owned(),
        Scope::Only(names) => serde_json::Value::from(names.clone()).to_string(),
    }
}

fn fields(member: &Member) -> Vec<(&'static str, String)> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let Membership { plan, status, clips, clips_revision, valid_from, valid_until, clubs, categories, frozen } =
        &member.membership;
    let frozen: Vec<_> = frozen.iter().map(|Frozen { from, until }| [from.to_string(), until.to_string()]).collect();
    let mut terms = vec![fold(member.id.as_str()), fold(&member.name)];
    terms.extend(member.phone.as_deref().map(fold));
    terms.sort();
    terms.dedup();
    let day = |day: &Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    vec![
        ("name", member.name.clone()),
        ("email", optional(&member.email)),
        ("phone", optional(&member.phone)),
        ("born", day(&member.born)),
        ("language", optional(&member.language)),
        ("plan", plan.to_string()),
        ("status", status.to_string()),
        ("clips", clips.map(|clips| clips.to_string()).unwrap_or_default()),
        ("clips_revision", optional(clips_revision)),
        ("valid_from", day(valid_from)),
        ("valid_until", day(valid_until)),
        ("clubs", scope(clubs)),
        ("categories", scope(categories)),
        ("frozen", serde_json::json!(frozen).to_string()),
        ("index", serde_json::json!(terms).to_string()),
    ]
}

fn read_scope(record: &Record, name: &str) -> Result<Scope, StoreError> {
    match record.required(name)? {
        "all" => Ok(Scope::All),
        names => Ok(Scope::Only(serde_json::from_str(names).map_err(corrupt)?)),
    }
}

fn read_frozen(record: &Record) -> Result<Vec<Frozen>, StoreError> {
    let spans: Vec<(String, String)> = serde_json::from_str(record.required("frozen")?).map_err(corrupt)?;
    let day = |text: &str| parse_date(text).map_err(corrupt);
    spans.iter().map(|(from, until)| Ok(Frozen { from: day(from)?, until: day(until)? })).collect()
}

/// `<id> <member>`, as every reply with a member has it.
fn member_of(reply: &mut Reply) -> Result<Member, StoreError> {
    let (id, record) = (reply.text()?, reply.record()?);
    Ok(Member {
        id: id.parse().map_err(corrupt)?,
        name: record.required("name")?.to_owned(),
        email: record.get("email").map(str::to_owned),
        phone: record.get("phone").map(str::to_owned),
        born: record.date("born")?,
        language: record.get("language").map(str::to_owned),
        membership: Membership {
            plan: record.parse("plan")?,
            status: record.parse("status")?,
            clips: record.optional("clips")?,
            clips_revision: record.get("clips_revision").map(str::to_owned),
            valid_from: record.date("valid_from")?,
            valid_until: record.date("valid_until")?,
            clubs: read_scope(&record, "clubs")?,
            categories: read_scope(&record, "categories")?,
            frozen: read_frozen(&record)?,
        },
    })
}

fn standing(reply: &mut Reply) -> Result<Standing, StoreError> {
    let (record, strikes, booked) = (reply.record()?, strikes(reply.nested()?)?, booked(reply.nested()?)?);
    let policy = serde_json::from_str(&reply.text()?).map_err(corrupt)?;
    let policy = Policy::parse(&policy).map_err(|errors| corrupt(format!("{errors:?}")))?;
    standing_of(&record, strikes, booked, &policy)
}

/// `<pairs> <strikes> <booked>`, under a policy that was read with it.
pub(super) fn standing_with(reply: &mut Reply, policy: &Policy) -> Result<Standing, StoreError> {
    let (record, strikes, booked) = (reply.record()?, strikes(reply.nested()?)?, booked(reply.nested()?)?);
    standing_of(&record, strikes, booked, policy)
}

fn standing_of(
    record: &Record,
    strikes: Vec<Strike>,
    booked: BTreeMap<chrono::NaiveDate, u32>,
    policy: &Policy,
) -> Result<Standing, StoreError> {
    Ok(Standing {
        strikes,
        banned_until: record.instant("banned_until")?,
        clips: record.optional("clips")?,
        open_fees: Money { amount: record.parse("open_fees")?, currency: policy.currency.to_string() },
        daily_limit: policy.booking.daily_limit,
        booked,
        upcoming: record.parse("upcoming")?,
    })
}

fn strikes(mut list: Reply) -> Result<Vec<Strike>, StoreError> {
    let mut strikes = Vec::new();
    let instant = |text: String| text.parse().ok().and_then(from_ms).ok_or_else(|| corrupt("a strike's instant"));
    while !list.is_empty() {
        strikes.push(Strike {
            booking: list.text()?.parse().map_err(corrupt)?,
            class: list.text()?.parse().map_err(corrupt)?,
            at: instant(list.text()?)?,
            counts_until: instant(list.text()?)?,
        });
    }
    Ok(strikes)
}

fn booked(mut list: Reply) -> Result<BTreeMap<chrono::NaiveDate, u32>, StoreError> {
    let mut booked = BTreeMap::new();
    while !list.is_empty() {
        let day = parse_date(&list.text()?).map_err(corrupt)?;
        booked.insert(day, list.text()?.parse().map_err(corrupt)?);
    }
    Ok(booked)
}
