//! The gate before Redis: how much of one caller and of one organisation is under way at once on this instance.
//!
//! Redis does one thing at a time, so whoever asks for much is waited for by everybody. What is too much waits here,
//! where it costs nothing, in the order it came and only behind its own: one organisation's crowd never stands in
//! another's way. Who has waited too long, or finds too many waiting, is sent away with nothing done.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, RwLock, RwLockWriteGuard, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::error::{Crowd, StoreError};
use super::payer::Payer;
use crate::domain::ids::OrgId;

/// Reads of one caller under way: one is carried out while the next is on its way. Others wait behind each of them.
pub const CALLER_READS_MAX: usize = 2;
/// Reads of one caller that wait: a page with many parts, or somebody's script.
pub const CALLER_READS_WAITING_MAX: usize = 64;
/// Reads of one organisation under way. With a few milliseconds each, that is the longest another one waits.
pub const ORG_READS_MAX: usize = 8;
/// Reads of one organisation that wait: its members, all at once, when booking opens.
pub const ORG_READS_WAITING_MAX: usize = 1_024;
/// Writes of one organisation under way: as many as one fsync or round trip is shared by.
pub const ORG_WRITES_MAX: usize = 64;
/// Writes of one organisation that wait: everybody who wants the same class.
pub const ORG_WRITES_WAITING_MAX: usize = 4_096;

/// What a call is to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// Lets calls in. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Shared>);

#[derive(Default)]
struct Shared {
    orgs: Doors<OrgId, OrgDoor>,
    callers: Doors<String, Door>,
}

/// A call's place among those under way; held until its reply is there.
pub(super) struct Place {
    org: Arc<OrgDoor>,
    _of_org: OrgPlace,
    _of_caller: Option<(Arc<Door>, OwnedSemaphorePermit)>,
}

type OrgPlace = OwnedSemaphorePermit;

impl Gate {
    /// Waits for a place, at most until `deadline`.
    ///
    /// # Errors
    /// `Crowded`, with nothing done.
    pub(super) async fn enter(
        &self,
        org: &OrgId,
        kind: Kind,
        payer: Option<&Payer>,
        deadline: Instant,
    ) -> Result<Place, StoreError> {
        let of_caller = match (kind, payer) {
            (Kind::Read, Some(payer)) => {
                let door = self.0.callers.of(&payer.caller, || Door::new(CALLER_READS_MAX, CALLER_READS_WAITING_MAX));
                let place = door.enter(Crowd::Caller, deadline).await?;
                Some((door, place))
            }
            (Kind::Read | Kind::Write, _) => None,
        };
        let door = self.0.orgs.of(org, OrgDoor::new);
        let of_org = door.of(kind).enter(Crowd::Organisation, deadline).await?;
        // What is due is being carried out bite by bite: one call of the organisation does that, the others wait.
        let quiet = timeout_at(deadline, door.bites.read()).await.map(drop);
        quiet.map_err(|_elapsed| StoreError::Crowded(Crowd::Organisation))?;
        Ok(Place { org: door, _of_org: of_org, _of_caller: of_caller })
    }
}

impl Place {
    /// Waits until this call is the only one of its organisation that carries out what is due.
    pub(super) async fn alone(&self, deadline: Instant) -> Result<RwLockWriteGuard<'_, ()>, StoreError> {
        let alone = timeout_at(deadline, self.org.bites.write()).await;
        alone.map_err(|_elapsed| StoreError::Crowded(Crowd::Organisation))
    }
}

/// The places of one organisation.
struct OrgDoor {
    reads: Door,
    writes: Door,
    /// Written by the call that carries out what is due.
    bites: RwLock<()>,
}

impl OrgDoor {
    fn new() -> OrgDoor {
        OrgDoor {
            reads: Door::new(ORG_READS_MAX, ORG_READS_WAITING_MAX),
            writes: Door::new(ORG_WRITES_MAX, ORG_WRITES_WAITING_MAX),
            bites: RwLock::new(()),
        }
    }

    fn of(&self, kind: Kind) -> &Door {
        match kind {
            Kind::Read => &self.reads,
            Kind::Write => &self.writes,
        }
    }
}

/// So many may be inside, and so many wait in line.
struct Door {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Door {
    fn new(places: usize, waiting_max: usize) -> Door {
        Door { places: Arc::new(Semaphore::new(places)), waiting: AtomicUsize::new(0), waiting_max }
    }

    async fn enter(&self, crowd: Crowd, deadline: Instant) -> Result<OwnedSemaphorePermit, StoreError> {
        // A place that becomes free goes to the first who waits, so nobody is overtaken here.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let in_line = InLine::join(self);
        if in_line.before >= self.waiting_max {
            return Err(StoreError::Crowded(crowd));
        }
        match timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(StoreError::Crowded(crowd)),
        }
    }
}

/// Counted among those who wait until dropped.
struct InLine<'a> {
    door: &'a Door,
    /// How many were waiting before.
    before: usize,
}

