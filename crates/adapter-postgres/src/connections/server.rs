//! What a server must be, and what an operator should know of it: looked at when a store is opened.

use connect_postgres::{Backend, ConnectError};

use crate::connections::concerns::Concerns;
use crate::connections::limits::Limits;
use crate::connections::pool::{SILENT, STANDBY, patient};
use crate::open_error::OpenError;

/// The oldest version that Usher's statements run on.
const OLDEST: u32 = 13;

/// How often two sessions are asked in turn who they are.
const TURNS: u32 = 3;

/// Names a process of the server, and its life: numbers of processes are given again.
const WHO: &str = "SELECT pid || ' ' || backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";

const SETTINGS: &str =
    "SELECT concat_ws(' ', current_setting('server_version_num'), current_setting('server_encoding'),
    pg_is_in_recovery(), current_setting('synchronous_commit'), current_setting('default_transaction_read_only'),
    current_setting('fsync'), current_setting('full_page_writes'))";

/// Looks whether the server at `url` is one that Usher can keep its promises on; what else should be known of it, a line each.
pub(crate) async fn look_at(url: &str, limits: Limits, concerns: &Concerns) -> Result<Vec<String>, OpenError> {
    let url = patient(url);
    let looked = tokio::time::timeout(limits.silence(), async {
        let [one, other] = [Backend::connect(&url).await?, Backend::connect(&url).await?];
        let mut answers = Vec::new();
        for _ in 0..TURNS {
            answers.push([one.ask(WHO).await?, other.ask(WHO).await?]);
        }
        Ok((share_backends(&answers), one.ask(SETTINGS).await?.unwrap_or_default()))
    });
    let looked = looked.await.unwrap_or_else(|_elapsed| Err(ConnectError::Refused(SILENT.to_owned())));
    let (pooled, settings) = looked.map_err(|error| OpenError::Unreachable(error.to_string()))?;
    if pooled { Err(OpenError::TransactionPooling) } else { judge(&settings, concerns) }
}

/// Whether what is between us and the server gives sessions to others between two transactions: then two that are open at once
/// may be one process of the server, or one of them several. A session's settings and prepared statements are lost that way.
/// Each of the `answers` tells who both of them are.
fn share_backends(answers: &[[Option<String>; 2]]) -> bool {
    answers.windows(2).any(|pair| matches!(pair, [before, after] if before != after))
        || answers.iter().any(|[one, other]| one == other)
}

/// What follows from a server's settings, which stand in a row.
fn judge(settings: &str, concerns: &Concerns) -> Result<Vec<String>, OpenError> {
    let mut settings = settings.split(' ');
    let mut next = || settings.next().unwrap_or_default();
    let version = next().parse::<u32>().unwrap_or_default() / 10_000;
    if version < OLDEST {
        return Err(OpenError::TooOld(version));
    }
    let encoding = next();
    if encoding != "UTF8" {
        return Err(OpenError::Encoding(encoding.to_owned()));
    }
    if next() != "f" {
        return Err(OpenError::Unreachable(STANDBY.to_owned()));
    }
    let asynchronous = next() == "off";
    if next() == "on" {
        return Err(OpenError::TakesNoWrites("default_transaction_read_only is on"));
    }
    let concern = "synchronous_commit is off for this role or database: Usher's own sessions set it on";
    let told = concerns.note([next(), next()]).into_iter().chain(asynchronous.then_some(concern));
    Ok(told.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pooler of transactions answers with whichever session is free.
    #[test]
    fn sessions_that_are_not_ones_own_are_found_out() {
        let named = |name: &str| Some(name.to_owned());
        for (answers, shared) in [
            ([["a", "b"], ["a", "b"], ["a", "b"]], false),
            ([["a", "a"], ["a", "a"], ["a", "a"]], true),
            ([["a", "b"], ["b", "a"], ["a", "b"]], true),
            ([["a", "b"], ["a", "b"], ["c", "b"]], true),
        ] {
            assert_eq!(share_backends(&answers.map(|pair| pair.map(named))), shared, "{answers:?}");
        }
    }

    #[test]
    fn a_server_is_taken_warned_of_or_refused() {
        let judge = |settings| judge(settings, &Concerns::default());
        assert!(judge("130023 UTF8 f on off on on").unwrap().is_empty());
        assert!(judge("180004 UTF8 f remote_apply off on on").unwrap().is_empty());
        let concerns = judge("150018 UTF8 f off off off off").unwrap();
        for (concern, setting) in concerns.iter().zip(["fsync", "full_page_writes", "synchronous_commit"]) {
            assert!(concern.starts_with(setting), "{concern}");
        }
        assert_eq!(concerns.len(), 3);
        for (settings, why) in [
            ("120022 UTF8 f on off", "PostgreSQL 12, and Usher needs 13 or newer"),
            ("150018 SQL_ASCII f on off", "SQL_ASCII"),
            ("150018 LATIN1 f on off", "LATIN1"),
            ("150018 UTF8 t on on", "standby"),
            ("150018 UTF8 f on on", "default_transaction_read_only"),
            ("", "needs 13"),
        ] {
            let line = judge(settings).unwrap_err().to_string();
            assert!(line.contains(why), "{settings}: {line}");
        }
    }
}
