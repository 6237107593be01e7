//! What a URL says, and what of it may be told.

use std::fmt;

use tokio_postgres::Config;

use crate::causes::causes;

/// Where a database is, and how to get in. What is printed of it is where it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) config: Config,
    /// Hosts and database, as the URL has them.
    place: String,
}

/// Why a URL cannot be used. Tells nothing of what may be a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It does not begin as one.
    #[error("it is not postgres://USER:PASSWORD@HOST/DATABASE")]
    NoUrl,
    /// The driver would take what comes after the first for the host.
    #[error("it has more than one @; write %40 for one that belongs to a user name or a password")]
    SeveralAts,
    /// A part of it cannot be read; which one.
    #[error("{0}")]
    Wrong(String),
    /// It asks for an encrypted connection.
    #[error("sslmode=require: Usher speaks no TLS to a database")]
    Tls,
}

impl Address {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or(AddressError::NoUrl)?;
        // Whatever is wrong further on may be a part of the password.
        if rest.matches('@').count() > 1 {
            return Err(AddressError::SeveralAts);
        }
        let config: Config = url.parse().map_err(|error| AddressError::Wrong(why(url, causes(&error))))?;
        if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            return Err(AddressError::Tls);
        }
        Ok(Self { config, place: place(rest) })
    }

    /// Where a URL leads, if that can be read, and nothing of how to get in; for a URL that cannot be used, too.
    pub fn told(url: &str) -> String {
        Self::parse(url).map_or_else(|_unreadable| UNTOLD.to_owned(), |address| address.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a URL cannot be read. The name of a parameter that nobody knows may be what stands behind an `&` in a password.
fn why(url: &str, why: String) -> String {
    let (unknown, safe) = (why.contains("unknown option"), url.contains('@') && !url.contains("password="));
    if unknown && !safe {
        "a parameter is unknown; write %26 for an & that belongs to a password".to_owned()
    } else {
        why
    }
}

/// What is told of a place that cannot be told from a password.
const UNTOLD: &str = "postgres://...";

/// Hosts and database of what stands behind the scheme: between user and parameters, if nothing else can be there.
fn place(rest: &str) -> String {
    // A password may hold a question mark.
    let behind_user = rest.split_once('@').map_or(rest, |(_user, behind)| behind);
    let place = behind_user.split('?').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:,/%[]".contains(c);
    if place.chars().all(plain) { format!("postgres://{place}") } else { UNTOLD.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_without_the_way_in() {
        for (url, told) in [
            ("postgres://usher:secret@a:5432,b:5432/sale?password=secret", "postgres://a:5432,b:5432/sale"),
            ("postgresql://h/d", "postgres://h/d"),
            ("postgres://usher:se?secret@127.0.0.1:21150/usher", "postgres://127.0.0.1:21150/usher"),
            ("postgres://usher:se#secret@h/usher", "postgres://h/usher"),
            ("postgres://usher:se/secret@h/usher", "postgres://h/usher"),
            ("postgres://usher:se:secret@h", "postgres://h"),
            ("postgres://usher@%2Frun%2Fpostgresql/usher", "postgres://%2Frun%2Fpostgresql/usher"),
            ("postgres://usher:secret@[::1]:5432/d", "postgres://[::1]:5432/d"),
            ("postgres:///usher?host=/run/postgresql&user=usher&password=secret", "postgres:///usher"),
        ] {
            assert_eq!(Address::parse(url).unwrap().to_string(), told, "{url}");
            assert_eq!(Address::told(url), told);
        }
    }

    #[test]
    fn no_part_of_a_password_is_told_of_what_cannot_be_read() {
        for (url, why) in [
            ("postgres://usher:se@secret@h/d", "more than one @"),
            ("postgres://usher:se@secret/@h/d?x", "more than one @"),
            ("postgres://usher:@se?secret=1@h/d", "more than one @"),
            ("postgres://usher:secret@h:port/d", "invalid connection string: invalid value for option `port`"),
            ("postgres://usher:secret/d", "invalid value for option `port`"),
            ("postgres://usher:secret@h/d?schema=x", "unknown option `schema`"),
            ("postgres://usher:secret@h/d?sslmode=verify-full", "invalid value for option `sslmode`"),
            ("postgres://usher:secret@h/d?sslmode=require", "Usher speaks no TLS"),
            ("postgres://h/d?user=usher&password=se&secret=x", "a parameter is unknown; write %26"),
            ("postgres://usher?secret=x", "a parameter is unknown; write %26"),
            ("postgres:secret", "it is not postgres://"),
            ("mysql://usher:secret@h/d", "it is not postgres://"),
            ("", "it is not postgres://"),
        ] {
            let refused = Address::parse(url).unwrap_err().to_string();
            assert!(refused.contains(why) && !refused.contains("secret"), "{url}: {refused}");
            assert_eq!(Address::told(url), "postgres://...");
        }
        // Where somebody forgot the user and wrote the password in the parameters with an @ in it.
        assert_eq!(Address::told("postgres://h/d?password=se@secret&user=usher"), "postgres://...");
    }
}
