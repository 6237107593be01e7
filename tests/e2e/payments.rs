//! Traps of payments.

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage};
use futures::future::{join, join_all};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

on_each_storage![
    fifty_payments_of_one_reservation_pay_once,
    a_balance_equal_to_the_price_is_enough,
    a_wrong_amount_never_succeeds,
    what_is_anothers_stays_anothers,
    cancelling_twice_frees_once,
    of_cancel_and_pay_exactly_one_wins,
    of_payment_and_expiry_exactly_one_wins,
    the_price_is_copied_at_hold_time,
    what_is_held_may_be_paid_after_the_start,
    leaving_gives_back_what_is_held,
];

/// W6: fifty parallel payments of one reservation: one payment, one deduction, one entry.
async fn fifty_payments_of_one_reservation_pay_once(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let ann = shop.join("ann").await;
    ann.charge(100).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    let answers = join_all((0..50).map(async |_| ann.pay(&reservation).await)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        // R6: the token ended by paying this very reservation.
        answer.refused(409, "already_paid");
    }
    assert_eq!(ann.list("/payments").await.len(), 1);
    let again = shop.join("ann").await;
    assert_eq!((again.balance().await, again.entries().await.len()), (json!(70), 2));
    shop.audit().await;
}

/// W2, R13: a balance equal to the price is enough; a hundredth less is not, and says both numbers.
async fn a_balance_equal_to_the_price_is_enough(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let ann = shop.join("ann").await;
    let reservation = ann.held(&sale.schedule, &[1]).await;
    ann.pay(&reservation).await.refused(402, "insufficient_balance");
    ann.charge("29.99").await.expect(201);
    let problem = ann.pay(&reservation).await.refused(402, "insufficient_balance");
    assert_eq!((&problem["balance"], &problem["amount"]), (&json!(29.99), &json!(30)));
    // W14: a refused payment changes nothing: not the token, not the wallet, not the hold.
    assert_eq!((ann.status().await.as_str(), ann.balance().await), ("ACTIVE", json!(29.99)));
    ann.charge("0.01").await.expect(201);
    assert_eq!(ann.pay(&reservation).await.expect(201)["balance"], 0);
    shop.audit().await;
}

/// W4: an amount that the caller names decides nothing; it must be right.
async fn a_wrong_amount_never_succeeds(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let ann = shop.join("ann").await;
    ann.charge(100).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    for amount in [json!(1), json!(0), json!("29.99"), json!(30.01), json!(10_000_000)] {
        let body = json!({"reservation_id": reservation, "amount": amount});
        ann.post("/payments", body).await.refused(400, "amount_mismatch");
    }
    for body in [
        json!({"reservation_id": reservation, "amount": -30}),
        json!({"reservation_id": reservation, "discount": 30}),
        json!({}),
    ] {
        assert_eq!(ann.post("/payments", body.clone()).await.status, 400, "{body}");
    }
    assert_eq!(ann.balance().await, 100);
    ann.post("/payments", json!({"reservation_id": reservation, "amount": "30.00"})).await.expect(201);
    shop.audit().await;
}

/// W5, Q14: nobody pays, reads or cancels somebody else's reservation; nothing moves.
async fn what_is_anothers_stays_anothers(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(100).await.expect(201);
    ben.charge(100).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    ben.pay(&reservation).await.refused(403, "user_mismatch");
    ben.reservation(&reservation).await.refused(404, "not_found");
    ben.cancel(&reservation).await.refused(404, "not_found");
    assert_eq!((ann.balance().await, ben.balance().await), (json!(100), json!(100)));
    let payment = ann.pay(&reservation).await.expect(201);
    ben.get(&format!("/payments/{}", payment["id"].as_str().unwrap())).await.refused(404, "not_found");
    assert_eq!(ben.list("/reservations").await.len() + ben.list("/payments").await.len(), 0);
    // R13: the status is checked before the owner.
    ben.pay(&reservation).await.refused(409, "already_paid");
    shop.audit().await;
}

/// W11, R17: cancelled twice at once it is freed once and both are told yes; a later holder is not touched.
async fn cancelling_twice_frees_once(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    for answer in join_all((0..10).map(async |_| ann.cancel(&reservation).await)).await {
        answer.expect(204);
    }
    let other = ben.held(&sale.schedule, &[1]).await;
    ann.cancel(&reservation).await.expect(204);
    ann.pay(&reservation).await.refused(409, "reservation_cancelled");
    assert_eq!(ben.reservation(&other).await.expect(200)["status"], "PENDING");
    ben.seat_becomes(&sale.schedule, 1, "HELD").await;
    let ended = ann.reservation(&reservation).await.expect(200);
    assert_eq!((&ended["status"], &ended["cancel_reason"]), (&json!("CANCELLED"), &json!("USER")));
    shop.audit().await;
}