impl<'a> InLine<'a> {
    fn join(door: &'a Door) -> InLine<'a> {
        InLine { door, before: door.waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.door.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A door for each key, for as long as somebody is at it.
struct Doors<K, D>(Mutex<Known<K, D>>);

struct Known<K, D> {
    doors: HashMap<K, Weak<D>>,
    /// How many doors there may be before those nobody is at are forgotten.
    sweep_at: usize,
}

impl<K, D> Default for Doors<K, D> {
    fn default() -> Self {
        Doors(Mutex::new(Known { doors: HashMap::new(), sweep_at: 0 }))
    }
}

impl<K: Hash + Eq + Clone, D> Doors<K, D> {
    fn of(&self, key: &K, make: impl FnOnce() -> D) -> Arc<D> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = known.doors.get(key).and_then(Weak::upgrade) {
            return door;
        }
        if known.doors.len() >= known.sweep_at {
            known.doors.retain(|_, door| door.strong_count() > 0);
            known.sweep_at = 2 * known.doors.len() + 64;
        }
        let door = Arc::new(make());
        known.doors.insert(key.clone(), Arc::downgrade(&door));
        door
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn payer(caller: &str) -> Payer {
        Payer::new(caller.to_owned(), true, |_| {})
    }

    /// Polled once: whether the place was given at once.
    async fn at_once<T>(entering: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            entered = entering => Some(entered),
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test]
    async fn so_many_reads_of_a_caller_are_under_way_and_one_more_waits() {
        let (gate, org, ann) = (Gate::default(), "gym".parse().unwrap(), payer("ann"));
        let mut inside = Vec::new();
        for _ in 0..CALLER_READS_MAX {
            inside.push(at_once(gate.enter(&org, Kind::Read, Some(&ann), soon())).await.unwrap().unwrap());
        }
        assert!(at_once(gate.enter(&org, Kind::Read, Some(&ann), soon())).await.is_none());
        assert!(
            at_once(gate.enter(&org, Kind::Write, Some(&ann), soon())).await.is_some(),
            "a write is another matter"
        );
        assert!(at_once(gate.enter(&org, Kind::Read, Some(&payer("bob")), soon())).await.is_some());
        inside.pop();
        assert!(at_once(gate.enter(&org, Kind::Read, Some(&ann), soon())).await.is_some());
    }

    #[tokio::test]
    async fn so_many_calls_of_an_organisation_are_under_way_and_other_organisations_do_not_notice() {
        let (gate, org, other) = (Gate::default(), "gym".parse().unwrap(), "box".parse().unwrap());
        for (kind, most) in [(Kind::Read, ORG_READS_MAX), (Kind::Write, ORG_WRITES_MAX)] {
            let mut inside = Vec::new();
            for _ in 0..most {
                inside.push(at_once(gate.enter(&org, kind, None, soon())).await.unwrap().unwrap());
            }
            assert!(at_once(gate.enter(&org, kind, None, soon())).await.is_none());
            assert!(at_once(gate.enter(&other, kind, None, soon())).await.is_some());
            inside.pop();
            assert!(at_once(gate.enter(&org, kind, None, soon())).await.is_some());
        }
    }

    #[tokio::test]
    async fn so_many_wait_and_one_more_is_sent_away_at_once() {
        let (gate, org) = (Gate::default(), "gym".parse::<OrgId>().unwrap());
        let ann = Arc::new(payer("ann"));
        let mut places = Vec::new();
        for _ in 0..CALLER_READS_MAX {
            places.push(gate.enter(&org, Kind::Read, Some(&ann), soon()).await.unwrap());
        }
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..CALLER_READS_WAITING_MAX {
            let (gate, org, ann) = (gate.clone(), org.clone(), Arc::clone(&ann));
            waiting.spawn(async move { gate.enter(&org, Kind::Read, Some(&ann), soon()).await.map(drop) });
        }
        let door = gate.0.callers.of(&ann.caller, || Door::new(0, 0));
        while door.waiting.load(Ordering::Relaxed) < CALLER_READS_WAITING_MAX {
            tokio::task::yield_now().await;
        }
        let refused = at_once(gate.enter(&org, Kind::Read, Some(&ann), soon())).await;
        assert_eq!(refused.unwrap().err(), Some(StoreError::Crowded(Crowd::Caller)));
        drop(places);
        while let Some(entered) = waiting.join_next().await {
            assert_eq!(entered.unwrap(), Ok(()));
        }
    }

    #[tokio::test]
    async fn who_waited_until_the_deadline_is_sent_away() {
        let (gate, org) = (Gate::default(), "gym".parse().unwrap());
        let mut places = Vec::new();
        for _ in 0..ORG_READS_MAX {
            places.push(gate.enter(&org, Kind::Read, None, soon()).await.unwrap());
        }
        let refused = gate.enter(&org, Kind::Read, None, Instant::now()).await;
        assert_eq!(refused.err(), Some(StoreError::Crowded(Crowd::Organisation)));
    }

    #[tokio::test]
    async fn while_one_call_carries_out_what_is_due_the_organisations_others_wait() {
        let (gate, org, other) = (Gate::default(), "gym".parse().unwrap(), "box".parse().unwrap());
        let (biting, next) = (
            gate.enter(&org, Kind::Write, None, soon()).await.unwrap(),
            gate.enter(&org, Kind::Read, None, soon()).await.unwrap(),
        );
        let alone = biting.alone(soon()).await.unwrap();
        assert!(at_once(next.alone(soon())).await.is_none(), "one bite at a time");
        for kind in [Kind::Read, Kind::Write] {
            assert!(at_once(gate.enter(&org, kind, None, soon())).await.is_none());
            assert!(at_once(gate.enter(&other, kind, None, soon())).await.is_some());
        }
        drop(alone);
        assert!(at_once(gate.enter(&org, Kind::Read, None, soon())).await.is_some());
    }

    #[test]
    fn doors_that_nobody_is_at_are_forgotten() {
        let doors = Doors::<u32, Door>::default();
        for number in 0..10_000 {
            doors.of(&number, || Door::new(1, 1));
        }
        assert!(doors.0.lock().unwrap().doors.len() <= 64);
    }
}
