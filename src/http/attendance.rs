//! The roll: arrivals by the instructor, the desk and the terminal at the door, and closing by hand.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer;
use super::bookings::BookingBody;
use super::caller::{Attendance, DeskOrKiosk, Staff, whole_seconds};
use super::classes::ClassBody;
use super::command::Incoming;
use super::guesses::Guesses;
use super::path::Id;
use super::problem::{Code, Problem};
use super::reason::REASON_LEN;
use super::resource::on;
use super::schema::{IdText, PersonIdText, PhoneText, ReasonText};
use crate::domain::caller::Role;
use crate::domain::fields::{Fields, flag, string, text};
use crate::domain::ids::{BookingId, ClassId, ClubId, MemberId, OrgId};
use crate::domain::invalid::Parsed;
use crate::domain::phone::parse_phone;
use crate::domain::refusal::Refusal;
use crate::store::attendance::{Arrival, Arrived};
use crate::store::{Answer, Store};

/// Who has come, and to which club: `member` or `phone`.
#[derive(Debug)]
pub struct CheckInBody {
    club: ClubId,
    member: Option<MemberId>,
    phone: Option<String>,
    choose: bool,
}

/// Who has come, and to which club: `member` or `phone`.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = CheckIn)]
#[expect(dead_code, reason = "describes what `CheckInBody` reads")]
enum CheckInDoc {
    ByMember(CheckInByMemberDoc),
    ByPhone(CheckInByPhoneDoc),
}

/// By the member's id.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckInByMember)]
#[expect(dead_code, reason = "describes what `CheckInBody` reads")]
struct CheckInByMemberDoc {
    #[schema(value_type = IdText)]
    club: String,
    #[schema(value_type = PersonIdText)]
    member: String,
}

/// By a phone number that members are known by.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckInByPhone)]
#[expect(dead_code, reason = "describes what `CheckInBody` reads")]
struct CheckInByPhoneDoc {
    #[schema(value_type = IdText)]
    club: String,
    #[schema(value_type = PhoneText)]
    phone: String,
    /// Where several members share the phone and more than one could be checked in now: check nobody in, and answer who
    /// they are. Otherwise the one whose class starts first is meant.
    #[schema(required = false)]
    choose: bool,
}

/// How a class that nobody took the roll of is closed.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CloseClass)]
pub struct CloseBody {
    /// Whether those who were not checked in are no-shows.
    penalties: bool,
    #[schema(value_type = Option<ReasonText>)]
    reason: Option<String>,
}

/// The booking of who has arrived; to a kiosk, which may know nothing else about them, also a first name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Arrived)]
pub struct ArrivedBody {
    #[serde(flatten)]
    booking: BookingBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
}

/// Several members share the phone, and nobody has been checked in: asks who it is, to check them in by `member`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhoArrived)]
pub struct ChoicesBody {
    choices: Vec<ChoiceBody>,
}

/// One who could be checked in now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhoArrivedChoice)]
pub struct ChoiceBody {
    #[schema(value_type = String)]
    member: MemberId,
    /// Null where they were erased meanwhile.
    first_name: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = CheckInAnswer)]
pub enum CheckInAnswer {
    Arrived(Box<ArrivedBody>),
    WhoArrived(ChoicesBody),
}

impl CheckInBody {
    fn parse(body: &Value) -> Parsed<CheckInBody> {
        let mut f = Fields::of(body)?;
        let club = f.required("club", string(ClubId::parse));
        let member = f.nullable("member", string(MemberId::parse));
        let phone = f.nullable("phone", string(parse_phone));
        if let (Some(Some(_)), Some(Some(_))) | (Some(None), Some(None)) = (&member, &phone) {
            f.refuse("/member", "or a phone must be given, and not both");
        }
        let choose = f.given("choose", flag);
        if let (Some(Some(_)), Some(Some(true))) = (&member, &choose) {
            f.refuse("/choose", "is for a phone: a member needs no choice");
        }
        f.finish(|| {
            Some(CheckInBody { club: club?, member: member?, phone: phone?, choose: choose?.unwrap_or_default() })
        })
    }

    fn arrival(self) -> Option<Arrival> {
        self.member.map(Arrival::Member).or(self.phone.map(Arrival::Phone))
    }
}

impl CloseBody {
    fn parse(body: &Value) -> Parsed<CloseBody> {
        let mut f = Fields::of(body)?;
        let penalties = f.required("penalties", flag);
        let reason = f.nullable("reason", text(REASON_LEN));
        f.finish(|| Some(CloseBody { penalties: penalties?, reason: reason? }))
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/bookings/{id}/check-in").post(check_in))
        .service(on("/bookings/{id}/undo-check-in").post(undo_check_in))
        .service(on("/check-ins").post(desk_check_in))
        .service(on("/classes/{id}/close").post(close_class));
}

/// Take the roll: a spot is taken up; a waiting member is present on stand-by. Repeated, it changes nothing.
#[utoipa::path(
    post, path = "/v1/bookings/{id}/check-in", tag = "attendance",
    params(("id" = String, Path)), responses((status = 200, body = BookingBody)),
)]
pub async fn check_in(
    caller: Attendance,
    id: Id<BookingId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_empty().await?;
    let instructor = caller.instructor();
    answer::changed(store.check_in(&call.by(&caller), &id.0, instructor.as_ref()).await, BookingBody::of)
}

