//! What can be asked for.

use std::path::PathBuf;

use clap::Parser;

use crate::arrival::Pattern;

/// Plays a whole on-sale against running servers, and proves that no seat was sold twice, no money was lost and nobody overtook.
///
/// It loads a concert of its own into a queue of its own, and both stay there. It plays people who join, wait, look, hold, pay,
/// give up, click twice and lose answers, and checks every answer. Exit code 0: no promise was broken; 1: some were; 2: it could
/// not run.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Clone, Debug, Parser)]
#[command(name = "usher-rehearsal", version)]
pub(crate) struct Options {
    /// A server, for example `http://127.0.0.1:8080`. Repeat it for each further server; people ask all of them in turn
    #[arg(long = "url", env = "USHER_URL", value_name = "URL", value_delimiter = ',', required = true)]
    pub(crate) urls: Vec<String>,

    /// The servers' admin key, to load a concert
    #[arg(long, env = "USHER_ADMIN_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) admin_key: String,

    /// The servers' user key, if they have one
    #[arg(long, env = "USHER_USER_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) user_key: Option<String>,

    /// How many people come
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) people: u64,

    /// How many seats are for sale, on all dates together
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) seats: u64,

    /// On how many dates the seats are [default: as few as possible with at most 1000 seats on each]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) schedules: Option<u64>,

    /// In which pattern people come
    #[arg(long, value_enum, default_value_t = Pattern::Rush)]
    pub(crate) pattern: Pattern,

    /// Within how many seconds they come
    #[arg(long, value_name = "S", default_value_t = 60.0, value_parser = seconds)]
    pub(crate) arrive_seconds: f64,

    /// With the same number, the same people come and want the same
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// How many times faster people think than they usually would
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = factor)]
    pub(crate) haste: f64,

    /// End when every seat is sold, rather than when everybody has bought or left
    #[arg(long)]
    pub(crate) until_sold_out: bool,

    /// End after this many seconds, whatever is left to do
    #[arg(long, value_name = "S", default_value_t = 3_600.0, value_parser = seconds)]
    pub(crate) time_limit_seconds: f64,

    /// How many requests may be under way at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,

    /// Servers and database may be away for a while: people try again, and 503 and broken connections are no violations
    #[arg(long)]
    pub(crate) expect_outages: bool,

    /// The queue to play in; it must have no other sale, and its policy is changed, unless --keep-policy is said [default: a new
    /// queue]
    #[arg(long, value_name = "NAME")]
    pub(crate) queue: Option<String>,

    /// Play in the queue `main` although people may buy through it; needed with --queue main
    #[arg(long)]
    pub(crate) play_on_main: bool,

    /// Leave the queue's policy as it is: that of the sale to be rehearsed, or the one that the servers give to new queues
    #[arg(long, conflicts_with_all = ["max_active", "admit_batch", "admit_interval_seconds"])]
    pub(crate) keep_policy: bool,

    /// The queue opens only so many seconds after people begin to come: whoever comes before that waits
    #[arg(long, value_name = "S", conflicts_with = "keep_policy", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) opens_in: Option<u32>,

    /// How many people may have their turn at once
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) max_active: u32,

    /// How many people are admitted in one interval, at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) admit_batch: u32,

    /// How long an interval is, in seconds
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) admit_interval_seconds: u32,

    /// Write all figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write the report to this file, as one HTML page with charts
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Show no progress
    #[arg(long)]
    pub(crate) quiet: bool,
}

impl Options {
    /// How many dates there are.
    pub(crate) fn dates(&self) -> u64 {
        self.schedules.unwrap_or_else(|| self.seats.div_ceil(1_000)).clamp(1, self.seats)
    }
}

/// What is wrong with the command line, on one line.
pub(crate) fn one_line(wrong: &clap::Error) -> String {
    let text = wrong.to_string();
    if text.contains("://") {
        // There may be a password in it.
        return "a URL stands where none belongs (--help explains all flags)".to_owned();
    }
    let told =
        text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let told: Vec<_> = told.filter(|line| !line.is_empty()).collect();
    format!("{} (--help explains all flags)", told.join(" ").trim_start_matches("error: "))
}

fn seconds(text: &str) -> Result<f64, String> {
    within(text, 0.1, 1e6)
}

fn factor(text: &str) -> Result<f64, String> {
    within(text, 0.01, 1000.0)
}

fn within(text: &str, from: f64, to: f64) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (from..=to).contains(number));
    number.ok_or_else(|| format!("must be a number, {from} to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options, String> {
        let needed = ["usher-rehearsal", "--url", "http://127.0.0.1:8080", "--admin-key", "key"];
        Options::try_parse_from(needed.iter().chain(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_date_has_at_most_a_thousand_seats_unless_told_otherwise() {
        for (arguments, dates) in [
            (&["--seats", "1"][..], 1),
            (&["--seats", "1000"], 1),
            (&["--seats", "1001"], 2),
            (&["--seats", "10000", "--schedules", "3"], 3),
            (&["--seats", "2", "--schedules", "3"], 2),
        ] {
            assert_eq!(parsed(arguments).unwrap().dates(), dates, "{arguments:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_on_one_line() {
        let wrong = |arguments: &[&str]| {
            one_line(&Options::try_parse_from([&["usher-rehearsal"], arguments].concat()).unwrap_err())
        };
        let line = wrong(&["--url", "http://127.0.0.1:8080"]);
        assert!(line.contains("--admin-key <KEY>") && !line.contains('\n') && !line.contains("error:"), "{line}");
        let line = wrong(&["--url", "u", "--admin-key", "k", "--pattern", "flood"]);
        assert!(line.contains("possible values: rush, steady, mixed") && !line.contains('\n'), "{line}");
        let line = wrong(&["--url", "u", "--admin-key", "k", "--haste", "fast"]);
        assert!(line.contains("must be a number, 0.01 to 1000"), "{line}");
        let line = wrong(&["http://usher:secret@127.0.0.1"]);
        assert!(line.contains("a URL") && !line.contains("secret"), "{line}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [
            ["--people", "0"],
            ["--seats", "100001"],
            ["--schedules", "0"],
            ["--haste", "0"],
            ["--haste", "NaN"],
            ["--arrive-seconds", "-1"],
            ["--connections", "0"],
            ["--pattern", "flood"],
            ["--admit-interval-seconds", "0"],
            ["--opens-in", "0"],
        ] {
            assert!(parsed(&arguments).is_err(), "{arguments:?}");
        }
        for of_a_policy in ["--max-active", "--opens-in"] {
            assert!(parsed(&["--keep-policy", of_a_policy, "5"]).is_err(), "it has one already");
        }
    }
}
