//! A healthy database is found clean; one that is broken in any way has exactly that found.

mod files;
mod servers;

use super::*;

/// A healthy sale in a database of some kind.
trait Sale {
    /// What an audit says of it after these statements, which no constraint stops. The next call finds it healthy again.
    fn after(&mut self, change: &str) -> Report;

    /// The violations among that, a line each.
    fn violations_after(&mut self, change: &str) -> Vec<String> {
        self.after(change).violations.iter().map(ToString::to_string).collect()
    }
}

/// The same tests for every kind of database, with the same lines expected.
macro_rules! in_every_database {
    ($($test:ident),* $(,)?) => {
        mod in_a_file {
            $(#[test] fn $test() { super::$test(&mut super::files::Files); })*
        }
        mod on_a_server {
            $(#[test] fn $test() { super::$test(&mut super::servers::Database::healthy()); })*
        }
    };
}

in_every_database!(
    a_healthy_database_is_clean,
    an_empty_database_is_clean,
    a_report_has_a_line_for_each_violation,
    each_corruption_is_found_and_nothing_else,
    what_the_policy_allows_is_no_violation,
);

fn a_healthy_database_is_clean(sale: &mut dyn Sale) {
    let report = sale.after("");
    assert_eq!(report.violations, []);
    let rows: Vec<i64> = report.rows.iter().map(|(_, rows)| *rows).collect();
    assert_eq!(rows, [3, 3, 6, 17, 1, 0, 2, 7, 5, 7, 2, 3, 6]);
    assert_eq!(
        report.to_string(),
        "0 violations of 41 checks over 3 queue_registry, 3 queues, 6 policies, 17 tokens, 1 servers, 0 sightings, \
         2 schedules, 7 seats, 5 reservations, 7 reservation_seats, 2 payments, 3 wallets, 6 entries\n"
    );
}

fn an_empty_database_is_clean(sale: &mut dyn Sale) {
    let deletions: Vec<_> = TABLES.iter().map(|table| format!("DELETE FROM {table};")).collect();
    let report = sale.after(&deletions.concat());
    assert_eq!((report.violations, report.rows), (vec![], TABLES.map(|table| (table, 0)).to_vec()));
}

fn a_report_has_a_line_for_each_violation(sale: &mut dyn Sale) {
    // A user id that no server accepts: what a database holds must not pass for lines of the report.
    let report = sale.after(
        "UPDATE wallets SET user_id = 'a\nb' WHERE user_id = 'dan'; UPDATE reservations SET amount = 7 WHERE user_id = 'eve'",
    );
    let report = report.to_string();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "a reservation's amount is not the sum of its seats' prices (R9): queue 1, \
             reservation 00000000-0000-0000-0000-00000000000c, amount 7, prices 1000",
            r#"a balance is not the sum of its entries (R12): user "a\nb", balance 1000, entries 0"#,
            r#"a wallet's last number is not its last entry's (R12): user "a\nb", last_seq 2, last_entry 0"#,
        ]
    );
    assert!(lines.last().unwrap().starts_with("5 violations of 41 checks over 3 queue_registry, "), "{report}");
}

/// Statements that break something, and the lines of the report that say so.
fn corruptions() -> impl Iterator<Item = (String, Vec<&'static str>)> {
    let paragraphs = include_str!("corruptions.sql").split("\n\n").skip(1);
    paragraphs.map(|paragraph| {
        let (found, statements): (Vec<_>, Vec<_>) = paragraph.lines().partition(|line| line.starts_with("--> "));
        (statements.join("\n"), found.iter().map(|line| line.trim_start_matches("--> ")).collect())
    })
}

/// All but the last byte of the ids in these tests.
const ZEROS: &str = "00000000-0000-0000-0000-0000000000";

