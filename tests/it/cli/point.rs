//! `kabar point` and what brings points and days off: `kabar import service-points` and `holidays`.

use std::path::Path;

use serde_json::Value;

use crate::support::{Office, list, word};

const POINTS: &str = "Kode;Nama;Kode Wilayah;Alamat;Jam Buka;Senin;Selasa;Rabu;Kamis;Jumat;Lintang;Bujur;Layanan;Status\r\n\
    kec-jombang;Kantor Kecamatan Jombang;35.17.09;Jombang;;08.00-15.00;08.00-15.00;08.00-15.00;08.00-15.00;07.30-11.00, 13.00-14.30;-7,546;112,233;rekam, cetak;\r\n\
    kec-diwek;Kantor Kecamatan Diwek;35.17.08;;Belum melayani;;;;;;;;;persiapan\r\n";

const RUNNING: &str = "Kode;Nama;Kode Wilayah;Alamat;Jam Buka;Status\r\n\
    kec-jombang;Kantor Kecamatan Jombang;35.17.09;Jombang;;berjalan\r\n";

async fn import(office: &Office, kind: &str, name: &str, text: &str) -> (Option<i32>, Value) {
    let path = office.file(name, text);
    let ended = office.run(&["import", kind, &path, "--json"]).await;
    (ended.code, ended.json())
}

fn counts(report: &Value) -> [u64; 4] {
    ["new", "changed", "unchanged", "rejected"].map(|key| report[key].as_u64().unwrap())
}

