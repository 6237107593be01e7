//! Hostile input: a 4xx, or a closed connection where HTTP itself was broken; nothing changes, the process lives.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use e2e::{LIMIT, Shop, Visitor};
use reqwest::Method;
use serde_json::{Value, json};

/// Bodies that are no requests, to every route that takes one.
#[tokio::test]
async fn hostile_bodies_are_refused() {
    let shop = Shop::open().await;
    let sale = shop.concert(2, 10).await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let bodies: Vec<Vec<u8>> = vec![
        vec![],
        b"{".to_vec(),
        b"null".to_vec(),
        b"\"\"".to_vec(),
        b"0".to_vec(),
        b"[]".to_vec(),
        b"{}{}".to_vec(),
        b"{\"user_id\":\"a\"} trailing".to_vec(),
        b"{\"user_id\":\"\xff\xfe\"}".to_vec(),
        b"{\"user_id\":\"\\ud800\"}".to_vec(),
        b"\xef\xbb\xbf{\"user_id\":\"a\"}".to_vec(),
        b"\x00".repeat(1_000),
        b"\xff\xd8\xff".repeat(1_000),
        deep("[", "]", 30_000).into_bytes(),
        deep("{\"a\":", "}", 8_000).into_bytes(),
        deep("{\"amount\":[", "]}", 5_000).into_bytes(),
        format!("{{\"amount\":{}}}", "9".repeat(60_000)).into_bytes(),
        format!("{{\"amount\":1{}}}", "0".repeat(60_000)).into_bytes(),
        format!("{{\"amount\":0.{}1}}", "0".repeat(60_000)).into_bytes(),
        format!("{{\"user_id\":\"{}\"}}", "a".repeat(60_000)).into_bytes(),
        format!("{{{}}}", vec!["\"user_id\":\"a\""; 4_000].join(",")).into_bytes(),
        b"{\"seat_ids\":[".iter().copied().chain(b"\"a\",".repeat(10_000)).chain(*b"\"a\"]}").collect(),
        b"{\"reservation_id\":\"' OR 1=1 --\"}".to_vec(),
        b"{\"schedule_id\":\"../../etc/passwd\",\"seat_numbers\":[1]}".to_vec(),
    ];
    for (method, path) in [
        (Method::POST, "/queue/tokens"),
        (Method::POST, "/reservations"),
        (Method::POST, "/wallet/charges"),
        (Method::POST, "/payments"),
        (Method::POST, "/admin/concerts"),
        (Method::PATCH, "/admin/queues/main"),
    ] {
        for body in &bodies {
            let token = if path.starts_with("/admin") { e2e::ADMIN_KEY } else { &ann.token };
            let answer = shop.api(method.clone(), path).bearer(token).bytes(body.clone()).await;
            assert!((400..500).contains(&answer.status), "{:.200}: {answer}", String::from_utf8_lossy(body));
        }
    }
    assert_eq!(shop.database().dump(), before);
    ann.held(&sale.schedule, &[1]).await;
}

/// Ten megabytes, said or streamed, are not read into memory: 413, or the connection is closed on the sender.
#[tokio::test]
async fn ten_megabytes_are_refused() {
    let shop = Shop::open().await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    for (path, token) in
        [("/queue/tokens", ann.token.as_str()), ("/wallet/charges", &ann.token), ("/admin/concerts", e2e::ADMIN_KEY)]
    {
        let body = format!("{{\"title\":\"{}\"}}", "a".repeat(10 * 1024 * 1024));
        let answer = shop.api(Method::POST, path).bearer(token).bytes(body).answer().await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 413), "{path}: {answer:?}");
    }
    // The same, of a length that nobody has said.
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let head = format!(
        "POST /api/v1/wallet/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        ann.token
    );
    let answer = say(&shop, (head + &chunk.repeat(160) + "0\r\n\r\n").as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    // 8 MiB are allowed to the admin: what is refused there is refused for what it says.
    let large = format!("{{\"title\":\"{}\"}}", "a".repeat(7 * 1024 * 1024));
    shop.admin(Method::POST, "/concerts").bytes(large).await.refused(400, "validation_failed");
    assert_eq!(shop.database().dump(), before);
    assert_eq!(ann.status().await, "ACTIVE");
}

