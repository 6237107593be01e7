//! A concert, as everybody is shown it.

use domain::concert::Concert;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::dates;

/// A concert.
#[derive(Serialize, ToSchema)]
#[schema(as = Concert)]
pub(crate) struct ConcertView {
    id: Uuid,
    title: String,
    /// The line to stand in for it.
    queue: String,
    /// The first date that is still for sale.
    #[schema(schema_with = dates::date)]
    first_date: String,
    /// The last date that is still for sale.
    #[schema(schema_with = dates::date)]
    last_date: String,
}

impl From<Concert> for ConcertView {
    fn from(concert: Concert) -> Self {
        Self {
            id: concert.id.uuid(),
            title: concert.title.to_string(),
            queue: concert.queue.to_string(),
            first_date: concert.dates.start().to_string(),
            last_date: concert.dates.end().to_string(),
        }
    }
}
