//! The script as it stands in the folder, and the conversations of `tests/dialogues`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;

use super::embedded::FILES;
use super::transcript::Transcript;
use super::*;
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Choice;
use crate::domain::survey::Element;
use crate::understand::{LABELS, Understanding};

fn project() -> PathBuf {
    // The folder of the crate holds `src`; this file tells where, whatever compiles it.
    let file = Path::new(file!());
    let src = file.ancestors().find(|path| path.ends_with("src")).expect("stands below src");
    let root = src.parent().expect("src has a parent");
    if root.is_absolute() { root.into() } else { Path::new(env!("CARGO_MANIFEST_DIR")).join(root) }
}

pub(super) fn script() -> &'static Script {
    static SCRIPT: OnceLock<Script> = OnceLock::new();
    SCRIPT.get_or_init(|| match Script::embedded(LABELS) {
        Ok(script) => script,
        Err(problems) => panic!("{}", problems.join("\n")),
    })
}

fn understand(text: &str) -> Meaning {
    static UNDERSTANDING: OnceLock<Understanding> = OnceLock::new();
    let meaning =
        UNDERSTANDING.get_or_init(|| Understanding::train(script().examples())).understand(text);
    Meaning {
        intent: meaning.intent,
        confidence: meaning.confidence,
        alternatives: meaning.alternatives,
        also: meaning.also,
        perhaps: meaning.perhaps,
    }
}

pub(super) fn input(text: &str) -> Input {
    Input {
        text: text.into(),
        had_nik: false,
        choice: None,
        meaning: understand(text),
        is_registered: true,
        is_opted_out: false,
        cards: vec![card("crd_1", "Siti A."), card("crd_2", "Budi S.")],
        reference: None,
        connection: None,
        served: ChannelKind::ALL.to_vec(),
        reachable: ChannelKind::ALL.to_vec(),
        office: "Dukcapil Contoh".into(),
        channel: ChannelKind::Whatsapp,
        area: AreaCode::nationwide(),
        points: None,
        areas: Vec::new(),
        ticket: None,
        complaint: None,
        number: None,
        waiting: None,
        office_opens: None,
        outages: Vec::new(),
        kept: None,
        survey: Some(Element::ALL.to_vec()),
        deliveries: None,
        sessions: Some(Vec::new()),
        served_by_visit: Some(Vec::new()),
        booking: Some(BookingFact::default()),
        slot: None,
        home: Some(HomeFact::default()),
        desas: Some(Vec::new()),
        now: Timestamp::from_ms(0),
    }
}

fn card(id: &str, who: &str) -> CardFact {
    CardFact {
        id: id.into(),
        who: who.into(),
        document: "KTP-el".into(),
        status: "sudah dicetak".into(),
        as_of: "21 November".into(),
        place: None,
        appointment: None,
        bring: None,
        is_ready: false,
        kept_by: Vec::new(),
        ahead: None,
    }
}

fn said(step: &Step) -> String {
    step.replies.iter().map(|reply| reply.text.as_str()).collect()
}

