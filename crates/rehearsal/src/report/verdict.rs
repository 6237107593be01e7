//! What a rehearsal showed, in sentences: the same on the terminal and on the page.

use super::figures::{count, counted, duration};
use super::{Ending, Report};

/// Whether the promises were kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of them, as far as any answer showed.
    Kept,
    /// So many were broken.
    Broken(u64),
    /// There was no answer that could have shown it.
    Untested,
}

impl Verdict {
    /// The verdict of a rehearsal.
    pub(super) fn of(report: &Report) -> Self {
        let broken = report.violation_counts.values().sum();
        if broken > 0 {
            Self::Broken(broken)
        } else if report.operations.iter().all(|operation| operation.answers == 0) {
            Self::Untested
        } else {
            Self::Kept
        }
    }

    /// The sentence at the top, without a full stop.
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Kept => String::from("No promise was broken"),
            Self::Broken(1) => String::from("1 promise was broken"),
            Self::Broken(broken) => format!("{} promises were broken", count(broken)),
            Self::Untested => String::from("No answer came, so no promise was tested"),
        }
    }
}

/// What happened, in two sentences.
pub(super) fn summary(report: &Report) -> String {
    let Report { people, sale, setup, .. } = report;
    let came =
        format!("{} came for {}.", counted(people.arrived, "person", "people"), counted(setup.seats, "seat", "seats"));
    let sold = match sale.sold_out_after {
        Some(seconds) => format!("The last seat was paid for after {}.", duration(seconds)),
        None => {
            format!("{} of {} were paid for in {}.", count(sale.sold), count(setup.seats), duration(report.seconds))
        }
    };
    format!("{came} {sold}")
}

/// Why it ended, after "it ended because".
pub(super) const fn reason(ending: Ending) -> &'static str {
    match ending {
        Ending::EverybodyDone => "everybody had bought, or left",
        Ending::SoldOut => "every seat was sold",
        Ending::TimeLimit => "its time was over",
        Ending::Interrupted => "it was told to stop",
    }
}

/// How many violations there were beyond those told, if any.
pub(super) fn untold(report: &Report, told: usize) -> Option<u64> {
    let all: u64 = report.violation_counts.values().sum();
    let told = u64::try_from(told).unwrap_or(u64::MAX);
    all.checked_sub(told).filter(|untold| *untold > 0)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_verdict_counts_all_violations() {
        assert_eq!(Verdict::of(&fixture::report()), Verdict::Kept);
        let broken = fixture::broken();
        assert_eq!(Verdict::of(&broken).sentence(), "104 promises were broken");
        assert_eq!(untold(&broken, 2), Some(102));
        assert_eq!(untold(&broken, 104), None);
        assert_eq!(Verdict::Broken(1).sentence(), "1 promise was broken");
    }

    #[test]
    fn what_was_not_tested_is_not_praised() {
        assert_eq!(Verdict::of(&fixture::empty()), Verdict::Untested);
    }

    #[test]
    fn the_summary_tells_whether_all_was_sold() {
        assert_eq!(
            summary(&fixture::report()),
            "100,000 people came for 10,000 seats. The last seat was paid for after 1 min 47 s."
        );
        assert_eq!(summary(&fixture::empty()), "0 people came for 10,000 seats. 0 of 10,000 were paid for in 0 s.");
    }
}
