//! The ground that the watcher of OpenSID is tested on, held against what is known of OpenSID and
//! of MariaDB: a test on false ground proves nothing.

use std::collections::BTreeSet;

use sqlx::{Connection as _, MySqlConnection};

use crate::support::mariadb::MariaDb;
use crate::support::opensid::{OpenSid, Resident, Schema};

const JABON: &str = "3517092018";

async fn village(schema: Schema) -> (OpenSid, i32) {
    let opensid = OpenSid::create(&MariaDb::shared(), schema).await;
    let desa = opensid.add_desa(JABON, "Jabon").await;
    (opensid, desa)
}

#[tokio::test]
async fn any_edit_in_the_database_itself_stamps_the_row() {
    let (opensid, config) = village(Schema::Umum).await;
    let id = opensid.add_resident(Resident { config, ..Resident::default() }).await;
    opensid.pass_hours(30).await;
    assert!(opensid.age(id).await >= 30 * 3_600);
    opensid.as_sql().edit_phone(id, "0812 0000 0000 (istri)").await;
    assert!((0..60).contains(&opensid.age(id).await));
}
