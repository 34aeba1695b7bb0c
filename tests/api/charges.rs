//! The ledger of what was charged and forgiven, strikes and bans, and a member's standing that sums them up.

use serde_json::{Value, json};

use crate::support::api::{Named, Org, Person, Reply, World};

/// Late cancels of the default class cost 3000 from 10:00 UTC on, and are forgiven when the spot is taken again.
fn forgiving() -> Value {
    json!({ "cancel": { "forgive_if_refilled": true } })
}

/// Two late cancels, each a strike, bar the member for a day.
fn striking() -> Value {
    json!({
        "cancel": { "late_is_strike": true }, "attendance": { "strikes": 2, "strike_window": "P1D", "ban": "P1D" },
        "booking": { "daily_limit": null },
    })
}

/// Books a class at that time and cancels it an hour before, which is late.
async fn cancels_late(world: &World, org: &Org, member: &Person, starts_at: &str) -> Reply {
    let class = org.class(json!({ "starts_at": starts_at })).await;
    let booking = member.books(&class).await;
    let start = chrono::DateTime::parse_from_rfc3339(starts_at).unwrap();
    world.sets_clock(&(start - chrono::TimeDelta::hours(1)).to_rfc3339()).await;
    member.cancels(&booking).becoming("late_cancelled").await
}

#[tokio::test]
async fn a_charge_is_one_line_of_the_ledger() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let late = cancels_late(&world, &org, &ann, "2026-03-03T12:00:00Z").await;
    ann.cancels(&late).becoming("late_cancelled").await;
    let fees = org.desk().fees().await;
    assert_eq!(fees.items().len(), 1);
    let mut line = fees.items()[0].clone();
    assert!(line.as_object_mut().unwrap().remove("id").is_some_and(|id| id.is_string()));
    let expected = json!({
        "member": "ann", "booking": late.id(), "kind": "charged", "reason": "late_cancel",
        "amount": { "amount": 3000, "currency": "DKK" }, "at": "2026-03-03T12:00:00+01:00",
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn the_ledger_is_read_in_order_page_by_page() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let members = org.members(["ann", "bob", "cid"]).await;
    let class = org.class(json!({})).await;
    let mut bookings = Vec::new();
    for member in &members {
        bookings.push(member.books(&class).await);
    }
    world.sets_clock("2026-03-03T11:00:00Z").await;
    for (member, booking) in members.iter().zip(&bookings) {
        member.cancels(booking).await;
    }
    let desk = org.desk();
    let whole = desk.fees().await;
    assert_eq!((whole.items().len(), whole.at("/next")), (3, &json!(null)));
    let first = desk.get("/v1/fees?limit=2").await;
    assert_eq!(first.items(), &whole.items()[..2]);
    let next = first.text("/next");
    let second = desk.get(&format!("/v1/fees?limit=2&after={next}")).await;
    assert_eq!((second.items(), second.at("/next")), (&whole.items()[2..], &json!(null)));
    let last = whole.items()[2]["id"].as_str().unwrap();
    assert_eq!(desk.get(&format!("/v1/fees?after={last}")).await.items().len(), 0);
}

#[tokio::test]
async fn a_members_own_lines_are_read_by_themselves() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let members = org.members(["ann", "bob"]).await;
    let desk = org.desk();
    for starts_at in ["2026-03-03T12:00:00Z", "2026-03-04T12:00:00Z"] {
        let class = org.class(json!({ "starts_at": starts_at })).await;
        let held = [members[0].books(&class).await, members[1].books(&class).await];
        let start = chrono::DateTime::parse_from_rfc3339(starts_at).unwrap();
        world.sets_clock(&(start - chrono::TimeDelta::hours(1)).to_rfc3339()).await;
        for (member, booking) in members.iter().zip(&held) {
            member.cancels(booking).becoming("late_cancelled").await;
        }
    }
    let first = desk.get("/v1/fees?member=ann").await.items()[0]["id"].as_str().unwrap().to_owned();
    desk.post(&format!("/v1/fees/{first}/waive"), json!({ "reason": "a flat tyre" })).answers(200).await;

    let whole = desk.fees().await;
    let anns: Vec<Value> = whole.items().iter().filter(|line| line["member"] == "ann").cloned().collect();
    assert_eq!(whole.items().len(), 5);
    assert_eq!((anns.len(), &anns[2]["kind"]), (3, &json!("waived")));
    assert_eq!(desk.get("/v1/fees?member=ann").await.items(), &anns[..]);
    let page = desk.get("/v1/fees?member=ann&limit=2").await;
    assert_eq!(page.items(), &anns[..2]);
    let rest = desk.get(&format!("/v1/fees?member=ann&limit=2&after={}", page.text("/next"))).await;
    assert_eq!((rest.items(), rest.at("/next")), (&anns[2..], &json!(null)));
    desk.get("/v1/fees?member=nobody").refused("not_found").await;
    desk.erases(&members[1]).await;
    assert_eq!(desk.get("/v1/fees?member=bob").await.items().len(), 2, "the ledger outlives the person");
}

