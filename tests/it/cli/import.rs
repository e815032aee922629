//! `kabar import`: spreadsheets as offices have them, from the file to the rows of the database.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::support::{Office, citizen, list, word};
use bip::{Texts, write_bip};

#[path = "../../../benches/support/bip.rs"]
mod bip;

/// Rows of cards: two good ones, a NIK that a spreadsheet damaged, a status nobody knows.
fn cards() -> Vec<Vec<String>> {
    let row = |nik: &str, n: usize, status: &str| {
        let citizen = citizen(n);
        [nik, &citizen.name, &citizen.phone, status, &citizen.area, "2026-11-20 08:00"]
            .map(str::to_owned)
            .to_vec()
    };
    let heading = ["NIK", "Nama", "No HP", "Status", "Kode Wilayah", "Tanggal Status"];
    vec![
        heading.map(str::to_owned).to_vec(),
        row(&citizen(1).nik, 1, "CARD_PRINTED"),
        row("3.51709E+15", 2, "CARD_PRINTED"),
        row(&citizen(3).nik, 3, "siap ambil"),
        row(&citizen(4).nik, 4, "tercetakk"),
    ]
}

fn service_points() -> Vec<Vec<String>> {
    let rows = [
        ["Kode", "Nama", "Kode Wilayah", "Alamat", "Jam Buka"],
        ["kec-jombang", "Kantor Kecamatan Jombang", "35.17.09", "Jombang", "Senin-Jumat 08-15"],
        ["kec-diwek", "Kantor Kecamatan Diwek", "35.17.08", "", "Senin-Jumat 08-14"],
        ["", "Kantor tanpa kode", "35.17.08", "", "Senin"],
    ];
    rows.map(|row| row.map(str::to_owned).to_vec()).to_vec()
}

fn csv(rows: &[Vec<String>]) -> Vec<u8> {
    rows.iter().map(|row| row.join(";") + "\r\n").collect::<String>().into_bytes()
}

