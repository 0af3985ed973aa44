//! `ps`: the containers, one a line.

use super::filter::Filters;
use crate::container::look::{self, Seen, State};
use crate::container::{Spec, record};
use crate::error::Result;
use crate::narrate::listing::{self, Columns, Row};
use crate::narrate::{self, time, units};
use crate::network::port::Port;
use crate::rootfs::volume::Kind;
use crate::state::Root;
use clap::Args;
use std::collections::BTreeMap;

#[derive(Debug, Args)]
pub struct Ps {
    /// Show all containers (default: just those that run).
    #[arg(short, long)]
    all: bool,
    /// Only some: id=, name=, label=, status=, exited=, ancestor=, before=, since=, volume=, network=.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// table, table TEMPLATE, json or TEMPLATE.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show the last so many that were created, in any state.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = -1, allow_negative_numbers = true)]
    last: i64,
    /// Show the last that was created, in any state.
    #[arg(short, long)]
    latest: bool,
    /// Do not cut long words.
    #[arg(long)]
    no_trunc: bool,
    /// Only ids.
    #[arg(short, long)]
    quiet: bool,
    /// Show how much each has written.
    #[arg(short, long)]
    size: bool,
}

const COLUMNS: [(&str, &str); 13] = [
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("RunningFor", "CREATED"),
    ("Status", "STATUS"),
    ("Ports", "PORTS"),
    ("Names", "NAMES"),
    ("Size", "SIZE"),
    ("CreatedAt", "CREATED AT"),
    ("Labels", "LABELS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Mounts", "MOUNTS"),
    ("Networks", "NETWORKS"),
];

/// The same, and what no table shows.
const ALL: Columns = Columns { all: &COLUMNS, shown: 7 };

const FILTERS: [&str; 10] =
    ["id", "name", "label", "status", "exited", "ancestor", "before", "since", "volume", "network"];

pub fn obey(options: &Ps, root: &Root) -> Result<u8> {
    let filters = Filters::parse(&options.filter, &FILTERS)?;
    let (seen, damaged) = look::all(root)?;
    damaged.iter().for_each(narrate::report);
    let chosen = choose(options, &filters, seen, root)?;
    let wants_size = options.size || options.format.as_ref().is_some_and(|format| format.contains(".Size"));
    let rows =
        chosen.iter().map(|one| row(one, !options.no_trunc, wants_size)).collect::<Result<Vec<_>>>()?;
    let columns = Columns { shown: if options.size { 8 } else { 7 }, ..ALL };
    let format = if options.quiet { Some("{{.ID}}") } else { options.format.as_deref() };
    listing::list(columns, &rows, format)?;
    Ok(0)
}

/// Those that are asked for, in their order.
fn choose(options: &Ps, filters: &Filters, seen: Vec<Seen>, root: &Root) -> Result<Vec<Seen>> {
    let last = if options.latest { 1 } else { options.last };
    let every = options.all || last >= 0 || filters.has("status") || filters.has("exited");
    let created = |name: &str| -> Result<Option<u64>> {
        let word = filters.values(name).last();
        word.map(|word| look::one(root, word).map(|one| one.config.created)).transpose()
    };
    let (before, since) = (created("before")?, created("since")?);
    let runs = |one: &Seen| matches!(one.state, State::Running | State::Paused | State::Restarting);
    let chosen = seen.into_iter().filter(|one| {
        (every || runs(one))
            && before.is_none_or(|before| one.config.created < before)
            && since.is_none_or(|since| one.config.created > since)
            && passes(filters, one)
    });
    Ok(chosen.take(usize::try_from(last).unwrap_or(usize::MAX)).collect())
}

fn passes(filters: &Filters, one: &Seen) -> bool {
    let Spec { id, name, image, .. } = &one.config.spec;
    let has_volume = |word: &str| {
        let mut volumes = one.config.spec.volumes.iter();
        volumes.any(|volume| volume.name() == Some(word) || volume.target.as_os_str() == word)
    };
    filters.any("id", |part| id.starts_with(part))
        && filters.any("name", |part| matches_name(name, part))
        && filters.any("status", |word| word == one.state.word())
        && filters.any("exited", |code| {
            one.state == State::Exited && code.parse() == Ok(i32::from(one.status.exit))
        })
        && filters.any("ancestor", |word| word == image || word == short(image))
        && filters.any("volume", has_volume)
        && filters.any("network", |word| networks(&one.config.spec).iter().any(|name| name == word))
        && filters.labels(&one.config.spec.labels)
}

/// Docker looks for a part of the name, and takes `^` and `$` as its ends.
fn matches_name(name: &str, part: &str) -> bool {
    let (begins, part) = part.strip_prefix('^').map_or((false, part), |part| (true, part));
    let part = part.trim_start_matches('/');
    let (ends, part) = part.strip_suffix('$').map_or((false, part), |part| (true, part));
    match (begins, ends) {
        (true, true) => name == part,
        (true, false) => name.starts_with(part),
        (false, true) => name.ends_with(part),
        (false, false) => name.contains(part),
    }
}

