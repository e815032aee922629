//! A person, please: a citizen puts something before an officer, and the bot keeps silent meanwhile.

use std::time::Duration;

use kabar::service::inbox;
use kabar::store::ticket_entry::{Happening, NewEntry, insert_entry};
use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::meta::Request;
use crate::support::{LEASE_OVER, TestApp, citizen, list, on_both_engines, word};

const STRANGER: &str = "+6281299990000";
const OTHER: &str = "+6281299990001";
const HOUR: Duration = Duration::from_secs(3600);

async fn tickets(app: &TestApp, query: &str) -> Vec<Value> {
    list(&app.get(&format!("/v1/tickets{query}")).await["tickets"])
}

async fn act(app: &TestApp, ticket: &Value, what: &str) -> (StatusCode, Value) {
    let path = format!("/v1/tickets/{}/{what}", word(&ticket["id"]));
    app.call(Method::POST, Role::Office, &path).await
}

async fn reply(app: &TestApp, ticket: &Value, text: &str) -> (StatusCode, Value) {
    let path = format!("/v1/tickets/{}/reply", word(&ticket["id"]));
    app.send_json(Role::Office, &path, json!({ "text": text })).await
}

/// What a citizen writes and gets no answer to.
async fn writes_into_silence(app: &TestApp, number: &str, words: &str) {
    let before = app.whatsapp.sent_to(number).len();
    app.writes(number, words).await;
    app.run_until_idle().await;
    assert_eq!(app.whatsapp.sent_to(number).len(), before, "{words}");
}

