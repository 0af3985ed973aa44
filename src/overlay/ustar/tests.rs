//! The stream: written and read, by this code and by the tar(1) of this machine.

use super::super::tree::{Node, What};
use super::*;
use crate::error::{ImageProblem, Problem};
use std::path::{Path, PathBuf};
use std::process::Command;

fn node(path: &str, what: What) -> Node {
    let attributes = BTreeMap::new();
    Node { path: path.into(), what, mode: 0o640, owner: (0, 0), modified: (1_700_000_000, 0), attributes }
}

fn long(length: usize) -> String {
    format!("{}/{}", "d".repeat(length / 2), "f".repeat(length - length / 2))
}

fn everything() -> Vec<Node> {
    let mut noted = node("noted", What::File(b"contents".to_vec()));
    noted.attributes.insert("user.note".to_owned(), b"a=\n\0".to_vec());
    noted.modified = (-2, 250_000_000);
    noted.owner = (3_000_000, 5);
    let mut setuid = node("d/setuid", What::File(vec![7; 1025]));
    (setuid.mode, setuid.modified.1) = (0o4755, 1);
    vec![
        node("d", What::Directory),
        setuid,
        node("d/same", What::Same("d/setuid".into())),
        node("d/link", What::Link(PathBuf::from("x".repeat(150)))),
        node("d/null", What::Character(1, 3)),
        node("d/pipe", What::Pipe),
        node(&long(130), What::File(Vec::new())),
        node(&long(250), What::Directory),
        noted,
    ]
}

#[test]
fn what_is_written_is_read() {
    let nodes = everything();
    let stream = write(&nodes).unwrap();
    assert_eq!(stream.len() % BLOCK, 0);
    assert_eq!(read(&stream).unwrap(), nodes);
    assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
}

#[test]
fn a_record_counts_its_own_digits() {
    for length in [1, 90, 95, 96, 97, 990, 995] {
        let mut records = Vec::new();
        write::record(&mut records, "k", &vec![b'v'; length]);
        let said: usize = String::from_utf8_lossy(&records).split(' ').next().unwrap().parse().unwrap();
        assert_eq!(said, records.len());
    }
}

#[test]
fn a_stream_that_is_cut_off_or_wrong_is_refused() {
    let problem = |stream: &[u8]| read(stream).map_err(|error| error.problem);
    let stream = write(&[node("file", What::File(vec![1; 2000]))]).unwrap();
    for length in [1, 511, 513, 1500] {
        assert!(matches!(problem(&stream[..length]), Err(Problem::BadArchive { .. })), "{length}");
    }
    let mut changed = stream.clone();
    changed[3] ^= 1;
    assert!(matches!(problem(&changed), Err(Problem::BadArchive { .. })));
    for path in ["../x", "a/../../x"] {
        let stream = write(&[node(path, What::Directory)]).unwrap();
        assert!(matches!(problem(&stream), Err(Problem::BadArchive { .. })), "{path}");
    }
    let absolute = read(&write(&[node("/etc/x", What::Pipe)]).unwrap()).unwrap();
    assert_eq!(absolute[0].path, Path::new("etc/x"));
}

/// Whether the tar(1) here is GNU's, whose output is compared.
fn has_tar() -> bool {
    Command::new("tar")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"tar (GNU tar)"))
}

#[test]
fn tar_reads_what_is_written() {
    if !has_tar() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("layer.tar");
    std::fs::write(&path, write(&everything()).unwrap()).unwrap();
    let output = Command::new("tar").arg("-tf").arg(&path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = ["d/", "d/setuid", "d/same", "d/link", "d/null", "d/pipe"].map(str::to_owned);
    let expected = [&expected[..], &[long(130), long(250) + "/", "noted".to_owned()]].concat();
    assert_eq!(names.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn what_tar_writes_is_read() {
    if !has_tar() {
        return;
    }
    for format in ["ustar", "pax", "gnu"] {
        let top = tempfile::tempdir().unwrap();
        let from = top.path().join("from");
        std::fs::create_dir_all(from.join("d")).unwrap();
        std::fs::write(from.join("d").join("f".repeat(99)), "contents").unwrap();
        std::os::unix::fs::symlink("d", from.join("link")).unwrap();
        let format = format!("--format={format}");
        let output = Command::new("tar")
            .args(["-c", &format, "--sort=name", "-C"])
            .arg(&from)
            .arg(".")
            .output()
            .unwrap();
        let nodes = read(&output.stdout).unwrap();
        let paths: Vec<String> = nodes.iter().map(|node| node.path.display().to_string()).collect();
        assert_eq!(paths, ["d".to_owned(), format!("d/{}", "f".repeat(99)), "link".to_owned()], "{format}");
        assert_eq!(nodes[1].what, What::File(b"contents".to_vec()));
        assert_eq!(nodes[2].what, What::Link("d".into()));
    }
}

#[test]
fn a_long_file_passes_through_and_its_size_stands_in_a_record() {
    let none = BTreeMap::new();
    let size = (8 << 30) + 3;
    let member = Member {
        path: Path::new("long"),
        form: Form::File(size),
        mode: 0o644,
        owner: (0, 0),
        modified: (0, 0),
        attributes: &none,
    };
    let (mut length, mut head) = (0, Vec::new());
    let mut sink = |bytes: &[u8]| {
        length += bytes.len() as u64;
        if head.len() < 4 * BLOCK {
            head.extend_from_slice(bytes);
        }
        Ok(())
    };
    let mut writer = Writer::new(&mut sink);
    writer.member(&member, &mut |room| Ok(room.len())).unwrap();
    writer.finish().unwrap();
    assert_eq!(length, 3 * BLOCK as u64 + size.next_multiple_of(BLOCK as u64) + 2 * BLOCK as u64);
    assert!(String::from_utf8_lossy(&head[..2 * BLOCK]).contains("size=8589934595\n"));
}

#[test]
fn a_file_that_became_shorter_is_an_error() {
    let none = BTreeMap::new();
    let form = Form::File(10);
    let member =
        Member { path: Path::new("f"), form, mode: 0, owner: (0, 0), modified: (0, 0), attributes: &none };
    let mut sink = |_: &[u8]| Ok(());
    let problem = Writer::new(&mut sink).bytes(&member, b"short").unwrap_err().problem;
    assert_eq!(problem, Problem::Image(ImageProblem::ChangedMeanwhile { path: "f".into() }));
    assert!(Writer::new(&mut |_: &[u8]| Ok(())).bytes(&member, b"longer than that").is_ok());
}
