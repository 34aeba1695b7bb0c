use super::*;

/// The number as it is compared.
fn key(text: &str, country: &str) -> Option<String> {
    let shown = parse_phone(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    Reading::of(&compact(&shown).unwrap(), Country::parse(country).ok()).key().map(str::to_owned)
}

#[test]
fn one_number_is_one_however_it_is_written() {
    for (country, forms, expected) in [
        (
            "DK",
            &[
                "+45 20 12 34 56",
                "20123456",
                "004520123456",
                "4520123456",
                "(0045) 20.12/34-56",
                "\u{202a}+45\u{a0}20\u{a0}12\u{a0}34\u{a0}56\u{202c}",
                "＋４５２０１２３４５６",
                "20\u{2011}12\u{2011}34\u{2011}56",
                " 2 0 1 2 3 4 5 6 ",
            ][..],
            "4520123456",
        ),
        (
            "LT",
            &[
                "8 612 34567",
                "+37061234567",
                "61234567",
                "0 612 34567",
                "0037061234567",
                "370 612 34567",
                "(8-612) 34567",
            ],
            "37061234567",
        ),
        ("LT", &["8 5 212 3456", "(8-5) 2123456", "+370 5 2123456", "052123456"], "37052123456"),
        ("NO", &["47 12 34 56", "+47 47 12 34 56", "004747123456", "4747123456"], "4747123456"),
        ("DK", &["45 12 34 56", "+45 45 12 34 56", "4545123456"], "4545123456"),
        ("SE", &["070-123 45 67", "+46 (0)70 123 45 67", "0046701234567", "46701234567", "701234567"], "46701234567"),
        ("GB", &["020 7183 8750", "+44 (0)20 7183 8750", "442071838750"], "442071838750"),
        ("IT", &["06 6982 1234", "+39 06 6982 1234", "0039 06 69821234"], "390669821234"),
        ("US", &["(202) 555-0173", "1-202-555-0173", "+1 202 555 0173", "0012025550173"], "12025550173"),
        ("EE", &["5123 4567", "+372 5123 4567", "37251234567"], "37251234567"),
        ("FI", &["040 1234567", "+358 40 1234567"], "358401234567"),
        ("DK", &["+370 612 34567", "0037061234567"], "37061234567"),
    ] {
        for form in forms {
            assert_eq!(key(form, country).as_deref(), Some(expected), "{form:?} in {country}");
        }
    }
}

#[test]
fn another_countrys_number_without_its_sign_is_read_at_home() {
    assert_ne!(key("46701234567", "DK"), key("+46701234567", "DK"));
    assert_ne!(key("20123456", "DK"), key("20123456", "NO"));
}

#[test]
fn a_number_that_two_ways_make_two_is_nobodys() {
    // In Emden without its trunk prefix, or in Düsseldorf with the country's code.
    let two = Reading::of("4921123456", Country::parse("DE").ok());
    assert_eq!((two.key(), two.home()), (None, None), "{two:?}");
    assert!(Reading::of("+4921123456", Country::parse("DE").ok()).key().is_some());
    assert!(Reading::of("04921123456", Country::parse("DE").ok()).key().is_some());
}

#[test]
fn a_number_that_is_in_no_plan_is_compared_all_the_same() {
    assert_eq!(key("123", "DK"), key("1 2-3", "DK"));
    assert_eq!(key("11 22 33", "UTC"), Some("=112233".to_owned()));
    assert_eq!(key("+45123456", "DK"), key("0045 12 34 56", "DK"));
}

#[test]
fn what_was_put_in_is_shown_without_what_is_not_drawn() {
    for (written, shown) in [
        (" +45 12-34 (56) ", "+45 12-34 (56)"),
        ("\u{202a}+45 20 12\u{202c}\u{a0}", "+45 20 12"),
        ("\u{feff}8\u{ad}612 34567", "8612 34567"),
        ("２０１２３４５６", "２０１２３４５６"),
    ] {
        assert_eq!(parse_phone(written).as_deref(), Ok(shown));
    }
    for bad in ["", "+", "phone", "12345a", "12+345", "++12345", "123\n456", "123;456", "\u{200b}", "12", "tel:123"] {
        assert_eq!(parse_phone(bad), Err(PhoneError), "{bad:?}");
    }
    let spread = |len: usize| format!("123{}4", " ".repeat(len - 4));
    assert!(parse_phone(&spread(PHONE_LEN_MAX)).is_ok());
    assert_eq!(parse_phone(&spread(PHONE_LEN_MAX + 1)), Err(PhoneError));
}

#[test]
fn every_zone_with_people_has_a_country() {
    for (zone, country) in [
        ("Europe/Copenhagen", "DK"),
        ("Europe/Vilnius", "LT"),
        ("Europe/Oslo", "NO"),
        ("Atlantic/Faroe", "FO"),
        ("Iceland", "IS"),
        ("Europe/Kiev", "UA"),
        ("US/Pacific", "US"),
        ("Asia/Calcutta", "IN"),
        ("Arctic/Longyearbyen", "SJ"),
        ("America/Port-au-Prince", "HT"),
        ("US/East-Indiana", "US"),
    ] {
        assert_eq!(
            Country::of_zone(zone.parse().unwrap()).map(|country| country.to_string()).as_deref(),
            Some(country)
        );
    }
    let stateless: Vec<_> = chrono_tz::TZ_VARIANTS
        .iter()
        .filter(|zone| Country::of_zone(**zone).is_none())
        .map(|zone| zone.name())
        .filter(|name| name.contains('/') && !["Etc/", "Antarctica/"].iter().any(|kind| name.starts_with(kind)))
        .collect();
    // Uninhabited, or with the numbers of others.
    assert_eq!(
        stateless,
        ["Atlantic/South_Georgia", "Indian/Kerguelen", "Pacific/Midway", "Pacific/Pitcairn", "Pacific/Wake"]
    );
}

#[test]
fn a_country_is_one_of_iso_3166() {
    for good in ["DK", "LT", "XK", "GB"] {
        assert_eq!(Country::parse(good).map(|country| country.to_string()), Ok(good.to_owned()));
    }
    for bad in ["", "dk", "D", "DNK", "ZZ", "45", "ÆØ"] {
        assert_eq!(Country::parse(bad), Err(CountryError), "{bad:?}");
    }
}
