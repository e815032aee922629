//! Names of rows: typed, prefixed and sortable by the time they were given, like `msg_01J8…`.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use ulid::Ulid;

use super::clock::Timestamp;

/// A text that is not an id of the kind expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}…")]
pub struct IdError {
    /// How such an id begins.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|rest| rest.len() == 26)
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .map(Self)
                    .ok_or(IdError { prefix: concat!($prefix, "_") })
            }
        }

        impl $name {
            /// The least id that could be given at a moment: what was made before it has lesser ones.
            #[must_use]
            pub fn floor(at: Timestamp) -> Self {
                Self(Ulid::from_parts(u64::try_from(at.as_ms()).unwrap_or(0), 0))
            }
        }

        impl From<Ulid> for $name {
            fn from(ulid: Ulid) -> Self {
                Self(ulid)
            }
        }
    )*};
}

ids! {
    /// An outbound message; also what a provider echoes back to us.
    MessageId = "msg";
    /// A message that a citizen wrote.
    InboundId = "inb";
    /// One provider event waiting in the inbox, or done.
    EventId = "evt";
    /// An address that is not written to.
    SuppressionId = "sup";
    /// A one-time code that binds a chat to a person.
    BindingCodeId = "bnd";
    /// News that somebody must tell in person.
    VisitId = "vis";
    /// One call of a provider for one message.
    AttemptId = "att";
    /// One word of a provider about one message.
    ReceiptId = "rcp";
    /// One printed (or to be printed) card or paper of a person.
    CardId = "crd";
    /// One update of a card, as a source said it.
    UpdateId = "upd";
    /// An update that could not be taken, kept for the office.
    RejectionId = "rej";
    /// So many changes of a source that somebody must say whether they are news.
    HoldId = "hld";
    /// What somebody of the office should look at.
    NoticeId = "ntc";
    /// Somebody who has a NIK.
    PersonId = "per";
    /// An address that writes to us or that we write to, with its conversation.
    ContactId = "con";
    /// A token for the API.
    TokenId = "tok";
    /// Something a citizen asked that was not understood, on its way into the list.
    QuestionId = "qst";
    /// What several citizens asked in their own words and was not understood.
    QuestionGroupId = "qgr";
    /// A question whose answer the office taught.
    TaughtId = "tau";
    /// Somebody who works with the console.
    OfficerId = "off";
    /// What a citizen put before an officer.
    TicketId = "tkt";
    /// One thing that happened to a ticket.
    TicketEntryId = "tke";
    /// A notice to many.
    BroadcastId = "bro";
    /// One time that a broadcast goes out.
    RunId = "run";
    /// What the office says in its own words, one version of it.
    OwnAnswerId = "own";
    /// One line of the audit log.
    AuditId = "aud";
    /// Somebody held a card for a time.
    CustodyId = "cus";
    /// A courier's way on one day.
    RoundId = "rnd";
    /// One card on one round.
    ItemId = "itm";
    /// A line in the ledger of blank cards.
    BlankoEntryId = "bln";
    /// An office that cannot work.
    OutageId = "out";
    /// Cards that were handed to a desa.
    CollectionId = "col";
    /// The hours of a point's counter, week for week.
    SessionPlanId = "spl";
    /// A place, a day, from when to when, and how many may come.
    ServiceSessionId = "svs";
    /// One citizen's place in a session.
    AppointmentId = "apt";
    /// Officers who come to somebody, asked for.
    HomeVisitId = "hmv";
}

/// Gives ids that are unique and, within this process, strictly increasing.
#[derive(Debug, Default)]
pub struct IdSource {
    last: Mutex<u128>,
}

impl IdSource {
    /// The next id, stamped with `now`. Two ids of the same millisecond keep their order, which is
    /// what keeps two messages to one person in order.
    pub fn next<T: From<Ulid>>(&self, now: Timestamp) -> T {
        let ms = u64::try_from(now.as_ms()).unwrap_or(0);
        let fresh = Ulid::from_parts(ms, random_u128()).0;
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let id = if fresh > *last { fresh } else { last.wrapping_add(1) };
        *last = id;
        T::from(Ulid(id))
    }
}

fn random_u128() -> u128 {
    let mut bytes = [0; 16];
    // Without randomness ids would still be unique within this process: the counter sees to it.
    let _ = getrandom::fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_keep_their_order_and_survive_a_round_trip() {
        let source = IdSource::default();
        let now = Timestamp::from_ms(1_763_700_000_000);
        let ids: Vec<MessageId> = (0..1000).map(|_| source.next(now)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b && a.to_string() < b.to_string()));
        assert_eq!(ids[7].to_string().parse(), Ok(ids[7]));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id: CardId = IdSource::default().next(Timestamp::from_ms(1));
        assert!(id.to_string().parse::<MessageId>().is_err());
        assert!("msg_".parse::<MessageId>().is_err());
    }
}
