//! Which images there are and how they came to be: images, history, image inspect.

use super::super::{describe, each};
use crate::container::images::{self, Usage};
use crate::error::Result;
use crate::image::{self, Name, Store, time};
use crate::narrate::listing::{self, Columns, Row, row};
use crate::narrate::{self, Note, units};
use crate::state::Root;
use clap::Args;

#[derive(Debug, Args)]
pub struct Ls {
    /// Show all images (there are no others: an image is made of layers here, not of images).
    #[arg(short, long)]
    all: bool,
    /// Show only ids.
    #[arg(short, long)]
    quiet: bool,
    /// Show the digests of the manifests too.
    #[arg(long)]
    digests: bool,
    /// Show ids whole.
    #[arg(long)]
    no_trunc: bool,
    /// table, json, or a template.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Only some: dangling=BOOL, reference=NAME or NAME:TAG (with * for any letters), label=KEY[=VALUE].
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Only those of this name.
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub struct History {
    /// Sizes and dates for people.
    #[arg(short = 'H', long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    human: bool,
    /// Show ids and commands whole.
    #[arg(long)]
    no_trunc: bool,
    /// Show only ids.
    #[arg(short, long)]
    quiet: bool,
    /// table, json, or a template.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// A name or id.
    image: String,
}

const IMAGES: Columns = Columns {
    all: &[
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("ID", "IMAGE ID"),
        ("CreatedSince", "CREATED"),
        ("Size", "SIZE"),
        ("Digest", "DIGEST"),
        ("CreatedAt", "CREATED AT"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
        ("VirtualSize", "VIRTUAL SIZE"),
        ("Containers", "CONTAINERS"),
    ],
    shown: 5,
};

/// The table with digests.
const WITH_DIGESTS: &str =
    r"table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";

/// What stands for a name that an image has not.
const NONE: &str = "<none>";

/// `minidocker images`.
pub fn images(options: &Ls, root: &Root) -> Result<u8> {
    let wanted = Wanted::of(options)?;
    let (usage, total, damaged) = images::usage(root)?;
    damaged.into_iter().for_each(|error| narrate::report(&error));
    let mut rows = Vec::new();
    for one in &usage {
        let names = wanted.names(one);
        rows.extend(names.into_iter().flatten().map(|name| image_row(one, name, options.no_trunc)));
    }
    if options.quiet {
        let mut ids: Vec<&str> = rows.iter().filter_map(|row| row["ID"].as_str()).collect();
        ids.dedup();
        ids.into_iter().for_each(narrate::print);
        return Ok(0);
    }
    let format = options.format.as_deref().or(options.digests.then_some(WITH_DIGESTS));
    listing::list(IMAGES, &rows, format)?;
    if total.saved > 0 && options.format.is_none() {
        let (saved, whole) = (units::decimal_short(total.saved), units::decimal_short(total.bytes));
        narrate::note(&Note::LayersShared { saved, whole });
    }
    Ok(0)
}

/// Which images a person wants to see.
struct Wanted<'a> {
    dangling: Option<bool>,
    patterns: Vec<String>,
    labels: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(options: &'a Ls) -> Result<Self> {
        let mut wanted = Self { dangling: None, patterns: Vec::new(), labels: Vec::new() };
        wanted.patterns.extend(options.name.clone());
        for filter in &options.filter {
            match filter.split_once('=') {
                Some(("dangling", "true" | "1")) => wanted.dangling = Some(true),
                Some(("dangling", "false" | "0")) => wanted.dangling = Some(false),
                Some(("reference", pattern)) => wanted.patterns.push(pattern.to_owned()),
                Some(("label", label)) => wanted.labels.push(label),
                _ => return Err(super::bad_filter(filter)),
            }
        }
        Ok(wanted)
    }

    /// The names under which `one` is to be listed, `None` for one without a name; nothing when it is not to be.
    fn names<'b>(&self, one: &'b Usage) -> Option<Vec<Option<&'b Name>>> {
        let names = &one.image.names;
        let labels = &one.image.config.config.labels;
        let has = |label: &&str| match label.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|own| own == value),
            None => labels.contains_key(*label),
        };
        if self.dangling.is_some_and(|dangling| dangling != names.is_empty()) || !self.labels.iter().all(has)
        {
            return None;
        }
        if names.is_empty() {
            return Some(if self.patterns.is_empty() { vec![None] } else { Vec::new() });
        }
        let fits = |name: &&Name| {
            self.patterns.is_empty() || self.patterns.iter().any(|pattern| is_meant(pattern, name))
        };
        Some(names.iter().filter(fits).map(Some).collect())
    }
}

/// Whether `pattern` means `name`: its repository, with any tag unless it says one; `*` is any letters but `/`.
fn is_meant(pattern: &str, name: &Name) -> bool {
    let tagged = pattern.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    let (repository, tag) = tagged.unwrap_or((pattern, "*"));
    fits(repository, name.repository()) && fits(tag, name.tag())
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.find('/').unwrap_or(rest.len());
            (0..=ends).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(after, &rest[at..]))
        }),
    }
}