async fn listed(office: &Office) -> Vec<Value> {
    let ended = office.run(&["point", "list", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    list(&ended.json()["service_points"])
}

#[tokio::test]
async fn hours_by_weekday_places_and_services_are_taken_in_and_an_older_file_takes_none_away() {
    let office = Office::init().await;
    let (code, report) = import(&office, "service-points", "points.csv", POINTS).await;
    assert_eq!((code, counts(&report)), (Some(0), [2, 0, 0, 0]), "{report}");
    let points = listed(&office).await;
    let jombang = &points[1];
    assert_eq!(word(&jombang["hours"]), "Senin–Kamis 08.00–15.00, Jumat 07.30–11.00 & 13.00–14.30");
    assert_eq!(word(&jombang["map"]), "-7.546000, 112.233000");
    assert_eq!(jombang["services"], serde_json::json!(["recording", "printing"]));
    assert_eq!(word(&points[0]["status"]), "preparation");

    let old = "Kode;Nama;Kode Wilayah;Alamat;Jam Buka\r\n\
               kec-jombang;Kantor Kecamatan Jombang;35.17.09;Jombang;Senin-Jumat 08-15\r\n";
    let (_, report) = import(&office, "service-points", "old.csv", old).await;
    assert_eq!(counts(&report), [0, 1, 0, 0], "{report}");
    let points = listed(&office).await;
    assert_eq!(word(&points[1]["hours"]), "Senin-Jumat 08-15");
    assert_eq!(word(&points[1]["map"]), "-7.546000, 112.233000");
    let (_, report) = import(&office, "service-points", "old.csv", old).await;
    assert_eq!(counts(&report), [0, 0, 1, 0], "{report}");
}

#[tokio::test]
async fn what_cannot_be_read_of_a_point_is_said_with_its_row_and_a_way_to_write_it() {
    let office = Office::init().await;
    let head = "Kode;Nama;Kode Wilayah;Jam Buka;Senin;Lintang;Bujur;Layanan;Status\r\n";
    for (row, reason) in [
        ("a;A;35.17;x;8 pagi;;;;", "invalid_hours"),
        ("a;A;35.17;;;;;;", "missing_field"),
        ("a;A;35.17;x;tutup;;;;", "invalid_hours"),
        ("a;A;35.17;x;;112,2;-7,5;;", "invalid_place"),
        ("a;A;35.17;x;;-7,5;;;", "invalid_place"),
        ("a;A;35.17;x;;;;SIM;", "unknown_service"),
        ("a;A;35.17;x;;;;;tutup", "invalid_status"),
    ] {
        let text = format!("{head}{row}\r\n");
        let (code, report) = import(&office, "service-points", "bad.csv", &text).await;
        assert_eq!(
            (code, word(&report["reasons"][0]["code"])),
            (Some(1), reason.to_owned()),
            "{row}"
        );
    }
    assert_eq!(office.count("service_point").await, 0);
}

#[tokio::test]
async fn days_off_and_days_of_other_hours_are_taken_in_one_by_one() {
    let office = Office::init().await;
    let days = "Tanggal;Sampai;Keterangan;Kode Wilayah;Jam;Jumat\r\n\
                2026-12-14;;Hari contoh;;;\r\n\
                18/02/2027;19/02/2027;Bulan contoh;35.17;;08.00-11.00\r\n\
                2026-12-31;2026-12-01;Mundur;;;\r\n\
                besok;;Entah;;;\r\n";
    let (code, report) = import(&office, "holidays", "days.csv", days).await;
    assert_eq!((code, counts(&report)), (Some(1), [3, 0, 0, 2]), "{report}");
    let rows = office
        .query("SELECT date || ' ' || area || ' ' || COALESCE(hours, 'closed') FROM holiday ORDER BY date")
        .await;
    assert_eq!(
        rows,
        ["2026-12-14  closed", "2027-02-18 35.17 closed", "2027-02-19 35.17 08.00-11.00"]
    );
    let (_, report) = import(&office, "holidays", "days.csv", days).await;
    assert_eq!(counts(&report), [0, 0, 3, 2], "{report}");
}

#[tokio::test]
async fn a_point_is_closed_opened_and_its_stock_told() {
    let office = Office::init().await;
    import(&office, "service-points", "points.csv", POINTS).await;
    let run = async |args: &[&str]| office.run(&[&["point"], args].concat()).await;
    let closed =
        run(&["close", "kec-jombang", "--until", "2099-12-31", "--because", "renovasi"]).await;
    assert_eq!(closed.code, Some(0), "{closed:?}");
    assert_eq!(run(&["blanko", "kec-jombang", "none", "--by", "Budi"]).await.code, Some(0));
    let jombang = listed(&office).await.remove(1);
    assert_eq!(
        ["status", "until", "because", "blanko", "said_by"].map(|key| word(&jombang[key])),
        ["closed", "2099-12-31", "renovasi", "none", "Budi"]
    );
    let shown = run(&["list"]).await.stdout;
    assert!(shown.contains("closed until 2099-12-31, renovasi; blank cards: none"), "{shown}");
    // A list that was made before says that it works; whoever closed it knows better.
    import(&office, "service-points", "again.csv", RUNNING).await;
    assert_eq!(word(&listed(&office).await.remove(1)["status"]), "closed");
    assert_eq!(run(&["open", "kec-jombang"]).await.code, Some(0));
    let jombang = listed(&office).await.remove(1);
    assert_eq!(
        (word(&jombang["status"]), word(&jombang["until"])),
        ("running".into(), String::new())
    );

    for args in [
        ["close", "kec-jombang", "--until", "2020-01-01", "--because", "x"].as_slice(),
        &["blanko", "kec-jombang", "habis"],
        &["open", "kec-nirwana"],
    ] {
        let ended = run(args).await;
        assert_eq!(ended.code, Some(1), "{args:?}");
        assert!(ended.stderr.contains("hint: "), "{ended:?}");
    }
}

/// Copies the texts, as if all of them had been looked up in a time to come.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            std::fs::write(to, text.replace("checked_on = \"2026-", "checked_on = \"2099-"))
                .unwrap();
        }
    }
}

#[tokio::test]
async fn an_answer_nobody_looked_up_for_a_year_is_a_note_and_no_failure() {
    let office = Office::init().await;
    let texts = office.path("texts");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("message_templates"), &texts);
    office.change("[office]", &format!("[templates]\ndir = {texts:?}\n\n[office]"));
    let notes = async || {
        let ended = office.run(&["check", "--json"]).await;
        let findings = list(&ended.json());
        let notes: Vec<String> = findings
            .iter()
            .filter(|finding| finding["warning"] == true)
            .map(|finding| format!("{}: {}", word(&finding["what"]), word(&finding["detail"])))
            .collect();
        assert!(findings.iter().all(|f| f["warning"] == false || f["ok"] == true), "{findings:?}");
        notes
    };
    assert_eq!(notes().await, Vec::<String>::new());
    for file in ["answers/kia.toml", "answers/area/35.17/suket.toml"] {
        let path = texts.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("checked_on = \"2099-", "checked_on = \"2024-"))
            .unwrap();
    }
    let notes = notes().await;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("answers/kia.toml: ") && notes[0].ends_with("2024-11-22"),
        "{notes:?}"
    );
    assert!(notes[1].starts_with("answers/area/35.17/suket.toml: "), "{notes:?}");
}
