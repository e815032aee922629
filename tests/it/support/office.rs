//! An office of its own for the real binary: a folder with what `kabar init` wrote, and what a
//! test changes in it.

use std::path::{Path, PathBuf};

use sqlx::Connection as _;

use super::meta::FakeMeta;
use super::program::{Ended, Running, kabar};
use super::webhook::{APP_SECRET, NUMBER_ID, VERIFY_TOKEN};

/// A folder with a configuration and a database.
#[derive(Debug)]
pub struct Office {
    folder: tempfile::TempDir,
    /// What `kabar init` said.
    pub said: String,
}

impl Office {
    /// As `kabar init` makes it.
    pub async fn init() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ended = kabar(&["init", &text(folder.path()), "--yes"], b"").await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        Self { folder, said: ended.stdout }
    }

    /// The same with an account at a stand-in for Meta, on a free port, at any hour of the day.
    pub async fn with_account(meta: &FakeMeta) -> Self {
        let office = Self::init().await;
        office.change("127.0.0.1:8080", "127.0.0.1:0");
        office.change("\"20:00-07:00\"", "\"off\"");
        let account = format!(
            "\n[[account]]\nid = \"wa\"\nchannel = \"whatsapp\"\napi_url = \"{}\"\n\
             phone_number_id = \"{NUMBER_ID}\"\naccess_token = \"token at Meta\"\n\
             app_secret = \"{APP_SECRET}\"\nverify_token = \"{VERIFY_TOKEN}\"\n",
            meta.url()
        );
        office.rewrite(|config| config + &account);
        office
    }

    /// Its database is that one from now on.
    pub fn use_database(&self, url: &str) {
        self.change("sqlite://kabar.db", url);
    }

    /// Path of something in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Path of the configuration.
    pub fn config(&self) -> String {
        text(&self.path("kabar.toml"))
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        text(&path)
    }

    /// Replaces something that stands in the configuration.
    pub fn change(&self, from: &str, to: &str) {
        self.rewrite(|config| {
            assert!(config.contains(from), "{from} does not stand in the configuration");
            config.replacen(from, to, 1)
        });
    }

    fn rewrite(&self, change: impl FnOnce(String) -> String) {
        let config = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(self.config(), change(config)).unwrap();
    }

    /// Runs a command with its configuration to the end.
    pub async fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, b"").await
    }

    /// The same with that on its standard input.
    pub async fn run_with(&self, args: &[&str], input: &[u8]) -> Ended {
        let config = self.config();
        kabar(&[args, &["-c", &config]].concat(), input).await
    }

    /// Starts the service.
    pub fn serve(&self) -> Running {
        Running::start(&["serve", "-c", &self.config()])
    }

    /// Makes a token.
    pub async fn token(&self, role: &str) -> String {
        let ended = self.run(&["token", "create", "--json", "--role", role, "--name", "it"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.json()["token"].as_str().unwrap().to_owned()
    }

    async fn database(&self) -> sqlx::SqliteConnection {
        let url = format!("sqlite://{}", text(&self.path("kabar.db")));
        sqlx::SqliteConnection::connect(&url).await.unwrap()
    }

    /// What a statement finds, one text a row.
    pub async fn query(&self, statement: &str) -> Vec<String> {
        let mut db = self.database().await;
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        let rows = sqlx::query_scalar(statement).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        rows
    }

    /// How many rows each table of the database has.
    pub async fn rows(&self) -> Vec<(String, i64)> {
        let mut db = self.database().await;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                .fetch_all(&mut db)
                .await
                .unwrap();
        let mut rows = Vec::new();
        for table in tables {
            let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM \"{table}\""));
            let count: i64 = sqlx::query_scalar(count).fetch_one(&mut db).await.unwrap();
            rows.push((table, count));
        }
        db.close().await.unwrap();
        rows
    }

    /// How many rows one table has.
    pub async fn count(&self, table: &str) -> i64 {
        let rows = self.rows().await;
        rows.iter().find(|(name, _)| name == table).expect("there is that table").1
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}
