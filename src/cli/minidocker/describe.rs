//! What the verbs `inspect` have in common: an array of JSON objects, or each by a template.

use crate::error::Result;
use crate::narrate;
use crate::narrate::template::Template;
use serde::Serialize;

/// Print what could be described, as Docker does: what could not is reported, and the exit status is 1 then.
pub fn print<T: Serialize>(described: Vec<Result<T>>, format: Option<&str>) -> Result<u8> {
    let template = match format.map(str::trim).filter(|format| !format.is_empty()) {
        Some("json") => Some(Template::parse("{{json .}}")?),
        Some(format) => Some(Template::parse(format)?),
        None => None,
    };
    let mut status = 0;
    let mut texts = Vec::new();
    let mut report = |error| {
        status = 1;
        narrate::report(&error);
    };
    for one in described {
        let text = one.and_then(|one| match &template {
            Some(template) => template.set(&serde_json::to_value(one).unwrap_or_default()),
            None => Ok(indented(&one)),
        });
        match text {
            Ok(text) => texts.push(text),
            Err(error) => report(error),
        }
    }
    match template {
        Some(_) => texts.iter().for_each(|text| narrate::print(text)),
        None if texts.is_empty() => narrate::print("[]"),
        None => narrate::print(&format!("[\n{}\n]", texts.join(",\n"))),
    }
    Ok(status)
}

/// A value as JSON, four blanks a level, as an element of an array.
fn indented(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, format);
    // Text and numbers can always be written as JSON, and writing to memory cannot fail.
    let _ = value.serialize(&mut serializer);
    let text = String::from_utf8_lossy(&out).into_owned();
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
