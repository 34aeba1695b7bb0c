//! What is wrong with a body, and where.
//!
//! Every parser of JSON in this room has one shape, `fn(&Value) -> Parsed<T>`, from a single text to a whole policy, so
//! they nest: each speaks of its own value with pointers that begin there, and whoever asked puts the field's name in front.

use std::fmt;

use serde::Serialize;

/// One wrong, missing or unknown field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body: `/cancel/free_until`; empty for the body itself.
    pub pointer: String,
    /// What is wrong, said so that it reads on after the field's name.
    pub detail: String,
}

/// A value, or all that is wrong with its JSON.
pub type Parsed<T> = Result<T, Vec<FieldError>>;

impl FieldError {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }

    /// The same error, seen from the object or list that holds the value under `name`.
    #[must_use]
    pub fn under(self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("/{name}{}", self.pointer), detail: self.detail }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pointer, self.detail)
    }
}

/// The first error in a sentence, for readers who see only one line: `capacity: must be …`.
#[must_use]
pub fn summary(errors: &[FieldError]) -> String {
    let Some(FieldError { pointer, detail }) = errors.first() else {
        return "One or more values are not allowed.".to_owned();
    };
    let place = pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    let what = if place.is_empty() { detail.clone() } else { format!("{place}: {detail}") };
    match errors.len() - 1 {
        0 => format!("{what}."),
        others => format!("{what} (and {others} more)."),
    }
}

/// All of `errors`, seen from the object or list that holds their value under `name`.
#[must_use]
pub fn under(name: &str, errors: Vec<FieldError>) -> Vec<FieldError> {
    errors.into_iter().map(|error| error.under(name)).collect()
}

/// All of `errors` in one line, for people: `/cancel/late must be …; /odd is not a known field`.
#[must_use]
pub fn sentence(errors: &[FieldError]) -> String {
    errors.iter().map(|error| error.to_string().trim().to_owned()).collect::<Vec<_>>().join("; ")
}

/// The value itself is wrong.
pub(crate) fn wrong<T>(detail: impl Into<String>) -> Parsed<T> {
    Err(vec![FieldError::new("", detail)])
}

/// Where a body is wrong, for tests.
#[cfg(test)]
pub(crate) fn pointers<T>(parsed: Parsed<T>) -> Vec<String> {
    parsed.err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_rfc_6901_escapes() {
        let error = FieldError::new("", "is wrong").under("a/b~c").under("0").under("");
        assert_eq!(error.pointer, "//0/a~1b~0c");
    }

    #[test]
    fn a_summary_names_the_first_error_and_counts_the_others() {
        let capacity = FieldError::new("/capacity", "must be 1 to 5000");
        let nested = FieldError::new("", "is missing").under("free_until").under("a/b");
        assert_eq!(summary(std::slice::from_ref(&capacity)), "capacity: must be 1 to 5000.");
        assert_eq!(summary(&[nested, capacity.clone(), capacity]), "a/b.free_until: is missing (and 2 more).");
        assert_eq!(summary(&[FieldError::new("", "must be an object")]), "must be an object.");
        assert_eq!(summary(&[]), "One or more values are not allowed.");
    }

    #[test]
    fn an_error_travels_as_the_contract_says() {
        let error = FieldError::new("/title", "is missing");
        assert_eq!(serde_json::to_string(&error).unwrap(), r#"{"pointer":"/title","detail":"is missing"}"#);
    }
}
