//! What providers' refusals teach about addresses: who asked to stop, who cannot be reached where.

use super::{App, ServiceError, stop};
use crate::domain::clock::Timestamp;
use crate::domain::consent::Lesson;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Recipient;
use crate::store::consent::{self, ConsentChange};
use crate::store::suppression::{NewSuppression, SuppressionReason, insert_suppression};
use crate::store::{Tx, message, person};

/// Messages in a row that could not be brought before nobody is believed to be there.
const UNDELIVERED_IN_A_ROW: i64 = 3;

/// Something learnt about an address.
#[derive(Clone, Debug)]
pub struct Taught {
    /// What.
    pub lesson: Lesson,
    /// Where.
    pub channel: ChannelKind,
    /// Hash of the address.
    pub address_hash: String,
    /// The address.
    pub address: Recipient,
    /// The provider's code.
    pub code: String,
}

/// Writes down what was learnt.
///
/// # Errors
/// When the database fails.
pub async fn learn(
    app: &App,
    tx: &mut Tx,
    taught: &Taught,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let hashes = std::slice::from_ref(&taught.address_hash);
    let reason = match taught.lesson {
        Lesson::WindowClosed => return Ok(()),
        Lesson::OptedOut => {
            // A word to an operator is a word to us; a chat that was closed speaks for itself.
            let people = match &taught.address.phone {
                Some(phone) if taught.channel != ChannelKind::Telegram => {
                    person::list_by_phone(tx, &app.db, phone).await?
                }
                _ => Vec::new(),
            };
            return stop::opt_out(app, tx, hashes, &people, now).await;
        }
        Lesson::NoMarketing => {
            consent::apply(tx, hashes, ConsentChange::NoMarketing, now).await?;
            return Ok(());
        }
        Lesson::NotReachable => SuppressionReason::NotReachable,
        Lesson::Undelivered => {
            let (hash, last) = (&taught.address_hash, UNDELIVERED_IN_A_ROW);
            if !message::has_only_failed(tx, hash, taught.channel, last).await? {
                return Ok(());
            }
            SuppressionReason::Undelivered
        }
    };
    let new = NewSuppression {
        id: app.ids.next(now),
        address_hash: &taught.address_hash,
        address: Some(&taught.address),
        channel: Some(taught.channel),
        reason,
        code: Some(&taught.code),
    };
    insert_suppression(tx, &app.db, &new, now).await?;
    Ok(())
}
