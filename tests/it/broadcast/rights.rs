//! Who may do what with a broadcast: areas, the second person, and what becomes of an approval.

use kabar::domain::broadcast::{Alarm, BroadcastState};
use kabar::domain::id::OfficerId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::broadcast::{self, BroadcastError};
use kabar::store::officer::{NewOfficer, insert_officer};
use serde_json::json;

use super::{actor, area, desa, draft, kecamatan, people, register, state};
use crate::support::{TestApp, citizen, on_both_engines};

on_both_engines! {
    async fn nobody_reaches_or_sees_beyond_their_area(app: TestApp) {
        register(&app, &people(2)).await;
        let create = |actor: Actor, audience| {
            let (app, draft) = (&app.app, draft(audience));
            async move { broadcast::create(app, &actor, &draft).await }
        };
        for beyond in ["35.17.09.2019", "35.17.09", "35.18", "62.03"] {
            let refused = create(desa(), json!({"areas": [beyond]})).await;
            assert!(matches!(refused, Err(BroadcastError::OutsideArea)), "{beyond}");
        }
        let refused = create(desa(), json!({"areas": ["35.17.09.2018", "35.17.09.2019"]})).await;
        assert!(matches!(refused, Err(BroadcastError::OutsideArea)));

        let id = create(kecamatan(), json!({})).await.unwrap();
        for stranger in [desa(), actor(OfficerRole::Kecamatan, "35.17.10")] {
            let hidden = broadcast::show(&app.app, &stranger, id).await;
            assert!(matches!(hidden, Err(BroadcastError::NotFound)));
            assert!(broadcast::list(&app.app, &stranger, None, 10).await.unwrap().is_empty());
            assert!(matches!(
                broadcast::change(&app.app, &stranger, id, &draft(json!({}))).await,
                Err(BroadcastError::NotFound)
            ));
            let cancelled = broadcast::cancel(&app.app, &stranger, id).await;
            assert!(matches!(cancelled, Err(BroadcastError::NotFound)));
        }
        let dinas = actor(OfficerRole::Dinas, "35.17");
        assert_eq!(broadcast::list(&app.app, &dinas, None, 10).await.unwrap().len(), 1);
        for role in [OfficerRole::Auditor, OfficerRole::Courier, OfficerRole::Partner] {
            let refused = create(actor(role, "35.17"), json!({})).await;
            assert!(matches!(refused, Err(BroadcastError::Forbidden)), "{role}");
        }
    }

    async fn the_second_person_is_never_somebody_who_wrote_it(app: TestApp) {
        register(&app, &people(201)).await;
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        assert_eq!(
            broadcast::submit(&app.app, &desa(), id).await.unwrap(),
            BroadcastState::Submitted
        );
        let approve = |actor: Actor| {
            let app = &app.app;
            async move { broadcast::approve(app, &actor, id).await }
        };
        assert!(matches!(approve(desa()).await, Err(BroadcastError::Forbidden)));
        let elsewhere = actor(OfficerRole::Kecamatan, "35.17.10");
        assert!(matches!(approve(elsewhere).await, Err(BroadcastError::NotFound)));

        // Whoever changes a word of it has written it.
        broadcast::reject(&app.app, &kecamatan(), id, "Mohon tulis jamnya.").await.unwrap();
        let found = broadcast::show(&app.app, &desa(), id).await.unwrap();
        assert_eq!((found.state, found.note.as_deref()),
                   (BroadcastState::Draft, Some("Mohon tulis jamnya.")));
        broadcast::change(&app.app, &kecamatan(), id, &draft(json!({"areas": ["35.17.09.2018"]})))
            .await
            .unwrap();
        broadcast::change(&app.app, &desa(), id, &draft(json!({}))).await.unwrap();
        broadcast::submit(&app.app, &desa(), id).await.unwrap();
        assert!(matches!(approve(kecamatan()).await, Err(BroadcastError::Maker)));

        let dinas = actor(OfficerRole::Dinas, "35.17");
        approve(dinas.clone()).await.unwrap();
        let found = broadcast::show(&app.app, &desa(), id).await.unwrap();
        assert_eq!((found.maker.id.as_str(), found.checker.as_deref()),
                   ("tok_desa", Some("tok_dinas")));

        broadcast::change(&app.app, &desa(), id, &draft(json!({}))).await.unwrap();
        let found = broadcast::show(&app.app, &desa(), id).await.unwrap();
        assert_eq!((found.state, found.checker), (BroadcastState::Draft, None), "withdrawn");
        let refused = broadcast::send(&app.app, &desa(), id).await;
        assert!(matches!(refused, Err(BroadcastError::State { .. })));
    }

    async fn beyond_one_kecamatan_everybody_needs_a_second_person(app: TestApp) {
        register(&app, &[citizen(1), citizen(2).of_area("35.17.10.2001")]).await;
        let dinas = actor(OfficerRole::Dinas, "35.17");
        let submitted = |audience| {
            let (app, dinas) = (&app.app, &dinas);
            async move {
                let id = broadcast::create(app, dinas, &draft(audience)).await.unwrap();
                broadcast::submit(app, dinas, id).await.unwrap()
            }
        };
        assert_eq!(submitted(json!({})).await, BroadcastState::Submitted);
        assert_eq!(submitted(json!({"areas": ["35.17.09"]})).await, BroadcastState::Approved);
    }

    async fn who_moved_away_no_longer_reaches_their_former_area(app: TestApp) {
        register(&app, &people(3)).await;
        let now = app.app.now();
        let officer: OfficerId = app.app.ids.next(now);
        let mut tx = app.app.db.begin().await.unwrap();
        let new = NewOfficer {
            id: officer,
            login: "sari",
            name: "Sari",
            role: OfficerRole::Desa,
            area: &area("35.17.09.2018"),
            password_hash: "",
            must_change: false,
        };
        insert_officer(&mut tx, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        let sari = Actor { id: officer.to_string(), ..desa() };
        let id = broadcast::create(&app.app, &sari, &draft(json!({}))).await.unwrap();
        broadcast::submit(&app.app, &sari, id).await.unwrap();
        broadcast::send(&app.app, &sari, id).await.unwrap();
        app.query("UPDATE officer SET area = '35.17.09.2019' RETURNING id").await;
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty());
        assert_eq!(state(&app, id).await, BroadcastState::Stopped);
        let found = broadcast::show(&app.app, &Actor::cli(), id).await.unwrap();
        assert_eq!(found.alarm, Some(Alarm::AreaLost));
    }

    async fn an_audience_that_grew_beyond_the_threshold_needs_the_second_person_after_all(
        app: TestApp,
    ) {
        register(&app, &people(200)).await;
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        assert_eq!(
            broadcast::submit(&app.app, &desa(), id).await.unwrap(),
            BroadcastState::Approved
        );
        register(&app, &[citizen(201)]).await;
        broadcast::send(&app.app, &desa(), id).await.unwrap();
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty());
        let found = broadcast::show(&app.app, &Actor::cli(), id).await.unwrap();
        assert_eq!((found.state, found.alarm),
                   (BroadcastState::Stopped, Some(Alarm::NeedsApproval)));
    }
}
