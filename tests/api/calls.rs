//! Every call that takes a body, with a body that is right: where bad input begins.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_values::{Field, Kind, given, needed, nullable};
use crate::support::api::{Named, Org, Person, World};

/// A call that would be carried out as it stands.
pub struct Sent {
    pub method: Method,
    pub path: String,
    pub by: Person,
    pub body: Value,
    pub fields: Vec<Field>,
    /// Whether the call may also come without a body.
    pub may_be_empty: bool,
}

/// A world with something of everything, and the calls that could be made in it.
pub struct Scene {
    pub world: World,
    pub org: Org,
    pub class: String,
    pub booking: String,
    pub offer: String,
}

impl Scene {
    pub async fn begins() -> Scene {
        let world = World::new().await;
        let org = world.org_under("pulsn-dk", json!({ "waitlist": { "mode": "offer" } })).await;
        let [ann, bob] = org.members(["ann", "bob"]).await;
        let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
        let booking = ann.books(&class).await;
        let full = org.full_class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
        let offer = ann.queues_for(&full).await;
        bob.queues_for(&full).await;
        full.frees().await;
        org.finds(&offer, "offered").await;
        Scene { class: class.id(), booking: booking.id(), offer: offer.id(), world, org }
    }

    fn sent(&self, method: &str, path: String, by: Person, body: Value, fields: Vec<Field>) -> Sent {
        Sent { method: method.parse().unwrap(), path, by, body, fields, may_be_empty: false }
    }

    fn action(&self, path: String, by: Person, body: Value, fields: Vec<Field>) -> Sent {
        Sent { may_be_empty: true, ..self.sent("POST", path, by, body, fields) }
    }

    /// Every call with a body.
    pub fn calls(&self) -> Vec<Sent> {
        [self.running(), self.classes(), self.bookings(), self.members(), self.attendance(), self.series()]
            .concat_calls()
    }

    fn running(&self) -> Vec<Sent> {
        let (operator, admin, desk) = (self.world.operator(), self.org.admin(), self.org.desk());
        let preset = |id| rollcall::domain::presets::preset(id).unwrap().policy.to_json();
        let mut by_the_clock = preset("impuls-lt");
        by_the_clock["booking"]["opens"] = json!({ "days": 3, "at": "08:00" });
        vec![
            self.sent(
                "PUT",
                "/v1/orgs/new".into(),
                operator.clone(),
                json!({ "name": "New", "preset": "standard" }),
                vec![
                    needed("/name", Kind::Text(200)),
                    nullable("/preset", Kind::Word),
                    nullable("/policy", Kind::Object),
                ],
            ),
            self.sent("PUT", "/v1/org/policy".into(), admin.clone(), preset("pulsn-dk"), policy_fields()),
            self.sent(
                "PUT",
                "/v1/org/policy".into(),
                admin,
                by_the_clock,
                vec![
                    given("/booking/opens", Kind::Object),
                    needed("/booking/opens/days", Kind::Int(0, 366)),
                    needed("/booking/opens/at", Kind::Time),
                ],
            ),
            self.sent(
                "PUT",
                "/v1/clubs/new".into(),
                desk,
                json!({ "name": "New" }),
                vec![needed("/name", Kind::Text(200))],
            ),
            self.sent(
                "PUT",
                "/v1/clock".into(),
                operator,
                json!({ "now": "2026-03-02T09:00:00Z" }),
                vec![needed("/now", Kind::Instant)],
            ),
        ]
    }

    fn classes(&self) -> Vec<Sent> {
        let desk = self.org.desk();
        let class = json!({
            "id": "new", "club": "main", "title": "New", "category": "yoga", "room": "Hall", "minutes": 60,
            "instructor": { "id": "ida", "name": "Ida" }, "starts_at": "2026-03-09T12:00:00Z", "capacity": 5,
            "minimum": 2, "min_age": 16, "policy": { "cancel": { "free_until": "PT1H" } },
        });
        let change = json!({
            "title": "Other", "category": "spin", "room": "Pool", "instructor": { "id": "ole", "name": "Ole" },
            "starts_at": "2026-03-03T13:00:00Z", "minutes": 30, "capacity": 8, "minimum": 3,
        });
        vec![
            self.sent(
                "POST",
                "/v1/classes".into(),
                desk.clone(),
                class,
                vec![
                    nullable("/id", Kind::Id),
                    needed("/club", Kind::Id),
                    needed("/title", Kind::Text(200)),
                    nullable("/category", Kind::Text(100)),
                    nullable("/room", Kind::Text(100)),
                    nullable("/instructor", Kind::Object),
                    needed("/instructor/id", Kind::Person),
                    needed("/instructor/name", Kind::Text(100)),
                    needed("/starts_at", Kind::Instant),
                    needed("/minutes", Kind::Int(1, 1440)),
                    needed("/capacity", Kind::Int(1, 5000)),
                    nullable("/minimum", Kind::Int(0, 5000)),
                    nullable("/min_age", Kind::Int(0, 120)),
                    nullable("/policy", Kind::Object),
                    given("/policy/cancel/free_until", Kind::Span),
                ],
            ),
            self.sent(
                "PATCH",
                format!("/v1/classes/{}", self.class),
                desk.clone(),
                change,
                vec![
                    given("/title", Kind::Text(200)),
                    nullable("/category", Kind::Text(100)),
                    nullable("/room", Kind::Text(100)),
                    nullable("/instructor", Kind::Object),
                    needed("/instructor/id", Kind::Person),
                    needed("/instructor/name", Kind::Text(100)),
                    given("/starts_at", Kind::Instant),
                    given("/minutes", Kind::Int(1, 1440)),
                    given("/capacity", Kind::Int(1, 5000)),
                    nullable("/minimum", Kind::Int(0, 5000)),
                ],
            ),
            self.action(
                format!("/v1/classes/{}/cancel", self.class),
                desk,
                json!({ "reason": "flood" }),
                vec![nullable("/reason", Kind::Text(500))],
            ),
        ]
    }

