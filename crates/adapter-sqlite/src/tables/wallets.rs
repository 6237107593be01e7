//! Rows of `wallets` and `entries`.

use diesel::SqliteConnection;
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::sale::Key;
use domain::wallet::{Entry, EntryKind, Wallet};
use domain::{EntryId, IdempotencyKey, ReservationId, UserId};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow, wrong};
use crate::tables::idempotency::recorded;

macro_rules! select_entries {
    ($rest:literal) => {
        select_entries!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT id, user_id, seq, kind, amount, balance_after, reservation_id, created_at",
            $more,
            " FROM entries ",
            $rest
        )
    };
}

statements! {
    Find = "SELECT user_id, balance, last_seq FROM wallets WHERE user_id = ?";
    Insert = "INSERT INTO wallets (user_id, balance, last_seq) VALUES (?, ?, ?)";
    Update = "UPDATE wallets SET balance = ?, last_seq = ? WHERE user_id = ? AND last_seq = ?";
    InsertEntry = "INSERT INTO entries (id, user_id, seq, kind, amount, balance_after, reservation_id, created_at, \
        idempotency_key, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    OfKey = select_entries!(", fingerprint", "INDEXED BY entries_keys WHERE user_id = ? AND idempotency_key = ?");
    ForgetKey = "UPDATE entries SET idempotency_key = NULL, fingerprint = NULL WHERE user_id = ? AND seq = ?";
    Entries = select_entries!("WHERE user_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?");
}

/// The wallet of a user; an empty one when there is no row.
pub(crate) fn find(conn: &mut SqliteConnection, user: &UserId) -> Result<Wallet, StoreError> {
    Ok(Find::row(conn, binds![user])?.unwrap_or_else(|| Wallet::empty(user.clone())))
}

/// Writes a movement: the wallet after it, and its entry.
pub(crate) fn write(
    conn: &mut SqliteConnection,
    wallet: &Wallet,
    entry: &Entry,
    key: Option<&Key>,
) -> Result<(), StoreError> {
    if entry.seq == 1 {
        Insert::change_one(conn, binds![&wallet.user, &wallet.balance, wallet.last_seq])?;
    } else {
        let before = entry.seq.saturating_sub(1);
        Update::change_one(conn, binds![&wallet.balance, wallet.last_seq, &wallet.user, before])?;
    }
    let (kind, reservation) = entry.kind.words();
    InsertEntry::change_one(
        conn,
        binds![
            entry.id,
            &entry.user,
            entry.seq,
            kind,
            &entry.amount,
            &entry.balance_after,
            reservation,
            entry.at,
            key.map(|(key, _)| key),
            key.map(|(_, request)| request),
        ],
    )
}

/// What the user's charge under `key` asked for, and the entry that it made.
pub(crate) fn of_key(
    conn: &mut SqliteConnection,
    user: &UserId,
    key: &IdempotencyKey,
) -> Result<Option<(Recorded, Entry)>, StoreError> {
    OfKey::row(conn, binds![user, key])
}

/// Frees the key of an entry for another request.
pub(crate) fn forget_key(conn: &mut SqliteConnection, entry: &Entry) -> Result<(), StoreError> {
    ForgetKey::change_one(conn, binds![&entry.user, entry.seq])
}

/// At most `limit` entries of a user, newest first, after `after`.
pub(crate) fn entries(
    conn: &mut SqliteConnection,
    user: &UserId,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    Entries::rows(conn, binds![user, after.unwrap_or(u64::MAX), limit])
}

impl FromRow for Wallet {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            user: row.user(0, ("wallets", "user_id"))?,
            balance: row.money(1, ("wallets", "balance"))?,
            last_seq: row.number(2, ("wallets", "last_seq"))?,
        })
    }
}

impl FromRow for Entry {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let paid = row.id_or_null(6, ("entries", "reservation_id"))?.map(ReservationId::new);
        let kind = row.text(3, ("entries", "kind"))?;
        let kind = EntryKind::of_words(&kind, paid).ok_or_else(|| wrong(("entries", "kind"), format!("{kind:?}")))?;
        Ok(Self {
            id: EntryId::new(row.id(0, ("entries", "id"))?),
            user: row.user(1, ("entries", "user_id"))?,
            seq: row.number(2, ("entries", "seq"))?,
            kind,
            amount: row.money(4, ("entries", "amount"))?,
            balance_after: row.money(5, ("entries", "balance_after"))?,
            at: row.instant(7, ("entries", "created_at"))?,
        })
    }
}

impl FromRow for (Recorded, Entry) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let entry = Entry::from_row(row)?;
        Ok((recorded(row, 8, ("entries", "fingerprint"), entry.at)?, entry))
    }
}
