//! The picture or the PDF of a broadcast: taken, taken away, shown, and why it cannot be sent.
//!
//! What a file is, its first bytes say. A file is no citizen's data: it goes to everybody.

use super::write::withdraw;
use super::{BroadcastError, close, find, invalid, open};
use crate::domain::attachment::{Attachment, FileKind, FileRefusal};
use crate::domain::audit::Action;
use crate::domain::id::BroadcastId;
use crate::domain::message::ChannelKind;
use crate::domain::officer::{Actor, Right};
use crate::service::App;
use crate::store::StoreError;
use crate::store::attachment as rows;
use crate::store::broadcast::{Broadcast, update_broadcast};
use crate::store::template_state::list_known;

/// Gives a broadcast a picture or a PDF, in place of the one it had. An approval is withdrawn.
///
/// # Errors
/// [`BroadcastError::Invalid`] when it is neither or too large, and what else [`BroadcastError`] says.
pub async fn attach(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    name: &str,
    bytes: &[u8],
) -> Result<Attachment, BroadcastError> {
    // Whoever may not see it hears nothing of what is wrong with the file.
    find(app, actor, Right::Broadcast, id).await?;
    let kind = FileKind::of(bytes).map_err(|error| {
        invalid(error.to_string(), "a JPEG or PNG of at most 5 MB, or a PDF of at most 10 MB")
    })?;
    let file = Attachment { hash: rows::file_hash(bytes), kind, name: kind.name_of(name) };
    replace(app, actor, id, Some((&file, bytes))).await?;
    Ok(file)
}

/// Takes the picture or the PDF of a broadcast away. An approval is withdrawn.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn detach(app: &App, actor: &Actor, id: BroadcastId) -> Result<(), BroadcastError> {
    replace(app, actor, id, None).await
}

async fn replace(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    new: Option<(&Attachment, &[u8])>,
) -> Result<(), BroadcastError> {
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    withdraw(&mut found, actor)?;
    if let Some((file, bytes)) = new {
        rows::insert_file(&mut tx, &file.hash, file.kind, bytes, now).await?;
    }
    let old = std::mem::replace(&mut found.attachment, new.map(|(file, _)| file.clone()));
    if let Some(old) = old {
        update_broadcast(&mut tx, &found).await?;
        rows::drop_unused(&mut tx, &old.hash).await?;
    }
    let detail = new.map_or_else(
        || "without a file".to_owned(),
        |(file, bytes)| format!("{}, {} bytes", file.kind, bytes.len()),
    );
    close(app, tx, actor, Action::WroteBroadcast, &mut found, Some(&detail), now).await
}

/// The file of a broadcast with all its bytes; none when it has none.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn file(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
) -> Result<Option<(Attachment, Vec<u8>)>, BroadcastError> {
    let found = find(app, actor, Right::SeeBroadcasts, id).await?;
    let Some(file) = found.attachment else { return Ok(None) };
    let bytes = rows::find_bytes(&app.db, &file.hash).await?;
    Ok(bytes.map(|bytes| (file, bytes)))
}

/// Why the file of a broadcast cannot be sent. A template of which the provider has said nothing counts as
/// approved, as it does for announcements.
pub(super) async fn refusal(
    app: &App,
    broadcast: &Broadcast,
) -> Result<Option<FileRefusal>, StoreError> {
    let Some(file) = &broadcast.attachment else { return Ok(None) };
    if !app.accounts.iter().any(|account| account.channel == ChannelKind::Whatsapp) {
        return Ok(None);
    }
    let template = app.templates.broadcast();
    let Some(name) = template.with_file(file.kind) else {
        return Ok(Some(FileRefusal::NoTemplate));
    };
    let is_ours = |account: &str| app.account(account).is_some();
    let known = list_known(&app.db).await?;
    let is_held = known.iter().any(|known| {
        let news = &known.news;
        news.name == name
            && news.language == template.language
            && is_ours(&known.account)
            && news.state.is_some_and(|state| !state.is_sendable())
    });
    Ok(is_held.then_some(FileRefusal::NotApproved))
}
