//! The office's watched sources, one `[[source]]` each: the keys every source has, and those its kind
//! reads.

use std::path::Path;
use std::time::Duration;

use chrono::NaiveTime;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::layer::first_line;
use super::{ConfigError, absolute_sqlite, wrong};
use crate::domain::area::AreaCode;
use crate::source::Kind;
use crate::source::folder::FolderSettings;
use crate::source::opensid::OpenSidSettings;
use crate::source::spreadsheet::Mapping;
use crate::source::sql::SqlSettings;

/// Names under which updates come that are not watched for.
const TAKEN: &[&str] = &["api", "import"];
const LONGEST: u64 = 24 * 3600;

/// One source.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, under which its updates are remembered.
    pub id: String,
    /// Whose citizens are in it; the office's own area if none is named.
    pub area: Option<AreaCode>,
    /// How often it is looked at.
    pub every: Duration,
    /// When all of it is read, by the office's clock; none for never.
    pub scan_at: Option<NaiveTime>,
    /// So many changes to one status at once are news without asking.
    pub hold_over: u64,
    /// What it is and where.
    pub kind: Kind,
}

/// Where the configuration stands, and what it calls the columns of files.
type Around<'a> = (&'a Path, &'a Mapping);

/// Reads the `[[source]]` tables.
pub(super) fn read(
    name: &str,
    base: &Path,
    columns: &Mapping,
    tables: Vec<Table>,
) -> Result<Vec<Source>, ConfigError> {
    let mut sources: Vec<Source> = Vec::new();
    for (n, table) in tables.into_iter().enumerate() {
        let source = read_one(name, (base, columns), n, table)?;
        if sources.iter().any(|other| other.id == source.id) {
            return Err(wrong(
                format!("{name}: two sources have the id {}", source.id),
                "give each its own",
            ));
        }
        sources.push(source);
    }
    Ok(sources)
}

fn read_one(
    name: &str,
    around: Around<'_>,
    n: usize,
    mut table: Table,
) -> Result<Source, ConfigError> {
    let id = match table.remove("id") {
        Some(Value::String(id)) if super::is_name(&id) && !TAKEN.contains(&id.as_str()) => id,
        _ => {
            return Err(wrong(
                format!("{name}: source {}: id is missing or not usable", n + 1),
                "small letters, digits and dashes, like \"opensid-jabon\"; not \"api\" or \"import\"",
            ));
        }
    };
    let at = |key: &str, what: &str, hint: &str| {
        wrong(format!("{name}: source {id}: {key} {what}"), hint)
    };
    let mut word = |key: &str| match table.remove(key) {
        None => Ok(None),
        Some(Value::String(word)) => Ok(Some(word)),
        Some(_) => Err(at(key, "is no text", "write it in quotes")),
    };
    let area = word("area")?
        .map(|area| AreaCode::parse(&area))
        .transpose()
        .map_err(|_| at("area", "is not usable", "an area code is written like 35.17"))?;
    let kind = word("kind")?.unwrap_or_default();
    // To look into a folder costs nothing, and somebody stands before it and waits.
    let usual = if kind == "folder" { "10s" } else { "60s" };
    let every = humantime::parse_duration(word("every")?.as_deref().unwrap_or(usual))
        .ok()
        .filter(|every| (1..=LONGEST).contains(&every.as_secs()))
        .ok_or_else(|| at("every", "is not usable", "like \"60s\"; from \"1s\" to \"24h\""))?;
    let scan_at = match word("scan_at")?.as_deref().unwrap_or("02:00") {
        "off" => None,
        time => Some(
            NaiveTime::parse_from_str(time, "%H:%M")
                .map_err(|_| at("scan_at", "is no time of day", "like \"02:00\", or \"off\""))?,
        ),
    };
    let hold_over = match table.remove("hold_over") {
        None => 500,
        Some(Value::Integer(count)) if (1..=10_000).contains(&count) => count.unsigned_abs(),
        Some(_) => return Err(at("hold_over", "is not usable", "a whole number up to 10000")),
    };
    let kind =
        read_kind(&kind, around, table).map_err(|(key, what, hint)| at(&key, &what, &hint))?;
    Ok(Source { id, area, every, scan_at, hold_over, kind })
}

type Fault = (String, String, String);

