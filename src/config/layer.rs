//! Lays the environment above the file and the file above the defaults, and fetches secrets from
//! the files that are named for them.

use std::path::Path;

use toml::{Table, Value};

use super::{ConfigError, wrong};

const ENV_PREFIX: &str = "KABAR_";

/// A TOML error's own words, without the excerpt and without what stands in the place of a text:
/// either could show a secret.
pub(super) fn first_line(error: &toml::de::Error) -> String {
    let line = error.message().lines().next().unwrap_or_default();
    match line.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((given, expected)) => {
            let kind = given.split(['`', '"']).next().unwrap_or_default().trim_end();
            format!("invalid type: {kind}, expected {expected}")
        }
        None => line.to_owned(),
    }
}

pub(super) fn place(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let Some(span) = span else { return "check the file's TOML".to_owned() };
    let line = text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1);
    format!("look at line {line}")
}

pub(super) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// `KABAR_SECTION__KEY`. A value is read as TOML where the default is no text, so that numbers,
/// lists and switches work, and taken as it is where the default is a text.
pub(super) fn merge_env(
    into: &mut Table,
    env: impl Iterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
        let Some((section, key)) = rest.split_once("__") else { continue };
        let path: Vec<String> =
            std::iter::once(section).chain(key.split("__")).map(str::to_ascii_lowercase).collect();
        let unknown = || {
            wrong(
                format!("the environment's {name} names nothing"),
                "it is KABAR_SECTION__KEY with a section and key of the configuration",
            )
        };
        let Some((last, parents)) = path.split_last() else { continue };
        let mut table = &mut *into;
        for part in parents {
            let next = table.get_mut(part).and_then(Value::as_table_mut);
            table = next.ok_or_else(unknown)?;
        }
        let known = last.strip_suffix("_file").unwrap_or(last);
        let value = match table.get(known) {
            None => return Err(unknown()),
            Some(Value::String(_)) => Value::String(value),
            Some(_) if last != known => Value::String(value),
            Some(_) => format!("v = {value}")
                .parse::<Table>()
                .ok()
                .and_then(|mut parsed| parsed.remove("v"))
                .ok_or_else(|| {
                    wrong(
                        format!("the environment's {name} cannot be read"),
                        "write it as in the configuration file",
                    )
                })?,
        };
        table.insert(last.clone(), value);
    }
    Ok(())
}

/// Puts the content of `x_file` in the place of `x`, everywhere.
pub(super) fn read_secret_files(table: &mut Table, base: &Path) -> Result<(), ConfigError> {
    let names: Vec<String> = table.keys().cloned().collect();
    for name in names {
        match table.get_mut(&name) {
            Some(Value::Table(inner)) => read_secret_files(inner, base)?,
            Some(Value::Array(items)) => {
                for item in items {
                    if let Value::Table(inner) = item {
                        read_secret_files(inner, base)?;
                    }
                }
            }
            Some(Value::String(path)) if name.ends_with("_file") => {
                let path = base.join(path.as_str());
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    wrong(
                        format!("{name}: {} cannot be read: {error}", path.display()),
                        "the service's user must be able to read it",
                    )
                })?;
                let key = name.trim_end_matches("_file").to_owned();
                table.remove(&name);
                table.insert(key, Value::String(text.trim().to_owned()));
            }
            _ => {}
        }
    }
    Ok(())
}
