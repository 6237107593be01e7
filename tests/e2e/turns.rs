//! How long a turn lasts, whatever its user does, and what a token can do when it is over: R5, R14, R16, R17.

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage};
use serde_json::json;

use crate::payments::instant;

on_each_storage![
    who_holds_for_ever_keeps_nobody_out,
    a_cancelled_hold_gives_its_time_back,
    after_selection_the_last_hold_ends_the_turn,
    two_evenings_are_paid_one_after_the_other,
    what_ends_the_last_hold_ends_who_has_paid,
    an_old_token_harms_no_later_one,
    who_left_charges_nothing,
    an_ended_token_reads_for_a_day,
];

/// R5: however somebody holds, cancels and holds again, the turn is over when `--active-seconds` and one hold are, and the next one
/// comes in.
async fn who_holds_for_ever_keeps_nobody_out(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).with("--active-seconds", 3).with("--hold-seconds", 2).open().await;
    let sale = shop.concert(8, 10).await;
    let (hog, next) = (shop.join("hog").await, shop.join("next").await);
    let selection = instant(&hog.joined["selection_ends_at"]);
    assert_eq!(selection - instant(&hog.joined["activated_at"]), time::Duration::seconds(3));
    let mut held = Vec::new();
    for seat in (1..=8).cycle() {
        let answer = hog.hold(&sale.schedule, &[seat]).await;
        match &*answer.code() {
            "" => {
                assert!(instant(&answer.json()["reserved_at"]) < selection, "{answer}");
                held.push(answer.json()["id"].as_str().unwrap().to_owned());
            }
            "selection_closed" => assert_eq!(instant(&answer.json()["selection_ends_at"]), selection),
            // One after the other is given back, so that there is always one to be held anew.
            "seat_limit" => drop(hog.cancel(&held.remove(0)).await),
            "seat_taken" => {}
            _ => {
                answer.refused(403, "token_not_active");
                break;
            }
        }
        let place = hog.place().await;
        let over = instant(&place["expires_at"]);
        assert!(over - selection <= time::Duration::seconds(2), "longer than one hold: {place}");
        assert!(place["status"] == "EXPIRED" || instant(&place["server_time"]) < over, "{place}");
    }
    next.becomes("ACTIVE").await;
    assert_eq!(hog.status().await, "EXPIRED");
    assert_eq!(shop.queue("main").await["ended"]["deadline"], 1);
    shop.audit().await;
}

/// R5: a turn lasts as long as what is held in it, and no longer when that is given up.
async fn a_cancelled_hold_gives_its_time_back(storage: Storage) {
    let shop = Settings::on(storage).with("--active-seconds", 600).with("--hold-seconds", 6_000).open().await;
    let sale = shop.concert(2, 30).await;
    let ann = shop.join("ann").await;
    let selection = &ann.joined["selection_ends_at"];
    let (first, second) = (ann.hold(&sale.schedule, &[1]).await, ann.hold(&sale.schedule, &[2]).await);
    for (given_up, over) in
        [(None, &second.json()["expires_at"]), (Some(&second), &first.json()["expires_at"]), (Some(&first), selection)]
    {
        if let Some(hold) = given_up {
            ann.cancel(hold.json()["id"].as_str().unwrap()).await.expect(204);
        }
        let place = ann.place().await;
        assert_eq!((&place["selection_ends_at"], &place["expires_at"]), (selection, over));
    }
    ann.held(&sale.schedule, &[1, 2]).await;
    shop.audit().await;
}

