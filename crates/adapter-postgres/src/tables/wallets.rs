//! Rows of `wallets` and `entries`.

use bigdecimal::BigDecimal;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::sale::Key;
use domain::wallet::{Entry, EntryKind, Wallet};
use domain::{EntryId, Fingerprint, IdempotencyKey, ReservationId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::schema::{entries, wallets};
use crate::tables::columns::{big, count, decimal, inconsistent, instant, money, user};
use crate::tables::idempotency::{fingerprint, key_text};

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
        UserId::stored(&self.user_id)
    }

    pub(crate) fn wallet(self) -> Result<Wallet, StoreError> {
        Ok(Wallet {
            user: user("wallets", &self.user_id)?,
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
            user: user("entries", &self.user_id)?,
            seq: count("entries", "seq", self.seq)?,
            kind,
            amount: money("entries", "amount", &self.amount)?,
            balance_after: money("entries", "balance_after", &self.balance_after)?,
            at: instant(self.created_at),
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
        Some((UserId::stored(&self.entry.user_id)?, IdempotencyKey::parse(self.idempotency_key.as_deref()?)?))
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
    /// The wallets of the users of these tickets.
    LockWallets { queue: i32, numbers: Vec<i64> } -> AsSelect<WalletRow, Pg> =
    "SELECT w.user_id, w.balance, w.last_seq
     FROM (SELECT DISTINCT t.user_id
           FROM unnest(" numbers ") AS p (number)
           CROSS JOIN LATERAL (
               SELECT user_id FROM tokens WHERE queue = " queue " AND number = p.number OFFSET 0) AS t
           ORDER BY t.user_id) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM wallets WHERE user_id = a.user_id FOR NO KEY UPDATE) AS w"
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
