//! Answers as Zenziva gives them, our own and, where they are at hand, recorded ones.

use std::path::Path;

use kabar::channel::sms::zenziva::answer::Answer;
use kabar::channel::sms::zenziva::codes::classify;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn decided(path: &Path) -> (&'static str, Option<f64>) {
    let raw = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let answer = Answer::read(&raw);
    let word = classify(200, answer.as_ref(), None).map_or_else(|error| error.word(), |_| "taken");
    (word, answer.and_then(|answer| answer.credit))
}

#[test]
fn each_answer_is_read_for_what_it_says() {
    let folder = root().join("tests/fixtures/zenziva");
    let cases = [
        ("json_success.txt", "taken", None),
        ("json_success_number.txt", "taken", Some(81_250.0)),
        ("json_wrong_login.txt", "misconfigured", None),
        ("json_wrong_login_zero.txt", "misconfigured", None),
        ("json_too_often.txt", "retry", None),
        ("json_no_credit.txt", "misconfigured", None),
        ("xml_success.txt", "taken", Some(3127.0)),
        ("xml_bad_number.txt", "recipient_gone", None),
        ("xml_wrong_login.txt", "misconfigured", None),
        ("xml_content.txt", "rejected", None),
        ("balance.txt", "taken", Some(64_500.0)),
        ("balance_masking.txt", "unknown", Some(1980.5)),
        ("page.txt", "unknown", None),
    ];
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), cases.len(), "every file has a case");
    for (file, word, credit) in cases {
        assert_eq!(decided(&folder.join(file)), (word, credit), "{file}");
    }
}

#[test]
fn recorded_answers_are_read_for_what_their_names_say() {
    let folder = root().join("../shared/fixtures/zenziva");
    if !folder.is_dir() {
        return;
    }
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (word, credit) = decided(&path);
        // The stub of a trait holds nothing; the lists of messages are not ours to ask for.
        let expected = match name {
            "ziswapp-Traits-error-masking" => "unknown",
            _ if name.contains("error") => "misconfigured",
            _ if name.contains("masking-balance") => "unknown",
            _ if name.ends_with("inbox") || name.ends_with("outbox") => continue,
            _ => "taken",
        };
        assert_eq!(word, expected, "{name}");
        let is_balance = name.ends_with("balance") && !name.contains("error");
        assert!(!is_balance || credit.is_some(), "{name}");
        count += 1;
    }
    assert!(count >= 15, "{count} answers");
}
