//! The names of things: one type each, so that a member's id cannot be passed where a class's is wanted.
//!
//! What this service names has one alphabet, safe in a URL path, a Redis key and a log line alike. People are named by
//! identity providers, whose `sub` may be almost anything: their ids are longer and wider. In keys such an id stands
//! escaped (`store/keys.rs`), in paths percent-encoded.

use std::fmt;

use serde::{Serialize, Serializer};

/// The longest id, in characters (which are bytes here: the alphabet is ASCII).
pub const ID_LEN_MAX: usize = 64;

/// The longest id of a person: what OpenID Connect allows a `sub`.
pub const PERSON_ID_LEN_MAX: usize = 255;

/// What a person's id does not hold of what ASCII prints: these end or escape a text in HTML, JSON and header fields.
pub const PERSON_ID_LACKS: [u8; 4] = [b'"', b'\\', b'<', b'>'];

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("must be an id: 1 to 64 of the characters A-Z a-z 0-9 . _ ~ @ + - |")]
    Thing,
    #[error("must be an id: 1 to 255 printable ASCII characters without blanks, \", \\, < and >")]
    Person,
}

fn thing(text: &str) -> Result<(), IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@+-|".contains(&byte);
    check(text, ID_LEN_MAX, allowed).ok_or(IdError::Thing)
}

fn person(text: &str) -> Result<(), IdError> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !PERSON_ID_LACKS.contains(&byte);
    check(text, PERSON_ID_LEN_MAX, allowed).ok_or(IdError::Person)
}

fn check(text: &str, len_max: usize, allowed: impl Fn(u8) -> bool) -> Option<()> {
    // A path segment of `.` or `..` never arrives: clients resolve it before they send.
    let reachable = text != "." && text != "..";
    let sound = (1..=len_max).contains(&text.len()) && text.bytes().all(allowed) && reachable;
    sound.then_some(())
}

macro_rules! ids {
    ($check:ident: $($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// An id by its length and its alphabet.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                $check(text).map(|()| Self(text.to_owned()))
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

ids! { thing:
    /// A chain of gyms: the tenant, and one slot of the cluster.
    OrgId
    /// One gym of a chain.
    ClubId
    /// One scheduled session.
    ClassId
    /// A recurrence that publishes classes.
    SeriesId
    /// Days on which a club is closed.
    ClosureId
    /// A member's claim on a class.
    BookingId
}

ids! { person:
    /// A person who books; the `sub` of a member's token.
    MemberId
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
            assert_eq!(ClassId::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in [".", "..", "a b", "a/b", "a:b", "{a}", "å", "a;b", "a\0", "a\n", "%41"] {
            assert_eq!(ClassId::parse(bad), Err(IdError::Thing), "{bad:?}");
        }
    }

    #[test]
    fn a_persons_id_is_what_a_provider_makes_of_it() {
        let longest = "a".repeat(PERSON_ID_LEN_MAX);
        for good in [
            "f:332a234e-31b2-4c5d-9e6f-0a1b2c3d4e5f:ann",
            "o'neill@example.com",
            "oauth/google:10104",
            "a%2Fb",
            "{x}",
            "CN=ann,OU=people;x",
            "https://idp.example/users/7?x=1#me",
            "~!#$%&'()*+,-./:;=?@[]^_`{|}",
            &longest,
        ] {
            assert_eq!(MemberId::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
            assert_eq!(InstructorId::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(PERSON_ID_LEN_MAX + 1);
        for bad in ["", ".", "..", "a b", "a\"b", "a\\b", "<a", "a>", "å", "a\0", "a\n", "a\t", "a\u{7f}", &too_long] {
            assert_eq!(MemberId::parse(bad), Err(IdError::Person), "{bad:?}");
        }
    }

    #[test]
    fn an_id_travels_as_its_text() {
        let id: ClubId = "nord".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""nord""#);
    }
}
