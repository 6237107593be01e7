//! What is one's own, at any time, for whom the shop vouches (R16): without a token, long after the sale.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use domain::{PaymentId, QueueName, ReservationId, Wrong};
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::payments::{self, PaymentView};
use super::wallet::{self, EntryView, WalletView};
use crate::answer::error_codes::Code;
use crate::answer::json as answer;
use crate::answer::page::{Cursor, PageView};
use crate::answer::problem::Problem;
use crate::answer::reservation::{self, ReservationView};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::openapi::parameter::Parameter;
use crate::request::identity::Person;
use crate::request::page::PageQuery;
use crate::request::query::{FromQuery, Nothing, Parameters, Query};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let get = |path, id, says, handler| Endpoint::new(Method::GET, path, id, says, handler).auth(Auth::Person);
    let balance = json!({"user_id": "alice", "balance": 20000});
    vec![
        get(
            "/api/v1/me/reservations",
            "listMyReservations",
            "One's own reservations in a queue, newest first.",
            || web::to(reservations),
        )
        .query::<InQueue<ReservationId>>()
        .answers(200, "A page of reservations.", Content::Page(Shape::of::<ReservationView>(), reservation::example()))
        .refuses(&[Code::NotFound]),
        get("/api/v1/me/payments", "listMyPayments", "One's own payments in a queue, newest first.", || {
            web::to(payments)
        })
        .query::<InQueue<PaymentId>>()
        .answers(200, "A page of payments.", Content::Page(Shape::of::<PaymentView>(), payments::example(None)))
        .refuses(&[Code::NotFound]),
        get("/api/v1/me/wallet", "getMyWallet", "One's own balance.", || web::to(wallet)).answers(
            200,
            "The wallet.",
            Content::One(Shape::of::<WalletView>(), balance),
        ),
        get("/api/v1/me/entries", "listMyEntries", "What moved one's wallet, newest first.", || web::to(entries))
            .query::<PageQuery<u64>>()
            .answers(200, "A page of entries.", Content::Page(Shape::of::<EntryView>(), wallet::example())),
    ]
}

/// A page of what one has in a queue.
struct InQueue<K> {
    queue: QueueName,
    page: PageQuery<K>,
}

impl<K: Cursor> FromQuery for InQueue<K> {
    fn described() -> Vec<Parameter> {
        let queue = Parameter {
            name: "queue",
            says: "Through which queue it was sold; `main` when it is left out.",
            schema: || ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9-]{1,32}$")).into(),
        };
        [queue].into_iter().chain(PageQuery::<K>::described()).collect()
    }

    fn read(parameters: &mut Parameters) -> Self {
        let queue = parameters.take("queue", Wrong::Queue, QueueName::parse).unwrap_or_else(QueueName::main);
        Self { queue, page: PageQuery::read(parameters) }
    }
}

async fn reservations(
    person: Person,
    query: Query<InQueue<ReservationId>>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let InQueue { queue, page } = query.0;
    let listed = api.app.reservations_of(&person.0, &queue, &page.page()?).await?;
    let now = api.app.now();
    answer::ok(&PageView::of(listed, |reservation| ReservationView::of(&reservation, now)))
}

async fn payments(
    person: Person,
    query: Query<InQueue<PaymentId>>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let InQueue { queue, page } = query.0;
    let listed = api.app.payments_of(&person.0, &queue, &page.page()?).await?;
    let now = api.app.now();
    answer::ok(&PageView::of(listed, |receipt| PaymentView::of(&receipt, now)))
}

async fn wallet(person: Person, _: Query<Nothing>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    answer::ok(&WalletView::from(api.app.wallet_of(&person.0).await?))
}

async fn entries(person: Person, query: Query<PageQuery<u64>>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let listed = api.app.entries_of(&person.0, &query.0.page()?).await?;
    answer::ok(&PageView::of(listed, EntryView::from))
}
