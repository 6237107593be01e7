//! What commands need besides the database.

use std::sync::Arc;

use domain::Rules;
use domain::ports::{Clock, IdGenerator};

/// Where time and ids come from, and the operator's numbers.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) rules: Arc<Rules>,
}
