//! Batches of charges: one lane for all wallets, which know nothing of queues (R12).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::idempotency::Recorded;
use domain::ports::{Answer, ChargeCommand, Charged, Decided, StoreError};
use domain::sale::{self, Charging, Context, Key};
use domain::wallet::{self, Entry, Wallet};
use domain::{IdempotencyKey, Timestamp, UserId};
use time::OffsetDateTime;

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::connections::statement::{Begin, Commit, Now, run, when};
use crate::environment::Environment;
use crate::tables::columns;
use crate::tables::wallets::{
    ChargeKeyRow, FindChargeKeys, ForgetEntryKeys, LockChargedWallets, WalletRow, insert_entries, insert_wallets,
    update_wallets,
};

/// Runs the batches of charges.
pub(crate) struct Charges {
    pub(crate) environment: Environment,
}

/// What a batch of charges knows and has changed.
pub(crate) struct Ledger {
    now: Timestamp,
    /// A damaged row fails whoever needs it.
    wallets: BTreeMap<UserId, Result<Wallet, StoreError>>,
    /// Whose wallets had no row.
    new: BTreeSet<UserId>,
    /// New entries, each with the key of its charge.
    entries: Vec<(Entry, Option<Key>)>,
    keys: HashMap<(UserId, IdempotencyKey), Result<(Recorded, Entry), StoreError>>,
    /// Entries whose key is forgotten, and used again.
    forgotten: Vec<Entry>,
}

#[async_trait]
impl Executor for Charges {
    type Command = ChargeCommand;
    type Answer = Decided<Answer<Charged>>;
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
        let moved: BTreeSet<&UserId> = ledger.entries.iter().map(|(entry, _)| &entry.user).collect();
        let moved = moved.into_iter().filter_map(|user| ledger.wallets.get(user)).flatten();
        let (new, known): (Vec<_>, Vec<_>) = moved.partition(|wallet| ledger.new.contains(&wallet.user));
        futures::try_join!(
            when(conn, !known.is_empty(), || update_wallets(&known)),
            when(conn, !new.is_empty(), || insert_wallets(&new)),
            when(conn, !ledger.forgotten.is_empty(), || forget(ledger)),
            when(conn, !ledger.entries.is_empty(), || {
                insert_entries(ledger.entries.iter().map(|(entry, key)| (entry, key.as_ref())))
            }),
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
            forgotten: Vec::new(),
        };
        for row in wallets {
            if let Some(user) = row.user() {
                ledger.wallets.insert(user, row.wallet());
            }
        }
        for row in keys {
            if let Some(place) = row.place() {
                ledger.keys.insert(place, row.recorded());
            }
        }
        Ok((ledger, transaction))
    }

    fn charge(&self, ledger: &mut Ledger, command: &ChargeCommand) -> Decided<Answer<Charged>> {
        let place = command.key.clone().map(|key| (command.user.clone(), key));
        let recorded = place.as_ref().and_then(|place| ledger.keys.get(place)).cloned().transpose()?;
        let known = ledger.wallets.get(&command.user);
        let wallet = || known.cloned().unwrap_or_else(|| Ok(Wallet::empty(command.user.clone())));
        let context = Context { rules: &self.environment.rules, ids: &*self.environment.ids, now: ledger.now };
        let (charge, forgotten) = match sale::charge(command, recorded, wallet, &context)? {
            Ok(Charging::Now { charge, forgotten }) => (charge, forgotten),
            Ok(Charging::Before(value)) => return Ok(Ok(Answer { value, replayed: true })),
            Err(rejection) => return Ok(Err(rejection)),
        };
        if known.is_none() {
            ledger.new.insert(command.user.clone());
        }
        ledger.wallets.insert(command.user.clone(), Ok(charge.wallet.clone()));
        ledger.forgotten.extend(forgotten);
        let key = place.map(|(user, key)| {
            let fingerprint = wallet::charge_fingerprint(&command.amount);
            let recorded = Recorded { fingerprint, at: ledger.now };
            ledger.keys.insert((user, key.clone()), Ok((recorded, charge.entry.clone())));
            (key, fingerprint)
        });
        ledger.entries.push((charge.entry.clone(), key));
        Ok(Ok(Answer { value: charge, replayed: false }))
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

fn forget(ledger: &Ledger) -> ForgetEntryKeys {
    ForgetEntryKeys {
        users: ledger.forgotten.iter().map(|entry| entry.user.as_str().to_owned()).collect(),
        seqs: ledger.forgotten.iter().map(|entry| columns::big(entry.seq)).collect(),
        ids: ledger.forgotten.iter().map(|entry| entry.id.uuid()).collect(),
    }
}

/// What the key of a charge recorded, if it recorded this request (R15).
pub(crate) fn replay(command: &ChargeCommand, rows: Vec<ChargeKeyRow>, now: Timestamp) -> Decided<Option<Charged>> {
    let recorded = rows.into_iter().next().map(ChargeKeyRow::recorded).transpose()?;
    Ok(sale::replay_charge(command, recorded, now))
}
