//! Kabar's own database: every statement once, for SQLite and PostgreSQL alike.
//!
//! `db` is the whole difference between the engines and `seal` the only place that knows keys;
//! then there is one file per table. Rows come out as checked types, never as strings.

pub mod account;
pub mod appointment;
pub mod area;
pub mod attachment;
pub mod audience;
pub mod audit;
pub mod binding;
pub mod blanko;
pub mod broadcast;
pub mod broadcast_run;
pub mod card;
pub mod card_list;
pub mod collection;
pub mod collection_list;
pub mod complaint;
pub mod consent;
pub mod contact;
mod content;
pub mod copy;
pub mod custody;
mod db;
pub mod follow;
pub mod group;
pub mod hold;
pub mod holiday;
pub mod home_visit;
pub mod inbox;
pub mod kept;
pub mod message;
pub mod message_list;
pub mod notice;
pub mod officer;
pub mod officer_chat;
pub mod outage;
pub mod outage_appointment;
pub mod own_answer;
pub mod person;
pub mod point_staff;
pub mod question;
pub mod question_group;
pub mod question_list;
pub mod receipt;
pub mod rejection;
pub mod report;
pub mod round;
pub mod round_item;
pub mod round_plan;
pub mod round_report;
mod row;
mod seal;
pub mod search;
pub mod service_point;
pub mod service_session;
pub mod session;
pub mod session_plan;
pub mod settled;
mod shape;
pub mod source;
pub mod source_file;
pub mod source_row;
pub mod story;
pub mod suppression;
pub mod survey;
pub mod talk;
pub mod taught;
pub mod template_state;
pub mod ticket;
pub mod ticket_entry;
pub mod ticket_list;
pub mod token;
pub mod trouble;
pub mod visit;
pub mod waiting;

pub use db::{Conn, Db, Engine, Tx};
pub use seal::{Key, KeyError, Sealer};

/// What went wrong in the database, as far as a caller can decide on it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row is there already.
    #[error("already there: {0}")]
    Conflict(&'static str),
    /// The database cannot be reached or is busy; the same call may work later.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// A stored value cannot be read back: wrong key, or a damaged row.
    #[error("stored value {table}.{column} of {id} cannot be read: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row; ids are not personal.
        id: String,
        /// What is wrong with it, without the value.
        reason: &'static str,
    },
    /// The database belongs to other keys or to a newer program, or its address is wrong.
    #[error("{0}")]
    Unusable(String),
    /// Anything else; a fault of ours.
    #[error("database error")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Conflict("row"),
            sqlx::Error::Database(inner) => match inner.code().as_deref() {
                // PostgreSQL: serialisation failure, deadlock. Another transaction went first; the
                // same again succeeds.
                Some("40001" | "40P01") => Self::Conflict("lock"),
                // SQLite: busy, locked, disk full, cannot open. PostgreSQL: connection and
                // shutdown classes, too many connections.
                Some("5" | "6" | "13" | "14" | "261" | "517" | "53300" | "53100") => {
                    Self::Unavailable(error)
                }
                Some(code) if code.starts_with("08") || code.starts_with("57P") => {
                    Self::Unavailable(error)
                }
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}
