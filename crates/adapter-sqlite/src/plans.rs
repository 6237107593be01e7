//! Every statement finds its rows by an index, and the hot ones by the index that was made for them (trap P7).
//!
//! `statements!` makes this test beside the statements that it defines, so that none of them is left out.

use diesel::prelude::*;
use diesel::sql_types::Text;

/// What is said of a statement's plan where the statement is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It walks: the schema, a table of one row a queue or a server, the key's only row, a list in the order in which it
    /// is wanted, or an index that has nobody else in it.
    Walks,
    /// It never goes from an index to its table: it is asked for every moment, or counts many.
    IndexAlone,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Asks for the plan of each statement of a module (its name, its SQL, what is said of it), and compares.
pub(crate) fn check(module: &str, statements: &[(&str, &str, &[Plan])]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    crate::migrate(&path).unwrap();
    let mut connection = crate::connections::session::writer(&path).unwrap();
    for (name, sql, said) in statements {
        let plan = plan(&mut connection, sql);
        // "(queue=?)" alone is all there is of a sale.
        let walks = ["SCAN", "TEMP B-TREE", "(queue=?)"].iter().any(|sign| plan.contains(sign));
        assert_eq!(walks, said.contains(&Plan::Walks), "{module}::{name} walks: {plan}");
        let alone = plan.contains("USING COVERING INDEX");
        assert!(alone || !said.contains(&Plan::IndexAlone), "{module}::{name} goes to its table: {plan}");
    }
}

fn plan(connection: &mut SqliteConnection, sql: &str) -> String {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(connection).unwrap();
    steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join(" / ")
}
