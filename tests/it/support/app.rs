//! The whole service on a fresh database, with a clock that stands still and a stand-in for Meta, or
//! with the accounts that a test gives it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kabar::channel::Shared;
use kabar::channel::whatsapp::{WhatsappClient, WhatsappSettings};
use kabar::dialogue::Script;
use kabar::domain::appointment_policy::AppointmentPolicy;
use kabar::domain::area::AreaCode;
use kabar::domain::blanko::BlankoPolicy;
use kabar::domain::card_plan::AnnouncePolicy;
use kabar::domain::clock::Clock as _;
use kabar::domain::collection::Ladder;
use kabar::domain::message::{ChannelKind, UnknownWait};
use kabar::domain::quiet_hours::QuietHours;
use kabar::service::knowledge::Primer;
use kabar::service::sender::{Progress, Sender};
use kabar::service::watch::{self, Step, Watched};
use kabar::service::{
    Account, App, BroadcastPolicy, FallbackAfter, Parts, Rate, RoundPolicy, Settings, broadcast,
    inbox, officer_chat, sweep,
};
use kabar::store::account::{Stop, StopScope, set_stop};
use kabar::store::token::{NewToken, Role, insert_token};
use kabar::store::{Engine, StoreError};
use kabar::template::Templates;
use kabar::understand::LABELS;
use kabar::web::Web;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::clock::MockClock;
use super::database::Database;
use super::hook::{self, Hooks};
use super::meta::FakeMeta;
use super::webhook::{APP_SECRET, NUMBER_ID, VERIFY_TOKEN};

/// Longer than a process that fell silent keeps its accounts.
pub const LEASE_OVER: Duration = Duration::from_secs(9);

/// How many processes were started: each is another owner of its accounts.
static PROCESSES: AtomicUsize = AtomicUsize::new(1);

/// What an office decides before it opens; a test changes what it is about.
#[derive(Debug)]
pub struct Start {
    database: Arc<Database>,
    time: &'static str,
    /// The office's decisions.
    pub settings: Settings,
    /// Messages a second; so many that the clock need not move.
    pub messages_per_second: u32,
    /// Recipients of broadcasts within a day.
    pub daily_limit: Option<u32>,
    /// How long a provider may take to answer.
    pub timeout: Duration,
    /// The office's accounts; one at a stand-in for Meta where a test gives none.
    pub accounts: Vec<Account>,
    /// What is watched.
    pub sources: Vec<Watched>,
    /// Sees what comes to the webhooks, where a test wants to know.
    pub hooks: Option<Arc<Hooks>>,
    ground: Option<Ground>,
}

/// What stands before the service does: providers are told of it before it opens.
#[derive(Debug)]
struct Ground {
    clock: Arc<MockClock>,
    listener: TcpListener,
}

impl Ground {
    async fn prepare(clock: Arc<MockClock>) -> Self {
        Self { clock, listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }
}

impl Start {
    /// An office like any other.
    pub fn on(database: Arc<Database>) -> Self {
        let settings = Settings {
            office_name: "Disdukcapil Kabupaten Jombang".to_owned(),
            office_area: AreaCode::parse("35.17").unwrap(),
            quiet_hours: QuietHours::parse("20:00-07:00").unwrap(),
            policy: AnnouncePolicy::default(),
            channels: vec![ChannelKind::Whatsapp],
            fallback_after: FallbackAfter::all(Duration::from_secs(4 * 3600)),
            unknown_wait: UnknownWait::default(),
            max_attempts: 8,
            ticket_close_after: Duration::from_secs(7 * 24 * 3600),
            needs_second_factor: false,
            broadcast: BroadcastPolicy::default(),
            round: RoundPolicy::default(),
            ladder: Ladder::default(),
            blanko: BlankoPolicy::default(),
            appointment: AppointmentPolicy::default(),
        };
        Self {
            database,
            time: "09:00 WIB",
            settings,
            messages_per_second: 1_000_000,
            daily_limit: None,
            timeout: Duration::from_secs(60),
            accounts: Vec::new(),
            sources: Vec::new(),
            hooks: None,
            ground: None,
        }
    }

