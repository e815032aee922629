//! Percakapan: an officer finds who waits, reads, takes over, answers within the window and hands back.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use reqwest::{Method, StatusCode};

use crate::support::console::Browser;
use crate::support::{TestApp, citizen, list, on_both_engines, word};

const STRANGER: &str = "+6281299990000";
const LIST: &str = "/console/percakapan";
const HOUR: Duration = Duration::from_secs(3600);

impl TestApp {
    /// The path of the newest ticket's page.
    async fn newest(&self) -> String {
        let tickets = list(&self.get("/v1/tickets?state=all").await["tickets"]);
        format!("{LIST}/{}", word(&tickets.last().expect("a ticket")["id"]))
    }

    /// The audit log: who did what, the oldest first.
    async fn trail(&self, object: &str) -> Vec<String> {
        let lines = self
            .query(&format!("SELECT action FROM audit WHERE object = '{object}' ORDER BY id"))
            .await;
        lines.concat()
    }
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

on_both_engines! {
    async fn an_officer_takes_a_talk_over_answers_and_hands_it_back(app: TestApp) {
        app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let waiting = dinas.get(LIST).await;
        assert!(waiting.says("Minta petugas") && waiting.says("WhatsApp"), "{}", waiting.text);
        assert!(!waiting.says("9999"), "a list shows nobody's number");

        let path = app.newest().await;
        let talk = dinas.get(&path).await;
        assert!(talk.says("syarat ktp hilang apa aja?"), "what was said before stands there too");
        assert!(talk.says("surat kehilangan"), "and what the bot answered");
        assert!(talk.says("24 jam") && talk.says("Ambil alih"), "{}", talk.text);
        assert!(!talk.says("81299990000"), "the number is masked");

        let taken = dinas.post_and_follow(&format!("{path}/ambil"), &[]).await;
        assert!(taken.says("Percakapan ini sekarang Anda tangani"), "{}", taken.text);
        let before = app.whatsapp.sent_to(STRANGER).len();
        app.writes(STRANGER, "nama saya salah di kartu").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before, "the bot keeps silent");

        let fields = [("do", "send"), ("words", "Mohon bawa KK ke kecamatan."), ("key", "k1")];
        let sent = dinas.post_and_follow(&format!("{path}/balas"), &fields).await;
        assert!(sent.says("Jawaban Anda sedang dikirim") && sent.says("nama saya salah di kartu"));
        dinas.post(&format!("{path}/balas"), &fields).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before + 1, "a second press sends nothing");
        assert_eq!(app.whatsapp.sent_to(STRANGER)[before].text(), "Mohon bawa KK ke kecamatan.");
        let talk = dinas.get(&path).await;
        assert!(talk.says("dinas-3517") && talk.says("terkirim"), "{}", talk.text);

