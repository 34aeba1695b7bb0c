//! One organisation as it is in Redis: every key, sorted by what it belongs to.
//!
//! The table of keys is that of `lua/library.lua`. A key it does not know, or of another type, is a finding by itself; what
//! could be read is compared by the other files here.

use std::collections::BTreeMap;

use super::Findings;
use super::line::Line;
use super::read::{self, Content, Fields, Kind, Scores};
use crate::domain::ids::{BookingId, ClassId, ClubId, MemberId, OrgId};
use crate::domain::policy::Policy;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::lanes::Lanes;

/// Everything an organisation has.
#[derive(Default)]
pub struct Picture {
    /// Service time when it was taken, in milliseconds.
    pub now: i64,
    /// Classes that start before this may be half forgotten: retention takes them in small bites.
    pub kept_since: i64,
    pub settings: Fields,
    pub clubs: Fields,
    pub classes: BTreeMap<String, ClassPicture>,
    pub bookings: BTreeMap<String, Fields>,
    pub members: BTreeMap<String, MemberPicture>,
    pub club_classes: BTreeMap<String, Scores>,
    /// By category and by instructor (layout 2).
    pub category_classes: BTreeMap<String, Scores>,
    pub instructor_classes: BTreeMap<String, Scores>,
    pub member_ids: Scores,
    pub member_index: Scores,
    /// The index of layout 3, and the members it lacks.
    pub member_terms: Scores,
    pub members_unread: Scores,
    pub class_index: Scores,
    pub unopened: Scores,
    pub timers: Scores,
    /// The ledger: each line's id and fields, oldest first.
    pub fees: Vec<(String, Fields)>,
    /// The event stream, oldest first.
    pub events: Vec<Line>,
}

#[derive(Default)]
pub struct ClassPicture {
    pub fields: Fields,
    pub roster: Scores,
    pub queue: Scores,
    pub offers: Scores,
    pub late: Scores,
    pub void: Scores,
    pub history: Vec<Line>,
}

#[derive(Default)]
pub struct MemberPicture {
    pub fields: Fields,
    pub upcoming: Scores,
    pub history: Scores,
    pub strikes: Scores,
    pub fees: Scores,
}

/// What a key of an organisation is for.
enum Place {
    Settings,
    Clubs,
    ClubClasses(String),
    CategoryClasses(String),
    InstructorClasses(String),
    Classes,
    Unopened,
    Timers,
    Members,
    MemberIndex,
    MemberTerms,
    MembersUnread,
    Class(String, ClassPart),
    Booking(String),
    Member(String, MemberPart),
    /// No other key refers to these: they are only checked to be readable.
    Rest,
    Series,
    SeriesIndex,
    Done,
    /// Read by themselves, line by line.
    Stream,
}

enum ClassPart {
    Fields,
    Roster,
    Queue,
    Offers,
    Late,
    Void,
    History,
    Rounds,
}

enum MemberPart {
    Fields,
    Upcoming,
    History,
    Strikes,
    Fees,
    Replies,
}

impl Place {
    /// The place of a key, by what follows the organisation's prefix.
    fn of(rest: &str) -> Option<Place> {
        let mut words = rest.splitn(3, ':');
        Some(match (words.next()?, words.next(), words.next()) {
            ("done" | "told" | "keyed", Some(_), _) => Place::Done,
            ("org", None, None) => Place::Settings,
            ("clubs", None, None) => Place::Clubs,
            ("series", None, None) | ("series", Some("published" | "rules" | "again"), None) => Place::Series,
            ("series", Some("ids" | "due"), None) => Place::SeriesIndex,
            ("classes", None, None) => Place::Classes,
            ("unopened", None, None) => Place::Unopened,
            ("timers", None, None) => Place::Timers,
            ("members", None, None) => Place::Members,
            ("members", Some("index"), None) => Place::MemberIndex,
            ("members", Some("terms"), None) => Place::MemberTerms,
            ("members", Some("unread"), None) => Place::MembersUnread,
            ("fees" | "events", None, None) => Place::Stream,
            ("club", Some(id), Some("classes")) => Place::ClubClasses(ClubId::parse(id).ok()?.to_string()),
            ("club", Some(_), Some("closures")) => Place::Series,
            ("category", Some(part), Some("classes")) => Place::CategoryClasses(keys::named(part)),
            ("instructor", Some(part), Some("classes")) => Place::InstructorClasses(keys::named(part)),
            ("rest", None, None) => Place::Rest,
            ("booking", Some(id), None) => Place::Booking(BookingId::parse(id).ok()?.to_string()),
            ("class", Some(id), part) => Place::Class(ClassId::parse(id).ok()?.to_string(), ClassPart::of(part)?),
            ("member", Some(id), part) => {
                Place::Member(MemberId::parse(&keys::named(id)).ok()?.to_string(), MemberPart::of(part)?)
            }
            _ => return None,
        })
    }

