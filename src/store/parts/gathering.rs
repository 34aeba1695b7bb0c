//! Parts gathered in as many calls as they need, each of which looks at a bounded number of stored things.
//!
//! The first call settles what each part consists of and which version it is of; lines that found no room in it are read
//! by later ones. Nothing here knows what becomes of a part.

use std::collections::VecDeque;
use std::fmt::Display;
use std::str::FromStr;

use super::{Moment, PARTS_MAX, Part, PartName, face, ids, listed, mine};
use crate::domain::ids::{MemberId, OrgId};
use crate::domain::policy::Policy;
use crate::store::error::StoreError;
use crate::store::members::{StandingPage, standing_with};
use crate::store::orgs::stored_policy;
use crate::store::reply::{Reply, corrupt};
use crate::store::{RETRIES_MAX, Store};

/// What is asked of one call: a part, or a detail of one that found no room in the call before.
#[derive(Clone, Debug)]
enum Want {
    Part(PartName),
    /// More of the places that a standing counts, after a class start and a booking.
    Places(MemberId, String, String),
}

/// A want, and the part it belongs to, by its place among those asked for.
type Asked = (usize, Want);

/// The parts so far.
struct Gathering {
    moment: Moment,
    /// The organisation's policy as it was read first, word for word.
    rules: String,
    policy: Policy,
    wanted: VecDeque<Asked>,
}

impl Store {
    /// Reads parts at one moment, in as many calls as they need. What the first call names is of its version: a part's
    /// lines, the places in its queue. A line that is read by a later call may show what comes next, and what comes next
    /// touches it again. `None` for an organisation that does not exist.
    pub async fn parts(&self, org: &OrgId, names: &[PartName]) -> Result<Option<Moment>, StoreError> {
        for _ in 0..RETRIES_MAX {
            match self.gather(org, names).await? {
                Gathered::Nothing => return Ok(None),
                Gathered::All(moment) => return Ok(Some(moment)),
                Gathered::Torn => {}
            }
        }
        Err(StoreError::Unavailable("the organisation's rules keep changing".to_owned()))
    }

    async fn gather(&self, org: &OrgId, names: &[PartName]) -> Result<Gathered, StoreError> {
        let mut wanted: VecDeque<Asked> = names.iter().cloned().map(Want::Part).enumerate().collect();
        let mut gathering: Option<Gathering> = None;
        loop {
            let asked: Vec<Asked> = wanted.drain(..wanted.len().min(PARTS_MAX)).collect();
            let words: Vec<_> = asked.iter().map(|(_, want)| want.words()).collect();
            let args: Vec<&str> = words.iter().flat_map(|(kind, name)| [*kind, name.as_str()]).collect();
            let mut reply = self.read(org, "read_parts", &args).await?;
            if reply.tag == "REFUSED" {
                return Ok(Gathered::Nothing);
            }
            let (epoch, rules) = (reply.text()?, reply.text()?);
            let version = version_of(&reply)?;
            let mut so_far = match gathering.take() {
                None => Gathering::begin(&reply, epoch, rules, version, names.len())?,
                // A version of another epoch must not be compared, and under other rules everything may differ.
                Some(so_far) if so_far.moment.epoch != epoch || so_far.rules != rules => return Ok(Gathered::Torn),
                Some(so_far) => so_far,
            };
            so_far.wanted = wanted;
            for (index, want) in asked {
                if reply.text_is_next() {
                    reply.text()?;
                    so_far.wanted.push_back((index, want));
                } else {
                    so_far.take(index, want, &mut reply.nested()?, version)?;
                }
            }
            if so_far.wanted.is_empty() {
                return Ok(Gathered::All(so_far.moment));
            }
            wanted = std::mem::take(&mut so_far.wanted);
            gathering = Some(so_far);
        }
    }
}

enum Gathered {
    /// There is no such organisation.
    Nothing,
    All(Moment),
    /// Calls that are not of one epoch and one policy.
    Torn,
}

impl Gathering {
    fn begin(reply: &Reply, epoch: String, rules: String, version: u64, parts: usize) -> Result<Gathering, StoreError> {
        let policy = stored_policy(&rules)?.policy;
        let parts = vec![None; parts];
        let moment = Moment { epoch, version, zone: reply.zone, cursor: reply.cursor.clone(), parts };
        Ok(Gathering { moment, rules, policy, wanted: VecDeque::new() })
    }

