//! The machine's own zone files, which its package manager keeps newer than any build.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::zones::{self, Table};

/// Where systems keep them; `TZDIR` names another folder, as it does to the C library.
const FOLDER: &str = "/usr/share/zoneinfo";

/// The first line of this file names the release: `# version 2026f`.
const RULES_FILE: &str = "tzdata.zi";
/// Holds the release and nothing else, on systems that have no rules file.
const VERSION_FILE: &str = "+VERSION";

/// Chooses the zone table for the whole program: the machine's, where it is newer than the one that was built in. Says
/// which it is.
pub fn choose() -> String {
    let folder = std::env::var_os("TZDIR").map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
    let built_in = zones::built_in_release();
    match release(&folder) {
        Some(release) if release.as_str() > built_in => {
            zones::choose(Table::read(&release, |name| fs::read(folder.join(name)).ok()));
            format!("time zones are those of release {release}, from {}", folder.display())
        }
        Some(older) => format!("time zones are those of release {built_in}, built in; the machine has {older}"),
        None => format!("time zones are those of release {built_in}, built in; the machine names none"),
    }
}

/// The release of a folder of zone files, if it says so.
fn release(folder: &Path) -> Option<String> {
    let rules = fs::read(folder.join(RULES_FILE)).ok();
    let line = rules.as_deref().and_then(|text| std::str::from_utf8(text.split(|byte| *byte == b'\n').next()?).ok());
    let named = line.and_then(|line| line.strip_prefix("# version ")).map(str::to_owned);
    let named = named.or_else(|| fs::read_to_string(folder.join(VERSION_FILE)).ok())?;
    Some(named.trim().to_owned()).filter(|release| is_release(release))
}

/// Four digits and a letter, so that releases are ordered as texts are.
fn is_release(text: &str) -> bool {
    let (year, letter) = text.split_at_checked(4).unwrap_or_default();
    year.bytes().all(|byte| byte.is_ascii_digit())
        && letter.len() == 1
        && letter.bytes().all(|b| b.is_ascii_lowercase())
}
