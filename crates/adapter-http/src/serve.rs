//! Serving the API on a socket.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{HttpServer, web};

use crate::api::Api;
use crate::routes::{application, document};

/// How long an idle connection is kept: longer than usual pollers wait, and than usual proxies keep theirs.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a caller may take to send the head of a request; 408 and the end of the connection after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of a connection may take.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a graceful stop waits for what is in flight, in seconds; within the 30 s a stop may take altogether.
const SHUTDOWN_SECONDS: u64 = 25;

/// Serves `api` on `listener`, with one worker a core, until the server's handle stops it. Signals are the caller's.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, api: Api) -> std::io::Result<Server> {
    let (api, document) = (web::Data::new(api), web::Data::new(document()));
    let server = HttpServer::new(move || application(&api, &document))
        .disable_signals()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .tcp_nodelay(true)
        .listen(listener)?;
    Ok(server.run())
}
