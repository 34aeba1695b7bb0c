//! Members as the membership system tells of them, and their standing.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::directory::never_the_same;
use super::error::StoreError;
use super::orgs::stored_policy;
use super::reply::{Record, Reply, corrupt};
use super::{Answer, Page, RETRIES_MAX, Store, Write};
use crate::domain::booking::Money;
use crate::domain::calendar::parse_date;
use crate::domain::ids::{MemberId, OrgId};
use crate::domain::instant::from_ms;
use crate::domain::member::{Frozen, Member, Membership, MembershipStatus, Plan, Scope};
use crate::domain::phone::compact;
use crate::domain::policy::Policy;
use crate::domain::search::{Query, terms};
use crate::domain::standing::{Standing, Strike};

/// Calls made for one page of members at most: some 4 000 entries of the index are looked at.
const LOOKS_MAX: usize = 20;

impl Store {
    /// Creates or replaces a member. Places that an ended or newly frozen membership no longer covers are cancelled.
    pub async fn put_member(&self, write: &Write, member: &Member) -> Result<Answer<Member>, StoreError> {
        let fields = fields(member);
        let (id, phone) = (member.id.as_str(), member.phone.as_deref().unwrap_or_default());
        let mut read_in = self.read_in(&write.org);
        for _ in 0..RETRIES_MAX {
            let terms = terms(id, &member.name, phone, read_in.country);
            let terms = serde_json::Value::from(terms).to_string();
            // Without a phone the terms hold in any country.
            let revision = if phone.is_empty() { "" } else { read_in.revision.as_str() };
            let mut args = vec![id];
            args.extend(fields.iter().flat_map(|(name, value)| [*name, value.as_str()]));
            args.extend(["terms", &terms, "read_at", revision]);
            let mut reply = self.write(write, "put_member", &args).await?;
            if self.is_answered(&write.org, &mut read_in, &mut reply)? {
                return Answer::of(reply, member_of);
            }
        }
        Err(never_the_same())
    }

    /// Forgets the person. Erased again, it changes nothing.
    pub async fn erase_member(&self, write: &Write, id: &MemberId) -> Result<Answer<()>, StoreError> {
        self.durability.check_writes()?;
        self.note_erasure().await?;
        Answer::of(self.write(write, "erase_member", &[id.as_str()]).await?, |_| Ok(()))
    }

    /// Ends a ban by hand; the strikes it rested on stay counted.
    pub async fn lift_ban(&self, write: &Write, id: &MemberId, reason: &str) -> Result<Answer<Standing>, StoreError> {
        let lifted = Answer::of(self.write(write, "lift_ban", &[id.as_str(), reason]).await?, standing)?;
        self.with_all_places(&write.org, id, lifted).await
    }

    pub async fn member(&self, org: &OrgId, id: &MemberId) -> Result<Answer<Member>, StoreError> {
        Answer::of(self.read(org, "read_member", &[id.as_str()]).await?, member_of)
    }

    /// All members by id, or those who are found by `query`. Where many are looked at and few are found, there are fewer on
    /// a page than it has room for, and more behind it.
    pub async fn members(
        &self,
        org: &OrgId,
        query: Option<&str>,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Answer<Page<Member>>, StoreError> {
        let mut page = self.members_after(org, query, limit, after.unwrap_or_default()).await?;
        for _ in 1..LOOKS_MAX {
            let Ok(Page { items, next: Some(next) }) = &mut page.outcome else { break };
            let missing = limit.saturating_sub(u32::try_from(items.len()).unwrap_or(limit));
            if missing == 0 {
                break;
            }
            let Ok(more) = self.members_after(org, query, missing, next).await?.outcome else { break };
            items.extend(more.items);
            match more.next {
                Some(on) => *next = on,
                None => {
                    let items = std::mem::take(items);
                    page.outcome = Ok(Page { items, next: None });
                }
            }
        }
        Ok(page)
    }

    /// What one call finds.
    async fn members_after(
        &self,
        org: &OrgId,
        query: Option<&str>,
        limit: u32,
        after: &str,
    ) -> Result<Answer<Page<Member>>, StoreError> {
        let text = query.unwrap_or_default();
        let (folded, limit) = (fold(text), limit.to_string());
        let mut read_in = self.read_in(org);
        for _ in 0..RETRIES_MAX {
            let Query { alone, words } = Query::of(text, read_in.country);
            let by = serde_json::json!({ "alone": alone, "words": words }).to_string();
            let revision = if Query::is_of_phone(text) { read_in.revision.as_str() } else { "" };
            let by = if query.is_some() { by.as_str() } else { "" };
            let mut reply = self.read(org, "list_members", &[&folded, &limit, after, revision, by]).await?;
            if self.is_answered(org, &mut read_in, &mut reply)? {
                return Answer::of(reply, page_of);
            }
        }
        Err(never_the_same())
    }

    pub async fn standing(&self, org: &OrgId, id: &MemberId) -> Result<Answer<Standing>, StoreError> {
        let first = Answer::of(self.read(org, "read_standing", &[id.as_str(), "", ""]).await?, standing)?;
        self.with_all_places(org, id, first).await
    }

    /// Counts the places that found no room in the first answer.
    async fn with_all_places(
        &self,
        org: &OrgId,
        id: &MemberId,
        first: Answer<StandingPage>,
    ) -> Result<Answer<Standing>, StoreError> {
        let Answer { outcome, cursor, zone } = first;
        let StandingPage { mut standing, mut next } = match outcome {
            Ok(page) => page,
            Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor, zone }),
        };
        while let Some((start, booking)) = next.take() {
            let reply = self.read(org, "read_standing", &[id.as_str(), &start, &booking]).await?;
            if let Ok(page) = Answer::of(reply, self::standing)?.outcome {
                standing.add_places(page.standing.booked);
                next = page.next;
            }
        }
        Ok(Answer { outcome: Ok(standing), cursor, zone })
    }
}

