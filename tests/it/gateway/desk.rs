//! The office with one SMS account, the provider in the sandbox, and the phones of the citizens.

use std::sync::Arc;
use std::time::Duration;

use kabar::channel::{Provider, Shared};
use kabar::domain::area::AreaCode;
use kabar::domain::id::MessageId;
use kabar::domain::message::{ChannelKind, MessageClass, MessageStatus, MessageText};
use kabar::domain::outbound::{Content, Recipient};
use kabar::domain::phone::PhoneNumber;
use kabar::sandbox::{Bubble, Fault, FaultKind, Input, Sandbox, Settings, Side, WriteError};
use kabar::service::{Account, Rate};
use kabar::store::message::{NewMessage, insert_message, recipient_hash};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Gateway, Place};
use crate::support::citizen::Citizen;
use crate::support::hook::Hooks;
use crate::support::{Start, TestApp};

/// What has not happened by then never will.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The account of the neighbouring office, whose provider is dead.
pub const NEIGHBOUR: &str = "neighbour";
/// The area it serves.
const NEIGHBOURHOOD: &str = "51";

/// What happens to who calls a dead provider.
#[derive(Clone, Copy, Debug)]
pub enum Death {
    /// Nobody listens.
    Refuses,
    /// Somebody listens and never says a word.
    IsSilent,
}

