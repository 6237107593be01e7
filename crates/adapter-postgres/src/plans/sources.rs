//! The statements as they stand in the sources.

use std::collections::BTreeMap;
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
            let (_, sql) = block.split_once("} ->").unwrap().1.split_once('=').unwrap();
            statements.insert(shape(&with_marks(sql)), name);
        }
    }
    statements
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

/// A statement without what differs between where it is written and where it is sent: the numbers of its parameters, and
/// white space.
pub(super) fn shape(sql: &str) -> String {
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
