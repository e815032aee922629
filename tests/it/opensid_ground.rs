//! The ground that the watcher of OpenSID is tested on, held against what is known of OpenSID and
//! of MariaDB: a test on false ground proves nothing.

use std::collections::BTreeSet;

use sqlx::mysql::MySqlDatabaseError;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection};

use crate::support::mariadb::MariaDb;
use crate::support::opensid::{OpenSid, Resident, Schema};

const JABON: &str = "3517092018";
const NGUDIREJO: &str = "3517082014";
const HOUR: i64 = 3_600;
/// What a watcher of cards has any reason to read.
const COLUMNS: &[(&str, &[&str])] = &[
    ("config", &["id", "kode_desa"]),
    ("tweb_penduduk", &["id", "config_id", "nik", "nama", "telepon", "status_rekam", "updated_at"]),
];

async fn village(schema: Schema) -> (OpenSid, i32) {
    let opensid = OpenSid::create(&MariaDb::shared(), schema).await;
    let desa = opensid.add_desa(JABON, "Jabon").await;
    (opensid, desa)
}

async fn texts(opensid: &OpenSid, select: &'static str) -> Vec<String> {
    sqlx::query_scalar(select).fetch_all(&opensid.pool).await.unwrap()
}

async fn count(opensid: &OpenSid, what: &str) -> u32 {
    let select = format!("SELECT CAST(COUNT(*) AS SIGNED) FROM {what}");
    let count: i64 =
        sqlx::query_scalar(AssertSqlSafe(select)).fetch_one(&opensid.pool).await.unwrap();
    u32::try_from(count).unwrap()
}

async fn columns(connection: &mut MySqlConnection) -> BTreeSet<(String, String)> {
    let select = "SELECT TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS \
                  WHERE TABLE_SCHEMA = DATABASE()";
    sqlx::query_as(select).fetch_all(connection).await.unwrap().into_iter().collect()
}

async fn people(schema: Schema) -> BTreeSet<String> {
    let (opensid, _) = village(schema).await;
    let mut connection = opensid.pool.acquire().await.unwrap();
    let all = columns(&mut connection).await.into_iter();
    all.filter(|(table, _)| table == "tweb_penduduk").map(|(_, column)| column).collect()
}

fn number(error: &sqlx::Error) -> u16 {
    let error = error.as_database_error().unwrap_or_else(|| panic!("{error}"));
    error.downcast_ref::<MySqlDatabaseError>().number()
}

#[tokio::test]
async fn any_edit_in_the_database_stamps_the_row_and_an_edit_that_changes_nothing_does_not() {
    for schema in [Schema::Umum, Schema::Newer] {
        let (opensid, config) = village(schema).await;
        let id = opensid.add_resident(Resident { config, ..Resident::default() }).await;
        opensid.pass_hours(30).await;
        opensid.as_sql().set_status(id, 3).await;
        assert!((30 * HOUR..30 * HOUR + 60).contains(&opensid.age(id).await), "it was 3 before");
        opensid.as_sql().edit_phone(id, "08120000000 (istri)").await;
        assert!((0..60).contains(&opensid.age(id).await));
        opensid.pass_hours(1).await;
        opensid.as_sql().set_status(id, 5).await;
        assert!((0..60).contains(&opensid.age(id).await));
    }
}

#[tokio::test]
async fn an_application_in_another_zone_stamps_rows_with_its_own_hour() {
    let (opensid, config) = village(Schema::Umum).await;
    let id = opensid.add_resident(Resident { config, ..Resident::default() }).await;
    for ahead in [7, 9, 0, -1] {
        opensid.as_php(ahead).set_status(id, 4).await;
        let age = opensid.age(id).await + i64::from(ahead) * HOUR;
        assert!((0..60).contains(&age), "{ahead} hours ahead: {age}");
    }
}

#[tokio::test]
async fn an_old_database_leaves_the_stamp_to_the_application() {
    let (opensid, config) = village(Schema::Old).await;
    let id = opensid.add_resident(Resident { config, ..Resident::default() }).await;
    opensid.pass_hours(30).await;
    opensid.as_sql().set_status(id, 4).await;
    assert!(opensid.age(id).await >= 30 * HOUR);
    opensid.as_php(0).set_status(id, 6).await;
    assert!((0..60).contains(&opensid.age(id).await));
    assert_eq!(opensid.as_sql().bulk_status(config, 8).await, 1);
}

