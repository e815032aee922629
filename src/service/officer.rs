//! Officers come in, prove themselves twice, and leave; and somebody adds, moves and locks out officers.
//!
//! Every decision about a password or a code is made here, and every change leaves a line in the audit log in the
//! same transaction. It never tells a stranger whether a login exists.

use std::time::Duration;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use totp_rs::{Builder, Secret, Totp};

use super::{App, ServiceError};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;
use crate::domain::officer::{Actor, OfficerRole, Right};
use crate::store::audit;
use crate::store::officer::{self, NewOfficer, Officer};
use crate::store::session::{self, Session, Stage};
use crate::store::{StoreError, Tx};

const HOUR: Duration = Duration::from_secs(3600);

/// A session nobody used for so long is over.
pub const IDLE: Duration = Duration::from_secs(60 * 60);
/// A session is over after so long, however busy.
pub const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// The use of a session is noted so often at most.
const NOTED: Duration = Duration::from_secs(60);
/// Wrong passwords or codes that cost nothing.
const FREE_TRIES: i64 = 4;
/// The wait after the first one more; each further doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait: somebody who is kept out on purpose is back within it.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 10;
/// Longest password looked at, in bytes: hashing must not be made to work for nothing.
const LONGEST_PASSWORD: usize = 512;
/// Letters and digits of a password that is given, without look-alikes.
const PASSWORD_LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// What came of a try to come in.
#[derive(Debug)]
pub enum SignIn {
    /// The password was right; the cookie's secret, and how far it leads.
    In(String, Stage),
    /// Login or password are wrong, or the officer may no longer come in.
    Wrong,
    /// Too many wrong ones; none is looked at for so long.
    Locked(Duration),
}

/// What came of a code of the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It was right.
    Right,
    /// It was wrong, or used before.
    Wrong,
    /// Too many wrong ones.
    Locked(Duration),
}

/// Why an officer cannot be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// Not allowed.
    #[error("not allowed")]
    Forbidden,
    /// There is none.
    #[error("there is no such officer")]
    NotFound,
    /// The login is taken.
    #[error("this login is taken")]
    Taken,
    /// The login is empty or has other letters than small ones, digits, dot, dash and underscore.
    #[error("a login has 3 to 40 small letters, digits, dots, dashes or underscores")]
    BadLogin,
    /// The new password is too short or the old one wrong.
    #[error("the password is too short, too long or wrong")]
    BadPassword,
    /// As every service.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for OfficerError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// Hashes a password with argon2id. Takes some 20 ms and 19 MiB, away from the loop that serves others.
///
/// # Errors
/// [`OfficerError::BadPassword`] when it is too short or too long.
pub async fn hash_password(password: String) -> Result<String, OfficerError> {
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        return Err(OfficerError::BadPassword);
    }
    apart(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).ok()
    })
    .await
    .ok_or(OfficerError::BadPassword)
}

