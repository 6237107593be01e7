//! Connections, and why one could not be had.

use diesel_async::AsyncPgConnection;
use futures::future::{Either, select};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::address::{Address, AddressError};
use crate::causes::causes;

/// Why a connection could not be had, in one line that tells nothing of what may be a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be used.
    #[error("the database URL cannot be used: {0}")]
    Address(#[from] AddressError),
    /// Nobody answers there, or not to us; or the first statement failed.
    #[error("{0}")]
    Refused(String),
}

/// Connects to the database at `url`.
pub async fn connect(url: &str) -> Result<AsyncPgConnection, ConnectError> {
    let (client, connection) = Address::parse(url)?.config.connect(NoTls).await.map_err(|error| refused(&error))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection)
        .await
        .map_err(|error| ConnectError::Refused(error.to_string()))
}

/// Connects to the database at `url`, and begins with these statements; the first value of the last row that they yield.
///
/// They go over in one round trip and prepare nothing.
pub async fn connect_and_ask(url: &str, statements: &str) -> Result<(AsyncPgConnection, Option<String>), ConnectError> {
    let (client, mut connection) = Address::parse(url)?.config.connect(NoTls).await.map_err(|error| refused(&error))?;
    // The connection does its work while it is waited for.
    let answer = match select(Box::pin(client.simple_query(statements)), &mut connection).await {
        Either::Left((answer, _)) => answer.map_err(|error| refused(&error)),
        Either::Right((Err(error), _)) => Err(refused(&error)),
        Either::Right((Ok(()), _)) => Err(ConnectError::Refused("the server ended the connection".to_owned())),
    };
    let value = last_value(answer?);
    let connection = AsyncPgConnection::try_from_client_and_connection(client, connection).await;
    Ok((connection.map_err(|error| ConnectError::Refused(error.to_string()))?, value))
}

/// A session that is only asked, a text at a time.
pub struct Backend(Client);

impl Backend {
    /// Connects to the database at `url`, for as long as the present runtime lives.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let (client, connection) = Address::parse(url)?.config.connect(NoTls).await.map_err(|error| refused(&error))?;
        // It ends with the client; what is wrong with it is told by what the client asks.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self(client))
    }

    /// The first value of the last row that a statement yields. Prepares nothing.
    pub async fn ask(&self, statement: &str) -> Result<Option<String>, ConnectError> {
        self.0.simple_query(statement).await.map(last_value).map_err(|error| refused(&error))
    }
}

fn last_value(messages: Vec<SimpleQueryMessage>) -> Option<String> {
    let rows = messages.into_iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows?.try_get(0).ok().flatten().map(str::to_owned)
}

fn refused(error: &tokio_postgres::Error) -> ConnectError {
    ConnectError::Refused(causes(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn why(url: &str) -> String {
        connect(url).await.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn each_cause_is_told_in_its_own_words() {
        for (url, cause) in [
            ("postgres://usher:secret@127.0.0.1:1/usher", "refused"),
            ("postgres://usher:secret@%2Fno%2Fsuch%2Ffolder/usher", "No such file or directory"),
            ("postgres://usher:secret@no-such-host.invalid/usher", "failed to lookup address"),
            ("postgres://usher:secret@127.0.0.1:1/usher?sslmode=allow", "invalid value for option `sslmode`"),
            ("postgres://usher:secret@127.0.0.1:1/usher?sslmode=require", "Usher speaks no TLS"),
            ("postgres://usher:secret@/usher", "host"),
        ] {
            let line = why(url).await;
            assert!(line.contains(cause) && !line.contains("secret") && !line.contains('\n'), "{url}: {line}");
        }
    }
}
