//! Group commit: callers that arrive together share one transaction, and each is answered only
//! after its commit. Durability then costs a commit per group, not per caller.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// What a group could not commit; every caller of the group gets it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the group was not committed")]
pub struct GroupError(#[source] pub Arc<StoreError>);

type Waiting<T> = (Vec<T>, oneshot::Sender<Result<(), GroupError>>);

/// Hands items to the one task that commits them.
#[derive(Clone, Debug)]
pub struct Group<T> {
    queue: mpsc::Sender<Waiting<T>>,
}

impl<T: Send + 'static> Group<T> {
    /// Starts the committing task. `commit` is called with at least one item and, but for a single
    /// caller's larger bundle, at most `max`; `capacity` callers may wait before new ones do.
    pub fn start<F, Fut>(max: usize, capacity: usize, commit: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), StoreError>> + Send,
    {
        let (queue, mut waiting) = mpsc::channel::<Waiting<T>>(capacity);
        tokio::spawn(async move {
            while let Some((mut items, answer)) = waiting.recv().await {
                let mut answers = vec![answer];
                while items.len() < max {
                    let Ok((more, answer)) = waiting.try_recv() else { break };
                    items.extend(more);
                    answers.push(answer);
                }
                let result = commit(items).await.map_err(|error| GroupError(Arc::new(error)));
                for answer in answers {
                    // A caller that went away has its items committed all the same.
                    let _ = answer.send(result.clone());
                }
            }
        });
        Self { queue }
    }

    /// Returns once the items are committed.
    ///
    /// # Errors
    /// [`GroupError`] when the group could not be committed; then none of it is.
    pub async fn submit(&self, items: Vec<T>) -> Result<(), GroupError> {
        if items.is_empty() {
            return Ok(());
        }
        let gone = || GroupError(Arc::new(StoreError::Unusable("shutting down".to_owned())));
        let (answer, done) = oneshot::channel();
        self.queue.send((items, answer)).await.map_err(|_| gone())?;
        done.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn callers_that_arrive_together_share_a_commit_and_all_are_answered() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        let group = Group::start(100, 100, move |items: Vec<u32>| {
            seen.lock().unwrap().push(items.len());
            async { Ok(()) }
        });
        let calls = (0..50).map(|n| group.submit(vec![n]));
        let results = futures_util::future::join_all(calls).await;
        assert!(results.iter().all(Result::is_ok));
        let sizes = sizes.lock().unwrap();
        assert_eq!(sizes.iter().sum::<usize>(), 50);
        assert!(sizes.len() < 10, "{} commits for 50 callers", sizes.len());
    }

    #[tokio::test]
    async fn a_failed_commit_is_told_to_every_caller_of_the_group() {
        let group = Group::start(10, 10, |_: Vec<u32>| async { Err(StoreError::Conflict("test")) });
        assert!(group.submit(vec![1]).await.is_err());
        assert!(group.submit(vec![2]).await.is_err());
    }
}
