//! The officers of the sample office.

use std::path::Path;

use kabar::domain::area::AreaCode;
use kabar::domain::officer::OfficerRole;
use kabar::service::{App, officer as service};
use kabar::store::officer::{NewOfficer, insert_officer};

/// The sample office's officers, one of each kind: login, name, what they are, where.
pub(super) const SAMPLES: &[(&str, &str, OfficerRole, &str)] = &[
    ("admin", "Administrator", OfficerRole::Admin, super::AREA),
    ("dinas", "Rahma (Dinas)", OfficerRole::Dinas, super::AREA),
    ("kecamatan", "Bagus (Kec. Jombang)", OfficerRole::Kecamatan, "35.17.09"),
    ("desa", "Wati (Desa)", OfficerRole::Desa, "35.17.09.2018"),
    (super::round::COURIER, "Slamet (Kurir)", OfficerRole::Courier, "35.17.09"),
    ("auditor", "Auditor", OfficerRole::Auditor, super::AREA),
    ("mitra", "Kader RT 03", OfficerRole::Partner, "35.17.09.2018"),
];

/// Adds the sample officers at the first start; all have one password, which is kept beside the database.
pub(super) async fn add_samples(data: &Path, app: &App) -> anyhow::Result<String> {
    let path = data.join("console.password");
    let password = if let Ok(password) = std::fs::read_to_string(&path) {
        password.trim().to_owned()
    } else {
        let password = service::random_password()?;
        super::init::write_private(&path, &password)?;
        password
    };
    let hash = service::hash_password(password.clone()).await?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    for (login, name, role, area) in SAMPLES {
        let new = NewOfficer {
            id: app.ids.next(now),
            login,
            name,
            role: *role,
            area: &AreaCode::parse(area)?,
            password_hash: &hash,
            must_change: false,
        };
        insert_officer(&mut tx, &new, now).await?;
    }
    tx.commit().await?;
    Ok(password)
}
