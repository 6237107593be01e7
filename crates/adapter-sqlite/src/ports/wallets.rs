//! The port of wallets.

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::idempotency::{Recorded, is_replay};
use domain::page::Listed;
use domain::ports::{Answer, ChargeCommand, Charged, Decided, StoreError, WalletRepository};
use domain::wallet::{self, Charge, Entry, Wallet};
use domain::{EntryId, Page, Rejection, Timestamp, UserId};

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::tables::wallets;

#[async_trait]
impl WalletRepository for SqliteStore {
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError> {
        let user = user.clone();
        self.reads().run(move |snapshot| wallets::find(snapshot.conn, &user)).await
    }

    async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>> {
        // What is out of bounds is a bad request, whatever its key recorded (R15).
        if let Err(rejection) = wallet::check_charge(&command.amount, self.rules()) {
            return Ok(Err(rejection));
        }
        let command = command.clone();
        self.writer().run(move |transaction| charge(transaction, &command)).await
    }

    async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>> {
        let command = command.clone();
        self.reads()
            .run(move |snapshot| Ok(replay(recorded(snapshot.conn, &command)?.as_ref(), &command, snapshot.now)))
            .await
    }

    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError> {
        let (user, page) = (user.clone(), *page);
        self.reads()
            .run(move |snapshot| {
                let items = wallets::entries(snapshot.conn, &user, page.after, page.limit + 1)?;
                Ok(Listed::cut(items, &page, |entry| entry.seq))
            })
            .await
    }
}

fn charge(transaction: &mut Transaction<'_>, command: &ChargeCommand) -> Decided<Answer<Charged>> {
    let recorded = recorded(transaction.conn, command)?;
    match replay(recorded.as_ref(), command, transaction.now) {
        Ok(None) => {}
        Ok(Some(value)) => return Ok(Ok(Answer { value, replayed: true })),
        Err(rejection) => return Ok(Err(rejection)),
    }
    if let Some((_, forgotten)) = &recorded {
        wallets::forget_key(transaction.conn, forgotten)?;
    }
    let wallet = wallets::find(transaction.conn, &command.user)?;
    let id = EntryId::new(transaction.ids.next_id());
    let charge = match wallet::charge(&wallet, &command.amount, transaction.rules, id, transaction.now) {
        Ok(charge) => charge,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let request = wallet::charge_fingerprint(&command.amount);
    let key = command.key.as_ref().map(|key| (key, &request));
    wallets::write(transaction.conn, &charge.wallet, &charge.entry, key)?;
    Ok(Ok(Answer { value: charge, replayed: false }))
}

/// What the command's key recorded, and the entry that it made.
fn recorded(conn: &mut SqliteConnection, command: &ChargeCommand) -> Result<Option<(Recorded, Entry)>, StoreError> {
    match &command.key {
        Some(key) => wallets::of_key(conn, &command.user, key),
        None => Ok(None),
    }
}

/// The first answer, rebuilt from its entry: the wallet as it was right after it.
fn replay(
    recorded: Option<&(Recorded, Entry)>,
    command: &ChargeCommand,
    now: Timestamp,
) -> Result<Option<Charged>, Rejection> {
    let Some((recorded, entry)) = recorded else { return Ok(None) };
    if !is_replay(Some(recorded), &wallet::charge_fingerprint(&command.amount), now)? {
        return Ok(None);
    }
    let wallet = Wallet { user: entry.user.clone(), balance: entry.balance_after.clone(), last_seq: entry.seq };
    Ok(Some(Charge { wallet, entry: entry.clone() }))
}
