//! What the screens keep on a device, and what they say where they may keep nothing or find damage.

use serde_json::json;

use crate::browser::Window;
use crate::gym::Gym;

const PAGES: [(&str, &str); 4] = [("/book", "member"), ("/roster", "instructor"), ("/desk", "staff"), ("/", "admin")];

#[tokio::test]
async fn where_the_browser_keeps_nothing_every_page_says_so() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let window = Window::that_keeps_nothing().await;
    for (page, role) in PAGES {
        gym.opens(&window, page, &gym.org.caller("ann", role)).await;
        window.sees_in("[role=alert]", "Site data is blocked").await;
        window.goes_to("about:blank").await;
    }
}

#[tokio::test]
async fn where_there_is_no_such_gym_every_page_says_who_makes_it() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let window = Window::phone().await;
    for (page, role) in PAGES {
        gym.opens(&window, page, &gym.world.caller("nowhere", "ann", role)).await;
        window.sees_in("[role=alert]", "There is no such gym here").await;
        window.goes_to("about:blank").await;
    }
}

#[tokio::test]
async fn damaged_taps_are_dropped_and_the_roll_is_shown() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(20, json!({})).await;
    ann.books(&class).await;
    let window = Window::desktop().await;
    let eva = gym.org.instructor("eva");
    gym.opens(&window, "/roster", &eva).await;
    window.sees_in(".roll", "Ann Lund").await;
    let place = format!("rollcall.taps.{}/eva", gym.org.id);
    let tap = json!([{ "booking": "b", "action": "check-in", "key": "k" }]).to_string();
    for damage in ["{broken", "null", "7", "[null]", "[{}]", "{}", tap.as_str()] {
        window.runs("localStorage.setItem(arguments[0], arguments[1]);", vec![json!(place), json!(damage)]).await;
        window.goes_to("about:blank").await;
        gym.opens(&window, "/roster", &eva).await;
        window.sees_in(".roll", "Ann Lund").await;
        let left = window.runs("return localStorage.getItem(arguments[0]);", vec![json!(place)]).await;
        assert_eq!(left, json!(null), "{damage}");
    }
}

#[tokio::test]
async fn two_peoples_taps_are_never_kept_in_one_place() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/roster", &gym.org.caller("eva.1", "instructor")).await;
    window.sees("No classes here").await;
    let script = "const done = arguments[0]; const loaded = document.querySelector('script[type=module]').src;
        import(new URL('../shared/taps.js', loaded)).then(({ place }) => done([
            place({ org: 'a', sub: 'b.c' }), place({ org: 'a.b', sub: 'c' }),
            place({ org: 'a', sub: 'b/c' }), place({ org: 'a/b', sub: 'c' }), place({ org: 'a%2Fb', sub: 'c' }),
        ]));";
    let places = window.awaits(script, vec![]).await;
    let mut distinct: Vec<&str> = places.as_array().unwrap().iter().map(|place| place.as_str().unwrap()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 5, "{places}");
}
