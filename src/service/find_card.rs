//! The search for cards by name, reference, NIK or number, for the console and for officers' chats alike.
//!
//! Finds nothing beyond the area of who searches, and leaves a line in the audit log of what kind the search was,
//! never of what was typed. Whether they may search at all is asked before.

use super::officer::note;
use super::{App, ServiceError};
use crate::domain::audit::Action;
use crate::domain::id::PersonId;
use crate::domain::nik::Nik;
use crate::domain::officer::Actor;
use crate::domain::person::{PersonName, name_words};
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;
use crate::store::card_list::{self, CardLine};
use crate::store::{StoreError, search};

/// People that a search shows; who finds more adds a word.
const FOUND: usize = 50;

/// What somebody searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words of a name.
    Name,
    /// A NIK.
    Nik,
    /// A phone number.
    Phone,
    /// What stands at the end of our messages.
    Reference,
    /// Digits that are neither a NIK nor a number.
    Digits,
    /// Nothing to search by.
    Empty,
}

impl Kind {
    /// As it stands in the audit log.
    const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Nik => "nik",
            Self::Phone => "phone",
            Self::Reference => "reference",
            Self::Digits => "digits",
            Self::Empty => "nothing",
        }
    }
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// As somebody typed it.
    Typed(&'a str),
    /// A NIK that was typed where only its hash may be kept.
    NikHash(&'a str),
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// By what.
    pub kind: Kind,
    /// The cards that whoever searched may see.
    pub lines: Vec<CardLine>,
    /// There are more people of that name.
    pub has_more: bool,
}

/// Searches, and notes it.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn find(app: &App, actor: &Actor, sought: Sought<'_>) -> Result<Found, ServiceError> {
    let (kind, people) = match sought {
        Sought::Typed(typed) => search_for(app, actor, typed).await?,
        Sought::NikHash(hash) => (Kind::Nik, search::find_by_nik_hash(&app.db, hash).await?),
    };
    let mut lines = card_list::list_of_people(&app.db, &people[..people.len().min(FOUND)]).await?;
    lines.retain(|line| actor.covers(line.area.as_ref(), &app.settings.office_area));
    let mut tx = app.db.begin().await?;
    let detail = format!("{} cards", lines.len());
    note(app, &mut tx, actor, Action::Searched, kind.word(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Found { kind, lines, has_more: people.len() > FOUND })
}

async fn search_for(
    app: &App,
    actor: &Actor,
    typed: &str,
) -> Result<(Kind, Vec<PersonId>), ServiceError> {
    let db = &app.db;
    let typed: String = typed.trim().chars().take(PersonName::MAX_CHARS).collect();
    if let Some(reference) = Reference::find_in(&typed)
        && let Some(person) = search::look_up_reference(db, &reference).await?
    {
        return Ok((Kind::Reference, vec![person]));
    }
    let digits = typed.chars().filter(char::is_ascii_digit).count();
    if digits >= 8 && !typed.contains(char::is_alphabetic) {
        return Ok(match (Nik::parse(&typed), PhoneNumber::parse(&typed)) {
            (Ok(nik), _) => (Kind::Nik, search::find_by_nik(db, &nik).await?),
            (_, Ok(phone)) => (Kind::Phone, search::find_by_phone(db, &phone).await?),
            _ => (Kind::Digits, Vec::new()),
        });
    }
    let words = name_words(&typed);
    if words.is_empty() {
        return Ok((Kind::Empty, Vec::new()));
    }
    let sees_all = actor.covers(None, &app.settings.office_area);
    let limit = i64::try_from(FOUND + 1).unwrap_or(i64::MAX);
    let found = search::find_by_words(db, &words, (&actor.area, sees_all), limit).await?;
    Ok((Kind::Name, found))
}
