//! What happens to containers, noted for `events`.

use super::spec::Spec;
use crate::state::Root;
use crate::state::events::{self, Kind};

/// Note that `action`, Docker's word, has just happened to the container of `spec`, with `more` about it.
pub fn tell(root: &Root, spec: &Spec, action: &str, more: &[(&str, &str)]) {
    let image = spec.image.strip_suffix(":latest").unwrap_or(&spec.image);
    let labels = spec.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let known = [("image", image), ("name", spec.name.as_str())];
    let attributes: Vec<(&str, &str)> = labels.chain(known).chain(more.iter().copied()).collect();
    events::record(root, Kind::Container, action, &spec.id, &attributes);
}
