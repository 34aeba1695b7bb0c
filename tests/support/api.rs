//! The desk, the members and their phones, as a test speaks of them: `ann.books(&class).await`.
//!
//! A call is built by whoever makes it and sent when it is awaited; awaiting asserts the status that success has,
//! `.refused(code)` asserts a refusal. Everything goes over HTTP with a token the fixture minted, against an instance
//! of the service in this process. When a [`World`] is dropped after a test that passed, its invariants are checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use rollcall::config::Settings;
use rollcall::store::check;
use rollcall::store::target::RedisTarget;
use serde_json::{Value, json};

use super::redis::{Keeps, Redis};
use super::service::Service;
use super::wire::Rig;
pub use super::wire::{Call, Named, Reply, merge, signed, token};

/// The instant at which a world stands still until its clock is set: a Monday morning in winter.
pub const MORNING: &str = "2026-03-02T08:00:00Z";

/// A Redis of its own, some instances of the service on it, and a clock that stands still.
pub struct World {
    rig: Arc<Rig>,
    made: AtomicUsize,
    /// Its calls leave the rest of their work after very few things.
    pub in_bites: bool,
}

/// A chain of gyms.
#[derive(Clone)]
pub struct Org {
    rig: Arc<Rig>,
    pub id: String,
    made: Arc<AtomicUsize>,
}

/// Somebody who calls: a token and the way to the service.
#[derive(Clone)]
pub struct Person {
    rig: Arc<Rig>,
    pub sub: String,
    token: String,
}

impl World {
    /// One instance on a Redis that keeps everything.
    pub async fn new() -> World {
        World::with(1, Keeps::Everything).await
    }

    pub async fn with(instances: usize, keeps: Keeps) -> World {
        World::of(keeps, |redis| (0..instances).map(|_| Service::on(redis)).collect()).await
    }

    /// Instances whose calls of Redis leave the rest after so many things, each after its own number.
    pub async fn with_budgets(budgets: &[u32], keeps: Keeps) -> World {
        let start = |redis: &Redis| budgets.iter().map(|budget| Service::with_budget(redis, *budget)).collect();
        let mut world = World::of(keeps, start).await;
        world.in_bites = true;
        world
    }

    async fn of(keeps: Keeps, start: impl FnOnce(&Redis) -> Vec<Service>) -> World {
        let redis = Redis::start(keeps);
        let services = start(&redis);
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let rig = Arc::new(Rig { http, services, redis, next: AtomicUsize::new(0) });
        let world = World { rig, made: AtomicUsize::new(0), in_bites: false };
        world.sets_clock(MORNING).await;
        world
    }

    /// One instance whose settings were changed; its clock runs.
    pub fn under(change: impl FnOnce(&mut Settings)) -> World {
        let redis = Redis::start(Keeps::Everything);
        let services = vec![Service::with(&redis, change)];
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let rig = Arc::new(Rig { http, services, redis, next: AtomicUsize::new(0) });
        World { rig, made: AtomicUsize::new(0), in_bites: false }
    }

    /// A chain that runs on a preset, with one club, `main`.
    pub async fn org(&self, preset: &str) -> Org {
        self.org_with(json!({ "name": "Gym", "preset": preset })).await
    }

    pub async fn org_with(&self, body: Value) -> Org {
        let id = format!("org-{}", self.made.fetch_add(1, Ordering::Relaxed) + 1);
        self.operator().put(&format!("/v1/orgs/{id}"), body).await;
        let org = Org { rig: self.rig.clone(), id, made: Arc::default() };
        org.desk().put("/v1/clubs/main", json!({ "name": "Main" })).await;
        org
    }

    /// The same chain under a preset with other values here and there; null is a value too.
    pub async fn org_under(&self, preset: &str, changes: Value) -> Org {
        let known = rollcall::domain::presets::preset(preset).expect("a preset");
        let mut policy = known.policy.to_json();
        overlay(&mut policy, &changes);
        self.org_with(json!({ "name": "Gym", "policy": policy })).await
    }

    /// Somebody of an organisation that need not exist.
    pub fn caller(&self, org: &str, sub: &str, role: &str) -> Person {
        Person::new(&self.rig, sub, role, Some(org))
    }

    pub fn operator(&self) -> Person {
        Person::new(&self.rig, "operator", "operator", None)
    }

    /// Service time stands still there; what is due by then has been carried out.
    pub async fn sets_clock(&self, now: &str) {
        self.operator().put("/v1/clock", json!({ "now": now })).await;
    }

    pub async fn deletes_clock(&self) {
        self.operator().delete("/v1/clock").await;
    }

    pub fn services(&self) -> &[Service] {
        &self.rig.services
    }

    pub fn redis(&self) -> &Redis {
        &self.rig.redis
    }
}

