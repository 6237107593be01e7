//! What is written of wallets: by charges and by payments.

use bigdecimal::BigDecimal;
use domain::ReservationId;
use domain::sale::Key;
use domain::wallet::{Entry, Wallet};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::tables::rows::{big, decimal, fingerprint, key_text};

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

/// Each entry with the key of its charge.
pub(crate) fn insert_entries<'e>(entries: impl Iterator<Item = (&'e Entry, Option<&'e Key>)>) -> InsertEntries {
    let entries: Vec<_> = entries.collect();
    InsertEntries {
        users: entries.iter().map(|(e, _)| e.user.as_str().to_owned()).collect(),
        seqs: entries.iter().map(|(e, _)| big(e.seq)).collect(),
        ids: entries.iter().map(|(e, _)| e.id.uuid()).collect(),
        kinds: entries.iter().map(|(e, _)| e.kind.words().0.to_owned()).collect(),
        amounts: entries.iter().map(|(e, _)| decimal(&e.amount)).collect(),
        balances: entries.iter().map(|(e, _)| decimal(&e.balance_after)).collect(),
        reservations: entries.iter().map(|(e, _)| e.kind.words().1.map(ReservationId::uuid)).collect(),
        created: entries.iter().map(|(e, _)| e.at.to_utc()).collect(),
        keys: entries.iter().map(|(_, key)| key_text(*key)).collect(),
        prints: entries.iter().map(|(_, key)| fingerprint(*key)).collect(),
    }
}
