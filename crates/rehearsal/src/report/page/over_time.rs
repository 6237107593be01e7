//! The charts over time: throughput, latency, the line, whose turn it is, seats sold.

use std::io::{self, Write};

use super::super::figures::{clock, count, duration, float, latency, number};
use super::super::{Latency, Report, Second};
use super::chart::{Chart, Mark, Series, Shape};
use super::scale::Axis;
use super::slices::{Slice, slices, width};

/// What is drawn over time, and how.
struct Story<'a> {
    report: &'a Report,
    slices: Vec<Slice>,
    /// How many seconds each slice has.
    width: usize,
}

/// Draws all of them; nothing if there was no second.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.timeline.is_empty() {
        return Ok(());
    }
    let width = width(&report.timeline);
    let story = Story { report, slices: slices(&report.timeline, width), width };
    story.throughput().write(out)?;
    story.latency().write(out)?;
    story.line().write(out)?;
    story.turns().write(out)?;
    story.seats().write(out)
}

impl Story<'_> {
    fn throughput(&self) -> Chart {
        let most = self.slices.iter().map(|slice| slice.answers).fold(0.0, f64::max);
        let failures: u64 = self.slices.iter().map(|slice| slice.failures).sum();
        let failed = if failures == 0 {
            String::from("None failed.")
        } else {
            format!("{} failed (5xx, or a broken connection), where it is red.", count(failures))
        };
        let mean = if self.width > 1 { format!(", each point the mean of {} s", self.width) } else { String::new() };
        let series = vec![
            self.series("polls of the line", "soft", Shape::Area, |slice| slice.polls, number),
            self.series("all answers", "strong", Shape::Line, |slice| slice.answers, number),
        ];
        let title = format!("Up to {} answers a second", count(self.peak(|second| second.answers).1));
        self.chart(
            title,
            format!("Answers a second{mean}. {failed}"),
            Axis::amounts("answers per second", most),
            series,
        )
    }

    fn latency(&self) -> Chart {
        let told = || self.slices.iter().filter_map(|slice| slice.latency);
        let most = told().map(|latency| latency.p99).fold(0.0, f64::max);
        let least = told().map(|latency| latency.p50).fold(f64::MAX, f64::min).min(most);
        let percentile = |name, tone, of: fn(&Latency) -> f64| {
            let values = self.slices.iter().map(|slice| slice.latency.as_ref().map(of)).collect();
            Series { name, tone, shape: Shape::Line, values, tell: latency }
        };
        let series = vec![
            percentile("p50", "soft", |latency| latency.p50),
            percentile("p95", "middle", |latency| latency.p95),
            percentile("p99", "strong", |latency| latency.p99),
        ];
        let worst = if self.width > 1 { format!(", each point the worst of {} s", self.width) } else { String::new() };
        let title = format!("Even in the worst second 99 % of answers took {} or less", latency(most));
        let note = format!("Time from when a request was due until its answer{worst}. Logarithmic.");
        self.chart(title, note, Axis::latencies("milliseconds", least, most), series)
    }

    fn line(&self) -> Chart {
        let (moment, most) = self.peak(|second| second.waiting);
        let title = format!("Up to {} people in line, {} after the start", count(most), duration(float(moment)));
        let series = vec![self.series("in line", "strong", Shape::Area, |slice| float(slice.waiting), number)];
        self.chart(
            title,
            String::from("People who waited for their turn."),
            Axis::amounts("people in line", float(most)),
            series,
        )
    }

    fn turns(&self) -> Chart {
        let (_, most) = self.peak(|second| second.active);
        let title = format!("Up to {} people at once had their turn", count(most));
        let series = vec![self.series("active", "strong", Shape::Area, |slice| float(slice.active), number)];
        let note = String::from("People who were looking at seats, holding them, or paying.");
        self.chart(title, note, Axis::amounts("people whose turn it is", float(most)), series)
    }

    fn seats(&self) -> Chart {
        let (sale, seats) = (&self.report.sale, self.report.setup.seats);
        let sold_out = sale.sold_out_after.map(|seconds| (seconds, duration(seconds)));
        let title = match &sold_out {
            Some((_, after)) => format!("All {} seats were sold after {after}", count(seats)),
            None => format!("{} of {} seats were sold", count(sale.sold), count(seats)),
        };
        let series = vec![self.series("seats sold", "strong", Shape::Area, |slice| float(slice.sold), number)];
        let note = format!("Seats that were paid for, of {}.", count(seats));
        let mut chart = self.chart(title, note, Axis::amounts("seats sold", float(seats.max(sale.sold))), series);
        chart.marks = sold_out
            .into_iter()
            .map(|(at, after)| Mark { at, label: format!("sold out: {after}"), below: 88 })
            .collect();
        chart
    }

    /// The series over time, behind them the failures if there were any.
    fn chart(&self, title: String, note: String, y: Axis, mut series: Vec<Series>) -> Chart {
        if self.slices.iter().any(|slice| slice.failures > 0) {
            series.insert(0, self.failures());
        }
        let seconds = self.report.timeline.len();
        Chart {
            title,
            note,
            x: Axis::time("since the first arrival", length(seconds)),
            y,
            series,
            moments: self.slices.iter().map(|slice| clock(slice.second)).collect(),
            width: length(self.width) / length(seconds),
            marks: Vec::new(),
        }
    }

    fn series(
        &self,
        name: &'static str,
        tone: &'static str,
        shape: Shape,
        of: fn(&Slice) -> f64,
        tell: fn(f64) -> String,
    ) -> Series {
        Series { name, tone, shape, values: self.slices.iter().map(|slice| Some(of(slice))).collect(), tell }
    }

    fn failures(&self) -> Series {
        self.series("failures", "bad", Shape::Bands, |slice| float(slice.failures), number)
    }

    /// The first second in which it was the most, and how much.
    fn peak(&self, of: fn(&Second) -> u64) -> (u64, u64) {
        let peak = self.report.timeline.iter().rev().max_by_key(|second| of(second));
        peak.map_or((0, 0), |second| (second.second, of(second)))
    }
}

/// A number of seconds or slices, as a number that can be divided.
fn length(items: usize) -> f64 {
    float(u64::try_from(items).unwrap_or(u64::MAX))
}