fn image_row(one: &Usage, name: Option<&Name>, whole: bool) -> Row {
    let image = &one.image;
    let (created, since) = created(image.config.created.as_deref());
    let size = units::decimal_short(image.size());
    let id = if whole { image.id.to_string() } else { image.id.short() };
    let texts = [
        name.map_or(NONE, Name::repository).to_owned(),
        name.map_or(NONE, Name::tag).to_owned(),
        id,
        since,
        size.clone(),
        image.manifest.to_string(),
        created,
        units::decimal_short(one.shared),
        units::decimal_short(one.unique()),
        size,
        one.containers.to_string(),
    ];
    row(IMAGES, texts)
}

/// When it was: as a date, and how long ago.
pub fn created(text: Option<&str>) -> (String, String) {
    let Some(text) = text else { return ("N/A".to_owned(), "N/A".to_owned()) };
    let Some(seconds) = time::seconds(text) else { return (text.to_owned(), "N/A".to_owned()) };
    let ago = time::seconds(&time::now()).unwrap_or_default().saturating_sub(seconds);
    let date = time::text(seconds).replace('T', " ").replace('Z', " +0000 UTC");
    (date, format!("{} ago", narrate::time::in_words(ago.max(0) as u64)))
}

const HISTORY: Columns = Columns {
    all: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
        ("CreatedAt", "CREATED AT"),
    ],
    shown: 5,
};

/// The table with dates and plain numbers.
const EXACT: &str = r"table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";

/// How much of a command is shown.
const COMMAND: usize = 45;

/// `minidocker history`.
pub fn history(options: &History, root: &Root) -> Result<u8> {
    each(std::slice::from_ref(&options.image), |word| {
        let rows = history_rows(options, root, word)?;
        if options.quiet {
            rows.iter().filter_map(|row| row["ID"].as_str()).for_each(narrate::print);
            return Ok(None);
        }
        let format = options.format.as_deref().or((!options.human).then_some(EXACT));
        listing::list(HISTORY, &rows, format).map(|()| None)
    })
}

/// One row for each step, the last first. Only the whole image has an id; those that it may have been made of are not
/// images here.
fn history_rows(options: &History, root: &Root, word: &str) -> Result<Vec<Row>> {
    let store = Store::open(root.path());
    let (_, manifest) = store.resolve(word)?.ok_or_else(|| image::unknown(&store, word))?;
    let image = store.listed(&manifest)?;
    let mut layers = image.layers.iter();
    let mut rows = Vec::new();
    for step in &image.config.history {
        let layer = if step.empty_layer { None } else { layers.next() };
        let bytes = layer.map_or(0, |layer| layer.about.size);
        let (date, since) = created(step.created.as_deref());
        let command = step.created_by.clone().unwrap_or_default();
        let command = if options.no_trunc { command } else { shortened(&command, COMMAND) };
        let size = if options.human { units::decimal_short(bytes) } else { bytes.to_string() };
        let comment = step.comment.clone().unwrap_or_default();
        rows.push(row(HISTORY, ["<missing>".to_owned(), since, command, size, comment, date]));
    }
    rows.reverse();
    if let Some(first) = rows.first_mut() {
        let id = if options.no_trunc { image.id.to_string() } else { image.id.short() };
        first.insert("ID".to_owned(), id.into());
    }
    Ok(rows)
}

/// The first `most` letters of a command, on one line.
pub fn shortened(command: &str, most: usize) -> String {
    let command: String =
        command.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match command.chars().count() {
        length if length <= most => command,
        _ => command.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// `minidocker image inspect`.
pub fn inspect(words: &[String], format: Option<&str>, root: &Root) -> Result<u8> {
    let store = Store::open(root.path());
    let (all, _) = store.list()?;
    let one = |word: &String| {
        let (_, manifest) = store.resolve(word)?.ok_or_else(|| image::unknown(&store, word))?;
        let listed = all.iter().find(|listed| listed.manifest == manifest).cloned();
        Ok(image::describe(&listed.map_or_else(|| store.listed(&manifest), Ok)?))
    };
    describe::print(words.iter().map(one).collect(), format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_names() {
        let name = Name::parse("a/base:1.2").unwrap();
        for (pattern, meant) in [
            ("a/base", true),
            ("a/base:1.2", true),
            ("a/base:1", false),
            ("base", false),
            ("a/b*", true),
            ("*", false),
            ("*/*", true),
            ("*/*:1*", true),
            ("a/base:*.3", false),
            ("a*e", false),
        ] {
            assert_eq!(is_meant(pattern, &name), meant, "{pattern}");
        }
    }

    #[test]
    fn a_long_command_is_shortened() {
        assert_eq!(shortened("a\nb", 45), "a b");
        assert_eq!(shortened(&"x".repeat(46), 45), "x".repeat(44) + "…");
    }
}
