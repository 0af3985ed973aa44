//! The group volume.

use super::each;
use crate::container::volumes::{self, Used};
use crate::error::{Error, Problem, Result, VolumeProblem};
use crate::narrate::listing::{self, Columns, Row};
use crate::narrate::{self, Question, time};
use crate::rootfs::volume::Kept;
use crate::state::Root;
use crate::step::{Step, take};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Manage volumes.
    #[command(subcommand)]
    Volume(Group),
}

#[derive(Debug, Subcommand)]
pub enum Group {
    /// Create a volume.
    Create(Create),
    /// List volumes.
    #[command(visible_alias = "list")]
    Ls(Ls),
    /// Display detailed information on one or more volumes.
    Inspect {
        /// json, or a template.
        #[arg(short, long, value_name = "FORMAT")]
        format: Option<String>,
        /// Names.
        #[arg(required = true, value_name = "VOLUME")]
        volumes: Vec<String>,
    },
    /// Remove volumes that no container uses.
    #[command(visible_alias = "remove")]
    Rm {
        /// Do not complain of volumes that are not there.
        #[arg(short, long)]
        force: bool,
        /// Names.
        #[arg(required = true, value_name = "VOLUME")]
        volumes: Vec<String>,
    },
    /// Remove unused volumes that were made without a name.
    Prune {
        /// Remove all unused volumes, not just those without a name.
        #[arg(short, long)]
        all: bool,
        /// Only those with a label: label=KEY or label=KEY=VALUE; label!=… for those without.
        #[arg(long, value_name = "FILTER")]
        filter: Vec<String>,
        /// Do not ask for confirmation.
        #[arg(short, long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    /// The driver: there is only local.
    #[arg(short, long, value_name = "DRIVER", default_value = "local")]
    driver: String,
    /// A note on the volume.
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    /// Its name (default: 64 digits at random).
    #[arg(value_name = "VOLUME")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Ls {
    /// Only some: name=PART, label=KEY[=VALUE], dangling=BOOL, driver=NAME.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// table, table TEMPLATE, json or TEMPLATE.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Only names.
    #[arg(short, long)]
    quiet: bool,
}

pub fn obey(verb: Verb, root: &Root) -> Result<u8> {
    let Verb::Volume(group) = verb;
    match group {
        Group::Create(options) => create(root, options),
        Group::Ls(options) => list(root, &options),
        Group::Inspect { format, volumes } => inspect(root, format.as_deref(), &volumes),
        Group::Rm { force, volumes } => {
            let held = root.lock()?;
            take(Step::VolumeStore, || {
                each(&volumes, |name| {
                    volumes::remove(root, &held, name, force).map(|()| Some(name.to_owned()))
                })
            })
        }
        Group::Prune { all, filter, force } => prune(root, all, &filter, force),
    }
}

fn create(root: &Root, options: Create) -> Result<u8> {
    if options.driver != "local" {
        let name = options.driver;
        return Err(Error::new(Problem::Volume(VolumeProblem::UnknownDriver { name })));
    }
    let labels = options.label.iter().map(|text| label(text)).collect::<Result<_>>()?;
    let name = options.name.as_deref().filter(|name| !name.is_empty());
    let kept = take(Step::VolumeStore, || volumes::create(root, name, labels))?;
    narrate::print(&kept.name);
    Ok(0)
}

fn label(text: &str) -> Result<(String, String)> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    match key.is_empty() {
        true => Err(Error::new(Problem::Volume(VolumeProblem::BadLabel { text: text.to_owned() }))),
        false => Ok((key.to_owned(), value.to_owned())),
    }
}

