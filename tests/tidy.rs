//! Rules of the house that no compiler keeps, kept by reading the sources: which room may name which, what stands in
//! one place only, how long a file may be, and that the head of every Lua file tells the truth about it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a source that cannot be read should stop the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;

/// What each room and each file beside the rooms may name with `crate::`. Arrows go down only.
const ARROWS: [(&str, &[&str]); 11] = [
    ("domain", &["domain"]),
    ("store", &["domain", "store"]),
    ("push", &["domain", "store", "push"]),
    ("jobs", &["domain", "store", "jobs"]),
    ("http", &["domain", "store", "http", "screens"]),
    ("screens", &["screens"]),
    ("config", &["domain", "store"]),
    ("telemetry", &["config"]),
    ("token", &["config", "domain"]),
    ("zone_files", &["domain"]),
    ("lib", &[]),
];

/// The one sideways arrow: the upgrade of a request to a socket.
const SIDEWAYS: (&str, &str) = ("http/live.rs", "push");

/// These may name everybody.
const COMPOSERS: [&str; 3] = ["app", "demo", "main"];

/// A word that belongs to one place: where it may stand, and why.
struct Confined {
    word: &'static str,
    to: &'static [&'static str],
    why: &'static str,
}

const CONFINED: [Confined; 7] = [
    Confined { word: "redis::", to: &["store/"], why: "only the store speaks Redis" },
    Confined { word: "deadpool", to: &["store/lanes.rs"], why: "only lanes.rs knows connections" },
    Confined { word: "actix_web_actors", to: &["push/session.rs"], why: "the crate must be a one-file matter" },
    Confined {
        word: "actix",
        to: &["app.rs", "telemetry.rs", "http/", "push/", "screens/"],
        why: "only the rim knows the web server",
    },
    Confined {
        word: "with_timezone",
        to: &["domain/calendar", "domain/instant.rs"],
        why: "they ask the zone table, and crate chrono-tz has an older one",
    },
    Confined { word: "Utc::now()", to: &["app.rs", "main.rs", "demo"], why: "below app, now is an argument" },
    Confined {
        word: "tokio",
        to: &["main.rs", "app.rs", "demo", "store/", "push/", "jobs/", "http/"],
        why: "the domain has no runtime",
    },
];

/// Notes to oneself belong in an issue.
const LOOSE_WORDS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Drawers without a bottom.
const DRAWERS: [&str; 6] = ["utils.rs", "util.rs", "types.rs", "helpers.rs", "common.rs", "misc.rs"];

struct Source {
    /// Below `src`, with forward slashes.
    path: String,
    text: String,
}

impl Source {
    /// The first part of the path, without the extension.
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.split('.').next().unwrap()
    }

    /// Lines that are no comment, with their numbers; what follows `//` in a line is cut off.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| {
            let code = line.split("//").next().unwrap();
            (index + 1, code)
        })
    }
}

fn sources(extension: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path: relative, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no .{extension} files under src");
    found
}

fn assert_tidy(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The room after each `crate::` of a line; `crate::{a, b}` names two.
fn rooms_named(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => named.extend(list.split(['}', ',']).map(|part| word(part.trim()))),
            None => named.push(word(rest)),
        }
    }
    named.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    named
}

#[test]
fn arrows_between_the_rooms_go_down_only() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into();
    let mut complaints = Vec::new();
    for source in sources("rs") {
        if COMPOSERS.contains(&source.room()) {
            continue;
        }
        let Some(allowed) = arrows.get(source.room()) else {
            complaints.push(format!("src/{}: no such room; give it a place in tests/tidy.rs", source.path));
            continue;
        };
        for (line, code) in source.code() {
            for named in rooms_named(code) {
                let sideways = source.path == SIDEWAYS.0 && named == SIDEWAYS.1;
                if !allowed.contains(&named.as_str()) && !sideways {
                    complaints.push(format!(
                        "src/{}:{line}: {} may not name {named}; it may name {allowed:?}",
                        source.path,
                        source.room()
                    ));
                }
            }
        }
    }
    assert_tidy(complaints);
}

#[test]
fn what_belongs_to_one_place_stands_there_only() {
    let mut complaints = Vec::new();
    for source in sources("rs") {
        for Confined { word, to, why } in &CONFINED {
            if to.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            for (line, _) in source.code().filter(|(_, code)| stands_alone(code, word)) {
                complaints.push(format!("src/{}:{line}: {word} stands here, and {why} ({to:?})", source.path));
            }
        }
    }
    assert_tidy(complaints);
}

