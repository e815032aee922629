//! Makes workbooks like the Buku Induk Penduduk, the register that every Disdukcapil has as a file.
//!
//! Letterhead, numbered headings, twenty columns, damaged NIKs and statuses that are wrapped over
//! two rows, all made up and the same at every run. Nobody in it exists.

use std::path::Path;

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

/// Above the rows of people: the letterhead, the headings and their numbers.
const HEADINGS_AT: u32 = 3;
const HEADINGS: [&str; 20] = [
    "1-No",
    "2-No KK",
    "3-NIK",
    "4-Nama\nLengkap",
    "5-JK",
    "6-Tmpt Lahir",
    "7-Tgl Lahir",
    "8-Gol Drh",
    "9-Agama",
    "10-SHDK",
    "11-Pddkn Akhir",
    "12-Pekerjaan",
    "13-Nama Ibu",
    "14-Nama Ayah",
    "15-Alamat",
    "15a-RT",
    "15b-RW",
    "16-Wjb KTP",
    "17-KTP-eL",
    "19-Stat\nRkm",
];
const STATUS_AT: u16 = 19;
/// Words of the registry, the last of which is often too long for its column.
const STATUSES: [&str; 7] = [
    "BELUM REKAM",
    "BIO CAPTURED",
    "PRINT READY RECORD",
    "CARD PRINTED",
    "CARD SHIPPED",
    "CARD ISSUED",
    "SENT FOR CARD PRINTING",
];
const SYLLABLES: [&str; 64] = [
    "ADI", "AGUS", "AMI", "ANGGA", "ARI", "ASIH", "AYU", "BAGUS", "BAMBANG", "BUDI", "CAHYA",
    "CITRA", "DARMA", "DEWI", "DIAN", "DWI", "EKA", "ENDAH", "ERNA", "FAJAR", "FITRI", "GALIH",
    "GITA", "HADI", "HARTO", "HENDRA", "INDAH", "INTAN", "JAYA", "JOKO", "KARTIKA", "KUSUMA",
    "LESTARI", "LINA", "MEGA", "MULYO", "NANDA", "NINGSIH", "NUR", "PRATAMA", "PUJI", "PUTRA",
    "RAHAYU", "RATNA", "RIZKI", "SANTOSO", "SARI", "SETYO", "SITI", "SLAMET", "SRI", "SUCI",
    "SUGENG", "SULIS", "TRI", "UTAMI", "WAHYU", "WATI", "WIBOWO", "WIDODO", "WULAN", "YANTO",
    "YULI", "YUNI",
];

/// How the texts of a workbook are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Each in its cell, as programs write that make large files.
    Inline,
    /// Once each in a table, as Excel does.
    Shared,
}

/// Writes a register of so many people. The same people stand in every file; the seed decides their
/// names and their statuses.
pub fn write_bip(path: &Path, rows: u32, seed: u64, texts: Texts) -> Result<(), XlsxError> {
    let mut book = Workbook::new();
    let sheet = match texts {
        Texts::Inline => book.add_worksheet_with_constant_memory()?,
        Texts::Shared => book.add_worksheet_with_low_memory()?,
    };
    sheet.set_name("BIP")?;
    sheet.write_string(0, 0, "PEMERINTAH KABUPATEN CONTOH")?;
    sheet.write_string(1, 0, "BUKU INDUK PENDUDUK")?;
    for (column, heading) in (0..).zip(HEADINGS) {
        sheet.write_string(HEADINGS_AT, column, heading)?;
    }
    for column in 0..=STATUS_AT {
        sheet.write_number(HEADINGS_AT + 1, column, column + 1)?;
    }
    let mut random = Random(seed);
    let mut at = HEADINGS_AT + 2;
    for person in 0..rows {
        write_person(sheet, at, person, &mut random)?;
        let status = *random.of(&STATUSES);
        let wrapped = status.rsplit_once(' ').filter(|_| random.below(100) == 0);
        sheet.write_string(at, STATUS_AT, wrapped.map_or(status, |(first, _)| first))?;
        at += 1;
        if let Some((_, rest)) = wrapped {
            sheet.write_string(at, STATUS_AT, rest)?;
            at += 1;
        }
    }
    book.save(path)
}

fn write_person(
    sheet: &mut Worksheet,
    at: u32,
    person: u32,
    random: &mut Random,
) -> Result<(), XlsxError> {
    let (kecamatan, day, month) = (person % 21 + 1, person / 21 % 28 + 1, person / 588 % 12 + 1);
    let (year, serial) = (person / 7056 % 70 + 30, person / 493_920 + 1);
    let is_woman = person.is_multiple_of(2);
    let day_in_nik = if is_woman { day + 40 } else { day };
    let nik = format!("3517{kecamatan:02}{day_in_nik:02}{month:02}{year:02}{serial:04}");
    sheet.write_number(at, 0, person + 1)?;
    sheet.write_string(at, 1, format!("3517{kecamatan:02}{:010}", 101_010_000 + person / 3))?;
    match random.below(300) {
        0 => sheet.write_string(at, 2, "3.51709E+15")?,
        1 => sheet.write_number(at, 2, nik.parse::<f64>().unwrap_or_default())?,
        2 => sheet.write_string(at, 2, nik.get(..15).unwrap_or_default())?,
        _ => sheet.write_string(at, 2, &nik)?,
    };
    sheet.write_string(at, 3, random.name())?;
    sheet.write_string(at, 4, if is_woman { "P" } else { "L" })?;
    sheet.write_string(at, 5, "CONTOH")?;
    sheet.write_string(at, 6, format!("{day:02}-{month:02}-19{year:02}"))?;
    sheet.write_string(at, 7, "TIDAK TAHU")?;
    sheet.write_string(at, 8, "ISLAM")?;
    sheet.write_string(at, 9, *random.of(&["KEPALA KELUARGA", "ISTRI", "ANAK"]))?;
    sheet.write_string(at, 10, *random.of(&["SLTA/SEDERAJAT", "SLTP/SEDERAJAT", "TAMAT SD"]))?;
    sheet.write_string(at, 11, *random.of(&["PETANI/PEKEBUN", "WIRASWASTA", "KARYAWAN SWASTA"]))?;
    sheet.write_string(at, 12, random.name())?;
    sheet.write_string(at, 13, random.name())?;
    sheet.write_string(
        at,
        14,
        format!("DSN {} NO {}", random.of(&SYLLABLES), random.below(5000)),
    )?;
    sheet.write_string(at, 15, format!("{:03}", random.below(12) + 1))?;
    sheet.write_string(at, 16, format!("{:03}", random.below(9) + 1))?;
    sheet.write_string(at, 17, "WAJIB")?;
    sheet.write_string(at, 18, "KTP-EL")?;
    Ok(())
}

/// Numbers that look accidental and are the same for the same seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let number = (mixed >> 33) % u64::from(limit);
        u32::try_from(number).unwrap_or_default()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        &all[self.below(count) as usize]
    }

    fn name(&mut self) -> String {
        let part = |random: &mut Self| *random.of(&SYLLABLES);
        format!("{} {} {}", part(self), part(self), part(self))
    }
}
