//! One's own wallet: balance, charging, entries (R12, R16).

use domain::page::Listed;
use domain::ports::{Answer, ChargeCommand, Charged};
use domain::seal::SealedToken;
use domain::wallet::{Entry, Wallet, check_charge};
use domain::{IdempotencyKey, Money, Page, Rejection, UserId};

use crate::{App, Failure, WalletGate};

impl App {
    /// The token's user's wallet.
    pub async fn wallet(&self, token: SealedToken) -> Result<Wallet, Failure> {
        let user = self.wallet_owner(token).await??;
        Ok(self.ports.wallets.balance(&user).await?)
    }

    /// The entries of the token's user's wallet, newest first.
    pub async fn entries(&self, token: SealedToken, page: &Page<u64>) -> Result<Listed<Entry, u64>, Failure> {
        let user = self.wallet_owner(token).await??;
        Ok(self.ports.wallets.entries(&user, page).await?)
    }

    /// Charges the token's user's wallet.
    ///
    /// A charge that was answered before is answered again with its key, also when the token has expired since (R15).
    pub async fn charge(
        &self,
        token: SealedToken,
        amount: Money,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer<Charged>, Failure> {
        let standing = self.standing(token).await?;
        check_charge(&amount, &self.rules)?;
        let gate = self.wallet_gate(&standing.token);
        let command = ChargeCommand { user: standing.token.user, amount, key };
        match gate {
            Ok(()) => Ok(self.ports.wallets.charge(&command).await??),
            Err(refusal) if command.key.is_some() => match self.ports.wallets.replay(&command).await?? {
                Some(value) => Ok(Answer { value, replayed: true }),
                None => Err(refusal.into()),
            },
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whose wallet a token opens, if it does.
    async fn wallet_owner(&self, token: SealedToken) -> Result<Result<UserId, Rejection>, Failure> {
        let standing = self.standing(token).await?;
        Ok(self.wallet_gate(&standing.token).map(|()| standing.token.user))
    }

    fn wallet_gate(&self, token: &domain::Token) -> Result<(), Rejection> {
        match self.wallet_gate {
            WalletGate::Active => token.require_active(self.ports.clock.now()),
            WalletGate::Any => Ok(()),
        }
    }
}
