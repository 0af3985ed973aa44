//! The one question asked of an ELF file: which loader does it want? See elf(5).
//!
//! The kernel's own answer is in `fs/binfmt_elf.c`: execve(2) looks for a program header of type PT_INTERP, and
//! if there is one, it starts the loader named there, which then brings the libraries and jumps to the program.

use std::path::PathBuf;

/// How a program comes by its libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linkage {
    /// It has none: the kernel starts it directly.
    Static,
    /// The loader at this path brings them.
    Loader(PathBuf),
}

const MAGIC: [u8; 4] = *b"\x7fELF";
const ELFCLASS64: u8 = 2;
const ELFDATA2LSB: u8 = 1;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const PT_INTERP: u32 = 3;

/// The linkage of the program whose file has these contents. `None` when it is no 64-bit little-endian ELF
/// program: a script, another machine's program, something damaged.
pub fn linkage(file: &[u8]) -> Option<Linkage> {
    let identification = file.get(..6)?;
    if identification[..4] != MAGIC || identification[4..] != [ELFCLASS64, ELFDATA2LSB] {
        return None;
    }
    // The offsets are those of the fields of Elf64_Ehdr: e_type, e_phoff, e_phentsize, e_phnum.
    if !matches!(u16_at(file, 16)?, ET_EXEC | ET_DYN) {
        return None;
    }
    let (table, size, count) = (u64_at(file, 32)?, u16_at(file, 54)?, u16_at(file, 56)?);
    for index in 0..u64::from(count) {
        let start = table.checked_add(index * u64::from(size))?;
        let header = file.get(usize::try_from(start).ok()?..)?;
        if u32_at(header, 0)? == PT_INTERP {
            // p_offset and p_filesz of Elf64_Phdr.
            return interpreter(file, u64_at(header, 8)?, u64_at(header, 32)?).map(Linkage::Loader);
        }
    }
    Some(Linkage::Static)
}

/// The absolute path in the segment of `size` bytes at `offset`, which ends with a NUL.
fn interpreter(file: &[u8], offset: u64, size: u64) -> Option<PathBuf> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    let (path, _) = file.get(start..end)?.split_at_checked(usize::try_from(size).ok()?.checked_sub(1)?)?;
    let path = std::str::from_utf8(path).ok()?;
    (path.starts_with('/') && !path.contains('\0')).then(|| PathBuf::from(path))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    field(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    field(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    field(bytes, at).map(u64::from_le_bytes)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The smallest ELF file that [`linkage`] accepts, with the loader given.
#[cfg(test)]
pub fn sample(loader: Option<&str>) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    file[16] = 3;
    file[32] = 64;
    file[54] = 56;
    if let Some(loader) = loader {
        file[56] = 1;
        let mut header = [0; 56];
        header[0] = 3;
        header[8] = 120;
        header[32] = loader.len() as u8 + 1;
        file.extend_from_slice(&header);
        file.extend_from_slice(loader.as_bytes());
        file.push(0);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_loader_is_what_pt_interp_says() {
        assert_eq!(linkage(&sample(None)), Some(Linkage::Static));
        assert_eq!(linkage(&sample(Some("/lib/ld.so"))), Some(Linkage::Loader("/lib/ld.so".into())));
        assert_eq!(linkage(&sample(Some("lib/ld.so"))), None, "not absolute");
        assert_eq!(linkage(&sample(Some("/lib\0/ld.so"))), None);
        assert_eq!(linkage(b"#!/bin/sh\nexit\n"), None);
        assert_eq!(linkage(b""), None);
    }

    #[test]
    fn a_truncated_program_is_none() {
        let file = sample(Some("/lib/ld.so"));
        for length in 0..file.len() {
            assert_eq!(linkage(&file[..length]), None, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(position in 0usize..130, bytes in proptest::collection::vec(any::<u8>(), 1..32)) {
            let mut file = sample(Some("/lib/ld.so"));
            for (byte, garbage) in file.iter_mut().skip(position).zip(&bytes) {
                *byte = *garbage;
            }
            linkage(&file);
            linkage(&bytes);
        }
    }
}
