//! What a member is found by, and what a query looks for: terms with one letter in front that says of what they are.
//!
//! `i` the id, `n` a part of the name, `e` the phone in E.164 without its `+`, `d` the phone's digits as they are dialled
//! at home or were put in. How they are stored says `lua/directory.lua`.

use std::collections::BTreeSet;

use super::names;
use super::phone::{Country, Reading, begins_abroad, compact};

/// Terms kept of one name: those of some twenty parts. A name of 200 single letters must not cost 400 entries.
pub const NAME_TERMS_MAX: usize = 64;

/// Characters of one part that are looked at: no surname is longer, and a cursor has room for it.
pub const PART_LEN_MAX: usize = 64;

/// Words of one query. What is looked for is found by fewer.
pub const WORDS_MAX: usize = 16;

/// Digits at least of what may be a whole phone number.
const WHOLE_DIGITS: usize = 5;

/// The terms a member is found by, sorted.
#[must_use]
pub fn terms(id: &str, name: &str, phone: &str, country: Option<Country>) -> Vec<String> {
    let mut found: BTreeSet<String> = [format!("i{}", id.to_lowercase())].into();
    found.extend(names::spelt(name).into_iter().take(NAME_TERMS_MAX).map(|part| of_name(&part)));
    if let Some(compact) = compact(phone).filter(|compact| !compact.is_empty()) {
        let reading = Reading::of(&compact, country);
        found.extend(reading.key().map(|abroad| format!("e{abroad}")));
        found.extend(reading.home().map(|home| format!("d{home}")));
        if reading != Reading::Many {
            found.extend(Some(format!("d{}", compact.trim_start_matches('+'))));
        }
    }
    found.into_iter().collect()
}

/// The whole term of a phone, and the forms in which an index by what was typed may have it.
#[must_use]
pub fn of_phone(phone: &str, country: Option<Country>) -> (Option<String>, Vec<String>) {
    let compact = compact(phone).unwrap_or_default();
    let reading = Reading::of(&compact, country);
    let abroad = reading.key().filter(|key| !key.starts_with('='));
    let mut older: Vec<String> =
        [Some(compact.clone()), abroad.map(|key| format!("+{key}")), reading.home().map(str::to_owned)]
            .into_iter()
            .flatten()
            .collect();
    older.dedup();
    (reading.key().map(|key| format!("e{key}")), older)
}

/// What a query looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What finds a member by itself: beginnings of ids and phones.
    pub alone: Vec<String>,
    /// Words of which each must begin some part of the name, each in all its spellings.
    pub words: Vec<names::Part>,
}

impl Query {
    #[must_use]
    pub fn of(text: &str, country: Option<Country>) -> Query {
        let text = text.trim();
        let mut alone = Vec::new();
        if !text.is_empty() && !text.contains(char::is_whitespace) {
            alone.push(format!("i{}", text.to_lowercase()));
        }
        if let Some(compact) = compact(text) {
            alone.extend(phones(&compact, country));
        }
        let mut words = names::parts(text);
        words.iter_mut().for_each(|word| word.iter_mut().for_each(|way| *way = of_name(way)));
        // Of many words the longest say most.
        words.sort_by_key(|word| std::cmp::Reverse(word.first().map_or(0, String::len)));
        words.dedup();
        words.truncate(WORDS_MAX);
        Query { alone, words }
    }

    /// Whether a text is looked for as a phone, which is read in a country.
    #[must_use]
    pub fn is_of_phone(text: &str) -> bool {
        compact(text).is_some_and(|compact| !compact.trim_start_matches('+').is_empty())
    }
}

fn of_name(part: &str) -> String {
    std::iter::once('n').chain(part.chars().take(PART_LEN_MAX)).collect()
}