/// Whether a word begins here and is not the end of another: `deadpool_redis::` does not hold `redis::`.
fn stands_alone(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    let mut complaints = Vec::new();
    for source in sources("rs").into_iter().chain(sources("lua")) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            complaints.push(format!(
                "src/{}: {lines} lines; at most {FILE_LINES_MAX}, then it holds two things",
                source.path
            ));
        }
        let name = source.path.rsplit('/').next().unwrap();
        if DRAWERS.contains(&name) {
            complaints.push(format!("src/{}: a drawer; name it for what it holds", source.path));
        }
        for (index, line) in source.text.lines().enumerate() {
            let at = index + 1;
            if let Some(word) = LOOSE_WORDS.iter().find(|word| stands_alone(line, word)) {
                complaints.push(format!("src/{}:{at}: {word}; do it, or write an issue", source.path));
            }
            let public = line.trim_start().strip_prefix("pub");
            if public.is_some_and(|rest| rest.contains("use ") && rest.contains("::*")) {
                complaints.push(format!("src/{}:{at}: passes on everything; name what is passed on", source.path));
            }
        }
    }
    assert_tidy(complaints);
}

#[test]
fn every_module_says_what_it_is() {
    let mut complaints = Vec::new();
    for source in sources("rs").into_iter().filter(|source| !source.path.ends_with("/tests.rs")) {
        let lines = source.text.lines().take_while(|line| line.starts_with("//!")).count();
        if lines == 0 {
            complaints.push(format!("src/{}: opens without a word about itself (//!)", source.path));
        }
    }
    assert_tidy(complaints);
}

// ---- Lua ----

/// Arguments that every function of a kind takes before its own.
const WRITE_ARGS: usize = 6;
const READ_ARGS: usize = 1;

/// Replies that the frame around the functions gives.
const FRAME_TAGS: [&str; 2] = ["REFUSED", "AGAIN"];

/// The head of an entry point, taken apart.
struct Head<'a> {
    name: &'a str,
    sections: Vec<(&'a str, String)>,
}