/// Like a merge patch, but null is put in and takes nothing out: what a policy leaves out is `standard`'s. The one setting
/// of two forms is replaced whole.
fn overlay(target: &mut Value, changes: &Value) {
    let Value::Object(changes) = changes else { return *target = changes.clone() };
    for (name, change) in changes {
        match target.get_mut(name) {
            Some(known @ Value::Object(_)) if change.is_object() && name != "opens" => overlay(known, change),
            _ => target[name] = change.clone(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let redis = self.rig.redis.url();
        // A thread of its own: the test's runtime may be the one that is dropping this.
        let broken = std::thread::spawn(move || broken(&redis)).join().expect("the check");
        assert!(broken.is_empty(), "invariants broken:\n{}", broken.join("\n"));
    }
}

/// What the invariants of `DESIGN.md` have against what is in this Redis.
pub fn broken(redis: &str) -> Vec<String> {
    let target = RedisTarget::parse(redis).expect("the address of the test's Redis");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(check::run(&target)).expect("Redis answers the check").broken
}

impl Org {
    pub fn caller(&self, sub: &str, role: &str) -> Person {
        Person::new(&self.rig, sub, role, Some(&self.id))
    }

    pub fn desk(&self) -> Person {
        self.caller("desk", "staff")
    }

    pub fn admin(&self) -> Person {
        self.caller("admin", "admin")
    }

    pub fn instructor(&self, id: &str) -> Person {
        self.caller(id, "instructor")
    }

    pub fn kiosk(&self) -> Person {
        self.caller("kiosk", "kiosk")
    }

    /// A member whose membership covers everything.
    pub async fn member(&self, id: &str) -> Person {
        self.member_with(id, json!({})).await
    }

    /// A member with another membership: a merge patch over the one that covers everything.
    pub async fn member_with(&self, id: &str, membership: Value) -> Person {
        self.desk().upserts(id, membership).await;
        self.caller(id, "member")
    }

    /// Publishes a class: tomorrow at noon, an hour, ten spots, for however few, unless `changes` says otherwise.
    pub async fn class(&self, changes: Value) -> Reply {
        let id = format!("class-{}", self.made.fetch_add(1, Ordering::Relaxed) + 1);
        let mut body = json!({
            "id": id, "club": "main", "title": "Yoga", "starts_at": "2026-03-03T12:00:00Z", "minutes": 60, "capacity": 10,
            "minimum": 0,
        });
        // Not merged deeper: the nulls of a policy's patch are for the service.
        for (name, value) in changes.as_object().expect("fields of a class") {
            body[name] = value.clone();
        }
        self.desk().post("/v1/classes", body).answers(201).await
    }
}

impl Person {
    fn new(rig: &Arc<Rig>, sub: &str, role: &str, org: Option<&str>) -> Person {
        Person { rig: rig.clone(), sub: sub.to_owned(), token: token(sub, role, org) }
    }

    /// What proves who it is.
    pub fn token(&self) -> &str {
        &self.token
    }

    // ---- what members do ----------------------------------------------------------------------------------

    /// Books, and gets a spot.
    pub fn books(&self, class: &impl Named) -> Call {
        self.post(&format!("/v1/classes/{}/bookings", class.id()), json!({})).answers(201).becoming("booked")
    }

    /// Books, and gets a place on the waitlist.
    pub fn queues_for(&self, class: &impl Named) -> Call {
        self.books(class).becoming("waitlisted")
    }

    pub fn cancels(&self, booking: &impl Named) -> Call {
        self.act(&format!("/v1/bookings/{}/cancel", booking.id()))
    }

    pub fn accepts(&self, booking: &impl Named) -> Call {
        self.act(&format!("/v1/bookings/{}/accept", booking.id())).becoming("booked")
    }

    pub fn previews_cancelling(&self, booking: &impl Named) -> Call {
        self.get(&format!("/v1/bookings/{}/cancel-preview", booking.id()))
    }

    pub fn sees(&self, class: &impl Named) -> Call {
        self.get(&format!("/v1/classes/{}", class.id()))
    }

    pub fn sees_booking(&self, booking: &impl Named) -> Call {
        self.get(&format!("/v1/bookings/{}", booking.id()))
    }

    pub fn standing(&self) -> Call {
        self.standing_of(&self.sub.clone())
    }

    // ---- what the desk does -------------------------------------------------------------------------------

    pub fn books_for(&self, member: &Person, class: &impl Named) -> Call {
        let body = json!({ "member": member.sub });
        self.post(&format!("/v1/classes/{}/bookings", class.id()), body).answers(201).becoming("booked")
    }

    pub fn upserts(&self, id: &str, membership: Value) -> Call {
        let mut body = json!({
            "name": id,
            "membership": { "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all", "frozen": [] },
        });
        merge(&mut body["membership"], &membership);
        self.put(&format!("/v1/members/{id}"), body)
    }

    pub fn erases(&self, member: &Person) -> Call {
        self.delete(&format!("/v1/members/{}", member.sub))
    }

    pub fn changes(&self, class: &impl Named, change: Value) -> Call {
        self.call(Method::PATCH, &format!("/v1/classes/{}", class.id()), Some(change))
    }

    pub fn cancels_class(&self, class: &impl Named) -> Call {
        self.post(&format!("/v1/classes/{}/cancel", class.id()), json!({ "reason": "the room is flooded" }))
            .answers(200)
    }

    pub fn roster(&self, class: &impl Named) -> Call {
        self.get(&format!("/v1/classes/{}/roster", class.id()))
    }

    pub fn history(&self, class: &impl Named) -> Call {
        self.get(&format!("/v1/classes/{}/history?limit=200", class.id()))
    }

    pub fn standing_of(&self, member: &str) -> Call {
        self.get(&format!("/v1/members/{member}/standing"))
    }

    pub fn fees(&self) -> Call {
        self.get("/v1/fees?limit=200")
    }

    pub fn events_after(&self, cursor: &str) -> Call {
        self.get(&format!("/v1/events?after={cursor}&limit=200"))
    }

    // ---- any call -----------------------------------------------------------------------------------------

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path, None)
    }

    pub fn put(&self, path: &str, body: Value) -> Call {
        self.call(Method::PUT, path, Some(body))
    }

    pub fn post(&self, path: &str, body: Value) -> Call {
        self.call(Method::POST, path, Some(body))
    }

    /// A POST without a body.
    pub fn act(&self, path: &str) -> Call {
        self.call(Method::POST, path, None)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path, None).answers(204)
    }

    pub fn call(&self, method: Method, path: &str, body: Option<Value>) -> Call {
        Call::new(self.rig.clone(), method, path, &self.token, body)
    }
}
