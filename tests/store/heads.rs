//! The heads of the Lua files, read from the sources, and what they promise of every reply.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rollcall::domain::event::NAMES;

use crate::said::Said;

/// The head of one entry point.
pub struct Head {
    /// Registered by `R.write`, with the six arguments of every write; otherwise by `R.read` or `R.maintain`, with one.
    pub writes: bool,
    /// Arguments in all; where `many`, at least one fewer.
    pub arguments: usize,
    pub many: bool,
    pub replies: Vec<ReplyShape>,
    /// Events it names.
    pub events: BTreeSet<String>,
    /// It says that what it changes causes others ("and what the freed spot causes").
    pub causes_more: bool,
}

/// `TAG <one> <two>…`
pub struct ReplyShape {
    pub tag: String,
    parts: usize,
    many: bool,
}

impl Head {
    /// Fails where a reply is not as the head says.
    pub fn fits(&self, function: &str, said: &Said) {
        if ["AGAIN", "BEGUN", "ASK"].contains(&said.tag.as_str())
            || (said.tag == "REFUSED" && said.code() == "idempotency_mismatch")
        {
            return;
        }
        let shape = self.replies.iter().find(|shape| shape.tag == said.tag);
        if said.tag == "REFUSED" {
            // Every function can be asked about an organisation that is not there.
            let known = shape.is_some() || said.code() == "not_found";
            assert!(known && said.payload.len() == 3, "{function}: {said:?}");
            return;
        }
        let Some(shape) = shape else { panic!("{function}: its head does not say {}", said.tag) };
        let parts = said.payload.len();
        // What `…` repeats, one part or two, may be there no time at all.
        let right = if shape.many { parts + 2 >= shape.parts } else { parts == shape.parts };
        assert!(right, "{function}: {} has {parts} parts, its head says {}", said.tag, shape.parts);
    }
}

/// Every entry point's head by its name.
pub fn heads() -> BTreeMap<String, Head> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/lua");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("the Lua files") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a readable file");
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let writes = text.contains(&format!("R.write('{name}'"));
        let others = [format!("R.read('{name}'"), format!("R.maintain('{name}'")];
        if writes || others.iter().any(|start| text.contains(start)) {
            found.insert(name, head(&text, writes));
        }
    }
    found
}

fn head(text: &str, writes: bool) -> Head {
    let head = text.split("]]").next().unwrap_or_default();
    let (arguments, many) = arguments(&section(head, "ARGV", "REPLY"));
    let events = section(head, "EVENTS", "WHY");
    let words = events.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    Head {
        writes,
        arguments,
        many,
        replies: section(head, "REPLY", "EVENTS").split('|').map(|reply| shape(reply.trim())).collect(),
        events: words.filter(|word| NAMES.contains(word)).map(str::to_owned).collect(),
        causes_more: events.contains("what "),
    }
}

fn section(head: &str, from: &str, to: &str) -> String {
    let begin = head.find(&format!("\n  {from} ")).unwrap_or_else(|| panic!("no {from} in {head}"));
    let end = head.find(&format!("\n  {to} ")).unwrap_or_else(|| panic!("no {to} in {head}"));
    let section = head[begin..end].trim_start();
    section[from.len()..].lines().map(str::trim).collect::<Vec<_>>().join("  ")
}

fn arguments(section: &str) -> (usize, bool) {
    let items: Vec<&str> = section.split("  ").map(str::trim).filter(|item| !item.is_empty()).collect();
    (items.len(), items.last().is_some_and(|item| item.contains('…')))
}

fn shape(reply: &str) -> ReplyShape {
    let (tag, rest) = reply.split_once(' ').unwrap_or((reply, ""));
    // `…` inside `<>` belongs to one part that is itself a list.
    let (mut depth, mut parts, mut many) = (0, 0, false);
    for c in rest.chars() {
        match c {
            '<' => {
                depth += 1;
                parts += 1;
            }
            '>' => depth -= 1,
            '…' => many |= depth == 0,
            _ => {}
        }
    }
    ReplyShape { tag: tag.to_owned(), parts, many }
}
