//! Series and their classes brought together: published ahead of the booking window, changed, called off.
//!
//! A class's id follows from series and date, so any number of instances may publish at once. An edit changes in each class
//! only the fields it names, and none that was changed by hand; a class somebody has booked is left alone unless the edit
//! says otherwise. A series is looked at once a day, and when it or the organisation changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{Datelike, Days, NaiveDate};
use tracing::warn;

use super::days::{due, on_day, today};
use super::given::{Followed, Given};
use super::{Aligned, Change, MOVED, SeriesView, Unread, aside, policy_of, unread};
use crate::domain::caller::By;
use crate::domain::class::NewClass;
use crate::domain::ids::{ClassId, OrgId, SeriesId};
use crate::domain::invalid::sentence;
use crate::domain::refusal::Refusal;
use crate::domain::series::{Occurrence, Reach, Series, class_date};
use crate::domain::terms::Terms;
use crate::store::classes::{Pairs, flat, new_class_fields};
use crate::store::error::StoreError;
use crate::store::orgs::OrgView;
use crate::store::reply::{Record, Reply, corrupt};
use crate::store::{Command, RETRIES_MAX, Store, Write};

/// Pages of due series that one round looks at: of the longest series there are, all that an organisation may have.
const PAGES_MAX: usize = 1_000;

