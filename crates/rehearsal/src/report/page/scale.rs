//! Axes: where a value is, and which values are written beside it.

use super::super::figures::number;

/// At most so many steps from one end of an axis to the other.
const MOST_STEPS: u32 = 6;

/// Steps of time that people know, in seconds, up to two days.
const TIME_STEPS: [f64; 20] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0,
    18_000.0, 36_000.0, 172_800.0,
];

/// One direction of a chart.
pub(super) struct Axis {
    /// What is measured, and in what.
    pub(super) title: String,
    /// The values that are written, in ascending order.
    pub(super) ticks: Vec<Tick>,
    low: f64,
    high: f64,
    logarithmic: bool,
}

/// A value that is written beside an axis.
pub(super) struct Tick {
    /// Where: 0 is the low end, 1 the high one.
    pub(super) at: f64,
    /// How it is written.
    pub(super) label: String,
}

impl Axis {
    /// Amounts of whole things from 0 to `most` or a little more.
    pub(super) fn amounts(title: &str, most: f64) -> Self {
        let most = most.max(1.0);
        let step = round_values().find(|step| *step >= 1.0 && most <= 5.0 * step).unwrap_or(most);
        let high = (most / step).ceil() * step;
        let label = |value: f64| match high {
            10_000_000.0.. => format!("{} M", number(value / 1e6)),
            10_000.0.. => format!("{} k", number(value / 1e3)),
            _ => number(value),
        };
        let label = |value: f64| if value > 0.0 { label(value) } else { String::from("0") };
        Self::with(title, [0.0, high], false, multiples(step), label)
    }

    /// Milliseconds from `least` to `most` or a little more on both ends, each ten times the other being equally far apart.
    pub(super) fn latencies(title: &str, least: f64, most: f64) -> Self {
        let low = round_values().take_while(|round| *round <= least).last().unwrap_or(0.01).max(0.01);
        let high = round_values().find(|round| *round >= most).unwrap_or(most).max(low * 10.0);
        let powers_only = high > 100.0 * low;
        let ticks = round_values().filter(|value| !powers_only || is_power_of_ten(*value)).collect();
        Self::with(title, [low, high], true, ticks, number)
    }

    /// The time from 0 to `seconds`; `what` is said after the unit.
    pub(super) fn time(what: &str, seconds: f64) -> Self {
        let seconds = seconds.max(0.1);
        let step = TIME_STEPS.into_iter().find(|step| seconds <= f64::from(MOST_STEPS) * step).unwrap_or(seconds);
        let (unit, name) = match step {
            3600.0.. => (3600.0, "hours"),
            60.0.. => (60.0, "minutes"),
            _ => (1.0, "seconds"),
        };
        Self::with(&format!("{name} {what}"), [0.0, seconds], false, multiples(step), |value| number(value / unit))
    }

    fn with(
        title: &str,
        [low, high]: [f64; 2],
        logarithmic: bool,
        ticks: Vec<f64>,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let mut axis = Self { title: title.to_owned(), ticks: Vec::new(), low, high, logarithmic };
        // A value a hair beyond an end, by the rounding of multiples, is still at that end.
        let hair = (high - low) * 1e-9;
        let inside = ticks.into_iter().filter(|value| (low - hair..=high + hair).contains(value));
        axis.ticks = inside.map(|value| Tick { at: axis.share(value), label: label(value) }).collect();
        axis
    }

    /// Where `value` is: 0 is the low end, 1 the high one, nothing is beyond them.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

/// One, two and five times every power of ten that is ever needed.
fn round_values() -> impl Iterator<Item = f64> {
    (-3..=19).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
}

fn is_power_of_ten(value: f64) -> bool {
    (value.log10() - value.log10().round()).abs() < 1e-6
}

fn multiples(step: f64) -> Vec<f64> {
    (0..=MOST_STEPS).map(|times| f64::from(times) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn amounts_are_counted_in_ones_twos_and_fives() {
        for (most, ticks) in [
            (0.0, vec!["0", "1"]),
            (3.0, vec!["0", "1", "2", "3"]),
            (6.0, vec!["0", "2", "4", "6"]),
            (480.0, vec!["0", "100", "200", "300", "400", "500"]),
            (9_000.0, vec!["0", "2 k", "4 k", "6 k", "8 k", "10 k"]),
            (12_431.0, vec!["0", "5 k", "10 k", "15 k"]),
            (84_000.0, vec!["0", "20 k", "40 k", "60 k", "80 k", "100 k"]),
            (23e6, vec!["0", "5 M", "10 M", "15 M", "20 M", "25 M"]),
        ] {
            assert_eq!(labels(&Axis::amounts("people", most)), ticks, "{most}");
        }
        assert!((Axis::amounts("people", 12_431.0).share(7_500.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn latencies_are_a_tenfold_apart_unless_they_are_near() {
        for (least, most, ticks) in [
            (0.0, 0.0, vec!["0.01", "0.02", "0.05", "0.1"]),
            (3.0, 4.0, vec!["2", "5", "10", "20"]),
            (0.7, 40.0, vec!["0.5", "1", "2", "5", "10", "20", "50"]),
            (0.7, 150.0, vec!["1", "10", "100"]),
            (0.7, 900.0, vec!["1", "10", "100", "1,000"]),
        ] {
            assert_eq!(labels(&Axis::latencies("ms", least, most)), ticks, "{least} {most}");
        }
        let axis = Axis::latencies("ms", 1.0, 100.0);
        for (value, share) in [(0.0, 0.0), (1.0, 0.0), (10.0, 0.5), (100.0, 1.0), (1e9, 1.0)] {
            assert!((axis.share(value) - share).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn time_is_told_in_seconds_minutes_or_hours() {
        for (seconds, title, ticks) in [
            (0.0, "seconds on", vec!["0", "0.1"]),
            (1.0, "seconds on", vec!["0", "0.2", "0.4", "0.6", "0.8", "1"]),
            (124.0, "seconds on", vec!["0", "30", "60", "90", "120"]),
            (50.0, "seconds on", vec!["0", "10", "20", "30", "40", "50"]),
            (5_000.0, "minutes on", vec!["0", "20", "40", "60", "80"]),
            (40_000.0, "hours on", vec!["0", "2", "4", "6", "8", "10"]),
        ] {
            let axis = Axis::time("on", seconds);
            assert_eq!((axis.title.as_str(), labels(&axis)), (title, ticks), "{seconds}");
        }
    }
}
