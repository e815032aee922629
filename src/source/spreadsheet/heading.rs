//! Headings: which column holds what, in the words that offices write above their columns.
//!
//! Looks for the heading line among the first rows, since letterheads and titles stand above it.
//! Never takes a column by its place alone, and never repeats a heading that may be a person.

use super::cell::Cell;
use super::field::Field;
use super::mapping::Mapping;
use super::{Record, SheetError};

/// How far down headings are looked for.
pub(super) const SEARCHED_ROWS: usize = 20;

/// Which kind of file is read, and so which columns are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Card updates: NIK and status, and whatever else is there.
    Cards,
    /// People and their phones.
    People,
    /// Places that serve citizens.
    ServicePoints,
    /// Codes of areas and their names.
    Areas,
    /// Days on which places are closed, or open at other hours.
    Holidays,
    /// Numbers to write to.
    Phones,
    /// References of messages, to write to whom they were about.
    References,
}

/// Which columns are looked for, and what else their headings may be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) columns: Columns,
    pub(super) mapping: Mapping,
}

use Field as F;

/// Headings in letters and digits only, the more telling ones first: where two columns could hold
/// the same, the first one listed does. `Status` is late because the population book of an office
/// has a column of that name for being married, beside `Stat Rkm`.
const CARDS: &[(Field, &str)] = &[
    (F::Nik, NIK),
    (
        F::Status,
        "statusrekam statrkm statrekam statusktp statusktpel statusektp statuskartu \
         statuscetak statusperekaman statusdokumen statusterakhir status",
    ),
    (
        F::OccurredAt,
        "occurredat tanggalstatus tglstatus waktustatus tanggalupdate tglupdate \
         tanggalperubahan tglperubahan tanggalcetak tglcetak waktu tanggal tgl",
    ),
    (F::Id, "id idupdate idperubahan updateid externalid"),
    (F::Document, "document dokumen jenisdokumen namadokumen"),
    (F::Name, NAME),
    (F::Phone, PHONE),
    (F::Area, AREA),
    (F::Rt, "rt nort"),
    (F::Rw, "rw norw"),
    (F::RtRw, "rtrw"),
    (F::Address, "address alamat alamatlengkap alamatrumah"),
    (
        F::ServicePoint,
        "servicepoint titiklayanan tempatlayanan tempatpengambilan lokasipengambilan \
         tempatambil lokasiambil tempat",
    ),
    (
        F::HomeDate,
        "homedeliverydate homedelivery tanggalantar tglantar tanggalpengantaran \
         tglpengantaran jadwalantar jadwalpengantaran tanggaldiantar tgldiantar",
    ),
    (
        F::HomeFrom,
        "homedeliveryfrom jamantarmulai jammulaiantar jamantardari jamantar jammulai \
         pukulmulai",
    ),
    (
        F::HomeTo,
        "homedeliveryto jamantarselesai jamselesaiantar jamantarsampai jamselesai \
         pukulselesai",
    ),
];

const PEOPLE: &[(Field, &str)] = &[
    (F::Nik, NIK),
    (F::Phone, PHONE),
    (F::Name, NAME),
    (F::Area, AREA),
    (F::Rt, "rt nort"),
    (F::Rw, "rw norw"),
    (F::RtRw, "rtrw"),
];

const SERVICE_POINTS: &[(Field, &str)] = &[
    (F::Code, "code kode kodetitiklayanan kodelayanan kodetempat id"),
    (
        F::PointName,
        "name namatitiklayanan namatempat namakantor nama titiklayanan servicepoint tempat \
         kantor",
    ),
    (F::ShortName, "shortname namasingkat namapendek singkatan"),
    (F::Area, AREA),
    (F::Address, "address alamat alamatlengkap"),
    (F::Hours, "hours jambuka jamlayanan jampelayanan jamkerja waktulayanan"),
    (
        F::HoursShort,
        "hoursshort jamsingkat jamlayanansingkat jambukasingkat jampendek jamlayanansms",
    ),
    (F::Weekday(0), MONDAY),
    (F::Weekday(1), TUESDAY),
    (F::Weekday(2), WEDNESDAY),
    (F::Weekday(3), THURSDAY),
    (F::Weekday(4), FRIDAY),
    (F::Weekday(5), SATURDAY),
    (F::Weekday(6), SUNDAY),
    (F::Latitude, "latitude lintang lat garislintang"),
    (F::Longitude, "longitude bujur long lng lon garisbujur"),
    (F::Services, "services layanan jenislayanan melayani"),
    (F::Schedule, "schedule jadwal jadwalkeliling jadwallayanan"),
    (F::Contact, "contact kontak telepon notelepon nomortelepon telp notelp"),
    (F::PointStatus, "status keadaan kondisi"),
];

