//! `kabar visit`: the list for the officer who goes to the RT, on a terminal, as JSON and on paper.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Office, list, word};

/// NIK, name, area, RT, RW of people without a phone, in no order.
const PEOPLE: [[&str; 5]; 5] = [
    ["3517091204560001", "Siti Aminah", "35.17.09.2018", "3", "4"],
    ["3517091204560002", "Budi Santoso", "35.17.09.2018", "010", "002"],
    ["3517091204560003", "<b>Agus</b> & \"Dewi\"", "35.17.09.2018", "003", "004"],
    ["3517091204560004", "Joko Susilo", "35.17.10.2001", "001", "001"],
    ["3517091204560005", "Sri Wahyuni", "35.17.09.2018", "", ""],
];

/// An office whose people have a printed card and no phone.
async fn office() -> Office {
    let office = Office::init().await;
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(["NIK", "Nama", "Kode Wilayah", "RT", "RW", "Status"]).unwrap();
    for person in PEOPLE {
        file.write_record([&person[..], &["CARD_PRINTED"]].concat()).unwrap();
    }
    let file = office.file("cards.csv", file.into_inner().unwrap());
    let ended = office.run(&["import", "cards", &file]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    office
}

async fn visits(office: &Office) -> Vec<Value> {
    let ended = office.run(&["visit", "list", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    list(&ended.json()["visits"])
}

/// Where each of the words stands first; all of them do.
fn places(text: &str, words: &[&str]) -> Vec<usize> {
    words.iter().map(|word| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"))).collect()
}

#[tokio::test]
async fn a_terminal_shows_whom_to_see_by_area_rw_and_rt() {
    let office = office().await;
    let ended = office.run(&["visit", "list"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let in_order = [
        "35.17.09.2018  RW 002  RT 010",
        "Budi Santoso",
        "35.17.09.2018  RW 004  RT 003",
        "<b>Agus</b>",
        "Siti Aminah",
        "35.17.09.2018  RW ?  RT ?",
        "Sri Wahyuni",
        "35.17.10.2001  RW 001  RT 001",
        "Joko Susilo",
        "5 to tell in person",
    ];
    let places = places(&ended.stdout, &in_order);
    assert!(places.is_sorted(), "{}", ended.stdout);
    assert_eq!(ended.stdout.matches("RW 004").count(), 1, "3 and 003 are one RT");
    assert!(ended.stdout.contains("sudah dicetak") && !ended.stdout.contains(" Ref "), "{ended:?}");
    assert!(PEOPLE.iter().all(|person| !ended.stdout.contains(person[0])), "no NIK");
}

#[tokio::test]
async fn an_area_has_its_name_beside_its_code_once_names_are_imported() {
    let office = office().await;
    let areas = office.file("areas.csv", "kode;nama\n35.17.09.2018;Jabon\n");
    assert_eq!(office.run(&["import", "areas", &areas]).await.code, Some(0));
    let page = office.path("visits.html");
    let terminal = office.run(&["visit", "list"]).await;
    assert_eq!(office.run(&["visit", "list", "--out", page.to_str().unwrap()]).await.code, Some(0));
    for shown in [terminal.stdout, std::fs::read_to_string(page).unwrap()] {
        assert!(shown.contains("35.17.09.2018 Jabon"), "{shown}");
        assert!(shown.contains("35.17.10.2001"), "{shown}");
    }
    let names: Vec<Value> = visits(&office).await.iter().map(|v| v["area_name"].clone()).collect();
    assert_eq!(names.iter().filter(|name| **name == "Jabon").count(), 4, "{names:?}");
    assert_eq!(names.iter().filter(|name| name.is_null()).count(), 1, "{names:?}");
}

#[tokio::test]
async fn json_has_what_the_api_has() {
    let office = office().await;
    let own = visits(&office).await;
    assert_eq!(own.len(), PEOPLE.len());
    let token = office.token("office").await;
    office.change("127.0.0.1:8080", "127.0.0.1:0");
    let mut service = office.serve();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/v1/visits", service.address().await);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(list(&answer.json::<Value>().await.unwrap()["visits"]), own);
}

#[tokio::test]
async fn an_area_has_those_who_live_in_it() {
    let office = office().await;
    for (area, count) in [("35.17", 5), ("351709", 4), ("35.17.10.2001", 1), ("35.18", 0)] {
        let ended = office.run(&["visit", "list", "--json", "--area", area]).await;
        assert_eq!(list(&ended.json()["visits"]).len(), count, "{area}");
    }
    let ended = office.run(&["visit", "list", "--area", "35.18"]).await;
    assert_eq!(ended.stdout, "There is nothing to tell in person.\n");
    let ended = office.run(&["visit", "list", "--area", "3517.9"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[tokio::test]
async fn more_than_a_page_of_the_database_is_one_list() {
    let office = Office::init().await;
    let people = 1..=501;
    let rows = people.map(|n| format!("351709120456{n:04},Orang {n},CARD_PRINTED,35.17.09\n"));
    let file = format!("NIK,Nama,Status,Kode Wilayah\n{}", rows.collect::<String>());
    let file = office.file("cards.csv", file);
    assert_eq!(office.run(&["import", "cards", &file]).await.code, Some(0));
    let visits = visits(&office).await;
    let ids: std::collections::BTreeSet<String> =
        visits.iter().map(|visit| word(&visit["id"])).collect();
    assert_eq!((visits.len(), ids.len()), (501, 501));
}

#[tokio::test]
async fn what_was_told_is_off_the_list_and_what_is_not_on_it_is_said() {
    let office = office().await;
    let ids: Vec<String> = visits(&office).await.iter().map(|visit| word(&visit["id"])).collect();
    let args = ["visit", "told", &ids[0], &ids[1], &ids[1], "--by", "Bu Rini"];
    let ended = office.run(&args).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "2 of 2 noted as told\n"));
    let again = office.run(&["visit", "told", &ids[0], &ids[2]]).await;
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), "1 of 2 noted as told\n"));
    assert!(again.stderr.contains(&format!("{} does not stand on the list", ids[0])), "{again:?}");
    let left: Vec<String> = visits(&office).await.iter().map(|visit| word(&visit["id"])).collect();
    assert_eq!(left, ids[3..]);
    let told = office.query("SELECT closed_by FROM visit WHERE outcome = 'told' ORDER BY id").await;
    assert_eq!(told, ["Bu Rini", "Bu Rini", "command line"]);
}

#[tokio::test]
async fn what_is_no_visit_is_misuse_and_nothing_is_noted() {
    let office = office().await;
    let id = word(&visits(&office).await[0]["id"]);
    let cases: [&[&str]; 4] =
        [&[], &[&id, "vis_1"], &[&id, "msg_01JDXB3E7F0000000000000000"], &[&id, "--by", ""]];
    for args in cases {
        let ended = office.run(&[&["visit", "told"], args].concat()).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
    assert_eq!(visits(&office).await.len(), PEOPLE.len());
}

#[tokio::test]
async fn the_page_holds_everybody_once_and_only_its_owner_can_read_it() {
    let office = office().await;
    let path = office.path("daftar.html");
    let file = path.to_str().unwrap();
    let ended = office.run(&["visit", "list", "--out", file]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("Wrote 5 to ") && !ended.stdout.contains("Siti"), "{ended:?}");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let page = std::fs::read_to_string(&path).unwrap();
    let in_order = [
        "Disdukcapil Kabupaten Jombang",
        "RW 002 / RT 010",
        "Budi Santoso",
        "RW 004 / RT 003",
        "&lt;b&gt;Agus&lt;&#x2f;b&gt; &amp; &quot;Dewi&quot;",
        "Siti Aminah",
        "RW/RT tidak diketahui",
        "Sri Wahyuni",
        "RW 001 / RT 001 · Wilayah 35.17.10.2001",
        "Joko Susilo",
    ];
    assert!(places(&page, &in_order).is_sorted(), "{page}");
    assert_eq!(page.matches("<h2>").count(), 4, "{page}");
    assert_eq!(page.matches("class=\"box\"").count(), 5, "one to tick each");
    assert_eq!(page.matches("sudah dicetak").count(), 5);
    assert!(!page.contains(" Ref ") && !page.contains("<b>"), "{page}");
    for visit in visits(&office).await {
        assert_eq!(page.matches(&word(&visit["id"])).count(), 1);
    }
    assert!(PEOPLE.iter().all(|person| !page.contains(person[0])), "no NIK");
}

#[tokio::test]
async fn the_page_overwrites_nothing_unless_it_is_told_to() {
    let office = office().await;
    let file = office.file("daftar.html", "mine");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = office.run(&["visit", "list", "--out", &file]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("exists already and is left as it is"), "{ended:?}");
    assert!(ended.stderr.contains("hint: name another file, or say --force"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let ended = office.run(&["visit", "list", "--out", &file, "--force"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(std::fs::read_to_string(&file).unwrap().contains("Siti Aminah"));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "also where others could read the one before: {mode:o}");
}

#[tokio::test]
async fn an_office_may_have_a_page_of_its_own_and_a_fault_in_it_is_named() {
    let office = office().await;
    let texts = concat!(env!("CARGO_MANIFEST_DIR"), "/message_templates");
    let copied = std::process::Command::new("cp")
        .args(["-r", texts, office.path("texts").to_str().unwrap()])
        .status();
    assert!(copied.unwrap().success());
    office.change("[announce]", "[templates]\ndir = \"texts\"\n\n[announce]");
    let page = office.path("texts/pages/visits.html");
    let names = "{% for g in groups %}{% for v in g.visits %}{{ v.name }};{% endfor %}{% endfor %}";
    std::fs::write(&page, names).unwrap();
    let out = office.path("daftar.html").to_str().unwrap().to_owned();
    assert_eq!(office.run(&["visit", "list", "--out", &out]).await.code, Some(0));
    assert!(std::fs::read_to_string(&out).unwrap().starts_with("Budi Santoso;&lt;b&gt;Agus"));

    std::fs::write(&page, "<p>\n{{ ofice }}").unwrap();
    let ended = office.run(&["visit", "list", "--out", &out, "--force"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("pages/visits.html:2: "), "{ended:?}");
    assert!(std::fs::read_to_string(&out).unwrap().contains("Budi"), "what was there is kept");
    let dir = office.path("texts");
    let check = ["templates", "check", "--templates", dir.to_str().unwrap()];
    let ended = crate::support::kabar(&check, b"").await;
    assert_eq!(ended.code, Some(1), "the check of the texts finds it too");
}
