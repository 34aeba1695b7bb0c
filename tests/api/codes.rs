//! The list of all codes, and that there is a story for each.

use std::fs;
use std::path::Path;

use rollcall::http::problem::Code;

/// What is told elsewhere: the roll, other media types, slow bodies, and a store that is away or broken.
const ELSEWHERE: [Code; 7] = [
    Code::CheckInNotOpen,
    Code::CheckInClosed,
    Code::NotAcceptable,
    Code::RequestTimeout,
    Code::Internal,
    Code::Unavailable,
    Code::OutcomeUnknown,
];

#[test]
fn every_code_that_a_caller_can_meet_is_met_in_a_story() {
    let stories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let told: String =
        fs::read_dir(stories).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let untold: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !ELSEWHERE.contains(code) && !told.contains(&format!("\"{}\"", code.as_str())))
        .map(|code| code.as_str())
        .collect();
    assert!(untold.is_empty(), "no story refuses with {untold:?}");
}
