//! Officers at work in their chat with the bot: how a chat becomes theirs, what `/kartu` tells whom, and a broadcast
//! from its first word to its last phone. The whole service on our side, the sandbox as Telegram.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::id::OfficerId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::sandbox::Bubble;
use kabar::service::officer::{Change, change};
use serde_json::{Value, json};

use crate::support::citizen::Citizen;
use crate::support::console::Browser;
use crate::support::{Start, citizen, on_both_engines};
use crate::telegram_office::Desk;

const JABON: &str = "35.17.09.2018";
const NEXT_DESA: &str = "35.17.09.2019";
const MINUTE: Duration = Duration::from_secs(60);
const BREATH: Duration = Duration::from_secs(3);

/// The code on an officer's own page.
pub async fn code(browser: &Browser) -> String {
    let page = browser.post("/console/akun/telegram", &[]).await;
    let code = page.text.split("<strong>/petugas ").nth(1).expect("a code");
    code.split('<').next().unwrap().to_owned()
}

/// An officer with a browser, and a phone whose chat is tied.
pub async fn tied(desk: &Desk, role: OfficerRole, area: &str, n: usize) -> (Browser, Citizen) {
    let browser = Browser::login(&desk.app, role, area).await;
    let phone = citizen(n);
    let said = asks(desk, &phone, &format!("/petugas {}", code(&browser).await)).await;
    assert!(said.starts_with("Terhubung sebagai"), "{said}");
    (browser, phone)
}

/// Writes, no faster than Telegram lets the bot answer one chat, and gives what is answered.
pub async fn asks(desk: &Desk, phone: &Citizen, words: &str) -> String {
    desk.app.clock.advance(BREATH);
    desk.writes(phone, words).await;
    desk.last(phone)
}

/// Presses the newest button with that title and gives what comes of it.
async fn presses(desk: &Desk, phone: &Citizen, title: &str) -> String {
    let bubbles = desk.on_phone(phone);
    let mut buttons = bubbles.iter().rev().flat_map(|bubble: &Bubble| &bubble.buttons);
    let id = buttons.find(|button| button.title == title);
    let id = id.unwrap_or_else(|| panic!("no button {title}: {bubbles:?}")).id.clone();
    desk.app.clock.advance(BREATH);
    desk.presses(phone, &id).await;
    desk.last(phone)
}

/// The chat that the bot wrote to last.
fn chat(desk: &Desk) -> i64 {
    desk.sandbox.sent().pop().unwrap().body["chat_id"].as_i64().unwrap()
}

pub fn text_update(id: i64, chat: i64, kind: &str, text: &str) -> Value {
    let from = if kind == "private" { chat } else { 77 };
    json!({ "update_id": id, "message": {
        "message_id": id, "date": 1_795_000_000, "text": text,
        "chat": { "id": chat, "type": kind }, "from": { "id": from, "is_bot": false } } })
}

async fn actions(desk: &Desk, who: &str) -> Vec<String> {
    let rows = format!("SELECT action FROM audit WHERE who = '{who}' ORDER BY id");
    desk.app.query(&rows).await.concat()
}

/// When a broadcast was changed last.
pub async fn updated_at(desk: &Desk, id: &str) -> i64 {
    let rows = desk.app.query(&format!("SELECT updated_at FROM broadcast WHERE id = '{id}'")).await;
    rows.concat()[0].parse().unwrap()
}

async fn tied_chats(desk: &Desk) -> usize {
    desk.app.query("SELECT officer_id FROM officer_chat").await.len()
}

/// Title and text of a notice, up to the question for whom it is.
async fn writes_notice(desk: &Desk, phone: &Citizen) {
    assert!(asks(desk, phone, "/siarkan").await.starts_with("Tulis judul"));
    assert!(asks(desk, phone, "perekaman KTP-el").await.starts_with("Tulis isi"));
    let asked = asks(desk, phone, "Warga yang belum rekam silakan datang ke balai desa.").await;
    assert!(asked.starts_with("Untuk warga mana"), "{asked}");
}

/// The same up to its preview.
async fn writes_broadcast(desk: &Desk, phone: &Citizen, area: &str) -> String {
    writes_notice(desk, phone).await;
    presses(desk, phone, area).await;
    presses(desk, phone, "semua warga").await
}

/// An office in which one recipient is too many to go out unseen.
fn strict(mut start: Start) -> Start {
    start.settings.broadcast.approve_over = 0;
    start
}

