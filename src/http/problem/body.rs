//! A problem as it travels.

use serde::Serialize;
use utoipa::ToSchema;

/// A problem as it is written (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// A name for the kind of problem; nothing is served under it.
    #[serde(rename = "type")]
    #[schema(example = "urn:rollcall:problem:full")]
    pub kind: String,
    pub title: &'a str,
    #[schema(example = 409)]
    pub status: u16,
    pub detail: &'a str,
    /// What a program branches on.
    #[schema(example = "full")]
    pub code: &'a str,
    /// When it will be possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<&'a str>,
    /// Each value that is not allowed, by JSON pointer (422).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem<'a>>,
    /// Seconds to wait before the next attempt; the same as the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// One value that is not allowed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem<'a> {
    #[schema(example = "/capacity")]
    pub pointer: &'a str,
    pub detail: &'a str,
}
