//! A house to test the atomic core in: one Redis, one chain of gyms, and its functions called as the service calls them.
//!
//! Time is set, never waited for. Every call is held to the head of its Lua file: the reply has a tag and as many parts as
//! REPLY says, and whatever it announced in the caller's name stands under EVENTS.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use rollcall::domain::caller::By;
use rollcall::domain::class::NewClass;
use rollcall::domain::ids::{ClassId, MemberId, OrgId};
use rollcall::domain::instant::{Instant, parse_instant};
use rollcall::domain::member::Member;
use rollcall::domain::org::Club;
use rollcall::domain::policy::Policy;
use rollcall::domain::presets::preset;
use rollcall::store::durability::{Durability, DurabilityPolicy};
use rollcall::store::error::StoreError;
use rollcall::store::lanes::{LaneLimits, Lanes};
use rollcall::store::library::{BUDGET, Library};
use rollcall::store::orgs::OrgChange;
use rollcall::store::target::RedisTarget;
use rollcall::store::{Command, Store, Write};
use serde_json::{Value, json};

use crate::heads::{Head, heads};
use crate::redis_server::{Keeps, Redis};
use crate::said::Said;
use crate::underneath::assert_same;

/// When every story begins: a Monday.
pub const BEGIN: &str = "2026-03-02T08:00:00Z";

/// When a class starts unless its story says otherwise: the Thursday of that week.
pub const STARTS: &str = "2026-03-05T17:00:00Z";

/// The caller of every call.
pub const CALLER: &str = "tester";

/// Redis keeps a remembered reply this long.
pub const KEEP_MS: &str = "90000000";

pub struct House {
    /// `None` in a house beside another one, which owns the server.
    redis: Option<Redis>,
    pub lanes: Lanes,
    pub library: Library,
    pub store: Store,
    pub org: OrgId,
    heads: BTreeMap<String, Head>,
    /// The latest booking of each member and class.
    bookings: Mutex<HashMap<(String, String), String>>,
    commands: Mutex<u64>,
    /// Function, and the tag or refusal it has answered.
    heard: Mutex<BTreeSet<(String, String)>>,
}

