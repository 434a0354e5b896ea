//! Listeners that were open before the server was: passed on by systemd, which keeps them over a restart, so that
//! no customer is ever refused. The protocol is that of sd_listen_fds(3): `LISTEN_FDS`, `LISTEN_PID`.

use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::net::TcpListener;

use super::Error;

/// What was passed on; each takes the place of one that the settings name.
#[derive(Debug, Default)]
pub struct Inherited {
    site: Option<std::net::TcpListener>,
    console: Option<std::net::TcpListener>,
}

impl Inherited {
    /// The first listener that was passed on is the site's, the second one the console's.
    ///
    /// # Errors
    ///
    /// If something else than listeners of TCP was passed on.
    pub fn from_env() -> io::Result<Inherited> {
        let mut passed = ListenFd::from_env();
        let mut next = |at| if at < passed.len() { passed.take_tcp_listener(at) } else { Ok(None) };
        Ok(Inherited { site: next(0)?, console: next(1)? })
    }

    pub(super) async fn site(&mut self, otherwise: SocketAddr) -> Result<TcpListener, Error> {
        listener(self.site.take(), otherwise).await
    }

    pub(super) async fn console(&mut self, otherwise: SocketAddr) -> Result<TcpListener, Error> {
        listener(self.console.take(), otherwise).await
    }
}

async fn listener(passed: Option<std::net::TcpListener>, address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = match passed {
        Some(passed) => passed.set_nonblocking(true).and_then(|()| TcpListener::from_std(passed)),
        None => TcpListener::bind(address).await,
    };
    listener.map_err(|source| Error::Listen { address, source })
}
