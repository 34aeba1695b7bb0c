//! The parameters of lists: read one by one, and every wrong one reported at once.
//!
//! A parameter that nobody asked for is an error too, so a misspelt filter never
//! silently returns everything; nothing is clamped into range.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::problem::Problem;
use crate::domain::instant::{self, Instant};
use crate::domain::invalid::FieldError;

/// Items on a page when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 50;

/// Items on a page at most: what one read of the store may cost.
pub const LIMIT_MAX: u32 = 200;

/// The longest cursor, in characters.
const CURSOR_LEN_MAX: usize = 200;

/// The longest free text searched for, in characters.
const TEXT_LEN_MAX: usize = 200;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// The query parameters of a request, each taken once.
pub struct Params {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Params {
    /// `limit` and `cursor`.
    pub fn page(&mut self) -> Page {
        let limit = self.take("limit", |text| {
            let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
            number.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or(format!("must be 1 to {LIMIT_MAX}"))
        });
        Page { limit: limit.unwrap_or(LIMIT_DEFAULT), cursor: self.cursor("cursor") }
    }

    /// A place in a list or in the event stream, as an answer gave it.
    pub fn cursor(&mut self, name: &'static str) -> Option<String> {
        self.take(name, |text| {
            let readable = (1..=CURSOR_LEN_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
            if readable { Ok(text.to_owned()) } else { Err("is no cursor") }
        })
    }

    /// An instant. A bare `+` in a query is a blank by the rules of forms; it is
    /// taken for the sign it was meant as.
    pub fn instant(&mut self, name: &'static str) -> Option<Instant> {
        self.take(name, |text| instant::parse_instant(&text.replacen(' ', "+", 1)))
    }

    /// An id, or one of a fixed set of words: whatever can be parsed from text.
    pub fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &'static str) -> Option<T> {
        self.take(name, str::parse)
    }

    /// A text to look for.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.take(name, |text| {
            let readable = (1..=TEXT_LEN_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            if readable { Ok(text.to_owned()) } else { Err("must be 1 to 200 characters, none of them a control character") }
        })
    }

    /// Whatever `parse` reads.
    pub fn take<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let at = self.pairs.iter().position(|(key, _)| key == name)?;
        let (_, text) = self.pairs.remove(at);
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(FieldError::new(format!("/{name}"), error.to_string()));
                None
            }
        }
    }

    /// Ends the reading: every parameter was right, and none is left over.
    pub fn done(mut self) -> Result<(), Problem> {
        for (key, _) in self.pairs {
            self.errors.push(FieldError::new("", "is not a parameter of this call, or is repeated").under(&key));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

impl FromRequest for Params {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let wrong = |_| Problem::invalid(vec![FieldError::new("", "the query cannot be read")]);
        let pairs = web::Query::<Vec<(String, String)>>::from_query(req.query_string()).map_err(wrong);
        ready(pairs.map(|pairs| Params { pairs: pairs.into_inner(), errors: Vec::new() }))
    }
}
