//! What every journey stands on: the service on a fresh database of either engine, a clock that
//! stands still, a stand-in for Meta, and the people who use it.

pub mod app;
pub mod chrome;
pub mod citizen;
pub mod clock;
pub mod console;
pub mod database;
pub mod desk;
pub mod foreign;
pub mod hook;
pub mod journey;
pub mod kannel;
pub mod line;
pub mod lives;
pub mod log;
pub mod mariadb;
pub mod meta;
pub mod office;
pub mod opensid;
pub mod outside;
pub mod postgres;
pub mod program;
pub mod round;
pub mod server;
pub mod webhook;

use std::sync::Arc;

pub use app::{LEASE_OVER, Start, TestApp};
pub use citizen::citizen;
pub use meta::Answer;
pub use office::Office;
pub use outside::{list, word};
pub use program::{Running, kabar};

use database::Database;
use kabar::store::Engine;

/// What a test asks for: a running service, or one that it opens itself.
pub trait Begin: Sized {
    /// Makes it on a database.
    fn begin(database: Arc<Database>) -> impl Future<Output = Self>;
}

impl Begin for TestApp {
    async fn begin(database: Arc<Database>) -> Self {
        Start::on(database).open().await
    }
}

impl Begin for Start {
    async fn begin(database: Arc<Database>) -> Self {
        Self::on(database)
    }
}

/// Runs a test on a database of its own.
pub async fn run<T: Begin>(engine: Engine, test: impl AsyncFnOnce(T)) {
    let database = Arc::new(Database::create(engine).await);
    // A whole office is large, and a test holds it through all its steps.
    Box::pin(test(T::begin(Arc::clone(&database)).await)).await;
    database.remove().await;
}

/// Makes two tests of each function, `name::sqlite` and `name::postgres`.
macro_rules! on_both_engines {
    ($(async fn $name:ident($($arg:tt)+) $body:block)+) => {$(
        async fn $name($($arg)+) $body

        mod $name {
            #[tokio::test]
            async fn sqlite() {
                $crate::support::run(kabar::store::Engine::Sqlite, super::$name).await;
            }

            #[tokio::test]
            async fn postgres() {
                $crate::support::run(kabar::store::Engine::Postgres, super::$name).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;
