//! What a row keeps of the request that made it (R15): its key, and what was asked for with it.

use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::{Fingerprint, IdempotencyKey, Timestamp};

use crate::tables::columns::{Column, Columns};

/// The key of a request, if it had one, and what it asked for: the columns `idempotency_key` and `fingerprint`.
pub(crate) type Key<'a> = Option<(&'a IdempotencyKey, &'a Fingerprint)>;

/// What a row keeps of its request: the fingerprint in `place`, and when the row was made.
pub(crate) fn recorded<'a>(
    row: &impl Columns<'a>,
    place: usize,
    column: Column,
    at: Timestamp,
) -> Result<Recorded, StoreError> {
    Ok(Recorded { fingerprint: Fingerprint(row.bytes(place, column)?), at })
}
