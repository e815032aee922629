//! Whether a file of text ends as one that is complete.
//!
//! An upload that stands still over a poor network looks like a file that has stopped growing, and
//! the rows that came are good ones. A workbook shows by itself that its end is missing.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// What a ZIP file, a compound file and a PDF begin with.
const NO_TEXT: &[&[u8]] = &[b"PK\x03\x04", &[0xD0, 0xCF, 0x11, 0xE0], b"%PDF"];
/// Characters of two bytes, and the mark with which DOS ended a text.
const PADDING: &[u8] = &[0, 0x1A];

/// Whether it is a text whose last line does not end. Of what cannot be read nothing is said.
pub(super) fn is_open(path: &Path) -> bool {
    read(path).is_ok_and(|(start, end)| {
        let is_text = !NO_TEXT.iter().any(|mark| start.starts_with(mark));
        let last = end.iter().rev().find(|byte| !PADDING.contains(byte));
        is_text && last.is_some_and(|byte| !matches!(byte, b'\n' | b'\r'))
    })
}

/// The first and the last four bytes.
fn read(path: &Path) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = File::open(path)?;
    let (mut start, mut end) = (Vec::new(), Vec::new());
    (&mut file).take(4).read_to_end(&mut start)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(4)))?;
    file.take(4).read_to_end(&mut end)?;
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_last_line_break_is_open_and_a_workbook_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kartu");
        let cases: &[(&[u8], bool)] = &[
            (b"NIK;Status\n351", true),
            (b"NIK", true),
            (b"NIK;Status\n", false),
            (b"NIK;Status\r\n", false),
            (b"NIK;Status\r", false),
            (b"NIK;Status\r\n\x1A", false),
            (b"N\0I\0\n\0", false),
            (b"\0N\0I\0\n", false),
            (b"N\0I\0", true),
            (b"PK\x03\x04 a book", false),
            (b"%PDF-1.7 %%EOF", false),
            (&[0xD0, 0xCF, 0x11, 0xE0, 1, 1], false),
            (b"", false),
        ];
        for (content, expected) in cases {
            std::fs::write(&path, content).unwrap();
            assert_eq!(is_open(&path), *expected, "{content:?}");
        }
        assert!(!is_open(&folder.path().join("tiada")));
    }
}
