//! The words of a booking desk, and its calendar.
//!
//! Everything here is a value or a pure function: what a class, a booking, a member and a chain's policy are, how the text
//! and JSON of the outside become them, and how policy plus start time become instants. Nothing here knows Redis, HTTP or
//! the time of day: `now` is compared with these instants elsewhere, inside the atom. What depends on stored state is
//! decided there too, never here.
//!
//! Read in this order: the small words first, then a policy, then what a class makes of it. (A blank line between two
//! modules keeps the formatter from sorting them.)

// The small words.
pub mod ids;
pub mod words;

// Time.
pub mod zones;

pub mod instant;

pub mod span;

pub mod calendar;

pub mod recurrence;

// Reading bodies.
pub mod json;

pub mod invalid;

pub mod visible;

pub mod fields;

// People, and how they are found.
pub mod phone;

pub mod names;

pub mod search;

// The rules.
pub mod policy;

pub mod presets;

pub mod terms;

// Whom and what they are for.
pub mod org;

pub mod class;

pub mod series;

pub mod closure;

pub mod booking;

pub mod member;

pub mod standing;

pub mod fee;

// What is answered and announced.
pub mod caller;

pub mod claims;

pub mod refusal;

pub mod event;

#[cfg(test)]
mod tests;
