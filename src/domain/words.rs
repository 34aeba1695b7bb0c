//! Enums whose values travel as fixed words: one line a value, and `as_str`, `parse` and JSON follow from it.
//!
//! It knows nothing of any particular word. The compiler finds every place that must learn of a new value, because the
//! words are spelt nowhere else.

/// The text is none of the words an enum travels as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {}", .words.join(", "))]
pub struct UnknownWord {
    pub words: &'static [&'static str],
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
        }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// The word it travels as.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }

            /// The value a word stands for.
            pub fn parse(text: &str) -> Result<Self, $crate::domain::words::UnknownWord> {
                match text {
                    $($word => Ok(Self::$value),)+
                    _ => Err($crate::domain::words::UnknownWord { words: &[$($word,)+] }),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::words::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// Two words to try.
        Tried { First = "first_one", Second = "second", }
    }

    #[test]
    fn a_word_comes_back_as_the_value_it_stands_for() {
        for value in Tried::ALL {
            assert_eq!(Tried::parse(value.as_str()), Ok(*value));
            assert_eq!(serde_json::to_value(value).unwrap(), value.to_string());
        }
    }

    #[test]
    fn an_unknown_word_is_told_the_known_ones() {
        let error = Tried::parse("First_one").unwrap_err();
        assert_eq!(error.to_string(), "must be one of: first_one, second");
    }
}
