//! A PostgreSQL server of a test's own, which it can kill, start again, and have a standby take over from.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex};

use diesel_async::SimpleAsyncConnection;

const SCRIPT: &str = include_str!("server.sh");

/// A PostgreSQL server on a Unix socket of its own. It ends with this value, or with the tests' process however that ends.
pub struct Server {
    directory: PathBuf,
    guard: Arc<Mutex<Guard>>,
}

impl Server {
    /// A new server, with a database `usher` that is empty.
    pub async fn start() -> Self {
        let server = Self::guarded(None).await;
        let mut admin = crate::connect(&server.url("postgres")).await;
        admin.batch_execute("CREATE DATABASE usher").await.unwrap();
        server
    }

    /// A standby that streams from this server. From now on this server answers no COMMIT before the standby has it.
    pub async fn standby(&self) -> Self {
        let standby = Self::guarded(Some(self.directory.clone())).await;
        let mut admin = crate::connect(&self.url("postgres")).await;
        // Two statements that no transaction may hold.
        for sql in ["ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"] {
            admin.batch_execute(sql).await.unwrap();
        }
        standby
    }

    async fn guarded(primary: Option<PathBuf>) -> Self {
        let started = tokio::task::spawn_blocking(move || Guard::start(primary.as_deref())).await;
        let (guard, directory) = started.unwrap();
        Self { directory, guard: Arc::new(Mutex::new(guard)) }
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://usher@{}/{database}", self.host())
    }

    /// What stands for this server in a URL: its directory, which is where its socket is.
    pub fn host(&self) -> String {
        self.directory.to_str().unwrap().replace('/', "%2F")
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(".s.PGSQL.5432")
    }

    /// `kill -9`, all of its processes.
    pub async fn crash(&self) {
        self.tell("crash").await;
    }

    /// Starts it again after a crash, and returns when it takes connections.
    pub async fn restart(&self) {
        self.tell("start").await;
    }

    /// Makes a standby the primary, and returns when it is.
    pub async fn promote(&self) {
        self.tell("promote").await;
    }

    async fn tell(&self, command: &'static str) {
        let guard = Arc::clone(&self.guard);
        tokio::task::spawn_blocking(move || guard.lock().unwrap().tell(command)).await.unwrap();
    }
}

/// The script that has the server. When the pipe to it closes, it ends the server and itself.
struct Guard {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Guard {
    fn start(primary: Option<&Path>) -> (Self, PathBuf) {
        let script = format!("primary='{}'\n{SCRIPT}", primary.unwrap_or(Path::new("")).display());
        let mut command = crate::unprivileged("sh");
        command.args(["-c", &script]).current_dir("/tmp").stdin(Stdio::piped()).stdout(Stdio::piped());
        // What ends the tests by a signal to their whole group must leave the guard to its work.
        let mut child = command.process_group(0).spawn().unwrap();
        let (commands, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut guard = Self { child, commands, answers };
        let directory = guard.answer();
        (guard, PathBuf::from(directory))
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        assert_eq!(self.answer(), "done", "{command}");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "PostgreSQL did not do what it was told");
        line.trim().to_owned()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.commands.take());
        drop(self.child.wait());
    }
}
