//! Templat pesan: how announcements look on each phone, and what Meta says of those registered there.

use kabar::domain::officer::OfficerRole;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::console::Browser;
use crate::support::{TestApp, on_both_engines};

const LIST: &str = "/console/templat";
const PRINTED: &str = "/console/templat/kabar/card_printed";

impl TestApp {
    /// Meta says something of a template.
    async fn told_of(&self, field: &str, time: i64, mut value: Value) {
        value["message_template_name"] = json!("kabar_card_printed_v1");
        value["message_template_language"] = json!("id");
        let body = json!({"object": "whatsapp_business_account", "entry": [
            {"id": "9", "time": time, "changes": [{"field": field, "value": value}]}
        ]});
        assert_eq!(self.hook(&body).await, StatusCode::OK);
        self.run_until_idle().await;
    }
}

on_both_engines! {
    async fn what_meta_says_of_a_template_is_shown_with_reason_and_next_step(app: TestApp) {
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        assert!(desa.get(LIST).await.says("Belum ada kabar dari Meta"));
        let field = "message_template_status_update";
        let at = app.now_s();
        let approved = json!({"event": "APPROVED", "reason": "NONE", "message_template_category": "UTILITY"});
        app.told_of(field, at, approved.clone()).await;
        assert!(desa.get(LIST).await.says("disetujui"));
        app.told_of(field, at + 1, json!({"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "x"}})).await;
        let page = desa.get(PRINTED).await;
        for words in ["dijeda Meta", "jeda pertama, 3 jam", "Aktif lagi sendiri", "kabar_card_printed_v1"] {
            assert!(page.says(words), "{words}: {}", page.text);
        }
        app.told_of(field, at + 2, approved.clone()).await;
        let page = desa.get(PRINTED).await;
        assert!(page.says("disetujui") && !page.says("jeda pertama"), "the same words a second time are news");
        app.told_of(field, at + 1, json!({"event": "REJECTED"})).await;
        assert!(!desa.get(PRINTED).await.says("ditolak"), "older news that comes late changes nothing");
        app.told_of("template_category_update", at + 3, json!({"new_category": "MARKETING"})).await;
        app.told_of("message_template_quality_update", at + 4, json!({"new_quality_score": "RED"})).await;
        let page = desa.get(PRINTED).await;
        assert!(page.says("disetujui") && page.says("marketing") && page.says("mutu rendah"), "{}", page.text);
        app.told_of(field, at + 5, json!({"event": "REJECTED", "reason": "INVALID_FORMAT"})).await;
        assert!(desa.get(LIST).await.says("ditolak"));
        assert_eq!(app.query("SELECT COUNT(*) FROM template_state").await, [["1"]]);
    }

    async fn announcements_and_lines_look_as_on_phones(app: TestApp) {
        let auditor = Browser::login(&app, OfficerRole::Auditor, "35.17").await;
        let page = auditor.get(PRINTED).await;
        for words in ["Bapak/Ibu Siti A.", "Bpk/Ibu Siti A.", "1 bagian", "Balas BERHENTI", "{{addressee}}", "akta-kematian"] {
            assert!(page.says(words), "{words}: {}", page.text);
        }
        let lines = auditor.get("/console/templat/percakapan").await;
        assert!(lines.says("human_opened") && lines.says("saya teruskan ke petugas"), "{}", lines.text);
        assert!(auditor.get("/console/templat/percakapan?bahasa=en").await.says("passing this on to an officer"));
        assert_eq!(auditor.get("/console/templat/kabar/nothing").await.status, StatusCode::NOT_FOUND);
        let partner = Browser::login(&app, OfficerRole::Partner, "35.17.09.2018").await;
        assert_eq!(partner.get(LIST).await.status, StatusCode::FORBIDDEN);
    }
}
