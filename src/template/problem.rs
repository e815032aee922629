//! What is wrong with a file of `message_templates`, said so that whoever edits it can mend it.
//!
//! Problems are collected, never stopped at: one look must show all that has to be done.

use std::fmt;

/// One thing that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the folder `message_templates`.
    pub file: String,
    /// The line, counted from one, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl Problem {
    /// A problem of the whole file.
    pub fn new(file: &str, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, what: what.into(), hint: hint.into() }
    }

    /// The same problem, at the line in which byte `offset` of `content` stands.
    #[must_use]
    pub fn at(mut self, content: &str, offset: usize) -> Self {
        let before = content.as_bytes().iter().take(offset);
        self.line = Some(1 + before.filter(|byte| **byte == b'\n').count());
        self
    }

    /// What the TOML reader says about a file.
    #[must_use]
    pub fn of_toml(file: &str, content: &str, error: &toml::de::Error) -> Self {
        let what = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let problem = Self::new(file, what, "compare the file with those beside it");
        match error.span() {
            Some(span) => problem.at(content, span.start),
            None => problem,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} (hint: {})", self.what, self.hint)
    }
}
