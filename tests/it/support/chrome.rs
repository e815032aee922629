//! Debian's Chromium, driven as somebody before a screen: on an old laptop, or on a cheap phone.
//!
//! Chromium and its driver end with the test. Pictures are kept under `target/pictures`, to be looked at.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde_json::{Value, json};

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest page of which a picture is kept whole.
const LONGEST: u64 = 6_000;
/// More presses of the tab key than any page has stops.
const STOPS: usize = 80;

/// Before which screen somebody sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// 360 pixels wide.
    Phone,
    /// 1280 pixels wide.
    Laptop,
}

impl Screen {
    /// Both, the larger one first.
    pub const BOTH: [Self; 2] = [Self::Laptop, Self::Phone];

    /// Its width in pixels.
    pub const fn width(self) -> u32 {
        match self {
            Self::Phone => 360,
            Self::Laptop => 1_280,
        }
    }

    const fn height(self) -> u32 {
        match self {
            Self::Phone => 740,
            Self::Laptop => 800,
        }
    }
}

/// A browser window.
#[derive(Debug)]
pub struct Chrome {
    client: Client,
    screen: Screen,
    url: String,
    faults: Vec<String>,
    _driver: Driver,
}

/// A command of Chromium itself, for what its driver does not know.
#[derive(Debug)]
struct Devtools(Value);

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

/// The driver and the Chromium that it started; both end when it is dropped, however a test ends.
#[derive(Debug)]
struct Driver(Child);

