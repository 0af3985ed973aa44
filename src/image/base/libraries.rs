//! Which libraries a program needs. Only its loader knows: it reads RPATH, RUNPATH, its cache and its own
//! built-in directories. `LOADER --list PROGRAM`, which is what ldd(1) runs, makes it tell without starting the
//! program. glibc's and musl's loaders both take these options. See ld.so(8).

use super::elf::Linkage;
use super::host::Host;
use crate::error::{Error, Problem, Result};
use crate::sys::command;
use crate::sys::errno::{EACCES, ENOENT, ENOEXEC};
use std::path::{Path, PathBuf};

/// Parts of glibc that no program names: they are loaded while names are looked up (nsswitch.conf(5)). glibc has
/// most of them built in since 2.34.
const LOADED_LATER: &[&str] = &["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/// The libraries of the program at `path`, and its loader. `LoaderFailed` when one is missing, or the loader.
pub fn needed_by(host: &Host, path: &Path, linkage: &Linkage) -> Result<Vec<PathBuf>> {
    let Linkage::Loader(loader) = linkage else { return Ok(Vec::new()) };
    let program = host.reach(path).display().to_string();
    let failed = |said: String| Problem::LoaderFailed { program: program.clone(), said };
    // An empty library path hides the person's LD_LIBRARY_PATH, which the container will not have.
    let arguments = ["--library-path", "", "--list", &program];
    let output = match command::run(&host.reach(loader), &arguments, "") {
        Err(error) if [ENOENT, EACCES, ENOEXEC].iter().any(|errno| error.is(*errno)) => {
            return Err(error.meaning(failed(String::new())));
        }
        output => output?,
    };
    if output.status != 0 {
        return Err(Error::new(failed(output.stderr.trim().to_owned())));
    }
    let mut libraries = parse(&output.stdout).map_err(|missing| Error::new(failed(missing)))?;
    let later: Vec<PathBuf> =
        libraries.iter().filter(|path| path.ends_with("libc.so.6")).flat_map(|path| beside(path)).collect();
    libraries.extend(later);
    libraries.push(loader.clone());
    Ok(libraries)
}

/// The libraries that glibc loads later, which stand beside it, if they are separate files at all.
fn beside(libc: &Path) -> impl Iterator<Item = PathBuf> {
    LOADED_LATER.iter().map(|name| libc.with_file_name(name))
}

/// Read the loader's list. A line is one of
///
/// ```text
/// linux-vdso.so.1 (0x00007ffc…)                                   the kernel's own: no file
/// libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f…)        found there
/// libgone.so.1 => not found
/// /lib64/ld-linux-x86-64.so.2 (0x00007f…)                         the loader
/// ```
///
/// The error is the line of a library that was not found.
fn parse(list: &str) -> std::result::Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    for line in list.lines().map(str::trim) {
        let place = line.split_once(" => ").map_or(line, |(_, place)| place).trim();
        if place == "not found" {
            return Err(line.to_owned());
        }
        let path = place.rsplit_once(" (0x").map_or(place, |(path, _)| path);
        if path.starts_with('/') {
            paths.push(path.into());
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_glibc_and_musl_are_understood() {
        let debian = "\tlinux-vdso.so.1 (0x00007ffe4)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1)\n\
                      \t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(parse(debian), Ok(expected.to_vec()));
        let arch = "\t/lib64/ld-linux-x86-64.so.2 => /usr/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n";
        assert_eq!(parse(arch), Ok(vec!["/usr/lib64/ld-linux-x86-64.so.2".into()]));
        let musl = "\t/lib/ld-musl-x86_64.so.1 (0x7f3)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f3)\n";
        assert_eq!(parse(musl), Ok(vec!["/lib/ld-musl-x86_64.so.1".into(); 2]));
        assert_eq!(parse("\tstatically linked\n"), Ok(vec![]));
        assert_eq!(parse("\tlinux-gate.so.1 =>  (0xffffe000)\n\n =>\n"), Ok(vec![]));
    }

    #[test]
    fn a_missing_library_is_an_error() {
        let list = "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\tlibgone.so.1 => not found\n";
        assert_eq!(parse(list), Err("libgone.so.1 => not found".to_owned()));
    }
}