/// A member's standing with some of the places they hold, and after which the others begin: class start and booking.
pub(super) struct StandingPage {
    pub standing: Standing,
    pub next: Option<(String, String)>,
}

/// Lower case, the way both sides of a look-up by the older index are written; a phone number loses its punctuation,
/// whichever it has.
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
    let mut older = vec![fold(member.id.as_str()), fold(&member.name)];
    older.extend(member.phone.as_deref().and_then(compact));
    older.sort();
    older.dedup();
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
        ("index", serde_json::json!(older).to_string()),
    ]
}

/// Reads a stored member field by field; one that cannot be read counts as none, and is named.
struct Lenient<'a> {
    record: &'a Record,
    odd: Vec<&'static str>,
}

impl Lenient<'_> {
    /// What a field says, if it is there.
    fn field<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let read = parse(self.record.get(name)?);
        if read.is_none() {
            self.odd.push(name);
        }
        read
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        self.field(name, |text| Some(text.to_owned()))
    }

    fn day(&mut self, name: &'static str) -> Option<NaiveDate> {
        self.field(name, |text| parse_date(text).ok())
    }

    /// Where it cannot be read, the membership covers nothing.
    fn scope(&mut self, name: &'static str) -> Scope {
        let read = |text: &str| match text {
            "all" => Some(Scope::All),
            names => serde_json::from_str(names).ok().map(Scope::Only),
        };
        self.field(name, read).unwrap_or(if self.odd.contains(&name) { Scope::Only(Vec::new()) } else { Scope::All })
    }
}

fn read_frozen(text: &str) -> Option<Vec<Frozen>> {
    let spans: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    let day = |text: &str| parse_date(text).ok();
    spans.iter().map(|(from, until)| Some(Frozen { from: day(from)?, until: day(until)? })).collect()
}

/// `<id> <member>`, as every reply with a member has it. A plan or status that is not known is as the atomic core takes
/// it: no clips are counted, and nothing is barred.
fn member_of(reply: &mut Reply) -> Result<Member, StoreError> {
    let (id, record) = (reply.text()?, reply.record()?);
    let mut f = Lenient { record: &record, odd: Vec::new() };
    let id: MemberId = id.parse().map_err(corrupt)?;
    let name = f.text("name").unwrap_or_default();
    let (email, phone) = (f.text("email"), f.text("phone"));
    let (born, language) = (f.day("born"), f.text("language"));
    let membership = Membership {
        plan: f.field("plan", |text| text.parse().ok()).unwrap_or(Plan::Unlimited),
        status: f.field("status", |text| text.parse().ok()).unwrap_or(MembershipStatus::Active),
        clips: f.field("clips", |text| text.parse().ok()),
        clips_revision: f.text("clips_revision"),
        valid_from: f.day("valid_from"),
        valid_until: f.day("valid_until"),
        clubs: f.scope("clubs"),
        categories: f.scope("categories"),
        frozen: f.field("frozen", read_frozen).unwrap_or_default(),
    };
    let unreadable = (!f.odd.is_empty()).then(|| f.odd.join(", "));
    Ok(Member { id, name, email, phone, born, language, membership, unreadable })
}

/// `<next or ''>`, then members.
fn page_of(reply: &mut Reply) -> Result<Page<Member>, StoreError> {
    let next = reply.optional()?;
    let mut items = Vec::new();
    while !reply.is_empty() {
        items.push(member_of(reply)?);
    }
    Ok(Page { items, next })
}

fn standing(reply: &mut Reply) -> Result<StandingPage, StoreError> {
    let (record, strikes, booked) = (reply.record()?, strikes(reply.nested()?)?, booked(reply.nested()?)?);
    let policy = stored_policy(&reply.text()?)?.policy;
    standing_of(&record, strikes, booked, &policy)
}

/// `<pairs> <strikes> <booked>`, under a policy that was read with it.
pub(super) fn standing_with(reply: &mut Reply, policy: &Policy) -> Result<StandingPage, StoreError> {
    let (record, strikes, booked) = (reply.record()?, strikes(reply.nested()?)?, booked(reply.nested()?)?);
    standing_of(&record, strikes, booked, policy)
}

fn standing_of(
    record: &Record,
    strikes: Vec<Strike>,
    booked: BTreeMap<chrono::NaiveDate, u32>,
    policy: &Policy,
) -> Result<StandingPage, StoreError> {
    // A reply that was remembered by an older version has no more pages.
    let next = record.get("next_start").zip(record.get("next_booking"));
    let next = next.map(|(start, booking)| (start.to_owned(), booking.to_owned()));
    let standing = Standing {
        strikes,
        banned_until: record.instant("banned_until")?,
        clips: record.optional("clips")?,
        open_fees: Money { amount: record.parse("open_fees")?, currency: policy.currency.to_string() },
        daily_limit: policy.booking.daily_limit,
        booked,
        upcoming: record.parse("upcoming")?,
    };
    Ok(StandingPage { standing, next })
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
