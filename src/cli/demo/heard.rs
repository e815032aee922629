//! What the sample office has heard from Meta and from citizens before anybody opens the console.

use kabar::domain::template_state::{TemplateNews, TemplateState};
use kabar::service::App;
use kabar::store::template_state::{list_known, upsert_news};

/// Template, state, reason and quality.
const TEMPLATES: &[(&str, TemplateState, Option<&str>, &str)] = &[
    ("kabar_card_printed_v1", TemplateState::Approved, None, "green"),
    ("kabar_ready_to_collect_v2", TemplateState::Approved, None, "green"),
    ("kabar_home_delivery_scheduled_v1", TemplateState::Paused, Some("FIRST_PAUSE"), "red"),
    ("kabar_waiting_for_blank_v1", TemplateState::Rejected, Some("INVALID_FORMAT"), ""),
    ("kabar_survey_invitation_v1", TemplateState::Pending, None, ""),
];

/// Writes it down at the first start.
pub(super) async fn add_samples(app: &App, account: &str) -> anyhow::Result<()> {
    if !list_known(&app.db).await?.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    for (name, state, reason, quality) in TEMPLATES {
        let news = TemplateNews {
            name: (*name).to_owned(),
            language: "id".to_owned(),
            state: Some(*state),
            reason: reason.map(str::to_owned),
            category: Some("utility".to_owned()),
            quality: Some((*quality).to_owned()).filter(|word| !word.is_empty()),
            ..TemplateNews::default()
        };
        upsert_news(&mut tx, account, &news, app.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}