/// Why the classes of a series that it no longer has are cancelled.
const NO_LONGER: &str = "series_changed";

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
            let (more, again) = (reply.optional()?.is_some(), again(&mut reply.nested()?)?);
            let (found, before) = (unread(&mut reply)?, looked_at.len());
            let nothing = found.is_empty();
            for series in found {
                if looked_at.insert(series.id.clone()) {
                    self.publish_one(&view, series, &again).await?;
                }
            }
            // Those that were changed meanwhile are due again, and for the next round.
            if !more || (looked_at.len() == before && !nothing) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn publish_one(
        &self,
        org: &OrgView,
        series: Unread,
        again: &HashMap<String, NaiveDate>,
    ) -> Result<(), StoreError> {
        let by = By { sub: "rollcall".to_owned(), role: "system".to_owned() };
        let write = Write { org: org.org.id.clone(), by, command: Command::fresh() };
        let view = aside(|| series.read()).await?;
        let reopened = view.clubs().filter_map(|club| again.get(club)).min().copied();
        let why = match self.publish_ahead(&write, org, &view, reopened).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(Refusal::Invalid(errors))) => sentence(&errors),
            Ok(Err(refusal)) => refusal.code().to_owned(),
            Err(StoreError::Corrupt(why)) => why,
            Err(away) => return Err(away),
        };
        let id = &view.id;
        warn!(org = %write.org, series = %id, "the series {id} of {} cannot be published: {why}", write.org);
        self.mark(&write, &view, org, None).await.map(|_| ())
    }

    /// Publishes the days that are not published yet. `reopened`: the day from which on the club is no longer closed, so
    /// that days were left out.
    pub(super) async fn publish_ahead(
        &self,
        write: &Write,
        org: &OrgView,
        view: &SeriesView,
        reopened: Option<NaiveDate>,
    ) -> Result<Result<Aligned, Refusal>, StoreError> {
        let ahead = view.published_until.map_or(today(org), |done| done + Days::new(1));
        let from = today(org).max(reopened.map_or(ahead, |day| ahead.min(day)));
        let (until, due) = match due(org, view, from).await? {
            Ok(due) => due,
            Err(errors) => return Ok(Err(Refusal::Invalid(errors))),
        };
        let mut aligned = Aligned::default();
        for occurrence in &due {
            self.publish_day(write, org, occurrence, &mut aligned).await?;
        }
        aligned.published_until = match self.mark(write, view, org, until).await? {
            Marked::Until(day) => day,
            Marked::Changed => view.published_until,
        };
        Ok(Ok(aligned))
    }

    /// Brings the classes that have not started in line with a change of the series, and publishes what is missing. Where
    /// the series is changed again meanwhile, the named fields follow what it says then.
    pub(super) async fn carry_out(
        &self,
        write: &Write,
        org: &OrgView,
        view: SeriesView,
        change: &Change,
    ) -> Result<Result<Aligned, Refusal>, StoreError> {
        let (mut view, mut aligned) = (view, Aligned::default());
        for _ in 0..RETRIES_MAX {
            let (until, due) = match due(org, &view, today(org)).await? {
                Ok(due) => due,
                Err(errors) => return Ok(Err(Refusal::Invalid(errors))),
            };
            self.bring_in_line(write, org, (&view, change), (until, &due), &mut aligned).await?;
            if let Marked::Until(day) = self.mark(write, &view, org, until).await? {
                aligned.published_until = day;
                return Ok(Ok(aligned));
            }
            view = match self.series(&write.org, &view.id).await?.outcome {
                Ok(view) => view,
                Err(refusal) => return Ok(Err(refusal)),
            };
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }

    async fn bring_in_line(
        &self,
        write: &Write,
        org: &OrgView,
        (view, change): (&SeriesView, &Change),
        (until, due): (Option<NaiveDate>, &[Occurrence]),
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        let looked_through = |date: NaiveDate| date >= today(org) && until.is_some_and(|until| date <= until);
        let there = self.classes_of(&write.org, &view.id).await?;
        for occurrence in due.iter().filter(|occurrence| !there.contains_key(&occurrence.date)) {
            self.publish_day(write, org, occurrence, aligned).await?;
        }
        for (date, id) in &there {
            let known = due.iter().find(|occurrence| occurrence.date == *date).cloned();
            // A class that was moved may start long after its day.
            let occurrence = match known {
                Some(occurrence) => Some(occurrence),
                None if looked_through(*date) => None,
                None => on_day(org, view, *date).await?,
            };
            match occurrence {
                Some(Occurrence { class, .. }) if change.names_class(*date) => {
                    self.follow(write, org, id, *date, &class, change, aligned).await?;
                }
                None if change.drops_days() => self.call_off(write, org, id, change, aligned).await?,
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// The classes of a series that have not started, by the date they belong to.
    async fn classes_of(&self, org: &OrgId, series: &SeriesId) -> Result<BTreeMap<NaiveDate, ClassId>, StoreError> {
        let mut found = BTreeMap::new();
        let (mut after, mut after_id) = (String::new(), String::new());
        loop {
            let mut reply = self.read(org, "series_classes", &[series.as_str(), &after, &after_id]).await?;
            (after, after_id) = (reply.text()?, reply.text()?);
            while !reply.is_empty() {
                let id: ClassId = reply.text()?.parse().map_err(corrupt)?;
                found.extend(class_date(series, &id).map(|date| (date, id)));
            }
            if after.is_empty() {
                return Ok(found);
            }
        }
    }

    /// Notes how far a series has been published, and that it is next looked at tomorrow.
    async fn mark(
        &self,
        write: &Write,
        view: &SeriesView,
        org: &OrgView,
        until: Option<NaiveDate>,
    ) -> Result<Marked, StoreError> {
        let until = until.map(|day| day.to_string()).unwrap_or_default();
        let revision = view.revision.to_string();
        let tomorrow = (today(org).num_days_from_ce() + 1).to_string();
        let own = Write { command: Command::fresh(), ..write.clone() };
        let args = [view.id.as_str(), &revision, &until, &tomorrow, &org.series_rules];
        let mut reply = self.write(&own, "mark_series", &args).await?;
        match reply.tag.as_str() {
            "MARKED" => Ok(Marked::Until(reply.text()?.parse().ok())),
            _ => Ok(Marked::Changed),
        }
    }

    /// Publishes a day's class, unless it has been published before.
    async fn publish_day(
        &self,
        write: &Write,
        org: &OrgView,
        occurrence: &Occurrence,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        let class = &occurrence.class;
        let Some(id) = class.id.as_ref().filter(|_| class.starts_at > org.now) else { return Ok(()) };
        let gives = Given::of(class);
        let mut rules = (org.org.policy.clone(), org.org.revision);
        for _ in 0..RETRIES_MAX {
            let (policy, revision) = rules;
            let Ok(policy) = class.policy.as_ref().map_or_else(|| Ok(policy.clone()), |patch| policy.patched(patch))
            else {
                return Ok(());
            };
            let pairs = new_class_fields(class, &Terms::of(&policy, class.starts_at, class.minutes));
            let call = AlignCall { org_revision: revision, gives: gives.to_json(), pairs, ..AlignCall::default() };
            match self.align_class(write, id, &call).await?.as_str() {
                "PUBLISHED" => aligned.published.push(id.clone()),
                "RETRY" => {
                    let Ok(fresh) = self.org(&write.org).await?.outcome else { return Ok(()) };
                    rules = (fresh.org.policy, fresh.org.revision);
                    continue;
                }
                // It is there, or cannot be: its club is closed that day.
                _ => {}
            }
            return Ok(());
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }

    /// Changes one class that is there into what an edit makes of it.
    #[expect(clippy::too_many_arguments, reason = "a class, a day, what is wanted there and where it is noted")]
    async fn follow(
        &self,
        write: &Write,
        org: &OrgView,
        id: &ClassId,
        date: NaiveDate,
        wanted: &NewClass,
        change: &Change,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        for _ in 0..RETRIES_MAX {
            let mut seen = self.read(&write.org, "read_class", &[id.as_str(), ""]).await?;
            if seen.tag == "REFUSED" {
                return Ok(());
            }
            let (_id, class) = (seen.text()?, seen.record()?);
            let stored = Given::stored(&class);
            let given = stored.clone().unwrap_or_else(|| change.gave(org, date, &class));
            let Followed { pairs, gives } =
                Followed::of(&class, &given, wanted, |field| change.names(date, field), &org.org.policy)?;
            if pairs.is_empty() && stored.as_ref() == Some(&gives) {
                return Ok(());
            }
            let call = AlignCall {
                org_revision: org.org.revision,
                revision: class.required("revision")?.to_owned(),
                reach: change.reach(),
                gives: gives.to_json(),
                gave: if stored.is_none() { given.to_json() } else { String::new() },
                pairs,
                ..AlignCall::default()
            };
            match self.align_class(write, id, &call).await?.as_str() {
                "RETRY" => continue,
                "CHANGED" => note(&mut aligned.changed, id),
                "TAKEN" => note(&mut aligned.left_alone, id),
                _ => {}
            }
            return Ok(());
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }

    /// Cancels one class that its series no longer has.
    async fn call_off(
        &self,
        write: &Write,
        org: &OrgView,
        id: &ClassId,
        change: &Change,
        aligned: &mut Aligned,
    ) -> Result<(), StoreError> {
        for _ in 0..RETRIES_MAX {
            let mut seen = self.read(&write.org, "read_class", &[id.as_str(), ""]).await?;
            if seen.tag == "REFUSED" {
                return Ok(());
            }
            let (_id, class) = (seen.text()?, seen.record()?);
            let call = AlignCall {
                org_revision: org.org.revision,
                revision: class.required("revision")?.to_owned(),
                reach: change.reach(),
                cancel: NO_LONGER,
                ..AlignCall::default()
            };
            match self.align_class(write, id, &call).await?.as_str() {
                "RETRY" => continue,
                "CANCELLED" => note(&mut aligned.cancelled, id),
                "TAKEN" => note(&mut aligned.left_alone, id),
                _ => {}
            }
            return Ok(());
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }

    /// One step of the atomic core on one class; answers its tag.
    async fn align_class(&self, write: &Write, id: &ClassId, call: &AlignCall) -> Result<String, StoreError> {
        let own = Write { command: Command::fresh(), ..write.clone() };
        let revision = call.org_revision.to_string();
        let reach = call.reach.as_str();
        let mut args = vec![id.as_str(), &revision, &call.revision, reach, call.cancel, &call.gives, &call.gave];
        args.extend(flat(&call.pairs));
        Ok(self.write(&own, "align_class", &args).await?.tag)
    }
}

/// What came of noting how far a series has been published.
enum Marked {
    /// Every class up to this day has been published.
    Until(Option<NaiveDate>),
    /// The series has been changed meanwhile.
    Changed,
}

/// The arguments of `align_class`, in their order.
struct AlignCall {
    org_revision: u64,
    revision: String,
    reach: Reach,
    cancel: &'static str,
    gives: String,
    gave: String,
    pairs: Pairs,
}

impl Default for AlignCall {
    fn default() -> AlignCall {
        let (revision, gives, gave) = Default::default();
        AlignCall { org_revision: 0, revision, reach: Reach::Unbooked, cancel: "", gives, gave, pairs: Vec::new() }
    }
}

impl Change {
    fn names(&self, date: NaiveDate, field: &str) -> bool {
        self.edit.as_ref().is_some_and(|edit| edit.named.field(date, field))
    }

    fn names_class(&self, date: NaiveDate) -> bool {
        self.edit.as_ref().is_some_and(|edit| edit.named.class(date))
    }

    /// Whether classes go that the series no longer has. One that ends has none.
    fn drops_days(&self) -> bool {
        self.edit.as_ref().is_none_or(|edit| edit.named.days)
    }

    fn reach(&self) -> Reach {
        self.edit.as_ref().map_or(Reach::Unbooked, |edit| edit.reach)
    }

    /// What the series gave a class of which that was not noted: what it said before this change. Where that cannot be
    /// read either, nothing counts as changed by hand.
    fn gave(&self, org: &OrgView, date: NaiveDate, class: &Record) -> Given {
        let before = self.edit.as_ref().and_then(|edit| edit.before.as_ref());
        let zone = |series: &Series| policy_of(series, &org.org.policy).ok().map(|policy| policy.timezone);
        before
            .and_then(|(id, series)| series.on(id, date, zone(series)?).ok())
            .map_or_else(|| Given::everything_of(class), |class| Given::of(&class))
    }
}

/// A class is named once, however often a change was begun again.
fn note(list: &mut Vec<ClassId>, id: &ClassId) {
    if !list.contains(id) {
        list.push(id.clone());
    }
}

/// By club, the day from which on its series look again.
fn again(list: &mut Reply) -> Result<HashMap<String, NaiveDate>, StoreError> {
    let mut found = HashMap::new();
    while !list.is_empty() {
        found.insert(list.text()?, list.text()?.parse().map_err(corrupt)?);
    }
    Ok(found)
}
