//! A picture or a PDF that goes to many: what it may be, by its first bytes and not by its name, and how it is
//! called on a phone.
//!
//! Pure rules; where the bytes lie is the store's business.

use crate::words;

words! {
    /// What a file is.
    pub enum FileKind {
        /// A photograph.
        Jpeg = "image/jpeg",
        /// A picture.
        Png = "image/png",
        /// A document.
        Pdf = "application/pdf",
    }
}

words! {
    /// Why the office cannot send a file on WhatsApp.
    pub enum FileRefusal {
        /// No template of the office has room for it.
        NoTemplate = "no_template",
        /// The template that has is not approved at present.
        NotApproved = "not_approved",
    }
}

impl FileRefusal {
    /// What is wrong, and what to do.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Self::NoTemplate => [
                "no WhatsApp template of the office has a header for this file",
                "register one and name it in broadcasts/sosialisasi/meta.toml, or leave the file out",
            ],
            Self::NotApproved => [
                "the WhatsApp template with a header for this file is not approved at present",
                "wait until WhatsApp approves it, or leave the file out",
            ],
        }
    }
}

/// Longest name of a file, in characters.
const LONGEST_NAME: usize = 80;
const MEGABYTE: usize = 1024 * 1024;
/// The largest file of any kind.
pub const MOST_BYTES: usize = 10 * MEGABYTE;

/// Why a file cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It begins like none of the kinds that phones show.
    #[error("the file is neither a JPEG or PNG picture nor a PDF, whatever its name says")]
    Kind,
    /// It has too many bytes.
    #[error("the file has {:.1} MB; a {} has at most {} MB", mb(*.bytes), .kind.word(), .kind.most_bytes() / MEGABYTE)]
    Size {
        /// What it is.
        kind: FileKind,
        /// How many it has.
        bytes: usize,
    },
}

#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn mb(bytes: usize) -> f64 {
    bytes as f64 / MEGABYTE as f64
}

impl FileKind {
    /// What a file is by its first bytes, if it is one that may be sent.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn of(bytes: &[u8]) -> Result<Self, FileError> {
        let kind = match bytes {
            [] => return Err(FileError::Empty),
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Png,
            [b'%', b'P', b'D', b'F', b'-', ..] => Self::Pdf,
            _ => return Err(FileError::Kind),
        };
        if bytes.len() > kind.most_bytes() {
            return Err(FileError::Size { kind, bytes: bytes.len() });
        }
        Ok(kind)
    }

    /// Whether a phone shows it as a picture.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png)
    }

    /// Bytes it may have: what WhatsApp takes of a picture, and half a minute of a slow line for a PDF.
    #[must_use]
    pub const fn most_bytes(self) -> usize {
        if self.is_picture() { 5 * MEGABYTE } else { MOST_BYTES }
    }

    const fn word(self) -> &'static str {
        if self.is_picture() { "picture" } else { "PDF" }
    }

    const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Pdf => &["pdf"],
        }
    }

    /// The name a phone shows: without folders and what no file system takes, and with the ending of what it
    /// really is, so that it opens.
    #[must_use]
    pub fn name_of(self, given: &str) -> String {
        let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain: String = last
            .chars()
            .map(|c| if c.is_control() || "\"<>:|?*".contains(c) { ' ' } else { c })
            .collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let (stem, ending) = plain.rsplit_once('.').unwrap_or((&plain, ""));
        let small = ending.to_lowercase();
        let (stem, ending) = match self.endings().iter().find(|known| **known == small) {
            Some(known) => (stem, *known),
            None => (plain.as_str(), self.endings()[0]),
        };
        let stem = stem.trim_matches(['.', ' ']);
        let stem = if stem.is_empty() { "lampiran" } else { stem };
        let stem: String = stem.chars().take(LONGEST_NAME).collect();
        format!("{stem}.{ending}")
    }
}

/// A file that goes with a message; its bytes lie under its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// SHA-256 of its bytes, in small hexadecimal digits.
    pub hash: String,
    /// What it is.
    pub kind: FileKind,
    /// How it is called on a phone.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";

    #[test]
    fn a_file_is_what_it_begins_with() {
        assert_eq!(FileKind::of(b"\xff\xd8\xff\xe0JFIF"), Ok(FileKind::Jpeg));
        assert_eq!(FileKind::of(PNG), Ok(FileKind::Png));
        assert_eq!(FileKind::of(b"%PDF-1.7\n"), Ok(FileKind::Pdf));
        for other in [&b"GIF89a"[..], b"PK\x03\x04", b"<html>%PDF-", b"MZ", b"\x89PNG\n"] {
            assert_eq!(FileKind::of(other), Err(FileError::Kind));
        }
        assert_eq!(FileKind::of(b""), Err(FileError::Empty));
    }

    #[test]
    fn a_picture_has_five_megabytes_and_a_pdf_ten() {
        let of = |start: &[u8], bytes: usize| {
            let mut file = start.to_vec();
            file.resize(bytes, 0);
            FileKind::of(&file)
        };
        assert_eq!(of(PNG, 5 * MEGABYTE), Ok(FileKind::Png));
        let error = of(PNG, 5 * MEGABYTE + 1).unwrap_err();
        assert!(error.to_string().contains("a picture has at most 5 MB"), "{error}");
        assert_eq!(of(b"%PDF-1.4", 10 * MEGABYTE), Ok(FileKind::Pdf));
        let error = of(b"%PDF-1.4", 10 * MEGABYTE + 1).unwrap_err();
        assert!(error.to_string().contains("10.0 MB; a PDF has at most 10 MB"), "{error}");
    }

    #[test]
    fn a_name_has_no_folders_and_ends_as_what_the_file_is() {
        for (given, name) in [
            ("C:\\Siaran\\Poster Rekam.PNG", "Poster Rekam.png"),
            ("../../etc/passwd", "passwd.png"),
            ("undangan.exe", "undangan.exe.png"),
            ("a\r\nb: \"c\".png", "a b c.png"),
            ("", "lampiran.png"),
            (".png", "lampiran.png"),
        ] {
            assert_eq!(FileKind::Png.name_of(given), name, "{given:?}");
        }
        assert_eq!(FileKind::Jpeg.name_of("foto.jpeg"), "foto.jpeg");
        assert_eq!(FileKind::Pdf.name_of(&"x".repeat(300)).chars().count(), LONGEST_NAME + 4);
    }
}
