//! Carry on what arrives at sockets to somewhere else: accept(2), connect(2), recvfrom(2), sendto(2), shutdown(2).
//!
//! The sockets may belong to another network namespace than the one that this process is in: a socket stays in that in
//! which it was made, and those that are made here lead into this one.

use super::call::Value;
use super::hold::Transport;
use super::{Call, Request, ask, process};
use crate::error::Result;
use nix::errno::Errno;
use std::collections::HashMap;
use std::io::Error;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// A socket at which something may arrive.
#[derive(Debug)]
pub struct Mouth {
    /// It is bound, and listens if its transport is TCP.
    pub socket: OwnedFd,
    /// What it carries.
    pub transport: Transport,
}

/// Where what arrives at the mouth of this number is to go now; `None` for nowhere.
pub type Target = dyn Fn(usize) -> Option<SocketAddrV4> + Send + Sync;

#[derive(Debug)]
struct Accept(usize);

impl Request for Accept {
    fn name(&self) -> &'static str {
        "accept"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("sockets", Value::Number(self.0 as i64));
    }
}

/// How long to wait for whoever is to answer a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long two who send each other datagrams are remembered when neither does.
const MEMORY: Duration = Duration::from_secs(90);

/// How many senders of datagrams are remembered for one socket.
const SENDERS: usize = 1024;

/// What a thread needs, which does nothing but read and write.
const STACK: usize = 64 << 10;

/// From now on, carry whatever arrives at `mouths` to where `target` says, and the answers back, for as long as this
/// process lives. It has several threads from here on.
pub fn serve(mouths: Vec<Mouth>, target: Arc<Target>) -> Result<()> {
    ask(Call::Other(&Accept(mouths.len())), || {
        for (number, Mouth { socket, transport }) in mouths.into_iter().enumerate() {
            let target = target.clone();
            let to = move || target(number);
            let started = match transport {
                Transport::Tcp => start(move || connections(&TcpListener::from(socket), &Arc::new(to))),
                Transport::Udp => start(move || datagrams(&Arc::new(UdpSocket::from(socket)), &to)),
            };
            started.map_err(|error| super::file::errno(&error))?;
        }
        Ok(())
    })
}

fn start(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    Builder::new().stack_size(STACK).spawn(work).map(drop)
}

fn connections(listener: &TcpListener, to: &Arc<impl Fn() -> Option<SocketAddrV4> + Send + Sync + 'static>) {
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                let to = to.clone();
                // Without another thread the connection is closed, as it would be without a server.
                let _ = start(move || drop(to().map(|target| carry(&client, target))));
            }
            Err(error) if is_shortage(&error) => process::pause_millisecond(),
            Err(_) => {}
        }
    }
}

/// There are too many connections just now, and the kernel does not tell when there are less.
fn is_shortage(error: &Error) -> bool {
    let shortages = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|number| shortages.contains(&Errno::from_raw(number)))
}

/// Carry one connection until both sides have said all. An error at one side is an end at the other.
fn carry(client: &TcpStream, target: SocketAddrV4) -> std::io::Result<()> {
    let server = TcpStream::connect_timeout(&target.into(), PATIENCE)?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    start(move || pour(&from, &to))?;
    pour(&server, client);
    Ok(())
}

fn pour(mut from: &TcpStream, mut to: &TcpStream) {
    let whole = std::io::copy(&mut from, &mut to).is_ok();
    let _ = to.shutdown(Shutdown::Write);
    if !whole {
        // Whoever cannot be written to need not be listened to.
        let _ = from.shutdown(Shutdown::Both);
    }
}

/// Who sends datagrams, with a socket of their own each and when it was last used.
type Senders = Arc<Mutex<HashMap<SocketAddr, (Arc<UdpSocket>, Instant)>>>;

fn datagrams(mouth: &Arc<UdpSocket>, to: &impl Fn() -> Option<SocketAddrV4>) {
    let senders = Senders::default();
    let mut block = vec![0u8; 64 << 10];
    loop {
        // What was sent before may be answered by an error now, which is for nobody here.
        let Ok((length, sender)) = mouth.recv_from(&mut block) else { continue };
        if let Some(socket) = socket_for(sender, mouth, &senders, to) {
            let _ = socket.send(&block[..length]);
        }
    }
}

fn socket_for(
    sender: SocketAddr,
    mouth: &Arc<UdpSocket>,
    senders: &Senders,
    to: &impl Fn() -> Option<SocketAddrV4>,
) -> Option<Arc<UdpSocket>> {
    let mut known = senders.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((socket, used)) = known.get_mut(&sender) {
        *used = Instant::now();
        return Some(socket.clone());
    }
    if known.len() >= SENDERS {
        return None;
    }
    let socket = Arc::new(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?);
    socket.connect(to()?).ok()?;
    socket.set_read_timeout(Some(MEMORY)).ok()?;
    known.insert(sender, (socket.clone(), Instant::now()));
    let (answers, mouth, senders) = (socket.clone(), mouth.clone(), senders.clone());
    let started = start(move || answer(&answers, &mouth, sender, &senders));
    if started.is_err() {
        known.remove(&sender);
    }
    Some(socket)
}

/// Carry back what is answered to `sender`, until nothing has been said for long, or nobody is there.
fn answer(answers: &UdpSocket, mouth: &UdpSocket, sender: SocketAddr, senders: &Senders) {
    let mut block = vec![0u8; 64 << 10];
    loop {
        match answers.recv(&mut block) {
            Ok(length) => drop(mouth.send_to(&block[..length], sender)),
            Err(error) => {
                let mut known = senders.lock().unwrap_or_else(PoisonError::into_inner);
                let quiet = error.kind() == std::io::ErrorKind::WouldBlock;
                let recent = known.get(&sender).is_some_and(|(_, used)| used.elapsed() < MEMORY);
                if !(quiet && recent) {
                    known.remove(&sender);
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn connections_and_datagrams_are_carried_both_ways() {
        let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (server, echo) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let v4 = |address: SocketAddr| match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => unreachable!(),
        };
        let targets = [v4(server.local_addr().unwrap()), v4(echo.local_addr().unwrap())];
        let doors = [tcp.local_addr().unwrap(), udp.local_addr().unwrap()];
        let mouths = vec![
            Mouth { socket: tcp.into(), transport: Transport::Tcp },
            Mouth { socket: udp.into(), transport: Transport::Udp },
        ];
        serve(mouths, Arc::new(move |number| Some(targets[number]))).unwrap();
        let mut client = TcpStream::connect(doors[0]).unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let (mut there, mut heard) = (server.accept().unwrap().0, String::new());
        there.read_to_string(&mut heard).unwrap();
        there.write_all(b"answer").unwrap();
        drop(there);
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        assert_eq!((heard.as_str(), said.as_str()), ("question", "answer"));
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"ping", doors[1]).unwrap();
        let mut block = [0; 16];
        let (length, from) = echo.recv_from(&mut block).unwrap();
        echo.send_to(&block[..length], from).unwrap();
        assert_eq!(sender.recv_from(&mut block).unwrap(), (4, doors[1]));
    }
}
