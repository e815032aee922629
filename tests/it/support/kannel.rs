//! A real Kannel: bearerbox, smsbox and the stand-in for an operator that comes with it, each a
//! process of its own on free ports, with a configuration and logs in a folder that goes with it.
//!
//! `tests/run` installs the programs; where they are missing, whoever asks for them fails.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as UrlPath, RawQuery, State};
use axum::routing::get;
use kabar::channel::sms::kannel::KannelClient;
use kabar::channel::{Channel as _, Event, HookRequest, Provider, Shared};
use kabar::domain::clock::{SystemClock, Timestamp};
use kabar::domain::message::ChannelKind;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const BEARERBOX: &str = "/usr/sbin/bearerbox";
const SMSBOX: &str = "/usr/sbin/smsbox";
const FAKESMSC: &str = "/usr/lib/kannel/test/fakesmsc";
/// Longest wait for a word that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Characters that an address may not hold as they are, and one that Kannel takes for an escape.
pub const SECRET: &str = "rahasia/1%&";
const SECRET_IN_GET_URL: &str = "rahasia%%2F1%%25%%26";

/// A program whose words are read as they come; killed when dropped.
struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Process {
    fn start(program: &str, folder: &Path, args: &[&str]) -> Self {
        assert!(
            Path::new(program).exists(),
            "Kannel is missing ({program}): tests/run installs it, or: apt-get install kannel \
             kannel-extras"
        );
        let mut child = Command::new(program)
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = unbounded_channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            // Texts stand in these lines in whatever charset they have.
            for line in BufReader::new(stderr).split(b'\n') {
                let Ok(line) = line else { return };
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with those words; what it said before, if it ended without them.
    async fn until(&mut self, words: &str) -> Result<String, String> {
        let mut said = String::new();
        loop {
            let Ok(next) = timeout(PATIENCE, self.lines.recv()).await else {
                panic!("it never said {words}:\n{said}")
            };
            match next {
                Some(line) if line.contains(words) => return Ok(line),
                Some(line) => said.extend([line.as_str(), "\n"]),
                None => return Err(said),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call of Kannel at our webhook: what stands behind the account, and the query.
#[derive(Debug)]
pub struct Call {
    pub tail: String,
    pub query: String,
}

/// A Kannel that is up, with nobody behind its one route yet.
pub struct Kannel {
    bearerbox: Process,
    smsbox: Option<Process>,
    sendsms_port: u16,
    route_port: u16,
    hook_url: String,
    calls: UnboundedReceiver<Call>,
    webhook: JoinHandle<()>,
    folder: TempDir,
}

impl Drop for Kannel {
    fn drop(&mut self) {
        self.webhook.abort();
    }
}

impl Kannel {
    pub async fn start() -> Self {
        Self::start_taking("0123456789+ ").await
    }

    /// One that takes numbers of those characters only.
    pub async fn start_taking(characters: &str) -> Self {
        let (sender, calls) = unbounded_channel();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook_url = format!("http://{}/hooks/sms/kannel-1", listener.local_addr().unwrap());
        let router =
            Router::new().route("/hooks/sms/kannel-1/{tail}", get(keep)).with_state(sender);
        let webhook = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let folder = tempfile::tempdir().unwrap();
        let mut said = String::new();
        // Somebody else may have taken a port in the meantime.
        for _ in 0..5 {
            let [admin, boxes, route, sendsms] = free_ports();
            let file = folder.path().join("kannel.conf");
            let words = configuration(admin, boxes, route, sendsms, characters, &hook_url);
            std::fs::write(file, words).unwrap();
            match boot(folder.path()).await {
                Ok((bearerbox, smsbox)) => {
                    return Self {
                        bearerbox,
                        smsbox: Some(smsbox),
                        sendsms_port: sendsms,
                        route_port: route,
                        hook_url,
                        calls,
                        webhook,
                        folder,
                    };
                }
                Err(lines) => said = lines,
            }
        }
        panic!("Kannel does not start:\n{said}")
    }

    /// Our adapter, set up as its user.
    pub fn client(&self) -> Arc<KannelClient> {
        self.client_with("foobar")
    }

    /// The same with another password.
    pub fn client_with(&self, password: &str) -> Arc<KannelClient> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let keys = toml::toml! { username = "tester" sender = "13013" };
        let mut keys = keys;
        let url = format!("http://127.0.0.1:{}", self.sendsms_port);
        for (name, value) in
            [("api_url", &*url), ("password", password), ("webhook_secret", SECRET)]
        {
            keys.insert(name.to_owned(), value.into());
        }
        let Ok(Provider::Kannel(settings)) = Provider::read(ChannelKind::Sms, "kannel", keys)
        else {
            panic!("these are settings of Kannel")
        };
        let shared = Shared {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            timeout: PATIENCE,
            list_button: String::new(),
            hook_url: self.hook_url.clone(),
            clock: Arc::new(SystemClock),
        };
        Arc::new(KannelClient::new(Arc::new(shared), settings))
    }

    /// Puts an operator behind the route; it brings that message, if one is given: sender, receiver,
    /// type and text.
    pub async fn operator(&mut self, brings: Option<&str>) -> Operator {
        let port = self.route_port.to_string();
        let count = if brings.is_some() { "1" } else { "0" };
        let message = brings.unwrap_or("1 2 text nothing");
        let args = ["-H", "127.0.0.1", "-r", &port, "-i", "0.01", "-m", count, message];
        let operator = Process::start(FAKESMSC, self.folder.path(), &args);
        self.bearerbox.until("Fakesmsc client connected").await.unwrap();
        Operator(operator)
    }

    /// The next call at our webhook.
    pub async fn call(&mut self) -> Call {
        timeout(PATIENCE, self.calls.recv()).await.expect("nobody called").unwrap()
    }

    /// What the next call tells our adapter, the whole way through proof, storage and reading.
    pub async fn event(&mut self) -> Event {
        let call = self.call().await;
        let request = HookRequest {
            method: &http::Method::GET,
            tail: &call.tail,
            query: &call.query,
            url: "",
            now: Timestamp::from_ms(0),
            headers: &http::HeaderMap::new(),
            body: b"",
        };
        let client = self.client();
        let answer =
            client.receive(&request).unwrap_or_else(|refusal| panic!("{refusal}: {call:?}"));
        assert_eq!((answer.events.len(), answer.body.as_str()), (1, ""), "{call:?}");
        client.read(&answer.events[0].payload)
    }

    /// Takes smsbox down.
    pub fn go_down(&mut self) {
        self.smsbox = None;
    }
}

/// An operator's message centre, and whatever phone is behind it.
pub struct Operator(Process);

impl Operator {
    /// The next message it got: `sender receiver type text`.
    pub async fn message(&mut self) -> String {
        let line = self.0.until("Got message ").await.unwrap();
        let (_, message) = line.split_once(": <").unwrap();
        message.strip_suffix('>').unwrap().to_owned()
    }
}

async fn keep(
    State(calls): State<UnboundedSender<Call>>,
    UrlPath(tail): UrlPath<String>,
    RawQuery(query): RawQuery,
) {
    let _ = calls.send(Call { tail, query: query.unwrap_or_default() });
}

fn free_ports() -> [u16; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

async fn boot(folder: &Path) -> Result<(Process, Process), String> {
    let mut bearerbox = Process::start(BEARERBOX, folder, &["-v", "0", "kannel.conf"]);
    bearerbox.until("entering mainloop").await?;
    let mut smsbox = Process::start(SMSBOX, folder, &["-v", "0", "kannel.conf"]);
    smsbox.until("Connected to bearerbox").await?;
    Ok((bearerbox, smsbox))
}

fn configuration(
    admin: u16,
    boxes: u16,
    route: u16,
    sendsms: u16,
    characters: &str,
    hook_url: &str,
) -> String {
    format!(
        r#"group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = unused
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
log-file = "bearerbox.log"

group = smsc
smsc = fake
smsc-id = OPERATOR
host = 127.0.0.1
port = {route}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
sendsms-chars = "{characters}"
log-file = "smsbox.log"

group = sendsms-user
username = tester
password = foobar
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{hook_url}/mo?s={SECRET_IN_GET_URL}&from=%p&to=%P&text=%a&ts=%T&id=%I&charset=%C&coding=%c"
"#
    )
}
