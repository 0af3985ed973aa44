//! An image, as Docker describes it.

use super::GraphDriver;
use crate::error::{Error, Problem, Result};
use crate::image::{Config, Digest, Store};
use crate::state::Root;
use serde::Serialize;
use std::path::PathBuf;

/// All that is said of an image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Description {
    id: String,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    created: String,
    config: Config,
    architecture: String,
    os: String,
    size: u64,
    graph_driver: GraphDriver<GraphData>,
    #[serde(rename = "RootFS")]
    root_fs: RootFs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphData {
    lower_dir: Option<String>,
    upper_dir: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RootFs {
    r#type: &'static str,
    layers: Vec<Digest>,
}

/// What there is to say of the image that `word` means.
pub fn describe(root: &Root, word: &str) -> Result<Description> {
    let store = Store::open(root.path());
    let unknown = || {
        Error::new(Problem::UnknownImage { name: word.to_owned(), known: store.names().unwrap_or_default() })
    };
    let (_, manifest) = store.resolve(word)?.ok_or_else(unknown)?;
    let listed = store.listed(&manifest)?;
    let (all, _) = store.list()?;
    let names = all.iter().filter(|one| one.manifest == manifest).flat_map(|one| &one.names);
    let names = names.map(ToString::to_string).collect();
    let image = store.image(word.to_owned(), &manifest)?;
    let mut layers = image.layers.into_iter();
    let upper_dir = layers.next();
    let lower: Vec<String> = layers.map(|layer| layer.display().to_string()).collect();
    Ok(Description {
        id: listed.id.to_string(),
        repo_digests: Vec::new(),
        repo_tags: names,
        created: listed.config.created.clone().unwrap_or_default(),
        size: listed.size(),
        architecture: listed.config.architecture,
        os: listed.config.os,
        graph_driver: GraphDriver::new(GraphData {
            lower_dir: (!lower.is_empty()).then(|| lower.join(":")),
            upper_dir,
        }),
        root_fs: RootFs { r#type: "layers", layers: listed.config.rootfs.diff_ids },
        config: listed.config.config,
    })
}
