//! What the office knows of what citizens mean: the examples of the texts, and those it was taught
//! while it ran.
//!
//! Training takes its time, so it happens when the first question comes and never on a thread that
//! serves others; until something new is trained, the old goes on answering. It decides nothing
//! about a question.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::{App, ServiceError};
use crate::dialogue::Script;
use crate::domain::clock::Timestamp;
use crate::domain::id::QuestionGroupId;
use crate::domain::message::MessageText;
use crate::store::question_group::forget_askers;
use crate::store::taught::{Edition, find_edition, list_examples};
use crate::understand::{
    CLARIFY, Gist, OUT_OF_SCOPE, Spelling, Understanding, is_label, is_offerable,
};

/// How often it is looked whether another process taught something.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long it is known who asked what, for counting.
const ASKERS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The examples of the texts, not trained before somebody needs them.
pub struct Primer {
    table: String,
    spelling: Spelling,
    examples: Vec<(String, String)>,
    trained: OnceLock<Arc<Understanding>>,
}

impl fmt::Debug for Primer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Primer({} examples)", self.examples.len())
    }
}

/// A known example that was understood rightly, and would not be any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Shift {
    /// The example.
    pub text: String,
    /// What is understood now.
    pub before: String,
    /// What would be understood.
    pub after: String,
}

impl fmt::Debug for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shift({} to {})", self.before, self.after)
    }
}

/// What examples would change.
pub(super) struct Effects {
    /// What is understood then.
    pub after: Arc<Understanding>,
    /// How many examples were known.
    pub known: usize,
    /// Those of them that would be understood in another way.
    pub shifts: Vec<Shift>,
    /// How the new examples themselves would be understood, in their order.
    pub understood: Vec<String>,
}

/// Of so many known examples one may turn by chance.
const ONE_IN: usize = 2_000;

impl Primer {
    /// Takes the examples and the table of spellings of a script.
    ///
    /// # Errors
    /// What is wrong with the table.
    pub fn new(script: &Script) -> Result<Self, String> {
        Ok(Self {
            table: script.spelling().to_owned(),
            spelling: Spelling::parse(script.spelling())?,
            examples: script.examples().map(|(l, text)| (l.to_owned(), text.to_owned())).collect(),
            trained: OnceLock::new(),
        })
    }

    /// The table of spellings.
    #[must_use]
    pub const fn spelling(&self) -> &Spelling {
        &self.spelling
    }

    /// What is understood from the texts alone. The first call takes its time.
    pub fn understanding(&self) -> Arc<Understanding> {
        Arc::clone(self.trained.get_or_init(|| Arc::new(self.train(&[]))))
    }

    /// The same with what was taught.
    fn with(&self, taught: &[(String, MessageText)]) -> Arc<Understanding> {
        if taught.is_empty() { self.understanding() } else { Arc::new(self.train(taught)) }
    }

    fn train(&self, taught: &[(String, MessageText)]) -> Understanding {
        // It was read once already when this was made.
        let spelling = Spelling::parse(&self.table).unwrap_or_else(|_| Spelling::embedded());
        Understanding::train_with(spelling, self.pairs(taught))
    }

    fn pairs<'a>(
        &'a self,
        taught: &'a [(String, MessageText)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.examples.iter().map(|(label, text)| (label.as_str(), text.as_str()));
        own.chain(taught.iter().map(|(label, text)| (label.as_str(), text.expose())))
    }

    /// What it would change from what is understood `before` if to what was taught `new` came.
    /// Trains, and takes its time.
    pub(super) fn try_out(
        &self,
        before: &Understanding,
        taught: &[(String, MessageText)],
        new: &[(String, MessageText)],
    ) -> Effects {
        let all: Vec<(String, MessageText)> = taught.iter().chain(new).cloned().collect();
        let after = Arc::new(self.train(&all));
        let gist = |text: &str| Gist::of(&self.spelling, text);
        let mut is_contradicted = false;
        let gists: Vec<_> = new.iter().map(|(label, text)| (label, gist(text.expose()))).collect();
        let (known, shifts, understood) = (0, Vec::new(), Vec::new());
        let mut effects = Effects { after: Arc::clone(&after), known, shifts, understood };
        for (label, text) in self.pairs(taught) {
            effects.known += 1;
            let (before, after) = (before.understand(text), after.understand(text));
            let own = label.split('/').next().unwrap_or(label);
            // Small talk and what is asked back or not known lead nobody astray.
            let misleads =
                is_offerable(own) && ![own, CLARIFY, OUT_OF_SCOPE].contains(&after.intent.as_str());
            let gist = gist(text);
            let contradicts = gists.iter().find(|(label, new)| *label != own && *new == gist);
            is_contradicted |= contradicts.is_some();
            if before.intent == own && (misleads || contradicts.is_some()) {
                let after = contradicts.map_or(after.intent, |(label, _)| (*label).clone());
                effects.shifts.push(Shift { text: text.to_owned(), before: before.intent, after });
            }
        }
        // One training differs from the next by a few examples, whatever is taught.
        if !is_contradicted && effects.shifts.len() <= effects.known / ONE_IN {
            effects.shifts.clear();
        }
        effects.understood =
            new.iter().map(|(_, text)| after.understand(text.expose()).intent).collect();
        effects
    }
}

/// What is understood at present, and the way to something newer.
#[derive(Debug)]
pub struct Knowledge {
    primer: Arc<Primer>,
    learnt: RwLock<Option<Learnt>>,
    /// One trains at a time.
    turn: tokio::sync::Mutex<()>,
    looked_at: Mutex<Option<Timestamp>>,
}

