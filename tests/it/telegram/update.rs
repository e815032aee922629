//! In: updates by long polling and at the webhook, and the bot's own set-up.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::post;

use super::*;

#[tokio::test]
async fn updates_are_confirmed_only_after_they_are_stored() {
    let bench = Bench::start().await;
    let store = Store::new(1);
    bench.writes("/start");
    bench.writes("ktp saya?");
    let listening = bench.listen(&store);
    store.wait_for_calls(1).await;
    let waiting = bench.call("getWebhookInfo", &json!({})).await;
    assert_eq!(waiting["result"]["pending_update_count"], 2, "not stored, not confirmed");
    assert_eq!(store.keys().len(), 0);
    let events = store.events(&bench.client, 2).await;
    let texts: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Message(inbound) => inbound.body.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let text = |text| InboundBody::Text(MessageText::new(text));
    assert_eq!(texts, [text("/start"), text("ktp saya?")]);
    let last = bench.writes("terima kasih");
    store.events(&bench.client, 3).await;
    bench.marked(&last, Mark::Delivered).await;
    let keys = store.keys();
    assert_eq!(keys.len(), 3, "none came twice: {keys:?}");
    bench.stop.cancel();
    in_time(listening).await.unwrap();
}

#[tokio::test]
async fn a_long_poll_ends_at_once_when_told_to_stop() {
    let bench = Bench::start().await;
    let store = Store::new(0);
    let stop = CancellationToken::new();
    let (client, sink) = (Arc::clone(&bench.client), Arc::clone(&store));
    let own = stop.clone();
    let listening = tokio::spawn(async move { client.listen(sink, own).await });
    bench.writes("/start");
    store.events(&bench.client, 1).await;
    stop.cancel();
    in_time(listening).await.unwrap();
}

#[tokio::test]
async fn a_pressed_button_arrives_as_a_choice_and_stops_turning() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let store = Store::new(0);
    bench.listen(&store);
    let message = message(&siti, "Pilih", &[("do:status", "Cek status"), ("do:menu", "Menu")]);
    in_time(bench.client.send(&message)).await.unwrap();
    let press = bench.presses("do:menu");
    let events = store.events(&bench.client, 1).await;
    let Event::Message(inbound) = &events[0] else { panic!("{events:?}") };
    assert_eq!(inbound.from, siti);
    let title = MessageText::new("Menu");
    assert_eq!(inbound.body, InboundBody::Choice { id: "do:menu".to_owned(), title });
    bench.marked(&press, Mark::Read).await;
}

#[tokio::test]
async fn a_shared_number_is_proof_and_blocking_is_an_opt_out() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let store = Store::new(0);
    bench.listen(&store);
    let question = message(&siti, "Nomor?", &[(SHARE_PHONE, "Bagikan nomor"), ("x", "Nanti")]);
    in_time(bench.client.send(&question)).await.unwrap();
    bench.presses(SHARE_PHONE);
    let events = store.events(&bench.client, 1).await;
    let Event::Phone(proof) = &events[0] else { panic!("{events:?}") };
    assert_eq!((&proof.from, proof.phone.expose()), (&siti, "+6281200000001"));
    bench.presses("Nanti");
    let events = store.events(&bench.client, 2).await;
    let Event::Message(inbound) = &events[1] else { panic!("{events:?}") };
    assert_eq!(inbound.body, InboundBody::Text(MessageText::new("Nanti")));
    bench.does(Input::Raw(json!({ "type": "kicked" }).as_object().unwrap().clone()));
    bench.writes("halo lagi");
    let events = store.events(&bench.client, 5).await;
    let outs: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::OptOut(out) => Some((out.from.clone(), out.is_over)),
            _ => None,
        })
        .collect();
    assert_eq!(outs, [(siti.clone(), false), (siti, true)]);
}

#[tokio::test]
async fn the_menu_is_set_and_a_webhook_of_others_is_taken_away_again() {
    let bench = Bench::start().await;
    let elsewhere = json!({ "url": "https://kabar.example.go.id/elsewhere" });
    bench.call("setWebhook", &elsewhere).await;
    let store = Store::new(0);
    bench.listen(&store);
    bench.writes("/start");
    store.events(&bench.client, 1).await;
    let menu = bench.call("getMyCommands", &json!({})).await;
    let expected = json!([{ "command": "status", "description": "Cek keadaan KTP-el" }]);
    assert_eq!(menu["result"], expected);
    // While we ask: the question ends with 409, and the set-up is made anew.
    bench.call("setWebhook", &elsewhere).await;
    let info = async || bench.call("getWebhookInfo", &json!({})).await["result"]["url"].clone();
    in_time(async { while info().await != "" {} }).await;
    bench.writes("masih di sini");
    let keys = || store.keys().len();
    store.events(&bench.client, 2).await;
    assert_eq!(keys(), 2);
}

/// Our door, as the service has one.
struct Door {
    client: Arc<TelegramClient>,
    store: Arc<Store>,
}

async fn knock(
    State(door): State<Arc<Door>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let request = HookRequest {
        method: &method,
        tail: "",
        query: uri.query().unwrap_or_default(),
        url: uri.path(),
        now: SystemClock.now(),
        headers: &headers,
        body: &body,
    };
    match door.client.receive(&request).map(|answer| door.store.take(answer.events)) {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(NotStored)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

#[tokio::test]
async fn a_webhook_is_set_up_and_brings_updates_until_they_are_stored() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/telegram/bot-1", listener.local_addr().unwrap());
    let bench = Bench::start_with(|shared, settings| {
        shared.hook_url.clone_from(&url);
        settings.mode = Mode::Webhook;
        settings.webhook_secret = Some(SECRET.to_owned().into());
    })
    .await;
    let store = Store::new(2);
    let door = Door { client: Arc::clone(&bench.client), store: Arc::clone(&store) };
    let router = Router::new().route("/hooks/telegram/bot-1", post(knock));
    let router = router.with_state(Arc::new(door));
    let ending = bench.stop.clone().cancelled_owned();
    tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ending).into_future());
    let siti = bench.siti().await;

    let unsigned = bench.http.post(&url).body("{}").send().await.unwrap();
    assert_eq!(unsigned.status(), 401);

    bench.listen(&store);
    bench.fault(json!({ "kind": "duplicate_webhook", "count": 1 }));
    bench.writes("ktp saya?");
    // Turned away twice, then stored, then brought once more.
    store.wait_for_calls(4).await;
    let keys = store.keys();
    assert!(keys.len() == 2 && keys[0] == keys[1], "a repeat has the same key: {keys:?}");

    let question = message(&siti, "Pilih", &[("do:menu", "Menu")]);
    in_time(bench.client.send(&question)).await.unwrap();
    let press = bench.presses("do:menu");
    let events = store.events(&bench.client, 3).await;
    assert!(matches!(&events[2], Event::Message(inbound)
        if matches!(&inbound.body, InboundBody::Choice { id, .. } if id == "do:menu")));
    bench.marked(&press, Mark::Read).await;
    let info = bench.call("getWebhookInfo", &json!({})).await;
    assert_eq!(
        info["result"]["allowed_updates"],
        json!(["message", "callback_query", "my_chat_member"])
    );
}
