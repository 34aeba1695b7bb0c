//! Many listeners on a thread of their own, so that whoever makes the changes keeps exact time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::socket::{Dialect, Frame, Socket};
use crate::Result;

/// Changes have reached everyone who will hear of them.
const HEARD_MAX: Duration = Duration::from_secs(60);

/// Connections that are opened at the same time.
const OPENING: usize = 32;

/// What listeners have heard.
#[derive(Default)]
struct Heard {
    at: Mutex<Vec<Instant>>,
    bytes: AtomicU64,
    /// So many make a change complete; whoever waits is woken once.
    complete: AtomicUsize,
    all: Notify,
    ended: AtomicUsize,
}

impl Heard {
    fn change(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.push(Instant::now());
        if at.len() == self.complete.load(Ordering::Relaxed) {
            self.all.notify_one();
        }
    }
}

/// Listeners; they go when this is dropped.
pub struct Crowd {
    heard: Arc<Heard>,
    listeners: usize,
    _stay: oneshot::Sender<()>,
}

impl Crowd {
    /// Opens a connection for each hello, and waits until all of them listen. An empty hello is not said.
    pub async fn gather(port: u16, dialect: Dialect, hellos: Vec<String>) -> Result<Crowd> {
        let heard = Arc::new(Heard::default());
        let listeners = hellos.len();
        let (stay, leave) = oneshot::channel();
        let (gathered, told) = oneshot::channel();
        let shared = Arc::clone(&heard);
        thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, async {
                let outcome = listen_all(port, dialect, hellos, &shared).await;
                let _ = gathered.send(outcome.map_err(|error| error.to_string()));
                let _ = leave.await;
            });
        });
        told.await??;
        Ok(Crowd { heard, listeners, _stay: stay })
    }

    /// Bytes of changes that arrived, on average.
    pub fn change_bytes(&self, deliveries: f64) -> f64 {
        self.heard.bytes.load(Ordering::Relaxed) as f64 / deliveries
    }

    /// Forgets what was heard, before so many changes are made.
    pub fn expect(&self, changes: u32) {
        self.heard.complete.store(self.listeners * changes as usize, Ordering::Relaxed);
        self.lock().clear();
    }

    /// When each listener heard of each change.
    pub async fn heard(&self) -> Result<Vec<Instant>> {
        let complete = self.heard.complete.load(Ordering::Relaxed);
        let waited = timeout(HEARD_MAX, async {
            while self.lock().len() < complete {
                self.heard.all.notified().await;
            }
        });
        if waited.await.is_err() {
            let (heard, ended) = (self.lock().len(), self.heard.ended.load(Ordering::Relaxed));
            return Err(format!("{heard} of {complete} frames came, {ended} listeners had ended").into());
        }
        Ok(self.lock().clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Instant>> {
        self.heard.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens every connection and leaves a task with each.
async fn listen_all(port: u16, dialect: Dialect, hellos: Vec<String>, heard: &Arc<Heard>) -> Result<()> {
    let opening = Arc::new(Semaphore::new(OPENING));
    let mut opened = Vec::with_capacity(hellos.len());
    for hello in hellos {
        let turn = Arc::clone(&opening).acquire_owned();
        opened.push(tokio::task::spawn_local(async move {
            let _turn = turn.await.map_err(|error| error.to_string())?;
            open(port, dialect, &hello).await.map_err(|error| error.to_string())
        }));
    }
    for socket in opened {
        tokio::task::spawn_local(listen(socket.await??, dialect, Arc::clone(heard)));
    }
    Ok(())
}

async fn open(port: u16, dialect: Dialect, hello: &str) -> Result<Socket> {
    let mut socket = Socket::open(port, dialect).await?;
    if !hello.is_empty() {
        socket.send(hello).await?;
    }
    if let Some(ready) = dialect.ready {
        socket.until(ready).await?;
    }
    Ok(socket)
}

/// Notes each change until the connection ends.
async fn listen(mut socket: Socket, dialect: Dialect, heard: Arc<Heard>) {
    while let Ok(Frame::Text(text)) = socket.next().await {
        if text.starts_with(dialect.change) {
            heard.change(text.len());
        }
    }
    heard.ended.fetch_add(1, Ordering::Relaxed);
}
