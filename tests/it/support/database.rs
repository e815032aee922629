//! A database of its own for every test, on either engine.

use std::sync::Arc;

use kabar::store::{Db, Engine, Key, Sealer};
use sqlx::{Connection as _, Executor as _};

const SERVER: &str = "KABAR_TEST_POSTGRES_URL";

/// Where a test's rows live, and the keys they are sealed with.
#[derive(Debug)]
pub struct Database {
    /// Its address, as in the configuration.
    pub url: String,
    /// Which engine it is.
    pub engine: Engine,
    /// The keys.
    pub sealer: Arc<Sealer>,
    name: String,
    folder: tempfile::TempDir,
}

impl Database {
    /// An empty database that nobody else uses.
    pub async fn create(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let name = format!("kabar_test_{}", ulid::Ulid(getrandom_u128())).to_lowercase();
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("kabar.db").display()),
            Engine::Postgres => {
                on_server(&format!("CREATE DATABASE {name} TEMPLATE template0")).await;
                let server = server();
                let (base, _) = server.rsplit_once('/').expect("the address names a database");
                format!("{base}/{name}")
            }
        };
        let sealer = Arc::new(Sealer::new((1, &key), &[], &Key::generate().unwrap()).unwrap());
        Self { url, engine, sealer, name, folder }
    }

    /// Opens it as the service does.
    pub async fn open(&self) -> Db {
        Db::open(&self.url, Arc::clone(&self.sealer)).await.unwrap()
    }

    /// Every byte of its files; SQLite only.
    pub fn bytes(&self) -> Vec<u8> {
        assert_eq!(self.engine, Engine::Sqlite);
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        bytes
    }

    /// Removes it from the server. After a failed test it stays, to be looked at.
    pub async fn remove(&self) {
        if self.engine == Engine::Postgres {
            on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        }
    }
}

fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!(
            "{SERVER} is not set: run tests/run, which starts a PostgreSQL for the tests, or set \
             it to a server of your own, like postgres://postgres@127.0.0.1:5432/postgres"
        )
    })
}

async fn on_server(statement: &str) {
    let mut connection = sqlx::PgConnection::connect(&server()).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

fn getrandom_u128() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    u128::from_le_bytes(bytes)
}