fn each_corruption_is_found_and_nothing_else(sale: &mut dyn Sale) {
    for (corruption, lines) in corruptions() {
        assert_ne!(lines, [""; 0], "{corruption}");
        let found = sale.violations_after(&corruption.replace("X'", &format!("X'{}", ZEROS.replace('-', ""))));
        let found: Vec<_> = found.into_iter().map(|line| line.replace(ZEROS, "")).collect();
        assert_eq!(found, lines, "{corruption}");
    }
}

#[test]
fn every_check_is_seen_to_find_what_it_is_for() {
    let found: Vec<_> = corruptions().flat_map(|(_, lines)| lines).collect();
    for check in checks() {
        let seen = found.iter().any(|line| line.starts_with(&format!("{}: ", check.finding)));
        assert!(seen, "no corruption shows: {}", check.finding);
    }
}

/// To 1 at the moment when eve was admitted as the second, and up again before fay was.
const LOWERED_AT_599_5: &str = "UPDATE policies SET max_active = 2, paused = 0 WHERE seq = 3;
    UPDATE policies SET since = 599500000, max_active = 1 WHERE seq = 4;
    INSERT INTO policies VALUES (1, 5, 600000000, 2, 1, 10, 0)";

/// To 0 while bob and dan are ACTIVE; bob's end comes before it is raised again.
const NOBODY_MORE_UNTIL_599_2: &str = "UPDATE policies SET max_active = 0 WHERE seq = 4;
    INSERT INTO policies VALUES (1, 5, 599200000, 2, 1, 10, 0)";

/// At that very moment, so that she may have been the last of the policy before; fay comes in the same window.
const CHANGED_WHEN_EVE_WAS_ADMITTED: &str = "UPDATE policies SET since = 599500000 WHERE seq = 4;
    UPDATE tokens SET ended_at = 604000000 WHERE queue = 1 AND number = 5;
    UPDATE tokens SET activated_at = 605000000 WHERE queue = 1 AND number = 6";

/// "Overlaps under 1 s are no violation", and what comes near the other bounds of the policy.
fn what_the_policy_allows_is_no_violation(sale: &mut dyn Sale) {
    for (change, allowed) in [
        // eve beside bob, whose ACTIVE is over at 600, and dan: a second, and a microsecond less.
        ("UPDATE tokens SET activated_at = 599000000 WHERE queue = 1 AND number = 5", false),
        ("UPDATE tokens SET activated_at = 599000001 WHERE queue = 1 AND number = 5", true),
        // fay as soon as eve left, and a second earlier.
        ("UPDATE tokens SET activated_at = 609000001 WHERE queue = 1 AND number = 6", true),
        ("UPDATE tokens SET activated_at = 609000000 WHERE queue = 1 AND number = 6", false),
        // At the very moment of a change either policy may have been in force.
        (LOWERED_AT_599_5, true),
        ("UPDATE policies SET since = 599499999, max_active = 1 WHERE seq = 4", false),
        ("UPDATE policies SET since = 599500000 WHERE seq = 4", true),
        (
            "UPDATE policies SET since = 599500001 WHERE seq = 4; UPDATE policies SET max_active = 2 WHERE seq = 3",
            false,
        ),
        ("UPDATE policies SET since = 50000000 WHERE seq IN (2, 3)", true),
        // Nobody is thrown out, and ends above the limit are no admissions.
        (NOBODY_MORE_UNTIL_599_2, true),
        // The first microsecond of a window and the last of the one before; and a window that began with a change.
        (
            "UPDATE policies SET max_active = 3; UPDATE tokens SET activated_at = 600000000 WHERE queue = 1 AND number = 6",
            true,
        ),
        (
            "UPDATE policies SET max_active = 3; UPDATE tokens SET activated_at = 599999999 WHERE queue = 1 AND number = 6",
            false,
        ),
        (CHANGED_WHEN_EVE_WAS_ADMITTED, true),
    ] {
        let violations = sale.violations_after(change);
        assert_eq!(violations.is_empty(), allowed, "{change}: {violations:?}");
    }
}
