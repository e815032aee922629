//! What Kannel calls us with: receipts at `dlr`, citizens' messages at `mo`.
//!
//! Kannel signs nothing; a secret in the query is all that proves who calls. Everything else in the
//! query is bytes of whatever a phone or an SMSC gave.

use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::codes;
use super::query::{Parameters, decoded};
use crate::channel::http_call::cut;
use crate::channel::sms::address::writer;
use crate::channel::{
    Event, HookAnswer, HookRefusal, HookRequest, Inbound, InboundBody, RawEvent, RawKind, Receipt,
};
use crate::domain::clock::Timestamp;
use crate::domain::id::MessageId;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::outbound::Recipient;
use crate::domain::redact::{redact, redact_digits};

/// Seconds later than these are no time: the year 9999 ends.
const LAST_SECOND: i64 = 253_402_300_799;

/// Proves a call and keeps what it brings.
pub(super) fn receive(secret: &str, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
    if !matches!(request.tail, "dlr" | "mo") {
        return Err(HookRefusal::NotFound);
    }
    let mut parameters = Parameters::read(request.query.as_bytes());
    let given = parameters.bytes("s");
    if given.is_empty() {
        return Err(HookRefusal::Unsigned);
    }
    if secret.is_empty() || !bool::from(secret.as_bytes().ct_eq(given)) {
        return Err(HookRefusal::Forbidden);
    }
    if is_form(request) {
        parameters.add(request.body);
    }
    let event = match request.tail {
        "dlr" => receipt_event(&parameters, request.now),
        _ => message_event(&parameters, request.now),
    };
    // Kannel sends whatever text is answered on to the citizen.
    Ok(HookAnswer { content_type: Some("text/plain"), ..HookAnswer::quiet(vec![event]) })
}

