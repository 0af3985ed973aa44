//! The log written and read by both sides at once, over the ends of files.

use super::read::{Reader, follow};
use super::*;
use std::fs;

fn read_all(directory: &Path, selection: &Selection) -> (String, String) {
    let mut said = [Vec::new(), Vec::new()];
    follow(directory, selection, false, &mut |stream, bytes| {
        said[usize::from(stream == Stream::Stderr)].extend_from_slice(bytes);
        Ok(true)
    })
    .unwrap();
    let [out, err] = said.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (out, err)
}

#[test]
fn every_byte_comes_back_on_its_stream() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(read_all(directory.path(), &Selection::default()), (String::new(), String::new()));
    let mut log = Log::open(directory.path()).unwrap();
    log.write(Stream::Stdout, b"one\ntw").unwrap();
    log.write(Stream::Stderr, b"err\n\n").unwrap();
    log.write(Stream::Stdout, b"o\r\n\0").unwrap();
    let (out, err) = read_all(directory.path(), &Selection::default());
    assert_eq!((out.as_str(), err.as_str()), ("one\ntwo\r\n\0", "err\n\n"));
}

#[test]
fn the_log_is_bounded_and_a_reader_in_between_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::open_within(directory.path(), 4096).unwrap();
    let mut reader = Reader::new(directory.path());
    let mut read = String::new();
    for number in 0..1000 {
        log.write(Stream::Stdout, format!("line {number}\n").as_bytes()).unwrap();
        // At most one end of a file lies between two looks.
        if number % 50 == 0 {
            while let Some(record) = reader.next().unwrap() {
                read.push_str(std::str::from_utf8(record.bytes).unwrap());
            }
        }
    }
    while let Some(record) = reader.next().unwrap() {
        read.push_str(std::str::from_utf8(record.bytes).unwrap());
    }
    assert_eq!(read, (0..1000).map(|number| format!("line {number}\n")).collect::<String>());
    assert_eq!(numbers(directory.path()).unwrap().len() as u64, FILES);
    for (name, _) in file::list(directory.path()).unwrap() {
        assert!(fs::metadata(directory.path().join(name)).unwrap().len() <= 4096);
    }
    let (out, _) = read_all(directory.path(), &Selection::default());
    assert!(out.ends_with("line 999\n") && !out.contains("line 0\n"));
}

#[test]
fn what_was_half_written_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::open(directory.path()).unwrap();
    log.write(Stream::Stdout, b"whole\n").unwrap();
    log.write(Stream::Stdout, b"killed while writing this\n").unwrap();
    drop(log);
    let path = path(directory.path(), 0);
    let length = fs::metadata(&path).unwrap().len();
    for cut in [3, 20, 60] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - cut).unwrap();
        assert_eq!(read_all(directory.path(), &Selection::default()).0, "whole\n");
    }
    let mut log = Log::open(directory.path()).unwrap();
    log.write(Stream::Stdout, b"after\n").unwrap();
    assert_eq!(read_all(directory.path(), &Selection::default()).0, "whole\nafter\n");
}

#[test]
fn a_damaged_log_is_an_error_after_what_was_whole() {
    let directory = tempfile::tempdir().unwrap();
    Log::open(directory.path()).unwrap().write(Stream::Stdout, b"whole\n").unwrap();
    let path = path(directory.path(), 0);
    let mut text = fs::read(&path).unwrap();
    text.extend_from_slice(&[b'x'; 100]);
    fs::write(&path, text).unwrap();
    let mut said = Vec::new();
    let answer = follow(directory.path(), &Selection::default(), false, &mut |_, bytes| {
        said.extend_from_slice(bytes);
        Ok(true)
    });
    assert!(answer.is_err());
    assert_eq!(said, b"whole\n");
}

#[test]
fn lines_are_chosen_by_number_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    for (second, stream, said) in [
        (1, Stream::Stdout, "a\nb"),
        (2, Stream::Stderr, "e\n"),
        (3, Stream::Stdout, "b\nc\n"),
        (4, Stream::Stdout, "d"),
    ] {
        text.extend_from_slice(header(&Stamp::of(second, 0), stream, said.len()).as_bytes());
        text.extend_from_slice(said.as_bytes());
        text.push(b'\n');
    }
    fs::write(path(directory.path(), 0), text).unwrap();
    let chosen = |selection: Selection| {
        let (out, err) = read_all(directory.path(), &selection);
        format!("{out}|{err}")
    };
    let tail = |tail| chosen(Selection { tail: Some(tail), ..Selection::default() });
    // In the order in which they began: a, bb, e, c, d.
    assert_eq!(tail(0), "|");
    assert_eq!(tail(1), "d|");
    assert_eq!(tail(3), "c\nd|e\n");
    assert_eq!(tail(4), "bb\nc\nd|e\n");
    assert_eq!(tail(99), "a\nbb\nc\nd|e\n");
    let since = |second| chosen(Selection { since: Some(Stamp::of(second, 0)), ..Selection::default() });
    assert_eq!(since(2), "c\nd|e\n");
    assert_eq!(since(4), "d|");
    let until = |second| chosen(Selection { until: Some(Stamp::of(second, 0)), ..Selection::default() });
    assert_eq!(until(2), "a\nbb\n|");
    assert_eq!(until(1), "|");
    let stamped = chosen(Selection { timestamps: true, tail: Some(4), ..Selection::default() });
    let at = |second| Stamp::of(second, 0).to_string();
    let expected = format!("{} bb\n{} c\n{} d|{} e\n", at(1), at(3), at(4), at(2));
    assert_eq!(stamped, expected);
}
