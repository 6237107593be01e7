//! What an operator can set: flags and environment variables, with the contract's defaults.

mod rules;

use std::net::SocketAddr;

use adapter_http::is_web_origin;
use anyhow::{Context, bail, ensure};
use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::seal::{ServerKey, ServerKeys};
pub(crate) use rules::RulesConfig;

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

#[derive(Args, Clone, Debug)]
pub(crate) struct MigrateConfig {
    #[command(flatten)]
    pub(crate) database: DatabaseConfig,

    /// After a restore from a backup: also end all live tokens for good, so that no place is honoured twice. Stop all servers first
    #[arg(long)]
    pub(crate) new_epoch: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct AuditConfig {
    #[command(flatten)]
    pub(crate) database: DatabaseConfig,

    /// Write JSON, an object a line: {"finding","place"} for each violation, {"finding","unlisted"} where there are more of one
    /// kind than the 1000 that are listed, and {"violations","checks","rows"} at the end
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct DatabaseConfig {
    /// The database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        default_value = "sqlite://usher.db",
        help = "The database: sqlite://FILE, sqlite:///FILE from the root, or postgres://USER@HOST/DATABASE"
    )]
    pub(crate) database_url: String,
}

// Not `Debug`: it has the keys, which are never logged.
#[derive(Args, Clone)]
pub(crate) struct ServeConfig {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "USHER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        help = "The database: sqlite://FILE, sqlite:///FILE or postgres://USER@HOST/DATABASE [default: sqlite://usher.db, with --demo]"
    )]
    pub(crate) database_url: Option<String>,

    /// Bring the tables up to date at start, or refuse to start when they are not
    #[arg(long, env = "USHER_MIGRATE", value_name = "WHEN", value_enum, default_value_t = Migrate::Auto)]
    pub(crate) migrate: Migrate,

    /// Load a demo concert into an empty database, and make an admin key if none is set
    #[arg(long)]
    pub(crate) demo: bool,

    /// The key of the admin API; its routes answer 401 until it is set
    #[arg(long, env = "USHER_ADMIN_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) admin_key: Option<String>,

    /// The secret (HS256) of the tokens by which your shop says who a user is; joining needs one when it is set
    #[arg(long, env = "USHER_USER_KEY", value_name = "SECRET", hide_env_values = true)]
    pub(crate) user_key: Option<String>,

    /// Let anybody on the network name any user, on purpose
    #[arg(long, env = "USHER_OPEN_IDENTITY", value_parser = BoolishValueParser::new())]
    pub(crate) open_identity: bool,

    /// The secrets that waiting-line tokens are sealed with: the first seals, all verify [default: one is kept in the database]
    #[arg(long, env = "USHER_TOKEN_KEY", value_name = "SECRETS", value_delimiter = ',', hide_env_values = true)]
    pub(crate) token_key: Vec<String>,

    /// Run the clockwork (admit, expire) in this process, or leave it to another
    #[arg(long, env = "USHER_SCHEDULER", value_name = "WHERE", value_enum, default_value_t = Scheduler::Embedded)]
    pub(crate) scheduler: Scheduler,

    /// Web pages of these origins may call the API, separated by commas
    #[arg(long, env = "USHER_CORS_ORIGIN", value_name = "ORIGINS", value_delimiter = ',')]
    pub(crate) cors_origin: Vec<String>,

    /// How logs are written, to stderr; `RUST_LOG` says how much
    #[arg(long, env = "USHER_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,

    #[command(flatten)]
    pub(crate) rules: RulesConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Migrate {
    Auto,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheduler {
    Embedded,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Human,
    Json,
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

impl ServeConfig {
    /// Whether the demo concert is wanted: it is implied when no database is named.
    pub(crate) fn wants_demo(&self) -> bool {
        self.demo || self.database_url.is_none()
    }

    /// What no single flag can check: secrets that are too short, origins that no page has, and R18.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.user_key.is_none() && !self.open_identity && !self.listen.ip().is_loopback() {
            bail!(
                "refusing to listen on {}: without --user-key anybody who reaches it may name any user; \
                 set --user-key, listen on a loopback address, or say --open-identity if that is meant",
                self.listen
            );
        }
        for (flag, secret, least) in [("--user-key", &self.user_key, 32), ("--admin-key", &self.admin_key, 8)] {
            if let Some(secret) = secret {
                ensure!(secret.len() >= least, "{flag} must be at least {least} characters long");
            }
        }
        if let Some(wrong) = self.cors_origin.iter().find(|origin| !is_web_origin(origin)) {
            bail!(
                "--cors-origin {wrong:?} can never match: write scheme://host[:port] as browsers send it, in lower case, \
                 without the port that goes without saying and with nothing after it, such as https://shop.example"
            );
        }
        Ok(())
    }

    /// The keys that an operator set for the waiting line's tokens, if any.
    pub(crate) fn token_keys(&self) -> anyhow::Result<Option<ServerKeys>> {
        let keys: Option<Vec<_>> = self.token_key.iter().map(|secret| ServerKey::from_secret(secret.trim())).collect();
        let keys = keys.with_context(|| {
            format!("each secret in --token-key must be at least {} characters long", ServerKey::MIN_BYTES)
        })?;
        Ok(ServerKeys::new(keys))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use domain::Rules;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<ServeConfig, clap::Error> {
        Cli::try_parse_from([&["usher"], arguments].concat()).map(|cli| cli.serve)
    }

    #[test]
    fn flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_are_the_contracts() {
        let rules = parse(&[]).unwrap().rules.rules();
        assert_eq!(rules, Rules::default());
    }

    #[test]
    fn an_open_door_to_the_network_must_be_meant_r18() {
        let secret = "0123456789abcdef0123456789abcdef";
        for (arguments, allowed) in [
            (&["--listen", "127.0.0.1:0"][..], true),
            (&["--listen", "[::1]:0"], true),
            (&["--listen", "0.0.0.0:0"], false),
            (&["--listen", "0.0.0.0:0", "--open-identity"], true),
            (&["--listen", "0.0.0.0:0", "--user-key", secret], true),
            (&["--user-key", "short"], false),
        ] {
            assert_eq!(parse(arguments).unwrap().check().is_ok(), allowed, "{arguments:?}");
        }
    }

    #[test]
    fn an_origin_that_can_never_match_is_refused_in_one_line() {
        let check = |origins: &str| parse(&["--cors-origin", origins]).unwrap().check();
        assert!(check("https://shop.example,http://localhost:3000").is_ok());
        for (origins, wrong) in [
            ("https://shop.example/", "\"https://shop.example/\""),
            ("*", "\"*\""),
            ("https://shop.example, https://other.example", "\" https://other.example\""),
            ("https://shop.example:443", "\"https://shop.example:443\""),
        ] {
            let line = check(origins).unwrap_err().to_string();
            assert!(line.starts_with(&format!("--cors-origin {wrong} ")) && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn a_wrong_flag_gets_one_line_with_advice() {
        let line = |arguments: &[&str]| one_line(&parse(arguments).err().unwrap(), "usher");
        assert_eq!(
            line(&["--lisen", "127.0.0.1:0"]),
            "unexpected argument '--lisen' found; a similar argument exists: '--listen' (usher --help explains all flags)"
        );
        let bad_value = line(&["--max-seats", "0"]);
        assert!(
            bad_value.contains("--max-seats") && bad_value.contains("1..=100") && !bad_value.contains('\n'),
            "{bad_value}"
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let wrong = SchedulerCli::try_parse_from(["usher-scheduler"]).err().unwrap();
        assert_eq!(
            one_line(&wrong, "usher-scheduler"),
            "the following required arguments were not provided: --database-url <URL> (usher-scheduler --help explains all flags)"
        );
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for arguments in [
            ["--hold-seconds", "0"],
            ["--max-seats", "-1"],
            ["--max-charge", "1e9"],
            ["--max-charge", "0"],
            ["--admit-batch", "0"],
            ["--absence-seconds", "1"],
            ["--absence-seconds", "86401"],
        ] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn the_demo_is_implied_only_without_a_database() {
        assert!(parse(&[]).unwrap().wants_demo());
        assert!(!parse(&["--database-url", "sqlite://x.db"]).unwrap().wants_demo());
        assert!(parse(&["--database-url", "sqlite://x.db", "--demo"]).unwrap().wants_demo());
    }
}