/// The image's name as people type it.
pub fn short(image: &str) -> &str {
    image.strip_suffix(":latest").unwrap_or(image)
}

fn row(one: &Seen, cut: bool, wants_size: bool) -> Result<Row> {
    let spec = &one.config.spec;
    let now = record::now();
    let size = if wants_size { size(one)? } else { "0B".to_owned() };
    let command = command(&spec.argv);
    let command = if cut { ellipsis(&command, 20) } else { command };
    let texts = [
        spec.id.clone(),
        short(&spec.image).to_owned(),
        serde_json::Value::from(command).to_string(),
        format!("{} ago", time::in_words(seconds_between(one.config.created, now))),
        status(one, now),
        ports(one),
        spec.name.clone(),
        size,
        time::in_tables(one.config.created / 1_000_000_000),
        labels(&spec.labels),
        spec.volumes.iter().filter(|volume| volume.name().is_some()).count().to_string(),
        mounts(spec, cut),
        networks(spec).join(","),
    ];
    let mut row = listing::row(ALL, texts);
    row.insert("State".to_owned(), one.state.word().into());
    Ok(row)
}

fn seconds_between(earlier: u64, later: u64) -> u64 {
    later.saturating_sub(earlier) / 1_000_000_000
}

/// Docker's words for where a container is in its life: `Up 3 seconds (Paused)`, `Exited (0) 2 hours ago`.
fn status(one: &Seen, now: u64) -> String {
    let since = |then: Option<u64>| time::in_words(seconds_between(then.unwrap_or(now), now));
    let (started, finished) = (one.status.started_at, one.status.finished_at);
    match one.state {
        State::Created => "Created".to_owned(),
        State::Running => format!("Up {}", since(started)),
        State::Paused => format!("Up {} (Paused)", since(started)),
        State::Restarting => format!("Restarting ({}) {} ago", one.status.exit, since(finished)),
        State::Exited => format!("Exited ({}) {} ago", one.status.exit, since(finished)),
    }
}

/// The command as one line; words with blanks in quotes.
fn command(argv: &[String]) -> String {
    let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// At most `width` characters.
pub fn ellipsis(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

fn size(one: &Seen) -> Result<String> {
    let (own, whole) = one.sizes()?;
    Ok(format!("{} (virtual {})", units::decimal_short(own), units::decimal_short(whole)))
}

pub fn labels(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

fn mounts(spec: &Spec, cut: bool) -> String {
    let shown = |volume: &crate::rootfs::volume::Volume| match &volume.kind {
        Kind::Volume { name, .. } => Some(name.clone()),
        Kind::Bind { .. } => Some(volume.source.display().to_string()),
        Kind::Tmpfs(_) => None,
    };
    let names = spec.volumes.iter().filter_map(shown);
    names.map(|name| if cut { ellipsis(&name, 15) } else { name }).collect::<Vec<_>>().join(",")
}

/// The names of the networks that a container is in.
pub fn networks(spec: &Spec) -> Vec<String> {
    use crate::network::Network;
    vec![match &spec.network {
        Network::None => "none".to_owned(),
        Network::Host => "host".to_owned(),
        Network::Container(join) => format!("container:{}", join.name),
        Network::Bridge(places) => return places.iter().map(|place| place.wish.network.clone()).collect(),
    }]
}

/// The ports that are published, as `0.0.0.0:8080->80/tcp`, and those that are not, as `80/tcp`.
fn ports(one: &Seen) -> String {
    let mut bindings = one.bindings.clone();
    bindings.sort_by_key(|binding| (binding.port, binding.host_port));
    let published = bindings
        .iter()
        .map(|binding| (binding.port, format!("{}:{}->{}", binding.host, binding.host_port, binding.port)));
    let hidden = |port: &&Port| one.pid != 0 && !bindings.iter().any(|binding| binding.port == **port);
    let others = one.config.spec.exposed.iter().filter(hidden).map(|port| (*port, port.to_string()));
    let mut all: Vec<(Port, String)> = published.chain(others).collect();
    all.sort();
    all.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_line_of_so_many_characters() {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(command(&own(&["sh", "-c", "sleep 1"])), "sh -c 'sleep 1'");
        assert_eq!(ellipsis("123456789012345678901", 20), "1234567890123456789…");
        assert_eq!(ellipsis("12345678901234567890", 20), "12345678901234567890");
    }

    #[test]
    fn names_are_matched_by_a_part() {
        for (part, matches) in
            [("eb", true), ("^we", true), ("^eb", false), ("/web", true), ("eb$", true), ("^we$", false)]
        {
            assert_eq!(matches_name("web", part), matches, "{part}");
        }
    }
}
