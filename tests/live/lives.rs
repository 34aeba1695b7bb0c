//! From the door to the ledger: what becomes of a class, heard on every topic it touches and always from another
//! instance than the one where it was done. After each step every screen shows what the API does.

use serde_json::{Value, json};

use crate::screen::Screen;
use crate::support::api::{Named, Org, Person, Reply, World};
use crate::support::redis::Keeps;

const DAY: &str = "day:main:2026-03-03";

/// A chain, a class of its, and screens that show it: a member's, the desk's and the instructor's.
struct Life {
    world: World,
    org: Org,
    class: Reply,
    screens: Vec<(Person, Screen)>,
}

impl Life {
    async fn of(patch: Value, class: Value, members: &[&str]) -> Life {
        let world = World::with(2, Keeps::Nothing).await;
        let org = world.org_under("pulsn-dk", patch).await;
        let mut fields = json!({ "instructor": { "id": "ida", "name": "Ida" } });
        for (name, value) in class.as_object().unwrap() {
            fields[name] = value.clone();
        }
        let class = org.class(fields).await;
        let (face, roster) = (format!("class:{}", class.id()), format!("roster:{}", class.id()));
        let mut screens = Vec::new();
        for id in members {
            let member = org.member(id).await;
            let screen = Screen::of(&world, 1, &member, &["me", &face, DAY]).await;
            screens.push((member, screen));
        }
        for person in [org.desk(), org.instructor("ida")] {
            let screen = Screen::of(&world, 1, &person, &[&face, &roster, DAY]).await;
            screens.push((person, screen));
        }
        Life { world, org, class, screens }
    }

    fn member(&self, number: usize) -> Person {
        self.screens[number].0.clone()
    }

    /// The desk's.
    fn rosters(&self, booking: &Reply) -> &Value {
        let (_, screen) = &self.screens[self.screens.len() - 2];
        &screen.doc(&format!("roster:{}", self.class.id()))["bookings"][booking.id()]
    }

    fn face(&self) -> &Value {
        self.screens[0].1.doc(&format!("class:{}", self.class.id()))
    }

    fn own(&self, number: usize, booking: &Reply) -> &Value {
        &self.screens[number].1.doc("me")["bookings"][booking.id()]
    }

    async fn everybody_knows(&mut self) {
        for (person, screen) in &mut self.screens {
            screen.comes_to_show_what_is_so(&self.org, person).await;
        }
    }

    /// The events named to a screen on one of its topics since it was last asked, once everything is known.
    async fn told(&mut self, number: usize, topic: &str) -> Vec<String> {
        self.everybody_knows().await;
        let frames = std::mem::take(&mut self.screens[number].1.frames);
        let named = frames.iter().filter(|frame| frame["topic"] == topic);
        named.filter_map(|frame| frame["event"].as_str().map(str::to_owned)).collect()
    }

    async fn desk_does(&self, booking: &Reply, what: &str) {
        self.org.desk().act(&format!("/v1/bookings/{}/{what}", booking.id())).at(0).await;
    }
}

#[tokio::test]
async fn who_is_checked_in_and_back_out_is_seen_by_all() {
    let mut life = Life::of(json!({}), json!({}), &["ann"]).await;
    let booking = life.member(0).books(&life.class).at(0).await;
    life.world.sets_clock("2026-03-03T11:50:00Z").await;
    life.told(0, "me").await;

    life.desk_does(&booking, "check-in").await;
    assert_eq!(life.told(0, "me").await, ["checked_in"]);
    assert_eq!(life.own(0, &booking)["status"], "checked_in");
    assert_eq!(life.rosters(&booking)["status"], "checked_in");
    assert_eq!(life.face()["checked_in"], 1);

    life.desk_does(&booking, "undo-check-in").await;
    assert_eq!(life.told(0, "me").await, ["check_in_undone"]);
    assert_eq!(life.rosters(&booking)["status"], "booked");
    assert_eq!(life.face()["checked_in"], 0);
}

