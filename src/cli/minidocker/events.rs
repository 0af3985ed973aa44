//! `events`: what becomes of containers, images, networks and volumes.

use super::filter::Filters;
use crate::error::{Error, LookProblem, Problem, Result};
use crate::narrate::template::Template;
use crate::narrate::{self, time};
use crate::state::Root;
use crate::state::events::{self, Coming, Event};
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Args)]
pub struct Events {
    /// Only some: type=, event=, container=, image=, network=, volume=, label=.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// json, or a template.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Begin with those since then: a time, or how long ago (10m).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// End then.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

const FILTERS: [&str; 7] = ["type", "event", "container", "image", "network", "volume", "label"];
const SECOND: u64 = 1_000_000_000;

pub fn obey(options: &Events, root: &Root) -> Result<u8> {
    let filters = Filters::parse(&options.filter, &FILTERS)?;
    let template = match options.format.as_deref().map(str::trim).filter(|format| !format.is_empty()) {
        Some("json") => Some(Template::parse("{{json .}}")?),
        Some(format) => Some(Template::parse(format)?),
        None => None,
    };
    let (since, until) = (at(options.since.as_deref())?, at(options.until.as_deref())?);
    let shown = |event: &&Event| {
        since.is_none_or(|since| event.time_ns >= since)
            && until.is_none_or(|until| event.time_ns <= until)
            && passes(&filters, event)
    };
    let print = |events: &[Event]| -> Result<()> {
        events.iter().filter(shown).try_for_each(|event| {
            narrate::print(&match &template {
                Some(template) => template.set(&value(event))?,
                None => line(event),
            });
            Ok(())
        })
    };
    let mut position = None;
    if since.is_some() || until.is_some() {
        let past = events::past(root)?;
        print(&past.events)?;
        position = Some(past.position);
    }
    let mut coming = Coming::after(root, position)?;
    loop {
        let left =
            until.map_or(Duration::MAX, |until| Duration::from_nanos(until.saturating_sub(events::now())));
        if left.is_zero() {
            return Ok(0);
        }
        print(&coming.wait(root, left)?)?;
    }
}

fn at(text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    let bad = || Error::new(Problem::Look(LookProblem::BadTime { text: text.to_owned() }));
    time::parse(text, events::now()).map(Some).ok_or_else(bad)
}

fn passes(filters: &Filters, event: &Event) -> bool {
    let attribute = |name: &str| event.attributes.get(name).map(String::as_str).unwrap_or_default();
    let of_kind = |kind: &str, word: &str| {
        event.kind.word() == kind && (event.id.starts_with(word) || attribute("name") == word)
    };
    filters.any("type", |word| word == event.kind.word())
        && filters.any("event", |word| event.action == word || event.action.split(':').next() == Some(word))
        && filters
            .any("container", |word| of_kind("container", word) || attribute("container").starts_with(word))
        && filters.any("image", |word| {
            of_kind("image", word)
                || attribute("image") == word
                || attribute("image") == format!("{word}:latest")
        })
        && filters.any("network", |word| of_kind("network", word))
        && filters.any("volume", |word| of_kind("volume", word))
        && filters.labels(&event.attributes)
}

/// `2026-11-29T14:27:54.123456789Z container die ID (exitCode=0, name=web)`: Docker's line.
fn line(event: &Event) -> String {
    let attributes: Vec<String> =
        event.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let of = if attributes.is_empty() { String::new() } else { format!(" ({})", attributes.join(", ")) };
    let time = time::with_nanoseconds(event.time_ns);
    format!("{time} {} {} {}{of}", event.kind.word(), event.action, event.id)
}

/// The event as Docker's JSON has it.
fn value(event: &Event) -> Value {
    let mut value = json!({
        "Type": event.kind,
        "Action": event.action,
        "Actor": {"ID": event.id, "Attributes": event.attributes},
        "scope": "local",
        "time": event.time_ns / SECOND,
        "timeNano": event.time_ns,
    });
    if let (Value::Object(members), "container" | "image") = (&mut value, event.kind.word()) {
        members.insert("status".to_owned(), event.action.clone().into());
        members.insert("id".to_owned(), event.id.clone().into());
        members.insert("from".to_owned(), event.attributes.get("image").cloned().into());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::events::Kind;

    #[test]
    fn a_line_is_dockers() {
        let attributes =
            [("name", "web"), ("exitCode", "0")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let event = Event {
            v: 1,
            time_ns: 1_795_962_474_000_000_005,
            pid: 1,
            kind: Kind::Container,
            action: "die".to_owned(),
            id: "0123456789ab".to_owned(),
            attributes: attributes.into(),
        };
        let expected = "2026-11-29T14:27:54.000000005Z container die 0123456789ab (exitCode=0, name=web)";
        assert_eq!(line(&event), expected);
        assert_eq!(value(&event)["Actor"]["Attributes"]["name"], "web");
        let filters = |text: &str| Filters::parse(&[text.to_owned()], &FILTERS).unwrap();
        for (filter, passing) in [
            ("event=die", true),
            ("event=start", false),
            ("container=web", true),
            ("container=0123", true),
            ("type=image", false),
        ] {
            assert_eq!(passes(&filters(filter), &event), passing, "{filter}");
        }
    }
}
