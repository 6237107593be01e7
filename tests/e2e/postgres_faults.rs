//! PostgreSQL fails in the midst of a sale, or the way to it does: 503 while it lasts, and nothing else. Servers are never
//! restarted here (but for the one that is killed itself); that it goes on is part of every test.

use std::time::{Duration, Instant};

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use e2e::{LIMIT, Proxy, Settings, Shop, Toward, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use test_postgres::{Server, connect};
use tokio::time::timeout;

use crate::load::{PRICE, SEATS};
use crate::rush::Rush;

/// A server on this database.
async fn shop(url: &str) -> Shop {
    Settings::at(url).with("--wallet-gate", "any").open().await
}

/// Somebody beside the servers, who may do anything.
async fn operator(postgres: &Server) -> AsyncPgConnection {
    connect(&postgres.url("usher")).await
}

/// The URL of the user `shop`, who may do no more than a service should.
async fn as_shop(postgres: &Server) -> String {
    let setting = "CREATE ROLE shop LOGIN; ALTER DATABASE usher OWNER TO shop";
    operator(postgres).await.batch_execute(setting).await.unwrap();
    postgres.url("usher").replace("usher@", "shop@")
}

#[tokio::test]
async fn a_server_is_killed_and_the_other_goes_on() {
    let postgres = Server::start().await;
    let (one, two) = (shop(&postgres.url("usher")).await, shop(&postgres.url("usher")).await);
    let rush = Rush::at(vec![one, two.clone()]).await;
    let fault = async {
        for _ in 0..3 {
            two.crash().await;
            rush.fails().await;
            rush.sells().await;
            two.restart().await;
            rush.sells().await;
        }
    };
    rush.during(fault).await;
}

#[tokio::test]
async fn postgres_is_killed_and_restarted() {
    let postgres = Server::start().await;
    let rush = Rush::at(vec![shop(&postgres.url("usher")).await, shop(&postgres.url("usher")).await]).await;
    let fault = async {
        for _ in 0..3 {
            postgres.crash().await;
            rush.fails().await;
            postgres.restart().await;
            rush.sells().await;
        }
    };
    rush.during(fault).await;
}

/// As some providers set it up: commits are answered before they are on the disk, unless a session asks otherwise. Usher's do.
#[tokio::test]
async fn a_role_whose_commits_do_not_wait_for_the_disk_loses_nothing() {
    let postgres = Server::start().await;
    let url = as_shop(&postgres).await;
    operator(&postgres).await.batch_execute("ALTER ROLE shop SET synchronous_commit = off").await.unwrap();
    let shop = shop(&url).await;
    assert!(shop.output().contains("synchronous_commit is off for this role or database"), "{}", shop.output());
    let rush = Rush::at(vec![shop]).await;
    let fault = async {
        for _ in 0..3 {
            postgres.crash().await;
            postgres.restart().await;
            rush.sells().await;
        }
    };
    rush.during(fault).await;
}

/// A setting by which a crash loses what was answered is warned of also when it is made while a server runs, and once.
#[tokio::test]
async fn a_setting_that_loses_what_was_answered_is_warned_of_when_it_is_made() {
    const OURS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'usher'";
    let postgres = Server::start().await;
    let mut operator = operator(&postgres).await;
    let mut set = async |fsync: &str| {
        for sql in [&format!("ALTER SYSTEM SET fsync = {fsync}"), "SELECT pg_reload_conf()", OURS] {
            operator.batch_execute(sql).await.unwrap();
        }
    };
    set("on").await;
    let shop = shop(&postgres.url("usher")).await;
    assert!(!shop.output().contains("fsync is off"), "{}", shop.output());
    set("off").await;
    until("it is told", async || shop.output().contains("fsync is off").then_some(())).await;
    set("off").await;
    shop.join("ann").await;
    assert_eq!(shop.output().matches("fsync is off").count(), 1, "{}", shop.output());
}

#[tokio::test]
async fn the_network_fails_in_every_way() {
    let postgres = Server::start().await;
    let proxy = Proxy::to(&postgres.socket());
    let way = format!("postgres://usher@{}/usher", proxy.host());
    let rush = Rush::at(vec![shop(&way).await, shop(&postgres.url("usher")).await]).await;
    let faults = async {
        for _ in 0..10 {
            proxy.cut();
            rush.sells().await;
        }
        // Nobody is there.
        proxy.refuse(true);
        proxy.cut();
        rush.fails().await;
        proxy.refuse(false);
    };
    rush.during(faults).await;
}

/// The database, or the network before it, says nothing at all: nobody is left waiting until it does.
#[tokio::test]
async fn a_database_that_says_nothing_is_given_up() {
    let postgres = Server::start().await;
    let proxy = Proxy::to(&postgres.socket());
    let shop = shop(&format!("postgres://usher@{}/usher", proxy.host())).await;
    let sale = shop.concert(2, PRICE).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(PRICE).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    proxy.freeze(true);
    let (seats, concerts) = (format!("/schedules/{}/seats", sale.schedule), shop.api(Method::GET, "/concerts"));
    let requests = [
        shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "cem"})),
        ann.pay(&reservation).key("pay"),
        ben.hold(&sale.schedule, &[2]).key("hold"),
        ben.charge(PRICE).key("charge"),
        ann.reservation(&reservation),
        ann.get("/wallet"),
        ben.get(&seats),
        concerts,
    ];
    let answers = timeout(LIMIT, join_all(requests.map(IntoFuture::into_future))).await;
    for answer in answers.expect("nobody is left waiting") {
        let code = answer.code();
        assert!(answer.status == 503 && ["overloaded", "unavailable"].contains(&code.as_str()), "{answer}");
    }
    proxy.freeze(false);
    ann.pay(&reservation).key("pay").await.expect(201);
    ben.hold(&sale.schedule, &[2]).key("hold").await.expect(201);
    ben.charge(PRICE).key("charge").await.expect(201);
    assert_eq!((shop.join("ann").await.balance().await, ben.balance().await), (json!(0), json!(PRICE)));
    shop.audit().await;
}