/// Beginnings of the phones that are meant: of one that is whole, that one; otherwise of those that begin so.
fn phones(compact: &str, country: Option<Country>) -> Vec<String> {
    let digits = compact.trim_start_matches('+');
    if digits.len() >= WHOLE_DIGITS {
        match Reading::of(compact, country) {
            Reading::One { abroad, .. } => return vec![format!("e{abroad}")],
            Reading::Many => return Vec::new(),
            Reading::Unsure { .. } => {}
        }
    }
    let abroad = if compact.starts_with('+') { Some(digits) } else { compact.strip_prefix("00") };
    match abroad {
        Some("") => Vec::new(),
        Some(abroad) => vec![format!("e{abroad}")],
        None if digits.is_empty() => Vec::new(),
        None => {
            let mut found = vec![format!("d{digits}")];
            found.extend(begins_abroad(digits, country).then(|| format!("e{digits}")));
            found
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn danish() -> Option<Country> {
        Country::parse("DK").ok()
    }

    #[test]
    fn a_member_has_a_term_for_everything_they_are_found_by() {
        let found = terms("F:Ann", "Åse Berg", "20 12 34 56", danish());
        assert_eq!(found, ["d20123456", "e4520123456", "if:ann", "naase", "nase", "nberg"]);
        assert_eq!(terms("a", "", "", danish()), ["ia"]);
        assert_eq!(terms("a", "", "4921123456", Country::parse("DE").ok()), ["ia"]);
    }

    #[test]
    fn a_long_name_has_so_many_terms_and_no_more() {
        let name = |parts: usize| (0..parts).map(|n| format!("p{n:03}")).collect::<Vec<_>>().join(" ");
        assert_eq!(terms("a", &name(NAME_TERMS_MAX), "", None).len(), NAME_TERMS_MAX + 1);
        assert_eq!(terms("a", &name(NAME_TERMS_MAX + 1), "", None).len(), NAME_TERMS_MAX + 1);
    }

    #[test]
    fn a_long_part_is_found_by_its_beginning() {
        let long = |len: usize| format!("{}z", "é".repeat(len - 1));
        for (len, cut) in [(PART_LEN_MAX, false), (PART_LEN_MAX + 1, true)] {
            let term = terms("a", &long(len), "", None).remove(1);
            assert_eq!((term.chars().count(), term.ends_with('z')), (PART_LEN_MAX + 1, !cut));
            assert_eq!(Query::of(&long(len), None).words, [[term]]);
        }
    }

    #[test]
    fn a_query_is_an_id_a_phone_and_words() {
        for (text, alone, words) in [
            ("F:Ann", &["if:ann"][..], 2),
            ("+45 20 12 34 56", &["e4520123456"], 5),
            ("20123456", &["i20123456", "e4520123456"], 1),
            ("4520123456", &["i4520123456", "e4520123456"], 1),
            ("2012", &["i2012", "d2012"], 1),
            ("4520", &["i4520", "d4520", "e4520"], 1),
            ("+45", &["i+45", "e45"], 1),
            ("+", &["i+"], 1),
            ("00", &["i00"], 1),
            ("-", &["i-"], 1),
            ("Åse Berg", &[], 2),
            ("  ", &[], 0),
        ] {
            let query = Query::of(text, danish());
            assert_eq!(
                (query.alone.as_slice(), query.words.len()),
                (alone.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().as_slice(), words),
                "{text:?}"
            );
        }
        assert_eq!(
            Query::of("åse b", danish()).words,
            [vec!["naase".to_owned(), "nase".to_owned()], vec!["nb".to_owned()]]
        );
    }

    #[test]
    fn a_query_has_so_many_words_and_no_more() {
        let text = |words: usize| (0..words).map(|n| format!("w{n:02}")).collect::<Vec<_>>().join(" ");
        assert_eq!(Query::of(&text(WORDS_MAX), None).words.len(), WORDS_MAX);
        assert_eq!(Query::of(&text(WORDS_MAX + 1), None).words.len(), WORDS_MAX);
    }
}
