//! Rows of `wallets` and `entries`.

use bigdecimal::BigDecimal;
use diesel::sql_types::{BigInt, Binary, Nullable, Numeric, Text, Timestamptz};
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::wallet::{Entry, EntryKind, Wallet};
use domain::{EntryId, Fingerprint, ReservationId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::tables::rows::{self, count, inconsistent, money};

type SqlUuid = diesel::sql_types::Uuid;
type SqlEntry = (SqlUuid, Text, BigInt, Text, Numeric, Numeric, Nullable<SqlUuid>, Timestamptz);
pub(crate) type EntryRow = (Uuid, String, i64, String, BigDecimal, BigDecimal, Option<Uuid>, OffsetDateTime);
pub(crate) type WalletRow = (String, BigDecimal, i64);
/// A key and what was asked with it, and the entry that its charge made.
pub(crate) type ChargeKeyRow = ((Option<String>, Option<Vec<u8>>), EntryRow);

statement! {
    /// A wallet.
    FindWallet { user: String } -> (Text, Numeric, BigInt) =
    "SELECT user_id, balance, last_seq FROM wallets WHERE user_id = " user
}

statement! {
    /// The wallets of these users.
    LockWallets { users: Vec<String> } -> (Text, Numeric, BigInt) =
    "SELECT w.user_id, w.balance, w.last_seq
     FROM (SELECT unnest(" users ") AS user_id ORDER BY 1) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM wallets WHERE user_id = a.user_id FOR NO KEY UPDATE) AS w"
}

statement! {
    /// What these keys recorded for these users.
    FindChargeKeys { users: Vec<String>, keys: Vec<String> } -> ((Nullable<Text>, Nullable<Binary>), SqlEntry) =
    "SELECT e.idempotency_key, e.fingerprint,
            e.id, e.user_id, e.seq, e.kind, e.amount, e.balance_after, e.reservation_id, e.created_at
     FROM unnest(" users ", " keys ") AS a (user_id, key)
     CROSS JOIN LATERAL (
         SELECT * FROM entries WHERE user_id = a.user_id AND idempotency_key = a.key OFFSET 0) AS e"
}

statement! {
    /// Entries by user and number.
    FindEntries { users: Vec<String>, seqs: Vec<i64> } -> SqlEntry =
    "SELECT e.id, e.user_id, e.seq, e.kind, e.amount, e.balance_after, e.reservation_id, e.created_at
     FROM unnest(" users ", " seqs ") AS a (user_id, seq)
     CROSS JOIN LATERAL (
         SELECT * FROM entries WHERE user_id = a.user_id AND seq = a.seq OFFSET 0) AS e"
}

statement! {
    /// A page of a user's entries, newest first.
    ListEntries { user: String, before: i64, limit: i64 } -> SqlEntry =
    "SELECT id, user_id, seq, kind, amount, balance_after, reservation_id, created_at
     FROM entries
     WHERE user_id = " user " AND seq < " before "
     ORDER BY seq DESC
     LIMIT " limit
}

pub(crate) fn wallet((user, balance, last_seq): WalletRow) -> Result<Wallet, StoreError> {
    Ok(Wallet {
        user: rows::user("wallets", &user)?,
        balance: money("wallets", "balance", &balance)?,
        last_seq: count("wallets", "last_seq", last_seq)?,
    })
}

pub(crate) fn entry(row: EntryRow) -> Result<Entry, StoreError> {
    let (id, user, seq, kind, amount, balance_after, reservation, at) = row;
    let kind = match (kind.as_str(), reservation) {
        ("CHARGE", None) => EntryKind::Charge,
        ("PAYMENT", Some(reservation)) => EntryKind::Payment(ReservationId::new(reservation)),
        _ => return Err(inconsistent("entries", "kind", format!("{kind:?} of {id}"))),
    };
    Ok(Entry {
        id: EntryId::new(id),
        user: rows::user("entries", &user)?,
        seq: count("entries", "seq", seq)?,
        kind,
        amount: money("entries", "amount", &amount)?,
        balance_after: money("entries", "balance_after", &balance_after)?,
        at: rows::instant(at),
    })
}

/// What a key recorded, and the entry that its charge made.
pub(crate) fn recorded(((key, print), entry_row): ChargeKeyRow) -> Result<(String, Recorded, Entry), StoreError> {
    let entry = entry(entry_row)?;
    let print = print.and_then(|print| print.try_into().ok());
    let (Some(key), Some(print)) = (key, print) else {
        return Err(inconsistent("entries", "fingerprint", entry.id));
    };
    Ok((key, Recorded { fingerprint: Fingerprint(print), at: entry.at }, entry))
}
