//! A PostgreSQL of a test's own, which it may kill, start again, and replace by a replica.
//!
//! `tests/run` installs the programs; where they are missing, whoever asks for them fails.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::time::{interval, timeout};

use super::server::{free_port, give_to_server, server_program};

const PACKAGE: &str = "postgresql";
/// Longest wait for a server that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon a server is asked again whether it is up.
const SOON: Duration = Duration::from_millis(50);
/// A commit reaches the system, so a killed server loses none; only a fallen machine would.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=100",
    "hot_standby=on",
];

/// A server that ends with its test.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Child>,
    port: u16,
    folder: TempDir,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Postgres {
    /// A server up and empty.
    pub async fn private() -> Self {
        let folder = tempfile::tempdir().unwrap();
        give_to_server(folder.path());
        let mut initdb = server_program(folder.path(), &program("initdb"), PACKAGE);
        initdb.args(["--pgdata=data", "--auth=trust", "--username=postgres", "--encoding=UTF8"]);
        let output = initdb.args(["--locale=C.UTF-8", "--no-sync"]).output().unwrap();
        assert!(output.status.success(), "initdb: {output:?}");
        let mut server = Self { process: None, port: free_port(), folder };
        server.start().await;
        server
    }

    /// A replica that has every commit before whoever made it hears of it.
    pub async fn replica(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        give_to_server(folder.path());
        let mut copy = server_program(folder.path(), &program("pg_basebackup"), PACKAGE);
        copy.args(["--pgdata=data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        copy.args(["--host=127.0.0.1", "--username=postgres", &format!("--port={}", self.port)]);
        let output = copy.output().unwrap();
        assert!(output.status.success(), "pg_basebackup: {output:?}");
        let mut replica = Self { process: None, port: free_port(), folder };
        replica.start().await;
        // After the copy, so that the replica waits for nobody once it leads.
        self.run("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        self.run("SELECT pg_reload_conf()").await;
        replica
    }

    /// It leads from now on.
    pub async fn promote(&self) {
        self.run("SELECT pg_promote()").await;
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it in the middle of whatever it does.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let wait = move || process.kill().and_then(|()| process.wait());
        tokio::task::spawn_blocking(wait).await.unwrap().unwrap();
    }

    /// Starts it, with what it had, and waits until it answers.
    pub async fn start(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let mut again = interval(SOON);
        let up = async {
            loop {
                again.tick().await;
                // What a killed one left behind may still hold its memory: then it ends at once.
                let ended =
                    self.process.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
                if ended {
                    self.process = Some(self.spawn());
                } else if PgConnection::connect(&self.url()).await.is_ok() {
                    return;
                }
            }
        };
        timeout(PATIENCE, up).await.expect("PostgreSQL starts");
    }

    fn spawn(&self) -> Child {
        let mut command = server_program(self.folder.path(), &program("postgres"), PACKAGE);
        command.args(["-D", "data", "-p", &self.port.to_string()]);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address())
    }

    async fn run(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// Debian keeps the server's programs off the PATH, in a folder of their version.
fn program(name: &str) -> String {
    let version =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path()).max_by_key(version);
    let folder = newest.unwrap_or_else(|| Path::new("/usr/lib/postgresql").to_owned());
    folder.join("bin").join(name).display().to_string()
}
