//! The network between a server and its database, and what can go wrong with it.

use std::net::TcpListener as Listener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// A way over TCP to a Unix socket. It works on a thread of its own, so that nothing that a test waits for stops it, and ends
/// when it is dropped.
pub struct Proxy {
    port: u16,
    wires: Arc<Wires>,
    worker: Option<JoinHandle<()>>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug)]
pub enum Toward {
    /// To who connected: answers.
    Client,
    /// To the socket: requests.
    Server,
}

struct Wires {
    socket: PathBuf,
    /// How many times all connections were cut; `None` at the end.
    cuts: watch::Sender<Option<u64>>,
    frozen: watch::Sender<bool>,
    refusing: watch::Sender<bool>,
    /// How many more bytes go toward the client, and toward the server, before that connection is cut.
    left: [AtomicI64; 2],
}

impl Proxy {
    /// A way to this socket.
    pub fn to(socket: &Path) -> Self {
        let listener = Listener::bind("127.0.0.1:0").expect("there is a free port");
        listener.set_nonblocking(true).expect("a socket takes settings");
        let port = listener.local_addr().expect("it has an address").port();
        let left = [AtomicI64::new(i64::MAX), AtomicI64::new(i64::MAX)];
        let (cuts, frozen, refusing) =
            (watch::Sender::new(Some(0)), watch::Sender::new(false), watch::Sender::new(false));
        let wires = Arc::new(Wires { socket: socket.to_owned(), cuts, frozen, refusing, left });
        let shared = Arc::clone(&wires);
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime starts");
            runtime.block_on(serve(listener, shared));
        });
        Self { port, wires, worker: Some(worker) }
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Cuts every connection that there is.
    pub fn cut(&self) {
        self.wires.cuts.send_modify(|cuts| *cuts = cuts.map(|cuts| cuts + 1));
    }

    /// Cuts the connection that carries the last of the next `bytes` that go this way.
    pub fn cut_after(&self, toward: Toward, bytes: i64) {
        self.wires.left(toward).store(bytes, Ordering::SeqCst);
    }

    /// Whether what [`Proxy::cut_after`] asked for has not happened yet; it will not then.
    pub fn spare(&self, toward: Toward) -> bool {
        self.wires.left(toward).swap(i64::MAX, Ordering::SeqCst) < i64::MAX / 2
    }

    /// Turns whoever connects from now on away, or no longer.
    pub fn refuse(&self, refusing: bool) {
        self.wires.refusing.send_replace(refusing);
    }

    /// Carries nothing from now on, without anybody being told, or carries on.
    pub fn freeze(&self, frozen: bool) {
        self.wires.frozen.send_replace(frozen);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wires.cuts.send_replace(None);
        if let Some(worker) = self.worker.take() {
            drop(worker.join());
        }
    }
}

impl Wires {
    fn left(&self, toward: Toward) -> &AtomicI64 {
        let [client, server] = &self.left;
        match toward {
            Toward::Client => client,
            Toward::Server => server,
        }
    }
}

async fn serve(listener: Listener, wires: Arc<Wires>) {
    let listener = TcpListener::from_std(listener).expect("a listener is one");
    let mut cuts = wires.cuts.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("a listener accepts");
                if !*wires.refusing.borrow() {
                    tokio::spawn(carry(client, Arc::clone(&wires)));
                }
            }
            _ = cuts.wait_for(Option::is_none) => return,
        }
    }
}

/// Carries one connection until either side closes it or it is cut.
async fn carry(client: TcpStream, wires: Arc<Wires>) {
    let mut cuts = wires.cuts.subscribe();
    // A database that is not there is a connection that ends.
    let Ok(server) = UnixStream::connect(&wires.socket).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, &wires, Toward::Server) => {}
        () = pump(from_server, to_client, &wires, Toward::Client) => {}
        _ = cuts.changed() => {}
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, wires: &Wires, toward: Toward) {
    let (mut buffer, mut frozen) = (vec![0; 64 * 1024], wires.frozen.subscribe());
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if frozen.wait_for(|frozen| !frozen).await.is_err() {
            return;
        }
        let wanted = i64::try_from(length).expect("a buffer is small");
        let left = wires.left(toward).fetch_sub(wanted, Ordering::SeqCst);
        let cut = (0..=wanted).contains(&left);
        let carried = if cut { usize::try_from(left).expect("it is positive") } else { length };
        if cut {
            wires.left(toward).store(i64::MAX, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..carried]).await.is_err() || cut {
            return;
        }
    }
}
