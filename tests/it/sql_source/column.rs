//! Columns of every awkward type, and queries of every awkward form.

use kabar::source::Source as _;

use super::{on_every_kind, read, settings, source, try_read};
use crate::support::foreign::{Foreign, Kind};

/// Types of a cursor, with four values that grow; the third is everything's end for a while, and the
/// first lies far behind it.
type Cursor = (&'static str, [&'static str; 4]);

const NUMBERS: [&str; 4] = ["10", "20000", "30000", "30001"];
const SECONDS: [&str; 4] = ["1750000000", "1760000000", "1770000000", "1770000000"];
const FRACTIONS: [&str; 4] = ["1750000000.5", "1760000000.5", "1770000000.5", "1770000000.75"];
const MILLIS: [&str; 4] = ["1750000000000", "1760000000000", "1770000000000", "1770000000001"];
const DAYS: [&str; 4] = ["'2025-01-01'", "'2025-02-01'", "'2025-03-01'", "'2025-03-01'"];
const MOMENTS: [&str; 4] = [
    "'2025-01-01 08:00:00'",
    "'2025-02-01 08:00:00'",
    "'2025-03-01 08:00:00.25'",
    "'2025-03-01 08:00:00.5'",
];
const ZONED: [&str; 4] = [
    "'2025-01-01T01:00:00Z'",
    "'2025-02-01T01:00:00Z'",
    "'2025-03-01T01:00:00Z'",
    "'2025-03-01T01:00:01Z'",
];
const WORDS: [&str; 4] = ["'A-17'", "'A-18'", "'A-19'", "'A-20'"];
const UUIDS: [&str; 4] = [
    "'01930000-0000-7000-8000-000000000001'",
    "'01940000-0000-7000-8000-000000000001'",
    "'01950000-0000-7000-8000-000000000001'",
    "'01950000-0000-7000-8000-000000000002'",
];

const POSTGRES: &[Cursor] = &[
    ("BIGINT", NUMBERS),
    ("INTEGER", NUMBERS),
    ("NUMERIC(20,0)", NUMBERS),
    ("NUMERIC(20,2)", NUMBERS),
    ("DOUBLE PRECISION", FRACTIONS),
    ("BIGINT", MILLIS),
    ("DATE", DAYS),
    ("TIMESTAMP", MOMENTS),
    ("TIMESTAMPTZ", MOMENTS),
    ("CHAR(30)", MOMENTS),
    ("TEXT", ZONED),
    ("VARCHAR(30)", WORDS),
    ("CHAR(8)", WORDS),
    ("UUID", UUIDS),
    ("saat", MOMENTS),
    ("\"Urutan\"", ["'satu'", "'dua'", "'tiga'", "'empat'"]),
];
const MARIADB: &[Cursor] = &[
    ("BIGINT UNSIGNED", NUMBERS),
    ("INT", SECONDS),
    ("TINYINT", ["1", "2", "3", "4"]),
    ("DECIMAL(20,0)", NUMBERS),
    ("DECIMAL(20,2)", NUMBERS),
    ("DOUBLE", FRACTIONS),
    ("BIGINT", MILLIS),
    ("DATE", DAYS),
    ("DATETIME", DAYS),
    ("DATETIME(6)", MOMENTS),
    ("TIMESTAMP(6) NULL", MOMENTS),
    ("CHAR(30)", MOMENTS),
    ("VARCHAR(30)", ZONED),
    ("VARCHAR(30) COLLATE utf8mb4_bin", WORDS),
    ("UUID", UUIDS),
];
const SQLITE: &[Cursor] = &[
    ("INTEGER", NUMBERS),
    ("INTEGER", SECONDS),
    ("INTEGER", MILLIS),
    ("NUMERIC", NUMBERS),
    ("REAL", FRACTIONS),
    ("DATETIME", MOMENTS),
    ("DATETIME", SECONDS),
    ("", SECONDS),
    ("", MOMENTS),
    ("TEXT", DAYS),
    ("TEXT", MOMENTS),
    ("TEXT", ZONED),
    ("TEXT", SECONDS),
    ("TEXT", UUIDS),
];

