//! A server that lies: what an honest one answers, changed on the way.

use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Shop;

/// Headers that belong to a connection, and not to what goes through it.
const OF_THE_CONNECTION: [&str; 5] = ["connection", "content-length", "date", "host", "transfer-encoding"];

/// An answer on its way to who asked.
pub struct Reply {
    /// What was asked, as the API's page names it: `DELETE /reservations/{id}`.
    asked: String,
    /// Its status.
    pub status: u16,
    /// Its headers, named in lower case.
    headers: Vec<(String, String)>,
    /// Its JSON; null for none.
    pub body: Value,
}

impl Reply {
    /// Whether it is an answer of this status to this question.
    pub fn is(&self, asked: &str, status: u16) -> bool {
        (self.asked.as_str(), self.status) == (asked, status)
    }

    /// Whether it says so in this member of its body.
    pub fn says(&self, member: &str, value: &str) -> bool {
        self.body[member] == value
    }

    /// Whether it is said to be a first answer given again (R15).
    pub fn is_replay(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "idempotent-replayed")
    }

    /// Takes a header away.
    pub fn drop_header(&mut self, header: &str) {
        self.headers.retain(|(name, _)| name != header);
    }

    /// Makes a success of it.
    pub fn accept(&mut self, status: u16, body: Value) {
        self.turn_into(status, "application/json", body);
    }

    /// Makes a refusal of it.
    pub fn refuse(&mut self, status: u16, code: &str) {
        self.turn_into(status, "application/problem+json", json!({"status": status, "code": code}));
    }

    fn turn_into(&mut self, status: u16, kind: &str, body: Value) {
        (self.status, self.body) = (status, body);
        self.drop_header("content-type");
        self.headers.push(("content-type".to_owned(), kind.to_owned()));
    }
}

/// What is done to each answer.
type Lie = Arc<dyn Fn(&mut Reply) + Send + Sync>;

/// Somebody between a server and who asks it. Ends when it is dropped.
pub struct Liar {
    url: String,
    handle: ServerHandle,
}

/// What each of a liar's answers needs.
struct Tongue {
    server: String,
    http: reqwest::Client,
    lie: Lie,
}

impl Liar {
    /// Passes requests on to `shop` as they are, and its answers back as `lie` leaves them.
    pub fn about(shop: &Shop, lie: impl Fn(&mut Reply) + Send + Sync + 'static) -> Self {
        let (server, lie): (String, Lie) = (format!("http://{}", shop.socket()), Arc::new(lie));
        let make = move || {
            let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
            let tongue = Tongue { server: server.clone(), http, lie: Arc::clone(&lie) };
            App::new().app_data(web::Data::new(tongue)).default_service(web::to(pass))
        };
        let server =
            HttpServer::new(make).workers(1).disable_signals().bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let handle = running.handle();
        tokio::spawn(running);
        Self { url, handle }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        // It is told by this call, and has ended when the future has, which nobody waits for.
        drop(self.handle.stop(false));
    }
}

async fn pass(request: HttpRequest, body: web::Bytes, tongue: web::Data<Tongue>) -> HttpResponse {
    let method = request.method().as_str().parse().expect("a method is one");
    let mut passed = tongue.http.request(method, format!("{}{}", tongue.server, request.uri())).body(body);
    for (name, value) in request.headers().iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())) {
        passed = passed.header(name.as_str(), value.as_bytes());
    }
    // Who asks may have hung up, and so does the server then.
    let Ok(answer) = passed.send().await else { return HttpResponse::BadGateway().finish() };
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let Ok(told) = answer.bytes().await else { return HttpResponse::BadGateway().finish() };
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("headers of ours are text");
    let mut reply = Reply {
        asked: question(request.method(), request.path()),
        status,
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body: serde_json::from_slice(&told).unwrap_or_default(),
    };
    let truth = reply.body.clone();
    (tongue.lie)(&mut reply);
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).expect("a status is one"));
    for (name, value) in reply.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())) {
        response.append_header((name.as_str(), value.as_str()));
    }
    if reply.body == truth { response.body(told) } else { response.body(reply.body.to_string()) }
}

/// A request as the API's page names it.
fn question(method: &Method, path: &str) -> String {
    let below = path.trim_start_matches("/api/v1").split('/');
    let named: Vec<_> = below.map(|part| if Uuid::parse_str(part).is_ok() { "{id}" } else { part }).collect();
    format!("{method} {}", named.join("/"))
}
