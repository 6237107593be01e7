//! Wallets and payments.

use async_trait::async_trait;
use domain::idempotency::Recorded;
use domain::page::Listed;
use domain::payment::{self, Pay, PayFacts, Receipt};
use domain::ports::{
    Answer, ChargeCommand, Charged, Decided, IdGenerator, Paid, PayCommand, PaymentRepository, StoreError,
    WalletRepository,
};
use domain::seat::Taken;
use domain::wallet::{self, Entry, Wallet};
use domain::{EntryId, Page, PaymentId, QueueNumber, Rejection, Timestamp, UserId};

use super::{Reference, State, down, replayed};

#[async_trait]
impl WalletRepository for Reference {
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError> {
        Ok(self.lock().0.wallet(user))
    }

    async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>> {
        let (mut state, now) = self.lock();
        Ok(state.charge(command, now))
    }

    async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>> {
        let (state, now) = self.lock();
        let request = wallet::charge_fingerprint(&command.amount);
        Ok(replayed(&state.wallet_keys, &command.user, command.key.as_ref(), &request, now))
    }

    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError> {
        let (state, _) = self.lock();
        let all = state.wallets.get(user).into_iter().flat_map(|(_, entries)| entries);
        let all: Vec<_> = all.map(|entry| (entry.seq, entry.clone())).collect();
        Ok(Listed::cut(down(all.into_iter(), page), page, |entry| entry.seq))
    }
}

#[async_trait]
impl PaymentRepository for Reference {
    async fn pay(&self, command: &PayCommand) -> Decided<Answer<Paid>> {
        let (mut state, now) = self.lock();
        Ok(state.pay(command, now))
    }

    async fn find(&self, queue: QueueNumber, user: &UserId, payment: PaymentId) -> Result<Option<Receipt>, StoreError> {
        let (state, _) = self.lock();
        let found = state.sales.get(&queue).and_then(|sale| sale.receipts.get(&payment));
        Ok(found.filter(|receipt| receipt.payment.user == *user).cloned())
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, StoreError> {
        let (state, _) = self.lock();
        let all: Vec<_> = state.sales.get(&queue).into_iter().flat_map(|sale| &sale.receipts).collect();
        let own = all.into_iter().filter(|(_, receipt)| receipt.payment.user == *user);
        let items = down(own.map(|(id, receipt)| (*id, receipt.clone())), page);
        Ok(Listed::cut(items, page, |receipt| receipt.payment.id))
    }
}

impl State {
    fn wallet(&self, user: &UserId) -> Wallet {
        self.wallets.get(user).map_or_else(|| Wallet::empty(user.clone()), |(wallet, _)| wallet.clone())
    }

    fn write_wallet(&mut self, wallet: Wallet, entry: Entry) {
        let kept = self.wallets.entry(wallet.user.clone()).or_insert_with(|| (wallet.clone(), Vec::new()));
        kept.0 = wallet;
        kept.1.push(entry);
    }

    fn charge(&mut self, command: &ChargeCommand, now: Timestamp) -> Result<Answer<Charged>, Rejection> {
        // What is out of bounds is a bad request, whatever its key recorded (R15).
        wallet::check_charge(&command.amount, &self.rules)?;
        let request = wallet::charge_fingerprint(&command.amount);
        if let Some(value) = replayed(&self.wallet_keys, &command.user, command.key.as_ref(), &request, now)? {
            return Ok(Answer { value, replayed: true });
        }
        let id = EntryId::new(self.ids.next_id());
        let charge = wallet::charge(&self.wallet(&command.user), &command.amount, &self.rules, id, now)?;
        self.write_wallet(charge.wallet.clone(), charge.entry.clone());
        if let Some(key) = &command.key {
            let recorded = Recorded { fingerprint: request, at: now };
            self.wallet_keys.insert((command.user.clone(), key.clone()), (recorded, charge.clone()));
        }
        Ok(Answer { value: charge, replayed: false })
    }

    fn pay(&mut self, command: &PayCommand, now: Timestamp) -> Result<Answer<Paid>, Rejection> {
        let (sale, token) = self.token(command.ticket).ok_or(Rejection::TokenUnknown)?;
        let request = payment::fingerprint(command.reservation, command.amount.as_ref());
        if let Some(value) = replayed(&sale.pay_keys, &token.user, command.key.as_ref(), &request, now)? {
            return Ok(Answer { value, replayed: true });
        }
        let facts = PayFacts {
            token,
            reservation: sale.reservations.get(&command.reservation),
            pending: &sale.pending(&token.user),
            wallet: &self.wallet(&token.user),
            amount: command.amount.as_ref(),
        };
        let (id, entry) = (PaymentId::new(self.ids.next_id()), EntryId::new(self.ids.next_id()));
        let pay = payment::pay(&facts, id, entry, now)?;
        let paid = self.write_payment(pay);
        if let Some(key) = &command.key {
            let recorded = Recorded { fingerprint: request, at: now };
            let sale = self.sales.get_mut(&command.ticket.queue).unwrap();
            sale.pay_keys.insert((paid.receipt.payment.user.clone(), key.clone()), (recorded, paid.clone()));
        }
        Ok(Answer { value: paid, replayed: false })
    }

    fn write_payment(&mut self, pay: Pay) -> Paid {
        let balance = pay.wallet.balance.clone();
        self.write_wallet(pay.wallet, pay.entry);
        let sale = self.sales.get_mut(&pay.token.ticket.queue).unwrap();
        sale.tokens.insert(pay.token.ticket.number, pay.token);
        for seat in &pay.reservation.seats {
            let sold = Taken { by: pay.reservation.id, until: None };
            sale.seats.get_mut(&seat.id).unwrap().taken = Some(sold);
        }
        sale.reservations.insert(pay.reservation.id, pay.reservation.clone());
        let receipt = Receipt { payment: pay.payment, reservation: pay.reservation };
        sale.receipts.insert(receipt.payment.id, receipt.clone());
        Paid { receipt, balance }
    }
}