const HOLIDAYS: &[(Field, &str)] = &[
    (F::Date, "date tanggal tgl mulai dari"),
    (F::Until, "until sampai selesai sampaitanggal tanggalselesai"),
    (F::PointName, "name nama keterangan harilibur namalibur libur peringatan"),
    (F::Area, AREA),
    (F::Hours, "hours jam jambuka jamlayanan jamkerja"),
    (F::Weekday(0), MONDAY),
    (F::Weekday(1), TUESDAY),
    (F::Weekday(2), WEDNESDAY),
    (F::Weekday(3), THURSDAY),
    (F::Weekday(4), FRIDAY),
    (F::Weekday(5), SATURDAY),
    (F::Weekday(6), SUNDAY),
];

const MONDAY: &str = "monday senin sen jamsenin";
const TUESDAY: &str = "tuesday selasa sel jamselasa";
const WEDNESDAY: &str = "wednesday rabu rab jamrabu";
const THURSDAY: &str = "thursday kamis kam jamkamis";
const FRIDAY: &str = "friday jumat jum jamjumat";
const SATURDAY: &str = "saturday sabtu sab jamsabtu";
const SUNDAY: &str = "sunday minggu min ahad jamminggu";

const PHONES: &[(Field, &str)] = &[(F::Phone, PHONE)];

const REFERENCES: &[(Field, &str)] =
    &[(F::Reference, "reference ref referensi koderef kodereferensi noref nomorreferensi")];

const AREAS: &[(Field, &str)] = &[
    (F::Code, "code kode kodewilayah kodewil areacode"),
    (F::PointName, "name nama namawilayah namawil areaname"),
    (F::Parent, "parentcode districtcode regencycode provincecode"),
];

const NIK: &str = "nik nonik nomornik nomorindukkependudukan nikktp noktp nomorktp";
const NAME: &str = "name nama namalengkap namapenduduk namawarga namapemohon fullname";
const PHONE: &str = "nowa nomorwa nowhatsapp nomorwhatsapp whatsapp wa nohpwa nowahp nohpwhatsapp \
                     phone phonenumber nohp nomorhp hp nohandphone nomorhandphone handphone \
                     nohptelp telphp hptelp notelp notelepon nomortelepon nomortelp nomorhandpone \
                     telepon telp notlp tlp kontak nokontak nomorkontak";
const AREA: &str = "area areacode kodewilayah kodewil kodedesa kodekelurahan kodedesakelurahan \
                    kodekeldesa kodekecamatan";

impl Columns {
    const fn table(self) -> &'static [(Field, &'static str)] {
        match self {
            Self::Cards => CARDS,
            Self::People => PEOPLE,
            Self::ServicePoints => SERVICE_POINTS,
            Self::Areas => AREAS,
            Self::Holidays => HOLIDAYS,
            Self::Phones => PHONES,
            Self::References => REFERENCES,
        }
    }

    /// The columns without which nothing can be read, and how to call them.
    pub(super) const fn required(self) -> &'static [(Field, &'static str)] {
        match self {
            Self::Cards => &[(F::Nik, "NIK"), (F::Status, "status")],
            Self::People => &[(F::Nik, "NIK"), (F::Phone, "no. HP (phone)")],
            Self::ServicePoints => &[
                (F::Code, "kode (code)"),
                (F::PointName, "nama (name)"),
                (F::Area, "kode wilayah (area)"),
                (F::Hours, "jam buka (hours)"),
            ],
            Self::Areas => &[(F::Code, "kode (code)"), (F::PointName, "nama (name)")],
            Self::Phones => &[(F::Phone, "no. HP (phone)")],
            Self::References => &[(F::Reference, "ref (reference)")],
            Self::Holidays => &[(F::Date, "tanggal (date)"), (F::PointName, "nama (name)")],
        }
    }
}

