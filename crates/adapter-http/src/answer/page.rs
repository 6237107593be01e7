//! How a page of a list is written: its items, and the cursor of the next page.

use domain::concert::ScheduleKey;
use domain::page::Listed;
use domain::{ConcertId, PaymentId, ReservationId, ScheduleId, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// A page as it is written.
#[derive(Serialize)]
pub(crate) struct PageView<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> PageView<T> {
    /// The view of a page, with `view` for each item.
    pub(crate) fn of<U, K: Cursor>(listed: Listed<U, K>, view: impl Fn(U) -> T) -> Self {
        let next_cursor = listed.next.map(|key| key.print());
        Self { items: listed.items.into_iter().map(view).collect(), next_cursor }
    }
}

/// A key of a list as opaque text. Callers hand back what they were given and know nothing of what it says.
pub(crate) trait Cursor: Sized {
    /// How many lower-case hexadecimal digits the text has.
    const DIGITS: usize;
    /// The text.
    fn print(&self) -> String;
    /// The key that the text stands for, if it does.
    fn parse(text: &str) -> Option<Self>;
}

/// Reads exactly `digits` lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let good = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    u128::from_str_radix(text, 16).ok().filter(|_| good)
}

impl Cursor for Uuid {
    const DIGITS: usize = 32;

    fn print(&self) -> String {
        self.simple().to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        hex(text, Self::DIGITS).map(Self::from_u128)
    }
}

macro_rules! id_cursors {
    ($($id:ty),*) => {$(
        impl Cursor for $id {
            const DIGITS: usize = <Uuid as Cursor>::DIGITS;

            fn print(&self) -> String {
                self.uuid().print()
            }

            fn parse(text: &str) -> Option<Self> {
                Uuid::parse(text).map(Self::new)
            }
        }
    )*};
}

id_cursors!(ConcertId, ReservationId, PaymentId);

impl Cursor for u64 {
    const DIGITS: usize = 16;

    fn print(&self) -> String {
        format!("{self:016x}")
    }

    fn parse(text: &str) -> Option<Self> {
        hex(text, Self::DIGITS).and_then(|number| Self::try_from(number).ok())
    }
}

impl Cursor for ScheduleKey {
    const DIGITS: usize = <u64 as Cursor>::DIGITS + <Uuid as Cursor>::DIGITS;

    fn print(&self) -> String {
        let (at, schedule) = self;
        format!("{:016x}{}", at.micros().cast_unsigned(), schedule.uuid().print())
    }

    fn parse(text: &str) -> Option<Self> {
        let (at, schedule) = text.split_at_checked(<u64 as Cursor>::DIGITS)?;
        let micros = <u64 as Cursor>::parse(at)?.cast_signed();
        Some((Timestamp::from_micros(micros), ScheduleId::new(<Uuid as Cursor>::parse(schedule)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_the_same_key_again() {
        let id = Uuid::from_u128(0x0198_1234_5678_7abc_8def_0123_4567_89ab);
        let key = (Timestamp::from_micros(-5), ScheduleId::new(id));
        assert_eq!(<ScheduleKey as Cursor>::parse(&key.print()), Some(key));
        assert_eq!(<Uuid as Cursor>::parse(&id.print()), Some(id));
        assert_eq!(<u64 as Cursor>::parse(&u64::MAX.print()), Some(u64::MAX));
        let lengths = [(key.print(), ScheduleKey::DIGITS), (id.print(), Uuid::DIGITS), (u64::MAX.print(), u64::DIGITS)];
        for (text, digits) in lengths {
            assert_eq!(text.len(), digits, "{text}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for bad in ["", "x", "+123456789012345", "00000000000000000", "ABCDEF0123456789", "é123456789012345", "\u{0}"]
        {
            assert_eq!(<u64 as Cursor>::parse(bad), None, "{bad:?}");
            assert_eq!(<Uuid as Cursor>::parse(bad), None, "{bad:?}");
            assert_eq!(<ScheduleKey as Cursor>::parse(bad), None, "{bad:?}");
        }
    }
}
