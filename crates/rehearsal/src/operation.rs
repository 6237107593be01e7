//! The operations of the API that a rehearsal uses, and what each may answer.

use reqwest::Method;

/// One operation of the API. In the order of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Join,
    Poll,
    Leave,
    Schedules,
    Seats,
    Hold,
    Cancel,
    Charge,
    Wallet,
    Pay,
    Reservations,
    Payments,
}

impl Operation {
    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Poll => "poll",
            Self::Leave => "leave",
            Self::Schedules => "schedules",
            Self::Seats => "seats",
            Self::Hold => "hold",
            Self::Cancel => "cancel",
            Self::Charge => "charge",
            Self::Wallet => "wallet",
            Self::Pay => "pay",
            Self::Reservations => "reservations",
            Self::Payments => "payments",
        }
    }

    /// Its method.
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Join | Self::Hold | Self::Charge | Self::Pay => Method::POST,
            Self::Leave | Self::Cancel => Method::DELETE,
            _ => Method::GET,
        }
    }

    /// Whether the API documents this outcome for what a person of a rehearsal asks, who sends nothing wrong. The code is
    /// empty for a success. Whether it may be so in the case at hand is for whoever asked to say.
    pub(crate) fn allows(self, status: u16, code: &str) -> bool {
        let refused = (status, code) == (403, "token_not_active");
        match self {
            Self::Join => code.is_empty() && (status == 201 || status == 200),
            Self::Poll | Self::Reservations | Self::Payments => (status, code) == (200, ""),
            Self::Leave => (status, code) == (204, ""),
            Self::Cancel => refused || (status, code) == (204, ""),
            Self::Schedules | Self::Seats | Self::Wallet => refused || (status, code) == (200, ""),
            Self::Charge => refused || (status, code) == (201, ""),
            Self::Hold => {
                refused || [(201, ""), (403, "selection_closed"), (409, "seat_taken")].contains(&(status, code))
            }
            Self::Pay => {
                let known = [(201, ""), (409, "already_paid"), (410, "reservation_expired")];
                refused || known.contains(&(status, code))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operation_may_answer() {
        for (operation, status, code, allowed) in [
            (Operation::Join, 201, "", true),
            (Operation::Join, 409, "seat_taken", false),
            (Operation::Poll, 200, "", true),
            (Operation::Poll, 401, "token_unknown", false),
            (Operation::Hold, 201, "", true),
            (Operation::Hold, 200, "", false),
            (Operation::Hold, 409, "seat_taken", true),
            (Operation::Hold, 409, "seat_limit", false),
            (Operation::Hold, 403, "selection_closed", true),
            (Operation::Pay, 403, "selection_closed", false),
            (Operation::Cancel, 403, "token_not_active", true),
            (Operation::Pay, 410, "reservation_expired", true),
            (Operation::Pay, 410, "", false),
            (Operation::Pay, 402, "insufficient_balance", false),
            (Operation::Charge, 403, "token_not_active", true),
            (Operation::Leave, 403, "token_not_active", false),
            (Operation::Seats, 500, "internal", false),
        ] {
            assert_eq!(operation.allows(status, code), allowed, "{operation:?} {status} {code}");
        }
    }
}
