//! What the command lines say and refuse.

use clap::CommandFactory;
use domain::Rules;
use domain::ports::PATIENCE;

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
    let config = parse(&[]).unwrap();
    assert_eq!((config.rules.rules(), config.patience.patience()), (Rules::default(), PATIENCE));
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
        ["--patience-seconds", "0"],
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
