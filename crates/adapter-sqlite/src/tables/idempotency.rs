//! What a row keeps of the request that made it (R15).

use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::{Fingerprint, Timestamp};

use crate::tables::columns::{Column, Columns};

/// What a row keeps of its request: the fingerprint in `place`, and when the row was made.
pub(crate) fn recorded<'a>(
    row: &impl Columns<'a>,
    place: usize,
    column: Column,
    at: Timestamp,
) -> Result<Recorded, StoreError> {
    Ok(Recorded { fingerprint: Fingerprint(row.bytes(place, column)?), at })
}