    fn kind(&self) -> Option<Kind> {
        Some(match self {
            Place::Settings | Place::Clubs | Place::Series | Place::Booking(_) => Kind::Hash,
            Place::Class(_, ClassPart::Fields | ClassPart::Rounds) => Kind::Hash,
            Place::Member(_, MemberPart::Fields | MemberPart::Replies) => Kind::Hash,
            Place::Class(_, ClassPart::History) => Kind::List,
            Place::Done => Kind::Text,
            Place::Stream => return None,
            Place::ClubClasses(_) | Place::CategoryClasses(_) | Place::InstructorClasses(_) => Kind::Sorted,
            Place::Classes | Place::Unopened | Place::Timers | Place::Rest | Place::SeriesIndex => Kind::Sorted,
            Place::MemberTerms | Place::MembersUnread => Kind::Sorted,
            Place::Members | Place::MemberIndex | Place::Class(..) | Place::Member(..) => Kind::Sorted,
        })
    }
}

impl ClassPart {
    fn of(text: Option<&str>) -> Option<ClassPart> {
        Some(match text {
            None => ClassPart::Fields,
            Some("roster") => ClassPart::Roster,
            Some("queue") => ClassPart::Queue,
            Some("offers") => ClassPart::Offers,
            Some("late") => ClassPart::Late,
            Some("void") => ClassPart::Void,
            Some("history") => ClassPart::History,
            Some("rounds") => ClassPart::Rounds,
            Some(_) => return None,
        })
    }
}

impl MemberPart {
    fn of(text: Option<&str>) -> Option<MemberPart> {
        Some(match text {
            None => MemberPart::Fields,
            Some("upcoming") => MemberPart::Upcoming,
            Some("history") => MemberPart::History,
            Some("strikes") => MemberPart::Strikes,
            Some("fees") => MemberPart::Fees,
            Some("replies") => MemberPart::Replies,
            Some(_) => return None,
        })
    }
}

impl Picture {
    pub async fn take(lanes: &Lanes, org: &OrgId, findings: &mut Findings) -> Result<Picture, StoreError> {
        let prefix = keys::prefix(org);
        let mut picture = Picture::default();
        let mut wanted = Vec::new();
        let found = read::keys_of(lanes, org).await?;
        for key in &found {
            match key.strip_prefix(&prefix).and_then(Place::of) {
                Some(place) => wanted.extend(place.kind().map(|kind| (key.clone(), kind))),
                None => findings.broken(8, format!("nothing is known of a key {key}")),
            }
        }
        read::contents(lanes, wanted, |key, content| {
            if let Content::WrongType(why) = content {
                findings.broken(8, format!("key {key} cannot be read: {why}"));
            } else if let Some(place) = key.strip_prefix(&prefix).and_then(Place::of) {
                picture.put(place, content, findings);
            }
        })
        .await?;
        if picture.settings.is_empty() && !found.is_empty() {
            findings.broken(8, "has keys and was never created");
        }
        picture.read_streams(lanes, &prefix, findings).await?;
        let time = read::time(lanes).await?.max(picture.settings.count("time"));
        picture.now = picture.settings.number("clock").unwrap_or(time);
        picture.kept_since = picture.now - picture.retention_ms(findings);
        Ok(picture)
    }

    async fn read_streams(&mut self, lanes: &Lanes, prefix: &str, findings: &mut Findings) -> Result<(), StoreError> {
        let key = format!("{prefix}events");
        let (events, unreadable) = (&mut self.events, &mut Vec::new());
        let read = read::stream(lanes, &key, |id, fields| match Line::read(&id, fields.text("line")) {
            Some(line) => events.push(line),
            None => unreadable.push(id),
        });
        if let Err(why) = read.await? {
            findings.broken(8, format!("key {key} cannot be read: {why}"));
        }
        for id in unreadable {
            findings.broken(6, format!("event {id} cannot be read"));
        }
        let key = format!("{prefix}fees");
        if let Err(why) = read::stream(lanes, &key, |id, fields| self.fees.push((id, fields))).await? {
            findings.broken(8, format!("key {key} cannot be read: {why}"));
        }
        Ok(())
    }