const COLUMNS: Columns = Columns {
    all: &[
        ("Driver", "DRIVER"),
        ("Name", "VOLUME NAME"),
        ("Labels", "LABELS"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Scope", "SCOPE"),
        ("Size", "SIZE"),
        ("Links", "LINKS"),
    ],
    shown: 2,
};

fn list(root: &Root, options: &Ls) -> Result<u8> {
    let filters = options.filter.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    for used in volumes::all(root)? {
        if let Err(error) = &used.kept {
            narrate::report(error);
        }
        if filters.iter().all(|filter| filter.takes(&used)) {
            rows.push(row(root, &used));
        }
    }
    let format = if options.quiet { Some("{{.Name}}") } else { options.format.as_deref() };
    listing::list(COLUMNS, &rows, format)?;
    Ok(0)
}

fn row(root: &Root, used: &Used) -> Row {
    let labels = used.kept.as_ref().map(|kept| labels(&kept.labels)).unwrap_or_default();
    let place = volumes::data(root, &used.name).display().to_string();
    let links = used.by.len().to_string();
    let texts =
        ["local".to_owned(), used.name.clone(), labels, place, "local".to_owned(), "N/A".to_owned(), links];
    listing::row(COLUMNS, texts)
}

fn labels(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// One word of `--filter`.
#[derive(Debug, PartialEq, Eq)]
enum Filter {
    Name(String),
    Label(String, Option<String>),
    NoLabel(String, Option<String>),
    Dangling(bool),
    Driver(String),
}

impl Filter {
    fn parse(text: &str) -> Result<Self> {
        let bad = || Error::new(Problem::Volume(VolumeProblem::BadFilter { text: text.to_owned() }));
        let (key, value) = text.split_once('=').ok_or_else(bad)?;
        let label = || {
            let (key, value) = value.split_once('=').map_or((value, None), |(key, value)| (key, Some(value)));
            (key.to_owned(), value.map(str::to_owned))
        };
        Ok(match (key, value) {
            ("name", value) => Filter::Name(value.to_owned()),
            ("label", _) => Filter::Label(label().0, label().1),
            ("label!", _) => Filter::NoLabel(label().0, label().1),
            ("dangling", "true" | "1") => Filter::Dangling(true),
            ("dangling", "false" | "0") => Filter::Dangling(false),
            ("driver", value) => Filter::Driver(value.to_owned()),
            _ => return Err(bad()),
        })
    }

    fn takes(&self, used: &Used) -> bool {
        match self {
            Filter::Name(part) => used.name.contains(part),
            Filter::Dangling(dangling) => used.by.is_empty() == *dangling,
            Filter::Driver(driver) => driver == "local",
            of_labels => used.kept.as_ref().is_ok_and(|kept| of_labels.takes_kept(kept)),
        }
    }

    fn takes_kept(&self, kept: &Kept) -> bool {
        let has = |key: &str, value: &Option<String>| {
            kept.labels.get(key).is_some_and(|is| value.as_ref().is_none_or(|value| is == value))
        };
        match self {
            Filter::Label(key, value) => has(key, value),
            Filter::NoLabel(key, value) => !has(key, value),
            _ => true,
        }
    }
}

/// A volume, as Docker describes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Description {
    created_at: String,
    driver: &'static str,
    labels: Option<BTreeMap<String, String>>,
    mountpoint: PathBuf,
    name: String,
    options: Option<BTreeMap<String, String>>,
    scope: &'static str,
}

/// What there is to say of the volume `name`.
pub fn describe(root: &Root, name: &str) -> Result<Description> {
    let kept = volumes::find(root, name)?;
    Ok(Description {
        created_at: time::rfc3339(kept.created, 0),
        driver: "local",
        labels: Some(kept.labels).filter(|labels| !labels.is_empty()),
        mountpoint: volumes::data(root, name),
        name: kept.name,
        options: None,
        scope: "local",
    })
}

fn inspect(root: &Root, format: Option<&str>, names: &[String]) -> Result<u8> {
    let described = names.iter().map(|name| describe(root, name)).collect();
    super::describe::print(described, format)
}

fn prune(root: &Root, all: bool, filters: &[String], force: bool) -> Result<u8> {
    let filters = filters.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>>>()?;
    if let Some(filter) =
        filters.iter().find(|filter| !matches!(filter, Filter::Label(..) | Filter::NoLabel(..)))
    {
        let text = format!("{filter:?}");
        return Err(Error::new(Problem::Volume(VolumeProblem::BadFilter { text })));
    }
    if !force && !narrate::confirm(if all { Question::PruneVolumes } else { Question::PruneAnonymousVolumes })
    {
        return Ok(0);
    }
    let chosen =
        |kept: &Kept| (all || kept.is_anonymous()) && filters.iter().all(|filter| filter.takes_kept(kept));
    let (names, bytes) = take(Step::VolumeStore, || volumes::prune(root, chosen))?;
    if !names.is_empty() {
        narrate::print(&format!("Deleted Volumes:\n{}\n", names.join("\n")));
    }
    narrate::print(&format!("Total reclaimed space: {}", narrate::units::decimal(bytes)));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_understood_or_refused() {
        let label = Filter::Label("a".to_owned(), Some("b=c".to_owned()));
        assert_eq!(Filter::parse("label=a=b=c").unwrap(), label);
        assert_eq!(Filter::parse("label!=a").unwrap(), Filter::NoLabel("a".to_owned(), None));
        assert_eq!(Filter::parse("dangling=1").unwrap(), Filter::Dangling(true));
        for bad in ["", "name", "dangling=maybe", "size=3"] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }
}
