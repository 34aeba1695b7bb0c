//! The days that a series is to have classes on, as far ahead as they are published.

use chrono::{Days, NaiveDate};

use super::{SeriesView, aside, policy_of};
use crate::domain::calendar::local_date;
use crate::domain::invalid::Parsed;
use crate::domain::policy::{Opens, Policy};
use crate::domain::series::Occurrence;
use crate::store::error::StoreError;
use crate::store::orgs::OrgView;

/// Classes exist this long before their booking opens, so that the job may be late by days.
const AHEAD_DAYS: u64 = 14;

/// The last day within reach and the classes that a series has from a day on until then. A series that has ended has none.
pub(super) async fn due(
    org: &OrgView,
    view: &SeriesView,
    from: NaiveDate,
) -> Result<Parsed<(Option<NaiveDate>, Vec<Occurrence>)>, StoreError> {
    let (true, series) = (view.active, &view.stored.series) else { return Ok(Ok((None, Vec::new()))) };
    let found = series.as_ref().map_err(Clone::clone).and_then(|series| {
        let policy = policy_of(series, &org.org.policy)?;
        Ok((series.clone(), policy))
    });
    let (series, policy) = match found {
        Ok(found) => found,
        Err(errors) => return Ok(Err(errors)),
    };
    // What was published further ahead, under other rules, is the series' all the same.
    let reach = today(org) + Days::new(reach_days(&policy));
    let until = view.published_until.map_or(reach, |done| reach.max(done));
    let id = view.id.clone();
    let due = aside(move || series.occurrences(&id, from, until, policy.timezone)).await?;
    Ok(due.map(|due| (Some(until), due)))
}

/// What a series has on one day, whichever that is.
pub(super) async fn on_day(
    org: &OrgView,
    view: &SeriesView,
    date: NaiveDate,
) -> Result<Option<Occurrence>, StoreError> {
    let (true, Ok(series)) = (view.active, &view.stored.series) else { return Ok(None) };
    let Ok(policy) = policy_of(series, &org.org.policy) else { return Ok(None) };
    let (id, series) = (view.id.clone(), series.clone());
    let found = aside(move || series.occurrences(&id, date, date, policy.timezone)).await?;
    Ok(found.ok().and_then(|found| found.into_iter().next()))
}

/// The organisation's local day.
pub(super) fn today(org: &OrgView) -> NaiveDate {
    local_date(org.now, org.org.policy.timezone)
}

/// How many days ahead classes are published under a policy.
fn reach_days(policy: &Policy) -> u64 {
    let opens = match &policy.booking.opens {
        Opens::Before(span) => u64::try_from(span.fixed_ms() / 86_400_000).unwrap_or(0) + 1,
        Opens::Days { days, .. } => u64::from(*days) + 1,
    };
    opens + AHEAD_DAYS
}
