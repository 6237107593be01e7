//! What the API tells, as far as a rehearsal looks at it.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// An amount of points, exact, in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Points(pub(crate) i64);

impl Points {
    /// From the text of a JSON number, without going through a floating-point number.
    fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, hundredths) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || hundredths.len() > 2 || !plain(whole) || !plain(hundredths) {
            return None;
        }
        let all = format!("{whole}{hundredths:0<2}").parse::<i64>().ok()?;
        Some(Self(sign * all))
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).ok_or_else(|| serde::de::Error::custom(format!("{} is no amount", raw.get())))
    }
}

/// An instant by the service's clock, in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// Seconds from an earlier moment to this one.
    pub(crate) fn seconds_since(self, earlier: Self) -> f64 {
        let milliseconds = self.0.saturating_sub(earlier.0) / 1000;
        f64::from(i32::try_from(milliseconds).unwrap_or(i32::MAX)) / 1000.0
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(serde::de::Error::custom)?;
        i64::try_from(moment.unix_timestamp_nanos() / 1000).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TokenState {
    Waiting,
    Active,
    Expired,
}

/// A place in line: what a join and a poll tell.
#[derive(Clone, Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are the API's")]
pub(crate) struct Token {
    pub(crate) token: Uuid,
    pub(crate) status: TokenState,
    pub(crate) position: Option<u64>,
    pub(crate) version: u64,
    pub(crate) poll_after_ms: Option<u64>,
    /// Only joins tell.
    pub(crate) user_id: Option<String>,
    /// Only joins tell.
    pub(crate) issued_at: Option<Moment>,
    pub(crate) activated_at: Option<Moment>,
    pub(crate) selection_ends_at: Option<Moment>,
    pub(crate) expires_at: Option<Moment>,
    pub(crate) server_time: Moment,
    /// Only polls tell.
    pub(crate) as_of: Option<Moment>,
}

/// A list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
}

/// One dated performance.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) id: Uuid,
    pub(crate) seats_available: u64,
}

/// A seat of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Seat {
    pub(crate) id: Uuid,
    pub(crate) number: u32,
}

/// A seat of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ReservedSeat {
    pub(crate) id: Uuid,
    pub(crate) number: u32,
    pub(crate) price: Points,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) id: Uuid,
    pub(crate) user_id: String,
    pub(crate) schedule_id: Uuid,
    pub(crate) seats: Vec<ReservedSeat>,
    pub(crate) amount: Points,
    pub(crate) status: String,
    pub(crate) reserved_at: Moment,
    pub(crate) expires_at: Moment,
}

/// A movement of a wallet.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) amount: Points,
    pub(crate) balance_after: Points,
}

/// What a charge tells.
#[derive(Debug, Deserialize)]
pub(crate) struct Charged {
    pub(crate) user_id: String,
    pub(crate) balance: Points,
    pub(crate) entry: Entry,
}

/// A wallet.
#[derive(Debug, Deserialize)]
pub(crate) struct Wallet {
    pub(crate) user_id: String,
    pub(crate) balance: Points,
}

/// A payment. `balance` comes only when it is made.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: Uuid,
    pub(crate) reservation: Reservation,
    pub(crate) amount: Points,
    pub(crate) balance: Option<Points>,
}

/// What is read of a problem (RFC 9457).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) seat_numbers: Vec<u32>,
    #[serde(default)]
    pub(crate) own_seat_numbers: Vec<u32>,
}

/// The ticket number that a token carries: behind the queue's 16 bits, 40 bits around the version of the UUID. A client has
/// no need of it; a rehearsal looks at it to see whether anybody was overtaken.
pub(crate) fn ticket_number(token: Uuid) -> u64 {
    let high = u64::try_from(token.as_u128() >> 80 & 0xffff_ffff).unwrap_or(0);
    let low = u64::try_from(token.as_u128() >> 68 & 0xff).unwrap_or(0);
    high << 8 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_nothing_else_is_one() {
        for (text, hundredths) in
            [("0", 0), ("12", 1200), ("0.5", 50), ("-3.07", -307), ("99999999999.99", 9_999_999_999_999)]
        {
            assert_eq!(serde_json::from_str::<Points>(text).unwrap(), Points(hundredths), "{text}");
        }
        for text in ["\"12\"", "1.005", "1e3", "null", ".5", "true"] {
            assert!(serde_json::from_str::<Points>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_microseconds_whatever_their_offset() {
        let moment = |text: &str| serde_json::from_str::<Moment>(&format!("\"{text}\"")).unwrap();
        assert_eq!(moment("1970-01-01T00:00:01.000002Z"), Moment(1_000_002));
        assert_eq!(moment("1970-01-01T09:00:01+09:00"), Moment(1_000_000));
        assert!((moment("1970-01-01T00:00:02.5Z").seconds_since(Moment(500_000)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_token_carries_its_number() {
        let token = |text: &str| ticket_number(Uuid::parse_str(text).unwrap());
        assert_eq!(token("00010000-0000-8016-8e25-997fb39cb4dd"), 1);
        assert_eq!(token("ffff0000-0001-8008-bfff-ffffffffffff"), 256);
        assert_eq!(token("ffffffff-ffff-8fff-bfff-ffffffffffff"), (1 << 40) - 1);
    }
}
