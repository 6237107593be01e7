//! A healthy database is found clean; one that is broken in any way has exactly that found.

mod files;
mod servers;

use super::*;

/// A healthy sale in a database of some kind.
trait Sale {
    /// What an audit says of it after these statements, which no constraint stops. The next call finds it healthy again.
    fn told_after(&mut self, change: &str, format: Format) -> String;

    /// The violations that are found after these statements, a line each.
    fn violations_after(&mut self, change: &str) -> Vec<String> {
        violations(&self.told_after(change, Format::Lines))
    }
}

/// All migrations of a dialect, one after the other.
fn migrations(dialect: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(dialect);
    let mut folders: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.into_iter().map(|folder| std::fs::read_to_string(folder.join("up.sql")).unwrap()).collect()
}

/// What an audit writes.
fn told(format: Format, audit: impl FnOnce(&mut Report<'_>) -> Result<(), AuditError>) -> Result<String, AuditError> {
    let mut out = Vec::new();
    audit(&mut Report::new(format, &mut out, None))?;
    Ok(String::from_utf8(out).unwrap())
}

/// All but the last line of a report, which must say that they are so many.
fn violations(report: &str) -> Vec<String> {
    let mut lines: Vec<String> = report.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    assert!(last.starts_with(&format!("{} violations of ", lines.len())), "{report}");
    lines
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
    a_report_may_be_of_json,
    what_there_is_too_much_of_is_counted,
    each_corruption_is_found_and_nothing_else,
    what_is_allowed_is_no_violation,
    turns_that_end_as_they_may_are_no_violation,
);

fn a_healthy_database_is_clean(sale: &mut dyn Sale) {
    assert_eq!(
        sale.told_after("", Format::Lines),
        "0 violations of 77 checks over 3 queue_registry, 3 queues, 6 policies, 17 tokens, 1 servers, 0 sightings, \
         0 loadings, 1 concerts, 2 schedules, 7 seats, 5 reservations, 7 reservation_seats, 2 payments, 3 wallets, 6 entries\n"
    );
}

fn an_empty_database_is_clean(sale: &mut dyn Sale) {
    let deletions: Vec<_> = TABLES.iter().map(|table| format!("DELETE FROM {table};")).collect();
    let report = sale.told_after(&deletions.concat(), Format::Lines);
    let none: Vec<_> = TABLES.iter().map(|table| format!("0 {table}")).collect();
    assert_eq!(report, format!("0 violations of 77 checks over {}\n", none.join(", ")));
}

/// A user id that no server accepts: what a database holds must not pass for lines of the report.
const ODD: &str = r#"UPDATE wallets SET user_id = 'a
"b' WHERE user_id = 'dan'; UPDATE reservations SET amount = 7 WHERE user_id = 'eve'"#;

fn a_report_has_a_line_for_each_violation(sale: &mut dyn Sale) {
    assert_eq!(
        sale.violations_after(ODD),
        [
            "a reservation's amount is not the sum of its seats' prices (R9): queue 1, \
             reservation 00000000-0000-0000-0000-00000000000c, amount 7, prices 1000",
            r#"a balance is not the sum of its entries (R12): user "a\n\"b", balance 1000, entries 0"#,
            r#"a wallet's last number is not its last entry's (R12): user "a\n\"b", last_seq 2, last_entry 0"#,
            r#"an entry is of no wallet (R12): user "dan", seq 1"#,
            r#"an entry is of no wallet (R12): user "dan", seq 2"#,
        ]
    );
}

fn a_report_may_be_of_json(sale: &mut dyn Sale) {
    let report =
        sale.told_after(&format!("{ODD}; UPDATE seats SET reservation_id = NULL WHERE number = 2"), Format::Json);
    let objects: Vec<serde_json::Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 7, "{report}");
    let reservation = "00000000-0000-0000-0000-00000000000a";
    assert_eq!(
        objects[0],
        serde_json::json!({
            "finding": "a seat of a CONFIRMED reservation is not sold to it (R14)",
            "place": {"queue": 1, "reservation": reservation, "seat": 2, "sold_to": null, "held_until": null},
        })
    );
    assert_eq!(objects[2]["place"], serde_json::json!({"user": "a\n\"b", "balance": 1000, "entries": 0}));
    let totals = &objects[6];
    assert_eq!((&totals["violations"], &totals["checks"]), (&6.into(), &77.into()));
    assert_eq!((&totals["rows"]["tokens"], &totals["rows"]["entries"]), (&17.into(), &6.into()));
}

