//! Series and their classes brought together: published ahead of the booking window, changed, called off.
//!
//! What a series says and what is published are compared class by class, so any number of instances may do it at once: a
//! class's id follows from series and date, and a class somebody has booked is left alone. A series is looked at once a
//! day, and when it or the organisation changed.

use std::collections::{BTreeSet, HashSet};

use chrono::{Datelike, Days, NaiveDate};
use tracing::warn;

use super::{Aligned, MOVED, SeriesView, Unread, aside, policy_of, unread};
use crate::domain::calendar::local_date;
use crate::domain::caller::By;
use crate::domain::class::NewClass;
use crate::domain::ids::{ClassId, OrgId, SeriesId};
use crate::domain::invalid::{FieldError, sentence};
use crate::domain::policy::{Opens, Policy};
use crate::domain::refusal::Refusal;
use crate::domain::series::{Occurrence, Series, class_id};
use crate::domain::terms::Terms;
use crate::store::classes::{align_fields, flat};
use crate::store::error::StoreError;
use crate::store::orgs::OrgView;
use crate::store::{Command, RETRIES_MAX, Store, Write};

/// Classes exist this long before their booking opens, so that the job may be late by days.
const AHEAD_DAYS: u64 = 14;

/// Pages of due series that one round looks at: of the longest series there are, all that an organisation may have.
const PAGES_MAX: usize = 1_000;

/// The days a series is brought together with its classes, all local and inclusive.
struct Reach {
    today: NaiveDate,
    from: NaiveDate,
    /// None for one that has no class any more.
    until: Option<NaiveDate>,
}

impl Store {
    /// Publishes what has come within reach, for every active series that has not been looked at today. One that cannot
    /// be published is named in the log and stands in nobody's way.
    pub async fn publish_series(&self, org: &OrgId) -> Result<(), StoreError> {
        let mut looked_at = HashSet::new();
        for _ in 0..PAGES_MAX {
            let Ok(view) = self.org(org).await?.outcome else { return Ok(()) };
            let mut reply = self.read(org, "due_series", &[&today(&view).num_days_from_ce().to_string()]).await?;
            if reply.tag == "REFUSED" {
                return Ok(());
            }
            let (more, found, before) = (reply.optional()?.is_some(), unread(&mut reply)?, looked_at.len());
            let nothing = found.is_empty();
            for series in found {
                if looked_at.insert(series.id.clone()) {
                    self.publish_one(&view, series).await?;
                }
            }
            // Those that were changed meanwhile are due again, and for the next round.
            if !more || (looked_at.len() == before && !nothing) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn publish_one(&self, org: &OrgView, series: Unread) -> Result<(), StoreError> {
        let by = By { sub: "rollcall".to_owned(), role: "system".to_owned() };
        let write = Write { org: org.org.id.clone(), by, command: Command::fresh() };
        let view = aside(|| series.read()).await?;
        let why = match self.align(&write, &view, false).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(Refusal::Invalid(errors))) => sentence(&errors),
            Ok(Err(refusal)) => refusal.code().to_owned(),
            Err(StoreError::Corrupt(why)) => why,
            Err(away) => return Err(away),
        };
        let id = &view.id;
        warn!(org = %write.org, series = %id, "the series {id} of {} cannot be published: {why}", write.org);
        self.mark(&write, &view, org, None).await
    }

    /// Brings the classes in line with the series. `whole`: also those published before; otherwise only days not yet
    /// published.
    pub(super) async fn align(
        &self,
        write: &Write,
        view: &SeriesView,
        whole: bool,
    ) -> Result<Result<Aligned, Refusal>, StoreError> {
        let org = match self.org(&write.org).await?.outcome {
            Ok(org) => org,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let found = match (view.active, &view.stored.series) {
            (true, Ok(series)) => self.occurrences_due(&org, view, series, whole).await?,
            (true, Err(errors)) => Err(errors.clone()),
            (false, _) => Ok((Reach { today: today(&org), from: today(&org), until: None }, Vec::new())),
        };
        let (reach, due) = match found {
            Ok(found) => found,
            Err(errors) => return Ok(Err(Refusal::Invalid(errors))),
        };
        let mut aligned = Aligned::default();
        for occurrence in &due {
            if occurrence.class.starts_at > org.now {
                self.align_day(write, &org, occurrence, &mut aligned).await?;
            }
        }
        if let (true, Some(done)) = (whole, view.published_until) {
            let kept = due.iter().map(|occurrence| occurrence.date).collect();
            self.drop_days(write, &view.id, &kept, reach.today, done, &mut aligned).await?;
        }
        self.mark(write, view, &org, reach.until).await?;
        Ok(Ok(aligned))
    }

    /// The classes that a series has on the days it is to be brought in line on.
    async fn occurrences_due(
        &self,
        org: &OrgView,
        view: &SeriesView,
        series: &Series,
        whole: bool,
    ) -> Result<Result<(Reach, Vec<Occurrence>), Vec<FieldError>>, StoreError> {
        let policy = match policy_of(series, &org.org.policy) {
            Ok(policy) => policy,
            Err(errors) => return Ok(Err(errors)),
        };
        let reach = Reach::of(org, view, &policy, whole);
        let (from, until, zone) = (reach.from, reach.until.unwrap_or(reach.today), policy.timezone);
        let (id, series) = (view.id.clone(), series.clone());
        let due = aside(move || series.occurrences(&id, from, until, zone)).await?;
        Ok(due.map(|due| (reach, due)))
    }

    /// Notes how far a series has been published, and that it is next looked at tomorrow.
    async fn mark(
        &self,
        write: &Write,
        view: &SeriesView,
        org: &OrgView,
        until: Option<NaiveDate>,
    ) -> Result<(), StoreError> {
        let until = until.map(|day| day.to_string()).unwrap_or_default();
        let (revision, rules) = (view.revision.to_string(), org.org.revision.to_string());
        let tomorrow = (today(org).num_days_from_ce() + 1).to_string();
        let own = Write { command: Command::fresh(), ..write.clone() };
        let args = [view.id.as_str(), &revision, &until, &tomorrow, &rules];
        self.write(&own, "mark_series", &args).await.map(|_marked| ())
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
        id: &SeriesId,
        kept: &BTreeSet<NaiveDate>,
        today: NaiveDate,
        done: NaiveDate,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        for date in today.iter_days().take_while(|date| *date <= done).filter(|date| !kept.contains(date)) {
            if let Some(id) = class_id(id, date) {
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

impl Reach {
    /// Classes that were published further ahead, under other rules, still belong to the series.
    fn of(org: &OrgView, view: &SeriesView, policy: &Policy, whole: bool) -> Reach {
        let (today, done) = (today(org), view.published_until);
        let until = today + Days::new(reach_days(policy));
        let until = done.filter(|_| whole).map_or(until, |done| until.max(done));
        let from = if whole { today } else { done.map_or(today, |done| today.max(done + Days::new(1))) };
        Reach { today, from, until: Some(until) }
    }
}

/// The organisation's local day.
fn today(org: &OrgView) -> NaiveDate {
    local_date(org.now, org.org.policy.timezone)
}

fn is_taken(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Invalid(errors) if errors.iter().any(|FieldError { pointer, .. }| pointer == "/id"))
}

/// How many days ahead classes are published under a policy.
fn reach_days(policy: &Policy) -> u64 {
    let opens = match &policy.booking.opens {
        Opens::Before(span) => u64::try_from(span.fixed_ms() / 86_400_000).unwrap_or(0) + 1,
        Opens::Days { days, .. } => u64::from(*days) + 1,
    };
    opens + AHEAD_DAYS
}
