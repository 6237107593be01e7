//! The command line: what goes wrong is said on one line of stderr, and the exit code is not 0.

use std::net::TcpListener;

use e2e::{Database, Finished, Process, Settings, Shop, Storage, on_each_storage};

on_each_storage![
    a_newer_schema_is_one_line,
    the_keys_of_the_tokens_are_not_forgotten,
    migrate_off_refuses_what_is_not_up_to_date,
    migrate_and_audit_work_on_a_new_database,
    an_audit_finds_what_is_wrong,
];

/// Runs `usher` with these arguments in a directory of its own, to its end.
async fn usher(arguments: &[&str]) -> Finished {
    let database = Database::fresh(Storage::Sqlite);
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    Process::start(&arguments, database.directory()).finished().await
}

/// One clear line, and nothing else: no panic, no backtrace, nothing on stdout.
#[track_caller]
fn one_line(finished: &Finished, words: &[&str]) {
    assert!(finished.code.is_some_and(|code| code != 0), "{finished:#?}");
    assert_eq!(finished.stderr.trim_end().lines().count(), 1, "{finished:#?}");
    assert_eq!(finished.stdout, "", "{finished:#?}");
    for word in words {
        assert!(finished.stderr.contains(word), "it does not say {word}: {finished:#?}");
    }
}

/// A wrong flag or value is named.
#[tokio::test]
async fn wrong_flags_are_named() {
    for arguments in [
        &["--no-such-flag"][..],
        &["serve", "--hold-seconds", "0"],
        &["serve", "--hold-seconds=-1"],
        &["serve", "--hold-seconds", "many"],
        &["serve", "--max-charge", "1e9"],
        &["serve", "--max-charge=-1"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--scheduler", "sometimes"],
        &["serve", "--listen", "21511"],
        &["serve", "--user-key", "0123456789abcdef0123456789abcdef"],
        &["serve", "--admit-batch", "4294967296"],
        &["serve", "--user-key", "short"],
        &["serve", "--token-key", "short"],
        &["no-such-command"],
        &["audit", "--no-such-flag"],
    ] {
        let wrong = arguments.iter().rev().find(|word| word.starts_with("--")).unwrap_or(&arguments[0]);
        let wrong = wrong.split('=').next().unwrap_or_default();
        one_line(&usher(arguments).await, &["usher: ", wrong]);
    }
}

/// What cannot be a database: no folder, a folder, no SQLite file, a scheme that is not known.
#[tokio::test]
async fn a_database_that_cannot_be_had_is_one_line() {
    let place = Database::fresh(Storage::Sqlite);
    let (file, folder) = (place.directory().join("file"), place.directory().join("folder"));
    std::fs::write(&file, "this is no database, however long one looks at it ".repeat(100)).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let sqlite = |path: &str| format!("sqlite://{path}");
    let urls = [
        sqlite("/no/such/folder/usher.db"),
        sqlite(&file.join("below.db").display().to_string()),
        sqlite(&folder.display().to_string()),
        sqlite(&file.display().to_string()),
        "sqlite://".to_owned(),
        "mysql://localhost/usher".to_owned(),
        "usher.db".to_owned(),
        String::new(),
    ];
    for url in &urls {
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["audit"]] {
            one_line(&usher(&[command, &["--database-url", url]].concat()).await, &["usher: "]);
        }
    }
}

/// A PostgreSQL server that does not answer, or does not have the database; no password is told.
#[tokio::test]
async fn a_server_that_cannot_be_had_is_one_line() {
    let server = Database::empty(Storage::Postgres);
    let urls = [
        "postgres://usher:secret@127.0.0.1:1/usher",
        "postgres://usher:secret@127.0.0.1:99999/usher",
        "postgres://usher:x?secret@127.0.0.1:1/usher",
        "postgres://usher:x@secret@127.0.0.1:1/usher",
        "postgres://",
        &format!("{}_that_is_not_there", server.url()),
    ];
    for url in urls {
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["audit"]] {
            let finished = usher(&[command, &["--database-url", url]].concat()).await;
            one_line(&finished, &["usher: "]);
            assert!(!finished.stderr.contains("secret"), "{finished:#?}");
        }
        let arguments = ["--database-url".to_owned(), url.to_owned()];
        let scheduler = Process::start_scheduler(&arguments, server.directory()).finished().await;
        one_line(&scheduler, &["usher-scheduler: "]);
    }
    let file = ["--database-url".to_owned(), "sqlite://usher.db".to_owned()];
    let scheduler = Process::start_scheduler(&file, server.directory()).finished().await;
    one_line(&scheduler, &["usher-scheduler: ", "PostgreSQL"]);
    assert!(!server.directory().join("usher.db").exists(), "it makes none");
    let nothing = Process::start_scheduler(&[], server.directory()).finished().await;
    one_line(&nothing, &["usher-scheduler: ", "--database-url"]);
}