on_both_engines! {
    async fn an_officer_ties_a_chat_by_a_code_and_lets_go_of_it(start: Start) {
        let desk = Desk::open(start).await;
        let browser = Browser::login(&desk.app, OfficerRole::Kecamatan, "35.17.09").await;
        let code = code(&browser).await;
        let (phone, other) = (citizen(51), citizen(52));
        let welcome = asks(&desk, &phone, &format!("/petugas {code}")).await;
        assert!(welcome.contains("(kecamatan, 35.17.09)"), "{welcome}");
        let kept = desk.app.query("SELECT chat_hash, chat_sealed FROM officer_chat").await.concat();
        assert!(kept.iter().all(|kept| !kept.contains(&chat(&desk).to_string())), "{kept:?}");
        assert!(browser.get("/console/akun").await.says("Terhubung sejak"));

        asks(&desk, &other, &format!("/petugas {code}")).await;
        assert_eq!(tied_chats(&desk).await, 1, "a code is good once");
        assert!(asks(&desk, &phone, "/petugas keluar").await.contains("sudah dilepas"));
        assert_eq!(tied_chats(&desk).await, 0);
        assert!(!asks(&desk, &phone, "/kartu Budi").await.contains("Tidak ditemukan di wilayah"));
        let done = actions(&desk, &browser.officer).await;
        assert!(done.ends_with(&["made_chat_code".into(), "tied_chat".into(), "untied_chat".into()]),
                "{done:?}");

        tied(&desk, OfficerRole::Kecamatan, "35.17.09", 52).await;
        browser.post("/console/akun/telegram/lepas", &[]).await;
        assert_eq!(tied_chats(&desk).await, 0, "the console lets go of it too");
    }

    async fn a_code_that_is_too_old_ties_nothing(start: Start) {
        let desk = Desk::open(start).await;
        let browser = Browser::login(&desk.app, OfficerRole::Desa, JABON).await;
        let code = code(&browser).await;
        desk.app.advance(11 * MINUTE).await;
        let said = asks(&desk, &citizen(51), &format!("/petugas {code}")).await;
        assert!(said.contains("lewat 10 menit"), "{said}");
        assert_eq!(tied_chats(&desk).await, 0);
    }

    async fn who_tries_codes_is_told_nothing_and_locked_out_for_an_hour(start: Start) {
        let desk = Desk::open(start).await;
        let (phone, other) = (citizen(51), citizen(52));
        let plain = |said: String| said.replace(|c: char| c.is_ascii_digit(), "#");
        for guess in ["AAAA-2222", "AAAA-2223", "AAAA-2224", "AAAA-2225", "AAAA-2226"] {
            let said = asks(&desk, &phone, &format!("/petugas {guess}")).await;
            assert!(!said.is_empty());
            assert_eq!(plain(said), plain(asks(&desk, &other, "/petugas").await), "{guess}");
        }
        let browser = Browser::login(&desk.app, OfficerRole::Desa, JABON).await;
        let right = format!("/petugas {}", code(&browser).await);
        asks(&desk, &phone, &right).await;
        assert_eq!(tied_chats(&desk).await, 0, "not even the right one is looked at");
        asks(&desk, &other, &right).await;
        assert_eq!(tied_chats(&desk).await, 1, "others are not kept out");
        desk.app.advance(61 * MINUTE).await;
        tied(&desk, OfficerRole::Desa, JABON, 51).await;
    }

    async fn nothing_of_it_works_in_a_group(start: Start) {
        let desk = Desk::open(start).await;
        let browser = Browser::login(&desk.app, OfficerRole::Desa, JABON).await;
        let code = code(&browser).await;
        desk.brings(text_update(1, -100_200, "group", &format!("/petugas {code}"))).await;
        desk.brings(text_update(2, -100_200, "supergroup", "/kartu Budi")).await;
        assert_eq!(tied_chats(&desk).await, 0);
        assert!(desk.sandbox.sent().iter().all(|sent| sent.body["chat_id"] != -100_200));
        tied(&desk, OfficerRole::Desa, JABON, 51).await;
    }

    async fn kartu_tells_a_little_masked_and_only_of_ones_own_area(start: Start) {
        let desk = Desk::open(start).await;
        let (mine, theirs) = (citizen(1), citizen(2).named("Budi Hartono").of_area(NEXT_DESA));
        desk.card(&mine, "CARD_PRINTED").await;
        desk.card(&theirs, "CARD_PRINTED").await;
        let (browser, phone) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        let by_name = asks(&desk, &phone, "/kartu budi").await;
        assert!(by_name.contains("Budi S.") && by_name.contains("sudah dicetak"), "{by_name}");
        assert!(!by_name.contains("Budi H.") && !by_name.contains("Santoso"), "{by_name}");
        let by_nik = asks(&desk, &phone, &format!("/kartu {}", mine.nik)).await;
        assert!(by_nik.contains("Budi S.") && !by_nik.contains(&mine.nik), "{by_nik}");
        for words in [theirs.nik.as_str(), "hartono"] {
            let said = asks(&desk, &phone, &format!("/kartu {words}")).await;
            assert_eq!(said, "Tidak ditemukan di wilayah Anda.");
        }
        let searched = "SELECT object FROM audit WHERE action = 'searched' ORDER BY id";
        assert_eq!(desk.app.query(searched).await.concat(), ["name", "nik", "nik", "name"]);
        let card = desk.app.query("SELECT c.id FROM card c JOIN person p ON p.id = c.person_id \
                                   WHERE p.area = '35.17.09.2018'").await.concat();
        let looked = format!("SELECT object FROM audit WHERE action = 'looked_at_card' \
                              AND who = '{}'", browser.officer);
        assert_eq!(desk.app.query(&looked).await.concat(), [card.clone(), card].concat());
        assert!(asks(&desk, &phone, "/kartu 0812-3456-0001").await.contains("Nomor HP tidak"));
        let kept = desk.app.query("SELECT intent FROM inbound").await;
        assert!(kept.is_empty(), "what an officer looks for is no conversation: {kept:?}");
    }

    async fn of_many_five_are_shown(start: Start) {
        let desk = Desk::open(start).await;
        for n in 1..=7 {
            desk.card(&citizen(n).named("Sri Wahyuni"), "CARD_PRINTED").await;
        }
        let (_, phone) = tied(&desk, OfficerRole::Kecamatan, "35.17.09", 51).await;
        let said = asks(&desk, &phone, "/kartu sri").await;
        assert_eq!(said.matches("Sri W.").count(), 5, "{said}");
        assert!(said.contains("7 kartu cocok, 5 ditampilkan"), "{said}");
    }

    async fn who_they_are_is_judged_anew_at_every_command(start: Start) {
        let desk = Desk::open(start).await;
        desk.card(&citizen(1), "CARD_PRINTED").await;
        let (browser, phone) = tied(&desk, OfficerRole::Kecamatan, "35.17.09", 51).await;
        assert!(asks(&desk, &phone, "/kartu budi").await.contains("Budi S."));
        let id: OfficerId = browser.officer.parse().unwrap();
        let becomes = async |what: Change| {
            change(&desk.app.app, &Actor::cli(), id, &what).await.unwrap();
        };
        let elsewhere = AreaCode::parse("35.17.10").unwrap();
        becomes(Change::Place(OfficerRole::Kecamatan, elsewhere.clone())).await;
        assert!(asks(&desk, &phone, "/kartu budi").await.contains("Tidak ditemukan"));
        becomes(Change::Place(OfficerRole::Partner, elsewhere)).await;
        assert!(asks(&desk, &phone, "/kartu budi").await.contains("Peran Anda (mitra)"));
        becomes(Change::Password).await;
        assert!(asks(&desk, &phone, "/kartu budi").await.contains("ganti kata sandi"));
        becomes(Change::Disable).await;
        let said = asks(&desk, &phone, "/kartu budi").await;
        assert!(!said.contains("Peran Anda") && !said.contains("kata sandi"), "{said}");
    }

    async fn an_officer_may_ask_like_everybody(start: Start) {
        let desk = Desk::open(start).await;
        let (_, phone) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        let said = asks(&desk, &phone, "berapa biaya bikin KTP?").await;
        assert!(said.to_lowercase().contains("gratis"), "{said}");
    }

    async fn a_broadcast_goes_from_a_chat_to_every_phone_once_a_second_person_agrees(start: Start) {
        let (desk, siti) = Desk::joined(strict(start)).await;
        let (maker, author) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        let (checker, kecamatan) = tied(&desk, OfficerRole::Kecamatan, "35.17.09", 52).await;
        tied(&desk, OfficerRole::Kecamatan, "35.17.10", 53).await;
        let preview = writes_broadcast(&desk, &author, JABON).await;
        assert!(preview.contains("Akan menerima: 1 dari 1 orang\nTelegram: 1"), "{preview}");
        assert!(preview.contains("Biaya: Rp0.") && preview.contains("orang kedua"), "{preview}");

        presses(&desk, &author, "Coba ke saya").await;
        let tried = desk.on_phone(&author).into_iter().filter(|b| b.text.contains("tentang perekaman"));
        assert_eq!(tried.count(), 1, "{:?}", desk.on_phone(&author));
        let before = desk.on_phone(&siti).len();
        assert!(presses(&desk, &author, "Minta persetujuan").await.starts_with("Menunggu"));
        assert!(desk.on_phone(&citizen(53)).len() == 1, "of another kecamatan nobody is asked");
        let asked = desk.last(&kecamatan);
        assert!(asked.contains("meminta persetujuan") && asked.contains("Penerima: 1"), "{asked}");
        assert_eq!(desk.on_phone(&siti).len(), before, "nothing leaves before");

        assert!(presses(&desk, &kecamatan, "Setujui").await.starts_with("Disetujui."));
        assert!(desk.last(&author).contains("disetujui"), "{}", desk.last(&author));
        assert!(presses(&desk, &author, "Kirim").await.contains("mulai dikirim"));
        let got = desk.on_phone(&siti);
        assert_eq!(got.len(), before + 1, "{got:?}");
        assert!(got[before].text.contains("silakan datang ke balai desa"), "{}", got[before].text);
        assert!(presses(&desk, &author, "Kirim").await.starts_with("Pengumuman ini sekarang"));
        assert_eq!(desk.on_phone(&siti).len(), before + 1, "pressed twice it goes out once");

        let who = desk.app.query("SELECT maker, checker FROM broadcast").await.concat();
        assert_eq!(who, [maker.officer.clone(), checker.officer.clone()]);
        let done = actions(&desk, &maker.officer).await;
        for action in ["wrote_broadcast", "tested_broadcast", "submitted_broadcast", "sent_broadcast"] {
            assert!(done.iter().any(|found| found == action), "{action}: {done:?}");
        }
        let done = actions(&desk, &checker.officer).await;
        assert_eq!(done.last().map(String::as_str), Some("approved_broadcast"));
    }

    async fn it_is_sent_back_with_a_reason_or_agreed_to_in_the_console(start: Start) {
        let (desk, _) = Desk::joined(strict(start)).await;
        let (_, author) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        let (_, kecamatan) = tied(&desk, OfficerRole::Kecamatan, "35.17.09", 52).await;
        writes_broadcast(&desk, &author, JABON).await;
        presses(&desk, &author, "Minta persetujuan").await;
        assert!(presses(&desk, &kecamatan, "Kembalikan").await.starts_with("Tulis alasannya"));
        let said = asks(&desk, &kecamatan, "Mohon tulis jamnya.").await;
        assert!(said.starts_with("Dikembalikan"), "{said}");
        let heard = desk.last(&author);
        assert!(heard.contains("dikembalikan") && heard.ends_with("Mohon tulis jamnya."), "{heard}");

        writes_broadcast(&desk, &author, JABON).await;
        presses(&desk, &author, "Minta persetujuan").await;
        let dinas = Browser::login(&desk.app, OfficerRole::Dinas, "35.17").await;
        let id = desk.app.query("SELECT id FROM broadcast WHERE state = 'submitted'").await.concat();
        dinas.post(&format!("/console/siaran/{}/setujui", id[0]), &[]).await;
        desk.settle().await;
        assert!(desk.last(&author).contains("disetujui dinas-3517"), "{}", desk.last(&author));
        let late = presses(&desk, &kecamatan, "Setujui").await;
        assert!(late.contains("sekarang disetujui"), "{late}");
    }

    async fn a_button_under_words_that_were_changed_since_agrees_to_nothing(start: Start) {
        let (desk, siti) = Desk::joined(strict(start)).await;
        let (maker, author) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        let (_, kecamatan) = tied(&desk, OfficerRole::Kecamatan, "35.17.09", 52).await;
        writes_broadcast(&desk, &author, JABON).await;
        presses(&desk, &author, "Minta persetujuan").await;
        let id = desk.app.query("SELECT id FROM broadcast").await.concat().remove(0);
        let old = format!("petugas:approve:{id}:{:x}", updated_at(&desk, &id).await);
        let other = [("title", "lain"), ("text", "Kata lain."), ("areas", JABON), ("when", "now")];
        desk.app.clock.advance(BREATH);
        maker.post(&format!("/console/siaran/{id}/ubah"), &other).await;
        maker.post(&format!("/console/siaran/{id}/ajukan"), &[]).await;
        desk.settle().await;
        desk.app.clock.advance(BREATH);
        desk.presses(&kecamatan, &old).await;
        assert!(desk.last(&kecamatan).starts_with("Belum dilakukan"), "{}", desk.last(&kecamatan));
        let old_page = [("seen", "1")];
        let dinas = Browser::login(&desk.app, OfficerRole::Dinas, "35.17").await;
        let page = dinas.post_and_follow(&format!("/console/siaran/{id}/setujui"), &old_page).await;
        assert!(page.says("Belum dilakukan"), "{}", page.text);
        let state = desk.app.query("SELECT state FROM broadcast").await.concat();
        assert_eq!(state, ["submitted"]);
        assert!(presses(&desk, &kecamatan, "Setujui").await.starts_with("Disetujui."));

        // What an officer is writing stays when they press an old button of another notice.
        writes_notice(&desk, &kecamatan).await;
        desk.app.clock.advance(BREATH);
        desk.presses(&kecamatan, &old).await;
        assert!(desk.last(&kecamatan).contains("sekarang"), "{}", desk.last(&kecamatan));
        presses(&desk, &kecamatan, "35.17.09").await;
        assert_eq!(desk.on_phone(&siti).len(), 1, "nothing was sent");
    }

    async fn the_maker_cannot_agree_to_their_own(start: Start) {
        let (desk, _) = Desk::joined(strict(start)).await;
        let (maker, phone) = tied(&desk, OfficerRole::Dinas, "35.17", 51).await;
        writes_broadcast(&desk, &phone, "35.17").await;
        assert!(presses(&desk, &phone, "Minta persetujuan").await.starts_with("Menunggu"));
        let id = desk.app.query("SELECT id FROM broadcast").await.concat().remove(0);
        let own = chat(&desk);
        let at = updated_at(&desk, &id).await;
        desk.brings(press_update(9, own, &format!("petugas:approve:{id}:{at:x}"))).await;
        assert!(desk.last(&phone).contains("tidak dapat menyetujui sendiri"), "{}", desk.last(&phone));
        let done = actions(&desk, &maker.officer).await;
        assert!(!done.iter().any(|action| action == "approved_broadcast"), "{done:?}");
    }

    async fn nobody_writes_beyond_their_area(start: Start) {
        let desk = Desk::open(start).await;
        let (_, author) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        writes_notice(&desk, &author).await;
        for beyond in [NEXT_DESA, "35.17.09", "62"] {
            let said = asks(&desk, &author, beyond).await;
            assert!(said.starts_with("Itu di luar wilayah"), "{beyond}: {said}");
        }
        assert!(asks(&desk, &author, "Antah Berantah").await.contains("tidak ditemukan"));
        assert!(asks(&desk, &author, JABON).await.contains("yang mana?"));
        assert!(desk.app.query("SELECT id FROM broadcast").await.is_empty());
    }

    async fn steps_outlive_a_restart_and_end_after_half_an_hour(start: Start) {
        let desk = Desk::open(start).await;
        let (_, author) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        let own = chat(&desk);
        asks(&desk, &author, "/siarkan").await;
        let desk = desk.restart().await;
        desk.brings(text_update(1, own, "private", "perekaman KTP-el")).await;
        assert!(desk.last(&author).starts_with("Tulis isi"), "{}", desk.last(&author));
        desk.app.advance(31 * MINUTE).await;
        desk.brings(text_update(2, own, "private", "/batal")).await;
        let said = desk.last(&author);
        assert!(!said.contains("Tidak ada yang dikirim"), "it is a citizen's word again: {said}");
        desk.brings(press_update(3, own, "petugas:card:all")).await;
        assert!(desk.last(&author).starts_with("Langkah ini sudah lewat"), "{}", desk.last(&author));
    }

    async fn what_was_begun_is_left_with_batal_and_numbers_do_not_pass(start: Start) {
        let (desk, _) = Desk::joined(start).await;
        let (_, author) = tied(&desk, OfficerRole::Desa, JABON, 51).await;
        asks(&desk, &author, "/siarkan").await;
        let long = "sosialisasi ".repeat(6);
        assert!(asks(&desk, &author, &long).await.starts_with("Terlalu panjang: 71 huruf"));
        let said = asks(&desk, &author, "hubungi 081234567890").await;
        assert!(said.starts_with("Ada nomor di dalamnya"), "{said}");
        assert!(asks(&desk, &author, "/batal").await.starts_with("Dibatalkan."));
        writes_broadcast(&desk, &author, JABON).await;
        assert!(asks(&desk, &author, "dan lagi").await.starts_with("Pilih salah satu tombol"));
        assert!(asks(&desk, &author, "/batal").await.starts_with("Pengumuman dibatalkan"));
        assert_eq!(desk.app.query("SELECT state FROM broadcast").await.concat(), ["cancelled"]);
    }
}

pub fn press_update(id: i64, chat: i64, data: &str) -> Value {
    json!({ "update_id": id, "callback_query": {
        "id": id.to_string(), "data": data, "from": { "id": chat, "is_bot": false },
        "message": { "message_id": id, "date": 1_795_000_000,
            "chat": { "id": chat, "type": "private" } } } })
}
