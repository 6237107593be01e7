//! A running server and what its operator does with it.

use std::sync::{Arc, Mutex, RwLock};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{ADMIN_KEY, Database, Finished, Process, Request, Settings, Storage, Visitor};

/// A server of a test's own. Clones are the same server; with the last one it ends.
#[derive(Clone)]
pub struct Shop {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    http: reqwest::Client,
    process: Mutex<Option<Process>>,
    address: RwLock<String>,
}

/// A concert with one schedule, as loaded.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The concert's id.
    pub concert: String,
    /// The id of its schedule.
    pub schedule: String,
}

impl Shop {
    /// A server with the settings of [`Settings::on`].
    pub async fn open(storage: Storage) -> Self {
        Settings::on(storage).open().await
    }

    pub(crate) async fn start(settings: Settings) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
        let shop =
            Self { inner: Arc::new(Inner { settings, http, process: Mutex::default(), address: RwLock::default() }) };
        shop.restart().await;
        shop
    }

    /// Starts the server again, on the same database, after it has ended.
    pub async fn restart(&self) {
        let process = self.inner.settings.spawn();
        *self.inner.address.write().unwrap() = process.address();
        let before = self.inner.process.lock().unwrap().replace(process);
        assert!(before.is_none(), "the server still runs");
        self.request(Method::GET, "/readyz").await.expect(200);
    }

    /// `kill -9`.
    pub async fn crash(&self) {
        let process = self.inner.process.lock().unwrap().take().expect("the server runs");
        process.kill().await;
    }

    /// Sends SIGTERM and does not wait.
    pub fn terminate(&self) {
        self.with_process(Process::terminate);
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.with_process(Process::hang_up);
    }

    /// Stops the server's time; see [`Process::freeze`].
    pub fn freeze(&self) {
        self.with_process(Process::freeze);
    }

    /// Lets the server go on.
    pub fn thaw(&self) {
        self.with_process(Process::thaw);
    }

    /// Waits until the server has ended.
    pub async fn finished(&self) -> Finished {
        let process = self.inner.process.lock().unwrap().take().expect("the server was started");
        process.finished().await
    }

    /// What the server has printed so far.
    pub fn output(&self) -> String {
        self.with_process(Process::output)
    }

    fn with_process<T>(&self, ask: impl FnOnce(&Process) -> T) -> T {
        ask(self.inner.process.lock().unwrap().as_ref().expect("the server runs"))
    }

    /// Where the server listens: `127.0.0.1:PORT`.
    pub fn socket(&self) -> String {
        self.inner.address.read().unwrap().trim_start_matches("http://").to_owned()
    }

    /// The server's database.
    pub fn database(&self) -> &Database {
        self.inner.settings.database()
    }

    /// The server's settings, for running other commands on the same database.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Runs `usher audit` on the database: it must find nothing.
    pub async fn audit(&self) {
        let audit = self.inner.settings.run(&["audit"]).await;
        assert_eq!(audit.code, Some(0), "the audit found violations: {audit:#?}");
    }

    /// A request to any path of the server.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.inner.address.read().unwrap());
        let what = format!("{method} {path}");
        Request::new(self.inner.http.request(method, url), what)
    }

    /// A request to a path below `/api/v1`, without a token.
    pub fn api(&self, method: Method, path: &str) -> Request {
        self.request(method, &format!("/api/v1{path}"))
    }

    /// A request to a path below `/api/v1/admin`, with the admin key.
    pub fn admin(&self, method: Method, path: &str) -> Request {
        self.api(method, &format!("/admin{path}")).bearer(ADMIN_KEY)
    }

    /// Gives `user` a place in the queue `main`.
    pub async fn join(&self, user: &str) -> Visitor {
        self.join_queue(user, "main").await
    }

    /// Gives `user` a place in a queue.
    pub async fn join_queue(&self, user: &str, queue: &str) -> Visitor {
        let answer = self.api(Method::POST, "/queue/tokens").json(json!({"user_id": user, "queue": queue})).await;
        assert!([200, 201].contains(&answer.status), "{answer}");
        Visitor::new(self, &answer.json())
    }

    /// Gives all of them a place in `main`, at once.
    pub async fn join_all(&self, users: impl IntoIterator<Item = String>) -> Vec<Visitor> {
        futures::future::join_all(users.into_iter().map(|user| async move { self.join(&user).await })).await
    }

    /// Loads a concert with one schedule far ahead, in `main`.
    pub async fn concert(&self, seats: u32, price: u32) -> Sale {
        self.concert_in("main", "2099-12-24T19:30:00+09:00", seats, price).await
    }

    /// Loads a concert with one schedule in a queue that is there.
    pub async fn concert_in(&self, queue: &str, starts_at: &str, seats: u32, price: u32) -> Sale {
        let seats = json!([{"count": seats, "price": price}]);
        self.load(
            json!({"title": "The concert", "queue": queue, "schedules": [{"starts_at": starts_at, "seats": seats}]}),
        )
        .await
    }

    /// The same far ahead in `main`, of which each user may have so many seats.
    pub async fn limited_concert(&self, seats: u32, price: u32, max_per_user: u32) -> Sale {
        let schedule = json!({"starts_at": "2099-12-24T19:30:00+09:00", "seats": [{"count": seats, "price": price}]});
        self.load(json!({"title": "The concert", "max_per_user": max_per_user, "schedules": [schedule]})).await
    }

    /// Loads a concert; what comes of it, with the first of its schedules.
    pub async fn load(&self, concert: Value) -> Sale {
        let made = self.loading(concert).await.expect(201);
        let text = |value: &Value| value.as_str().expect("ids are texts").to_owned();
        Sale { concert: text(&made["id"]), schedule: text(&made["schedules"][0]["id"]) }
    }

    /// A request to load a concert.
    pub fn loading(&self, concert: Value) -> Request {
        self.admin(Method::POST, "/concerts").json(concert)
    }

    /// Makes a queue and returns what it is then.
    pub async fn make_queue(&self, queue: Value) -> Value {
        self.admin(Method::POST, "/queues").json(queue).await.expect(201)
    }

    /// Changes a queue's policy and returns what it is then.
    pub async fn policy(&self, queue: &str, change: Value) -> Value {
        self.admin(Method::PATCH, &format!("/queues/{queue}")).json(change).await.expect(200)
    }

    /// A queue's policy and counts.
    pub async fn queue(&self, queue: &str) -> Value {
        self.admin(Method::GET, &format!("/queues/{queue}")).await.expect(200)
    }
}