#[test]
fn every_transcript_is_what_is_really_said() {
    let mut problems = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(project().join("tests/dialogues")).expect("the folder is there")
    {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        count += 1;
        match Transcript::parse(&text) {
            Ok(transcript) => problems.extend(
                transcript
                    .play(script(), &understand)
                    .into_iter()
                    .map(|problem| format!("{}: {problem}", path.display())),
            ),
            Err(problem) => problems.push(format!("{}: {problem}", path.display())),
        }
    }
    assert!(count >= 12, "only {count} transcripts were found");
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn what_is_kept_fits_a_phone_however_much_it_is() {
    let ticket = |n: usize| KeptTicket {
        kind: ["complaint", "human", "deletion"][n % 3].to_owned(),
        number: Some("P-7KQ4".to_owned()),
        state: ["open", "taken", "closed"][n % 3].to_owned(),
    };
    for (language, people) in
        [(Language::Indonesian, 1), (Language::English, 1), (Language::Indonesian, 9)]
    {
        for channel in [ChannelKind::Whatsapp, ChannelKind::Sms] {
            let own = KeptPerson {
                who: Some("Muhammadiyah S.".to_owned()),
                phone: Some("+62 812-****-**90".to_owned()),
                since: "22 September 2026".to_owned(),
                has_area: true,
                has_address: true,
                channel: Some("whatsapp".to_owned()),
                updates: (0..30).map(|n| (format!("crd_{n}"), 1000)).collect(),
            };
            let mut input = Input { channel, ..input("DATA SAYA") };
            input.cards = (0..30).map(|n| card(&format!("crd_{n}"), "Muhammadiyah S.")).collect();
            input.kept = Some(KeptFact {
                since: "22 September 2026".to_owned(),
                received: 123_456,
                sent: 123_456,
                questions: 20,
                consent_since: Some("22 September 2026".to_owned()),
                is_stranger: false,
                appointments: vec!["J-7KQ4".to_owned(); 3],
                home_visits: vec!["R-7KQ4".to_owned(); 2],
                tickets: (0..100).map(ticket).collect(),
                people,
                own: (people == 1).then_some(own),
            });
            let state = State { language, ..State::default() };
            let short = step(script(), &state, &input);
            let size = |text: &str| text.chars().count();
            let most = if channel == ChannelKind::Sms { 459 } else { 700 };
            let text = said(&short);
            assert!(short.replies.len() == 1 && size(&text) <= most, "{}: {text}", size(&text));
            assert!(text.contains("LENGKAP") && text.contains("HAPUS DATA"), "{text}");
            input.text = "LENGKAP".to_owned();
            let full = step(script(), &short.state, &input);
            assert_eq!(full.replies.len(), 3, "{}", said(&full));
            assert!(said(&full).contains("27/2022"), "the rights stand last and are not cut off");
            let most = if channel == ChannelKind::Sms { 459 } else { 1_024 };
            assert!(full.replies.iter().all(|reply| size(&reply.text) <= most));
        }
    }
}

#[test]
fn a_transcript_that_expects_something_else_fails() {
    let play = |text: &str| Transcript::parse(text).expect("readable").play(script(), &understand);
    assert_eq!(play("> menu\n< Saya penjawab otomatis…\n< …"), Vec::<String>::new());
    assert_eq!(play("> menu\n< Saya penjawab…gratis.\n< …").len(), 1);
    assert_eq!(play("> berhenti\n< Baik, kami…").len(), 1, "the effect is missing");
    assert!(Transcript::parse("< nobody has spoken").is_err());
    assert!(Transcript::parse("# channel: pigeon\n> halo").is_err());
}

#[test]
fn what_is_compiled_in_is_what_stands_in_the_folder() {
    let root = project().join("message_templates");
    let mut found = BTreeSet::new();
    let mut folders = vec!["answers".to_owned(), "dialogue".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).expect("the folder is there") {
            let entry = entry.expect("readable");
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            // The questions have a list and a test of their own.
            if name == "dialogue/questions" {
                continue;
            }
            if entry.path().is_dir() { folders.push(name) } else { assert!(found.insert(name)) }
        }
    }
    let compiled: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(compiled, found);
    assert!(Script::load(&root, LABELS).is_ok());
}

