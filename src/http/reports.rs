//! What classes came to over a span: per class, per instructor and per club.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer;
use super::caller::Staff;
use super::problem::Problem;
use super::query::Params;
use super::resource::on;
use crate::domain::class::{ClassStatus, Instructor};
use crate::domain::ids::ClassId;
use crate::domain::instant::{Instant, with_zone};
use crate::domain::invalid::FieldError;
use crate::store::Store;
use crate::store::reports::ClassCounts;

/// Counts, and the rates that follow. A rate of nothing is null.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct CountsBody {
    /// Classes that were not cancelled.
    classes: u32,
    cancelled_classes: u32,
    capacity: u64,
    /// Spots that were taken: those who came, who did not, and who are still expected.
    taken: u64,
    checked_in: u64,
    no_shows: u64,
    late_cancels: u64,
    /// Places taken on waitlists.
    queued: u64,
    promoted: u64,
    /// `taken` of `capacity`.
    fill_rate: Option<f64>,
    /// `no_shows` of `taken`.
    no_show_rate: Option<f64>,
    /// `late_cancels` of `taken` and `late_cancels` together.
    late_cancel_rate: Option<f64>,
    /// `promoted` of `queued`.
    waitlist_to_spot_rate: Option<f64>,
    /// From joining the waitlist to promotion, on average.
    seconds_to_promotion: Option<f64>,
    #[serde(skip)]
    promoted_ms: u64,
}

/// One class's counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassReport)]
pub struct ClassReportBody {
    #[schema(value_type = String)]
    class: ClassId,
    title: String,
    club: String,
    instructor: Option<String>,
    #[schema(format = DateTime)]
    starts_at: String,
    #[serde(flatten)]
    counts: CountsBody,
}

/// The counts of an instructor's or club's classes.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = GroupReport)]
pub struct GroupReportBody {
    id: String,
    /// Of an instructor, as the last of their classes has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    counts: CountsBody,
}

/// A span in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Report)]
pub struct ReportBody {
    total: CountsBody,
    /// By start.
    items: Vec<ClassReportBody>,
    instructors: Vec<GroupReportBody>,
    clubs: Vec<GroupReportBody>,
}

/// The longest span of a report.
const SPAN_DAYS_MAX: i64 = 366;

impl CountsBody {
    fn of(class: &ClassCounts) -> CountsBody {
        if class.status == ClassStatus::Cancelled {
            return CountsBody { cancelled_classes: 1, ..CountsBody::default() };
        }
        CountsBody {
            classes: 1,
            capacity: u64::from(class.capacity),
            taken: u64::from(class.booked) + u64::from(class.no_shows),
            checked_in: u64::from(class.checked_in),
            no_shows: u64::from(class.no_shows),
            late_cancels: u64::from(class.late_cancels),
            queued: u64::from(class.queued),
            promoted: u64::from(class.promoted),
            promoted_ms: class.promoted_ms,
            ..CountsBody::default()
        }
    }

    fn add(&mut self, other: &CountsBody) {
        self.classes += other.classes;
        self.cancelled_classes += other.cancelled_classes;
        self.capacity += other.capacity;
        self.taken += other.taken;
        self.checked_in += other.checked_in;
        self.no_shows += other.no_shows;
        self.late_cancels += other.late_cancels;
        self.queued += other.queued;
        self.promoted += other.promoted;
        self.promoted_ms += other.promoted_ms;
    }

    fn rated(mut self) -> CountsBody {
        self.fill_rate = rate(self.taken, self.capacity);
        self.no_show_rate = rate(self.no_shows, self.taken);
        self.late_cancel_rate = rate(self.late_cancels, self.taken + self.late_cancels);
        self.waitlist_to_spot_rate = rate(self.promoted, self.queued);
        self.seconds_to_promotion = rate(self.promoted_ms, self.promoted * 1000);
        self
    }
}

/// A share, to four places.
fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0)
}

impl GroupReportBody {
    /// The group of this id, which begins with nothing counted.
    fn within<'a>(groups: &'a mut BTreeMap<String, GroupReportBody>, id: &str) -> &'a mut GroupReportBody {
        groups
            .entry(id.to_owned())
            .or_insert_with(|| GroupReportBody { id: id.to_owned(), ..GroupReportBody::default() })
    }
}

impl ReportBody {
    fn of(classes: Vec<ClassCounts>, zone: Tz) -> ReportBody {
        let mut total = CountsBody::default();
        let (mut instructors, mut clubs) = (BTreeMap::new(), BTreeMap::new());
        let mut items = Vec::with_capacity(classes.len());
        for class in classes {
            let counts = CountsBody::of(&class);
            let club = class.club.to_string();
            total.add(&counts);
            GroupReportBody::within(&mut clubs, &club).counts.add(&counts);
            let instructor = class.instructor.map(|Instructor { id, name }| {
                let group = GroupReportBody::within(&mut instructors, &id.to_string());
                group.counts.add(&counts);
                group.name = Some(name);
                group.id.clone()
            });
            items.push(ClassReportBody {
                class: class.id,
                title: class.title,
                club,
                instructor,
                starts_at: with_zone(class.starts_at, zone),
                counts: counts.rated(),
            });
        }
        let groups = |counted: BTreeMap<String, GroupReportBody>| {
            counted.into_values().map(|group| GroupReportBody { counts: group.counts.rated(), ..group }).collect()
        };
        ReportBody { total: total.rated(), items, instructors: groups(instructors), clubs: groups(clubs) }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/reports/classes").get(report_classes));
}

/// Fill, no-show, late-cancel and waitlist rates of the classes that start in `[from, to)`.
#[utoipa::path(
    get, path = "/v1/reports/classes", tag = "reports",
    params(("from" = String, Query, format = DateTime), ("to" = String, Query, format = DateTime)),
    responses((status = 200, body = ReportBody)),
)]
pub async fn report_classes(
    staff: Staff,
    mut params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let (from, to) = (params.instant("from"), params.instant("to"));
    params.done()?;
    let (from, to) = span(from, to)?;
    answer::read(store.report(&staff.org, from, to).await, ReportBody::of)
}

fn span(from: Option<Instant>, to: Option<Instant>) -> Result<(Instant, Instant), Problem> {
    let wrong = |pointer, detail: String| Problem::invalid(vec![FieldError::new(pointer, detail)]);
    let from = from.ok_or_else(|| wrong("/from", "is missing".to_owned()))?;
    let to = to.ok_or_else(|| wrong("/to", "is missing".to_owned()))?;
    if to <= from || (to - from).num_days() > SPAN_DAYS_MAX {
        return Err(wrong("/to", format!("must be after `from`, by at most {SPAN_DAYS_MAX} days")));
    }
    Ok((from, to))
}
