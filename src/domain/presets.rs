//! The policies that ship with the product: five chains' published rules and the owner's own numbers.
//!
//! Each is a plain file in the shape the contract gives a policy, so a chain can take one, change a line and put it back.
//! The numbers are those of `RULES.md`; nothing in the code knows one chain from another.

use std::sync::LazyLock;

use serde_json::Value;

use super::policy::Policy;

/// A policy to begin with.
#[derive(Clone, Debug)]
pub struct Preset {
    pub id: &'static str,
    pub name: &'static str,
    pub policy: Policy,
}

/// The preset of an organisation that names none.
pub const DEFAULT: &str = "standard";

const STANDARD: &str = include_str!("presets/standard.json");

const FILES: [(&str, &str, &str); 6] = [
    (DEFAULT, "Standard", STANDARD),
    ("impuls-lt", "Impuls (Lithuania)", include_str!("presets/impuls-lt.json")),
    ("pulsn-dk", "pulsn (Denmark)", include_str!("presets/pulsn-dk.json")),
    ("actic-no", "Actic (Norway)", include_str!("presets/actic-no.json")),
    ("impulse-no", "Impulse (Norway)", include_str!("presets/impulse-no.json")),
    ("bolgen-no", "Bølgen (Norway)", include_str!("presets/bolgen-no.json")),
];

/// All of them, the default first. A test reads every file, so none is left out here.
#[must_use]
pub fn presets() -> &'static [Preset] {
    static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        let read = |(id, name, text)| {
            let policy = Policy::parse(&serde_json::from_str(text).ok()?).ok()?;
            Some(Preset { id, name, policy })
        };
        FILES.into_iter().filter_map(read).collect()
    });
    &PRESETS
}

/// The default preset as it is written: what policies leave out is as in it.
#[must_use]
pub fn standard() -> &'static Value {
    static STANDARD_JSON: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(STANDARD).unwrap_or_default());
    &STANDARD_JSON
}

/// The preset of that id.
#[must_use]
pub fn preset(id: &str) -> Option<&'static Preset> {
    presets().iter().find(|preset| preset.id == id)
}

#[cfg(test)]
mod tests;