    fn put(&mut self, place: Place, content: Content, findings: &mut Findings) {
        match (place, content) {
            (Place::Settings, Content::Hash(fields)) => self.settings = fields,
            (Place::Clubs, Content::Hash(fields)) => self.clubs = fields,
            (Place::Booking(id), Content::Hash(fields)) => _ = self.bookings.insert(id, fields),
            (Place::ClubClasses(id), Content::Sorted(scores)) => _ = self.club_classes.insert(id, scores),
            (Place::CategoryClasses(name), Content::Sorted(scores)) => _ = self.category_classes.insert(name, scores),
            (Place::InstructorClasses(id), Content::Sorted(scores)) => _ = self.instructor_classes.insert(id, scores),
            (Place::Classes, Content::Sorted(scores)) => self.class_index = scores,
            (Place::Unopened, Content::Sorted(scores)) => self.unopened = scores,
            (Place::Timers, Content::Sorted(scores)) => self.timers = scores,
            (Place::Members, Content::Sorted(scores)) => self.member_ids = scores,
            (Place::MemberIndex, Content::Sorted(scores)) => self.member_index = scores,
            (Place::MemberTerms, Content::Sorted(scores)) => self.member_terms = scores,
            (Place::MembersUnread, Content::Sorted(scores)) => self.members_unread = scores,
            (Place::Class(id, part), content) => {
                self.classes.entry(id.clone()).or_default().put(&id, part, content, findings)
            }
            (Place::Member(id, part), content) => self.members.entry(id).or_default().put(part, content),
            // Not to be compared with anything, or not what was asked for.
            (_, Content::Hash(_) | Content::Sorted(_) | Content::Lines(_) | Content::Text | Content::WrongType(_)) => {}
        }
    }

    /// How long the organisation keeps finished classes.
    fn retention_ms(&self, findings: &mut Findings) -> i64 {
        let policy = serde_json::from_str(self.settings.text("policy")).ok();
        match policy.and_then(|policy| Policy::parse(&policy).ok()) {
            Some(policy) => policy.retention.history.fixed_ms(),
            None => {
                if !self.settings.is_empty() {
                    findings.broken(8, "the policy cannot be read");
                }
                0
            }
        }
    }

    /// The class, if it is there and not so old that retention may be at work on it.
    pub fn kept(&self, class: &str) -> Option<&ClassPicture> {
        self.classes.get(class).filter(|class| self.is_kept(class))
    }

    pub fn is_kept(&self, class: &ClassPicture) -> bool {
        class.fields.number("starts").is_none_or(|starts| starts >= self.kept_since)
    }

    /// Classes to be checked.
    pub fn kept_classes(&self) -> impl Iterator<Item = (&String, &ClassPicture)> {
        self.classes.iter().filter(|(_, class)| self.is_kept(class))
    }

    /// Bookings of classes to be checked, and of classes that are not there at all.
    pub fn kept_bookings(&self) -> impl Iterator<Item = (&String, &Fields)> {
        self.bookings
            .iter()
            .filter(|(_, booking)| self.classes.get(booking.text("class")).is_none_or(|class| self.is_kept(class)))
    }
}

impl ClassPicture {
    fn put(&mut self, id: &str, part: ClassPart, content: Content, findings: &mut Findings) {
        match (part, content) {
            (ClassPart::Fields, Content::Hash(fields)) => self.fields = fields,
            (ClassPart::Roster, Content::Sorted(scores)) => self.roster = scores,
            (ClassPart::Queue, Content::Sorted(scores)) => self.queue = scores,
            (ClassPart::Offers, Content::Sorted(scores)) => self.offers = scores,
            (ClassPart::Late, Content::Sorted(scores)) => self.late = scores,
            (ClassPart::Void, Content::Sorted(scores)) => self.void = scores,
            (ClassPart::History, Content::Lines(lines)) => {
                for text in lines {
                    match text.split_once(' ').and_then(|(cursor, line)| Line::read(cursor, line)) {
                        Some(line) => self.history.push(line),
                        None => findings.broken(6, format!("class {id}: a line of its history cannot be read: {text}")),
                    }
                }
            }
            (_, Content::Hash(_) | Content::Sorted(_) | Content::Lines(_) | Content::Text | Content::WrongType(_)) => {}
        }
    }

    /// The set a booking of that status belongs to; `None` for those that have ended otherwise.
    pub fn set_of(&self, status: &str) -> Option<(&'static str, &Scores)> {
        match status {
            "booked" | "checked_in" => Some(("roster", &self.roster)),
            "waitlisted" => Some(("queue", &self.queue)),
            "offered" => Some(("offers", &self.offers)),
            "no_show" => Some(("void", &self.void)),
            _ => None,
        }
    }

    /// Whether its history tells of a change of any of these.
    pub fn was_changed(&self, names: &[&str]) -> bool {
        self.history.iter().any(|line| names.iter().any(|name| line.changed.contains(*name)))
    }
}

impl MemberPicture {
    fn put(&mut self, part: MemberPart, content: Content) {
        match (part, content) {
            (MemberPart::Fields, Content::Hash(fields)) => self.fields = fields,
            (MemberPart::Upcoming, Content::Sorted(scores)) => self.upcoming = scores,
            (MemberPart::History, Content::Sorted(scores)) => self.history = scores,
            (MemberPart::Strikes, Content::Sorted(scores)) => self.strikes = scores,
            (MemberPart::Fees, Content::Sorted(scores)) => self.fees = scores,
            (_, Content::Hash(_) | Content::Sorted(_) | Content::Lines(_) | Content::Text | Content::WrongType(_)) => {}
        }
    }
}