#[tokio::test]
async fn every_release_has_the_columns_of_its_time() {
    let [old, umum, newer] =
        [people(Schema::Old).await, people(Schema::Umum).await, people(Schema::Newer).await];
    let core = ["id", "nik", "nama", "telepon", "ktp_el", "status_rekam", "status_dasar"];
    for columns in [&old, &umum, &newer] {
        assert!(core.iter().all(|column| columns.contains(*column)), "{columns:?}");
    }
    assert!(old.is_subset(&umum) && umum.is_subset(&newer));
    let came: Vec<_> = umum.difference(&old).map(String::as_str).collect();
    assert!(came.contains(&"config_id") && came.contains(&"telegram"), "{came:?}");
    assert!(came.contains(&"hubung_warga"), "{came:?}");
    let came: Vec<_> = newer.difference(&umum).collect();
    assert_eq!(came, ["adat", "marga", "pekerja_migran"]);
}

#[tokio::test]
async fn the_table_of_statuses_is_joined_on_its_status_and_not_on_its_id() {
    let (opensid, _) = village(Schema::Umum).await;
    let names = "SELECT CONCAT(id, ' ', status_rekam, ' ', nama) FROM tweb_status_ktp ORDER BY id";
    let names = texts(&opensid, names).await;
    assert_eq!((&*names[0], &*names[2]), ("1 2 BELUM REKAM", "3 4 CARD PRINTED"));
    assert_eq!((&*names[6], &*names[7]), ("7 8 CARD ISSUED", "8 1 BELUM WAJIB"));
    let (newer, _) = village(Schema::Newer).await;
    let gone = newer.pool.execute("SELECT id FROM tweb_status_ktp").await.unwrap_err();
    assert_eq!(number(&gone), 1146, "{gone}");
}

#[tokio::test]
async fn a_neighbourhood_has_rows_on_three_levels_and_placeholders_beside_them() {
    for schema in [Schema::Old, Schema::Umum] {
        let (opensid, config) = village(schema).await;
        let id = opensid.add_cluster(config, "Krajan", "001", "002").await;
        assert_eq!(opensid.add_cluster(config, "Krajan", "001", "002").await, id);
        opensid.add_cluster(config, "Krajan", "001", "003").await;
        let rows =
            "SELECT CONCAT_WS('/', dusun, rw, rt) FROM tweb_wil_clusterdesa ORDER BY dusun, rw, rt";
        let expected = ["-/-", "-/0", "0/0", "001/-", "001/0", "001/002", "001/003"]
            .map(|at| format!("Krajan/{at}"));
        let rows: BTreeSet<_> = texts(&opensid, rows).await.into_iter().collect();
        assert_eq!(rows, BTreeSet::from(expected));
    }
}

#[tokio::test]
async fn one_database_serves_many_desa_and_a_nik_is_unique_in_each() {
    let (opensid, jabon) = village(Schema::Umum).await;
    let ngudirejo = opensid.add_desa(NGUDIREJO, "Ngudirejo").await;
    let person = Resident { telegram: Some("12345".to_owned()), ..Resident::default() };
    for config in [jabon, ngudirejo] {
        opensid.add_resident(Resident { config, ..person.clone() }).await;
    }
    assert_eq!(count(&opensid, "tweb_penduduk WHERE telegram = '12345'").await, 2);
    let again = format!(
        "INSERT INTO tweb_penduduk (config_id, nama, id_cluster, nik) \
         SELECT config_id, nama, id_cluster, nik FROM tweb_penduduk WHERE config_id = {jabon}"
    );
    let again = opensid.pool.execute(AssertSqlSafe(again)).await.unwrap_err();
    assert_eq!(number(&again), 1062, "{again}");
    assert_eq!(opensid.as_sql().bulk_status(ngudirejo, 8).await, 1);
    assert_eq!(count(&opensid, "tweb_penduduk WHERE status_rekam = 8").await, 1);
}

#[tokio::test]
async fn one_who_died_leaves_the_view_of_the_living_and_the_application_writes_it_down() {
    for schema in [Schema::Old, Schema::Umum, Schema::Newer] {
        let (opensid, config) = village(schema).await;
        let [died, moved] = [Resident::default(), Resident::default()]
            .map(|resident| opensid.add_resident(Resident { config, ..resident }));
        let (died, moved) = (died.await, moved.await);
        opensid.as_php(7).set_status_dasar(died, 2).await;
        opensid.as_sql().set_status_dasar(moved, 3).await;
        assert_eq!(count(&opensid, "penduduk_hidup").await, 0);
        assert_eq!(count(&opensid, "log_penduduk").await, 1);
        let logged = format!("log_penduduk WHERE id_pend = {died} AND kode_peristiwa = 2");
        assert_eq!(count(&opensid, &logged).await, 1);
    }
}