/// Wherever the connection is cut, before COMMIT, within it or before its answer: it is done, once, and the caller is told.
#[tokio::test]
async fn a_cut_at_any_byte_is_neither_seen_nor_done_twice() {
    let postgres = Server::start().await;
    let proxy = Proxy::to(&postgres.socket());
    let shop = shop(&format!("postgres://usher@{}/usher", proxy.host())).await;
    let sale = shop.concert(SEATS, PRICE).await;
    let mut seat = 0;
    for (toward, step) in [(Toward::Client, 23), (Toward::Server, 199)] {
        let mut bytes = 0;
        loop {
            seat += 1;
            let visitor = shop.join(&format!("user-{seat}")).await;
            visitor.charge(PRICE).await.expect(201);
            let reservation = visitor.held(&sale.schedule, &[seat]).await;
            proxy.cut_after(toward, bytes);
            visitor.pay(&reservation).await.expect(201);
            if proxy.spare(toward) {
                break;
            }
            bytes += step;
        }
        assert!(bytes > 10 * step, "{bytes} bytes {toward:?} are no payment");
    }
    shop.audit().await;
    let visitor = shop.join("last").await;
    let sold = visitor.seats(&sale.schedule).await.iter().filter(|seat| seat["status"] == "SOLD").count();
    assert_eq!(u32::try_from(sold).unwrap(), seat);
}

#[tokio::test]
async fn no_connection_is_to_be_had() {
    let postgres = Server::start().await;
    let url = as_shop(&postgres).await;
    let rush = Rush::at(vec![shop(&url).await]).await;
    let mut operator = operator(&postgres).await;
    let fault = async {
        let nobody = "ALTER ROLE shop CONNECTION LIMIT 0;
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'";
        operator.batch_execute(nobody).await.unwrap();
        rush.fails().await;
        operator.batch_execute("ALTER ROLE shop CONNECTION LIMIT 3").await.unwrap();
        rush.sells().await;
        operator.batch_execute("ALTER ROLE shop CONNECTION LIMIT -1").await.unwrap();
    };
    rush.during(fault).await;
}

/// All connections of the pool wait for a lock that somebody keeps, and whoever wants another one waits for them.
#[tokio::test]
async fn somebody_keeps_a_lock() {
    let postgres = Server::start().await;
    let url = postgres.url("usher");
    let shop = shop(&url).await;
    let rush = Rush::at(vec![shop.clone()]).await;
    let readers = shop.join_all((0..40).map(|n| format!("reader-{n}"))).await;
    let mut operator = operator(&postgres).await;
    let fault = async {
        operator.batch_execute("BEGIN; LOCK TABLE reservations").await.unwrap();
        // They come again, as at the first time some may come so late that others have given their connections back.
        let reads = until("the pool is exhausted", async || {
            let codes = join_all(readers.iter().map(async |reader| {
                let answer = reader.get("/reservations").await;
                answer.expect(503);
                answer.code()
            }));
            codes.await.contains(&"overloaded".to_owned()).then_some(())
        });
        futures::join!(reads, rush.fails());
        operator.batch_execute("COMMIT").await.unwrap();
    };
    rush.during(fault).await;
}

#[tokio::test]
async fn the_database_takes_no_writes() {
    let postgres = Server::start().await;
    let url = as_shop(&postgres).await;
    let rush = Rush::at(vec![shop(&url).await]).await;
    let mut operator = operator(&postgres).await;
    let mut set = async |sql: &str| {
        operator.batch_execute(sql).await.unwrap();
        operator.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    let fault = async {
        set("ALTER SYSTEM SET default_transaction_read_only = on").await;
        rush.fails().await;
        set("ALTER SYSTEM RESET default_transaction_read_only").await;
    };
    rush.during(fault).await;
}

/// `could not extend file: No space left on device`, which is not PostgreSQL's end.
#[tokio::test]
async fn the_disk_is_full() {
    let postgres = Server::start().await;
    let rush = Rush::at(vec![shop(&postgres.url("usher")).await]).await;
    let mut operator = operator(&postgres).await;
    let function = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$";
    operator.batch_execute(function).await.unwrap();
    let faults = async {
        for table in ["tokens", "reservations", "entries"] {
            let full =
                format!("CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()");
            operator.batch_execute(&full).await.unwrap();
            rush.fails().await;
            operator.batch_execute(&format!("DROP TRIGGER full_disk ON {table}")).await.unwrap();
            rush.sells().await;
        }
    };
    rush.during(faults).await;
}

/// A large concert is loaded by many statements: each is given as long as any other, and all of them as long as that takes together.
#[tokio::test]
async fn a_large_concert_may_take_longer_than_a_statement() {
    let postgres = Server::start().await;
    let shop = shop(&postgres.url("usher")).await;
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON seats FOR EACH STATEMENT EXECUTE FUNCTION slow()";
    operator(&postgres).await.batch_execute(slow).await.unwrap();
    let before = Instant::now();
    let sale = shop.concert(100_000, PRICE).await;
    assert!(before.elapsed() > Duration::from_secs(12), "longer than the silence after which a server is given up");
    shop.join("ann").await.held(&sale.schedule, &[1, 100_000]).await;
    shop.audit().await;
}
