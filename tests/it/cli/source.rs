//! `kabar source`: an office looks at what a query would bring before it is switched on, watches it,
//! and decides on what changed in bulk. Nobody is shown whole.

use serde_json::{Value, json};

use crate::support::foreign::{Foreign, Kind};
use crate::support::meta::FakeMeta;
use crate::support::program::Ended;
use crate::support::{Office, citizen, kabar, list, word};

const QUERY: &str = "SELECT nik, status, nama AS name, telepon AS phone, wilayah AS area, \
                     saat AS occurred_at, versi AS at FROM kartu -- semua";

/// Names a source in an office's configuration.
fn watch(office: &Office, url: &str, query: &str, more: &str) {
    let mut config = std::fs::read_to_string(office.config()).unwrap();
    let source = format!(
        "\n[[source]]\nid = \"buku\"\nkind = \"sql\"\nurl = \"{url}\"\nquery = '''{query}'''\n\
         cursor = \"at\"\nevery = \"1s\"\n{more}\n"
    );
    config += &source;
    std::fs::write(office.config(), config).unwrap();
}

/// A table of so many citizens whose cards are recorded.
async fn register(kind: Kind, count: usize) -> Foreign {
    let foreign = Foreign::create(kind).await;
    foreign
        .run(
            "CREATE TABLE kartu (nik VARCHAR(40), status VARCHAR(60), nama VARCHAR(60), \
             telepon VARCHAR(40), wilayah VARCHAR(60), saat VARCHAR(30), versi BIGINT)",
        )
        .await;
    for n in 1..=count {
        let citizen = citizen(n);
        foreign
            .run(&format!(
                "INSERT INTO kartu VALUES ('{}', 'RECORDED', '{}', '{}', '{}', \
                 '2026-11-20 08:00:00', {n})",
                citizen.nik, citizen.name, citizen.phone, citizen.area
            ))
            .await;
    }
    foreign
}

fn assert_masked(ended: &Ended) {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    for n in 1..=20 {
        let citizen = citizen(n);
        let digits: String = all.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains(&citizen.nik[..9]), "{all}");
        assert!(!digits.contains(&citizen.e164[3..]), "{all}");
        assert!(!all.contains(&citizen.name), "{all}");
    }
}

async fn trial_shows_what_would_come(kind: Kind) {
    let office = Office::init().await;
    let foreign = register(kind, 15).await;
    watch(&office, &foreign.url(), QUERY, "");
    let before = office.rows().await;

    let good = office.run(&["source", "try", "buku"]).await;
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("Of all 15 records 15 would be taken"), "{good:?}");
    assert!(good.stdout.contains("351709*"), "the first six digits: {good:?}");
    assert!(good.stdout.contains("2026-11-20 08:00"), "by the office's clock: {good:?}");
    assert!(good.stdout.contains("silent"), "{good:?}");
    assert_masked(&good);

    // A word that nobody knows, a NIK in a wrong column, a damaged one, and a row told twice.
    for statement in [
        "UPDATE kartu SET status = 'ENTAH' WHERE versi = 12",
        "UPDATE kartu SET status = nik, wilayah = nama WHERE versi = 13",
        "UPDATE kartu SET nik = '3.51709E+15' WHERE versi = 14",
        "UPDATE kartu SET nik = '3517091204560001' WHERE versi = 15",
        "UPDATE kartu SET nik = NULL WHERE versi = 11",
    ] {
        foreign.run(statement).await;
    }
    let bad = office.run(&["source", "try", "buku", "--json"]).await;
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert_masked(&bad);
    let report = bad.json();
    assert_eq!(
        (&report["records"], &report["taken"], &report["all"]),
        (&13.into(), &10.into(), &true.into()),
        "{report}"
    );
    let codes: Vec<String> =
        list(&report["rejected"]).iter().map(|reason| word(&reason["code"])).collect();
    assert_eq!(codes, ["invalid_nik", "unknown_status", "unknown_status"], "{report}");
    assert_eq!(list(&report["first"]).len(), 10);
    assert_eq!(report["first"][0]["name"], "Agus S.", "the newest come first: {report}");
    let skipped: u64 =
        report["skipped"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(skipped, 2, "{report}");

    let shown: Vec<String> =
        list(&report["first"]).iter().map(|row| word(&row["status"])).collect();
    assert_eq!(
        shown[1..4],
        ["RECORDED", "(unknown, 16 characters)", "(unknown, 5 characters)"],
        "{report}"
    );
    foreign.run("UPDATE kartu SET status = nama").await;
    let mixed_up = office.run(&["source", "try", "buku"]).await;
    assert!(mixed_up.stdout.contains("(unknown, "), "{mixed_up:?}");
    assert_masked(&mixed_up);

    let few = office.run(&["source", "try", "buku", "--records", "4"]).await;
    assert!(few.stdout.contains("Of the first 4 records"), "{few:?}");
    assert_masked(&few);
    assert_eq!(office.rows().await, before, "nothing of ours changed");
    assert_eq!(foreign.texts("SELECT status FROM kartu").await.len(), 15, "and nothing of theirs");
}

#[tokio::test]
async fn a_trial_shows_what_would_come_of_a_postgres() {
    trial_shows_what_would_come(Kind::Postgres).await;
}

