//! The office's query inside ours: as a table of which every column is asked for as text.
//!
//! Knows how each engine quotes and casts. Runs nothing.

/// Of a value so many characters are asked for: more than any part may have, so that one that is too
/// long is still seen to be.
const LONGEST: usize = 2000;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Postgres,
    Mysql,
    Sqlite,
}

/// A column of the office's query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// As the database spells it.
    pub(super) name: String,
    /// Its type; for PostgreSQL's cursor in words that a cast understands.
    pub(super) kind: String,
}

/// In which order the rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

impl Engine {
    pub(super) fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// A column of the table that the office's query is.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::Mysql => format!("q.`{}`", name.replace('`', "``")),
            Self::Postgres | Self::Sqlite => format!("q.\"{}\"", name.replace('"', "\"\"")),
        }
    }

    fn text(self, name: &str) -> String {
        let name = self.quoted(name);
        match self {
            Self::Postgres => format!("LEFT(CAST({name} AS TEXT), {LONGEST})"),
            Self::Mysql => format!("LEFT(CAST({name} AS CHAR), {LONGEST})"),
            Self::Sqlite => format!("SUBSTR(CAST({name} AS TEXT), 1, {LONGEST})"),
        }
    }

    /// The place of a position beside the cursor, of the cursor's own type.
    fn place(self, cursor: &Found, from: &str) -> String {
        let is_number = from.parse::<i64>().is_ok();
        match self {
            Self::Postgres => format!("CAST($1 AS {})", cursor.kind),
            // Beside a text a large number would be compared as a float.
            Self::Mysql if is_number && cursor.kind.contains("INT") => {
                "CAST(? AS SIGNED)".to_owned()
            }
            Self::Mysql => "?".to_owned(),
            // SQLite compares a text with a number by their kinds, not by what they say; beside a
            // cast it reads a text as the number it is.
            Self::Sqlite if is_number => "CAST($1 AS NUMERIC)".to_owned(),
            Self::Sqlite => "$1".to_owned(),
        }
    }

    /// The office's query as a table.
    pub(super) fn table(self, query: &str) -> String {
        // On lines of its own: a comment at its end would swallow ours.
        format!("(\n{}\n) AS q", body(query, self))
    }

    /// The query around the office's own. The cursor comes first.
    pub(super) fn wrapped(
        self,
        query: &str,
        columns: &[&str],
        cursor: &Found,
        from: Option<&str>,
        order: Order,
    ) -> String {
        let names = std::iter::once(cursor.name.as_str()).chain(columns.iter().copied());
        let columns: Vec<String> = names.map(|name| self.text(name)).collect();
        let at = self.quoted(&cursor.name);
        let filter = from.map(|from| format!(" WHERE {at} >= {}", self.place(cursor, from)));
        let order = if order == Order::NewestFirst { " DESC" } else { "" };
        format!(
            "SELECT {} FROM {}{} ORDER BY {at}{order}",
            columns.join(", "),
            self.table(query),
            filter.unwrap_or_default()
        )
    }
}

/// A query without the semicolons, comments and blanks that it ends with. A semicolon within it
/// stays, for the database to refuse.
fn body(query: &str, engine: Engine) -> &str {
    let mut end = 0;
    let mut at = 0;
    while let Some(next) = query[at..].chars().next() {
        let rest = &query[at..];
        if let Some(length) = comment(rest, engine) {
            at += length;
            continue;
        }
        let length = match next {
            '\'' | '"' | '`' => {
                let has_escapes = next != '`'
                    && (engine == Engine::Mysql
                        || engine == Engine::Postgres && query[..at].ends_with(['e', 'E']));
                quoted(rest, next, has_escapes)
            }
            '$' if engine == Engine::Postgres => dollars(rest),
            _ => next.len_utf8(),
        };
        at += length;
        if !next.is_whitespace() && next != ';' {
            end = at;
        }
    }
    query[..end].trim_start()
}

/// How long the comment is that a text begins with.
fn comment(text: &str, engine: Engine) -> Option<usize> {
    let line = || text.find('\n').unwrap_or(text.len());
    if let Some(after) = text.strip_prefix("--") {
        // In MySQL a--1 is arithmetic.
        let is_comment = engine != Engine::Mysql || !after.starts_with(|c: char| c > ' ');
        return is_comment.then(line);
    }
    if text.starts_with('#') && engine == Engine::Mysql {
        return Some(line());
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") && (depth == 0 || engine == Engine::Postgres) {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// How long the quoted text is that a text begins with. A doubled quote is two texts side by side.
fn quoted(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, next)) = chars.next() {
        if next == '\\' && has_escapes {
            chars.next();
        } else if next == quote {
            return at + 1;
        }
    }
    text.len()
}