impl Wanted {
    /// The field that a heading stands for, and how telling it is; 0 is best.
    fn field(&self, heading: &str) -> Option<(Field, usize)> {
        let table = self.columns.table();
        let is_read = |found: &(Field, usize)| table.iter().any(|(field, _)| *field == found.0);
        self.mapping.field(heading).filter(is_read).or_else(|| {
            let heading = letters(heading);
            table.iter().find_map(|(field, words)| {
                let rank = words.split_whitespace().position(|word| word == heading)?;
                Some((*field, self.mapping.len() + rank))
            })
        })
    }

    /// That nothing of what is needed was found.
    pub(super) fn nothing_found(&self) -> SheetError {
        let missing = self.columns.required().iter().map(|(field, name)| (field.key(), *name));
        SheetError::MissingColumns {
            missing: missing.collect(),
            found: Vec::new(),
            free: Vec::new(),
        }
    }
}

/// Where the headings are and what stands below them.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    wanted: Wanted,
    /// How many rows, blank ones not counted, end with the headings.
    pub(super) rows_above: usize,
    /// Each field with its columns, the best first.
    found: Vec<(Field, Vec<usize>)>,
    /// The headings as written, for somebody who misses one, and whether each is understood.
    headings: Vec<(String, bool)>,
    twice: Option<String>,
}

impl Layout {
    /// The row among these that is most like a heading line.
    pub(super) fn find(records: &[Record], wanted: &Wanted) -> Option<Self> {
        let mut best: Option<Self> = None;
        for at in 0..records.len().min(SEARCHED_ROWS) {
            let Some(layout) = Self::at(records, at, wanted) else { continue };
            if best.as_ref().is_none_or(|best| layout.score() > best.score()) {
                best = Some(layout);
            }
        }
        best
    }

    fn at(records: &[Record], at: usize, wanted: &Wanted) -> Option<Self> {
        let mut hits = hits(records.get(at)?, wanted);
        let mut rows_above = at + 1;
        // Under a merged heading its parts may stand in a line of their own.
        if let Some(below) = records.get(rows_above) {
            let more = self::hits(below, wanted);
            // "Alamat" above "RT" and "RW" is the name of both, and no column of streets.
            let is_parted = |hit: &Hit| {
                hit.field == Field::Address && more.iter().any(|part| part.column == hit.column)
            };
            hits.retain(|hit| !is_parted(hit));
            let is_free = |hit: &Hit| !hits.iter().any(|other| other.column == hit.column);
            if !hits.is_empty() && !more.is_empty() && more.iter().all(is_free) {
                hits.extend(more);
                rows_above += 1;
            }
        }
        if let Some(below) = records.get(rows_above)
            && !hits.is_empty()
            && is_numbering(below)
        {
            rows_above += 1;
        }
        hits.sort_by_key(|hit| hit.rank);
        let mut layout = Self {
            wanted: wanted.clone(),
            rows_above,
            found: Vec::new(),
            headings: Vec::new(),
            twice: None,
        };
        for (i, hit) in hits.iter().enumerate() {
            if hits.iter().take(i).any(|other| (other.field, other.rank) == (hit.field, hit.rank)) {
                layout.twice.get_or_insert_with(|| hit.text.clone());
            }
            match layout.found.iter_mut().find(|(field, _)| *field == hit.field) {
                Some((_, places)) => places.push(hit.column),
                None => layout.found.push((hit.field, vec![hit.column])),
            }
        }
        layout.headings = records
            .get(at)?
            .cells
            .iter()
            .filter_map(|cell| Some((shown(cell)?, wanted.field(cell.as_text()?).is_some())))
            .collect();
        (!layout.found.is_empty()).then_some(layout)
    }

    /// How much of what is looked for was found.
    pub(super) fn score(&self) -> usize {
        // What is required weighs more than a title row that happens to hold other words.
        self.found.len() + 10 * (self.wanted.columns.required().len() - self.missing().len())
    }

