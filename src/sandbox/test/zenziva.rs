//! Zenziva as an office meets it: HTTP 200 whatever happens, and the truth inside.

use super::*;

async fn start() -> Bench {
    Bench::start_with(|settings| {
        settings.others.push(Counterpart::Zenziva(ZenzivaAccount {
            id: "z".into(),
            label: "Kantor Contoh".into(),
            userkey: "user".into(),
            passkey: "hunter2".into(),
        }));
    })
    .await
}

/// Posts a form and gives the HTTP status and the answer.
async fn post(bench: &Bench, form: &str) -> (u16, String) {
    let request = bench
        .http
        .post(format!("{}/zenziva/reguler/api/sendsms/", bench.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let answer = request.send().await.unwrap();
    let answer = (answer.status().as_u16(), answer.text().await.unwrap());
    bench.sandbox.idle().await;
    answer
}

const FORM: &str = "userkey=user&passkey=hunter2&to=081200000001&message=halo+%E2%82%AC";

#[tokio::test]
async fn a_message_is_on_the_phone_and_nobody_hears_of_it_again() {
    let bench = start().await;
    let (status, answer) = post(&bench, FORM).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (status, &answer["status"], &answer["to"]),
        (200, &json!("1"), &json!("081200000001"))
    );
    let bubble = bench.sandbox.phone(SITI).unwrap().bubbles[0].clone();
    assert_eq!((bubble.text.as_str(), bubble.mark), ("halo €", Mark::Delivered));
    assert_eq!(answer["messageId"], bubble.id);
    assert!(!format!("{:?}", bench.sandbox.sent()).contains("hunter2"));
    let written = bench.sandbox.write(SITI, Some("z"), Input::Text("halo".into()));
    assert_eq!(written, Err(WriteError::UnknownAccount));
}

#[tokio::test]
async fn an_error_comes_with_200_and_says_what_is_wrong() {
    let bench = start().await;
    for (form, words) in [
        ("userkey=user&passkey=x&to=081200000001&message=a", "Passkey Salah"),
        ("", "Passkey Salah"),
        ("userkey=user&passkey=hunter2&to=x&message=a", "<status>1</status>"),
        ("userkey=user&passkey=hunter2&to=081200000001&message=", r#""status":"6""#),
    ] {
        let (status, answer) = post(&bench, form).await;
        assert_eq!(status, 200, "{form}");
        assert!(answer.contains(words), "{form}: {answer}");
    }
}

#[tokio::test]
async fn the_balance_is_told_to_whoever_has_the_keys() {
    let bench = start().await;
    let ask = async |keys: &str| {
        let url = format!("{}/zenziva/api/balance/?{keys}", bench.base);
        bench.http.get(url).send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(ask("userkey=user&passkey=hunter2").await["credit"], "250000");
    assert_eq!(ask("userkey=user&passkey=x").await["status"], "5");
}

#[tokio::test]
async fn faults_do_what_they_are_called() {
    let bench = start().await;
    for (mut fault, status, words) in [
        (json!({"kind": "throttle"}), 200, r#""status":"89""#),
        (json!({"kind": "pair_limit"}), 200, r#""status":"89""#),
        (json!({"kind": "refuse"}), 200, "<status>1</status>"),
        (json!({"kind": "refuse", "code": 99}), 200, r#""status":"99""#),
        (json!({"kind": "not_json"}), 502, "<html>"),
        (json!({"kind": "error_after_accept"}), 500, "<html>"),
        (json!({"kind": "silent"}), 200, "Success"),
    ] {
        fault["provider"] = "zenziva".into();
        bench.fault(fault.clone());
        let (found, answer) = post(&bench, FORM).await;
        assert_eq!(found, status, "{fault}");
        assert!(answer.contains(words), "{fault}: {answer}");
    }
    assert_eq!(bench.sandbox.phone(SITI).unwrap().bubbles.len(), 2);
}
