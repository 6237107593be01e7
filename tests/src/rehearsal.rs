//! A whole on-sale, rehearsed: PostgreSQL, two servers and a scheduler of its own, people by `usher-rehearsal`, and the audit; if so
//! wanted while servers and database are killed.

use std::net::TcpListener;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use futures::future::join;
use serde_json::Value;
use test_postgres::{Server, connect};
use tokio::process::Command;

use crate::{ADMIN_KEY, Dice, Finished, Process, Settings, Shop, binary};

/// How long it is until the next one is killed, and how long that stays away, in milliseconds.
const BETWEEN: Range<u32> = 1_500..5_000;
const AWAY: Range<u32> = 100..2_000;

/// What a rehearsal came to.
pub struct Rehearsed {
    /// What `usher-rehearsal` ended with: 0 when it saw no promise broken, 1 when it did, 2 when it could not play.
    pub code: Option<i32>,
    /// The audit of the database.
    pub audit: Finished,
    /// How often something was killed.
    pub kills: u32,
}

/// Plays a sale on servers of its own: `flags` are `usher-rehearsal`'s, beside where the servers are; `rules` the servers'.
/// With `kills` as a seed, servers, schedulers and the database are killed and started again at moments that it makes.
/// What `usher-rehearsal` says goes where this program's goes.
pub async fn rehearse(flags: &[String], rules: &[(&str, &str)], kills: Option<u64>) -> Rehearsed {
    let postgres = Server::start().await;
    keep_what_is_committed(&postgres).await;
    let rules = |settings: Settings| rules.iter().fold(settings, |settings, (flag, value)| settings.with(flag, value));
    let settings = rules(Settings::at(&postgres.url("usher"))).with("--scheduler", "off");
    let crew = Crew {
        servers: [open(&settings).await, open(&settings).await],
        scheduler: Mutex::new(Some(settings.spawn_scheduler())),
        settings,
        postgres,
    };
    let over = AtomicBool::new(false);
    let played = async {
        let code = people(&crew, flags, kills.is_some()).await;
        over.store(true, Ordering::Relaxed);
        code
    };
    let (code, kills) = join(played, crew.is_killed(kills, &over)).await;
    Rehearsed { code, audit: crew.settings.run(&["audit"]).await, kills }
}

/// What a machine that loses power would keep is asked of the disk, as in production.
async fn keep_what_is_committed(postgres: &Server) {
    let mut operator = connect(&postgres.url("usher")).await;
    for setting in ["fsync = on", "full_page_writes = on", "autovacuum = on", "wal_writer_delay = '200ms'"] {
        operator.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
    }
    operator.batch_execute("SELECT pg_reload_conf()").await.unwrap();
}

/// A server that listens at the same place however often it is started.
async fn open(settings: &Settings) -> Shop {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.clone().with("--listen", free).open().await
}

/// All that people depend on.
struct Crew {
    servers: [Shop; 2],
    scheduler: Mutex<Option<Process>>,
    settings: Settings,
    postgres: Server,
}

impl Crew {
    /// Kills one after the other until it is `over`, if at all, and starts each again a while later; how many.
    async fn is_killed(&self, seed: Option<u64>, over: &AtomicBool) -> u32 {
        let Some(mut dice) = seed.map(Dice::seeded) else { return 0 };
        let mut count = 0;
        loop {
            pause(BETWEEN, &mut dice).await;
            if over.load(Ordering::Relaxed) {
                return count;
            }
            count += 1;
            match dice.roll(5) {
                0 => {
                    self.kill_scheduler().await;
                    pause(AWAY, &mut dice).await;
                    *self.scheduler.lock().unwrap() = Some(self.settings.spawn_scheduler());
                }
                one @ (1 | 2) => {
                    let server = &self.servers[usize::from(one == 1)];
                    server.crash().await;
                    pause(AWAY, &mut dice).await;
                    server.restart().await;
                }
                _ => {
                    self.postgres.crash().await;
                    pause(AWAY, &mut dice).await;
                    self.postgres.restart().await;
                }
            }
        }
    }

    async fn kill_scheduler(&self) {
        let scheduler = self.scheduler.lock().unwrap().take();
        if let Some(scheduler) = scheduler {
            scheduler.kill().await;
        }
    }
}

/// Lets time pass, as much as the dice say. Nothing is waited for: when somebody dies is what is random here.
async fn pause(range: Range<u32>, dice: &mut Dice) {
    let long = range.start + dice.roll(range.end - range.start);
    tokio::time::sleep(Duration::from_millis(long.into())).await;
}

/// Plays people until they have all gone, which is at the latest after the time that the flags set. Ends with whoever waits for it.
async fn people(crew: &Crew, flags: &[String], outages: bool) -> Option<i32> {
    let urls: Vec<_> = crew.servers.iter().map(|server| format!("http://{}", server.socket())).collect();
    let mut program = program(&urls);
    let played = program.args(flags).args(outages.then_some("--expect-outages")).spawn();
    played.expect("the program starts").wait().await.expect("it can be waited for").code()
}

/// Plays people at servers that are there already: what it ended with, as in [`Rehearsed`], and its report. What it says is kept
/// from the screen.
pub async fn play_at(urls: &[&str], flags: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("there is room");
    let report = folder.path().join("report.json");
    let mut program = program(urls);
    let played = program.args(flags).arg("--json").arg(&report).output().await.expect("the program starts");
    let told = std::fs::read(&report)
        .unwrap_or_else(|error| panic!("no report: {error}\n{}", String::from_utf8_lossy(&played.stderr)));
    (played.status.code(), serde_json::from_slice(&told).expect("a report is JSON"))
}

/// Has `usher-rehearsal` try to play at servers, and tells how that ended.
pub async fn try_to_play(urls: &[&str], flags: &[&str]) -> Finished {
    let ended = program(urls).args(flags).output().await.expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: ended.status.code(), stdout: text(&ended.stdout), stderr: text(&ended.stderr) }
}

/// `usher-rehearsal` at these servers.
fn program(urls: &[impl AsRef<str>]) -> Command {
    let mut program = Command::new(binary::rehearsal());
    program
        .args(urls.iter().flat_map(|url| ["--url", url.as_ref()]))
        .env("USHER_ADMIN_KEY", ADMIN_KEY)
        .kill_on_drop(true);
    program
}
