//! Series: stored, and their classes published ahead of the booking window.
//!
//! What a series says and what is published are brought together class by class, so any number of instances may do it
//! at once: a class's id follows from series and date, and a class somebody has booked is left alone.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::classes::{align_fields, flat};
use super::error::StoreError;
use super::orgs::OrgView;
use super::reply::{Reply, corrupt};
use super::{Answer, Command, RETRIES_MAX, Store, Write};
use crate::domain::calendar::parse_date;
use crate::domain::class::NewClass;
use crate::domain::ids::{ClassId, OrgId, SeriesId};
use crate::domain::invalid::{FieldError, Parsed, under};
use crate::domain::policy::{Opens, Policy};
use crate::domain::refusal::Refusal;
use crate::domain::series::{Occurrence, Series, class_id};
use crate::domain::terms::Terms;

/// Classes exist this long before their booking opens, so that the job may be late by days.
const AHEAD_DAYS: u64 = 14;

/// A series as it is stored.
#[derive(Clone, Debug)]
pub struct SeriesView {
    pub id: SeriesId,
    pub series: Series,
    pub active: bool,
    pub revision: u64,
    /// Every class up to this day has been published.
    pub published_until: Option<NaiveDate>,
}

/// What bringing a series and its classes together did.
#[derive(Clone, Debug, Default)]
pub struct Aligned {
    pub published: Vec<ClassId>,
    pub changed: Vec<ClassId>,
    pub cancelled: Vec<ClassId>,
    /// Somebody has booked, so it stays as it was.
    pub left_alone: Vec<ClassId>,
}

impl Store {
    /// Every series, by id.
    pub async fn all_series(&self, org: &OrgId) -> Result<Answer<Vec<SeriesView>>, StoreError> {
        self.read_series(org, "").await
    }

    pub async fn series(&self, org: &OrgId, id: &SeriesId) -> Result<Answer<SeriesView>, StoreError> {
        let Answer { outcome, cursor, zone } = self.read_series(org, id.as_str()).await?;
        let outcome = outcome.and_then(|found| found.into_iter().next().ok_or(Refusal::NotFound));
        Ok(Answer { outcome, cursor, zone })
    }

    async fn read_series(&self, org: &OrgId, id: &str) -> Result<Answer<Vec<SeriesView>>, StoreError> {
        Answer::of(self.read(org, "read_series", &[id]).await?, |reply| {
            let mut found = Vec::new();
            while !reply.is_empty() {
                found.push(view(&mut reply.nested()?)?);
            }
            found.sort_by(|a, b| a.id.cmp(&b.id));
            Ok(found)
        })
    }

    /// Stores a new series and publishes what is ahead.
    pub async fn create_series(
        &self,
        write: &Write,
        new: &Series,
    ) -> Result<Answer<(SeriesView, Aligned)>, StoreError> {
        let id = match &new.id {
            Some(id) => id.clone(),
            None => Uuid::now_v7().to_string().parse().map_err(corrupt)?,
        };
        self.store_series(write, &id, new, true, 0, None).await
    }

