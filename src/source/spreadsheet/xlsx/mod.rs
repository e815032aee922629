//! XLSX workbooks of any length: opened once, their sheets read row by row.
//!
//! Keeps only what cells refer to: shared texts and the formats of dates. Follows the workbook's
//! own references to its parts, reads no sheet that is hidden, and refuses what refers to nothing.

mod rows;
mod style;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use quick_xml::events::Event;

use super::SheetError;
use super::xml::{Fault, Xml, attributes, value};
use super::zip::{Archive, Member};
pub(super) use rows::XlsxRecords;
use style::Styles;
use text::Texts;

/// Most sheets that are shown.
const MAX_SHEETS: usize = 1000;
/// Most references of one part of a workbook to others.
const MAX_REFERENCES: usize = 10_000;
/// Where the workbook stands unless another place is named.
const WORKBOOK: &str = "xl/workbook.xml";

/// An opened workbook.
pub(super) struct XlsxBook {
    pub(super) context: Arc<Context>,
    /// The sheets that are shown.
    pub(super) sheets: Vec<XlsxSheet>,
}

/// A sheet of it.
#[derive(Clone, Debug)]
pub(super) struct XlsxSheet {
    pub(super) name: String,
    member: Member,
    /// Packed bytes of the sheets before it.
    begins_at: u64,
}

impl XlsxSheet {
    /// Packed bytes up to its end.
    pub(super) const fn ends_at(&self) -> u64 {
        self.begins_at + self.member.packed
    }
}

/// What the cells of a workbook refer to.
pub(super) struct Context {
    file: Arc<File>,
    texts: Texts,
    styles: Styles,
    is_1904: bool,
}

impl XlsxBook {
    pub(super) fn open(archive: &Archive) -> Result<Self, SheetError> {
        let root = References::read(archive, "", "_rels/.rels")?;
        let path = root.of_kind("officeDocument").unwrap_or(WORKBOOK);
        let folder = path.rfind('/').map_or("", |at| path.split_at(at + 1).0);
        let name = path.get(folder.len()..).unwrap_or_default();
        let parts = References::read(archive, folder, &format!("{folder}_rels/{name}.rels"))?;
        let book = archive.find(path).ok_or(SheetError::Unreadable)?;
        let (shown, is_1904) = shown_sheets(open(archive, book)?)?;
        let mut sheets: Vec<XlsxSheet> = Vec::new();
        for (name, id) in shown {
            let target = parts.0.get(&id).ok_or(SheetError::Unreadable)?;
            // Charts and dialogs are sheets too.
            if target.kind != "worksheet" {
                continue;
            }
            let member = archive.find(&target.path).ok_or(SheetError::Unreadable)?.clone();
            // One sheet under a thousand names would be read a thousand times.
            if sheets.iter().any(|sheet| sheet.member.is_same(&member)) {
                return Err(SheetError::Unreadable);
            }
            let begins_at = sheets.last().map_or(0, XlsxSheet::ends_at);
            sheets.push(XlsxSheet { name, member, begins_at });
        }
        let part = |kind: &str, usual: &str| {
            let path =
                parts.of_kind(kind).map_or_else(|| format!("{folder}{usual}"), str::to_owned);
            archive.find(&path).map(|member| open(archive, member)).transpose()
        };
        let styles = part("styles", "styles.xml")?.map(Styles::read).transpose()?;
        let texts = part("sharedStrings", "sharedStrings.xml")?.map(Texts::read).transpose()?;
        let context = Context {
            file: archive.file(),
            texts: texts.unwrap_or_default(),
            styles: styles.unwrap_or_default(),
            is_1904,
        };
        Ok(Self { context: Arc::new(context), sheets })
    }
}

fn open(archive: &Archive, member: &Member) -> Result<Xml, Fault> {
    Ok(Xml::new(archive.unpack(member)?))
}

/// The names of the sheets that are shown, each with the reference to its rows, and whether days
/// are counted from 1904.
fn shown_sheets(mut xml: Xml) -> Result<(Vec<(String, String)>, bool), Fault> {
    let (mut sheets, mut is_1904) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Event::Start(tag) if tag.local_name().as_ref() == "sheet" => {
                let (mut name, mut id, mut is_shown) = (String::new(), String::new(), true);
                for attribute in attributes(&tag) {
                    let (key, attribute) = attribute?;
                    match key {
                        "name" => name = value(&attribute)?.into_owned(),
                        "id" => id = value(&attribute)?.into_owned(),
                        "state" => is_shown = attribute.value == "visible",
                        _ => {}
                    }
                }
                if is_shown {
                    sheets.push((name, id));
                }
            }
            Event::Start(tag) if tag.local_name().as_ref() == "workbookPr" => {
                for attribute in attributes(&tag) {
                    let (key, attribute) = attribute?;
                    if key == "date1904" {
                        is_1904 = matches!(attribute.value.as_ref(), "1" | "true");
                    }
                }
            }
            Event::Eof => return Ok((sheets, is_1904)),
            _ => {}
        }
        if sheets.len() > MAX_SHEETS {
            return Err(Fault::TooLarge);
        }
    }
}

/// What a part of the workbook refers to, by the word it uses for it.
#[derive(Default)]
struct References(HashMap<String, Target>);

struct Target {
    /// The last word of its type: `worksheet`, `styles`.
    kind: String,
    path: String,
}

impl References {
    /// Reads the references at `path` of something in `folder`; none if there are none.
    fn read(archive: &Archive, folder: &str, path: &str) -> Result<Self, Fault> {
        let Some(member) = archive.find(path) else { return Ok(Self::default()) };
        let mut xml = open(archive, member)?;
        let mut all = HashMap::new();
        loop {
            match xml.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "Relationship" => {
                    let (mut id, mut kind, mut path) =
                        (String::new(), String::new(), String::new());
                    for attribute in attributes(&tag) {
                        let (name, attribute) = attribute?;
                        match name {
                            "Id" => id = value(&attribute)?.into_owned(),
                            "Type" => kind = value(&attribute)?.into_owned(),
                            "Target" => path = resolved(folder, &value(&attribute)?),
                            _ => {}
                        }
                    }
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    all.insert(id, Target { kind, path });
                }
                Event::Eof => return Ok(Self(all)),
                _ => {}
            }
            if all.len() > MAX_REFERENCES {
                return Err(Fault::TooLarge);
            }
        }
    }

    fn of_kind(&self, kind: &str) -> Option<&str> {
        self.0.values().find(|target| target.kind == kind).map(|target| target.path.as_str())
    }
}

/// `xl/worksheets/sheet1.xml` of `worksheets/sheet1.xml`, `/xl/worksheets/sheet1.xml` or
/// `../xl/worksheets/sheet1.xml`, as seen from `xl/`.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let from = if target.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = Vec::new();
    for part in from.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}
