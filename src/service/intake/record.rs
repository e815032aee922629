//! Takes one record into the transaction of its batch: the person it is about, their chat, and the
//! update of their card.
//!
//! Decides nothing about news: that is done when a record comes here. Leaves nothing with somebody
//! whom the record was never about.

use std::time::Duration;

use super::{Intake, Taken};
use crate::domain::absence::Absence;
use crate::domain::card::{CardUpdate, PhoneGiven};
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::id::{HoldId, PersonId};
use crate::domain::nik::Nik;
use crate::domain::phone::PhoneNumber;
use crate::domain::raw_update::RawUpdate;
use crate::domain::status_word::parse_document;
use crate::service::card::{self, Item, Recorded};
use crate::service::{ServiceError, connect};
use crate::source::Record;
use crate::store::{
    Tx, binding, card as card_store, message, person, rejection, source_row, visit,
};

impl Intake<'_> {
    /// Records what a record says, after the note of having seen it is written.
    pub(super) async fn record_one(
        &self,
        tx: &mut Tx,
        taken: &Taken,
        hold: Option<HoldId>,
    ) -> Result<Recorded, ServiceError> {
        let (app, source, now) = (self.app, self.plan.source, self.now);
        if let Some(id) = taken.before.as_ref().and_then(|before| before.rejection) {
            // Said anew, it is either taken now or rejected with reasons of its own.
            rejection::mark_resolved(tx, id, now).await?;
        }
        self.let_go(tx, taken).await?;
        let nik = Nik::parse(&taken.record.update.nik).ok();
        let on_file = match &nik {
            Some(nik) => person::find_by_nik(tx, &app.db, nik).await?,
            None => None,
        };
        if taken.record.absence.is_some() && on_file.is_none() && nik.is_some() {
            // Nothing needs to be kept of somebody who is gone and was never heard of.
            return Ok(Recorded::Duplicate);
        }
        let raw = taken.record.update.to_json().to_string();
        let mut update = taken.record.update.clone();
        update.id = format!("{}@{}", taken.row.key_hash, taken.row.known.version);
        if update.is_undated {
            let mut at = taken.row.known.occurred_at;
            if let Some(person) = on_file.as_ref().filter(|_| taken.before.is_none()) {
                at = self.not_over_others(tx, taken, person.id, at).await?;
            }
            update.occurred_at = at.utc().to_rfc3339();
        }
        update.is_silent |= !taken.is_news || taken.record.absence.is_some();
        self.tie(tx, &taken.record, &update, on_file.is_some()).await?;
        let item = Item { update: Ok(update), raw };
        let result = card::record_in(app, tx, source, &item, hold, now).await?;
        let was_absent = taken.before.as_ref().and_then(|before| before.absence);
        if let (Some(on_file), Some(hash)) = (&on_file, &taken.row.nik_hash)
            && taken.record.absence.is_some()
            && was_absent != taken.record.absence
            && Absence::of(&source_row::list_absences(tx, hash).await?).is_some()
        {
            withdraw(tx, on_file.id, now).await?;
        }
        Ok(result)
    }

    /// A NIK that is mended was somebody else's all the time: they keep neither the number nor the
    /// chat of this record, and are not told of what it said.
    async fn let_go(&self, tx: &mut Tx, taken: &Taken) -> Result<(), ServiceError> {
        let (app, now) = (self.app, self.now);
        let Some(before) = taken.before.as_ref() else { return Ok(()) };
        let Some(hash) = before.nik_hash.as_ref().filter(|_| before.nik_hash != taken.row.nik_hash)
        else {
            return Ok(());
        };
        let Some(other) = person::find_by_nik_hash(tx, &app.db, hash).await? else {
            return Ok(());
        };
        binding::replace_of_source(tx, self.plan.source, other.id, None, now).await?;
        if let Ok(phone) = PhoneNumber::parse(&taken.record.update.phone)
            && other.phone.as_ref() == Some(&phone)
        {
            person::release_phone_of(tx, other.id, "wrong_person", now).await?;
        }
        withdraw(tx, other.id, now).await
    }

    /// When a state came about that was there before anybody watched. The record may have been
    /// changed for other reasons since: it does not stand above what another source said of the
    /// card and when.
    async fn not_over_others(
        &self,
        tx: &mut Tx,
        taken: &Taken,
        person: PersonId,
        at: Timestamp,
    ) -> Result<Timestamp, ServiceError> {
        let document = document_of(&taken.record.update);
        let Some(document) = document.filter(|_| !taken.is_news) else { return Ok(at) };
        let card = card_store::find_latest(tx, &self.app.db, person, document).await?;
        let limit = card.map(|card| card.on_file.status_at.before(Duration::from_millis(1)));
        Ok(limit.map_or(at, |limit| at.min(limit)))
    }

    /// Ties a person to the chat their register has of them, before anything is told to them; to
    /// that end they must be on file.
    async fn tie(
        &self,
        tx: &mut Tx,
        record: &Record,
        update: &RawUpdate,
        is_on_file: bool,
    ) -> Result<(), ServiceError> {
        let (app, now) = (self.app, self.now);
        let Ok(checked) = update.check(app.zone(None).offset(), now) else { return Ok(()) };
        let nik = checked.nik.clone();
        if !is_on_file {
            if record.chat.is_none() {
                return Ok(());
            }
            // Whether the number may be used is for the recording to say.
            let update = CardUpdate { phone: PhoneGiven::NotGiven, ..checked };
            let id = app.ids.next(now);
            person::upsert_person(tx, &app.db, None, id, &update, now).await?;
        }
        connect::take_over(app, tx, self.plan.source, &nik, record.chat, now).await
    }
}

/// Which paper is meant; the card unless it is said.
pub(super) fn document_of(update: &RawUpdate) -> Option<Document> {
    if update.document.trim().is_empty() {
        return Some(Document::KtpEl);
    }
    parse_document(&update.document).ok()
}

/// Nobody is told of the card of somebody who is gone.
async fn withdraw(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<(), ServiceError> {
    for card in card_store::list_current(tx, person).await? {
        message::cancel_waiting_of_card(tx, card.id, "holder_absent", now).await?;
        visit::close_superseded(tx, card.id, now).await?;
    }
    Ok(())
}
