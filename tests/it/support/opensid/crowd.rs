//! A whole desa of made-up people at once, told apart by nothing but their number.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Executor as _};

use super::OpenSid;

/// How many came in at once, and of what kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// The first of their ids; the others follow without a gap.
    pub first: i32,
    /// All of them.
    pub residents: u32,
    /// Those with a temporary NIK.
    pub temporary: u32,
    /// Those with none at all.
    pub without_nik: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nik {
    Real,
    Temporary,
    None,
}

impl OpenSid {
    /// So many residents of a desa at once: of a hundred, two have a temporary NIK and one has
    /// none; 70 hold their card, the others stand at every status there is, and some at none. One
    /// in ten has no telephone, and no two share a number.
    pub async fn bulk_residents(&self, config: i32, count: u32) -> Crowd {
        let cluster = self.add_cluster(config, "Krajan", "001", "001").await;
        let kode_desa: String = sqlx::query_scalar("SELECT kode_desa FROM config WHERE id = ?")
            .bind(config)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        let before: i64 =
            sqlx::query_scalar("SELECT CAST(COALESCE(MAX(id), 0) AS SIGNED) FROM tweb_penduduk")
                .fetch_one(&self.pool)
                .await
                .unwrap();
        let before = u32::try_from(before).unwrap();
        let (column, value) = self.config(config);
        let mut crowd = Crowd {
            first: i32::try_from(before + 1).unwrap(),
            residents: count,
            temporary: 0,
            without_nik: 0,
        };
        let mut transaction = self.pool.begin().await.unwrap();
        let numbers: Vec<u32> = (before + 1..=before + count).collect();
        for some in numbers.chunks(2_000) {
            let mut insert = format!(
                "INSERT INTO tweb_penduduk ({column}id, nama, nik, sex, tanggallahir, telepon, \
                 ktp_el, status_rekam, id_cluster) VALUES "
            );
            for (at, &number) in some.iter().enumerate() {
                let separator = if at == 0 { "" } else { ", " };
                let (kind, row) = made_up(number, &kode_desa);
                crowd.temporary += u32::from(kind == Nik::Temporary);
                crowd.without_nik += u32::from(kind == Nik::None);
                write!(insert, "{separator}({value}{number}, {row}, {cluster})").unwrap();
            }
            transaction.execute(AssertSqlSafe(insert)).await.unwrap();
        }
        transaction.commit().await.unwrap();
        crowd
    }
}

/// The values from `nama` to `status_rekam` of that person.
fn made_up(number: u32, kode_desa: &str) -> (Nik, String) {
    const FIRST: &[&str] = &["Sari", "Joko", "Dewi", "Agus", "Wulan", "Eko", "Ratna"];
    const LAST: &[&str] = &["Contoh", "Misal", "Umpama", "Andai", "Semisal"];
    let pick = |names: &[&'static str]| names[number as usize % names.len()];
    let name = format!("{} {} {number}", pick(FIRST), pick(LAST));
    let (day, month, year) = (1 + number % 28, 1 + number / 28 % 12, 50 + number / 336 % 40);
    let sex = 1 + number % 2;
    let (kind, nik) = match number % 100 {
        7 | 57 => (Nik::Temporary, format!("'0{kode_desa}{:05}'", number % 100_000)),
        33 => (Nik::None, "NULL".to_owned()),
        _ => {
            let area = &kode_desa[..6];
            let day = day + 40 * (sex - 1);
            let serial = 1 + number / 13_440;
            (Nik::Real, format!("'{area}{day:02}{month:02}{year:02}{serial:04}'"))
        }
    };
    let tail = format!("{:03} {:03}", number / 1_000 % 1_000, number % 1_000);
    let phone = match number % 10 {
        0 => "NULL".to_owned(),
        1 => "'-'".to_owned(),
        2 => format!("'0812 00{tail}/rumah'"),
        3 => format!("'+62 812-00{}'", tail.replace(' ', "-")),
        4 => format!("'62812 00{tail}'"),
        5 => format!("'0812.00{} (WA)'", tail.replace(' ', ".")),
        _ => format!("'081200{}'", tail.replace(' ', "")),
    };
    // By hundreds: 70 at 8 (issued), four at each of the others, two at none.
    let status = match number % 100 {
        0..70 => Some(8),
        at @ 70..98 => Some(1 + (at - 70) / 4),
        _ => None,
    };
    let ktp_el = match status {
        Some(1 | 2) => "1",
        Some(_) => "2",
        None => "NULL",
    };
    let status = status.map_or("NULL".to_owned(), |status| status.to_string());
    let born = format!("'19{year}-{month:02}-{day:02}'");
    (kind, format!("'{name}', {nik}, {sex}, {born}, {phone}, {ktp_el}, {status}"))
}
