//! A PostgreSQL server for the tests of one program, with a database for each: `TEST_DATABASE_URL` when that is set, a
//! throw-away cluster otherwise, which ends with this process however that ends.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "this crate is tests: a failure is a panic")]

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};

/// Runs as another user than root, which PostgreSQL refuses. Its directory is on a Unix socket only; nothing need survive
/// it, so nothing is synced. Commits of databases that ask for it wait for a standby that never comes. When the pipe to
/// it closes, that is when the tests' process is gone, it stops the server.
const SCRIPT: &str = r#"
set -eu
directory=$(mktemp -d /tmp/usher-postgres-XXXXXX)
trap 'rm -rf "$directory"' EXIT
initdb --pgdata "$directory/data" --username usher --auth trust --no-sync --encoding UTF8 --locale C >/dev/null
postgres -D "$directory/data" -k "$directory" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c synchronous_standby_names=nobody -c max_connections=200 \
    -c autovacuum=off -c deadlock_timeout=100ms >"$directory/log" 2>&1 </dev/null &
server=$!
tries=0
until pg_ctl --pgdata "$directory/data" status >/dev/null 2>&1 && [ -S "$directory/.s.PGSQL.5432" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then cat "$directory/log" >&2; exit 1; fi
    sleep 0.1
done
echo "$directory"
cat >/dev/null || true
kill -QUIT "$server"
wait "$server" || true
"#;

struct Cluster {
    /// Of a connection, all but the database's name.
    url: String,
    /// Held for its open pipe.
    _guard: Option<Child>,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a new, empty database.
pub async fn empty() -> String {
    create("").await
}

/// The URL of a new database with all that the one at `url` holds, which nobody is connected to.
pub async fn copy_of(url: &str) -> String {
    let path = url.split('?').next().unwrap();
    create(&format!("TEMPLATE {}", path.rsplit('/').next().unwrap())).await
}

/// A connection to the database at `url`, as another program would have.
pub async fn connect(url: &str) -> AsyncPgConnection {
    AsyncPgConnection::establish(url).await.unwrap()
}

async fn create(clause: &str) -> String {
    let cluster = tokio::task::spawn_blocking(cluster).await.unwrap();
    let name = format!("usher_test_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::SeqCst));
    let mut admin = connect(&cluster.database("postgres")).await;
    admin.batch_execute(&format!("CREATE DATABASE {name} {clause}")).await.unwrap();
    cluster.database(&name)
}

fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        let (url, guard) = match std::env::var("TEST_DATABASE_URL") {
            Ok(url) => (url, None),
            Err(_unset) => start(),
        };
        Cluster { url: url.trim_end_matches('/').to_owned(), _guard: guard }
    })
}

impl Cluster {
    /// The URL of a database.
    fn database(&self, name: &str) -> String {
        match self.url.split_once('?') {
            Some((url, parameters)) => format!("{url}/{name}?{parameters}"),
            None => format!("{}/{name}", self.url),
        }
    }
}

fn start() -> (String, Option<Child>) {
    let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", SCRIPT]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]);
        command
    };
    // What ends the tests by a signal to their whole group must leave the guard to its work.
    command.process_group(0);
    let mut guard = command.current_dir("/tmp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut directory = String::new();
    BufReader::new(guard.stdout.take().unwrap()).read_line(&mut directory).unwrap();
    let directory = directory.trim();
    assert!(!directory.is_empty(), "PostgreSQL did not start");
    (format!("postgres://usher@{}", directory.replace('/', "%2F")), Some(guard))
}