/// R5: when selection is over nothing more is held, and the turn goes on as long as something is. The last cancel ends it at once.
async fn after_selection_the_last_hold_ends_the_turn(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let sale = shop.concert(4, 10).await;
    let (ann, next) = (shop.join("ann").await, shop.join("next").await);
    let (first, second) = (ann.held(&sale.schedule, &[1]).await, ann.held(&sale.schedule, &[2]).await);
    selection_ends(&shop);
    let closed = ann.hold(&sale.schedule, &[3]).await.refused(403, "selection_closed");
    assert_eq!(closed["selection_ends_at"], ann.place().await["selection_ends_at"]);
    ann.charge(10).await.expect(201);
    assert_eq!(ann.seat(&sale.schedule, 2).await, "HELD");
    ann.cancel(&first).await.expect(204);
    ann.hold(&sale.schedule, &[1]).await.refused(403, "selection_closed");
    assert_eq!((ann.status().await, next.status().await), ("ACTIVE".into(), "WAITING".into()));
    ann.cancel(&second).await.expect(204);
    assert_eq!(ann.status().await, "EXPIRED");
    ann.cancel(&second).await.refused(403, "token_not_active");
    assert_eq!(ann.reservation(&second).await.expect(200)["cancel_reason"], "USER");
    next.becomes("ACTIVE").await;
    assert_eq!(shop.queue("main").await["ended"]["deadline"], 1);
    shop.audit().await;
}

/// Selection is over since right after the last hold, and the turn lasts as long as that.
fn selection_ends(shop: &Shop) {
    shop.database().execute(&format!(
        "UPDATE tokens SET selection_ends_at = (SELECT max(reserved_at) FROM reservations) + {}, \
         deadline = (SELECT max(expires_at) FROM reservations) WHERE status = 'ACTIVE'",
        shop.database().an_instant()
    ));
}

/// Somebody who holds a seat on each of two evenings and has points for both; and the reservations.
async fn two_evenings(shop: &Shop) -> (Visitor, String, String, String) {
    let friday = shop.concert(4, 10).await.schedule;
    let saturday = shop.concert_in("main", "2099-12-25T19:30:00+09:00", 4, 10).await.schedule;
    let ann = shop.join("ann").await;
    ann.becomes("ACTIVE").await;
    ann.charge(20).await.expect(201);
    let (first, second) = (ann.held(&friday, &[1]).await, ann.held(&saturday, &[1]).await);
    (ann, friday, first, second)
}

/// R14: who pays for one evening pays for the other, too, and holds nothing more in between.
async fn two_evenings_are_paid_one_after_the_other(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let (ann, friday, first, second) = two_evenings(&shop).await;
    let next = shop.join("next").await;
    let paid = ann.pay(&first).await.expect(201);
    let place = ann.place().await;
    assert_eq!((&place["status"], &place["selection_ends_at"]), (&json!("ACTIVE"), &paid["paid_at"]));
    assert_eq!(place["expires_at"], ann.reservation(&second).await.expect(200)["expires_at"]);
    let closed = ann.hold(&friday, &[2]).await.refused(403, "selection_closed");
    assert_eq!(closed["selection_ends_at"], paid["paid_at"]);
    ann.pay(&first).await.refused(409, "already_paid");
    ann.cancel(&first).await.refused(409, "already_paid");
    assert_eq!((ann.seat(&friday, 1).await, next.status().await), ("SOLD".into(), "WAITING".into()));
    ann.pay(&second).await.expect(201);
    assert_eq!((ann.status().await, ann.balance().await), ("EXPIRED".into(), json!(0)));
    for reservation in [&first, &second] {
        ann.pay(reservation).await.refused(409, "already_paid");
        assert_eq!(ann.reservation(reservation).await.expect(200)["status"], "CONFIRMED");
    }
    assert_eq!(ann.list("/payments").await.len(), 2);
    next.becomes("ACTIVE").await;
    let ended = json!({"paid": 1, "left": 0, "deadline": 0, "absent": 0, "new_epoch": 0});
    assert_eq!(shop.queue("main").await["ended"], ended);
    shop.audit().await;
}

/// R14: what is not paid after all keeps the turn no longer than it is held. It ends as that of somebody who has paid.
async fn what_ends_the_last_hold_ends_who_has_paid(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let (ann, _, first, second) = two_evenings(&shop).await;
    let next = shop.join("next").await;
    ann.pay(&first).await.expect(201);
    ann.cancel(&second).await.expect(204);
    assert_eq!(ann.status().await, "EXPIRED");
    ann.pay(&first).await.refused(409, "already_paid");
    ann.pay(&second).await.refused(403, "token_not_active");
    next.becomes("ACTIVE").await;
    next.leave().await.expect(204);

    let (ann, _, first, second) = two_evenings(&shop).await;
    let next = shop.join("next").await;
    ann.pay(&first).await.expect(201);
    runs_out(&shop, &second);
    assert_eq!(ann.status().await, "EXPIRED");
    ann.pay(&first).await.refused(409, "already_paid");
    next.becomes("ACTIVE").await;
    assert_eq!(ann.reservation(&second).await.expect(200)["cancel_reason"], "EXPIRED");
    assert_eq!(shop.queue("main").await["ended"]["paid"], 2);
    shop.audit().await;
}

