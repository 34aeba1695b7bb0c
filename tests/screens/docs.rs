//! The pages that describe the API, in a real browser: their policy lets them work, and they ask no other host.

use serde_json::json;

use crate::browser::Window;
use crate::support::api::World;

/// What the page asked for, and what its policy did not let it do.
const WATCH: &str = "window.refused = []; \
     document.addEventListener('securitypolicyviolation', (e) => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));";

#[tokio::test]
async fn the_description_is_shown_under_its_policy_and_asks_no_other_host() {
    let world = World::new().await;
    let port = world.services()[0].port;
    let window = Window::desktop().await;
    window.begins_with(WATCH).await;
    // By a name that is not this machine's, because only such addresses are told to a validator.
    let page = format!("http://rollcall.example:{port}/docs/");
    window.goes_to(&page).await;
    window.comes_to("document.querySelectorAll('.opblock').length > 20").await;
    // Somebody tries a call.
    let health = "[...document.querySelectorAll('.opblock')].find((e) => e.innerText.includes('/healthz'))";
    window.runs(&format!("{health}.querySelector('.opblock-summary-control').click()"), vec![]).await;
    window.comes_to(&format!("{health}.querySelector('.try-out__btn') != null")).await;
    window.runs(&format!("{health}.querySelector('.try-out__btn').click()"), vec![]).await;
    window.comes_to(&format!("{health}.querySelector('.execute') != null")).await;
    window.runs(&format!("{health}.querySelector('.execute').click()"), vec![]).await;
    window
        .comes_to(&format!("{health}.querySelector('.live-responses-table')?.innerText.includes('alive') ?? false"))
        .await;

    let asked = window.runs("return performance.getEntriesByType('resource').map((e) => e.name)", vec![]).await;
    let asked: Vec<String> = serde_json::from_value(asked).unwrap();
    assert!(asked.iter().any(|url| url.ends_with("/openapi.json")), "{asked:?}");
    let own = format!("http://rollcall.example:{port}/");
    let foreign: Vec<&String> =
        asked.iter().filter(|url| !url.starts_with(&own) && !url.starts_with("data:")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert_eq!(window.runs("return window.refused", vec![]).await, json!([]), "{}", window.said().await);
}
