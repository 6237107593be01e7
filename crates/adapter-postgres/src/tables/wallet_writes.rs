//! What is written of wallets: by charges and by payments.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use domain::Fingerprint;
use domain::wallet::{Entry, EntryKind, Wallet};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::tables::rows::{big, decimal};

statement! {
    /// Of two servers that each make a user's first wallet one is refused, and tries again.
    InsertWallets { users: Vec<String>, balances: Vec<BigDecimal>, seqs: Vec<i64> } -> () =
    "INSERT INTO wallets (user_id, balance, last_seq)
     SELECT n.* FROM unnest(" users ", " balances ", " seqs ") AS n"
}

statement! {
    /// Rows that are there and locked; found by the conflict.
    UpdateWallets { users: Vec<String>, balances: Vec<BigDecimal>, seqs: Vec<i64> } -> () =
    "INSERT INTO wallets (user_id, balance, last_seq)
     SELECT n.* FROM unnest(" users ", " balances ", " seqs ") AS n
     ON CONFLICT (user_id) DO UPDATE SET balance = excluded.balance, last_seq = excluded.last_seq"
}

statement! {
    InsertEntries {
        users: Vec<String>, seqs: Vec<i64>, ids: Vec<Uuid>, kinds: Vec<String>, amounts: Vec<BigDecimal>,
        balances: Vec<BigDecimal>, reservations: Vec<Option<Uuid>>, created: Vec<OffsetDateTime>,
        keys: Vec<Option<String>>, prints: Vec<Option<Vec<u8>>>,
    } -> () =
    "INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, reservation_id, created_at, idempotency_key,
                          fingerprint)
     SELECT n.*
     FROM unnest(" users ", " seqs ", " ids ", " kinds ", " amounts ", " balances ", " reservations ", " created ",
                 " keys ", " prints ") AS n"
}

statement! {
    /// Keys that the rule has forgotten and that are used again. The ids say which; the rest is how the index finds them.
    ForgetEntryKeys { users: Vec<String>, seqs: Vec<i64>, ids: Vec<Uuid> } -> () =
    "UPDATE entries SET idempotency_key = NULL, fingerprint = NULL
     WHERE user_id = ANY (" users ") AND seq = ANY (" seqs ") AND id = ANY (" ids ")"
}

pub(crate) fn insert_wallets(wallets: &[&Wallet]) -> InsertWallets {
    InsertWallets {
        users: wallets.iter().map(|w| w.user.as_str().to_owned()).collect(),
        balances: wallets.iter().map(|w| decimal(&w.balance)).collect(),
        seqs: wallets.iter().map(|w| big(w.last_seq)).collect(),
    }
}

pub(crate) fn update_wallets(wallets: &[&Wallet]) -> UpdateWallets {
    UpdateWallets {
        users: wallets.iter().map(|w| w.user.as_str().to_owned()).collect(),
        balances: wallets.iter().map(|w| decimal(&w.balance)).collect(),
        seqs: wallets.iter().map(|w| big(w.last_seq)).collect(),
    }
}

/// `keys` tells, by an entry's id, with which key it was asked for, and what was asked.
pub(crate) fn insert_entries(entries: &[Entry], keys: &HashMap<Uuid, (String, Fingerprint)>) -> InsertEntries {
    let kind = |entry: &Entry| match entry.kind {
        EntryKind::Charge => ("CHARGE", None),
        EntryKind::Payment(reservation) => ("PAYMENT", Some(reservation.uuid())),
    };
    InsertEntries {
        users: entries.iter().map(|e| e.user.as_str().to_owned()).collect(),
        seqs: entries.iter().map(|e| big(e.seq)).collect(),
        ids: entries.iter().map(|e| e.id.uuid()).collect(),
        kinds: entries.iter().map(|e| kind(e).0.to_owned()).collect(),
        amounts: entries.iter().map(|e| decimal(&e.amount)).collect(),
        balances: entries.iter().map(|e| decimal(&e.balance_after)).collect(),
        reservations: entries.iter().map(|e| kind(e).1).collect(),
        created: entries.iter().map(|e| e.at.to_utc()).collect(),
        keys: entries.iter().map(|e| keys.get(&e.id.uuid()).map(|(key, _)| key.clone())).collect(),
        prints: entries.iter().map(|e| keys.get(&e.id.uuid()).map(|(_, print)| print.0.to_vec())).collect(),
    }
}
