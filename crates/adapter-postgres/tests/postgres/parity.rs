//! Both dialects' schemas say the same: tables, columns, which may be NULL, primary, unique and foreign keys, indexes.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::cluster;
use crate::scene::lines;

const COLUMNS_OF_SQLITE: &str = "
    SELECT t.name || '.' || c.name || CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END AS line
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
const COLUMNS_OF_POSTGRES: &str = "
    SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'";

/// Unique keys by their columns in order; named indexes with their names. SQLite answers from a partial index alone only if
/// the columns of its predicate are in it too: `activated_at`, which no index is sorted by.
const KEYS_OF_SQLITE: &str = "
    SELECT t.name || CASE i.origin WHEN 'c' THEN ' index ' || i.name WHEN 'pk' THEN ' primary' ELSE ' unique' END
        || CASE i.\"unique\" WHEN 1 THEN ' once ' ELSE ' ' END
        || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name)
            WHERE NOT (i.partial AND name = 'activated_at') ORDER BY seqno)) AS line
    FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table'
    UNION
    SELECT t.name || ' primary once ' ||
        (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk))
    FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
const KEYS_OF_POSTGRES: &str = "
    SELECT t.relname || CASE c.contype WHEN 'p' THEN ' primary' WHEN 'u' THEN ' unique'
        ELSE ' index ' || i.relname END
        || CASE WHEN x.indisunique THEN ' once ' ELSE ' ' END
        || (SELECT string_agg(a.attname, ',' ORDER BY k.n)
            FROM unnest(x.indkey) WITH ORDINALITY k (attnum, n)
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) AS line
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid
    LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u')
    WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> '__diesel_schema_migrations'";

const FOREIGN_KEYS_OF_SQLITE: &str = "
    SELECT line FROM (
        SELECT t.name || ' ' || group_concat(f.\"from\", ',') || ' -> ' || f.\"table\" || ' '
            || group_concat(f.\"to\", ',') AS line
        FROM sqlite_schema t
        JOIN (SELECT s.name AS owner, k.* FROM sqlite_schema s JOIN pragma_foreign_key_list(s.name) k
              WHERE s.type = 'table' ORDER BY s.name, k.id, k.seq) f ON f.owner = t.name
        WHERE t.type = 'table' GROUP BY t.name, f.id)";
const FOREIGN_KEYS_OF_POSTGRES: &str = "
    SELECT t.relname || ' '
        || (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (attnum, n)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum)
        || ' -> ' || f.relname || ' '
        || (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (attnum, n)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum) AS line
    FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_class f ON f.oid = c.confrelid
    WHERE c.contype = 'f'";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn both_dialects_have_the_same_tables_columns_and_keys() {
    let mut sqlite = SqliteConnection::establish(":memory:").unwrap();
    for folder in cluster::migrations("sqlite") {
        sqlite.batch_execute(&std::fs::read_to_string(folder.join("up.sql")).unwrap()).unwrap();
    }
    let mut postgres = cluster::connect(&cluster::migrated().await).await;
    for (of_sqlite, of_postgres, least) in [
        (COLUMNS_OF_SQLITE, COLUMNS_OF_POSTGRES, 80),
        (KEYS_OF_SQLITE, KEYS_OF_POSTGRES, 25),
        (FOREIGN_KEYS_OF_SQLITE, FOREIGN_KEYS_OF_POSTGRES, 10),
    ] {
        let rows: Vec<Line> = diesel::sql_query(of_sqlite).load(&mut sqlite).unwrap();
        let mut expected: Vec<String> = rows.into_iter().map(|row| row.line).collect();
        let mut found = lines(&mut postgres, of_postgres).await;
        expected.sort_unstable();
        found.sort_unstable();
        assert!(expected.len() >= least, "{expected:#?}");
        assert_eq!(found, expected);
    }
}
