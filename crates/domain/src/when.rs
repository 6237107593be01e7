//! Time: instants are UTC, truncated to microseconds; a deadline is over when `now >= deadline`, everywhere.

use std::fmt;
use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::macros::date;
use time::{Date, OffsetDateTime, UtcOffset};

use crate::Wrong;

/// An instant, in UTC, with microsecond precision. Between the years 1 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 0001-01-02T00:00:00Z. One day inside what RFC 3339 can write, so that every offset can still print it.
const FIRST_MICROS: i64 = -62_135_510_400_000_000;
/// 9999-12-31T00:00:00Z, one day inside the other end.
const LAST_MICROS: i64 = 253_402_214_400_000_000;

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z; beyond the years 1 to 9999 the nearest bound.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(FIRST_MICROS, LAST_MICROS))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// From any instant: the offset is dropped, what is finer than a microsecond is cut off.
    pub fn from_offset(at: OffsetDateTime) -> Self {
        let micros = at.unix_timestamp_nanos().div_euclid(1_000);
        Self::from_micros(i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The instant as a calendar value in UTC.
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// This instant and `span` more; the last representable instant when that is beyond it.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(span))
    }

    /// This instant less `span`; the first representable instant when that is before it.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(span))
    }

    /// How long ago `earlier` was; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// How far apart two instants are, whichever is the earlier one.
    pub fn apart(self, other: Self) -> Duration {
        self.since(other).max(other.since(self))
    }

    /// Whether this instant, taken as a deadline, is over: `now >= deadline`.
    pub fn is_over(self, now: Self) -> bool {
        now >= self
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with no more decimals than it takes. By hand, as every answer to a poll has two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let at = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_never| fmt::Error)?;
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let micros = u32::try_from(micros).map_err(|_never| fmt::Error)?;
        let mut text = *b"0000-00-00T00:00:00.000000";
        write_digits(&mut text[0..4], year.unsigned_abs());
        write_digits(&mut text[5..7], u8::from(month).into());
        write_digits(&mut text[8..10], day.into());
        write_digits(&mut text[11..13], hour.into());
        write_digits(&mut text[14..16], minute.into());
        write_digits(&mut text[17..19], second.into());
        write_digits(&mut text[20..26], micros);
        // The decimals that are not zero, and the point before them.
        let decimals = text[20..26].iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 2);
        let text = text.get(..19 + decimals).and_then(|text| str::from_utf8(text).ok());
        f.write_str(text.ok_or(fmt::Error)?)?;
        f.write_str("Z")
    }
}

/// Writes the last digits of `value`, as many as there is room for.
fn write_digits(room: &mut [u8], mut value: u32) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An instant that remembers the offset it was given in, as the start of a schedule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalTime {
    at: Timestamp,
    offset_minutes: i16,
}

impl LocalTime {
    /// The first date that an operator may name, of a schedule or an opening: what is before it was mistyped.
    pub const FIRST_DATE: Date = date!(2000 - 01 - 01);
    /// The last date that an operator may name.
    pub const LAST_DATE: Date = date!(2199 - 12 - 31);

    /// `offset_minutes` east of UTC; `None` beyond 23:59 either way.
    pub fn new(at: Timestamp, offset_minutes: i16) -> Option<Self> {
        (-1439..=1439).contains(&offset_minutes).then_some(Self { at, offset_minutes })
    }

