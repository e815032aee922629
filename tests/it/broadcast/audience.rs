//! Whom a broadcast reaches: areas down to the RT, states of cards, ages, languages and lists; and who is left out.

use std::time::Duration;

use kabar::domain::broadcast::LeftOut;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::domain::phone::PhoneNumber;
use kabar::service::broadcast::{self, Counted, Preview};
use kabar::store::audience::ListEntry;
use serde_json::{Value, json};

use super::{desa, draft, kecamatan, people, register, register_as, sent};
use crate::support::citizen::Citizen;
use crate::support::console::Browser;
use crate::support::{TestApp, citizen, on_both_engines};

async fn previewed(app: &TestApp, actor: &Actor, audience: Value) -> Preview {
    let id = broadcast::create(&app.app, actor, &draft(audience)).await.unwrap();
    broadcast::preview(&app.app, actor, id).await.unwrap()
}

/// A child of that birthday, DDMMYY.
fn child(n: usize, birthday: &str) -> Citizen {
    let mut child = citizen(n);
    child.nik = format!("351709{birthday}{n:04}");
    child
}

on_both_engines! {
    async fn an_area_is_reached_down_to_the_rt_and_no_further(app: TestApp) {
        let homes = [("001", "002"), ("1", "3"), ("011", "002")];
        for (n, (rt, rw)) in homes.into_iter().enumerate() {
            let parts = [("rt", json!(rt)), ("rw", json!(rw)), ("silent", json!(true))];
            app.card_with(&citizen(n + 1), "CARD_PRINTED", &parts).await;
        }
        let far = ["35.17.09.2019", "35.17.10.2001", "35.18.01.2001"];
        let others: Vec<Citizen> =
            far.into_iter().enumerate().map(|(n, area)| citizen(n + 10).of_area(area)).collect();
        register(&app, &others).await;
        let everywhere = Actor::cli();
        let count = async |audience| previewed(&app, &everywhere, audience).await.recipients;
        assert_eq!(count(json!({})).await, 5, "the office's area");
        assert_eq!(count(json!({"areas": ["35.17.09"]})).await, 4);
        assert_eq!(count(json!({"areas": ["35.17.09.2018"]})).await, 3);
        assert_eq!(count(json!({"areas": ["35.17.10", "35.18.01.2001"]})).await, 2);
        assert_eq!(count(json!({"areas": ["35.17.09.2018"], "rw": "02"})).await, 2);
        assert_eq!(count(json!({"areas": ["35.17.09.2018"], "rw": "2", "rt": "01"})).await, 1);
        assert_eq!(count(json!({"dusun": "Krajan"})).await, 0);
    }

    async fn pages_hold_everybody_of_several_areas_once(app: TestApp) {
        let all: Vec<Citizen> = (1..=1100)
            .map(|n| citizen(n).of_area(["35.17.09.2018", "35.17.09.2019", "35.17.10.2001"][n % 3]))
            .collect();
        register(&app, &all).await;
        let areas = json!({"areas": ["35.17.09", "35.17.10.2001"]});
        let preview = previewed(&app, &Actor::cli(), areas).await;
        assert_eq!((preview.people, preview.recipients), (1100, 1100));
        assert_eq!(preview.area.unwrap().to_string(), "35.17");
    }

    async fn a_count_goes_on_beside_the_page_and_is_kept_until_the_broadcast_changes(app: TestApp) {
        register(&app, &people(3)).await;
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        let count = async |patience| broadcast::counted(&app.app, &desa(), id, patience).await.unwrap();
        assert!(matches!(count(Duration::ZERO).await, Counted::SoFar(_)), "nobody has to wait for it");
        let hours = Duration::from_secs(3600);
        let Counted::Done(first) = count(hours).await else { panic!() };
        assert_eq!(*first, broadcast::preview(&app.app, &desa(), id).await.unwrap());
        register(&app, &[citizen(4)]).await;
        assert_eq!(count(hours).await, Counted::Done(first), "what was counted a moment ago");
        app.advance(Duration::from_secs(300)).await;
        let Counted::Done(later) = count(hours).await else { panic!() };
        assert_eq!(later.recipients, 4);
        let areas = json!({"areas": ["35.17.09.2018"], "rt": "9"});
        broadcast::change(&app.app, &desa(), id, &draft(areas)).await.unwrap();
        let Counted::Done(changed) = count(hours).await else { panic!() };
        assert_eq!(changed.recipients, 0);

        let browser = Browser::login(&app, OfficerRole::Desa, super::JABON).await;
        let told = browser.get(&format!("/console/siaran/{id}/hitung")).await;
        assert!(told.kind.starts_with("text/event-stream") && told.says("event: end"), "{}", told.text);
    }

    async fn the_state_of_the_card_decides(app: TestApp) {
        register_as(&app, &[citizen(1), citizen(2)], "BELUM REKAM").await;
        register_as(&app, &[citizen(3)], "siap ambil").await;
        app.clock.advance(Duration::from_secs(10 * 24 * 3600));
        register_as(&app, &[citizen(4)], "siap ambil").await;
        let kia = [("document", json!("kia")), ("silent", json!(true))];
        app.card_with(&citizen(5), "siap ambil", &kia).await;
        let count = async |audience| previewed(&app, &desa(), audience).await.recipients;
        assert_eq!(count(json!({"card": {"state": "not_recorded"}})).await, 2);
        assert_eq!(count(json!({"card": {"state": "uncollected", "days": 1}})).await, 1);
        app.clock.advance(Duration::from_secs(24 * 3600));
        assert_eq!(count(json!({"card": {"state": "uncollected", "days": 1}})).await, 3);
        assert_eq!(count(json!({"document": "kia"})).await, 1);
        let both = json!({"card": {"state": "uncollected", "days": 1}, "document": "kia"});
        assert_eq!(count(both).await, 1);
    }

    async fn who_turns_17_is_reached_through_a_grown_up_and_never_alone(app: TestApp) {
        let mother = citizen(1);
        let family = child(2, "151209").with_phone(&mother.phone);
        register(&app, &[mother, family, child(3, "151209"), child(4, "150312")]).await;
        let soon = json!({"card": {"state": "turning_17", "months": 3}});
        let preview = previewed(&app, &desa(), soon).await;
        assert_eq!((preview.people, preview.recipients), (2, 1), "the 23rd of November 2026");
        assert_eq!(preview.left_out.get(&LeftOut::Minor), Some(&1));
        let preview = previewed(&app, &desa(), json!({})).await;
        assert_eq!(preview.left_out.get(&LeftOut::Minor), Some(&2));
        assert_eq!(preview.left_out.get(&LeftOut::Shared), Some(&1));
    }

    async fn the_language_of_the_conversation_decides(app: TestApp) {
        register(&app, &people(2)).await;
        app.asks(&citizen(2).e164, "English").await;
        let count = async |audience| previewed(&app, &desa(), audience).await.recipients;
        assert_eq!(count(json!({"language": "en"})).await, 1);
        assert_eq!(count(json!({"language": "id"})).await, 1);
    }

    async fn who_is_left_out_is_counted_by_the_reason(app: TestApp) {
        register(&app, &people(3)).await;
        register(&app, &[citizen(4).with_phone(""), citizen(5).with_phone("0321-861234")]).await;
        app.asks(&citizen(1).e164, "BERHENTI").await;
        app.asks(&citizen(2).e164, "BUKAN SAYA").await;
        let preview = previewed(&app, &desa(), json!({})).await;
        assert_eq!((preview.people, preview.recipients), (5, 1));
        assert_eq!(preview.left_out.get(&LeftOut::OptedOut), Some(&1));
        assert_eq!(preview.left_out.get(&LeftOut::NoPhone), Some(&3), "a released number too");
        assert_eq!(preview.left_out.values().sum::<u64>(), 4);
    }

    async fn a_list_reaches_those_of_it_who_live_in_the_area(app: TestApp) {
        let far = citizen(3).of_area("35.17.10.2001");
        register(&app, &[citizen(1), citizen(2), far.clone()]).await;
        let list: Vec<ListEntry> = [&citizen(1).phone, &far.phone, "0812-0000-1111", &citizen(1).phone]
            .into_iter()
            .map(|phone| ListEntry::Phone(PhoneNumber::parse(phone).unwrap()))
            .collect();
        let of = async |actor: Actor| {
            let id = broadcast::create(&app.app, &actor, &draft(json!({}))).await.unwrap();
            assert_eq!(broadcast::set_list(&app.app, &actor, id, &list).await.unwrap(), 4);
            broadcast::preview(&app.app, &actor, id).await.unwrap()
        };
        let near = of(kecamatan()).await;
        assert_eq!((near.people, near.recipients), (4, 1));
        assert_eq!(near.left_out.get(&LeftOut::OutsideArea), Some(&2), "a stranger lives nowhere");
        assert_eq!(near.left_out.get(&LeftOut::Shared), Some(&1));
        let office = of(Actor::cli()).await;
        assert_eq!(office.recipients, 3, "the whole office also reaches whom nobody knows");
        assert_eq!(office.area, None);

        let id = broadcast::create(&app.app, &kecamatan(), &draft(json!({}))).await.unwrap();
        broadcast::set_list(&app.app, &kecamatan(), id, &list).await.unwrap();
        broadcast::submit(&app.app, &kecamatan(), id).await.unwrap();
        broadcast::send(&app.app, &kecamatan(), id).await.unwrap();
        app.run_until_idle().await;
        let got: Vec<String> = app.whatsapp.sent().iter().map(|s| s.to().to_owned()).collect();
        assert_eq!(got, [citizen(1).e164]);
    }

    async fn a_list_of_references_finds_those_whom_the_messages_were_about(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let reference = app.message().await["reference"].as_str().unwrap().parse().unwrap();
        let unknown = "K7QX-3M".parse().unwrap();
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        let list = [ListEntry::Reference(reference), ListEntry::Reference(unknown)];
        assert_eq!(broadcast::set_list(&app.app, &desa(), id, &list).await.unwrap(), 1);
        let preview = broadcast::preview(&app.app, &desa(), id).await.unwrap();
        assert_eq!((preview.people, preview.recipients), (1, 1));
    }

    async fn the_api_of_messages_shows_a_broadcast_without_its_words(app: TestApp) {
        register(&app, &people(1)).await;
        sent(&app, json!({})).await;
        app.run_until_idle().await;
        let message = app.message().await;
        assert_eq!((&message["class"], &message["template"]), (&json!("broadcast"), &json!("sosialisasi")));
    }
}
