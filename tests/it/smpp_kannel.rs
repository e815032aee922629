//! A real Kannel as the sender at the sandbox's message centre: what a program that knows nothing
//! of us submits arrives on the phone, and receipts and citizens' messages find their way back.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as UrlPath, RawQuery, State};
use axum::routing::get;
use kabar::domain::clock::SystemClock;
use kabar::sandbox::{Counterpart, Fault, FaultKind, Input, Sandbox, Settings, Side, SmppAccount};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::{CancellationToken, DropGuard};

const BEARERBOX: &str = "/usr/sbin/bearerbox";
const SMSBOX: &str = "/usr/sbin/smsbox";
const PHONE: &str = "+6281234567890";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of Kannel's programs; killed when dropped.
struct Box(Child);

impl Box {
    /// Starts it and waits until it says those words.
    async fn start(program: &str, folder: &Path, words: &str) -> Option<Self> {
        assert!(
            Path::new(program).exists(),
            "Kannel is missing ({program}): tests/run installs it, or: apt-get install kannel"
        );
        let mut child = Command::new(program)
            .args(["-v", "0", "kannel.conf"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = child.stderr.take().unwrap();
        let own = Self(child);
        let (sender, mut lines) = unbounded_channel();
        // Read to the end, or the program would stop at a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let said = async {
            while let Some(line) = lines.recv().await {
                if line.contains(words) {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(PATIENCE, said).await.expect("it starts").then_some(own)
    }
}

impl Drop for Box {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A call of Kannel: a receipt (`dlr`) or a citizen's message (`mo`).
type Call = (String, HashMap<String, String>);

struct Bench {
    sandbox: Sandbox,
    calls: UnboundedReceiver<Call>,
    hook: String,
    send_url: String,
    http: reqwest::Client,
    _boxes: (Box, Box),
    _folder: TempDir,
    _stop: DropGuard,
}

async fn keep(
    State(calls): State<UnboundedSender<Call>>,
    UrlPath(kind): UrlPath<String>,
    RawQuery(query): RawQuery,
) {
    let query = query.unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let fields: HashMap<&str, Vec<u8>> = pairs.map(|(name, value)| (name, octets(value))).collect();
    // Kannel gives the words of a citizen in the charset in which they came.
    let is_wide = fields.get("charset").is_some_and(|charset| charset == b"UTF-16BE");
    let read = |name: &str, value: &[u8]| {
        if name != "text" || !is_wide {
            return String::from_utf8(value.to_vec()).unwrap();
        }
        let units: Vec<u16> =
            value.chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
        String::from_utf16(&units).unwrap()
    };
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), read(name, value)));
    let _ = calls.send((kind, fields.collect()));
}

/// The octets behind a value of a query.
fn octets(value: &str) -> Vec<u8> {
    let (value, mut octets, mut at) = (value.as_bytes(), Vec::new(), 0);
    while at < value.len() {
        let (octet, width) = match value[at] {
            b'%' => {
                let digits = std::str::from_utf8(&value[at + 1..at + 3]).unwrap();
                (u8::from_str_radix(digits, 16).unwrap(), 3)
            }
            b'+' => (b' ', 1),
            octet => (octet, 1),
        };
        octets.push(octet);
        at += width;
    }
    octets
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn configuration([admin, boxes, sendsms]: [u16; 3], centre: u16, hook: &str) -> String {
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
sms-resend-freq = 1

group = smsc
smsc = smpp
smsc-id = CENTRE
host = 127.0.0.1
port = {centre}
transceiver-mode = true
smsc-username = "desa"
smsc-password = "rahasia"
system-type = "VMA"
enquire-link-interval = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
sendsms-chars = "0123456789+ "
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
get-url = "{hook}/mo?from=%p&to=%P&text=%a&charset=%C"
"#
    )
}

impl Bench {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stop = CancellationToken::new();
        let mut settings = Settings::new(Vec::new(), Arc::new(SystemClock));
        settings.others = vec![Counterpart::Smpp(SmppAccount {
            id: "smsc".to_owned(),
            label: "Desa".to_owned(),
            system_id: "desa".to_owned(),
            password: "rahasia".to_owned(),
            sender: "DESA".to_owned(),
        })];
        settings.pace = Duration::from_millis(20);
        let sandbox = Sandbox::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let centre = listener.local_addr().unwrap().port();
        let (own, ending) = (sandbox.clone(), stop.clone());
        tokio::spawn(async move { own.run(ending.cancelled()).await });
        let (own, ending) = (sandbox.clone(), stop.clone());
        tokio::spawn(async move { own.serve_smpp(listener, ending.cancelled()).await });

        let (sender, calls) = unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{kind}", get(keep)).with_state(sender);
        let ending = stop.clone().cancelled_owned();
        let server = axum::serve(listener, router).with_graceful_shutdown(ending);
        tokio::spawn(async move { server.await });

        let folder = tempfile::tempdir().unwrap();
        // Somebody else may have taken a port in the meantime.
        for _ in 0..5 {
            let ports = free_ports();
            let words = configuration(ports, centre, &hook);
            std::fs::write(folder.path().join("kannel.conf"), words).unwrap();
            let Some(bearerbox) = Box::start(BEARERBOX, folder.path(), "entering mainloop").await
            else {
                continue;
            };
            let connected = "Connected to bearerbox";
            let Some(smsbox) = Box::start(SMSBOX, folder.path(), connected).await else {
                continue;
            };
            return Self {
                sandbox,
                calls,
                hook,
                send_url: format!("http://127.0.0.1:{}/cgi-bin/sendsms", ports[2]),
                http: reqwest::Client::builder().no_proxy().build().unwrap(),
                _boxes: (bearerbox, smsbox),
                _folder: folder,
                _stop: stop.drop_guard(),
            };
        }
        panic!("Kannel does not start");
    }

    /// Sends as anybody with an account at that Kannel would.
    async fn send(&self, text: &str) {
        let coding = if text.contains(['你', '😀']) { "2" } else { "0" };
        let receipt = format!("{}/dlr?type=%d&id=%F", self.hook);
        let query = [
            ("username", "tester"),
            ("password", "foobar"),
            ("from", "DESA"),
            ("to", PHONE),
            ("text", text),
            ("charset", "UTF-8"),
            ("coding", coding),
            ("dlr-mask", "31"),
            ("dlr-url", &receipt),
        ];
        let answer = self.http.get(&self.send_url).query(&query).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }

    /// The next call of that kind.
    async fn call(&mut self, wanted: &str) -> HashMap<String, String> {
        let call = async {
            loop {
                let (kind, query) = self.calls.recv().await.unwrap();
                if kind == wanted {
                    return query;
                }
            }
        };
        tokio::time::timeout(PATIENCE, call).await.expect("Kannel calls")
    }

    /// The next final receipt: whether it was delivered, and for which id. What is told on the
    /// way (8: taken by the centre) may come before or after it.
    async fn receipt(&mut self) -> (bool, String) {
        loop {
            let mut query = self.call("dlr").await;
            let id = query.remove("id").unwrap_or_default();
            match query["type"].as_str() {
                "1" => return (true, id),
                "2" | "16" => return (false, id),
                _ => {}
            }
        }
    }

    /// The last text that the office sent, and its id.
    fn shown(&self) -> (String, String) {
        let phone = self.sandbox.phone(PHONE).unwrap();
        let office = phone.bubbles.iter().rfind(|bubble| bubble.side == Side::Office).unwrap();
        (office.text.clone(), office.id.clone())
    }
}

#[tokio::test]
async fn what_kannel_submits_is_on_the_phone_and_its_receipt_comes_back() {
    let mut bench = Bench::start().await;
    let long = "Pengumuman desa nomor satu. ".repeat(9);
    for text in ["halo", "halo {x} €", "你好 😀", long.trim_end()] {
        bench.send(text).await;
        let (is_delivered, id) = bench.receipt().await;
        assert!(is_delivered, "{text}");
        assert_eq!(bench.shown(), (text.to_owned(), id));
    }
    assert_eq!(bench.sandbox.phone(PHONE).unwrap().bubbles.len(), 4);
    let sent = bench.sandbox.sent();
    let long_parts: Vec<_> = sent.iter().skip(3).map(|sent| &sent.body["esm_class"]).collect();
    assert_eq!(long_parts, [0x43, 0x43]);
}

#[tokio::test]
async fn kannel_hears_of_failure_and_refusal_and_waits_where_it_is_throttled() {
    let mut bench = Bench::start().await;
    let once = |kind| vec![Fault { count: Some(1), ..Fault::new(kind) }];
    bench.sandbox.set_faults(once(FaultKind::Fail));
    bench.send("gagal").await;
    assert!(!bench.receipt().await.0);
    bench.sandbox.set_faults(once(FaultKind::Refuse));
    bench.send("ditolak").await;
    assert_eq!(bench.receipt().await, (false, String::new()));
    bench.sandbox.set_faults(once(FaultKind::Throttle));
    bench.send("pelan").await;
    assert!(bench.receipt().await.0, "sent again by Kannel");
    assert_eq!(bench.shown().0, "pelan");
    let codes: Vec<_> = bench.sandbox.sent().iter().map(|sent| sent.error_code).collect();
    assert_eq!(codes, [None, Some(0x0b), Some(0x58), None]);
}

#[tokio::test]
async fn what_a_citizen_writes_reaches_kannel() {
    let mut bench = Bench::start().await;
    let long = "pesan panjang sekali ".repeat(15);
    for text in ["STATUS", "kurung {a} €", "你好 😀", long.trim_end()] {
        bench.sandbox.write(PHONE, Some("smsc"), Input::Text(text.to_owned())).unwrap();
        let query = bench.call("mo").await;
        assert_eq!(query["text"], text, "{query:?}");
        assert_eq!((query["from"].as_str(), query["to"].as_str()), (PHONE, "DESA"));
    }
    bench.sandbox.idle().await;
}
