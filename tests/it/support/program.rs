//! The real binary, started as an office starts it: its words are read as they come, it is
//! stopped by signals, and nothing of it outlives the test.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Longest wait for a word or an end that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that came to its end.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it said.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Ended {
    /// What it said, as one JSON value.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A command under way; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: UnboundedReceiver<String>,
    stderr: UnboundedReceiver<String>,
}

/// Runs a command to its end, with that on its standard input.
pub async fn kabar(args: &[&str], input: &[u8]) -> Ended {
    let mut running = Running::start(args);
    running.write(input);
    running.end().await
}

impl Running {
    /// Starts a command in an environment of its own.
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kabar"))
            .args(args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdin, stdout, stderr }
    }

    /// Writes to its standard input.
    pub fn write(&mut self, input: &[u8]) {
        // A command that wants no input may have ended by now.
        let _ = self.stdin.as_mut().expect("still open").write_all(input);
    }

    /// The next line it says.
    pub async fn line(&mut self) -> String {
        let next = timeout(PATIENCE, self.stdout.recv()).await.expect("it fell silent");
        next.expect("it said no more")
    }

    /// What it says up to the line with those words.
    pub async fn until(&mut self, words: &str) -> Vec<String> {
        let mut said = Vec::new();
        while said.last().is_none_or(|line: &String| !line.contains(words)) {
            said.push(self.line().await);
        }
        said
    }

    /// Waits until it listens, and returns its address.
    pub async fn address(&mut self) -> String {
        loop {
            let next = timeout(PATIENCE, self.stderr.recv()).await.expect("it never listened");
            let line = next.expect("it ended before it listened");
            if let Some((_, address)) = line.split_once("listening on ") {
                return address.trim().to_owned();
            }
        }
    }

    /// Sends it a signal, like `INT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end; its standard input ends now.
    pub async fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let (stdout, stderr) = (rest(&mut self.stdout).await, rest(&mut self.stderr).await);
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream, as they come.
fn lines(stream: impl Read + Send + 'static) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn rest(lines: &mut UnboundedReceiver<String>) -> String {
    let mut text = String::new();
    while let Some(line) = timeout(PATIENCE, lines.recv()).await.expect("it never ended") {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
