//! `/healthz` and nothing else: what actix answers by itself, for comparison with ours. `bench/line` starts it: `bare ADDRESS`.
#![expect(clippy::print_stdout, reason = "who starts it is told where it listens")]

use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// With the settings of `src/serve.rs`, and the answer of `src/operations.rs`.
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let server = HttpServer::new(|| App::new().route("/healthz", web::get().to(healthz)))
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(10))
        .client_disconnect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .bind(address)?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}
