//! The port that a server takes before it can answer, and opens when it can.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use tokio::net::TcpSocket;

/// How many callers the system may keep until they are let in; it takes fewer where it is set to.
const BACKLOG: u32 = 4_096;

/// A port that is ours. Whoever connects is refused until it is opened, so that no balancer sends anybody who would wait in vain.
pub(crate) struct Port {
    /// What was asked for, with the port that was free if any would do.
    pub(crate) address: SocketAddr,
    socket: TcpSocket,
}

impl Port {
    /// Takes the port, unless somebody listens there.
    pub(crate) fn take(wanted: SocketAddr) -> anyhow::Result<Self> {
        let taken = || -> std::io::Result<_> {
            let socket = if wanted.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            // Connections of a server that has just ended are no obstacle.
            socket.set_reuseaddr(true)?;
            socket.bind(wanted)?;
            Ok((socket.local_addr()?, socket))
        };
        let (address, socket) = taken().with_context(|| could_not(wanted))?;
        Ok(Self { address, socket })
    }

    /// Opens it.
    pub(crate) fn listen(self) -> anyhow::Result<TcpListener> {
        let opened = self.socket.listen(BACKLOG).and_then(tokio::net::TcpListener::into_std);
        opened.with_context(|| could_not(self.address))
    }
}

fn could_not(address: SocketAddr) -> String {
    format!("could not listen on {address}; is another server running there?")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn nobody_is_let_in_before_it_is_opened() {
        let port = Port::take("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = port.address;
        assert!(TcpStream::connect(address).is_err());
        let listener = port.listen().unwrap();
        assert!(TcpStream::connect(address).is_ok());
        let line = format!("{:#}", Port::take(address).err().unwrap());
        assert!(
            line.starts_with(&format!("could not listen on {address}; is another server running there?")),
            "{line}"
        );
        drop(listener);
        Port::take(address).unwrap();
    }
}
