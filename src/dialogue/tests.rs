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
        also: None,
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
        ticket: None,
        complaint: None,
        number: None,
        waiting: None,
        office_opens: None,
        kept: None,
        survey: Some(Element::ALL.to_vec()),
        now: Timestamp::from_ms(0),
    }
}

fn card(id: &str, who: &str) -> CardFact {
    CardFact {
        id: id.into(),
        who: who.into(),
        document: "KTP-el".into(),
        status: "sudah dicetak".into(),
        state: "printed".into(),
        as_of: "21 November".into(),
        place: None,
        appointment: None,
        bring: None,
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
    for folder in ["answers", "dialogue"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the folder is there") {
            let name = entry.expect("readable").file_name();
            // The questions have a list and a test of their own.
            if name == "questions" {
                continue;
            }
            found.insert(format!("{folder}/{}", name.to_string_lossy()));
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
    change("answers/kia.toml", "Gratis.", "Gratis! Lihat https://contoh.invalid");
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
        "answers/kia.toml: `text` has an exclamation mark",
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
fn a_second_question_that_has_no_plain_answer_or_no_room_is_left_or_offered() {
    let ask = |intent: &str, also: &str| {
        let mut input = input("x");
        input.meaning = Meaning {
            intent: intent.into(),
            confidence: 1.0,
            alternatives: vec![],
            also: Some(also.into()),
        };
        step(script(), &State::default(), &input)
    };
    for also in ["complaint", "out_of_scope", "no_such_label", "fee"] {
        let one = ask("fee", also);
        assert_eq!(said(&one), said(&ask("fee", "fee")), "{also}");
        assert!(one.replies.iter().all(|reply| reply.choices.is_empty()), "{also}");
    }
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
