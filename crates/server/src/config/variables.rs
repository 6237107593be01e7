//! Variables of the environment that were meant for Usher, and that nobody reads.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use tracing::warn;

use super::{Cli, SchedulerCli};

/// What the names of all variables begin with, but for `DATABASE_URL`.
const OURS: &str = "USHER_";

/// What other programs of this project read: people set all of them in one shell.
const OF_OTHERS: [&str; 1] = ["USHER_URL"];

/// How much a name must be like a known one, 0 to 1, to be taken for a slip of the pen.
const ALIKE: f64 = 0.7;

/// Warns of each variable that looks as if it set something, and does not.
pub(crate) fn warn_of_unknown() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for line in unknown(names) {
        warn!("{line}");
    }
}

/// A line for each unknown variable; what they are set to may be a secret, and is not told.
fn unknown(names: impl Iterator<Item = String>) -> Vec<String> {
    let known = known();
    let unknown: BTreeSet<String> = names.filter(|name| name.starts_with(OURS) && !known.contains(name)).collect();
    let line = |name: &String| match nearest(name, &known) {
        Some(meant) => format!("no program of Usher reads the variable {name}; is {meant} meant?"),
        None => format!("no program of Usher reads the variable {name}; `usher --help` names all there are"),
    };
    unknown.iter().map(line).collect()
}

fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a String> {
    let own = |name: &str| name.trim_start_matches(OURS).to_owned();
    let likeness = |known: &String| strsim::normalized_damerau_levenshtein(&own(name), &own(known));
    let (likeness, nearest) = known.iter().map(|known| (likeness(known), known)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness >= ALIKE).then_some(nearest)
}

fn known() -> BTreeSet<String> {
    let mut known = OF_OTHERS.map(str::to_owned).into();
    for program in [Cli::command(), SchedulerCli::command()] {
        add_variables(&program, &mut known);
    }
    known
}

fn add_variables(command: &Command, known: &mut BTreeSet<String>) {
    let named = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
    known.extend(named.map(str::to_owned));
    for command in command.get_subcommands() {
        add_variables(command, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_nobody_reads_is_told_with_the_one_that_may_be_meant() {
        let set = ["USHER_ADMINKEY", "USHER_ADMIN_KEY", "USHER_URL", "USHER_HOLD_SECOND", "USHER_X", "HOME", "USHER"];
        let meant =
            |name: &str, meant: &str| format!("no program of Usher reads the variable {name}; is {meant} meant?");
        assert_eq!(
            unknown(set.map(str::to_owned).into_iter()),
            [
                meant("USHER_ADMINKEY", "USHER_ADMIN_KEY"),
                meant("USHER_HOLD_SECOND", "USHER_HOLD_SECONDS"),
                "no program of Usher reads the variable USHER_X; `usher --help` names all there are".to_owned(),
            ]
        );
    }
}
