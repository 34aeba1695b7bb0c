//! Whether a text can be seen as what it is: names and titles stand on screens, in mails and in lists.
//!
//! What Unicode says is not drawn by itself is no name, however many characters of it there are; and characters that turn
//! the writing direction of what follows can make one text look like another.

use std::fmt::Write;
use std::ops::RangeInclusive;

use icu_properties::CodePointSetData;
use icu_properties::props::{DefaultIgnorableCodePoint, WhiteSpace};

/// Embeddings, overrides and isolates of direction (UAX 9, sections 2.1 to 2.4).
const TURNS: [RangeInclusive<char>; 2] = ['\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}'];

/// A letter of no dots: drawn as a blank, and none for Unicode.
const BRAILLE_BLANK: char = '\u{2800}';

/// Whether a text holds neither control characters nor turns of direction.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || TURNS.iter().any(|turns| turns.contains(&c)))
}

/// Whether some character of a text is drawn.
pub fn is_seen(text: &str) -> bool {
    let (ignorable, white) = unseen();
    text.chars().any(|c| c != BRAILLE_BLANK && !ignorable.contains(c) && !white.contains(c))
}

/// What [`is_plain`] and [`is_seen`] say, as a regular expression of ECMA 262.
pub fn pattern() -> String {
    let mut controls = String::from("\\u0000-\\u001f\\u007f-\\u009f");
    TURNS.iter().for_each(|turns| add(&mut controls, *turns.start(), *turns.end()));
    let mut blanks = controls.clone();
    add(&mut blanks, BRAILLE_BLANK, BRAILLE_BLANK);
    let (ignorable, white) = unseen();
    for range in ignorable.iter_ranges().chain(white.iter_ranges()) {
        if let (Some(first), Some(last)) = (char::from_u32(*range.start()), char::from_u32(*range.end())) {
            add(&mut blanks, first, last);
        }
    }
    format!("^[^{controls}]*[^{blanks}][^{controls}]*$")
}

type Set = icu_properties::CodePointSetDataBorrowed<'static>;

fn unseen() -> (Set, Set) {
    (CodePointSetData::new::<DefaultIgnorableCodePoint>(), CodePointSetData::new::<WhiteSpace>())
}

/// A range in a class; what `\uXXXX` cannot write stands as itself.
fn add(class: &mut String, first: char, last: char) {
    for (sign, c) in [("", first), ("-", last)] {
        let code = u32::from(c);
        let _ = if code < 0x1_0000 { write!(class, "{sign}\\u{code:04x}") } else { write!(class, "{sign}{c}") };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_drawn_is_not_seen() {
        for text in [
            "",
            " ",
            "\u{200b}",
            "\u{3164}",
            "\u{2060}\u{feff} \u{ad}",
            "\u{2800}",
            "\u{e0041}",
            "\u{fe0f}",
            "\u{3000}",
        ] {
            assert!(!is_seen(text), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "Åse", "李", "محمد", "👩\u{200d}🚀", "-", "\u{fffd}"] {
            assert!(is_seen(text), "{text:?}");
        }
    }

    #[test]
    fn what_turns_the_direction_is_not_plain_and_what_only_marks_it_is() {
        for text in ["a\u{202e}b", "\u{2066}", "\u{202a}", "a\u{2069}", "\u{7}", "a\u{9f}"] {
            assert!(!is_plain(text), "{text:?}");
        }
        for text in ["a\u{200f}b", "\u{200e}", "محمد", "a\u{202f}b", "\u{2065}"] {
            assert!(is_plain(text), "{text:?}");
        }
    }
}
