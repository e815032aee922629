//! Home visits: asked for by a family or a desa, given a day by the office, told to whoever asked.

use chrono::NaiveTime;
use kabar::domain::area::AreaCode;
use kabar::domain::home_visit::{HomeVisit, HomeVisitState, HomeVisitWork, VisitFor};
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::home_visit::{
    HomeVisitError, HomeVisitWish, HomeVisitWord, act, look_at, request, request_for_chat,
};
use reqwest::StatusCode;

use crate::support::console::Browser;
use crate::support::{TestApp, on_both_engines};

const SITI: &str = "+6281299990001";

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn officer(role: OfficerRole, at: &str) -> Actor {
    Actor { id: "off_01JD0000000000000000000000".to_owned(), role, area: area(at) }
}

fn kecamatan() -> Actor {
    officer(OfficerRole::Kecamatan, "35.17.09")
}

fn wish() -> HomeVisitWish {
    HomeVisitWish {
        area: area("35.17.09.2018"),
        whom: VisitFor::Elderly,
        work: HomeVisitWork::Recording,
        place: "RT 03 RW 05, sebelah musala".to_owned(),
    }
}

/// On a day so many from today, from nine until noon.
fn on(app: &TestApp, days: u64) -> HomeVisitWord {
    let today = app.app.now().in_zone(area("35.17").zone().offset()).date_naive();
    HomeVisitWord::Schedule {
        day: today + chrono::Days::new(days),
        from: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
        to: NaiveTime::from_hms_opt(12, 0, 0).unwrap(),
        officers: "Tini dan Budi".to_owned(),
    }
}

async fn asked_by_chat(app: &TestApp) -> Result<HomeVisit, HomeVisitError> {
    app.asks(SITI, "menu").await;
    let contact = app.query("SELECT id FROM contact").await.concat().concat();
    let mut tx = app.app.db.begin().await.unwrap();
    let visit = request_for_chat(&app.app, &mut tx, contact.parse().unwrap(), wish()).await;
    tx.commit().await.unwrap();
    visit
}

fn told(app: &TestApp, words: &str) -> usize {
    app.whatsapp.sent_to(SITI).iter().filter(|sent| sent.text().contains(words)).count()
}

