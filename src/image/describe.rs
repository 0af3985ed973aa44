//! An image as `inspect` shows it: Docker's words for what the documents say.

use super::oci::{Config, architecture};
use super::{Listed, Name};
use serde_json::{Value, json};

/// Everything about an image.
pub fn describe(image: &Listed) -> Value {
    let document = &image.config;
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let digest = |name: &Name| format!("{}@{}", name.repository(), image.manifest);
    let mut digests: Vec<String> = image.names.iter().map(digest).collect();
    digests.dedup();
    json!({
        "Id": image.id.to_string(),
        "RepoTags": image.names.iter().map(Name::to_string).collect::<Vec<_>>(),
        "RepoDigests": digests,
        "Comment": document.history.last().and_then(|last| last.comment.clone()).unwrap_or_default(),
        "Created": document.created.clone().unwrap_or_default(),
        "Author": document.author.clone().unwrap_or_default(),
        "Config": config(&document.config),
        "Architecture": or(&document.architecture, architecture()),
        "Os": or(&document.os, "linux"),
        "Size": image.size(),
        "GraphDriver": {
            "Name": "overlay",
            "Data": {
                "LowerDir": image.layers.iter().rev().map(|layer| layer.path.display().to_string()).collect::<Vec<_>>().join(":"),
            },
        },
        "RootFS": {
            "Type": document.rootfs.kind,
            "Layers": document.rootfs.diff_ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "Layers": image.layers.iter().map(|layer| json!({
            "DiffID": layer.diff_id.to_string(),
            "Digest": layer.blob.0.to_string(),
            "Size": layer.about.size,
            "Path": layer.path.display().to_string(),
        })).collect::<Vec<_>>(),
        "Descriptor": { "digest": image.manifest.to_string() },
    })
}

/// All fields, also those that say nothing: who reads it by a template need not know which there are.
fn config(config: &Config) -> Value {
    let list = |list: &[String]| if list.is_empty() { Value::Null } else { json!(list) };
    let mut value = json!({
        "User": config.user,
        "Env": config.env,
        "Cmd": list(&config.cmd),
        "Entrypoint": list(&config.entrypoint),
        "WorkingDir": config.working_dir,
        "Labels": config.labels,
        "Volumes": config.volumes,
        "ExposedPorts": config.exposed_ports,
        "StopSignal": config.stop_signal,
    });
    if let Some(object) = value.as_object_mut() {
        object.extend(config.rest.clone());
    }
    value
}
