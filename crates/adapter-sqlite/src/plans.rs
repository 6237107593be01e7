//! Every statement finds its rows by an index, and the hot ones by the index that was made for them (trap P7).

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::*;

/// All statements of the crate, by module.
const ALL: &[(&str, &[(&str, &str)])] = &[
    ("lib", STATEMENTS),
    ("open", open::STATEMENTS),
    ("reads", reads::STATEMENTS),
    ("transaction", transaction::STATEMENTS),
    ("writer", writer::STATEMENTS),
    ("concerts", concerts::STATEMENTS),
    ("keys", keys::STATEMENTS),
    ("payments", payments::STATEMENTS),
    ("presence", presence::STATEMENTS),
    ("queue_rows", queue_rows::STATEMENTS),
    ("reports", reports::STATEMENTS),
    ("reservation_rows", reservation_rows::STATEMENTS),
    ("schedules", schedules::STATEMENTS),
    ("seats", seats::STATEMENTS),
    ("tokens", tokens::STATEMENTS),
    ("wallet_rows", wallet_rows::STATEMENTS),
];

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan(connection: &mut SqliteConnection, sql: &str) -> String {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(connection).unwrap();
    steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join(" / ")
}

fn migrated() -> (tempfile::TempDir, SqliteConnection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    migrate(&path).unwrap();
    let connection = connection::writer(&path).unwrap();
    (directory, connection)
}

#[test]
fn no_statement_walks_a_table_p7() {
    let (_directory, mut connection) = migrated();
    // The schema, tables of one row a queue or a server, the key's only row, lists that are taken in the order they are
    // walked in, and counts by an index that has nobody else in it.
    let may_walk = [
        "keys::Ping",
        "presence::Servers",
        "presence::Prune",
        "queue_rows::Versions",
        "queue_rows::Due",
        "queue_rows::Newest",
        "concerts::First",
        "tokens::CountActive",
        "reports::Active",
        "reports::Ended",
        "reports::Left",
        "reports::Expelled",
        "open::Tables",
        "open::Migrated",
    ];
    for (module, statements) in ALL {
        for (name, sql) in *statements {
            let (name, plan) = (format!("{module}::{name}"), plan(&mut connection, sql));
            // "(queue=?)" alone is all there is of a sale.
            let walks = ["SCAN", "TEMP B-TREE", "(queue=?)"].iter().any(|sign| plan.contains(sign));
            assert!(!walks || may_walk.contains(&&*name), "{name}: {plan}");
        }
    }
}

/// What is asked for every moment, or counts many, never goes from an index to its table.
#[test]
fn counts_and_changes_are_answered_by_an_index_alone_p7() {
    let (_directory, mut connection) = migrated();
    let alone = ["tokens::CountActive", "tokens::CountLive", "tokens::Left"];
    let (mut found, statements) = (0, ALL.iter().flat_map(|(module, all)| all.iter().map(move |one| (module, one))));
    for (module, (name, sql)) in statements {
        let counts = *module == "reports" && *name != "Waits";
        if counts || alone.contains(&&*format!("{module}::{name}")) {
            let plan = plan(&mut connection, sql);
            assert!(plan.contains("USING COVERING INDEX"), "{module}::{name}: {plan}");
            found += 1;
        }
    }
    assert_eq!(found, 7);
}