    /// What adapters get from the office that will open, and its clock. Their `hook_url` is the
    /// address of the office alone.
    pub async fn prepare(&mut self) -> (Shared, Arc<MockClock>) {
        let ground = self.take_ground().await;
        let prepared = (self.shared(&ground), Arc::clone(&ground.clock));
        self.ground = Some(ground);
        prepared
    }

    async fn take_ground(&mut self) -> Ground {
        match self.ground.take() {
            Some(ground) => ground,
            None => Ground::prepare(Arc::new(MockClock::at(self.time))).await,
        }
    }

    fn shared(&self, ground: &Ground) -> Shared {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Shared {
            http: reqwest::Client::new(),
            timeout: self.timeout,
            list_button: texts().0.vocabulary().list_button().to_owned(),
            hook_url: ground.url(),
            clock: ground.clock.clone(),
        }
    }

    /// The same at that time of the first day.
    pub fn time(mut self, time: &'static str) -> Self {
        self.time = time;
        self
    }

    /// Opens it at that time of the first day.
    pub async fn at(mut self, time: &'static str) -> TestApp {
        self.time = time;
        self.open().await
    }

    /// Opens it.
    pub async fn open(mut self) -> TestApp {
        let ground = self.take_ground().await;
        let meta = Arc::new(FakeMeta::start().await);
        let app = TestApp::assemble(self, ground, meta).await;
        for role in Role::ALL {
            let now = app.app.now();
            let id = app.app.ids.next(now);
            let new = NewToken {
                id,
                name: "test",
                role: *role,
                area: &AreaCode::nationwide(),
                secret: token(*role),
                expires_at: None,
                by: "test",
            };
            let mut tx = app.app.db.begin().await.unwrap();
            insert_token(&mut tx, &app.app.db, &new, now).await.unwrap();
            tx.commit().await.unwrap();
        }
        app
    }
}

/// The token of that role.
pub fn token(role: Role) -> &'static str {
    match role {
        Role::Source => "token-of-the-source",
        Role::Office => "token-of-the-office",
        Role::Auditor => "token-of-the-auditor",
        Role::Admin => "token-of-the-admin",
    }
}

/// The service, running but for its loops, which the test drives.
pub struct TestApp {
    /// The services.
    pub app: Arc<App>,
    /// The time.
    pub clock: Arc<MockClock>,
    /// WhatsApp's side.
    pub whatsapp: Arc<FakeMeta>,
    /// Where the rows are.
    pub database: Arc<Database>,
    /// Where the service listens.
    pub url: String,
    /// A client without secrets.
    pub http: reqwest::Client,
    pub(super) counter: AtomicUsize,
    start: Option<Start>,
    senders: Mutex<Vec<(String, Sender)>>,
    server: JoinHandle<()>,
}

impl TestApp {
    async fn assemble(start: Start, ground: Ground, meta: Arc<FakeMeta>) -> Self {
        let shared = start.shared(&ground);
        let http = shared.http.clone();
        let accounts = match start.accounts.as_slice() {
            [] => vec![Account {
                daily_limit: start.daily_limit,
                ..whatsapp_account(&shared, &meta, start.messages_per_second)
            }],
            accounts => accounts.to_vec(),
        };
        let db = start.database.open().await;
        let settings = start.settings.clone();
        let (templates, script, primer) = texts();
        let sources = start.sources.clone();
        let parts = Parts { db, settings, accounts, sources, templates, script, primer };
        let clock = Arc::clone(&ground.clock);
        let app = Arc::new(App::new(parts, clock.clone()));
        let url = ground.url();
        let web = Web { app: Arc::clone(&app), public_url: url.as_str().into() };
        let router = hook::watched(kabar::web::router(web), start.hooks.as_ref());
        let server = tokio::spawn(async move {
            axum::serve(ground.listener, router).await.unwrap();
        });
        let test = Self {
            app,
            clock,
            whatsapp: meta,
            database: Arc::clone(&start.database),
            url,
            http,
            counter: AtomicUsize::new(0),
            start: Some(start),
            senders: Mutex::default(),
            server,
        };
        test.new_sender(&format!("process {}", PROCESSES.fetch_add(1, Ordering::SeqCst))).await;
        test
    }

