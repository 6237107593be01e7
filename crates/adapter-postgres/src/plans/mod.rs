//! The plan of every statement that is really sent: no plan walks a large table (trap P7), and each names one queue as a
//! constant wherever it reads or writes a table of a sale (ADR 7).
//!
//! The server is asked for the plans at a million seats and a million tokens. It is also asked with statistics that are missing,
//! or of a sale that has not begun or is over, because a plan may be made then and kept.

mod crowd;
mod sale;
mod sources;
mod typed;

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

use crowd::Statistics;

/// The tables that belong to a sale and lead with its queue.
const OF_A_SALE: [&str; 11] = [
    "policies",
    "messages",
    "queues",
    "tokens",
    "sightings",
    "concerts",
    "schedules",
    "reservations",
    "reservation_seats",
    "seats",
    "payments",
];

/// The tables that a crowd fills.
const LARGE: [&str; 8] =
    ["tokens", "sightings", "reservations", "reservation_seats", "seats", "payments", "wallets", "entries"];

/// The statements that speak of all queues at once, and why they may.
const OF_ALL_QUEUES: [(&str, &str); 12] = [
    ("FindChanges", "what changed, of all queues; their rows are few"),
    ("FindActive", "who is ACTIVE, of all queues, by an index of those"),
    ("InsertSightings", "whom a server saw, of all queues"),
    ("RemoveSightings", "what was seen long ago, of all queues"),
    ("lock_queues", "new epochs, for all queues, by an operator while no server runs"),
    ("RenewQueues", "the same"),
    ("ExpelTokens", "the same"),
    ("FindDueQueues", "what is due, of all queues; their rows are few"),
    ("FindDue", "what is due, of all queues, by an index on deadlines"),
    ("ListConcerts", "a list across sales"),
    ("find_concert", "tells another queue's concert from nobody's"),
    ("find_anywhere", "tells another queue's schedule from nobody's"),
];

/// What each refresh of a server asks for, by the index that has only what changed, whatever the statistics say.
const CHANGES: (&str, &str) = ("FindChanges", "Index Only Scan tokens by tokens_left");

/// The statements that are about all tokens of a queue in an index, which has nobody else.
const COUNTS: [(&str, &str); 3] =
    [("CountActive", "tokens_active"), ("FindReport", "tokens_left"), ("FindReport", "tokens_expelled")];

/// What counts many tokens, and of which indexes alone, whatever the statistics say.
const REPORT: (&str, [&str; 6]) =
    ("FindReport", ["tokens_active", "tokens_ended", "tokens_ended", "tokens_left", "tokens_ended", "tokens_expelled"]);

/// What ends all live tokens of all queues: where most of the tokens live, walking all is a good plan.
const ENDS_ALL: &str = "ExpelTokens";

#[derive(Debug, QueryableByName)]
struct Prepared {
    #[diesel(sql_type = Text)]
    statement: String,
    /// Its parameters' types, with commas; none to have them told from the text.
    #[diesel(sql_type = Text)]
    types: String,
}

