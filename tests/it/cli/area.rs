//! `kabar import areas`: the published tables of codes and names, in each of their forms.

use serde_json::{Value, json};

use crate::support::{Office, list};

const DUMP: &str = "/*\nfilename : db/wilayah.sql\n*/\nDROP TABLE IF EXISTS wilayah;\n\
    CREATE TABLE IF NOT EXISTS wilayah (kode varchar(13) NOT NULL, nama varchar(255) NOT NULL);\n\
    INSERT INTO wilayah (kode, nama)\nVALUES\n('35','Jawa Timur'),\n('35.17','Kabupaten Jombang'),\n\
    ('35.17.09','Jombang'),\n('35.17.09.2018','Jabon');\n";

async fn import(office: &Office, file: &str, dry_run: Option<&str>) -> (i32, [u64; 4], Value) {
    let args = ["import", "areas", file, "--json"].into_iter().chain(dry_run).collect::<Vec<_>>();
    let ended = office.run(&args).await;
    let report = ended.json();
    let counts = ["new", "changed", "unchanged", "rejected"].map(|n| report[n].as_u64().unwrap());
    (ended.code.unwrap(), counts, report["reasons"].clone())
}

async fn names(office: &Office) -> Vec<String> {
    office.query("SELECT code || ' ' || name FROM area ORDER BY code").await
}

#[tokio::test]
async fn the_dump_of_all_areas_is_taken_in_once_and_nothing_in_it_is_executed() {
    let office = Office::init().await;
    let file = office.file("wilayah.sql", format!("{DUMP}DROP TABLE card;\n"));
    let before = office.rows().await;
    let dry = import(&office, &file, Some("--dry-run")).await;
    assert_eq!(dry, (0, [4, 0, 0, 0], json!([])));
    assert_eq!(office.rows().await, before, "a dry run changes nothing");

    assert_eq!(import(&office, &file, None).await.1, [4, 0, 0, 0]);
    let expected =
        ["35 Jawa Timur", "35.17 Kabupaten Jombang", "35.17.09 Jombang", "35.17.09.2018 Jabon"];
    assert_eq!(names(&office).await, expected);
    assert_eq!(office.count("card").await, 0);
    assert_eq!(import(&office, &file, None).await.1, [0, 0, 4, 0]);
}

#[tokio::test]
async fn a_csv_of_codes_changes_names_and_rejects_what_cannot_be() {
    let office = Office::init().await;
    let dump = office.file("wilayah.sql", DUMP);
    import(&office, &dump, None).await;
    let villages = office.file(
        "villages.csv",
        "code,district_code,name\n3517092018,351709,JABON\n3517092019,351709,TUNGGORONO\n\
         3517092020,351708,SALAH INDUK\n35.1,35,TERPOTONG\n3517092021,351709,\n3517092019,351709,LAGI\n",
    );
    let (code, counts, reasons) = import(&office, &villages, None).await;
    assert_eq!((code, counts), (1, [1, 2, 0, 3]));
    let reasons: Vec<_> = list(&reasons).iter().map(|r| json!([r["row"], r["code"]])).collect();
    assert_eq!(
        reasons,
        [json!([4, "wrong_parent"]), json!([5, "invalid_area"]), json!([6, "missing_field"])]
    );
    assert_eq!(names(&office).await[3..], ["35.17.09.2018 JABON", "35.17.09.2019 LAGI"]);
    let dotted = office.file("wilayah.csv", "kode;nama\n35.17.09.2018;Jabon\n35.17.09;Jombang\n");
    assert_eq!(import(&office, &dotted, None).await.1, [0, 1, 1, 0]);
}

#[tokio::test]
async fn all_or_nothing_of_a_table_is_taken_in() {
    let office = Office::init().await;
    let broken = office.file("wilayah.sql", &DUMP[..DUMP.len() - 10]);
    let other = office.file("other.sql", DUMP.replace("INTO wilayah", "INTO pulau"));
    for (file, what) in [(broken, "nothing was changed"), (other, "there is no area in it")] {
        let ended = office.run(&["import", "areas", &file]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains(what), "{ended:?}");
    }
    assert_eq!(office.count("area").await, 0);
}
