//! The statements as they stand in the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The name of every `statement!` of this crate, by the shape of its SQL.
pub(super) fn statements() -> BTreeMap<String, String> {
    let mut statements = BTreeMap::new();
    for file in files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = std::fs::read_to_string(&file).unwrap();
        for block in text.split("\nstatement! {\n").skip(1) {
            let block = block.split("\n}").next().unwrap();
            let block: String = block.lines().filter(|line| !line.trim_start().starts_with("///")).collect();
            let name = block.split_whitespace().next().unwrap().to_owned();
            let (_, sql) = block.split_once("->").unwrap().1.split_once('=').unwrap();
            assert!(!statements.values().any(|other| *other == name), "two statements are called {name}");
            statements.insert(shape(&with_marks(sql)), name);
        }
    }
    statements
}

/// What a typed statement begins with.
const ROOTS: [&str; 8] =
    ["::table", "::dsl::", "insert_into(", "update(", "delete(", "select(", "sql_query(", "sql::<"];

/// Have no statement of the store: what opens a database sends its own once, before anything is served, through another
/// connection, and the schema only says what the tables are.
const EXEMPT: [&str; 2] = ["open.rs", "schema.rs"];

/// The names of the functions of this crate that make a typed statement, or a part of one. `parts` are those of the latter:
/// whoever calls one makes a statement too.
///
/// A statement that begins anywhere else than in such a function of a module would escape, so that it is a failure.
pub(super) fn typed(parts: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let exempt = EXEMPT.iter().any(|exempt| file.ends_with(exempt));
        if !exempt && !file.components().any(|folder| folder.as_os_str() == "plans") {
            let text = std::fs::read_to_string(&file).unwrap();
            typed_of(&text, parts, &mut names);
        }
    }
    names
}

fn typed_of(text: &str, parts: &[&str], names: &mut BTreeSet<String>) {
    let text = text.split("\n#[cfg(test)]").next().unwrap();
    let mut function = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//") && !line.starts_with("use ")) {
        let item = line.strip_prefix("pub(crate) ").unwrap_or(line);
        if let Some(signature) = item.strip_prefix("fn ") {
            function = signature.split(['(', '<']).next();
        } else if line == "}" {
            function = None;
        }
        let begins = ROOTS.iter().any(|root| begins(line, root))
            || parts.iter().any(|part| begins(line, &format!("{part}(")) && function != Some(*part));
        if begins {
            let function = function.unwrap_or_else(|| panic!("a typed statement in no function of its own: {line}"));
            names.insert(function.to_owned());
        }
    }
}

/// Whether a line has this as a word of its own, and not as a method.
fn begins(line: &str, root: &str) -> bool {
    let word = |before: &str| !before.ends_with(|letter: char| matches!(letter, '.' | '_') || letter.is_alphanumeric());
    let mut before: Vec<_> = line.split(root).collect();
    before.pop();
    before.into_iter().any(|before| root.starts_with(':') || word(before))
}

/// The sources of a folder and of all folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The pieces of a statement with `$` in place of its values.
fn with_marks(pieces: &str) -> String {
    let mut sql = String::new();
    for (at, piece) in pieces.split('"').enumerate() {
        if at % 2 == 1 {
            sql.push_str(piece);
        } else if !piece.trim().is_empty() {
            sql.push('$');
        }
    }
    sql
}

/// A statement without what differs between where it is written and where it is sent: the numbers of its parameters,
/// quotes of names, and white space.
pub(super) fn shape(sql: &str) -> String {
    // diesel quotes every name.
    let sql = sql.replace('"', "");
    let words: Vec<_> = sql.split_whitespace().collect();
    let mut shape = String::new();
    let mut after_mark = false;
    for letter in words.join(" ").chars() {
        if !(after_mark && letter.is_ascii_digit()) {
            shape.push(letter);
            after_mark = letter == '$';
        }
    }
    shape
}

#[test]
fn the_sources_in_folders_are_read_too() {
    let files = files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    for file in ["src/lib.rs", "src/plans/sources.rs"] {
        assert!(files.iter().any(|path| path.ends_with(file)), "{file} is not read");
    }
}

#[test]
fn a_statement_is_found_by_its_shape() {
    let statements = statements();
    assert_eq!(statements["SELECT queue FROM queues WHERE queue = $ FOR NO KEY UPDATE"], "LockQueue");
    assert_eq!(shape("a = $12\n   AND b = $3x"), "a = $ AND b = $x");
    assert_eq!(with_marks(r#" "a = " queue " b""#), "a = $ b");
}

#[test]
fn a_typed_statement_is_found_wherever_it_begins() {
    let mut names = BTreeSet::new();
    let text = "fn whole() -> _ {\n    seats::table\n}\n\npub(crate) fn of_part() {\n    part(1).limit(1)\n}\n";
    typed_of(text, &["part"], &mut names);
    assert_eq!(names, ["of_part".to_owned(), "whole".to_owned()].into());
}

#[test]
#[should_panic(expected = "in no function of its own")]
fn a_typed_statement_in_the_midst_of_a_method_is_refused() {
    let text = "impl Store {\n    async fn read(&self) {\n        delete(seats::table).execute(conn)\n    }\n}\n";
    typed_of(text, &[], &mut BTreeSet::new());
}