fn is_form(request: &HookRequest<'_>) -> bool {
    let kind = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    *request.method == http::Method::POST
        && kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn receipt_event(parameters: &Parameters, now: Timestamp) -> RawEvent {
    let [id, kind, fid, ts, smsc] =
        ["m", "type", "fid", "ts", "smsc"].map(|name| parameters.text(name));
    // A receipt quotes the beginning of the message behind `text:`; that is nobody's business here.
    let answer = parameters.text("ans");
    let quoted = answer.to_ascii_lowercase().find("text:").unwrap_or(answer.len());
    let answer = &answer[..quoted];
    let is_ours = id.parse::<MessageId>().is_ok() && codes::kind(&kind).is_some();
    let parts = json!([answer, fid, ts, smsc]);
    RawEvent {
        // Each call is made once for each receipt; a proxy that repeats one repeats it as it is.
        key: format!("d:{}:{}:{}", cut(&id, 40), cut(&kind, 8), digest(&parts.to_string())),
        kind: if is_ours { RawKind::Receipt } else { RawKind::Other },
        provider_id: None,
        sought: None,
        payload: json!({
            "dlr": {"m": id, "type": kind, "ans": answer, "fid": fid, "ts": ts, "smsc": smsc},
            "at_ms": now.as_ms(),
        })
        .to_string(),
    }
}

fn message_event(parameters: &Parameters, now: Timestamp) -> RawEvent {
    let [id, from, to, ts, charset, coding] =
        ["id", "from", "to", "ts", "charset", "coding"].map(|name| parameters.text(name));
    let raw = parameters.bytes("text");
    let is_binary = coding == "1" || charset == "8-BIT";
    let text = if is_binary { String::new() } else { decoded(raw, &charset, &coding) };
    let key = if id.is_empty() {
        // The text is hashed as it came: two that differ only in what is redacted are two.
        let parts = json!([from, to, ts, hex::encode(raw)]);
        format!("m:{}", digest(&parts.to_string()))
    } else {
        format!("m:{id}")
    };
    let kind = if writer(&from).is_some() { RawKind::Message } else { RawKind::Other };
    let payload = json!({
        "mo": {"from": from, "to": to, "text": redact(&text).text, "ts": ts, "id": id,
               "is_binary": is_binary},
        "at_ms": now.as_ms(),
    });
    RawEvent { key, kind, provider_id: None, sought: None, payload: payload.to_string() }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Reads a stored event. Whatever does not fit any form we know is [`Event::Other`].
#[must_use]
pub fn read(payload: &str) -> Event {
    let Ok(event) = serde_json::from_str::<Value>(payload) else { return Event::Other };
    let at = event["at_ms"].as_i64().unwrap_or_default();
    if event["dlr"].is_object() {
        return read_receipt(&event["dlr"], at).map_or(Event::Other, Event::Receipt);
    }
    if event["mo"].is_object() {
        return read_message(&event["mo"], at).map_or(Event::Other, Event::Message);
    }
    Event::Other
}

fn read_receipt(dlr: &Value, at: i64) -> Option<Receipt> {
    let id: MessageId = dlr["m"].as_str()?.parse().ok()?;
    let word = dlr["type"].as_str()?;
    let kind = codes::kind(word)?;
    let fault = (kind == ReceiptKind::Failed).then(|| {
        let mut fault = codes::failure(word, dlr["ans"].as_str().unwrap_or_default());
        fault.detail = redact_digits(&fault.detail);
        fault
    });
    Some(Receipt {
        message: Some(id),
        provider_message_id: id.to_string(),
        kind,
        happened_at: moment(&dlr["ts"], at),
        fault,
    })
}

fn read_message(mo: &Value, at: i64) -> Option<Inbound> {
    let from = Recipient::of_phone(writer(mo["from"].as_str()?)?);
    let body = if mo["is_binary"] == true {
        // Settings and the like from the network; nobody typed that.
        InboundBody::Silent
    } else {
        InboundBody::Text(MessageText::new(mo["text"].as_str()?))
    };
    Some(Inbound { from, sent_at: moment(&mo["ts"], at), body })
}

/// Seconds of the SMSC's clock, or else when it came.
fn moment(ts: &Value, at: i64) -> Timestamp {
    let seconds = ts.as_str().and_then(|ts| ts.trim().parse::<i64>().ok());
    let seconds = seconds.filter(|seconds| (1..=LAST_SECOND).contains(seconds));
    Timestamp::from_ms(seconds.map_or(at, |seconds| seconds * 1000))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;
    use crate::domain::consent::Lesson;

    const SECRET: &str = "rahasia&1";
    const OURS: &str = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";
    const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    fn call(
        method: &Method,
        tail: &str,
        query: &str,
        body: &[u8],
    ) -> Result<HookAnswer, HookRefusal> {
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        receive(
            SECRET,
            &HookRequest { method, tail, query, url: "", now: NOW, headers: &headers, body },
        )
    }

    fn event(tail: &str, query: &str) -> RawEvent {
        let query = format!("s=rahasia%261&{query}");
        let mut answer = call(&Method::GET, tail, &query, b"").unwrap();
        assert_eq!((answer.events.len(), answer.body.as_str()), (1, ""));
        answer.events.remove(0)
    }

    fn receipt(query: &str) -> Receipt {
        let event = event("dlr", &format!("m={OURS}&{query}"));
        assert_eq!(event.kind, RawKind::Receipt);
        let Event::Receipt(receipt) = read(&event.payload) else { panic!("{query}") };
        assert_eq!(receipt.message.unwrap().to_string(), OURS);
        assert_eq!(receipt.provider_message_id, OURS);
        receipt
    }

    fn words(query: &str) -> String {
        match read(&event("mo", query).payload) {
            Event::Message(Inbound { body: InboundBody::Text(text), .. }) => text.expose().into(),
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn only_the_secret_opens_and_only_two_addresses_exist() {
        for tail in ["dlr", "mo"] {
            for (query, refusal) in [
                ("", HookRefusal::Unsigned),
                ("m=1", HookRefusal::Unsigned),
                ("s=", HookRefusal::Unsigned),
                ("s=rahasia", HookRefusal::Forbidden),
                ("s=rahasia&1", HookRefusal::Forbidden),
                ("s=x&s=rahasia%261", HookRefusal::Forbidden),
            ] {
                assert_eq!(call(&Method::GET, tail, query, b""), Err(refusal), "{query}");
            }
            let in_body = call(&Method::POST, tail, "", b"s=rahasia%261");
            assert_eq!(in_body, Err(HookRefusal::Unsigned));
        }
        for tail in ["", "dlr/", "x", "../dlr"] {
            let found = call(&Method::GET, tail, "s=rahasia%261", b"");
            assert_eq!(found, Err(HookRefusal::NotFound), "{tail}");
        }
    }

    #[test]
    fn each_type_of_receipt_is_read_for_what_it_says() {
        let sent = receipt("type=8&ans=ACK%2F&fid=000000A1&ts=1795305273&smsc=SMPP");
        assert_eq!(sent.kind, ReceiptKind::Sent);
        assert_eq!(sent.happened_at, Timestamp::from_ms(1_795_305_273_000));
        let delivered = receipt("type=1&ans=id%3A0A1+stat%3ADELIVRD+err%3A000&ts=1795305273");
        assert_eq!((delivered.kind, delivered.fault), (ReceiptKind::Delivered, None));
        let lost = receipt("type=2&ans=id%3A0A5+stat%3AUNDELIV+err%3A011+text%3Ahalo");
        assert_eq!((lost.kind, lost.happened_at), (ReceiptKind::Failed, NOW));
        let fault = lost.fault.unwrap();
        assert_eq!((fault.code.as_str(), fault.lesson), ("UNDELIV/011", Some(Lesson::Undelivered)));
        let refused =
            receipt("type=16&ans=NACK%2F0x0000000b%2FInvalid+Destination+Address&ts=nonsense");
        let fault = refused.fault.unwrap();
        assert_eq!((fault.code.as_str(), fault.lesson), ("0x0000000b", Some(Lesson::Undelivered)));
    }

    #[test]
    fn a_receipt_that_says_nothing_to_us_is_kept_and_followed_by_nothing() {
        for query in [
            format!("m={OURS}&type=4&ans=&ts=1"),
            format!("m={OURS}&type=64"),
            format!("m={OURS}"),
            "type=1&ts=1795305273".to_owned(),
            "m=9999&type=1".to_owned(),
            String::new(),
        ] {
            let event = event("dlr", &query);
            assert_eq!((event.kind, read(&event.payload)), (RawKind::Other, Event::Other));
        }
    }

    #[test]
    fn the_message_a_receipt_quotes_is_not_kept() {
        let event = event("dlr", &format!("m={OURS}&type=1&ans=id%3A1+Text%3AHalo+Siti"));
        assert!(!event.payload.contains("Siti"));
    }

    #[test]
    fn a_repeated_call_has_the_same_key_and_another_event_another() {
        let receipt = |query: &str| event("dlr", &format!("m={OURS}&{query}")).key;
        assert_eq!(receipt("type=8&ts=1"), receipt("type=8&ts=1"));
        assert_ne!(receipt("type=8&ts=1"), receipt("type=1&ts=1"));
        assert_ne!(receipt("type=16&ts=1"), receipt("type=16&ts=2"), "a second attempt");
        let message = |query: &str| event("mo", query).key;
        assert_eq!(message("id=a-1&text=x"), message("id=a-1&text=x"));
        assert_ne!(message("id=a-1&text=x"), message("id=a-2&text=x"));
        assert_eq!(message("from=1&ts=1&text=x"), message("from=1&ts=1&text=x"));
        let nik = |last| format!("from=1&ts=1&text=351709120456000{last}");
        assert_ne!(message(&nik(1)), message(&nik(2)));
    }

    #[test]
    fn a_message_is_read_in_the_charset_it_comes_in() {
        for (query, text) in [
            ("text=STOP+now&charset=UTF-8&coding=0", "STOP now"),
            ("text=ktp+sy%0A100%25+%E2%82%AC&charset=UTF-8", "ktp sy\n100% €"),
            ("text=%04%16%00a%D8%3D%DE%00&charset=UTF-16BE&coding=2", "Жa😀"),
            ("text=%00a&coding=2", "a"),
            ("text=%D8%3D&charset=UTF-16BE&coding=2", "\u{fffd}"),
            ("text=caf%E9&charset=ISO-8859-1", "café"),
            ("text=%FF", "\u{fffd}"),
            ("text=100%&charset=", "100%"),
            ("", ""),
        ] {
            assert_eq!(words(&format!("from=%2B6281234567890&{query}")), text, "{query}");
        }
    }

    #[test]
    fn a_sender_is_taken_in_any_writing_and_a_machine_is_not_answered() {
        for from in ["%2B6281234567890", "6281234567890", "081234567890", "006281234567890"] {
            let Event::Message(inbound) =
                read(&event("mo", &format!("from={from}&text=a&ts=1795305605")).payload)
            else {
                panic!("{from}")
            };
            assert_eq!(inbound.from.phone.unwrap().expose(), "+6281234567890");
            assert_eq!(inbound.sent_at, Timestamp::from_ms(1_795_305_605_000));
        }
        for from in ["13013", "BANK", "", "MyTelkomsel"] {
            let event = event("mo", &format!("from={from}&text=promo"));
            assert_eq!((event.kind, read(&event.payload)), (RawKind::Other, Event::Other));
        }
    }

    #[test]
    fn binary_is_not_taken_for_words() {
        let query = "from=%2B6281234567890&text=%04%16&charset=8-BIT&coding=1";
        let Event::Message(inbound) = read(&event("mo", query).payload) else { panic!() };
        assert_eq!(inbound.body, InboundBody::Silent);
    }

    #[test]
    fn a_nik_does_not_get_past_the_door() {
        let event = event("mo", "from=%2B6281234567890&text=nik+3517091204560001");
        assert!(!event.payload.contains("3517091204560001"));
    }

    #[test]
    fn a_post_may_bring_the_rest_in_a_form() {
        let body = b"from=%2B6281234567890&text=halo&id=7&s=other";
        let answer =
            call(&Method::POST, "mo", "s=rahasia%261&from=%2B6281200000001", body).unwrap();
        let Event::Message(inbound) = read(&answer.events[0].payload) else { panic!() };
        assert_eq!(inbound.from.phone.unwrap().expose(), "+6281200000001", "the query comes first");
        assert_eq!(inbound.body, InboundBody::Text(MessageText::new("halo")));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(query: String, body: Vec<u8>, payload: String) {
            for tail in ["dlr", "mo"] {
                let query = format!("s=rahasia%261&{query}");
                for event in call(&Method::POST, tail, &query, &body).unwrap().events {
                    let _ = read(&event.payload);
                }
            }
            let _ = read(&payload);
            let _ = read(&format!(r#"{{"dlr": {{"m": "{OURS}", "type": "2", "ans": {}}}}}"#, json!(payload)));
        }
    }
}
