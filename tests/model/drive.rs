//! Tells the model and the service the same thing and compares what each says: the answer, the events, what was
//! touched, and now and then everything.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use reqwest::Method;
use rollcall::domain::ids::OrgId;
use rollcall::domain::policy::Policy;
use rollcall::store::Store;
use serde_json::{Value, json};

use crate::histories::Beginning;
use crate::operations::{Caller, Op, Wire};
use crate::reading::{Reader, instant, list, text};
use crate::state::{Booking, Number, Org};
use crate::support::api::{self, Call, Person, Reply, World};
use crate::views::{Answer, Body};

/// How often a call that was not answered is repeated.
const PATIENCE: u32 = 20;

/// So many members read each class when all is compared.
const READERS: usize = 3;

/// How many calls between two looks at everything.
const WHOLE_EVERY: usize = 200;

/// One organisation on both sides.
pub struct Run {
    pub model: Org,
    operator: Person,
    admin: Person,
    desk: Person,
    people: HashMap<String, Person>,
    org: api::Org,
    /// The service's ids of bookings, in the order of their making.
    ids: Vec<String>,
    numbers: HashMap<String, Number>,
    /// Its ids of the ledger's lines.
    lines: Vec<String>,
    store: Store,
    id: OrgId,
    cursor: String,
    /// A call's work is done in bites, and a bite that changes nothing but free spots says so by an event of its own.
    in_bites: bool,
    compared: usize,
    calls: usize,
    sent: usize,
}

/// On a machine with too much to do the service may say that it did nothing, or does not know: then it is asked again.
async fn patiently(call: impl Fn() -> Call) -> Reply {
    let mut reply = call().send().await;
    for _ in 0..PATIENCE {
        if reply.status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        reply = call().send().await;
    }
    reply
}

/// Where the two sides part.
#[derive(Debug)]
pub struct Difference {
    pub what: String,
    pub model: String,
    pub service: String,
}

impl Difference {
    /// Enough to tell one difference from another: a shorter history must part in the same way.
    pub fn kind(&self) -> String {
        let words: Vec<&str> = self.what.split([' ', '{']).take(4).collect();
        words.join(" ")
    }
}

type Same = Result<(), Difference>;

impl Run {
    pub async fn begin(world: &World, beginning: &Beginning) -> Run {
        world.sets_clock(&crate::operations::written(beginning.now)).await;
        let org = world.org_with(json!({ "name": "Chain", "policy": beginning.policy })).await;
        let desk = org.desk();
        let mut latest = None;
        for club in &beginning.clubs {
            latest = desk.put(&format!("/v1/clubs/{club}"), json!({ "name": club })).await.cursor;
        }
        let policy = Policy::parse(&beginning.policy).expect("a generated policy");
        Run {
            model: Org::new(policy, &beginning.clubs, beginning.now),
            operator: world.operator(),
            admin: org.admin(),
            desk,
            people: HashMap::new(),
            id: org.id.parse().expect("an organisation's id"),
            store: world.services()[0].store.clone(),
            org,
            ids: Vec::new(),
            numbers: HashMap::new(),
            lines: Vec::new(),
            in_bites: world.in_bites,
            cursor: latest.expect("a write answers with its cursor"),
            compared: 0,
            calls: 0,
            sent: 0,
        }
    }

    /// One call on both sides. `Ok` carries the model's answer and the names of what it announced.
    pub async fn step(&mut self, op: &Op) -> Result<(Answer, Vec<&'static str>), Difference> {
        let op = &self.sensible(op);
        let announced = self.model.events.len();
        let answer = self.tell(op).await?;
        self.compare_events().await?;
        self.compare_touched(op).await?;
        self.calls += 1;
        if self.calls.is_multiple_of(WHOLE_EVERY) {
            self.compare_everything().await?;
        }
        Ok((answer, self.model.events[announced..].iter().map(|e| e.name).collect()))
    }

