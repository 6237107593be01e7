//! The port of wallets.

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::idempotency::is_replay;
use domain::page::Listed;
use domain::ports::{Answer, ChargeCommand, Charged, Decided, StoreError, WalletRepository};
use domain::wallet::{self, Charge, Entry, Wallet};
use domain::{EntryId, Page, Timestamp, UserId};

use crate::transaction::Transaction;
use crate::{SqliteStore, wallet_keys, wallet_rows};

#[async_trait]
impl WalletRepository for SqliteStore {
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError> {
        let user = user.clone();
        self.reads().run(move |snapshot| wallet_rows::find(snapshot.conn, &user)).await
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
        self.reads().run(move |snapshot| replay(snapshot.conn, &command, snapshot.now)).await
    }

    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError> {
        let (user, page) = (user.clone(), *page);
        self.reads()
            .run(move |snapshot| {
                let items = wallet_rows::entries(snapshot.conn, &user, page.after, page.limit + 1)?;
                Ok(Listed::cut(items, &page, |entry| entry.seq))
            })
            .await
    }
}

fn charge(transaction: &mut Transaction<'_>, command: &ChargeCommand) -> Decided<Answer<Charged>> {
    match replay(transaction.conn, command, transaction.now)? {
        Ok(None) => {}
        Ok(Some(value)) => return Ok(Ok(Answer { value, replayed: true })),
        Err(rejection) => return Ok(Err(rejection)),
    }
    let wallet = wallet_rows::find(transaction.conn, &command.user)?;
    let id = EntryId::new(transaction.ids.next_id());
    let charge = match wallet::charge(&wallet, &command.amount, transaction.rules, id, transaction.now) {
        Ok(charge) => charge,
        Err(rejection) => return Ok(Err(rejection)),
    };
    wallet_rows::write(transaction.conn, &charge.wallet, &charge.entry)?;
    if let Some(key) = &command.key {
        let request = wallet::charge_fingerprint(&command.amount);
        wallet_keys::record(transaction.conn, &command.user, key, &request, charge.entry.seq, transaction.now)?;
    }
    Ok(Ok(Answer { value: charge, replayed: false }))
}

/// What the command's key recorded, rebuilt from its entry: the wallet as it was right after it.
fn replay(conn: &mut SqliteConnection, command: &ChargeCommand, now: Timestamp) -> Decided<Option<Charged>> {
    let Some(key) = &command.key else { return Ok(Ok(None)) };
    let Some((recorded, seq)) = wallet_keys::find(conn, &command.user, key)? else { return Ok(Ok(None)) };
    match is_replay(Some(&recorded), &wallet::charge_fingerprint(&command.amount), now) {
        Ok(true) => {}
        Ok(false) => return Ok(Ok(None)),
        Err(rejection) => return Ok(Err(rejection)),
    }
    let entry = wallet_rows::entry(conn, &command.user, seq)?;
    let wallet = Wallet { user: entry.user.clone(), balance: entry.balance_after.clone(), last_seq: entry.seq };
    Ok(Ok(Some(Charge { wallet, entry })))
}
