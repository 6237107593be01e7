//! Which page of a list is asked for: `limit` and `cursor`.

use domain::{Page, Wrong};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::answer::page::Cursor;
use crate::answer::problem::Problem;
use crate::openapi::parameter::Parameter;
use crate::request::query::{FromQuery, Parameters};

/// How many items a page has when the caller does not say.
const USUAL_LIMIT: u32 = 50;

const LIMIT: Wrong = Wrong::Number { least: 1, most: 100 };

/// Which page is asked for.
pub(crate) struct PageQuery<K> {
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<K>,
}

impl<K> PageQuery<K> {
    /// The page.
    pub(crate) fn page(self) -> Result<Page<K>, Problem> {
        Page::new(self.limit.unwrap_or(USUAL_LIMIT), self.after).ok_or_else(|| Problem::invalid_value("limit", LIMIT))
    }
}

/// Whether this is the page that a caller gets who sends neither `limit` nor `cursor`.
pub(crate) fn is_usual<K>(page: &Page<K>) -> bool {
    page.limit == USUAL_LIMIT && page.after.is_none()
}

impl<K: Cursor> FromQuery for PageQuery<K> {
    fn described() -> Vec<Parameter> {
        vec![
            Parameter {
                name: "limit",
                says: "How many items at most; 50 when it is left out.",
                schema: || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(100)).into(),
            },
            Parameter {
                name: "cursor",
                says: "The `next_cursor` of the page before.",
                schema: || {
                    let pattern = format!("^[0-9a-f]{{{}}}$", K::DIGITS);
                    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
                },
            },
        ]
    }

    fn read(parameters: &mut Parameters) -> Self {
        let limit = parameters
            .take("limit", LIMIT, |text| text.parse().ok().filter(|limit| (1..=Page::<K>::MAX_LIMIT).contains(limit)));
        let after = parameters.take("cursor", Wrong::Cursor, K::parse);
        Self { limit, after }
    }
}
