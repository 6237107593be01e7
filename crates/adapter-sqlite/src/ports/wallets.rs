//! The port of wallets.

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::idempotency::Recorded;
use domain::page::Listed;
use domain::ports::{Answer, ChargeCommand, Charged, Decided, StoreError, WalletRepository};
use domain::sale::{self, Charging};
use domain::wallet::{self, Entry, Wallet};
use domain::{Page, UserId};

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
            .run(move |snapshot| Ok(sale::replay_charge(&command, recorded(snapshot.conn, &command)?, snapshot.now)))
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
    let context = transaction.context();
    let conn = &mut *transaction.conn;
    let recorded = recorded(conn, command)?;
    let (charge, forgotten) = match sale::charge(command, recorded, || wallets::find(conn, &command.user), &context)? {
        Ok(Charging::Now { charge, forgotten }) => (charge, forgotten),
        Ok(Charging::Before(value)) => return Ok(Ok(Answer { value, replayed: true })),
        Err(rejection) => return Ok(Err(rejection)),
    };
    if let Some(forgotten) = forgotten {
        wallets::forget_key(conn, &forgotten)?;
    }
    let key = command.key.clone().map(|key| (key, wallet::charge_fingerprint(&command.amount)));
    wallets::write(conn, &charge.wallet, &charge.entry, key.as_ref())?;
    Ok(Ok(Answer { value: charge, replayed: false }))
}

/// What the command's key recorded, and the entry that it made.
fn recorded(conn: &mut SqliteConnection, command: &ChargeCommand) -> Result<Option<(Recorded, Entry)>, StoreError> {
    match &command.key {
        Some(key) => wallets::of_key(conn, &command.user, key),
        None => Ok(None),
    }
}
