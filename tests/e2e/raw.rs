//! Bytes on the socket, without an HTTP client in between: broken requests, slow ones, and callers that go away.

use e2e::{LIMIT, Shop, Storage, Visitor, on_each_storage};
use std::io::{Read, Write};
use std::net::TcpStream;

on_each_storage![
    raw_bytes_on_the_socket_do_no_harm,
    a_refused_body_is_no_request,
    callers_that_go_away_leave_nothing_half_done,
    an_endless_head_is_cut_off,
];

/// Raw bytes on the socket: what is no HTTP gets a bare 400, 408 or 431 or a closed connection (`docs/contract.md`, errors).
async fn raw_bytes_on_the_socket_do_no_harm(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    let long = "a".repeat(300_000);
    let posted = |headers: &str, body: &str| {
        format!(
            "POST /api/v1/wallet/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{headers}\r\n{body}",
            ann.token
        )
    };
    let amount = "{\"amount\":1}";
    let attacks: Vec<Vec<u8>> = vec![
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\x00".repeat(5_000),
        b"\xff".repeat(5_000),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /api/v1/concerts HTTP/1.1\r\n: empty\r\n\r\n".to_vec(),
        b"GET /api/v1/concerts HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "X-Many: y\r\n".repeat(10_000)).into_bytes(),
        posted("Content-Length: -1\r\n", amount).into_bytes(),
        posted("Content-Length: 99999999999999999999999\r\n", amount).into_bytes(),
        posted("Content-Length: 12\r\nContent-Length: 13\r\n", amount).into_bytes(),
        posted("Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n").into_bytes(),
        posted("Transfer-Encoding: chunked\r\n", "zz\r\n{\"amount\":1}\r\n0\r\n\r\n").into_bytes(),
        posted("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n").into_bytes(),
        // Cut off in the middle: the request was never whole.
        posted("Content-Length: 12\r\n", "{\"amou").into_bytes(),
    ];
    for attack in attacks {
        let answer = say(&shop, &attack);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(answer.is_empty() || status.starts_with('4'), "{:.100}: {answer}", String::from_utf8_lossy(&attack));
    }
    assert_eq!(shop.database().dump(), before);
    alive(&ann).await;
}

/// The body of a request that was refused is not taken for the next request on the connection.
async fn a_refused_body_is_no_request(storage: Storage) {
    let shop = Shop::open(storage).await;
    let hidden = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50);
    let post = |path: &str, kind: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n")
    };
    for (head, status) in [
        (post("/api/v1/queue/tokens", "text/plain", hidden.len()), "415"),
        (post("/api/v1/queue/tokens", "application/json", hidden.len()), "400"),
        (post("/api/v1/wallet/charges", "application/json", hidden.len()), "401"),
        (post("/api/v1/nowhere", "application/json", hidden.len()), "404"),
        (post("/healthz", "application/json", hidden.len()), "405"),
        (post("/api/v1/queue/tokens", "application/json", 70_000), "413"),
    ] {
        let padding = " ".repeat(if status == "413" { 70_000 - hidden.len() } else { 0 });
        let answers = say(&shop, format!("{head}{hidden}{padding}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| answer.get(..3).unwrap()).collect();
        // Either the connection goes on behind the body, or it ends.
        assert!(statuses == [status, "200"] || statuses == [status], "{status}: {answers}");
    }
}

/// P2: callers that go away without waiting for the answer leave nothing half done.
async fn callers_that_go_away_leave_nothing_half_done(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    let body = "{\"amount\":1}";
    for n in 0..60 {
        let mut socket = TcpStream::connect(shop.socket()).unwrap();
        write!(
            socket,
            "POST /api/v1/wallet/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nIdempotency-Key: gone-{n}\r\nContent-Length: {}\r\n\r\n{body}",
            ann.token,
            body.len()
        )
        .unwrap();
    }
    // Whatever became of each of them, asked for again under its key it counts once.
    for n in 0..60 {
        ann.charge(1).key(&format!("gone-{n}")).await.expect(201);
    }
    assert_eq!((ann.balance().await, ann.entries().await.len()), (60.into(), 60));
    shop.audit().await;
}

/// Who begins a request and says no more is let go: connections are not for keeping.
async fn an_endless_head_is_cut_off(storage: Storage) {
    let shop = Shop::open(storage).await;
    let mut socket = TcpStream::connect(shop.socket()).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.write_all(b"GET /api/v1/concerts HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("the server ends the connection");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// Sends bytes, closes the sending side, and returns what came back before the connection ended.
pub(crate) fn say(shop: &Shop, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(shop.socket()).unwrap();
    // A server that waits for the rest of a broken request gives that up by itself.
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    // The server may have closed the connection before everything was sent.
    drop(socket.write_all(bytes));
    drop(socket.shutdown(std::net::Shutdown::Write));
    let mut answer = Vec::new();
    // It may also have closed it without having read everything, which is told as an error, and what was answered with it.
    if let Err(error) = socket.read_to_end(&mut answer) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the server ends the connection");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

async fn alive(visitor: &Visitor) {
    visitor.charge(1).await.expect(201);
    assert_eq!(visitor.balance().await, 1);
}
