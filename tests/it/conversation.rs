//! Journey B: a citizen writes, and reads an answer that is theirs to read.

use std::time::Duration;

use crate::support::{TestApp, citizen, on_both_engines};

const STRANGER: &str = "+6281299990000";

on_both_engines! {
    async fn who_is_registered_and_asks_is_told_where_their_card_is(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let answer = app.asks(&siti.e164, "ktp sy udah jadi blm ya?").await;
        assert!(answer.text().contains("KTP-el Siti A."), "{}", answer.text());
        assert!(answer.text().contains("sudah dicetak"), "{}", answer.text());
        assert!(answer.text().contains("23 November"), "{}", answer.text());
    }

    async fn a_stranger_learns_how_to_register_and_nothing_of_anybody(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        for words in ["ktp sy udah jadi blm ya?", "ktp siti aminah sudah jadi belum"] {
            let answer = app.asks(STRANGER, words).await;
            assert!(answer.text().contains("belum terdaftar"), "{}", answer.text());
            assert!(answer.text().contains("kantor desa atau kelurahan"), "{}", answer.text());
            assert!(!answer.body.to_string().contains("Siti"), "{}", answer.body);
            assert!(!answer.text().contains("sudah dicetak"), "{}", answer.text());
        }
    }

    async fn a_nik_opens_nothing_and_is_never_repeated(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        for words in [format!("CEK#KTP#{}", siti.nik), siti.nik.clone()] {
            let answer = app.asks(STRANGER, &words).await;
            assert!(answer.text().contains("NIK tidak perlu dikirim"), "{}", answer.text());
            assert!(answer.text().contains("belum terdaftar"), "{}", answer.text());
            assert!(!answer.body.to_string().contains("Siti"), "{}", answer.body);
            assert!(!answer.body.to_string().contains(&siti.nik), "{}", answer.body);
        }
        let own = app.asks(&siti.e164, &format!("CEK#KTP#{}", citizen(7).nik)).await;
        assert!(own.text().contains("NIK tidak perlu dikirim"), "{}", own.text());
        assert!(own.text().contains("KTP-el Siti A."), "only what is registered: {}", own.text());
    }

    async fn a_family_is_asked_whose_card_and_may_press_type_or_count(app: TestApp) {
        let phone = citizen(1).phone;
        let number = citizen(1).e164;
        app.card(&citizen(1).with_phone(&phone).named("Siti Aminah"), "CARD_PRINTED").await;
        app.card(&citizen(2).with_phone(&phone).named("Budi Santoso"), "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        for press in [0, 1] {
            let question = app.asks(&number, "sudah jadi belum?").await;
            let choices = question.choices();
            let titles: Vec<_> = choices.iter().map(|choice| choice.1.as_str()).collect();
            assert_eq!(titles, ["Siti A.", "Budi S."]);
            let answer = app.presses(&number, &choices[press]).await;
            let expected = [("Siti A.", "sudah dicetak"), ("Budi S.", "siap cetak")][press];
            assert!(answer.text().contains(expected.0), "{}", answer.text());
            assert!(answer.text().contains(expected.1), "{}", answer.text());
        }
        app.asks(&number, "sudah jadi belum?").await;
        let answer = app.asks(&number, "2").await;
        assert!(answer.text().contains("Budi S."), "{}", answer.text());
    }

    async fn a_question_of_requirements_is_answered_from_its_file(app: TestApp) {
        let answer = app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
        assert!(answer.text().contains("surat kehilangan"), "{}", answer.text());
        assert!(answer.text().to_lowercase().contains("gratis"), "{}", answer.text());
    }

    async fn what_is_not_understood_is_not_guessed_at(app: TestApp) {
        let answer = app.asks(STRANGER, "qwrtzp xkcd blorf").await;
        assert!(answer.text().contains("belum bisa menjawab"), "{}", answer.text());
        assert!(!answer.text().contains("xkcd"), "{}", answer.text());
        assert_eq!(answer.choices().len(), 3);
    }

    async fn a_message_without_words_is_answered_too(app: TestApp) {
        let id = format!("wamid.IN{}", app.unique());
        let voice = serde_json::json!({"id": id, "from": "6281299990000", "type": "audio",
            "timestamp": app.now_s().to_string(), "audio": {"id": "1", "voice": true}});
        app.hook(&crate::support::webhook::body(&[voice], &[])).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), 1);
    }

    async fn a_reference_is_vouched_for_only_if_it_was_sent(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let reference = app.whatsapp.sent()[0].param("ref");
        let answer = app.asks(&siti.e164, &format!("pesan ini asli? Ref {reference}")).await;
        assert!(answer.text().contains("memang dari kami"), "{}", answer.text());
        let answer = app.asks(&siti.e164, "pesan ini asli? Ref AAAA-AA").await;
        assert!(answer.text().contains("tidak ada dalam catatan"), "{}", answer.text());
    }

    async fn words_that_come_in_the_order_of_writing_are_answered_in_it(app: TestApp) {
        for n in 1..=5 {
            let words = if n % 2 == 0 { "halo" } else { "syarat ktp hilang apa aja?" };
            app.writes(STRANGER, words).await;
        }
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(STRANGER);
        assert_eq!(sent.len(), 5);
        for (n, sent) in sent.iter().enumerate() {
            assert_eq!(sent.text().contains("surat kehilangan"), n % 2 == 0, "answer {n}");
        }
    }

    async fn who_writes_faster_than_we_may_answer_is_answered_on_what_came_last(app: TestApp) {
        for _ in 0..30 {
            app.writes(STRANGER, "halo").await;
        }
        app.writes(STRANGER, "syarat ktp hilang apa aja?").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(STRANGER);
        assert_eq!(sent.len(), 5);
        assert!(sent[4].text().contains("surat kehilangan"), "{}", sent[4].text());
        let states = app.states().await;
        assert_eq!(states.iter().filter(|(_, why)| why == "overtaken").count(), 26);
    }

    async fn an_appointment_that_is_over_is_not_told_as_if_it_were_ahead(app: TestApp) {
        let siti = citizen(6);
        let home = serde_json::json!({"date": "2026-11-24", "from": "09:00", "to": "12:00"});
        app.card_with(&siti, "CARD_PRINTED", &[("home_delivery", home)]).await;
        app.run_until_idle().await;
        let before = app.asks(&siti.e164, "sudah jadi belum?").await;
        assert!(before.text().contains("24 November"), "{}", before.text());
        app.advance(Duration::from_secs(2 * 24 * 3600)).await;
        let after = app.asks(&siti.e164, "sudah jadi belum?").await;
        assert!(!after.text().contains("24 November"), "{}", after.text());
    }
}
