//! A person with a place in the line.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Request, Shop};

/// A person with a token.
#[derive(Clone)]
pub struct Visitor {
    shop: Shop,
    /// Who they are.
    pub user: String,
    /// Their token.
    pub token: String,
    /// What joining answered.
    pub joined: Value,
}

impl Visitor {
    /// The person whom joining answered so.
    pub fn new(shop: &Shop, joined: &Value) -> Self {
        let text = |field: &str| joined[field].as_str().unwrap_or_else(|| panic!("{field}: {joined}")).to_owned();
        Self { shop: shop.clone(), user: text("user_id"), token: text("token"), joined: joined.clone() }
    }

    /// The same person with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same person at another server on the same database.
    #[must_use]
    pub fn with_shop(&self, shop: &Shop) -> Self {
        Self { shop: shop.clone(), ..self.clone() }
    }

    /// A request below `/api/v1` with their token.
    pub fn api(&self, method: Method, path: &str) -> Request {
        self.shop.api(method, path).bearer(&self.token)
    }

    /// GET with their token.
    pub fn get(&self, path: &str) -> Request {
        self.api(Method::GET, path)
    }

    /// POST with their token.
    pub fn post(&self, path: &str, body: Value) -> Request {
        self.api(Method::POST, path).json(body)
    }

    /// Where they stand.
    pub async fn place(&self) -> Value {
        self.get("/queue/tokens/me").await.expect(200)
    }

    /// WAITING, ACTIVE or EXPIRED.
    pub async fn status(&self) -> String {
        self.place().await["status"].as_str().expect("a place has a status").to_owned()
    }

    /// Waits until the token is in this state.
    pub async fn becomes(&self, status: &str) {
        let what = format!("{} becomes {status}", self.user);
        crate::until(&what, async || (self.status().await == status).then_some(())).await;
    }

    /// Leaves the line.
    pub fn leave(&self) -> Request {
        self.api(Method::DELETE, "/queue/tokens/me")
    }

    /// Holds seats by their numbers.
    pub fn hold(&self, schedule: &str, seats: &[u32]) -> Request {
        self.post("/reservations", json!({"schedule_id": schedule, "seat_numbers": seats}))
    }

    /// Holds seats by their numbers, which must succeed; the reservation's id.
    pub async fn held(&self, schedule: &str, seats: &[u32]) -> String {
        let reservation = self.hold(schedule, seats).await.expect(201);
        reservation["id"].as_str().expect("a reservation has an id").to_owned()
    }

    /// Gives a reservation back.
    pub fn cancel(&self, reservation: &str) -> Request {
        self.api(Method::DELETE, &format!("/reservations/{reservation}"))
    }

    /// A reservation.
    pub fn reservation(&self, reservation: &str) -> Request {
        self.get(&format!("/reservations/{reservation}"))
    }

    /// Adds points to the wallet.
    pub fn charge(&self, amount: impl Into<Value>) -> Request {
        self.post("/wallet/charges", json!({"amount": amount.into()}))
    }

    /// What the wallet holds.
    pub async fn balance(&self) -> Value {
        self.get("/wallet").await.expect(200)["balance"].clone()
    }

    /// Every entry of the wallet, newest first, page by page.
    pub async fn entries(&self) -> Vec<Value> {
        self.list("/wallet/entries").await
    }

    /// Every item of a list, page by page.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?limit=100{cursor}")).await.expect(200);
            items.append(page["items"].as_array_mut().expect("a list has items"));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Pays a reservation.
    pub fn pay(&self, reservation: &str) -> Request {
        self.post("/payments", json!({"reservation_id": reservation}))
    }

    /// The seats of a schedule.
    pub async fn seats(&self, schedule: &str) -> Vec<Value> {
        let map = self.get(&format!("/schedules/{schedule}/seats")).await.expect(200);
        map["items"].as_array().expect("a seat list has items").clone()
    }

    /// What a seat is, as the seat list says: AVAILABLE, HELD or SOLD.
    pub async fn seat(&self, schedule: &str, number: u32) -> String {
        let seats = self.seats(schedule).await;
        let seat = seats.iter().find(|seat| seat["number"] == number).expect("the seat exists");
        seat["status"].as_str().expect("a seat has a status").to_owned()
    }

    /// Waits until the seat list says that a seat is this.
    pub async fn seat_becomes(&self, schedule: &str, number: u32, status: &str) {
        let what = format!("seat {number} becomes {status}");
        crate::until(&what, async || (self.seat(schedule, number).await == status).then_some(())).await;
    }
}
