//! Wallets: charging and their entries (R12).

use std::sync::Arc;
use std::time::Duration;

use domain::wallet::{EntryKind, Wallet};
use domain::{Money, Page, Rejection, Rules};

use crate::Make;
use crate::scene::{Scene, at_once, money, open_rules, page, user};

pub(crate) async fn a_charge_is_an_entry_and_a_balance_r12_w13(make: Make) {
    let scene = Scene::open(&make).await;
    let mut balance = 0;
    for (seq, minor) in [(1, 1), (2, 100_000_000), (3, 1_250), (4, 1)] {
        scene.advance(Duration::from_secs(1));
        let amount = Money::from_minor(minor).unwrap();
        balance += minor;
        let charge = scene.charge("a", &amount.to_string()).await.unwrap();
        let after = Money::from_minor(balance).unwrap();
        assert_eq!(charge.wallet, Wallet { user: user("a"), balance: after.clone(), last_seq: seq });
        let entry = &charge.entry;
        assert_eq!((entry.seq, entry.kind, entry.at, &entry.user), (seq, EntryKind::Charge, scene.now(), &user("a")));
        assert_eq!((&entry.amount, &entry.balance_after), (&amount, &after));
        assert_eq!(scene.store.wallets.balance(&user("a")).await.unwrap(), charge.wallet);
        assert_eq!(scene.entries("a").await.last(), Some(entry));
    }
    assert_eq!(scene.balance("b").await, Money::zero());
}

/// S12: who never charged has an empty wallet, and looking at it makes none.
pub(crate) async fn an_unknown_users_wallet_is_empty_s12(make: Make) {
    let scene = Scene::open(&make).await;
    for _ in 0..2 {
        assert_eq!(scene.store.wallets.balance(&user("a")).await.unwrap(), Wallet::empty(user("a")));
        assert_eq!(scene.entries("a").await, []);
    }
    assert_eq!(scene.charge("a", "1").await.unwrap().entry.seq, 1);
}

pub(crate) async fn a_charge_has_bounds_r12_w3(make: Make) {
    let scene = Scene::with(&make, Rules { max_charge: money("500"), ..open_rules() }).await;
    for bad in ["0", "500.01", "10000000000000"] {
        assert!(matches!(scene.charge("a", bad).await, Err(Rejection::Invalid(_))), "{bad}");
    }
    assert_eq!(scene.entries("a").await, []);
    for good in ["0.01", "500"] {
        scene.charge("a", good).await.unwrap();
    }
    assert_eq!(scene.balance("a").await, money("500.01"));
}

/// W3: a charge that would overflow the balance is refused, and one that fills it is not.
pub(crate) async fn a_balance_does_not_overflow_w3(make: Make) {
    let most = Money::from_minor(Money::MAX_MINOR).unwrap();
    let scene = Scene::with(&make, Rules { max_charge: most.clone(), ..open_rules() }).await;
    scene.charge("a", "9999999999999.99").await.unwrap();
    assert!(matches!(scene.charge("a", "0.02").await, Err(Rejection::Invalid(_))));
    scene.charge("a", "0.01").await.unwrap();
    assert!(matches!(scene.charge("a", "0.01").await, Err(Rejection::Invalid(_))));
    assert_eq!((scene.balance("a").await, scene.entries("a").await.len()), (most, 2));
}

/// W1, W10: of a hundred charges at once all count, and the entries chain.
pub(crate) async fn parallel_charges_all_count_r12_w1_w10(make: Make) {
    let scene = Scene::open(&make).await;
    let charges = at_once(100, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.charge(n % 2, "10.01").await }
    })
    .await;
    assert!(charges.iter().all(Result::is_ok));
    for name in ["0", "1"] {
        let entries = scene.entries(name).await;
        let mut balance = Money::zero();
        for (index, entry) in entries.iter().enumerate() {
            balance = balance.checked_add(&money("10.01")).unwrap();
            assert_eq!((entry.seq, &entry.balance_after), (u64::try_from(index).unwrap() + 1, &balance));
        }
        assert_eq!((entries.len(), scene.balance(name).await), (50, money("500.5")));
        for charge in charges.iter().flatten().filter(|charge| charge.wallet.user == user(name)) {
            let entry = &entries[usize::try_from(charge.entry.seq).unwrap() - 1];
            assert_eq!((entry, &charge.wallet.balance), (&charge.entry, &entry.balance_after));
        }
    }
}

pub(crate) async fn entries_are_listed_newest_first_in_pages(make: Make) {
    let scene = Scene::open(&make).await;
    for _ in 0..5 {
        scene.charge("a", "1").await.unwrap();
        scene.charge("b", "2").await.unwrap();
    }
    for limit in [1, 2, 5, 6] {
        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = Page::new(limit, after).unwrap();
            let listed = scene.store.wallets.entries(&user("a"), &page).await.unwrap();
            assert!(listed.items.iter().all(|entry| entry.user == user("a") && entry.amount == money("1")));
            seen.extend(listed.items.iter().map(|entry| entry.seq));
            pages += 1;
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen, pages), (vec![5, 4, 3, 2, 1], 5_u32.div_ceil(limit)));
    }
    let beyond = Page { after: Some(1), ..page() };
    assert_eq!(scene.store.wallets.entries(&user("a"), &beyond).await.unwrap().items, []);
}
