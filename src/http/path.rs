//! Ids in a path. Past these extractors only valid ids travel.
//!
//! An id that no thing could have names nothing, so it is a 404; where the path
//! names something to be created, the same text is the caller's mistake (422).

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::problem::Problem;
use crate::domain::ids::IdError;
use crate::domain::invalid::FieldError;

/// Names a thing that exists, if anything does.
pub struct Id<T>(pub T);

/// Names a thing that this call may create.
pub struct NewId<T>(pub T);

/// Names a thing that exists, if anything does, by the ids of two: that which it belongs to, and its own.
pub struct Ids<A, B>(pub A, pub B);

fn read<T: FromStr<Err = IdError>>(req: &HttpRequest) -> Result<T, IdError> {
    // The router leaves %25, %2B and %2F as they are; this extractor decodes them, so a person's id may hold a slash.
    match web::Path::<String>::extract(req).into_inner() {
        Ok(text) => text.parse(),
        // No id is empty, so this is the id's own error.
        Err(_undecodable) => "".parse(),
    }
}

impl<T: FromStr<Err = IdError> + 'static> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(req).map(Id).map_err(|_no_id| Problem::not_found()))
    }
}

impl<T: FromStr<Err = IdError> + 'static> FromRequest for NewId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let wrong = |error: IdError| Problem::invalid(vec![FieldError::new("/id", error.to_string())]);
        ready(read(req).map(NewId).map_err(wrong))
    }
}

impl<A, B> FromRequest for Ids<A, B>
where
    A: FromStr<Err = IdError> + 'static,
    B: FromStr<Err = IdError> + 'static,
{
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let texts = web::Path::<(String, String)>::extract(req).into_inner().ok();
        let ids = texts
            .map(web::Path::into_inner)
            .and_then(|(first, second)| Some(Ids(first.parse().ok()?, second.parse().ok()?)));
        ready(ids.ok_or_else(Problem::not_found))
    }
}
