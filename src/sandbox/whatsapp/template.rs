//! Message templates: what is approved, and whether a call fits it.
//!
//! While no template is registered every name is accepted, but a call must still be well formed.
//! Approves nothing and knows no rule about when a template may be sent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::part::{Content, Part};
use super::refusal::Refusal;
use super::request::enclosure;
use crate::sandbox::{Choice, Enclosure};

/// The longest text of a template, filled.
const MAX_TEXT: usize = 1_024;

/// An approved template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name: lower-case letters, digits and `_`.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// Its text, with placeholders `{{1}}` or `{{name}}`.
    pub body: String,
    /// What stands above the text: `image` or `document`; nothing where it has no header.
    #[serde(default)]
    pub header: Option<String>,
    /// A line below the text.
    #[serde(default)]
    pub footer: Option<String>,
    /// The labels of its quick-reply buttons.
    #[serde(default)]
    pub buttons: Vec<String>,
    /// `utility`, `marketing` or `authentication`.
    #[serde(default = "utility")]
    pub category: String,
}

fn utility() -> String {
    "utility".to_owned()
}

impl Template {
    /// A utility template without footer and buttons.
    #[must_use]
    pub fn new(name: &str, language: &str, body: &str) -> Self {
        Self {
            name: name.to_owned(),
            language: language.to_owned(),
            body: body.to_owned(),
            header: None,
            footer: None,
            buttons: Vec::new(),
            category: utility(),
        }
    }

    /// The placeholders of its text, each once, in order.
    fn placeholders(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for piece in self.body.split("{{").skip(1) {
            if let Some((name, _)) = piece.split_once("}}")
                && !names.contains(&name.trim())
            {
                names.push(name.trim());
            }
        }
        names
    }

    /// The entry in Meta's list of templates.
    pub(super) fn entry(&self, index: usize) -> Value {
        let is_named = self.placeholders().iter().any(|name| name.parse::<u32>().is_err());
        let mut components = Vec::new();
        if let Some(header) = &self.header {
            components.push(json!({ "type": "HEADER", "format": header.to_uppercase() }));
        }
        components.push(json!({ "type": "BODY", "text": self.body }));
        if let Some(footer) = &self.footer {
            components.push(json!({ "type": "FOOTER", "text": footer }));
        }
        if !self.buttons.is_empty() {
            let buttons: Vec<Value> = self
                .buttons
                .iter()
                .map(|label| json!({ "type": "QUICK_REPLY", "text": label }))
                .collect();
            components.push(json!({ "type": "BUTTONS", "buttons": buttons }));
        }
        json!({
            "name": self.name,
            "language": self.language,
            "status": "APPROVED",
            "category": self.category.to_uppercase(),
            "parameter_format": if is_named { "NAMED" } else { "POSITIONAL" },
            "components": components,
            "id": format!("10000000000{index:04}"),
        })
    }
}

/// The use of a template in a request.
pub(super) struct Call {
    name: String,
    language: String,
    /// The file of the header.
    pub(super) header: Option<Enclosure>,
    body: Vec<Parameter>,
    payloads: Vec<(usize, String)>,
}

struct Parameter {
    name: Option<String>,
    text: String,
}

impl Call {
    pub(super) fn read(part: Part<'_>) -> Result<Self, Refusal> {
        let name = part.text("name", 512)?.to_owned();
        let language = part.part("language")?.text("code", 20)?.to_owned();
        let mut call =
            Self { name, language, header: None, body: Vec::new(), payloads: Vec::new() };
        for component in part.list("components")? {
            let component = Part::of(Some(component), "component")?;
            // Some clients write the type in capitals, and Meta takes it.
            match component.text("type", 20)?.to_lowercase().as_str() {
                "body" => call.body = parameters(component)?,
                "header" => call.header = header(component)?,
                "button" => call.read_button(component)?,
                other => {
                    let details = format!("Component type {other} is not supported.");
                    return Err(Refusal::new(132_012, details));
                }
            }
        }
        let named = call.body.iter().filter(|parameter| parameter.name.is_some()).count();
        if named != 0 && named != call.body.len() {
            let details = "body: named and positional parameters cannot be mixed";
            return Err(Refusal::new(132_012, details));
        }
        Ok(call)
    }

    fn read_button(&mut self, component: Part<'_>) -> Result<(), Refusal> {
        component.text("sub_type", 20)?;
        let index = component.get("index").and_then(|index| match index {
            Value::String(text) => text.parse::<usize>().ok(),
            other => other.as_u64().and_then(|index| usize::try_from(index).ok()),
        });
        let Some(index) = index.filter(|index| *index < 10) else {
            return Err(Refusal::new(131_009, "Button index must be from 0 to 9."));
        };
        for parameter in component.list("parameters")? {
            let parameter = Part::of(Some(parameter), "parameter")?;
            if parameter.text("type", 20)?.eq_ignore_ascii_case("payload") {
                self.payloads.push((index, parameter.text("payload", 256)?.to_owned()));
            } else {
                parameter.text("text", 2_000)?;
            }
        }
        Ok(())
    }