/// A random password that is easy to read out: three groups of four.
///
/// # Errors
/// When the system gives no randomness.
pub fn random_password() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes)?;
    let letters: Vec<char> = bytes
        .iter()
        .filter_map(|byte| PASSWORD_LETTERS.get(usize::from(*byte) % PASSWORD_LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// Two at a time: each needs 19 MiB, and nobody else must wait for a processor because of strangers.
static HASHING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

async fn apart<T: Default + Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _turn = HASHING.acquire().await;
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

async fn is_password(password: String, hash: Option<String>) -> bool {
    if password.len() > LONGEST_PASSWORD {
        return false;
    }
    apart(move || {
        // Of a login that is not there the same work is done: the answer takes as long.
        let Some(hash) = hash else {
            drop(Argon2::default().hash_password(password.as_bytes()));
            return false;
        };
        let Ok(parsed) = argon2::password_hash::phc::PasswordHash::new(&hash) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
    })
    .await
}

/// Takes a login and a password.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn sign_in(app: &App, login: &str, password: String) -> Result<SignIn, ServiceError> {
    let now = app.now();
    let login = login.trim().to_lowercase();
    let known = officer::find_by_login(&app.db, &login).await?;
    if let Some(wait) = known.as_ref().and_then(|known| locked(known, now)) {
        return Ok(SignIn::Locked(wait));
    }
    let hash = known.as_ref().map(|known| known.password_hash.clone());
    let is_right = is_password(password, hash).await;
    let Some(known) = known else { return Ok(SignIn::Wrong) };
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if !is_right || known.disabled_at.is_some() {
        note_failure(app, &mut tx, &known, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        return Ok(SignIn::Wrong);
    }
    let stage = if known.has_totp { Stage::Password } else { Stage::Full };
    let secret = begin(app, &mut tx, &known, stage, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(SignIn::In(secret, stage))
}

async fn begin(
    app: &App,
    tx: &mut Tx,
    officer: &Officer,
    stage: Stage,
    now: Timestamp,
) -> Result<String, ServiceError> {
    let secret = secret()?;
    session::insert_session(tx, &app.db, &secret, officer.id, stage, now, now.after(LONGEST))
        .await?;
    if stage == Stage::Full {
        officer::mark_login(tx, officer.id, now).await?;
        note(app, tx, &officer.actor(), Action::LoggedIn, &officer.id.to_string(), None).await?;
    }
    Ok(secret)
}

fn locked(officer: &Officer, now: Timestamp) -> Option<Duration> {
    officer.locked_until.filter(|until| *until > now).map(|until| until.since(now))
}

async fn note_failure(
    app: &App,
    tx: &mut Tx,
    known: &Officer,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let over = known.failures + 1 - FREE_TRIES;
    let wait = u32::try_from(over - 1).ok().map(|doublings| {
        FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings.min(16))).min(LONGEST_WAIT)
    });
    officer::mark_failure(tx, known.id, wait.map(|wait| now.after(wait)), now).await?;
    note(app, tx, &known.actor(), Action::LoginFailed, &known.id.to_string(), None).await
}

/// Who is logged in with that cookie, and how far. Notes that the session was used.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn who(app: &App, secret: &str) -> Result<Option<(Officer, Session)>, ServiceError> {
    let now = app.now();
    let Some(session) = session::find_session(&app.db, secret, now, now.before(IDLE)).await? else {
        return Ok(None);
    };
    let officer = officer::find_officer(&app.db, session.officer).await?;
    let Some(officer) = officer.filter(|officer| officer.disabled_at.is_none()) else {
        return Ok(None);
    };
    if now.since(session.seen_at) > NOTED {
        session::mark_seen(&app.db, secret, now).await?;
    }
    Ok(Some((officer, session)))
}

