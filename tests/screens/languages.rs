//! Each language, on each screen: the reader's own is spoken, and every refusal has words.

use serde_json::json;

use crate::browser::{DESKTOP, Window};
use crate::gym::{Gym, time_of};

#[tokio::test]
async fn every_screen_speaks_the_readers_language() {
    let gym = Gym::on("impuls-lt", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+37061111111").await;
    // Below its minimum, which is said in the longest words.
    let class = gym.class_in(60, json!({ "minimum": 5 })).await;
    let spoken = [
        ("en-GB", ["Book a class", "Take the roll", "Front desk", "The club's day"]),
        ("lt-LT", ["Registracija į treniruotes", "Lankomumas", "Registratūra", "Klubo diena"]),
        ("da-DK", ["Book et hold", "Fremmøde", "Reception", "Dagen i centret"]),
        ("nb-NO", ["Book en time", "Oppmøte", "Resepsjon", "Dagen på senteret"]),
    ];
    for (language, titles) in spoken {
        let window = Window::open(DESKTOP, language).await;
        let people = [
            ("/book", ann.clone()),
            ("/roster", gym.org.instructor("eva")),
            ("/desk", gym.org.desk()),
            ("/", gym.org.admin()),
        ];
        for ((path, who), title) in people.into_iter().zip(titles) {
            // A new tab in effect: one page's session is not the next one's.
            window.goes_to("about:blank").await;
            gym.opens(&window, path, &who).await;
            window.sees_in("h1", title).await;
            // Danish writes 18.00, the others 18:00.
            let time = if language == "da-DK" { time_of(&class).replace(':', ".") } else { time_of(&class) };
            window.sees_in("main", &time).await;
            let lang = window.runs("return document.documentElement.lang", vec![]).await;
            assert!(
                language.starts_with(lang.as_str().unwrap()),
                "{path} says it speaks {lang}, to a reader of {language}"
            );
            window.is(NARROW.0, NARROW.1).await;
            let over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(window.runs(over, vec![]).await, json!(0), "{path} in {language} is wider than a phone");
            window.is(DESKTOP.0, DESKTOP.1).await;
            assert_eq!(window.runs(UNTRANSLATED, vec![]).await, json!([]), "{path} in {language} shows keys of words");
        }
    }
}

/// The smallest phone.
const NARROW: (u32, u32) = (360, 740);

/// Words without a translation are shown as their key, `part.name`.
const UNTRANSLATED: &str = "
    const found = [];
    const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (/^[a-z_]+(\\.[a-z_]+)+$/.test(walk.currentNode.data.trim())) found.push(walk.currentNode.data);
    return found;";

#[tokio::test]
async fn the_clubs_zone_is_said_where_the_device_has_another() {
    let gym = Gym::on("pulsn-dk", json!({ "timezone": "Europe/Copenhagen" })).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let window = Window::phone().await;
    window.is_in("America/New_York").await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in(".zone", "Times are in Copenhagen").await;
    window.is_in("Europe/Oslo").await;
    gym.opens(&window, "/book?there", &ann).await;
    window.sees("All instructors").await;
    assert_eq!(window.words_in(".zone").await, "", "two zones with the same time are no news");
}

#[tokio::test]
async fn the_language_is_chosen_and_remembered() {
    let gym = Gym::on("bolgen-no", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4711111111").await;
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in("h1", "Book a class").await;
    window.taps("header .round").await;
    window.taps("dialog input[value=nb]").await;
    window.sees_in("h1", "Book en time").await;
    gym.opens(&window, "/book?again", &ann).await;
    window.sees_in("h1", "Book en time").await;
}
