//! The demonstration: an organisation for each preset, with clubs, members and a fortnight of classes.
//!
//! It fills through the same store functions that the API calls, so everything here has passed the same gate. Started
//! again on the same data, it adds what a new day brings and leaves the rest alone. Who is who comes from fixed seeds:
//! two machines show the same chain.

mod people;
mod timetable;

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use tokio::task::JoinSet;

use crate::app::App;
use crate::config::{Config, Signing};
use crate::domain::calendar::local_date;
use crate::domain::caller::By;
use crate::domain::ids::{BookingId, ClassId, ClubId, MemberId, OrgId};
use crate::domain::member::Member;
use crate::domain::org::Club;
use crate::domain::presets::{Preset, presets};
use crate::store::bookings::Book;
use crate::store::error::StoreError;
use crate::store::orgs::{OrgChange, OrgView};
use crate::store::{Answer, Command, Store, Write};
use crate::token::{self, Claims};
use people::Dice;

/// How many days of classes there are, today included.
const DAYS: u64 = 15;
const MEMBERS: u64 = 200;
/// How long a Redis with much in it may take to load it, and how often it is asked.
const READY_WAIT: Duration = Duration::from_secs(60);
const READY_EVERY: Duration = Duration::from_millis(100);
/// The printed tokens are good for this long.
const TOKEN_TTL_S: u64 = 7 * 86_400;

/// Runs the service with the demonstration in it, until it is told to stop.
pub async fn run(config: Config) -> Result<(), String> {
    let signing = config.signing.clone();
    let app = App::start(config).await.map_err(|error| error.to_string())?;
    ready(app.store()).await?;
    fill(app.store()).await.map_err(|error| error.to_string())?;
    print(app.port(), &signing).map_err(|error| error.to_string())?;
    app.until_signal().await.map_err(|error| error.to_string())
}

/// Waits until Redis has read what was there before.
async fn ready(store: &Store) -> Result<(), String> {
    let begun = Instant::now();
    while let Err(error) = store.ready().await {
        if begun.elapsed() > READY_WAIT {
            return Err(error.to_string());
        }
        tokio::time::sleep(READY_EVERY).await;
    }
    Ok(())
}

/// Fills an organisation for each preset, all at once.
pub async fn fill(store: &Store) -> Result<(), StoreError> {
    let mut chains = JoinSet::new();
    for preset in presets() {
        let store = store.clone();
        chains.spawn(async move { Chain::new(store, preset)?.fill().await });
    }
    while let Some(done) = chains.join_next().await {
        done.map_err(|error| StoreError::Unavailable(error.to_string()))??;
    }
    Ok(())
}

/// One organisation being filled.
struct Chain {
    store: Store,
    preset: &'static Preset,
    org: OrgId,
}

/// What a fixed text of this room reads as; these texts are right, or nothing of the demonstration works.
fn known<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<T, StoreError> {
    parsed.map_err(|error| StoreError::Corrupt(format!("the demonstration's own data: {error}")))
}

/// The value, or what the store refused of the demonstration's data.
fn taken<T>(answer: Answer<T>) -> Result<T, StoreError> {
    answer.outcome.map_err(|refusal| StoreError::Corrupt(format!("the demonstration was refused: {}", refusal.code())))
}

impl Chain {
    fn new(store: Store, preset: &'static Preset) -> Result<Chain, StoreError> {
        Ok(Chain { store, preset, org: known(OrgId::parse(preset.id))? })
    }

    fn write(&self) -> Write {
        let by = By { sub: "demo".to_owned(), role: "staff".to_owned() };
        Write { org: self.org.clone(), by, command: Command::fresh() }
    }

    async fn fill(&self) -> Result<(), StoreError> {
        let change = OrgChange {
            name: Some(self.preset.name),
            policy: None,
            otherwise: Some(&self.preset.policy),
            if_match: None,
        };
        taken(self.store.put_org(&self.write(), &change).await?)?;
        let clubs = timetable::clubs(self.preset.id);
        for (id, name) in clubs {
            let club = Club { id: known(ClubId::parse(id))?, name: name.to_owned() };
            taken(self.store.put_club(&self.write(), &club).await?)?;
        }
        let org = taken(self.store.org(&self.org).await?)?;
        let today = local_date(org.now, org.org.policy.timezone);
        for n in 0..MEMBERS {
            let member = known_member(n, today, &clubs.map(|(id, _)| id))?;
            taken(self.store.put_member(&self.write(), &member).await?)?;
        }
        for (club, _) in clubs {
            self.publish_days(&org, club, today).await?;
        }
        Ok(())
    }

    async fn publish_days(&self, org: &OrgView, club: &str, today: NaiveDate) -> Result<(), StoreError> {
        for day in today.iter_days().take_while(|day| *day < today + Days::new(DAYS)) {
            for planned in timetable::day(self.preset.id, club, day) {
                let body = planned.body(club, day, org.org.policy.timezone);
                let new = known(crate::domain::class::NewClass::parse(&body).map_err(|errors| format!("{errors:?}")))?;
                if new.starts_at <= org.now {
                    continue;
                }
                // A class that is there already was filled when it came.
                if let Ok(view) = self.store.publish_class(&self.write(), &new).await?.outcome {
                    self.book(&view.class.id, planned.wanted(view.class.capacity)).await?;
                }
            }
        }
        Ok(())
    }

    /// So many members try, in an order of the class's own. Refusals are part of the picture.
    async fn book(&self, class: &ClassId, wanted: u32) -> Result<(), StoreError> {
        let mut dice = Dice::of(class.as_str());
        for _ in 0..wanted {
            let n = dice.below(MEMBERS);
            let member = known(MemberId::parse(&people::member_id(n)))?;
            let id = known(BookingId::parse(&uuid::Uuid::now_v7().to_string()))?;
            let book = Book { class, member: &member, id: &id, waitlist: true, desk: false };
            let booked = self.store.book(&self.write(), &book).await?.outcome;
            if booked.is_err_and(|refusal| refusal.code() == "not_open") {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn known_member(n: u64, today: NaiveDate, clubs: &[&str; 2]) -> Result<Member, StoreError> {
    let id = known(MemberId::parse(&people::member_id(n)))?;
    known(Member::parse(id, &people::member(n, today, clubs)).map_err(|errors| format!("{errors:?}")))
}

/// A line for each link; a terminal that knows links opens it signed in.
fn print(port: u16, signing: &Signing) -> io::Result<()> {
    let secret = token::signing_secret(signing).map_err(io::Error::other)?;
    let url = format!("http://127.0.0.1:{port}");
    let mut out = io::stdout().lock();
    writeln!(out, "\nRollcall is running on {url}, its API documentation on {url}/docs")?;
    let operator = Claims { sub: "operator".to_owned(), org: None, role: "operator".to_owned(), club: None };
    writeln!(out, "operator's token (all organisations): {}", mint(&secret, &operator)?)?;
    for preset in presets() {
        writeln!(out, "\n{} (organisation {})", preset.name, preset.id)?;
        for (role, sub, screen) in people::cast() {
            let claims =
                Claims { sub: sub.to_owned(), org: Some(preset.id.to_owned()), role: role.to_owned(), club: None };
            writeln!(out, "  {role:<10} {url}{screen}#token={}", mint(&secret, &claims)?)?;
        }
    }
    out.flush()
}

fn mint(secret: &str, claims: &Claims) -> io::Result<String> {
    token::mint(secret, claims, TOKEN_TTL_S).map_err(io::Error::other)
}
