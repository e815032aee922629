//! What citizens of the sample office can come to without queueing, and a family that asks for a visit at home: sessions
//! of the days ahead, a stop of the van, a day of recording, and one request with a day.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, Weekday};
use kabar::domain::area::AreaCode;
use kabar::domain::officer::Actor;
use kabar::domain::service_point::PointService;
use kabar::domain::service_session::SessionKind;
use kabar::sandbox::{Input, Sandbox};
use kabar::service::App;
use kabar::service::appointment::{NewSession, add_session, list_sessions};
use kabar::service::home_visit::{HomeVisitWord, act};
use kabar::store::area::{list_names, upsert_areas};
use kabar::store::home_visit::list_home_visits;

use super::round::is_told;

/// Areas of the sample office that citizens may name.
const AREAS: &[(&str, &str)] = &[
    ("35.17", "Kabupaten Jombang"),
    ("35.17.08", "Diwek"),
    ("35.17.08.2014", "Ngudirejo"),
    ("35.17.09", "Jombang"),
    (DESA, "Jabon"),
    ("35.17.19", "Jogoroto"),
];
const DESA: &str = "35.17.09.2018";
/// Sessions are looked for so many days ahead, and so many are put down at a counter.
const AHEAD: u64 = 14;
const COUNTERS: usize = 4;
/// Somebody of a family, on file for nobody.
const PHONE: (&str, &str) = ("+6281200009001", "Yanti (keluarga)");
/// What Yanti writes, each once the office said the words before it.
const TALK: &[(&str, &str)] = &[
    ("", "minta kunjungan rumah"),
    ("untuk siapa", "lansia"),
    ("keperluan apa", "rekam"),
    ("desa atau kelurahan mana", "Jabon"),
    ("jalan ke sana", "RT 03 RW 05, sebelah musala"),
    ("Sudah benar", "ya"),
];
const KEPT: &str = "teruskan ke kantor";

/// Puts down names of areas and sessions at the first start.
///
/// # Errors
/// With what went wrong.
pub(super) async fn add_samples(app: &App) -> anyhow::Result<()> {
    let office = app.settings.office_area.clone();
    let mut tx = app.db.begin().await?;
    if list_names(&mut tx, &office, 1).await?.is_empty() {
        let mut names = BTreeMap::new();
        for (code, name) in AREAS {
            names.insert(AreaCode::parse(code)?, (*name).to_owned());
        }
        upsert_areas(&mut tx, &app.db, &names, app.now()).await?;
    }
    tx.commit().await?;
    let today = app.now().in_zone(office.zone().offset()).date_naive();
    let actor = Actor { area: office, ..Actor::cli() };
    let until = today.checked_add_days(Days::new(AHEAD)).context("a day ahead")?;
    if list_sessions(app, &actor, (today, until)).await?.is_empty() {
        for session in sessions(today)? {
            add_session(app, &actor, session).await?;
        }
    }
    Ok(())
}

/// The sessions of the days after today: at a counter, the van in a desa, and a day of recording.
fn sessions(today: NaiveDate) -> anyhow::Result<Vec<NewSession>> {
    let open =
        |day: &NaiveDate| !matches!(day.weekday(), Weekday::Fri | Weekday::Sat | Weekday::Sun);
    let ahead: Vec<NaiveDate> = today.iter_days().skip(1).filter(open).take(COUNTERS).collect();
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    let services = |names: &str| PointService::parse_list(names).map_err(anyhow::Error::msg);
    let mut all = Vec::new();
    for day in &ahead {
        all.push(NewSession {
            kind: SessionKind::Counter,
            point: Some("kec-jombang".to_owned()),
            place: None,
            area: None,
            map: None,
            day: *day,
            window: (time(8), time(11)),
            services: services("recording, printing, kk, kia, akta, ikd")?,
            quota: 18,
            held: None,
        });
    }
    let tuesday = today.iter_days().skip(1).find(|day| day.weekday() == Weekday::Tue);
    all.push(NewSession {
        kind: SessionKind::Mobile,
        point: Some("mobil-keliling".to_owned()),
        place: Some(("Balai Desa Jabon".to_owned(), None)),
        area: Some(AreaCode::parse(DESA)?),
        map: None,
        day: tuesday.context("a Tuesday")?,
        window: (time(9), time(12)),
        services: services("recording, ikd")?,
        quota: 15,
        held: None,
    });
    all.push(NewSession {
        kind: SessionKind::RecordingDay,
        point: None,
        place: Some(("Balai Desa Ngudirejo".to_owned(), None)),
        area: Some(AreaCode::parse("35.17.08.2014")?),
        map: None,
        day: *ahead.last().context("a day ahead")?,
        window: (time(8), time(12)),
        services: services("recording")?,
        quota: 40,
        held: None,
    });
    Ok(all)
}

/// Yanti asks for a visit on her phone, and the office gives a day; a second start finds it.
///
/// # Errors
/// With what went wrong; the office works all the same.
pub(super) async fn play(app: &App, sandbox: &Sandbox) -> anyhow::Result<()> {
    let desa = AreaCode::parse(DESA)?;
    let (number, name) = PHONE;
    sandbox.add_phone(number, Some(name), false).context("the family's phone")?;
    let open = list_home_visits(&app.db, &desa, true, 1).await?;
    let over = list_home_visits(&app.db, &desa, false, 1).await?;
    if !(open.is_empty() && over.is_empty()) {
        return Ok(());
    }
    for (before, words) in TALK {
        if !before.is_empty() && is_told(sandbox, number, before).await.is_none() {
            return Ok(());
        }
        let _ = sandbox.write(number, None, Input::Text((*words).to_owned()));
    }
    if is_told(sandbox, number, KEPT).await.is_none() {
        return Ok(());
    }
    let Some(visit) = list_home_visits(&app.db, &desa, true, 1).await?.pop() else {
        return Ok(());
    };
    let today = app.now().in_zone(desa.zone().offset()).date_naive();
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    let schedule = HomeVisitWord::Schedule {
        day: today.checked_add_days(Days::new(3)).context("a day ahead")?,
        from: time(9),
        to: time(12),
        officers: "Bagus dan Rini".to_owned(),
    };
    act(app, &Actor::cli(), visit.id, schedule).await?;
    app.signals.wake_outbox();
    Ok(())
}
