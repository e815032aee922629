//! Whoever changes people in OpenSID: the application, or somebody at the database.

use sqlx::AssertSqlSafe;

use super::OpenSid;

/// One who changes rows.
pub struct Hand<'a> {
    opensid: &'a OpenSid,
    /// Hours that the application's clock is ahead; none leaves `updated_at` to the database.
    ahead: Option<i32>,
}

impl OpenSid {
    /// Whoever changes rows without the application, and leaves `updated_at` to the database.
    pub fn as_sql(&self) -> Hand<'_> {
        Hand { opensid: self, ahead: None }
    }

    /// The application, whose clock is so many hours ahead of the database's: it writes
    /// `updated_at` itself, in its own zone.
    pub fn as_php(&self, ahead: i32) -> Hand<'_> {
        Hand { opensid: self, ahead: Some(ahead) }
    }
}

impl Hand<'_> {
    /// Moves a card on, or back.
    pub async fn set_status(&self, id: i32, status_rekam: i8) {
        self.set("status_rekam", status_rekam, "id", id).await;
    }

    /// Writes a telephone down, whatever that is.
    pub async fn edit_phone(&self, id: i32, telepon: &str) {
        self.set("telepon", telepon, "id", id).await;
    }

    /// Says that somebody died (2), moved (3), is missing (4), left (6) or is alive (1).
    pub async fn set_status_dasar(&self, id: i32, status_dasar: i8) {
        self.set("status_dasar", status_dasar, "id", id).await;
        if self.ahead.is_some() && status_dasar != 1 {
            // The application writes down that it happened, by the same numbers.
            let (column, _) = self.opensid.config(0);
            let insert = format!(
                "INSERT INTO log_penduduk ({column}id_pend, kode_peristiwa) \
                 SELECT {column}id, status_dasar FROM tweb_penduduk WHERE id = ?"
            );
            let query = sqlx::query(AssertSqlSafe(insert)).bind(id);
            query.execute(&self.opensid.pool).await.unwrap();
        }
    }

    /// Moves every card of a desa to one status; returns how many were not there yet.
    pub async fn bulk_status(&self, config: i32, status_rekam: i8) -> u64 {
        let (column, _) = self.opensid.config(config);
        let (column, value) = if column.is_empty() { ("1", 1) } else { ("config_id", config) };
        self.set("status_rekam", status_rekam, column, value).await
    }

    async fn set<'q, T>(&self, column: &str, value: T, key: &str, id: i32) -> u64
    where
        T: sqlx::Encode<'q, sqlx::MySql> + sqlx::Type<sqlx::MySql> + Send + 'q,
    {
        let stamp = self.ahead.map_or_else(String::new, |hours| {
            format!(", updated_by = 1, updated_at = CURRENT_TIMESTAMP + INTERVAL {hours} HOUR")
        });
        let update = format!("UPDATE tweb_penduduk SET {column} = ?{stamp} WHERE {key} = ?");
        let query = sqlx::query(AssertSqlSafe(update)).bind(value).bind(id);
        query.execute(&self.opensid.pool).await.unwrap().rows_affected()
    }
}