on_both_engines! {
    async fn a_citizen_waits_in_a_queue_talks_to_an_officer_and_to_the_bot_again(app: TestApp) {
        app.asks(OTHER, "mau bicara dengan petugas").await;
        for _ in 0..3 {
            let answer = app.asks(STRANGER, "mau bicara dengan petugas").await;
            assert!(answer.text().contains("urutan ke-2"), "{}", answer.text());
        }
        let open = tickets(&app, "?state=open&kind=human").await;
        assert_eq!(open.len(), 2, "three wishes of one citizen are one: {open:?}");
        let ticket = &open[1];
        let still = app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
        assert!(still.text().contains("surat kehilangan"), "the bot answers while nobody does");

        assert_eq!(act(&app, ticket, "take").await.0, StatusCode::NO_CONTENT);
        assert_eq!(act(&app, ticket, "take").await.0, StatusCode::CONFLICT);
        writes_into_silence(&app, STRANGER, "nama saya salah di kartu").await;
        let menu = app.asks(STRANGER, "menu").await;
        assert!(menu.text().contains("SELESAI"), "{}", menu.text());

        let before = app.whatsapp.sent_to(STRANGER).len();
        let (status, answer) = reply(&app, ticket, "Bapak/Ibu, mohon bawa KK ke kecamatan.").await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(STRANGER);
        assert_eq!(sent.len(), before + 1);
        assert_eq!(sent[before].text(), "Bapak/Ibu, mohon bawa KK ke kecamatan.");
        let message = app.get(&format!("/v1/messages/{}", word(&answer["message"]))).await;
        assert_eq!((&message["class"], &message["why"]), (&json!("reply"), &json!("officer")));

        let whole = app.get(&format!("/v1/tickets/{}", word(&ticket["id"]))).await;
        let entries = list(&whole["entries"]);
        let said: Vec<String> = entries.iter().map(|entry| word(&entry["words"])).collect();
        assert!(said.iter().any(|words| words == "nama saya salah di kartu"), "{said:?}");
        assert!(said.iter().any(|words| words.contains("mohon bawa KK")), "{said:?}");
        let looks = entries.iter().filter(|entry| entry["what"] == "looked").count();
        assert_eq!(looks, 1, "who looks is noted: {entries:?}");
        assert!(entries.iter().all(|e| e["what"] == "inbound" || e["what"] == "opened" || e["by"].is_string()));

        assert_eq!(act(&app, ticket, "close").await, (StatusCode::OK, json!({"is_told": true})));
        app.run_until_idle().await;
        let last = app.whatsapp.sent_to(STRANGER).pop().unwrap();
        assert!(last.text().contains("Petugas sudah menutup"), "{}", last.text());
        let again = app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
        assert!(again.text().contains("surat kehilangan"), "{}", again.text());
        assert_eq!(tickets(&app, "").await.len(), 1, "the other still waits");
        assert_eq!(tickets(&app, "?state=closed").await.len(), 1);
        let next = app.asks(OTHER, "petugas").await;
        assert!(next.text().contains("urutan ke-1"), "{}", next.text());
    }

    async fn a_citizen_may_end_the_talk_and_nobody_else_hears_of_it(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        act(&app, &ticket, "take").await;
        let answer = app.asks(STRANGER, "SELESAI").await;
        assert!(answer.text().contains("sudah selesai"), "{}", answer.text());
        assert_eq!(reply(&app, &ticket, "Halo").await.0, StatusCode::CONFLICT);
        assert_eq!(act(&app, &ticket, "close").await.0, StatusCode::CONFLICT);
        let closed = tickets(&app, "?state=closed").await;
        assert_eq!(closed[0]["closed_by"], "citizen");
    }

    async fn an_officer_cannot_write_outside_the_window_nor_send_a_nik(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        let (status, problem) = reply(&app, &ticket, "NIK Anda 3517091204560001").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert_eq!(reply(&app, &ticket, " ").await.0, StatusCode::BAD_REQUEST);
        app.advance(24 * HOUR).await;
        let before = app.whatsapp.sent_to(STRANGER).len();
        let (status, problem) = reply(&app, &ticket, "Halo").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(word(&problem["detail"]).contains("24 hours"), "{problem}");
        assert_eq!(act(&app, &ticket, "close").await, (StatusCode::OK, json!({"is_told": false})));
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before);
    }

    async fn a_talk_that_an_officer_leaves_for_a_week_is_over_without_a_word(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        act(&app, &ticket, "take").await;
        let before = app.whatsapp.sent_to(STRANGER).len();
        // However often the citizen writes: the bot would be silent for as long as they hope.
        for day in 1..=6 {
            app.advance(24 * HOUR).await;
            writes_into_silence(&app, STRANGER, &format!("sudah hari ke-{day}")).await;
        }
        app.advance(23 * HOUR).await;
        assert_eq!(tickets(&app, "").await.len(), 1);
        app.advance(HOUR).await;
        let closed = tickets(&app, "?state=all").await;
        assert_eq!((&closed[0]["state"], &closed[0]["closed_by"]), (&json!("closed"), &json!("time")));
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before);
    }

    async fn an_officers_words_put_the_end_of_a_talk_off(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        act(&app, &ticket, "take").await;
        app.advance(6 * 24 * HOUR).await;
        writes_into_silence(&app, STRANGER, "masih di situ?").await;
        assert_eq!(reply(&app, &ticket, "Masih.").await.0, StatusCode::ACCEPTED);
        app.advance((7 * 24 - 1) * HOUR).await;
        assert_eq!(tickets(&app, "").await.len(), 1);
        app.advance(HOUR).await;
        assert!(tickets(&app, "").await.is_empty());
    }

    async fn a_wish_that_nobody_took_keeps_its_place_over_the_longest_holidays(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        app.asks(OTHER, "mau bicara dengan petugas").await;
        app.advance(30 * 24 * HOUR).await;
        let still = app.asks(OTHER, "petugas").await;
        assert!(still.text().contains("urutan ke-2"), "{}", still.text());
        let before = app.whatsapp.sent_to(STRANGER).len();
        app.advance(60 * 24 * HOUR).await;
        let closed = tickets(&app, "?state=closed").await;
        assert_eq!(closed.len(), 1, "nothing waits for ever: {closed:?}");
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before);
        assert_eq!(tickets(&app, "").await.len(), 1, "who wrote since waits on");
    }

    async fn an_officer_may_say_the_same_often_and_very_much_at_once(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        let before = app.whatsapp.sent_to(STRANGER).len();
        for n in 0..35 {
            let words = if n % 5 == 0 { "Mohon tunggu.".to_owned() } else { format!("Baris {n}") };
            assert_eq!(reply(&app, &ticket, &words).await.0, StatusCode::ACCEPTED);
        }
        assert_eq!(act(&app, &ticket, "close").await, (StatusCode::OK, json!({"is_told": true})));
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before + 36);
        let answer = app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
        assert!(answer.text().contains("surat kehilangan"), "the bot is none the less for it");
    }

    async fn what_the_bot_says_does_not_push_out_an_officers_words_that_wait(app: TestApp) {
        app.asks(STRANGER, "mau komplain").await;
        app.asks(STRANGER, "1").await;
        app.asks(STRANGER, "sudah tiga bulan belum jadi").await;
        let ticket = tickets(&app, "?kind=complaint").await.remove(0);
        assert_eq!(reply(&app, &ticket, "Kami periksa hari ini.").await.0, StatusCode::ACCEPTED);
        for n in 0..8 {
            app.writes(STRANGER, &format!("syarat ktp hilang apa aja? {n}")).await;
            while inbox::step(&app.app).await.unwrap() > 0 {}
        }
        let overtaken = app.query("SELECT id FROM message WHERE why = 'overtaken'").await;
        assert!(!overtaken.is_empty(), "some answers are too many");
        let waits = "SELECT status FROM message WHERE why = 'officer'";
        assert_eq!(app.query(waits).await, [["queued"]]);
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(STRANGER);
        assert!(sent.iter().any(|message| message.text() == "Kami periksa hari ini."));
    }

    async fn a_reply_that_is_repeated_under_its_key_is_sent_once(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        let path = format!("/v1/tickets/{}/reply", word(&ticket["id"]));
        let before = app.whatsapp.sent_to(STRANGER).len();
        let words = json!({"text": "Mohon bawa KK."});
        let (status, first) = app.send_once(&path, "a-1", &words).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{first}");
        app.run_until_idle().await;
        assert_eq!(app.send_once(&path, "a-1", &words).await, (StatusCode::ACCEPTED, first.clone()));
        let (_, other) = app.send_once(&path, "a-2", &words).await;
        assert_ne!(other, first, "another key is another reply");
        act(&app, &ticket, "close").await;
        let (status, again) = app.send_once(&path, "a-1", &words).await;
        assert_eq!((status, again), (StatusCode::ACCEPTED, first), "it was sent all the same");
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before + 3, "two replies and the close");
        let whole = app.get(&format!("/v1/tickets/{}", word(&ticket["id"]))).await;
        let replies = list(&whole["entries"]).iter().filter(|e| e["what"] == "reply").count();
        assert_eq!(replies, 2);
        for key in ["", "a b", "x".repeat(101).as_str()] {
            assert_eq!(app.send_once(&path, key, &words).await.0, StatusCode::BAD_REQUEST, "{key}");
        }
    }

    async fn an_officer_who_looks_all_the_time_is_noted_once_an_hour(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let path = format!("/v1/tickets/{}", word(&tickets(&app, "").await[0]["id"]));
        let looks = "SELECT id FROM ticket_entry WHERE what = 'looked'";
        for _ in 0..3 {
            app.ask(Role::Office, &path).await;
        }
        assert_eq!(app.query(looks).await.len(), 1);
        app.ask(Role::Admin, &path).await;
        assert_eq!(app.query(looks).await.len(), 2, "of each officer");
        app.clock.advance(HOUR);
        app.ask(Role::Office, &path).await;
        assert_eq!(app.query(looks).await.len(), 3);
    }

    async fn of_a_very_long_ticket_the_newest_is_shown(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = word(&tickets(&app, "").await[0]["id"]);
        let now = app.app.now();
        let mut tx = app.app.db.begin().await.unwrap();
        for _ in 0..1_000 {
            let entry = NewEntry {
                id: app.app.ids.next(now),
                ticket: ticket.parse().unwrap(),
                what: Happening::Reply,
                inbound: None,
                message: None,
                by: Some("Rina"),
            };
            insert_entry(&mut tx, &entry, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
        let whole = app.get(&format!("/v1/tickets/{ticket}")).await;
        let entries = list(&whole["entries"]);
        assert_eq!(entries.len(), 1_000);
        assert_eq!(entries[999]["what"], "looked");
        assert_eq!(entries[998]["words"], "syarat ktp hilang apa aja?");
        assert_eq!(entries[0]["what"], "reply", "in order");
    }

    async fn only_known_words_are_kept_of_what_happened_to_a_ticket(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = word(&tickets(&app, "").await[0]["id"]);
        let pool = sqlx::AnyPool::connect(&app.database.url).await.unwrap();
        let insert = format!("INSERT INTO ticket_entry (id, ticket_id, what, at) VALUES ('tke_1', '{ticket}', 'eaten', 1)");
        let refused = sqlx::query(sqlx::AssertSqlSafe(insert)).execute(&pool).await;
        pool.close().await;
        assert!(refused.unwrap_err().as_database_error().unwrap().is_check_violation());
    }

    async fn of_very_many_complaints_the_last_takes_in_what_more_is_told(app: TestApp) {
        let mut numbers = Vec::new();
        for n in 1..=7 {
            app.asks(STRANGER, "mau komplain").await;
            // The sixth is about money.
            app.asks(STRANGER, if n == 6 { "4" } else { "1" }).await;
            let kept = app.asks(STRANGER, &format!("cerita yang ke-{n} belum selesai juga")).await;
            let at = kept.text().find("P-").unwrap();
            numbers.push(kept.text()[at..at + 6].to_owned());
            app.advance(HOUR).await;
        }
        let complaints = tickets(&app, "?kind=complaint").await;
        assert_eq!(complaints.len(), 5);
        assert!(numbers[5] == numbers[4] && numbers[6] == numbers[4], "{numbers:?}");
        assert_eq!(complaints[4]["number"], json!(numbers[4]));
        assert_eq!(complaints[4]["category"], "pungli", "a crime is not overlooked");
        let last = app.get(&format!("/v1/tickets/{}", word(&complaints[4]["id"]))).await;
        for n in 5..=7 {
            assert!(word(&last["text"]).contains(&format!("cerita yang ke-{n}")), "{last}");
        }
        let heard = list(&last["entries"]).iter().filter(|e| e["what"] == "inbound").count();
        assert_eq!(heard, 3, "{last}");
        act(&app, &complaints[0], "close").await;
        app.run_until_idle().await;
        app.asks(STRANGER, "mau komplain").await;
        app.asks(STRANGER, "1").await;
        app.asks(STRANGER, "cerita yang lain lagi belum selesai").await;
        assert_eq!(tickets(&app, "?kind=complaint").await.len(), 5, "there is room again");
    }

    async fn a_complaint_gets_a_number_that_only_its_own_chat_can_ask_for(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let question = app.asks(&siti.e164, "mau komplain").await;
        let choices = question.choices();
        assert_eq!(choices.len(), 5);
        app.presses(&siti.e164, &choices[3]).await;
        let story = "di balai desa saya disuruh bayar 100 ribu, NIK saya 3517091204560006";
        let kept = app.asks(&siti.e164, story).await;
        assert!(kept.text().contains("Pasal 79A"), "{}", kept.text());
        let at = kept.text().find("P-").unwrap();
        let number = kept.text()[at..at + 6].to_owned();

        let complaint = tickets(&app, "?kind=complaint").await.remove(0);
        assert_eq!(complaint["number"], json!(number));
        assert_eq!((&complaint["category"], &complaint["is_pungli"]), (&json!("pungli"), &json!(true)));
        assert_eq!(complaint["area"], json!("35.17.09.2018"));
        let whole = app.get(&format!("/v1/tickets/{}", word(&complaint["id"]))).await;
        assert!(word(&whole["text"]).contains("disuruh bayar"), "{whole}");
        assert!(!whole.to_string().contains("3517091204560006"), "{whole}");
        let stored = app.query("SELECT text_sealed FROM ticket").await;
        assert!(!stored[0][0].contains("balai"), "the words are sealed");

        let own = app.asks(&siti.e164, &number.to_lowercase()).await;
        assert!(own.text().contains("menunggu petugas"), "{}", own.text());
        let others = app.asks(STRANGER, &number).await;
        assert!(others.text().contains("tidak ada untuk chat ini"), "{}", others.text());
        act(&app, &complaint, "take").await;
        let own = app.asks(&siti.e164, &number).await;
        assert!(own.text().contains("sedang ditangani"), "the bot speaks: {}", own.text());
        act(&app, &complaint, "close").await;
        app.run_until_idle().await;
        let last = app.whatsapp.sent_to(&siti.e164).pop().unwrap();
        assert!(last.text().contains(&number), "{}", last.text());
    }

    async fn a_complaint_that_is_left_leaves_nothing_behind_and_a_restart_changes_nothing(app: TestApp) {
        app.asks(STRANGER, "mau komplain").await;
        app.asks(STRANGER, "1").await;
        let left = app.asks(STRANGER, "BATAL").await;
        assert_eq!(left.text(), "Baik, dibatalkan.");
        assert!(tickets(&app, "?state=all").await.is_empty());
        app.asks(STRANGER, "mau komplain").await;
        app.asks(STRANGER, "1").await;
        let app = app.restart().await;
        app.advance(LEASE_OVER).await;
        let kept = app.asks(STRANGER, "sudah tiga bulan belum jadi").await;
        assert!(kept.text().contains("Nomor pengaduan P-"), "{}", kept.text());
        assert_eq!(tickets(&app, "?kind=complaint").await.len(), 1);
    }

    async fn a_wish_to_be_deleted_stops_the_news_and_is_due_in_three_days(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        let data = app.asks(&siti.e164, "DATA SAYA").await;
        assert!(data.text().contains("KTP-el Siti A."), "{}", data.text());
        assert!(data.text().contains("sejak 23 November 2026"), "{}", data.text());
        let others = app.asks(STRANGER, "data saya").await;
        assert!(!others.text().contains("Siti"), "{}", others.text());
        app.asks(&siti.e164, "HAPUS DATA").await;
        let noted = app.asks(&siti.e164, "1").await;
        assert!(noted.text().contains("3×24 jam"), "{}", noted.text());
        let request = tickets(&app, "?kind=deletion").await.remove(0);
        assert_eq!(request["due_at"], json!("2026-11-26T02:00:00.000Z"));
        app.asks(&siti.e164, "hapus data").await;
        app.asks(&siti.e164, "ya").await;
        assert_eq!(tickets(&app, "?kind=deletion").await.len(), 1, "asked twice, noted once");
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let told = app.states().await.into_iter().filter(|(_, why)| why == "opted_out").count();
        assert_eq!(told, 1, "no news any more");
        assert_eq!(app.query("SELECT id FROM person").await.len(), 1, "nothing is deleted by itself");
    }

    async fn what_is_kept_is_counted_in_the_database_and_nothing_sealed_is_shown(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.asks(&siti.e164, "halo").await;
        app.asks(&siti.e164, "mau bicara dengan petugas").await;
        app.asks(&siti.e164, "SELESAI").await;
        app.asks(&siti.e164, "mau komplain").await;
        app.asks(&siti.e164, "1").await;
        app.asks(&siti.e164, "sudah tiga bulan belum jadi").await;
        let number = word(&tickets(&app, "?kind=complaint").await[0]["number"]);
        app.asks(&siti.e164, "BERHENTI").await;
        let count = async |of: &str| app.query(&format!("SELECT id FROM {of}")).await.len();
        let updates = count("card_update").await;
        let received = count("inbound").await;
        let sent = count("message WHERE sent_at IS NOT NULL").await;
        assert_eq!((updates, received), (2, 7));
        let data = app.asks(&siti.e164, "DATA SAYA").await;
        for part in [
            "nama Siti A., nomor +62 812-****-**06, NIK dan alamat (tersimpan terkunci)".to_owned(),
            format!("(per 23 November, {updates} catatan)"),
            "persetujuan kabar: berhenti sejak 23 November 2026".to_owned(),
            format!("{received} pesan dari Anda, {sent} dari kami"),
            format!("pengaduan {number} (menunggu), bicara petugas (selesai)"),
        ] {
            assert!(data.text().contains(&part), "{part} in {}", data.text());
        }
        assert!(data.text().chars().count() <= 700, "{}", data.text());
        for secret in [&siti.nik, &siti.e164, "Aminah", "35.17", "tiga bulan"] {
            assert!(!data.body["interactive"].to_string().contains(secret), "{secret}");
        }
        // Somebody else shares the number: from now on nobody reads the number of a complaint.
        let budi = citizen(7).with_phone(&siti.phone);
        app.card(&budi, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let shared = app.asks(&siti.e164, "DATA SAYA").await;
        assert!(shared.text().contains("alamat 2 orang (tersimpan terkunci)"), "{}", shared.text());
        assert!(shared.text().contains("pengaduan dan permintaan: 2"), "{}", shared.text());
        assert!(!shared.text().contains(&number), "{}", shared.text());
        assert!(!shared.text().contains("catatan"), "{}", shared.text());
        // Whoever says that they are a stranger reads of nobody any more.
        app.asks(&siti.e164, "BUKAN SAYA").await;
        app.asks(&siti.e164, "DATA SAYA").await;
        app.writes(&siti.e164, "LENGKAP").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(&siti.e164);
        let full: Vec<&str> = sent[sent.len() - 3..].iter().map(Request::text).collect();
        assert!(full[0].contains("bukan orang yang pernah kami kabari"), "{full:?}");
        assert!(full[0].contains("Tidak ada nama, NIK, alamat, atau kartu"), "{full:?}");
        assert!(full.iter().all(|text| !text.contains("Siti") && !text.contains("Budi")), "{full:?}");
        assert!(full[2].contains("UU 27/2022"), "{full:?}");
    }

    async fn who_asked_in_english_is_answered_so_and_told_so_by_the_officers_close(app: TestApp) {
        let answer = app.asks(STRANGER, "english please").await;
        assert!(answer.text().contains("I will answer in English"), "{}", answer.text());
        let answer = app.asks(STRANGER, "talk to human").await;
        assert!(answer.text().contains("You are number 1 in the queue"), "{}", answer.text());
        let ticket = tickets(&app, "").await.remove(0);
        act(&app, &ticket, "close").await;
        app.run_until_idle().await;
        let last = app.whatsapp.sent_to(STRANGER).pop().unwrap();
        assert!(last.text().contains("The officer has closed"), "{}", last.text());
        let answer = app.asks(STRANGER, "bahasa indonesia").await;
        assert!(answer.text().contains("bahasa Indonesia"), "{}", answer.text());
    }

    async fn only_the_office_reads_what_was_written_and_an_auditor_sees_the_list(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let ticket = tickets(&app, "").await.remove(0);
        let path = format!("/v1/tickets/{}", word(&ticket["id"]));
        assert_eq!(app.ask(Role::Auditor, "/v1/tickets").await.0, StatusCode::OK);
        assert_eq!(app.ask(Role::Source, "/v1/tickets").await.0, StatusCode::FORBIDDEN);
        assert_eq!(app.ask(Role::Auditor, &path).await.0, StatusCode::FORBIDDEN);
        for what in ["take", "close"] {
            let refused = app.call(Method::POST, Role::Auditor, &format!("{path}/{what}")).await;
            assert_eq!(refused.0, StatusCode::FORBIDDEN, "{what}");
        }
        let refused = app.send_json(Role::Auditor, &format!("{path}/reply"), json!({"text": "x"})).await;
        assert_eq!(refused.0, StatusCode::FORBIDDEN);
        assert_eq!(app.ask(Role::Office, "/v1/tickets?kind=other").await.0, StatusCode::BAD_REQUEST);
        let nobody = "/v1/tickets/tkt_01KAHV6R00ABCDEFGHJKMNPQRS";
        assert_eq!(app.ask(Role::Office, nobody).await.0, StatusCode::NOT_FOUND);
    }

    async fn a_list_of_an_area_holds_its_people_and_those_on_no_file(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.asks(&siti.e164, "mau bicara dengan petugas").await;
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        assert_eq!(tickets(&app, "?area=35.17.09").await.len(), 2);
        assert_eq!(tickets(&app, "?area=35.18").await.len(), 1);
    }
}
