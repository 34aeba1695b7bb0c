//! Names as they are looked for: their parts, without case and accents.
//!
//! What Unicode takes apart loses its marks; letters that it leaves whole have a table. Where a letter is written in two
//! ways without its mark (*Søren*, *Soren*, *Soeren*), a part has a spelling for each, and is found by either.

use std::collections::BTreeSet;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Spellings of one part. A part with more letters of two spellings has the first of each, or the second of each.
pub const SPELLINGS_MAX: usize = 4;

/// Letters that are written otherwise where a keyboard lacks them, the shortest way first.
const LETTERS: [(char, &[&str]); 22] = [
    ('å', &["a", "aa"]),
    ('ä', &["a", "ae"]),
    ('ö', &["o", "oe"]),
    ('ü', &["u", "ue"]),
    ('ø', &["o", "oe"]),
    ('æ', &["ae", "a"]),
    ('œ', &["oe", "o"]),
    ('ß', &["ss", "s"]),
    ('þ', &["th"]),
    ('ð', &["d"]),
    ('đ', &["d", "dj"]),
    ('ł', &["l"]),
    ('ħ', &["h"]),
    ('ı', &["i"]),
    ('ŋ', &["n", "ng"]),
    ('ŧ', &["t"]),
    ('ĸ', &["k"]),
    ('ə', &["e", "a"]),
    ('ƒ', &["f"]),
    ('ɓ', &["b"]),
    ('ɗ', &["d"]),
    ('ς', &["σ"]),
];

/// One part of a name, in each of its spellings.
pub type Part = Vec<String>;

/// The parts of a text: what stands between blanks, hyphens, apostrophes and the like.
#[must_use]
pub fn parts(text: &str) -> Vec<Part> {
    tokens(text).into_iter().flatten().map(|letters| spellings(&letters)).collect()
}

/// All spellings of a name's parts, and of what stands between its blanks written together (*Anne-Marie* as *annemarie*).
#[must_use]
pub fn spelt(name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for token in tokens(name) {
        let whole: Vec<_> = token.concat();
        found.extend(token.iter().flat_map(|letters| spellings(letters)));
        found.extend(spellings(&whole));
    }
    found
}

/// How a letter may be written.
type Letter = Vec<String>;

/// The text between blanks, each a list of parts; where no letter and no digit is, whatever there is.
fn tokens(text: &str) -> Vec<Vec<Vec<Letter>>> {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let text: String = text.chars().filter(|c| !ignorable.contains(*c)).nfkc().collect();
    let lower = text.to_lowercase();
    let named = lower.chars().any(char::is_alphanumeric);
    let belongs = |c: char| if named { c.is_alphanumeric() || is_combining_mark(c) } else { true };
    let mut found = Vec::new();
    for token in lower.split_whitespace() {
        let parts = token.split(|c| !belongs(c)).filter(|part| !part.is_empty()).map(letters);
        let parts: Vec<_> = parts.filter(|letters| !letters.is_empty()).collect();
        if !parts.is_empty() {
            found.push(parts);
        }
    }
    found
}

fn letters(part: &str) -> Vec<Letter> {
    let mut found = Vec::new();
    for c in part.nfc() {
        match written(c) {
            Some(ways) => found.push(ways),
            None => {
                for base in c.nfkd().filter(|base| !is_combining_mark(*base)) {
                    found.push(written(base).unwrap_or_else(|| vec![base.to_string()]));
                }
            }
        }
    }
    found
}

fn written(c: char) -> Option<Letter> {
    let (_, ways) = LETTERS.iter().find(|(letter, _)| *letter == c)?;
    Some(ways.iter().map(|way| (*way).to_owned()).collect())
}

fn spellings(letters: &[Letter]) -> Part {
    let mut found = vec![String::new()];
    for ways in letters {
        let (Some(first), Some(last)) = (ways.first(), ways.last()) else { continue };
        if found.len() * ways.len() <= SPELLINGS_MAX {
            found = found.iter().flat_map(|begun| ways.iter().map(move |way| format!("{begun}{way}"))).collect();
        } else {
            let end = found.len() - 1;
            found.iter_mut().enumerate().for_each(|(at, begun)| begun.push_str(if at == end { last } else { first }));
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether every word of a query begins some part of a name.
    fn finds(query: &str, name: &str) -> bool {
        let known = spelt(name);
        let begins = |word: &Part| word.iter().any(|way| known.iter().any(|part| part.starts_with(way.as_str())));
        parts(query).iter().all(begins)
    }

    #[test]
    fn a_name_is_found_by_the_beginnings_of_its_parts_however_they_are_written() {
        for (name, queries) in [
            (
                "Åse Berg-Žydrė",
                &["berg", "zydre", "aase", "ase", "ÅSE", "A\u{30a}se", "žydrė", "berg as", "ŽY be", "bergzydre"][..],
            ),
            ("A\u{30a}se Berg-Z\u{30c}ydre\u{307}", &["åse", "aase", "zydre", "žydrė"]),
            ("Søren Kjærgård", &["soren", "soeren", "søren", "kjaergaard", "kjargard", "kjærgård", "kjærgaard"]),
            ("Łukasz Żółć", &["lukasz", "zolc", "łukasz", "ZOLC l"]),
            ("Žaneta\u{a0}\u{a0}Šimkutė", &["zaneta", "simkute", "simkute zan"]),
            ("Đorđe Ðalský", &["dorde", "djordje", "dalsky"]),
            ("Jürgen Groß", &["jurgen", "juergen", "gross", "GROẞ", "groß"]),
            ("Þóra Æsir", &["thora", "aesir", "asir"]),
            ("Işıl İnan", &["isil", "inan", "İNAN", "ışıl"]),
            ("Siobhán O\u{2019}Neill", &["siobhan", "neill", "oneill", "o'neill", "O’N"]),
            ("Anne-Marie  van der Berg", &["annemarie", "marie", "van berg", "berg anne"]),
            ("Γιώργος", &["γιωργος", "ΓΙΏΡΓΟΣ", "γιωργοσ"]),
            ("Ｊｕｄｙ ﬁsher", &["judy", "fisher"]),
            ("李 小龍", &["李", "小"]),
            ("So\u{ad}phie", &["sophie"]),
            ("Gǻsö Ǿyvind", &["gaso", "oyvind", "oeyvind"]),
            ("👩\u{200d}🚀", &["👩"]),
            ("Jean 2", &["2", "jean"]),
        ] {
            for query in queries {
                assert!(finds(query, name), "{query:?} finds {name:?}: {:?} in {:?}", parts(query), spelt(name));
            }
        }
        for (name, query) in [
            ("Åse Berg", "erg"),
            ("Åse Berg", "berg bo"),
            ("Søren", "soerin"),
            ("Anne-Marie", "annamarie"),
            ("Ann", "anna"),
        ] {
            assert!(!finds(query, name), "{query:?} finds {name:?}");
        }
    }

    #[test]
    fn a_part_has_so_many_spellings_and_no_more() {
        assert_eq!(
            parts("åø"),
            [["aaoe", "aao", "aoe", "ao"]
                .map(str::to_owned)
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Part>()]
        );
        for (text, count) in
            [("å", 2), ("åå", 3), ("åø", SPELLINGS_MAX), ("åøå", SPELLINGS_MAX), ("åøåøåøåø", SPELLINGS_MAX)]
        {
            assert_eq!(parts(text)[0].len(), count, "{text}");
        }
        let all = parts("åøåø").remove(0);
        assert!(all.contains(&"aoao".to_owned()) && all.contains(&"aaoeaaoe".to_owned()), "{all:?}");
    }
}
