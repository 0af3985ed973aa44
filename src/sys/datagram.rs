//! UDP over IPv4: socket(2), bind(2), connect(2), sendto(2), recvfrom(2). See udp(7).
//!
//! A socket remembers the cgroup of the process that made it, and each packet it sends belongs to that.

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

#[derive(Debug)]
enum Udp {
    Bind { port: u16 },
    Sendto { port: u16 },
    Recvfrom,
}

impl Request for Udp {
    fn name(&self) -> &'static str {
        match self {
            Udp::Bind { .. } => "bind",
            Udp::Sendto { .. } => "sendto",
            Udp::Recvfrom => "recvfrom",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        if let Udp::Bind { port } | Udp::Sendto { port } = *self {
            each("sin_addr", Value::Address(Ipv4Addr::LOCALHOST));
            each("sin_port", Value::Number(port.into()));
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Udp::Recvfrom)
    }
}

/// A socket on the loopback interface of this network namespace.
#[derive(Debug)]
pub struct Datagrams(UdpSocket);

impl Datagrams {
    /// A new socket at 127.0.0.1 and `port`; 0 is any free one.
    pub fn bind(port: u16) -> Result<Self> {
        let mut made = None;
        ask(Call::Other(&Udp::Bind { port }), || {
            let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
            let socket = socket.map_err(|error| super::file::errno(&error))?;
            // Between processes of one machine a packet takes microseconds.
            let patience = socket.set_read_timeout(Some(Duration::from_millis(100)));
            patience.map_err(|error| super::file::errno(&error))?;
            made = Some(Self(socket));
            Ok(())
        })?;
        made.ok_or_else(|| crate::error::Error::new(crate::error::Problem::Refused))
    }

    /// Send one packet of one byte to `port` of the same host. `EPERM` when somebody forbids it to leave.
    pub fn send(&self, port: u16) -> Result<()> {
        let to = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        ask(Call::Other(&Udp::Sendto { port }), || {
            retry(|| self.0.send_to(b"x", to).map_err(|error| super::file::errno(&error))).map(|_| ())
        })
    }

    /// Take all packets that have come; how many. Waits a tenth of a second after the last.
    pub fn receive_all(&self) -> usize {
        let mut count = 0;
        let mut byte = [0];
        while ask(Call::Other(&Udp::Recvfrom), || {
            retry(|| self.0.recv(&mut byte).map_err(|error| super::file::errno(&error)))
        })
        .is_ok()
        {
            count += 1;
        }
        count
    }
}
