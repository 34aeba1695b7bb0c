//! `{"reason": "…"}`: what people say when they undo, cancel or forgive. It may be left out.

use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::fields::{Fields, text};
use crate::domain::invalid::Parsed;
use crate::http::schema::ReasonText;

/// Characters of a reason.
pub const REASON_LEN: std::ops::RangeInclusive<usize> = 1..=500;

/// Why something is done.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reason)]
pub struct ReasonBody {
    #[schema(value_type = Option<ReasonText>)]
    pub reason: Option<String>,
}

impl ReasonBody {
    /// Reads the body of an action that may say why.
    pub fn parse(body: &Value) -> Parsed<ReasonBody> {
        let mut f = Fields::of(body)?;
        let reason = f.nullable("reason", text(REASON_LEN));
        f.finish(|| Some(ReasonBody { reason: reason? }))
    }

    /// The reason as it is recorded.
    pub fn as_str(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}
