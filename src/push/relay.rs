//! One organisation on this instance: follows its events while anybody listens, reads documents, answers requests.
//!
//! It is one task, so everything it holds is at one version, and a listener is registered in the same step in which it
//! gets its document: nothing is missed or doubled in between. A document read at a version waits until the tail has
//! passed that version. Whenever events may have been missed or lost, every document is forgotten and read again, and
//! whoever listens gets the whole.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::counters::Counters;
use super::effects::{Fresh, NewQueue};
use super::outbox::{Out, Outbox, SessionId};
use super::protocol::{self, Topic, Version};
use super::topics::Topics;
use crate::domain::ids::OrgId;
use crate::domain::instant::{from_ms, with_zone};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::parts::{Moment, PARTS_MAX, Part, PartName};
use crate::store::tail::{NumberedEvent, TailStep};

pub use self::requests::Request;

use self::requests::Pending;

mod requests;

/// Batches of events that may wait here; more wait in Redis.
const BATCHES_MAX: usize = 4;
/// Between two attempts to reach Redis.
const RETRY: Duration = Duration::from_millis(250);
/// Between two looks for what nobody wants any more.
const SWEEP: Duration = Duration::from_secs(10);

/// What a session asks of its organisation's relay.
#[derive(Debug)]
pub enum Command {
    Subscribe(Request),
    Unsubscribe { outbox: Outbox, id: Value, topics: Vec<Topic> },
    Leave { session: SessionId },
}

/// What is known of the organisation while its events are followed.
struct Followed {
    epoch: String,
    last: Version,
    /// When the last event happened, as a patch tells it.
    at: String,
    tail: mpsc::Receiver<TailStep>,
    _task: JoinSet<()>,
}

enum Install {
    Document(Topic, Option<Box<Part>>),
    Queue(NewQueue),
}

/// The task of one organisation.
pub struct Relay {
    org: OrgId,
    store: Store,
    commands: mpsc::UnboundedReceiver<Command>,
    followed: Option<Followed>,
    topics: Topics,
    to_read: Vec<Topic>,
    installs: BTreeMap<Version, Vec<Install>>,
    pending: HashMap<u64, Pending>,
    next_request: u64,
    retry_at: Instant,
    counters: Counters,
    /// Topics without a listener that are kept.
    idle_max: usize,
    /// How many of the topics are counted.
    counted: i64,
}

/// The version that was read does not continue what is held.
struct Break(String);

impl Relay {
    pub fn new(
        org: OrgId,
        store: Store,
        commands: mpsc::UnboundedReceiver<Command>,
        counters: Counters,
        idle_max: usize,
    ) -> Relay {
        Relay {
            org,
            store,
            commands,
            followed: None,
            topics: Topics::default(),
            to_read: Vec::new(),
            installs: BTreeMap::new(),
            pending: HashMap::new(),
            next_request: 0,
            retry_at: Instant::now(),
            counters,
            idle_max,
            counted: 0,
        }
    }

