//! The parameters of lists: read one by one, and every wrong one reported at once.
//!
//! A parameter that nobody asked for is an error too, so a misspelt filter never
//! silently returns everything; nothing is clamped into range.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::cursor;
use super::problem::Problem;
use crate::domain::ids::PERSON_ID_LEN_MAX;
use crate::domain::instant::{self, Instant};
use crate::domain::invalid::FieldError;
use crate::store;

/// Items on a page when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 50;

/// Items on a page at most: what one read of the store may cost.
pub const LIMIT_MAX: u32 = 200;

/// The longest free text searched for, in characters.
const TEXT_LEN_MAX: usize = 200;

/// The longest text that members are looked for by, in characters: their longest id.
pub const QUERY_LEN_MAX: usize = PERSON_ID_LEN_MAX;

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
        Page { limit: self.limit(), cursor: self.take("cursor", cursor::plain) }
    }

    /// `limit` and `after`, a place that callers know by themselves; `cursor` is another word for it
    /// here, so that one program can page through every list.
    pub fn page_after(&mut self) -> Page {
        let (after, cursor) = (self.text("after"), self.text("cursor"));
        Page { limit: self.limit(), cursor: cursor.or(after) }
    }

    fn limit(&mut self) -> u32 {
        let limit = self.take("limit", |text| {
            let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
            number.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or(format!("must be 1 to {LIMIT_MAX}"))
        });
        limit.unwrap_or(LIMIT_DEFAULT)
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
        self.text_of(name, TEXT_LEN_MAX)
    }

    /// A text that members are looked for by.
    pub fn query(&mut self) -> Option<String> {
        self.text_of("query", QUERY_LEN_MAX)
    }

    fn text_of(&mut self, name: &'static str, len_max: usize) -> Option<String> {
        self.take(name, |text| {
            let readable = (1..=len_max).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            if readable {
                Ok(text.to_owned())
            } else {
                Err(format!("must be 1 to {len_max} characters, none of them a control character"))
            }
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

impl Page {
    /// This page of a list that is at hand as a whole; the cursor is the id of the last item shown.
    pub fn of_all<T>(&self, all: Vec<T>, id: impl Fn(&T) -> &str) -> Result<store::Page<T>, Problem> {
        let start = match &self.cursor {
            None => 0,
            Some(last) => match all.iter().position(|item| id(item) == last) {
                Some(at) => at + 1,
                None => {
                    return Err(Problem::invalid(vec![FieldError::new("/cursor", cursor::CursorError.to_string())]));
                }
            },
        };
        let mut items: Vec<T> = all.into_iter().skip(start).collect();
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|item| id(item).to_owned());
        Ok(store::Page { items, next })
    }
}
