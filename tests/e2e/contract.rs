//! `docs/contract.md` has every rule that is cited, and what it names is there.
//!
//! That its table of errors is the code's is proved in `adapter-http`; that the service keeps to it, in `codes`.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::PathBuf;

use crate::docs::root;

/// The number of the last rule.
const LAST_RULE: u32 = 23;

fn page() -> String {
    read_to_string(root().join("docs/contract.md")).unwrap()
}

/// Every text of the repository, with its path; what a build leaves is none of them.
fn texts() -> Vec<(PathBuf, String)> {
    let (mut folders, mut texts) = (vec![root()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_ours = !path.ends_with("target") && !path.ends_with(".git");
            if path.is_dir() && is_ours {
                folders.push(path);
            } else if is_ours && let Ok(text) = read_to_string(&path) {
                texts.push((path, text));
            }
        }
    }
    texts
}

/// The numbers that stand right behind `mark` and end a word, or a part of a name.
fn numbers_behind(text: &str, mark: &str) -> BTreeSet<u32> {
    let number = |(at, _): (usize, &str)| {
        let (before, behind) = text.split_at(at);
        let behind = behind.strip_prefix(mark)?;
        let digits = behind.chars().take_while(char::is_ascii_digit).count();
        let (number, rest) = behind.split_at(digits);
        let in_a_word = before.ends_with(char::is_alphanumeric) && mark.starts_with(char::is_alphanumeric);
        let goes_on = rest.starts_with(char::is_alphanumeric);
        number.parse().ok().filter(|_| !in_a_word && !goes_on)
    };
    text.match_indices(mark).filter_map(number).collect()
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The sections of the rules, from the number on.
fn rules(page: &str) -> Vec<&str> {
    page.split("\n### R").skip(1).map(|rule| rule.split("\n## ").next().unwrap()).collect()
}

/// The paragraph of `section` that begins with `first`, if there is one.
fn paragraph<'a>(section: &'a str, first: &str) -> Option<&'a str> {
    section.split("\n\n").find(|paragraph| paragraph.starts_with(first))
}

/// The cells of the rows under a heading of the page.
fn table<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let rows = section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// An error of the contract.
pub(crate) struct Error {
    pub(crate) code: String,
    pub(crate) status: u16,
    /// What its document may have besides what all have.
    pub(crate) carries: BTreeSet<String>,
    /// Whether it has that always, and not only of some things.
    pub(crate) carries_always: bool,
}

/// Every error of the contract.
pub(crate) fn errors() -> Vec<Error> {
    let page = page();
    let rows = table(&page, "Errors");
    let error = |row: &Vec<&str>| Error {
        code: row[1].trim_matches('`').to_owned(),
        status: row[0].parse().unwrap(),
        carries: quoted(row[2]).map(str::to_owned).collect(),
        carries_always: !row[2].starts_with("of "),
    };
    rows.iter().skip(1).map(error).collect()
}

