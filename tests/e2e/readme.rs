//! The READMEs: their steps work word by word, they name every flag, and both tell the same.

use std::collections::BTreeSet;
use std::process::Stdio;

use e2e::{Database, Process, Storage, until};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const ENGLISH: &str = include_str!("../../README.md");
const KOREAN: &str = include_str!("../../README.ko.md");

/// The code blocks of a page, from ``` to ```.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```").skip(1).step_by(2).collect()
}

/// A page without its code blocks.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// What a translation leaves as it is: headings' levels, the first cells of tables that are code, and all that stands in `code`.
fn shape(page: &str) -> (Vec<String>, BTreeSet<String>) {
    let prose = prose(page);
    let rows = prose.lines().filter_map(|line| match line.split(' ').collect::<Vec<_>>().as_slice() {
        [heading, ..] if heading.starts_with('#') => Some((*heading).to_owned()),
        ["|", first, ..] if first.starts_with('`') => Some((*first).to_owned()),
        [mark @ ("|" | "-"), ..] => Some((*mark).to_owned()),
        _ => None,
    });
    let code = prose.split('`').skip(1).step_by(2).map(ToOwned::to_owned);
    (rows.collect(), code.collect())
}

#[test]
fn the_korean_page_tells_the_same() {
    for (english, korean) in blocks(ENGLISH).into_iter().zip(blocks(KOREAN)) {
        assert_eq!(english, korean);
    }
    assert_eq!(blocks(ENGLISH).len(), blocks(KOREAN).len());
    assert_eq!(shape(ENGLISH), shape(KOREAN));
}

/// The table of flags has each flag of `usher --help`, with its variable and its default.
#[tokio::test]
async fn every_flag_has_its_row() {
    let place = Database::fresh(Storage::Sqlite);
    let help = Process::start(&["--help".to_owned()], place.directory()).finished().await.stdout;
    let flags: Vec<&str> = help.split("\n      --").skip(1).collect();
    assert!(flags.len() > 15, "{help}");
    for flag in flags {
        let name = flag.split_whitespace().next().unwrap();
        let row = ENGLISH.lines().find(|line| line.starts_with(&format!("| `--{name}` |")));
        let row = row.unwrap_or_else(|| panic!("README.md has no row for --{name}"));
        for note in ["[env: ", "[default: "] {
            let value = flag.split_once(note).and_then(|(_, rest)| rest.split([']', '=', ',']).next());
            if let Some(value) = value {
                assert!(row.contains(value), "{value} of --{name} is not in its row: {row}");
            }
        }
    }
}

/// Whoever pastes every block of "A sale, step by step" into one shell has joined, paid, and loaded a concert in the end.
#[tokio::test]
async fn the_sale_works_word_by_word() {
    let place = Database::fresh(Storage::Sqlite);
    let server = Process::start(&["--listen".to_owned(), "127.0.0.1:0".to_owned()], place.directory());
    let address = server.address();
    // The last line of what it prints at the start.
    let banner = until("the start", async || Some(server.output()).filter(|text| text.contains("identity"))).await;
    let key = banner.split_whitespace().find(|word| word.starts_with("demo-")).expect("a demo makes an admin key");

    let sale = ENGLISH.split("## A sale, step by step").nth(1).unwrap().split("### On PostgreSQL").next().unwrap();
    let steps: String = blocks(sale)
        .into_iter()
        .filter_map(|block| block.strip_prefix("sh\n"))
        // The audit is asked below, where the program is.
        .filter(|block| !block.contains("usher audit"))
        .collect();
    let steps = steps.replace("http://127.0.0.1:8080", &address).replace("demo-afb169607a7101c8eb419974156e1733", key);

    let mut shell = Command::new("sh")
        .env("no_proxy", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(steps.as_bytes()).await.unwrap();
    let shell = shell.wait_with_output().await.unwrap();
    let said = String::from_utf8(shell.stdout).unwrap();
    assert_eq!(String::from_utf8(shell.stderr).unwrap(), "", "{said}");
    let mut rest = said.as_str();
    for word in [
        r#""status":"ACTIVE""#,
        r#""seats_available":50"#,
        r#""status":"AVAILABLE""#,
        r#""status":"PENDING""#,
        r#""balance":300000"#,
        r#""status":"COMPLETED""#,
        "idempotent-replayed: true",
        r#""status":"COMPLETED""#,
        r#""code":"token_not_active""#,
        r#""seats_total":500"#,
        r#""title":"Spring Night""#,
        r#""max_active":500,"batch":50"#,
    ] {
        rest = rest.split_once(word).unwrap_or_else(|| panic!("{word} did not come, or not in this order: {said}")).1;
    }

    // From another folder the audit finds the database by the address that the server printed.
    let database = banner.lines().find_map(|line| line.trim().strip_prefix("database")).expect("it is named").trim();
    let elsewhere = Database::fresh(Storage::Sqlite);
    let arguments = ["audit", "--database-url", database].map(ToOwned::to_owned);
    let audit = Process::start(&arguments, elsewhere.directory()).finished().await;
    assert!(audit.stdout.starts_with("0 violations") && audit.stdout.contains("1 payments"), "{audit:#?}");
}
