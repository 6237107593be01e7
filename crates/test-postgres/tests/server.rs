//! That the servers of tests do what the tests of faults rely on.

use diesel_async::SimpleAsyncConnection;
use test_postgres::{Server, connect};

#[tokio::test]
async fn what_was_committed_survives_a_crash_and_a_failover() {
    let primary = Server::start().await;
    let mut there = connect(&primary.url("usher")).await;
    there.batch_execute("CREATE TABLE kept (n int)").await.unwrap();
    primary.crash().await;
    assert!(there.batch_execute("SELECT").await.is_err());
    primary.restart().await;
    let standby = primary.standby().await;
    let mut there = connect(&primary.url("usher")).await;
    there.batch_execute("INSERT INTO kept VALUES (1)").await.unwrap();
    let mut here = connect(&standby.url("usher")).await;
    assert!(here.batch_execute("INSERT INTO kept VALUES (2)").await.is_err(), "a standby takes no writes");
    primary.crash().await;
    standby.promote().await;
    here.batch_execute("INSERT INTO kept VALUES (2); SELECT 1 / (count(*) - 1) FROM kept").await.unwrap();
}
