//! OpenSID, the register of a desa, read straight from its MySQL or MariaDB.
//!
//! Tables, codes and traps as of OpenSID v2410 (branch umum, migrations `2023_12_22_015242`, and
//! app/Enums/StatusKTPEnum.php); columns that another version lacks are done without. It keeps no
//! history: we see what a row says now. Reads the columns of [`COLUMNS`] and no other, of the desa
//! in its area and no other, and never writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use secrecy::SecretString;
use serde::Deserialize;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::database::{Address, connected, duration, explain};
use super::{Reading, Record, Records, Source, SourceError, VerifiedChat, put};
use crate::domain::absence::Absence;
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::nik::{Nik, NikError};
use crate::domain::outbound::ChatId;
use crate::domain::raw_update::RawUpdate;

const RESIDENT: &str = "tweb_penduduk";
const DESA: &str = "config";
const CLUSTER: &str = "tweb_wil_clusterdesa";

/// Every column that is read, by table: what its user must be allowed to select, and no more.
pub const COLUMNS: &[(&str, &[&str])] = &[
    (DESA, &["id", "kode_desa", "nama_desa"]),
    (CLUSTER, &["id", "config_id", "dusun", "rw", "rt"]),
    (
        RESIDENT,
        &[
            "id",
            "config_id",
            "nik",
            "nama",
            "id_cluster",
            "status_rekam",
            "ktp_el",
            "status_dasar",
            "telepon",
            "telegram",
            "telegram_tgl_verifikasi",
            "hubung_warga",
            "updated_at",
        ],
    ),
];

/// Without these nothing can be said of a card.
const REQUIRED: &[(&str, &[&str])] = &[
    (DESA, &["id", "kode_desa"]),
    (RESIDENT, &["id", "nik", "nama", "status_rekam", "status_dasar"]),
];

/// How OpenSID is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSidSettings {
    /// `mysql://user@host/name`; may hold the password.
    pub url: SecretString,
    /// The password, if it does not stand in the address.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// One desa of it, by the id in its table config; all within the area if left out.
    #[serde(default)]
    pub config_id: Option<i64>,
    /// So far back every reading looks again: PHP and MySQL may write times of different zones.
    #[serde(default = "half_a_day", deserialize_with = "duration")]
    pub overlap: Duration,
}

impl OpenSidSettings {
    fn address(&self) -> Address<'_> {
        Address { url: &self.url, password: self.password.as_ref() }
    }

    /// Looks at what can be seen without the database.
    ///
    /// # Errors
    /// What is wrong: the key, in words, and what to do.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if matches!(self.address().scheme().as_str(), "mysql" | "mariadb") {
            Ok(())
        } else {
            Err(("url", "names no MySQL or MariaDB", "mysql://kabar_ro@127.0.0.1/opensid"))
        }
    }
}

const fn half_a_day() -> Duration {
    Duration::from_secs(12 * 3600)
}

/// An OpenSID.
#[derive(Debug)]
pub struct OpenSid {
    settings: OpenSidSettings,
    area: AreaCode,
}

/// A desa of it.
#[derive(Debug)]
struct Desa {
    config_id: i64,
    code: AreaCode,
}

/// The columns there are, as far as we may see them.
#[derive(Debug)]
struct Schema(BTreeSet<(String, String)>);

impl Schema {
    fn has(&self, table: &str, column: &str) -> bool {
        self.0.contains(&(table.to_owned(), column.to_owned()))
    }

    /// A column as text, or nothing where there is none.
    fn text(&self, alias: &str, table: &str, column: &str) -> String {
        if self.has(table, column) {
            format!("CAST({alias}.{column} AS CHAR)")
        } else {
            "CAST(NULL AS CHAR)".to_owned()
        }
    }

