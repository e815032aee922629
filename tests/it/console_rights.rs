//! Who may come through which door of the console: every route, with every role.

use kabar::domain::officer::{OfficerRole, Right};
use kabar::web::console::{Need, Route, routes};
use reqwest::{Method, StatusCode};

use crate::support::console::Browser;
use crate::support::{Start, TestApp};
use crate::telegram_office::Desk;
use crate::telegram_officer::{asks, press_update, tied};

/// A path with something in each of its holes.
fn path(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn may(role: OfficerRole, need: Need) -> bool {
    match need {
        Need::Nothing | Need::Login => true,
        Need::Right(right) => role.may(right),
    }
}

crate::support::on_both_engines! {
    async fn every_route_lets_in_the_roles_that_may_and_no_other(app: TestApp) {
        let routes = routes();
        assert!(routes.len() > 10, "the routes are found: {}", routes.len());
        for role in OfficerRole::ALL {
            let browser = Browser::login(&app, *role, "35.17").await;
            for route in &routes {
                // Whoever logs out sees no further door.
                if route.path == "/console/keluar" {
                    continue;
                }
                let answer = match route.method {
                    "GET" => browser.get(&path(route)).await,
                    _ => browser.post(&path(route), &[]).await,
                };
                let is_let_in = answer.status != StatusCode::FORBIDDEN;
                let shown = format!("{role}: {} {}: {}", route.method, route.path, answer.status);
                assert_eq!(is_let_in, may(*role, route.need), "{shown}");
                assert!(!answer.status.is_server_error(), "{shown}");
            }
        }
    }

    async fn every_command_of_a_chat_obeys_the_roles_that_may_and_no_other(start: Start) {
        let desk = Desk::open(start).await;
        let broadcast = "bro_01ARZ3NDEKTSV4RRFFQ69G5FAV";
        for (n, role) in (51..).zip(OfficerRole::ALL) {
            let (_, phone) = tied(&desk, *role, "35.17", n).await;
            let chat = desk.sandbox.sent().pop().unwrap().body["chat_id"].as_i64().unwrap();
            let typed = [("/kartu zainal", Right::SeeCards), ("/siarkan", Right::Broadcast)];
            for (words, right) in typed {
                let said = asks(&desk, &phone, words).await;
                assert_eq!(!said.starts_with("Peran Anda"), role.may(right), "{role} {words}: {said}");
            }
            for (at, (button, right)) in (1..).zip([
                ("area:35.17", Right::Broadcast),
                ("test", Right::Broadcast),
                ("send", Right::Broadcast),
                ("ask", Right::Broadcast),
                ("cancel", Right::Broadcast),
                ("approve", Right::Approve),
                ("return", Right::Approve),
            ]) {
                let data = if button.contains(':') { format!("petugas:{button}") } else {
                    format!("petugas:{button}:{broadcast}:1")
                };
                let id = i64::try_from(n).unwrap() * 100 + at;
                desk.brings(press_update(id, chat, &data)).await;
                let said = desk.last(&phone);
                // Steps that nobody began have no right to ask for.
                let is_let_in = !said.starts_with("Peran Anda");
                let expected = role.may(right) || button.starts_with("area");
                assert_eq!(is_let_in, expected, "{role} {button}: {said}");
            }
        }
        assert!(desk.app.query("SELECT id FROM broadcast").await.is_empty());
    }

    async fn whoever_is_not_logged_in_is_sent_to_the_door(app: TestApp) {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for route in routes() {
            if route.need == Need::Nothing {
                continue;
            }
            let method = if route.method == "GET" { Method::GET } else { Method::POST };
            let url = format!("{}{}", app.url, path(&route));
            let answer = http.request(method, url).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{} {}", route.method, route.path);
            let to = answer.headers()["location"].to_str().unwrap();
            assert!(to.starts_with("/console/masuk"), "{to}");
        }
    }

    async fn a_form_of_another_site_or_without_its_token_changes_nothing(app: TestApp) {
        let browser = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        for route in routes() {
            if route.method != "POST" || route.need == Need::Nothing {
                continue;
            }
            let shown = format!("{} {}", route.method, route.path);
            let bare = browser.post_raw(&path(&route), &[("x", "y")]).await;
            assert_eq!(bare.status, StatusCode::FORBIDDEN, "{shown} without a token");
            let foreign = browser
                .request(Method::POST, &path(&route))
                .header("origin", "https://contoh.test")
                .send()
                .await
                .unwrap();
            assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "{shown} from another site");
        }
    }

    async fn answers_tell_the_browser_to_load_nothing_foreign_and_to_keep_nothing(app: TestApp) {
        let browser = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        for page in ["/console/masuk", "/console/akun", "/console/tidak-ada"] {
            let answer = browser.request(Method::GET, page).send().await.unwrap();
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-security-policy").starts_with("default-src 'none'"), "{page}");
            assert_eq!(header("cache-control"), "no-store", "{page}");
            assert_eq!(header("x-frame-options"), "DENY", "{page}");
        }
    }
}