/// The last hold and its token's turn ended right after the payment, and nobody has noticed.
fn runs_out(shop: &Shop, reservation: &str) {
    let id = match shop.database().storage() {
        Storage::Sqlite => format!("x'{}'", reservation.replace('-', "")),
        Storage::Postgres => format!("'{reservation}'"),
    };
    let at = format!("(SELECT max(paid_at) FROM payments) + {}", shop.database().an_instant());
    shop.database().execute(&format!(
        "UPDATE seats SET held_until = {at} WHERE reservation_id = {id}; \
         UPDATE reservations SET expires_at = {at} WHERE id = {id}; \
         UPDATE tokens SET deadline = {at} WHERE status = 'ACTIVE'"
    ));
}

/// R17: a token that has ended gives up nothing of what its user does later, not even by leaving.
async fn an_old_token_harms_no_later_one(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(3, 0).await;
    let old = shop.join("ann").await;
    let bought = old.held(&sale.schedule, &[1]).await;
    old.pay(&bought).await.expect(201);
    let new = shop.join("ann").await;
    let held = new.held(&sale.schedule, &[2]).await;
    let before = shop.database().dump();
    for reservation in [&held, &bought] {
        let refused = old.cancel(reservation).await.refused(403, "token_not_active");
        assert_eq!(refused["token_status"], "EXPIRED");
    }
    old.leave().await.expect(204);
    assert_eq!(shop.database().dump(), before, "an old token has changed something");
    assert_eq!((old.list("/reservations").await.len(), old.list("/payments").await.len()), (2, 1));
    new.cancel(&bought).await.refused(409, "already_paid");
    new.pay(&held).await.expect(201);
    shop.audit().await;
}

/// R16: who left looks at the wallet and charges nothing, whoever else may.
async fn who_left_charges_nothing(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).with("--wallet-gate", "any").open().await;
    let (active, waiting) = (shop.join("active").await, shop.join("waiting").await);
    for visitor in [&active, &waiting] {
        visitor.charge(5).key("k").await.expect(201);
        visitor.leave().await.expect(204);
        assert_eq!(visitor.charge(5).await.refused(403, "token_not_active")["token_status"], "EXPIRED");
        assert!(visitor.charge(5).key("k").await.replayed(), "R15: a lost answer is told again");
        assert_eq!((visitor.balance().await, visitor.entries().await.len()), (json!(5), 1));
    }
    shop.audit().await;
}

/// R16: receipts and the wallet can be read for a day with the token that has ended, and then with a later one only.
async fn an_ended_token_reads_for_a_day(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(3, 10).await;
    let old = shop.join("ann").await;
    old.charge(10).await.expect(201);
    let bought = old.held(&sale.schedule, &[1]).await;
    let receipt = old.pay(&bought).await.expect(201)["id"].as_str().unwrap().to_owned();
    let paths = [
        "/wallet".to_owned(),
        "/wallet/entries".to_owned(),
        "/reservations".to_owned(),
        format!("/reservations/{bought}"),
        "/payments".to_owned(),
        format!("/payments/{receipt}"),
    ];
    for path in &paths {
        old.get(path).await.expect(200);
    }
    shop.database().a_day_passes("true");
    // A token that has ended never changes, so that a server may remember it: this one is told anew.
    shop.crash().await;
    shop.restart().await;
    let new = shop.join("ann").await;
    for path in &paths {
        assert_eq!(old.get(path).await.refused(403, "token_not_active")["token_status"], "EXPIRED");
        new.get(path).await.expect(200);
    }
    assert_eq!(old.status().await, "EXPIRED");
    old.leave().await.expect(204);
}
