//! A real MariaDB, for the databases of others that the service watches: the server that
//! `tests/run` starts for all, or one of a test's own that it may kill and start again.
//!
//! `tests/run` installs the programs; where they are missing, whoever asks for them fails.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::server::{complaints, free_port, give_to_server, server_program};

const SERVER: &str = "KABAR_TEST_MARIADB_URL";
const MARIADBD: &str = "/usr/sbin/mariadbd";
const INSTALL: &str = "/usr/bin/mariadb-install-db";
const PACKAGE: &str = "mariadb-server";
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
        let mut child = server_program(folder, MARIADBD, PACKAGE)
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
        let mut lines = complaints(&mut child);
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

/// Makes the data folder of an empty server.
fn prepare(folder: &Path) {
    give_to_server(folder);
    let output = server_program(folder, INSTALL, PACKAGE)
        .arg("--no-defaults")
        .arg(format!("--datadir={}", folder.join("data").display()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
        // The server would make it anew otherwise.
        .args(OPTIONS.iter().filter(|option| option.starts_with("--innodb")))
        .output()
        .unwrap();
    assert!(output.status.success(), "mariadb-install-db: {output:?}");
}
