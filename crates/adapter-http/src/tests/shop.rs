//! A shop to test in: one API over one store, and short words for what callers do.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Bytes, Data};
use app::{App, Ports, WalletGate};
use async_trait::async_trait;
use domain::ports::{Clock, Probe, StoreError};
use domain::seal::{ServerKey, ServerKeys};
use domain::{Policy, Rules, Timestamp};
use futures::future::LocalBoxFuture;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use storage_contract::{SeededIds, TestClock};

use crate::routes::{application, document};
use crate::{Api, Settings};

/// The operator's key in all tests.
pub(super) const ADMIN: &str = "the operator's key";

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    /// The body as JSON.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// A header as text, if it is there.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of a problem document, whose status must be the response's.
    #[track_caller]
    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    }

    /// This answer, which must be a success of `status`.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

type Calling = LocalBoxFuture<'static, Reply>;

/// One API over one store.
pub(super) struct Shop {
    pub(super) clock: Arc<TestClock>,
    pub(super) app: Arc<App>,
    service: Box<dyn Fn(TestRequest) -> Calling>,
}

/// A line that admits everybody at once.
pub(super) fn open_rules() -> Rules {
    Rules { new_queue: Policy { max_active: 100_000, batch: 100_000, ..Policy::default() }, ..Rules::default() }
}

/// How a shop is set up; the contract's defaults but for the admin key and a line that admits at once.
pub(super) struct Plan {
    pub(super) rules: Rules,
    pub(super) settings: Settings,
    pub(super) probe: Option<Arc<dyn Probe>>,
}

impl Default for Plan {
    fn default() -> Self {
        let settings = Settings { admin_key: Some(ADMIN.to_owned()), ..Settings::default() };
        Self { rules: open_rules(), settings, probe: None }
    }
}

/// Follows the store's lines, as the server's scheduler does.
async fn follow(app: Arc<App>) {
    loop {
        app.refresh_wanted().await;
        app.refresh().await.unwrap();
    }
}

impl Shop {
    /// A shop without any concert.
    pub(super) async fn plan(plan: Plan) -> Self {
        let store = storage_contract::reference(plan.rules.clone());
        let clock = Arc::clone(&store.clock);
        let keys = ServerKeys::new(vec![ServerKey::from_bytes([7; 32])]).unwrap();
        let ports = Ports {
            queues: Arc::clone(&store.queues),
            concerts: Arc::clone(&store.concerts),
            reservations: Arc::clone(&store.reservations),
            wallets: Arc::clone(&store.wallets),
            payments: Arc::clone(&store.payments),
            presence: Arc::clone(&store.presence),
            probe: plan.probe.unwrap_or_else(|| Arc::clone(&store.probe)),
            clockwork: Arc::clone(&store.clockwork),
            clock: Arc::<TestClock>::clone(&clock),
            ids: Arc::new(SeededIds::new(1)),
        };
        let app = Arc::new(App::new(ports, plan.rules, WalletGate::Active, keys));
        app.refresh().await.unwrap();
        actix_web::rt::spawn(follow(Arc::clone(&app)));
        let prometheus = PrometheusBuilder::new().build_recorder().handle();
        let api = Data::new(Api::new(Arc::clone(&app), &plan.settings, prometheus));
        let service = Rc::new(init_service(application(&api, &Data::new(document()))).await);
        let call = move |request: TestRequest| -> Calling {
            let service = Rc::clone(&service);
            Box::pin(async move {
                let response = match service.call(request.to_request()).await {
                    Ok(response) => response.into_parts().1,
                    // As the server does with what is lost in the middle.
                    Err(error) => error.error_response(),
                };
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                Reply { status, headers, body: to_bytes(response.into_body()).await.unwrap() }
            })
        };
        Self { clock, app, service: Box::new(call) }
    }

    /// A shop without any concert.
    pub(super) async fn new() -> Self {
        Self::plan(Plan::default()).await
    }

    /// A shop with a concert of fifty seats at 1000 points.
    pub(super) async fn open() -> (Self, Concert) {
        let shop = Self::new().await;
        let concert = shop.concert("main", 50).await;
        (shop, concert)
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: TestRequest) -> Reply {
        (self.service)(request).await
    }

    /// Sends a request without a body.
    pub(super) async fn call(&self, method: &str, path: &str, bearer: &str) -> Reply {
        self.send(request(method, path, bearer)).await
    }

    pub(super) async fn get(&self, path: &str, bearer: &str) -> Reply {
        self.call("GET", path, bearer).await
    }

    /// Sends a request with a JSON body.
    pub(super) async fn post(&self, path: &str, bearer: &str, body: &Value) -> Reply {
        self.send(with_json(request("POST", path, bearer), body.to_string())).await
    }

