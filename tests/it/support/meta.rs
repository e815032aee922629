//! A stand-in for Meta, written without a look at the sandbox: it keeps every request and answers
//! as it was told. It speaks HTTP by hand, so that it can hang up in the middle.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What it does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Takes the message and says so.
    Accept,
    /// Takes the message and hangs up without a word.
    AcceptAndHangUp,
    /// Hangs up without having taken it.
    HangUp,
    /// Refuses with a code.
    Error { code: i64, subcode: Option<i64>, retry_after: Option<u64> },
    /// Answers with that status and those bytes.
    Raw(u16, &'static str),
}

impl Answer {
    /// Refuses with a code and nothing more.
    pub fn code(code: i64) -> Self {
        Self::Error { code, subcode: None, retry_after: None }
    }
}

/// A request it got.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its path.
    pub path: String,
    /// Its `Authorization` header.
    pub authorization: String,
    /// Its body.
    pub body: Value,
    /// The id it was given, if it was taken.
    pub id: Option<String>,
}

impl Request {
    /// Number it goes to, as written.
    pub fn to(&self) -> &str {
        self.body["to"].as_str().unwrap_or_default()
    }

    /// Our id, as written into the field that is echoed.
    pub fn echo(&self) -> &str {
        self.body["biz_opaque_callback_data"].as_str().unwrap_or_default()
    }

    /// Name of its template.
    pub fn template(&self) -> &str {
        self.body["template"]["name"].as_str().unwrap_or_default()
    }

    /// Value of a named parameter of its template.
    pub fn param(&self, name: &str) -> String {
        let parts = self.body["template"]["components"].as_array().cloned().unwrap_or_default();
        let body = parts.iter().find(|part| part["type"] == "body").cloned().unwrap_or_default();
        let params = &body["parameters"];
        let list = params.as_array().cloned().unwrap_or_default();
        let found = list.iter().find(|param| param["parameter_name"] == name);
        found.and_then(|param| param["text"].as_str()).unwrap_or_default().to_owned()
    }

    /// What the quick replies of its template send back, in their order.
    pub fn quick_replies(&self) -> Vec<String> {
        let parts = self.body["template"]["components"].as_array().cloned().unwrap_or_default();
        let buttons = parts.iter().filter(|part| part["sub_type"] == "quick_reply");
        let payload =
            |button: &Value| button["parameters"][0]["payload"].as_str().map(str::to_owned);
        buttons.filter_map(payload).collect()
    }

    /// The id of the file above its template, or of the picture or the paper that it is.
    pub fn file(&self) -> Option<&str> {
        let parts = self.body["template"]["components"].as_array();
        let header = parts.and_then(|parts| parts.iter().find(|part| part["type"] == "header"));
        let found = header.map_or(&self.body, |header| &header["parameters"][0]);
        let kinds = ["image", "document"];
        kinds.iter().find_map(|kind| found[*kind]["id"].as_str())
    }

    /// Whether it handed a file over.
    pub fn is_upload(&self) -> bool {
        self.path.ends_with("/media")
    }

    /// Its free words.
    pub fn text(&self) -> &str {
        let text = self.body["text"]["body"].as_str();
        text.or_else(|| self.body["interactive"]["body"]["text"].as_str()).unwrap_or_default()
    }

    /// What can be pressed: id and title.
    pub fn choices(&self) -> Vec<(String, String)> {
        let action = &self.body["interactive"]["action"];
        let pair = |v: &Value| {
            let word = |name: &str| v[name].as_str().unwrap_or_default().to_owned();
            (word("id"), word("title"))
        };
        let buttons = action["buttons"].as_array().cloned().unwrap_or_default();
        let rows = action["sections"][0]["rows"].as_array().cloned().unwrap_or_default();
        buttons.iter().map(|button| pair(&button["reply"])).chain(rows.iter().map(pair)).collect()
    }
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    script: VecDeque<Answer>,
    by_number: HashMap<String, Answer>,
    default: Option<Answer>,
}

/// Meta, as far as Kabar can see it.
#[derive(Debug)]
pub struct FakeMeta {
    address: std::net::SocketAddr,
    state: Arc<Mutex<State>>,
    held: Arc<watch::Sender<bool>>,
    arrived: Arc<watch::Sender<usize>>,
    server: Mutex<Option<JoinHandle<()>>>,
}

