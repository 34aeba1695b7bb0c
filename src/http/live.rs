//! The upgrade of a request to a socket: `GET /v1/live`. What travels over it is described in `/asyncapi.json`.

use std::sync::Arc;

use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::caller::{Caller, Presented};
use super::origins::Origins;
use super::problem::{Code, Problem};
use super::resource::on;
use super::tokens::{Auth, Distrust};
use crate::push::bearer::{Bearer, Gate, Guest, NoBearer};
use crate::push::hub::{Hub, Refused};
use crate::push::protocol::PROTOCOL;
use crate::push::session;

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/live").get(live));
}

/// Listen to documents as they change. The token comes in the hello, or here as `Authorization`.
#[utoipa::path(
    get, path = "/v1/live", tag = "live",
    responses((status = 101, description = "A socket of the subprotocol `rollcall.v1`; see `/asyncapi.json`.")),
)]
pub async fn live(
    presented: Presented,
    request: HttpRequest,
    payload: web::Payload,
    auth: web::Data<Auth>,
    origins: web::Data<Origins>,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, Error> {
    if !speaks(&request) {
        return Err(Problem::new(Code::Malformed, "The only subprotocol here is rollcall.v1.").into());
    }
    let guest = match presented.0 {
        _ if !origins.admit(request.head()) => Guest::Foreign,
        Some(caller) => Guest::Known(bearer(caller).ok_or_else(Problem::forbidden)?),
        None => Guest::Unknown,
    };
    match session::open(&request, payload, &hub, gate(auth), guest)? {
        Ok(response) => Ok(response),
        Err(Refused { retry_after_s }) => {
            let busy = Problem::unavailable("No more connections are taken at the moment.");
            Err(busy.retrying_after(retry_after_s).into())
        }
    }
}

/// Whether ours is among the subprotocols named, or none is.
fn speaks(request: &HttpRequest) -> bool {
    let mut named = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).peekable();
    let ours = |value: &str| value.split(',').any(|name| name.trim() == PROTOCOL);
    named.peek().is_none() || named.any(|value| value.to_str().is_ok_and(ours))
}

/// Judges tokens that come over the socket, as those in headers are judged.
fn gate(auth: web::Data<Auth>) -> Gate {
    let auth = auth.into_inner();
    Arc::new(move |token| {
        let auth = Arc::clone(&auth);
        Box::pin(async move {
            let caller = auth.verify(&token).await.map_err(|distrust| match distrust {
                Distrust::Refused(reason) => NoBearer::Unauthenticated(reason.to_string()),
                Distrust::KeysAway => NoBearer::Unavailable,
            })?;
            bearer(caller).ok_or(NoBearer::Forbidden)
        })
    })
}

/// An operator belongs to no organisation, and has nothing to listen to.
fn bearer(caller: Caller) -> Option<Bearer> {
    let Caller { sub, role, org, expires_at, .. } = caller;
    Some(Bearer { org: org?, sub, role, expires_at })
}
