//! Rows of `wallets` and `entries`.

use bigdecimal::BigDecimal;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::wallet::{Entry, EntryKind, Wallet};
use domain::{EntryId, Fingerprint, IdempotencyKey, ReservationId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::schema::{entries, wallets};
use crate::tables::rows::{self, count, inconsistent, money};

/// A row of `wallets`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = wallets, check_for_backend(Pg))]
pub(crate) struct WalletRow {
    user_id: String,
    balance: BigDecimal,
    last_seq: i64,
}

impl WalletRow {
    /// Whose it is, if that can be read.
    pub(crate) fn user(&self) -> Option<UserId> {
        UserId::parse(&self.user_id)
    }

    pub(crate) fn wallet(self) -> Result<Wallet, StoreError> {
        Ok(Wallet {
            user: rows::user("wallets", &self.user_id)?,
            balance: money("wallets", "balance", &self.balance)?,
            last_seq: count("wallets", "last_seq", self.last_seq)?,
        })
    }
}

/// A row of `entries`, without the key that it was asked for with.
#[derive(Queryable, Selectable)]
#[diesel(table_name = entries, check_for_backend(Pg))]
pub(crate) struct EntryRow {
    id: Uuid,
    user_id: String,
    seq: i64,
    kind: String,
    amount: BigDecimal,
    balance_after: BigDecimal,
    reservation_id: Option<Uuid>,
    created_at: OffsetDateTime,
}

impl EntryRow {
    pub(crate) fn entry(self) -> Result<Entry, StoreError> {
        let kind = EntryKind::of_words(&self.kind, self.reservation_id.map(ReservationId::new))
            .ok_or_else(|| inconsistent("entries", "kind", format!("{:?} of {}", self.kind, self.id)))?;
        Ok(Entry {
            id: EntryId::new(self.id),
            user: rows::user("entries", &self.user_id)?,
            seq: count("entries", "seq", self.seq)?,
            kind,
            amount: money("entries", "amount", &self.amount)?,
            balance_after: money("entries", "balance_after", &self.balance_after)?,
            at: rows::instant(self.created_at),
        })
    }
}

/// A charge's entry with the key that it was asked for with, and what was asked.
#[derive(Queryable, Selectable)]
#[diesel(table_name = entries, check_for_backend(Pg))]
pub(crate) struct ChargeKeyRow {
    idempotency_key: Option<String>,
    fingerprint: Option<Vec<u8>>,
    #[diesel(embed)]
    entry: EntryRow,
}

impl ChargeKeyRow {
    /// Whose key it is that recorded a charge, if that can be read.
    pub(crate) fn place(&self) -> Option<(UserId, IdempotencyKey)> {
        Some((UserId::parse(&self.entry.user_id)?, IdempotencyKey::parse(self.idempotency_key.as_deref()?)?))
    }

    /// What the key recorded, and the entry that its charge made.
    pub(crate) fn recorded(self) -> Result<(Recorded, Entry), StoreError> {
        let entry = self.entry.entry()?;
        let print = self.fingerprint.and_then(|print| print.try_into().ok());
        let print = print.ok_or_else(|| inconsistent("entries", "fingerprint", entry.id))?;
        Ok((Recorded { fingerprint: Fingerprint(print), at: entry.at }, entry))
    }
}

statement! {
    /// The wallets of these users.
    LockChargedWallets { users: Vec<String> } -> AsSelect<WalletRow, Pg> =
    "SELECT w.user_id, w.balance, w.last_seq
     FROM (SELECT unnest(" users ") AS user_id ORDER BY 1) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM wallets WHERE user_id = a.user_id FOR NO KEY UPDATE) AS w"
}

statement! {
    /// What these keys recorded for these users.
    FindChargeKeys { users: Vec<String>, keys: Vec<String> } -> AsSelect<ChargeKeyRow, Pg> =
    "SELECT e.idempotency_key, e.fingerprint,
            e.id, e.user_id, e.seq, e.kind, e.amount, e.balance_after, e.reservation_id, e.created_at
     FROM unnest(" users ", " keys ") AS a (user_id, key)
     CROSS JOIN LATERAL (
         SELECT * FROM entries WHERE user_id = a.user_id AND idempotency_key = a.key OFFSET 0) AS e"
}

statement! {
    /// Entries by user and number.
    FindEntries { users: Vec<String>, seqs: Vec<i64> } -> AsSelect<EntryRow, Pg> =
    "SELECT e.id, e.user_id, e.seq, e.kind, e.amount, e.balance_after, e.reservation_id, e.created_at
     FROM unnest(" users ", " seqs ") AS a (user_id, seq)
     CROSS JOIN LATERAL (
         SELECT * FROM entries WHERE user_id = a.user_id AND seq = a.seq OFFSET 0) AS e"
}

/// Reads a user's wallet.
#[auto_type(no_type_alias)]
pub(crate) fn find_wallet(user: String) -> _ {
    let row: AsSelect<WalletRow, Pg> = WalletRow::as_select();
    wallets::table.filter(wallets::user_id.eq(user)).select(row)
}

/// Reads a page of a user's entries, newest first.
#[auto_type(no_type_alias)]
pub(crate) fn list_entries(user: String, before: i64, limit: i64) -> _ {
    let row: AsSelect<EntryRow, Pg> = EntryRow::as_select();
    entries::table
        .filter(entries::user_id.eq(user))
        .filter(entries::seq.lt(before))
        .order(entries::seq.desc())
        .limit(limit)
        .select(row)
}