    fn bookings(&self) -> Vec<Sent> {
        let (ann, bob, desk) = (self.org.caller("ann", "member"), self.org.caller("bob", "member"), self.org.desk());
        vec![
            self.action(
                format!("/v1/classes/{}/bookings", self.class),
                bob,
                json!({ "waitlist": true }),
                vec![given("/waitlist", Kind::Flag), nullable("/member", Kind::Person)],
            ),
            self.sent(
                "POST",
                format!("/v1/classes/{}/bookings", self.class),
                desk.clone(),
                json!({ "member": "bob" }),
                vec![needed("/member", Kind::Person), given("/waitlist", Kind::Flag), given("/walk_in", Kind::Flag)],
            ),
            self.action(
                format!("/v1/bookings/{}/cancel", self.booking),
                ann.clone(),
                json!({ "reason": "ill" }),
                vec![nullable("/reason", Kind::Text(500))],
            ),
            self.action(
                format!("/v1/bookings/{}/cancel", self.booking),
                desk,
                json!({ "charge": false, "reason": "ill" }),
                vec![given("/charge", Kind::Flag), nullable("/reason", Kind::Text(500))],
            ),
            self.action(format!("/v1/bookings/{}/accept", self.offer), ann, json!({}), vec![]),
        ]
    }

    fn members(&self) -> Vec<Sent> {
        let member = json!({
            "name": "New", "email": "new@example.com", "phone": "+4511223344", "born": "1990-01-01", "language": "da",
            "membership": {
                "plan": "clips", "status": "active", "clips": 5, "clips_revision": "r1", "valid_from": "2026-01-01",
                "valid_until": "2026-12-31", "clubs": ["main"], "categories": ["yoga"],
                "frozen": [{ "from": "2026-07-01", "until": "2026-07-31" }],
            },
        });
        let put = self.sent(
            "PUT",
            "/v1/members/new".into(),
            self.org.desk(),
            member,
            vec![
                needed("/name", Kind::Text(200)),
                nullable("/email", Kind::Email),
                nullable("/phone", Kind::Phone),
                nullable("/born", Kind::Date),
                nullable("/language", Kind::Language),
                needed("/membership", Kind::Object),
                needed("/membership/plan", Kind::Word),
                needed("/membership/status", Kind::Word),
                nullable("/membership/clips", Kind::Int(0, 100_000)),
                nullable("/membership/clips_revision", Kind::Mark),
                nullable("/membership/valid_from", Kind::Date),
                nullable("/membership/valid_until", Kind::Date),
                given("/membership/clubs", Kind::Scope(500)),
                given("/membership/clubs/0", Kind::Id),
                given("/membership/categories", Kind::Scope(500)),
                given("/membership/categories/0", Kind::Text(100)),
                given("/membership/frozen", Kind::List(100)),
                given("/membership/frozen/0", Kind::Object),
                needed("/membership/frozen/0/from", Kind::Date),
                needed("/membership/frozen/0/until", Kind::Date),
            ],
        );
        let erase = self.sent("DELETE", "/v1/members/bob".into(), self.org.desk(), json!({}), vec![]);
        vec![put, Sent { may_be_empty: true, ..erase }]
    }