impl FakeMeta {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let meta = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            held: Arc::new(watch::Sender::new(false)),
            arrived: Arc::new(watch::Sender::new(0)),
            server: Mutex::new(None),
        };
        meta.serve(listener);
        meta
    }

    fn serve(&self, listener: TcpListener) {
        let (state, held) = (Arc::clone(&self.state), Arc::clone(&self.held));
        let arrived = Arc::clone(&self.arrived);
        let task = tokio::spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (state, held) = (Arc::clone(&state), Arc::clone(&held));
                connections.spawn(converse(stream, state, held, Arc::clone(&arrived)));
            }
        });
        *self.server.lock().unwrap() = Some(task);
    }

    /// Its address, as an account's `api_url`.
    pub fn url(&self) -> String {
        format!("http://{}/v25.0", self.address)
    }

    /// Answers the next request so; called again, the one after it.
    pub fn next(&self, answer: Answer) {
        self.state.lock().unwrap().script.push_back(answer);
    }

    /// Answers every request so for which nothing else was said.
    pub fn always(&self, answer: Answer) {
        self.state.lock().unwrap().default = Some(answer);
    }

    /// Answers every request to that number so.
    pub fn always_to(&self, number: &str, answer: Answer) {
        self.state.lock().unwrap().by_number.insert(number.to_owned(), answer);
    }

    /// Keeps answers back from now on, also of what it takes.
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Gives the answers it kept back.
    pub fn release(&self) {
        self.held.send_replace(false);
    }

    /// Waits until it has got that many requests.
    pub async fn wait_for_requests(&self, count: usize) {
        self.arrived.subscribe().wait_for(|arrived| *arrived >= count).await.unwrap();
    }

    /// Stops listening; connections break.
    pub async fn go_down(&self) {
        let task = self.server.lock().unwrap().take().expect("was up");
        task.abort();
        let _ = task.await;
    }

    /// Listens again at the same address.
    pub async fn come_back(&self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    /// Every request, taken or not.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many requests it has got.
    pub fn asked(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// Those after the first ones, taken or not.
    pub fn requests_from(&self, first: usize) -> Vec<Request> {
        self.state.lock().unwrap().requests[first..].to_vec()
    }

    /// The messages it has taken, which are on their way to phones.
    pub fn sent(&self) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.id.is_some());
        requests
    }

    /// The messages it has taken for one number.
    pub fn sent_to(&self, number: &str) -> Vec<Request> {
        let mut sent = self.sent();
        sent.retain(|request| request.to() == number);
        sent
    }
}

impl Drop for FakeMeta {
    fn drop(&mut self) {
        if let Some(task) = self.server.lock().unwrap().take() {
            task.abort();
        }
    }
}

async fn converse(
    mut stream: TcpStream,
    state: Arc<Mutex<State>>,
    held: Arc<watch::Sender<bool>>,
    arrived: Arc<watch::Sender<usize>>,
) {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    while let Some((path, authorization, body)) = read_request(&mut read).await {
        let answer = take(&state, path, authorization, body);
        arrived.send_modify(|count| *count += 1);
        held.subscribe().wait_for(|held| !held).await.unwrap();
        let Some((code, retry_after, body)) = answer else { return };
        let wait = retry_after.map(|s| format!("Retry-After: {s}\r\n")).unwrap_or_default();
        let opening = format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\n{wait}\r\n", body.len());
        if write.write_all(format!("{opening}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

type Reply = Option<(u16, Option<u64>, String)>;

fn take(shared: &Mutex<State>, path: String, authorization: String, body: Value) -> Reply {
    let mut state = shared.lock().unwrap();
    let mut request = Request { path, authorization, body, id: None };
    let answer = (state.by_number.get(request.to()).cloned())
        .or_else(|| state.script.pop_front())
        .or_else(|| state.default.clone())
        .unwrap_or(Answer::Accept);
    if request.is_upload() && matches!(answer, Answer::Accept) {
        // A file is no message.
        let id = format!("77{:06}", state.requests.len() + 1);
        state.requests.push(request);
        return Some((200, None, json!({ "id": id }).to_string()));
    }
    if matches!(answer, Answer::Accept | Answer::AcceptAndHangUp) {
        request.id = Some(format!("wamid.TEST{:06}", state.requests.len() + 1));
    }
    let id = request.id.clone();
    state.requests.push(request);
    match answer {
        Answer::Accept => Some((
            200,
            None,
            json!({"messaging_product": "whatsapp",
                   "messages": [{"id": id, "message_status": "accepted"}]})
            .to_string(),
        )),
        Answer::AcceptAndHangUp | Answer::HangUp => None,
        Answer::Raw(status, body) => Some((status, None, body.to_owned())),
        Answer::Error { code, subcode, retry_after } => {
            let mut error = json!({
                "message": format!("(#{code}) refused"), "type": "OAuthException", "code": code,
                "error_data": {"messaging_product": "whatsapp", "details": "as the test asked"},
                "fbtrace_id": "AtEsT"
            });
            if let Some(subcode) = subcode {
                error["error_subcode"] = subcode.into();
            }
            let status = if code == 190 { 401 } else { 400 };
            Some((status, retry_after, json!({"error": error}).to_string()))
        }
    }
}

async fn read_request<R>(read: &mut R) -> Option<(String, String, Value)>
where
    R: tokio::io::AsyncBufRead + Unpin,
{
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    read.read_exact(&mut body).await.ok()?;
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let form = |body: &[u8]| Value::from(String::from_utf8_lossy(body).into_owned());
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| form(&body));
    Some((path, header("authorization").unwrap_or_default(), body))
}
