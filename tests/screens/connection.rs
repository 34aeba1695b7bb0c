//! The connection is cut and resumed: nobody is left in the dark, and no tap is lost or doubled.

use serde_json::json;

use crate::browser::Window;
use crate::cable::Cable;
use crate::gym::{Gym, eventually};
use crate::support::api::Named;

#[tokio::test]
async fn taps_while_the_line_is_down_are_kept_sent_once_and_said_to_be() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let class = gym.class_in(20, json!({})).await;
    let (anns, bens) = (ann.books(&class).await, ben.books(&class).await);
    let cable = Cable::to(gym.world.services()[0].port).await;
    let window = Window::desktop().await;
    window
        .goes_to(&format!("http://127.0.0.1:{}/roster#token={}", cable.port, gym.org.instructor("eva").token()))
        .await;
    let row = |booking: &str, rest: &str| format!("[data-booking=\"{booking}\"] {rest}");
    window.sees_in(".roll", "Ann Lund").await;

    cable.pull();
    window.taps(&row(&anns.id(), "[data-action=check-in]")).await;
    window.taps(&row(&bens.id(), "[data-action=check-in]")).await;
    window.sees_in(".banner", "2 taps are kept").await;
    window.sees_in(&row(&anns.id(), ""), "Not sent yet").await;
    assert_eq!(gym.org.desk().roster(&class).await.body["class"]["checked_in"], 0);
    let kept = window.runs("return JSON.stringify({ ...localStorage });", vec![]).await.to_string();
    assert!(kept.contains(&anns.id()) && kept.contains(&bens.id()), "{kept}");
    assert!(!kept.contains("Lund") && !kept.contains("Holm"), "whoever has the device next reads no names: {kept}");

    cable.plug_in();
    window.sees_in(".banner", "taps were sent").await;
    window.misses(".roll", "Not sent yet").await;
    window.sees_in(&row(&anns.id(), ""), "Here").await;
    let history = gym.org.desk().history(&class).await;
    let arrivals = history.items().iter().filter(|line| line["event"] == "checked_in").count();
    assert_eq!(arrivals, 2, "each tap counts once");
}

#[tokio::test]
async fn a_member_is_told_when_the_line_is_down_and_sees_what_was_missed() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let class = gym.class_in(300, json!({ "capacity": 1 })).await;
    let held = ann.books(&class).await;
    ben.queues_for(&class).await;
    let cable = Cable::to(gym.world.services()[0].port).await;
    let window = Window::phone().await;
    window.goes_to(&format!("http://127.0.0.1:{}/book#token={}", cable.port, ben.token())).await;
    window.sees("You are number 1").await;
    cable.pull();
    window.sees_in(".banner", "No connection").await;
    ann.cancels(&held).await;
    eventually("Ben has the spot", async || ben.sees(&class).await.body["me"]["status"] == "booked").await;
    cable.plug_in();
    window.sees("You have a spot").await;
    window.misses(".banner", "No connection").await;
}

/// The first question about the member is refused, as a proxy or a mistake would.
const REFUSES_ONCE: &str = "
    const ask = window.fetch;
    let refused = false;
    window.fetch = (path, options) => {
      if (path !== '/v1/me' || refused) return ask(path, options);
      refused = true;
      return Promise.resolve(new Response('{\"code\":\"internal\",\"status\":500}', { status: 500 }));
    };
";

#[tokio::test]
async fn a_screen_that_cannot_begin_says_why_and_tries_again_when_asked() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let window = Window::phone().await;
    window.begins_with(REFUSES_ONCE).await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in("[role=alert]", "Something went wrong at our end").await;
    window.taps_named("Try again").await;
    window.sees("All instructors").await;
}

/// Keeps answers back while told to: each is read at once and given to the page later.
const HOLDS_ANSWERS: &str = "
    const ask = window.fetch;
    Object.assign(window, { held: [], underWay: 0 });
    window.fetch = async (path, options) => {
      window.underWay += 1;
      const answer = await ask(path, options).finally(() => (window.underWay -= 1));
      const kept = new Response(await answer.text(), answer);
      if (window.holding) await new Promise((go) => window.held.push(go));
      return kept;
    };
";

/// The socket is up, and everything that was asked for then has been answered.
const ALL_HELD: &str = "document.querySelector('rc-book').feed.live && window.underWay === 0 && window.held.length > 1";

/// Gives the page what was kept back, and time to draw it.
const LETS_GO: &str = "
    const [done] = arguments;
    window.holding = false;
    for (const go of window.held) go();
    setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100);
";

#[tokio::test]
async fn an_answer_that_the_socket_has_overtaken_does_not_take_the_screen_back() {
    let gym = Gym::on("pulsn-dk", json!({ "waitlist": { "mode": "offer", "quiet": null } })).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let class = gym.class_in(300, json!({ "capacity": 1 })).await;
    let held = ann.books(&class).await;
    ben.queues_for(&class).await;
    let cable = Cable::to(gym.world.services()[0].port).await;
    let window = Window::phone().await;
    window.begins_with(HOLDS_ANSWERS).await;
    window.goes_to(&format!("http://127.0.0.1:{}/book#token={}", cable.port, ben.token())).await;
    window.sees("You are number 1").await;

    // The line comes back, and with it the socket; what is asked for then takes longer than what happens next.
    window.comes_to("document.querySelector('rc-book').feed.live").await;
    window.runs("window.holding = true", vec![]).await;
    cable.pull();
    window.comes_to("!document.querySelector('rc-book').feed.live").await;
    cable.plug_in();
    window.comes_to(ALL_HELD).await;
    ann.cancels(&held).await;
    window.sees("A spot is yours to take").await;
    window.awaits(LETS_GO, vec![]).await;
    let shown = window.words_in("body").await;
    assert!(shown.contains("A spot is yours to take"), "{shown}");
}
