//! What the tests over HTTP need: real `usher` processes, and words for talking to them as a shop's visitors do.
//!
//! [`Shop::open`] starts a server of its own on a free port with a fresh database on either storage; [`Shop::join`] gives a [`Visitor`],
//! who holds, charges and pays. Every [`Answer`] is checked for what all answers must have, so that no test need do so.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests use this: whatever surprises it is a failed test"
)]

mod answer;
mod binary;
mod database;
mod dice;
mod liar;
mod process;
mod proxy;
mod rehearsal;
mod request;
mod settings;
mod shop;
mod storage;
mod until;
mod visitor;

pub use answer::Answer;
pub use database::{Database, Lock};
pub use dice::Dice;
pub use liar::{Liar, Reply};
pub use process::{Finished, Process};
pub use proxy::{Proxy, Toward};
pub use rehearsal::{Rehearsed, play_at, rehearse, try_to_play};
pub use request::Request;
pub use settings::{ADMIN_KEY, Settings};
pub use shop::{Sale, Shop};
pub use storage::{Storage, room};
pub use until::{LIMIT, until};
pub use visitor::Visitor;