    /// Parses RFC 3339, for example `2026-12-24T19:30:00+09:00`; `None` when it is anything else, and when it is an instant
    /// that would not be kept as it is: finer than a microsecond, a leap second, or at the ends of time.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let at = Timestamp::from_offset(parsed);
        let is_kept = at.to_utc() == parsed;
        Self::new(at, parsed.offset().whole_minutes()).filter(|_| is_kept)
    }

    /// Parses what an operator names; says why it cannot be.
    pub fn named(text: &str) -> Result<Self, Wrong> {
        let (first, last) = (Self::FIRST_DATE, Self::LAST_DATE);
        // Of the ends of time, which cannot be kept, it is the date that is wrong.
        let is_outside = |at: OffsetDateTime| !(first..=last).contains(&at.date());
        Self::parse(text).ok_or_else(|| match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(at) if is_outside(at) => Wrong::DateOutside { first, last },
            _ => Wrong::DateAndTime,
        })
    }

    /// The instant, whatever the offset.
    pub const fn at(self) -> Timestamp {
        self.at
    }

    /// Minutes east of UTC.
    pub const fn offset_minutes(self) -> i16 {
        self.offset_minutes
    }

    /// The calendar date in the offset it was given in.
    pub fn date(self) -> Date {
        self.to_offset().date()
    }

    fn to_offset(self) -> OffsetDateTime {
        let offset = UtcOffset::from_whole_seconds(i32::from(self.offset_minutes) * 60).unwrap_or(UtcOffset::UTC);
        self.at.to_utc().to_offset(offset)
    }
}

impl fmt::Display for LocalTime {
    /// RFC 3339 in the offset it was given in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_offset().format(&Rfc3339).map_err(|_unprintable| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_over_exactly_when_now_reaches_it() {
        let deadline = Timestamp::from_micros(1_000);
        for (now, over) in [(999, false), (1_000, true), (1_001, true)] {
            assert_eq!(deadline.is_over(Timestamp::from_micros(now)), over, "{now}");
        }
    }

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_off_before_and_after_1970() {
        for (nanos, micros) in [(1_999, 1), (-1, -1), (-1_001, -2)] {
            let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap();
            assert_eq!(Timestamp::from_offset(at).micros(), micros);
        }
    }

    #[test]
    fn the_offset_decides_the_date_and_is_printed_back() {
        let late = LocalTime::parse("2026-12-25T01:30:00+09:00").unwrap();
        assert_eq!(late.date().to_string(), "2026-12-25");
        assert_eq!(late.to_string(), "2026-12-25T01:30:00+09:00");
        assert_eq!(late.at().to_string(), "2026-12-24T16:30:00Z");
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in
            ["", "2026-12-24", "2026-12-24T19:30:00", "2026-02-30T00:00:00Z", "24/12/2026", "2026-12-24T19:30:00+24:00"]
        {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_that_is_read_is_the_one_that_was_written() {
        for text in [
            "2026-12-24T19:30:00.000001+09:00",
            "9999-12-31T00:00:00Z",
            "9999-12-31T09:00:00+09:00",
            "0001-01-02T00:00:00Z",
        ] {
            assert_eq!(LocalTime::parse(text).unwrap().to_string(), text);
        }
        // The same instant, its zeros left out.
        assert_eq!(LocalTime::parse("2026-12-24T19:30:00.500000000Z").unwrap().to_string(), "2026-12-24T19:30:00.5Z");
        for text in [
            "9999-12-31T23:59:59+09:00",
            "9999-12-31T12:00:00-05:00",
            "9999-12-31T00:00:00.000001Z",
            "0001-01-01T23:59:59.999999Z",
            "2026-12-24T19:30:00.0000001Z",
            "2026-12-31T23:59:60Z",
        ] {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_instant_is_printed_as_a_library_prints_it(micros in FIRST_MICROS..=LAST_MICROS, zeros in 0..=7_u32) {
            let unit = 10_i64.pow(zeros);
            let at = Timestamp::from_micros(micros / unit * unit);
            proptest::prop_assert_eq!(at.to_string(), at.to_utc().format(&Rfc3339).unwrap());
        }
    }

    #[test]
    fn both_ends_of_time_still_print_in_every_offset() {
        for micros in [i64::MIN, i64::MAX] {
            for offset in [-1439, 1439] {
                let time = LocalTime::new(Timestamp::from_micros(micros), offset).unwrap();
                assert!(!time.to_string().is_empty());
            }
        }
    }
}
