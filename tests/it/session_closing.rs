//! A place that closes or opens again after people booked, what an officer noted by mistake, and weekly hours that would
//! serve the same people twice.

use chrono::{Days, NaiveDate, Weekday};
use kabar::domain::appointment::AppointmentState;
use kabar::domain::calendar::parse_spans;
use kabar::domain::id::AppointmentId;
use kabar::domain::service_point::{PointService, PointState, PointStatus};
use kabar::service::appointment::{
    AppointmentError, Closed, DeskWish, NewPlan, add_plans, book, find_case, settle, show_session,
    step, take_back,
};
use kabar::service::point::{add_days, change, remove_day};
use kabar::store::holiday::Holiday;
use kabar::store::service_point::Change;

use crate::appointment::{
    BUDI, DEWI, SITI, area, books, days, heard, jombang, jombang_open, kecamatan, offered, press,
    session, time, today,
};
use crate::support::{TestApp, citizen, on_both_engines};

const REMINDER: &str = "Pengingat janji";
const LAID: &str = "SELECT day, CASE WHEN closed_at IS NULL THEN 'held' ELSE 'off' END FROM service_session ORDER BY day, id";

fn tuesdays((from, to): (&str, &str), quota: i64) -> NewPlan {
    NewPlan {
        point: "kec-jombang".to_owned(),
        weekday: Weekday::Tue,
        window: (time(from), time(to)),
        services: vec![PointService::Printing, PointService::Recording],
        quota,
        held: None,
    }
}

/// Weekly hours on Tuesdays, laid out: tomorrow, and in eight days.
async fn lays_out(app: &TestApp, window: (&str, &str), quota: i64) {
    jombang(app).await;
    add_plans(&app.app, &kecamatan(), vec![tuesdays(window, quota)]).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.query(LAID).await, [["2026-11-24", "held"], ["2026-12-01", "held"]]);
}

fn tomorrow(app: &TestApp) -> NaiveDate {
    today(app).checked_add_days(Days::new(1)).unwrap()
}

async fn closes(app: &TestApp, until: Option<NaiveDate>) -> Closed {
    let because = Some("renovasi".to_owned());
    let state = Change::State(PointState { status: PointStatus::Closed, until, because });
    change(&app.app, "kec-jombang", &[state], &kecamatan()).await.unwrap().unwrap()
}

async fn opens(app: &TestApp) -> Closed {
    let state = Change::State(PointState::RUNNING);
    let closed = change(&app.app, "kec-jombang", &[state], &kecamatan()).await.unwrap().unwrap();
    app.run_until_idle().await;
    closed
}

async fn id_of(app: &TestApp, code: &str) -> AppointmentId {
    let case = find_case(&app.app, &kecamatan(), code).await.unwrap();
    case.appointment.id
}

async fn states(app: &TestApp) -> Vec<String> {
    app.query("SELECT state FROM appointment ORDER BY id").await.concat()
}

fn desk() -> DeskWish {
    DeskWish { service: "req_ktp_lost".into(), who: None }
}