    /// Sends a request with a JSON body and an idempotency key.
    pub(super) async fn post_keyed(&self, path: &str, bearer: &str, key: &str, body: &Value) -> Reply {
        let request = request("POST", path, bearer).insert_header(("Idempotency-Key", key));
        self.send(with_json(request, body.to_string())).await
    }

    /// Takes a place in `main` and gives the token.
    pub(super) async fn join(&self, user: &str) -> String {
        self.join_queue(user, "main").await
    }

    pub(super) async fn join_queue(&self, user: &str, queue: &str) -> String {
        let reply = self.post("/api/v1/queue/tokens", "", &json!({"user_id": user, "queue": queue})).await;
        assert!(reply.status == 201 || reply.status == 200, "{reply:?}");
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    /// Loads a concert in 30 days and gives its ids.
    pub(super) async fn concert(&self, queue: &str, seats: u32) -> Concert {
        self.limited_concert(queue, seats, None, None).await
    }

    /// Makes a queue as the server has new ones.
    pub(super) async fn make_queue(&self, name: &str) {
        self.post("/api/v1/admin/queues", ADMIN, &json!({"name": name})).await.expect(201);
    }

    /// Loads a concert in 30 days of which one user may have so many seats, and so many of its one schedule.
    pub(super) async fn limited_concert(
        &self,
        queue: &str,
        seats: u32,
        of_concert: Option<u32>,
        of_schedule: Option<u32>,
    ) -> Concert {
        let starts_at = self.clock.now().plus(Duration::from_secs(30 * 86_400)).to_string();
        let mut schedule = json!({"starts_at": starts_at, "seats": [{"count": seats, "price": 1000}]});
        let mut body = json!({"title": "Gala", "queue": queue});
        for (limited, max_per_user) in [(&mut body, of_concert), (&mut schedule, of_schedule)] {
            if let Some(max_per_user) = max_per_user {
                limited["max_per_user"] = max_per_user.into();
            }
        }
        body["schedules"] = json!([schedule]);
        let made = self.post("/api/v1/admin/concerts", ADMIN, &body).await.expect(201).json();
        Concert {
            id: made["id"].as_str().unwrap().to_owned(),
            schedule: made["schedules"][0]["id"].as_str().unwrap().to_owned(),
        }
    }

    /// Holds seats of a concert.
    pub(super) async fn hold(&self, token: &str, concert: &Concert, numbers: &[u32]) -> Reply {
        self.post("/api/v1/reservations", token, &concert.seats(numbers)).await
    }

    /// Holds seats and gives the reservation's id.
    pub(super) async fn held(&self, token: &str, concert: &Concert, numbers: &[u32]) -> String {
        let reply = self.hold(token, concert, numbers).await.expect(201);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn charge(&self, token: &str, amount: u32) -> Reply {
        self.post("/api/v1/wallet/charges", token, &json!({"amount": amount})).await
    }

    pub(super) async fn pay(&self, token: &str, reservation: &str) -> Reply {
        self.post("/api/v1/payments", token, &json!({"reservation_id": reservation})).await
    }

    /// Everything a caller can see of a user, to be compared before and after what must change nothing.
    pub(super) async fn seen_by(&self, token: &str, concert: &Concert) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in ["/api/v1/wallet", "/api/v1/wallet/entries", "/api/v1/reservations", "/api/v1/payments"] {
            seen.push(self.get(path, token).await.json());
        }
        seen.push(self.get(&concert.path(), token).await.json());
        seen.push(self.get("/api/v1/concerts", "").await.json());
        seen.push(self.get("/api/v1/admin/queues/main", ADMIN).await.json());
        seen
    }
}

/// A concert with one schedule.
pub(super) struct Concert {
    pub(super) id: String,
    pub(super) schedule: String,
}

impl Concert {
    /// The body that asks for these seats.
    pub(super) fn seats(&self, numbers: &[u32]) -> Value {
        json!({"schedule_id": self.schedule, "seat_numbers": numbers})
    }

    /// The path of its seats.
    pub(super) fn path(&self) -> String {
        format!("/api/v1/schedules/{}/seats", self.schedule)
    }
}

/// A request, with credentials unless they are empty.
pub(super) fn request(method: &str, path: &str, bearer: &str) -> TestRequest {
    let request = TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    if bearer.is_empty() { request } else { request.insert_header(("Authorization", format!("Bearer {bearer}"))) }
}

/// The request with this body as JSON.
pub(super) fn with_json(request: TestRequest, body: impl Into<Bytes>) -> TestRequest {
    request.insert_header(("Content-Type", "application/json")).set_payload(body)
}

/// A probe that always answers the same, or panics.
pub(super) struct Answers(pub(super) Option<Result<Timestamp, StoreError>>);

#[async_trait]
impl Probe for Answers {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        self.0.clone().expect("a probe that was told what to answer")
    }
}

/// A status by number.
pub(super) fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap()
}
