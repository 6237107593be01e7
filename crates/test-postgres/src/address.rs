//! The URL of a server, taken apart so that each test can have a database of its own on it.

/// `postgres://[user[:password]@][hosts][/database][?parameters]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// All before the database: scheme, user, hosts.
    server: String,
    /// The database that is there already.
    database: Option<String>,
    /// With the question mark; empty when there are none.
    parameters: String,
}

impl Address {
    /// Reads a URL; `None` when it is none of PostgreSQL's.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if !["postgres", "postgresql"].contains(&scheme) {
            return None;
        }
        let (place, parameters) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        Some(Self {
            server: format!("{scheme}://{hosts}"),
            database: (!database.is_empty()).then(|| database.to_owned()),
            parameters: parameters.to_owned(),
        })
    }

    /// The URL of a database of this server.
    pub(crate) fn of(&self, database: &str) -> String {
        format!("{}/{database}{}", self.server, self.parameters)
    }

    /// The database that is there already: the URL's own, `postgres` when it names none.
    pub(crate) fn existing(&self) -> &str {
        self.database.as_deref().unwrap_or("postgres")
    }

    /// Hosts and database, without user, password and parameters.
    pub(crate) fn told(&self) -> String {
        let hosts = self.server.rsplit(['@', '/']).next().unwrap_or_default();
        format!("{hosts}/{}", self.existing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_gets_a_database_beside_the_one_that_is_named() {
        for (url, database, existing) in [
            ("postgres://h", "postgres://h/t", "postgres"),
            ("postgres://h/", "postgres://h/t", "postgres"),
            ("postgresql://u:p%2Fw@h:5433/mine", "postgresql://u:p%2Fw@h:5433/t", "mine"),
            ("postgres://u@h/mine?connect_timeout=3", "postgres://u@h/t?connect_timeout=3", "mine"),
            ("postgres://u@a,b?target_session_attrs=any", "postgres://u@a,b/t?target_session_attrs=any", "postgres"),
            ("postgres://?host=/run/x&user=u", "postgres:///t?host=/run/x&user=u", "postgres"),
            ("postgres://u@%2Frun%2Fx", "postgres://u@%2Frun%2Fx/t", "postgres"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!((address.of("t").as_str(), address.existing()), (database, existing), "{url}");
        }
        for none in ["", "mysql://h/d", "host=h user=u"] {
            assert_eq!(Address::parse(none), None, "{none}");
        }
    }

    #[test]
    fn no_password_is_told() {
        let address = Address::parse("postgres://u:secret@h:5433/mine?password=secret").unwrap();
        assert_eq!(address.told(), "h:5433/mine");
    }
}