    /// One call on both sides, of which only the answers are compared.
    pub async fn tell(&mut self, op: &Op) -> Result<Answer, Difference> {
        let addressed = op.addresses().and_then(|(class, member)| self.model.latest(class, member));
        let booking = addressed.map_or("no-such-booking".to_owned(), |number| self.ids[number].clone());
        let made = self.model.bookings.len();
        let answer = self.model.call(op);
        let line = match op {
            Op::WaiveFee { line, .. } => *line,
            _ => 0,
        };
        if matches!(op, Op::WaiveFee { .. }) {
            self.read_ledger().await;
        }
        let line = self.lines.get(line).cloned().unwrap_or("1".to_owned());
        let reply = self.send(op, &booking, &line).await;
        if matches!(op, Op::WaiveFee { .. } | Op::ReadFees) {
            self.read_ledger().await;
        }
        if self.model.bookings.len() > made
            && let Ok(id) = text(&reply.body, "id")
        {
            self.numbers.insert(id.to_owned(), self.ids.len());
            self.ids.push(id.to_owned());
        }
        if matches!(op, Op::PutPolicy(_)) {
            // the keeper's round, which comes in its own time
            self.model.publish_ahead();
            self.store.publish_series(&self.id).await.expect("the keeper's round");
        }
        self.compare_answers(op, &answer, &reply)?;
        Ok(answer)
    }

    /// A history that was made shorter may speak of members who are not there.
    fn sensible(&self, op: &Op) -> Op {
        match op {
            Op::ReadClass { class, reader: Some(id) } if !self.model.members.contains_key(id) => {
                Op::ReadClass { class: class.clone(), reader: None }
            }
            Op::ReadBookings { member } if !self.model.members.contains_key(member) => {
                Op::ReadStanding { member: member.clone() }
            }
            other => other.clone(),
        }
    }

    async fn send(&mut self, op: &Op, booking: &str, line: &str) -> Reply {
        let Wire { method, path, body } = op.wire(booking, line);
        let method: Method = method.parse().expect("a method");
        let caller = self.caller(op);
        self.sent += 1;
        // a POST without a key of its own gets one that nothing else has, so that it may be repeated
        let key = op.key().or((method == Method::POST).then(|| format!("sent-{}", self.sent)));
        patiently(|| {
            let mut call = caller.call(method.clone(), &path, body.clone());
            if let Some(revision) = op.if_match() {
                call = call.if_match(&json!(revision));
            }
            match &key {
                Some(key) => call.key(key),
                None => call,
            }
        })
        .await
    }

    fn caller(&mut self, op: &Op) -> Person {
        match (op, op.caller()) {
            (Op::SetClock(_), _) => self.operator.clone(),
            (Op::PutPolicy(_), _) => self.admin.clone(),
            (_, Caller::Desk) => self.desk.clone(),
            (_, Caller::Kiosk) => self.person("kiosk", "kiosk"),
            (_, Caller::Member(id)) => self.person(&id, "member"),
            (_, Caller::Instructor(id)) => self.person(&id, "instructor"),
        }
    }

    fn person(&mut self, id: &str, role: &str) -> Person {
        self.people.entry(id.to_owned()).or_insert_with(|| self.org.caller(id, role)).clone()
    }

