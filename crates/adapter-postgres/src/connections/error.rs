//! Why a batch was not committed, and what became of a transaction whose end was not heard.

use diesel::result::{DatabaseErrorKind, Error};
use domain::ports::StoreError;

/// Why a batch was not committed.
#[derive(Clone, Debug)]
pub(crate) enum BatchError {
    /// No connection was free: not executed.
    Overloaded,
    /// The connection was lost before COMMIT was sent, or takes no writes: not committed.
    Lost(String),
    /// The database made it give way, or refused it with an error that diesel does not tell from that: not committed.
    Yielded(String),
    /// A row was there already that was not when the batch looked: another server was faster. Not committed.
    Raced(String),
    /// A constraint refused it: not committed.
    Refused(String),
    /// What was read is not what the schema promises: not committed.
    Store(StoreError),
    /// Perhaps committed, and nobody can tell.
    Unsure(String),
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        use DatabaseErrorKind::{
            CheckViolation, ClosedConnection, ExclusionViolation, ForeignKeyViolation, NotNullViolation,
            ReadOnlyTransaction, RestrictViolation, UnableToSendCommand, UniqueViolation,
        };
        let reason = error.to_string();
        match error {
            Error::DatabaseError(_, detail) if is_of_a_full_disk(detail.message()) => Self::Store(StoreError::Full),
            // A server that takes no writes any more is no better than none: another one of the URL's may.
            Error::DatabaseError(UnableToSendCommand | ClosedConnection | ReadOnlyTransaction, _) => Self::Lost(reason),
            Error::DatabaseError(UniqueViolation, _) => Self::Raced(reason),
            Error::DatabaseError(
                ForeignKeyViolation | NotNullViolation | CheckViolation | RestrictViolation | ExclusionViolation,
                _,
            ) => Self::Refused(reason),
            Error::DatabaseError(..) => Self::Yielded(reason),
            _ => Self::Store(StoreError::Unavailable(reason)),
        }
    }
}

/// Whether the server had no room for what was to be written. By its words, as diesel tells no SQLSTATE: those of the system, or of a
/// server that speaks English.
fn is_of_a_full_disk(message: &str) -> bool {
    ["No space left on device", "could not extend file", "Disk quota exceeded"]
        .iter()
        .any(|said| message.contains(said))
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl BatchError {
    /// Whether the same commands may succeed when they are tried again as they are.
    pub(crate) fn is_worth_another_try(&self, commands: usize) -> bool {
        match self {
            Self::Lost(_) | Self::Yielded(_) => true,
            // With others in the batch, one by one comes first: it may be a fault of the data, and no race.
            Self::Raced(_) => commands == 1,
            Self::Overloaded | Self::Refused(_) | Self::Store(_) | Self::Unsure(_) => false,
        }
    }

    /// Whether it may be the fault of one command, so that the others succeed without it.
    pub(crate) fn may_be_of_one(&self) -> bool {
        matches!(self, Self::Yielded(_) | Self::Raced(_) | Self::Refused(_) | Self::Store(_))
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Overloaded => StoreError::Overloaded,
            Self::Store(error) => error,
            Self::Lost(reason)
            | Self::Yielded(reason)
            | Self::Raced(reason)
            | Self::Refused(reason)
            | Self::Unsure(reason) => StoreError::Unavailable(reason),
        }
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Committed,
    Aborted,
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_takes_no_writes_is_left_like_one_that_is_gone() {
        let error = Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, Box::new("standby".to_owned()));
        let error = BatchError::from(error);
        assert!(matches!(error, BatchError::Lost(_)), "its connections are dropped: {error:?}");
        assert!(!error.may_be_of_one(), "none of the batch would fare better alone");
    }

    #[test]
    fn a_full_disk_is_told_from_what_another_try_would_mend() {
        for said in ["could not extend file \"base/5/16385\": No space left on device", "could not extend file"] {
            let error = BatchError::from(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(said.to_owned())));
            assert!(!error.is_worth_another_try(1), "{error:?}");
            assert_eq!(error.into_store_error(), StoreError::Full);
        }
    }
}
