//! The README, held against the program: what it names exists, and what exists is named.
#![expect(clippy::expect_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README")
}

/// A fenced block: what stands behind its fence, and its lines without their indentation by a list.
struct Block {
    language: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (open.take(), fence) {
            (None, Some(language)) => {
                let indent = line.len() - line.trim_start().len();
                let language = language.trim().to_owned();
                open = Some((Block { language, lines: Vec::new() }, indent));
            }
            (Some((block, _)), Some(_)) => blocks.push(block),
            (Some((mut block, indent)), None) => {
                block.lines.push(line.get(indent..).unwrap_or_default().to_owned());
                open = Some((block, indent));
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of the README does not end");
    blocks
}

/// What stands between one heading of the second level and the next.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, after) = text.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    after.split("\n## ").next().unwrap_or(after)
}

/// The paths of the map, folders with their slash.
fn map() -> Vec<PathBuf> {
    let text = readme();
    let tree = blocks(section(&text, "The map"));
    let mut folders: Vec<String> = Vec::new();
    let mut paths = Vec::new();
    for line in &tree.first().expect("the map has a tree").lines {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let name = line.split_whitespace().next().expect("no empty line in the tree");
        folders.truncate(depth);
        assert_eq!(folders.len(), depth, "{name} stands too far in");
        paths.push(PathBuf::from(folders.concat()).join(name));
        folders.push(name.to_owned());
    }
    paths
}

#[test]
fn everything_on_the_map_exists_as_what_it_is_called() {
    let paths = map();
    assert!(paths.len() > 30, "the tree was not read: {paths:?}");
    for path in paths {
        let is_folder = path.to_string_lossy().ends_with('/');
        let real = root().join(&path);
        assert!(real.exists(), "the README's map names {}", path.display());
        assert_eq!(real.is_dir(), is_folder, "{}", path.display());
    }
}

#[test]
fn everything_in_src_and_in_the_texts_is_on_the_map() {
    let shown: BTreeSet<PathBuf> = map().iter().map(|path| path.components().collect()).collect();
    for folder in ["src", "message_templates"] {
        for entry in fs::read_dir(root().join(folder)).expect("the folder can be read") {
            let name = entry.expect("an entry").file_name();
            let path = Path::new(folder).join(name);
            assert!(shown.contains(&path), "{} is not on the README's map", path.display());
        }
    }
}

#[test]
fn every_module_stands_on_a_floor() {
    let text = readme();
    let table: String = section(&text, "The map").lines().filter(|l| l.starts_with('|')).collect();
    let rest = section(&text, "The map");
    let library = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let modules: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(modules.len() > 10, "{modules:?}");
    for module in modules {
        let named = format!("`{module}`");
        let is_named = table.contains(&named) || (module == "telemetry" && rest.contains(&named));
        assert!(is_named, "the README's floors leave out {module}");
    }
}

#[test]
fn every_file_named_in_the_text_exists() {
    let text = readme();
    let places = ["src/", "tests/", "migrations/", "message_templates/", "benches/", ".ci/"];
    let mut seen = 0;
    for word in prose(&text).split('`').skip(1).step_by(2) {
        // `tests/run NAME` is a file with an argument.
        let path = word.split_whitespace().next().unwrap_or_default();
        if places.iter().any(|place| path.starts_with(place)) {
            assert!(root().join(path).exists(), "the README names {path}");
            seen += 1;
        }
    }
    assert!(seen > 25, "only {seen} files were found in the README");
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    let text = readme();
    for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if link.starts_with("https://") || link.starts_with("http://") {
            continue;
        }
        let path = link.split('#').next().unwrap_or_default();
        assert!(!path.is_empty() && root().join(path).exists(), "the README links to {link}");
    }
}

/// The README without its fenced blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The words of every call of `kabar`, in shell blocks and in the text, without what a shell would
/// take away.
fn commands() -> Vec<Vec<String>> {
    let text = readme();
    let prose = prose(&text);
    let mut lines: Vec<&str> = prose.split('`').skip(1).step_by(2).collect();
    let blocks = blocks(&text);
    let shell = blocks.iter().filter(|block| block.language == "sh");
    lines.extend(shell.flat_map(|block| &block.lines).map(String::as_str));
    let mut found = Vec::new();
    for line in lines {
        let line = line.split(" #").next().unwrap_or_default();
        for call in line.split(['|', '>', ';']).flat_map(|part| part.split("&&")) {
            let words: Vec<&str> = call.split_whitespace().collect();
            let (["kabar", rest @ ..] | ["cargo", "run", "--release", "--", rest @ ..]) =
                words.as_slice()
            else {
                continue;
            };
            found.push(rest.iter().map(|word| (*word).to_owned()).collect());
        }
    }
    found
}

