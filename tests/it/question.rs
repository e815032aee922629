//! What the bot does not understand becomes a list for the office, and what the office teaches is
//! understood by everybody who asks after that.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::id::QuestionGroupId;
use kabar::domain::message::MessageText;
use kabar::service::{inbox, sweep};
use kabar::store::Db;
use kabar::store::question_group::{
    Asking, GroupState, NewGroup, drop_oldest, insert_group, insert_text, mark_decided, note_asked,
};
use kabar::store::taught::{NewExample, find_edition, insert_example, withdraw_group};
use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::webhook;
use crate::support::{TestApp, citizen, list, on_both_engines, word};

const BU_RINI: &str = "+6281299990001";
const PAK_JOKO: &str = "+6281299990002";
const MBAK_DEWI: &str = "+6281299990003";

/// Words no example has, in two orders.
const STRANGE: &str = "qwrtzp xkcd blorf";
const STRANGE_TOO: &str = "Blorf, qwrtzp xkcd ya min?";

const DAY: Duration = Duration::from_secs(24 * 3600);

impl TestApp {
    async fn says(&self, number: &str, words: &str) {
        self.writes(number, words).await;
        self.run_until_idle().await;
    }

    async fn questions(&self, filter: &str) -> Vec<Value> {
        list(&self.get(&format!("/v1/questions{filter}")).await["questions"])
    }