    fn reader<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, String>) -> Result<T, String> {
        let number_of = |id: &str| self.numbers.get(id).copied();
        read(&Reader { number_of: &number_of, lines: &self.lines, today: self.model.today(), now: self.model.now })
    }

    // ---- answers ------------------------------------------------------------------------------------------

    fn compare_answers(&self, op: &Op, expected: &Answer, reply: &Reply) -> Same {
        let what = format!("the answer to {op:?}");
        if expected.status != reply.status {
            return Err(differ(&what, &(expected.status, &expected.body), &(reply.status, &reply.body)));
        }
        let body = self.reader(|r| read_like(r, &expected.body, &reply.body));
        same(&what, &expected.body, body, &reply.body)
    }

    // ---- events -------------------------------------------------------------------------------------------

    pub async fn compare_events(&mut self) -> Same {
        let mut lines = Vec::new();
        loop {
            let page = patiently(|| self.desk.events_after(&self.cursor)).await;
            let items = page.items().to_vec();
            let Some(last) = items.last().and_then(|line| line["cursor"].as_str()) else { break };
            self.cursor = last.to_owned();
            lines.extend(items);
            if page.body["next"].is_null() {
                break;
            }
        }
        let compared = |name: &str| !(self.in_bites && name == "availability_changed");
        lines.retain(|line| line["event"].as_str().is_none_or(compared));
        let events = self.model.events[self.compared..].iter().filter(|event| compared(event.name));
        let told: Vec<Told> = events.map(Told::of_model).collect();
        self.compared = self.model.events.len();
        let heard: Result<Vec<Told>, String> =
            lines.iter().map(|line| self.reader(|r| Told::of_service(r, line))).collect();
        same("the events", &told, heard, &Value::from(lines))
    }

    // ---- state --------------------------------------------------------------------------------------------

    /// The class a call was about, as somebody else sees it; the booking itself was in the answer.
    async fn compare_touched(&mut self, op: &Op) -> Same {
        let class = match op {
            Op::Book { class, .. } | Op::Cancel { class, .. } | Op::Accept { class, .. } => class,
            Op::Change { class, .. } | Op::CancelClass { class, .. } => class,
            Op::Publish(new) => &new.id,
            Op::CheckIn { class, .. } | Op::UndoCheckIn { class, .. } => return self.compare_roster(class).await,
            Op::WalkIn { class, .. } | Op::CloseClass { class, .. } => return self.compare_roster(class).await,
            Op::PutMember { id: member, .. } | Op::Excuse { member, .. } => return self.compare_standing(member).await,
            _ => return Ok(()),
        };
        if !self.model.classes.contains_key(class) {
            return Ok(());
        }
        let readers: Vec<String> = self.model.members.keys().cloned().collect();
        let reader = readers.get(self.calls % (readers.len() + 1)).cloned();
        self.compare_class(class, reader.as_deref()).await
    }

    async fn compare_class(&mut self, class: &str, reader: Option<&str>) -> Same {
        let person = match reader {
            Some(member) => self.person(member, "member"),
            None => self.desk.clone(),
        };
        let reply = patiently(|| person.get(&format!("/v1/classes/{class}"))).await;
        let seen = self.reader(|r| r.class(&reply.body, reader.is_some()));
        let what = format!("class {class} as seen by {}", reader.unwrap_or("the desk"));
        same(&what, &self.model.view_class(class, reader), seen, &reply.body)
    }

    pub async fn compare_roster(&self, class: &str) -> Same {
        if !self.model.classes.contains_key(class) {
            return Ok(());
        }
        let reply = patiently(|| self.desk.roster(&class)).await;
        let seen = self.reader(|r| r.roster(&reply.body));
        same(&format!("the roster of {class}"), &self.model.view_roster(class), seen, &reply.body)
    }

    /// Learns the ids of the lines that are new.
    async fn read_ledger(&mut self) {
        let after = self.lines.last().map(|id| format!("?after={id}")).unwrap_or_default();
        let (lines, _) = self.pages(&format!("/v1/fees{after}")).await;
        self.lines.extend(lines.iter().filter_map(|line| line["id"].as_str()).map(str::to_owned));
    }

    pub async fn compare_standing(&self, member: &str) -> Same {
        let Some(expected) = self.model.view_standing(member) else { return Ok(()) };
        let reply = patiently(|| self.desk.standing_of(member)).await;
        same(&format!("the standing of {member}"), &expected, self.reader(|r| r.standing(&reply.body)), &reply.body)
    }

    /// All that can be read; each class as a few of its readers see it.
    pub async fn compare_everything(&mut self) -> Same {
        let members: Vec<String> = self.model.members.keys().cloned().collect();
        for (turn, class) in self.model.classes.keys().cloned().collect::<Vec<_>>().into_iter().enumerate() {
            self.compare_roster(&class).await?;
            self.compare_class(&class, None).await?;
            for member in members.iter().cycle().skip(turn).take(READERS.min(members.len())) {
                self.compare_class(&class, Some(member)).await?;
            }
        }
        for member in &members {
            self.compare_standing(member).await?;
            self.compare_bookings(member).await?;
        }
        self.compare_ledger().await
    }

    /// Line by line.
    pub async fn compare_ledger(&mut self) -> Same {
        self.read_ledger().await;
        let (lines, bodies) = self.pages("/v1/fees").await;
        let fees: Result<Vec<_>, String> = lines.iter().map(|line| self.reader(|r| r.fee(line))).collect();
        same("the ledger", &self.model.view_fees(), fees, &bodies)
    }

    async fn compare_bookings(&self, member: &str) -> Same {
        let all: Vec<Number> = self.model.of_member(member).map(|booking| booking.number).collect();
        let ahead = |b: &&Booking| b.status.live() && self.model.now < self.model.classes[&b.class].ends_at();
        let ahead: Vec<Number> = self.model.of_member(member).filter(ahead).map(|booking| booking.number).collect();
        for (numbers, when) in [(all, ""), (ahead, "&when=upcoming")] {
            let (items, body) = self.pages(&format!("/v1/bookings?member={member}{when}")).await;
            let read: Result<Vec<_>, String> = items.iter().map(|b| self.reader(|r| r.booking(b))).collect();
            let read = read.map(|mut views| {
                views.sort_by_key(|view| view.number);
                views
            });
            let expected: Vec<_> = numbers.into_iter().map(|number| self.model.view_booking(number)).collect();
            same(&format!("the bookings of {member} {when}"), &expected, read, &body)?;
        }
        Ok(())
    }

    async fn pages(&self, path: &str) -> (Vec<Value>, Value) {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = patiently(|| self.desk.get(&format!("{path}{sign}limit=200{cursor}"))).await;
            items.extend(page.items().to_vec());
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return (items, page.body),
            }
        }
    }
}

