//! Visits without queueing: a place in a session from the chat to the counter, and everything that may come between.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime, Weekday};
use kabar::domain::appointment::AppointmentState;
use kabar::domain::area::AreaCode;
use kabar::domain::calendar::Week;
use kabar::domain::id::ServiceSessionId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::domain::outage::OutageKind;
use kabar::domain::service_point::PointService;
use kabar::domain::service_session::SessionKind;
use kabar::service::appointment::{
    AppointmentError, DeskWish, NewPlan, NewSession, add_plans, add_session, book, call_off,
    change_quota, end_plan, find_case, list_plans, list_sessions, settle, show_session, step,
};
use kabar::service::{inbox, outage};
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use kabar::store::service_session::Counted;
use reqwest::StatusCode;

use crate::support::meta::Request;
use crate::support::webhook;
use crate::support::{LEASE_OVER, TestApp, citizen, on_both_engines};

pub const SITI: &str = "+6281299990001";
pub const BUDI: &str = "+6281299990002";
pub const DEWI: &str = "+6281299990003";
const WEEK: &str = "08.00-15.00|08.00-15.00|08.00-15.00|08.00-15.00|08.00-11.00||";

pub fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

pub fn time(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").unwrap()
}

/// The first day of every test is a Monday.
pub fn today(app: &TestApp) -> NaiveDate {
    app.app.now().in_zone(area("35.17").zone().offset()).date_naive()
}

pub fn officer(role: OfficerRole, at: &str) -> Actor {
    Actor { id: "off_01JD0000000000000000000000".to_owned(), role, area: area(at) }
}

pub fn kecamatan() -> Actor {
    officer(OfficerRole::Kecamatan, "35.17.09")
}

pub async fn jombang(app: &TestApp) {
    jombang_open(app, WEEK).await;
}

/// The same, open in the hours of that week.
pub async fn jombang_open(app: &TestApp, week: &str) {
    let point = ServicePoint {
        code: "kec-jombang".to_owned(),
        name: "Kantor Kecamatan Jombang".to_owned(),
        short_name: "Kec. Jombang".to_owned(),
        area: area("35.17.09"),
        address: None,
        hours: "hari kerja".to_owned(),
        hours_short: "hari kerja".to_owned(),
        detail: Detail { week: Week::parse(week), ..Detail::default() },
    };
    let mut tx = app.app.db.begin().await.unwrap();
    upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// A session at the kecamatan so many days from today, of so many places.
pub async fn session(app: &TestApp, days: u64, quota: i64) -> ServiceSessionId {
    jombang(app).await;
    let new = NewSession {
        kind: SessionKind::Counter,
        point: Some("kec-jombang".to_owned()),
        place: None,
        area: None,
        map: None,
        day: today(app).checked_add_days(chrono::Days::new(days)).unwrap(),
        window: (time("08:00"), time("10:00")),
        services: vec![PointService::Printing, PointService::Recording],
        quota,
        held: None,
    };
    add_session(&app.app, &kecamatan(), new).await.unwrap()
}

/// Presses the button whose title begins so.
pub async fn press(app: &TestApp, who: &str, last: &Request, title: &str) -> Request {
    let choices = last.choices();
    let choice = choices.iter().find(|(_, name)| name.starts_with(title));
    let choice = choice.unwrap_or_else(|| panic!("no {title} in {choices:?}: {}", last.text()));
    app.presses(who, choice).await
}

/// From the question to the offered places, with every paper at hand.
pub async fn offered(app: &TestApp, who: &str) -> Request {
    let answer = app.asks(who, "syarat ktp hilang").await;
    let asked = press(app, who, &answer, "Buat janji").await;
    assert!(asked.text().contains("surat kehilangan"), "{}", asked.text());
    let asked = press(app, who, &asked, "Ya").await;
    press(app, who, &asked, "Ya").await
}

/// The same to the end; gives the code.
pub async fn books(app: &TestApp, who: &str) -> (Request, String) {
    let slots = offered(app, who).await;
    let booked = press(app, who, &slots, "1. ").await;
    let at = booked.text().find("J-").unwrap_or_else(|| panic!("no code: {}", booked.text()));
    let code = booked.text()[at..at + 6].to_owned();
    (booked, code)
}

async fn counted(app: &TestApp) -> Counted {
    let from = today(app);
    let until = from.checked_add_days(chrono::Days::new(30)).unwrap();
    let mut all = list_sessions(&app.app, &kecamatan(), (from, until)).await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

pub fn heard(app: &TestApp, who: &str, words: &str) -> usize {
    app.whatsapp.sent_to(who).iter().filter(|sent| told(sent).contains(words)).count()
}

/// The words of a message, as a template or free.
fn told(sent: &Request) -> String {
    format!("{} {}", sent.template(), sent.text())
}

pub fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 3600)
}

