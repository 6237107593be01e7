//! The numbers of the sale's rules, as flags and environment variables.

use std::time::Duration;

use app::WalletGate;
use clap::{Args, ValueEnum};
use domain::{Money, Policy, Rules};

use super::values::{Word, number};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Rules of the sale")]
pub(crate) struct RulesConfig {
    /// How long a seat is held for its payment
    #[arg(long, env = "USHER_HOLD_SECONDS", value_name = "SECONDS", default_value_t = 300, value_parser = number("seconds", 1..=86_400, 300))]
    hold_seconds: u32,

    /// How long users may begin holds in their turn; what they hold then, they may still pay
    #[arg(long, env = "USHER_ACTIVE_SECONDS", value_name = "SECONDS", default_value_t = 600, value_parser = number("seconds", 1..=86_400, 600))]
    active_seconds: u32,

    /// Users who have not polled for this long when their turn comes lose it; 0: nobody does
    #[arg(long, env = "USHER_ABSENCE_SECONDS", value_name = "SECONDS", default_value_t = 300, value_parser = parse_absence)]
    absence_seconds: u32,

    /// How many seats one user may hold at once in one queue
    #[arg(long, env = "USHER_MAX_SEATS", value_name = "SEATS", default_value_t = 4, value_parser = number("seats", 1..=100, 4))]
    max_seats: u32,

    /// The largest single charge of a wallet
    #[arg(long, env = "USHER_MAX_CHARGE", value_name = "POINTS", default_value = "1000000", value_parser = parse_money)]
    max_charge: Money,

    /// For new queues: how many users may have their turn at once
    #[arg(long, env = "USHER_MAX_ACTIVE", value_name = "USERS", default_value_t = 100, value_parser = number("users", 0..=Policy::MAX_ACTIVE, 100))]
    max_active: u32,

    /// For new queues: how many users are admitted in one interval
    #[arg(long, env = "USHER_ADMIT_BATCH", value_name = "USERS", default_value_t = 10, value_parser = number("users", 1..=Policy::MAX_BATCH, 10))]
    admit_batch: u32,

    /// For new queues: how long an interval is
    #[arg(long, env = "USHER_ADMIT_INTERVAL_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = number("seconds", 1..=Policy::MAX_INTERVAL_SECONDS, 10))]
    admit_interval_seconds: u32,

    /// Who may see and charge their wallet: users whose turn it is (active), or also users who wait (any)
    #[arg(long, env = "USHER_WALLET_GATE", value_name = "WHO", value_enum, value_parser = Word::<Gate>::new(), default_value_t = Gate::Active)]
    wallet_gate: Gate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Gate {
    Active,
    Any,
}

/// Below two seconds even who polls every second would be taken to be absent.
fn parse_absence(text: &str) -> Result<u32, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|seconds| *seconds == 0 || (2..=86_400).contains(seconds))
        .ok_or_else(|| "must be a number of seconds, 0 for never or 2 to 86400, for example 300".to_owned())
}

fn parse_money(text: &str) -> Result<Money, String> {
    Money::parse(text.trim())
        .filter(|money| !money.is_zero())
        .ok_or_else(|| "must be an amount above 0, such as 1000000 or 99.5".to_owned())
}

impl RulesConfig {
    /// The rules' numbers.
    pub(crate) fn rules(&self) -> Rules {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Rules {
            hold: seconds(self.hold_seconds),
            active: seconds(self.active_seconds),
            absence: seconds(self.absence_seconds),
            max_seats: self.max_seats,
            max_charge: self.max_charge.clone(),
            new_queue: Policy {
                max_active: self.max_active,
                batch: self.admit_batch,
                interval_seconds: self.admit_interval_seconds,
                ..Policy::default()
            },
        }
    }

    /// Who may open a wallet (R16).
    pub(crate) fn wallet_gate(&self) -> WalletGate {
        match self.wallet_gate {
            Gate::Active => WalletGate::Active,
            Gate::Any => WalletGate::Any,
        }
    }
}
