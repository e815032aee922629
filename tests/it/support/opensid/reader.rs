//! One who may only read, and only some columns; and the proof that it is so.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection};

use super::{OpenSid, unique};

/// What a server answers to a user who may not: a database, a table, a column, another right, a grant.
const DENIED: &[u16] = &[1044, 1142, 1143, 1227, 1410];

/// Every way to change something, in an order in which one who may do them all can.
/// `SELECT … FOR UPDATE` is none: it changes nothing, and MariaDB lets every reader do it.
const WRITES: &[&str] = &[
    "INSERT INTO tweb_penduduk (nama, id_cluster) VALUES ('Penyusup', 1)",
    "UPDATE tweb_penduduk SET status_rekam = 8",
    "UPDATE tweb_penduduk SET telepon = NULL WHERE id = 1",
    "DELETE FROM tweb_penduduk WHERE id = 1",
    "INSERT INTO log_penduduk (id_pend) VALUES (1)",
    "REPLACE INTO log_penduduk (id, id_pend) VALUES (1, 2)",
    "DELETE FROM log_penduduk",
    "TRUNCATE TABLE log_penduduk",
    "ALTER TABLE tweb_penduduk ADD COLUMN sisipan int",
    "CREATE INDEX sisipan ON tweb_penduduk (status_rekam)",
    "CREATE TRIGGER sisipan BEFORE UPDATE ON tweb_penduduk FOR EACH ROW SET NEW.telepon = NULL",
    "CREATE VIEW sisipan AS SELECT id FROM tweb_penduduk",
    "CREATE TABLE sisipan_tabel (id int)",
    "CREATE TEMPORARY TABLE sisipan_sementara (id int)",
    "RENAME TABLE log_penduduk TO sisipan_log",
    "DROP VIEW penduduk_hidup",
    "DROP TABLE tweb_keluarga",
    "GRANT UPDATE ON tweb_penduduk TO CURRENT_USER",
    "LOCK TABLES tweb_penduduk WRITE",
];

impl OpenSid {
    /// The address of a user who has only `SELECT`, and only on those columns of those tables.
    ///
    /// `INFORMATION_SCHEMA.COLUMNS` shows that user no other column, whether it exists or not, and the
    /// view `penduduk_hidup` needs a grant of its own.
    pub async fn reader_url(&self, columns: &[(&str, &[&str])]) -> String {
        let user = unique("ro");
        self.readers.lock().unwrap().push(user.clone());
        let name = &self.name;
        let mut statements = vec![format!("CREATE USER {user}@'%' IDENTIFIED BY 'baca'")];
        for (table, columns) in columns {
            let columns = columns.join(", ");
            statements.push(format!("GRANT SELECT ({columns}) ON {name}.{table} TO {user}@'%'"));
        }
        for statement in statements {
            self.pool.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        let (_, host) = self.server.split_once('@').expect("the server's address names its user");
        format!("mysql://{user}:baca@{host}{name}")
    }

    /// Tries to change the database as a user, in every way there is; returns what worked.
    pub async fn reader_can_write(&self, url: &str) -> Vec<&'static str> {
        let mut connection = MySqlConnection::connect(url).await.unwrap();
        let mut worked = Vec::new();
        for statement in WRITES {
            match connection.execute(*statement).await {
                Ok(_) => worked.push(*statement),
                Err(sqlx::Error::Database(error)) => {
                    let error = error.downcast::<sqlx::mysql::MySqlDatabaseError>();
                    // Anything else would be a fault of the statement, and prove nothing.
                    assert!(DENIED.contains(&error.number()), "{statement}: {error}");
                }
                Err(error) => panic!("{statement}: {error}"),
            }
        }
        connection.close().await.unwrap();
        worked
    }
}
