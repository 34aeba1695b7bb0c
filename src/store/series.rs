//! Series: stored, listed, changed and ended. `publishing` brings them and their classes together.
//!
//! A series is judged when it is put and read leniently ever after, so one that today would be refused still has a place
//! in the list, can be put right and can be ended. Long bodies are read away from the threads that answer.

mod days;
mod given;
mod publishing;

use chrono::NaiveDate;
use serde_json::{Map, Value};
use tracing::warn;
use uuid::Uuid;

use super::bookings::unreadable_cursor;
use super::error::StoreError;
use super::orgs::OrgView;
use super::reply::{Reply, corrupt};
use super::{Answer, Page, RETRIES_MAX, Store, Write};
use crate::domain::calendar::parse_date;
use crate::domain::ids::{ClassId, OrgId, SeriesId};
use crate::domain::invalid::{Parsed, under};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::series::{Edit, Named, Reach, Series, StoredSeries};

/// What a cursor of the list begins with; the last id that was shown follows.
const CURSOR: &str = "series:";

/// A series as it is stored.
#[derive(Clone, Debug)]
pub struct SeriesView {
    pub id: SeriesId,
    /// The body as it stands in the store.
    text: String,
    pub stored: StoredSeries,
    pub active: bool,
    pub revision: u64,
    /// Every class up to this day has been published.
    pub published_until: Option<NaiveDate>,
}

/// What becomes of a series.
#[derive(Clone, Debug)]
pub enum SeriesChange {
    Edited(Edit),
    Ended,
}

/// What bringing a series and its classes together did.
#[derive(Clone, Debug, Default)]
pub struct Aligned {
    pub published: Vec<ClassId>,
    pub changed: Vec<ClassId>,
    pub cancelled: Vec<ClassId>,
    /// Somebody has booked, so it stays as it was.
    pub left_alone: Vec<ClassId>,
    /// Every class up to this day has been published.
    pub published_until: Option<NaiveDate>,
}

/// What a change of a series means for the classes that are there.
struct Change {
    /// None: the series has ended.
    edit: Option<Following>,
}

/// How classes follow an edit.
struct Following {
    named: Named,
    reach: Reach,
    /// The series before it, unless that could not be read.
    before: Option<(SeriesId, Series)>,
}

/// A series as Redis has it, not yet read.
struct Unread {
    id: SeriesId,
    /// JSON `{body, status, revision}`, where the body is JSON in a text.
    stored: String,
    published_until: Option<NaiveDate>,
}

/// What is to be stored of a series.
struct Put {
    text: String,
    stored: StoredSeries,
    active: bool,
    /// It was made from; 0 for a new one.
    revision: u64,
    if_match: Option<u64>,
    /// How far it had been published.
    published_until: Option<NaiveDate>,
}

