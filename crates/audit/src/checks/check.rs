//! What is checked: one promise, one statement.

/// A promise, as the statement that finds what breaks it.
pub(crate) struct Check {
    /// What is wrong where it finds something.
    pub(crate) finding: &'static str,
    /// A query whose rows are the violations, in SQL that every database understands, and `WITH` in front if anywhere.
    /// The names of its columns are read by people.
    pub(crate) sql: &'static str,
}
