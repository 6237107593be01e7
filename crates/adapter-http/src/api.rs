//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, web};
use app::App;
use domain::{QueueNumber, ScheduleId};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::answer::concert::ConcertView;
use crate::answer::page::PageView;
use crate::answer::problem::Problem;
use crate::answer::seat_list::SeatBytes;
use crate::middleware::cors::Cors;
use crate::middleware::metrics::Sale;
use crate::middleware::request_id::RequestIds;
use crate::request::identity_key::IdentityKey;
use crate::shared_reads::SharedReads;

/// What an operator sets of the API.
#[derive(Clone, Default)]
pub struct Settings {
    /// The key of the admin routes; they answer 401 to everybody while there is none, or an empty one.
    pub admin_key: Option<String>,
    /// The secret that the shop signs its people's identities with (R18, JWT HS256); anyone may name any user without.
    pub user_key: Option<String>,
    /// The origins whose pages may call (CORS), as browsers write them: `https://shop.example`. None by default.
    pub cors_origins: Vec<String>,
}

/// A schedule within the sale of a queue: what is read of it is the same for all callers of that queue.
type ScheduleOfQueue = (QueueNumber, ScheduleId);

/// How old a seat map may be.
const SEATS_MAX_AGE: Duration = Duration::from_millis(250);
/// How old the counts of free seats may be.
const COUNTS_MAX_AGE: Duration = Duration::from_secs(1);
/// How old the first page of the concerts may be.
const CONCERTS_MAX_AGE: Duration = Duration::from_secs(1);
/// How old the counts of those in line that `/metrics` shows may be.
const QUEUES_MAX_AGE: Duration = Duration::from_secs(1);

/// The API: built once, shared by all workers.
pub struct Api {
    pub(crate) app: Arc<App>,
    /// The BLAKE3 hash of the admin key.
    pub(crate) admin_key: Option<[u8; 32]>,
    pub(crate) identity: Option<IdentityKey>,
    pub(crate) cors: Cors,
    pub(crate) request_ids: RequestIds,
    pub(crate) seats: SharedReads<ScheduleOfQueue, Arc<SeatBytes>>,
    pub(crate) counts: SharedReads<ScheduleOfQueue, u32>,
    /// The page that a caller gets who sends neither `limit` nor `cursor`.
    pub(crate) concerts: SharedReads<(), Arc<PageView<ConcertView>>>,
    /// The gauges show what is read, so that there is nothing to keep.
    pub(crate) queues: SharedReads<(), ()>,
    pub(crate) sale: Sale,
    pub(crate) prometheus: PrometheusHandle,
}

impl Api {
    /// The API over the use cases of `app`.
    ///
    /// The recorder that `prometheus` belongs to is to be installed before, with [`REQUEST_SECONDS_BUCKETS`] for
    /// [`REQUEST_SECONDS`]; who installs it calls `run_upkeep` on the handle now and then.
    ///
    /// [`REQUEST_SECONDS`]: crate::REQUEST_SECONDS
    /// [`REQUEST_SECONDS_BUCKETS`]: crate::REQUEST_SECONDS_BUCKETS
    pub fn new(app: Arc<App>, settings: &Settings, prometheus: PrometheusHandle) -> Self {
        let admin_key = settings.admin_key.as_ref().filter(|key| !key.is_empty());
        Self {
            admin_key: admin_key.map(|key| *blake3::hash(key.as_bytes()).as_bytes()),
            identity: settings.user_key.as_deref().map(IdentityKey::new),
            cors: Cors::new(&settings.cors_origins),
            request_ids: RequestIds::new(app.next_id()),
            seats: SharedReads::new(SEATS_MAX_AGE),
            counts: SharedReads::new(COUNTS_MAX_AGE),
            concerts: SharedReads::new(CONCERTS_MAX_AGE),
            queues: SharedReads::new(QUEUES_MAX_AGE),
            sale: Sale::new(),
            prometheus,
            app,
        }
    }

    /// Forgets what was read of a schedule: this server has changed who has its seats.
    pub(crate) fn schedule_changed(&self, queue: QueueNumber, schedule: ScheduleId) {
        self.seats.changed(&(queue, schedule));
        self.counts.changed(&(queue, schedule));
    }

    /// Forgets what was read of a schedule if it calls one of these seats free, which somebody has just heard are not.
    pub(crate) fn seats_taken(&self, queue: QueueNumber, schedule: ScheduleId, numbers: &[u32]) {
        if self.seats.changed_if(&(queue, schedule), |seats| seats.offers(numbers)) {
            self.counts.changed(&(queue, schedule));
        }
    }

    /// Forgets the list of concerts, and of queues: this server has made one.
    pub(crate) fn concert_made(&self) {
        self.concerts.changed(&());
        self.queue_made();
    }

    /// Forgets the list of queues: this server has made one.
    pub(crate) fn queue_made(&self) {
        self.queues.changed(&());
    }
}

/// The API that a request was routed by.
pub(crate) fn api(request: &HttpRequest) -> Result<&Api, Problem> {
    let api = request.app_data::<web::Data<Api>>();
    api.map(|api| &***api).ok_or_else(|| Problem::internal("the router has no API"))
}
