//! One process: started, listened to, signalled, and gone when the test is over.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use crate::{LIMIT, binary, until};

/// A process that runs. Killed by its own id when dropped; what it printed is shown when the test fails.
pub struct Process {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    addresses: Receiver<String>,
    /// Whoever should read stderr and does not.
    _standing_still: Option<UnixStream>,
}

/// A process that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All it printed.
    pub stdout: String,
    /// All it complained of.
    pub stderr: String,
}

impl Process {
    /// Starts `usher` with these arguments, in `directory`, with nothing else from the environment.
    pub fn start(arguments: &[String], directory: &Path) -> Self {
        Self::heard(&mut command(&binary::usher(), arguments, directory))
    }

    /// Starts `usher-scheduler` in the same way.
    pub fn start_scheduler(arguments: &[String], directory: &Path) -> Self {
        Self::heard(&mut command(&binary::scheduler(), arguments, directory))
    }

    /// Starts `usher`, and whatever it says finds no room, as on a disk that is full.
    pub fn start_unheard(arguments: &[String], directory: &Path) -> Self {
        Self::unheard(&mut command(&binary::usher(), arguments, directory))
    }

    /// Starts `usher-scheduler` in the same way.
    pub fn start_scheduler_unheard(arguments: &[String], directory: &Path) -> Self {
        Self::unheard(&mut command(&binary::scheduler(), arguments, directory))
    }

    /// Starts `usher`, and whoever reads its stderr stands still, with no room for a line more.
    pub fn start_unread(arguments: &[String], directory: &Path) -> Self {
        let (full, reader) = full_stream();
        let mut command = command(&binary::usher(), arguments, directory);
        let mut child = command.stdout(Stdio::piped()).stderr(OwnedFd::from(full)).spawn().expect("the program starts");
        let (sender, addresses) = channel();
        let (stdout, out) = collect(child.stdout.take().expect("stdout is piped"), Some(sender));
        let (stderr, readers) = (Arc::default(), vec![out]);
        Self { child, stdout, stderr, readers, addresses, _standing_still: Some(reader) }
    }

    fn heard(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (sender, addresses) = channel();
        let (stdout, out) = collect(child.stdout.take().expect("stdout is piped"), Some(sender));
        let (stderr, err) = collect(child.stderr.take().expect("stderr is piped"), None);
        Self { child, stdout, stderr, readers: vec![out, err], addresses, _standing_still: None }
    }

    fn unheard(command: &mut Command) -> Self {
        let full = || File::options().write(true).open("/dev/full").expect("there is a disk that is full");
        let child = command.stdout(full()).stderr(full()).spawn().expect("the program starts");
        let (_, addresses) = channel();
        let (stdout, stderr) = (Arc::default(), Arc::default());
        Self { child, stdout, stderr, readers: Vec::new(), addresses, _standing_still: None }
    }

    /// Waits for the line that says where it listens, and returns that place: `http://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.addresses.recv_timeout(LIMIT).unwrap_or_else(|_| {
            panic!("usher did not say where it listens:\n{}{}", read(&self.stdout), read(&self.stderr))
        })
    }

    /// `kill -9`: it gets no chance to do anything.
    pub async fn kill(mut self) -> Finished {
        self.child.kill().expect("it still ran");
        self.finished().await
    }

    /// SIGTERM: it is asked to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGSTOP: it stands still, as on a machine that has no time for it.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT: it goes on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGHUP: its terminal is closed, or somebody wants its settings to be read anew.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        kill_process(id, signal).expect("it still ran");
    }

    /// Waits until it has ended, and says how.
    pub async fn finished(mut self) -> Finished {
        let child = &mut self.child;
        let status = until("the end of the process", async || child.try_wait().expect("it can be waited for")).await;
        for reader in self.readers.drain(..) {
            reader.join().expect("its output can be read");
        }
        Finished { code: status.code(), stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }

    /// What it has printed so far, all of it.
    pub fn output(&self) -> String {
        read(&self.stdout) + &read(&self.stderr)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
        let output = self.output();
        if std::thread::panicking() {
            eprint_output(&output);
        } else {
            // Trap P2: a task that dies in the server must not go unseen because the others answered.
            assert!(!output.contains("panicked at"), "the server panicked:\n{output}");
        }
    }
}

/// A stream in which nothing finds room any more, and its other end.
fn full_stream() -> (UnixStream, UnixStream) {
    let (mut full, reader) = UnixStream::pair().expect("there are streams");
    full.set_nonblocking(true).expect("it can be asked whether it is full");
    while full.write(&[b'.'; 100]).is_ok() {}
    full.set_nonblocking(false).expect("who writes to it waits");
    (full, reader)
}

/// A program that is to be started, with nothing from the environment.
fn command(program: &Path, arguments: &[String], directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        // An error that reaches the operator with a backtrace is a defect, and this makes it visible.
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null());
    command
}

#[expect(clippy::print_stderr, reason = "the test harness of Rust shows this with the failed test")]
fn eprint_output(output: &str) {
    eprintln!("--- usher printed ---\n{output}--- end ---");
}

fn read(text: &Mutex<String>) -> String {
    text.lock().expect("no reader panics").clone()
}

/// Collects a stream's lines on a thread, and sends on each address that one names.
fn collect(
    stream: impl Read + Send + 'static,
    addresses: Option<Sender<String>>,
) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            let mut text = sink.lock().expect("no reader panics");
            text.push_str(&line);
            text.push('\n');
            if let (Some(addresses), Some(port)) = (&addresses, port(&line)) {
                // Nobody listens any more once the first address is known.
                drop(addresses.send(format!("http://127.0.0.1:{port}")));
            }
        }
    });
    (text, reader)
}

/// The port of the first `http://<IPv4>:<port>` in a line.
fn port(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("http://")?;
    let place = rest.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').next()?;
    place.split_once(':')?.1.parse().ok()
}
