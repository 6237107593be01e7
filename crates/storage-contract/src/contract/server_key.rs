//! Where the server's key is remembered.

use std::sync::Arc;

use domain::seal::{ServerKey, StoredKey};

use crate::Make;
use crate::scene::{at_once, open_rules};

fn generated(byte: u8) -> StoredKey {
    let key = ServerKey::from_bytes([byte; 32]);
    StoredKey { fingerprint: key.fingerprint(), generated: Some(key) }
}

pub(crate) async fn a_key_is_kept_and_replaced(make: Make) {
    let store = make.store(open_rules()).await;
    let keys = &store.keys;
    assert_eq!(keys.stored_key().await.unwrap(), None);
    let (first, set) = (generated(1), StoredKey { generated: None, ..generated(2) });
    assert!(keys.keep_key(None, &first).await.unwrap());
    assert_eq!(keys.stored_key().await.unwrap(), Some(first.clone()));
    assert!(keys.keep_key(Some(&first), &set).await.unwrap());
    assert_eq!(keys.stored_key().await.unwrap(), Some(set));
}

pub(crate) async fn a_key_kept_meanwhile_is_not_overwritten(make: Make) {
    let store = make.store(open_rules()).await;
    let keys = &store.keys;
    assert!(!keys.keep_key(Some(&generated(1)), &generated(2)).await.unwrap());
    assert_eq!(keys.stored_key().await.unwrap(), None);
    assert!(keys.keep_key(None, &generated(3)).await.unwrap());
    assert!(!keys.keep_key(None, &generated(4)).await.unwrap());
    assert!(!keys.keep_key(Some(&generated(1)), &generated(4)).await.unwrap());
    assert_eq!(keys.stored_key().await.unwrap(), Some(generated(3)));
}

pub(crate) async fn of_servers_that_start_at_once_one_keeps_its_key(make: Make) {
    let store = Arc::new(make.store(open_rules()).await);
    let kept = at_once(8, |n| {
        let store = Arc::clone(&store);
        async move { store.keys.keep_key(None, &generated(u8::try_from(n).unwrap())).await.unwrap() }
    })
    .await;
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 1);
    let winner = u8::try_from(kept.iter().position(|kept| *kept).unwrap()).unwrap();
    assert_eq!(store.keys.stored_key().await.unwrap(), Some(generated(winner)));
}