#[tokio::test]
async fn a_spot_taken_again_forgives_the_late_cancel() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", forgiving()).await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    ann.cancels(&booking).becoming("late_cancelled").await;
    bob.books(&class).await;
    let forgiven = org.finds(&booking, "late_cancelled").await;
    assert_eq!(forgiven.at("/fee"), &json!(null));
    let fees = org.desk().fees().await;
    let [charged, waived] = fees.items() else { panic!("two lines, not {fees:?}") };
    assert_eq!(
        (&charged["kind"], &waived["kind"], &waived["waives"]),
        (&json!("charged"), &json!("waived"), &charged["id"])
    );
    assert_eq!((&waived["amount"], &waived["reason"]), (&charged["amount"], &charged["reason"]));
    assert_eq!(ann.standing().await.at("/open_fees/amount"), &json!(0));
}

#[tokio::test]
async fn a_promotion_takes_the_spot_again_at_once() {
    let world = World::new().await;
    let policy = json!({ "cancel": { "forgive_if_refilled": true }, "waitlist": { "promote_until": "PT0S" } });
    let org = world.org_under("pulsn-dk", policy).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    let cancelled = full.holder.cancels(&full.spot).becoming("late_cancelled").await;
    org.finds(&place, "booked").await;
    assert_eq!(cancelled.at("/fee"), &json!(null), "the answer shows the end of the call");
    assert_eq!(full.holder.standing().await.at("/open_fees/amount"), &json!(0));
}

#[tokio::test]
async fn an_offer_is_not_yet_a_spot_taken() {
    let world = World::new().await;
    let waitlist = json!({ "mode": "offer", "quiet": null, "promote_until": "PT0S" });
    let org =
        world.org_under("pulsn-dk", json!({ "cancel": { "forgive_if_refilled": true }, "waitlist": waitlist })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    full.holder.cancels(&full.spot).await;
    org.finds(&place, "offered").await;
    assert_eq!(full.holder.standing().await.at("/open_fees/amount"), &json!(3000));
    ann.accepts(&place).await;
    assert_eq!(full.holder.standing().await.at("/open_fees/amount"), &json!(0));
}

#[tokio::test]
async fn the_oldest_late_cancel_is_forgiven_first_and_each_spot_forgives_one() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", forgiving()).await;
    let [ann, bob, cid, dot] = org.members(["ann", "bob", "cid", "dot"]).await;
    let class = org.class(json!({})).await;
    let (one, two) = (ann.books(&class).await, bob.books(&class).await);
    world.sets_clock("2026-03-03T11:00:00Z").await;
    bob.cancels(&two).await;
    ann.cancels(&one).await;
    cid.books(&class).await;
    let owing = async |member: &Person| member.standing().await.at("/open_fees/amount").as_i64().unwrap();
    assert_eq!((owing(&ann).await, owing(&bob).await), (3000, 0));
    dot.books(&class).await;
    assert_eq!((owing(&ann).await, owing(&bob).await), (0, 0));
}

#[tokio::test]
async fn a_forgiven_clip_comes_back() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", forgiving()).await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 1 })).await;
    let bob = org.member("bob").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    ann.cancels(&booking).await;
    assert_eq!(org.clips(&ann).await, 0);
    bob.books(&class).await;
    assert_eq!(org.clips(&ann).await, 1);
    assert!(org.desk().fees().await.items().is_empty());
}

#[tokio::test]
async fn who_cancels_late_and_books_again_forgives_themselves() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", forgiving()).await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    ann.cancels(&booking).await;
    ann.books(&class).await;
    assert_eq!(ann.standing().await.at("/open_fees/amount"), &json!(0));
}

#[tokio::test]
async fn without_forgiveness_a_refilled_spot_stays_charged() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    ann.cancels(&booking).await;
    bob.books(&class).await;
    assert_eq!(ann.standing().await.at("/open_fees/amount"), &json!(3000));
}

#[tokio::test]
async fn a_late_cancel_can_count_as_a_strike() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", striking()).await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    assert_eq!(ann.previews_cancelling(&booking).await.at("/strike"), &json!(true));
    ann.cancels(&booking).await;
    let standing = ann.standing().await;
    let strike = json!([{
        "booking": booking.id(), "class": class.id(), "at": "2026-03-03T13:00:00+01:00",
        "counts_until": "2026-03-04T13:00:00+01:00",
    }]);
    assert_eq!((standing.at("/strikes"), standing.at("/banned_until")), (&strike, &json!(null)));
}

#[tokio::test]
async fn without_strikes_in_the_policy_none_is_recorded() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", json!({ "cancel": { "late_is_strike": true } })).await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    assert_eq!(ann.previews_cancelling(&booking).await.at("/strike"), &json!(false));
    ann.cancels(&booking).await;
    assert_eq!(ann.standing().await.at("/strikes"), &json!([]));
}

