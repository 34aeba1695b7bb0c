#!/usr/bin/env bash
# Finding: the Rust crate rrule 0.14.0 reads a numbered weekday in a WEEKLY rule, which RFC 5545 forbids, as no weekday
# at all, and loses a valid MONTHLY rule that has one weekday with a number and one without; neither is an error.
#
# Guess:    FREQ=WEEKLY;BYDAY=2MO is refused (RFC 5545, 3.3.10: "The BYDAY rule part MUST NOT be specified with a numeric
#           value when the FREQ rule part is not set to MONTHLY or YEARLY"); FREQ=MONTHLY;BYDAY=MO,1TU gives every Monday
#           and the first Tuesday of each month; a rule without any date says so by an error or by `limited`.
# Happens:  the first gives a date on every day; the second none at all; and `limited` is false where the rule can never
#           give a date (FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30), although the crate stopped looking.
# Versions: rrule 0.14.0 with rustc 1.95.0, 2026-11-28.
# Seen:     FREQ=WEEKLY;BYDAY=2MO: 5 dates, limited true, first 2026-01-05 2026-01-06 2026-01-07
#           FREQ=MONTHLY;BYDAY=MO,1TU: 0 dates, limited false
#           FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30: 0 dates, limited false
# Matters:  a timetable built on it publishes a class on every day for one wrong letter, and silently nothing for a rule
#           that other calendars show. Rules must be judged before the crate sees them.
#
# Exits 0 while it is so, 1 when it has changed. Needs a Rust toolchain and crates.io.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2021"

[dependencies]
rrule = "=0.14.0"
TOML
cat >"$folder/src/main.rs" <<'RUST'
use rrule::RRuleSet;

fn main() {
    for rule in ["FREQ=WEEKLY;BYDAY=2MO", "FREQ=MONTHLY;BYDAY=MO,1TU", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"] {
        let text = format!("DTSTART:20260105T180000Z\nRRULE:{rule}");
        match text.parse::<RRuleSet>() {
            Err(error) => println!("{rule}: refused: {error}"),
            Ok(set) => {
                let found = set.all(5);
                let first: Vec<String> = found.dates.iter().take(3).map(|date| date.date_naive().to_string()).collect();
                println!("{rule}: {} dates, limited {}, first {}", found.dates.len(), found.limited, first.join(" "));
            }
        }
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
echo "$seen"
expected="FREQ=WEEKLY;BYDAY=2MO: 5 dates, limited true, first 2026-01-05 2026-01-06 2026-01-07
FREQ=MONTHLY;BYDAY=MO,1TU: 0 dates, limited false, first 
FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30: 0 dates, limited false, first "
if [ "$seen" != "$expected" ]; then
  echo "changed: the finding no longer holds" >&2
  exit 1
fi
