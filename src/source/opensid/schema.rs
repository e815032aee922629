//! Which tables and columns of OpenSID are read, and which of them there are.
//!
//! The one place that names them. What a release lacks is done without; what it must have is said by
//! name when it is missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::SourceError;

pub(super) const RESIDENT: &str = "tweb_penduduk";
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

/// The columns there are, as far as we may see them.
#[derive(Debug)]
pub(super) struct Schema(pub(super) BTreeSet<(String, String)>);

impl Schema {
    pub(super) fn has(&self, table: &str, column: &str) -> bool {
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

    pub(super) fn check(&self) -> Result<(), SourceError> {
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
    pub(super) fn query(&self, is_recent: bool) -> String {
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