    /// The process dies and another starts on the same database, at the same moment.
    pub async fn restart(mut self) -> Self {
        self.crash().await;
        self.app.db.close().await;
        let start = self.start.take().unwrap();
        let counter = self.counter.load(Ordering::SeqCst);
        let ground = Ground::prepare(Arc::clone(&self.clock)).await;
        let app = Self::assemble(start, ground, Arc::clone(&self.whatsapp)).await;
        app.counter.store(counter, Ordering::SeqCst);
        app
    }

    /// Numbers what comes in from where another office stopped, whose rows it has.
    pub fn counts_on(&self, former: &Self) {
        self.counter.store(former.counter.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// The sending side dies: calls in flight end without anybody hearing of their outcome.
    pub async fn crash(&self) {
        self.senders.lock().await.clear();
    }

    /// Another process wants to send; it may have to wait for the leases of the one before.
    pub async fn new_sender(&self, owner: &str) {
        let mut senders = self.senders.lock().await;
        // The office's first account comes last, and is the one that single steps drive.
        for account in self.app.accounts.iter().rev() {
            let sender = Sender::new(Arc::clone(&self.app), account.clone(), owner.to_owned());
            senders.push((account.id.clone(), sender));
        }
    }

    /// One round of the sending side: what is due is claimed and called, and nobody waits for it.
    pub async fn send_step(&self) -> Progress {
        let mut senders = self.senders.lock().await;
        senders.last_mut().expect("a sender").1.step().await.unwrap()
    }

    /// The same until all calls have come back.
    pub async fn send_round(&self) -> Progress {
        let mut senders = self.senders.lock().await;
        let (_, sender) = senders.last_mut().expect("a sender");
        let progress = sender.step().await.unwrap();
        sender.drain().await.unwrap();
        progress
    }

    /// Waits until one call has come back, and does not record what came of it.
    pub async fn wait_for_call(&self) -> bool {
        let mut senders = self.senders.lock().await;
        senders.last_mut().expect("a sender").1.wait_for_call().await
    }

    /// The sending side ends in good order.
    pub async fn close_senders(&self) {
        for (_, sender) in self.senders.lock().await.drain(..) {
            sender.close().await.unwrap();
        }
    }

    /// Lets calls in flight come back and records them.
    pub async fn drain(&self) {
        for (_, sender) in self.senders.lock().await.iter_mut() {
            sender.drain().await.unwrap();
        }
    }

    /// The same for one account, whatever the others wait for.
    pub async fn drain_account(&self, id: &str) {
        let mut senders = self.senders.lock().await;
        for (_, sender) in senders.iter_mut().filter(|(account, _)| account == id) {
            sender.drain().await.unwrap();
        }
    }

    /// One round of the sending side of every account, without waiting for any call.
    pub async fn step_every_account(&self) {
        for (_, sender) in self.senders.lock().await.iter_mut() {
            sender.step().await.unwrap();
        }
    }

    /// Drives every worker until nothing moves any more at this moment. `false` when nothing did.
    pub async fn run_until_idle(&self) -> bool {
        for round in 0..1000 {
            let mut moved = inbox::step(&self.app).await.unwrap() > 0;
            for (_, sender) in self.senders.lock().await.iter_mut() {
                let progress = sender.step().await.unwrap();
                moved |= progress.claimed + progress.recorded > 0;
                moved |= sender.drain().await.unwrap() > 0;
            }
            moved |= officer_chat::step(&self.app).await.unwrap() > 0;
            moved |= sweep::step(&self.app).await.unwrap() > 0;
            moved |= broadcast::step(&self.app).await.unwrap() > 0;
            if !moved {
                return round > 0;
            }
        }
        panic!("the workers never come to rest");
    }

    /// Looks at every source once.
    pub async fn look(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for watched in &self.app.sources {
            steps.push(watch::step(&self.app, watched, "process").await.unwrap());
        }
        steps
    }

    /// Looks at every source, and lets everything happen that comes of it.
    pub async fn look_and_tell(&self) -> Vec<Step> {
        let steps = self.look().await;
        self.run_until_idle().await;
        steps
    }

    /// Moves the clock and lets everything happen that is then due.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.run_until_idle().await;
    }

    /// The same to a time of day.
    pub async fn advance_to(&self, time: &str) {
        self.clock.advance_to(time);
        self.run_until_idle().await;
    }

    /// Meta stops the account, because the office's payment failed.
    pub async fn is_not_paid(&self) {
        let now = self.app.now();
        let stop = Stop {
            at: now,
            code: "131042".to_owned(),
            reason: "payment problem".to_owned(),
            scope: StopScope::All,
            retry_at: now.after(Duration::from_secs(60)),
        };
        let mut tx = self.app.db.begin().await.unwrap();
        set_stop(&mut tx, "wa", Some(&stop)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The present second, as Meta writes it.
    pub fn now_s(&self) -> i64 {
        self.clock.now().as_ms() / 1000
    }

    /// Runs statements on the database besides the service.
    pub async fn query(&self, statement: &str) -> Vec<Vec<String>> {
        use sqlx::Row as _;
        let pool = sqlx::AnyPool::connect(&self.database.url).await.map_err(StoreError::from);
        let pool = pool.unwrap();
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).fetch_all(&pool).await;
        let text = |row: &sqlx::any::AnyRow, at: usize| {
            row.try_get::<Option<String>, _>(at).map_or_else(
                |_| row.get::<i64, _>(at).to_string(),
                |value| value.unwrap_or_else(|| "NULL".to_owned()),
            )
        };
        let rows = rows.unwrap();
        pool.close().await;
        rows.iter().map(|row| (0..row.len()).map(|at| text(row, at)).collect()).collect()
    }

    /// Which engine this runs on.
    pub fn engine(&self) -> Engine {
        self.database.engine
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The account at the stand-in for Meta.
fn whatsapp_account(shared: &Shared, meta: &FakeMeta, messages_per_second: u32) -> Account {
    let settings = WhatsappSettings {
        api_url: meta.url(),
        phone_number_id: NUMBER_ID.to_owned(),
        waba_id: String::new(),
        portfolio: "portfolio".to_owned(),
        access_token: "token at Meta".to_owned().into(),
        app_secret: APP_SECRET.to_owned().into(),
        verify_token: VERIFY_TOKEN.to_owned().into(),
    };
    Account {
        id: "wa".to_owned(),
        channel: ChannelKind::Whatsapp,
        area: None,
        portfolio: "portfolio".to_owned(),
        provider_id: NUMBER_ID.to_owned(),
        rate: Rate::per_second(messages_per_second),
        in_flight: 64,
        rupiah_per_segment: None,
        rupiah_per_message: None,
        daily_limit: None,
        adapter: Arc::new(WhatsappClient::new(shared, settings)),
    }
}

/// What every test speaks from; read once a process. Training takes its time, and waits for a test
/// in which somebody asks something.
fn texts() -> (Templates, Script, Arc<Primer>) {
    static TEXTS: OnceLock<(Templates, Script, Arc<Primer>)> = OnceLock::new();
    TEXTS
        .get_or_init(|| {
            let templates = Templates::embedded().unwrap();
            let script = Script::embedded(LABELS).unwrap();
            let primer = Primer::new(&script).unwrap();
            (templates, script, Arc::new(primer))
        })
        .clone()
}
