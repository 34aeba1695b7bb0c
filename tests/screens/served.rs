//! How the screens are served: small, kept by hash, and strict about what may run.

use std::collections::BTreeSet;

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, VARY,
};
use rollcall::screens::SCREENS;

use crate::support::api::World;

/// What a first load may weigh on the wire, in bytes.
const FIRST_LOAD_MAX: usize = 120 * 1024;

const PAGES: [(&str, &[&str]); 4] = [
    ("/book", &["common", "book"]),
    ("/roster", &["common", "door"]),
    ("/desk", &["common", "door"]),
    ("/", &["common", "door", "staff", "policy"]),
];

/// What the page names, apart from its words.
fn named(html: &str) -> BTreeSet<String> {
    let attributes = html.split(['"']).filter(|text| text.starts_with("/screens/"));
    attributes.map(str::to_owned).collect()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_first_load_is_small_and_everything_in_it_is_compressed_and_kept_for_good() {
    let world = World::new().await;
    let url = world.services()[0].url();
    for (page, words) in PAGES {
        let html = client().get(format!("{url}{page}")).send().await.unwrap().text().await.unwrap();
        let mut files = named(&html);
        assert!(!html.contains("{{"), "{page} is filled in");
        assert!(files.iter().any(|file| file.contains("rollcall.js")), "{page} names every module beforehand");
        // The words of one language; Lithuanian's weigh the most.
        files.extend(words.iter().map(|part| format!("/screens/{}/words/lt/{part}.js", SCREENS.version())));
        let mut weight = 0;
        for file in files.iter().cloned().chain([page.to_owned()]) {
            let answer = client().get(format!("{url}{file}")).header(ACCEPT_ENCODING, "br").send().await.unwrap();
            assert_eq!(answer.status(), 200, "{file}");
            assert_eq!(answer.headers()[CONTENT_ENCODING], "br", "{file}");
            assert!(answer.headers()[VARY].to_str().unwrap().to_ascii_lowercase().contains("accept-encoding"));
            let kept = answer.headers()[CACHE_CONTROL].to_str().unwrap().to_owned();
            assert_eq!(kept.contains("immutable"), file != page, "{file}: {kept}");
            weight += answer.bytes().await.unwrap().len();
        }
        assert!(weight < FIRST_LOAD_MAX, "{page}: {weight} bytes");
    }
}

#[tokio::test]
async fn a_page_is_asked_for_anew_and_answered_with_little_when_nothing_changed() {
    let world = World::new().await;
    let page = format!("{}/book", world.services()[0].url());
    let first = client().get(&page).send().await.unwrap();
    assert_eq!(first.headers()[CACHE_CONTROL], "no-cache");
    let again = client().get(&page).header(IF_NONE_MATCH, first.headers()[ETAG].clone()).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_inline_runs_and_no_other_host_is_named() {
    let world = World::new().await;
    let url = world.services()[0].url();
    for (page, _) in PAGES {
        let answer = client().get(format!("{url}{page}")).send().await.unwrap();
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "trusted-types 'none'",
        ] {
            assert!(policy.contains(part), "{page}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{page}: {policy}");
        let html = answer.text().await.unwrap();
        assert!(!html.contains("http"), "{page} names another host");
        assert!(
            !html.contains(" style=") && !html.contains("<style") && !html.contains(" on"),
            "{page} has something inline"
        );
    }
}

#[tokio::test]
async fn a_file_of_another_build_is_served_and_not_kept() {
    let world = World::new().await;
    let url = world.services()[0].url();
    let other = client().get(format!("{url}/screens/000000000000/base.css")).send().await.unwrap();
    assert_eq!((other.status().as_u16(), &other.headers()[CACHE_CONTROL]), (200, &"no-cache".parse().unwrap()));
    let none = client().get(format!("{url}/screens/{}/../../Cargo.toml", SCREENS.version())).send().await.unwrap();
    assert_eq!(none.status(), 404);
}
