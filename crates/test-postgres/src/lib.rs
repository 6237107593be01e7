//! A PostgreSQL server for the tests of one program, with a database for each: `TEST_DATABASE_URL` when that is set, a
//! throw-away cluster otherwise, which ends with this process however that ends. On a server that is there anyway, what is
//! not [removed](remove) stays: databases whose names begin with `usher_test_`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this crate is tests: a failure is a panic"
)]

mod address;
mod server;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::address::Address;
pub use crate::server::Server;

/// Runs as another user than root, which PostgreSQL refuses. Its directory is on a Unix socket only; nothing need survive
/// it, so nothing is synced. Commits of databases that ask for it wait for a standby that never comes. When the pipe to
/// it closes, that is when the tests' process is gone, it stops the server.
const SCRIPT: &str = r#"
set -eu
directory=$(mktemp -d /tmp/usher-postgres-XXXXXX)
trap 'rm -rf "$directory"' EXIT
initdb --pgdata "$directory/data" --username usher --auth trust --no-sync --encoding UTF8 --locale C >/dev/null
postgres -D "$directory/data" -k "$directory" -c listen_addresses= -c fsync=off -c synchronous_commit=local \
    -c full_page_writes=off -c synchronous_standby_names=nobody -c max_connections=200 \
    -c autovacuum=off -c deadlock_timeout=100ms >"$directory/log" 2>&1 </dev/null &
server=$!
tries=0
until pg_isready --quiet --host "$directory"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 6000 ]; then cat "$directory/log" >&2; exit 1; fi
    sleep 0.1
done
echo "$directory"
cat >/dev/null || true
kill -QUIT "$server"
wait "$server" || true
"#;

/// A throw-away cluster.
struct Cluster {
    address: Address,
    /// Held for its open pipe.
    _guard: Child,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a new, empty database.
pub async fn empty() -> String {
    create(server().await, "").await
}

/// The URL of a new, empty database on a throw-away cluster, also when `TEST_DATABASE_URL` is set: for tests that do what
/// only a superuser may, or that need the cluster's settings.
pub async fn empty_throw_away() -> String {
    create(throw_away().await, "").await
}

/// The URL of a new database with all that the one at `url`, made by [`empty`], holds. Nobody may be connected to that.
pub async fn copy_of(url: &str) -> String {
    create(server().await, &format!("TEMPLATE {}", name(url))).await
}

/// Removes a database that [`empty`] or [`copy_of`] made, whoever is connected to it.
pub async fn remove(url: &str) {
    let dropping = format!("DROP DATABASE {} WITH (FORCE)", name(url));
    admin(server().await).await.batch_execute(&dropping).await.unwrap();
}

/// How many connections the server takes at once.
pub async fn max_connections() -> usize {
    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Text)]
        max_connections: String,
    }
    let mut admin = admin(server().await).await;
    let setting = diesel::sql_query("SHOW max_connections").get_result::<Setting>(&mut admin).await.unwrap();
    setting.max_connections.parse().unwrap()
}

/// A connection to the database at `url`, as another program would have.
pub async fn connect(url: &str) -> AsyncPgConnection {
    AsyncPgConnection::establish(url).await.unwrap()
}

async fn create(server: &Address, clause: &str) -> String {
    let name = format!("usher_test_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::SeqCst));
    let created = admin(server).await.batch_execute(&format!("CREATE DATABASE {name} {clause}")).await;
    created.unwrap_or_else(|error| panic!("each test needs a database of its own on {}: {error}", server.told()));
    server.of(&name)
}

/// The name of the database at `url`.
fn name(url: &str) -> String {
    Address::parse(url).unwrap().existing().to_owned()
}

/// A connection to a database that is always there.
async fn admin(server: &Address) -> AsyncPgConnection {
    let connected = AsyncPgConnection::establish(&server.of(server.existing())).await;
    connected.unwrap_or_else(|error| panic!("the tests' PostgreSQL at {} cannot be used: {error}", server.told()))
}

/// `TEST_DATABASE_URL`, or a throw-away cluster.
async fn server() -> &'static Address {
    static GIVEN: OnceLock<Option<Address>> = OnceLock::new();
    let given = GIVEN.get_or_init(|| {
        let url = std::env::var("TEST_DATABASE_URL").ok()?;
        let wrong = "TEST_DATABASE_URL is not postgres://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]";
        Some(Address::parse(&url).unwrap_or_else(|| panic!("{wrong}")))
    });
    match given {
        Some(address) => address,
        None => throw_away().await,
    }
}

async fn throw_away() -> &'static Address {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let started = tokio::task::spawn_blocking(|| {
        CLUSTER.get_or_init(|| {
            let (url, guard) = start();
            Cluster { address: Address::parse(&url).unwrap(), _guard: guard }
        })
    });
    &started.await.unwrap().address
}

fn start() -> (String, Child) {
    let mut command = unprivileged("sh");
    command.args(["-c", SCRIPT]);
    // What ends the tests by a signal to their whole group must leave the guard to its work.
    command.process_group(0);
    let mut guard = command.current_dir("/tmp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut directory = String::new();
    BufReader::new(guard.stdout.take().unwrap()).read_line(&mut directory).unwrap();
    let directory = directory.trim();
    assert!(!directory.is_empty(), "PostgreSQL did not start");
    (format!("postgres://usher@{}", directory.replace('/', "%2F")), guard)
}

/// A command that PostgreSQL does not refuse to be started by: as `nobody`, whom every system has, where this one is root.
fn unprivileged(program: &str) -> Command {
    let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--", program]);
        command
    } else {
        Command::new(program)
    }
}