/// Take an arrival back, with what it cost, until check-in has closed.
#[utoipa::path(
    post, path = "/v1/bookings/{id}/undo-check-in", tag = "attendance",
    params(("id" = String, Path)), responses((status = 200, body = BookingBody)),
)]
pub async fn undo_check_in(
    caller: Attendance,
    id: Id<BookingId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_empty().await?;
    let instructor = caller.instructor();
    answer::changed(store.undo_check_in(&call.by(&caller), &id.0, instructor.as_ref()).await, BookingBody::of)
}

/// Check a member in to their class at this club that check-in is open for.
#[utoipa::path(
    post, path = "/v1/check-ins", tag = "attendance",
    request_body = CheckInDoc, responses((status = 200, body = CheckInAnswer)),
)]
pub async fn desk_check_in(
    caller: DeskOrKiosk,
    incoming: Incoming,
    guesses: web::Data<Guesses>,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let body = CheckInBody::parse(&call.body)?;
    let (club, choose) = (body.club.clone(), body.choose);
    if caller.club.as_ref().is_some_and(|own| *own != club) {
        return Err(Problem::forbidden());
    }
    let arrival = body.arrival().ok_or_else(Problem::not_found)?;
    let guessing = caller.role == Role::Kiosk;
    if guessing {
        guesses.take(&caller, Instant::now()).map_err(too_many_unknown)?;
    }
    let done = store.desk_check_in(&call.by(&caller), &club, &arrival, choose).await;
    if guessing && !names_nobody(&done) {
        guesses.give_back(&caller);
    }
    let (mut names, kiosk) = (HashMap::new(), caller.role == Role::Kiosk);
    let named: &[MemberId] = match &done {
        Ok(Answer { outcome: Ok(Arrived::CheckedIn(booking)), .. }) if kiosk => std::slice::from_ref(&booking.member),
        Ok(Answer { outcome: Ok(Arrived::Choices(members)), .. }) => members,
        _ => &[],
    };
    for member in named {
        names.insert(member.clone(), first_name(&store, &caller.org, member).await);
    }
    answer::changed(done, |arrived, zone| CheckInAnswer::of(arrived, zone, names))
}

impl CheckInAnswer {
    fn of(arrived: Arrived, zone: Tz, mut names: HashMap<MemberId, Option<String>>) -> CheckInAnswer {
        let mut name = |member: &MemberId| names.remove(member).flatten();
        match arrived {
            Arrived::CheckedIn(booking) => {
                let first_name = name(&booking.member);
                CheckInAnswer::Arrived(Box::new(ArrivedBody { booking: BookingBody::of(booking, zone), first_name }))
            }
            Arrived::Choices(members) => {
                let choice = |member| ChoiceBody { first_name: name(&member), member };
                CheckInAnswer::WhoArrived(ChoicesBody { choices: members.into_iter().map(choice).collect() })
            }
        }
    }
}

/// Whether the number was nobody's.
fn names_nobody<T, E>(done: &Result<Answer<T>, E>) -> bool {
    let Ok(Answer { outcome: Err(Refusal::Invalid(errors)), .. }) = done else { return false };
    errors.iter().any(|error| ["/member", "/phone"].contains(&error.pointer.as_str()))
}

fn too_many_unknown(wait: Duration) -> Problem {
    Problem::new(Code::RateLimited, "This kiosk has sent too many numbers that are no member's.")
        .retrying_after(whole_seconds(wait))
}

/// What a kiosk may greet a member by. Looked up and never kept with the reply, so that an erased name is gone; the
/// check-in stands without it.
async fn first_name(store: &Store, org: &OrgId, member: &MemberId) -> Option<String> {
    let member = store.member(org, member).await.ok()?.outcome.ok()?;
    member.name.split_whitespace().next().map(str::to_owned)
}

/// Close, once, a class whose roster nobody touched.
#[utoipa::path(
    post, path = "/v1/classes/{id}/close", tag = "attendance",
    params(("id" = String, Path)), request_body = CloseBody, responses((status = 200, body = ClassBody)),
)]
pub async fn close_class(
    staff: Staff,
    id: Id<ClassId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let CloseBody { penalties, reason } = CloseBody::parse(&call.body)?;
    let reason = reason.unwrap_or_default();
    answer::changed(store.close_class(&call.by(&staff), &id.0, penalties, &reason).await, ClassBody::of)
}
