//! Why a connection could not be had, in words.

use std::error::Error;

/// What the server said; or an error with all its causes, as the first one only says what was tried.
pub(crate) fn causes(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
