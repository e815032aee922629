//! Files at Meta: handed over, named, expired, and above the words of a template.

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";

/// The form by which a business hands a file over.
async fn upload(bench: &Bench, kind: &str, bytes: &[u8]) -> (u16, Value) {
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--b\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"poster.png\"\r\nContent-Type: "
        .to_vec();
    body.extend_from_slice(format!("{kind}\r\n\r\n").as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let answer = bench
        .http
        .post(format!("{}/v25.0/number-1/media", bench.base))
        .bearer_auth(TOKEN)
        .header("content-type", "multipart/form-data; boundary=b")
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn with_header(kind: &str, id: &str) -> Value {
    let mut body = template(SITI, "siaran", &["rekam"]);
    let header = json!({"type": "header", "parameters": [{"type": kind, kind: {"id": id}}]});
    body["template"]["components"].as_array_mut().unwrap().insert(0, header);
    body
}

#[tokio::test]
async fn a_picture_is_handed_over_once_and_seen_on_the_phone_until_its_id_expires() {
    let bench = Bench::start_with(|settings| {
        let mut known = Template::new("siaran", "id", "Pengumuman {{1}}.");
        known.header = Some("image".to_owned());
        settings.templates = vec![known];
    })
    .await;
    let (status, answer) = upload(&bench, "image/png", PNG).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["id"].as_str().unwrap();
    let message = bench.accepted(&with_header("image", id)).await;
    let phone = bench.sandbox.phone(SITI).unwrap();
    let file = phone.bubble(&message).unwrap().file.clone().unwrap();
    assert_eq!((file.id.as_str(), file.kind.as_str()), (id, "image"));
    let seen = bench.http.get(format!("{}/control/files/{id}", bench.base)).send().await.unwrap();
    assert_eq!(seen.headers()["content-type"], "image/png");
    assert_eq!(seen.bytes().await.unwrap(), PNG);

    assert_eq!(bench.refused(&with_header("document", id)).await, 131_053, "a picture is no paper");
    assert_eq!(bench.refused(&with_header("image", "1")).await, 131_053);
    assert_eq!(bench.refused(&template(SITI, "siaran", &["rekam"])).await, 132_012);
    bench.advance(30 * 24 * 3600 + 1);
    assert_eq!(bench.refused(&with_header("image", id)).await, 131_053);
}

#[tokio::test]
async fn what_meta_does_not_take_is_refused_as_meta_does() {
    let bench = Bench::start().await;
    assert_eq!(upload(&bench, "image/gif", b"GIF89a").await.1["error"]["code"], 100);
    let large = vec![0; (5 << 20) + 1];
    assert_eq!(upload(&bench, "image/png", &large).await.1["error"]["code"], 131_053);
    assert_eq!(upload(&bench, "application/pdf", &large).await.0, 200, "papers may be larger");
}
