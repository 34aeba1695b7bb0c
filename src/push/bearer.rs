//! Who a connection speaks for, and how that is found out. How tokens are judged is not known here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytestring::ByteString;
use serde_json::Value;

use super::protocol::{self, CloseCode};
use crate::domain::caller::Role;
use crate::domain::ids::{MemberId, OrgId};
use crate::domain::instant::Instant;

/// Who a valid token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub org: OrgId,
    pub sub: MemberId,
    pub role: Role,
    pub expires_at: Instant,
}

/// Why there is no bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBearer {
    /// The token is not believed, for this reason.
    Unauthenticated(String),
    /// Its role has nothing to listen to.
    Forbidden,
    /// It cannot be judged now.
    Unavailable,
}

impl NoBearer {
    /// The frame that says so to a client; `id` is that of a renewal.
    pub fn told(&self, id: Option<&Value>) -> ByteString {
        let (code, detail) = match self {
            NoBearer::Unauthenticated(why) => ("unauthenticated", why.as_str()),
            NoBearer::Forbidden => ("unauthenticated", "the token is not valid"),
            NoBearer::Unavailable => ("unavailable", "the token cannot be judged now"),
        };
        protocol::error(id, None, code, detail)
    }

    /// What a connection is closed with.
    pub fn close_code(&self) -> CloseCode {
        match self {
            NoBearer::Unauthenticated(_) => CloseCode::Unauthenticated,
            NoBearer::Forbidden => CloseCode::Forbidden,
            NoBearer::Unavailable => CloseCode::Internal,
        }
    }
}

/// Judges tokens.
pub type Gate = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<Bearer, NoBearer>>>> + Send + Sync>;

/// What is known of a connection before its first frame.
pub enum Guest {
    /// Says who it is in its hello.
    Unknown,
    /// Said so in the head of its request.
    Known(Bearer),
    /// A page that may not call; it is told so by a close, the only thing a page can read.
    Foreign,
}
