//! A village's OpenSID: its tables in a database of its own on a real MariaDB, and the hands that
//! change them as the application does. Whatever reads it is not known here.
//!
//! The tables stand in `tests/fixtures/opensid`. People are made up, and so are their numbers.

mod crowd;
mod hand;
mod reader;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, MySqlPool};

use super::mariadb::MariaDb;

const UMUM: &str = include_str!("../../../fixtures/opensid/umum.sql");
const OLD: &str = include_str!("../../../fixtures/opensid/old.sql");
const NEWER: &str = include_str!("../../../fixtures/opensid/newer.sql");
/// Which release's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Of 2020: one desa only, without `config_id`, and the database leaves `updated_at` alone.
    Old,
    /// Release 2410.
    Umum,
    /// Later ones: more columns, and no table of statuses.
    Newer,
}

/// A row of `tweb_penduduk`; whatever a test does not say is made up.
#[derive(Clone, Debug)]
pub struct Resident {
    /// The desa, as [`OpenSid::add_desa`] gave it.
    pub config: i32,
    /// Where they live, as [`OpenSid::add_cluster`] gave it; none is an RT of the desa.
    pub cluster: Option<i32>,
    pub nama: String,
    pub nik: Option<String>,
    pub sex: u8,
    pub tanggallahir: Option<String>,
    pub status_kawin: Option<i8>,
    pub status_dasar: i8,
    /// Free text of 20 characters at most.
    pub telepon: Option<String>,
    pub ktp_el: Option<i8>,
    pub status_rekam: Option<i8>,
    /// A chat's id.
    pub telegram: Option<String>,
    /// When they proved it, like `2026-11-01 09:30:00`.
    pub telegram_tgl_verifikasi: Option<String>,
    /// `SMS`, `Email` or `Telegram`.
    pub hubung_warga: Option<String>,
}

impl Default for Resident {
    fn default() -> Self {
        static PEOPLE: AtomicU32 = AtomicU32::new(0);
        let number = PEOPLE.fetch_add(1, Ordering::Relaxed);
        Self {
            config: 1,
            cluster: None,
            nama: format!("Warga Contoh {number}"),
            nik: Some(format!("351709010191{:04}", number + 1)),
            sex: 1,
            tanggallahir: Some("1991-01-01".to_owned()),
            status_kawin: Some(2),
            status_dasar: 1,
            telepon: Some(format!("08120001{number:04}")),
            ktp_el: Some(2),
            status_rekam: Some(3),
            telegram: None,
            telegram_tgl_verifikasi: None,
            hubung_warga: None,
        }
    }
}

/// A database with OpenSID's tables, gone with this value.
pub struct OpenSid {
    /// For whatever a test wants to say in SQL itself; it may do everything.
    pub pool: MySqlPool,
    schema: Schema,
    name: String,
    server: String,
    readers: Mutex<Vec<String>>,
}

impl OpenSid {
    /// An empty one; [`OpenSid::add_desa`] comes first.
    pub async fn create(server: &MariaDb, schema: Schema) -> Self {
        let name = unique("opensid");
        let server = server.url().to_owned();
        let mut root = MySqlConnection::connect(&server).await.unwrap();
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        root.execute(AssertSqlSafe(create)).await.unwrap();
        root.close().await.unwrap();
        let url = format!("{server}{name}");
        let pool = MySqlPoolOptions::new().max_connections(4).connect_lazy(&url).unwrap();
        let this = Self { pool, schema, name, server, readers: Mutex::default() };
        this.pool.execute(sqlx::raw_sql(UMUM)).await.unwrap();
        match schema {
            Schema::Old => drop(this.pool.execute(sqlx::raw_sql(OLD)).await.unwrap()),
            Schema::Umum => {}
            Schema::Newer => drop(this.pool.execute(sqlx::raw_sql(NEWER)).await.unwrap()),
        }
        this
    }

    /// Its address for one who may do everything.
    pub fn url(&self) -> String {
        format!("{}{}", self.server, self.name)
    }

    /// A desa by its ten digits; returns its `config.id`.
    pub async fn add_desa(&self, kode_desa: &str, nama: &str) -> i32 {
        assert_eq!(kode_desa.len(), 10, "OpenSID keeps the code without dots");
        let insert = "INSERT INTO config (app_key, nama_desa, kode_desa, nama_kecamatan, \
                      kode_kecamatan, nama_kabupaten, kode_kabupaten, nama_propinsi, kode_propinsi) \
                      VALUES (?, ?, ?, 'Contoh', ?, 'Contoh', ?, 'Contoh', ?)";
        let done = sqlx::query(insert)
            .bind(unique("base64"))
            .bind(nama)
            .bind(kode_desa)
            .bind(&kode_desa[..6])
            .bind(&kode_desa[..4])
            .bind(&kode_desa[..2])
            .execute(&self.pool)
            .await
            .unwrap();
        i32::try_from(done.last_insert_id()).unwrap()
    }

