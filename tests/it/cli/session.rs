//! `kabar session`: plans, sessions, and calling one off.

use crate::support::{Office, list, word};

const POINTS: &str = "Kode;Nama;Kode Wilayah;Jam Buka\r\n\
    kec-jombang;Kantor Kecamatan Jombang;35.17.09;Senin-Jumat 08-15\r\n";

#[tokio::test]
async fn a_session_is_put_down_listed_and_called_off() {
    let office = Office::init().await;
    let path = office.file("points.csv", POINTS);
    let ended = office.run(&["import", "service-points", &path]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let hours = ["--from", "08:00", "--to", "11.30", "--services", "cetak, kk", "--quota", "20"];
    let plan = [&["session", "plan", "kec-jombang", "--on", "mon"][..], &hours].concat();
    let ended = office.run(&plan).await;
    assert!(ended.code == Some(0) && ended.stdout.starts_with("spl_"), "{ended:?}");
    let id = ended.stdout.split(':').next().unwrap().to_owned();
    let plans = async || office.run(&["session", "plans", "kec-jombang"]).await.stdout;
    assert!(plans().await.contains("Mon 08:00-11:30  20 places"), "{}", plans().await);
    let ended = office.run(&["session", "end-plan", &id]).await;
    assert!(ended.code == Some(0) && plans().await.starts_with("No weekly hours"), "{ended:?}");
    assert_eq!(office.run(&["session", "end-plan", &id]).await.code, Some(1));
    let ended =
        office.run(&[&["session", "plan", "nowhere", "--on", "mon"][..], &hours].concat()).await;
    assert!(ended.code == Some(1) && ended.stderr.contains("hint:"), "{ended:?}");

    let today = office.query("SELECT date('now', '+2 day')").await.concat();
    let place = ["--place", "Balai Desa Sumbermulyo", "--area", "35.17.09.2018", "--day", &today];
    let add = [&["session", "add", "mobile"][..], &place, &hours].concat();
    let ended = office.run(&add).await;
    assert!(ended.code == Some(0) && ended.stdout.starts_with("svs_"), "{ended:?}");
    let nameless = [&["session", "add", "mobile", "--day", &today][..], &hours].concat();
    assert_eq!(office.run(&nameless).await.code, Some(2));
    let listed = async || {
        let ended = office.run(&["session", "list", "--json"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        list(&ended.json()["sessions"])
    };
    let all = listed().await;
    assert_eq!(all.len(), 1, "plans are laid out by the service: {all:?}");
    assert_eq!(word(&all[0]["place"]), "Balai Desa Sumbermulyo");
    assert_eq!((all[0]["quota"].as_i64(), all[0]["held"].as_i64()), (Some(20), Some(4)));
    let id = word(&all[0]["id"]);
    let ended = office.run(&["session", "cancel", &id, "--because", "mobil rusak"]).await;
    assert!(ended.code == Some(0) && ended.stdout.contains("tells 0"), "{ended:?}");
    assert_eq!(word(&listed().await[0]["called_off"]), "mobil rusak");
    let ended = office.run(&["session", "cancel", &id, "--because", "mobil rusak"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(office.run(&["session", "list"]).await.stdout.contains("called off"));
}
