//! SIGTERM: what is in flight is finished, nothing is lost, exit code 0 (`docs/operations.md`).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use e2e::{LIMIT, Settings, Shop, Storage, on_each_storage, until};

use crate::load::{Log, PRICE, SEATS, buy_until_it_ends, nothing_is_lost};

on_each_storage![
    sigterm_under_load_loses_nothing,
    a_request_in_flight_is_answered,
    who_sends_nothing_does_not_hold_the_server_up,
    sigterm_right_after_the_start_is_obeyed,
    sighup_stops_nothing,
    a_log_that_cannot_be_written_ends_nothing,
    a_log_that_nobody_reads_stops_nothing,
];

/// A crowd buys while the server is told to end.
async fn sigterm_under_load_loses_nothing(storage: Storage) {
    let shop = Settings::on(storage).with("--wallet-gate", "any").open().await;
    let sale = shop.concert(SEATS, PRICE).await;
    let log = Log::default();
    let end = async {
        until("the crowd buys", async || (log.answered() >= 150).then_some(())).await;
        shop.terminate();
        shop.finished().await
    };
    let ((), finished) = futures::join!(buy_until_it_ends(&shop, &sale.schedule, &log, 0), end);
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    shop.restart().await;
    nothing_is_lost(&shop, &log).await;
    shop.audit().await;
}

/// A request that the server has begun to read when SIGTERM comes is answered, and its effect stays.
async fn a_request_in_flight_is_answered(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    let mut socket = TcpStream::connect(shop.socket()).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let body = r#"{"amount":100}"#;
    write!(
        socket,
        "POST /api/v1/wallet/charges HTTP/1.1\r\nHost: usher\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        ann.token,
        body.len()
    )
    .unwrap();
    // The server asks for the body: it has the request in hand.
    let mut asked = [0; 21];
    socket.read_exact(&mut asked).unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&asked));
    shop.terminate();
    until("no new connection is taken", async || TcpStream::connect(shop.socket()).is_err().then_some(())).await;
    socket.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("HTTP/1.1 201"), "{answer}");
    let finished = shop.finished().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    shop.restart().await;
    assert_eq!(ann.balance().await, 100);
}

/// Nobody who is slow to send keeps the server from ending: it ends within the 30 s, with exit code 0.
async fn who_sends_nothing_does_not_hold_the_server_up(storage: Storage) {
    let shop = Shop::open(storage).await;
    let mut stalled = Vec::new();
    for half in ["", "GET /api/v1/conc", "POST /api/v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"] {
        let mut socket = TcpStream::connect(shop.socket()).unwrap();
        socket.write_all(half.as_bytes()).unwrap();
        stalled.push(socket);
    }
    shop.join("ann").await;
    shop.terminate();
    let finished = shop.finished().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
}

/// Whoever starts a server may stop it as soon as it has said that it listens.
async fn sigterm_right_after_the_start_is_obeyed(storage: Storage) {
    for _ in 0..5 {
        let settings = Settings::on(storage);
        let process = settings.spawn();
        process.address();
        process.terminate();
        let finished = process.finished().await;
        assert_eq!(finished.code, Some(0), "{finished:#?}");
    }
}

/// A terminal that is closed ends no sale, nor does whoever asks for settings to be read anew.
async fn sighup_stops_nothing(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    shop.hang_up();
    until("it is told", async || shop.output().contains("SIGHUP").then_some(())).await;
    ann.charge(100).await.expect(201);
    shop.terminate();
    assert_eq!(shop.finished().await.code, Some(0));
}

/// The disk that the log goes to is full, and what the start-up says finds no room either: the sale goes on, and ends as it should.
async fn a_log_that_cannot_be_written_ends_nothing(storage: Storage) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings::on(storage).with("--listen", free);
    let server = settings.spawn_unheard();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answers = async || {
        let answer = http.get(format!("http://{free}/readyz")).send().await.ok()?;
        (answer.status() == 200).then_some(())
    };
    until("it serves", answers).await;
    // What it wants to say of this cannot be written.
    server.hang_up();
    for _ in 0..50 {
        assert_eq!(answers().await, Some(()));
    }
    server.terminate();
    assert_eq!(server.finished().await.code, Some(0));
}

/// Whoever reads the log stands still, and has left no room for a line: nobody waits for them, neither who buys nor who ends the
/// server.
async fn a_log_that_nobody_reads_stops_nothing(storage: Storage) {
    let settings = Settings::on(storage);
    let server = settings.spawn_unread();
    let address = server.address();
    let http = reqwest::Client::builder().no_proxy().timeout(LIMIT).build().unwrap();
    for _ in 0..50 {
        server.hang_up();
        assert_eq!(http.get(format!("{address}/readyz")).send().await.unwrap().status(), 200);
    }
    server.terminate();
    assert_eq!(server.finished().await.code, Some(0));
    // What is wrong with the flags cannot be told, and that is told by the exit code.
    assert_eq!(settings.with("--user-key", "short").spawn_unread().finished().await.code, Some(3));
}

/// The same of a scheduler whose log cannot be written.
#[tokio::test]
async fn a_schedulers_log_that_cannot_be_written_ends_nothing() {
    let settings = Settings::on(Storage::Postgres);
    let scheduler = settings.spawn_scheduler_unheard();
    let ticks = || settings.database().text("SELECT coalesce(ticked_at::text, '') AS text FROM clockwork");
    until("it ticks", async || (!ticks().is_empty()).then_some(())).await;
    scheduler.hang_up();
    let before = ticks();
    until("it goes on", async || (ticks() != before).then_some(())).await;
    scheduler.terminate();
    assert_eq!(scheduler.finished().await.code, Some(0));
}