    fn check(&self) -> Result<(), SourceError> {
        let is_missing = |(table, column): &(&str, &&str)| !self.has(table, column);
        let missing: Vec<String> = REQUIRED
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(move |column| (*table, column)))
            .filter(is_missing)
            .map(|(table, column)| format!("{table}.{column}"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(SourceError::wrong(
            format!("not to be seen in this database: {}", missing.join(", ")),
            "is it OpenSID's? If so, its user lacks the right to select them; `kabar source grants` \
             prints the statements that give it",
        ))
    }

    /// The residents of one desa, everything as text, with the moment from which on as its last
    /// parameter where `is_recent`.
    fn query(&self, is_recent: bool) -> String {
        let resident = |column| self.text("p", RESIDENT, column);
        let has_clusters = ["id", "rt", "rw"].iter().all(|column| self.has(CLUSTER, column))
            && self.has(RESIDENT, "id_cluster");
        let cluster = |column| {
            if has_clusters { self.text("w", CLUSTER, column) } else { "NULL".to_owned() }
        };
        let changed = if self.has(RESIDENT, "updated_at") {
            "CAST(UNIX_TIMESTAMP(p.updated_at) AS CHAR)"
        } else {
            "NULL"
        };
        let verified = if self.has(RESIDENT, "telegram_tgl_verifikasi") {
            "CAST(p.telegram_tgl_verifikasi > '1971-01-01' AS CHAR)"
        } else {
            "NULL"
        };
        let columns = [
            resident("id"),
            resident("nik"),
            resident("nama"),
            resident("status_rekam"),
            resident("ktp_el"),
            resident("status_dasar"),
            resident("telepon"),
            resident("telegram"),
            verified.to_owned(),
            resident("hubung_warga"),
            changed.to_owned(),
            cluster("dusun"),
            cluster("rw"),
            cluster("rt"),
        ];
        let is_shared = self.has(RESIDENT, "config_id");
        let join = match (has_clusters, is_shared && self.has(CLUSTER, "config_id")) {
            (false, _) => "",
            (true, false) => " LEFT JOIN tweb_wil_clusterdesa w ON w.id = p.id_cluster",
            (true, true) => {
                " LEFT JOIN tweb_wil_clusterdesa w \
                 ON w.id = p.id_cluster AND w.config_id = p.config_id"
            }
        };
        // An older OpenSID serves one desa and knows no config_id.
        let whose = if is_shared { "p.config_id = ?" } else { "? IS NOT NULL" };
        let recent = if is_recent { " AND p.updated_at >= FROM_UNIXTIME(?)" } else { "" };
        let columns = columns.join(", ");
        format!("SELECT {columns} FROM {RESIDENT} p{join} WHERE {whose}{recent}")
    }
}

impl OpenSid {
    /// The desa of that area, or the one desa named.
    #[must_use]
    pub const fn new(settings: OpenSidSettings, area: AreaCode) -> Self {
        Self { settings, area }
    }

    async fn connect(&self) -> Result<MySqlConnection, SourceError> {
        let address = self.settings.address();
        let mut options: MySqlConnectOptions = address.options()?;
        if let Some(password) = address.password() {
            options = options.password(password);
        }
        let options = options.disable_statement_logging();
        let mut connection = connected(options.connect()).await?;
        // The driver's own session already speaks utf8mb4 and UTC. While we record what we read, the
        // server may have to wait for us longer than its usual minute.
        for statement in
            ["SET SESSION TRANSACTION READ ONLY", "SET SESSION net_write_timeout = 600"]
        {
            sqlx::query(statement).execute(&mut connection).await.map_err(|e| explain(&e))?;
        }
        Ok(connection)
    }

    async fn schema(connection: &mut MySqlConnection) -> Result<Schema, SourceError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR) \
             FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
        )
        .fetch_all(connection)
        .await
        .map_err(|error| explain(&error))?;
        let lower = |(table, column): (String, String)| {
            (table.to_ascii_lowercase(), column.to_ascii_lowercase())
        };
        let schema = Schema(rows.into_iter().map(lower).collect());
        schema.check()?;
        Ok(schema)
    }

    /// The desa that are ours to read.
    async fn list_desa(&self, connection: &mut MySqlConnection) -> Result<Vec<Desa>, SourceError> {
        let rows: Vec<(i64, Option<String>)> = sqlx::query_as(
            "SELECT CAST(id AS SIGNED), CAST(kode_desa AS CHAR) FROM config ORDER BY id",
        )
        .fetch_all(connection)
        .await
        .map_err(|error| explain(&error))?;
        let all = rows.len();
        let is_meant = |id: i64| self.settings.config_id.is_none_or(|only| only == id);
        let found: Vec<Desa> = rows
            .into_iter()
            .filter(|(id, _)| is_meant(*id))
            .filter_map(|(id, code)| Some((id, AreaCode::parse(&code?).ok()?)))
            .filter(|(_, code)| code.is_within(&self.area))
            .map(|(config_id, code)| Desa { config_id, code })
            .collect();
        if found.is_empty() {
            return Err(SourceError::wrong(
                format!("none of the {all} desa in its table config is within {}", self.area),
                "look at the source's area and config_id, and at kode_desa in OpenSID's settings",
            ));
        }
        Ok(found)
    }
}

