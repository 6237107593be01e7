//! A URL of several hosts follows whoever takes writes: the standby after a failover, or after a switch that was planned.
//! No server is restarted, and what was answered is on the standby before, so that nothing of it is lost.

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use e2e::{Proxy, Settings, Shop, until};
use test_postgres::{Server, connect};

use crate::rush::Rush;

/// One server that finds the two on their sockets, and one that does over TCP.
async fn shops(primary: &Server, standby: &Server, ways: &[Proxy; 2]) -> Vec<Shop> {
    let sockets = format!("{},{}", primary.host(), standby.host());
    let ports = format!("{},{}", ways[0].host(), ways[1].host());
    let mut shops = Vec::new();
    for hosts in [sockets, ports] {
        let url = format!("postgres://usher@{hosts}/usher?target_session_attrs=read-write");
        let settings = Settings::at(&url).with("--wallet-gate", "any");
        let migrated = settings.run(&["migrate"]).await;
        assert_eq!(migrated.code, Some(0), "{migrated:?}");
        shops.push(settings.open().await);
    }
    shops
}

/// A primary with its synchronous standby, and two servers on them that a crowd is about to buy at.
struct Pair {
    primary: Server,
    standby: Server,
    beside_primary: AsyncPgConnection,
    beside_standby: AsyncPgConnection,
    shops: Vec<Shop>,
    rush: Rush,
    /// The TCP ports that one of the servers goes through.
    _ways: [Proxy; 2],
}

impl Pair {
    async fn start() -> Self {
        let primary = Server::start().await;
        let standby = primary.standby().await;
        let ways = [&primary, &standby].map(|server| Proxy::to(&server.socket()));
        let shops = shops(&primary, &standby, &ways).await;
        Self {
            rush: Rush::at(shops.clone()).await,
            beside_primary: connect(&primary.url("usher")).await,
            beside_standby: connect(&standby.url("usher")).await,
            primary,
            standby,
            shops,
            _ways: ways,
        }
    }
}

async fn set(operator: &mut AsyncPgConnection, setting: &str) {
    operator.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
    operator.batch_execute("SELECT pg_reload_conf()").await.unwrap();
}

/// Both servers are served by the standby now, and have sold there.
async fn moved(shops: &[Shop], operator: &mut AsyncPgConnection) {
    for shop in shops {
        shop.audit().await;
    }
    operator.batch_execute("SELECT 1 / count(*) FROM payments; CREATE TABLE takes_writes ()").await.unwrap();
}

#[tokio::test]
async fn a_standby_takes_over_in_the_midst_of_a_sale() {
    let mut pair = Pair::start().await;
    let Pair { primary, standby, shops, rush, beside_primary, beside_standby, .. } = &mut pair;
    let failover = async {
        // The standby hears no more: what is committed now is not on it, is answered to nobody, and is lost.
        set(beside_standby, "primary_conninfo = ''").await;
        let waiting = "SELECT 1 / count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        until("a COMMIT that waits for the standby", async || beside_primary.batch_execute(waiting).await.ok()).await;
        primary.crash().await;
        rush.fails().await;
        standby.promote().await;
    };
    rush.during(failover).await;
    moved(shops, beside_standby).await;
}

#[tokio::test]
async fn a_switch_to_the_standby_leaves_the_old_primary_readable() {
    let mut pair = Pair::start().await;
    let Pair { standby, shops, rush, beside_primary, beside_standby, .. } = &mut pair;
    let switch = async {
        set(beside_primary, "default_transaction_read_only = on").await;
        rush.fails().await;
        standby.promote().await;
    };
    rush.during(switch).await;
    moved(shops, beside_standby).await;
}

/// A standby shows what was; a server that is given nothing else does not start.
#[tokio::test]
async fn a_standby_is_refused() {
    let primary = Server::start().await;
    let standby = primary.standby().await;
    let settings = Settings::at(&standby.url("usher"));
    for finished in [settings.refused().await, settings.run(&["migrate"]).await] {
        assert_eq!(finished.code, Some(1), "{finished:#?}");
        assert!(finished.stderr.contains("the server is a standby, which takes no writes"), "{finished:#?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:#?}");
    }
}
