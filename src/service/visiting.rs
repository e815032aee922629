//! Does what a conversation asks for about visits: a place at a counter, officers who come, and taking either back.

use super::home_visit::{self, HomeVisitWish};
use super::{App, ServiceError, appointment};
use crate::dialogue::Effect;
use crate::domain::clock::Timestamp;
use crate::domain::id::ContactId;
use crate::store::Tx;
use crate::store::person::Person;

/// Does it; what is about something else is left alone.
///
/// # Errors
/// When the database fails, or what was told is no longer so: then the message is answered anew.
pub(super) async fn apply(
    app: &App,
    tx: &mut Tx,
    effect: &Effect,
    (contact, people): (ContactId, &[Person]),
    now: Timestamp,
) -> Result<(), ServiceError> {
    match effect {
        Effect::Book { session, service, code, lacks } => {
            let person = match people {
                [person] => Some(person.id),
                _ => None,
            };
            let session = *session;
            let asked = appointment::Asked { contact, person, session, code, service, lacks };
            appointment::book_for_chat(app, tx, &asked, now).await
        }
        Effect::Unbook(id) => appointment::cancel_for_chat(app, tx, contact, *id).await,
        Effect::AskVisit { number, whom, work, area, place } => {
            let wish = HomeVisitWish {
                area: area.clone(),
                whom: *whom,
                work: *work,
                place: place.clone(),
            };
            let number = number.parse().map_err(|_| refused())?;
            match home_visit::chat::ask(app, tx, contact, (wish, number)).await {
                Ok(_) => Ok(()),
                Err(home_visit::HomeVisitError::Other(error)) => Err(error),
                Err(_) => Err(refused()),
            }
        }
        Effect::Withdraw(id) => home_visit::chat::withdraw(app, tx, contact, *id).await,
        _ => Ok(()),
    }
}

fn refused() -> ServiceError {
    ServiceError::Text("a home visit that was told is refused".to_owned())
}