fn what_there_is_too_much_of_is_counted(sale: &mut dyn Sale) {
    let wallets = |more: u64| {
        format!(
            "UPDATE reservations SET amount = 7 WHERE user_id = 'eve'; INSERT INTO wallets (user_id, balance, last_seq)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
             SELECT 'user ' || i, 5, 0 FROM n",
            report::LISTED + more
        )
    };
    assert_eq!(sale.violations_after(&wallets(0)).len(), 1_001);
    let report = sale.told_after(&wallets(2), Format::Lines);
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 1_003);
    assert_eq!(lines[1_001], "a balance is not the sum of its entries (R12): 2 more of these, which are not listed");
    assert!(lines[1_002].starts_with("1003 violations of "), "{}", lines[1_002]);
    let report = sale.told_after(&wallets(2), Format::Json);
    let line = report.lines().nth(1_001).unwrap();
    assert_eq!(line, r#"{"finding":"a balance is not the sum of its entries (R12)","unlisted":2}"#);
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

/// Statements with whole ids instead of their last bytes.
fn with_ids(statements: &str) -> String {
    statements.replace("X'", &format!("X'{}", ZEROS.replace('-', "")))
}

fn each_corruption_is_found_and_nothing_else(sale: &mut dyn Sale) {
    let mut wrong = Vec::new();
    for (corruption, lines) in corruptions() {
        assert_ne!(lines, [""; 0], "{corruption}");
        let found = sale.violations_after(&with_ids(&corruption));
        let found: Vec<_> = found.into_iter().map(|line| line.replace(ZEROS, "")).collect();
        if found != lines {
            let (expected, found) = (lines.join("\n"), found.join("\n"));
            wrong.push(format!("\n{corruption}\nexpected:\n{expected}\nfound:\n{found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn every_check_is_seen_to_find_what_it_is_for() {
    let found: Vec<_> = corruptions().flat_map(|(_, lines)| lines).collect();
    for check in TOPICS.iter().flat_map(|(_, checks)| *checks) {
        let seen = found.iter().any(|line| line.starts_with(&format!("{}: ", check.finding)));
        assert!(seen, "no corruption shows: {}", check.finding);
    }
}

/// To 1 at the moment when eve was admitted as the second, and up again before fay was.
const LOWERED_AT_599_5: &str = "UPDATE policies SET max_active = 2, paused = 0 WHERE seq = 3;
    UPDATE policies SET since = 599500000, max_active = 1 WHERE seq = 4;
    INSERT INTO policies VALUES (1, 5, 600000000, 2, 1, 10, 0, NULL);
    UPDATE queues SET policy_seq = 5 WHERE queue = 1";

/// To 0 while bob and dan are ACTIVE; bob's end comes before it is raised again.
const NOBODY_MORE_UNTIL_599_2: &str = "UPDATE policies SET max_active = 0 WHERE seq = 4;
    INSERT INTO policies VALUES (1, 5, 599200000, 2, 1, 10, 0, NULL);
    UPDATE queues SET policy_seq = 5 WHERE queue = 1";

/// At that very moment, so that she may have been the last of the policy before; fay comes in the same window.
const CHANGED_WHEN_EVE_WAS_ADMITTED: &str = "UPDATE policies SET since = 599500000 WHERE seq = 4;
    UPDATE tokens SET ended_at = 604000000 WHERE queue = 1 AND number = 5;
    UPDATE tokens SET activated_at = 605000000 WHERE queue = 1 AND number = 6";

/// The second queue has another opening since the moment in which ann was admitted there, or a microsecond before.
const MOVED_AHEAD_AT_5: &str = "INSERT INTO policies VALUES (2, 2, 5000000, 100, 10, 10, 0, 900000000);
    UPDATE queues SET policy_seq = 2 WHERE queue = 2";
const MOVED_AHEAD_BEFORE_5: &str = "INSERT INTO policies VALUES (2, 2, 4999999, 100, 10, 10, 0, 900000000);
    UPDATE queues SET policy_seq = 2 WHERE queue = 2";

/// eve at 599.5 and fay at 604.9: by windows of 10 s from 304 on in two of them, and from 309 on in one.
const OPENED_AT_304: &str = "UPDATE policies SET opens_at = 304000000 WHERE queue = 1 AND seq = 4;
    UPDATE tokens SET ended_at = 604000000 WHERE queue = 1 AND number = 5;
    UPDATE tokens SET activated_at = 604900000 WHERE queue = 1 AND number = 6";
const OPENED_AT_309: &str = "UPDATE policies SET opens_at = 309000000 WHERE queue = 1 AND seq = 4;
    UPDATE tokens SET ended_at = 604000000 WHERE queue = 1 AND number = 5;
    UPDATE tokens SET activated_at = 604900000 WHERE queue = 1 AND number = 6";

/// Of a seat that dan has held for a microsecond less than a second.
const HELD_IN_THE_SAME_SECOND: &str = "INSERT INTO reservations VALUES
        (1, X'0F', 'dan', X'C1', 1000, 'CANCELLED', 'USER', 600999999, 900000000, NULL, NULL);
    INSERT INTO reservation_seats VALUES (1, X'0F', X'53', 3, 1000)";

/// dan paid for another reservation at the moment at which B was held, and for nothing. So that selection is over.
const PAID_ONE_OF_TWO: &str = "INSERT INTO reservations VALUES
        (1, X'0F', 'dan', X'C2', 0, 'CONFIRMED', NULL, 590000000, 890000000, NULL, NULL);
    INSERT INTO reservation_seats VALUES (1, X'0F', X'57', 1, 0);
    UPDATE seats SET reservation_id = X'0F' WHERE id = X'57';
    INSERT INTO entries VALUES ('dan', 3, X'E7', 'PAYMENT', 0, 1000, X'0F', 600000000, NULL, NULL);
    UPDATE wallets SET last_seq = 3 WHERE user_id = 'dan';
    INSERT INTO payments VALUES (1, X'F1', X'0F', 'dan', 0, 600000000, 3, NULL, NULL);
    UPDATE tokens SET selection_ends_at = 600000000, last_paid = X'0F' WHERE queue = 1 AND number = 4";

/// And then B ran out, was cancelled, or was given up with the place.
const ENDED_PAID: &str =
    "UPDATE tokens SET status = 'EXPIRED', ended_at = 900000000, end_reason = 'PAID', paid_reservation = X'0F'
        WHERE queue = 1 AND number = 4";
const CANCELLED: &str = "UPDATE reservations SET status = 'CANCELLED', cancel_reason = 'USER' WHERE user_id = 'dan' AND status = 'PENDING';
    UPDATE seats SET reservation_id = NULL, held_until = NULL WHERE number = 3;
    UPDATE tokens SET status = 'EXPIRED', deadline = 700000000, ended_at = 700000000, end_reason = 'PAID', paid_reservation = X'0F'
        WHERE queue = 1 AND number = 4";
const LEFT: &str =
    "UPDATE reservations SET status = 'CANCELLED', cancel_reason = 'LEFT' WHERE user_id = 'dan' AND status = 'PENDING';
    UPDATE seats SET reservation_id = NULL, held_until = NULL WHERE number = 3;
    UPDATE tokens SET status = 'EXPIRED', ended_at = 700000000, end_reason = 'LEFT' WHERE queue = 1 AND number = 4";

/// fay paid for two, and ended by the second.
const PAID_BOTH: &str = "INSERT INTO reservations VALUES
        (1, X'0F', 'fay', X'C2', 0, 'CONFIRMED', NULL, 621000000, 921000000, NULL, NULL);
    INSERT INTO reservation_seats VALUES (1, X'0F', X'57', 1, 0);
    UPDATE seats SET reservation_id = X'0F' WHERE id = X'57';
    INSERT INTO entries VALUES ('fay', 3, X'E7', 'PAYMENT', 0, 0, X'0F', 641000000, NULL, NULL);
    UPDATE wallets SET last_seq = 3 WHERE user_id = 'fay';
    INSERT INTO payments VALUES (1, X'F1', X'0F', 'fay', 0, 641000000, 3, NULL, NULL);
    UPDATE tokens SET deadline = 641000000, ended_at = 641000000, paid_reservation = X'0F', last_paid = X'0F'
        WHERE queue = 1 AND number = 6";

/// R5, R14: turns that end as they may, and beside each one that does not.
fn turns_that_end_as_they_may_are_no_violation(sale: &mut dyn Sale) {
    let one_of_two = |then: &str| format!("{PAID_ONE_OF_TWO};\n{then}");
    for (change, allowed) in [
        // A hold in the last microsecond of selection.
        ("UPDATE tokens SET selection_ends_at = 600000001 WHERE queue = 1 AND number = 4".to_owned(), true),
        (one_of_two(""), true),
        (one_of_two("UPDATE reservations SET reserved_at = 600000001 WHERE user_id = 'dan' AND status = 'PENDING'"), false),
        (one_of_two(ENDED_PAID), true),
        (one_of_two(CANCELLED), true),
        (one_of_two(LEFT), true),
        // An older program ended the token by the payment, whatever else was held.
        (
            one_of_two("UPDATE tokens SET status = 'EXPIRED', ended_at = 600000000, end_reason = 'PAID',
                        paid_reservation = X'0F', selection_ends_at = NULL, last_paid = NULL WHERE queue = 1 AND number = 4"),
            true,
        ),
        (PAID_BOTH.to_owned(), true),
        ("UPDATE tokens SET deadline = 605000000 WHERE queue = 3 AND number = 6".to_owned(), false),
        (
            "UPDATE tokens SET deadline = 605000000, selection_ends_at = 605000000 WHERE queue = 3 AND number = 6".to_owned(),
            true,
        ),
    ] {
        let violations = sale.violations_after(&with_ids(&change));
        assert_eq!(violations.is_empty(), allowed, "{change}: {violations:?}");
    }
}

/// Of one who may have two seats, beside two that were bought at 10 s, and whose hold ended within a second of that.
const GONE_WITHIN_A_SECOND: &str = "UPDATE schedules SET max_per_user = 2 WHERE seats_total = 6;
    INSERT INTO reservations VALUES
        (1, X'0F', 'ann', X'C1', 1000, 'CANCELLED', 'EXPIRED', 1000000, 11000000, NULL, NULL);
    INSERT INTO reservation_seats VALUES (1, X'0F', X'54', 4, 1000)";

/// "Overlaps under 1 s are no violation", and what comes near the other bounds.
fn what_is_allowed_is_no_violation(sale: &mut dyn Sale) {
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
        // Windows count from the opening, and at the very moment of a change either opening may have been in force.
        (OPENED_AT_304, true),
        (OPENED_AT_309, false),
        ("UPDATE policies SET opens_at = 200000000 WHERE queue = 1 AND seq = 4", true),
        (MOVED_AHEAD_AT_5, true),
        (MOVED_AHEAD_BEFORE_5, false),
        // ann's second place a second before the first one's end, eve's hold a second before her admission, and after her
        // end.
        ("UPDATE tokens SET issued_at = 49000000 WHERE queue = 1 AND number = 9", true),
        ("UPDATE reservations SET reserved_at = 598500000 WHERE user_id = 'eve'", true),
        ("UPDATE reservations SET reserved_at = 611000000 WHERE user_id = 'eve'", true),
        (HELD_IN_THE_SAME_SECOND, true),
        // As many seats as one may have, in all and at once.
        ("UPDATE schedules SET max_per_user = 2; UPDATE concerts SET max_per_user = 2", true),
        (GONE_WITHIN_A_SECOND, true),
        (&GONE_WITHIN_A_SECOND.replace("11000000", "11000001"), false),
        // At once, and at the last moment.
        ("UPDATE reservations SET reserved_at = 50000000 WHERE user_id = 'ann'", true),
        ("UPDATE reservations SET expires_at = 50000001 WHERE user_id = 'ann'", true),
        ("UPDATE schedules SET starts_at = 620000001 WHERE seats_total = 6", true),
        ("UPDATE queues SET window_granted = 0 WHERE queue = 1", true),
    ] {
        let violations = sale.violations_after(&with_ids(change));
        assert_eq!(violations.is_empty(), allowed, "{change}: {violations:?}");
    }
}
