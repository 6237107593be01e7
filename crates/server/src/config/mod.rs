//! What an operator can set: flags and environment variables, with the contract's defaults. This file has the programs'
//! command lines, the others what each command takes.

mod database;
mod rules;
mod serve;
#[cfg(test)]
mod tests;

use clap::{Parser, Subcommand};
pub(crate) use database::{AuditConfig, Migrate, MigrateConfig};
pub(crate) use rules::RulesConfig;
pub(crate) use serve::{Scheduler, ServeConfig};

use crate::logging::LogFormat;

/// Sells concert seats fairly when far more people want them than there are seats.
///
/// Without a command, `usher` serves: on an embedded SQLite database with a demo concert, unless told otherwise.
#[derive(Parser)]
#[command(name = "usher", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeConfig,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the API (what happens without a command, too)
    Serve(Box<ServeConfig>),
    /// Bring the database's tables up to date and exit
    Migrate(MigrateConfig),
    /// Prove from the database that no seat was sold twice, no money was lost and nobody overtook; exit 1 if not, 2 if it could not be read
    Audit(AuditConfig),
}

/// Admits who is next and frees what was not paid, for servers that run with --scheduler off.
///
/// Any number may run on one database, beside any number of servers. Give it the servers' rules.
#[derive(Parser)]
#[command(name = "usher-scheduler", version)]
pub(crate) struct SchedulerCli {
    /// The database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        help = "The database of the servers: postgres://USER@HOST/DATABASE"
    )]
    pub(crate) database_url: String,

    /// Bring the tables up to date at start, or refuse to start when they are not
    #[arg(long, env = "USHER_MIGRATE", value_name = "WHEN", value_enum, default_value_t = Migrate::Auto)]
    pub(crate) migrate: Migrate,

    /// How logs are written, to stderr; `RUST_LOG` says how much
    #[arg(long, env = "USHER_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,

    #[command(flatten)]
    pub(crate) rules: RulesConfig,
}

/// What is wrong with the command line, on one line, with the parser's advice if it has any.
pub(crate) fn one_line(wrong: &clap::Error, program: &str) -> String {
    let text = wrong.to_string();
    let mut lines = text.lines().map(str::trim);
    let mut what = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    if what.ends_with(':') {
        // A list follows, an item a line.
        for item in lines.by_ref().take_while(|line| !line.is_empty()) {
            what = format!("{what} {item}");
        }
    }
    let tip = lines.find_map(|line| line.strip_prefix("tip: ")).map_or_else(String::new, |tip| format!("; {tip}"));
    format!("{what}{tip} ({program} --help explains all flags)")
}
