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
        (&["--listen", "0.0.0.0:0", "--user-key", secret, "--demo"], true),
        (&["--user-key", "short", "--demo"], false),
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
        bad_value.contains("--max-seats") && bad_value.contains("1 to 100") && !bad_value.contains('\n'),
        "{bad_value}"
    );
    assert_eq!(
        line(&["--scheduler", "yes"]),
        "invalid value 'yes' for '--scheduler <WHERE>'; it can be: embedded, off (usher --help explains all flags)"
    );
    assert_eq!(
        line(&["--hold-seconds", "5m"]),
        "invalid value '5m' for '--hold-seconds <SECONDS>': must be a number of seconds, 1 to 86400, for example 300 \
         (usher --help explains all flags)"
    );
    // As by `USHER_OPEN_IDENTITY`; a flag of this name takes no value.
    let told = values::switch("maybe").unwrap_err();
    assert_eq!((values::switch("yes\n"), values::switch("0")), (Ok(true), Ok(false)));
    assert!(told.contains("true or false"), "{told}");
    for (flag, values) in
        [("--log-format", "human, json"), ("--migrate", "auto, off"), ("--wallet-gate", "active, any")]
    {
        let told = line(&[flag, "xml"]);
        assert!(told.contains(&format!("; it can be: {values} (")), "{told}");
    }
}

#[test]
fn what_ends_with_a_line_is_read_without_it() {
    let config = parse(&["--admin-key", "adminadmin\n", "--user-key", "key\r\n", "--database-url", "sqlite://x.db\n"]);
    let config = config.unwrap();
    assert_eq!(config.admin_key.as_deref(), Some("adminadmin"));
    assert_eq!(config.user_key.as_deref(), Some("key"));
    assert_eq!(config.database_url.as_deref(), Some("sqlite://x.db"));
    for (flag, word) in
        [("--scheduler", "embedded"), ("--migrate", "off"), ("--log-format", "json"), ("--wallet-gate", "any")]
    {
        parse(&[flag, &format!("{word}\n")]).unwrap();
    }
    let within = parse(&["--database-url", "sqlite://x.db", "--admin-key", "secret of\ntwo lines"]).unwrap();
    let line = within.check().unwrap_err().to_string();
    assert!(line.contains("--admin-key") && !line.contains("secret"), "{line}");
}

#[test]
fn no_password_is_repeated() {
    let unknown = "an argument is no flag and no command; it is not repeated, as it may hold a password (usher --help";
    for (arguments, told) in [
        (&["postgres://usher:secret@h/d"][..], unknown),
        (&["audit", "postgres://usher:se'secret@h/d"], unknown),
        (&["audit", "postgres://usher:se secret@h/d"], unknown),
        (&["host=h user=usher password=secret"], unknown),
        (&["password=secret"], unknown),
        (&["two\nlines of secret"], unknown),
        (
            &["--databse-url=postgres://usher:secret@h/d"],
            "unexpected argument '--databse-url' found; a similar argument exists",
        ),
        (
            &["--listen", "postgres://usher:secret@h/d"],
            "the value of '--listen <ADDRESS>' cannot be used: must be an address",
        ),
        (&["--demo=postgres://usher:secret@h/d"], "the value of '--demo' cannot be used ("),
        (
            &["serve", "--scheduler", "postgres://usher:secret of h/d"],
            "the value of '--scheduler <WHERE>' cannot be used; it can be: embedded, off (",
        ),
    ] {
        let line = one_line(&Cli::try_parse_from([&["usher"], arguments].concat()).err().unwrap(), "usher");
        assert!(line.starts_with(told) && !line.contains("secret") && !line.contains('\n'), "{arguments:?}: {line}");
    }
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
fn a_real_sale_without_its_database_is_no_demo() {
    let secret = "0123456789abcdef0123456789abcdef";
    for flags in
        [&["--user-key", secret][..], &["--admin-key", secret], &["--token-key", secret], &["--scheduler", "off"]]
    {
        let line = parse(flags).unwrap().check().unwrap_err().to_string();
        assert!(line.contains(flags[0]) && line.contains("DATABASE_URL") && line.contains("--demo"), "{line}");
        for meant in [&["--demo"][..], &["--database-url", "sqlite://x.db"]] {
            parse(&[flags, meant].concat()).unwrap().check().unwrap();
        }
    }
    parse(&[]).unwrap().check().unwrap();
}

#[test]
fn the_demo_is_implied_only_without_a_database() {
    assert!(parse(&[]).unwrap().wants_demo());
    assert!(!parse(&["--database-url", "sqlite://x.db"]).unwrap().wants_demo());
    assert!(parse(&["--database-url", "sqlite://x.db", "--demo"]).unwrap().wants_demo());
}
