//! What the rules need besides the database.

use std::sync::Arc;

use domain::ports::{Clock, IdGenerator};
use domain::{Rules, Timestamp};
use time::OffsetDateTime;

/// The clock, the ids and the numbers of the rules.
#[derive(Clone)]
pub(crate) struct Environment {
    /// A test's clock; the database's when there is none.
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) rules: Arc<Rules>,
}

impl Environment {
    /// What a test's clock shows.
    pub(crate) fn fixed_now(&self) -> Option<OffsetDateTime> {
        self.clock.as_ref().map(|clock| clock.now().to_utc())
    }

    /// A test's time, or the database's.
    pub(crate) fn now(&self, database: OffsetDateTime) -> Timestamp {
        self.clock.as_ref().map_or_else(|| Timestamp::from_offset(database), |clock| clock.now())
    }
}
