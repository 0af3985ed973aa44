//! `inspect`: all that is known of containers, images, volumes and networks, shaped as Docker shapes it.

mod container;
mod image;

use super::{describe, networks, volumes};
use crate::container::look;
use crate::error::{Error, LookProblem, Problem, Result};
use crate::network::define;
use crate::state::Root;
use clap::{Args, ValueEnum};
use serde::Serialize;

/// How the layers are united, with their directories: of a container all, of an image those that are read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphDriver<D> {
    data: D,
    name: &'static str,
}

impl<D> GraphDriver<D> {
    fn new(data: D) -> Self {
        Self { data, name: "overlay2" }
    }
}

#[derive(Debug, Args)]
pub struct Inspect {
    /// json, or a template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Tell how much a container has written, too.
    #[arg(short, long)]
    size: bool,
    /// Look only among these.
    #[arg(long, value_enum, value_name = "TYPE")]
    r#type: Option<Type>,
    /// Names or ids.
    #[arg(required = true, value_name = "NAME|ID")]
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    Container,
    Image,
    Network,
    Volume,
}

/// Whatever was found.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Described {
    Container(Box<container::Description>),
    Image(Box<image::Description>),
    Network(Box<networks::Description>),
    Volume(Box<volumes::Description>),
}

pub fn obey(options: &Inspect, root: &Root) -> Result<u8> {
    let described = options.names.iter().map(|name| find(options, root, name)).collect();
    describe::print(described, options.format.as_deref())
}

/// The first kind of thing that has this name, in Docker's order.
fn find(options: &Inspect, root: &Root, name: &str) -> Result<Described> {
    let among = |one: Type| options.r#type.is_none_or(|asked| asked == one);
    let mut first = None;
    for one in [Type::Container, Type::Image, Type::Network, Type::Volume] {
        if !among(one) {
            continue;
        }
        match describe_one(one, options, root, name) {
            Err(error) if is_absence(&error) => first = first.or(Some(error)),
            answer => return answer,
        }
    }
    Err(match (options.r#type, first) {
        (Some(_), Some(error)) => error,
        _ => Error::new(Problem::Look(LookProblem::NoSuchObject { name: name.to_owned() })),
    })
}

fn describe_one(one: Type, options: &Inspect, root: &Root, name: &str) -> Result<Described> {
    Ok(match one {
        Type::Container => {
            let seen = look::one(root, name)?;
            Described::Container(Box::new(container::describe(root, &seen, options.size)?))
        }
        Type::Image => Described::Image(Box::new(image::describe(root, name)?)),
        Type::Network => Described::Network(Box::new(networks::describe(define::find(root.path(), name)?))),
        Type::Volume => Described::Volume(Box::new(volumes::describe(root, name)?)),
    })
}

fn is_absence(error: &Error) -> bool {
    use crate::error::{NetProblem, VolumeProblem};
    matches!(
        &error.problem,
        Problem::NoSuchContainer { .. }
            | Problem::UnknownImage { .. }
            | Problem::Net(NetProblem::NoSuchNetwork { .. })
            | Problem::Volume(VolumeProblem::NoSuchVolume { .. })
    )
}
