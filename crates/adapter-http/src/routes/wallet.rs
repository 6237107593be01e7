//! One's own points: balance, charging, entries.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use domain::Money;
use domain::wallet::{Entry, EntryKind, Wallet};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::page::PageView;
use crate::answer::points::Points;
use crate::answer::problem::Problem;
use crate::answer::{dates, json};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Bearer;
use crate::request::body::Json;
use crate::request::body_object::object;
use crate::request::body_values::AmountAboveZero;
use crate::request::idempotency::{self, Key};
use crate::request::page::PageQuery;
use crate::request::query::{Nothing, Query};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let entry = example();
    let charged = json!({"user_id": "alice", "balance": 20000, "entry": entry});
    let balance = json!({"user_id": "alice", "balance": 20000});
    vec![
        Endpoint::new(Method::GET, "/api/v1/wallet", "getWallet", "One's own balance.", || web::to(wallet))
            .auth(Auth::Wallet)
            .answers(200, "The wallet.", Content::One(Shape::of::<WalletView>(), balance)),
        Endpoint::new(
            Method::POST,
            "/api/v1/wallet/charges",
            "chargeWallet",
            "Adds points to one's own wallet.",
            || web::to(charge),
        )
        .auth(Auth::Charging)
        .idempotent()
        .body::<Charge>(json!({"amount": 20000}))
        .answers(201, "The points are there.", Content::One(Shape::of::<ChargedView>(), charged)),
        Endpoint::new(
            Method::GET,
            "/api/v1/wallet/entries",
            "listEntries",
            "What moved one's wallet, newest first.",
            || web::to(entries),
        )
        .auth(Auth::Wallet)
        .query::<PageQuery<u64>>()
        .answers(200, "A page of entries.", Content::Page(Shape::of::<EntryView>(), entry)),
    ]
}

/// An entry, as examples show it.
pub(super) fn example() -> Value {
    json!({
        "id": "0193a5b2-7c00-7000-8000-000000000020", "seq": 1, "kind": "CHARGE", "amount": 20000,
        "balance_after": 20000, "reservation_id": null, "created_at": "2026-12-01T10:02:00Z"
    })
}

object! {
    /// A request to add points.
    struct Charge {
        /// How many points: more than 0, at most 1,000,000 unless the operator says otherwise.
        #[schema(value_type = AmountAboveZero)]
        amount: Money,
    }
}

/// A user's prepaid points.
#[derive(Serialize, ToSchema)]
#[schema(as = Wallet)]
pub(super) struct WalletView {
    user_id: String,
    balance: Points,
}

/// A wallet right after a charge.
#[derive(Serialize, ToSchema)]
#[schema(as = Charged)]
struct ChargedView {
    user_id: String,
    balance: Points,
    entry: EntryView,
}

/// One movement of a wallet.
#[derive(Serialize, ToSchema)]
#[schema(as = Entry)]
pub(super) struct EntryView {
    id: Uuid,
    /// Dense within the wallet: 1, 2, 3, ...
    seq: u64,
    kind: Movement,
    /// Negative for a payment.
    amount: Points,
    balance_after: Points,
    /// What was paid; null for a charge.
    #[schema(required)]
    reservation_id: Option<Uuid>,
    #[schema(schema_with = dates::date_time)]
    created_at: String,
}

/// What moved a wallet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Movement {
    /// Points were added.
    Charge,
    /// Points paid for a reservation.
    Payment,
}

impl From<Wallet> for WalletView {
    fn from(wallet: Wallet) -> Self {
        Self { user_id: wallet.user.to_string(), balance: Points::from(&wallet.balance) }
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let (kind, amount, reservation_id) = match entry.kind {
            EntryKind::Charge => (Movement::Charge, Points::from(&entry.amount), None),
            EntryKind::Payment(paid) => (Movement::Payment, Points::minus(&entry.amount), Some(paid.uuid())),
        };
        Self {
            id: entry.id.uuid(),
            seq: entry.seq,
            kind,
            amount,
            balance_after: Points::from(&entry.balance_after),
            reservation_id,
            created_at: entry.at.to_string(),
        }
    }
}

async fn wallet(bearer: Bearer, _: Query<Nothing>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    json::ok(&WalletView::from(api.app.wallet(bearer.0).await?))
}

async fn charge(
    bearer: Bearer,
    _: Query<Nothing>,
    key: Key,
    body: Json<Charge>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let answer = api.app.charge(bearer.0, body.0.amount, key.0).await?;
    let WalletView { user_id, balance } = answer.value.wallet.into();
    let mut response = HttpResponse::Created();
    idempotency::mark(&mut response, answer.replayed);
    json::json(response, &ChargedView { user_id, balance, entry: answer.value.entry.into() })
}

async fn entries(bearer: Bearer, query: Query<PageQuery<u64>>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let listed = api.app.entries(bearer.0, &query.0.page()?).await?;
    json::ok(&PageView::of(listed, EntryView::from))
}