#[test]
fn every_rule_and_decision_that_is_cited_is_written_out() {
    let written: Vec<u32> =
        rules(&page()).iter().map(|rule| rule.split('.').next().unwrap().parse().unwrap()).collect();
    assert_eq!(written, (1..=LAST_RULE).collect::<Vec<_>>());
    let written = BTreeSet::from_iter(written);
    let decisions: BTreeSet<u32> = std::fs::read_dir(root().join("docs/adr"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().split('-').next().unwrap().parse().unwrap())
        .collect();
    for (path, text) in texts() {
        for mark in ["R", "_r"] {
            let cited = numbers_behind(&text, mark);
            assert!(cited.is_subset(&written), "{} cites rules that are not there: {cited:?}", path.display());
        }
        let cited = numbers_behind(&text, "ADR ");
        assert!(cited.is_subset(&decisions), "{} cites decisions that are not there: {cited:?}", path.display());
    }
}

#[test]
fn no_text_is_cited_that_is_not_in_the_repository() {
    let mut wrong = Vec::new();
    for (path, text) in texts() {
        for line in text.lines() {
            let said = line.to_lowercase();
            let mut behind = said.split("design").skip(1).map(|rest| rest.strip_prefix([' ', '_']).unwrap_or(rest));
            if behind.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                wrong.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_decision_is_named_as_its_file_and_linked() {
    let architecture = read_to_string(root().join("docs/architecture.md")).unwrap();
    for entry in std::fs::read_dir(root().join("docs/adr")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number: u32 = name.split('-').next().unwrap().parse().unwrap();
        let text = read_to_string(&path).unwrap();
        assert!(text.starts_with(&format!("# ADR {number}: ")), "{name}");
        assert!(architecture.contains(&format!("](adr/{name})")), "docs/architecture.md does not link {name}");
    }
}

/// A document may leave out what comes before the crate, and `src`.
#[test]
fn every_file_that_a_document_names_is_there() {
    let short = |path: &str| format!("/{path}").replace("/src/", "/");
    let texts = texts();
    let files: Vec<String> = texts.iter().map(|(path, _)| short(&path.to_string_lossy())).collect();
    let mut missing = BTreeSet::new();
    for (path, text) in texts.iter().filter(|(path, _)| path.extension().is_some_and(|kind| kind == "md")) {
        let named = quoted(text).filter(|name| [".rs", ".sql", ".md"].iter().any(|kind| name.ends_with(kind)));
        for name in named.filter(|name| !name.contains(['<', '*', '{', ' '])) {
            if !files.iter().any(|file| file.ends_with(&short(name))) {
                missing.insert(format!("{name}, in {}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_the_contract_names_is_in_its_file() {
    let page = page();
    let decided = rules(&page).into_iter().filter_map(|rule| paragraph(rule, "Decided in")?.split("Refused:").next());
    let (_, everywhere) = page.split_once("\n## Everywhere\n").unwrap();
    let everywhere = everywhere.split("\n## ").next().unwrap().split("\n- **");
    let everywhere = everywhere.filter_map(|item| Some(item.split_once("Decided in")?.1));
    let limits = table(&page, "Limits");
    let limits = limits.iter().filter_map(|row| row.get(2)).copied().filter(|cell| cell.contains('`'));
    for said in decided.chain(everywhere).chain(limits) {
        let (paths, names): (Vec<_>, Vec<_>) = quoted(said).partition(|quoted| quoted.contains('/'));
        let sources: String = paths.iter().map(|path| read_to_string(root().join(path)).unwrap()).collect();
        for name in names.iter().map(|name| name.rsplit("::").next().unwrap()) {
            let mut is_there = ["fn ", "const ", "struct "].iter().flat_map(|kind| sources.split(kind));
            let is_there = is_there.any(|rest| rest.strip_prefix(name).is_some_and(|rest| !rest.starts_with(in_name)));
            assert!(is_there, "{name} is not in {paths:?}");
        }
    }
}

#[test]
fn each_rule_tells_who_decides_or_that_it_is_not_built() {
    let page = page();
    let errors: BTreeSet<String> = errors().into_iter().map(|error| error.code).collect();
    let (_, planned) = page.split_once("Codes of parts that are not built yet:").unwrap();
    let planned: BTreeSet<&str> = quoted(planned.split("\n\n").next().unwrap()).collect();
    assert!(planned.iter().all(|code| !errors.contains(*code)), "built by now: {planned:?}");
    for rule in rules(&page) {
        let heading = rule.lines().next().unwrap();
        let is_built = paragraph(rule, "Decided in");
        assert!(is_built.is_some() || paragraph(rule, "**Not built yet").is_some(), "R{heading}");
        let refused = is_built.and_then(|said| Some(said.split_once("Refused:")?.1)).unwrap_or_default();
        for code in quoted(refused) {
            assert!(errors.contains(code), "R{heading} refuses with {code}, which is not in the table");
        }
        let unbuilt = paragraph(rule, "**Not built yet").unwrap_or_default();
        for code in quoted(rule).filter(|code| planned.contains(code)) {
            assert!(unbuilt.contains(code) || is_built.is_none(), "R{heading} does not say that {code} is not built");
        }
    }
}