/// Ends a session.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn sign_out(app: &App, officer: &Officer, secret: &str) -> Result<(), ServiceError> {
    let mut tx = app.db.begin().await?;
    session::delete_session(&mut tx, &app.db, secret).await?;
    note(app, &mut tx, &officer.actor(), Action::LoggedOut, &officer.id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Takes a code of the second factor, and lets its session in all the way: gives the secret of a new one, so that
/// a cookie from before is worth nothing.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn second_factor(
    app: &App,
    officer: &Officer,
    secret: &str,
    code: &str,
) -> Result<Result<String, Code>, ServiceError> {
    let outcome = check_code(app, officer, code).await?;
    if outcome != Code::Right {
        return Ok(Err(outcome));
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    session::delete_session(&mut tx, &app.db, secret).await?;
    let secret = begin(app, &mut tx, officer, Stage::Full, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Ok(secret))
}

async fn check_code(app: &App, officer: &Officer, code: &str) -> Result<Code, ServiceError> {
    let now = app.now();
    if let Some(wait) = locked(officer, now) {
        return Ok(Code::Locked(wait));
    }
    let digits: String = code.chars().filter(char::is_ascii_digit).take(6).collect();
    let seconds = u64::try_from(now.as_ms() / 1000).unwrap_or_default();
    let step = totp(officer).and_then(|totp| totp.check(&digits, seconds));
    let mut tx = app.db.begin().await?;
    let is_right = match step.and_then(|step| i64::try_from(step).ok()) {
        Some(step) => officer::mark_totp_step(&mut tx, officer.id, step).await?,
        None => false,
    };
    if !is_right {
        note_failure(app, &mut tx, officer, now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(if is_right { Code::Right } else { Code::Wrong })
}

/// The generator of somebody's codes: RFC 6238 with six digits every 30 seconds, as every authenticator app has it.
fn totp(officer: &Officer) -> Option<Totp> {
    let secret = Secret::try_from_base32(officer.totp_secret.as_deref()?).ok()?;
    Builder::new().with_secret(secret).build().ok()
}

/// A second factor to be set up: its secret in letters, and the address that goes into a QR code.
#[derive(Debug)]
pub struct TotpSetUp {
    /// Base32, in groups of four to be typed.
    pub letters: String,
    /// `otpauth://…`, as authenticator apps read it.
    pub address: String,
}

/// Makes the secret of a second factor; one that was made before and never confirmed is shown again.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn set_up_totp(app: &App, known: &Officer) -> Result<Option<TotpSetUp>, ServiceError> {
    if known.has_totp {
        return Ok(None);
    }
    let letters = if let Some(letters) = &known.totp_secret {
        letters.clone()
    } else {
        let mut bytes = [0_u8; 20];
        getrandom::fill(&mut bytes).map_err(|_| StoreError::Unusable("no randomness".into()))?;
        let letters = Secret::new(Box::new(bytes)).to_base32();
        let mut tx = app.db.begin().await?;
        officer::set_totp(&mut tx, &app.db, known.id, &letters, app.now()).await?;
        tx.commit().await.map_err(StoreError::from)?;
        letters
    };
    let address = format!(
        "otpauth://totp/Kabar:{}?secret={letters}&issuer=Kabar&digits=6&period=30",
        known.login
    );
    let grouped: Vec<String> =
        letters.chars().collect::<Vec<_>>().chunks(4).map(|group| group.iter().collect()).collect();
    Ok(Some(TotpSetUp { letters: grouped.join(" "), address }))
}

/// Confirms a second factor with its first code.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn confirm_totp(app: &App, known: &Officer, code: &str) -> Result<Code, ServiceError> {
    let outcome = check_code(app, known, code).await?;
    if outcome == Code::Right {
        let mut tx = app.db.begin().await?;
        officer::confirm_totp(&mut tx, known.id, app.now()).await?;
        note(app, &mut tx, &known.actor(), Action::SetUpTotp, &known.id.to_string(), None).await?;
        tx.commit().await.map_err(StoreError::from)?;
    }
    Ok(outcome)
}

/// Changes one's own password; all other sessions end.
///
/// # Errors
/// [`OfficerError::BadPassword`] when the old one is wrong or the new one too short.
pub async fn change_password(
    app: &App,
    known: &Officer,
    old: String,
    new: String,
) -> Result<String, OfficerError> {
    if !is_password(old, Some(known.password_hash.clone())).await {
        return Err(OfficerError::BadPassword);
    }
    let hash = hash_password(new).await?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    officer::set_password(&mut tx, known.id, &hash, false, now).await?;
    session::delete_sessions_of(&mut tx, known.id).await?;
    let secret = begin(app, &mut tx, known, Stage::Full, now).await?;
    note(app, &mut tx, &known.actor(), Action::ChangedPassword, &known.id.to_string(), None)
        .await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(secret)
}

/// Adds an officer; gives the password they come in with once, before they choose their own.
///
/// # Errors
/// See [`OfficerError`].
pub async fn add(
    app: &App,
    actor: &Actor,
    login: &str,
    name: &str,
    role: OfficerRole,
    area: &AreaCode,
) -> Result<(OfficerId, String), OfficerError> {
    may_manage(app, actor, role, area)?;
    let login = login.trim().to_lowercase();
    let is_letter =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if !(3..=40).contains(&login.len()) || !login.chars().all(is_letter) {
        return Err(OfficerError::BadLogin);
    }
    let password =
        random_password().map_err(|_| StoreError::Unusable("no randomness".to_owned()))?;
    let hash = hash_password(password.clone()).await?;
    let now = app.now();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    let new = NewOfficer {
        id: app.ids.next(now),
        login: &login,
        name: if name.is_empty() { &login } else { &name },
        role,
        area,
        password_hash: &hash,
        must_change: true,
    };
    let mut tx = app.db.begin().await?;
    if !officer::insert_officer(&mut tx, &new, now).await? {
        return Err(OfficerError::Taken);
    }
    let detail = format!("{role} {area}");
    note(app, &mut tx, actor, Action::AddedOfficer, &new.id.to_string(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok((new.id, password))
}

/// What can be changed about an officer.
#[derive(Clone, Debug)]
pub enum Change {
    /// What they are and where.
    Place(OfficerRole, AreaCode),
    /// A new password, given once.
    Password,
    /// Their second factor is forgotten: the phone is lost.
    Totp,
    /// They may no longer come in,
    Disable,
    /// or may again.
    Enable,
}

/// Changes an officer; gives the new password where one was asked for. All their sessions end.
///
/// # Errors
/// See [`OfficerError`].
pub async fn change(
    app: &App,
    actor: &Actor,
    id: OfficerId,
    change: &Change,
) -> Result<Option<String>, OfficerError> {
    let known = officer::find_officer(&app.db, id).await?.ok_or(OfficerError::NotFound)?;
    may_manage(app, actor, known.role, &known.area).map_err(|_| OfficerError::NotFound)?;
    // Whoever locks themselves out is let in by nobody.
    if actor.id == id.to_string() {
        return Err(OfficerError::Forbidden);
    }
    let now = app.now();
    let mut given = None;
    let hash = if matches!(change, Change::Password) {
        let password =
            random_password().map_err(|_| StoreError::Unusable("no randomness".to_owned()))?;
        let hash = hash_password(password.clone()).await?;
        given = Some(password);
        Some(hash)
    } else {
        None
    };
    let mut tx = app.db.begin().await?;
    let (action, detail) = match change {
        Change::Place(role, area) => {
            may_manage(app, actor, *role, area)?;
            officer::set_place(&mut tx, id, *role, area, now).await?;
            (Action::ChangedOfficer, format!("{role} {area}"))
        }
        Change::Password => {
            officer::set_password(&mut tx, id, &hash.unwrap_or_default(), true, now).await?;
            (Action::ChangedOfficer, "password".to_owned())
        }
        Change::Totp => {
            officer::clear_totp(&mut tx, id, now).await?;
            (Action::ChangedOfficer, "second factor".to_owned())
        }
        Change::Disable => {
            officer::set_disabled(&mut tx, id, true, now).await?;
            (Action::DisabledOfficer, String::new())
        }
        Change::Enable => {
            officer::set_disabled(&mut tx, id, false, now).await?;
            (Action::ChangedOfficer, "let in again".to_owned())
        }
    };
    session::delete_sessions_of(&mut tx, id).await?;
    let detail = Some(detail.as_str()).filter(|detail| !detail.is_empty());
    note(app, &mut tx, actor, action, &id.to_string(), detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(given)
}

fn may_manage(
    app: &App,
    actor: &Actor,
    role: OfficerRole,
    area: &AreaCode,
) -> Result<(), OfficerError> {
    let may = actor.may(Right::ManageOfficers)
        && actor.role.may_manage(role)
        && actor.covers(Some(area), &app.settings.office_area);
    if may { Ok(()) } else { Err(OfficerError::Forbidden) }
}

/// Adds a line to the audit log, in the transaction of what it tells of.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn note(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    object: &str,
    detail: Option<&str>,
) -> Result<(), ServiceError> {
    let now = app.now();
    audit::insert_line(tx, app.ids.next(now), actor, action, object, detail, now).await?;
    Ok(())
}

/// Notes that somebody looked at a person's data.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn note_look(
    app: &App,
    actor: &Actor,
    action: Action,
    object: &str,
) -> Result<(), ServiceError> {
    let mut tx = app.db.begin().await?;
    note(app, &mut tx, actor, action, object, None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// The same of what somebody looks at again and again, like a courier's phone: once an hour.
///
/// # Errors
/// As every statement: [`ServiceError`].
pub async fn note_look_hourly(
    app: &App,
    actor: &Actor,
    action: Action,
    object: &str,
) -> Result<(), ServiceError> {
    let since = app.now().before(HOUR);
    if audit::has_line(&app.db, &actor.id, (action, object), since).await? {
        return Ok(());
    }
    note_look(app, actor, action, object).await
}

fn secret() -> Result<String, ServiceError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|_| StoreError::Unusable("no randomness for a session".to_owned()))?;
    Ok(hex::encode(bytes))
}

/// What somebody is called who wrote or agreed; tokens and the command line stay as they are.
///
/// # Errors
/// When the database fails.
pub async fn name_of(app: &App, who: &str) -> Result<String, StoreError> {
    let Ok(id) = who.parse() else { return Ok(who.to_owned()) };
    let found = officer::find_officer(&app.db, id).await?;
    Ok(found.map_or_else(|| who.to_owned(), |officer| officer.name))
}