on_both_engines! {
    async fn a_place_that_closes_after_people_booked_tells_them_once_and_reminds_nobody(app: TestApp) {
        lays_out(&app, ("08:00", "10:00"), 10).await;
        books(&app, SITI).await;
        let laid = app.query("SELECT id FROM service_session ORDER BY day LIMIT 1").await.concat().concat();
        book(&app.app, &kecamatan(), laid.parse().unwrap(), &desk()).await.unwrap();
        let closed = closes(&app, Some(tomorrow(&app))).await;
        assert_eq!(closed, Closed { sessions: 1, told: 1, untold: 1 });
        assert_eq!(closes(&app, Some(tomorrow(&app))).await, Closed::default(), "told is told");
        app.run_until_idle().await;
        assert_eq!(heard(&app, SITI, "tidak jadi karena renovasi"), 1);
        app.advance_to("17:00 WIB").await;
        assert_eq!(heard(&app, SITI, REMINDER), 0);
        assert_eq!(states(&app).await, ["called_off", "called_off"]);
        assert_eq!(app.query(LAID).await, [["2026-11-24", "off"], ["2026-12-01", "held"]]);
        let audit = app.query("SELECT COUNT(*) FROM audit WHERE action = 'called_off_session'").await;
        assert_eq!(audit, [["1"]]);
    }

    async fn a_place_that_opens_again_has_its_sessions_again_and_none_twice(app: TestApp) {
        lays_out(&app, ("08:00", "10:00"), 10).await;
        let off = app.query("SELECT id FROM service_session ORDER BY day DESC LIMIT 1").await.concat().concat();
        kabar::service::appointment::call_off(&app.app, &kecamatan(), off.parse().unwrap(), "petugas sakit").await.unwrap();
        closes(&app, None).await;
        app.run_until_idle().await;
        assert_eq!(app.query(LAID).await, [["2026-11-24", "off"], ["2026-12-01", "off"]]);
        assert_eq!(opens(&app).await, Closed::default());
        let again = [["2026-11-24", "off"], ["2026-11-24", "held"], ["2026-12-01", "off"]];
        assert_eq!(app.query(LAID).await, again, "what an officer called off alone stays so");
        opens(&app).await;
        step(&app.app).await.unwrap();
        assert_eq!(app.query(LAID).await, again);
        books(&app, SITI).await;
    }

    async fn a_holiday_put_in_later_calls_off_and_taken_out_lays_anew(app: TestApp) {
        lays_out(&app, ("08:00", "10:00"), 10).await;
        books(&app, SITI).await;
        let day = Holiday { date: tomorrow(&app), area: Some(area("35.17")), name: "libur daerah".into(), hours: None };
        let elsewhere = Holiday { area: Some(area("35.18")), ..day.clone() };
        assert_eq!(add_days(&app.app, &[elsewhere], &kecamatan()).await.unwrap(), Closed::default());
        let closed = add_days(&app.app, &[day], &kecamatan()).await.unwrap();
        assert_eq!(closed, Closed { sessions: 1, told: 1, untold: 0 });
        app.run_until_idle().await;
        assert_eq!(heard(&app, SITI, "tidak jadi karena libur daerah"), 1);
        assert!(remove_day(&app.app, tomorrow(&app), Some(&area("35.17")), &kecamatan()).await.unwrap().is_some());
        app.run_until_idle().await;
        assert_eq!(app.query(LAID).await, [["2026-11-24", "off"], ["2026-11-24", "held"], ["2026-12-01", "held"]]);
        assert_eq!(states(&app).await, ["called_off"]);
    }

    async fn of_a_day_with_shorter_hours_only_those_outside_of_them_are_called_off(app: TestApp) {
        lays_out(&app, ("08:00", "15:00"), 7).await;
        let (booked, _) = books(&app, SITI).await;
        assert!(booked.text().contains("08.00 WIB"), "{}", booked.text());
        books(&app, &citizen(1).e164).await;
        books(&app, &citizen(2).e164).await;
        let (late, _) = books(&app, BUDI).await;
        assert!(late.text().contains("12.00 WIB"), "{}", late.text());
        let hours = parse_spans("08.00-11.00").ok();
        let day = Holiday { date: tomorrow(&app), area: None, name: "jam Ramadan".into(), hours };
        let closed = add_days(&app.app, &[day], &kecamatan()).await.unwrap();
        assert_eq!(closed, Closed { sessions: 1, told: 1, untold: 0 });
        app.run_until_idle().await;
        assert_eq!((heard(&app, BUDI, "tidak jadi karena jam Ramadan"), heard(&app, SITI, "tidak jadi")), (1, 0));
        let row = app.query("SELECT time_to, quota, held FROM service_session ORDER BY day LIMIT 1").await;
        assert_eq!(row, [["11:00", "3", "0"]]);
        let seats = app.query("SELECT seat, comes, state FROM appointment ORDER BY id").await;
        assert_eq!(seats[0], ["0", "08:00", "booked"]);
        assert_eq!(seats[3][2], "called_off");
        app.advance_to("17:00 WIB").await;
        assert_eq!((heard(&app, BUDI, REMINDER), heard(&app, SITI, REMINDER)), (0, 1));
    }

    async fn when_an_import_makes_the_week_shorter_nobody_is_asked_to_come_to_a_closed_door(app: TestApp) {
        lays_out(&app, ("08:00", "15:00"), 7).await;
        books(&app, SITI).await;
        books(&app, &citizen(1).e164).await;
        books(&app, &citizen(2).e164).await;
        let (late, _) = books(&app, BUDI).await;
        assert!(late.text().contains("12.00 WIB"), "{}", late.text());
        jombang_open(&app, "08.00-11.00|08.00-11.00|08.00-11.00|08.00-11.00|08.00-11.00||").await;
        app.run_until_idle().await;
        // Its last open place went to the third; who asks now waits, or comes in eight days.
        let (next, _) = books(&app, DEWI).await;
        let said = next.text();
        assert!(said.contains("daftar tunggu") || said.contains("1 Desember"), "{said}");
        app.advance_to("17:00 WIB").await;
        assert_eq!((heard(&app, SITI, REMINDER), heard(&app, BUDI, REMINDER)), (1, 0));
    }

    async fn nobody_is_reminded_of_a_day_that_closed_behind_our_back(app: TestApp) {
        lays_out(&app, ("08:00", "10:00"), 10).await;
        books(&app, SITI).await;
        app.query("UPDATE service_point SET status = 'closed', closed_because = 'banjir'").await;
        app.advance_to("17:00 WIB").await;
        assert_eq!(heard(&app, SITI, REMINDER), 0);
        assert_eq!(heard(&app, SITI, "tidak jadi karena banjir"), 1);
    }

    async fn that_somebody_did_not_come_is_taken_back_and_counts_no_more(app: TestApp) {
        for _ in 0..2 {
            session(&app, 1, 10).await;
            let (_, code) = books(&app, SITI).await;
            let (_, other) = books(&app, BUDI).await;
            app.advance_to("08:30 WIB").await;
            let (siti, budi) = (id_of(&app, &code).await, id_of(&app, &other).await);
            settle(&app.app, &kecamatan(), siti, false).await.unwrap();
            let desa = kabar::domain::officer::Actor { area: area("35.17.08"), ..kecamatan() };
            assert!(matches!(take_back(&app.app, &desa, siti).await, Err(AppointmentError::NotFound)));
            take_back(&app.app, &kecamatan(), siti).await.unwrap();
            let twice = take_back(&app.app, &kecamatan(), siti).await;
            assert!(matches!(twice, Err(AppointmentError::State(AppointmentState::Booked))), "{twice:?}");
            settle(&app.app, &kecamatan(), budi, true).await.unwrap();
            app.advance_to("13:00 WIB").await;
            // Nobody noted that she came after all; she says so later.
            take_back(&app.app, &kecamatan(), siti).await.unwrap();
        }
        assert_eq!(states(&app).await, ["lapsed", "served", "lapsed", "served"]);
        session(&app, 2, 10).await;
        books(&app, SITI).await;
        let audit = app.query("SELECT COUNT(*) FROM audit WHERE detail = 'take_back'").await;
        assert_eq!(audit, [["4"]]);
    }

    async fn who_was_never_told_that_they_moved_up_did_not_stay_away(app: TestApp) {
        let id = session(&app, 1, 2).await;
        let desk = book(&app.app, &kecamatan(), id, &desk()).await.unwrap();
        let (_, code) = books(&app, SITI).await;
        let full = offered(&app, BUDI).await;
        press(&app, BUDI, &full, "1. ").await;
        let full = offered(&app, DEWI).await;
        press(&app, DEWI, &full, "1. ").await;
        app.asks(BUDI, "BERHENTI").await;
        app.asks(SITI, &format!("batal {code}")).await;
        app.run_until_idle().await;
        let moved = app.query("SELECT state FROM appointment WHERE moved_at IS NOT NULL").await;
        assert_eq!(moved, [["booked"]]);
        app.advance_to("08:30 WIB").await;
        settle(&app.app, &kecamatan(), desk.id, true).await.unwrap();
        app.advance_to("13:00 WIB").await;
        assert_eq!(states(&app).await, ["served", "cancelled", "lapsed", "lapsed"]);
    }

    async fn the_same_weekly_hours_twice_are_refused_and_the_others_named(app: TestApp) {
        jombang(&app).await;
        let add = async |plans| add_plans(&app.app, &kecamatan(), plans).await;
        let first = add(vec![tuesdays(("08:00", "10:00"), 5)]).await.unwrap()[0];
        let wednesday = NewPlan { weekday: Weekday::Wed, ..tuesdays(("08:00", "10:00"), 5) };
        let refused = add(vec![wednesday.clone(), tuesdays(("09:00", "11:00"), 5)]).await.unwrap_err();
        assert!(refused.to_string().contains(&first.to_string()), "{refused}");
        let count = app.query("SELECT COUNT(*) FROM session_plan").await;
        assert_eq!(count, [["1"]], "all or none");
        let kk = NewPlan { services: vec![PointService::Kk], ..tuesdays(("08:00", "10:00"), 5) };
        add(vec![wednesday, tuesdays(("10:00", "11:00"), 5), kk]).await.unwrap();
    }

    async fn what_somebody_lacks_is_kept_by_its_name_and_not_in_their_language(app: TestApp) {
        let id = session(&app, 1, 10).await;
        app.asks(SITI, "english").await;
        let slots = crate::console_session::asks_for_a_place_with(&app, SITI, ("Make an appointment", "Not yet", "Yes")).await;
        press(&app, SITI, &slots, "1. ").await;
        let all = show_session(&app.app, &kecamatan(), id).await.unwrap().1;
        assert_eq!(all[0].lacks, ["police_letter"]);
        app.advance(days(1)).await;
    }
}