#[derive(Clone)]
struct Learnt {
    edition: Edition,
    understanding: Arc<Understanding>,
}

impl fmt::Debug for Learnt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learnt").field("edition", &self.edition).finish_non_exhaustive()
    }
}

impl Knowledge {
    /// Knows nothing yet.
    #[must_use]
    pub const fn new(primer: Arc<Primer>) -> Self {
        Self {
            primer,
            learnt: RwLock::new(None),
            turn: tokio::sync::Mutex::const_new(()),
            looked_at: Mutex::new(None),
        }
    }

    /// The examples of the texts.
    #[must_use]
    pub const fn primer(&self) -> &Arc<Primer> {
        &self.primer
    }

    /// Whether a question can be understood without training first.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.learnt().is_some()
    }

    fn learnt(&self) -> Option<Learnt> {
        self.learnt.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, learnt: Learnt) {
        *self.learnt.write().unwrap_or_else(PoisonError::into_inner) = Some(learnt);
    }

    /// Whether a minute has passed since this was asked last.
    fn is_time(&self, now: Timestamp) -> bool {
        let mut last = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|at| now.since(at) >= LOOK_EVERY || at > now);
        if is_time {
            *last = Some(now);
        }
        is_time
    }
}

/// What is understood at present; trained now if nobody asked before.
///
/// # Errors
/// When the database fails.
pub async fn understanding(app: &App) -> Result<Arc<Understanding>, ServiceError> {
    if let Some(learnt) = app.knowledge.learnt() {
        return Ok(learnt.understanding);
    }
    let turn = take_turn(app).await;
    // Somebody else may have trained while this one waited.
    if let Some(learnt) = app.knowledge.learnt() {
        return Ok(learnt.understanding);
    }
    Ok(learn(app, &turn).await?.understanding)
}

/// Learns what was taught since, if anything was, and if anything was learnt before: who has not
/// been asked anything yet learns all of it at the first question. `true` when there was something.
///
/// # Errors
/// When the database fails.
pub async fn refresh(app: &App) -> Result<bool, ServiceError> {
    if !app.knowledge.is_ready() {
        return Ok(false);
    }
    let turn = take_turn(app).await;
    Ok(present(app, &turn).await?.is_new)
}

/// The same after a decision that is kept already: what goes wrong is logged, and the next look of
/// the sweeper makes up for it.
pub(super) async fn refresh_soon(app: &App) {
    if let Err(error) = refresh(app).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what was taught is not learnt yet"
        );
    }
}

/// Whose turn it is to train.
pub(super) type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// Waits for one's turn to train.
pub(super) async fn take_turn(app: &App) -> Turn<'_> {
    app.knowledge.turn.lock().await
}

/// What is understood with all that was taught up to now.
pub(super) struct Present {
    /// Up to which edition.
    pub edition: Edition,
    /// What is understood.
    pub understanding: Arc<Understanding>,
    is_new: bool,
}

/// Trains only if what was learnt last is not all that was taught.
pub(super) async fn present(app: &App, turn: &Turn<'_>) -> Result<Present, ServiceError> {
    let edition = find_edition(&app.db).await?;
    if let Some(Learnt { understanding, .. }) =
        app.knowledge.learnt().filter(|learnt| learnt.edition == edition)
    {
        return Ok(Present { edition, understanding, is_new: false });
    }
    let Learnt { edition, understanding } = learn(app, turn).await?;
    Ok(Present { edition, understanding, is_new: true })
}

/// Takes over what was trained already, if it is what an edition says and no other was taught
/// meanwhile; `false` if not.
pub(super) async fn take_over(
    app: &App,
    _turn: &Turn<'_>,
    learnt: (Edition, Arc<Understanding>),
) -> Result<bool, ServiceError> {
    let (edition, understanding) = learnt;
    if find_edition(&app.db).await? != edition {
        return Ok(false);
    }
    app.knowledge.keep(Learnt { edition, understanding });
    Ok(true)
}

/// Once a minute: learns what another process taught and published, and forgets who asked long ago.
///
/// # Errors
/// When the database fails.
pub(super) async fn step(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    if !app.knowledge.is_time(now) {
        return Ok(0);
    }
    forget_askers(&app.db, now.before(ASKERS_KEPT)).await?;
    super::own_answer::refresh(app).await?;
    Ok(u64::from(refresh(app).await?))
}

async fn learn(app: &App, _turn: &Turn<'_>) -> Result<Learnt, ServiceError> {
    // Read before the examples: what comes between the two is learnt again, and nothing is missed.
    let edition = find_edition(&app.db).await?;
    let taught = taught(app, None).await?;
    let primer = Arc::clone(&app.knowledge.primer);
    let understanding = beside(move || primer.with(&taught)).await?;
    let learnt = Learnt { edition, understanding };
    app.knowledge.keep(learnt.clone());
    Ok(learnt)
}

/// What was taught, without what a label was meant by that is none any more, and without what a
/// group taught.
pub(super) async fn taught(
    app: &App,
    without: Option<QuestionGroupId>,
) -> Result<Vec<(String, MessageText)>, ServiceError> {
    let mut taught = list_examples(&app.db, without).await?;
    taught.retain(|(label, _)| is_label(label));
    Ok(taught)
}

/// Does something long beside the threads that serve others.
pub(super) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ServiceError::Text(format!("training broke off: {error}")))
}
