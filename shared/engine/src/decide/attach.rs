//! Files of a record: who may add one, and what may be said of it.

use kernel::{Cause, Fault, Refusal};

use super::{Made, checks::permitted, invalid};
use crate::{Attachment, Definition, Fact, Record, Ruleset};

/// A name is shown and saved as it is: this many bytes, as file systems take them.
const NAME_LIMIT: usize = 255;
/// Longer than any type that is registered.
const TYPE_LIMIT: usize = 127;

/// Whoever may comment may say it with a file, too.
pub(super) fn attach(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    file: &Attachment,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let role = permitted(rules, definition, record, &definition.may.comment, true, cause)?;
    invalid(faults(file))?;
    let mut fact = Fact::blank("file_attached", cause);
    fact.role = role;
    fact.attachment = Some(file.clone());
    Ok(fact.into())
}

fn faults(file: &Attachment) -> Vec<Fault> {
    let mut faults = Vec::new();
    let name = file.name.as_str();
    if name.trim() != name || name.is_empty() || name.len() > NAME_LIMIT {
        let message = format!("a name has 1 to {NAME_LIMIT} bytes, and no spaces around it");
        faults.push(Fault::new("/name", "length", message));
    } else if name.chars().any(is_no_part_of_a_name) || name.bytes().all(|byte| byte == b'.') {
        let message = "it must be the name of a file alone, without folders or control characters";
        faults.push(Fault::new("/name", "name", message));
    }
    if !is_media_type(&file.media_type) {
        let message = "it must be a media type such as image/png";
        faults.push(Fault::new("/Content-Type", "media_type", message));
    }
    faults
}

/// Control characters, separators of folders, and what turns the direction of writing so that
/// `exe.png` is read where `gnp.exe` stands.
fn is_no_part_of_a_name(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '/' | '\\' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `type/subtype` of RFC 9110, 8.3.1, without parameters.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !part.is_empty() && part.bytes().all(is_letter)
    };
    text.len() <= TYPE_LIMIT
        && text.split_once('/').is_some_and(|(kind, rest)| is_token(kind) && is_token(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, media_type: &str, paths: &[&str]) {
        let file = Attachment {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size: 1,
            digest: String::new(),
        };
        let found: Vec<_> = faults(&file).into_iter().map(|fault| fault.path).collect();
        assert_eq!(found, paths, "{name} {media_type}");
    }

    #[test]
    fn a_file_has_a_name_of_its_own_and_a_type() {
        check("Screenshot 2026-03-14.png", "image/png", &[]);
        check("Käse.pdf", "application/vnd.ms-excel", &[]);
        check("../passwd", "text/plain", &["/name"]);
        check("..", "text/plain", &["/name"]);
        check("a\r\nSet-Cookie: b", "text/plain", &["/name"]);
        check("exe.\u{202e}gnp", "image/png", &["/name"]);
        check("", "image", &["/name", "/Content-Type"]);
        check("a.html", "text/html; charset=utf-8", &["/Content-Type"]);
        check(&"a".repeat(256), "text/plain", &["/name"]);
    }
}