/// A scheduler obeys SIGTERM as a server does.
#[tokio::test]
async fn a_scheduler_ends_when_told() {
    let settings = Settings::on(Storage::Postgres);
    let scheduler = settings.spawn_scheduler();
    e2e::until("its first word", async || scheduler.output().contains(" ticks on ").then_some(())).await;
    scheduler.terminate();
    let finished = scheduler.finished().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
}

/// An audit or a migration is asked of a database that is there: `audit` makes no file.
#[tokio::test]
async fn an_audit_makes_no_database() {
    let settings = Settings::on(Storage::Sqlite);
    one_line(&settings.run(&["audit"]).await, &["usher: "]);
    assert!(!settings.database().file().exists());
}

/// The same on PostgreSQL: it makes no table.
#[tokio::test]
async fn an_audit_makes_no_tables() {
    let settings = Settings::on_empty(Storage::Postgres);
    one_line(&settings.run(&["audit"]).await, &["usher: ", "migrate"]);
    assert_eq!(settings.database().dump().len(), 0);
}

/// A port that somebody has.
#[tokio::test]
async fn an_occupied_port_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    one_line(&Settings::on(Storage::Sqlite).with("--listen", &address).refused().await, &[&address]);
}

/// Two servers on one file would each hand out the same numbers: the second one does not start, the first one goes on. On
/// PostgreSQL any number may: see `servers`.
#[tokio::test]
async fn a_second_server_on_one_file_is_one_line() {
    let shop = Shop::open(Storage::Sqlite).await;
    let file = shop.database().file().display().to_string();
    one_line(&shop.settings().refused().await, &[&file]);
    one_line(&shop.settings().run(&["migrate"]).await, &[&file]);
    // By whatever name the file is called.
    let (link, folder) = (shop.database().directory().join("link.db"), shop.database().directory().join("folder"));
    std::os::unix::fs::symlink(shop.database().file(), &link).unwrap();
    std::os::unix::fs::symlink(shop.database().directory(), &folder).unwrap();
    for name in [link, folder.join("usher.db"), folder.join("link.db")] {
        let url = format!("sqlite://{}", name.display());
        one_line(&shop.settings().clone().with("--database-url", url).refused().await, &["in use"]);
    }
    // A second name of the file itself: the log lies beside the first one.
    let other = shop.database().directory().join("other.db");
    std::fs::hard_link(shop.database().file(), &other).unwrap();
    let url = format!("sqlite://{}", other.display());
    one_line(&shop.settings().clone().with("--database-url", url).refused().await, &["other.db has a second name"]);
    std::fs::remove_file(other).unwrap();
    shop.audit().await;
    shop.join("ann").await;
    // After the first has ended, however it did, another may start.
    shop.crash().await;
    shop.restart().await;
}

/// A schema that is newer than the binary is not touched.
async fn a_newer_schema_is_one_line(storage: Storage) {
    let settings = Settings::on_empty(storage);
    assert_eq!(settings.run(&["migrate"]).await.code, Some(0));
    settings.database().execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    one_line(&settings.refused().await, &["newer"]);
    one_line(&settings.run(&["migrate"]).await, &["newer"]);
}

/// A server that lacks the key which the tokens in its database were sealed with would refuse them all: it does not start.
/// Keys are changed by announcing the new one first.
async fn the_keys_of_the_tokens_are_not_forgotten(storage: Storage) {
    let old = Settings::on(storage).with("--token-key", "an old secret of the operator");
    let shop = old.clone().open().await;
    let ann = shop.join("ann").await;
    shop.crash().await;
    let new = old.clone().with("--token-key", "a new secret of the operator");
    one_line(&new.refused().await, &["--token-key"]);
    one_line(&old.clone().without("--token-key").refused().await, &["--token-key"]);
    let both = old.with("--token-key", "a new secret of the operator,an old secret of the operator").open().await;
    assert_eq!(ann.with_shop(&both).status().await, "ACTIVE");
    both.crash().await;
    new.open().await;
}

