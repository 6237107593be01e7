//! With which flags a server is started.

use std::fmt::Display;
use std::sync::Arc;

use crate::{Database, Finished, Process, Shop, Storage};

/// The admin key of every server under test.
pub const ADMIN_KEY: &str = "the-admin-key-of-the-tests";

/// What a scheduler has no use for: it listens nowhere and knows nobody.
const OF_SERVERS_ONLY: [&str; 5] = ["--listen", "--admin-key", "--user-key", "--token-key", "--scheduler"];

/// A server's flags.
#[derive(Clone)]
pub struct Settings {
    flags: Vec<(String, Option<String>)>,
    database: Arc<Database>,
}

impl Settings {
    /// A line that is wide open, in a fresh database: who joins is ACTIVE at once. However slow the machine is, nobody is refused
    /// for having waited, and nobody is absent between two polls.
    pub fn on(storage: Storage) -> Self {
        Self::on_database(Database::fresh(storage)).with("--patience-seconds", 600).with("--absence-seconds", 86_400)
    }

    /// The same in a database that nobody has migrated.
    pub fn on_empty(storage: Storage) -> Self {
        Self::on_database(Database::empty(storage))
    }

    /// The same in a database that the test has made itself.
    pub fn at(url: &str) -> Self {
        Self::on_database(Database::given(url))
    }

    fn on_database(database: Database) -> Self {
        Self { flags: Vec::new(), database: Arc::new(database) }
            .with("--listen", "127.0.0.1:0")
            .with("--admin-key", ADMIN_KEY)
            .with("--max-active", 1_000_000)
            .with("--admit-batch", 1_000_000)
            .with("--admit-interval-seconds", 1)
    }

    /// A line that admits at most `batch` a window, and never more than `max_active` at once.
    pub fn line(storage: Storage, max_active: u32, batch: u32, interval_seconds: u32) -> Self {
        Self::on(storage)
            .with("--max-active", max_active)
            .with("--admit-batch", batch)
            .with("--admit-interval-seconds", interval_seconds)
    }

    /// Sets a flag, instead of what it was.
    #[must_use]
    pub fn with(self, flag: &str, value: impl Display) -> Self {
        let mut settings = self.without(flag);
        settings.flags.push((flag.to_owned(), Some(value.to_string())));
        settings
    }

    /// Sets a flag that takes no value.
    #[must_use]
    pub fn with_switch(self, flag: &str) -> Self {
        let mut settings = self.without(flag);
        settings.flags.push((flag.to_owned(), None));
        settings
    }

    /// Leaves a flag out.
    #[must_use]
    pub fn without(mut self, flag: &str) -> Self {
        self.flags.retain(|(name, _)| name != flag);
        self
    }

    /// The database that servers with these settings use.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Starts a server and waits until it listens.
    pub async fn open(self) -> Shop {
        Shop::start(self).await
    }

    /// Starts a server that is expected to end by itself, and waits for that.
    pub async fn refused(&self) -> Finished {
        self.spawn().finished().await
    }

    /// Runs `usher <command>` on the database and waits for its end.
    pub async fn run(&self, command: &[&str]) -> Finished {
        let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
        arguments.extend(["--database-url".to_owned(), self.database_url()]);
        Process::start(&arguments, self.database.directory()).finished().await
    }

    /// Starts `usher migrate` on the database and does not wait for anything.
    pub fn spawn_migration(&self) -> Process {
        let arguments = ["migrate", "--database-url", &self.database_url()].map(str::to_owned);
        Process::start(&arguments, self.database.directory())
    }

    /// Starts an `usher-scheduler` with the rules of these settings and does not wait for anything.
    pub fn spawn_scheduler(&self) -> Process {
        Process::start_scheduler(&self.scheduler_arguments(), self.database.directory())
    }

    /// The same, of which nothing that it says is heard.
    pub fn spawn_scheduler_unheard(&self) -> Process {
        Process::start_scheduler_unheard(&self.scheduler_arguments(), self.database.directory())
    }

    fn scheduler_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--database-url".to_owned(), self.database.url()];
        for (flag, value) in self.flags.iter().filter(|(flag, _)| !OF_SERVERS_ONLY.contains(&flag.as_str())) {
            arguments.push(flag.clone());
            arguments.extend(value.clone());
        }
        arguments
    }

    /// The database that was set, or the one that comes with the settings.
    fn database_url(&self) -> String {
        let set = self.flags.iter().find(|(flag, _)| flag == "--database-url").and_then(|(_, value)| value.clone());
        set.unwrap_or_else(|| self.database.url())
    }

    /// Starts a server and does not wait for anything.
    pub fn spawn(&self) -> Process {
        Process::start(&self.arguments(), self.database.directory())
    }

    /// The same, of which nothing that it says is heard.
    pub fn spawn_unheard(&self) -> Process {
        Process::start_unheard(&self.arguments(), self.database.directory())
    }

    /// The same, where whoever should read its log stands still.
    pub fn spawn_unread(&self) -> Process {
        Process::start_unread(&self.arguments(), self.database.directory())
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["serve".to_owned()];
        if !self.flags.iter().any(|(flag, _)| flag == "--database-url") {
            arguments.extend(["--database-url".to_owned(), self.database.url()]);
        }
        for (flag, value) in &self.flags {
            arguments.push(flag.clone());
            arguments.extend(value.clone());
        }
        arguments
    }
}