    /// Changes a series, or ends it, and brings its future classes in line where nobody has booked.
    pub async fn change_series(
        &self,
        write: &Write,
        id: &SeriesId,
        change: impl Fn(&Series) -> Parsed<Series>,
        end: bool,
        if_match: Option<u64>,
    ) -> Result<Answer<(SeriesView, Aligned)>, StoreError> {
        for _ in 0..RETRIES_MAX {
            let Answer { outcome, cursor, zone } = self.series(&write.org, id).await?;
            let refused = |refusal| Ok(Answer { outcome: Err(refusal), cursor: cursor.clone(), zone });
            let stored = match outcome {
                Ok(stored) => stored,
                Err(refusal) => return refused(refusal),
            };
            let series = match change(&stored.series) {
                Ok(series) => series,
                Err(errors) => return refused(Refusal::Invalid(errors)),
            };
            let active = stored.active && !end;
            match self.store_series(write, id, &series, active, stored.revision, if_match).await {
                Err(StoreError::Unavailable(why)) if why == MOVED => {}
                other => return other,
            }
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }

    async fn store_series(
        &self,
        write: &Write,
        id: &SeriesId,
        series: &Series,
        active: bool,
        revision: u64,
        if_match: Option<u64>,
    ) -> Result<Answer<(SeriesView, Aligned)>, StoreError> {
        let Answer { outcome, cursor, zone } = self.org(&write.org).await?;
        let fits = outcome.and_then(|org| policy_of(series, &org.org.policy).map_err(Refusal::Invalid));
        if let Err(refusal) = fits {
            return Ok(Answer { outcome: Err(refusal), cursor, zone });
        }
        let status = if active { "active" } else { "ended" };
        let expected = if_match.map(|revision| revision.to_string()).unwrap_or_default();
        let args = [id.as_str(), &series.body.to_string(), status, &revision.to_string(), &expected];
        let reply = self.write(write, "put_series", &args).await?;
        if reply.tag == "RETRY" {
            return Err(StoreError::Unavailable(MOVED.to_owned()));
        }
        let stored = Answer::of(reply, view)?;
        let view = match stored.outcome {
            Ok(view) => view,
            Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor: stored.cursor, zone: stored.zone }),
        };
        let known = self.series(&write.org, id).await?.outcome.ok().and_then(|view| view.published_until);
        let aligned = self.align(write, &SeriesView { published_until: known, ..view.clone() }, true).await?;
        let outcome = aligned.map(|aligned| (view, aligned));
        Ok(Answer { outcome, cursor: stored.cursor, zone: stored.zone })
    }

    /// Publishes what has come within reach since the last time, for every active series.
    pub async fn publish_series(&self, org: &OrgId) -> Result<(), StoreError> {
        let found = self.all_series(org).await?.outcome.unwrap_or_default();
        let by = crate::domain::caller::By { sub: "rollcall".to_owned(), role: "system".to_owned() };
        for view in found.into_iter().filter(|view| view.active) {
            let write = Write { org: org.clone(), by: by.clone(), command: Command::fresh() };
            // A refusal means that the series no longer fits the policy; staff see it when they next change it.
            let _ = self.align(&write, &view, false).await?;
        }
        Ok(())
    }

    /// `whole`: also classes published before; otherwise only days not yet published.
    async fn align(
        &self,
        write: &Write,
        view: &SeriesView,
        whole: bool,
    ) -> Result<Result<Aligned, Refusal>, StoreError> {
        let org = match self.org(&write.org).await?.outcome {
            Ok(org) => org,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let policy = match policy_of(&view.series, &org.org.policy) {
            Ok(policy) => policy,
            Err(errors) => return Ok(Err(Refusal::Invalid(errors))),
        };
        let today = org.now.with_timezone(&policy.timezone).date_naive();
        let done = view.published_until;
        let reach = today + Days::new(reach_days(&policy));
        // What was published further ahead, under other rules, is the series' all the same.
        let horizon = done.filter(|_| whole).map_or(reach, |done| reach.max(done));
        let from = if whole { today } else { done.map_or(today, |done| today.max(done + Days::new(1))) };
        if from > horizon {
            return Ok(Ok(Aligned::default()));
        }
        let due = if view.active {
            view.series.occurrences(&view.id, from, horizon, policy.timezone)
        } else {
            Ok(Vec::new())
        };
        let due = match due {
            Ok(due) => due,
            Err(errors) => return Ok(Err(Refusal::Invalid(errors))),
        };
        let mut aligned = Aligned::default();
        for occurrence in &due {
            if occurrence.class.starts_at > org.now {
                self.align_day(write, &org, occurrence, &mut aligned).await?;
            }
        }
        if let (true, Some(done)) = (whole, done) {
            self.drop_days(write, view, &due, today, done, &mut aligned).await?;
        }
        let day = horizon.to_string();
        let mark = Write { command: Command::fresh(), ..write.clone() };
        self.write(&mark, "mark_series", &[view.id.as_str(), &view.revision.to_string(), &day]).await?;
        Ok(Ok(aligned))
    }

    /// Publishes the day's class, or changes it into what the series says.
    async fn align_day(
        &self,
        write: &Write,
        org: &OrgView,
        occurrence: &Occurrence,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        let Some(id) = occurrence.class.id.clone() else { return Ok(()) };
        let own = Write { command: Command::fresh(), ..write.clone() };
        match self.publish_class(&own, &occurrence.class).await?.outcome {
            Ok(_) => aligned.published.push(id),
            Err(refusal) if is_taken(&refusal) => {
                let same = |policy: &Policy, class: &NewClass| match &class.policy {
                    Some(patch) => policy.patched(patch).ok(),
                    None => Some(policy.clone()),
                };
                if let Some(policy) = same(&org.org.policy, &occurrence.class) {
                    let terms = Terms::of(&policy, occurrence.class.starts_at, occurrence.class.minutes);
                    self.align_class(write, &id, Some((&occurrence.class, &terms)), aligned).await?;
                }
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Cancels the classes published before that the series no longer has.
    async fn drop_days(
        &self,
        write: &Write,
        view: &SeriesView,
        due: &[Occurrence],
        today: NaiveDate,
        done: NaiveDate,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        let kept = |date: &NaiveDate| due.iter().any(|occurrence| occurrence.date == *date);
        for date in today.iter_days().take_while(|date| *date <= done).filter(|date| !kept(date)) {
            if let Some(id) = class_id(&view.id, date) {
                self.align_class(write, &id, None, aligned).await?;
            }
        }
        Ok(())
    }

    /// Changes or (`None`) cancels one class that is there, if nobody has booked.
    async fn align_class(
        &self,
        write: &Write,
        id: &ClassId,
        into: Option<(&NewClass, &Terms)>,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        for _ in 0..RETRIES_MAX {
            let mut seen = self.read(&write.org, "read_class", &[id.as_str(), ""]).await?;
            if seen.tag == "REFUSED" {
                return Ok(());
            }
            let (_id, stored) = (seen.text()?, seen.record()?);
            let pairs = into.map(|(class, terms)| align_fields(&stored, class, terms)).transpose()?.unwrap_or_default();
            if into.is_some() && pairs.is_empty() {
                return Ok(());
            }
            let cancel = if into.is_some() { "" } else { "series_changed" };
            let mut args = vec![id.as_str(), stored.required("revision")?, cancel];
            args.extend(flat(&pairs));
            let own = Write { command: Command::fresh(), ..write.clone() };
            let reply = self.write(&own, "align_class", &args).await?;
            match reply.tag.as_str() {
                "RETRY" => continue,
                "TAKEN" => aligned.left_alone.push(id.clone()),
                "CLASS" if into.is_some() => aligned.changed.push(id.clone()),
                "CLASS" => aligned.cancelled.push(id.clone()),
                _ => {}
            }
            return Ok(());
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }
}

const MOVED: &str = "what was to be changed keeps changing";

fn is_taken(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Invalid(errors) if errors.iter().any(|FieldError { pointer, .. }| pointer == "/id"))
}

fn policy_of(series: &Series, policy: &Policy) -> Parsed<Policy> {
    let patch = series.body.get("policy").filter(|patch| !patch.is_null());
    patch.map_or_else(|| Ok(policy.clone()), |patch| policy.patched(patch)).map_err(|errors| under("policy", errors))
}

/// How many days ahead classes are published under a policy.
fn reach_days(policy: &Policy) -> u64 {
    let opens = match &policy.booking.opens {
        Opens::Before(span) => u64::try_from(span.fixed_ms() / 86_400_000).unwrap_or(0) + 1,
        Opens::Days { days, .. } => u64::from(*days) + 1,
    };
    opens + AHEAD_DAYS
}

fn view(reply: &mut Reply) -> Result<SeriesView, StoreError> {
    let id: SeriesId = reply.text()?.parse().map_err(corrupt)?;
    let body = serde_json::from_str(&reply.text()?).map_err(corrupt)?;
    let series = Series::parse(&body).map_err(|errors| corrupt(format!("series {id}: {errors:?}")))?;
    let (status, revision) = (reply.text()?, reply.text()?.parse().map_err(corrupt)?);
    let published = if reply.is_empty() { None } else { reply.optional()? };
    let published_until = published.map(|day| parse_date(&day).map_err(corrupt)).transpose()?;
    Ok(SeriesView { id, series, active: status == "active", revision, published_until })
}