#[test]
fn a_faulty_folder_is_refused_with_every_problem_named() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in FILES {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        std::fs::write(&path, text).expect("written");
    }
    let change = |name: &str, from: &str, to: &str| {
        let path = dir.path().join(name);
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(text.contains(from), "{name} holds {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("written");
    };
    assert!(Script::load(dir.path(), LABELS).is_ok());
    change("answers/fee.toml", "checked_on = \"2026-11-22\"", "checked_on = \"kemarin\"");
    change(
        "answers/kia.toml",
        "yang belum menikah.",
        "yang belum menikah! Lihat https://contoh.invalid",
    );
    change("answers/ktp_lost.toml", "title =", "titel =");
    change("answers/blanko.toml", "blanko_out", "blanko_in");
    change("dialogue/status.toml", "{{ card.who }}", "{{ card.nik }}");
    change("dialogue/ask.toml", "[line.unknown]", "[line.unkown]");
    change("dialogue/telegram.toml", "\"syarat\"", "\"sarat\"");
    change("dialogue/buttons.toml", "Cek status", "Lihat keadaan kartu saya");
    std::fs::remove_file(dir.path().join("answers/language.toml")).expect("removed");
    let problems = Script::load(dir.path(), LABELS).expect_err("refused").join("\n");
    for part in [
        "answers/fee.toml: `checked_on` is no date",
        "answers/kia.toml: the short form for chat (id) has an exclamation mark",
        "answers/ktp_lost.toml: at line",
        "`blanko_in` is no label",
        "`blanko_out` has no answer",
        "dialogue/status.toml: `line.status` cannot be rendered",
        "dialogue/telegram.toml: `sarat` is no command",
        "`line.unkown` is not known",
        "`line.unknown` is missing",
        "`status` must have 1 to 20 characters",
        "`language` has no answer",
    ] {
        assert!(problems.contains(part), "{part}\nin\n{problems}");
    }
}

/// The texts in a folder, with what a test writes besides.
fn folder(more: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in FILES.iter().chain(more) {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        std::fs::write(&path, text).expect("written");
    }
    dir
}

/// The script of such a folder.
pub(super) fn load(more: &[(&str, &str)]) -> Result<Script, Vec<String>> {
    Script::load(folder(more).path(), LABELS)
}

pub(super) const LOCAL: &str =
    "english = \"Local.\"\nsource = \"dinas\"\nchecked_on = \"2026-10-01\"\n";

