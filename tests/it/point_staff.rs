//! Who works at a service point: said by its dinas, shown on its page, and no right of anybody.

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::point_staff::{StaffError, assign, end};
use kabar::store::officer::find_by_login;
use kabar::store::point_staff::list_points_of;

use crate::collection::place;
use crate::support::console::{Browser, add_officer};
use crate::support::{TestApp, on_both_engines};

const POINT: &str = "kec-jombang";

async fn officer(app: &TestApp, login: &str, role: OfficerRole, area: &str) -> Actor {
    add_officer(app, login, login, role, area).await;
    find_by_login(&app.app.db, login).await.unwrap().unwrap().actor()
}

on_both_engines! {
    async fn the_dinas_says_who_works_at_a_point_and_who_does_no_more(app: TestApp) {
        place(&app).await;
        let loket = officer(&app, "loket", OfficerRole::Kecamatan, "35.17.09").await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let page = dinas.get("/console/tempat/titik/kec-jombang").await;
        assert!(page.says("Belum ada yang dicatat."), "{}", page.text);
        for _ in 0..2 {
            let form = [("officer", loket.id.as_str())];
            let page = dinas.post_and_follow("/console/tempat/titik/kec-jombang/petugas", &form).await;
            assert!(page.says("loket") && page.says("Diawasi oleh"), "{}", page.text);
        }
        let points = list_points_of(&mut app.app.db.reading().await.unwrap(), loket.id.parse().unwrap()).await;
        assert_eq!(points.unwrap(), [POINT]);
        let way = format!("/console/tempat/titik/kec-jombang/petugas/{}/akhiri", loket.id);
        let page = dinas.post_and_follow(&way, &[]).await;
        assert!(page.says("Belum ada yang dicatat."), "{}", page.text);
        let noted = app.query("SELECT COUNT(*) FROM audit WHERE action = 'changed_staff'").await;
        assert_eq!(noted, [["2"]], "told twice it is noted once, and the end");
    }

    async fn nobody_is_put_where_they_serve_no_counter_or_by_whom_it_is_not_for(app: TestApp) {
        place(&app).await;
        let loket = officer(&app, "loket", OfficerRole::Kecamatan, "35.17.09").await;
        let courier = officer(&app, "kurir", OfficerRole::Courier, "35.17.09").await;
        let elsewhere = officer(&app, "diwek", OfficerRole::Kecamatan, "35.17.08").await;
        let office = Actor { area: AreaCode::parse("35.17").unwrap(), role: OfficerRole::Dinas, ..loket.clone() };
        for unfit in [&courier, &elsewhere] {
            let said = assign(&app.app, &office, POINT, unfit.id.parse().unwrap()).await;
            assert!(matches!(said, Err(StaffError::Unfit)), "{said:?}");
        }
        let own = assign(&app.app, &loket, POINT, loket.id.parse().unwrap()).await;
        assert!(matches!(own, Err(StaffError::Forbidden)), "{own:?}");
        let other = Actor { area: AreaCode::parse("35.18").unwrap(), ..office };
        let not_theirs = end(&app.app, &other, POINT, loket.id.parse().unwrap()).await;
        assert!(matches!(not_theirs, Err(StaffError::NotFound)), "{not_theirs:?}");
    }
}
