//! Wakes many sessions of one thread by waking the thread once: to wake a task from another thread costs a call into
//! the kernel, and a change that thousands hear of would make thousands.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use tokio::sync::Notify;

use super::hub::locked;

/// Of one of the web server's threads.
#[derive(Debug, Default)]
pub struct Bell {
    /// Tasks of the thread that have something to do.
    called: Mutex<Vec<Waker>>,
    rung: Notify,
}

thread_local! {
    static HERE: OnceCell<Arc<Bell>> = const { OnceCell::new() };
}

impl Bell {
    /// This thread's, which must be one of the web server's.
    pub fn here() -> Arc<Bell> {
        let hang = || {
            let bell = Arc::new(Bell::default());
            actix_web::rt::spawn(Arc::clone(&bell).listen());
            bell
        };
        HERE.with(|here| Arc::clone(here.get_or_init(hang)))
    }

    /// Has a task of the bell's thread woken there, together with all others that are called meanwhile.
    pub fn ring(&self, task: Waker) {
        let mut called = locked(&self.called);
        called.push(task);
        if called.len() == 1 {
            self.rung.notify_one();
        }
    }

    async fn listen(self: Arc<Bell>) {
        loop {
            self.rung.notified().await;
            let called = std::mem::take(&mut *locked(&self.called));
            called.into_iter().for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Woken>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn everyone_who_was_called_is_woken_once() {
        let (bell, woken) = (Arc::new(Bell::default()), Arc::new(Woken::default()));
        let listening = tokio::spawn(Arc::clone(&bell).listen());
        for round in 1..=3 {
            for _ in 0..100 {
                bell.ring(Waker::from(Arc::clone(&woken)));
            }
            while woken.0.load(Ordering::Relaxed) < round * 100 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), 300);
        listening.abort();
    }
}