impl Driver {
    /// Starts one, and gives the port it listens on.
    fn start() -> (Self, String) {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let mut driver =
            Self(driver.expect("chromedriver starts; tests/run installs chromium-driver"));
        let lines = BufReader::new(driver.0.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        (driver, port.expect("chromedriver says its port"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

impl Chrome {
    /// Opens a window that knows nothing yet, before the office at that address, on a laptop.
    pub async fn open(url: &str) -> Self {
        Self::start(url, None).await
    }

    /// The same with what a browser kept in that folder when it was closed.
    pub async fn open_again(url: &str, folder: &Path) -> Self {
        Self::start(url, Some(format!("--user-data-dir={}", folder.display()))).await
    }

    async fn start(url: &str, folder: Option<String>) -> Self {
        let (driver, port) = tokio::task::spawn_blocking(Driver::start).await.unwrap();
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--force-prefers-reduced-motion",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ];
        arguments.extend(folder.as_deref());
        let options = json!({"args": arguments, "binary": "/usr/bin/chromium"});
        let capabilities = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium opens");
        let url = url.to_owned();
        let mut chrome =
            Self { client, screen: Screen::Laptop, url, faults: Vec::new(), _driver: driver };
        chrome.sit_before(Screen::Laptop).await;
        chrome
    }

    async fn devtools(&self, command: &str, params: Value) -> Value {
        let command = Devtools(json!({"cmd": command, "params": params}));
        self.client.issue_cmd(command).await.unwrap()
    }

    /// Goes on before that screen.
    pub async fn sit_before(&mut self, screen: Screen) {
        self.screen = screen;
        let metrics = json!({"width": screen.width(), "height": screen.height(),
            "deviceScaleFactor": 1, "mobile": screen == Screen::Phone});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Opens a second tab and goes on there; with `closing` the one before is closed.
    pub async fn next_tab(&mut self, closing: bool) {
        let next = self.client.new_window(true).await.unwrap().handle;
        if closing {
            self.client.close_window().await.unwrap();
        }
        self.client.switch_to_window(next).await.unwrap();
        self.sit_before(self.screen).await;
    }

    /// Shows pages as on a device that is set to dark colours.
    pub async fn in_the_dark(&self) {
        let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
        self.devtools("Emulation.setEmulatedMedia", dark).await;
    }

    /// Runs no script of any page from now on.
    pub async fn without_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    /// Goes to a page.
    pub async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    /// Where it is, without the office's address.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().trim_start_matches(&self.url).to_owned()
    }

    async fn find(&self, locator: Locator<'_>) -> fantoccini::elements::Element {
        match self.client.wait().at_most(PATIENCE).for_element(locator).await {
            Ok(found) => found,
            Err(error) => panic!("{locator:?}: {error} in {}", self.words().await),
        }
    }

    async fn click_on(&self, locator: Locator<'_>) {
        loop {
            match self.find(locator).await.click().await {
                // The page was changed between looking and pressing, as by news of its progress.
                Err(error) if error.is_stale_element_reference() => {}
                pressed => return pressed.unwrap(),
            }
        }
    }

    /// Waits until there is such an element.
    pub async fn has(&self, selector: &str) {
        self.find(Locator::Css(selector)).await;
    }

    /// Types into a field, in place of what stands there.
    pub async fn fill(&self, field: &str, text: &str) {
        let field = self.find(Locator::Css(field)).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses the button or link of that name.
    pub async fn press(&self, name: &str) {
        let path = format!(
            "//main//button[normalize-space()='{name}'] | //main//a[normalize-space()='{name}'] | \
             //nav//a[normalize-space()='{name}'] | //header//button[normalize-space()='{name}']"
        );
        self.click_on(Locator::XPath(&path)).await;
    }

    /// Presses the first element that fits.
    pub async fn click(&self, selector: &str) {
        self.click_on(Locator::Css(selector)).await;
    }

    /// Says yes to what the page asks before it goes on, and gives what it asked.
    pub async fn agree(&self) -> String {
        let asked = self.client.get_alert_text().await.unwrap();
        self.client.accept_alert().await.unwrap();
        asked
    }

    /// Types on the keyboard, wherever the focus is.
    pub async fn keys(&self, text: &str) {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Goes on with the tab key until the focus is on such an element.
    pub async fn tab_to(&self, selector: &str) {
        for _ in 0..STOPS {
            if self.is_focused(selector).await {
                return;
            }
            self.keys("\u{e004}").await;
        }
        panic!("{selector} is not reached by the tab key");
    }

    /// Whether the focus is on such an element.
    pub async fn is_focused(&self, selector: &str) -> bool {
        let script = "return document.activeElement.matches(arguments[0])";
        self.client.execute(script, vec![selector.into()]).await.unwrap() == true
    }

    /// What a script finds out.
    pub async fn ask(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Waits until the page says so.
    pub async fn sees(&self, words: &str) {
        let path = format!("//main[contains(normalize-space(.), \"{words}\")]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        assert!(found.is_ok(), "{words} is not seen in {}", self.words().await);
    }

    /// What the page says.
    pub async fn words(&self) -> String {
        let text = self.ask("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Keeps a picture of the whole page, and holds it to what every page must keep: nothing is wider than the
    /// screen, and axe-core finds no serious fault.
    pub async fn look(&mut self, name: &str) {
        let width = self.screen.width();
        let wide = self.keep_picture(name).await;
        let mut faults = self.axe().await;
        if wide > u64::from(width) {
            faults.push(format!("the page is {wide} pixels wide"));
        }
        self.faults.extend(faults.iter().map(|fault| format!("{name} at {width}: {fault}")));
    }

    /// Keeps a picture of the whole page; gives the page's width.
    pub async fn keep_picture(&self, name: &str) -> u64 {
        let length = |value: Value| value.as_u64().unwrap_or_default();
        let wide = length(self.ask("return document.documentElement.scrollWidth").await);
        // From the top: what stays in sight while one scrolls would stand in the middle.
        let high = "scrollTo(0, 0); return document.documentElement.scrollHeight";
        let high = length(self.ask(high).await);
        let width = self.screen.width();
        let clip = json!({"x": 0, "y": 0, "width": width, "height": high.min(LONGEST), "scale": 1});
        let params = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.devtools("Page.captureScreenshot", params).await;
        let picture = STANDARD.decode(picture["data"].as_str().expect("a picture")).unwrap();
        std::fs::create_dir_all(pictures()).unwrap();
        std::fs::write(pictures().join(format!("{name}_{width}.png")), picture).unwrap();
        wide
    }

    /// The serious and critical faults that axe-core finds.
    async fn axe(&self) -> Vec<String> {
        const RUN: &str = "const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ['violations']})
               .then(r => done(r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
                    .map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | '))),
                     e => done(['axe failed: ' + e]));";
        let source = std::fs::read_to_string(axe_file())
            .expect("axe-core is there; tests/run fetches it from npm");
        self.client.execute(&source, vec![]).await.unwrap();
        let found = self.client.execute_async(RUN, vec![]).await.unwrap();
        let faults = found.as_array().expect("a list");
        faults.iter().map(|fault| fault.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Closes the window; what was looked at must have been without fault.
    pub async fn close(self) {
        self.client.close().await.unwrap();
        assert_eq!(self.faults, Vec::<String>::new());
    }
}

fn target() -> PathBuf {
    // …/target/debug/kabar
    Path::new(env!("CARGO_BIN_EXE_kabar")).ancestors().nth(2).unwrap().to_owned()
}

/// Where pictures are kept.
fn pictures() -> PathBuf {
    target().join("pictures")
}

fn axe_file() -> PathBuf {
    std::env::var_os("KABAR_TEST_AXE")
        .map_or_else(|| target().join("axe/axe.min.js"), PathBuf::from)
}