/// The same for PostgreSQL's $tag$ … $tag$.
fn dollars(text: &str) -> usize {
    let Some(tag) = text[1..].find('$').map(|end| &text[..end + 2]) else { return 1 };
    let is_tag = tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_tag {
        return 1;
    }
    text[tag.len()..].find(tag).map_or(text.len(), |end| end + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: &str) -> Found {
        Found { name: "at".to_owned(), kind: kind.to_owned() }
    }

    const QUERY: &str = " SELECT nik, status, at FROM kartu ; ";

    #[test]
    fn the_offices_query_stands_inside_ours_and_its_cursor_keeps_its_type() {
        let cursor = found("timestamp with time zone");
        let query =
            Engine::Postgres.wrapped(QUERY, &["nik"], &cursor, Some("x"), Order::OldestFirst);
        assert_eq!(
            query,
            "SELECT LEFT(CAST(q.\"at\" AS TEXT), 2000), LEFT(CAST(q.\"nik\" AS TEXT), 2000) \
             FROM (\nSELECT nik, status, at FROM kartu\n) AS q \
             WHERE q.\"at\" >= CAST($1 AS timestamp with time zone) ORDER BY q.\"at\""
        );
        let of = |engine: Engine, kind: &str, from: Option<&str>| {
            engine.wrapped(QUERY, &[], &found(kind), from, Order::NewestFirst)
        };
        assert!(of(Engine::Mysql, "DATETIME", None).ends_with("\n) AS q ORDER BY q.`at` DESC"));
        assert!(of(Engine::Mysql, "DATETIME", Some("2026-11-21")).contains(">= ? ORDER"));
        assert!(of(Engine::Mysql, "BIGINT UNSIGNED", Some("5")).contains("CAST(? AS SIGNED)"));
        assert!(of(Engine::Sqlite, "INTEGER", Some("5")).contains("CAST($1 AS NUMERIC)"));
        assert!(of(Engine::Sqlite, "TEXT", Some("2026-11-21")).contains(">= $1 "));
    }

    #[test]
    fn what_a_query_ends_with_cannot_swallow_ours() {
        use Engine::{Mysql, Postgres, Sqlite};
        let cases = [
            (Postgres, "SELECT 1;\n-- selesai; 'apa'\n", "SELECT 1"),
            (Postgres, "-- kepala\nSELECT 1 -- ekor", "-- kepala\nSELECT 1"),
            (Sqlite, "SELECT ';' ; ; /* ; */ ;", "SELECT ';'"),
            (Postgres, "SELECT 1 /* a /* b */ c */", "SELECT 1"),
            (Sqlite, "SELECT '-- bukan';", "SELECT '-- bukan'"),
            (Sqlite, "SELECT 'a\\' -- ya", "SELECT 'a\\'"),
            (Mysql, "SELECT 'a\\' -- bukan';", "SELECT 'a\\' -- bukan'"),
            (Postgres, "SELECT E'a\\' -- bukan' ;", "SELECT E'a\\' -- bukan'"),
            (Mysql, "SELECT 5--1", "SELECT 5--1"),
            (Postgres, "SELECT 5--1", "SELECT 5"),
            (Mysql, "SELECT 1 # selesai", "SELECT 1"),
            (Postgres, "SELECT a #> b", "SELECT a #> b"),
            (Postgres, "SELECT $q$;--$q$ ;", "SELECT $q$;--$q$"),
            (Postgres, "SELECT $1;", "SELECT $1"),
            (Postgres, "SELECT 1; DROP TABLE a;", "SELECT 1; DROP TABLE a"),
            (Postgres, "SELECT 'tak ditutup ;", "SELECT 'tak ditutup ;"),
            (Sqlite, "SELECT \"é;\" /* tak ditutup", "SELECT \"é;\""),
            (Mysql, " ; ", ""),
        ];
        for (engine, query, expected) in cases {
            assert_eq!(body(query, engine), expected, "{engine:?}");
        }
    }
}
