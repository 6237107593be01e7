//! Opening a database: migrations, once, whoever comes first; and what is refused.

use adapter_postgres::{Migrations, OpenError, Options, PostgresStore, migrate};
use diesel_async::SimpleAsyncConnection;
use domain::ports::{Probe, QueueChange, QueueRepository};
use futures::future::join_all;

use crate::cluster;
use crate::scene::{lines, number, options, until, user};

async fn open(url: &str, migrations: Migrations) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(url, Options { migrations, ..options(None, 2) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_migrate_once_and_make_main_once() {
    let url = cluster::empty().await;
    let opened = join_all((0..6).map(|_| open(&url, Migrations::Apply))).await;
    let mut queues: Vec<Vec<QueueChange>> = Vec::new();
    for store in opened {
        queues.push(store.unwrap().changes(&[]).await.unwrap());
    }
    assert!(queues.iter().all(|of_one| of_one.len() == 1 && *of_one == queues[0]));
    let mut beside = cluster::connect(&url).await;
    let applied = number(&mut beside, "SELECT count(*) AS n FROM __diesel_schema_migrations").await;
    assert_eq!(usize::try_from(applied), Ok(cluster::migrations("postgres").len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_newer_than_the_program_is_refused() {
    let url = cluster::migrated().await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')";
    cluster::connect(&url).await.batch_execute(newer).await.unwrap();
    let refused = open(&url, Migrations::Apply).await.err().unwrap();
    assert!(matches!(&refused, OpenError::SchemaNewer(version) if version == "29991231000000"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_migrations_can_be_refused() {
    let url = cluster::empty().await;
    let refused = open(&url, Migrations::Refuse).await.err().unwrap();
    let all = cluster::migrations("postgres").len();
    assert!(matches!(refused, OpenError::MigrationsPending(pending) if pending == all), "{refused}");
    let mut beside = cluster::connect(&url).await;
    let tables = "SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(number(&mut beside, tables).await, 0, "who refuses makes nothing");
    assert_eq!(migrate(&url).await.unwrap().len(), all);
    assert_eq!(migrate(&url).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_make_tables_can_serve() {
    const ROLE: &str = "CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA public TO clerk;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk";
    let url = cluster::migrated_throw_away().await;
    cluster::connect(&url).await.batch_execute(ROLE).await.unwrap();
    let as_clerk = url.replace("usher@", "clerk@");
    let refused = cluster::connect(&as_clerk).await.batch_execute("CREATE TABLE mine (n integer)").await;
    assert!(refused.unwrap_err().to_string().contains("permission denied"));
    for migrations in [Migrations::Refuse, Migrations::Apply] {
        open(&as_clerk, migrations).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_read_cannot_serve() {
    const ROLE: &str = "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader";
    let url = cluster::migrated_throw_away().await;
    cluster::connect(&url).await.batch_execute(ROLE).await.unwrap();
    for migrations in [Migrations::Refuse, Migrations::Apply] {
        let refused = open(&url.replace("usher@", "reader@"), migrations).await.err().unwrap();
        assert!(matches!(refused, OpenError::TakesNoWrites(_)), "{refused}");
    }
}

/// At the start, and when it turns out later.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_is_refused_and_not_ready() {
    const OURS: &str = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let url = cluster::migrated().await;
    let store = open(&url, Migrations::Refuse).await.unwrap();
    store.store_time().await.unwrap();
    let mut beside = cluster::connect(&url).await;
    let name = &lines(&mut beside, "SELECT current_database()::text AS line").await[0];
    beside.batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await.unwrap();
    let refused = open(&url, Migrations::Refuse).await.err().unwrap();
    assert!(matches!(refused, OpenError::TakesNoWrites(_)), "{refused}");
    beside.batch_execute(&format!("SELECT pg_terminate_backend(pid) {OURS}")).await.unwrap();
    until(&mut beside, &format!("SELECT count(*) AS n {OURS}"), 0).await;
    // Who asks first finds a connection that is gone; there are two.
    for _ in 0..2 {
        drop(store.store_time().await);
    }
    let missed = store.store_time().await.unwrap_err().to_string();
    assert!(missed.contains("default_transaction_read_only"), "{missed}");
    beside.batch_execute(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await.unwrap();
    store.store_time().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_database_is_refused_and_left_alone() {
    let url = cluster::empty().await;
    let mut beside = cluster::connect(&url).await;
    beside.batch_execute("CREATE TABLE recipes (name text)").await.unwrap();
    assert!(matches!(open(&url, Migrations::Apply).await.err().unwrap(), OpenError::NotOurs));
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_texts_are_not_utf_8_is_refused() {
    let url = test_postgres::empty_throw_away().await;
    let (server, name) = url.rsplit_once('/').unwrap();
    let other = format!("{name}_latin");
    let create = format!("CREATE DATABASE {other} ENCODING 'LATIN1' TEMPLATE template0");
    cluster::connect(&url).await.batch_execute(&create).await.unwrap();
    let refused = open(&format!("{server}/{other}"), Migrations::Apply).await.err().unwrap();
    assert!(matches!(&refused, OpenError::Encoding(encoding) if encoding == "LATIN1"), "{refused}");
}

/// How commits are made, told by whoever writes, in the midst of what is written.
const WATCHED: &str = "
    CREATE TABLE seen (setting text);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
    CREATE TRIGGER see BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION see()";

/// Each of a session's commits waits for the disk, whatever the database says; who asks for more gets it.
#[tokio::test(flavor = "multi_thread")]
async fn no_commit_is_answered_before_it_is_on_the_disk() {
    let server = test_postgres::Server::start().await;
    let url = server.url("usher");
    migrate(&url).await.unwrap();
    let mut beside = cluster::connect(&url).await;
    beside.batch_execute(WATCHED).await.unwrap();
    for (set, found) in [("off", "on"), ("on", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
        let setting = format!("TRUNCATE seen; ALTER DATABASE usher SET synchronous_commit = {set}");
        beside.batch_execute(&setting).await.unwrap();
        let store = open(&url, Migrations::Refuse).await.unwrap();
        assert_eq!(store.concerns().iter().any(|concern| concern.contains("synchronous_commit")), set == "off");
        store.join(domain::QueueNumber(1), &user(set)).await.unwrap().unwrap();
        assert_eq!(lines(&mut beside, "SELECT setting AS line FROM seen").await, [found], "{set}");
    }
}

/// Nor when the configuration is read anew, which reaches sessions that are open.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_of_the_configuration_reaches_no_session_of_ours() {
    let server = test_postgres::Server::start().await;
    let url = server.url("usher");
    let store = open(&url, Migrations::Apply).await.unwrap();
    let mut beside = cluster::connect(&url).await;
    beside.batch_execute(WATCHED).await.unwrap();
    store.join(domain::QueueNumber(1), &user("before")).await.unwrap().unwrap();
    for sql in ["ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()"] {
        beside.batch_execute(sql).await.unwrap();
    }
    while lines(&mut beside, "SELECT current_setting('synchronous_commit') AS line").await != ["off"] {}
    for n in 0..20 {
        store.join(domain::QueueNumber(1), &user(&format!("after-{n}"))).await.unwrap().unwrap();
    }
    assert_eq!(lines(&mut beside, "SELECT DISTINCT setting AS line FROM seen").await, ["on"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_so() {
    let refused = open("postgres://usher:secret@127.0.0.1:1/usher", Migrations::Apply).await.err().unwrap();
    let line = refused.to_string();
    assert!(matches!(refused, OpenError::Unreachable(_)) && !line.contains("secret") && !line.contains('\n'), "{line}");
}
