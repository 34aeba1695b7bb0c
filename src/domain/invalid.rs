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
    fn an_error_travels_as_the_contract_says() {
        let error = FieldError::new("/title", "is missing");
        assert_eq!(serde_json::to_string(&error).unwrap(), r#"{"pointer":"/title","detail":"is missing"}"#);
    }
}