    /// The one question there is, whoever asked it.
    async fn question(&self) -> Value {
        let mut all = self.questions("?all=true").await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// A question as it is now.
    async fn question_of(&self, question: &Value) -> Value {
        self.get(&format!("/v1/questions/{}", word(&question["id"]))).await
    }

    async fn decide(&self, question: &Value, what: &str) -> StatusCode {
        let path = format!("/v1/questions/{}/{what}", word(&question["id"]));
        self.call(Method::POST, Role::Office, &path).await.0
    }

    async fn teach(&self, question: &Value, body: Value) -> (StatusCode, Value) {
        let path = format!("/v1/questions/{}/teach", word(&question["id"]));
        self.send_json(Role::Office, &path, body).await
    }

    /// What was understood of the message that came last.
    async fn understood(&self) -> String {
        self.query("SELECT intent FROM inbound ORDER BY id DESC LIMIT 1").await[0][0].clone()
    }

    async fn group(&self, stems: &str, sample: &str) -> QuestionGroupId {
        let (db, asked_at) = (&self.app.db, self.app.now());
        let id = self.app.ids.next(asked_at);
        let sample = &MessageText::new(sample);
        let mut tx = db.begin().await.unwrap();
        insert_group(&mut tx, db, &NewGroup { id, stems, sample, asked_at }).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn asked(&self, group: QuestionGroupId, who: &str, area: Option<&str>) -> bool {
        let (db, at): (&Db, _) = (&self.app.db, self.app.now());
        let day = at.utc().date_naive().to_string();
        let area = area.map(|code| AreaCode::parse(code).unwrap());
        let asking = Asking {
            group,
            address_hash: who,
            day: &day,
            near: &[],
            area: area.as_ref(),
            at,
            taught_before: at.before(Duration::from_secs(3600)),
        };
        let mut tx = db.begin().await.unwrap();
        let is_new = note_asked(&mut tx, db, &asking).await.unwrap();
        tx.commit().await.unwrap();
        is_new
    }
}

on_both_engines! {
    async fn what_two_ask_is_one_question_and_the_third_gets_the_answer_that_was_taught(
        app: TestApp,
    ) {
        app.says(BU_RINI, STRANGE).await;
        assert!(app.questions("").await.is_empty(), "one person alone is not shown unasked");
        app.says(PAK_JOKO, STRANGE_TOO).await;
        let questions = app.questions("").await;
        assert_eq!(questions.len(), 1, "{questions:?}");
        let question = &questions[0];
        assert_eq!(question["times"], 2);
        assert_eq!(question["sample"], STRANGE);
        assert_eq!(question["state"], "open");
        assert!(!list(&question["near"]).is_empty() || question["near"] == json!([]));

        let (status, done) = app.teach(question, json!({"label": "req_ktp_damaged"})).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        assert_eq!((&done["texts"], &done["understood"]), (&json!(1), &json!(1)), "{done}");
        assert_eq!(done["changed"], 0, "{done}");
        let answer = app.asks(MBAK_DEWI, "xkcd blorf qwrtzp?").await;
        assert!(answer.text().contains("rusak"), "{}", answer.text());
        assert_eq!(app.understood().await, "req_ktp_damaged");
        assert!(app.questions("").await.is_empty());
        let taught = app.questions("?state=taught").await;
        assert_eq!(taught[0]["label"], "req_ktp_damaged");
        assert_eq!(taught[0]["times"], 2, "what is understood is not counted");
    }

    async fn what_another_process_teaches_is_learnt_within_a_minute(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        assert_eq!(app.understood().await, "out_of_scope");
        let group = app.question().await["id"].as_str().unwrap().parse().unwrap();
        let (db, now) = (&app.app.db, app.app.now());
        let text = &MessageText::new(STRANGE);
        let (id, label, by) = (app.app.ids.next(now), "fee", "another process");
        let mut tx = db.begin().await.unwrap();
        let new = NewExample { id, label, text, group, by };
        insert_example(&mut tx, db, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        app.advance(Duration::from_secs(30)).await;
        app.says(BU_RINI, STRANGE).await;
        assert_eq!(app.understood().await, "out_of_scope", "nobody looked yet");
        app.advance(Duration::from_secs(31)).await;
        app.says(BU_RINI, STRANGE).await;
        assert_eq!(app.understood().await, "fee");
        let app = app.restart().await;
        app.says(BU_RINI, STRANGE).await;
        assert_eq!(app.understood().await, "fee", "who starts later knows it at once");
    }

    async fn nothing_is_trained_before_somebody_asks(app: TestApp) {
        app.card(&citizen(6), "CARD_PRINTED").await;
        app.advance(Duration::from_secs(120)).await;
        assert!(!app.app.knowledge.is_ready());
        app.says(BU_RINI, "halo").await;
        assert!(app.app.knowledge.is_ready());
    }

    async fn who_asks_five_times_counts_once_a_day(app: TestApp) {
        for _ in 0..5 {
            app.says(BU_RINI, STRANGE).await;
        }
        assert_eq!(app.question().await["times"], 1);
        app.advance(DAY).await;
        app.says(BU_RINI, STRANGE_TOO).await;
        let question = app.question().await;
        assert_eq!((&question["times"], &question["shared"]), (&json!(2), &json!(false)));
        app.says(PAK_JOKO, STRANGE).await;
        let question = app.question().await;
        assert_eq!((&question["times"], &question["shared"]), (&json!(3), &json!(true)));
    }

    async fn a_nearly_equal_question_joins_with_its_own_wording(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        app.says(PAK_JOKO, "zumwalt qwrtzp xkcd blorf").await;
        app.says(MBAK_DEWI, "blorf zumwalt xkcd qwrtzp").await;
        app.says(MBAK_DEWI, "zumwalt vrenk blorf").await;
        let questions = app.questions("").await;
        assert_eq!(questions.len(), 1, "{questions:?}");
        assert_eq!(questions[0]["times"], 3);
        let all = app.get(&format!("/v1/questions/{}", word(&questions[0]["id"]))).await;
        assert_eq!(all["texts"], json!([STRANGE, "zumwalt qwrtzp xkcd blorf"]));
        assert_eq!(app.questions("?all=true").await.len(), 2);
    }

    async fn what_is_asked_back_counts_unless_an_answer_is_taken(app: TestApp) {
        let question = app.asks(BU_RINI, "ktp").await;
        assert_eq!(app.understood().await, "clarify");
        let choices = question.choices();
        app.presses(BU_RINI, &choices[1]).await;
        app.advance(DAY * 2).await;
        assert!(app.questions("?all=true").await.is_empty(), "the citizen took an answer");

        app.asks(BU_RINI, "ktp").await;
        assert!(app.questions("?all=true").await.is_empty(), "they may still take one");
        app.asks(BU_RINI, "menu").await;
        assert_eq!(app.question().await["sample"], "ktp", "they did not");

        app.asks(PAK_JOKO, "ktp").await;
        app.advance(Duration::from_secs(23 * 3600)).await;
        assert_eq!(app.question().await["times"], 1);
        app.advance(Duration::from_secs(2 * 3600)).await;
        let question = app.question().await;
        assert_eq!(question["times"], 2, "nor did one who wrote no more");
        assert!(list(&question["near"]).contains(&json!("status_card")), "{question}");
    }

    async fn of_many_who_ask_at_once_each_is_counted_once(app: TestApp) {
        for n in 10..30 {
            app.writes(&format!("+62812999900{n}"), if n % 2 == 0 { STRANGE } else { STRANGE_TOO }).await;
        }
        while inbox::step(&app.app).await.unwrap() > 0 {}
        let processes = futures_util::future::join_all((0..4).map(|_| sweep::step(&app.app))).await;
        let counted: u64 = processes.into_iter().map(Result::unwrap).sum();
        assert_eq!(counted, 20);
        let question = app.question().await;
        assert_eq!((&question["times"], &question["shared"]), (&json!(20), &json!(true)));
    }

    async fn what_was_asked_back_goes_along_when_two_contacts_turn_out_to_be_one(app: TestApp) {
        let message = |id: &str, from: Option<&str>, user: Option<&str>, words: &str| {
            json!({"id": id, "from": from, "from_user_id": user, "type": "text",
                   "timestamp": app.now_s().to_string(), "text": {"body": words}})
        };
        let (phone, user) = (Some(&BU_RINI[1..]), Some("ID.13491208655302741918"));
        for (id, from, user, words) in [
            ("wamid.A", phone, None, "halo"),
            ("wamid.B", None, user, "ktp"),
            ("wamid.C", phone, user, "menu"),
        ] {
            let mut message = message(id, from, user, words);
            message.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(app.hook(&webhook::body(&[message], &[])).await, StatusCode::OK);
            app.run_until_idle().await;
        }
        assert_eq!(app.query("SELECT id FROM contact").await.len(), 1);
        assert_eq!(app.question().await["sample"], "ktp");
    }

    async fn what_has_no_words_is_no_question(app: TestApp) {
        for words in ["?!", "👍👍", "12345", "3517091204560006"] {
            app.says(BU_RINI, words).await;
        }
        assert!(app.questions("?all=true").await.is_empty());
        assert!(app.query("SELECT id FROM question").await.is_empty());
    }

    async fn a_long_story_is_kept_as_far_as_it_is_read(app: TestApp) {
        let story = format!("{STRANGE} {}", "vrenk zumwalt ".repeat(100));
        app.says(BU_RINI, &story).await;
        let sample = word(&app.question().await["sample"]);
        assert_eq!(sample.chars().count(), 300);
        assert!(story.starts_with(&sample));
    }

    async fn who_writes_nonsense_all_day_does_not_push_out_the_others(app: TestApp) {
        for n in 0..25_u8 {
            let letter = char::from(b'a' + n);
            let nonsense = format!("{letter}{letter}vq{letter}x {letter}wj{letter}kz");
            app.writes(BU_RINI, &nonsense).await;
        }
        app.run_until_idle().await;
        let all = app.questions("?all=true&limit=500").await;
        assert!((15..=20).contains(&all.len()), "{}", all.len());
        app.says(PAK_JOKO, STRANGE).await;
        assert_eq!(app.questions("?all=true&limit=500").await.len(), all.len() + 1);
    }

    async fn only_who_may_answer_citizens_reads_their_words(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        app.says(PAK_JOKO, STRANGE).await;
        let question = app.question().await;
        let one = format!("/v1/questions/{}", word(&question["id"]));
        let (status, answer) = app.ask(Role::Auditor, "/v1/questions").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["questions"][0]["times"], 2);
        assert!(!answer.to_string().contains("xkcd"), "{answer}");
        assert_eq!(app.ask(Role::Office, &one).await.0, StatusCode::OK);
        for (role, path) in [(Role::Source, "/v1/questions"), (Role::Auditor, &one)] {
            assert_eq!(app.ask(role, path).await.0, StatusCode::FORBIDDEN, "{role} {path}");
        }
        for what in ["ignore", "reopen"] {
            let path = format!("{one}/{what}");
            let (status, _) = app.call(Method::POST, Role::Auditor, &path).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
        }
        let teach = (format!("{one}/teach"), json!({"label": "fee"}));
        let (status, _) = app.send_json(Role::Auditor, &teach.0, teach.1).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(app.question().await["state"], "open");
    }

    async fn what_cannot_be_taught_is_refused_in_words(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        let question = app.question().await;
        for label in ["req_sim", "out_of_scope", "clarify_topic", "clarify", ""] {
            let (status, problem) = app.teach(&question, json!({"label": label})).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{label}: {problem}");
        }
        let (status, _) = app.teach(&question, json!({"intent": "fee"})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        for id in ["qgr_01KAHV6R00ABCDEFGHJKMNPQRS", "qgr_1", "vis_01KAHV6R00ABCDEFGHJKMNPQRS"] {
            let (status, _) = app.teach(&json!({"id": id}), json!({"label": "fee"})).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
        }
        for query in ["?state=asleep", "?colour=red", "?all=maybe", "?since=yesterday"] {
            let (status, _) = app.ask(Role::Admin, &format!("/v1/questions{query}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        }
        assert!(app.query("SELECT id FROM taught_example").await.is_empty());
    }

    async fn what_would_break_known_answers_is_taught_only_to_who_insists(app: TestApp) {
        // Questions that are examples of something else already.
        let script = app.app.script();
        let known = script.examples().filter(|(label, _)| *label == "req_ktp_damaged");
        let known: Vec<MessageText> = known.take(5).map(|(_, text)| MessageText::new(text)).collect();
        let id = app.group("0", known[0].expose()).await;
        let (db, now) = (&app.app.db, app.app.now());
        let mut tx = db.begin().await.unwrap();
        for (n, text) in known[1..].iter().enumerate() {
            let stems = format!("{}", n + 1);
            insert_text(&mut tx, db, id, (&stems, text), 4, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        let question = json!({"id": id.to_string()});
        let (status, problem) = app.teach(&question, json!({"label": "fee"})).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert!(word(&problem["detail"]).contains("known examples"), "{problem}");
        assert!(app.query("SELECT id FROM taught_example").await.is_empty());
        let (status, done) = app.teach(&question, json!({"label": "fee", "accept": true})).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        assert!(done["changed"].as_i64() > Some(0), "{done}");
        let (status, _) = app.teach(&question, json!({"label": "fee", "accept": true})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "it is decided");
    }

    async fn what_is_set_aside_stays_so_and_what_was_taught_can_be_taken_back(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        let question = app.question().await;
        assert_eq!(app.decide(&question, "reopen").await, StatusCode::NOT_FOUND);
        assert_eq!(app.decide(&question, "ignore").await, StatusCode::NO_CONTENT);
        assert_eq!(app.decide(&question, "ignore").await, StatusCode::NOT_FOUND);
        app.says(PAK_JOKO, STRANGE).await;
        assert!(app.questions("?all=true").await.is_empty());
        let ignored = app.questions("?state=ignored").await;
        assert_eq!(ignored[0]["times"], 2, "it is counted all the same");
        assert!(word(&ignored[0]["decided_by"]).starts_with("tok_"), "{ignored:?}");

        assert_eq!(app.decide(&question, "reopen").await, StatusCode::NO_CONTENT);
        let (status, _) = app.teach(&question, json!({"label": "fee"})).await;
        assert_eq!(status, StatusCode::OK);
        app.says(MBAK_DEWI, STRANGE).await;
        assert_eq!(app.understood().await, "fee");
        assert_eq!(app.decide(&question, "reopen").await, StatusCode::NO_CONTENT);
        app.says(MBAK_DEWI, STRANGE).await;
        assert_eq!(app.understood().await, "out_of_scope");
        let kept = "SELECT id FROM taught_example WHERE withdrawn_by IS NOT NULL";
        assert_eq!(app.query(kept).await.len(), 1, "who taught what can be seen later");
    }

    async fn what_was_taught_and_is_asked_all_the_same_is_open_again(app: TestApp) {
        let id = app.group("blorf qwrtzp xkcd", STRANGE).await;
        let decision = (GroupState::Taught, Some("fee"));
        let mut tx = app.app.db.begin().await.unwrap();
        assert!(mark_decided(&mut tx, id, decision, "somebody", app.app.now()).await.unwrap());
        tx.commit().await.unwrap();
        app.says(BU_RINI, STRANGE).await;
        assert!(app.questions("?all=true").await.is_empty(), "not every process has learnt it");
        app.advance(Duration::from_secs(2 * 3600)).await;
        app.says(PAK_JOKO, STRANGE).await;
        assert_eq!(app.question().await["label"], "fee", "so it was not learnt");
    }

    async fn what_a_group_taught_before_is_no_example_once_it_is_taught_as_something_else(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        let question = app.question().await;
        let (status, _) = app.teach(&question, json!({"label": "fee"})).await;
        assert_eq!(status, StatusCode::OK);
        // Who asks in another process is not understood all the same, and it opens again.
        let open = "UPDATE question_group SET state = 'open'";
        app.query(open).await;
        let (status, done) = app.teach(&question, json!({"label": "req_ktp_damaged"})).await;
        assert_eq!(status, StatusCode::OK, "its own examples contradict nobody: {done}");
        let in_force = "SELECT label FROM taught_example WHERE withdrawn_at IS NULL";
        assert_eq!(app.query(in_force).await, [["req_ktp_damaged"]]);
        app.says(MBAK_DEWI, STRANGE).await;
        assert_eq!(app.understood().await, "req_ktp_damaged");

        app.query(open).await;
        assert_eq!(app.decide(&question, "ignore").await, StatusCode::NO_CONTENT);
        assert!(app.query(in_force).await.is_empty());
        app.says(MBAK_DEWI, STRANGE).await;
        assert_eq!(app.understood().await, "out_of_scope");
    }

    async fn a_decision_that_is_kept_is_no_error_though_it_is_not_learnt_yet(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        let question = app.question().await;
        let (status, _) = app.teach(&question, json!({"label": "fee"})).await;
        assert_eq!(status, StatusCode::OK);
        let (db, now) = (&app.app.db, app.app.now());
        let group = app.group("vrenk zumwalt", "vrenk zumwalt").await;
        let (id, text) = (app.app.ids.next(now), &MessageText::new("vrenk zumwalt"));
        let mut tx = db.begin().await.unwrap();
        let new = NewExample { id, label: "fee", text, group, by: "another process" };
        insert_example(&mut tx, db, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        app.query(&format!("UPDATE taught_example SET text_sealed = 'x' WHERE id = '{id}'")).await;
        assert_eq!(app.decide(&question, "reopen").await, StatusCode::NO_CONTENT);
        assert_eq!(app.question_of(&question).await["state"], "open");
    }

    async fn a_question_that_cannot_be_read_holds_up_no_other_and_is_looked_at_again(app: TestApp) {
        for (who, words) in [(BU_RINI, STRANGE), (PAK_JOKO, "vrenk zumwalt")] {
            app.writes(who, words).await;
        }
        while inbox::step(&app.app).await.unwrap() > 0 {}
        let first = "UPDATE question SET text_sealed = 'x' || text_sealed \
                     WHERE id = (SELECT MIN(id) FROM question)";
        app.query(first).await;
        app.run_until_idle().await;
        assert_eq!(app.question().await["sample"], "vrenk zumwalt");
        app.query("UPDATE question SET text_sealed = substr(text_sealed, 2)").await;
        app.advance(DAY).await;
        assert_eq!(app.questions("?all=true").await.len(), 2);
    }

    async fn what_fails_in_the_sweeper_holds_up_nothing_behind_it(app: TestApp) {
        app.asks(BU_RINI, "mau bicara dengan petugas").await;
        let ticket = list(&app.get("/v1/tickets").await["tickets"]).remove(0);
        let path = format!("/v1/tickets/{}/take", word(&ticket["id"]));
        app.call(Method::POST, Role::Office, &path).await;
        let group = app.group("vrenk zumwalt", "vrenk zumwalt").await;
        let (db, now) = (&app.app.db, app.app.now());
        let (id, text) = (app.app.ids.next(now), &MessageText::new("vrenk zumwalt"));
        let mut tx = db.begin().await.unwrap();
        let new = NewExample { id, label: "fee", text, group, by: "another process" };
        insert_example(&mut tx, db, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        app.query("UPDATE taught_example SET text_sealed = 'x'").await;
        app.clock.advance(DAY * 7);
        sweep::step(&app.app).await.unwrap_err();
        let closed = app.get("/v1/tickets?state=closed").await;
        assert_eq!(list(&closed["tickets"]).len(), 1, "{closed}");
    }

    async fn an_edition_is_known_before_others_see_it(app: TestApp) {
        let (db, now) = (&app.app.db, app.app.now());
        let group = app.group("vrenk zumwalt", "vrenk zumwalt").await;
        let text = &MessageText::new("vrenk zumwalt");
        for _ in 0..2 {
            let before = find_edition(db).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            let withdrawn = withdraw_group(&mut tx, group, "Rina", now).await.unwrap();
            for _ in 0..3 {
                let id = app.app.ids.next(now);
                let new = NewExample { id, label: "fee", text, group, by: "Rina" };
                insert_example(&mut tx, db, &new, now).await.unwrap();
            }
            tx.commit().await.unwrap();
            assert_eq!(find_edition(db).await.unwrap(), before.after(3, withdrawn));
        }
    }

    async fn who_asked_is_forgotten_after_thirty_days(app: TestApp) {
        app.says(BU_RINI, STRANGE).await;
        app.advance(DAY * 29).await;
        assert_eq!(app.query("SELECT asker_hash FROM question_asker").await.len(), 1);
        app.advance(DAY * 2).await;
        assert!(app.query("SELECT asker_hash FROM question_asker").await.is_empty());
        let first = app.query("SELECT first_asker_hash FROM question_group").await;
        assert_eq!(first, [["NULL"]]);
        app.says(PAK_JOKO, STRANGE).await;
        let question = app.question().await;
        assert_eq!(question["times"], 2);
        assert_eq!(question["shared"], false, "nobody can tell any more who was first");
        app.says(MBAK_DEWI, STRANGE).await;
        assert_eq!(app.question().await["shared"], true);
    }

    async fn of_too_many_the_oldest_of_one_person_goes_first(app: TestApp) {
        let mut groups = Vec::new();
        for n in 0..5 {
            let group = app.group(&format!("blorf {n}"), "blorf").await;
            assert!(app.asked(group, "siti", None).await);
            if n == 0 {
                assert!(app.asked(group, "budi", None).await);
            }
            groups.push(group);
            app.clock.advance(Duration::from_secs(1));
        }
        let mut tx = app.app.db.begin().await.unwrap();
        let decision = (GroupState::Ignored, None);
        mark_decided(&mut tx, groups[1], decision, "somebody", app.app.now()).await.unwrap();
        assert_eq!(drop_oldest(&mut tx, 4).await.unwrap(), 0, "four are open");
        assert_eq!(drop_oldest(&mut tx, 2).await.unwrap(), 2);
        tx.commit().await.unwrap();
        let left = app.query("SELECT id FROM question_group ORDER BY id").await;
        let expected = [groups[0], groups[1], groups[4]].map(|id| vec![id.to_string()]);
        assert_eq!(left, expected);
        let askers = app.query("SELECT group_id FROM question_asker").await;
        assert_eq!(askers.len(), 4, "what hangs on a group goes with it");
        let mut tx = app.app.db.begin().await.unwrap();
        assert_eq!(drop_oldest(&mut tx, 0).await.unwrap(), 2, "at last also what two asked");
        tx.commit().await.unwrap();
    }

    async fn the_list_is_paged_by_how_often_a_question_was_asked(app: TestApp) {
        for n in 0..7 {
            let group = app.group(&format!("blorf {n}"), "blorf").await;
            for who in 0..=n % 3 {
                app.asked(group, &format!("citizen {who}"), None).await;
            }
        }
        let mut times = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.get(&format!("/v1/questions?all=true&limit=2{cursor}")).await;
            times.extend(list(&page["questions"]).iter().map(|q| q["times"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(times, [3, 3, 2, 2, 1, 1, 1]);
        assert_eq!(app.questions("").await.len(), 4, "two people or more");
        assert_eq!(app.questions("?since=2026-11-22").await.len(), 4);
        assert!(app.questions("?since=2099-01-01").await.is_empty());
    }

    async fn a_question_belongs_to_the_area_of_all_who_asked(app: TestApp) {
        let group = app.group("blorf", "blorf").await;
        let area = async || word(&app.question().await["area"]);
        for (who, from, expected) in [
            ("siti", Some("35.17.09.2018"), "35.17.09.2018"),
            ("budi", Some("35.17.09.2019"), "35.17.09"),
            ("agus", Some("35.18"), "35"),
            ("dewi", Some("36"), ""),
            ("joko", Some("35.17"), ""),
        ] {
            assert!(app.asked(group, who, from).await);
            assert_eq!(area().await, expected, "{who}");
        }
    }
}