/// An event, as far as it is compared.
#[derive(PartialEq)]
struct Told {
    name: String,
    class: Option<String>,
    booking: Option<Number>,
    member: Option<String>,
    /// Who was passed over, and why.
    passed: Vec<(Number, String)>,
    at: rollcall::domain::instant::Instant,
}

/// On one line, so that two lists can be held side by side.
impl Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Told { name, class, booking, member, passed, at } = self;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let booking = booking.map(|number| format!("booking {number}")).unwrap_or_default();
        write!(f, "{name} {} {booking} {} {passed:?} {at}", text(class), text(member))
    }
}

impl Told {
    fn of_model(event: &crate::state::Event) -> Told {
        Told {
            name: event.name.to_owned(),
            passed: event.passed.iter().map(|(number, why)| (*number, (*why).to_owned())).collect(),
            class: event.class.clone(),
            booking: event.booking,
            member: event.member.clone(),
            at: event.at,
        }
    }

    fn of_service(reader: &Reader<'_>, line: &Value) -> Result<Told, String> {
        let optional = |field: &str| line.get(field).and_then(Value::as_str).map(str::to_owned);
        let name = text(line, "event")?;
        let passed = line["data"]["passed"].as_array().into_iter().flatten();
        let passed = passed.map(|one| Ok((reader.number(one, "booking")?, text(one, "reason")?.to_owned())));
        Ok(Told {
            name: name.to_owned(),
            passed: passed.collect::<Result<_, String>>()?,
            class: optional("class"),
            booking: optional("booking").map(|_| reader.number(line, "booking")).transpose()?,
            member: optional("member"),
            at: instant(line, "at")?,
        })
    }
}

/// Reads the service's body as the kind of thing the model answers.
fn read_like(reader: &Reader<'_>, expected: &Body, body: &Value) -> Result<Body, String> {
    match expected {
        Body::Nothing => Ok(Body::Nothing),
        Body::Refused(_) => reader.refused(body).map(Body::Refused),
        Body::Booking(_) => reader.booking(body).map(Body::Booking),
        Body::Class(class) => reader.class(body, class.mine.is_some()).map(Body::Class),
        Body::Preview(_) => reader.preview(body).map(Body::Preview),
        Body::Roster(_) => reader.roster(body).map(Body::Roster),
        Body::Standing(_) => reader.standing(body).map(Body::Standing),
        Body::Bookings(_) => {
            let read: Result<Vec<_>, String> = list(body, "items")?.iter().map(|b| reader.booking(b)).collect();
            let mut seen: Vec<_> = read?.iter().map(|view| (view.number, view.status)).collect();
            seen.sort_unstable();
            Ok(Body::Bookings(seen))
        }
        Body::Series(_) => reader.series(body).map(Body::Series),
        Body::Fee(_) => reader.fee(body).map(Body::Fee),
        Body::Fees(_) => {
            list(body, "items")?.iter().map(|line| reader.fee(line)).collect::<Result<_, _>>().map(Body::Fees)
        }
    }
}

fn same<T: PartialEq + Debug>(what: &str, expected: &T, seen: Result<T, String>, body: &Value) -> Same {
    match seen {
        Ok(seen) if seen == *expected => Ok(()),
        Ok(seen) => Err(differ(what, expected, &seen)),
        Err(unreadable) => Err(differ(what, expected, &format!("cannot be read ({unreadable}): {body}"))),
    }
}

fn differ(what: &str, model: &impl Debug, service: &impl Debug) -> Difference {
    Difference { what: what.to_owned(), model: format!("{model:#?}"), service: format!("{service:#?}") }
}
