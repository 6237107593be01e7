//! What actix answers by itself, for comparison with ours: `/healthz`, and `/body`, a constant JSON text of BYTES bytes.
//! The scripts in `bench` start it: `bare ADDRESS [BYTES]`.
#![expect(clippy::print_stdout, reason = "who starts it is told where it listens")]

use std::time::Duration;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// With the settings of `src/serve.rs`, and the answers of `src/routes/monitoring.rs` and `src/routes/seats.rs`.
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let bytes = arguments.next().map_or(Ok(2), |bytes| bytes.parse()).map_err(std::io::Error::other)?;
    let text = web::Data::new(Bytes::from(text(bytes)));
    let routes = move || {
        App::new()
            .app_data(web::Data::clone(&text))
            .route("/healthz", web::get().to(healthz))
            .route("/body", web::get().to(body))
    };
    let server = HttpServer::new(routes)
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

/// A JSON text of so many bytes, at least two: one string.
fn text(bytes: usize) -> String {
    format!("\"{}\"", "-".repeat(bytes.saturating_sub(2)))
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

async fn body(text: web::Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(Bytes::clone(&text))
}