#[async_trait]
impl Source for OpenSid {
    async fn read(&self, from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        let mut connection = self.connect().await?;
        let schema = Self::schema(&mut connection).await?;
        let desa = self.list_desa(&mut connection).await?;
        // The database's own clock, and before anything is read: what changes meanwhile is read
        // again next time.
        let now: i64 = sqlx::query_scalar("SELECT CAST(UNIX_TIMESTAMP() AS SIGNED)")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| explain(&error))?;
        let overlap = i64::try_from(self.settings.overlap.as_secs()).unwrap_or(i64::MAX);
        let since = from
            .and_then(|from| from.parse::<i64>().ok())
            .filter(|_| schema.has(RESIDENT, "updated_at"))
            // A clock that was set back would otherwise hide what was changed since.
            .map(|from| from.min(now).saturating_sub(overlap).max(1));
        let mut reading = Reading {
            position: Some(now.to_string()),
            parts: desa.iter().map(|desa| desa.code.to_string()).collect(),
            ..Reading::default()
        };
        for desa in &desa {
            let query = AssertSqlSafe(schema.query(since.is_some()));
            let mut query = sqlx::query(query).bind(desa.config_id);
            if let Some(since) = since {
                query = query.bind(since);
            }
            let mut rows = query.fetch(&mut connection);
            while let Some(row) = rows.try_next().await.map_err(|error| explain(&error))? {
                match Resident::read(&row).map_err(|error| explain(&error))?.into_record(desa) {
                    Ok(record) => put(&records, record).await?,
                    Err(why) => *reading.skipped.entry(why).or_default() += 1,
                }
            }
        }
        let _ = connection.close().await;
        Ok(reading)
    }

    async fn probe(&self) -> Result<String, SourceError> {
        let mut connection = self.connect().await?;
        let schema = Self::schema(&mut connection).await?;
        let desa = self.list_desa(&mut connection).await?;
        let mut residents = 0;
        let is_shared = schema.has(RESIDENT, "config_id");
        for desa in &desa {
            let filter = if is_shared { " WHERE config_id = ?" } else { " WHERE ? IS NOT NULL" };
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
                "SELECT COUNT(id) FROM {RESIDENT}{filter}"
            )))
            .bind(desa.config_id)
            .fetch_one(&mut connection)
            .await
            .map_err(|error| explain(&error))?;
            residents += count;
        }
        let _ = connection.close().await;
        let lacks: Vec<String> = COLUMNS
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(move |column| (*table, *column)))
            .filter(|(table, column)| !schema.has(table, column))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect();
        let without = if lacks.is_empty() {
            String::new()
        } else {
            format!("; without {}", lacks.join(", "))
        };
        Ok(format!("OpenSID with {} desa and {residents} residents{without}", desa.len()))
    }
}

/// A row of `tweb_penduduk`, as text.
struct Resident {
    id: String,
    nik: String,
    name: String,
    status: String,
    ktp_el: String,
    base_status: String,
    phone: String,
    telegram: String,
    is_verified: bool,
    preference: String,
    changed_at: Option<i64>,
    dusun: String,
    rw: String,
    rt: String,
}

impl Resident {
    fn read(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        let text = |at: usize| {
            row.try_get::<Option<String>, _>(at).map(|text| clean(&text.unwrap_or_default()))
        };
        Ok(Self {
            id: text(0)?,
            nik: text(1)?,
            name: text(2)?,
            status: text(3)?,
            ktp_el: text(4)?,
            base_status: text(5)?,
            phone: text(6)?,
            telegram: text(7)?,
            is_verified: text(8)? == "1",
            preference: text(9)?,
            // With microseconds where the column has them.
            changed_at: text(10)?.split('.').next().and_then(|seconds| seconds.parse().ok()),
            dusun: place(text(11)?),
            rw: place(text(12)?),
            rt: place(text(13)?),
        })
    }

    /// What it says of a card, or why nothing.
    fn into_record(self, desa: &Desa) -> Result<Record, &'static str> {
        // A NIK that is damaged goes on and is rejected where the office sees it; one that does not
        // exist yet is nothing to mend.
        if matches!(Nik::parse(&self.nik), Err(NikError::Empty | NikError::Temporary)) {
            return Err("no_nik_yet");
        }
        match self.status.as_str() {
            "" | "0" => return Err("no_status"),
            // Children, of whom nothing needs to be kept before they may have a card.
            "1" => return Err("not_required_yet"),
            _ => {}
        }
        let document = if self.ktp_el == "3" { "kia" } else { "ktp-el" };
        let chat = self.telegram.parse().ok().and_then(ChatId::new).filter(|_| self.is_verified);
        let is_preferred = self.preference.eq_ignore_ascii_case("telegram");
        Ok(Record {
            key: format!("{}/{}", desa.config_id, self.id),
            absence: absence(&self.base_status),
            place: None,
            is_register: true,
            part: Some(desa.code.to_string()),
            chat: chat.map(|chat| VerifiedChat { chat, is_preferred }),
            changed_at: self.changed_at.map(|s| Timestamp::from_ms(s.saturating_mul(1000))),
            update: RawUpdate {
                nik: self.nik,
                status: self.status,
                document: document.to_owned(),
                name: self.name,
                phone: self.phone,
                area: desa.code.to_string(),
                rt: self.rt,
                rw: self.rw,
                dusun: self.dusun,
                is_undated: true,
                is_state: true,
                ..RawUpdate::default()
            },
        })
    }
}

