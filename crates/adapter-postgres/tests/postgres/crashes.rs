//! What a server that was killed has forgotten is never taken for what it did afterwards.

use diesel_async::SimpleAsyncConnection;
use domain::ports::{ReservationRepository, StoreError};
use test_postgres::{Server, connect};

use crate::scene::{MAIN, Scene, number, until, user};

const BLOCKED: &str = "SELECT count(*) AS n FROM pg_stat_activity \
    WHERE usename = 'shop' AND wait_event_type = 'Lock' AND backend_xid IS NOT NULL";

/// A scene on a server of its own, as the user `shop`, who is no superuser.
async fn scene(server: &Server) -> Scene {
    let mut admin = connect(&server.url("usher")).await;
    // The log is written when somebody commits, and not for a standby's sake every 15 s.
    for setting in ["wal_level = minimal", "max_wal_senders = 0"] {
        admin.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
    }
    server.crash().await;
    server.restart().await;
    let mut admin = connect(&server.url("usher")).await;
    admin.batch_execute("CREATE ROLE shop LOGIN; ALTER DATABASE usher OWNER TO shop").await.unwrap();
    let url = server.url("usher").replace("usher@", "shop@");
    adapter_postgres::migrate(&url).await.unwrap();
    Scene::on(url, None, 2).await
}

/// A server that crashes may give the number of a transaction whose log it never wrote to another one. That this one was
/// committed says nothing of the first: a lost answer is looked up, not guessed (ADR 1).
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_not_taken_for_a_later_one_of_its_number() {
    let server = Server::start().await;
    let scene = scene(&server).await;
    let (schedule, ticket) = (scene.schedule(2).await, scene.ticket("a").await);
    // COMMIT waits, so that the server is killed in the midst of it; nobody gets in then until the test lets them.
    let mut beside = connect(&server.url("usher")).await;
    let setting = "
        CREATE FUNCTION block() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER block AFTER INSERT ON reservations
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION block();
        ALTER ROLE shop CONNECTION LIMIT 0";
    beside.batch_execute(setting).await.unwrap();
    beside.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
    let kill = async {
        until(&mut beside, BLOCKED, 1).await;
        let lost = number(
            &mut beside,
            "SELECT backend_xid::text::bigint AS n FROM pg_stat_activity WHERE backend_xid IS NOT NULL",
        )
        .await;
        server.crash().await;
        server.restart().await;
        let mut admin = connect(&server.url("usher")).await;
        let next = "SELECT pg_current_xact_id()::text::bigint AS n";
        assert!(number(&mut admin, next).await <= lost, "the server remembers the transaction: the test shows nothing");
        while number(&mut admin, next).await <= lost {}
        admin.batch_execute("ALTER ROLE shop CONNECTION LIMIT -1").await.unwrap();
        admin
    };
    let (held, mut admin) = tokio::join!(scene.hold(ticket, schedule, &[1]), kill);
    assert!(matches!(held, Err(StoreError::Unavailable(_))), "{held:?}");
    assert_eq!(number(&mut admin, "SELECT count(*) AS n FROM reservations").await, 0);
    admin.batch_execute("DROP TRIGGER block ON reservations").await.unwrap();
    let held = scene.hold(ticket, schedule, &[1]).await.unwrap().unwrap();
    assert_eq!(ReservationRepository::find(&scene.store, MAIN, &user("a"), held.id).await.unwrap(), Some(held));
}