pub fn instant(text: &str) -> Instant {
    parse_instant(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn ms(text: &str) -> i64 {
    instant(text).timestamp_millis()
}

/// `patch` over `base`, as RFC 7396 merges.
pub fn merge(base: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return *base = patch.clone() };
    for (name, value) in patch {
        if value.is_object() && base[name].is_object() {
            merge(&mut base[name], value);
        } else {
            base[name] = value.clone();
        }
    }
}

/// The standard policy without a minimum, and with these changes.
pub fn policy(patch: &Value) -> Policy {
    let mut policy = preset("standard").expect("the default").policy.to_json();
    policy["attendance"]["minimum"] = json!(0);
    merge(&mut policy, patch);
    Policy::parse(&policy).unwrap_or_else(|errors| panic!("{errors:?}"))
}

impl House {
    /// A chain called `nord` with a club `city`, by the standard policy with these changes. It is [`BEGIN`].
    pub async fn open(patch: Value) -> House {
        let house = House::empty().await;
        house.at(BEGIN).await;
        house.founds(&patch).await;
        house
    }

    /// Before there is any organisation, and with the node's clock.
    pub async fn empty() -> House {
        House::empty_with_budget(BUDGET).await
    }

    /// The same, with functions that leave the rest of their work after so many things.
    pub async fn empty_with_budget(budget: u32) -> House {
        let redis = Redis::start(Keeps::Nothing);
        let target = RedisTarget::parse(&redis.url()).expect("its own address");
        let lanes = Lanes::open(&target, 0, LaneLimits::default()).expect("lanes");
        lanes.ready(Duration::from_secs(10)).await.expect("a server that answers");
        let library = Library::with_budget(budget);
        let store = Store::new(lanes.clone(), library.clone(), Durability::new(DurabilityPolicy::Any));
        let org = OrgId::parse("nord").expect("an id");
        let (bookings, commands, heard) = (Mutex::default(), Mutex::default(), Mutex::default());
        House { redis: Some(redis), lanes, library, store, org, heads: heads(), bookings, commands, heard }
    }

    pub async fn founds(&self, patch: &Value) {
        let policy = policy(patch);
        let change = OrgChange { name: Some("Nord"), policy: Some(&policy), otherwise: Some(&policy), if_match: None };
        self.store.put_org(&self.write(), &change).await.expect("a store").outcome.expect("an organisation");
        self.club("city").await;
    }

    /// A chain of another name beside the first.
    pub async fn beside(&self, org: &str, patch: Value) -> House {
        let org = OrgId::parse(org).expect("an id");
        let (lanes, library, store) = (self.lanes.clone(), self.library.clone(), self.store.clone());
        let (bookings, commands, heard) = (Mutex::default(), Mutex::default(), Mutex::default());
        let house = House { redis: None, lanes, library, store, org, heads: heads(), bookings, commands, heard };
        house.founds(&patch).await;
        house
    }

    // ---- time ----------------------------------------------------------------------------------------------------

    /// Service time stands still there, and everything due by then is carried out.
    pub async fn at(&self, now: &str) {
        self.at_ms(ms(now)).await;
    }

    pub async fn at_ms(&self, now: i64) {
        let now = rollcall::domain::instant::from_ms(now);
        let by = By { sub: CALLER.to_owned(), role: "operator".to_owned() };
        self.store.set_clock(&by, now).await.expect("a clock");
    }

    // ---- what there is -------------------------------------------------------------------------------------------

    pub async fn club(&self, id: &str) {
        let club = Club { id: id.parse().expect("an id"), name: format!("Club {id}") };
        self.store.put_club(&self.write(), &club).await.expect("a store").outcome.expect("a club");
    }

    /// A class of two spots at [`STARTS`], with these changes.
    pub async fn class(&self, id: &str, patch: Value) {
        let mut body = json!({
            "id": id, "club": "city", "title": format!("Class {id}"), "starts_at": STARTS, "minutes": 60, "capacity": 2,
        });
        merge(&mut body, &patch);
        let new = NewClass::parse(&body).unwrap_or_else(|errors| panic!("{id}: {errors:?}"));
        let answer = self.store.publish_class(&self.write(), &new).await.expect("a store");
        answer.outcome.unwrap_or_else(|refusal| panic!("{id}: {refusal:?}"));
    }

    pub async fn change(&self, id: &str, body: Value) {
        let change = rollcall::domain::class::ClassChange::parse(&body).expect("a change");
        let id = ClassId::parse(id).expect("an id");
        let answer = self.store.change_class(&self.write(), &id, &change, None).await.expect("a store");
        answer.outcome.unwrap_or_else(|refusal| panic!("{id}: {refusal:?}"));
    }

    /// A member with an unlimited membership; these changes are to the membership.
    pub async fn member(&self, id: &str, membership: Value) {
        self.person(id, json!({ "membership": membership })).await;
    }

    /// A member with an unlimited membership, with these changes.
    pub async fn person(&self, id: &str, patch: Value) {
        let mut body = json!({
            "name": format!("Name of {id}"),
            "membership": { "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all", "frozen": [] },
        });
        merge(&mut body, &patch);
        let member = Member::parse(MemberId::parse(id).expect("an id"), &body)
            .unwrap_or_else(|errors| panic!("{id}: {errors:?}"));
        self.store.put_member(&self.write(), &member).await.expect("a store").outcome.expect("a member");
    }

    pub async fn members(&self, ids: &str) {
        for id in ids.split_whitespace() {
            self.member(id, json!({})).await;
        }
    }

    // ---- calls ---------------------------------------------------------------------------------------------------

    pub fn write(&self) -> Write {
        self.write_as(&self.fresh(), "as it was", false)
    }

    pub fn write_as(&self, command: &str, fingerprint: &str, keyed: bool) -> Write {
        let by = By { sub: CALLER.to_owned(), role: "staff".to_owned() };
        let command = Command { id: command.to_owned(), fingerprint: fingerprint.to_owned(), keyed };
        Write { org: self.org.clone(), by, command }
    }

    fn fresh(&self) -> String {
        let mut commands = self.commands.lock().expect("no test panics here");
        *commands += 1;
        format!("command {commands}")
    }

    pub fn key(&self, rest: &str) -> String {
        format!("rc:{{{}}}:{rest}", self.org)
    }

    pub fn head(&self, function: &str) -> &Head {
        self.heads.get(function).unwrap_or_else(|| panic!("no function {function}"))
    }

    pub fn functions(&self) -> impl Iterator<Item = (&String, &Head)> {
        self.heads.iter()
    }

    /// Calls a function by the set clock, in the caller's name and under a fresh command.
    pub async fn call(&self, function: &str, args: &[&str]) -> Said {
        self.tries(function, args).await.unwrap_or_else(|error| panic!("{function} {args:?}: {error}"))
    }

    /// Like [`House::call`], where the store may fail.
    pub async fn tries(&self, function: &str, args: &[&str]) -> Result<Said, StoreError> {
        self.tries_as(&self.fresh(), "as it was", "", function, args).await
    }

    /// A call with its command and fingerprint, at a time of its own (`""`: by the clock).
    pub async fn tries_as(
        &self,
        command: &str,
        fingerprint: &str,
        now: &str,
        function: &str,
        args: &[&str],
    ) -> Result<Said, StoreError> {
        let head = self.head(function);
        let before = self.cursor().await;
        let said = self.asks(command, fingerprint, now, function, args).await?;
        head.fits(function, &said);
        for (_, line) in self.lines_since(&before).await {
            let event = line["event"].as_str().unwrap_or_default();
            // A spot that is no longer reserved, or is again, can follow from anything.
            let anywhere = line["sub"] != CALLER || event == "availability_changed";
            let named = anywhere || head.causes_more || head.events.contains(event);
            assert!(named, "{function} {args:?} announced {event}, which its head does not say");
        }
        let mut heard = self.heard.lock().expect("no test panics here");
        let answer = if said.tag == "REFUSED" { said.code() } else { said.tag.clone() };
        heard.insert((function.to_owned(), answer));
        Ok(said)
    }

    /// The bare call, whatever the state of the data.
    pub async fn asks(
        &self,
        command: &str,
        fingerprint: &str,
        now: &str,
        function: &str,
        args: &[&str],
    ) -> Result<Said, StoreError> {
        let mut all = vec![now];
        if self.head(function).writes {
            all.extend([CALLER, "staff", command, fingerprint, KEEP_MS]);
        }
        all.extend(args);
        Ok(Said::of(self.library.fcall(&self.lanes, function, &self.key("org"), &all).await?))
    }

    /// The call is refused with this code, and every key is as it was. What is due is carried out beforehand.
    pub async fn refuses(&self, function: &str, args: &[&str], code: &str) -> Said {
        let rest = self.call("carry_out", &[]).await;
        assert!(rest.tag == "SETTLED" || rest.tag == "REFUSED", "{rest:?}");
        let before = self.sight().await;
        let said = self.call(function, args).await;
        assert_eq!(said.tag, "REFUSED", "{function} {args:?} should be refused with {code}: {said:?}");
        assert_eq!(said.code(), code, "{function} {args:?}: {said:?}");
        assert_same(&before, &self.sight().await, &format!("{function} {args:?}, refused with {code}"));
        said
    }

    /// Fails unless the function has given each of these answers in this house: tags, and codes of refusals.
    pub fn has_heard(&self, function: &str, answers: &str) {
        let heard = self.heard.lock().expect("no test panics here");
        let given = |word: &&str| heard.contains(&(function.to_owned(), (*word).to_owned()));
        let missing: Vec<&str> = answers.split_whitespace().filter(|word| !given(word)).collect();
        assert!(missing.is_empty(), "{function} never answered {missing:?}");
    }

    /// Fails unless the function has given every answer under REPLY in this house, and been refused with these codes.
    pub fn has_heard_all(&self, function: &str, refusals: &str) {
        let tags = self.head(function).replies.iter().map(|reply| reply.tag.as_str());
        let tags: Vec<&str> = tags.filter(|tag| !["REFUSED", "AGAIN"].contains(tag)).collect();
        self.has_heard(function, &tags.join(" "));
        self.has_heard(function, refusals);
    }

    // ---- bookings ------------------------------------------------------------------------------------------------

    /// The id of the member's latest booking of the class.
    pub fn id(&self, member: &str, class: &str) -> String {
        let bookings = self.bookings.lock().expect("no test panics here");
        bookings.get(&(member.to_owned(), class.to_owned())).cloned().unwrap_or_else(|| format!("{class}-{member}"))
    }

    fn new_id(&self, member: &str, class: &str) -> String {
        format!("{class}-{member}-{}", self.fresh().replace(' ', "-"))
    }

    fn made(&self, member: &str, class: &str, id: &str) {
        let mut bookings = self.bookings.lock().expect("no test panics here");
        bookings.insert((member.to_owned(), class.to_owned()), id.to_owned());
    }

    /// The member books, and takes a place on the waitlist if need be.
    pub async fn books(&self, member: &str, class: &str) -> Said {
        let id = self.new_id(member, class);
        let said = self.call("book", &[class, member, &id, "1", ""]).await;
        if said.tag == "BOOKED" || said.tag == "WAITLISTED" {
            self.made(member, class, &id);
        }
        said
    }

    /// Each books in turn; some end on the waitlist.
    pub async fn all_book(&self, members: &str, class: &str) {
        for member in members.split_whitespace() {
            let said = self.books(member, class).await;
            assert!(said.tag == "BOOKED" || said.tag == "WAITLISTED", "{member} in {class}: {said:?}");
        }
    }

    pub async fn walks_in(&self, member: &str, class: &str) -> Said {
        let id = self.new_id(member, class);
        let said = self.call("walk_in", &[class, member, &id]).await;
        if said.tag == "BOOKED" {
            self.made(member, class, &id);
        }
        said
    }

    /// The member cancels by the rules.
    pub async fn cancels(&self, member: &str, class: &str) -> Said {
        self.call("cancel", &[&self.id(member, class), member, "", ""]).await
    }

    /// The stored status of the member's latest booking.
    pub async fn status(&self, member: &str, class: &str) -> String {
        self.field(&format!("booking:{}", self.id(member, class)), "status").await
    }

    /// The statuses of these members' latest bookings of a class, in a line.
    pub async fn statuses(&self, members: &str, class: &str) -> String {
        let mut found = Vec::new();
        for member in members.split_whitespace() {
            found.push(self.status(member, class).await);
        }
        found.join(" ")
    }

    /// Where this house's Redis listens.
    pub fn url(&self) -> String {
        self.redis.as_ref().expect("the house that owns the server").url()
    }

    /// No invariant is broken.
    pub async fn is_sound(&self) {
        let broken = self.store.check().await.expect("a check");
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
