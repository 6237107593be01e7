//! Idempotency keys, which stand in the rows that their requests made (R15).

use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::sale::Key;
use domain::{Fingerprint, IdempotencyKey};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::tables::columns::{inconsistent, instant};

/// What a key recorded, if there was one: which request, and when. `made` is the row of `table` that it made.
pub(crate) fn recorded(
    table: &'static str,
    made: Uuid,
    (key, fingerprint): (Option<String>, Option<Vec<u8>>),
    at: OffsetDateTime,
) -> Option<(IdempotencyKey, Result<Recorded, StoreError>)> {
    let key = IdempotencyKey::parse(&key?)?;
    let fingerprint = fingerprint.and_then(|bytes| bytes.try_into().ok()).map(Fingerprint);
    let recorded = fingerprint.map(|fingerprint| Recorded { fingerprint, at: instant(at) });
    Some((key, recorded.ok_or_else(|| inconsistent(table, "fingerprint", made))))
}

/// The key that something was asked for with.
pub(crate) fn key_text(key: Option<&Key>) -> Option<String> {
    key.map(|(key, _)| key.as_str().to_owned())
}

/// What was asked with that key.
pub(crate) fn fingerprint(key: Option<&Key>) -> Option<Vec<u8>> {
    key.map(|(_, fingerprint)| fingerprint.0.to_vec())
}