    /// Runs until the last session and the hub are gone.
    pub async fn run(mut self) {
        let mut sweep_at = Instant::now() + SWEEP;
        loop {
            while let Ok(command) = self.commands.try_recv() {
                self.command(command);
            }
            if let Err(Break(why)) = self.advance().await {
                self.restart(&why);
            }
            self.answer();
            self.count_topics();
            if self.can_read() {
                continue;
            }
            let flush_at = self.topics.next_due().unwrap_or(sweep_at);
            let wake_at = match (self.wants_to_follow(), self.pending.is_empty()) {
                (true, _) => self.retry_at,
                (false, false) => Instant::now() + RETRY,
                (false, true) => sweep_at,
            };
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return,
                },
                step = next_step(&mut self.followed) => match step {
                    TailStep::Events(events) => if let Err(Break(why)) = self.follow(events).await {
                        self.restart(&why);
                    },
                    TailStep::Broken(why) => self.restart(&why),
                },
                () = sleep_until(flush_at.min(wake_at)) => {}
            }
            let now = Instant::now();
            self.topics.flush(now);
            if now >= sweep_at {
                sweep_at = now + SWEEP;
                self.sweep(now);
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Subscribe(request) => self.ask(request),
            Command::Unsubscribe { outbox, id, topics } => {
                for topic in &topics {
                    self.topics.left(outbox.session, topic);
                }
                self.forgo(outbox.session, &topics);
                outbox.send(Out::Frame(protocol::unsubscribed(&id)));
            }
            Command::Leave { session } => self.topics.left_all(session),
        }
    }

    // ---- reading ----

    fn wants_to_follow(&self) -> bool {
        self.followed.is_none() && (!self.pending.is_empty() || !self.topics.slots.is_empty())
    }

    fn can_read(&self) -> bool {
        self.followed.is_some() && !self.to_read.is_empty() && self.installs.is_empty()
    }

    /// One step towards what was asked for: to follow the stream, or to read the next documents.
    async fn advance(&mut self) -> Result<(), Break> {
        if self.wants_to_follow() && Instant::now() >= self.retry_at {
            self.begin().await
        } else if self.can_read() {
            let at = self.to_read.len().saturating_sub(PARTS_MAX);
            let topics = self.to_read.split_off(at);
            let names: Vec<PartName> = topics.iter().map(Topics::part_of).collect();
            let moment = self.read(&names).await?;
            let read = topics.into_iter().zip(moment.parts);
            let documents = read.map(|(topic, part)| Install::Document(topic, part.map(Box::new)));
            self.installs.entry(moment.version).or_default().extend(documents);
            self.install();
            Ok(())
        } else {
            Ok(())
        }
    }

    async fn begin(&mut self) -> Result<(), Break> {
        let moment = match self.store.parts(&self.org, &[]).await {
            Ok(Some(moment)) => moment,
            Ok(None) => {
                for (_, pending) in self.pending.drain() {
                    pending.request.outbox.send(Out::Close(protocol::CloseCode::Forbidden));
                }
                self.topics.close(protocol::CloseCode::Internal);
                self.topics = Topics::default();
                self.to_read.clear();
                return Ok(());
            }
            Err(error) => return Err(away(&error)),
        };
        let (sender, tail) = mpsc::channel(BATCHES_MAX);
        let mut follows = self.store.tail(&self.org, &moment);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let step = follows.next().await;
                let broken = matches!(step, TailStep::Broken(_));
                if sender.send(step).await.is_err() || broken {
                    return;
                }
            }
        });
        self.topics.zone = moment.zone;
        let at = instant_of(&moment);
        self.followed = Some(Followed { epoch: moment.epoch, last: moment.version, at, tail, _task: task });
        self.to_read = self.topics.slots.keys().cloned().collect();
        Ok(())
    }

    async fn read(&self, names: &[PartName]) -> Result<Moment, Break> {
        let moment = self.store.parts(&self.org, names).await.map_err(|error| away(&error))?;
        let moment = moment.ok_or_else(|| Break("the organisation is gone".to_owned()))?;
        match &self.followed {
            Some(followed) if followed.epoch == moment.epoch && followed.last <= moment.version => Ok(moment),
            _ => Err(Break("Redis restarted or failed over".to_owned())),
        }
    }

    /// Takes over what was read at exactly the version that is reached.
    fn install(&mut self) {
        let Some(followed) = &self.followed else { return };
        let (last, at) = (followed.last, followed.at.clone());
        for install in self.installs.remove(&last).unwrap_or_default() {
            match install {
                Install::Queue(new) => self.topics.install_queue(&new.class, new.queue, last, &at, Instant::now()),
                Install::Document(topic, Some(part)) => {
                    for queue in self.topics.install(&topic, *part, last, &at) {
                        self.installs.entry(queue.version).or_default().push(Install::Queue(queue));
                    }
                    self.resolve(&topic, true);
                }
                Install::Document(topic, None) => {
                    self.topics.remove(&topic, "not_found");
                    self.resolve(&topic, false);
                }
            }
        }
    }

    /// Those who waited for the topic wait for it no more.
    fn resolve(&mut self, topic: &Topic, found: bool) {
        let Some(slot) = self.topics.slots.get_mut(topic) else { return };
        for id in std::mem::take(&mut slot.waiters) {
            let Some(pending) = self.pending.get_mut(&id) else { continue };
            pending.missing -= 1;
            if !found {
                let asked = &mut pending.request;
                asked.topics.retain(|(asked, _)| asked != topic);
                asked.refused.push((topic.to_string(), "not_found", "there is no such thing for this caller"));
            }
        }
        if !found {
            self.topics.slots.remove(topic);
        }
    }

    // ---- events ----

    async fn follow(&mut self, events: Vec<NumberedEvent>) -> Result<(), Break> {
        let mut rest = events.as_slice();
        while !rest.is_empty() {
            // What was read at a version is installed exactly there, before the next event.
            let bound = self.installs.first_key_value().map_or(Version::MAX, |(version, _)| *version);
            let upto = rest.iter().take_while(|event| event.number <= bound).count();
            let (now, later) = rest.split_at(upto.max(1));
            self.apply(now).await?;
            self.observe_lag(now);
            self.install();
            rest = later;
        }
        Ok(())
    }

    /// How long the last of these was under way, by the clocks of Redis and of this machine.
    fn observe_lag(&self, events: &[NumberedEvent]) {
        let written = events.last().and_then(|event| event.event.cursor.split_once('-')?.0.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let lag = now.saturating_sub(Duration::from_millis(written.unwrap_or(0)));
        self.counters.lag.observe(lag.as_secs_f64());
    }

    async fn apply(&mut self, events: &[NumberedEvent]) -> Result<(), Break> {
        if events.iter().any(|event| event.event.event == "policy_changed") {
            return Err(Break("the policy changed".to_owned()));
        }
        let needs: HashSet<PartName> = events.iter().flat_map(|event| self.topics.needs(&event.event)).collect();
        let needs: Vec<PartName> = needs.into_iter().collect();
        let mut fresh = Fresh::default();
        for names in needs.chunks(PARTS_MAX) {
            let moment = self.read(names).await?;
            fresh.parts.extend(names.iter().cloned().zip(moment.parts));
        }
        let now = Instant::now();
        for event in events {
            let queues = self.topics.apply(event, &fresh, now);
            for queue in queues {
                self.installs.entry(queue.version).or_default().push(Install::Queue(queue));
            }
            if let Some(followed) = &mut self.followed {
                followed.last = event.number;
                followed.at = with_zone(event.event.at, self.topics.zone);
            }
            self.install();
        }
        Ok(())
    }

    /// Begins anew: what is held may be wrong.
    fn restart(&mut self, why: &str) {
        if self.followed.is_some() {
            self.counters.afresh.inc();
            tracing::info!(org = %self.org, "reading the documents of {} afresh: {why}", self.org);
        }
        self.followed = None;
        self.installs.clear();
        self.topics.forget();
        // Slots that were held had no waiters; those that ask now wait for all they named.
        for slot in self.topics.slots.values_mut() {
            slot.waiters.clear();
        }
        for (id, pending) in &mut self.pending {
            pending.missing = pending.request.topics.len();
            for (topic, _) in &pending.request.topics {
                self.topics.slots.entry(topic.clone()).or_default().waiters.push(*id);
            }
        }
        self.to_read.clear();
        self.retry_at = Instant::now() + if why.starts_with(AWAY) { RETRY } else { Duration::ZERO };
    }

    fn count_topics(&mut self) {
        self.topics.keep_few_idle(self.idle_max, Instant::now());
        let topics = i64::try_from(self.topics.slots.len()).unwrap_or(i64::MAX);
        self.counters.topics.add(topics - self.counted);
        self.counted = topics;
    }

    fn sweep(&mut self, now: Instant) {
        self.topics.sweep(now);
        if self.topics.slots.is_empty() && self.pending.is_empty() {
            self.followed = None;
            self.installs.clear();
        }
    }
}

const AWAY: &str = "the store is away";

fn away(error: &StoreError) -> Break {
    Break(format!("{AWAY}: {error}"))
}

/// The next step of the tail; never, where nothing is followed.
async fn next_step(followed: &mut Option<Followed>) -> TailStep {
    match followed {
        Some(followed) => {
            let ended = || TailStep::Broken("the tail ended".to_owned());
            followed.tail.recv().await.unwrap_or_else(ended)
        }
        None => std::future::pending().await,
    }
}

/// When the last event before a moment happened, as far as its cursor tells.
fn instant_of(moment: &Moment) -> String {
    let ms = moment.cursor.split_once('-').and_then(|(ms, _)| ms.parse().ok()).unwrap_or(0);
    from_ms(ms).map_or_else(String::new, |at| with_zone(at, moment.zone))
}
