//! The report as one HTML page that needs nothing else: no network, no files beside it, and no script to be complete.

mod chart;
mod escape;
mod operations;
mod over_time;
mod panels;
mod scale;
mod slices;
mod tiles;
mod violations;
mod waits;

use std::io::{self, Write};

use self::escape::Escaped;
use super::Report;
use super::figures::duration;
use super::verdict::{self, Verdict};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing is loaded from anywhere, whatever the page should come to contain.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The whole page. Fails when `out` does.
pub(crate) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let verdict = Verdict::of(report);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{} - Usher rehearsal</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        verdict.sentence()
    )?;
    header(report, verdict, out)?;
    tiles::write(report, out)?;
    violations::write(report, out)?;
    writeln!(out, "<section class=\"charts\">")?;
    over_time::write(report, out)?;
    waits::write(&report.waits, out)?;
    writeln!(out, "</section>")?;
    operations::write(&report.operations, out)?;
    panels::write(report, out)?;
    write!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

fn header(report: &Report, verdict: Verdict, out: &mut impl Write) -> io::Result<()> {
    let class = match verdict {
        Verdict::Kept => "good",
        Verdict::Broken(_) => "bad",
        Verdict::Untested => "unknown",
    };
    let (sentence, summary) = (verdict.sentence(), verdict::summary(report));
    let began = report.started_at.replace('T', " ").replace('Z', " UTC");
    let (began, took, reason) = (Escaped(&began), duration(report.seconds), verdict::reason(report.ending));
    writeln!(
        out,
        "<header class=\"{class}\">\n<p class=\"eyebrow\">Rehearsal of an on-sale with Usher</p>\n<h1>{sentence}</h1>\n\
         <p class=\"summary\">{summary}</p>\n\
         <p class=\"when\">It began at {began}, and ended after {took}, because {reason}.</p>\n</header>"
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn page(report: &Report) -> String {
        let mut page = Vec::new();
        write(report, &mut page).unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn the_verdict_is_at_the_top() {
        assert!(page(&fixture::report()).contains("<h1>No promise was broken</h1>"));
        let broken = page(&fixture::broken());
        assert!(broken.contains("<h1>104 promises were broken</h1>"));
        assert!(broken.find("seat 4711 belongs").unwrap() < broken.find("<svg").unwrap());
    }

    #[test]
    fn what_a_server_says_stays_text() {
        let page = page(&fixture::broken());
        assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains('\u{1b}'));
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    }

    #[test]
    fn it_needs_nothing_from_elsewhere() {
        let mut report = fixture::report();
        report.setup.servers.clear();
        let page = page(&report);
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn whatever_there_is_to_draw_no_figure_is_none() {
        for report in [fixture::report(), fixture::one_second(), fixture::empty()] {
            let page = page(&report);
            assert!(
                !page.contains("NaN") && !page.contains("inf\"") && !page.contains("inf%") && !page.contains("inf ")
            );
        }
        assert_eq!(page(&fixture::report()).matches("<svg").count(), 6);
        assert_eq!(page(&fixture::one_second()).matches("<svg").count(), 6);
        assert_eq!(page(&fixture::empty()).matches("<svg").count(), 0);
    }

    #[test]
    fn a_long_rehearsal_and_many_violations_fit_a_mail() {
        let mut report = fixture::long(200_000);
        let violation =
            super::super::Violation { exchange: "\"<x>\" ".repeat(20_000), ..fixture::broken().violations[0].clone() };
        report.violations = vec![violation; super::super::VIOLATIONS_KEPT];
        report.violation_counts = fixture::broken().violation_counts;
        let size = page(&report).len();
        assert!(size < 1_000_000, "{size}");
    }
}
