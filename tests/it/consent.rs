//! Who asked to stop, and whose number it never was, is left in peace.

use crate::support::{TestApp, citizen, on_both_engines};

on_both_engines! {
    async fn who_stopped_hears_nothing_and_hears_again_after_starting(app: TestApp) {
        let siti = citizen(6);
        let answer = app.asks(&siti.e164, "  b e r h e n t i ").await;
        assert!(answer.text().contains("tidak akan mengirim pesan lagi"), "{}", answer.text());
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1, "the answer to BERHENTI and nothing more");
        let states = app.states().await;
        assert_eq!(states[1], ("cancelled".to_owned(), "opted_out".to_owned()));

        let answer = app.asks(&siti.e164, "sudah jadi belum?").await;
        assert!(answer.text().contains("sudah dicetak"), "who asks is answered all the same");
        assert!(answer.text().contains("MULAI"), "{}", answer.text());

        app.asks(&siti.e164, "Mulai").await;
        app.card(&siti, "siap ambil").await;
        app.run_until_idle().await;
        let last = app.whatsapp.sent().pop().unwrap();
        assert!(last.text().contains("siap") || last.text().contains("diambil"), "{last:?}");
        assert_eq!(app.states().await.last().unwrap().0, "sent");
    }

    async fn stopping_withdraws_what_still_waits(app: TestApp) {
        let siti = citizen(6);
        app.clock.advance_to("22:00 WIB");
        app.card(&siti, "CARD_PRINTED").await;
        app.asks(&siti.e164, "STOP").await;
        app.advance_to("07:00 WIB").await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        assert_eq!(app.states().await[0], ("cancelled".to_owned(), "opted_out".to_owned()));
    }

    async fn a_number_that_is_somebody_elses_is_released_and_told_nothing(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let answer = app.asks(&siti.e164, "Maaf, bukan saya").await;
        assert!(answer.text().contains("kami lepaskan"), "{}", answer.text());

        let people = app.get("/v1/unreachable").await;
        assert_eq!(people["people"][0]["problem"], "wrong_person");
        let answer = app.asks(&siti.e164, "sudah jadi belum?").await;
        assert!(answer.text().contains("belum terdaftar"), "{}", answer.text());
        assert!(!answer.body.to_string().contains("Siti"));

        // The source goes on naming the old number, for her and for somebody else.
        let sent = app.whatsapp.requests().len();
        app.card(&siti, "siap ambil").await;
        app.card(&citizen(7).with_phone(&siti.phone), "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), sent);
        let last = app.states().await.split_off(3);
        let cancelled = ("cancelled".to_owned(), "no_phone".to_owned());
        assert_eq!(last, [cancelled.clone(), cancelled]);
        let people = app.get("/v1/unreachable").await;
        for n in [0, 1] {
            assert_eq!(people["people"][n]["problem"], "wrong_person");
        }
        let answer = app.asks(&siti.e164, "sudah jadi belum?").await;
        assert!(answer.text().contains("belum terdaftar"), "{}", answer.text());
    }

    async fn a_new_number_from_the_source_is_written_to_although_the_old_one_was_wrong(
        app: TestApp,
    ) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.asks(&siti.e164, "BUKAN SAYA").await;
        app.card(&siti.clone().with_phone(&citizen(7).phone), "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&citizen(7).e164).len(), 1);
    }
}
