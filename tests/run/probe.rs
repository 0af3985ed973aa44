//! This test binary as a program inside a container: it makes one bare system call, or speaks TCP, and says how it
//! went. The base image has no program that does just that.

#![allow(unsafe_code, reason = "bare system calls, which no wrapper makes")]
#![allow(clippy::print_stdout, reason = "what a probe finds out, it prints")]

use crate::common::container::Running;
use crate::common::space::{self, Space};
use nix::errno::Errno;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

const WORD: &str = "--probe";

/// Be the probe, if that is what this process was started as.
pub fn main() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, rest @ ..] = &arguments[..] else { return None };
    if word != WORD {
        return None;
    }
    match rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", port] => serve(port),
        ["greet", address] => greet(address),
        ["answer", port] => answer(port.parse().unwrap()),
        ["ask", question] => println!("{}", ask_at(question)),
        [call] => println!("{}", name(try_call(call))),
        _ => return Some(ExitCode::FAILURE),
    }
    Some(ExitCode::SUCCESS)
}

/// What the kernel answers to `call` in a container with these options: `ok`, or the name of an errno.
pub fn ask(space: &Space, options: &[&str], call: &str) -> String {
    let words = words(call, &[]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let volumes = volumes();
    let volumes: Vec<&str> = volumes.iter().flat_map(|volume| ["-v", volume.as_str()]).collect();
    let outcome = space.base(&[options, &volumes].concat(), &words);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{call}");
    outcome.out.trim().to_owned()
}

/// Start the probe in a container with these options.
pub fn start(space: &Space, options: &[&str], call: &str, argument: &str) -> Running {
    let words = words(call, &[argument]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let volumes = volumes();
    let volumes: Vec<&str> = volumes.iter().flat_map(|volume| ["-v", volume.as_str()]).collect();
    space.start(&[options, &volumes].concat(), &words)
}

fn words(call: &str, arguments: &[&str]) -> Vec<String> {
    ["/probe", WORD, call].iter().chain(arguments).map(|word| (*word).to_owned()).collect()
}

/// The volumes that bring the probe, and the libraries it is linked with, into a container.
pub fn volumes() -> Vec<String> {
    let mut volumes = libraries();
    volumes.push(format!("{}:/probe:ro", space::probe().display()));
    volumes
}

/// Volumes with the libraries of this process, which are those of everything that Rust makes on this machine.
pub fn libraries() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut libraries: Vec<&str> = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).collect();
    libraries.retain(|path| path.starts_with('/') && path.contains(".so"));
    libraries.sort_unstable();
    libraries.dedup();
    libraries.iter().map(|path| format!("{path}:{path}:ro")).collect()
}

fn name(answer: i64) -> String {
    if answer < 0 { format!("{:?}", Errno::last()) } else { "ok".to_owned() }
}

/// Make the call of that name, with arguments that only a filter or a missing right would refuse with EPERM.
fn try_call(name: &str) -> i64 {
    let none = std::ptr::null::<u8>();
    // The arguments are numbers, null pointers where the kernel accepts or refuses one, and buffers that live here.
    let mut clone_args = [0u64; 8];
    clone_args[0] = libc::CLONE_NEWUSER as u64;
    // SAFETY: none of these calls writes through the pointers given, and none changes this process's memory.
    unsafe {
        match name {
            "getpid" => libc::syscall(libc::SYS_getpid),
            "unshare-user" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
            "unshare-uts" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUTS),
            "clone-user" => {
                end_child(libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0))
            }
            "clone3" => {
                end_child(libc::syscall(libc::SYS_clone3, clone_args.as_ptr(), size_of_val(&clone_args)))
            }
            "mount" => {
                libc::syscall(libc::SYS_mount, c"none".as_ptr(), c"/mnt".as_ptr(), c"tmpfs".as_ptr(), 0, none)
            }
            "keyctl" => libc::syscall(libc::SYS_keyctl, 0, -3, 0),
            "bpf" => libc::syscall(libc::SYS_bpf, 0, none, 0),
            "perf_event_open" => libc::syscall(libc::SYS_perf_event_open, none, 0, -1, -1, 0),
            "kexec_load" => libc::syscall(libc::SYS_kexec_load, 0, 0, none, 0),
            "open_by_handle_at" => libc::syscall(libc::SYS_open_by_handle_at, 0, none, 0),
            "socket-alg" => libc::syscall(libc::SYS_socket, libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
            "socket-vsock" => libc::syscall(libc::SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0),
            other => panic!("no call named {other}"),
        }
    }
}

/// A child that was made, against expectation, must not run on as a second test binary.
fn end_child(answer: i64) -> i64 {
    if answer == 0 {
        std::process::exit(0);
    }
    answer
}

/// Accept one connection on `port`, say who came, and pass on what they say.
fn serve(port: &str) {
    let listener = TcpListener::bind(("0.0.0.0", port.parse().unwrap())).unwrap();
    println!("ready");
    let (stream, peer) = listener.accept().unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    writeln!(&stream, "welcome, {}", peer.ip()).unwrap();
    println!("{}", line.trim_end());
}

/// Answer whoever comes by TCP or UDP to `port` with who we are and who they are, until somebody ends it.
fn answer(port: u16) {
    let name = std::env::var("NAME").unwrap_or_default();
    let datagrams = UdpSocket::bind(("0.0.0.0", port)).unwrap();
    let listener = TcpListener::bind(("0.0.0.0", port)).unwrap();
    println!("ready");
    let own = name.clone();
    std::thread::spawn(move || {
        let mut block = [0; 64];
        while let Ok((_, peer)) = datagrams.recv_from(&mut block) {
            let _ = datagrams.send_to(format!("{own} sees {}", peer.ip()).as_bytes(), peer);
        }
    });
    while let Ok((stream, peer)) = listener.accept() {
        let _ = write!(&stream, "{name} sees {}", peer.ip());
    }
}

/// What is answered at `tcp/ADDRESS:PORT` or `udp/ADDRESS:PORT`; `nothing`, or the kind of error, if nothing is.
pub fn ask_at(question: &str) -> String {
    let (protocol, address) = question.split_once('/').unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let answer = if protocol == "tcp" { ask_tcp(address) } else { ask_udp(address) };
    match answer {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            "nothing".to_owned()
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// As long as this is waited for an answer: far more than one takes, and as much as is lost where none comes.
const PATIENCE: Duration = Duration::from_secs(2);

fn ask_tcp(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn ask_udp(address: SocketAddr) -> std::io::Result<String> {
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(address)?;
    socket.send(b"hello")?;
    let mut block = [0; 64];
    let length = socket.recv(&mut block)?;
    Ok(String::from_utf8_lossy(&block[..length]).into_owned())
}

/// Connect to `address`, say hello, and print the answer.
fn greet(address: &str) {
    let stream = TcpStream::connect(address).unwrap();
    writeln!(&stream, "hello").unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    println!("{}", line.trim_end());
}
