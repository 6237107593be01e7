//! The port of wallets.

use async_trait::async_trait;
use diesel_async::RunQueryDsl;
use domain::page::Listed;
use domain::ports::{Answer, ChargeCommand, Charged, Decided, StoreError, WalletRepository};
use domain::wallet::{self, Entry, Wallet};
use domain::{Page, UserId};
use time::OffsetDateTime;

use crate::batches::charges;
use crate::connections::statement::ReadNow;
use crate::store::PostgresStore;
use crate::tables::columns::big;
use crate::tables::wallets::{ChargeKeyRow, EntryRow, WalletRow, find_wallet, list_entries};

#[async_trait]
impl WalletRepository for PostgresStore {
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError> {
        self.read(async |connection| {
            let find = find_wallet(user.as_str().to_owned());
            let found = find.load::<WalletRow>(&mut &*connection).await?;
            let found = found.into_iter().next().map(WalletRow::wallet).transpose()?;
            Ok(found.unwrap_or_else(|| Wallet::empty(user.clone())))
        })
        .await
    }

    async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>> {
        // An amount out of bounds is a bad request, whatever its key recorded (R15).
        if let Err(rejection) = wallet::check_charge(&command.amount, &self.0.environment.rules) {
            return Ok(Err(rejection));
        }
        self.charges(command.clone()).await
    }

    async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>> {
        if command.key.is_none() {
            return Ok(Ok(None));
        }
        self.read(async |connection| {
            let (found, now) = futures::try_join!(
                charges::find_keys(std::slice::from_ref(command)).load::<ChargeKeyRow>(&mut &*connection),
                ReadNow {}.get_result::<OffsetDateTime>(&mut &*connection),
            )?;
            Ok(charges::replay(command, found, self.0.environment.now(now))?)
        })
        .await
    }

    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError> {
        self.read(async |connection| {
            let before = page.after.map_or(i64::MAX, big);
            let list = list_entries(user.as_str().to_owned(), before, i64::from(page.limit) + 1);
            let listed = list.load::<EntryRow>(&mut &*connection).await?;
            let items = listed.into_iter().map(EntryRow::entry).collect::<Result<_, _>>()?;
            Ok(Listed::cut(items, page, |entry: &Entry| entry.seq))
        })
        .await
    }
}
