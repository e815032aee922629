//! What the message centre remembers beyond one link: who is bound, and texts of which parts are
//! still missing. Brings deliveries again until they are taken.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusmpp::pdus::DeliverSm;
use tokio::sync::{mpsc, oneshot, watch};

use crate::sandbox::Sandbox;

/// How long a delivery waits for its answer.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest wait before a delivery is brought again.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Texts of which parts are missing.
const MAX_TEXTS: usize = 1_000;

/// A delivery for a link, and where its answer's status goes.
pub(super) struct Order {
    pub(super) delivery: DeliverSm,
    pub(super) answer: oneshot::Sender<u32>,
}

/// A link that receives.
struct Receiver {
    link: u64,
    account: String,
    orders: mpsc::Sender<Order>,
}

/// One part of a text.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) wants_receipt: bool,
}

/// What makes parts belong together: account, phone, reference and how many.
pub(super) type TextKey = (String, String, u16, u8);

#[derive(Default)]
struct Texts {
    parts: HashMap<TextKey, BTreeMap<u8, Part>>,
    order: VecDeque<TextKey>,
}

/// The centre's memory.
#[derive(Default)]
pub(in crate::sandbox) struct Centre {
    receivers: Mutex<Vec<Receiver>>,
    bound: watch::Sender<u64>,
    texts: Mutex<Texts>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Centre {
    /// A link of that account receives from now on.
    pub(super) fn bind(&self, link: u64, account: &str, orders: mpsc::Sender<Order>) {
        let account = account.to_owned();
        lock(&self.receivers).push(Receiver { link, account, orders });
        self.bound.send_modify(|count| *count += 1);
    }

    /// A link is gone.
    pub(super) fn unbind(&self, link: u64) {
        lock(&self.receivers).retain(|receiver| receiver.link != link);
    }

    /// A link that receives for the account; the next one each time.
    fn receiver(&self, account: &str) -> Option<mpsc::Sender<Order>> {
        let mut receivers = lock(&self.receivers);
        let at = receivers.iter().position(|receiver| receiver.account == account)?;
        let receiver = receivers.remove(at);
        let orders = receiver.orders.clone();
        receivers.push(receiver);
        Some(orders)
    }

    /// Takes a part; gives all of them once the last is there.
    pub(super) fn gather(&self, key: &TextKey, at: u8, part: Part) -> Option<Vec<Part>> {
        let mut texts = lock(&self.texts);
        if !texts.parts.contains_key(key) {
            texts.order.push_back(key.clone());
            if texts.order.len() > MAX_TEXTS
                && let Some(oldest) = texts.order.pop_front()
            {
                texts.parts.remove(&oldest);
            }
        }
        let parts = texts.parts.entry(key.clone()).or_default();
        parts.insert(at, part);
        if parts.len() < usize::from(key.3) {
            return None;
        }
        texts.order.retain(|known| known != key);
        texts.parts.remove(key).map(|parts| parts.into_values().collect())
    }
}

/// Brings a delivery until a link of the account takes it or the sandbox ends; `twice`, once more
/// after that.
pub(super) async fn bring(sandbox: &Sandbox, account: &str, delivery: &DeliverSm, twice: bool) {
    bring_once(sandbox, account, delivery).await;
    if twice {
        bring_once(sandbox, account, delivery).await;
    }
}

async fn bring_once(sandbox: &Sandbox, account: &str, delivery: &DeliverSm) {
    let centre = &sandbox.0.centre;
    let mut wait = sandbox.0.settings.redelivery.max(Duration::from_millis(1));
    let mut bound = centre.bound.subscribe();
    while !sandbox.0.closing.is_cancelled() {
        bound.mark_unchanged();
        let Some(orders) = centre.receiver(account) else {
            tokio::select! {
                _ = bound.changed() => {}
                () = sandbox.0.closing.cancelled() => {}
            }
            continue;
        };
        let (answer, answered) = oneshot::channel();
        let order = Order { delivery: delivery.clone(), answer };
        let exchange = async {
            orders.send(order).await.ok()?;
            answered.await.ok()
        };
        let ended = sandbox.0.closing.cancelled();
        let answer = tokio::select! {
            answer = tokio::time::timeout(ANSWER, exchange) => answer,
            () = ended => return,
        };
        match answer {
            Ok(Some(0)) => return,
            // The link is gone: another, or the next, may take it at once.
            Ok(None) if centre.receiver(account).is_none() => {}
            _ => {
                tracing::debug!(?wait, "delivery not taken, bringing it again");
                sandbox.pause(wait).await;
                wait = (wait * 2).min(MAX_WAIT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str) -> Part {
        Part { id: id.into(), text: id.into(), wants_receipt: false }
    }

    #[test]
    fn parts_are_gathered_in_order_and_a_repeat_takes_the_place_of_the_first() {
        let centre = Centre::default();
        let key = || ("a".to_owned(), "62812".to_owned(), 7, 3);
        assert!(centre.gather(&key(), 3, part("c")).is_none());
        assert!(centre.gather(&key(), 1, part("x")).is_none());
        assert!(centre.gather(&key(), 1, part("a")).is_none());
        let parts = centre.gather(&key(), 2, part("b")).unwrap();
        assert_eq!(parts.iter().map(|part| part.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(lock(&centre.texts).order.is_empty());
    }

    #[test]
    fn the_oldest_incomplete_text_makes_room() {
        let centre = Centre::default();
        for reference in 0..2_000 {
            centre.gather(&("a".into(), "62812".into(), reference, 2), 1, part("a"));
        }
        assert_eq!(lock(&centre.texts).parts.len(), MAX_TEXTS);
    }
}
