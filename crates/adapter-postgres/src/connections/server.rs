//! What a server must be, and what an operator should know of it: looked at when a store is opened.

use std::sync::{Mutex, PoisonError};

use connect_postgres::{Backend, ConnectError};

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
    pg_is_in_recovery(), current_setting('synchronous_commit'), current_setting('default_transaction_read_only'))";

/// What a crash of the database's machine may cost, where `fsync` and `full_page_writes` are off.
const CONCERNS: [&str; 2] = [
    "fsync is off: what was answered with success is lost when the database's machine crashes",
    "full_page_writes is off: a crash of the database's machine may damage it, unless its file system prevents that",
];

/// What there was to be concerned about when the last session began. A reload may change it at any time.
#[derive(Default)]
pub(crate) struct Concerns(Mutex<Vec<&'static str>>);

impl Concerns {
    /// Notes what a new session finds `fsync` and `full_page_writes` to be; what is off now and was not before.
    pub(crate) fn note(&self, settings: [&str; 2]) -> Vec<&'static str> {
        let found = settings.into_iter().zip(CONCERNS).filter(|(setting, _)| *setting == "off");
        let found: Vec<_> = found.map(|(_, concern)| concern).collect();
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = found.iter().copied().filter(|concern| !before.contains(concern)).collect();
        *before = found;
        new
    }
}

/// Looks whether the server at `url` is one that Usher can keep its promises on; what else should be known of it, a line each.
pub(crate) async fn look_at(url: &str, limits: Limits) -> Result<Vec<String>, OpenError> {
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
    if pooled { Err(OpenError::TransactionPooling) } else { judge(&settings) }
}

/// Whether what is between us and the server gives sessions to others between two transactions: then two that are open at once
/// may be one process of the server, or one of them several. A session's settings and prepared statements are lost that way.
/// Each of the `answers` tells who both of them are.
fn share_backends(answers: &[[Option<String>; 2]]) -> bool {
    answers.windows(2).any(|pair| matches!(pair, [before, after] if before != after))
        || answers.iter().any(|[one, other]| one == other)
}

/// What follows from a server's settings, which stand in a row.
fn judge(settings: &str) -> Result<Vec<String>, OpenError> {
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
    Ok(asynchronous.then(|| concern.to_owned()).into_iter().collect())
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
    fn what_a_crash_may_cost_is_told_when_it_comes_up() {
        let concerns = Concerns::default();
        for (settings, told) in [
            (["off", "on"], &CONCERNS[..1]),
            (["off", "on"], &[]),
            (["off", "off"], &CONCERNS[1..]),
            (["on", "on"], &[]),
            (["off", "off"], &CONCERNS[..]),
        ] {
            assert_eq!(concerns.note(settings), told, "{settings:?}");
        }
    }

    #[test]
    fn a_server_is_taken_warned_of_or_refused() {
        assert!(judge("130023 UTF8 f on off").unwrap().is_empty());
        assert!(judge("180004 UTF8 f remote_apply off").unwrap().is_empty());
        let concerns = judge("150018 UTF8 f off off").unwrap();
        assert!(concerns.len() == 1 && concerns[0].starts_with("synchronous_commit"), "{concerns:?}");
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
