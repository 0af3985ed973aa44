//! Being told that a student has saved the file: inotify(7).

use crate::error::Result;
use crate::sys::inotify::Changes;
use crate::sys::ready::{self, Watch};
use std::path::Path;

/// Call `act` now, and again whenever the file at `path` has changed; until it fails, or a signal ends this process.
///
/// Editors replace a file rather than write to it, so the directory is watched.
pub fn each_change(path: &Path, mut act: impl FnMut() -> Result<()>) -> Result<()> {
    let changes = Changes::of(path.parent().unwrap_or(Path::new(".")))?;
    let mut seen = None;
    loop {
        changes.forget()?;
        let text = super::text_of(path);
        if seen != Some(text.clone()) {
            seen = Some(text);
            act()?;
        }
        ready::wait(&[Watch::of(changes.descriptor(), true, false)])?;
    }
}