/// W11, S3: cancel and pay race; exactly one wins, and everything agrees on which.
async fn of_cancel_and_pay_exactly_one_wins(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(40, 30).await;
    let races = (1..=40).map(async |seat| {
        let ann = shop.join(&format!("user-{seat}")).await;
        ann.charge(30).await.expect(201);
        let id = ann.held(&sale.schedule, &[seat]).await;
        let (pay, cancel) = (ann.pay(&id).into_future(), ann.cancel(&id).into_future());
        // Every second one starts the other way round.
        let (paid, cancelled) = if seat % 2 == 0 {
            join(pay, cancel).await
        } else {
            let (cancelled, paid) = join(cancel, pay).await;
            (paid, cancelled)
        };
        one_of_both(&shop, &ann, &id, paid.status == 201, cancelled.status == 204).await;
        if paid.status == 201 {
            // R17: the payment ended the token.
            cancelled.refused(403, "token_not_active");
        } else {
            paid.refused(409, "reservation_cancelled");
        }
    });
    join_all(races).await;
    shop.audit().await;
}

async fn one_of_both(shop: &Shop, visitor: &Visitor, reservation: &str, paid: bool, cancelled: bool) {
    assert_ne!(paid, cancelled, "exactly one of both");
    let status = visitor.reservation(reservation).await.expect(200)["status"].clone();
    assert_eq!(status, if paid { "CONFIRMED" } else { "CANCELLED" });
    let token = shop.join(&visitor.user).await;
    assert_eq!(token.token == visitor.token, cancelled, "only a payment ends the token");
    assert_eq!(token.balance().await, if paid { 0 } else { 30 });
}

/// S3, S4: payments race the end of their holds; each is paid or ran out, and the seat is never both.
async fn of_payment_and_expiry_exactly_one_wins(storage: Storage) {
    let shop = Settings::on(storage).with("--hold-seconds", 1).open().await;
    let sale = shop.concert(60, 30).await;
    let races = (1..=60).map(async |seat| {
        let ann = shop.join(&format!("user-{seat}")).await;
        ann.charge(30).await.expect(201);
        let id = ann.held(&sale.schedule, &[seat]).await;
        // The crowd pays over a span around the deadline; whoever comes when, the outcome is one of two.
        about_the_end(&ann, &id, i64::from(seat) - 30).await;
        let paid = ann.pay(&id).await;
        let status = ann.reservation(&id).await.expect(200)["status"].clone();
        if paid.status == 201 {
            assert_eq!(status, "CONFIRMED");
        } else {
            paid.refused(410, "reservation_expired");
            assert_eq!((status, ann.balance().await), (json!("CANCELLED"), json!(30)));
        }
    });
    join_all(races).await;
    shop.audit().await;
}

/// Waits until so many milliseconds after the end of a hold, or before it, by the server's clock, which no test can move.
pub(crate) async fn about_the_end(visitor: &Visitor, reservation: &str, after: i64) {
    let end = instant(&visitor.reservation(reservation).await.expect(200)["expires_at"]);
    let left = end - instant(&visitor.place().await["server_time"]) + time::Duration::milliseconds(after);
    tokio::time::sleep(left.try_into().unwrap_or_default()).await;
}

/// An instant of an answer.
pub(crate) fn instant(text: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(text.as_str().unwrap(), &Rfc3339).unwrap()
}

/// R9: the price is the one of the moment of the hold.
async fn the_price_is_copied_at_hold_time(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let ann = shop.join("ann").await;
    ann.charge(30).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    shop.database().execute("UPDATE seats SET price = 9900");
    assert_eq!(ann.pay(&reservation).await.expect(201)["amount"], 30);
}

/// R11: what is held may still be paid after the schedule has started; nothing more of it can be held.
async fn what_is_held_may_be_paid_after_the_start(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 30).await;
    let ann = shop.join("ann").await;
    ann.charge(30).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[1]).await;
    shop.database().begin(&sale.schedule);
    shop.crash().await;
    shop.restart().await;
    ann.hold(&sale.schedule, &[2]).await.refused(409, "sale_closed");
    ann.pay(&reservation).await.expect(201);
}

/// R17: leaving the queue gives back what is held there and not what is paid.
async fn leaving_gives_back_what_is_held(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 30).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    let reservation = ann.held(&sale.schedule, &[1, 2]).await;
    ann.leave().await.expect(204);
    ann.leave().await.expect(204);
    let ended = ann.reservation(&reservation).await.expect(200);
    assert_eq!((&ended["status"], &ended["cancel_reason"]), (&json!("CANCELLED"), &json!("LEFT")));
    ben.held(&sale.schedule, &[1, 2]).await;
    shop.audit().await;
}