fn read_kind(kind: &str, (base, columns): Around<'_>, mut table: Table) -> Result<Kind, Fault> {
    let text =
        |what: &(&str, &str, &str)| (what.0.to_owned(), what.1.to_owned(), what.2.to_owned());
    match kind {
        "opensid" => {
            let settings: OpenSidSettings =
                settings(table, "url, and password, config_id or overlap if needed")?;
            settings.check().map_err(|fault| text(&fault))?;
            Ok(Kind::OpenSid(settings))
        }
        "sql" => {
            if let Some(Value::String(url)) = table.get_mut("url") {
                *url = absolute_sqlite(url, base);
            }
            let settings: SqlSettings = settings(
                table,
                "url, query and cursor, and password, notify or overlap if needed",
            )?;
            settings.check().map_err(|fault| text(&fault))?;
            Ok(Kind::Sql(settings))
        }
        "folder" => {
            let mut settings: FolderSettings = settings(table, "path, and settle if needed")?;
            settings.check().map_err(|fault| text(&fault))?;
            settings.path = base.join(&settings.path);
            settings.columns = columns.clone();
            Ok(Kind::Folder(settings))
        }
        _ => Err(text(&("kind", "is missing or unknown", "opensid, sql or folder"))),
    }
}

fn settings<T: DeserializeOwned>(table: Table, keys: &str) -> Result<T, Fault> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { "its keys:".to_owned() } else { format!("{path}:") };
        (key, first_line(error.inner()), format!("such a source has {keys}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Source>, ConfigError> {
        let table: Table = text.parse().unwrap();
        let tables = table["source"].as_array().unwrap();
        let tables = tables.iter().map(|one| one.as_table().unwrap().clone()).collect();
        read("kabar.toml", Path::new("/etc/kabar"), &columns(), tables)
    }

    fn columns() -> Mapping {
        Mapping::parse([("status".to_owned(), vec!["Stat Cetak Dinas".to_owned()])]).unwrap()
    }

    const SECONDS: Duration = Duration::from_secs(10);
    const FOLDER: &str =
        "[[source]]\nid = \"masuk\"\nkind = \"folder\"\npath = \"masuk\"\nsettle = \"10s\"\n";
    const OPENSID: &str = "[[source]]\nid = \"opensid-jabon\"\nkind = \"opensid\"\nurl = \"mysql://kabar_ro@127.0.0.1/opensid\"\n";

    #[test]
    fn a_source_needs_little_and_has_sensible_habits() {
        let sources = parse(OPENSID).unwrap();
        assert_eq!(sources[0].every, Duration::from_secs(60));
        assert_eq!(sources[0].scan_at, NaiveTime::from_hms_opt(2, 0, 0));
        assert_eq!(sources[0].hold_over, 500);
        let Kind::OpenSid(settings) = &sources[0].kind else { panic!("another kind") };
        assert_eq!(settings.overlap, Duration::from_secs(12 * 3600));
        assert_eq!(parse(&format!("{OPENSID}scan_at = \"off\"\n")).unwrap()[0].scan_at, None);
    }

    #[test]
    fn paths_are_relative_to_the_configuration() {
        let sql = "[[source]]\nid = \"buku\"\nkind = \"sql\"\nurl = \"sqlite://buku.db\"\nquery = \"SELECT 1\"\ncursor = \"at\"\n";
        let folder = "[[source]]\nid = \"masuk\"\nkind = \"folder\"\npath = \"masuk\"\n";
        let sources = parse(&format!("{sql}{folder}")).unwrap();
        let Kind::Folder(settings) = &sources[1].kind else { panic!("another kind") };
        assert_eq!(settings.path, Path::new("/etc/kabar/masuk"));
        assert_eq!(settings.columns, columns(), "what the office calls its columns");
        assert_eq!((settings.settle, sources[1].every), (SECONDS, SECONDS));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_no_secret_is_shown() {
        let secret = OPENSID.replace("kabar_ro@", "kabar_ro:rahasia@");
        let cases = [
            (OPENSID.replace("opensid-jabon", "Open SID"), "source 1: id"),
            (OPENSID.replace("opensid-jabon", "api"), "source 1: id"),
            (OPENSID.replace("\"opensid\"", "\"oracle\""), "kind"),
            (format!("{secret}every = \"0s\"\n"), "every"),
            (format!("{secret}scan_at = \"malam\"\n"), "scan_at"),
            (format!("{secret}hold_over = 0\n"), "hold_over"),
            (format!("{secret}table = \"x\"\n"), "table"),
            (format!("{secret}overlap = \"long\"\n"), "overlap"),
            (secret.replace("mysql:", "postgres:"), "url"),
            (format!("{OPENSID}{OPENSID}"), "two sources"),
            (secret.replace("\"opensid\"\n", "\"sql\"\n"), "query"),
            (FOLDER.replace("10s", "0s"), "settle"),
            (FOLDER.replace("path", "folder"), "folder"),
        ];
        for (text, expected) in cases {
            let error = parse(&text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!error.hint.is_empty(), "{error}");
            assert!(!error.to_string().contains("rahasia"), "{error}");
        }
    }
}