    /// What is needed and not there, by key and by name.
    fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let is_missing = |field| !self.found.iter().any(|(found, _)| *found == field);
        let required = self.wanted.columns.required().iter();
        required
            .filter(|(field, _)| is_missing(*field))
            .map(|(field, name)| (field.key(), *name))
            .collect()
    }

    /// Whether rows can be read by it.
    pub(super) fn check(&self) -> Result<(), SheetError> {
        let missing = self.missing();
        if !missing.is_empty() {
            let free = self.headings.iter().filter(|(_, is_understood)| !is_understood);
            return Err(SheetError::MissingColumns {
                missing,
                found: self.headings.iter().map(|(heading, _)| heading.clone()).collect(),
                free: free.map(|(heading, _)| heading.clone()).collect(),
            });
        }
        self.twice
            .as_ref()
            .map_or(Ok(()), |heading| Err(SheetError::ColumnTwice { heading: heading.clone() }))
    }

    /// The rightmost column that is read.
    pub(super) fn last_column(&self) -> usize {
        self.found.iter().flat_map(|(_, places)| places).copied().max().unwrap_or(0)
    }

    /// The texts of a row by field; what is empty is left out.
    pub(super) fn read(&self, cells: &[Cell]) -> Vec<(Field, String)> {
        let text = |field: Field, places: &[usize]| {
            // Beside an empty number for WhatsApp there may be another number, but beside an empty
            // status another column with a less telling heading may mean something else.
            let tried = if matches!(field, F::Phone | F::Name) { places.len() } else { 1 };
            places.iter().take(tried).find_map(|place| {
                let text = cells.get(*place)?.text(field);
                (!text.is_empty()).then_some((field, text))
            })
        };
        self.found.iter().filter_map(|(field, places)| text(*field, places)).collect()
    }

    /// Whether the row holds nothing that is required: a line of signatures, a total; or only the
    /// headings again, as they stand on top of each printed page.
    pub(super) fn is_outside(&self, values: &[(Field, String)]) -> bool {
        self.wanted.columns.required().iter().all(|(field, _)| {
            values.iter().find(|(found, _)| found == field).is_none_or(|(_, text)| {
                self.wanted.field(text).is_some_and(|(heading, _)| heading == *field)
            })
        })
    }

    /// The text of a row that holds nothing but a status, as a long one broken over rows does.
    pub(super) fn lone_status(&self, cells: &[Cell]) -> Option<String> {
        let (_, places) = self.found.iter().find(|(field, _)| *field == F::Status)?;
        let place = *places.first()?;
        let others_are_blank =
            cells.iter().enumerate().all(|(at, cell)| at == place || cell.is_blank());
        cells
            .get(place)
            .filter(|cell| others_are_blank && !cell.is_blank())
            .map(|c| c.text(F::Status))
    }
}

struct Hit {
    column: usize,
    field: Field,
    rank: usize,
    text: String,
}

fn hits(record: &Record, wanted: &Wanted) -> Vec<Hit> {
    let hit = |(column, cell): (usize, &Cell)| {
        let text = cell.as_text()?;
        let (field, rank) = wanted.field(text)?;
        Some(Hit { column, field, rank, text: one_line(text) })
    };
    record.cells.iter().enumerate().filter_map(hit).collect()
}

/// The letters and digits of a heading, lowered; without a number before (`19-Stat Rkm`) and a
/// remark in brackets behind (`NIK (16 digit)`).
pub(super) fn letters(heading: &str) -> String {
    let before = heading.split('(').next().filter(|part| part.chars().any(char::is_alphabetic));
    plain(before.unwrap_or(heading)).trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()
}

/// All letters and digits of a heading, lowered.
pub(super) fn plain(heading: &str) -> String {
    let start = heading.chars().take(200);
    start.filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether this is the line under the headings that numbers them: 1, 2, 3 or (1), (2), (3).
fn is_numbering(record: &Record) -> bool {
    let numbers: Option<Vec<u16>> = record
        .cells
        .iter()
        .filter(|cell| !cell.is_blank())
        .map(|cell| cell.text(F::Rt).trim_matches(['(', ')', ' ', '.']).parse::<u16>().ok())
        .collect();
    numbers.is_some_and(|numbers| {
        numbers.len() > 1 && numbers.iter().zip(1..).all(|(number, at)| *number == at)
    })
}

/// A heading as it may be shown. A row that was wrongly taken for headings may hold people.
fn shown(cell: &Cell) -> Option<String> {
    let text = one_line(cell.as_text()?);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (!text.is_empty() && digits < 4 && text.chars().count() <= 40).then_some(text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
