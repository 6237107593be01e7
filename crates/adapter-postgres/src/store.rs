//! The store: a pool, the lanes that write, and what everything in it shares.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use domain::QueueNumber;
use domain::ports::{ChargeCommand, HoldCommand, PayCommand, StoreError};
use domain::sale::{Command, Verdict};
use tokio::task::JoinHandle;

use crate::batches::charges::Charges;
use crate::batches::lane::{Executor, Lane};
use crate::batches::loading::Loading;
use crate::connections::error::BatchError;
use crate::connections::pool::{Connections, SILENT};
use crate::environment::Environment;
use crate::sale::executor::Sale;
use crate::sale::schedule_cache::ScheduleCache;

/// A PostgreSQL database that is being served, by this process and any number of others. Clones share it.
#[derive(Clone)]
pub struct PostgresStore(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) connections: Arc<Connections>,
    pub(crate) environment: Environment,
    pub(crate) schedules: Arc<ScheduleCache>,
    /// `None` after the shutdown.
    pub(crate) lanes: Mutex<Option<Lanes>>,
    /// What an operator should know of the server, a line each.
    pub(crate) concerns: Vec<String>,
}

/// How many lanes share the holds and payments of a queue, and how many share the charges of all users: none of these locks
/// one row for all. While one lane decides or waits for the disk, the database works for another (ADR 5).
const SHARED_BY: u64 = 2;

/// What a lane of a queue does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Changes the line, and locks the queue's row: there is one.
    Line,
    /// Sells, each user's commands in one and the same of several.
    Sale(u64),
}

impl Kind {
    /// A ticket's holds, payments and cancellations all go through the same lane, in their order.
    fn of(command: &Command) -> Self {
        if command.is_line() {
            return Self::Line;
        }
        Self::Sale(match command {
            Command::Cancel(ticket, _)
            | Command::Hold(HoldCommand { ticket, .. })
            | Command::Pay(PayCommand { ticket, .. }) => ticket.number.get() % SHARED_BY,
            _ => 0,
        })
    }
}

/// The lanes that have been needed so far.
#[derive(Default)]
pub(crate) struct Lanes {
    sales: HashMap<(QueueNumber, Kind), Lane<Sale>>,
    charges: HashMap<u64, Lane<Charges>>,
    loading: Option<Lane<Loading>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Lanes {
    fn start<E: Executor>(&mut self, inner: &Inner, executor: E) -> Lane<E> {
        let (connections, ids) = (Arc::clone(&inner.connections), Arc::clone(&inner.environment.ids));
        let (lane, task) = Lane::start(executor, connections, ids);
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(task);
        lane
    }
}

impl PostgresStore {
    /// What an operator should know of the server as it was when it was opened, a line each.
    pub fn concerns(&self) -> &[String] {
        &self.0.concerns
    }

    /// Takes no more commands, and returns when those that wait are done and answered. Reads still work.
    pub async fn shutdown(&self) {
        let lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A lane ends when nobody can hand it commands any more.
        let tasks = lanes.map(|lanes| lanes.tasks).unwrap_or_default();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a lane ended badly");
            }
        }
    }

    /// Reads with a connection of its own; see [`Self::in_time`].
    pub(crate) async fn read<T>(
        &self,
        read: impl AsyncFnOnce(Object<AsyncPgConnection>) -> Result<T, BatchError>,
    ) -> Result<T, StoreError> {
        let read = async { read(self.0.connections.get().await?).await };
        self.in_time(read).await.map_err(BatchError::into_store_error)
    }

    /// Waits as long as a server may say nothing, for a connection included.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = Result<T, BatchError>>) -> Result<T, BatchError> {
        tokio::time::timeout(self.0.connections.limits().silence(), work).await.unwrap_or_else(|_elapsed| {
            // The connection has just been given back, so that it is closed with the others.
            self.0.connections.drop_idle();
            Err(StoreError::Unavailable(SILENT.to_owned()).into())
        })
    }

    /// Hands a command of a sale in.
    pub(crate) async fn sale(&self, queue: QueueNumber, command: Command) -> Result<Verdict, StoreError> {
        let lane = self.lane(|lanes| {
            let place = (queue, Kind::of(&command));
            if let Some(lane) = lanes.sales.get(&place).filter(|lane| lane.is_open()) {
                return lane.clone();
            }
            let (environment, schedules) = (self.0.environment.clone(), Arc::clone(&self.0.schedules));
            let lane = lanes.start(&self.0, Sale { queue, environment, schedules });
            lanes.sales.insert(place, lane.clone());
            lane
        })?;
        lane.submit(command).await?
    }

    /// Hands a charge in.
    pub(crate) async fn charges(&self, command: ChargeCommand) -> <Charges as Executor>::Answer {
        let lane = self.lane(|lanes| {
            let mut hasher = DefaultHasher::new();
            command.user.hash(&mut hasher);
            let place = hasher.finish() % SHARED_BY;
            if let Some(lane) = lanes.charges.get(&place).filter(|lane| lane.is_open()) {
                return lane.clone();
            }
            let lane = lanes.start(&self.0, Charges { environment: self.0.environment.clone() });
            lanes.charges.insert(place, lane.clone());
            lane
        })?;
        lane.submit(command).await?
    }

    /// Hands something to be loaded in.
    pub(crate) async fn load(
        &self,
        plan: <Loading as Executor>::Command,
    ) -> Result<<Loading as Executor>::Answer, StoreError> {
        let lane = self.lane(|lanes| {
            if let Some(lane) = lanes.loading.as_ref().filter(|lane| lane.is_open()) {
                return lane.clone();
            }
            let (environment, silence) = (self.0.environment.clone(), self.0.connections.limits().silence());
            let lane = lanes.start(&self.0, Loading { environment, silence });
            lanes.loading = Some(lane.clone());
            lane
        })?;
        lane.submit(plan).await
    }

    fn lane<T>(&self, find: impl FnOnce(&mut Lanes) -> T) -> Result<T, StoreError> {
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.as_mut().map(find).ok_or_else(|| StoreError::Unavailable("the store is shut down".to_owned()))
    }
}