#[tokio::test]
async fn who_did_not_come_hears_of_it_and_whoever_stood_by_has_a_spot() {
    let patch = json!({ "attendance": { "strikes": 2 } });
    let mut life = Life::of(patch, json!({ "capacity": 2, "minimum": 0 }), &["ann", "ben", "cat"]).await;
    let [ann, ben, cat] = [life.member(0), life.member(1), life.member(2)];
    let (came, stayed) = (ann.books(&life.class).at(0).await, ben.books(&life.class).at(0).await);
    let waits = cat.queues_for(&life.class).at(0).await;
    life.world.sets_clock("2026-03-03T11:50:00Z").await;
    life.desk_does(&came, "check-in").await;
    life.desk_does(&waits, "check-in").await;
    life.everybody_knows().await;
    assert_eq!(life.rosters(&waits)["present"], true);
    life.told(1, "me").await;

    life.world.sets_clock("2026-03-03T12:10:00Z").await;
    let told = life.told(1, "me").await;
    assert!(told.contains(&"no_show_recorded".to_owned()), "{told:?}");
    assert_eq!(life.own(1, &stayed)["status"], "no_show");
    assert_eq!(life.rosters(&stayed)["status"], "no_show");
    let standing = &life.screens[1].1.doc("me")["standing"];
    assert_eq!(standing["strikes"][0]["booking"], stayed.id());
    assert_eq!(standing["open_fees"]["amount"], 3000);
    assert_eq!(life.own(2, &waits)["status"], "checked_in");
    assert_eq!(life.face()["checked_in"], 2);

    life.world.sets_clock("2026-03-03T13:00:00Z").await;
    life.everybody_knows().await;
    assert_eq!(life.face()["status"], "finished");
}

#[tokio::test]
async fn an_offer_is_heard_runs_out_and_goes_to_the_next_who_takes_it() {
    let patch = json!({ "waitlist": { "mode": "offer", "offer_for": "PT30M", "quiet": null } });
    let mut life = Life::of(patch, json!({ "capacity": 1, "minimum": 0 }), &["ann", "ben", "cat"]).await;
    let [ann, ben, cat] = [life.member(0), life.member(1), life.member(2)];
    let spot = ann.books(&life.class).at(0).await;
    let (second, third) = (ben.queues_for(&life.class).at(0).await, cat.queues_for(&life.class).at(0).await);
    life.told(1, "me").await;

    ann.cancels(&spot).at(0).await;
    assert_eq!(life.told(1, "me").await, ["spot_offered"]);
    assert_eq!(life.own(1, &second)["offer_expires_at"], "2026-03-02T09:30:00+01:00");
    assert_eq!((&life.face()["free"], &life.face()["waiting"]), (&json!(0), &json!(1)));
    assert_eq!(life.own(2, &third)["position"], 1);
    life.told(2, "me").await;

    life.world.sets_clock("2026-03-02T08:30:00Z").await;
    assert_eq!(life.told(1, "me").await, ["offer_lapsed"]);
    assert_eq!(life.own(1, &second)["status"], "lapsed");
    assert_eq!(life.told(2, "me").await, ["spot_offered"]);
    assert_eq!(life.rosters(&third)["status"], "offered");

    cat.accepts(&third).at(0).await;
    assert_eq!(life.told(2, "me").await, ["booking_promoted"]);
    assert_eq!(life.own(2, &third)["status"], "booked");
    assert_eq!(life.face()["booked"], 1);
}

#[tokio::test]
async fn a_class_below_its_minimum_is_gone_from_every_screen_at_once() {
    let mut life = Life::of(json!({}), json!({ "minimum": 3 }), &["ann"]).await;
    let booking = life.member(0).books(&life.class).at(0).await;
    life.told(0, "me").await;
    assert_eq!(life.face()["needed"], 2);

    life.world.sets_clock("2026-03-03T10:00:00Z").await;
    assert_eq!(life.told(0, "me").await[0], "class_cancelled");
    assert_eq!(life.own(0, &booking)["status"], "class_cancelled");
    assert!(life.rosters(&booking).is_null());
    assert_eq!(life.screens[0].1.doc(DAY)[life.class.id()]["status"], "cancelled");
}

#[tokio::test]
async fn another_instructor_is_shown_to_all_and_takes_the_roster_over() {
    let mut life = Life::of(json!({}), json!({}), &["ann"]).await;
    life.member(0).books(&life.class).at(0).await;
    let (_, mut idas) = life.screens.pop().unwrap();
    let roster = format!("roster:{}", life.class.id());
    life.org.desk().changes(&life.class, json!({ "instructor": { "id": "otto", "name": "Otto" } })).at(0).await;
    assert_eq!(idas.hears("gone").await["topic"], json!(roster));
    let otto = life.org.instructor("otto");
    let ottos = Screen::of(&life.world, 1, &otto, &[&roster]).await;
    life.screens.push((otto, ottos));
    life.everybody_knows().await;
    assert_eq!(life.screens[0].1.doc(DAY)[life.class.id()]["instructor"]["name"], "Otto");
}