/// `--migrate off` refuses a database whose tables are not up to date, and serves one whose are.
async fn migrate_off_refuses_what_is_not_up_to_date(storage: Storage) {
    let settings = Settings::on_empty(storage).with("--migrate", "off");
    one_line(&settings.refused().await, &["migrate"]);
    assert_eq!(settings.run(&["migrate"]).await.code, Some(0));
    settings.open().await.join("ann").await;
}

/// `migrate` may be repeated, and `audit` of a database that nobody has used finds nothing.
async fn migrate_and_audit_work_on_a_new_database(storage: Storage) {
    let settings = Settings::on_empty(storage);
    for _ in 0..2 {
        let migrated = settings.run(&["migrate"]).await;
        assert_eq!(migrated.code, Some(0), "{migrated:#?}");
    }
    let audit = settings.run(&["audit"]).await;
    assert_eq!(audit.code, Some(0), "{audit:#?}");
}

/// A violation is found while the server runs: exit 1 and a line that names it.
async fn an_audit_finds_what_is_wrong(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    ann.charge(10).await.expect(201);
    shop.audit().await;
    shop.database().execute("UPDATE wallets SET balance = balance + 1");
    let audit = shop.settings().run(&["audit"]).await;
    assert_eq!(audit.code, Some(1), "{audit:#?}");
    assert!(audit.stdout.contains("user \"ann\", balance "), "it names the wallet: {audit:#?}");
    assert_eq!(audit.stderr, "", "nobody watches on a terminal");
    let audit = shop.settings().run(&["audit", "--json"]).await;
    assert_eq!((audit.code, audit.stderr.as_str()), (Some(1), ""), "{audit:#?}");
    let objects: Vec<serde_json::Value> =
        audit.stdout.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
    assert_eq!(objects[0]["place"]["user"], "ann", "{audit:#?}");
    let totals = objects.last().expect("there is one with the totals");
    assert_eq!((totals["violations"].as_u64(), totals["rows"]["wallets"].as_u64()), (Some(1), Some(1)), "{audit:#?}");
}

/// A stranger understands `--help`: every flag is there with its default.
#[tokio::test]
async fn help_says_what_can_be_set() {
    let help = usher(&["--help"]).await;
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for word in [
        "serve",
        "migrate",
        "audit",
        "--listen",
        "127.0.0.1:8080",
        "--database-url",
        "sqlite://usher.db",
        "--admin-key",
        "--user-key",
        "--open-identity",
        "--scheduler",
        "--demo",
        "--migrate",
        "--patience-seconds",
        "--hold-seconds",
        "300",
        "--active-seconds",
        "600",
        "--max-seats",
        "4",
        "--max-charge",
        "1000000",
        "--max-active",
        "--admit-batch",
        "--admit-interval-seconds",
        "--wallet-gate",
        "--cors-origin",
        "--log-format",
        "USHER_LISTEN",
        "DATABASE_URL",
        "USHER_ADMIN_KEY",
    ] {
        assert!(help.stdout.contains(word), "no {word} in\n{}", help.stdout);
    }
    for command in ["serve", "migrate", "audit"] {
        assert_eq!(usher(&[command, "--help"]).await.code, Some(0));
    }
    assert_eq!(usher(&["--version"]).await.code, Some(0));
}

/// Without a database named, a demo is served: its concert can be bought with what start-up prints.
#[tokio::test]
async fn the_demo_needs_nothing() {
    let place = Database::fresh(Storage::Sqlite);
    let process = Process::start(&["--listen".into(), "127.0.0.1:0".into()], place.directory());
    let address = process.address();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        http.get(format!("{address}{path}")).send().await.unwrap().json::<serde_json::Value>().await.unwrap()
    };
    let concerts = get("/api/v1/concerts").await;
    assert_eq!(concerts["items"].as_array().unwrap().len(), 1, "{concerts}");
    let printed = e2e::until("what start-up prints", async || {
        let output = process.output();
        output.contains("admin key").then_some(output)
    })
    .await;
    let key = printed.split_whitespace().find(|word| word.starts_with("demo-")).expect("the admin key");
    let queue = http.get(format!("{address}/api/v1/admin/queues/main")).bearer_auth(key).send().await.unwrap();
    assert_eq!(queue.status(), 200);
    assert!(printed.contains("/docs"), "{printed}");
    process.terminate();
    assert_eq!(process.finished().await.code, Some(0));
}
