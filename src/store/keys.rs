//! Every key this side spells. All keys of one organisation share one hash tag, so one organisation is one slot.
//!
//! Functions get the anchor and derive the rest from it; the table of what is there stands in `lua/library.lua`.

use crate::domain::ids::OrgId;

/// The set of all organisations' ids.
pub(super) const ORGS: &str = "rc:orgs";

/// The set clock in milliseconds, for organisations yet to be created.
pub(super) const CLOCK: &str = "rc:clock";

/// When somebody was erased, in seconds, until the append-only file has been rewritten.
pub(super) const ERASED: &str = "rc:erased";

/// When something of each organisation next falls due: organisations by instant. See `due.rs`.
pub const DUE: &str = "rc:due";

/// What the claims of [`kept`] begin with.
pub const KEPT: &str = "rc:kept:";

/// Says for a while that an organisation's house was kept.
pub fn kept(org: &OrgId) -> String {
    format!("{KEPT}{org}")
}

/// Whether a key is one of those that belong to no organisation.
pub fn is_shared(key: &str) -> bool {
    [ORGS, CLOCK, DUE, ERASED].contains(&key) || key.strip_prefix(KEPT).is_some_and(|org| org.parse::<OrgId>().is_ok())
}

/// The organisation a key belongs to.
pub(super) fn org_of(key: &str) -> Option<OrgId> {
    key.strip_prefix("rc:{")?.split_once("}:")?.0.parse().ok()
}

/// What every key of an organisation begins with.
pub(super) fn prefix(org: &OrgId) -> String {
    format!("rc:{{{org}}}:")
}

/// A name as a part of a key: no two names are written alike, and none runs into what follows it.
pub fn part(name: &str) -> String {
    name.replace('%', "%25").replace(':', "%3A")
}

/// The name that a part of a key stands for: inside keys `:` and `%` are written as `%3A` and `%25`.
pub(super) fn named(part: &str) -> String {
    part.replace("%3A", ":").replace("%25", "%")
}

/// The key that names an organisation's slot, and what it is called.
pub(super) fn anchor(org: &OrgId) -> String {
    format!("{}org", prefix(org))
}

/// What falls due in an organisation, by instant.
pub fn timers(org: &OrgId) -> String {
    format!("{}timers", prefix(org))
}

/// The stream of everything that happened in an organisation.
pub(super) fn events(org: &OrgId) -> String {
    format!("{}events", prefix(org))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_are_one_part_of_a_key() {
        for (name, written) in
            [("ann", "ann"), ("f:1", "f%3A1"), ("f%3A1", "f%253A1"), ("100%", "100%25"), ("a%2", "a%252")]
        {
            assert_eq!((part(name).as_str(), named(written).as_str()), (written, name));
        }
    }
}
