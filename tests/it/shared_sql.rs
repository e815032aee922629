//! Our SQL stays inside what Citus, `YugabyteDB` and `CockroachDB` share: `docs/scale.md` says what each
//! refuses, and this holds the statements of `store` and the migrations against it, with the page
//! and the list here kept the same.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// What one of the three refuses or answers otherwise: its name on the page; how it is written, `;` between the ways
/// and `~` for a blank at an edge; the one file that has it today, or `-`; a statement that has it.
const RULES: &str = "
LISTEN and NOTIFY | LISTEN; UNLISTEN; NOTIFY; pg_notify | - | LISTEN news
advisory locks | pg_advisory_lock; pg_advisory_xact_lock; pg_try_advisory_lock; pg_try_advisory_xact_lock | - | SELECT pg_advisory_xact_lock($1)
triggers | CREATE TRIGGER; CREATE OR REPLACE TRIGGER; CREATE CONSTRAINT TRIGGER | - | CREATE TRIGGER still BEFORE UPDATE ON audit
rules | CREATE RULE; CREATE OR REPLACE RULE | - | CREATE RULE r AS ON INSERT TO a
cursors | DECLARE; CURSOR FOR; FETCH NEXT | - | DECLARE c CURSOR FOR SELECT 1
statements that write inside WITH | AS (INSERT; AS (UPDATE; AS (DELETE | - | WITH gone AS (DELETE FROM a RETURNING id) SELECT id FROM gone
WITH RECURSIVE | WITH RECURSIVE | - | WITH RECURSIVE up AS (SELECT 1) SELECT 1
grouping sets | GROUPING SETS; ROLLUP (; ROLLUP(; CUBE (; CUBE( | - | SELECT a FROM t GROUP BY ROLLUP (a)
TABLESAMPLE | TABLESAMPLE | - | SELECT id FROM card TABLESAMPLE SYSTEM (1)
MERGE | MERGE INTO | - | MERGE INTO card c USING news n ON c.id = n.id
shared row locks | FOR SHARE; FOR KEY SHARE; FOR NO KEY UPDATE | - | SELECT id FROM card FOR SHARE
an isolation level | ISOLATION LEVEL; SET TRANSACTION; default_transaction_isolation | - | SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
temporary tables | CREATE TEMP; CREATE TEMPORARY; ON COMMIT DROP | - | CREATE TEMP TABLE wanted (id TEXT)
sequences | CREATE SEQUENCE; nextval; SMALLSERIAL; BIGSERIAL; id SERIAL; AS IDENTITY | - | CREATE TABLE a (id BIGSERIAL PRIMARY KEY)
exclusion constraints | EXCLUDE USING; EXCLUDE ( | - | CREATE TABLE a (b TEXT, EXCLUDE (b WITH =))
deferrable constraints | DEFERRABLE; INITIALLY DEFERRED | - | CREATE TABLE a (b TEXT, UNIQUE (b) DEFERRABLE)
inherited tables | INHERITS | - | CREATE TABLE a (b TEXT) INHERITS (c)
stored generated columns | GENERATED ALWAYS AS | - | ALTER TABLE a ADD COLUMN c TEXT GENERATED ALWAYS AS (b) STORED
GiST and GIN indexes | USING gist; USING gin | - | CREATE INDEX i ON a USING gin (b)
functions whose value changes by itself | random(; gen_random_uuid(; clock_timestamp(; now(; CURRENT_TIMESTAMP | - | UPDATE card SET id = gen_random_uuid()
division | ~/~ | - | SELECT at / 1000 FROM audit
row versions of the engine | ctid; xmin; txid_current | - | SELECT ctid FROM card
two-phase commit of our own | PREPARE TRANSACTION | - | PREPARE TRANSACTION 'a'
XML functions | xmlparse; xpath(; xmlelement | - | SELECT xpath('/a', b) FROM c
LOCK TABLE | LOCK TABLE | src/store/shape.rs | LOCK TABLE card IN SHARE ROW EXCLUSIVE MODE
ANALYZE | ANALYZE | src/store/shape.rs | ANALYZE
the catalogue of the engine | pg_class; pg_index; pg_constraint; pg_attribute; information_schema | src/store/shape.rs | SELECT relname FROM pg_class
";

/// A line of [`RULES`].
struct Rule {
    name: &'static str,
    words: Vec<String>,
    only: Option<&'static str>,
    example: &'static str,
}

fn rules() -> Vec<Rule> {
    let lines = RULES.lines().filter(|line| !line.is_empty());
    let rule = |line: &'static str| {
        let [name, ways, only, example] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("four parts: {line}");
        };
        let words = ways.split("; ").map(|way| way.replace('~', " ").to_lowercase()).collect();
        Rule { name, words, only: (only != "-").then_some(only), example }
    };
    lines.map(rule).collect()
}

/// Statements as one text with single blanks, and the line each byte of it stands on.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    lines: Vec<usize>,
}

impl Text {
    fn push(&mut self, byte: u8, line: usize) {
        let byte = if byte.is_ascii_whitespace() { b' ' } else { byte.to_ascii_lowercase() };
        // One blank is like many, and behind a bracket like none.
        if byte != b' ' || !matches!(self.bytes.last(), None | Some(b' ' | b'(')) {
            self.bytes.push(byte);
            self.lines.push(line);
        }
    }

    /// The lines on which `words` stand, no letter before or behind them.
    fn lines_with(&self, words: &str) -> Vec<usize> {
        let is_part =
            |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let parts_a_word = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| self.bytes.get(before));
            is_part(before) && is_part(self.bytes.get(at))
        };
        let text = String::from_utf8_lossy(&self.bytes);
        let hits = text.match_indices(words).map(|(from, _)| from);
        hits.filter(|from| !parts_a_word(*from) && !parts_a_word(from + words.len()))
            .map(|from| self.lines[from])
            .collect()
    }
}

/// The string literals of a Rust source, one behind the other; comments and code are left out.
fn literals(source: &str) -> Text {
    let (bytes, mut text, mut at, mut line) = (source.as_bytes(), Text::default(), 0, 1);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skip = if rest.starts_with(b"//") {
            rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"'\"'") {
            3
        } else if rest.starts_with(b"'\\\"'") {
            4
        } else if rest[0] == b'"' {
            let hashes = bytes[..at].iter().rev().take_while(|b| **b == b'#').count();
            let is_raw = at > hashes && bytes[at - hashes - 1] == b'r';
            literal(rest, is_raw.then_some(hashes), line, &mut text)
        } else {
            1
        };
        line += rest[..skip].split(|b| *b == b'\n').count() - 1;
        at += skip;
    }
    text
}

/// Takes over one literal that begins `rest`, raw with so many `#` or not; how long it is.
fn literal(rest: &[u8], raw: Option<usize>, first: usize, text: &mut Text) -> usize {
    let end = [b"\"".as_slice(), "#".repeat(raw.unwrap_or(0)).as_bytes()].concat();
    let (mut at, mut line) = (1, first);
    while at < rest.len() && !rest[at..].starts_with(&end) {
        // What is escaped counts as itself, but for white space and the end of a continued line.
        let is_escaped = raw.is_none() && rest[at] == b'\\';
        at += usize::from(is_escaped);
        let is_blank = is_escaped && matches!(rest[at], b'n' | b'r' | b't');
        text.push(if is_blank { b' ' } else { rest[at] }, line);
        line += usize::from(rest[at] == b'\n');
        at += 1;
    }
    // No statement runs on into the next literal.
    text.push(b';', line);
    at + end.len()
}

/// A migration without its comments.
fn migration(source: &str) -> Text {
    let mut text = Text::default();
    for (n, line) in source.lines().enumerate() {
        let code = line.split("--").next().unwrap_or_default();
        code.bytes().chain([b' ']).for_each(|byte| text.push(byte, n + 1));
    }
    text
}

/// Where `text` has what it must not have.
fn found(file: &str, text: &Text) -> Vec<String> {
    let mut seen = BTreeSet::new();
    for Rule { name, words, only, .. } in rules() {
        let lines = words.iter().flat_map(|words| text.lines_with(words));
        let is_fine = only == Some(file);
        seen.extend(lines.filter(|_| !is_fine).map(|line| format!("{file}:{line}: {name}")));
    }
    seen.into_iter().collect()
}

/// All files of a kind below a folder of the project, with their names in it.
fn files(folder: &str, kind: &str) -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            all.extend(files(&name, kind));
        } else if path.extension().is_some_and(|end| end == kind) {
            all.push((name, path));
        }
    }
    all
}

#[test]
fn no_statement_uses_what_one_of_the_distributed_engines_refuses() {
    let (sources, migrations) = (files("src/store", "rs"), files("migrations", "sql"));
    assert!(sources.len() > 60 && migrations.len() > 30, "the statements are found");
    let read = |path: &Path| read_to_string(path).unwrap();
    let of_store = sources.iter().map(|(name, path)| found(name, &literals(&read(path))));
    let of_schema = migrations.iter().map(|(name, path)| found(name, &migration(&read(path))));
    let wrong: Vec<String> = of_store.chain(of_schema).flatten().collect();
    assert!(wrong.is_empty(), "docs/scale.md says what refuses it, and what to do: {wrong:#?}");
}

#[test]
fn statements_on_our_database_are_nowhere_but_in_the_store() {
    // What `source` asks are databases of others, which stay on the engine they are on.
    let elsewhere =
        |name: &str| !["src/store/", "src/source/"].iter().any(|at| name.starts_with(at));
    for (name, path) in files("src", "rs").into_iter().filter(|(name, _)| elsewhere(name)) {
        let source = read_to_string(path).unwrap();
        let has_sql = ["sqlx::query", "sqlx::raw_sql"].iter().any(|of| source.contains(of));
        assert!(!has_sql, "{name} asks the database by itself");
    }
}

#[test]
fn the_page_names_what_is_guarded_here_and_where_the_exceptions_are() {
    let page = read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md")).unwrap();
    let rows = |title: &str| -> BTreeSet<(String, String)> {
        let (_, part) = page.split_once(&format!("\n## {title}\n")).unwrap();
        let part = part.split("\n## ").next().unwrap();
        let cell = |row: &str, n| row.split('|').nth(n).unwrap().trim().replace('`', "");
        let rows = part.lines().filter(|line| line.starts_with("| ")).skip(1);
        rows.map(|row| (cell(row, 1), cell(row, 2))).collect()
    };
    let all = rules();
    let (used, unused): (Vec<&Rule>, Vec<&Rule>) = all.iter().partition(|r| r.only.is_some());
    let named: BTreeSet<_> = rows("Not used, and why").into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, unused.iter().map(|rule| rule.name.to_owned()).collect());
    let kept = used.iter().map(|rule| (rule.name.to_owned(), rule.only.unwrap().to_owned()));
    assert_eq!(rows("Used in one place, and refused"), kept.collect());
    for Rule { name, only, .. } in used {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = literals(&read_to_string(root.join(only.unwrap())).unwrap());
        assert!(found("elsewhere", &text).iter().any(|hit| hit.ends_with(name)), "{name} is gone");
    }
}

#[test]
fn the_scanner_sees_every_construct_and_on_which_line() {
    for rule in rules() {
        let source =
            format!("// a comment\nlet a = '\"';\nsql(\"SELECT \\\n   1; {}\")", rule.example);
        assert_eq!(found("a.rs", &literals(&source)), [format!("a.rs:4: {}", rule.name)]);
        let schema = format!("-- {0}\nCREATE TABLE a (b TEXT); -- {0}\n{0}", rule.example);
        assert_eq!(found("a.sql", &migration(&schema)), [format!("a.sql:3: {}", rule.name)]);
        let allowed = rule.only.map(|file| found(file, &literals(&source)));
        assert!(allowed.is_none_or(|wrong| wrong.is_empty()), "{} is allowed there", rule.name);
    }
    let over_lines =
        "let a = r#\"LOCK \"a\"\n  TABLE b\"#;\nlet b = \"with \\\"x\\\" as (\n\\nupdate c\";";
    let wrong = found("a.rs", &literals(over_lines));
    assert_eq!(wrong, ["a.rs:3: statements that write inside WITH"]);
}

#[test]
fn the_scanner_leaves_code_comments_and_parts_of_words_alone() {
    let fine = "/// LISTEN\nfn declare() { notify(); a / b } // LOCK TABLE\nlet a = \"listener, enlisten\";\n\
                let b = (\"LOCK\", \"TABLE\"); let c = 'x'; let d: &'static str = \"serial BIGINT\";";
    assert_eq!(found("a.rs", &literals(fine)), Vec::<String>::new());
}
