//! Twilio's published signatures, every form of callback and message, and what strangers may post.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;

use super::*;
use crate::domain::consent::Lesson;

const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);
const ID: &str = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";
const SID: &str = "SM0123456789abcdef0123456789abcdef";
const HOME: &str = "https://kabar.example/hooks/sms/tw";

fn form(fields: &[(&str, &str)]) -> Form {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The five fields of Twilio's published examples.
fn published() -> Form {
    form(&[
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("Caller", "+14158675309"),
    ])
}

fn sign(token: &str, url: &str, form: &Form) -> String {
    let mut fields = form.clone();
    fields.sort();
    fields.dedup();
    let text: String = fields.into_iter().map(|(name, value)| name + &value).collect();
    let mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    STANDARD.encode(mac.chain_update(url).chain_update(text).finalize().into_bytes())
}

/// A request with these headers.
fn ask(
    tail: &str,
    query: &str,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> Result<HookAnswer, HookRefusal> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    let url = address(tail, query);
    let method = &Method::POST;
    let headers = &headers;
    receive("12345", &HookRequest { method, tail, query, url: &url, now: NOW, headers, body })
}

fn address(tail: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{HOME}/{tail}{mark}{query}")
}

/// A form, rightly signed.
fn signed(tail: &str, query: &str, form: &Form) -> HookAnswer {
    let signature = sign("12345", &address(tail, query), form);
    let body = serde_urlencoded::to_string(form).unwrap();
    ask(tail, query, &[("x-twilio-signature", &signature)], body.as_bytes()).unwrap()
}

fn callback(status: &str, more: &[(&str, &str)]) -> RawEvent {
    let mut fields = form(&[
        ("MessageSid", SID),
        ("SmsSid", SID),
        ("MessageStatus", status),
        ("SmsStatus", status),
        ("To", "+6281200000001"),
        ("From", "+15550001111"),
        ("AccountSid", "AC1"),
        ("ApiVersion", "2010-04-01"),
    ]);
    fields.extend(form(more));
    let answer = signed("status", &format!("m={ID}"), &fields);
    assert_eq!((answer.content_type, answer.body.as_str()), (None, ""));
    let [event] = answer.events.as_slice() else { panic!() };
    event.clone()
}

fn receipt(event: &RawEvent) -> Receipt {
    match read(&event.payload) {
        Event::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

fn wrote(fields: &[(&str, &str)]) -> RawEvent {
    let mut all = form(&[("MessageSid", SID), ("AccountSid", "AC1"), ("SmsStatus", "received")]);
    all.extend(form(fields));
    signed("inbound", "", &all).events.remove(0)
}

#[test]
fn signatures_are_those_twilio_publishes_with_and_without_the_port() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let known = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert!(is_signed("12345", url, &published(), known));
    assert!(is_signed(
        "12345",
        "https://mycompany.com:443/myapp.php?foo=1&bar=2",
        &published(),
        known
    ));
    assert!(is_signed("12345", url, &published(), "kvajT1Ptam85bY51eRf/AJRuM3w="));
    let plain = "http://mycompany.com/myapp.php?foo=1&bar=2";
    assert!(is_signed("12345", plain, &published(), "0ZXoZLH/DfblKGATFgpif+LLRf4="));
    let odd = "http://mycompany.com:1234/myapp.php?foo=1&bar=2";
    assert!(is_signed("12345", odd, &published(), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="));
}

#[test]
fn doubled_fields_count_once_and_values_are_sorted() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let doubled = form(&[
        ("Sid", "CA123"),
        ("SidAccount", "AC123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    ]);
    assert!(is_signed("12345", url, &doubled, "IK+Dwps556ElfBT0I3Rgjkr1wJU="));
}

#[test]
fn another_token_address_or_field_is_not_signed() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let known = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert!(!is_signed("12346", url, &published(), known));
    assert!(!is_signed("12345", &url[..url.len() - 1], &published(), known));
    assert!(!is_signed("12345", url, &published()[1..], known));
    for wrong in ["", "RSOY", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "zz zz"] {
        assert!(!is_signed("12345", url, &published(), wrong), "{wrong}");
    }
}

#[test]
fn a_json_body_is_proved_by_its_digest_in_the_signed_address() {
    let digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    assert!(has_digest(br#"{"property": "value", "boolean": true}"#, digest));
    assert!(!has_digest(br#"{"property": "value", "boolean": false}"#, digest));
    let url = format!("https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={digest}");
    assert!(is_signed("12345", &url, &Form::new(), "a9nBmqA0ju/hNViExpshrM61xv4="));

    let body =
        json!({"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": 30_003}).to_string();
    let query = format!("m={ID}&bodySHA256={}", hex::encode(Sha256::digest(body.as_bytes())));
    let signature = sign("12345", &address("status", &query), &Form::new());
    let headers =
        [("x-twilio-signature", signature.as_str()), ("content-type", "application/json")];
    let answer = ask("status", &query, &headers, body.as_bytes()).unwrap();
    assert_eq!(receipt(&answer.events[0]).fault.unwrap().code, "30003");
    let refused = ask("status", &query, &headers, b"{}");
    assert_eq!(refused, Err(HookRefusal::Unsigned));
}

#[test]
fn nothing_is_taken_without_proof_or_at_another_address() {
    let fields = form(&[("MessageSid", SID), ("MessageStatus", "sent")]);
    let body = serde_urlencoded::to_string(&fields).unwrap();
    let body = body.as_bytes();
    assert_eq!(ask("status", "", &[], body), Err(HookRefusal::Unsigned));
    let query = format!("m={ID}");
    let signature = sign("12345", &address("status", &query), &fields);
    let headers = [("x-twilio-signature", signature.as_str())];
    assert!(ask("status", &query, &headers, body).is_ok());
    // The id in the address is part of what is signed.
    assert_eq!(ask("status", "m=msg_x", &headers, body), Err(HookRefusal::Unsigned));
    assert_eq!(ask("inbound", &query, &headers, body), Err(HookRefusal::Unsigned));
    assert_eq!(ask("", &query, &headers, body), Err(HookRefusal::NotFound));
    assert_eq!(ask("statuses", &query, &headers, body), Err(HookRefusal::NotFound));
}

#[test]
fn every_state_is_a_receipt_of_our_message_or_nothing() {
    for (status, kind) in [
        ("sent", ReceiptKind::Sent),
        ("delivered", ReceiptKind::Delivered),
        ("read", ReceiptKind::Read),
        ("undelivered", ReceiptKind::Failed),
        ("failed", ReceiptKind::Failed),
        ("canceled", ReceiptKind::Failed),
    ] {
        let event = callback(status, &[]);
        assert_eq!(
            (event.kind, event.key.clone()),
            (RawKind::Receipt, format!("s:{SID}:{status}"))
        );
        assert!(!event.payload.contains("81200000001"), "no number is kept");
        let receipt = receipt(&event);
        assert_eq!(receipt.kind, kind);
        assert_eq!(receipt.message.unwrap().to_string(), ID);
        assert_eq!(receipt.provider_message_id, SID);
        assert_eq!(receipt.happened_at, NOW);
        assert_eq!(receipt.fault.is_some(), kind == ReceiptKind::Failed);
    }
    for status in ["queued", "accepted", "scheduled", "sending", "receiving", "", "?"] {
        let event = callback(status, &[]);
        assert_eq!((event.kind, read(&event.payload)), (RawKind::Other, Event::Other), "{status}");
    }
}

#[test]
fn a_failure_says_why_and_teaches() {
    for (status, code, lesson) in [
        ("undelivered", "30003", Some(Lesson::Undelivered)),
        ("undelivered", "30005", Some(Lesson::NotReachable)),
        ("failed", "21610", Some(Lesson::OptedOut)),
        ("failed", "30007", None),
        ("failed", "99999", None),
    ] {
        let fault = receipt(&callback(status, &[("ErrorCode", code)])).fault.unwrap();
        assert_eq!((fault.code.as_str(), fault.lesson), (code, lesson));
    }
    let without = receipt(&callback("undelivered", &[("ErrorCode", "x")])).fault.unwrap();
    assert_eq!(without.lesson, Some(Lesson::Undelivered));
    assert_eq!(receipt(&callback("canceled", &[])).fault.unwrap().lesson, None);
}

#[test]
fn a_message_of_a_citizen_is_read_and_answered_with_no_instruction() {
    let fields = form(&[
        ("MessageSid", SID),
        ("From", "+6281200000001"),
        ("To", "+15550001111"),
        ("Body", "ktp sy udah jadi? 🙏 & NIK 3517091204560001"),
        ("NumMedia", "0"),
        ("OptOutType", "HELP"),
    ]);
    let answer = signed("inbound", "", &fields);
    assert_eq!((answer.content_type, answer.body.as_str()), (Some("text/xml"), "<Response/>"));
    let event = &answer.events[0];
    assert_eq!((event.kind, event.key.as_str()), (RawKind::Message, format!("m:{SID}").as_str()));
    assert!(!event.payload.contains("3517091204560001"));
    let Event::Message(inbound) = read(&event.payload) else { panic!() };
    assert_eq!(inbound.from.phone.unwrap().expose(), "+6281200000001");
    assert_eq!(inbound.sent_at, NOW);
    let text = MessageText::new("ktp sy udah jadi? 🙏 & NIK [NIK]");
    assert_eq!(inbound.body, InboundBody::Text(text));
}

#[test]
fn a_picture_is_unreadable_and_its_words_are_words() {
    let picture = wrote(&[("From", "+6281200000001"), ("Body", ""), ("NumMedia", "1")]);
    let Event::Message(inbound) = read(&picture.payload) else { panic!() };
    assert_eq!(inbound.body, InboundBody::Unreadable);
    let caption = wrote(&[("From", "+6281200000001"), ("Body", "ini"), ("NumMedia", "1")]);
    let Event::Message(inbound) = read(&caption.payload) else { panic!() };
    assert_eq!(inbound.body, InboundBody::Text(MessageText::new("ini")));
}

#[test]
fn short_codes_names_and_other_channels_are_kept_and_never_answered() {
    for from in ["98108", "BANK", "whatsapp:+6281200000001", "", "client:ani"] {
        let event = wrote(&[("From", from), ("Body", "NIK 3517091204560001")]);
        assert_eq!((event.kind, read(&event.payload)), (RawKind::Other, Event::Other), "{from}");
        assert!(!event.payload.contains("3517091204560001"), "{from}");
    }
}

#[test]
fn messages_without_an_id_are_told_apart_by_their_content() {
    let key = |text| {
        let fields = form(&[("From", "+6281200000001"), ("Body", text)]);
        signed("inbound", "", &fields).events.remove(0).key
    };
    assert_eq!(key("a"), key("a"));
    assert_ne!(key("a"), key("b"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(raw: Vec<u8>, url: String, word: String) {
        let _ = ask("inbound", "", &[("x-twilio-signature", "AAAA")], &raw);
        let _ = is_signed("12345", &url, &published(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let _ = read(&word);
        let fields = form(&[("From", &word), ("Body", &word), ("MessageSid", &word)]);
        let _ = read(&inbound_event(&fields, NOW).payload);
        let _ = read(&status_event(&fields, Some(&word), NOW).payload);
    }
}
