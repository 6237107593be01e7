//! `schema.rs` says what the tables are: each column with its type and whether it may be NULL, each primary key, and which
//! tables are joined by one column. It is compared as a whole with what `diesel print-schema` makes of the live tables.

use crate::cluster;
use crate::scene::lines;

const SCHEMA: &str = include_str!("../../src/schema.rs");

/// Tables by name, their keys and columns in their order.
const TABLES: &str = "
    SELECT format(E'diesel::table! {\\n    %s (%s) {\\n%s    }\\n}\\n', t.relname, k.columns, c.columns) AS line
    FROM pg_class t
    CROSS JOIN LATERAL (
        SELECT string_agg(a.attname, ', ' ORDER BY n.n)
        FROM pg_index x
        CROSS JOIN unnest(x.indkey) WITH ORDINALITY n (attnum, n)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = n.attnum
        WHERE x.indrelid = t.oid AND x.indisprimary) k (columns)
    CROSS JOIN LATERAL (
        SELECT string_agg(format(E'        %s -> %s,\\n', column_name,
                                 format(CASE is_nullable WHEN 'YES' THEN 'Nullable<%s>' ELSE '%s' END, initcap(udt_name))),
                          '' ORDER BY ordinal_position)
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = t.relname) c (columns)
    WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.relname <> '__diesel_schema_migrations'
    ORDER BY t.relname COLLATE \"C\"";

/// Foreign keys of one column that name a primary key.
const JOINS: &str = "
    SELECT format('diesel::joinable!(%s -> %s (%s));', t.relname, f.relname, a.attname) AS line
    FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_class f ON f.oid = c.confrelid
    JOIN pg_index x ON x.indexrelid = c.conindid AND x.indisprimary
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 1
    ORDER BY t.relname COLLATE \"C\", f.relname COLLATE \"C\"";

const NAMES: &str = "
    SELECT '    ' || relname || ',' AS line FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '__diesel_schema_migrations'
    ORDER BY relname COLLATE \"C\"";

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_what_the_tables_are() {
    let mut connection = cluster::connect(&cluster::migrated().await).await;
    let mut printed = String::from("// @generated automatically by Diesel CLI.\n\n");
    printed.push_str(&lines(&mut connection, TABLES).await.join("\n"));
    printed.push('\n');
    printed.push_str(&lines(&mut connection, JOINS).await.join("\n"));
    printed.push_str("\n\ndiesel::allow_tables_to_appear_in_same_query!(\n");
    printed.push_str(&lines(&mut connection, NAMES).await.join("\n"));
    printed.push_str("\n);\n");
    let differs = printed.lines().zip(SCHEMA.lines()).find(|(printed, written)| printed != written);
    assert!(printed == SCHEMA, "of the tables and of schema.rs, the first line that differs: {differs:?}\n{printed}");
}