fn xlsx(rows: &[Vec<String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Data").unwrap();
    for (row, cells) in (0..).zip(rows) {
        for (column, text) in (0..).zip(cells) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// Imports and returns the exit code and the counts.
async fn import(office: &Office, args: &[&str]) -> (i32, Value) {
    let ended = office.run(&[&["import"], args, &["--json"]].concat()).await;
    assert_eq!(ended.stdout.lines().count(), 1, "one object: {ended:?}");
    (ended.code.unwrap(), ended.json())
}

/// `new`, `changed`, `unchanged`, `rejected`, `announced`.
fn counts(report: &Value) -> [u64; 5] {
    ["new", "changed", "unchanged", "rejected", "announced"]
        .map(|name| report[name].as_u64().unwrap())
}

/// The rejected rows by sheet, number and code.
fn rejected(report: &Value) -> Vec<(Value, u64, String)> {
    let one = |r: &Value| (r["sheet"].clone(), r["row"].as_u64().unwrap(), word(&r["code"]));
    list(&report["reasons"]).iter().map(one).collect()
}

/// Everything that must hold for a file of cards, of whatever format.
async fn cards_are_taken_in(file: &str, bytes: Vec<u8>, sheet: Value) {
    let office = Office::init().await;
    let file = office.file(file, bytes);
    let empty = office.rows().await;

    let (code, report) = import(&office, &["cards", &file, "--dry-run"]).await;
    assert_eq!((code, counts(&report)), (1, [2, 0, 0, 2, 2]), "{report}");
    assert_eq!(office.rows().await, empty, "a dry run changes nothing");

    let (code, report) = import(&office, &["cards", &file]).await;
    assert_eq!((code, counts(&report)), (1, [2, 0, 0, 2, 2]), "{report}");
    let bad =
        [(sheet.clone(), 3, "invalid_nik".to_owned()), (sheet, 5, "unknown_status".to_owned())];
    assert_eq!(rejected(&report), bad, "by the row numbers of the file");
    for (table, count) in [("card", 2), ("person", 2), ("message", 2), ("rejection", 2)] {
        assert_eq!(office.count(table).await, count, "{table}");
    }

    let taken = office.rows().await;
    let (code, report) = import(&office, &["cards", &file]).await;
    assert_eq!((code, counts(&report)), (1, [0, 0, 2, 2, 0]), "{report}");
    assert_eq!(office.rows().await, taken, "the same file twice");
}

#[tokio::test]
async fn cards_of_a_csv_file_are_taken_in_once() {
    cards_are_taken_in("cards.csv", csv(&cards()), Value::Null).await;
}

#[tokio::test]
async fn cards_of_an_xlsx_file_are_taken_in_once() {
    cards_are_taken_in("cards.xlsx", xlsx(&cards()), "Data".into()).await;
}

/// Everything that must hold for a file of service points.
async fn service_points_are_taken_in(file: &str, format: fn(&[Vec<String>]) -> Vec<u8>) {
    let office = Office::init().await;
    let mut rows = service_points();
    let path = office.file(file, format(&rows));
    let empty = office.rows().await;

    let (code, report) = import(&office, &["service-points", &path, "--dry-run"]).await;
    assert_eq!((code, counts(&report)), (1, [2, 0, 0, 1, 0]), "{report}");
    assert_eq!(office.rows().await, empty, "a dry run changes nothing");

    let (code, report) = import(&office, &["service-points", &path]).await;
    assert_eq!((code, counts(&report)), (1, [2, 0, 0, 1, 0]), "{report}");
    assert_eq!(report["reasons"][0]["row"], 4, "{report}");
    assert_eq!(office.count("service_point").await, 2);

    rows.truncate(3);
    "Senin-Kamis 08-15".clone_into(&mut rows[1][4]);
    let path = office.file(file, format(&rows));
    let (code, report) = import(&office, &["service-points", &path]).await;
    assert_eq!((code, counts(&report)), (0, [0, 1, 1, 0, 0]), "{report}");
    let (code, report) = import(&office, &["service-points", &path]).await;
    assert_eq!((code, counts(&report)), (0, [0, 0, 2, 0, 0]), "{report}");
    assert_eq!(office.count("service_point").await, 2);
}

#[tokio::test]
async fn service_points_of_a_csv_file_are_taken_in() {
    service_points_are_taken_in("points.csv", csv).await;
}

#[tokio::test]
async fn service_points_of_an_xlsx_file_are_taken_in() {
    service_points_are_taken_in("points.xlsx", xlsx).await;
}

#[tokio::test]
async fn a_later_file_changes_what_is_on_file_and_silence_can_be_asked_for() {
    let office = Office::init().await;
    let mut rows = cards();
    rows.truncate(2);
    let first = office.file("first.csv", csv(&rows));
    let (code, report) = import(&office, &["cards", &first, "--silent"]).await;
    assert_eq!((code, counts(&report)), (0, [1, 0, 0, 0, 0]), "{report}");
    assert_eq!(office.count("message").await, 0);

    "siap ambil".clone_into(&mut rows[1][3]);
    "2026-11-21 08:00".clone_into(&mut rows[1][5]);
    let second = office.file("second.csv", csv(&rows));
    let (code, report) = import(&office, &["cards", &second]).await;
    assert_eq!((code, counts(&report)), (0, [0, 1, 0, 0, 1]), "{report}");
    assert_eq!((office.count("card").await, office.count("message").await), (1, 1));

    let (code, report) = import(&office, &["cards", &first]).await;
    assert_eq!((code, counts(&report)), (0, [0, 0, 1, 0, 0]), "an older file: {report}");
}

#[tokio::test]
async fn a_file_without_dates_twice_announces_nothing_twice() {
    let office = Office::init().await;
    let mut rows = cards();
    rows.truncate(2);
    for row in &mut rows {
        row.truncate(5);
    }
    let file = office.file("cards.csv", csv(&rows));
    let (code, report) = import(&office, &["cards", &file]).await;
    assert_eq!((code, counts(&report)), (0, [1, 0, 0, 0, 1]), "{report}");
    let (code, report) = import(&office, &["cards", &file]).await;
    assert_eq!((code, counts(&report)), (0, [0, 0, 1, 0, 0]), "{report}");
    assert_eq!(office.count("message").await, 1);
}

#[tokio::test]
async fn the_report_as_json_has_exactly_the_promised_keys_and_no_nik() {
    let office = Office::init().await;
    let file = office.file("cards.csv", csv(&cards()));
    let (_, report) = import(&office, &["cards", &file]).await;
    let reasons = list(&report["reasons"]);
    let shape = json!({
        "new": 2, "changed": 0, "unchanged": 0, "announced": 2, "rejected": 2, "reasons": reasons, "warnings": report["warnings"],
    });
    assert_eq!(report, shape);
    for reason in &reasons {
        let keys: Vec<&String> = reason.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "message", "row", "sheet"]);
        assert!(!reason.to_string().contains(&citizen(4).nik), "{reason}");
    }
}

#[tokio::test]
async fn the_report_for_people_names_counts_and_rows() {
    let office = Office::init().await;
    let file = office.file("cards.csv", csv(&cards()));
    let dry = office.run(&["import", "cards", &file, "--dry-run"]).await;
    assert_eq!(dry.code, Some(1), "{dry:?}");
    assert!(dry.stdout.starts_with("4 rows: 2 would be new,"), "{dry:?}");
    let ended = office.run(&["import", "cards", &file]).await;
    let first = "4 rows: 2 are new, 0 changed, 0 unchanged, 2 rejected; 2 announced\n  row 3: ";
    assert!(ended.stdout.starts_with(first), "{ended:?}");
    assert!(ended.stdout.contains("\n  row 5: unknown status; the nearest known: "), "{ended:?}");
    assert!(!ended.stderr.contains('%'), "no progress bar without a terminal: {ended:?}");
}

#[tokio::test]
async fn what_is_no_spreadsheet_is_a_failure_with_a_hint_and_changes_nothing() {
    let office = Office::init().await;
    let before = office.rows().await;
    let nothing = office.path("nothing.csv").to_str().unwrap().to_owned();
    let files = [
        nothing,
        office.file("letter.csv", "Yth. Bapak Camat,\nterlampir daftarnya.\n"),
        office.file("no-status.csv", "NIK;Nama\n3517091204560001;Siti\n"),
        office.file("broken.xlsx", b"PK\x03\x04 and then nothing"),
        office.file("empty.csv", ""),
    ];
    for file in &files {
        let ended = office.run(&["import", "cards", file, "--json"]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stdout.is_empty(), "{ended:?}");
        assert!(ended.stderr.contains(&format!("error: {file}: ")), "{ended:?}");
        assert!(ended.stderr.contains("\nhint: "), "{ended:?}");
    }
    assert_eq!(office.rows().await, before);
}

#[tokio::test]
async fn a_heading_of_the_office_is_named_in_its_configuration_as_the_hint_says() {
    let office = Office::init().await;
    let mut rows = cards();
    rows.truncate(2);
    "Stat Cetak Dinas".clone_into(&mut rows[0][3]);
    let file = office.file("cards.csv", csv(&rows));
    let ended = office.run(&["import", "cards", &file]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let (_, lines) = ended.stderr.split_once("\n[spreadsheet.columns]\n").expect("lines to add");
    assert_eq!(lines.trim(), "status = \"Stat Cetak Dinas\"");

    office.change("[keys]", &format!("[spreadsheet.columns]\n{lines}\n[keys]"));
    let (code, report) = import(&office, &["cards", &file]).await;
    assert_eq!((code, counts(&report)), (0, [1, 0, 0, 0, 1]), "{report}");
}

#[tokio::test]
async fn what_stands_before_a_break_is_recorded_and_reported() {
    let office = Office::init().await;
    let mut rows = cards();
    rows.truncate(2);
    let row = rows[1].clone();
    for n in 5..8 {
        let citizen = citizen(n);
        let mut next = row.clone();
        (next[0], next[2]) = (citizen.nik.clone(), citizen.phone.clone());
        rows.push(next);
    }
    let mut open_quote = row.clone();
    open_quote[1].insert(0, '"');
    rows.extend([open_quote, row.clone(), row]);
    let bytes = csv(&rows);
    let file = office.file("cards.csv", bytes);
    for (flag, word, cards) in [(Some("--dry-run"), "counted", 0), (None, "recorded", 4)] {
        let args: Vec<&str> =
            ["import", "cards", &file].into_iter().chain(flag).chain(["--json"]).collect();
        let ended = office.run(&args).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(counts(&ended.json()), [4, 0, 0, 0, 4], "{ended:?}");
        let told = format!("error: the file breaks off; the rows before it are {word}\n");
        assert!(ended.stderr.starts_with(&told), "{ended:?}");
        assert!(ended.stderr.contains("row 6 holds further rows"), "{ended:?}");
        assert_eq!(office.count("card").await, cards);
    }
}

#[tokio::test]
async fn a_register_of_the_population_is_read_however_its_texts_are_kept() {
    let office = Office::init().await;
    let (mut reports, people) = (Vec::new(), 700);
    for texts in [Texts::Inline, Texts::Shared] {
        let file = office.path("bip.xlsx");
        write_bip(&file, people, 7, texts).unwrap();
        let args = ["cards", file.to_str().unwrap(), "--silent", "--dry-run"];
        let (code, report) = import(&office, &args).await;
        let [new, changed, unchanged, rejected, announced] = counts(&report);
        assert_eq!((code, new + rejected), (1, u64::from(people)), "{report}");
        assert_eq!((changed, unchanged, announced), (0, 0, 0), "{report}");
        let reasons = self::rejected(&report);
        assert!((1..30).contains(&reasons.len()), "{reasons:?}");
        // Statuses that are wrapped over two rows are whole again.
        assert!(reasons.iter().all(|(_, _, code)| code == "invalid_nik"), "{reasons:?}");
        reports.push(reasons);
    }
    assert_eq!(reports[0], reports[1]);
}