#[tokio::test]
async fn a_trial_shows_what_would_come_of_a_mariadb() {
    trial_shows_what_would_come(Kind::Mariadb).await;
}

#[tokio::test]
async fn a_trial_shows_what_would_come_of_a_sqlite() {
    trial_shows_what_would_come(Kind::Sqlite).await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_explained_with_a_hint_and_without_secrets() {
    let cases = [
        ("mysql://kabar:salah-sandi@127.0.0.1:1/buku", QUERY, "", 1, "refused"),
        ("sqlite://tiada.db", QUERY, "", 1, "unable to open"),
        ("oracle://kabar:salah-sandi@h/buku", QUERY, "", 1, "url is of an unknown kind"),
        ("mysql://kabar@h/buku", QUERY, "password = 31415926", 1, "password"),
        ("mysql://kabar@h/buku", QUERY, "password_file = \"tiada\"", 1, "password_file"),
        ("mysql://kabar@h/buku", "", "", 1, "query is empty"),
    ];
    for (url, query, more, code, expected) in cases {
        let office = Office::init().await;
        watch(&office, url, query, more);
        let ended = office.run(&["source", "try", "buku"]).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stdout.is_empty(), "{ended:?}");
        assert!(ended.stderr.contains(expected), "{expected}: {ended:?}");
        assert!(ended.stderr.contains("\nhint: "), "{ended:?}");
        assert!(!ended.stderr.contains("salah-sandi"), "{ended:?}");
        assert!(!ended.stderr.contains("31415926"), "{ended:?}");
        assert!(!office.path("tiada.db").exists(), "no file is made");
    }
    let office = Office::init().await;
    watch(&office, "sqlite://tiada.db", QUERY, "");
    let other = office.run(&["source", "try", "lain"]).await;
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.stderr.contains("hint: there are: buku"), "{other:?}");
    for args in [&["source", "try"][..], &["source", "release", "hld_x", "--announce"], &["source"]]
    {
        assert_eq!(office.run(args).await.code, Some(2), "{args:?}");
    }
}

#[tokio::test]
async fn a_password_may_stand_in_a_file_and_is_never_written_to_the_log() {
    let maria = register(Kind::Mariadb, 1).await;
    let grant = format!("GRANT SELECT ON {}.kartu TO {{}}", maria.name());
    let url = maria.reader_url(&[&grant]).await;
    let office = Office::init().await;
    office.file("sandi", "baca\n");
    let more = "password_file = \"sandi\"\n\n[log]\nlevel = \"trace\"";
    watch(&office, &url.replace(":baca@", "@"), QUERY, more);
    let ended = office.run(&["source", "try", "buku"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("baca"), "{ended:?}");
    assert_masked(&ended);
}

#[tokio::test]
async fn what_changes_in_bulk_waits_for_the_office_and_is_told_when_it_says_so() {
    let meta = FakeMeta::start().await;
    let office = Office::with_account(&meta).await;
    let foreign = register(Kind::Sqlite, 8).await;
    watch(&office, &foreign.url(), &QUERY.replace("saat AS occurred_at, ", ""), "hold_over = 3");
    let never = office.run(&["source", "list"]).await;
    assert_eq!(never.stdout, "buku: read never, changed never\n");

    let mut service = office.serve();
    service.address().await;
    loop {
        let state = office.run(&["source", "list", "--json"]).await.json();
        if !state["sources"][0]["read_at"].is_null() {
            break;
        }
    }
    foreign.run("UPDATE kartu SET status = 'CARD_PRINTED', versi = versi + 100").await;
    let hold = loop {
        let holds = office.run(&["source", "holds", "--json"]).await.json();
        if let Some(hold) = list(&holds["holds"]).first() {
            break hold.clone();
        }
    };
    assert_eq!(
        (&hold["source"], &hold["status"], &hold["waiting"]),
        (&json!("buku"), &json!("printed"), &json!(8))
    );
    let id = word(&hold["id"]);
    let shown = office.run(&["source", "holds"]).await;
    assert!(shown.stdout.contains("buku: 8 cards changed to printed at once"), "{shown:?}");
    assert!(shown.stdout.contains("kabar source release"), "{shown:?}");
    let looked = office.run(&["source", "list"]).await;
    assert!(looked.stdout.contains("look: "), "{looked:?}");
    assert_masked(&shown);
    assert_masked(&looked);
    assert_eq!(meta.sent().len(), 0);

    let both = office.run(&["source", "release", &id, "--announce", "--silent"]).await;
    assert_eq!(both.code, Some(2), "{both:?}");
    assert_eq!(office.run(&["source", "release", &id]).await.code, Some(2));
    let done = office.run(&["source", "release", &id, "--announce"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let again = office.run(&["source", "release", &id, "--silent"]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    meta.wait_for_requests(8).await;
    assert_eq!(meta.sent().len(), 8);
    service.signal("INT");
    service.end().await;
}

#[tokio::test]
async fn the_grants_for_opensid_are_statements_and_nothing_else() {
    let ended =
        kabar(&["source", "grants", "--database", "desa", "--user", "baca@10.0.0.7"], b"").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in ended.stdout.lines() {
        assert!(line.ends_with(';'), "{line}");
    }
    assert!(ended.stdout.contains("'baca'@'10.0.0.7'"), "{ended:?}");
    assert!(ended.stdout.contains("GRANT SELECT ("), "{ended:?}");
}