/// A task that ends with the test.
struct Ending(JoinHandle<()>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An office, its gateway, and everybody's phones.
pub struct Desk {
    /// The office.
    pub app: TestApp,
    /// The provider, and the phones behind it.
    pub sandbox: Sandbox,
    /// What came to the office's webhooks.
    pub hooks: Arc<Hooks>,
    gateway: &'static Gateway,
    _silent: Option<TcpListener>,
    _tasks: Vec<Ending>,
}

impl Desk {
    /// Opens an office with that gateway.
    pub async fn open(start: Start, gateway: &'static Gateway) -> Self {
        Self::open_beside(start, gateway, None).await
    }

    /// The same, with a second account at a provider of the same kind that is dead.
    pub async fn open_beside(
        mut start: Start,
        gateway: &'static Gateway,
        death: Option<Death>,
    ) -> Self {
        let (shared, clock) = start.prepare().await;
        let (listener, link) = (listen().await, listen().await);
        let place = Place {
            id: gateway.name.to_owned(),
            api_url: format!("http://{}", listener.local_addr().unwrap()),
            link: link.local_addr().unwrap(),
            hook_url: format!("{}/hooks/sms/{}", shared.hook_url, gateway.name),
        };
        let sandbox = Sandbox::new(Settings {
            others: vec![(gateway.counterpart)(&place)],
            pace: Duration::ZERO,
            redelivery: Duration::from_millis(1),
            ..Settings::new(Vec::new(), clock)
        })
        .unwrap();
        let played = sandbox.clone();
        let mut tasks = vec![Ending(tokio::spawn(async move {
            kabar::sandbox::serve(listener, played, std::future::pending()).await.unwrap();
        }))];
        let extra = (gateway.start)(sandbox.clone(), link);
        tasks.extend(extra.map(|running| Ending(tokio::spawn(running))));

        let mut accounts = vec![account(gateway, &place, &shared, None)];
        let mut silent = None;
        if let Some(death) = death {
            let dead = listen().await;
            let at = dead.local_addr().unwrap();
            let place = Place {
                id: NEIGHBOUR.to_owned(),
                api_url: format!("http://{at}"),
                link: at,
                hook_url: format!("{}/hooks/sms/{NEIGHBOUR}", shared.hook_url),
            };
            accounts.push(account(gateway, &place, &shared, Some(NEIGHBOURHOOD)));
            silent = matches!(death, Death::IsSilent).then_some(dead);
        }
        let hooks = Arc::<Hooks>::default();
        start.accounts = accounts;
        start.hooks = Some(Arc::clone(&hooks));
        start.settings.channels = vec![ChannelKind::Sms];
        let app = start.open().await;
        let desk = Self { app, sandbox, hooks, gateway, _silent: silent, _tasks: tasks };
        desk.link().await;
        desk
    }

    /// Waits until the link stands on which messages leave, where there is one.
    pub async fn link(&self) {
        if self.gateway.has_link {
            // The sender that has the account keeps the link.
            self.app.step_every_account().await;
            self.wait_for_link(true).await;
        }
    }

    /// Waits until the link of a process that ended is down, where there is one.
    pub async fn unlink(&self) {
        if self.gateway.has_link {
            self.wait_for_link(false).await;
        }
    }

    async fn wait_for_link(&self, is_wanted: bool) {
        let adapter = &self.app.app.accounts[0].adapter;
        let stands = async || adapter.probe().await.is_ok_and(|said| said.starts_with("bound"));
        let waiting = async {
            while stands().await != is_wanted {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the link comes and goes");
    }

    /// Injects one fault, so many times.
    pub fn fault(&self, kind: FaultKind, count: u64) {
        self.faults(vec![Fault { count: Some(count), ..Fault::new(kind) }]);
    }

    /// Injects faults at this provider.
    pub fn faults(&self, mut faults: Vec<Fault>) {
        for fault in &mut faults {
            fault.provider = Some(self.gateway.name.to_owned());
        }
        self.sandbox.set_faults(faults);
    }

    /// Lets both sides work until nothing moves any more at this moment.
    pub async fn settle(&self) {
        loop {
            self.sandbox.idle().await;
            if !self.app.run_until_idle().await {
                return;
            }
        }
    }

    /// Moves the clock and lets everything happen that is then due.
    pub async fn advance(&self, seconds: u64) {
        self.app.clock.advance(Duration::from_secs(seconds));
        self.link().await;
        self.settle().await;
    }

    /// A card of that citizen is printed, and everybody does what follows from it.
    pub async fn announce(&self, citizen: &Citizen) {
        self.app.card(citizen, "CARD_PRINTED").await;
        self.settle().await;
    }

    /// Plans a message of these words, as an announcement.
    pub async fn plan(&self, citizen: &Citizen, words: &str) {
        let app = &self.app.app;
        let (now, account) = (app.now(), &app.accounts[0]);
        let id: MessageId = app.ids.next(now);
        let to = Recipient::of_phone(PhoneNumber::parse(&citizen.phone).unwrap());
        let new = NewMessage {
            id,
            idem_key: format!("test:{id}"),
            account: account.id.clone(),
            channel: ChannelKind::Sms,
            class: MessageClass::Announcement,
            status: MessageStatus::Queued,
            why: "card_update",
            template: "test".to_owned(),
            reference: None,
            recipient_hash: recipient_hash(&app.db, &account.portfolio, &to),
            recipient: Some(to),
            contact_id: None,
            person_id: None,
            card_id: None,
            content: Content {
                template: None,
                text: MessageText::new(words),
                sms: None,
                choices: Vec::new(),
                list_button: None,
                pin: None,
                attachment: None,
            },
            zone: app.zone(None),
            due_at: now,
            expires_at: None,
            first_id: None,
            fallback_at: None,
            has_next: false,
            text_hash: None,
            parts: None,
            rupiah: None,
            run_id: None,
            created_at: now,
        };
        let mut tx = app.db.begin().await.unwrap();
        assert!(insert_message(&mut tx, &app.db, &new).await.unwrap());
        tx.commit().await.unwrap();
        self.settle().await;
    }

    /// What the office sent to the phone of that citizen, as it stands there.
    pub fn on_phone(&self, citizen: &Citizen) -> Vec<Bubble> {
        let phone = self.sandbox.phone(&citizen.e164);
        let bubbles = phone.map(|phone| phone.bubbles).unwrap_or_default();
        bubbles.into_iter().filter(|bubble| bubble.side == Side::Office).collect()
    }

    /// The citizen writes to the office's number.
    pub fn write(&self, citizen: &Citizen, words: &str) -> Result<String, WriteError> {
        let to = Some(self.gateway.name);
        self.sandbox.write(&citizen.e164, to, Input::Text(words.to_owned()))
    }

    /// The one message there is.
    pub async fn message(&self) -> Value {
        self.app.message().await
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> usize {
        let rows = self.app.query(&format!("SELECT count(*) FROM {table}")).await;
        rows[0][0].parse().unwrap()
    }

    /// The status at which a message ends that reaches its phone.
    pub fn end(&self) -> &'static str {
        if self.gateway.has_receipts { "delivered" } else { "sent" }
    }
}

/// An account as the configuration makes it, but as fast as the clock allows.
fn account(gateway: &Gateway, place: &Place, shared: &Shared, area: Option<&str>) -> Account {
    let provider =
        Provider::read(ChannelKind::Sms, gateway.name, (gateway.keys)(place)).expect("its keys");
    let shared = Shared { hook_url: place.hook_url.clone(), ..shared.clone() };
    Account {
        id: place.id.clone(),
        channel: ChannelKind::Sms,
        area: area.map(|code| AreaCode::parse(code).unwrap()),
        portfolio: place.id.clone(),
        provider_id: provider.provider_id().to_owned(),
        rate: Rate::per_second(1_000_000),
        in_flight: provider.pace().2,
        rupiah_per_segment: None,
        rupiah_per_message: None,
        daily_limit: None,
        adapter: provider.adapter(shared),
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
