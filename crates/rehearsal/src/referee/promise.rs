//! The promises that the service is held to, each by the name under which a broken one is counted.

/// Makes the enum and all that follows from its list, so that the list is written once.
macro_rules! promises {
    ($($(#[$doc:meta])* $promise:ident = $name:literal,)*) => {
        /// A promise, named by how it is broken. `docs/rehearsal.md` tells whoever reads a report what each means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Promise {
            $($(#[$doc])* $promise,)*
        }

        impl Promise {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$promise),*];

            /// Its name in reports.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$promise => $name,)*
                }
            }
        }
    };
}

promises! {
    /// A seat belongs to one reservation at a time (R8).
    SeatTwice = "seat_twice",
    /// What is sold is not offered (R7).
    SoldSeatOffered = "sold_seat_offered",
    /// A reservation is paid once (R13).
    PaidTwice = "paid_twice",
    /// What was answered with success is still there.
    SuccessLost = "success_lost",
    /// A reservation has the seats that were asked for (R8).
    HoldWrong = "hold_wrong",
    /// A reservation costs the sum of its seats' prices (R9).
    AmountWrong = "amount_wrong",
    /// Balances and entries add up (R12).
    MoneyWrong = "money_wrong",
    /// What is paid for is what was held (R14).
    PaymentWrong = "payment_wrong",
    /// What is held can be paid (R13).
    PaymentRefused = "payment_refused",
    /// A payment ends its token (R14).
    TokenLivesOn = "token_lives_on",
    /// A repeated request gets the first answer again (R15).
    ReplayDiffers = "replay_differs",
    /// A repeated answer says that it is one (R15).
    ReplayUnsaid = "replay_unsaid",
    /// Turns come in the order of ticket numbers (R3).
    Overtaken = "overtaken",
    /// Nobody's position rises (R4).
    PositionRose = "position_rose",
    /// A position is at least 1 in line and 0 when ACTIVE (R4).
    PositionWrong = "position_wrong",
    /// Nobody else has one's ticket number (R2).
    TicketTwice = "ticket_twice",
    /// Joining twice at once makes one place (R1).
    TwoPlaces = "two_places",
    /// Joining again gives the same token (R1).
    AnotherToken = "another_token",
    /// What one is told is about oneself.
    AnotherPerson = "another_person",
    /// Whoever polls as advised is not taken for absent.
    PlaceLost = "place_lost",
    /// An ACTIVE token is let through until its time is up (R5, R6).
    ActiveRefused = "active_refused",
    /// No hold begins when selection is over (R5).
    HeldTooLate = "held_too_late",
    /// Nobody is ACTIVE longer than until their time is up (R5).
    TurnTooLong = "turn_too_long",
    /// Nobody's turn comes before the queue opens (R19).
    BeforeOpening = "before_opening",
    /// The service answers without a 5xx.
    ServerError = "server_error",
    /// The service answers at all.
    NoAnswer = "no_answer",
    /// An operation answers with the statuses and codes that it has.
    WrongOutcome = "wrong_outcome",
    /// An answer is what the API documents.
    MalformedAnswer = "malformed_answer",
    /// Whoever waits is told when to ask again.
    NoAdvice = "no_advice",
    /// A refusal names seats that were asked for (R8).
    SeatTakenWrong = "seat_taken_wrong",
    /// The key of the rehearsal can sign identities (R18).
    NoIdentity = "no_identity",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_a_report_is_told_what_each_broken_promise_means() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let guide = std::fs::read_to_string(root.join("../../docs/rehearsal.md")).unwrap();
        for promise in Promise::ALL {
            let name = promise.name();
            assert!(guide.contains(&format!("`{name}`")), "docs/rehearsal.md does not explain {name}");
        }
    }
}
