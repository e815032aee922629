//! A database of somebody else, of each kind that the service reads: PostgreSQL, MariaDB, a file of
//! SQLite. A test says in SQL what stands in it.

use std::sync::Mutex;

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;

use super::mariadb::MariaDb;

/// What kind of database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Mariadb,
    Sqlite,
}

/// A database of its own, gone with this value.
pub struct Foreign {
    pub kind: Kind,
    name: String,
    server: String,
    readers: Mutex<Vec<String>>,
    folder: TempDir,
}

impl Foreign {
    /// An empty one.
    pub async fn create(kind: Kind) -> Self {
        install_default_drivers();
        let server = match kind {
            Kind::Postgres => {
                let url = std::env::var("KABAR_TEST_POSTGRES_URL").expect("see tests/run");
                let (server, _) = url.rsplit_once('/').expect("the address names a database");
                format!("{server}/")
            }
            Kind::Mariadb => MariaDb::shared().url().to_owned(),
            Kind::Sqlite => String::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let name = unique("foreign");
        let this = Self { kind, name, server, readers: Mutex::default(), folder };
        match kind {
            Kind::Postgres => this.on_server(&format!("CREATE DATABASE {}", this.name)).await,
            Kind::Mariadb => {
                let create = format!("CREATE DATABASE {} CHARACTER SET utf8mb4", this.name);
                this.on_server(&create).await;
            }
            Kind::Sqlite => drop(std::fs::write(this.path(), "")),
        }
        this
    }

    /// Its address for one who may do everything.
    pub fn url(&self) -> String {
        match self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.path().display()),
            Kind::Postgres | Kind::Mariadb => format!("{}{}", self.server, self.name),
        }
    }

    /// Where a file of SQLite stands.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("buku.db")
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements as one who may do everything.
    pub async fn run(&self, statements: &str) {
        run(&self.url(), statements).await;
    }

    /// The first column of what a query finds, as texts.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let mut connection = AnyConnection::connect(&self.url()).await.unwrap();
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        let found = query.fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        found
    }

    /// The address of a user who may do nothing but what those statements allow, in which `{}` is
    /// the user.
    pub async fn reader_url(&self, grants: &[&str]) -> String {
        let user = unique("ro");
        let (create, named) = match self.kind {
            Kind::Postgres => (format!("CREATE ROLE {user} LOGIN PASSWORD 'baca'"), user.clone()),
            Kind::Mariadb => {
                (format!("CREATE USER {user}@'%' IDENTIFIED BY 'baca'"), format!("{user}@'%'"))
            }
            Kind::Sqlite => panic!("SQLite knows no users"),
        };
        self.run(&create).await;
        self.readers.lock().unwrap().push(named.clone());
        for grant in grants {
            self.run(&grant.replace("{}", &named)).await;
        }
        let (scheme, host) = self.server.split_once("://").unwrap();
        let (_, host) = host.split_once('@').expect("the server's address names its user");
        format!("{scheme}://{user}:baca@{host}{}", self.name)
    }

    async fn on_server(&self, statement: &str) {
        run(&self.server_url(), statement).await;
    }

    fn server_url(&self) -> String {
        let name = if self.kind == Kind::Postgres { "postgres" } else { "" };
        format!("{}{name}", self.server)
    }
}

async fn run(url: &str, statements: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let result = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await;
    result.unwrap_or_else(|error| panic!("{error}: {statements}"));
    connection.close().await.unwrap();
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let mut statements = Vec::new();
        let name = &self.name;
        match self.kind {
            Kind::Postgres => statements.push(format!("DROP DATABASE {name} WITH (FORCE)")),
            Kind::Mariadb => {
                statements.push("SET lock_wait_timeout = 5".to_owned());
                statements.push(format!("DROP DATABASE {name}"));
            }
            Kind::Sqlite => return,
        }
        let word = if self.kind == Kind::Postgres { "ROLE" } else { "USER" };
        let readers = self.readers.get_mut().unwrap().drain(..);
        statements.extend(readers.map(|reader| format!("DROP {word} {reader}")));
        let server = self.server_url();
        // The test's own runtime waits for this very value.
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let Ok(mut root) = AnyConnection::connect(&server).await else { return };
                for statement in statements {
                    let _ = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut root).await;
                }
            });
        });
        let _ = end.join();
    }
}

/// A name that nothing else on the server has.
fn unique(kind: &str) -> String {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).unwrap();
    format!("{kind}_{}", hex::encode(bytes))
}
