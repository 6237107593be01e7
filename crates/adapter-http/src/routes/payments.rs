//! Paying, and one's own receipts.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::payment::Receipt;
use domain::ports::Paid;
use domain::rejection::Missing;
use domain::{Money, PaymentId, Rejection, ReservationId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::error_codes::Code;
use crate::answer::page::PageView;
use crate::answer::points::Points;
use crate::answer::problem::Problem;
use crate::answer::reservation::{self, ReservationView};
use crate::answer::{dates, json};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Bearer;
use crate::request::body::Json;
use crate::request::body_object::object;
use crate::request::body_values::Amount;
use crate::request::idempotency::{self, Key};
use crate::request::page::PageQuery;
use crate::request::path;
use crate::request::query::{Nothing, Query};

const PATH: &str = "/api/v1/payments";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::POST, PATH, "payReservation", "Pays a reservation from one's own wallet.", || {
            web::to(pay)
        })
        .auth(Auth::Active)
        .idempotent()
        .body::<Pay>(json!({"reservation_id": "0193a5b2-7c00-7000-8000-000000000010", "amount": 12000}))
        .answers(
            201,
            "The seats are sold; the token is EXPIRED, or holds nothing new while its user has other holds.",
            one(example(Some(8000))),
        )
        .header("Location", "Where to ask for the receipt.")
        .refuses(&[
            Code::AmountMismatch,
            Code::InsufficientBalance,
            Code::UserMismatch,
            Code::NotFound,
            Code::AlreadyPaid,
            Code::ReservationCancelled,
            Code::ReservationExpired,
        ]),
        Endpoint::new(Method::GET, PATH, "listPayments", "One's own payments, newest first.", || web::to(list))
            .auth(Auth::Reader)
            .query::<PageQuery<PaymentId>>()
            .answers(200, "A page of payments.", Content::Page(Shape::of::<PaymentView>(), example(None))),
        Endpoint::new(Method::GET, "/api/v1/payments/{id}", "getPayment", "One of one's own payments.", || {
            web::to(find)
        })
        .auth(Auth::Reader)
        .answers(200, "The payment.", one(example(None))),
    ]
}

/// A payment, as examples show it; with the balance after it, as it is told to the payer once.
pub(super) fn example(balance: Option<u32>) -> Value {
    let mut reservation = reservation::example();
    if let Some(status) = reservation.get_mut("status") {
        *status = json!("CONFIRMED");
    }
    let mut payment = json!({
        "id": "0193a5b2-7c00-7000-8000-000000000030", "reservation": reservation, "amount": 12000,
        "status": "COMPLETED", "paid_at": "2026-12-01T10:03:00Z"
    });
    if let (Some(balance), Value::Object(members)) = (balance, &mut payment) {
        members.insert("balance".to_owned(), json!(balance));
    }
    payment
}

fn one(example: Value) -> Content {
    Content::One(Shape::of::<PaymentView>(), example)
}

object! {
    /// A request to pay.
    struct Pay {
        /// What to pay.
        #[schema(value_type = Uuid)]
        reservation_id: ReservationId,
        /// What the payer thinks it costs; another amount than the reservation's is refused.
        #[schema(value_type = Amount, required = false)]
        amount: Option<Money>,
    }
}

/// The receipt of a confirmed reservation.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentView {
    id: Uuid,
    reservation: ReservationView,
    amount: Points,
    status: PaymentState,
    #[schema(schema_with = dates::date_time)]
    paid_at: String,
    /// What the wallet held right after it; told to the payer once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    balance: Option<Points>,
}

/// The state of a payment. A payment that failed leaves none.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PaymentState {
    /// Made.
    Completed,
}

impl PaymentView {
    /// A receipt as it is shown at `now`.
    pub(super) fn of(Receipt { payment, reservation }: &Receipt, now: Timestamp) -> Self {
        Self {
            id: payment.id.uuid(),
            reservation: ReservationView::of(reservation, now),
            amount: Points::from(&payment.amount),
            status: PaymentState::Completed,
            paid_at: payment.paid_at.to_string(),
            balance: None,
        }
    }
}

async fn pay(
    bearer: Bearer,
    _: Query<Nothing>,
    key: Key,
    body: Json<Pay>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let Json(Pay { reservation_id, amount }) = body;
    let answer = api.app.pay(bearer.0, reservation_id, amount, key.0).await?;
    let Paid { receipt, balance } = answer.value;
    if !answer.replayed {
        api.sale.payments.increment(1);
        api.schedule_changed(receipt.reservation.queue, receipt.reservation.schedule);
    }
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("{PATH}/{}", receipt.payment.id)));
    idempotency::mark(&mut response, answer.replayed);
    let told = PaymentView { balance: Some(Points::from(&balance)), ..PaymentView::of(&receipt, api.app.now()) };
    json::json(response, &told)
}

async fn list(
    bearer: Bearer,
    query: Query<PageQuery<PaymentId>>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let listed = api.app.payments(bearer.0, &query.0.page()?).await?;
    let now = api.app.now();
    json::ok(&PageView::of(listed, |receipt| PaymentView::of(&receipt, now)))
}

async fn find(
    bearer: Bearer,
    _: Query<Nothing>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let payment = path::id(&request, PaymentId::new).ok_or(Rejection::NotFound(Missing::Payment))?;
    let receipt = api.app.payment(bearer.0, payment).await?;
    json::ok(&PaymentView::of(&receipt, api.app.now()))
}
