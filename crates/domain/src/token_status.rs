//! The state of a token, as it is stored, decided by and told.

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenStatus {
    /// In line (대기).
    Waiting,
    /// Admitted: may look, hold and pay (이용가능).
    Active,
    /// Over, for good (만료).
    Expired,
}