impl<'a> Head<'a> {
    fn of(text: &'a str) -> Option<Head<'a>> {
        let text = text.strip_prefix("--[[ ")?;
        let head = &text[..text.find("]]")?];
        let (name, _) = head.split_once(':')?;
        let mut sections: Vec<(&str, String)> = Vec::new();
        for line in head.lines().skip(1) {
            let section = line.strip_prefix("  ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
            match section.and_then(|line| line.split_once(' ')) {
                Some((title, rest)) => sections.push((title, rest.trim().to_owned())),
                None => {
                    if let Some((_, section)) = sections.last_mut() {
                        section.push_str("  ");
                        section.push_str(line.trim());
                    }
                }
            }
        }
        Some(Head { name, sections })
    }

    fn section(&self, title: &str) -> &str {
        self.sections.iter().find(|(found, _)| *found == title).map_or("", |(_, text)| text)
    }

    /// How many numbered arguments are described, and whether the last stands for many ("9… pairs").
    /// `None` when the numbers do not count up from 1.
    fn arguments(&self) -> Option<(usize, bool)> {
        let mut count = 0;
        let mut many = false;
        for item in self.section("ARGV").split("  ").filter(|item| !item.trim().is_empty()) {
            let number: String = item.trim().chars().take_while(char::is_ascii_digit).collect();
            if number.parse() != Ok(count + 1) {
                return None;
            }
            count += 1;
            many = item.trim()[number.len()..].starts_with('…');
        }
        Some((count, many))
    }
}

/// What `R.write('name', function(X, …)` `R.read(…)` or `R.maintain(…)` declares: name, arguments in all, and whether `...` ends them.
fn registered(text: &str) -> Vec<(String, usize, bool)> {
    let mut found = Vec::new();
    for (kind, common) in [("R.write('", WRITE_ARGS), ("R.read('", READ_ARGS), ("R.maintain('", READ_ARGS)] {
        for (at, _) in text.match_indices(kind) {
            let rest = &text[at + kind.len()..];
            let (name, rest) = rest.split_once('\'').unwrap();
            let parameters = rest.split_once("function(").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
            let own = parameters.split(',').count() - 1;
            let many = parameters.contains("...");
            found.push((name.to_owned(), common + own - usize::from(many), many));
        }
    }
    found
}

/// The texts in quotes that follow one of these words.
fn quoted_after<'a>(text: &'a str, words: &[&str]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for word in words {
        for (at, _) in text.match_indices(word) {
            let rest = &text[at + word.len()..];
            found.extend(rest.split('\'').next());
        }
    }
    found
}

fn is_tag(word: &&str) -> bool {
    word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn is_event(word: &&str) -> bool {
    word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

#[test]
fn every_lua_file_is_part_of_the_library_and_says_what_it_is() {
    let library = include_str!("../src/store/library.rs");
    let mut complaints = Vec::new();
    for source in sources("lua") {
        let name = source.path.rsplit('/').next().unwrap();
        if !library.contains(&format!("include_str!(\"lua/{name}\")")) {
            complaints.push(format!("src/{}: not part of SOURCE in library.rs", source.path));
        }
        let text = source.text.trim_start_matches(|c| c != '\n').trim_start();
        let text = if source.text.starts_with("#!lua") { text } else { &source.text };
        if !text.starts_with("--[[ ") {
            complaints.push(format!("src/{}: opens without a head (--[[ … ]])", source.path));
        }
    }
    assert_tidy(complaints);
}

#[test]
fn the_head_of_a_function_is_true() {
    let names: BTreeSet<&str> = rollcall::domain::event::NAMES.iter().copied().collect();
    let store: String = sources("rs").into_iter().filter(|s| s.path.starts_with("store/")).map(|s| s.text).collect();
    let mut complaints = Vec::new();
    for source in sources("lua") {
        let mut complain = |what: String| complaints.push(format!("src/{}: {what}", source.path));
        let emitted = quoted_after(&source.text, &["R.emit(X, '"]);
        for event in emitted.iter().filter(|event| !names.contains(*event)) {
            complain(format!("emits {event:?}, which is no event of the contract"));
        }
        let stem = source.path.rsplit('/').next().unwrap().trim_end_matches(".lua");
        let registered = registered(&source.text);
        let [(name, count, many)] = registered.as_slice() else {
            if !registered.is_empty() && stem != "library" {
                complain(format!("registers {} functions; one file, one entry point", registered.len()));
            }
            continue;
        };
        if name != stem {
            complain(format!("registers {name:?}; the file has another name"));
        }
        if !store.contains(&format!("\"{name}\"")) {
            complain("nothing in src/store calls it".to_owned());
        }
        let Some(head) = Head::of(&source.text) else {
            complain("has no head".to_owned());
            continue;
        };
        if head.name != name {
            complain(format!("its head is of {:?}", head.name));
        }
        let titles: Vec<&str> = head.sections.iter().map(|(title, _)| *title).collect();
        if titles != ["KEYS", "ARGV", "REPLY", "EVENTS", "WHY"] {
            complain(format!("its head has {titles:?}, not KEYS, ARGV, REPLY, EVENTS, WHY"));
        }
        if head.section("KEYS") != "1 anchor of the organisation" {
            complain("KEYS is always \"1 anchor of the organisation\"".to_owned());
        }
        match head.arguments() {
            None => complain("the numbers under ARGV do not count up from 1".to_owned()),
            Some((said, said_many)) => {
                let fits = if *many || said_many { said > *count } else { said == *count };
                if !fits {
                    complain(format!("ARGV describes {said} arguments; it takes {count}"));
                }
            }
        }
        let said: BTreeSet<&str> = words(head.section("REPLY")).filter(is_tag).collect();
        let given: BTreeSet<&str> =
            quoted_after(&source.text, &["return '", "and '", "or '"]).into_iter().filter(is_tag).collect();
        for tag in given.difference(&said) {
            complain(format!("replies {tag}, which REPLY does not say"));
        }
        for tag in said.difference(&given).filter(|tag| !FRAME_TAGS.contains(tag)) {
            complain(format!("never replies {tag}, which REPLY says"));
        }
        let told: BTreeSet<&str> = words(head.section("EVENTS")).filter(is_event).collect();
        for event in told.iter().filter(|event| !names.contains(*event)) {
            complain(format!("EVENTS says {event:?}, which is no event of the contract"));
        }
        for event in emitted.iter().filter(|event| is_event(event) && !told.contains(*event)) {
            complain(format!("emits {event}, which EVENTS does not say"));
        }
    }
    assert_tidy(complaints);
}