    /// Takes in what one want got, read at a version; what it lacks is wanted next.
    fn take(&mut self, index: usize, want: Want, reply: &mut Reply, version: u64) -> Result<(), StoreError> {
        let Some(slot) = self.moment.parts.get_mut(index) else { return Ok(()) };
        let mut lacks = Vec::new();
        match (want, slot) {
            (want, _) if reply.is_empty() => drop(want),
            (Want::Part(name), Some(part)) => part.add(&name, reply, version)?,
            (Want::Part(name), slot) => *slot = Some(part(&name, reply, &self.policy, version, &mut lacks)?),
            (Want::Places(member, ..), Some(Part::Standing(standing) | Part::Me(standing, _))) => {
                let page = standing_with(reply, &self.policy)?;
                standing.add_places(page.standing.booked);
                lacks.extend(page.next.map(|(start, booking)| Want::Places(member, start, booking)));
            }
            (Want::Places(..), _) => {}
        }
        self.wanted.extend(lacks.into_iter().map(|want| (index, want)));
        Ok(())
    }
}

impl Want {
    fn words(&self) -> (&'static str, String) {
        match self {
            Want::Part(name) => name.words(),
            Want::Places(member, start, booking) => ("standing", format!("{member} {start} {booking}")),
        }
    }
}

impl Part {
    /// Adds a line that found no room when the part was read. On another day by now, a class is not of this one.
    fn add(&mut self, name: &PartName, reply: &mut Reply, version: u64) -> Result<(), StoreError> {
        match (self, name) {
            (Part::Day(date, faces), PartName::Face(_)) => {
                faces.extend(Some(face(&reply.record()?)?).filter(|face| face.date == *date))
            }
            (Part::Roster { lines, .. }, PartName::Entry(_)) => lines.push(listed(reply)?),
            (Part::Me(_, bookings), PartName::Mine(_)) => bookings.push(mine(reply, version)?),
            _ => return Err(corrupt("a line of no part")),
        }
        Ok(())
    }
}

fn version_of(reply: &Reply) -> Result<u64, StoreError> {
    let number = reply.cursor.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    number.ok_or_else(|| corrupt(format!("cursor {}", reply.cursor)))
}

/// Reads a part. Lines that are named by their ids alone found no room, and are lacking.
fn part(
    name: &PartName,
    reply: &mut Reply,
    policy: &Policy,
    version: u64,
    lacks: &mut Vec<Want>,
) -> Result<Part, StoreError> {
    let mut lacks_places = |member: &MemberId, page: StandingPage| {
        lacks.extend(page.next.map(|(start, booking)| Want::Places(member.clone(), start, booking)));
        page.standing
    };
    Ok(match name {
        PartName::Face(_) => Part::Face(face(&reply.record()?)?),
        PartName::Entry(_) => Part::Entry(listed(reply)?),
        PartName::Mine(_) => Part::Mine(mine(reply, version)?),
        PartName::Standing(member) => Part::Standing(lacks_places(member, standing_with(reply, policy)?)),
        PartName::Day(_, date) => {
            reply.text()?;
            let (faces, left) = lines(reply, |reply| face(&reply.record()?))?;
            lacks.extend(named(left, PartName::Face)?);
            Part::Day(*date, faces)
        }
        PartName::Roster(_) => {
            let (face, queue) = (face(&reply.record()?)?, ids(reply.nested()?)?);
            let (lines, left) = lines(reply, listed)?;
            lacks.extend(named(left, PartName::Entry)?);
            Part::Roster { face, lines, queue }
        }
        PartName::Me(member) => {
            let standing = lacks_places(member, standing_with(&mut reply.nested()?, policy)?);
            let (bookings, left) = lines(reply, |reply| mine(reply, version))?;
            lacks.extend(named(left, PartName::Mine)?);
            Part::Me(standing, bookings)
        }
    })
}

/// The lines of a part, and the ids of those that are only named.
fn lines<T>(
    reply: &mut Reply,
    read: impl Fn(&mut Reply) -> Result<T, StoreError>,
) -> Result<(Vec<T>, Vec<String>), StoreError> {
    let (mut lines, mut left) = (Vec::new(), Vec::new());
    while !reply.is_empty() {
        if reply.text_is_next() {
            left.push(reply.text()?);
        } else {
            lines.push(read(&mut reply.nested()?)?);
        }
    }
    Ok((lines, left))
}

fn named<Id: FromStr<Err: Display>>(ids: Vec<String>, name: fn(Id) -> PartName) -> Result<Vec<Want>, StoreError> {
    ids.iter().map(|id| Ok(Want::Part(name(id.parse().map_err(corrupt)?)))).collect()
}
