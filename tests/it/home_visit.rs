//! Home visits: asked for by a family or a desa, given a day by the office, told to whoever asked.

use chrono::NaiveTime;
use kabar::domain::area::AreaCode;
use kabar::domain::home_visit::{HomeVisitState, HomeVisitWork, VisitFor};
use kabar::domain::id::HomeVisitId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::home_visit::{
    HomeVisitError, HomeVisitWish, HomeVisitWord, act, look_at, request,
};
use reqwest::StatusCode;

use crate::support::console::Browser;
use crate::support::meta::Request;
use crate::support::{TestApp, citizen, on_both_engines, webhook};

const SITI: &str = "+6281299990001";
const BUDI: &str = "+6281299990002";

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

/// Presses the button whose title begins so.
async fn press(app: &TestApp, who: &str, last: &Request, title: &str) -> Request {
    let choices = last.choices();
    let choice = choices.iter().find(|(_, name)| name.starts_with(title));
    let choice = choice.unwrap_or_else(|| panic!("no {title} in {choices:?}: {}", last.text()));
    app.presses(who, choice).await
}

/// A chat asks for somebody old, up to the question for the way there.
async fn asks_the_way(app: &TestApp, who: &str) -> Request {
    app.names_areas().await;
    let whom = app.asks(who, "minta kunjungan rumah").await;
    let work = press(app, who, &whom, "Orang lanjut usia").await;
    let place = press(app, who, &work, "Rekam KTP-el").await;
    assert!(place.text().contains("Di desa atau kelurahan mana"), "{}", place.text());
    app.asks(who, "Jabon kecamatan Jombang").await
}

/// The same to the end; gives what is kept.
async fn asked_by_chat(app: &TestApp, who: &str) -> (HomeVisitId, String) {
    asks_the_way(app, who).await;
    let confirm = app.asks(who, "RT 03 RW 05, sebelah musala").await;
    assert!(confirm.text().contains("Jabon, Kecamatan Jombang"), "{}", confirm.text());
    let sent = press(app, who, &confirm, "Benar, kirim").await;
    let at = sent.text().find("R-").unwrap_or_else(|| panic!("no number: {}", sent.text()));
    let number = sent.text()[at..at + 6].to_owned();
    let id = app.query(&format!("SELECT id FROM home_visit WHERE number = '{number}'")).await;
    (id.concat().concat().parse().unwrap(), number)
}

fn told(app: &TestApp, words: &str) -> usize {
    app.whatsapp.sent_to(SITI).iter().filter(|sent| sent.text().contains(words)).count()
}

