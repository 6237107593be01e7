//! Usher's use cases, one a file, over the ports of the domain; no I/O of their own.
//!
//! A use case proves who calls, looks up what the rules need, calls one port and puts the answer together. It decides
//! nothing that the domain decides. [`App`] holds what they share.

mod bulletin;
mod caller;
mod clockwork;
mod create_concert;
mod failure;
mod following;
mod join;
mod known_queues;
mod leave;
mod lines;
#[cfg(test)]
mod mocks;
mod own;
mod payments;
mod presence;
mod queue_policy;
mod readiness;
mod reservations;
mod schedules;
mod sightings;
mod standing;
mod stock;
mod ticking;
mod token_keys;
mod token_reads;
mod wallet;

use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::Rules;
use domain::ports::{
    Clock, ClockworkRepository, ConcertRepository, IdGenerator, PaymentRepository, PresenceRepository, Probe,
    QueueRepository, ReservationRepository, WalletRepository,
};
use domain::seal::ServerKeys;
use uuid::Uuid;

pub use bulletin::Bulletin;
pub use caller::{ActiveCaller, Holder};
pub use clockwork::Tick;
pub use failure::Failure;
use following::Following;
pub use following::Refreshed;
pub use join::Joined;
use lines::Lines;
pub use queue_policy::QueueCounts;
pub use readiness::Readiness;
pub use standing::Standing;
use stock::searches::Searches;
use ticking::Ticking;
pub use token_keys::{KeyFailure, agree_on_keys};
use token_reads::TokenReads;

/// Whether a wallet may be read and charged with a token that is WAITING (R16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WalletGate {
    /// Only with an ACTIVE token.
    #[default]
    Active,
    /// With a WAITING one too, so that people can top up while they wait.
    Any,
}

/// The ports that the use cases call.
#[derive(Clone)]
pub struct Ports {
    /// The waiting line.
    pub queues: Arc<dyn QueueRepository>,
    /// What is sold.
    pub concerts: Arc<dyn ConcertRepository>,
    /// Holds.
    pub reservations: Arc<dyn ReservationRepository>,
    /// Wallets.
    pub wallets: Arc<dyn WalletRepository>,
    /// Payments.
    pub payments: Arc<dyn PaymentRepository>,
    /// Who is there.
    pub presence: Arc<dyn PresenceRepository>,
    /// Whether the store answers.
    pub probe: Arc<dyn Probe>,
    /// When the clockwork ticked.
    pub clockwork: Arc<dyn ClockworkRepository>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases and what they share. Cheap to share behind an [`Arc`]; every method takes `&self`.
pub struct App {
    ports: Ports,
    rules: Rules,
    wallet_gate: WalletGate,
    keys: ServerKeys,
    /// What this server calls itself.
    server: Uuid,
    lines: ArcSwap<Lines>,
    following: Following,
    token_reads: TokenReads,
    /// What is looked for in the queues; held by the one who looks.
    searches: futures::lock::Mutex<Searches>,
    ticking: Ticking,
}

impl App {
    /// The use cases over `ports`, for tokens sealed with `keys`. Knows no queue until [`App::refresh`] ran.
    pub fn new(ports: Ports, rules: Rules, wallet_gate: WalletGate, keys: ServerKeys) -> Self {
        Self {
            server: ports.ids.next_id(),
            ports,
            rules,
            wallet_gate,
            keys,
            lines: ArcSwap::from_pointee(Lines::default()),
            following: Following::default(),
            token_reads: TokenReads::default(),
            searches: futures::lock::Mutex::default(),
            ticking: Ticking::default(),
        }
    }

    /// The numbers that the rules use.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The time that answers carry.
    pub fn now(&self) -> domain::Timestamp {
        self.ports.clock.now()
    }

    /// A new id for what an adapter must name, such as a process or a request.
    pub fn next_id(&self) -> uuid::Uuid {
        self.ports.ids.next_id()
    }
}