    /// An RT, with the rows above and beside it that the application adds too; returns its id.
    pub async fn add_cluster(&self, config: i32, dusun: &str, rw: &str, rt: &str) -> i32 {
        let (column, value) = self.config(config);
        for (rw, rt) in [("0", "0"), ("-", "0"), ("-", "-"), (rw, "0"), (rw, "-"), (rw, rt)] {
            let insert = format!(
                "INSERT IGNORE INTO tweb_wil_clusterdesa ({column}dusun, rw, rt) VALUES ({value}?, ?, ?)"
            );
            let query = sqlx::query(AssertSqlSafe(insert)).bind(dusun).bind(rw).bind(rt);
            query.execute(&self.pool).await.unwrap();
        }
        let select = format!(
            "SELECT id FROM tweb_wil_clusterdesa WHERE dusun = ? AND rw = ? AND rt = ?{}",
            if column.is_empty() { String::new() } else { format!(" AND config_id = {config}") }
        );
        let query = sqlx::query_scalar(AssertSqlSafe(select)).bind(dusun).bind(rw).bind(rt);
        query.fetch_one(&self.pool).await.unwrap()
    }

    /// A resident; returns the id.
    pub async fn add_resident(&self, resident: Resident) -> i32 {
        let cluster = match resident.cluster {
            Some(cluster) => cluster,
            None => self.add_cluster(resident.config, "Krajan", "001", "002").await,
        };
        let (column, value) = self.config(resident.config);
        let newer = if self.schema == Schema::Old {
            assert_eq!((&resident.telegram, &resident.hubung_warga), (&None, &None), "not yet");
            ("", "")
        } else {
            (", telegram, telegram_tgl_verifikasi, hubung_warga", ", ?, ?, ?")
        };
        let insert = format!(
            "INSERT INTO tweb_penduduk ({column}nama, nik, sex, tanggallahir, status_kawin, \
             status_dasar, telepon, ktp_el, status_rekam, id_cluster{}) \
             VALUES ({value}?, ?, ?, ?, ?, ?, ?, ?, ?, ?{})",
            newer.0, newer.1
        );
        let mut query = sqlx::query(AssertSqlSafe(insert))
            .bind(resident.nama)
            .bind(resident.nik)
            .bind(resident.sex)
            .bind(resident.tanggallahir)
            .bind(resident.status_kawin)
            .bind(resident.status_dasar)
            .bind(resident.telepon)
            .bind(resident.ktp_el)
            .bind(resident.status_rekam)
            .bind(cluster);
        if self.schema != Schema::Old {
            query = query
                .bind(resident.telegram)
                .bind(resident.telegram_tgl_verifikasi)
                .bind(resident.hubung_warga);
        }
        let done = query.execute(&self.pool).await.unwrap();
        i32::try_from(done.last_insert_id()).unwrap()
    }

    /// Makes every row as old as if so many hours had passed.
    pub async fn pass_hours(&self, hours: u32) {
        let update = "UPDATE tweb_penduduk SET updated_at = updated_at - INTERVAL ? HOUR, \
                      created_at = created_at - INTERVAL ? HOUR";
        sqlx::query(update).bind(hours).bind(hours).execute(&self.pool).await.unwrap();
    }

    /// How many seconds ago a row says that it was changed; below zero if that is still to come.
    pub async fn age(&self, id: i32) -> i64 {
        let select = "SELECT CAST(TIMESTAMPDIFF(SECOND, updated_at, CURRENT_TIMESTAMP) AS SIGNED) \
                      FROM tweb_penduduk WHERE id = ?";
        sqlx::query_scalar(select).bind(id).fetch_one(&self.pool).await.unwrap()
    }

    /// The column and the value that name a desa, for a statement; nothing where there is but one.
    fn config(&self, config: i32) -> (&'static str, String) {
        match self.schema {
            Schema::Old => ("", String::new()),
            Schema::Umum | Schema::Newer => ("config_id, ", format!("{config}, ")),
        }
    }
}

impl Drop for OpenSid {
    fn drop(&mut self) {
        let mut statements = vec![
            // Whoever still holds a row must not hold up the end of a test.
            "SET lock_wait_timeout = 5".to_owned(),
            format!("DROP DATABASE {}", self.name),
        ];
        for reader in self.readers.get_mut().unwrap().drain(..) {
            statements.push(format!("DROP USER {reader}@'%'"));
        }
        let server = self.server.clone();
        // The test's own runtime waits for this very value.
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                // A server that is down by now takes everything with it.
                let Ok(mut root) = MySqlConnection::connect(&server).await else { return };
                for statement in statements {
                    let _ = root.execute(AssertSqlSafe(statement)).await;
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