on_both_engines! {
    async fn a_family_hears_the_day_a_change_of_it_and_a_reminder_each_once(app: TestApp) {
        let visit = asked_by_chat(&app).await.unwrap();
        act(&app.app, &kecamatan(), visit.id, on(&app, 3)).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, "Petugas kami datang untuk kunjungan"), 1);
        act(&app.app, &kecamatan(), visit.id, on(&app, 3)).await.unwrap();
        let moved = act(&app.app, &kecamatan(), visit.id, on(&app, 2)).await.unwrap();
        assert_eq!(moved.state, HomeVisitState::Scheduled);
        app.run_until_idle().await;
        assert_eq!(told(&app, "berubah"), 1, "the same day again is no change");
        assert_eq!(told(&app, "Besok"), 0);
        app.advance(std::time::Duration::from_secs(24 * 3600)).await;
        app.advance_to("16:05 WIB").await;
        app.run_until_idle().await;
        let reminders = "SELECT COUNT(*) FROM message WHERE template = 'home_visit_reminder'";
        assert_eq!(app.query(reminders).await, [["1"]]);
    }

    async fn a_family_hears_why_nobody_comes(app: TestApp) {
        let visit = asked_by_chat(&app).await.unwrap();
        let no = |why: &str| HomeVisitWord::Decline(why.to_owned());
        let empty = act(&app.app, &kecamatan(), visit.id, no(" ")).await;
        assert!(matches!(empty, Err(HomeVisitError::Reason)), "{empty:?}");
        let said = act(&app.app, &kecamatan(), visit.id, no("alamat di luar wilayah")).await.unwrap();
        assert_eq!(said.state, HomeVisitState::Declined);
        app.run_until_idle().await;
        assert_eq!(told(&app, "karena alamat di luar wilayah"), 1);
        let late = act(&app.app, &kecamatan(), visit.id, on(&app, 3)).await;
        assert!(matches!(late, Err(HomeVisitError::State(HomeVisitState::Declined))), "{late:?}");
    }

    async fn one_chat_cannot_fill_the_list_of_an_office(app: TestApp) {
        for _ in 0..2 {
            asked_by_chat(&app).await.unwrap();
        }
        let third = asked_by_chat(&app).await;
        assert!(matches!(third, Err(HomeVisitError::TooMany)), "{third:?}");
    }

    async fn nobody_sees_or_schedules_a_visit_that_is_not_theirs_and_its_way_is_sealed(app: TestApp) {
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        let visit = request(&app.app, &desa, wish()).await.unwrap();
        let own = act(&app.app, &desa, visit.id, on(&app, 3)).await;
        assert!(matches!(own, Err(HomeVisitError::Forbidden)), "{own:?}");
        let other = officer(OfficerRole::Kecamatan, "35.17.08");
        let seen = look_at(&app.app, &other, visit.id).await;
        assert!(matches!(seen, Err(HomeVisitError::NotFound)), "{seen:?}");
        let elsewhere = request(&app.app, &other, wish()).await;
        assert!(matches!(elsewhere, Err(HomeVisitError::Area)), "{elsewhere:?}");
        let kept = app.query("SELECT place_sealed FROM home_visit").await.concat().concat();
        assert!(!kept.contains("musala"), "the way there is sealed");
        look_at(&app.app, &kecamatan(), visit.id).await.unwrap();
        let looks = "SELECT COUNT(*) FROM audit WHERE action = 'looked_at_home_visit'";
        assert_eq!(app.query(looks).await, [["1"]]);
    }

    async fn the_pages_take_a_request_from_the_desa_to_the_door(app: TestApp) {
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let form = [("whom", "elderly"), ("work", "recording"), ("area", "35.17.09.2018"), ("place", "RT 03 RW 05")];
        let list = desa.post_and_follow("/console/kunjungan-rumah", &form).await;
        assert!(list.says("Permintaan dicatat") && list.says("Menunggu jadwal"), "{}", list.text);
        assert!(!list.says("RT 03 RW 05"), "the way there stands on its own page");
        let way = format!("/console/kunjungan-rumah/{}", app.query("SELECT id FROM home_visit").await.concat().concat());
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.get(&way).await;
        assert!(page.says("RT 03 RW 05") && page.says("Lanjut usia: Perekaman"), "{}", page.text);
        let past = [("day", "2020-01-01"), ("from", "09:00"), ("to", "12:00"), ("officers", "Tini")];
        assert!(office.post(&format!("{way}/jadwal"), &past).await.says("belum lewat"));
        let ahead = [("day", "2027-01-05"), ("from", "09:00"), ("to", "12:00"), ("officers", "Tini")];
        let page = office.post_and_follow(&format!("{way}/jadwal"), &ahead).await;
        assert!(page.says("5 Jan 2027, 09.00–12.00 WIB") && page.says("Tini"), "{}", page.text);
        let page = desa.post_and_follow(&format!("{way}/selesai"), &[]).await;
        assert!(page.says("Sudah dikunjungi"), "{}", page.text);
        let again = office.post(&format!("{way}/batal"), &[]).await;
        assert!(again.status == StatusCode::OK && again.says("sudah berubah"), "{}", again.text);
    }

    async fn a_request_that_nobody_answers_stands_on_the_morning_page(app: TestApp) {
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        request(&app.app, &desa, wish()).await.unwrap();
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(!office.get("/console/hari-ini").await.says("Kunjungan rumah belum dijawab"));
        app.advance(std::time::Duration::from_secs(4 * 24 * 3600)).await;
        let office = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(office.get("/console/hari-ini").await.says("Kunjungan rumah belum dijawab"));
    }
}