#[test]
fn every_command_of_the_readme_is_taken_by_the_program() {
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for words in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_kabar"))
            .args(&words)
            .arg("--help")
            .output()
            .expect("the program starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kabar {}: {told}", words.join(" "));
    }
}

#[test]
fn every_command_of_the_program_is_in_the_readme() {
    let output = Command::new(env!("CARGO_BIN_EXE_kabar")).arg("--help").output().expect("help");
    let help = String::from_utf8(output.stdout).expect("text");
    let list = help.split("Commands:").nth(1).expect("a list of commands");
    let list = list.split("\n\n").next().unwrap_or(list);
    let text = readme();
    let mut seen = 0;
    for line in list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().expect("a name");
        if name != "help" {
            let is_named = text.contains(&format!("kabar {name}"))
                || text.contains(&format!("cargo run --release -- {name}"));
            assert!(is_named, "the README leaves out kabar {name}");
            seen += 1;
        }
    }
    assert!(seen > 8, "only {seen} commands were found in {list}");
}

/// `section.key` of every key of the defaults, those of the example account included.
fn configuration_keys() -> BTreeSet<(String, String)> {
    let defaults = fs::read_to_string(root().join("src/config/default.toml")).expect("defaults");
    let mut heading = String::new();
    let mut keys = BTreeSet::new();
    for line in defaults.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if line.starts_with('[') {
            let name = line.split_whitespace().next().unwrap_or(line);
            name.clone_into(&mut heading);
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            keys.insert((heading.clone(), key.trim_end_matches("_file").to_owned()));
        }
    }
    keys
}

#[test]
fn every_configuration_key_stands_in_its_row() {
    let text = readme();
    let configuration = section(&text, "Configuration");
    assert!(configuration.contains("(src/config/default.toml)"));
    let keys = configuration_keys();
    assert!(keys.len() > 35, "{keys:?}");
    for (heading, key) in &keys {
        let row = configuration.lines().find(|line| line.starts_with(&format!("| `{heading}` |")));
        let row = row.unwrap_or_else(|| panic!("the README has no row for {heading}"));
        assert!(row.contains(&format!("`{key}`")), "the row of {heading} leaves out {key}");
    }
}

#[test]
fn no_key_in_the_readme_is_made_up() {
    let text = readme();
    let keys = configuration_keys();
    for line in section(&text, "Configuration").lines().filter(|line| line.starts_with("| `[")) {
        let mut words = line.split('`').skip(1).step_by(2);
        let heading = words.next().expect("a heading");
        for word in words.filter(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            let key = (heading.to_owned(), word.to_owned());
            assert!(keys.contains(&key), "there is no key {word} in {heading}");
        }
    }
}

#[test]
fn the_commands_of_officers_in_the_readme_are_those_the_bot_names() {
    let commands = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| c.is_whitespace() || "`:;.,\"".contains(c));
        let is_command = |word: &&str| word.starts_with('/') && word.len() > 1;
        words.filter(is_command).map(|word| word.trim_start_matches('/').to_owned()).collect()
    };
    let readme = readme();
    let told = section(&readme, "The console").split("**From Telegram.**").nth(1);
    let file = root().join("message_templates/console/telegram.toml");
    let file = fs::read_to_string(file).expect("there is the file");
    let welcome = file.split("tied = ").nth(1).expect("a welcome");
    let welcome = welcome.split("code_expired").next().expect("its end");
    assert_eq!(commands(told.expect("the paragraph")), commands(welcome));
}

#[test]
fn the_rights_on_opensid_in_the_readme_are_those_that_are_needed() {
    let text = readme();
    for statement in kabar::source::opensid::grants("opensid", "'kabar_ro'@'localhost'") {
        assert!(text.lines().any(|line| line == statement), "not in the README: {statement}");
    }
}
