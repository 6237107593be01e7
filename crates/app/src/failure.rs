//! What a use case can answer instead of its result.

use domain::Rejection;
use domain::ports::StoreError;

/// The rules said no, or the store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The rules said no; nothing has changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