/// `status_dasar`: 1 lives there, and only who does stands in the view `penduduk_hidup`.
fn absence(code: &str) -> Option<Absence> {
    match code {
        "" | "1" => None,
        "2" => Some(Absence::Died),
        "3" => Some(Absence::Moved),
        "4" => Some(Absence::Missing),
        "6" => Some(Absence::Left),
        _ => Some(Absence::Invalid),
    }
}

/// Nobody's name or number holds a line break; one that does would be refused as a whole.
fn clean(text: &str) -> String {
    let no_control: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    no_control.trim().to_owned()
}

/// RT, RW and dusun that do not exist stand as `0` or `-`.
fn place(text: String) -> String {
    if text.chars().all(|c| matches!(c, '0' | '-' | ' ')) { String::new() } else { text }
}

/// The statements that let `user` read what is read and nothing else, for whoever administers the
/// database.
#[must_use]
pub fn grants(database: &str, user: &str) -> Vec<String> {
    let by_table: BTreeMap<_, _> = COLUMNS.iter().copied().collect();
    by_table
        .iter()
        .map(|(table, columns)| {
            format!("GRANT SELECT ({}) ON `{database}`.`{table}` TO {user};", columns.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident() -> Resident {
        Resident {
            id: "7".to_owned(),
            nik: "3517182709800001".to_owned(),
            name: "Siti Aminah".to_owned(),
            status: "4".to_owned(),
            ktp_el: "2".to_owned(),
            base_status: "1".to_owned(),
            phone: "0812-3456-7890".to_owned(),
            telegram: "123456789".to_owned(),
            is_verified: true,
            preference: "Telegram".to_owned(),
            changed_at: Some(1_795_300_000),
            dusun: "Krajan".to_owned(),
            rw: "004".to_owned(),
            rt: "003".to_owned(),
        }
    }

    fn record(change: impl Fn(&mut Resident)) -> Result<Record, &'static str> {
        let mut resident = resident();
        change(&mut resident);
        let code = AreaCode::parse("3517092018").unwrap();
        resident.into_record(&Desa { config_id: 3, code })
    }

    #[test]
    fn a_resident_becomes_an_update_of_their_card_in_their_desa() {
        let record = record(|_| {}).unwrap();
        assert_eq!(record.key, "3/7");
        assert_eq!(record.update.area, "35.17.09.2018");
        assert_eq!((record.update.rt.as_str(), record.update.dusun.as_str()), ("003", "Krajan"));
        assert!(record.update.is_undated && record.absence.is_none());
        assert!(record.chat.unwrap().is_preferred);
    }

    #[test]
    fn who_has_no_nik_no_status_or_no_need_of_a_card_yet_is_passed_over() {
        let why = |change: fn(&mut Resident)| record(change).unwrap_err();
        for nik in ["", "0", "0351709201800012"] {
            assert_eq!(record(|r| nik.clone_into(&mut r.nik)).unwrap_err(), "no_nik_yet", "{nik}");
        }
        assert_eq!(why(|r| r.status = "0".to_owned()), "no_status");
        assert_eq!(why(|r| r.status = "1".to_owned()), "not_required_yet");
        assert!(record(|r| r.nik = "351718270980000".to_owned()).is_ok(), "damaged: to be mended");
    }

    #[test]
    fn only_a_verified_chat_is_taken_over() {
        assert!(record(|r| r.is_verified = false).unwrap().chat.is_none());
        assert!(record(|r| r.telegram = "-100123".to_owned()).unwrap().chat.is_none(), "a group");
        assert!(record(|r| r.telegram = "@siti".to_owned()).unwrap().chat.is_none());
        let other = record(|r| r.preference = "SMS".to_owned()).unwrap().chat.unwrap();
        assert!(!other.is_preferred);
    }

    #[test]
    fn every_base_status_but_alive_says_that_they_are_gone() {
        let codes = ["1", "2", "3", "4", "6", "9", "5"].map(absence);
        let words = codes.map(|a| a.map_or("here", Absence::as_str));
        assert_eq!(words, ["here", "died", "moved", "missing", "left", "invalid", "invalid"]);
    }

    #[test]
    fn a_childs_card_is_a_kia_and_placeholders_are_no_places() {
        assert_eq!(record(|r| r.ktp_el = "3".to_owned()).unwrap().update.document, "kia");
        assert_eq!(["0", "-", "00", "Krajan"].map(|t| place(t.to_owned())).concat(), "Krajan");
        assert_eq!(clean(" Siti\r\nAminah "), "Siti  Aminah");
    }
}
