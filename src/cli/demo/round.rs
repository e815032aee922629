//! One round of the sample office: cards of a desa are brought home today. It is planned and announced, two citizens
//! answer, the codes are told, the courier sets out and hands the first card over. The rest is left to whoever looks on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{Days, NaiveDateTime, NaiveTime, Timelike as _};
use kabar::domain::area::AreaCode;
use kabar::domain::id::RoundId;
use kabar::domain::officer::Actor;
use kabar::sandbox::{Input, Sandbox, Side};
use kabar::service::App;
use kabar::service::round::{self, Report, Wish, for_courier};
use kabar::store::officer::find_by_login;
use kabar::store::round::{list_ended_of, list_live_of};

use super::player::{Player, SamplePhone};

/// Who brings the cards, by their login.
pub(super) const COURIER: &str = "kurir";
/// Where they are brought, and where they lie.
const DESA: &str = "35.17.09.2018";
const POINT: &str = "kec-jombang";
const CAPACITY: i64 = 20;
const WINDOW_HOURS: u32 = 3;
/// A message that somebody waits for is looked for this often, and so many times.
const LOOK: Duration = Duration::from_millis(500);
const LOOKS: usize = 120;

/// Plays the round at the first start; a second start finds it.
///
/// # Errors
/// With what went wrong; the office works all the same.
pub(super) async fn play(app: Arc<App>, sandbox: Sandbox, player: Player) -> anyhow::Result<()> {
    let area = AreaCode::parse(DESA)?;
    let local = app.now().in_zone(area.zone().offset()).naive_local();
    let mut reading = app.db.reading().await?;
    let live = list_live_of(&mut reading, &area, None, None, 1).await?;
    let ended = list_ended_of(&mut reading, &area, None, 1).await?;
    drop(reading);
    if !(live.is_empty() && ended.is_empty()) {
        return Ok(());
    }
    let found = find_by_login(&app.db, COURIER).await?.context("the sample courier")?;
    let courier = found.actor();
    let phones = player.print_for_round().await?;
    let (day, from, to) = window(local, app.settings.round.code_at);
    let wish = Wish {
        area,
        from,
        to,
        capacity: CAPACITY,
        slots: vec![(day, found.id)],
        point: Some(POINT.to_owned()),
    };
    let office = Actor::cli();
    let made = round::plan(&app, &office, &wish).await?;
    let round = made.first().copied().context("no round was planned")?;
    round::announce(&app, &office, round).await?;
    app.signals.wake_outbox();
    answer(&sandbox, &phones).await;
    if day == local.date() {
        set_out(&app, &sandbox, (&courier, round), &phones).await?;
    }
    Ok(())
}

/// Three hours from now on, or tomorrow morning when today is over; in the night from the hour of the codes.
fn window(local: NaiveDateTime, codes: NaiveTime) -> (chrono::NaiveDate, NaiveTime, NaiveTime) {
    let hour = |hour: u32| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    let from = local.hour().max(codes.hour() + u32::from(codes.minute() > 0));
    if from + WINDOW_HOURS <= 23 {
        return (local.date(), hour(from), hour(from + WINDOW_HOURS));
    }
    (local.date() + Days::new(1), hour(9), hour(9 + WINDOW_HOURS))
}

/// One citizen presses the first button, another writes who receives the card.
async fn answer(sandbox: &Sandbox, phones: &[SamplePhone]) {
    let mut reachable = phones.iter().filter(|one| !one.phone.is_empty());
    if let Some(one) = reachable.next()
        && is_told(sandbox, &one.phone, "akan diantar").await.is_some()
        && let Some(phone) = sandbox.phone(&one.phone)
        && let Some(first) = phone.bubbles.iter().rev().find_map(|bubble| bubble.buttons.first())
    {
        let input = Input::Press { button_id: first.id.clone(), message_id: None };
        let _ = sandbox.write(&one.phone, None, input);
    }
    if let Some(one) = reachable.next()
        && is_told(sandbox, &one.phone, "akan diantar").await.is_some()
    {
        let words = "nanti diterima istri saya Siti".to_owned();
        let _ = sandbox.write(&one.phone, None, Input::Text(words));
    }
}

/// The courier sets out, and the first card comes into its holder's hand.
async fn set_out(
    app: &App,
    sandbox: &Sandbox,
    (courier, id): (&Actor, RoundId),
    phones: &[SamplePhone],
) -> anyhow::Result<()> {
    let first = phones.iter().find(|one| !one.phone.is_empty()).context("a phone")?;
    let Some(text) = is_told(sandbox, &first.phone, "empat angka ini").await else { return Ok(()) };
    let code = text.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 4);
    round::start(app, courier, id).await?;
    let items = for_courier(app, courier, id).await?.items;
    let item = items.into_iter().find(|item| item.name == first.name).context("their card")?;
    let report = Report {
        key: "demo-00000001".to_owned(),
        item: item.id,
        at: app.now().as_ms(),
        outcome: "received".to_owned(),
        by: "self".to_owned(),
        receiver: first.name.clone(),
        code: code.unwrap_or_default().to_owned(),
        old_card: "yes".to_owned(),
        version: item.version,
        ..Report::default()
    };
    let reported = round::report(app, courier, id, vec![report]).await?;
    let result = reported.first().map_or("", |one| one.result.as_str());
    ensure!(result == "done", "the first card's report was {result}");
    app.signals.wake_outbox();
    Ok(())
}

/// The text on a phone that has these words, as soon as it is there.
pub(super) async fn is_told(sandbox: &Sandbox, phone: &str, words: &str) -> Option<String> {
    for _ in 0..LOOKS {
        let found = sandbox.phone(phone).and_then(|phone| {
            let bubble = phone.bubbles.iter().rev();
            let mut ours = bubble.filter(|bubble| bubble.side == Side::Office);
            ours.find(|bubble| bubble.text.contains(words)).map(|bubble| bubble.text.clone())
        });
        if found.is_some() {
            return found;
        }
        tokio::time::sleep(LOOK).await;
    }
    None
}
