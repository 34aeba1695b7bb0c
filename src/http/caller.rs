//! Who may call: one type for each group of roles. A handler that takes `Staff`
//! cannot be reached by anybody else, and nothing but its signature says so.
//!
//! [`identify`] checks the token once, before routing; these types are then read
//! without waiting, first in a handler's list, so that rights are judged before
//! anything of the body.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use tokio::time::sleep;

use super::limit::RateLimit;
use super::problem::{Code, Problem, UnknownOrg};
use super::tokens::{Auth, Distrust, Reason};
use crate::domain::caller::{By, Role};
use crate::domain::ids::{ClubId, InstructorId, MemberId, OrgId};
use crate::domain::instant::Instant;

/// The bearer of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub sub: MemberId,
    pub role: Role,
    /// None for operators only.
    pub org: Option<OrgId>,
    /// The only club a kiosk may serve.
    pub club: Option<ClubId>,
    pub expires_at: Instant,
}

impl Caller {
    /// As whom an event names the caller.
    pub fn by(&self) -> By {
        By { sub: self.sub.to_string(), role: self.role.to_string() }
    }
}

/// A caller within an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgCaller {
    pub org: OrgId,
    caller: Caller,
}

impl OrgCaller {
    #[cfg(test)]
    pub(super) fn of(org: OrgId, caller: Caller) -> OrgCaller {
        OrgCaller { org, caller }
    }

    /// Of staff, who may do for anyone what members do for themselves.
    pub fn is_desk(&self) -> bool {
        matches!(self.role, Role::Staff | Role::Admin)
    }

    /// The member this caller is, where it is one.
    pub fn member(&self) -> Option<&MemberId> {
        (self.role == Role::Member).then_some(&self.sub)
    }

    /// The member a call is about, if the caller may ask about them: themselves, or anyone from the desk.
    pub fn whose(&self, member: MemberId) -> Result<MemberId, Problem> {
        if self.is_desk() || self.member() == Some(&member) { Ok(member) } else { Err(Problem::not_found()) }
    }

    /// The instructor this caller is, where it is one.
    pub fn instructor(&self) -> Option<InstructorId> {
        let teaches = self.role == Role::Instructor;
        teaches.then(|| InstructorId::parse(self.sub.as_str()).ok()).flatten()
    }
}

impl Deref for OrgCaller {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident: $($role:ident)|+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub OrgCaller);

        impl Deref for $name {
            type Target = OrgCaller;

            fn deref(&self) -> &OrgCaller {
                &self.0
            }
        }

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(of_role(req, &[$(Role::$role,)+]).and_then(in_org).map($name))
            }
        }
    )+};
}

callers! {
    /// Every role of an organisation.
    Anyone: Member | Instructor | Kiosk | Staff | Admin;
    /// A member, for things of their own.
    Member: Member;
    /// A member for themselves, staff for anyone.
    MemberOrStaff: Member | Staff | Admin;
    /// Who takes the roll: staff, and instructors in their own classes.
    Attendance: Instructor | Staff | Admin;
    /// The desk and the terminal at the door.
    DeskOrKiosk: Kiosk | Staff | Admin;
    /// The people at the desk.
    Staff: Staff | Admin;
    /// Who sets the rules.
    Admin: Admin;
}

/// Who looks after organisations, and belongs to none.
#[derive(Clone, Debug)]
pub struct Operator(pub Caller);

impl FromRequest for Operator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(of_role(req, &[Role::Operator]).map(Operator))
    }
}

/// Anybody with a valid token, operators included.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Caller);

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(of_role(req, Role::ALL).map(Authenticated))
    }
}

/// Whoever a request says it is from, if it says so: where a token may also come later.
#[derive(Clone, Debug)]
pub struct Presented(pub Option<Caller>);

impl FromRequest for Presented {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = req.headers().contains_key(AUTHORIZATION).then(|| of_role(req, Role::ALL));
        ready(caller.transpose().map(Presented))
    }
}

/// The outcome of checking a request's token.
#[derive(Clone)]
struct Identity(Result<Caller, Problem>);

fn of_role(req: &HttpRequest, allowed: &[Role]) -> Result<Caller, Problem> {
    let identity = req.extensions().get::<Identity>().cloned();
    let caller = identity.unwrap_or(Identity(Err(Problem::unauthenticated()))).0?;
    if allowed.contains(&caller.role) { Ok(caller) } else { Err(Problem::forbidden()) }
}

fn in_org(caller: Caller) -> Result<OrgCaller, Problem> {
    let org = caller.org.clone().ok_or_else(Problem::forbidden)?;
    Ok(OrgCaller { org, caller })
}

/// Checks the token of a request, if it has one, and holds a caller's reads and
/// writes to their rates. Whether a token is needed is for the handler's signature to say.
pub async fn identify<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let identity = identity(&req).await;
    let admitted = match (&identity, req.app_data::<web::Data<RateLimit>>()) {
        (Ok(caller), Some(limit)) => limit.admit(caller, req.method().is_safe()).map(Some),
        (Ok(_), None) | (Err(_), _) => Ok(None),
    };
    let org = identity.as_ref().ok().and_then(|caller| caller.org.clone());
    req.extensions_mut().insert(Identity(identity));
    let answer = match admitted {
        Ok(Some(payer)) => payer.for_whom(next.call(req)).await?,
        Ok(None) => next.call(req).await?,
        Err(wait) => {
            sleep(wait.min(REFUSAL_PAUSE)).await;
            let answer = Problem::rate_limited(whole_seconds(wait)).error_response();
            return Ok(req.into_response(answer).map_into_right_body());
        }
    };
    match org {
        Some(org) if answer.response().extensions().get::<UnknownOrg>().is_some() => {
            let problem = Problem::new(Code::NotFound, unknown_org(&org)).error_response();
            Ok(answer.into_response(problem).map_into_right_body())
        }
        _ => Ok(answer.map_into_left_body()),
    }
}

/// A refusal for its rate comes this late. A caller who asks again at once after each of them would otherwise cost the
/// processor what the rate was to save.
const REFUSAL_PAUSE: Duration = Duration::from_millis(100);

/// What somebody needs to hear whose installation has no organisation yet.
fn unknown_org(org: &OrgId) -> String {
    format!("There is no organisation {org}: an operator creates it by PUT /v1/orgs/{org}.")
}

async fn identity(req: &ServiceRequest) -> Result<Caller, Problem> {
    let token = bearer(req.headers())?;
    let Some(auth) = req.app_data::<web::Data<Auth>>() else {
        tracing::error!("no Auth was given to the app");
        return Err(Problem::internal());
    };
    auth.verify(token).await.map_err(Problem::from)
}

/// The token of the one `Authorization: Bearer` header (RFC 6750).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION);
    let only = values.next().ok_or_else(Problem::unauthenticated)?;
    if values.next().is_some() {
        return Err(Distrust::Refused(Reason::Several).into());
    }
    let (scheme, token) = only.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
    let token = token.trim_matches(' ');
    let is_one = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    is_one.then_some(token).ok_or_else(Problem::unauthenticated)
}

/// Rounded up: waiting so long is always enough.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