#[tokio::test]
async fn thirty_thousand_made_up_people_are_told_apart_by_their_niks() {
    for schema in [Schema::Old, Schema::Umum] {
        let (opensid, config) = village(schema).await;
        opensid.add_resident(Resident { config, ..Resident::default() }).await;
        let crowd = opensid.bulk_residents(config, 30_000).await;
        assert_eq!((crowd.residents, crowd.temporary, crowd.without_nik), (30_000, 600, 300));
        let rows = |and: &str| format!("tweb_penduduk WHERE id >= {} AND {and}", crowd.first);
        assert_eq!(count(&opensid, &rows("TRUE")).await, 30_000);
        assert_eq!(count(&opensid, &rows("nik IS NULL")).await, 300);
        assert_eq!(
            count(&opensid, &rows(&format!("nik REGEXP '^0{JABON}[0-9]{{5}}$'"))).await,
            600
        );
        assert_eq!(count(&opensid, &rows("nik REGEXP '^351709[0-9]{10}$'")).await, 29_100);
        assert_eq!(count(&opensid, &rows("status_rekam = 8")).await, 21_000);
        assert_eq!(count(&opensid, &rows("status_rekam IS NULL")).await, 600);
        assert_eq!(count(&opensid, &rows("ktp_el = 1")).await, 2_400);
        let distinct = "(SELECT DISTINCT nik FROM tweb_penduduk WHERE nik IS NOT NULL) AS niks";
        assert_eq!(count(&opensid, distinct).await, 29_701);
        let more = opensid.bulk_residents(config, 100).await;
        assert_eq!(more.first, crowd.first + 30_000);
    }
}

#[tokio::test]
async fn a_reader_sees_the_columns_it_was_given_and_nothing_else() {
    let (opensid, config) = village(Schema::Umum).await;
    opensid.add_resident(Resident { config, ..Resident::default() }).await;
    let mut reader = MySqlConnection::connect(&opensid.reader_url(COLUMNS).await).await.unwrap();
    let given = COLUMNS.iter().flat_map(|(table, columns)| {
        columns.iter().map(|column| ((*table).to_owned(), (*column).to_owned()))
    });
    // INFORMATION_SCHEMA hides what may not be read: a column that is missing there may exist.
    assert_eq!(columns(&mut reader).await, given.collect());
    reader.execute("SELECT id, telepon, status_rekam FROM tweb_penduduk").await.unwrap();
    // A column of it, all of them, another table, and the view, which needs a grant of its own.
    for (select, denied) in [
        ("SELECT tag_id_card FROM tweb_penduduk", 1143),
        ("SELECT id FROM tweb_penduduk WHERE email IS NULL", 1143),
        ("SELECT * FROM tweb_penduduk", 1142),
        ("SELECT no_kk FROM tweb_keluarga", 1142),
        ("SELECT id FROM penduduk_hidup", 1142),
    ] {
        let error = reader.execute(select).await.unwrap_err();
        assert_eq!(number(&error), denied, "{select}: {error}");
    }
    reader.close().await.unwrap();
}

#[tokio::test]
async fn a_reader_can_change_nothing_where_another_can_change_everything() {
    for schema in [Schema::Umum, Schema::Newer] {
        let (opensid, config) = village(schema).await;
        opensid.add_resident(Resident { config, ..Resident::default() }).await;
        let reader = opensid.reader_url(COLUMNS).await;
        assert_eq!(opensid.reader_can_write(&reader).await, [""; 0]);
        assert_eq!(count(&opensid, "penduduk_hidup").await, 1);
        let worked = opensid.reader_can_write(&opensid.url()).await;
        assert_eq!(worked.len(), 19, "{worked:#?}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_village_that_is_no_longer_needed() {
    let (opensid, _) = village(Schema::Umum).await;
    let (reader, url) = (opensid.reader_url(COLUMNS).await, opensid.url());
    let held = opensid.pool.begin().await.unwrap();
    drop((held, opensid));
    let error = MySqlConnection::connect(&reader).await.unwrap_err();
    assert_eq!(number(&error), 1045, "{error}");
    let error = MySqlConnection::connect(&url).await.unwrap_err();
    assert_eq!(number(&error), 1049, "{error}");
}

#[tokio::test]
async fn a_killed_server_comes_back_with_all_that_was_committed_and_nothing_else() {
    let mut server = MariaDb::private().await;
    let opensid = OpenSid::create(&server, Schema::Umum).await;
    let config = opensid.add_desa(JABON, "Jabon").await;
    let reader = opensid.reader_url(COLUMNS).await;
    for residents in [1, 2, 3] {
        opensid.add_resident(Resident { config, ..Resident::default() }).await;
        let mut unfinished = opensid.pool.begin().await.unwrap();
        unfinished.execute("DELETE FROM tweb_penduduk").await.unwrap();
        server.kill().await;
        unfinished.execute("SELECT 1").await.unwrap_err();
        MySqlConnection::connect(server.url()).await.unwrap_err();
        server.start().await;
        assert_eq!(count(&opensid, "tweb_penduduk").await, residents);
        let mut again = MySqlConnection::connect(&reader).await.unwrap();
        again.execute("SELECT nik FROM tweb_penduduk").await.unwrap();
    }
}