    /// Fills the template; gives its category and what stands on the screen.
    pub(super) fn fill(&self, templates: &[Template]) -> Result<(String, Content), Refusal> {
        if templates.is_empty() {
            return Ok((utility(), self.unregistered()));
        }
        let known = templates
            .iter()
            .find(|template| template.name == self.name && template.language == self.language);
        let Some(template) = known else {
            let details =
                format!("template name ({}) does not exist in {}", self.name, self.language);
            return Err(Refusal::new(132_001, details));
        };
        let given = self.header.as_ref().map(|file| file.kind.as_str());
        if given != template.header.as_deref() {
            let details = format!(
                "header: Format mismatch, expected {}, received {}",
                template.header.as_deref().unwrap_or("none").to_uppercase(),
                given.unwrap_or("none").to_uppercase()
            );
            return Err(Refusal::new(132_012, details));
        }
        let text = self.fill_text(template)?;
        if text.chars().count() > MAX_TEXT {
            return Err(Refusal::new(132_005, "body: the filled text is too long"));
        }
        let choice = |(index, label): (usize, &String)| Choice {
            id: self.payload(index).unwrap_or(label).to_owned(),
            title: label.clone(),
            description: None,
        };
        if self.payloads.iter().any(|(index, _)| *index >= template.buttons.len()) {
            return Err(Refusal::new(132_000, "buttons: the template has no button of that index"));
        }
        let content = Content {
            kind: "template".to_owned(),
            file: self.header.clone(),
            text,
            footer: template.footer.clone(),
            buttons: template.buttons.iter().enumerate().map(choice).collect(),
            ..Content::default()
        };
        Ok((template.category.to_lowercase(), content))
    }

    fn fill_text(&self, template: &Template) -> Result<String, Refusal> {
        let expected = template.placeholders();
        if expected.len() != self.body.len() {
            let details = format!(
                "body: number of localizable_params ({}) does not match the expected number of \
                 params ({})",
                self.body.len(),
                expected.len()
            );
            return Err(Refusal::new(132_000, details));
        }
        let mut text = String::new();
        let mut pieces = template.body.split("{{");
        text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let Some((hole, rest)) = piece.split_once("}}") else {
                text.push_str("{{");
                text.push_str(piece);
                continue;
            };
            let value = self.value(hole.trim()).ok_or_else(|| {
                let details = format!("body: the template expects a parameter {}", hole.trim());
                Refusal::new(132_012, details)
            })?;
            text.push_str(value);
            text.push_str(rest);
        }
        Ok(text)
    }

    /// The text for a hole: by position when it is a number and the call is positional.
    fn value(&self, hole: &str) -> Option<&str> {
        let by_name = self.body.iter().find(|parameter| parameter.name.as_deref() == Some(hole));
        let by_position = || {
            let parameter = self.body.get(hole.parse::<usize>().ok()?.checked_sub(1)?)?;
            parameter.name.is_none().then_some(parameter)
        };
        by_name.or_else(by_position).map(|parameter| parameter.text.as_str())
    }

    fn payload(&self, index: usize) -> Option<&str> {
        self.payloads.iter().find(|(at, _)| *at == index).map(|(_, payload)| payload.as_str())
    }

    /// What can be shown of a template whose text nobody registered.
    fn unregistered(&self) -> Content {
        let line = |parameter: &Parameter| match &parameter.name {
            Some(name) => format!("{name}: {}", parameter.text),
            None => parameter.text.clone(),
        };
        let choice = |(_, payload): &(usize, String)| Choice {
            id: payload.clone(),
            title: payload.chars().take(25).collect(),
            description: None,
        };
        Content {
            kind: "template".to_owned(),
            header: Some(self.name.clone()),
            file: self.header.clone(),
            text: self.body.iter().map(line).collect::<Vec<_>>().join("\n"),
            buttons: self.payloads.iter().map(choice).collect(),
            ..Content::default()
        }
    }
}

/// The file of a header; its words, where it has such, are not looked at.
fn header(component: Part<'_>) -> Result<Option<Enclosure>, Refusal> {
    let [parameter] = component.list("parameters")? else { return Ok(None) };
    let parameter = Part::of(Some(parameter), "header")?;
    let kind = parameter.text("type", 20)?;
    match kind {
        "image" | "document" | "video" => enclosure(parameter, kind).map(Some),
        _ => Ok(None),
    }
}

fn parameters(component: Part<'_>) -> Result<Vec<Parameter>, Refusal> {
    let mut parameters = Vec::new();
    for parameter in component.list("parameters")? {
        let parameter = Part::of(Some(parameter), "parameter")?;
        if !parameter.text("type", 20)?.eq_ignore_ascii_case("text") {
            return Err(Refusal::new(132_012, "body: only parameters of type text are supported"));
        }
        let text = parameter.text("text", 4_096)?;
        if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
            let details = "Param text cannot have new-line/tab characters or more than 4 \
                           consecutive spaces";
            return Err(Refusal::new(132_018, details));
        }
        let name = parameter.optional("parameter_name", 60)?.map(str::to_owned);
        parameters.push(Parameter { name, text: text.to_owned() });
    }
    Ok(parameters)
}