impl Store {
    /// Series by id; `after` is a cursor of an earlier page. A page of long ones may be shorter than asked for.
    pub async fn series_page(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Answer<Page<SeriesView>>, StoreError> {
        let from = after.map_or(Some(""), |after| after.strip_prefix(CURSOR));
        let reply = self.read(org, "read_series", &["", from.unwrap_or_default(), &limit.to_string()]).await?;
        if from.is_none() {
            return Ok(Answer::refused(&reply, unreadable_cursor()));
        }
        let found = Answer::of(reply, |reply| {
            let next = reply.optional()?.map(|id| format!("{CURSOR}{id}"));
            Ok((next, unread(reply)?))
        })?;
        let Answer { outcome, cursor, zone } = found;
        let outcome = match outcome {
            Ok((next, found)) => {
                Ok(Page { items: aside(|| found.into_iter().map(Unread::read).collect()).await?, next })
            }
            Err(refusal) => Err(refusal),
        };
        Ok(Answer { outcome, cursor, zone })
    }

    pub async fn series(&self, org: &OrgId, id: &SeriesId) -> Result<Answer<SeriesView>, StoreError> {
        let Answer { outcome, cursor, zone } = self.unread_series(org, id).await?;
        let outcome = match outcome {
            Ok(found) => Ok(aside(|| found.read()).await?),
            Err(refusal) => Err(refusal),
        };
        Ok(Answer { outcome, cursor, zone })
    }

    async fn unread_series(&self, org: &OrgId, id: &SeriesId) -> Result<Answer<Unread>, StoreError> {
        let Answer { outcome, cursor, zone } =
            Answer::of(self.read(org, "read_series", &[id.as_str(), "", "1"]).await?, |reply| {
                reply.optional()?;
                unread(reply)
            })?;
        let outcome = outcome.and_then(|found| found.into_iter().next().ok_or(Refusal::NotFound));
        Ok(Answer { outcome, cursor, zone })
    }

    /// Stores a new series and publishes what is ahead.
    pub async fn create_series(&self, write: &Write, new: Series) -> Result<Answer<(SeriesView, Aligned)>, StoreError> {
        let id = match &new.id {
            Some(id) => id.clone(),
            None => Uuid::now_v7().to_string().parse().map_err(corrupt)?,
        };
        let put = Put {
            text: new.body.to_string(),
            stored: of(new),
            active: true,
            revision: 0,
            if_match: None,
            published_until: None,
        };
        self.put_series(write, &id, put, None).await
    }

    /// Changes a series, or ends it, and brings the classes that have not started in line. One that cannot be read ends like
    /// any other, and an edit that repairs it is like any other.
    pub async fn change_series(
        &self,
        write: &Write,
        id: &SeriesId,
        change: &SeriesChange,
        if_match: Option<u64>,
    ) -> Result<Answer<(SeriesView, Aligned)>, StoreError> {
        for _ in 0..RETRIES_MAX {
            let Answer { outcome, cursor, zone } = self.series(&write.org, id).await?;
            let refused = |refusal| Ok(Answer { outcome: Err(refusal), cursor: cursor.clone(), zone });
            let SeriesView { text, stored, active, revision, published_until, .. } = match outcome {
                Ok(seen) => seen,
                Err(refusal) => return refused(refusal),
            };
            let (put, edit) = match change {
                SeriesChange::Ended => (Put { text, stored, active: false, revision, if_match, published_until }, None),
                SeriesChange::Edited(edit) => {
                    let named = edit.named(&stored.body);
                    let before = stored.series.clone().ok().map(|series| (id.clone(), series));
                    let following = Following { named, reach: edit.reach, before };
                    let edit = edit.clone();
                    let series = match aside(move || edit.applied_to(&stored.body)).await? {
                        Ok(series) => series,
                        Err(errors) => return refused(Refusal::Invalid(errors)),
                    };
                    let (text, stored) = (series.body.to_string(), of(series));
                    (Put { text, stored, active, revision, if_match, published_until }, Some(following))
                }
            };
            let change = Change { edit };
            match self.put_series(write, id, put, Some(change)).await {
                Err(StoreError::Unavailable(why)) if why == MOVED => {}
                other => return other,
            }
        }
        Err(StoreError::Unavailable(MOVED.to_owned()))
    }

    /// `change`: what becomes of the classes that are there; none where the series is new.
    async fn put_series(
        &self,
        write: &Write,
        id: &SeriesId,
        put: Put,
        change: Option<Change>,
    ) -> Result<Answer<(SeriesView, Aligned)>, StoreError> {
        let Answer { outcome, cursor, zone } = self.org(&write.org).await?;
        let org = match outcome.and_then(|org| put.fits(&org).map(|()| org)) {
            Ok(org) => org,
            Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor, zone }),
        };
        let status = if put.active { "active" } else { "ended" };
        let expected = put.if_match.map(|revision| revision.to_string()).unwrap_or_default();
        let args = [id.as_str(), &put.text, status, &put.revision.to_string(), &expected];
        let reply = self.write(write, "put_series", &args).await?;
        if reply.tag == "RETRY" {
            return Err(StoreError::Unavailable(MOVED.to_owned()));
        }
        let Answer { outcome, cursor, zone } = Answer::of(reply, |reply| {
            let (id, text, status) = (reply.text()?.parse().map_err(corrupt)?, reply.text()?, reply.text()?);
            // A call that is repeated answers what it stored the first time.
            let stored = if text == put.text { put.stored } else { Series::stored(&text) };
            let revision = reply.text()?.parse().map_err(corrupt)?;
            let published_until = put.published_until;
            Ok(SeriesView { id, text, stored, active: status == "active", revision, published_until })
        })?;
        let view = match outcome {
            Ok(view) => view,
            Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor, zone }),
        };
        let aligned = match change {
            None => self.publish_ahead(write, &org, &view, None).await?,
            Some(change) => self.carry_out(write, &org, view.clone(), &change).await?,
        };
        let outcome = aligned.map(|aligned| {
            let published_until = aligned.published_until.or(view.published_until);
            (SeriesView { published_until, ..view }, aligned)
        });
        Ok(Answer { outcome, cursor, zone })
    }
}