on_both_engines! {
    async fn a_family_hears_the_day_a_change_of_it_and_a_reminder_each_once(app: TestApp) {
        let (visit, number) = asked_by_chat(&app, SITI).await;
        act(&app.app, &kecamatan(), visit, on(&app, 3)).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, "Petugas kami datang untuk kunjungan"), 1);
        assert_eq!(told(&app, &format!("kunjungan {number} pada")), 1, "by the number they were given");
        act(&app.app, &kecamatan(), visit, on(&app, 3)).await.unwrap();
        let moved = act(&app.app, &kecamatan(), visit, on(&app, 2)).await.unwrap();
        assert_eq!(moved.state, HomeVisitState::Scheduled);
        app.run_until_idle().await;
        assert_eq!(told(&app, "berubah"), 1, "the same day again is no change");
        app.advance(std::time::Duration::from_secs(24 * 3600)).await;
        app.advance_to("16:05 WIB").await;
        app.run_until_idle().await;
        let reminders = "SELECT COUNT(*) FROM message WHERE template = 'home_visit_reminder'";
        assert_eq!(app.query(reminders).await, [["1"]]);
        let reminder = app.whatsapp.sent_to(SITI).pop().unwrap();
        assert_eq!(reminder.template(), "kabar_home_visit_reminder_v1");
        assert!(!reminder.param("date").contains("Besok"), "a late one must not say tomorrow");
    }

    async fn a_visit_goes_along_when_two_contacts_turn_out_to_be_one(app: TestApp) {
        let (one, _) = asked_by_chat(&app, SITI).await;
        let (other, _) = asked_by_chat(&app, SITI).await;
        let writes = |id: &str, has_phone: bool| {
            let mut message = webhook::text(id, SITI, "halo", app.now_s());
            let map = message.as_object_mut().unwrap();
            map.insert("from_user_id".to_owned(), "ID.13491208655302741918".into());
            if !has_phone {
                map.remove("from");
            }
            webhook::body(&[message], &[])
        };
        app.hook(&writes("wamid.A", false)).await;
        app.run_until_idle().await;
        // Whichever of the two goes: one visit of each.
        app.query(&format!("UPDATE home_visit SET contact_id = (SELECT MIN(id) FROM contact) WHERE id = '{one}'")).await;
        app.query(&format!("UPDATE home_visit SET contact_id = (SELECT MAX(id) FROM contact) WHERE id = '{other}'")).await;
        assert_eq!(app.query("SELECT COUNT(DISTINCT contact_id) FROM home_visit").await, [["2"]]);
        app.hook(&writes("wamid.B", true)).await;
        app.run_until_idle().await;
        let known = "SELECT COUNT(*) FROM home_visit v JOIN contact c ON c.id = v.contact_id";
        assert_eq!(app.query("SELECT COUNT(*) FROM contact").await, [["1"]]);
        assert_eq!(app.query(known).await, [["2"]], "the family still hears the day");
    }

    async fn a_family_hears_why_nobody_comes(app: TestApp) {
        let (visit, _) = asked_by_chat(&app, SITI).await;
        let no = |why: &str| HomeVisitWord::Decline(why.to_owned());
        let empty = act(&app.app, &kecamatan(), visit, no(" ")).await;
        assert!(matches!(empty, Err(HomeVisitError::Reason(_))), "{empty:?}");
        let said = act(&app.app, &kecamatan(), visit, no("alamat di luar wilayah")).await.unwrap();
        assert_eq!(said.state, HomeVisitState::Declined);
        app.run_until_idle().await;
        assert_eq!(told(&app, "karena alamat di luar wilayah"), 1);
        let late = act(&app.app, &kecamatan(), visit, on(&app, 3)).await;
        assert!(matches!(late, Err(HomeVisitError::State(HomeVisitState::Declined))), "{late:?}");
    }

    async fn a_family_hears_that_a_visit_is_called_off_and_why(app: TestApp) {
        let (visit, number) = asked_by_chat(&app, SITI).await;
        act(&app.app, &kecamatan(), visit, on(&app, 3)).await.unwrap();
        app.run_until_idle().await;
        let off = |why: &str| HomeVisitWord::Decline(why.to_owned());
        for bad in ["", "lihat WWW.x.id", "hubungi 0812-3456-7890"] {
            let refused = act(&app.app, &kecamatan(), visit, off(bad)).await;
            assert!(matches!(refused, Err(HomeVisitError::Reason(_))), "{bad}: {refused:?}");
        }
        act(&app.app, &kecamatan(), visit, off("alat rekam rusak")).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, &format!("kunjungan {number} tidak dapat kami lakukan karena alat rekam rusak")), 1);
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.get(&format!("/console/kunjungan-rumah/{visit}")).await;
        assert!(page.says("Dibatalkan kantor") && page.says("alat rekam rusak"), "{}", page.text);
    }

    async fn who_takes_a_request_back_at_the_counter_hears_no_apology(app: TestApp) {
        let (visit, number) = asked_by_chat(&app, SITI).await;
        act(&app.app, &kecamatan(), visit, on(&app, 3)).await.unwrap();
        app.run_until_idle().await;
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        let refused = act(&app.app, &desa, visit, HomeVisitWord::Decline("tidak ada petugas".into())).await;
        assert!(matches!(refused, Err(HomeVisitError::Forbidden)), "{refused:?}");
        let said = act(&app.app, &desa, visit, HomeVisitWord::Withdraw).await.unwrap();
        assert_eq!(said.state, HomeVisitState::Cancelled);
        app.advance(std::time::Duration::from_secs(4 * 24 * 3600)).await;
        assert_eq!(told(&app, &format!("kunjungan {number} tidak dapat")), 0);
        assert_eq!(told(&app, "Pengingat: petugas kami"), 0);
    }

    async fn a_visit_that_nobody_settled_is_an_alarm_and_keeps_no_family_from_asking(app: TestApp) {
        for _ in 0..2 {
            let (visit, _) = asked_by_chat(&app, SITI).await;
            act(&app.app, &kecamatan(), visit, on(&app, 1)).await.unwrap();
            app.run_until_idle().await;
        }
        let unsettled = "Kunjungan rumah belum diselesaikan";
        app.advance(std::time::Duration::from_secs(4 * 24 * 3600)).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(!office.get("/console/hari-ini").await.says(unsettled), "three days to settle it");
        let full = app.asks(SITI, "minta kunjungan rumah").await;
        assert!(full.text().contains("2 permintaan kunjungan sekaligus"), "{}", full.text());
        app.advance(std::time::Duration::from_secs(24 * 3600)).await;
        let office = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(office.get("/console/hari-ini").await.says(unsettled));
        asked_by_chat(&app, SITI).await;
    }

    async fn one_chat_cannot_fill_the_list_of_an_office(app: TestApp) {
        for _ in 0..2 {
            asked_by_chat(&app, SITI).await;
        }
        let third = app.asks(SITI, "minta kunjungan rumah").await;
        assert!(third.text().contains("2 permintaan kunjungan sekaligus"), "{}", third.text());
        assert_eq!(app.query("SELECT COUNT(*) FROM home_visit").await, [["2"]]);
    }

    async fn an_office_that_takes_none_by_chat_or_knows_no_desa_offers_none(app: TestApp) {
        let question = "nenek saya sakit ga bisa jalan, bisa direkam di rumah?";
        let answer = app.asks(SITI, question).await;
        assert!(answer.choices().iter().all(|(_, title)| title != "Minta kunjungan"), "no desa is on file");
        app.names_areas().await;
        let answer = app.asks(SITI, question).await;
        assert!(answer.choices().iter().any(|(_, title)| title == "Minta kunjungan"), "{}", answer.text());
    }

    async fn what_is_typed_for_the_way_there_is_kept_only_when_it_is_one(app: TestApp) {
        asks_the_way(&app, SITI).await;
        let long = app.asks(SITI, &"musala ".repeat(1_500)).await;
        assert!(long.text().contains("terlalu panjang"), "{}", long.text());
        for nonsense in ["🙏🙏🙏", "\u{0007}\u{001b}\u{0000}"] {
            let again = app.asks(SITI, nonsense).await;
            assert!(again.text().contains("Tulis RT, RW, dan patokan"), "{nonsense:?}: {}", again.text());
        }
        let other = citizen(1);
        app.card(&other, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let again = app.asks(SITI, &format!("RT 1, nenek NIK {}", other.nik)).await;
        assert!(again.text().contains("tidak saya simpan") && !again.text().contains("Budi"), "{}", again.text());
        let confirm = app.asks(SITI, "RT 1\nRW 2").await;
        assert!(confirm.text().contains("Jalan ke sana: RT 1 RW 2"), "{}", confirm.text());
        press(&app, SITI, &confirm, "Benar, kirim").await;
        let id = app.query("SELECT id FROM home_visit").await.concat().concat();
        let seen = look_at(&app.app, &kecamatan(), id.parse().unwrap()).await.unwrap();
        assert_eq!((seen.place.as_str(), seen.area), ("RT 1 RW 2", area("35.17.09.2018")));
    }

    async fn a_family_takes_its_request_back_the_office_sees_it_and_nobody_else_can(app: TestApp) {
        let (visit, number) = asked_by_chat(&app, SITI).await;
        act(&app.app, &kecamatan(), visit, on(&app, 3)).await.unwrap();
        app.run_until_idle().await;
        let stranger = app.asks(BUDI, &format!("batal {number}")).await;
        assert!(stranger.text().contains("tidak ada permintaan kunjungan"), "{}", stranger.text());
        let own = app.asks(SITI, "kunjungan saya").await;
        assert!(own.text().contains(&number) && own.text().contains("petugas datang"), "{}", own.text());
        let gone = app.asks(SITI, &format!("batal {}", number.to_lowercase())).await;
        assert!(gone.text().contains("sudah dibatalkan"), "{}", gone.text());
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(office.get("/console/kunjungan-rumah").await.says("Dibatalkan pemohon"));
        app.advance(std::time::Duration::from_secs(2 * 24 * 3600)).await;
        app.advance_to("16:05 WIB").await;
        app.run_until_idle().await;
        let reminders = "SELECT COUNT(*) FROM message WHERE template = 'home_visit_reminder'";
        assert_eq!(app.query(reminders).await, [["0"]]);
    }

    async fn of_two_days_given_in_one_night_only_the_newest_is_told_and_as_the_first(app: TestApp) {
        let (visit, _) = asked_by_chat(&app, SITI).await;
        app.advance_to("22:30 WIB").await;
        act(&app.app, &kecamatan(), visit, on(&app, 4)).await.unwrap();
        act(&app.app, &kecamatan(), visit, on(&app, 5)).await.unwrap();
        app.run_until_idle().await;
        let of_visit = "SELECT template, status FROM message WHERE template LIKE 'home_visit_%' AND class = 'announcement' ORDER BY id";
        let waiting = app.query(of_visit).await;
        assert_eq!(waiting, [["home_visit_scheduled", "cancelled"], ["home_visit_scheduled", "queued"]]);
        app.advance_to("08:00 WIB").await;
        app.run_until_idle().await;
        assert_eq!(told(&app, "Petugas kami datang untuk kunjungan"), 1);
        assert_eq!(told(&app, "berubah"), 0, "they never heard of another day");
        app.advance_to("22:30 WIB").await;
        act(&app.app, &kecamatan(), visit, on(&app, 2)).await.unwrap();
        let no = HomeVisitWord::Decline("petugas sakit".to_owned());
        act(&app.app, &kecamatan(), visit, no).await.unwrap();
        app.advance_to("08:00 WIB").await;
        app.run_until_idle().await;
        let left = app.query("SELECT template FROM message WHERE template LIKE 'home_visit_%' AND status = 'sent' AND class = 'announcement' ORDER BY id").await;
        assert_eq!(left.concat(), ["home_visit_scheduled", "home_visit_declined"], "no day for a visit that is none");
    }

    async fn a_visit_is_asked_for_to_a_desa_that_is_on_file_and_to_nothing_else(app: TestApp) {
        app.names_areas().await;
        let dinas = officer(OfficerRole::Dinas, "35.17");
        for code in ["35.17", "35.17.09", "35.17.09.2999", "35.17.99.2001"] {
            let wish = HomeVisitWish { area: area(code), ..wish() };
            let refused = request(&app.app, &dinas, wish).await;
            assert!(matches!(refused, Err(HomeVisitError::Area)), "{code}: {refused:?}");
        }
        request(&app.app, &dinas, wish()).await.unwrap();
    }

    async fn nobody_sees_or_schedules_a_visit_that_is_not_theirs_and_its_way_is_sealed(app: TestApp) {
        app.names_areas().await;
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        let visit = request(&app.app, &desa, wish()).await.unwrap();
        let own = act(&app.app, &desa, visit.id, on(&app, 3)).await;
        assert!(matches!(own, Err(HomeVisitError::Forbidden)), "{own:?}");
        let other = officer(OfficerRole::Kecamatan, "35.17.08");
        let seen = look_at(&app.app, &other, visit.id).await;
        assert!(matches!(seen, Err(HomeVisitError::NotFound)), "{seen:?}");
        let elsewhere = request(&app.app, &other, wish()).await;
        assert!(matches!(elsewhere, Err(HomeVisitError::Area)), "{elsewhere:?}");
        let whom = app.query("SELECT whom_sealed FROM home_visit").await.concat().concat();
        assert!(!whom.contains("elderly") && whom.len() > 20, "for whom is sealed: {whom}");
        let kept = app.query("SELECT place_sealed FROM home_visit").await.concat().concat();
        assert!(!kept.contains("musala"), "the way there is sealed");
        look_at(&app.app, &kecamatan(), visit.id).await.unwrap();
        let looks = "SELECT COUNT(*) FROM audit WHERE action = 'looked_at_home_visit'";
        assert_eq!(app.query(looks).await, [["1"]]);
    }

    async fn the_pages_take_a_request_from_the_desa_to_the_door(app: TestApp) {
        app.names_areas().await;
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let form = [("whom", "elderly"), ("work", "recording"), ("area", "35.17.09.2018"), ("place", "RT 07 RW 02")];
        let list = desa.post_and_follow("/console/kunjungan-rumah", &form).await;
        assert!(list.says("Permintaan dicatat") && list.says("Menunggu jadwal"), "{}", list.text);
        assert!(!list.says("RT 07 RW 02"), "the way there stands on its own page");
        let way = format!("/console/kunjungan-rumah/{}", app.query("SELECT id FROM home_visit").await.concat().concat());
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.get(&way).await;
        assert!(page.says("RT 07 RW 02") && page.says("Lanjut usia: Perekaman"), "{}", page.text);
        let past = [("day", "2020-01-01"), ("from", "09:00"), ("to", "12:00"), ("officers", "Tini")];
        assert!(office.post(&format!("{way}/jadwal"), &past).await.says("belum lewat"));
        let ahead = [("day", "2027-01-05"), ("from", "09:00"), ("to", "12:00"), ("officers", "Tini")];
        let page = office.post_and_follow(&format!("{way}/jadwal"), &ahead).await;
        assert!(page.says("5 Jan 2027, 09.00–12.00 WIB") && page.says("Tini"), "{}", page.text);
        let early = desa.post(&format!("{way}/selesai"), &[]).await;
        assert!(early.says("belum tiba") && early.says("Terjadwal"), "{}", early.text);
        app.query("UPDATE home_visit SET day = '2026-11-01'").await;
        let page = desa.post_and_follow(&format!("{way}/selesai"), &[]).await;
        assert!(page.says("Sudah dikunjungi"), "{}", page.text);
        let again = office.post(&format!("{way}/batal"), &[]).await;
        assert!(again.status == StatusCode::OK && again.says("sudah berubah"), "{}", again.text);
    }

    async fn a_request_that_nobody_answers_stands_on_the_morning_page(app: TestApp) {
        app.names_areas().await;
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        request(&app.app, &desa, wish()).await.unwrap();
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(!office.get("/console/hari-ini").await.says("Kunjungan rumah belum dijawab"));
        app.advance(std::time::Duration::from_secs(4 * 24 * 3600)).await;
        let office = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(office.get("/console/hari-ini").await.says("Kunjungan rumah belum dijawab"));
    }
}
