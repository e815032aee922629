//! Pictures and PDFs at Meta: handed over once to `/media`, then named by their id in messages.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::{Value, json};

use crate::channel::{FileSource, Scope, SendError, Upload};
use crate::domain::attachment::Attachment;

/// How long handing over ten megabytes may take on a village's line.
pub(super) const UPLOAD: Duration = Duration::from_secs(120);
/// Meta keeps an uploaded file for 30 days; a day earlier it is uploaded anew.
pub(super) const LASTS: Duration = Duration::from_secs(29 * 24 * 3600);

/// The name of the file's kind in a message, and the object that names the file.
pub(super) fn part(file: &Attachment, source: &FileSource) -> (&'static str, Value) {
    let id = match source {
        FileSource::Known(id) => id.as_str(),
        // Meta takes no bytes in a message: it refuses the empty id, and nothing leaves.
        FileSource::Unsettled | FileSource::Bytes(_) => "",
    };
    if file.kind.is_picture() {
        ("image", json!({ "id": id }))
    } else {
        ("document", json!({ "id": id, "filename": file.name }))
    }
}

/// Puts the file above the words of a template.
pub(super) fn into_header(template: &mut Value, file: &Attachment, source: &FileSource) {
    let (kind, part) = part(file, source);
    let header = json!({"type": "header", "parameters": [{"type": kind, kind: part}]});
    match template["components"].as_array_mut() {
        Some(components) => components.insert(0, header),
        None => template["components"] = json!([header]),
    }
}

/// What stands between the parts of a form. A hash of the file cannot stand in the file.
fn boundary(file: &Attachment) -> String {
    format!("kabar-{}", file.hash.get(..32).unwrap_or("file"))
}

/// The form's `Content-Type`.
pub(super) fn content_type(file: &Attachment) -> String {
    format!("multipart/form-data; boundary={}", boundary(file))
}

/// The form: the product, the kind, and the file.
pub(super) fn body(upload: &Upload<'_>) -> Bytes {
    let Upload { file, bytes } = upload;
    let (boundary, kind) = (boundary(file), file.kind);
    let mut body = BytesMut::with_capacity(bytes.len() + 1024);
    for (name, value) in [("messaging_product", "whatsapp"), ("type", kind.as_str())] {
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.put(part.as_bytes());
    }
    let opening = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
         Content-Type: {kind}\r\n\r\n",
        file.name
    );
    body.put(opening.as_bytes());
    body.put(bytes.clone());
    body.put(format!("\r\n--{boundary}--\r\n").as_bytes());
    body.freeze()
}

/// Whatever went wrong with the file, no message has left: the message may be tried again. A fault of the whole
/// account stays one.
pub(super) fn not_handed_over(error: SendError) -> SendError {
    match error {
        SendError::Unknown(fault)
        | SendError::Retry { scope: Scope::Account, after: None, fault } => {
            SendError::Retry { after: None, scope: Scope::Message, fault }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Fault;
    use crate::domain::attachment::FileKind;

    fn file(kind: FileKind) -> Attachment {
        Attachment { hash: "ab".repeat(32), kind, name: kind.name_of("Undangan") }
    }

    #[test]
    fn a_file_stands_above_a_template_and_a_pdf_has_its_name() {
        let mut template = json!({"name": "x", "components": [{"type": "body", "parameters": []}]});
        let known = FileSource::Known("77".to_owned());
        into_header(&mut template, &file(FileKind::Pdf), &known);
        assert_eq!(
            template["components"][0],
            json!({"type": "header", "parameters": [
                {"type": "document", "document": {"id": "77", "filename": "Undangan.pdf"}}]})
        );
        assert_eq!(template["components"][1]["type"], "body");
        let (kind, part) = part(&file(FileKind::Png), &known);
        assert_eq!((kind, part), ("image", json!({"id": "77"})));
    }

    #[test]
    fn what_goes_wrong_with_a_file_leaves_the_message_to_be_tried_again() {
        let error = not_handed_over(SendError::Unknown(Fault::new("timeout", "")));
        assert!(matches!(error, SendError::Retry { scope: Scope::Message, .. }));
        let error = not_handed_over(SendError::Misconfigured(Fault::new("190", "")));
        assert!(matches!(error, SendError::Misconfigured(_)));
    }
}
