//! What is shown while it runs: on a terminal only, and only to stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::options::Options;
use crate::rehearsal::Rehearsal;

/// Two lines: how many people have come, and how many seats are sold.
pub(crate) struct Progress {
    people: ProgressBar,
    seats: ProgressBar,
}

impl Progress {
    /// Shows nothing yet, and never anything when it is not wanted.
    pub(crate) fn new(options: &Options) -> Self {
        let bars = indicatif::MultiProgress::with_draw_target(if options.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        });
        let bar = |length, template| {
            let bar = bars.add(ProgressBar::new(length));
            // A template that did not parse would cost nothing but its looks.
            ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
        };
        Self {
            people: bar(options.people, "{elapsed_precise} people {bar:30} {pos}/{len} came {wide_msg}"),
            seats: bar(options.seats, "         seats  {bar:30} {pos}/{len} sold {wide_msg}"),
        }
    }

    /// Shows how it stands.
    pub(crate) fn show(&self, rehearsal: &Rehearsal) {
        let (now, rate) = {
            let counts = rehearsal.recorder.counts();
            (counts.standing(), counts.rate())
        };
        self.people.set_position(now.arrived);
        self.people.set_message(format!(
            "{} in line, {} at it, {} bought; {rate} answers/s",
            now.waiting, now.active, now.bought
        ));
        self.seats.set_position(now.sold);
        self.seats.set_message(format!("{} violations", rehearsal.referee.violations()));
    }

    /// Takes everything off the screen.
    pub(crate) fn end(&self) {
        self.people.finish_and_clear();
        self.seats.finish_and_clear();
    }
}
