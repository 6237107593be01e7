//! What an operator can set: flags and environment variables, with the contract's defaults. This file has the programs'
//! command lines, the others what each command takes.

mod database;
mod rules;
mod serve;
#[cfg(test)]
mod tests;
mod values;
pub(crate) mod variables;

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};
pub(crate) use database::{AuditConfig, DEFAULT_URL, Migrate, MigrateConfig, PatienceConfig};
pub(crate) use rules::RulesConfig;
pub(crate) use serve::{Scheduler, ServeConfig};

use crate::logging::LogFormat;

/// Sells concert seats fairly when far more people want them than there are seats.
///
/// Without a command, `usher` serves. Without a database URL, it uses the file usher.db in the current folder, with a demo concert.
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
    /// Serve the API; the same happens without a command
    Serve(Box<ServeConfig>),
    /// Bring the database's tables up to date and exit
    Migrate(MigrateConfig),
    /// Prove from the database that no seat was sold twice, no money was lost and nobody overtook. Exit code 1: there are violations; 2: it could not look
    Audit(AuditConfig),
}

/// The clockwork alone: admits the users whose turn it is, and ends turns and holds whose time is up.
///
/// It is for servers that run with --scheduler off. Any number may run on one database. Give it the same rules as the servers.
#[derive(Parser)]
#[command(name = "usher-scheduler", version)]
pub(crate) struct SchedulerCli {
    /// The database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        value_parser = values::line,
        hide_env_values = true,
        help = "The database of the servers: postgres://USER@HOST/DATABASE"
    )]
    pub(crate) database_url: String,

    /// Whether to bring the tables up to date at start (auto), or to refuse to start when they are not (off)
    #[arg(long, env = "USHER_MIGRATE", value_name = "WHEN", value_enum, value_parser = values::Word::<Migrate>::new(), default_value_t = Migrate::Auto)]
    pub(crate) migrate: Migrate,

    /// How logs are written to stderr; `RUST_LOG` sets how much is logged
    #[arg(long, env = "USHER_LOG_FORMAT", value_name = "FORMAT", value_enum, value_parser = values::Word::<LogFormat>::new(), default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,

    #[command(flatten)]
    pub(crate) patience: PatienceConfig,

    #[command(flatten)]
    pub(crate) rules: RulesConfig,
}

/// What is wrong with the command line, on one line, with the parser's advice if it has any.
pub(crate) fn one_line(wrong: &clap::Error, program: &str) -> String {
    let text = wrong.to_string();
    let listed = |line: &str| Some(line.strip_prefix("[possible values: ")?.strip_suffix(']')?.to_owned());
    let values = text.lines().find_map(|line| listed(line.trim()));
    let values = values.map_or_else(String::new, |values| format!("; it can be: {values}"));
    let (what, tip) = unrepeated(wrong).unwrap_or_else(|| repeated(&text));
    format!("{what}{values}{tip} ({program} --help explains all flags)")
}

/// What the parser says, and its tip.
fn repeated(text: &str) -> (String, String) {
    let mut lines = text.lines().map(str::trim);
    let mut what = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    if what.ends_with(':') {
        // A list follows, an item a line.
        for item in lines.by_ref().take_while(|line| !line.is_empty()) {
            what = format!("{what} {item}");
        }
    }
    let tip = lines.find_map(|line| line.strip_prefix("tip: ")).map_or_else(String::new, |tip| format!("; {tip}"));
    (what, tip)
}

/// What is wrong, without what was given, where that may hold a password: a URL, or anything else that is more than a word.
fn unrepeated(wrong: &clap::Error) -> Option<(String, String)> {
    let context = |kind| match wrong.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let flag = context(ContextKind::InvalidArg).filter(|_| wrong.kind() != ErrorKind::UnknownArgument);
    let given = match wrong.kind() {
        ErrorKind::UnknownArgument => context(ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => context(ContextKind::InvalidSubcommand),
        _ => context(ContextKind::InvalidValue),
    };
    given.filter(|given| given.contains(|c: char| ":@=\"'`".contains(c) || c.is_whitespace() || c.is_control()))?;
    let why = wrong.source().map_or_else(String::new, |why| format!(": {why}"));
    let what = match flag {
        Some(flag) => format!("the value of '{flag}' cannot be used{why}"),
        None => "an argument is no flag and no command; it is not repeated, as it may hold a password".to_owned(),
    };
    Some((what, String::new()))
}