on_every_kind! {
    async fn a_cursor_may_be_of_any_type_that_grows(foreign: Foreign) {
        let cursors = match foreign.kind {
            Kind::Postgres => {
                foreign.run(
                    "CREATE DOMAIN saat AS TIMESTAMPTZ; \
                     CREATE TYPE \"Urutan\" AS ENUM ('satu', 'dua', 'tiga', 'empat')",
                ).await;
                POSTGRES
            }
            Kind::Mariadb => MARIADB,
            Kind::Sqlite => SQLITE,
        };
        for (n, (kind, values)) in cursors.iter().enumerate() {
            let table = format!("t{n}");
            foreign.run(&format!("CREATE TABLE {table} (no INTEGER, nik CHAR(20), at {kind})")).await;
            for (no, value) in values[..3].iter().enumerate() {
                foreign.run(&format!("INSERT INTO {table} VALUES ({no}, 'x', {value})")).await;
            }
            foreign.run(&format!("INSERT INTO {table} VALUES (9, 'x', NULL)")).await;
            for cursor in ["at", "COALESCE(at, NULL)"] {
                let query = format!(
                    "SELECT no AS id, nik, 'y' AS status, {cursor} AS at FROM {table} WHERE no < 10"
                );
                let source = source(settings(&foreign.url(), &query));
                let (records, reading) = read(&source, None).await;
                assert_eq!(records.len(), 4, "{kind} {values:?}");
                let position = reading.position.unwrap_or_else(|| panic!("{kind} {values:?}"));
                foreign.run(&format!("INSERT INTO {table} VALUES (4, 'x', {})", values[3])).await;
                let (records, _) = read(&source, Some(&position)).await;
                let mut keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
                keys.sort_unstable();
                let small = kind == &"TINYINT";
                let expected: &[&str] = if small { &["0", "1", "2", "4"] } else { &["2", "4"] };
                assert_eq!(keys, expected, "{kind} {values:?} {cursor} from {position}");
                foreign.run(&format!("DELETE FROM {table} WHERE no = 4")).await;
            }
        }
    }

    async fn a_query_may_have_any_form_that_a_table_can_have(foreign: Foreign) {
        let foreign = foreign.with_cards(2).await;
        let queries = [
            "SELECT nik, status, diubah AS at FROM kartu;",
            "-- kartu kita\nSELECT nik, status, diubah AS at FROM kartu -- ; semua",
            "SELECT nik, status, diubah AS at FROM kartu; -- selesai",
            "SELECT nik, status, diubah AS at FROM kartu /* ; */ ;\n;",
            "WITH k AS (SELECT nik, status, diubah FROM kartu) SELECT nik, status, diubah AS at FROM k",
            "SELECT nik, status, diubah AS at FROM kartu WHERE no = 1 UNION ALL \
             SELECT nik, status, diubah FROM kartu WHERE no = 2",
            "SELECT nik, status, diubah AS at FROM kartu ORDER BY nama LIMIT 10",
            "SELECT q.nik, q.status, q.diubah AS at, '-- ; '' $1 ?' AS catatan FROM kartu q",
            "SELECT nik AS NIK, status AS STATUS, diubah AS AT FROM kartu",
        ];
        for query in queries {
            let source = source(settings(&foreign.url(), query));
            let (records, reading) = read(&source, None).await;
            assert_eq!(records.len(), 2, "{query}");
            let (records, _) = read(&source, reading.position.as_deref()).await;
            assert_eq!(records.len(), 2, "{query}");
        }
        // A word of the language, and letters that the database would not choose itself.
        let (open, close) = if foreign.kind == Kind::Mariadb { ('`', '`') } else { ('"', '"') };
        let query = format!(
            "SELECT nik AS {open}NIK{close}, status AS {open}Status{close}, \
             diubah AS {open}order{close}, no AS {open}select {close} FROM kartu"
        );
        let mut settings = settings(&foreign.url(), &query);
        "ORDER".clone_into(&mut settings.cursor);
        let source = source(settings);
        assert_eq!(read(&source, None).await.0.len(), 2);
        let words = source.probe().await.unwrap();
        assert_eq!(words, "its query has NIK, Status, order; not used: select ");
    }

    async fn numbers_padding_words_and_objects_are_read_as_the_text_they_show(foreign: Foreign) {
        let table = match foreign.kind {
            Kind::Postgres => {
                foreign.run("CREATE TYPE langkah AS ENUM ('CARD_PRINTED', 'RECORDED')").await;
                "CREATE TABLE k (id UUID, angka BIGINT, besar NUMERIC(16,0), lebar CHAR(24), \
                 langkah langkah, isi JSONB, kosong TEXT, sah BOOLEAN, jam TIME, hari DATE, saat TIMESTAMPTZ)"
            }
            Kind::Mariadb => {
                "CREATE TABLE k (id UUID, angka BIGINT UNSIGNED, besar DECIMAL(16,0), lebar CHAR(24), \
                 langkah ENUM('CARD_PRINTED', 'RECORDED'), isi JSON, kosong TEXT, sah BOOLEAN, \
                 jam TIME(6), hari DATE, saat TIMESTAMP)"
            }
            Kind::Sqlite => {
                "CREATE TABLE k (id TEXT, angka INTEGER, besar NUMERIC, lebar CHAR(24), \
                 langkah TEXT, isi TEXT, kosong TEXT, sah BOOLEAN, jam TEXT, hari TEXT, saat INTEGER)"
            }
        };
        foreign.run(table).await;
        let saat = match foreign.kind {
            Kind::Postgres => "'2026-11-20 01:00:00Z'",
            Kind::Mariadb => "FROM_UNIXTIME(1795136400)",
            Kind::Sqlite => "1795136400000",
        };
        foreign.run(&format!(
            "INSERT INTO k VALUES ('01930000-0000-7000-8000-000000000001', 3517091204560001, \
             3517091204560001, '3517091204560001', 'CARD_PRINTED', '{{\"status\": \"CARD_PRINTED\"}}', \
             NULL, true, '09:00:00', '2026-11-24', {saat})"
        ))
        .await;
        let json = match foreign.kind {
            Kind::Postgres => "isi->>'status'",
            Kind::Mariadb => "JSON_VALUE(isi, '$.status')",
            Kind::Sqlite => "json_extract(isi, '$.status')",
        };
        for (nik, status) in [("angka", "langkah"), ("besar", json), ("lebar", "'CARD_PRINTED'")] {
            let query = format!(
                "SELECT id, {nik} AS nik, {status} AS status, kosong AS name, sah AS rt, \
                 jam AS home_from, hari AS home_date, saat AS occurred_at, angka AS at FROM k"
            );
            let (records, _) = read(&source(settings(&foreign.url(), &query)), None).await;
            let update = &records[0].update;
            assert_eq!(records[0].key, "01930000-0000-7000-8000-000000000001");
            let shown = [&update.nik, &update.status, &update.name].map(|text| text.trim());
            assert_eq!(shown, ["3517091204560001", "CARD_PRINTED", ""], "{nik}");
            assert_eq!([&update.home_date, &update.home_from], ["2026-11-24", "09:00:00"]);
            let now = kabar::domain::clock::Timestamp::from_ms(1_795_300_000_000);
            let zone = chrono::FixedOffset::east_opt(7 * 3600).unwrap();
            let checked = update.check(zone, now).unwrap();
            assert_eq!(checked.occurred_at.as_ms(), 1_795_136_400_000, "{}", update.occurred_at);
        }
    }

    async fn a_column_of_bytes_is_refused_by_its_name(foreign: Foreign) {
        let (kind, other) = match foreign.kind {
            Kind::Postgres => ("BYTEA", "BYTEA"),
            Kind::Mariadb => ("BINARY(16)", "BLOB"),
            Kind::Sqlite => ("BLOB", "BLOB"),
        };
        foreign.run(&format!("CREATE TABLE k (nik {kind}, foto {other}, at INTEGER)")).await;
        foreign.run("INSERT INTO k VALUES ('3517091204560001', NULL, 1)").await;
        let query = "SELECT nik, 'CARD_PRINTED' AS status, foto, at FROM k";
        let error = try_read(&source(settings(&foreign.url(), query)), None).await.unwrap_err();
        assert_eq!(error.to_string(), "the query's column nik holds bytes and no text");
        let text = match foreign.kind {
            Kind::Postgres => "ENCODE(nik, 'escape')",
            Kind::Mariadb => "CONVERT(nik USING utf8mb4)",
            Kind::Sqlite => "CAST(nik AS TEXT)",
        };
        let query = format!("SELECT {text} AS nik, 'CARD_PRINTED' AS status, foto, at FROM k");
        let (records, _) = read(&source(settings(&foreign.url(), &query)), None).await;
        assert_eq!(records[0].update.nik.trim(), "3517091204560001", "bytes that nobody reads do no harm");
    }
}
