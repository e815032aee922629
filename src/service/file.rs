//! Messages that bring a file: the provider gets it once for each account and is told its name from then on.
//!
//! What a name is worth stands in the database, so that a restart uploads nothing again. Messages without a file
//! never wait for one that has.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::{Account, App};
use crate::channel::{Accepted, Fault, FileSource, Form, Outbound, Scope, SendError, Upload};
use crate::domain::clock::Timestamp;
use crate::store::StoreError;
use crate::store::attachment::{self as rows, Handle};

/// Meta's words for a file that it has no more, or cannot read.
const LOST: [&str; 2] = ["131052", "131053"];
/// Names that are remembered; more are looked up again.
const MOST: usize = 100;

/// The names of files at one account's provider. Whoever brings a file holds them: the others with the same file
/// wait, and find it there.
#[derive(Debug, Default)]
pub(super) struct Handles(Mutex<BTreeMap<String, Handle>>);

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
    let kept = match known.get(&file.hash) {
        Some(handle) => Some(handle.clone()),
        None => {
            rows::find_handle(&app.db, &file.hash, &account.id).await.map_err(|e| not_now(&e))?
        }
    };
    let good = kept.filter(|handle| handle.is_good(app.now()));
    let handle = if let Some(handle) = good {
        handle
    } else {
        let bytes = rows::find_bytes(&app.db, &file.hash).await.map_err(|e| not_now(&e))?;
        let Some(bytes) = bytes.map(Bytes::from) else {
            let fault = Fault::new("no_file", "the file of the message is not there any more");
            return Err(SendError::Rejected(fault));
        };
        let upload = Upload { file: &file, bytes: bytes.clone() };
        let Some(uploaded) = account.adapter.upload(&upload).await? else {
            *source = FileSource::Bytes(bytes);
            let sent = account.adapter.send(&outbound).await?;
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
    known.insert(file.hash.clone(), handle.clone());
    drop(known);
    *source = FileSource::Known(handle.name);
    let sent = account.adapter.send(&outbound).await;
    if let Err(error) = &sent
        && LOST.contains(&error.fault().code.as_str())
    {
        handles.0.lock().await.remove(&file.hash);
        if let Err(error) = rows::forget_handle(&app.db, &file.hash, &account.id).await {
            tracing::warn!(account = %account.id, "a file's name could not be forgotten: {error}");
        }
    }
    sent
}

/// Remembers a name. That it cannot be written down costs another upload after a restart, and no message.
async fn keep(
    app: &App,
    account: &Account,
    known: &mut BTreeMap<String, Handle>,
    hash: &str,
    handle: Handle,
) {
    if let Err(error) = rows::keep_handle(&app.db, hash, &account.id, &handle).await {
        tracing::warn!(account = %account.id, "a file's name could not be kept: {error}");
    }
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(hash.to_owned(), handle);
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
