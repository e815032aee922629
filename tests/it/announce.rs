//! Journey A: a card changes its status and a phone hears of it, in which words, and when not.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::card::AnnouncementKind;
use kabar::domain::message::ChannelKind;
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use serde_json::json;

use crate::support::{Start, TestApp, citizen, list, on_both_engines};

on_both_engines! {
    async fn a_printed_card_becomes_one_template_message(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;

        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 1);
        let sent = &sent[0];
        assert_eq!(sent.path, "/v25.0/106540352242922/messages");
        assert_eq!(sent.authorization, "Bearer token at Meta");
        assert_eq!(sent.to(), siti.e164);
        assert_eq!(sent.body["type"], "template");
        assert_eq!(sent.template(), "kabar_card_printed_v1");
        assert_eq!(sent.body["template"]["language"], json!({"code": "id"}));
        assert_eq!(sent.param("addressee"), "Bapak/Ibu Siti A.");
        assert_eq!(sent.param("document"), "KTP-el");
        assert!(!sent.body.to_string().contains(&siti.nik), "no NIK ever leaves");

        let message = app.message().await;
        assert_eq!(sent.echo(), message["id"]);
        assert_eq!(sent.param("ref"), message["reference"]);
        assert_eq!(message["status"], "sent");
        assert_eq!(message["provider_message_id"], sent.id.clone().unwrap());
        assert_eq!(message["attempts"], 1);
    }

    async fn a_home_delivery_is_told_with_its_day_and_its_window_in_words(app: TestApp) {
        let home = json!({"date": "2026-11-24", "from": "09:00", "to": "12:00"});
        app.card_with(&citizen(1), "CARD_PRINTED", &[("home_delivery", home)]).await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].template(), "kabar_home_delivery_scheduled_v1");
        assert_eq!(sent[0].param("date"), "Selasa, 24 November");
        assert_eq!(sent[0].param("window"), "pukul 09.00–12.00 WIB");
        assert_eq!(sent[0].param("bring"), "KTP lama bila ada, atau surat kehilangan");
    }

    async fn who_waits_for_a_day_hears_that_another_one_takes_its_place(app: TestApp) {
        for (day, template) in [
            ("2026-11-24", "kabar_home_delivery_scheduled_v1"),
            ("2026-11-26", "kabar_home_delivery_moved_v1"),
            ("2026-11-25", "kabar_home_delivery_moved_v1"),
        ] {
            let home = json!({"date": day, "from": "09:00", "to": "12:00"});
            app.card_with(&citizen(1), "CARD_PRINTED", &[("home_delivery", home)]).await;
            app.run_until_idle().await;
            assert_eq!(app.whatsapp.sent().last().unwrap().template(), template, "{day}");
        }
        assert_eq!(app.whatsapp.sent().last().unwrap().param("date"), "Rabu, 25 November");
        app.advance(Duration::from_secs(5 * 24 * 3600)).await;
        let home = json!({"date": "2026-12-02", "from": "09:00", "to": "12:00"});
        app.card_with(&citizen(1), "CARD_PRINTED", &[("home_delivery", home)]).await;
        app.run_until_idle().await;
        let last = app.whatsapp.sent().last().unwrap().template().to_owned();
        assert_eq!(last, "kabar_home_delivery_scheduled_v1", "nobody waits for a day that has passed");
    }

    async fn the_window_of_a_home_delivery_is_told_in_the_recipients_own_zone(app: TestApp) {
        let home = json!({"date": "2026-11-24", "from": "09:00", "to": "12:00"});
        let balinese = citizen(1).of_area("51.71.01.1001");
        app.card_with(&balinese, "CARD_PRINTED", &[("home_delivery", home)]).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent()[0].param("window"), "pukul 09.00–12.00 WITA");
    }

    async fn a_card_ready_to_collect_is_told_with_place_hours_and_what_to_bring(app: TestApp) {
        let point = ServicePoint {
            code: "kec-jombang".to_owned(),
            name: "Kantor Kecamatan Jombang".to_owned(),
            short_name: "Kec. Jombang".to_owned(),
            area: AreaCode::parse("35.17.09").unwrap(),
            address: None,
            hours: "Senin–Kamis 08.00–15.00, Jumat sampai 11.00".to_owned(),
            hours_short: "Sen-Kam 08-15, Jum 08-11".to_owned(),
            detail: Detail::default(),
        };
        let mut tx = app.app.db.begin().await.unwrap();
        upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
        tx.commit().await.unwrap();
        let at = [("service_point", json!("kec-jombang"))];
        app.card_with(&citizen(1), "siap ambil", &at).await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent[0].template(), "kabar_ready_to_collect_v2");
        assert_eq!(sent[0].param("place"), point.name);
        assert_eq!(sent[0].param("hours"), point.hours);
        assert_eq!(sent[0].param("bring"), "KTP lama bila ada, atau surat kehilangan");
    }

    async fn who_must_come_back_is_asked_so_without_being_told_why(app: TestApp) {
        use AnnouncementKind as K;
        for (n, status, kind, template) in [
            (1, "DUPLICATE_RECORD", K::ContactOffice, "kabar_contact_office_v1"),
            (2, "ADJUDICATE_RECORD", K::ContactOffice, "kabar_contact_office_v1"),
            (3, "ENROLL_FAILURE_AT_CENTRAL", K::EnrollmentFailed, "kabar_enrollment_failed_v1"),
        ] {
            app.card(&citizen(n), status).await;
            app.run_until_idle().await;
            let sent = app.whatsapp.sent_to(&citizen(n).e164);
            assert_eq!(sent.len(), 1);
            assert_eq!(sent[0].template(), template);
            let words = app.app.templates.whatsapp_body(kind).to_lowercase();
            for detail in ["ganda", "duplik", "sama dengan", "adjudi", "gagal"] {
                assert!(!words.contains(detail), "{detail} in {words}");
            }
        }
    }

    async fn papers_for_others_speak_to_the_family_and_sad_ones_have_words_of_their_own(
        app: TestApp,
    ) {
        app.card_with(&citizen(6), "CARD_PRINTED", &[("document", json!("kia"))]).await;
        app.card_with(&citizen(6), "CARD_PRINTED", &[("document", json!("akta-kematian"))]).await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent[0].param("addressee"), "keluarga Siti A.");
        assert_eq!(sent[0].param("document"), "Kartu Identitas Anak (KIA)");
        assert_eq!(sent[0].template(), "kabar_card_printed_v1");
        assert_eq!(sent[1].template(), "kabar_card_printed_akta_kematian_v1");
    }

    async fn who_has_no_phone_is_listed_as_unreachable_and_the_message_says_why(app: TestApp) {
        app.card(&citizen(1).with_phone("(0321) 861234"), "CARD_PRINTED").await;
        app.card(&citizen(2).with_phone(""), "CARD_PRINTED").await;
        app.card(&citizen(3).with_phone("+65 9123 4567"), "CARD_PRINTED").await;
        app.card(&citizen(4), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1, "only one of them has a phone");

        let people = list(&app.get("/v1/unreachable").await["people"]);
        let mut problems: Vec<_> = people.iter().map(|p| p["problem"].clone()).collect();
        problems.sort_by_key(ToString::to_string);
        assert_eq!(problems, ["foreign", "landline", "not_given"]);
        let states = app.states().await;
        let unsent: Vec<_> = states.iter().filter(|(status, _)| status == "cancelled").collect();
        assert_eq!(unsent.len(), 3);
        assert!(unsent.iter().all(|(_, why)| why == "no_phone"), "{unsent:?}");

        app.card(&citizen(2), "siap ambil").await;
        assert_eq!(list(&app.get("/v1/unreachable").await["people"]).len(), 2);
    }

    async fn a_family_on_one_phone_hears_of_each_of_its_cards(app: TestApp) {
        let phone = citizen(1).phone;
        for n in [1, 2, 3] {
            app.card(&citizen(n).with_phone(&phone), "CARD_PRINTED").await;
        }
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(&citizen(1).e164);
        let names: Vec<_> = sent.iter().map(|sent| sent.param("addressee")).collect();
        assert_eq!(names, ["Bapak/Ibu Budi S.", "Bapak/Ibu Sri W.", "Bapak/Ibu Agus S."]);
    }

    async fn an_update_that_asks_for_silence_is_recorded_and_nobody_is_told(app: TestApp) {
        app.card_with(&citizen(1), "CARD_PRINTED", &[("silent", json!(true))]).await;
        app.run_until_idle().await;
        assert!(app.messages().await.is_empty());
        assert_eq!(
            app.query("SELECT status, outcome FROM card_update").await,
            [["printed", "silent"]]
        );
        let answer = app.asks(&citizen(1).e164, "sudah jadi belum?").await;
        assert!(answer.text().contains("sudah dicetak"), "{}", answer.text());
    }

    async fn a_status_that_is_switched_off_is_recorded_and_not_told(start: Start) {
        let mut start = start;
        start.settings.policy.enabled.retain(|kind| *kind != AnnouncementKind::CardPrinted);
        let app = start.open().await;
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.card(&citizen(2), "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(app.whatsapp.sent()[0].template(), "kabar_ready_to_collect_v2");
    }

    async fn a_person_whom_no_account_serves_has_a_message_that_says_so(start: Start) {
        let mut start = start;
        start.settings.channels = vec![ChannelKind::Telegram];
        let app = start.open().await;
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let message = app.message().await;
        assert_eq!(
            (&message["status"], &message["why"]),
            (&json!("cancelled"), &json!("no_account"))
        );
    }
}
