//! Debian's Chromium, driven as somebody before a screen: on an old laptop, or on a cheap phone.
//!
//! Chromium and its driver end with the test. Pictures are kept under `target/pictures`, to be looked at.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Before which screen somebody sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// 360 pixels wide.
    Phone,
    /// 1280 pixels wide.
    Laptop,
}

impl Screen {
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
    _driver: Driver,
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
    /// Opens a window that knows nothing yet, before the office at that address.
    pub async fn open(url: &str, screen: Screen) -> Self {
        let (driver, port) = tokio::task::spawn_blocking(Driver::start).await.unwrap();
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--force-prefers-reduced-motion".to_owned(),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
        ];
        let (width, height) = (screen.width(), screen.height());
        arguments.push(format!("--window-size={width},{height}"));
        let mut options = json!({"args": arguments, "binary": "/usr/bin/chromium"});
        if screen == Screen::Phone {
            options["mobileEmulation"] =
                json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 1.0}});
        }
        let capabilities = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium opens");
        Self { client, screen, url: url.to_owned(), _driver: driver }
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

    /// Types into a field.
    pub async fn fill(&self, field: &str, text: &str) {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(field)).await;
        let field = found.unwrap_or_else(|error| panic!("{field}: {error}"));
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses the button or link of that name.
    pub async fn press(&self, name: &str) {
        let path = format!(
            "//main//button[normalize-space()='{name}'] | //main//a[normalize-space()='{name}'] | \
             //nav//a[normalize-space()='{name}'] | //header//button[normalize-space()='{name}']"
        );
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        found.unwrap_or_else(|error| panic!("{name}: {error}")).click().await.unwrap();
    }

    /// Waits until the page says so.
    pub async fn sees(&self, words: &str) {
        let path = format!("//main[contains(normalize-space(.), \"{words}\")]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        assert!(found.is_ok(), "{words} is not seen in {}", self.words().await);
    }

    /// What the page says.
    pub async fn words(&self) -> String {
        let text = self.client.execute("return document.body.innerText", vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Keeps a picture of the whole page, and holds it to what every page must keep: nothing is wider than the
    /// screen, and axe-core finds no serious fault.
    pub async fn look(&self, name: &str) -> Vec<String> {
        let run = |script: &'static str| self.client.execute(script, vec![]);
        let wide = run("return document.documentElement.scrollWidth").await.unwrap();
        let height = run("return document.documentElement.scrollHeight").await.unwrap();
        let height = u32::try_from(height.as_u64().unwrap_or(800)).unwrap().clamp(400, 4_000);
        if self.screen == Screen::Laptop {
            self.client.set_window_size(self.screen.width(), height + 150).await.unwrap();
        }
        let folder = pictures();
        std::fs::create_dir_all(&folder).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}_{}.png", self.screen.width())), picture)
            .unwrap();
        let mut faults = self.axe().await;
        if wide.as_u64() > Some(u64::from(self.screen.width())) {
            faults.push(format!("the page is {wide} pixels wide"));
        }
        faults.iter().map(|fault| format!("{name} at {}: {fault}", self.screen.width())).collect()
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

    /// Closes the window.
    pub async fn close(self) {
        self.client.close().await.unwrap();
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
