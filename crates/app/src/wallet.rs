//! One's own wallet: balance, charging, entries (R12, R16).

use domain::page::Listed;
use domain::ports::{Answer, ChargeCommand, Charged};
use domain::wallet::{Entry, Wallet, check_charge};
use domain::{IdempotencyKey, Money, Page, Rejection, Token, TokenStatus, UserId};

use crate::{App, Failure, Holder, WalletGate};

impl App {
    /// The token's user's wallet.
    pub async fn wallet(&self, holder: Holder) -> Result<Wallet, Failure> {
        let user = self.wallet_reader(holder).await?;
        Ok(self.ports.wallets.balance(&user).await?)
    }

    /// The entries of the token's user's wallet, newest first.
    pub async fn entries(&self, holder: Holder, page: &Page<u64>) -> Result<Listed<Entry, u64>, Failure> {
        let user = self.wallet_reader(holder).await?;
        Ok(self.ports.wallets.entries(&user, page).await?)
    }

    /// Charges the token's user's wallet.
    ///
    /// A charge that was answered before is answered again with its key, also when the token has expired since (R15).
    pub async fn charge(
        &self,
        holder: Holder,
        amount: Money,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer<Charged>, Failure> {
        let token = self.charging_token(holder, key.as_ref()).await;
        if token != Err(Rejection::TokenUnknown.into()) {
            check_charge(&amount, &self.rules)?;
        }
        let token = token?;
        let gate = self.charging_gate(&token);
        let command = ChargeCommand { user: token.user, amount, key };
        match gate {
            Ok(()) => Ok(self.ports.wallets.charge(&command).await??),
            Err(refusal) if command.key.is_some() => match self.ports.wallets.replay(&command).await?? {
                Some(value) => Ok(Answer { value, replayed: true }),
                None => Err(refusal.into()),
            },
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whose wallet a token looks into, if it does: an ACTIVE one does, and one that ended not long ago, as with receipts.
    async fn wallet_reader(&self, holder: Holder) -> Result<UserId, Failure> {
        match self.require_turn_at_the_gate(holder).await {
            // Who left the line has ended too.
            Ok(()) | Err(Failure::Rejected(Rejection::TokenNotActive(TokenStatus::Expired))) => {}
            Err(refused) => return Err(refused),
        }
        let token = self.token(holder.ticket).await?;
        let now = self.ports.clock.now();
        match token.status_at(now) {
            TokenStatus::Waiting => self.charging_gate(&token)?,
            TokenStatus::Active | TokenStatus::Expired => token.require_readable(now)?,
        }
        Ok(token.user)
    }

    /// The token of a caller who wants to charge.
    async fn charging_token(&self, holder: Holder, key: Option<&IdempotencyKey>) -> Result<Token, Failure> {
        if key.is_none() {
            self.require_turn_at_the_gate(holder).await?;
        }
        self.token(holder.ticket).await
    }

    /// Where only an ACTIVE token opens the wallet, a place in line is refused without a look into the store.
    async fn require_turn_at_the_gate(&self, holder: Holder) -> Result<(), Failure> {
        match self.wallet_gate {
            WalletGate::Active => self.require_turn(holder.ticket).await,
            WalletGate::Any => Ok(()),
        }
    }

    /// R16: whether a token may charge; an ended one never does.
    fn charging_gate(&self, token: &Token) -> Result<(), Rejection> {
        let now = self.ports.clock.now();
        match self.wallet_gate {
            WalletGate::Active => token.require_active(now),
            WalletGate::Any => token.require_live(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::token::EndReason;
    use domain::wallet::{Charge, EntryKind};
    use domain::{EntryId, Wrong};
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{NOW, World, active, active_until, at, block_on, down, ended, holder, run, user, waiting};

    fn ten() -> Money {
        Money::parse("10").unwrap()
    }

    fn command(key: Option<&str>) -> ChargeCommand {
        ChargeCommand { user: user(), amount: ten(), key: key.and_then(IdempotencyKey::parse) }
    }

    fn charged() -> Charged {
        let entry = Entry {
            id: EntryId::new(Uuid::from_u128(1)),
            user: user(),
            seq: 1,
            kind: EntryKind::Charge,
            amount: ten(),
            balance_after: ten(),
            at: at(NOW),
        };
        Charge { wallet: Wallet { user: user(), balance: ten(), last_seq: 1 }, entry }
    }

    fn charge(app: &App, key: Option<&str>) -> Result<Answer<Charged>, Failure> {
        run(app, app.charge(holder(), ten(), key.and_then(IdempotencyKey::parse)))
    }

    fn refused(status: TokenStatus) -> Failure {
        Failure::Rejected(Rejection::TokenNotActive(status))
    }

    /// Every state in which a token is not ACTIVE, and what it is told.
    fn not_active() -> [(Token, TokenStatus); 3] {
        [
            (waiting(), TokenStatus::Waiting),
            (ended(), TokenStatus::Expired),
            // Stored as ACTIVE, and over: the deadline is now.
            (active_until(NOW), TokenStatus::Expired),
        ]
    }

    #[test]
    fn only_an_active_token_charges_and_who_waits_sees_no_wallet_r16_q16() {
        for (token, status) in not_active() {
            assert_eq!(charge(&World::of(token).app(), None), Err(refused(status)));
        }
        let app = World::of(waiting()).app();
        assert_eq!(run(&app, app.wallet(holder())), Err(refused(TokenStatus::Waiting)));
        let entries = run(&app, app.entries(holder(), &Page::new(1, None).unwrap()));
        assert_eq!(entries, Err(refused(TokenStatus::Waiting)));
    }

    #[test]
    fn an_ended_token_sees_the_wallet_for_a_day_whatever_the_gate_r16() {
        for gate in [WalletGate::Active, WalletGate::Any] {
            for token in [ended(), active_until(NOW)] {
                let mut world = World { gate, ..World::of(token) };
                world.wallets.expect_balance().times(1).return_once(|_| Ok(charged().wallet));
                let listed = Listed { items: vec![charged().entry], next: None };
                world.wallets.expect_entries().times(1).return_once(|_, _| Ok(listed));
                let app = world.app();
                assert_eq!(run(&app, app.wallet(holder())), Ok(charged().wallet));
                assert!(run(&app, app.entries(holder(), &Page::new(1, None).unwrap())).is_ok());
                assert_eq!(charge(&app, None), Err(refused(TokenStatus::Expired)), "and charges nothing");
            }
        }
        let app = World::a_day_after(ended());
        assert_eq!(block_on(app.wallet(holder())), Err(refused(TokenStatus::Expired)));
    }

    /// A place that ended in line is no longer waited for, and its wallet is looked at all the same.
    #[test]
    fn who_has_left_the_line_sees_the_wallet_too_r16() {
        let mut left = waiting();
        left.end(EndReason::Left, at(3));
        let mut world = World::of(left);
        world.lines.leave(7);
        world.wallets.expect_balance().times(1).return_once(|_| Ok(charged().wallet));
        let app = world.app();
        assert_eq!(run(&app, app.wallet(holder())), Ok(charged().wallet));
    }

    fn expecting_everything(token: Token) -> World {
        let mut world = World::of(token);
        world.wallets.expect_balance().times(1).withf(|by| *by == user()).return_once(|_| Ok(charged().wallet));
        let asked = |by: &UserId, page: &Page<u64>| (by, page.limit, page.after) == (&user(), 2, Some(9));
        let listed = Listed { items: vec![charged().entry], next: None };
        world.wallets.expect_entries().times(1).withf(asked).return_once(|_, _| Ok(listed));
        let answer = Answer { value: charged(), replayed: false };
        let asked = |asked: &ChargeCommand| *asked == command(Some("k"));
        world.wallets.expect_charge().times(1).withf(asked).return_once(|_| Ok(Ok(answer)));
        world
    }

    fn everything_works(app: &App) {
        assert_eq!(block_on(app.wallet(holder())), Ok(charged().wallet));
        let entries = block_on(app.entries(holder(), &Page::new(2, Some(9)).unwrap()));
        assert_eq!(entries, Ok(Listed { items: vec![charged().entry], next: None }));
        assert_eq!(charge(app, Some("k")), Ok(Answer { value: charged(), replayed: false }));
    }

    #[test]
    fn the_wallet_is_the_tokens_users_r6() {
        everything_works(&expecting_everything(active()).app());
    }

    #[test]
    fn an_open_wallet_lets_people_top_up_while_they_wait_r16() {
        for token in [waiting(), active()] {
            everything_works(&World { gate: WalletGate::Any, ..expecting_everything(token) }.app());
        }
    }

    #[test]
    fn an_amount_out_of_bounds_reaches_no_wallet_r12_w3() {
        for (amount, token) in [("0", active()), ("1000000.01", active()), ("0", waiting())] {
            let app = World::of(token).app();
            let answer = run(&app, app.charge(holder(), Money::parse(amount).unwrap(), None));
            assert!(matches!(answer, Err(Failure::Rejected(Rejection::Invalid(_)))), "{answer:?}");
        }
    }

    /// R15: a charge that is sent again with its key gets its first answer again, although the token has ended by now. Nothing is
    /// charged.
    #[test]
    fn a_charge_is_answered_again_when_the_token_is_over() {
        for (token, _) in not_active() {
            let mut world = World::of(token);
            let asked = |asked: &ChargeCommand| *asked == command(Some("k"));
            world.wallets.expect_replay().times(1).withf(asked).return_once(|_| Ok(Ok(Some(charged()))));
            assert_eq!(charge(&world.app(), Some("k")), Ok(Answer { value: charged(), replayed: true }));
        }
    }

    #[test]
    fn without_an_answer_to_repeat_the_token_decides_r15() {
        for (token, status) in not_active() {
            for (recorded, answer) in [
                (Ok(Ok(None)), refused(status)),
                (Ok(Err(Rejection::IdempotencyKeyReused)), Failure::Rejected(Rejection::IdempotencyKeyReused)),
                (Err(down()), Failure::Store(down())),
            ] {
                let mut world = World::of(token.clone());
                world.wallets.expect_replay().times(1).return_once(|_| recorded);
                assert_eq!(charge(&world.app(), Some("k")), Err(answer));
            }
        }
    }

    #[test]
    fn refusals_and_failures_are_passed_on() {
        let refusal = Rejection::invalid("amount", Wrong::Missing);
        for (answer, passed) in
            [(Ok(Err(refusal.clone())), Failure::Rejected(refusal)), (Err(down()), Failure::Store(down()))]
        {
            let mut world = World::of(active());
            world.wallets.expect_charge().return_once(|_| answer);
            world.wallets.expect_balance().return_once(|_| Err(down()));
            let app = world.app();
            assert_eq!(charge(&app, None), Err(passed));
            assert_eq!(block_on(app.wallet(holder())), Err(Failure::Store(down())));
        }
    }
}
