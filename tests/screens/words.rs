//! The languages say the same things: the same keys with the same places to fill in, every refusal among them, and
//! every key that the screens name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rollcall::http::problem::Code;
use rollcall::screens::SCREENS;

const LANGUAGES: [&str; 4] = ["en", "lt", "da", "nb"];
const PARTS: [&str; 5] = ["common", "book", "door", "staff", "policy"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/screens")
}

/// The entries of a part: one to a line, `key: words,`.
fn entries(language: &str, part: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder().join(format!("words/{language}/{part}.js"))).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(','));
    let entry = |line: &str| {
        let (key, words) = match line.strip_prefix('"') {
            Some(rest) => rest.split_once("\": ").unwrap(),
            None => line.split_once(": ").unwrap(),
        };
        (key.to_owned(), words.to_owned())
    };
    lines.map(entry).collect()
}

/// The places to fill in, `{name}`.
fn places(words: &str) -> BTreeSet<&str> {
    let opened = words.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    opened.map(|(name, _)| name).filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect()
}

#[test]
fn every_language_has_the_same_words_with_the_same_places() {
    for part in PARTS {
        let english = entries("en", part);
        assert!(english.len() > 40, "{part} has words");
        for language in LANGUAGES {
            let own = entries(language, part);
            let keys = |all: &BTreeMap<String, String>| all.keys().cloned().collect::<BTreeSet<_>>();
            let (missing, extra): (Vec<_>, Vec<_>) = (
                keys(&english).difference(&keys(&own)).cloned().collect(),
                keys(&own).difference(&keys(&english)).cloned().collect(),
            );
            assert!(missing.is_empty() && extra.is_empty(), "{language}/{part}: missing {missing:?}, extra {extra:?}");
            for (key, words) in &english {
                assert_eq!(places(words), places(&own[key]), "{language}/{part}: {key}");
            }
        }
    }
}

#[test]
fn every_refusal_has_words() {
    let common = entries("en", "common");
    for code in Code::ALL {
        assert!(common.contains_key(&format!("code.{}", code.as_str())), "{} has no words", code.as_str());
    }
}

#[test]
fn every_rule_has_a_name_and_a_sentence() {
    let words = entries("en", "policy");
    let text = fs::read_to_string(folder().join("day/policy.js")).unwrap();
    let rules: Vec<&str> = text.split("rule(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(rules.len() > 30);
    for rule in rules {
        assert!(words.contains_key(&format!("rule.{rule}")), "{rule} has no name");
        assert!(words.keys().any(|key| key.starts_with(&format!("says.{rule}"))), "{rule} has no sentence");
    }
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "js") {
            found.push(path);
        }
    }
}

#[test]
fn every_word_that_a_screen_names_is_there() {
    let known: BTreeSet<String> = PARTS.iter().flat_map(|part| entries("en", part).into_keys()).collect();
    let mut files = Vec::new();
    scripts(&folder(), &mut files);
    for file in files.iter().filter(|file| !file.starts_with(folder().join("words"))) {
        let text = fs::read_to_string(file).unwrap();
        for (at, _) in text.match_indices("t(\"") {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            let key = text[at + 3..].split('"').next().unwrap();
            if !before.is_alphanumeric() && !before.is_ascii_punctuation() || "([{,:?!".contains(before) {
                assert!(known.contains(key), "{}: t({key:?}) has no words", file.display());
            }
        }
        // The client is one file because app builders take it as one.
        let lines = if file.ends_with("rollcall.js") { 0 } else { text.lines().count() };
        assert!(lines <= 400, "{}: {lines} lines; at most 400, then it holds two things", file.display());
    }
}

/// The words that a screen loads: the common ones and those it declares.
fn loaded(script: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(folder().join(script)).unwrap();
    let (_, rest) = text.split_once("static words = [").expect("a screen says which words it needs");
    let (list, _) = rest.split_once(']').unwrap();
    let parts = list.split(',').map(|part| part.trim().trim_matches('"'));
    parts.chain(["common"]).flat_map(|part| entries("en", part).into_keys()).collect()
}

#[test]
fn a_screen_loads_every_word_that_its_modules_name() {
    for screen in ["book", "roster", "desk", "day"] {
        let known = loaded(&format!("{screen}/{screen}.js"));
        let page = SCREENS.page(screen).unwrap();
        let modules = page.split('"').filter_map(|text| text.strip_prefix("/screens/")?.split_once('/'));
        for (_, module) in modules.filter(|(_, path)| path.ends_with(".js")) {
            let text = fs::read_to_string(folder().join(module)).unwrap();
            for (at, _) in text.match_indices("t(\"") {
                let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric());
                let key = text[at + 3..].split('"').next().unwrap();
                assert!(!alone || known.contains(key), "{module} says {key:?}, which {screen} does not load");
            }
        }
    }
}
