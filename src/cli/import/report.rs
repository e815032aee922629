//! What became of the rows of a file, in words or as one JSON object.
//!
//! Counts all of them and keeps so many of the rejected ones as somebody may look through; a file
//! of which every row is wrong must not fill the memory with reasons.

/// Rows shown one by one.
const SHOWN: usize = 20;
/// Rejected rows and warnings kept, each.
const KEPT: usize = 10_000;

/// What became of the rows.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Count {
    pub(super) new: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) announced: u64,
    pub(super) rejected: u64,
    reasons: Vec<Line>,
    warnings: Vec<Line>,
    /// How many more there were of both.
    #[serde(skip_serializing_if = "LeftOff::is_nothing")]
    left_off: LeftOff,
}

#[derive(Debug, Default, serde::Serialize)]
struct LeftOff {
    reasons: u64,
    warnings: u64,
}

impl LeftOff {
    const fn is_nothing(&self) -> bool {
        self.reasons == 0 && self.warnings == 0
    }
}

/// A row somebody should look at, and why.
#[derive(Debug, serde::Serialize)]
struct Line {
    sheet: Option<String>,
    row: u64,
    code: String,
    message: String,
}

/// Where a row stands: the sheet, in a workbook, and the number.
pub(super) type Place<'a> = (Option<&'a str>, u64);

fn keep(lines: &mut Vec<Line>, left_off: &mut u64, at: Place<'_>, code: &str, message: &str) {
    if lines.len() == KEPT {
        *left_off += 1;
        return;
    }
    let (sheet, row) = at;
    let (code, message) = (code.to_owned(), message.to_owned());
    lines.push(Line { sheet: sheet.map(str::to_owned), row, code, message });
}

impl Count {
    /// Counts a row that is not taken.
    pub(super) fn reject(&mut self, at: Place<'_>, code: &str, message: &str) {
        self.rejected += 1;
        keep(&mut self.reasons, &mut self.left_off.reasons, at, code, message);
    }

    /// Notes a row that is taken but odd.
    pub(super) fn warn(&mut self, at: Place<'_>, code: &str, message: &str) {
        keep(&mut self.warnings, &mut self.left_off.warnings, at, code, message);
    }

    /// How many rows there were.
    pub(super) const fn total(&self) -> u64 {
        self.new + self.changed + self.unchanged + self.rejected
    }

    pub(super) fn print_json(&self) {
        println!("{}", serde_json::json!(self));
    }

    pub(super) fn print(&self, is_dry_run: bool) {
        let tense = if is_dry_run { "would be" } else { "are" };
        println!(
            "{} rows: {} {tense} new, {} changed, {} unchanged, {} rejected; {} announced",
            self.total(),
            self.new,
            self.changed,
            self.unchanged,
            self.rejected,
            self.announced,
        );
        let shown = self.reasons.iter().take(SHOWN).map(|reason| ("", reason));
        let warned = self.warnings.iter().take(SHOWN).map(|warning| ("taken, but ", warning));
        for (word, line) in shown.chain(warned) {
            let sheet = line.sheet.as_ref().map(|name| format!("{name}, ")).unwrap_or_default();
            println!("  {sheet}row {}: {word}{} ({})", line.row, line.message, line.code);
        }
        if self.reasons.len() > SHOWN {
            let more = self.rejected - SHOWN as u64;
            println!("  … and {more} more; --json lists up to {KEPT}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_nothing_but_faults_is_counted_whole_and_listed_up_to_a_limit() {
        let mut count = Count::default();
        for row in 0..KEPT as u64 + 5 {
            count.reject((Some("BIP"), row), "invalid_nik", "no NIK");
        }
        count.warn((None, 7), "unknown_area_prefix", "odd");
        assert_eq!((count.rejected, count.reasons.len()), (KEPT as u64 + 5, KEPT));
        let json = serde_json::json!(count);
        assert_eq!(json["left_off"], serde_json::json!({"reasons": 5, "warnings": 0}));
        assert!(serde_json::json!(Count::default()).get("left_off").is_none());
    }
}
