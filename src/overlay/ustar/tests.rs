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

/// A header with these bytes at these places, and a right checksum.
fn header(fields: &[((usize, usize), &[u8])], kind: u8) -> Vec<u8> {
    let mut block = [0; BLOCK];
    block[field::MAGIC.0..][..8].copy_from_slice(b"ustar\x0000");
    for ((start, room), value) in fields {
        block[*start..][..value.len().min(*room)].copy_from_slice(value);
    }
    block[field::TYPE] = kind;
    let sum = format!("{:06o}\0 ", checksum(&block));
    block[field::CHECKSUM.0..][..8].copy_from_slice(sum.as_bytes());
    block.to_vec()
}

fn extended(records: &[u8]) -> Vec<u8> {
    let size = format!("{:011o}", records.len());
    let mut stream = header(&[(field::NAME, b"x"), (field::SIZE, size.as_bytes())], b'x');
    stream.extend(records);
    stream.resize(stream.len().next_multiple_of(BLOCK), 0);
    stream
}

#[test]
fn the_size_of_the_extended_header_counts() {
    let mut stream = extended(b"13 size=1024\n");
    stream.extend(header(&[(field::NAME, b"outer"), (field::SIZE, b"00000000000")], b'0'));
    // Whoever went by the other size would find a member here.
    stream.extend(header(&[(field::NAME, b"smuggled")], b'0'));
    stream.extend([7; BLOCK]);
    let nodes = read(&stream).unwrap();
    assert_eq!(nodes.len(), 1);
    assert!(matches!(&nodes[0].what, What::File(contents) if contents.len() == 1024));
}

#[test]
fn what_is_peculiar_or_broken_is_refused() {
    let name = (field::NAME, &b"n"[..]);
    let sparse = [extended(b"22 GNU.sparse.major=1\n"), header(&[name], b'0')].concat();
    let bad_size = [extended(b"11 size=-1\n"), header(&[name], b'0')].concat();
    let no_member = extended(b"13 size=1024\n");
    let endless = [extended(b"29 size=18446744073709551615\n"), header(&[name], b'0')].concat();
    let large = header(&[name, (field::SIZE, b"77777777777")], b'x');
    let nobody = [extended(b"18 uid=4294967295\n"), header(&[name], b'0')].concat();
    let nul = [extended(b"12 path=a\0b\n"), header(&[name], b'0')].concat();
    let hard_out = header(&[name, (field::LINK, b"../x")], b'1');
    let unknown = [header(&[name], b'S'), header(&[name], b'V'), header(&[name], b'M')];
    let broken =
        [&b"5 a\n"[..], b"x a=b\n", b"99 a=b\n", b"6 a=bc", b"0 a=b\n", b"7 a=b\n\n\n"].map(extended);
    let all = [sparse, bad_size, no_member, endless, large, nobody, nul, hard_out];
    for (index, stream) in all.iter().chain(&unknown).chain(&broken).enumerate() {
        let problem = read(stream).map_err(|error| error.problem);
        assert!(matches!(problem, Err(Problem::BadArchive { .. })), "{index}: {problem:?}");
    }
}

#[test]
fn only_a_file_has_contents() {
    let size = (field::SIZE, &b"00000001000"[..]);
    for kind in [b'1', b'2', b'5', b'6'] {
        let fields = [(field::NAME, &b"n"[..]), (field::LINK, b"l"), size];
        let stream = [header(&fields, kind), header(&[(field::NAME, b"next")], b'0')].concat();
        assert_eq!(read(&stream).unwrap().len(), 2, "{}", char::from(kind));
    }
}

proptest::proptest! {
    /// Whatever a stream says, its reader comes to an end, without a panic, and gives no more than there is.
    #[test]
    fn nothing_makes_the_reader_fall(
        mut blocks in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, BLOCK), 0..6),
        kinds in proptest::collection::vec(proptest::sample::select(b"0123456xgLKSV\0".to_vec()), 6),
        sizes in proptest::collection::vec(0_u64..5000, 6),
        cut in 0_usize..BLOCK,
    ) {
        // Some of them headers that get past the checksum.
        for ((block, kind), size) in blocks.iter_mut().zip(kinds).zip(sizes).step_by(2) {
            let fields = [(field::NAME, &block.clone()[..40]), (field::SIZE, format!("{size:011o}").as_bytes())]
                .map(|(place, value)| (place, value.to_vec()));
            let fields: Vec<((usize, usize), &[u8])> = fields.iter().map(|(place, value)| (*place, &value[..])).collect();
            *block = header(&fields, kind);
        }
        let mut stream = blocks.concat();
        stream.truncate(stream.len().saturating_sub(cut));
        let length = stream.len();
        if let Ok(nodes) = read(&stream) {
            let contents = |node: &Node| if let What::File(bytes) = &node.what { bytes.len() } else { 0 };
            proptest::prop_assert!(nodes.iter().map(contents).sum::<usize>() <= length);
            let leads_out = |node: &Node| node.path.components().any(|part| part.as_os_str() == "..");
            proptest::prop_assert!(!nodes.iter().any(leads_out));
        }
    }

    /// What is written is read, however it comes in pieces.
    #[test]
    fn pieces_of_any_length_will_do(
        lengths in proptest::collection::vec(0_usize..3000, 0..6),
        piece in 1_usize..700,
    ) {
        struct Pieces<'a>(&'a [u8], usize);
        impl std::io::Read for Pieces<'_> {
            fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
                let count = self.1.min(room.len()).min(self.0.len());
                room[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let file = |(index, length): (usize, &usize)| {
            node(&format!("f{index}"), What::File((0..*length).map(|byte| byte as u8).collect()))
        };
        let nodes: Vec<Node> = lengths.iter().enumerate().map(file).collect();
        let stream = write(&nodes).unwrap();
        let mut reader = Reader::new(Pieces(&stream, piece));
        for node in nodes {
            let entry = reader.member().unwrap().unwrap();
            proptest::prop_assert_eq!(entry.path, node.path);
            let mut contents = Vec::new();
            std::io::Read::read_to_end(&mut reader, &mut contents).unwrap();
            proptest::prop_assert_eq!(What::File(contents), node.what);
        }
        proptest::prop_assert_eq!(reader.member().unwrap(), None);
    }
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