#[derive(QueryableByName)]
struct Explained {
    // JSON is sent as its text.
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_walks_a_table_and_each_names_one_queue_p7() {
    let sent = sale::play().await;
    let known = known();
    let name = |prepared: &Prepared| known.get(&sources::shape(&prepared.statement)).cloned();
    let unknown: Vec<_> = sent.iter().filter(|prepared| name(prepared).is_none()).collect();
    assert!(unknown.is_empty(), "statements that are sent and stand in no list: {unknown:#?}");
    let missing: BTreeSet<_> = known.values().cloned().collect();
    let missing: Vec<_> = missing.difference(&sent.iter().filter_map(name).collect()).cloned().collect();
    assert!(missing.is_empty(), "statements that the sale did not send, or that are not kept prepared: {missing:?}");

    let mut asked: BTreeMap<_, _> =
        sent.into_iter().filter_map(|sent| Some(((name(&sent)?, sources::shape(&sent.statement)), sent))).collect();
    for (name, statements) in typed::statements() {
        for statement in statements {
            let place = (name.to_owned(), sources::shape(&statement));
            asked.entry(place).or_insert(Prepared { statement, types: String::new() });
        }
    }
    for statistics in [Statistics::None, Statistics::Handful, Statistics::SoldOut, Statistics::Million] {
        let mut connection = crowd::session(statistics).await;
        let mut plans = BTreeMap::new();
        for ((name, _), prepared) in &asked {
            if let Some(nodes) = explain(&mut connection, prepared).await {
                check(name, &prepared.statement, &nodes, statistics);
                plans.insert(name, nodes);
            }
        }
        if matches!(statistics, Statistics::Million | Statistics::SoldOut) {
            insta::assert_snapshot!(format!("{statistics:?}"), of_large_tables(&plans));
        }
    }
}

/// The names of all statements there are, by their shape.
fn known() -> BTreeMap<String, String> {
    let typed = typed::statements();
    let listed = typed.keys().copied().chain(typed::PARTS).map(str::to_owned).collect();
    assert_eq!(sources::typed(&typed::PARTS), listed, "the functions that make typed statements, and their list");
    let mut known = sources::statements();
    for (name, statements) in typed {
        known.extend(statements.iter().map(|statement| (sources::shape(statement), name.to_owned())));
    }
    known
}

fn check(name: &str, sql: &str, nodes: &[Node], statistics: Statistics) {
    let of_all = OF_ALL_QUEUES.iter().any(|(exempt, _)| *exempt == name);
    for node in nodes.iter().filter(|node| OF_A_SALE.contains(&node.table.as_str()) && !of_all) {
        assert!(node.is_of_one_queue(sql), "{name} speaks of all queues: {}", node.line());
    }
    if name == REPORT.0 {
        let alone: Vec<_> =
            nodes.iter().filter(|node| node.kind == "Index Only Scan" && node.table == "tokens").collect();
        assert_eq!(alone.iter().map(|node| &node.index).collect::<Vec<_>>(), REPORT.1, "{statistics:?}");
    }
    for node in nodes.iter().filter(|node| LARGE.contains(&node.table.as_str())) {
        // Where a queue has a handful of rows, reading all of them is a good plan; it is kept for a minute at most.
        let may_read_a_queue = COUNTS.contains(&(name, &node.index)) || matches!(statistics, Statistics::Handful);
        let walks = node.condition.is_empty() || node.condition == "(queue = $)" && !may_read_a_queue;
        assert!(name != CHANGES.0 || node.line().starts_with(CHANGES.1), "{}", node.line());
        assert!(node.changes() || name == ENDS_ALL || !walks, "{name} walks {}: {}", node.table, node.line());
    }
}

fn of_large_tables(plans: &BTreeMap<&String, Vec<Node>>) -> String {
    let mut shown = String::new();
    for (name, nodes) in plans {
        let large: Vec<_> = nodes.iter().filter(|node| LARGE.contains(&node.table.as_str())).collect();
        if !large.is_empty() {
            shown.extend([name, "\n"]);
            shown.extend(large.iter().map(|node| format!("  {}\n", node.line())));
        }
    }
    shown
}

/// What a plan does to one table.
struct Node {
    kind: String,
    table: String,
    index: String,
    condition: String,
    /// What is asked of the rows that the index finds.
    filter: String,
}

impl Node {
    fn changes(&self) -> bool {
        matches!(self.kind.as_str(), "Insert" | "Update" | "Delete")
    }

    /// Whether it names one queue as a constant. What an update changes, a node below it has found.
    fn is_of_one_queue(&self, sql: &str) -> bool {
        match self.kind.as_str() {
            "Insert" => inserts_into_one_queue(sql),
            "Update" | "Delete" => true,
            _ => self.condition.contains("(queue = $)") || self.filter.contains("(queue = $)"),
        }
    }

    fn line(&self) -> String {
        let by = if self.index.is_empty() { String::new() } else { format!(" by {}", self.index) };
        format!("{} {}{by} {}", self.kind, self.table, self.condition).trim_end().to_owned()
    }
}

/// Whether the first column is the queue, and its value a parameter.
fn inserts_into_one_queue(sql: &str) -> bool {
    let sql = sources::shape(sql);
    sql.contains("(queue, ") && (sql.contains(" SELECT $, ") || sql.contains(" VALUES ($, "))
}

/// What the plan of a statement reads and writes, in the plan's order; nothing of what has no plan.
async fn explain(connection: &mut AsyncPgConnection, prepared: &Prepared) -> Option<Vec<Node>> {
    let verb = prepared.statement.split_whitespace().next()?;
    if !["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&verb) {
        return None;
    }
    let numbers = prepared.statement.split('$').skip(1);
    let numbers = numbers.filter_map(|after| after.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok());
    let many: usize = numbers.max().unwrap_or(0);
    let types = if prepared.types.is_empty() { String::new() } else { format!("({})", prepared.types) };
    let nulls = if many == 0 { String::new() } else { format!("({})", vec!["NULL"; many].join(", ")) };
    let prepare = format!("PREPARE asked {types} AS {}", prepared.statement);
    connection.batch_execute(&prepare).await.unwrap();
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE asked {nulls}");
    let explained = diesel::sql_query(explain).get_result::<Explained>(connection).await.unwrap();
    connection.batch_execute("DEALLOCATE asked").await.unwrap();
    let mut nodes = Vec::new();
    let plan: Value = serde_json::from_str(&explained.plan).unwrap();
    collect(&plan[0]["Plan"], &mut nodes);
    Some(nodes)
}

fn collect(plan: &Value, nodes: &mut Vec<Node>) {
    let text = |key: &str| plan[key].as_str().unwrap_or_default().to_owned();
    let kind = if plan["Node Type"] == "ModifyTable" { text("Operation") } else { text("Node Type") };
    if plan["Relation Name"].is_string() {
        let below = &plan["Plans"][0];
        let (index, condition) = if kind == "Bitmap Heap Scan" {
            (below["Index Name"].as_str().unwrap_or_default().to_owned(), text("Recheck Cond"))
        } else {
            (text("Index Name"), text("Index Cond"))
        };
        let filter = sources::shape(&text("Filter"));
        nodes.push(Node { kind, table: text("Relation Name"), index, condition: sources::shape(&condition), filter });
    }
    for below in plan["Plans"].as_array().into_iter().flatten() {
        collect(below, nodes);
    }
}
