//! `rollcall.js`, the client for app builders: in a real browser, against the service and against the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::browser::Window;
use crate::cable::Cable;
use crate::gym::Gym;
use crate::support::api::{Named, Person, signed};
use crate::support::service::SECRET;

const STORIES: &str = include_str!("client.js");

/// Calls a story and waits for its end.
const CALL: &str = "
    const [name, given, done] = arguments;
    client[name](...given).then((found) => done(found ?? 'done'), (error) => done(String(error.stack ?? error)));
";

/// A page that has the client and the stories at hand.
async fn page(port: u16) -> Window {
    let window = Window::phone().await;
    window.goes_to(&format!("http://127.0.0.1:{port}/book")).await;
    window.runs(STORIES, vec![]).await;
    window
}

impl Window {
    async fn plays(&self, story: &str, given: Value) -> Value {
        self.awaits(CALL, vec![json!(story), given]).await
    }
}

/// A member's token that ends in so many seconds.
fn token_of(gym: &Gym, member: &Person, seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    signed(&json!({ "sub": member.sub, "role": "member", "org": gym.org.id, "exp": now + seconds }), SECRET)
}

#[tokio::test]
async fn a_line_that_breaks_costs_nothing_but_the_patches_missed() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(300, json!({})).await;
    let cable = Cable::to(gym.world.services()[0].port).await;
    let window = page(cable.port).await;
    window.plays("connects", json!([["me"], [ann.token()]])).await;
    window.comes_to("client.heard.length === 1").await;
    let have = window.runs("return client.heard[0].to", vec![]).await;

    cable.pull();
    window.comes_to("client.live.status === 'waiting'").await;
    let booking = ann.books(&class).await;
    cable.plug_in();
    window.comes_to(&format!("client.live.doc('me').bookings['{}']?.status === 'booked'", booking.id())).await;
    let hello = window.runs("return client.last.said[0]", vec![]).await;
    assert_eq!((&hello["op"], &hello["topics"]["me"]), (&json!("hello"), &have));
    assert!(hello["epoch"].is_string());
    let heard = window.runs("return client.heard", vec![]).await;
    assert_eq!(heard[1]["from"], have, "exactly what was missed: {heard}");
    assert_eq!(heard[1]["event"], "booking_confirmed");
}

#[tokio::test]
async fn a_frame_that_was_lost_is_noticed_and_got_again() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let classes = [gym.class_in(300, json!({})).await, gym.class_in(1_700, json!({})).await];
    let window = page(gym.world.services()[0].port).await;
    window.plays("connects", json!([["me"], [ann.token()]])).await;
    window.comes_to("client.heard.length === 1").await;
    let have = window.runs("client.losing = true; return client.heard[0].to", vec![]).await;

    ann.books(&classes[0]).await;
    window.comes_to("client.losing === false").await;
    ann.books(&classes[1]).await;
    window.comes_to("Object.keys(client.live.doc('me').bookings).length === 2").await;
    let said = window.runs("return client.last.said", vec![]).await;
    assert_eq!(said[1], json!({ "op": "subscribe", "id": 1, "topics": { "me": have } }));
    assert_eq!(window.runs("return client.sockets.length", vec![]).await, 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_fetched_anew_when_it_has() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let port = gym.world.services()[0].port;
    let careful = page(port).await;
    // By this device's clock the first token has two seconds left.
    careful.runs("const real = Date.now; Date.now = () => real() + 58_000", vec![]).await;
    let tokens = json!([["me"], [token_of(&gym, &ann, 60), token_of(&gym, &ann, 3_600)]]);
    careful.plays("connects", tokens).await;
    careful.comes_to("client.last?.said.some((frame) => frame.op === 'renew')").await;

    let careless = page(port).await;
    let short = token_of(&gym, &ann, 5);
    careless.plays("connects", json!([["me"], [short, short, token_of(&gym, &ann, 3_600)]])).await;
    careless.comes_to("client.sockets.length === 2 && client.live.status === 'live'").await;
    let states = careless.runs("return client.states", vec![]).await;
    assert!(states.as_array().unwrap().contains(&json!(["waiting", 4001])), "{states}");

    assert_eq!(careful.runs("return [client.sockets.length, client.live.status]", vec![]).await, json!([1, "live"]));
    let renewals = careful.runs("return client.last.said.filter((frame) => frame.op === 'renew').length", vec![]).await;
    assert_eq!(renewals, 1, "the new token has an hour");
}

#[tokio::test]
async fn the_client_keeps_to_the_contract_by_the_clock() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let port = gym.world.services()[0].port;
    let window = page(port).await;
    for story in [
        "pauses_are_random_and_grow_until_a_connection_was_healthy",
        "a_goodbye_says_when_to_come_back_and_a_refusal_that_there_is_no_way",
        "silence_is_noticed_from_both_sides",
        "a_token_is_renewed_a_minute_before_it_ends_or_when_most_of_it_is_over",
        "a_gap_is_asked_for_once_and_closed",
        "what_is_refused_is_told_and_what_is_only_away_is_asked_for_again",
        "what_is_asked_for_fits_the_frames_the_server_takes",
        "patches_are_merged_as_the_rfc_says",
    ] {
        window.goes_to(&format!("http://127.0.0.1:{port}/book?{story}")).await;
        window.runs(STORIES, vec![]).await;
        assert_eq!(window.plays(story, json!([])).await, "done", "{story}");
    }
    let offered = window.plays("offers", json!([])).await;
    assert_eq!(offered, json!(declared()), "rollcall.d.ts declares what there is");
}

/// What the declaration has: the module's names, and those of a connection.
fn declared() -> [Vec<String>; 2] {
    let declaration = include_str!("../../src/screens/rollcall.d.ts");
    let name = |line: &str| line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let exported = declaration.lines().filter_map(|line| {
        let rest = line.strip_prefix("export declare ")?;
        Some(name(rest.strip_prefix("const ").or(rest.strip_prefix("function "))?))
    });
    let (_, live) = declaration.split_once("export interface Live {").expect("Live");
    let members = live.lines().skip(1).take_while(|line| *line != "}");
    let members = members.map(|line| name(line.trim().trim_start_matches("readonly ")));
    let mut names = [exported.collect(), members.chain(["constructor".to_owned()]).collect()];
    names.iter_mut().for_each(|names: &mut Vec<String>| names.sort());
    names
}
