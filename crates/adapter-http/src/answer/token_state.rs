//! The state of a token, as answers tell it.

use domain::TokenStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TokenState {
    /// In line (대기).
    Waiting,
    /// Admitted (이용가능).
    Active,
    /// Over (만료).
    Expired,
}

impl From<TokenStatus> for TokenState {
    fn from(status: TokenStatus) -> Self {
        match status {
            TokenStatus::Waiting => Self::Waiting,
            TokenStatus::Active => Self::Active,
            TokenStatus::Expired => Self::Expired,
        }
    }
}
