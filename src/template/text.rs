//! One text with placeholders, and the engine that fills it.
//!
//! A text is minijinja source restricted to plain `{{ name }}`: Meta's templates know nothing
//! else, and so the same file is what is registered and what is sent. Beside the page for
//! officers this is the only file of the module that names the engine. A value is never read as
//! template source.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use minijinja::{Environment, UndefinedBehavior};

use super::problem::Problem;

/// More than any text of ours can use; a text that would run away is stopped.
const FUEL: u64 = 10_000;

/// A text as its author wrote it, with its placeholders found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    file: String,
    source: String,
    holes: Vec<Hole>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hole {
    name: String,
    at: Range<usize>,
}

impl Text {
    /// Reads a text; what is no plain placeholder becomes a problem.
    pub(super) fn parse(file: &str, content: &str, problems: &mut Vec<Problem>) -> Self {
        let source = content.trim_end().to_owned();
        let mut holes = Vec::new();
        let mut rest = 0;
        while let Some(found) = source[rest..].find(['{', '}']) {
            let start = rest + found;
            if let Some((name, end)) = placeholder(&source, start) {
                holes.push(Hole { name: name.to_owned(), at: start..end });
                rest = end;
            } else {
                let what = "a brace that does not belong to a plain placeholder";
                let hint = "write placeholders as {{ name }}, with lower-case letters and _";
                problems.push(Problem::new(file, what, hint).at(&source, start));
                // The rest would be reported for the same slip again.
                break;
            }
        }
        if source.trim().is_empty() {
            problems.push(Problem::new(file, "the text is empty", "write the text"));
        }
        Self { file: file.to_owned(), source, holes }
    }

    /// The file it comes from, relative to `message_templates`.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The placeholders in order of appearance, each once.
    #[must_use]
    pub fn placeholders(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for hole in &self.holes {
            if !names.contains(&hole.name.as_str()) {
                names.push(&hole.name);
            }
        }
        names
    }

    /// What stands before, between and after the placeholders; one piece more than there are
    /// placeholders. With the place where each piece begins.
    pub(super) fn pieces(&self) -> Vec<(usize, &str)> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for hole in &self.holes {
            pieces.push((start, &self.source[start..hole.at.start]));
            start = hole.at.end;
        }
        pieces.push((start, &self.source[start..]));
        pieces
    }

    /// The name of the last placeholder.
    pub(super) fn last_placeholder(&self) -> Option<&str> {
        self.holes.last().map(|hole| hole.name.as_str())
    }

    /// Where a placeholder stands first.
    pub(super) fn place_of(&self, name: &str) -> usize {
        self.holes.iter().find(|hole| hole.name == name).map_or(0, |hole| hole.at.start)
    }

    /// The text with every placeholder replaced by what `write` makes of its name.
    pub(super) fn map(&self, write: impl Fn(&str) -> String) -> String {
        let mut mapped = String::with_capacity(self.source.len());
        let mut start = 0;
        for hole in &self.holes {
            mapped.push_str(&self.source[start..hole.at.start]);
            mapped.push_str(&write(&hole.name));
            start = hole.at.end;
        }
        mapped.push_str(&self.source[start..]);
        mapped
    }
}

/// The name in the placeholder that begins at `start`, and where it ends.
fn placeholder(source: &str, start: usize) -> Option<(&str, usize)> {
    let inside = source[start..].strip_prefix("{{")?;
    let length = inside.find("}}")?;
    let name = inside[..length].trim_matches(' ');
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    is_plain.then_some((name, start + length + 4))
}

/// Fills texts. Strict: a placeholder without a value is an error.
pub(super) struct Engine {
    environment: Environment<'static>,
}

impl Engine {
    pub(super) fn new() -> Self {
        // Neither filters nor functions nor escaping: a text needs nothing but its values.
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        Self { environment }
    }

    /// Compiles a text, so that sending pays only for filling it.
    pub(super) fn add(&mut self, text: &Text, problems: &mut Vec<Problem>) {
        let added = self.environment.add_template_owned(text.file.clone(), text.source.clone());
        if let Err(error) = added {
            let mut problem = Problem::new(&text.file, error.to_string(), "mend the placeholder");
            problem.line = error.line();
            problems.push(problem);
        }
    }

    /// The text with its values.
    pub(super) fn fill<V: serde::Serialize>(
        &self,
        text: &Text,
        values: &BTreeMap<&str, V>,
    ) -> Result<String, minijinja::Error> {
        self.environment.get_template(&text.file)?.render(minijinja::value::Serde(values))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(source: &str) -> Result<Text, Vec<Problem>> {
        let mut problems = Vec::new();
        let text = Text::parse("t.txt", source, &mut problems);
        if problems.is_empty() { Ok(text) } else { Err(problems) }
    }

    #[test]
    fn placeholders_come_in_order_and_once() {
        let text = parsed("a {{ b }} c {{a}} d {{ b }}.\n").unwrap();
        assert_eq!(text.placeholders(), ["b", "a"]);
        assert_eq!(text.source(), "a {{ b }} c {{a}} d {{ b }}.");
        assert_eq!(text.map(|name| format!("<{name}>")), "a <b> c <a> d <b>.");
    }

    #[test]
    fn what_is_more_than_a_plain_placeholder_is_refused_with_its_line() {
        for bad in [
            "{% if a %}",
            "{{ a | upper }}",
            "{{ 1 }}",
            "{{ a.b }}",
            "{a}",
            "{{ a",
            "a }}",
            "{{}}",
            "{# x #}",
            "{{ Nama }}",
        ] {
            let problems = parsed(&format!("satu\ndua {bad}")).unwrap_err();
            assert_eq!(problems[0].line, Some(2), "{bad}");
        }
    }

    #[test]
    fn a_value_is_never_read_as_template_source() {
        let mut problems = Vec::new();
        let text = Text::parse("t.txt", "<{{ a }}> & {{ b }}", &mut problems);
        let mut engine = Engine::new();
        engine.add(&text, &mut problems);
        let values = BTreeMap::from([("a", "{{ b }}{% raw %}"), ("b", "<&>")]);
        assert_eq!(engine.fill(&text, &values).unwrap(), "<{{ b }}{% raw %}> & <&>");
        assert!(engine.fill(&text, &BTreeMap::from([("a", "x")])).is_err(), "b has no value");
        assert_eq!(problems, []);
    }

    proptest! {
        #[test]
        fn any_file_is_either_refused_or_filled(source in "([a-z .]|\\{\\{ ?[a-c] ?\\}\\}|[{}%é🙂\n]){0,20}") {
            let mut problems = Vec::new();
            let text = Text::parse("t.txt", &source, &mut problems);
            if problems.is_empty() {
                let mut engine = Engine::new();
                engine.add(&text, &mut problems);
                prop_assert_eq!(&problems, &vec![]);
                let values = BTreeMap::from([("a", "A"), ("b", "B"), ("c", "C")]);
                let filled = engine.fill(&text, &values).unwrap();
                // The engine and our own reading of the placeholders agree.
                prop_assert_eq!(filled, text.map(str::to_uppercase));
            }
        }
    }
}