    /// The roll and the desk's mercy: nothing of it can be done here, but all of it can be asked for badly.
    fn attendance(&self) -> Vec<Sent> {
        let desk = self.org.desk();
        let reason = || vec![nullable("/reason", Kind::Text(500))];
        let because = json!({ "reason": "fair" });
        vec![
            self.action(format!("/v1/bookings/{}/check-in", self.booking), desk.clone(), json!({}), vec![]),
            self.action(format!("/v1/bookings/{}/undo-check-in", self.booking), desk.clone(), json!({}), vec![]),
            self.action(format!("/v1/bookings/{}/excuse", self.booking), desk.clone(), because.clone(), reason()),
            self.action("/v1/members/ann/lift-ban".into(), desk.clone(), because.clone(), reason()),
            self.action("/v1/fees/1/waive".into(), desk.clone(), because, reason()),
            self.sent(
                "POST",
                "/v1/check-ins".into(),
                desk.clone(),
                json!({ "club": "main", "member": "ann" }),
                vec![needed("/club", Kind::Id), needed("/member", Kind::Person)],
            ),
            self.sent(
                "POST",
                "/v1/check-ins".into(),
                desk.clone(),
                json!({ "club": "main", "phone": "+4512345678", "choose": true }),
                vec![needed("/club", Kind::Id), given("/choose", Kind::Flag)],
            ),
            self.sent(
                "POST",
                format!("/v1/classes/{}/close", self.class),
                desk,
                json!({ "penalties": true, "reason": "late" }),
                vec![needed("/penalties", Kind::Flag), nullable("/reason", Kind::Text(500))],
            ),
        ]
    }

    fn series(&self) -> Vec<Sent> {
        let series = json!({
            "id": "monday-yoga", "club": "main", "title": "Yoga", "minutes": 60, "capacity": 12,
            "starts_on": "2026-03-09",
            "time": "18:00", "rrule": "FREQ=WEEKLY;BYDAY=MO", "until": "2026-06-01", "exceptions": ["2026-04-06"],
        });
        vec![self.sent(
            "POST",
            "/v1/series".into(),
            self.org.desk(),
            series,
            vec![
                needed("/club", Kind::Id),
                needed("/title", Kind::Text(200)),
                needed("/minutes", Kind::Int(1, 1440)),
                needed("/capacity", Kind::Int(1, 5000)),
                needed("/starts_on", Kind::Date),
                needed("/time", Kind::Time),
                needed("/rrule", Kind::Rule),
                nullable("/until", Kind::Date),
                nullable("/exceptions", Kind::List(400)),
            ],
        )]
    }
}

trait ConcatCalls {
    fn concat_calls(self) -> Vec<Sent>;
}

impl<const N: usize> ConcatCalls for [Vec<Sent>; N] {
    fn concat_calls(self) -> Vec<Sent> {
        self.into_iter().flatten().collect()
    }
}

fn policy_fields() -> Vec<Field> {
    let fee = Kind::Int(0, 100_000_000);
    let group = ["/booking", "/cancel", "/waitlist", "/attendance", "/retention", "/booking/opens"];
    let spans = [
        "/booking/closes_before",
        "/cancel/free_until",
        "/cancel/after_booking",
        "/waitlist/offer_for",
        "/waitlist/promote_until",
        "/waitlist/grace",
        "/attendance/check_in_opens",
        "/attendance/check_in_due",
        "/attendance/check_in_closes",
        "/attendance/strike_window",
        "/attendance/ban",
        "/attendance/decide_before",
        "/change_notice",
        "/retention/history",
        "/retention/events",
    ];
    let flags = [
        "/booking/allow_overlap",
        "/cancel/late_is_strike",
        "/cancel/forgive_if_refilled",
        "/waitlist/leave_overlapping",
    ];
    let words = [
        "/cancel/late",
        "/waitlist/mode",
        "/waitlist/then",
        "/attendance/below_minimum",
        "/attendance/untouched_roster",
    ];
    let mut fields: Vec<Field> = group.iter().map(|pointer| given(pointer, Kind::Object)).collect();
    fields.extend(spans.iter().map(|pointer| given(pointer, Kind::Span)));
    fields.extend(flags.iter().map(|pointer| given(pointer, Kind::Flag)));
    fields.extend(words.iter().map(|pointer| given(pointer, Kind::Word)));
    fields.extend([
        given("/timezone", Kind::Zone),
        given("/currency", Kind::Currency),
        given("/languages", Kind::List(10)),
        needed("/languages/0", Kind::Language),
        given("/booking/opens/before", Kind::Span),
        nullable("/booking/daily_limit", Kind::Int(1, 100)),
        nullable("/booking/open_limit", Kind::Int(1, 1000)),
        given("/cancel/late_fee", fee),
        given("/waitlist/max", Kind::Int(0, 500)),
        nullable("/waitlist/quiet", Kind::Object),
        needed("/waitlist/quiet/from", Kind::Time),
        needed("/waitlist/quiet/until", Kind::Time),
        given("/attendance/late_fee", fee),
        given("/attendance/no_show_fee", fee),
        nullable("/attendance/strikes", Kind::Int(1, 100)),
        given("/attendance/minimum", Kind::Int(0, 5000)),
    ]);
    fields
}