/// The largest concert is loaded and sold; one seat or schedule more is not.
#[tokio::test]
async fn the_largest_concert_is_sold_and_a_larger_one_refused() {
    let shop = Shop::open().await;
    let evening = |count: u32| json!({"starts_at": "2099-01-01T00:00:00Z", "seats": [{"count": count, "price": 1}]});
    let load = |schedules: Vec<Value>| {
        shop.admin(Method::POST, "/concerts").json(json!({"title": "t", "schedules": schedules}))
    };
    load(vec![evening(100_001)]).await.refused(400, "validation_failed");
    load(vec![evening(1); 101]).await.refused(400, "validation_failed");
    load(vec![]).await.refused(400, "validation_failed");
    let mut halls = vec![evening(1); 99];
    halls.insert(0, evening(99_901));
    let made = load(halls).await.expect(201);
    let largest = made["schedules"][0]["id"].as_str().unwrap();
    let ann = shop.join("ann").await;
    ann.held(largest, &[1, 99_901]).await;
    let seats = ann.seats(largest).await;
    assert_eq!((seats.len(), &seats[99_900]["status"]), (99_901, &json!("HELD")));
    assert_eq!(ann.list("/schedules").await.len(), 100);
}

/// Paths, queries and headers that nobody would write.
#[tokio::test]
async fn hostile_paths_and_headers_are_refused() {
    let shop = Shop::open().await;
    shop.concert(2, 10).await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    let id = "01890000-0000-7000-8000-000000000000";
    for path in [
        "/reservations/1",
        "/reservations/%00",
        "/reservations/*",
        "/reservations/%ff%fe",
        "/payments/..%2f..%2fetc",
        "/payments/x",
        "/schedules/x/seats",
        "/concerts/x/schedules",
        "/schedules?from=yesterday",
        "/schedules?from=2099-02-30",
        "/schedules?to=20991224",
        "/schedules?limit=0",
        "/schedules?limit=101",
        "/schedules?limit=-1",
        "/schedules?limit=x",
        "/schedules?cursor=x",
        "/wallet/entries?cursor=%00",
        "/wallet/entries?cursor=-1",
        "/reservations?cursor='",
        "/payments?cursor=*",
        "/payments?limit=99999999999999999999",
        "/wallet/entries?limit=",
        "/concerts?cursor=%ff",
        "/schedules?from=%f0",
        &format!("/reservations/{id}{id}"),
        &format!("/schedules/{id}/seats"),
        &format!("/schedules/{id}/seats?available=maybe"),
        &format!("/concerts/{}", "a".repeat(5_000)),
        "//",
        "/./..",
    ] {
        let answer = ann.get(path).await;
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    // What a server does not know of a query does no harm; what it answers is no failure of its own.
    for (name, value) in [
        ("X-Request-Id", &b"a b\tc"[..]),
        ("X-Request-Id", &[b'x'; 2_000]),
        ("X-Request-Id", b"\xff\xfe"),
        ("Accept-Language", &[b'k'; 4_000]),
        ("Accept-Language", b"ko;q=nonsense,,,;;;"),
        ("Accept-Encoding", b"nonsense;q=9"),
        ("Content-Type", b"\xff"),
        ("If-None-Match", b"\"\xff"),
        ("Range", b"bytes=0-18446744073709551616"),
        ("Idempotency-Key", b"\xff"),
        ("Origin", b"null"),
        ("X-Forwarded-For", b"; DROP TABLE tokens"),
    ] {
        for path in ["/wallet", "/concerts", "/schedules"] {
            let answer = ann.get(path).header(name, value).await;
            assert!(answer.status < 500, "{name}: {answer}");
            let id = answer.header("X-Request-Id");
            let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            assert!(plain && (1..=64).contains(&id.len()), "{id}");
        }
    }
    assert_eq!(shop.database().dump(), before);
}

/// Raw bytes on the socket: what is no HTTP gets a bare 400, 408 or 431 or a closed connection (design 4).
#[tokio::test]
async fn raw_bytes_on_the_socket_do_no_harm() {
    let shop = Shop::open().await;
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
#[tokio::test]
async fn a_refused_body_is_no_request() {
    let shop = Shop::open().await;
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
#[tokio::test]
async fn callers_that_go_away_leave_nothing_half_done() {
    let shop = Shop::open().await;
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
#[tokio::test]
async fn an_endless_head_is_cut_off() {
    let shop = Shop::open().await;
    let mut socket = TcpStream::connect(shop.socket()).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.write_all(b"GET /api/v1/concerts HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("the server ends the connection");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// Sends bytes, closes the sending side, and returns what came back before the connection ended.
fn say(shop: &Shop, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(shop.socket()).unwrap();
    // A server that waits for the rest of a broken request is no failure; it just says nothing.
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    // The server may have closed the connection before everything was sent.
    drop(socket.write_all(bytes));
    drop(socket.shutdown(std::net::Shutdown::Write));
    let mut answer = Vec::new();
    drop(socket.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

async fn alive(visitor: &Visitor) {
    visitor.charge(1).await.expect(201);
    assert_eq!(visitor.balance().await, 1);
}