#[test]
fn an_area_replaces_or_adds_field_by_field_and_the_narrower_one_wins() {
    let rule = |text: &str| format!("{text}\n{LOCAL}");
    let files = [
        (
            "answers/area/35/ktp_lost.toml",
            rule("area = \"Jawa Timur\"\nbring_add = [\"pas foto latar merah\"]"),
        ),
        (
            "answers/area/35.17/ktp_lost.toml",
            rule("bring_add = [\"surat pengantar RT/RW\"]\nnote = \"Datang pagi.\""),
        ),
        (
            "answers/area/35.17.08/ktp_lost.toml",
            rule(
                "area = \"Kecamatan Diwek\"\nnote_add = \"Bawa fotokopi juga.\"\nwhere = \"loket 2\"",
            ),
        ),
        (
            "answers/area/36.03/birth_certificate.toml",
            rule(
                "area = \"Kabupaten Tangerang\"\ncost = \"Gratis; lapor terlambat didenda menurut Perda\"\nlegal_basis = \"Perda contoh\"",
            ),
        ),
        (
            "answers/area/72.71/collection_representative.toml",
            rule(
                "area = \"Kota Palu\"\nlead = \"KTP-el hanya diserahkan kepada pemiliknya.\"\nbring = [\"KTP lama\"]\nforms = []\nsteps = []",
            ),
        ),
        (
            "answers/area/62/validity.toml",
            rule("area = \"Kalimantan Tengah\"\nlead = \"Datang ke kantor.\"\nbring = [\"KK\"]"),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let dir = folder(&files);
    let mut script = match Script::load(dir.path(), LABELS) {
        Ok(script) => script,
        Err(problems) => panic!("{}", problems.join("\n")),
    };
    let area = |code: &str| AreaCode::parse(code).expect("a code");
    script.name_areas([(area("35.17"), "Kabupaten Jombang".to_owned())].into());
    let text = |script: &Script, label: &str, code: &str, is_full: bool| {
        let (chat, language) = (ChannelKind::Whatsapp, Language::Indonesian);
        let found = if is_full {
            script.answer_full(label, &area(code), chat, language)
        } else {
            script.answer_in(label, &area(code), chat, language, "Dukcapil")
        };
        found.expect("an answer")
    };
    let short = |label: &str, code: &str| text(&script, label, code, false);
    let full = |label: &str, code: &str| text(&script, label, code, true);
    let elsewhere = short("req_ktp_lost", "33.01.01.2001");
    assert!(elsewhere.contains("Bawa: surat kehilangan dari kepolisian dan KK."), "{elsewhere}");
    assert!(!elsewhere.contains("aturan Ja") && !elsewhere.contains("Ini aturan"), "{elsewhere}");
    let province = short("req_ktp_lost", "35.78");
    assert!(province.contains("KK, dan pas foto latar merah."), "{province}");
    assert!(province.contains("Ini aturan Jawa Timur."), "{province}");
    let diwek = short("req_ktp_lost", "35.17.08.2014");
    assert!(diwek.contains("KK, pas foto latar merah, dan surat pengantar RT/RW."), "{diwek}");
    assert!(diwek.contains("Datang pagi. Bawa fotokopi juga."), "{diwek}");
    assert!(
        diwek.contains("Tempat: loket 2.") && diwek.contains("Ini aturan Kecamatan Diwek."),
        "{diwek}"
    );
    let whole = full("req_ktp_lost", "35.17.08.2014");
    let places: Vec<Option<usize>> = [
        "Menurut aturan Kecamatan Diwek, diperiksa 1 Oktober 2026.",
        "Menurut aturan Kabupaten Jombang, diperiksa 1 Oktober 2026.",
        "Menurut aturan Jawa Timur, diperiksa 1 Oktober 2026.",
        "Selebihnya menurut aturan nasional, diperiksa 22 November 2026.",
    ]
    .iter()
    .map(|part| whole.find(part))
    .collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{whole}");
    let fined = short("req_birth_certificate", "36.03.12");
    assert!(fined.contains("Gratis; lapor terlambat didenda menurut Perda."), "{fined}");
    assert!(full("req_birth_certificate", "36.03.12").contains("Dasar: Perda contoh."));
    let palu = short("collection_representative", "72.71.01");
    assert!(
        palu.contains("hanya diserahkan kepada pemiliknya") && !palu.contains("F-1.07"),
        "{palu}"
    );
    let validity = short("validity", "62.03");
    assert!(
        validity.contains("Datang ke kantor.") && !validity.contains("seumur hidup"),
        "{validity}"
    );
    // What one area says does not leak into another, nor the name of one that has none.
    let (chat, english) = (ChannelKind::Whatsapp, Language::English);
    let told = script.answer_in("validity", &area("62.03"), chat, english, "Dukcapil");
    assert_eq!(told.as_deref(), Some("Local.\nThis is the rule of Kalimantan Tengah."));
    script.name_areas([].into());
    assert!(text(&script, "req_ktp_lost", "35.17", false).contains("Ini aturan daerah Anda."));
}

#[test]
fn a_faulty_rule_of_an_area_is_refused_with_its_file_and_what_to_do() {
    let rule = |text: &str| format!("{text}\n{LOCAL}");
    let long = format!("note = \"{}\"", "kata ".repeat(100));
    let no_english = LOCAL.replace("english = \"Local.\"\n", "");
    let files = [
        ("answers/area/35.17/ktp_lots.toml", rule("note = \"x\"")),
        ("answers/area/jombang/ktp_lost.toml", rule("note = \"x\"")),
        ("answers/area/35.18/ktp_lost.toml", rule("")),
        ("answers/area/35.19/ktp_lost.toml", rule("cost = \"Rp20.000\"")),
        ("answers/area/35.20/ktp_lost.toml", rule("notes = \"x\"")),
        ("answers/area/35.21/ktp_lost.toml", format!("note = \"x\"\n{no_english}")),
        ("answers/area/35.22/ktp_lost.toml", rule(&long)),
        ("answers/area/35.23/ktp_lost.toml", rule("note = \"Lihat dinas.example.go.id\"")),
        ("answers/area/35.24/ktp_lost.toml", rule("note = \"{{ kantor }}\"")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let problems = |files: &[(&str, &str)]| {
        Script::load(folder(files).path(), LABELS).expect_err("refused").join("\n")
    };
    for (file, part) in [
        (0, "answers/area/35.17/ktp_lots.toml: changes no answer"),
        (1, "answers/area/jombang/ktp_lost.toml: stands in no folder named by an area code"),
        (2, "answers/area/35.18/ktp_lost.toml: changes nothing"),
        (3, "answers/area/35.19/ktp_lost.toml: `cost` must say \"Gratis\""),
        (4, "answers/area/35.20/ktp_lost.toml: at line"),
        (5, "answers/area/35.21/ktp_lost.toml: `english` is missing"),
        (6, "answers/area/35.22/ktp_lost.toml: the short form for chat (id) has"),
        (7, "answers/area/35.23/ktp_lost.toml: the short form for chat (id) has an address"),
        (8, "answers/area/35.24/ktp_lost.toml: the short form for chat (id) cannot be rendered"),
    ] {
        let found = problems(&files[file..=file]);
        assert!(found.contains(part), "{part}\nin\n{found}");
    }
}

#[test]
fn every_answer_is_short_on_every_channel_and_whole_when_asked() {
    let area = AreaCode::parse("35.17.09.2018").expect("a code");
    let office = "Dinas Kependudukan dan Pencatatan Sipil Kabupaten Penukal Abab Lematang Ilir";
    let mut count = 0;
    for label in LABELS {
        let Some(answer) = script().answer(label) else { continue };
        count += 1;
        for &language in Language::ALL {
            let text = |channel| {
                script().answer_in(label, &area, channel, language, office).expect("an answer")
            };
            let (chat, sms) = (text(ChannelKind::Whatsapp), text(ChannelKind::Sms));
            assert!(chat.chars().count() < 700, "{label}: {chat}");
            assert!(sms.is_ascii() && sms.len() <= 306, "{label}: {} {sms}", sms.len());
            let full = script().answer_full(label, &area, ChannelKind::Whatsapp, language);
            let full = full.expect("an answer");
            assert!(full.contains("22 November 2026"), "{label}: {full}");
            let long = script().answer_full(label, &area, ChannelKind::Sms, language);
            assert!(long.is_some_and(|long| long.is_ascii() && long.len() <= 3 * 459), "{label}");
            if language == Language::Indonesian && !answer.bring.is_empty() {
                for text in [&chat, &sms, &full] {
                    assert!(text.to_lowercase().contains("gratis"), "{label}: {text}");
                }
                assert!(chat.contains("Pasal 79A") && full.contains("kirim LAPOR"), "{label}");
                assert!(sms.ends_with("Balas LENGKAP untuk selengkapnya."), "{label}: {sms}");
            }
        }
    }
    assert!(count > 50, "only {count} answers");
}

#[test]
fn an_answer_is_stale_a_year_and_a_day_after_it_was_looked_up() {
    let day = |text: &str| text.parse().expect("a day");
    assert_eq!(script().stale(day("2027-11-22")), []);
    let stale = script().stale(day("2027-11-23"));
    assert_eq!(stale.len(), FILES.iter().filter(|(name, _)| name.starts_with("answers/")).count());
    assert!(stale.iter().any(|found| found.file == "answers/area/35.17/suket.toml"));
}

#[test]
fn questions_in_the_words_of_citizens_are_understood() {
    for (text, label) in [
        ("perekaman ektp bisa dimana saja ya", "req_recording"),
        ("ktp saya kelipet trus patah gmn gantinya", "req_ktp_damaged"),
        ("habis nikah pengen pisah kk dr mertua", "req_kk_new"),
        ("anak saya baru lahir mau urus akte", "req_birth_certificate"),
        ("hari sabtu kantor buka gak", "opening_hours"),
        ("alamat kantor capil dmn", "location_service_points"),
        ("blangko masih kosong kah", "blanko_out"),
        ("perlu surat rt ga sih buat bikin kk", "rt_letter"),
        ("kalo saya lagi kerja, yg nerima ktp boleh istri?", "home_delivery_receiver"),
        ("nenek saya lumpuh belum rekam ktp, bisa didatangi ke rumah?", "home_visit_elderly"),
        ("pas daftar bpjs nik saya katanya tidak terdaftar", "nik_not_found"),
        ("gimana cara bikin bpjs", "redirect_bpjs"),
        ("ktpsayasudahjadibelum", "status_card"),
        ("sayrat ktp hilnag", "req_ktp_lost"),
        ("geus 3 bulan ktp abdi can jadi keneh", "status_card"),
        ("cara masak opor ayam", "out_of_scope"),
        ("siapa juara piala dunia", "out_of_scope"),
    ] {
        assert_eq!(understand(text).intent, label, "{text}");
    }
}

#[test]
fn every_label_has_a_reply_on_every_channel() {
    for label in LABELS.iter().chain(&["clarify", "no_such_label"]) {
        for &channel in ChannelKind::ALL {
            let mut input = input("x");
            input.channel = channel;
            input.meaning = Meaning {
                intent: (*label).into(),
                confidence: 1.0,
                alternatives: vec![],
                also: None,
                perhaps: None,
            };
            let step = step(script(), &State::default(), &input);
            assert_eq!(step.replies.len(), 1, "{label} on {channel}");
            assert!(said(&step).chars().count() <= 1_024, "{label} on {channel}");
            if channel == ChannelKind::Sms {
                assert!(
                    said(&step).is_ascii() && said(&step).len() <= 459,
                    "{label}: {}",
                    said(&step)
                );
            }
        }
    }
}

#[test]
fn every_line_and_button_has_its_english() {
    for (name, text) in FILES.iter().filter(|(name, _)| name.starts_with("dialogue/")) {
        let file: toml::Table = text.parse().expect("readable");
        for (line, entry) in
            file.get("line").and_then(|lines| lines.as_table()).into_iter().flatten()
        {
            assert!(entry.get("en").is_some(), "{name}: {line} has no English");
        }
        if *name == "dialogue/buttons.toml" {
            for word in
                file.keys().filter(|word| !["en", "english", "indonesian"].contains(&word.as_str()))
            {
                assert!(file["en"].get(word).is_some(), "the button {word} has no English");
            }
        }
    }
}

#[test]
fn while_an_officer_has_the_word_only_commands_are_answered() {
    let talk = Some(TicketFact { place: 0, is_taken: true });
    for text in ["syarat ktp hilang", "1", "K7QX-3M", "CEK#KTP#[NIK]", "", "qwrtzp xkcd"] {
        let mut input = input(text);
        input.ticket = talk;
        let before = State { answered: Some("fee".into()), ..State::default() };
        let step = step(script(), &before, &input);
        assert_eq!((step.replies.len(), step.effects.len()), (0, 0), "{text}");
        assert_eq!(step.state, before, "nothing is forgotten meanwhile");
    }
    for text in ["menu", "BERHENTI", "selesai", "batal"] {
        let mut input = input(text);
        input.ticket = talk;
        assert_eq!(step(script(), &State::default(), &input).replies.len(), 1, "{text}");
    }
}

#[test]
fn a_step_says_which_facts_it_misses_and_needs_none_for_a_question() {
    let needs = |text: &str| {
        let mut input = input(text);
        input.survey = None;
        step(script(), &State::default(), &input).needs
    };
    assert_eq!(needs("syarat ktp hilang"), []);
    assert_eq!(needs("mau bicara dengan petugas"), [Need::Queue]);
    assert_eq!(needs("DATA SAYA"), [Need::Kept]);
    assert_eq!(needs("NILAI"), [Need::Survey]);
}

#[test]
fn both_of_two_questions_are_answered_or_the_second_is_offered() {
    let ask = |intent: &str, also: &str| {
        let mut input = input("x");
        input.meaning = Meaning {
            intent: intent.into(),
            confidence: 1.0,
            alternatives: vec![],
            also: Some(also.into()),
            perhaps: None,
        };
        step(script(), &State::default(), &input)
    };
    for also in ["out_of_scope", "no_such_label", "fee"] {
        let one = ask("fee", also);
        assert_eq!(said(&one), said(&ask("fee", "fee")), "{also}");
        assert!(one.replies.iter().all(|reply| reply.choices.is_empty()), "{also}");
    }
    // What asks questions of its own begins with a press.
    let begun = ask("fee", "complaint");
    assert_eq!(said(&begun), said(&ask("fee", "fee")));
    assert_eq!(begun.replies[0].choices.len(), 1);
    let both = ask("fee", "status_card");
    assert!(said(&both).contains("beberapa anggota keluarga"), "{}", said(&both));
    assert_eq!(both.replies[0].choices.len(), 2, "whose card?");
    for first in LABELS {
        for second in LABELS {
            let step = ask(first, second);
            assert!(step.replies.iter().all(|reply| reply.text.chars().count() <= 1_024));
        }
    }
}

#[test]
fn a_stranger_learns_nothing_whatever_is_typed_or_pressed() {
    for (text, choice) in [
        ("cek status", None),
        ("CEK#KTP#[NIK]", None),
        ("Siti A.", Some("card:crd_1")),
        ("x", Some("card:crd_1")),
        ("1", None),
    ] {
        let mut stranger = input(text);
        stranger.is_registered = false;
        stranger.had_nik = text.contains("[NIK]");
        stranger.choice = choice.map(str::to_owned);
        let offered = Choice { id: "card:crd_1".into(), title: "Siti A.".into() };
        let state = State::offering(&[offered], Timestamp::from_ms(0));
        let step = step(script(), &state, &stranger);
        assert!(!said(&step).contains("Siti") && !said(&step).contains("dicetak"), "{text}");
    }
}

#[test]
fn a_card_of_another_phone_cannot_be_asked_for_by_its_id() {
    let mut pressed = input("x");
    pressed.choice = Some("card:crd_9".into());
    pressed.cards.truncate(1);
    let step = step(script(), &State::default(), &pressed);
    assert_eq!(step.intent, "out_of_scope");
}

#[test]
fn a_large_family_gets_a_list_and_may_type_the_names_beyond_it() {
    let mut asked = input("cek status");
    asked.cards = (0..12_u8)
        .map(|i| card(&format!("crd_{i}"), &format!("Nama{} X.", char::from(b'a' + i))))
        .collect();
    let first = step(script(), &State::default(), &asked);
    assert_eq!(first.replies.first().map(|r| r.choices.len()), Some(10));
    asked.text = "namal".into();
    asked.meaning = understand("namal");
    let second = step(script(), &first.state, &asked);
    assert!(said(&second).contains("Namal X.: sudah dicetak"), "{}", said(&second));
}

#[test]
fn a_question_is_counted_as_unknown_only_when_it_is() {
    let effects = |text: &str| step(script(), &State::default(), &input(text)).effects;
    assert_eq!(effects("resep soto ayam lamongan"), [Effect::UnknownQuestion]);
    assert_eq!(effects("syarat ktp hilang"), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gets_one_reply_that_does_not_repeat_it(text in "\\PC{0,200}") {
        let step = step(script(), &State::default(), &input(&text));
        prop_assert_eq!(step.replies.len(), 1);
        let long = text.trim();
        prop_assert!(long.chars().count() < 12 || !said(&step).contains(long));
    }
}
