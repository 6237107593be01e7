//! The documents of this repository name what exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust sources of the workspace, as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

/// `docs/testing.md` has a row for every trap with what it breaks, and every test that it names is there.
#[test]
fn every_trap_is_mapped_to_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/testing.md")).unwrap();
    let sources = sources(&root().join("crates")) + &sources(&root().join("tests"));
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| **")).collect();
    let traps: BTreeSet<String> =
        rows.iter().map(|row| row.split("**").nth(1).unwrap().split(' ').next().unwrap().to_owned()).collect();
    let all = [("Q", 17), ("S", 13), ("W", 15), ("P", 7)];
    let all: BTreeSet<String> =
        all.iter().flat_map(|(kind, last)| (1..=*last).map(move |n| format!("{kind}{n}"))).collect();
    assert_eq!(traps, all);
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert!(cells.len() == 3 && !cells[1].trim().is_empty(), "what does it break?\n{row}");
        // A test is named as `crate`: `module::name`, or as one of several names behind the same crate.
        let names =
            row.split('`').skip(1).step_by(2).filter(|name| name.contains('_') && !name.contains([' ', '/', '-']));
        for name in names {
            let function = name.rsplit("::").next().unwrap();
            assert!(sources.contains(&format!("fn {function}(")), "there is no test {name}:\n{row}");
        }
    }
}
