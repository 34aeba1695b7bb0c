//! Who a call is made for, and what it costs them.
//!
//! The caller of a request stands in a task-local value around its handler, so that no function of the store carries
//! it along. What is done for nobody in particular (the jobs, live documents) has no payer.

use std::future::Future;
use std::sync::Arc;

/// Somebody whose work is counted.
pub struct Payer {
    /// Names the caller among all others.
    pub caller: String,
    /// Whether the request only reads. What a writing one reads on its way is part of the write.
    pub reads: bool,
    pay: Box<dyn Fn(u32) + Send + Sync>,
}

tokio::task_local! {
    static PAYER: Arc<Payer>;
}

impl Payer {
    /// `pay` is told after each call how many stored things it looked at. That may be after the request has ended.
    pub fn new(caller: String, reads: bool, pay: impl Fn(u32) + Send + Sync + 'static) -> Payer {
        Payer { caller, reads, pay: Box::new(pay) }
    }

    /// Does `work` for this payer.
    pub async fn for_whom<F: Future>(self, work: F) -> F::Output {
        PAYER.scope(Arc::new(self), work).await
    }

    pub(super) fn current() -> Option<Arc<Payer>> {
        PAYER.try_with(Arc::clone).ok()
    }

    pub(super) fn pays(&self, things: u32) {
        (self.pay)(things);
    }
}
