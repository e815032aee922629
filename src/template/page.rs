//! The page of news to be told in person, for an officer to print and carry to the RT.
//!
//! Its words and its looks stand in `pages/visits.html`, the office's own or the built-in one. It
//! is filled with a sample when it is loaded, so that a page that loads can be printed. Whatever
//! is filled in is text: it is always escaped.

use std::path::Path;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::folder::own_or;
use super::problem::Problem;

const FILE: &str = "pages/visits.html";
const BUILT_IN: &str = include_str!("../../message_templates/pages/visits.html");

/// What stands on the page.
#[derive(Serialize)]
pub struct Visits {
    /// The office's name.
    pub office: String,
    /// The day it is printed, in words.
    pub date: String,
    /// The area asked for; none for all of the office's.
    pub area: Option<String>,
    /// The places to go to, in their order.
    pub groups: Vec<VisitGroup>,
}

/// One place to go to.
#[derive(Serialize)]
pub struct VisitGroup {
    /// The area's code, and its name if that is known.
    pub area: Option<String>,
    /// RW.
    pub rw: Option<String>,
    /// RT.
    pub rt: Option<String>,
    /// Whom to see there.
    pub visits: Vec<VisitRow>,
}

/// Somebody to see.
#[derive(Serialize)]
pub struct VisitRow {
    /// By which it is entered later that they were told.
    pub id: String,
    /// Their name.
    pub name: Option<String>,
    /// What to tell.
    pub words: Option<String>,
    /// Since when it stands on the list, in words.
    pub since: String,
    /// Announcement kind.
    pub news: String,
    /// Why no channel brought it.
    pub reason: String,
}

/// The page, ready to be filled.
pub struct VisitsPage {
    engine: Environment<'static>,
}

impl VisitsPage {
    /// Reads `pages/visits.html` of that folder; the built-in page where it has none.
    ///
    /// # Errors
    /// What is wrong with the page.
    pub fn load(dir: Option<&Path>) -> Result<Self, Problem> {
        let source = own_or(dir, FILE, BUILT_IN)?;
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| AutoEscape::Html);
        engine.add_template_owned(FILE, source).map_err(|error| problem(&error))?;
        let page = Self { engine };
        page.fill(&sample())?;
        Ok(page)
    }

    /// The page with what stands on it.
    ///
    /// # Errors
    /// What is wrong with the page.
    pub fn fill(&self, visits: &Visits) -> Result<String, Problem> {
        let filled = self.engine.get_template(FILE).and_then(|page| page.render(Serde(visits)));
        filled.map_err(|error| problem(&error))
    }
}

fn problem(error: &minijinja::Error) -> Problem {
    let hint = "compare it with the built-in page; it is filled with office, date, area and groups";
    let mut problem = Problem::new(FILE, error.to_string(), hint);
    problem.line = error.line();
    problem
}

/// Everything that can stand on a page, and everything that can be missing.
fn sample() -> Visits {
    let row = |name: Option<&str>| VisitRow {
        id: "vis_01JDXB3E7F0000000000000000".to_owned(),
        name: name.map(str::to_owned),
        words: name.map(|_| "KTP-el untuk Bapak/Ibu Siti A. sudah dicetak.".to_owned()),
        since: "24 November 2026".to_owned(),
        news: "card_printed".to_owned(),
        reason: "no_phone".to_owned(),
    };
    let part = |text: &str| Some(text.to_owned());
    Visits {
        office: "Disdukcapil Kabupaten Jombang".to_owned(),
        date: "25 November 2026".to_owned(),
        area: part("35.17"),
        groups: vec![
            VisitGroup {
                area: part("35.17.09.2018"),
                rw: part("004"),
                rt: part("003"),
                visits: vec![row(Some("Siti Aminah")), row(None)],
            },
            VisitGroup { area: None, rw: None, rt: None, visits: vec![row(None)] },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(page: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("pages")).unwrap();
        std::fs::write(dir.path().join(FILE), page).unwrap();
        dir
    }

    #[test]
    fn what_stands_on_the_page_is_text_whatever_it_is() {
        let mut visits = sample();
        let bad = "<script>alert('&')</script>\"{{ office }}";
        visits.office = bad.to_owned();
        visits.groups[0].rw = Some(bad.to_owned());
        visits.groups[0].visits[0].name = Some(bad.to_owned());
        visits.groups[0].visits[0].words = Some(bad.to_owned());
        let page = VisitsPage::load(None).unwrap().fill(&visits).unwrap();
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(&#x27;&amp;&#x27;)").count(), 5, "{page}");
        assert_eq!(page.matches("{{ office }}").count(), 5, "a value is no template");
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = VisitsPage::load(None).unwrap().fill(&sample()).unwrap();
        for needing in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(needing), "{needing}");
        }
        assert!(page.contains("size: A4") && page.contains("break-inside: avoid"));
    }

    #[test]
    fn an_empty_list_says_so() {
        let visits = Visits { groups: Vec::new(), ..sample() };
        let page = VisitsPage::load(None).unwrap().fill(&visits).unwrap();
        assert!(page.contains("Tidak ada kabar") && !page.contains("<table"), "{page}");
    }

    #[test]
    fn the_offices_own_page_is_taken_and_the_built_in_one_without_it() {
        let own = folder("\u{feff}<p>{{ office }}</p>\r\n");
        let page = VisitsPage::load(Some(own.path())).unwrap();
        assert_eq!(page.fill(&sample()).unwrap(), "<p>Disdukcapil Kabupaten Jombang</p>");
        let none = tempfile::tempdir().unwrap();
        assert!(VisitsPage::load(Some(none.path())).is_ok());
    }

    #[test]
    fn a_fault_of_the_offices_own_page_is_found_when_it_is_loaded_with_its_line() {
        for fault in ["<p>\n{{ ofice }}", "<p>\n{% for %}", "<p>\n{% include \"/etc/passwd\" %}"] {
            let Err(problem) = VisitsPage::load(Some(folder(fault).path())) else {
                panic!("{fault} was taken")
            };
            assert_eq!((problem.file.as_str(), problem.line), (FILE, Some(2)), "{problem}");
        }
    }
}
