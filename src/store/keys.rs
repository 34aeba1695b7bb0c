//! Every key this side spells. All keys of one organisation share one hash tag, so one organisation is one slot.
//!
//! Functions get the anchor and derive the rest from it; the table of what is there stands in `lua/library.lua`.

use crate::domain::ids::OrgId;

/// The set of all organisations' ids.
pub const ORGS: &str = "rc:orgs";

/// The set clock in milliseconds, for organisations yet to be created.
pub const CLOCK: &str = "rc:clock";

/// When something of each organisation next falls due: organisations by instant. See `due.rs`.
pub const DUE: &str = "rc:due";

/// What the claims of [`kept`] begin with.
pub const KEPT: &str = "rc:kept:";

/// Says for a while that an organisation's house was kept.
pub fn kept(org: &OrgId) -> String {
    format!("{KEPT}{org}")
}

/// Whether a key belongs to no organisation and is known all the same.
pub fn is_shared(key: &str) -> bool {
    [ORGS, CLOCK, DUE].contains(&key) || key.strip_prefix(KEPT).is_some_and(|org| org.parse::<OrgId>().is_ok())
}

/// The organisation a key belongs to.
pub fn org_of(key: &str) -> Option<OrgId> {
    key.strip_prefix("rc:{")?.split_once("}:")?.0.parse().ok()
}

/// What every key of an organisation begins with.
pub fn prefix(org: &OrgId) -> String {
    format!("rc:{{{org}}}:")
}

/// The key that names an organisation's slot, and what it is called.
pub fn anchor(org: &OrgId) -> String {
    format!("{}org", prefix(org))
}

/// What falls due in an organisation, by instant.
pub fn timers(org: &OrgId) -> String {
    format!("{}timers", prefix(org))
}

/// The stream of everything that happened in an organisation.
pub fn events(org: &OrgId) -> String {
    format!("{}events", prefix(org))
}
