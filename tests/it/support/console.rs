//! An officer's browser: it logs in at the door like everybody, keeps its cookie, and fills in forms with the
//! token that the page gave it. It follows no redirect by itself, so that a test sees where it is sent.

#![allow(dead_code, reason = "each page's tests use what they need of it")]

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::officer::{add, hash_password};
use kabar::store::officer::{find_by_login, set_password};
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode};

use super::TestApp;

/// What everybody who is added here logs in with.
pub const PASSWORD: &str = "padi menguning di sawah";

/// Adds an officer who has chosen their password already.
pub async fn add_officer(app: &TestApp, login: &str, name: &str, role: OfficerRole, area: &str) {
    let area = AreaCode::parse(area).unwrap_or_else(|_| AreaCode::nationwide());
    let (id, _) = add(&app.app, &Actor::cli(), login, name, role, &area).await.expect("added");
    let hash = hash_password(PASSWORD.to_owned()).await.unwrap();
    let mut tx = app.app.db.begin().await.unwrap();
    set_password(&mut tx, id, &hash, false, app.app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Where it sends on to; empty for nowhere.
    pub to: String,
    /// `Content-Type`; empty for none.
    pub kind: String,
    /// The page.
    pub text: String,
    /// The same, byte for byte.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Whether the page says so, in its source: `&` is `&#38;` there.
    pub fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// The values of an attribute, in the order of the page: `attributes("href")`.
    pub fn attributes(&self, name: &str) -> Vec<String> {
        let begin = format!("{name}=\"");
        let parts = self.text.split(&begin).skip(1);
        parts.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    }
}

/// A browser in which somebody is logged in.
#[derive(Clone, Debug)]
pub struct Browser {
    /// `off_…` of whoever sits before it.
    pub officer: String,
    /// What they are, for calling a service in their name.
    pub actor: Actor,
    url: String,
    http: reqwest::Client,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// An officer of that role in that area (`35.17.09`, or nothing for everywhere), logged in.
    pub async fn login(app: &TestApp, role: OfficerRole, area: &str) -> Self {
        let plain = AreaCode::parse(area).map(|area| area.plain().to_owned()).unwrap_or_default();
        let login = format!("{role}-{plain}");
        if find_by_login(&app.app.db, &login).await.unwrap().is_none() {
            add_officer(app, &login, &login, role, area).await;
        }
        let officer = find_by_login(&app.app.db, &login).await.unwrap().unwrap();
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut browser = Self {
            officer: officer.id.to_string(),
            actor: officer.actor(),
            url: app.url.clone(),
            http,
            cookie: String::new(),
            csrf: String::new(),
        };
        let form = serde_urlencoded::to_string([("login", login.as_str()), ("password", PASSWORD)]);
        let answer = browser
            .http
            .post(format!("{}/console/masuk", browser.url))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.unwrap())
            .send()
            .await
            .unwrap();
        let cookie = answer.headers().get(SET_COOKIE).expect("a cookie").to_str().unwrap();
        cookie.split(';').next().unwrap().clone_into(&mut browser.cookie);
        let account = browser.get("/console/akun").await;
        assert_eq!(account.status, StatusCode::OK, "{}", account.text);
        let token = account.text.split("name=\"csrf\" content=\"").nth(1);
        let token = token.and_then(|rest| rest.split('"').next());
        token.expect("the page carries a token").clone_into(&mut browser.csrf);
        browser
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.url))).await
    }

    /// Sends a form, with its token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        self.post_raw(path, &fields).await
    }

    /// The same without the token.
    pub async fn post_raw(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = self.http.post(format!("{}{path}", self.url));
        let kind = "application/x-www-form-urlencoded";
        self.send(request.header(CONTENT_TYPE, kind).body(body)).await
    }

    /// Sends a form and opens the page that it leads to.
    pub async fn post_and_follow(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        self.get(&answer.to).await
    }

    /// Sends a form with files: names of fields, names of files where they are such, and what is in them. It
    /// carries the token only where it stands among the fields, as `csrf` does.
    pub async fn post_files(&self, path: &str, fields: &[(&str, Option<&str>, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, file, bytes) in fields {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            let opening =
                format!("--batas\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend_from_slice(opening.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--batas--\r\n");
        let request = self.http.post(format!("{}{path}", self.url));
        let kind = "multipart/form-data; boundary=batas";
        self.send(request.header(CONTENT_TYPE, kind).body(body)).await
    }

    /// What every form carries.
    pub fn token(&self) -> &str {
        &self.csrf
    }

    /// A request that nobody has thought of, like one with files: cookie and token are with it.
    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header(COOKIE, &self.cookie)
            .header("x-csrf", &self.csrf)
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.header(COOKIE, &self.cookie).send().await.unwrap();
        let text = |name| {
            let value = answer.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (status, to, kind) = (answer.status(), text(LOCATION), text(CONTENT_TYPE));
        let bytes = answer.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status, to, kind, text, bytes }
    }
}