#[tokio::test]
async fn two_strikes_within_the_window_ban_from_the_second_classes_start() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", striking()).await;
    let ann = org.member("ann").await;
    cancels_late(&world, &org, &ann, "2026-03-03T12:00:00Z").await;
    cancels_late(&world, &org, &ann, "2026-03-04T11:59:59.999Z").await;
    assert_eq!(ann.standing().await.text("/banned_until"), "2026-03-05T12:59:59.999+01:00");
    let class = org.class(json!({ "starts_at": "2026-03-06T12:00:00Z" })).await;
    let refused = ann.books(&class).refused("banned").await;
    assert_eq!(refused.text("/until"), "2026-03-05T12:59:59.999+01:00");
    let can_book = ann.sees(&class).await.at("/can_book").clone();
    assert_eq!(can_book, json!({ "allowed": false, "code": "banned", "until": "2026-03-05T12:59:59.999+01:00" }));
    let events = org.desk().get("/v1/events?limit=200").await;
    assert_eq!(events.items().iter().filter(|event| event["event"] == "ban_started").count(), 1);
}

#[tokio::test]
async fn strikes_further_apart_than_the_window_ban_nobody() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", striking()).await;
    let ann = org.member("ann").await;
    cancels_late(&world, &org, &ann, "2026-03-03T12:00:00Z").await;
    cancels_late(&world, &org, &ann, "2026-03-04T12:00:00Z").await;
    assert_eq!(ann.standing().await.at("/banned_until"), &json!(null));
    ann.books(&org.class(json!({ "starts_at": "2026-03-06T12:00:00Z" })).await).await;
}

#[tokio::test]
async fn a_ban_ends_at_its_instant_and_keeps_what_was_booked() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", striking()).await;
    let ann = org.member("ann").await;
    let held = ann.books(&org.class(json!({ "starts_at": "2026-03-05T08:00:00Z" })).await).await;
    cancels_late(&world, &org, &ann, "2026-03-03T12:00:00Z").await;
    cancels_late(&world, &org, &ann, "2026-03-03T14:00:00Z").await;
    org.finds(&held, "booked").await;
    let class = org.class(json!({ "starts_at": "2026-03-06T12:00:00Z" })).await;
    world.sets_clock("2026-03-04T13:59:59.999Z").await;
    ann.books(&class).refused("banned").await;
    org.desk().books_for(&ann, &class).refused("banned").await;
    world.sets_clock("2026-03-04T14:00:00Z").await;
    ann.books(&class).await;
}

#[tokio::test]
async fn a_forgiven_late_cancel_takes_its_strike_and_ban_along() {
    let world = World::new().await;
    let mut patch = striking();
    patch["cancel"]["forgive_if_refilled"] = json!(true);
    let org = world.org_under("pulsn-dk", patch).await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    cancels_late(&world, &org, &ann, "2026-03-03T12:00:00Z").await;
    let second = cancels_late(&world, &org, &ann, "2026-03-03T14:00:00Z").await;
    assert!(ann.standing().await.at("/banned_until").is_string());
    bob.books(&second.text("/class")).await;
    let standing = ann.standing().await;
    assert_eq!(
        (standing.at("/banned_until"), standing.at("/strikes").as_array().map(Vec::len)),
        (&json!(null), Some(1))
    );
    let events = org.desk().get("/v1/events?limit=200").await;
    assert_eq!(events.items().iter().filter(|event| event["event"] == "ban_lifted").count(), 1);
    ann.books(&org.class(json!({ "starts_at": "2026-03-06T12:00:00Z" })).await).await;
}

#[tokio::test]
async fn standing_says_what_is_held_and_what_is_left() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 5 })).await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T08:00:00Z" })).await).await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await).await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T23:30:00Z" })).await).await;
    ann.queues_for(&org.full_class(json!({ "starts_at": "2026-03-05T08:00:00Z" })).await).await;
    let standing = ann.standing().await;
    let expected = json!({
        "strikes": [], "banned_until": null, "clips": 2, "open_fees": { "amount": 0, "currency": "EUR" },
        "daily_limit": 3, "booked": { "2026-03-03": 2, "2026-03-04": 1 }, "upcoming": 4,
    });
    assert_eq!(standing.body, expected);
    world.sets_clock("2026-03-03T08:00:00Z").await;
    assert_eq!(ann.standing().await.at("/upcoming"), &json!(3));
}

#[tokio::test]
async fn standing_counts_an_offer_for_its_day() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    ann.queues_for(&full).await;
    assert_eq!(ann.standing().await.at("/booked"), &json!({}));
    full.frees().await;
    assert_eq!(ann.standing().await.at("/booked"), &json!({ "2026-03-03": 1 }));
}

#[tokio::test]
async fn standing_sums_the_ledger() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", forgiving()).await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    cancels_late(&world, &org, &ann, "2026-03-03T12:00:00Z").await;
    let second = cancels_late(&world, &org, &ann, "2026-03-03T14:00:00Z").await;
    bob.books(&second.text("/class")).await;
    let fees = org.desk().fees().await;
    let sum: i64 = fees
        .items()
        .iter()
        .map(|fee| {
            let amount = fee["amount"]["amount"].as_i64().unwrap();
            if fee["kind"] == "charged" { amount } else { -amount }
        })
        .sum();
    assert_eq!(fees.items().len(), 3);
    assert_eq!(ann.standing().await.at("/open_fees/amount"), &json!(sum));
}
