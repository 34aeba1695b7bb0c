//! The ledger of what members owe and were forgiven.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, ListBody};
use super::caller::Staff;
use super::command::Incoming;
use super::problem::Problem;
use super::query::Params;
use super::reason::ReasonBody;
use super::resource::on;
use super::schema::FeeKindWord;
use crate::domain::booking::Money;
use crate::domain::fee::{Fee, FeeKind};
use crate::domain::ids::{BookingId, MemberId};
use crate::domain::instant::with_zone;
use crate::store::Store;

/// An amount in minor units, and its currency code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneyBody {
    #[schema(example = 3000)]
    amount: i64,
    #[schema(example = "DKK")]
    currency: String,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> MoneyBody {
        MoneyBody { amount: money.amount, currency: money.currency }
    }
}

/// One line of the ledger. Its amount is positive, whichever the kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fee)]
pub struct FeeBody {
    id: String,
    #[schema(value_type = String)]
    member: MemberId,
    #[schema(value_type = String)]
    booking: BookingId,
    #[schema(value_type = FeeKindWord)]
    kind: FeeKind,
    #[schema(example = "late_cancel")]
    reason: String,
    amount: MoneyBody,
    /// The line that a waiver takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    waives: Option<String>,
    #[schema(format = DateTime)]
    at: String,
}

impl FeeBody {
    fn of(fee: Fee, zone: Tz) -> FeeBody {
        let Fee { id, member, booking, kind, reason, amount, waives, at } = fee;
        FeeBody { id, member, booking, kind, reason, amount: amount.into(), waives, at: with_zone(at, zone) }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/fees").get(list_fees)).service(on("/fees/{id}/waive").post(waive_fee));
}

/// The ledger, or a member's lines of it, in order, after the line named.
#[utoipa::path(
    get, path = "/v1/fees", tag = "fees",
    params(
        ("member" = Option<String>, Query),
        ("after" = Option<String>, Query, description = "The id of the last line already known."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
    ),
    responses((status = 200, body = ListBody<FeeBody>)),
)]
pub async fn list_fees(staff: Staff, mut params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let (page, member) = (params.page_after(), params.parsed::<MemberId>("member"));
    params.done()?;
    let fees = store.fees(&staff.org, member.as_ref(), page.cursor.as_deref(), page.limit).await;
    answer::read_after(fees, |page, zone| ListBody::plain(page, |fee| FeeBody::of(fee, zone)))
}

/// Take a charged line back by a line of its own. Waived again, the same waiver is answered.
#[utoipa::path(
    post, path = "/v1/fees/{id}/waive", tag = "fees",
    params(("id" = String, Path)), request_body = ReasonBody, responses((status = 200, body = FeeBody)),
)]
pub async fn waive_fee(
    staff: Staff,
    id: web::Path<String>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_or_empty().await?;
    let reason = ReasonBody::parse(&call.body)?;
    answer::changed(store.waive_fee(&call.by(&staff), &id, reason.as_str()).await, FeeBody::of)
}