impl SeriesView {
    /// The clubs of its classes: its own, and those of days that are held elsewhere.
    fn clubs(&self) -> impl Iterator<Item = &str> {
        let days = self.stored.body.get("changes").and_then(Value::as_object).into_iter().flatten();
        let days = days.filter_map(|(_, change)| change.get("club"));
        self.stored.body.get("club").into_iter().chain(days).filter_map(Value::as_str)
    }
}

impl Put {
    /// Whether its own rules fit those of the organisation. One that ends is not judged.
    fn fits(&self, org: &OrgView) -> Result<(), Refusal> {
        match (&self.stored.series, self.active) {
            (Ok(series), true) => policy_of(series, &org.org.policy).map(|_fits| ()).map_err(Refusal::Invalid),
            (Ok(_) | Err(_), _) => Ok(()),
        }
    }
}

const MOVED: &str = "what was to be changed keeps changing";

impl Unread {
    /// What cannot be read at all is an active series without a body, of the revision the atomic core takes it for.
    fn read(self) -> SeriesView {
        let Unread { id, stored, published_until } = self;
        let wrapped = serde_json::from_str(&stored).ok().filter(Value::is_object);
        let text = match &wrapped {
            Some(fields) => fields["body"].as_str().unwrap_or_default().to_owned(),
            None => stored,
        };
        let field = |name: &str| wrapped.as_ref().and_then(|fields| fields.get(name));
        let active = field("status").is_none_or(|status| status != "ended");
        let revision = field("revision").and_then(Value::as_u64).unwrap_or(1);
        SeriesView { id, stored: Series::stored(&text), text, active, revision, published_until }
    }
}

/// The series of a reply, each as `<id> <stored> <published until>`. What stands under an id that is none is nobody's.
fn unread(reply: &mut Reply) -> Result<Vec<Unread>, StoreError> {
    let mut found = Vec::new();
    while !reply.is_empty() {
        let mut one = reply.nested()?;
        let (id, stored, published) = (one.text()?, one.text()?, one.text()?);
        match SeriesId::parse(&id) {
            Ok(id) => found.push(Unread { id, stored, published_until: parse_date(&published).ok() }),
            Err(error) => warn!("a series is stored under what is no id: {error}"),
        }
    }
    Ok(found)
}

/// A series that has just been judged, as if it had been read.
fn of(series: Series) -> StoredSeries {
    let body = series.body.as_object().cloned().unwrap_or_else(Map::new);
    StoredSeries { body, series: Ok(series) }
}

/// Work that may take long, away from the threads that answer.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn policy_of(series: &Series, policy: &Policy) -> Parsed<Policy> {
    series
        .policy()
        .map_or_else(|| Ok(policy.clone()), |patch| policy.patched(patch))
        .map_err(|errors| under("policy", errors))
}
