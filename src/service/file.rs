//! Messages that bring a file: the provider gets it once for each account and is told its name from then on.
//!
//! What a name is worth stands in the database, so that a restart uploads nothing again. Messages with one file wait
//! for its upload; when that fails none of them tries again for a while, and the account is free for all others.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::{Account, App};
use crate::channel::{
    Accepted, FILE_LOST, Fault, FileSource, Form, Outbound, Scope, SendError, Upload,
};
use crate::domain::clock::Timestamp;
use crate::store::StoreError;
use crate::store::attachment::{self as rows, Handle};

/// Words for a file that the provider has no more, or cannot read: Meta's, and what Telegram's mean.
const LOST: [&str; 3] = ["131052", "131053", FILE_LOST];
/// How long a file is left alone that could not be uploaded.
const REST: Duration = Duration::from_secs(60);
/// Names that are remembered; more are looked up again.
const MOST: usize = 100;

/// The names of files at one account's provider. Whoever brings a file holds them: the others with the same file
/// wait, and find it there.
#[derive(Debug, Default)]
pub(super) struct Handles(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    names: BTreeMap<String, Handle>,
    /// Files that could not be uploaded, and until when nobody tries again.
    failed: BTreeMap<String, Timestamp>,
}

/// Hands a message to its provider, with the file that belongs to it.
///
/// # Errors
/// As [`crate::channel::Channel::send`].
pub(super) async fn send(
    app: &App,
    account: &Account,
    handles: &Handles,
    mut outbound: Outbound,
) -> Result<Accepted, SendError> {
    let Form::WithFile { file, source, .. } = &mut outbound.form else {
        return account.adapter.send(&outbound).await;
    };
    let file = file.clone();
    let mut known = handles.0.lock().await;
    if known.failed.get(&file.hash).is_some_and(|until| *until > app.now()) {
        let fault = Fault::new("no_file", "the file of the message could not be uploaded just now");
        return Err(SendError::Retry { after: Some(REST), scope: Scope::File, fault });
    }
    let kept = match known.names.get(&file.hash) {
        Some(handle) => Some(handle.clone()),
        None => {
            rows::find_handle(&app.db, &file.hash, &account.id).await.map_err(|e| not_now(&e))?
        }
    };
    let good = kept.filter(|handle| handle.is_good(app.now()));
    let was_known = good.is_some();
    let handle = if let Some(handle) = good {
        handle
    } else {
        let bytes = rows::find_bytes(&app.db, &file.hash).await.map_err(|e| not_now(&e))?;
        let Some(bytes) = bytes.map(Bytes::from) else {
            let fault = Fault::new("no_file", "the file of the message is not there any more");
            return Err(SendError::Rejected(fault));
        };
        let upload = Upload { file: &file, bytes: bytes.clone() };
        let uploaded = account.adapter.upload(&upload).await;
        if uploaded.is_err() {
            known.fail(&file.hash, app.now());
        } else {
            known.failed.remove(&file.hash);
        }
        // Until it is uploaded no call was made for the message itself.
        let uploaded = uploaded.map_err(|error| match error {
            SendError::Retry { after, scope: Scope::Message, fault } => {
                SendError::Retry { after, scope: Scope::File, fault }
            }
            other => other,
        });
        let Some(uploaded) = uploaded? else {
            *source = FileSource::Bytes(bytes);
            let sent = account.adapter.send(&outbound).await;
            if matches!(sent, Err(SendError::Retry { .. } | SendError::Unknown(_))) {
                known.fail(&file.hash, app.now());
            }
            let sent = sent?;
            if let Some(name) = sent.file.clone() {
                let handle = Handle { name, expires_at: None };
                keep(app, account, &mut known, &file.hash, handle).await;
            }
            return Ok(sent);
        };
        let expires_at = uploaded.lasts.map(|lasts| app.now().after(lasts));
        let handle = Handle { name: uploaded.handle, expires_at };
        keep(app, account, &mut known, &file.hash, handle.clone()).await;
        handle
    };
    known.keep(&file.hash, handle.clone());
    drop(known);
    *source = FileSource::Known(handle.name.clone());
    let sent = account.adapter.send(&outbound).await;
    if let Err(error) = &sent
        && LOST.contains(&error.fault().code.as_str())
    {
        let is_lost = handles.0.lock().await.lose(&file.hash, &handle.name);
        if is_lost && let Err(error) = rows::forget_handle(&app.db, &file.hash, &account.id).await {
            tracing::warn!(account = %account.id, "a file's name could not be forgotten: {error}");
        }
        // Refused for its old name alone, it was not sent, and goes out with the file brought anew.
        if was_known {
            let fault = error.fault().clone();
            return Err(SendError::Retry { after: None, scope: Scope::Message, fault });
        }
    }
    sent
}

/// Remembers a name. That it cannot be written down costs another upload after a restart, and no message.
async fn keep(app: &App, account: &Account, known: &mut Known, hash: &str, handle: Handle) {
    if let Err(error) = rows::keep_handle(&app.db, hash, &account.id, &handle).await {
        tracing::warn!(account = %account.id, "a file's name could not be kept: {error}");
    }
    known.keep(hash, handle);
}

impl Known {
    fn keep(&mut self, hash: &str, handle: Handle) {
        if self.names.len() >= MOST {
            self.names.clear();
        }
        self.names.insert(hash.to_owned(), handle);
    }

    fn fail(&mut self, hash: &str, now: Timestamp) {
        self.failed.retain(|_, until| *until > now);
        self.failed.insert(hash.to_owned(), now.after(REST));
    }

    /// Forgets a name, unless the file has another by now.
    fn lose(&mut self, hash: &str, name: &str) -> bool {
        let is_it = self.names.get(hash).is_none_or(|handle| handle.name == name);
        if is_it {
            self.names.remove(hash);
        }
        is_it
    }
}

impl Handle {
    /// Whether the provider still knows it by that name.
    fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|until| until > now)
    }
}

fn not_now(error: &StoreError) -> SendError {
    tracing::error!("a file cannot be read: {error}");
    let fault = Fault::new("no_file", "the file of the message cannot be read at present");
    SendError::Retry { after: None, scope: Scope::Message, fault }
}
