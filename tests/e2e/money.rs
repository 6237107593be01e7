//! Traps of wallets and charges.

use e2e::{Settings, Shop, Storage, on_each_storage};
use futures::future::join_all;
use serde_json::{Value, json};

on_each_storage![
    a_hundred_parallel_charges_all_count,
    amounts_that_are_none_are_refused,
    a_balance_does_not_overflow,
    the_largest_charge_is_allowed_and_no_more,
    the_wallet_gate_lets_waiters_in_when_told_so,
    a_wallet_is_the_users_in_every_queue,
];

/// W1, W10, W13, R12: a hundred parallel charges all succeed and all count; the entries chain without a hole.
async fn a_hundred_parallel_charges_all_count(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    let answers = join_all((0..100).map(async |_| ann.charge(7).await)).await;
    for answer in &answers {
        answer.expect(201);
    }
    assert_eq!(ann.balance().await, 700);
    let entries = ann.entries().await;
    for (n, entry) in entries.iter().rev().enumerate() {
        assert_eq!((&entry["seq"], &entry["balance_after"]), (&json!(n + 1), &json!((n + 1) * 7)), "{entry}");
    }
    assert_eq!(entries.len(), 100);
    shop.audit().await;
}

/// W3: amounts that are no amounts are refused at once, whatever they look like, and change nothing.
async fn amounts_that_are_none_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    ann.charge("12.50").await.expect(201);
    for amount in [
        "-1",
        "0",
        "0.00",
        "\"0\"",
        "1.005",
        "9223372036854775808",
        "9223372036854775807",
        "1e400",
        "1e100000000",
        "1e-100000000",
        "\"1e3\"",
        "1e3",
        "\"abc\"",
        "null",
        "true",
        "{}",
        "[]",
        "[1]",
        "\"\"",
        "\" 1\"",
        "\"+1\"",
        "\"0x10\"",
        "\"NaN\"",
        "\"1,5\"",
        "\"١\"",
        "1000000.01",
        "1000001",
        "-0",
        "1e2147483648",
        "0.001",
    ] {
        let body = format!("{{\"amount\":{amount}}}");
        let answer = ann.api(reqwest::Method::POST, "/wallet/charges").bytes(body).await;
        assert_eq!(answer.status, 400, "{amount}: {answer}");
    }
    for body in [r"{}", r#"{"amount":1,"amount":2}"#, r#"{"amount":1,"user_id":"ben"}"#] {
        let answer = ann.api(reqwest::Method::POST, "/wallet/charges").bytes(body).await;
        assert_eq!(answer.status, 400, "{body}: {answer}");
    }
    assert_eq!(ann.balance().await, 12.5);
    assert_eq!(ann.entries().await.len(), 1);
}

/// W3: a charge that would take the balance above the largest amount is refused, and the wallet goes on working.
async fn a_balance_does_not_overflow(storage: Storage) {
    let shop = Settings::on(storage).with("--max-charge", "10000000000000").open().await;
    let ann = shop.join("ann").await;
    ann.charge(json!(10_000_000_000_000_u64)).await.expect(201);
    ann.charge("0.01").await.refused(400, "validation_failed");
    assert_eq!(ann.balance().await, 10_000_000_000_000_u64);
    shop.audit().await;
}

/// R12: at most `max_charge`, the bound included.
async fn the_largest_charge_is_allowed_and_no_more(storage: Storage) {
    let shop = Settings::on(storage).with("--max-charge", "50.5").open().await;
    let ann = shop.join("ann").await;
    ann.charge("50.51").await.refused(400, "validation_failed");
    assert_eq!(ann.charge("50.50").await.expect(201)["balance"], 50.5);
}

/// R16: with `--wallet-gate any` people top up while they wait; without, only who is ACTIVE.
async fn the_wallet_gate_lets_waiters_in_when_told_so(storage: Storage) {
    for (gate, status) in [("active", 403), ("any", 201)] {
        let shop = Settings::line(storage, 0, 1, 1).with("--wallet-gate", gate).open().await;
        let ann = shop.join("ann").await;
        assert_eq!(ann.status().await, "WAITING");
        assert_eq!(ann.charge(5).await.status, status, "{gate}");
        let reads = if status == 201 { 200 } else { 403 };
        for path in ["/wallet", "/wallet/entries"] {
            assert_eq!(ann.get(path).await.status, reads, "{gate} {path}");
        }
    }
}

/// One wallet for all queues: it is the user's, not the token's (R12).
async fn a_wallet_is_the_users_in_every_queue(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.make_queue(json!({"name": "other"})).await;
    let (here, there) = (shop.join("ann").await, shop.join_queue("ann", "other").await);
    let charges = (0..60).map(async |n| if n % 2 == 0 { here.charge(5).await } else { there.charge(6).await });
    for answer in join_all(charges).await {
        answer.expect(201);
    }
    let balances: [Value; 2] = [here.balance().await, there.balance().await];
    assert_eq!(balances, [json!(330), json!(330)]);
    // R15: so is the key of a charge.
    here.charge(7).key("k").await.expect(201);
    assert!(there.charge(7).key("k").await.replayed());
    shop.audit().await;
}
