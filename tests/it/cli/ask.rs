//! `kabar ask` and `kabar chat`: the conversation without a provider.

use std::collections::BTreeSet;

use kabar::dialogue::transcript::Transcript;
use kabar::understand::LABELS;
use serde_json::Value;

use crate::support::{Office, Running, citizen, kabar};

fn objects(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_line_gets_one_object_in_order_with_exactly_the_promised_keys() {
    let questions = [
        "syarat ktp hilang apa aja?",
        "",
        "ktp sy udah jadi blm ya?",
        "harga cabai hari ini?",
        "bilang \"halo\" \\ {}",
        "syaratnya apa",
    ];
    let ended = kabar(&["ask", "--jsonl"], questions.join("\n").as_bytes()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let answers = objects(&ended.stdout);
    let texts: Vec<&str> = answers.iter().map(|a| a["text"].as_str().unwrap()).collect();
    assert_eq!(texts, questions);
    for answer in &answers {
        let keys: BTreeSet<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            BTreeSet::from(["alternatives", "answer", "confidence", "intent", "text"])
        );
        let intent = answer["intent"].as_str().unwrap();
        assert!(LABELS.contains(&intent) || intent == "clarify", "{answer}");
        assert!((0.0..=1.0).contains(&answer["confidence"].as_f64().unwrap()), "{answer}");
        let known = |label: &Value| LABELS.contains(&label.as_str().unwrap());
        assert!(answer["alternatives"].as_array().unwrap().iter().all(known), "{answer}");
    }
}

#[tokio::test]
async fn what_depends_on_who_asks_has_no_answer_and_the_rest_has_one() {
    let questions = "ktp sy udah jadi blm ya?\nsyarat ktp hilang apa aja?\nresep rawon dong\n";
    let answers = objects(&kabar(&["ask", "--jsonl"], questions.as_bytes()).await.stdout);
    assert_eq!(answers[0]["intent"], "status_card");
    assert_eq!(answers[0]["answer"], Value::Null);
    assert_eq!(answers[1]["intent"], "req_ktp_lost");
    assert!(answers[1]["answer"].as_str().unwrap().contains("kepolisian"), "{}", answers[1]);
    assert_eq!(answers[2]["intent"], "out_of_scope");
    assert!(answers[2]["answer"].is_string(), "it says that it does not know");
}

#[tokio::test]
async fn a_question_that_could_mean_several_things_offers_two_or_three() {
    let ended = kabar(&["ask", "--jsonl"], b"syaratnya apa\n").await;
    let answer = ended.json();
    assert_eq!(answer["intent"], "clarify");
    assert!((2..=3).contains(&answer["alternatives"].as_array().unwrap().len()), "{answer}");
}

#[tokio::test]
async fn an_answer_comes_before_the_next_question_is_asked() {
    let mut ask = Running::start(&["ask", "--jsonl"]);
    for question in ["syarat ktp hilang apa aja?", "berapa biayanya?"] {
        ask.write(format!("{question}\n").as_bytes());
        let answer: Value = serde_json::from_str(&ask.line().await).unwrap();
        assert_eq!(answer["text"], question);
    }
    let ended = ask.end().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_a_question_like_any_other() {
    let ended = kabar(&["ask", "--jsonl"], b"\xff\xfe\x00\nhalo\r\n").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let answers = objects(&ended.stdout);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1]["text"], "halo", "the end of a Windows line is not part of it");
}

#[tokio::test]
async fn without_jsonl_people_can_read_the_answers() {
    let ended = kabar(&["ask"], b"syarat ktp hilang apa aja?\n").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("req_ktp_lost ("), "{ended:?}");
    assert!(ended.stdout.contains("kepolisian"), "{ended:?}");
}

/// An office that has one printed card on file.
async fn office_with_a_card() -> Office {
    let office = Office::init().await;
    let siti = citizen(6);
    let file = format!(
        "NIK,Nama,No HP,Status,Kode Wilayah\n{},{},{},CARD_PRINTED,{}\n",
        siti.nik, siti.name, siti.phone, siti.area
    );
    let file = office.file("cards.csv", file);
    let ended = office.run(&["import", "cards", &file]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    office
}

#[tokio::test]
async fn chat_as_a_registered_number_tells_of_its_card_and_changes_nothing() {
    let office = office_with_a_card().await;
    let before = office.rows().await;
    let siti = citizen(6);
    let words = "sudah jadi belum?\nsyarat ktp hilang apa aja?\nBERHENTI\n";
    let ended = office.run_with(&["chat", "--as", &siti.phone], words.as_bytes()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "> sudah jadi belum?");
    assert!(lines[1].starts_with("< KTP-el Siti A.: sudah dicetak"), "{}", lines[1]);
    assert!(lines.contains(&"> syarat ktp hilang apa aja?"), "{lines:?}");
    assert!(!ended.stdout.contains(&siti.nik) && !ended.stdout.contains(&siti.name), "{ended:?}");
    assert_eq!(office.rows().await, before, "only words were exchanged");
}

#[tokio::test]
async fn chat_as_a_stranger_tells_of_nobody() {
    let office = office_with_a_card().await;
    let words = format!("status\nCEK#KTP#{}\n", citizen(6).nik);
    let ended = office.run_with(&["chat", "--as", "0812-9999-0001"], words.as_bytes()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("belum terdaftar"), "{ended:?}");
    assert!(!ended.stdout.contains("Siti") && !ended.stdout.contains("dicetak"), "{ended:?}");
}

#[tokio::test]
async fn chat_as_something_that_is_no_number_fails_with_a_hint() {
    let ended = kabar(&["chat", "--as", "031-555"], b"").await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("error: --as:"), "{ended:?}");
    assert!(ended.stderr.contains("hint: a mobile number"), "{ended:?}");
}

#[tokio::test]
async fn what_chat_prints_has_the_turns_of_a_dialogue() {
    let said = ["halo", "syarat ktp hilang apa aja?", "menu"];
    let ended = kabar(&["chat"], (said.join("\n") + "\n").as_bytes()).await;
    let printed = Transcript::parse(&ended.stdout).unwrap();
    let turns: Vec<&str> = printed.turns.iter().map(|turn| turn.said.as_str()).collect();
    assert_eq!(turns, said);
    assert!(printed.turns.iter().all(|turn| !turn.expected.is_empty()), "{}", ended.stdout);
}

#[tokio::test]
async fn what_chat_prints_names_effects_so_that_it_can_be_played_again() {
    let ended = kabar(&["chat"], b"BERHENTI\n").await;
    let printed = Transcript::parse(&ended.stdout).unwrap();
    assert_eq!(printed.turns[0].effects, ["opt_out"], "{}", ended.stdout);
}