on_both_engines! {
    async fn a_plan_is_laid_out_for_the_days_ahead_on_which_the_point_is_open_and_no_day_twice(app: TestApp) {
        jombang(&app).await;
        let plan = |weekday| NewPlan {
            point: "kec-jombang".to_owned(),
            weekday,
            window: (time("07:30"), time("11:30")),
            services: vec![PointService::Printing],
            quota: 20,
            held: None,
        };
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        let refused = add_plans(&app.app, &desa, vec![plan(Weekday::Tue)]).await;
        assert!(matches!(refused, Err(AppointmentError::Forbidden)), "{refused:?}");
        let elsewhere = officer(OfficerRole::Kecamatan, "35.17.08");
        let refused = add_plans(&app.app, &elsewhere, vec![plan(Weekday::Tue)]).await;
        assert!(matches!(refused, Err(AppointmentError::Point)), "{refused:?}");
        let both = vec![plan(Weekday::Tue), plan(Weekday::Sun)];
        let tuesdays = add_plans(&app.app, &kecamatan(), both).await.unwrap()[0];
        app.query("INSERT INTO holiday (date, area, name, updated_at) VALUES ('2026-12-01', '', 'libur', 0)").await;
        app.run_until_idle().await;
        step(&app.app).await.unwrap();
        let laid = app.query("SELECT day, time_from, held FROM service_session ORDER BY day").await;
        assert_eq!(laid, [["2026-11-24", "08:00", "4"]], "the office opens at eight, and is closed on the 1st");
        app.advance(days(8)).await;
        let laid = app.query("SELECT day FROM service_session ORDER BY day").await.concat();
        assert_eq!(laid, ["2026-11-24", "2026-12-08", "2026-12-15"]);
        end_plan(&app.app, &kecamatan(), tuesdays).await.unwrap();
        app.advance(days(8)).await;
        assert_eq!(app.query("SELECT day FROM service_session").await.concat(), ["2026-11-24"]);
        assert_eq!(list_plans(&app.app, &kecamatan(), "kec-jombang").await.unwrap().len(), 1);
    }

    async fn somebody_books_is_reminded_once_and_served_by_the_code_however_it_is_typed(app: TestApp) {
        session(&app, 2, 10).await;
        let (booked, code) = books(&app, SITI).await;
        assert!(booked.text().contains("Kantor Kecamatan Jombang"), "{}", booked.text());
        assert!(booked.text().contains("08.00 WIB"), "{}", booked.text());
        assert!(app.asks(SITI, "janji saya kapan?").await.text().contains(&code));
        app.advance(days(1)).await;
        app.advance_to("16:05 WIB").await;
        app.advance_to("18:00 WIB").await;
        assert_eq!(heard(&app, SITI, "kabar_appointment_reminder_v1"), 1);
        let reminder = app.whatsapp.sent_to(SITI).pop().unwrap();
        assert_eq!(reminder.param("code"), code);
        assert_eq!(reminder.param("bring"), "surat kehilangan dari kepolisian, KK");
        app.advance_to("08:00 WIB").await;
        let typed = code.to_lowercase().replace('-', "");
        let desa = officer(OfficerRole::Desa, "35.17.09.2018");
        let refused = find_case(&app.app, &desa, &typed).await;
        assert!(matches!(refused, Err(AppointmentError::NotFound)), "{refused:?}");
        let case = find_case(&app.app, &kecamatan(), &typed).await.unwrap();
        assert_eq!((case.appointment.service.as_str(), case.who), ("req_ktp_lost", None));
        settle(&app.app, &kecamatan(), case.appointment.id, true).await.unwrap();
        let again = settle(&app.app, &kecamatan(), case.appointment.id, true).await;
        assert!(matches!(again, Err(AppointmentError::State(AppointmentState::Served))), "{again:?}");
        app.advance_to("13:00 WIB").await;
        assert_eq!(app.query("SELECT state FROM appointment").await, [["served"]]);
        let audit = app.query("SELECT action FROM audit WHERE action LIKE '%appointment' ORDER BY id").await;
        assert_eq!(audit.concat(), ["opened_appointment", "settled_appointment"]);
    }

    async fn the_last_place_goes_to_one_of_two_and_cancelling_lets_the_other_move_up(app: TestApp) {
        let id = session(&app, 3, 1).await;
        let (siti, budi) = (offered(&app, SITI).await, offered(&app, BUDI).await);
        let booked = press(&app, SITI, &siti, "1. ").await;
        assert!(booked.text().contains("Janji Anda tercatat"), "{}", booked.text());
        let full = press(&app, BUDI, &budi, "1. ").await;
        assert!(full.text().contains("baru saja terisi"), "{}", full.text());
        let waits = press(&app, BUDI, &full, "Masuk daftar tunggu").await;
        assert!(waits.text().contains("urutan ke-1"), "{}", waits.text());
        assert_eq!((counted(&app).await.taken, counted(&app).await.waiting), (1, 1));
        let none = book(&app.app, &kecamatan(), id, &DeskWish { service: "req_ktp_lost".into(), who: None }).await;
        assert!(matches!(none, Err(AppointmentError::Full)), "{none:?}");
        let asked = app.asks(SITI, "BATAL").await;
        let gone = press(&app, SITI, &asked, "Batalkan J-").await;
        assert!(gone.text().contains("sudah dibatalkan"), "{}", gone.text());
        app.run_until_idle().await;
        assert_eq!(heard(&app, BUDI, "Ada tempat untuk Anda"), 1);
        assert!(app.asks(BUDI, "STATUS").await.text().contains("08.00 WIB"));
        assert_eq!((counted(&app).await.taken, counted(&app).await.waiting), (1, 0));
        assert!(app.asks(SITI, "janji saya").await.text().contains("tidak ada janji"));
    }

    async fn a_place_that_gets_free_on_the_day_disturbs_nobody_and_goes_to_who_walks_in(app: TestApp) {
        let id = session(&app, 1, 1).await;
        let (_, code) = books(&app, SITI).await;
        let full = offered(&app, BUDI).await;
        assert!(full.text().contains("sudah penuh"), "{}", full.text());
        press(&app, BUDI, &full, "1. ").await;
        app.advance_to("22:00 WIB").await;
        app.asks(SITI, &format!("batal {}", code.to_lowercase())).await;
        app.run_until_idle().await;
        assert_eq!(heard(&app, BUDI, "Ada tempat untuk Anda"), 0);
        let late = offered(&app, DEWI).await;
        assert!(late.text().contains("datang langsung pada jam buka"), "nobody passes who waits: {}", late.text());
        let wish = DeskWish { service: "req_ktp_lost".into(), who: Some("Sri Wahyuni".into()) };
        let given = book(&app.app, &kecamatan(), id, &wish).await.unwrap();
        let case = find_case(&app.app, &kecamatan(), given.code.as_str()).await.unwrap();
        assert_eq!(case.who.as_deref(), Some("Sri W."));
        let stored = app.query("SELECT who_sealed, lacks_sealed FROM appointment").await.concat().concat();
        assert!(!stored.contains("Wahyuni"), "sealed");
    }

    async fn the_last_place_is_given_once_however_many_ask_at_once(app: TestApp) {
        let id = session(&app, 2, 1).await;
        let wish = DeskWish { service: "req_ktp_lost".into(), who: None };
        let actor = kecamatan();
        let one = || book(&app.app, &actor, id, &wish);
        let all = tokio::join!(one(), one(), one(), one());
        let given = [all.0.is_ok(), all.1.is_ok(), all.2.is_ok(), all.3.is_ok()];
        assert_eq!(given.iter().filter(|is_given| **is_given).count(), 1);
        assert_eq!(counted(&app).await.taken, 1);
    }

    async fn of_two_chats_that_press_for_the_last_place_at_once_one_gets_it_and_one_is_told(app: TestApp) {
        session(&app, 3, 1).await;
        let slots = [(SITI, offered(&app, SITI).await), (BUDI, offered(&app, BUDI).await)];
        for (n, (who, slots)) in slots.iter().enumerate() {
            let choices = slots.choices();
            let slot = choices.iter().find(|(_, title)| title.starts_with("1. ")).unwrap();
            let pressed = webhook::pressed(&format!("wamid.RACE{n}"), who, slot, app.now_s());
            assert_eq!(app.hook(&webhook::body(&[pressed], &[])).await, StatusCode::OK);
        }
        let (one, other) = tokio::join!(inbox::step(&app.app), inbox::step(&app.app));
        assert_eq!(one.unwrap() + other.unwrap(), 2);
        app.run_until_idle().await;
        let count = |words| heard(&app, SITI, words) + heard(&app, BUDI, words);
        assert_eq!((count("Janji Anda tercatat"), count("baru saja terisi")), (1, 1));
        assert_eq!(counted(&app).await.taken, 1);
    }

    async fn a_share_is_kept_from_the_chat_and_given_out_at_the_desk(app: TestApp) {
        let id = session(&app, 2, 2).await;
        books(&app, SITI).await;
        let full = offered(&app, BUDI).await;
        assert!(full.text().contains("sudah penuh"), "{}", full.text());
        let wish = DeskWish { service: "req_ktp_lost".into(), who: None };
        book(&app.app, &kecamatan(), id, &wish).await.unwrap();
        let counted = counted(&app).await;
        assert_eq!((counted.taken, counted.by_desk, counted.session.held), (2, 1, 1));
        let wrong = DeskWish { service: "req_kia".into(), who: None };
        assert!(matches!(book(&app.app, &kecamatan(), id, &wrong).await, Err(AppointmentError::Service)));
        change_quota(&app.app, &kecamatan(), id, (4, None)).await.unwrap();
        app.asks(BUDI, "BATAL").await;
        let slots = offered(&app, BUDI).await;
        assert!(slots.text().contains("Pilih yang mana?"), "{}", slots.text());
        assert!(matches!(change_quota(&app.app, &kecamatan(), id, (1, None)).await, Err(AppointmentError::Session(_))));
    }

    async fn a_session_that_is_called_off_is_told_to_all_of_it_once_whatever_breaks_off(app: TestApp) {
        let id = session(&app, 3, 60).await;
        for n in 1..=5 {
            books(&app, &citizen(n).e164).await;
        }
        let late = offered(&app, SITI).await;
        let told = call_off(&app.app, &kecamatan(), id, "alat rekam rusak").await.unwrap();
        assert_eq!(told, 5);
        step(&app.app).await.unwrap();
        let app = app.restart().await;
        app.advance(LEASE_OVER).await;
        for n in 1..=5 {
            assert_eq!(heard(&app, &citizen(n).e164, "tidak jadi karena alat rekam rusak"), 1, "{n}");
        }
        let gone = press(&app, SITI, &late, "1. ").await;
        assert!(gone.text().contains("tidak jadi karena alat rekam rusak"), "{}", gone.text());
        let twice = call_off(&app.app, &kecamatan(), id, "x").await;
        assert!(matches!(twice, Err(AppointmentError::Over)), "{twice:?}");
        app.advance(days(5)).await;
        assert_eq!(heard(&app, &citizen(1).e164, "kabar_appointment_reminder_v1"), 0);
        assert_eq!(app.query("SELECT DISTINCT state FROM appointment").await, [["called_off"]]);
        assert!(show_session(&app.app, &kecamatan(), id).await.unwrap().1.len() == 5);
    }

    async fn who_does_not_come_twice_asks_at_the_counter_and_where_nobody_counts_nobody_is_blamed(app: TestApp) {
        for round in 0..3 {
            session(&app, 1, 10).await;
            books(&app, SITI).await;
            let (_, code) = books(&app, BUDI).await;
            app.advance_to("08:30 WIB").await;
            // Where the counter noted nobody at all, it kept no list.
            if round > 0 {
                let case = find_case(&app.app, &kecamatan(), &code).await.unwrap();
                settle(&app.app, &kecamatan(), case.appointment.id, true).await.unwrap();
            }
            app.advance_to("13:00 WIB").await;
        }
        let states = app.query("SELECT state, COUNT(*) FROM appointment GROUP BY state ORDER BY state").await;
        assert_eq!(states, [["lapsed", "2"], ["no_show", "2"], ["served", "2"]]);
        session(&app, 2, 10).await;
        let answer = app.asks(SITI, "syarat ktp hilang").await;
        let refused = press(&app, SITI, &answer, "Buat janji").await;
        assert!(refused.text().contains("di loket atau lewat telepon"), "{}", refused.text());
        books(&app, BUDI).await;
        app.advance(days(91)).await;
        session(&app, 2, 10).await;
        books(&app, SITI).await;
    }

    async fn who_asked_to_stop_is_not_reminded_and_a_registered_chat_is_tied_to_its_person(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        session(&app, 2, 10).await;
        books(&app, &siti.e164).await;
        let person = app.query("SELECT person_id FROM appointment").await.concat();
        assert_eq!(person, app.query("SELECT id FROM person").await.concat());
        app.asks(&siti.e164, "BERHENTI").await;
        app.advance(days(1)).await;
        app.advance_to("17:00 WIB").await;
        assert_eq!(heard(&app, &siti.e164, "kabar_appointment_reminder_v1"), 0);
        let message = app.query("SELECT status, why FROM message WHERE template = 'appointment_reminder'").await;
        assert_eq!(message, [["cancelled", "opted_out"]]);
    }

    async fn an_outage_is_told_once_to_who_has_an_appointment_and_once_more_when_it_is_over(app: TestApp) {
        let waits = citizen(6);
        app.card(&waits, "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        session(&app, 1, 20).await;
        books(&app, SITI).await;
        books(&app, &waits.e164).await;
        let answer = app.asks(BUDI, "rekam ktp dimana").await;
        let asked = press(&app, BUDI, &answer, "Buat janji").await;
        let slots = press(&app, BUDI, &asked, "Ya").await;
        press(&app, BUDI, &slots, "1. ").await;
        let (_, code) = books(&app, DEWI).await;
        let cli = Actor::cli();
        let where_ = area("35.17.09");
        let id = outage::declare(&app.app, &cli, (OutageKind::Printer, &where_), "printer rusak", None).await.unwrap();
        app.run_until_idle().await;
        step(&app.app).await.unwrap();
        for (who, times) in [(SITI, 1), (DEWI, 1), (waits.e164.as_str(), 1), (BUDI, 0)] {
            assert_eq!(heard(&app, who, "tertunda karena printer rusak"), times, "{who}");
        }
        app.advance_to("16:30 WIB").await;
        assert_eq!(heard(&app, SITI, "Pengingat janji"), 0, "nobody is told to come whom an outage keeps away");
        app.advance_to("07:30 WIB").await;
        outage::lift(&app.app, &cli, id).await.unwrap();
        app.run_until_idle().await;
        step(&app.app).await.unwrap();
        for (who, times) in [(SITI, 1), (DEWI, 1), (waits.e164.as_str(), 1), (BUDI, 0)] {
            assert_eq!(heard(&app, who, "janji Anda tetap berlaku"), times, "{who}");
        }
        let case = find_case(&app.app, &kecamatan(), &code).await.unwrap();
        settle(&app.app, &kecamatan(), case.appointment.id, true).await.unwrap();
        app.advance_to("13:00 WIB").await;
        let states = app.query("SELECT state, COUNT(*) FROM appointment GROUP BY state ORDER BY state").await;
        assert_eq!(states, [["no_show", "3"], ["served", "1"]], "they were called back");
    }

    async fn of_two_outages_the_end_of_the_last_calls_people_back(app: TestApp) {
        session(&app, 1, 20).await;
        books(&app, SITI).await;
        let (cli, where_) = (Actor::cli(), area("35.17"));
        let near = area("35.17.09");
        let declare = async |place, why| {
            let id = outage::declare(&app.app, &cli, (OutageKind::Server, place), why, None).await.unwrap();
            app.run_until_idle().await;
            step(&app.app).await.unwrap();
            id
        };
        let lift = async |id| {
            outage::lift(&app.app, &cli, id).await.unwrap();
            app.run_until_idle().await;
            step(&app.app).await.unwrap();
            app.run_until_idle().await;
        };
        let back = || heard(&app, SITI, "janji Anda tetap berlaku");
        let server = declare(&where_, "jaringan putus").await;
        let other = declare(&near, "listrik padam").await;
        lift(server).await;
        assert_eq!(back(), 0, "the other one still runs");
        lift(other).await;
        assert_eq!(back(), 1);
        let third = declare(&where_, "server rusak").await;
        lift(third).await;
        assert_eq!(heard(&app, SITI, "tertunda karena server rusak"), 1);
        assert_eq!(back(), 2, "who was sent away again is called back again");
    }

    async fn batal_means_the_appointment_while_a_question_waits_for_an_officer(app: TestApp) {
        session(&app, 1, 20).await;
        let (_, code) = books(&app, SITI).await;
        app.asks(SITI, "PETUGAS").await;
        let asked = app.asks(SITI, "BATAL").await;
        assert!(asked.text().contains(&code), "{}", asked.text());
        let open = app.query("SELECT state FROM ticket").await;
        assert_eq!(open, [["open"]], "the question still waits");
    }

    async fn whose_session_goes_by_in_an_outage_is_told_so_and_chooses_anew(app: TestApp) {
        session(&app, 1, 20).await;
        books(&app, SITI).await;
        let (cli, where_) = (Actor::cli(), area("35.17"));
        outage::declare(&app.app, &cli, (OutageKind::Server, &where_), "jaringan putus", None).await.unwrap();
        app.run_until_idle().await;
        app.advance_to("08:30 WIB").await;
        app.advance_to("13:00 WIB").await;
        assert_eq!(heard(&app, SITI, "tertunda karena jaringan putus"), 1);
        // More than a day has gone by since they wrote: as a template.
        let told = app.whatsapp.sent_to(SITI).pop().unwrap();
        assert_eq!(told.template(), "kabar_appointment_cancelled_v1");
        assert_eq!(told.param("reason"), "jaringan putus");
        assert_eq!(app.query("SELECT state FROM appointment").await, [["called_off"]]);
    }

    async fn the_next_stop_of_the_van_is_told_to_who_asks_for_it(app: TestApp) {
        let new = NewSession {
            kind: SessionKind::Mobile,
            point: None,
            place: Some(("Balai Desa Sumbermulyo".to_owned(), None)),
            area: Some(area("35.17.09.2018")),
            map: None,
            day: today(&app).succ_opt().unwrap(),
            window: (time("09:00"), time("12:00")),
            services: vec![PointService::Recording],
            quota: 30,
            held: None,
        };
        let before = app.asks(SITI, "mobil keliling kapan ke desa?").await.text().to_owned();
        assert!(!before.contains("Sumbermulyo"), "{before}");
        add_session(&app.app, &kecamatan(), new).await.unwrap();
        let after = app.asks(SITI, "mobil keliling kapan ke desa?").await;
        assert!(after.text().contains("Balai Desa Sumbermulyo, Selasa, 24 November"), "{}", after.text());
        let asked = press(&app, SITI, &after, "Buat janji").await;
        assert!(asked.choices().iter().any(|(_, title)| title == "Perekaman"), "{:?}", asked.choices());
    }
}