        let closed = dinas.post_and_follow(&format!("{path}/tutup"), &[("how", "tell")]).await;
        assert!(closed.says("Warga diberi tahu") && !closed.says("id=\"jawab\""), "{}", closed.text);
        app.run_until_idle().await;
        assert!(app.whatsapp.sent_to(STRANGER).pop().unwrap().text().contains("menutup percakapan"));
        assert!(dinas.get(&format!("{LIST}?keadaan=selesai")).await.says("Minta petugas"));
        assert_eq!(
            app.trail(id(&path)).await,
            ["read_conversation", "took_over", "answered", "handed_back"],
            "looks within an hour are one"
        );
    }

    async fn a_talk_is_closed_without_a_word_when_the_officer_wants_it_so(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let path = app.newest().await;
        let before = app.whatsapp.sent_to(STRANGER).len();
        let closed = dinas.post_and_follow(&format!("{path}/tutup"), &[("how", "silent")]).await;
        assert!(closed.says("tidak dikirimi apa-apa"), "{}", closed.text);
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(STRANGER).len(), before);
    }

    async fn another_officers_talk_is_answered_only_after_saying_so(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let first = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let second = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        let path = app.newest().await;
        first.post(&format!("{path}/ambil"), &[]).await;
        let page = second.get(&path).await;
        assert!(page.says("sedang menangani ini") && !page.says("id=\"jawab\""), "{}", page.text);
        let fields = [("do", "send"), ("words", "Halo, Bapak/Ibu.")];
        let refused = second.post(&format!("{path}/balas"), &fields).await;
        assert!(refused.says("petugas lain sedang menangani") && refused.says("Halo, Bapak/Ibu."), "{}", refused.text);
        let stale = second.post_and_follow(&format!("{path}/tutup"), &[("how", "tell")]).await;
        assert!(stale.says("sudah berubah"), "nor closed: {}", stale.text);

        let wrong = [("from", "off_01JDXB3E7F0000000000000000")];
        let missed = second.post_and_follow(&format!("{path}/ambil"), &wrong).await;
        assert!(missed.says("sudah berubah"), "it is relieved of whom one saw");
        let from = [("from", first.officer.as_str())];
        let taken = second.post_and_follow(&format!("{path}/ambil"), &from).await;
        assert!(taken.says("sekarang Anda tangani"), "{}", taken.text);
        assert_eq!(second.post(&format!("{path}/balas"), &fields).await.status, StatusCode::SEE_OTHER);
        let refused = first.post(&format!("{path}/balas"), &fields).await;
        assert!(refused.says("petugas lain sedang menangani"));
    }

    async fn what_must_not_be_sent_is_refused_with_a_reason_and_the_words_are_kept(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let path = app.newest().await;
        let send = async |words: &str| {
            dinas.post(&format!("{path}/balas"), &[("do", "send"), ("words", words)]).await
        };
        let nik = send("NIK Anda 3517091204560001").await;
        assert!(nik.says("sesuatu seperti NIK") && nik.says("NIK Anda 3517"), "{}", nik.text);
        assert!(send(" ").await.says("Jawaban kosong"));
        assert!(send(&"a".repeat(1001)).await.says("lebih dari 1000 huruf"));
        app.advance(24 * HOUR).await;
        // A session does not last a day.
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let send = async |words: &str| {
            dinas.post(&format!("{path}/balas"), &[("do", "send"), ("words", words)]).await
        };
        assert!(send("Halo, Bapak/Ibu.").await.says("lebih dari 24 jam lalu"));
        let page = dinas.get(&path).await;
        assert!(page.says("WhatsApp tidak menerima jawaban lagi"), "{}", page.text);
    }

    async fn a_ready_answer_is_added_to_what_is_written_and_measured(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let path = app.newest().await;
        let fields = [("do", "bring_kk"), ("words", "Selamat pagi.")];
        let page = dinas.post(&format!("{path}/balas"), &fields).await;
        assert!(page.says(">Selamat pagi.\nUntuk keperluan ini"), "{}", page.text);
        assert!(page.says("Disdukcapil Kabupaten Jombang dengan membawa KK"));
        let measured = dinas.post(&format!("{path}/ukur"), &[("words", &"a".repeat(161))]).await;
        assert!(measured.says("161 dari 1000 huruf") && measured.says("2 bagian"), "{}", measured.text);
    }

    async fn a_complaint_shows_its_words_category_and_number(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let question = app.asks(&siti.e164, "mau komplain").await;
        app.presses(&siti.e164, &question.choices()[3]).await;
        app.asks(&siti.e164, "di balai desa saya disuruh bayar 100 ribu").await;
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let complaints = kecamatan.get(&format!("{LIST}?jenis=pengaduan")).await;
        assert!(complaints.says("P-") && complaints.says("pungli"), "{}", complaints.text);
        let page = kecamatan.get(&app.newest().await).await;
        assert!(page.says("disuruh bayar 100 ribu") && page.says("inspektorat"), "{}", page.text);
        assert!(!kecamatan.get(&format!("{LIST}?jenis=hapus-data")).await.says("pungli"));
    }

    async fn nobody_sees_a_talk_beyond_their_area_nor_one_of_nobody_known(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.asks(&siti.e164, "mau bicara dengan petugas").await;
        let of_siti = app.newest().await;
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let of_nobody = app.newest().await;
        let near = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let far = Browser::login(&app, OfficerRole::Kecamatan, "35.17.10").await;
        for (browser, path, is_seen) in
            [(&near, &of_siti, true), (&far, &of_siti, false), (&near, &of_nobody, false), (&far, &of_nobody, false)]
        {
            let listed = browser.get(LIST).await.says(id(path));
            assert_eq!(listed, is_seen, "{} {path}", browser.officer);
            let expected = if is_seen { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(browser.get(path).await.status, expected);
            if !is_seen {
                assert_eq!(browser.get(&format!("{path}/langsung")).await.status, expected);
                for act in ["ambil", "balas", "tutup"] {
                    let fields = [("do", "send"), ("words", "Halo")];
                    let answer = browser.post(&format!("{path}/{act}"), &fields).await;
                    assert_eq!(answer.status, expected, "{act}");
                }
            }
        }
        assert_eq!(app.trail(id(&of_nobody)).await, Vec::<String>::new());
        for role in [OfficerRole::Desa, OfficerRole::Auditor, OfficerRole::Partner, OfficerRole::Courier] {
            let browser = Browser::login(&app, role, "35.17").await;
            assert_eq!(browser.get(LIST).await.status, StatusCode::FORBIDDEN, "{role}");
            assert_eq!(browser.get(&of_siti).await.status, StatusCode::FORBIDDEN, "{role}");
        }
    }

    async fn lists_go_on_where_the_page_before_ended(app: TestApp) {
        for n in 0..52 {
            app.writes(&format!("+62812999901{n:02}"), "mau bicara dengan petugas").await;
        }
        app.run_until_idle().await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let first = dinas.get(LIST).await;
        let links = |text: &str| text.matches("/console/percakapan/tkt_").count();
        assert_eq!(links(&first.text), 50);
        let next = first.attributes("href").into_iter().find(|href| href.contains("sesudah")).unwrap();
        let second = dinas.get(&next.replace("&#38;", "&")).await;
        assert_eq!(links(&second.text), 2, "{}", second.text);
    }

    async fn an_open_conversation_hears_of_new_words_and_of_its_end(app: TestApp) {
        app.asks(STRANGER, "mau bicara dengan petugas").await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let path = app.newest().await;
        let live = async || {
            let request = dinas.request(Method::GET, &format!("{path}/langsung"));
            let mut events = request.send().await.unwrap();
            String::from_utf8(events.chunk().await.unwrap().unwrap().to_vec()).unwrap()
        };
        let first = live().await;
        assert!(first.starts_with("event: part\ndata: "), "{first}");
        assert!(first.contains("mau bicara dengan petugas"), "{first}");
        dinas.post(&format!("{path}/tutup"), &[("how", "silent")]).await;
        assert!(live().await.starts_with("event: end"));
    }
}
