//! A real MariaDB, for the databases of others that the service watches: the server that
//! `tests/run` starts for all, or one of a test's own that it may kill and start again.
//!
//! `tests/run` installs the programs; where they are missing, whoever asks for them fails.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

const SERVER: &str = "KABAR_TEST_MARIADB_URL";
const MARIADBD: &str = "/usr/sbin/mariadbd";
const INSTALL: &str = "/usr/bin/mariadb-install-db";
/// Longest wait for a word that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Small, and gentle to the disk. A commit reaches the system, so a killed server loses none; only
/// a fallen machine would.
const OPTIONS: &[&str] = &[
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-use-native-aio=0",
    "--key-buffer-size=64K",
    "--aria-pagecache-buffer-size=4M",
    "--socket=mariadb.sock",
    "--pid-file=mariadb.pid",
];

/// A server, and the way in as one who may do everything.
pub struct MariaDb {
    url: String,
    own: Option<Own>,
}

/// A server that ends with its test.
struct Own {
    process: Option<Child>,
    port: u16,
    folder: TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl MariaDb {
    /// The server that all tests share.
    pub fn shared() -> Self {
        let url = std::env::var(SERVER).unwrap_or_else(|_| {
            panic!(
                "{SERVER} is not set: run tests/run, which starts a MariaDB for the tests, or set \
                 it to a server of your own, like mysql://root@127.0.0.1:3306/"
            )
        });
        Self { url: format!("{}/", url.trim_end_matches('/')), own: None }
    }

    /// A server of the test's own, up and empty.
    pub async fn private() -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let mut own = Own { process: None, port: 0, folder };
        let mut said = String::new();
        // Somebody else may have taken the port in the meantime.
        for _ in 0..5 {
            own.port = free_port();
            match own.start().await {
                Ok(()) => {
                    let url = format!("mysql://root@127.0.0.1:{}/", own.port);
                    return Self { url, own: Some(own) };
                }
                Err(lines) => said = lines,
            }
        }
        panic!("MariaDB does not start:\n{said}")
    }

    /// Its address, without the name of a database: `mysql://root@127.0.0.1:PORT/`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it in the middle of whatever it does.
    pub async fn kill(&mut self) {
        let own = self.own.as_mut().expect("only a private server can be killed");
        let mut process = own.process.take().expect("it runs");
        let wait = move || process.kill().and_then(|()| process.wait());
        tokio::task::spawn_blocking(wait).await.unwrap().unwrap();
    }

    /// Starts it again, on the same port and with what it had.
    pub async fn start(&mut self) {
        let own = self.own.as_mut().expect("only a private server can be started");
        if let Err(said) = own.start().await {
            panic!("MariaDB does not start again:\n{said}");
        }
    }
}

impl Own {
    async fn start(&mut self) -> Result<(), String> {
        assert!(self.process.is_none(), "it runs already");
        let folder = self.folder.path();
        let mut child = server_user(folder, MARIADBD)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.join("data").display()))
            // No statement of a stranger on this machine reaches a file outside.
            .arg(format!("--secure-file-priv={}", folder.display()))
            .arg(format!("--port={}", self.port))
            .args(OPTIONS)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = lines(&mut child);
        self.process = Some(child);
        let mut said = String::new();
        loop {
            let Ok(next) = timeout(PATIENCE, lines.recv()).await else {
                panic!("MariaDB never was ready:\n{said}")
            };
            match next {
                Some(line) if line.contains("ready for connections") => return Ok(()),
                Some(line) => said.extend([line.as_str(), "\n"]),
                None => {
                    let _ = self.process.take().map(|mut ended| ended.wait());
                    return Err(said);
                }
            }
        }
    }
}

/// The command for a program of the server: it ends with the thread that started it, however that
/// ends, and has not root's rights, since nobody needs a password for it.
fn server_user(folder: &Path, program: &str) -> Command {
    assert!(
        Path::new(program).exists(),
        "MariaDB is missing ({program}): tests/run installs it, or: apt-get install mariadb-server"
    );
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).stdin(Stdio::null()).current_dir(folder);
    // A server that starts clears the temporary tables of every other one that shares its folder.
    command.env("TMPDIR", folder);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
    }
    command.arg(program);
    command
}

/// Makes the data folder of an empty server.
fn prepare(folder: &Path) {
    let owner = server_user(folder, "/usr/bin/id").arg("-u").output().unwrap();
    let owner: u32 = String::from_utf8(owner.stdout).unwrap().trim().parse().unwrap();
    std::os::unix::fs::chown(folder, Some(owner), None).unwrap();
    let output = server_user(folder, INSTALL)
        .arg("--no-defaults")
        .arg(format!("--datadir={}", folder.join("data").display()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
        // The server would make it anew otherwise.
        .args(OPTIONS.iter().filter(|option| option.starts_with("--innodb")))
        .output()
        .unwrap();
    assert!(output.status.success(), "mariadb-install-db: {output:?}");
}

/// A port below those that the system gives to outgoing connections, so that it is free still when
/// the server comes back.
fn free_port() -> u16 {
    loop {
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes).unwrap();
        let port = 20_000 + u16::from_le_bytes(bytes) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a server complains of, as it comes.
fn lines(child: &mut Child) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { return };
            // It goes on reading when nobody listens any more: a full pipe would halt the server.
            let _ = sender.send(line);
        }
    });
    receiver
}
