//! Figures as people read them.

/// A count as a number that can be drawn or divided.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "what is drawn needs no more than 53 bits")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

/// `12,345`.
pub(super) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// A rate or another number, not negative, to three digits or to the whole: `0.25`, `1.5`, `12.3`, `12,345`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::from("-");
    }
    let text = match value {
        ..9.995 => format!("{value:.2}"),
        9.995..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    match text.split_once('.') {
        None => grouped(&text),
        Some((whole, decimals)) => match decimals.trim_end_matches('0') {
            "" => whole.to_owned(),
            decimals => format!("{whole}.{decimals}"),
        },
    }
}

/// Milliseconds for a column of them: `0.42`, `1.50`, `12.0`, `12,345`.
pub(super) fn millis(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        number(value)
    }
}

/// Milliseconds in a sentence: `0.42 ms`, `120 ms`, `1.5 s`.
pub(super) fn latency(millis: f64) -> String {
    if millis < 999.5 { format!("{} ms", number(millis)) } else { format!("{} s", number(millis / 1000.0)) }
}

/// Seconds in a sentence: `0.4 s`, `47 s`, `1 min 47 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 59.95 {
        let text = format!("{seconds:.1}");
        return format!("{} s", text.strip_suffix(".0").unwrap_or(&text));
    }
    let whole = whole(seconds);
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes, rest) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, 0, _) => format!("{} h", count(hours)),
        (hours, minutes, _) => format!("{} h {minutes} min", count(hours)),
    }
}

/// The moment so many seconds after the beginning, as on a clock: `0:07`, `1:47`, `2:05:00`.
pub(super) fn clock(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{rest:02}") } else { format!("{hours}:{minutes:02}:{rest:02}") }
}

/// The share of `part` in `all`: `5.1 %`. `0 %` and `100 %` stand only for none and all; of nothing it is nothing.
pub(super) fn percent(part: u64, all: u64) -> String {
    if all == 0 {
        return String::from("-");
    }
    let percent = 100.0 * float(part) / float(all);
    if part > 0 && percent < 0.05 {
        String::from("< 0.1 %")
    } else if part < all && percent >= 99.95 {
        String::from("> 99.9 %")
    } else if part == 0 || part == all {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// `1 payment`, `2 payments`.
pub(super) fn counted(how_many: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(how_many), if how_many == 1 { one } else { many })
}

/// Rounded to the whole.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// With a comma after every three digits, counted from the end.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (given, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")] {
            assert_eq!(count(given), text);
        }
    }

    #[test]
    fn numbers_keep_three_digits() {
        for (given, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (1.5, "1.5"),
            (9.996, "10"),
            (12.34, "12.3"),
            (99.96, "100"),
            (12_345.6, "12,346"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(number(given), text);
        }
        assert_eq!([0.4, 1.5, 12.0, 99.96, 12_345.0].map(millis), ["0.40", "1.50", "12.0", "100", "12,345"]);
        assert_eq!([0.4, 120.2, 999.6, 1500.0].map(latency), ["0.4 ms", "120 ms", "1 s", "1.5 s"]);
    }

    #[test]
    fn times_are_told_in_the_units_of_life() {
        for (given, text) in [
            (0.0, "0 s"),
            (0.44, "0.4 s"),
            (47.0, "47 s"),
            (59.97, "1 min"),
            (107.2, "1 min 47 s"),
            (3600.0, "1 h"),
            (7500.0, "2 h 5 min"),
        ] {
            assert_eq!(duration(given), text);
        }
        assert_eq!([7, 107, 7500].map(clock), ["0:07", "1:47", "2:05:00"]);
    }

    #[test]
    fn a_part_is_never_rounded_to_nothing_or_to_all() {
        for (part, all, text) in [
            (0, 0, "-"),
            (0, 9, "0 %"),
            (1, 100_000, "< 0.1 %"),
            (51, 1000, "5.1 %"),
            (99_999, 100_000, "> 99.9 %"),
            (9, 9, "100 %"),
        ] {
            assert_eq!(percent(part, all), text);
        }
    }
}
