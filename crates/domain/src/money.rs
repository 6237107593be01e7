//! Money: points of a prepaid wallet, exact to two decimals, never negative, at most 10^13.

use std::fmt;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// An amount of points: scale at most 2, from 0 to [`Money::MAX_MINOR`] hundredths. Checked arithmetic only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(BigDecimal);

impl Money {
    /// The largest amount, 10^13, in hundredths.
    pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

    /// Nothing.
    pub fn zero() -> Self {
        Self(BigDecimal::zero())
    }

    /// From hundredths, as stores keep it; `None` when negative or above the largest amount.
    pub fn from_minor(minor: i64) -> Option<Self> {
        (0..=Self::MAX_MINOR)
            .contains(&minor)
            .then(|| Self(BigDecimal::from_bigint(BigInt::from(minor), 2).normalized()))
    }

    /// In hundredths.
    pub fn minor(&self) -> i64 {
        // Scale and size were checked when the value was made, so that this is exact and cannot overflow.
        (&self.0 * BigDecimal::from(100)).to_i64().unwrap_or(Self::MAX_MINOR)
    }

    /// Reads an amount that came from outside.
    ///
    /// The source text must match `[0-9]{1,14}(\.[0-9]{1,2})?` before any decimal exists: `1e100000000` would cost
    /// seconds to expand (trap W3). `None` otherwise, and above the largest amount.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if (1..=2).contains(&fraction.len()) => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        if !(1..=14).contains(&whole.len()) || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let hundredths: i64 = if fraction.is_empty() { 0 } else { format!("{fraction:0<2}").parse().ok()? };
        Self::from_minor(whole.checked_mul(100)?.checked_add(hundredths)?)
    }

    /// The sum; `None` above the largest amount.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Self::from_minor(self.minor().checked_add(other.minor())?)
    }

    /// The difference; `None` when `other` is more than this.
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        Self::from_minor(self.minor().checked_sub(other.minor())?)
    }

    /// The sum of several amounts; `None` above the largest amount.
    pub fn sum<'a>(amounts: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::zero(), |sum, amount| sum.checked_add(amount))
    }

    /// The decimal itself, for stores that have a decimal type.
    pub fn decimal(&self) -> &BigDecimal {
        &self.0
    }

    /// Whether this is nothing.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl fmt::Display for Money {
    /// Without trailing zeros: `1000`, `12.5`, `0.01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_from_outside_are_matched_on_their_text_w3() {
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1.005",
            "1e3",
            "1E3",
            "1e400",
            "1e100000000",
            "1e-100000000",
            "abc",
            "null",
            "NaN",
            "9223372036854775808",
            " 1",
            "1 ",
            "1,5",
            "0x10",
            "١",
            "10000000000000.01",
            "10000000000001",
            "99999999999999",
        ] {
            assert_eq!(Money::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn amounts_print_without_trailing_zeros() {
        for (text, printed) in [
            ("0", "0"),
            ("0.00", "0"),
            ("007", "7"),
            ("12.50", "12.5"),
            ("0.01", "0.01"),
            ("1000", "1000"),
            ("1000000", "1000000"),
            ("10000000000000.00", "10000000000000"),
        ] {
            assert_eq!(Money::parse(text).unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn arithmetic_stops_at_nothing_and_at_the_largest_amount() {
        let most = Money::from_minor(Money::MAX_MINOR).unwrap();
        let least = Money::from_minor(1).unwrap();
        assert_eq!(most.checked_add(&least), None);
        assert_eq!(Money::zero().checked_sub(&least), None);
        assert_eq!(most.checked_sub(&most), Some(Money::zero()));
        assert_eq!(Money::from_minor(-1), None);
        assert_eq!(Money::from_minor(Money::MAX_MINOR + 1), None);
    }

    proptest! {
        #[test]
        fn minor_units_and_text_are_the_same_amount(minor in 0..=Money::MAX_MINOR) {
            let money = Money::from_minor(minor).unwrap();
            prop_assert_eq!(money.minor(), minor);
            prop_assert_eq!(Money::parse(&money.to_string()), Some(money));
        }

        #[test]
        fn adding_and_taking_away_loses_nothing(a in 0..=Money::MAX_MINOR / 2, b in 0..=Money::MAX_MINOR / 2) {
            let (a, b) = (Money::from_minor(a).unwrap(), Money::from_minor(b).unwrap());
            prop_assert_eq!(a.checked_add(&b).unwrap().checked_sub(&b), Some(a));
        }
    }
}
