//! Batches of charges: one lane for all wallets, which know nothing of queues (R12).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::idempotency::{Recorded, is_replay};
use domain::ports::{Answer, ChargeCommand, Charged, StoreError};
use domain::wallet::{self, Charge, Entry, Wallet};
use domain::{EntryId, Fingerprint, Rejection, Timestamp, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::connections::statement::{Begin, Commit, Now, run, when};
use crate::environment::Environment;
use crate::tables::rows;
use crate::tables::wallet_rows::{ChargeKeyRow, FindChargeKeys, LockChargedWallets, WalletRow};
use crate::tables::wallet_writes::{ForgetEntryKeys, insert_entries, insert_wallets, update_wallets};

/// Runs the batches of charges.
pub(crate) struct Charges {
    pub(crate) environment: Environment,
}

/// What a batch of charges knows and has changed.
pub(crate) struct Ledger {
    now: Timestamp,
    wallets: BTreeMap<UserId, Wallet>,
    /// Whose wallets had no row.
    new: BTreeSet<UserId>,
    entries: Vec<Entry>,
    keys: HashMap<(UserId, String), (Recorded, Entry)>,
    /// With which key new entries were asked for, and what was asked.
    new_keys: HashMap<Uuid, (String, Fingerprint)>,
    /// Entries whose key is forgotten, and used again.
    forgotten: Vec<Entry>,
}

#[async_trait]
impl Executor for Charges {
    type Command = ChargeCommand;
    type Answer = Result<Answer<Charged>, Rejection>;
    type Changes = Ledger;

    async fn decide(
        &self,
        conn: &AsyncPgConnection,
        commands: &[ChargeCommand],
        _most: usize,
    ) -> Result<Decision<Self>, BatchError> {
        let (mut ledger, transaction) = self.read(conn, commands).await?;
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(self.charge(&mut ledger, command));
        }
        Ok(Decision { answers, changes: ledger, transaction })
    }

    async fn commit(&self, conn: &AsyncPgConnection, ledger: &Ledger) -> diesel::QueryResult<()> {
        let moved: BTreeSet<&UserId> = ledger.entries.iter().map(|entry| &entry.user).collect();
        let moved = moved.into_iter().filter_map(|user| ledger.wallets.get(user));
        let (new, known): (Vec<_>, Vec<_>) = moved.partition(|wallet| ledger.new.contains(&wallet.user));
        futures::try_join!(
            when(conn, !known.is_empty(), || update_wallets(&known)),
            when(conn, !new.is_empty(), || insert_wallets(&new)),
            when(conn, !ledger.forgotten.is_empty(), || forget(ledger)),
            when(conn, !ledger.entries.is_empty(), || insert_entries(&ledger.entries, &ledger.new_keys)),
            run(conn, Commit {}),
        )?;
        Ok(())
    }
}

impl Charges {
    /// Begins, locks the wallets and reads what the keys recorded, in one round trip.
    async fn read(&self, conn: &AsyncPgConnection, commands: &[ChargeCommand]) -> Result<(Ledger, String), BatchError> {
        let users: BTreeSet<&str> = commands.iter().map(|command| command.user.as_str()).collect();
        let lock = LockChargedWallets { users: users.into_iter().map(str::to_owned).collect() };
        let find = find_keys(commands);
        let (_begun, wallets, keys, (now, transaction)) = futures::try_join!(
            Begin {}.execute(&mut &*conn),
            lock.load::<WalletRow>(&mut &*conn),
            find.load::<ChargeKeyRow>(&mut &*conn),
            Now {}.get_result::<(OffsetDateTime, String)>(&mut &*conn),
        )?;
        let mut ledger = Ledger {
            now: self.environment.now(now),
            wallets: BTreeMap::new(),
            new: BTreeSet::new(),
            entries: Vec::new(),
            keys: HashMap::new(),
            new_keys: HashMap::new(),
            forgotten: Vec::new(),
        };
        for row in wallets {
            let wallet = row.wallet()?;
            ledger.wallets.insert(wallet.user.clone(), wallet);
        }
        for row in keys {
            let (key, recorded, entry) = row.recorded()?;
            ledger.keys.insert((entry.user.clone(), key), (recorded, entry));
        }
        Ok((ledger, transaction))
    }

    fn charge(&self, ledger: &mut Ledger, command: &ChargeCommand) -> Result<Answer<Charged>, Rejection> {
        let request = wallet::charge_fingerprint(&command.amount);
        let place = command.key.as_ref().map(|key| (command.user.clone(), key.as_str().to_owned()));
        if let Some((recorded, entry)) = place.as_ref().and_then(|place| ledger.keys.get(place))
            && is_replay(Some(recorded), &request, ledger.now)?
        {
            return Ok(Answer { value: charged(entry), replayed: true });
        }
        let known = ledger.wallets.get(&command.user);
        let wallet = known.cloned().unwrap_or_else(|| Wallet::empty(command.user.clone()));
        let is_new = known.is_none();
        let id = EntryId::new(self.environment.ids.next_id());
        let charge = wallet::charge(&wallet, &command.amount, &self.environment.rules, id, ledger.now)?;
        if is_new {
            ledger.new.insert(command.user.clone());
        }
        ledger.wallets.insert(command.user.clone(), charge.wallet.clone());
        ledger.entries.push(charge.entry.clone());
        if let Some((user, key)) = place {
            ledger.new_keys.insert(charge.entry.id.uuid(), (key.clone(), request));
            let recorded = Recorded { fingerprint: request, at: ledger.now };
            if let Some((_, forgotten)) = ledger.keys.insert((user, key), (recorded, charge.entry.clone())) {
                ledger.forgotten.push(forgotten);
            }
        }
        Ok(Answer { value: charge, replayed: false })
    }
}

/// The keys that these commands come with.
pub(crate) fn find_keys(commands: &[ChargeCommand]) -> FindChargeKeys {
    // Each once: a key that comes twice in a batch is one key.
    let keyed: BTreeSet<_> = commands.iter().filter_map(|c| c.key.as_ref().map(|key| (&c.user, key))).collect();
    FindChargeKeys {
        users: keyed.iter().map(|(user, _)| user.as_str().to_owned()).collect(),
        keys: keyed.iter().map(|(_, key)| key.as_str().to_owned()).collect(),
    }
}

/// The wallet as it was right after an entry.
pub(crate) fn charged(entry: &Entry) -> Charge {
    let wallet = Wallet { user: entry.user.clone(), balance: entry.balance_after.clone(), last_seq: entry.seq };
    Charge { wallet, entry: entry.clone() }
}

fn forget(ledger: &Ledger) -> ForgetEntryKeys {
    ForgetEntryKeys {
        users: ledger.forgotten.iter().map(|entry| entry.user.as_str().to_owned()).collect(),
        seqs: ledger.forgotten.iter().map(|entry| rows::big(entry.seq)).collect(),
        ids: ledger.forgotten.iter().map(|entry| entry.id.uuid()).collect(),
    }
}

/// What the key of a charge recorded, if it recorded this request (R15).
pub(crate) fn replay(
    command: &ChargeCommand,
    rows: Vec<ChargeKeyRow>,
    now: Timestamp,
) -> Result<Result<Option<Charged>, Rejection>, StoreError> {
    let Some(row) = rows.into_iter().next() else { return Ok(Ok(None)) };
    let (_, recorded, entry) = row.recorded()?;
    let replays = is_replay(Some(&recorded), &wallet::charge_fingerprint(&command.amount), now);
    Ok(replays.map(|replays| replays.then(|| charged(&entry))))
}
