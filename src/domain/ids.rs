//! The names of things: one type each, so that a member's id cannot be passed where a class's is wanted.
//!
//! All share one alphabet, safe in a URL path, a Redis key and a log line alike. It has no `:`, `{` or `}` (the key layout
//! uses them) and no `/`; it does have what mail addresses and identity providers put into a `sub`.

use std::fmt;

use serde::{Serialize, Serializer};

/// The longest id, in characters (which are bytes here: the alphabet is ASCII).
pub const ID_LEN_MAX: usize = 64;

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an id: 1 to 64 of the characters A-Z a-z 0-9 . _ ~ @ + - |")]
pub struct IdError;

fn check(text: &str) -> Result<(), IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@+-|".contains(&byte);
    // A path segment of `.` or `..` never arrives: clients resolve it before they send.
    let reachable = text != "." && text != "..";
    let sound = (1..=ID_LEN_MAX).contains(&text.len()) && text.bytes().all(allowed) && reachable;
    sound.then_some(()).ok_or(IdError)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// 1 to [`ID_LEN_MAX`] characters of the ids' alphabet.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check(text).map(|()| Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A chain of gyms: the tenant, and one slot of the cluster.
    OrgId
    /// One gym of a chain.
    ClubId
    /// One scheduled session.
    ClassId
    /// A person who books; the `sub` of a member's token.
    MemberId
    /// A recurrence that publishes classes.
    SeriesId
    /// Days on which a club is closed.
    ClosureId
    /// A member's claim on a class.
    BookingId
    /// Who teaches; the `sub` of an instructor's token.
    InstructorId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_up_to_its_longest_and_no_longer() {
        for (text, good) in
            [("", false), ("a", true), (&"a".repeat(ID_LEN_MAX), true), (&"a".repeat(ID_LEN_MAX + 1), false)]
        {
            assert_eq!(ClassId::parse(text).is_ok(), good, "{} characters", text.len());
        }
    }

    #[test]
    fn an_id_keeps_to_its_alphabet() {
        for good in ["auth0|5f7c", "ann@example.com", "0190-aa_bb~c+d.e", "...", "-"] {
            assert_eq!(MemberId::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in [".", "..", "a b", "a/b", "a:b", "{a}", "å", "a;b", "a\0", "a\n", "%41"] {
            assert_eq!(MemberId::parse(bad), Err(IdError), "{bad:?}");
        }
    }

    #[test]
    fn an_id_travels_as_its_text() {
        let id: ClubId = "nord".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""nord""#);
    }
}
