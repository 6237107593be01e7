//! What a history is made of, in plain numbers and words: nothing here knows a rule, or an id that a store drew.

use std::time::Duration;

use domain::Timestamp;
use domain::line::Line;
use domain::ports::QueueReport;

/// A place in a queue. Queues, schedules, users and reservations are named by their index in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) queue: usize,
    pub(crate) number: u64,
}

/// What is done. Amounts are hundredths, times microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Join { queue: usize, user: usize },
    Leave { place: Place },
    Admit,
    Hold { place: Place, schedule: usize, seats: Vec<u32>, by_ids: bool, key: Option<u8> },
    Cancel { place: Place, booking: usize },
    Pay { place: Place, booking: usize, amount: Option<i64>, key: Option<u8> },
    Charge { user: usize, amount: i64, key: Option<u8> },
    Policy { queue: usize, change: Terms },
    Sweep,
    Clock { to: i64 },
}

/// What is changed of a policy; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) max_active: Option<u32>,
    pub(crate) batch: Option<u32>,
    pub(crate) interval: Option<u32>,
    pub(crate) paused: Option<bool>,
    pub(crate) opens: Opens,
}

/// What becomes of a queue's opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Opens {
    #[default]
    AsBefore,
    AtOnce,
    At(i64),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The rejection's name and values.
    Refused(String),
    Joined {
        created: bool,
        token: TokenSeen,
        line: LineSeen,
    },
    Left,
    /// Queue, how many were admitted, how many are ACTIVE after it; only queues in which somebody was admitted, as
    /// what had expired may have been written before.
    Admitted(Vec<(usize, u64, u64, LineSeen)>),
    Held {
        booking: Booking,
        replayed: bool,
    },
    Cancelled(Booking),
    Paid {
        payment: PaymentSeen,
        booking: Booking,
        balance: i64,
        replayed: bool,
    },
    Charged {
        entry: EntrySeen,
        balance: i64,
        last_seq: u64,
        replayed: bool,
    },
    Changed(ReportSeen),
    /// How many: at most those that were due, as some may have been written before.
    Swept(u64),
    Moved,
}

/// A token, with its state at the moment of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenSeen {
    pub(crate) place: Place,
    pub(crate) user: String,
    pub(crate) issued_at: i64,
    pub(crate) turn: Option<TurnSeen>,
    pub(crate) state: TokenState,
}

/// A turn: when its token was admitted, until when it may begin holds, and until when it is ACTIVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TurnSeen {
    pub(crate) since: i64,
    pub(crate) selection_ends_at: i64,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    Waiting {
        position: u64,
    },
    Active,
    /// Its time is up, whether that is written or not.
    Over,
    Left {
        at: i64,
    },
    /// The last that it paid, and when it ended, whether that is written or not.
    Paid {
        at: i64,
        booking: usize,
    },
}

/// A queue's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineSeen {
    pub(crate) issued: u64,
    pub(crate) admitted: u64,
    pub(crate) frontier: u64,
    pub(crate) ended_beyond: u64,
    pub(crate) version: u64,
}

impl LineSeen {
    pub(crate) const fn of(line: &Line) -> Self {
        Self {
            issued: line.issued,
            admitted: line.admitted,
            frontier: line.frontier,
            ended_beyond: line.ended_beyond,
            version: line.version,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportSeen {
    pub(crate) max_active: u32,
    pub(crate) batch: u32,
    pub(crate) interval: u32,
    pub(crate) paused: bool,
    pub(crate) opens_at: Option<i64>,
    pub(crate) active: u64,
    pub(crate) line: LineSeen,
    /// How many paid, left and ran out of time.
    pub(crate) ended: (u64, u64, u64),
    /// How long the first one in line has waited.
    pub(crate) oldest_wait: Option<i64>,
    /// How long those had waited who were admitted lately, ascending.
    pub(crate) waits: Vec<i64>,
}

impl ReportSeen {
    pub(crate) fn of(report: &QueueReport) -> Self {
        let micros = |span: &Duration| i64::try_from(span.as_micros()).unwrap();
        let mut waits: Vec<i64> = report.waits.iter().map(micros).collect();
        waits.sort_unstable();
        let ended = report.ended;
        assert_eq!((ended.absent, ended.new_epoch), (0, 0), "no server watches, and no epoch ends in a history");
        Self {
            max_active: report.policy.max_active,
            batch: report.policy.batch,
            interval: report.policy.interval_seconds,
            paused: report.policy.paused,
            opens_at: report.policy.opens_at.map(Timestamp::micros),
            active: report.active,
            line: LineSeen::of(&report.line),
            ended: (ended.paid, ended.left, ended.deadline),
            oldest_wait: report.oldest_wait.as_ref().map(micros),
            waits,
        }
    }
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Booking {
    pub(crate) index: usize,
    pub(crate) queue: usize,
    pub(crate) user: String,
    pub(crate) schedule: usize,
    /// Number and price.
    pub(crate) seats: Vec<(u32, i64)>,
    pub(crate) amount: i64,
    pub(crate) status: BookingStatus,
    pub(crate) reserved_at: i64,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BookingStatus {
    Pending,
    Confirmed,
    RanOut,
    ByUser,
    ByLeaving,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentSeen {
    pub(crate) index: usize,
    pub(crate) user: String,
    pub(crate) booking: usize,
    pub(crate) amount: i64,
    pub(crate) paid_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntrySeen {
    pub(crate) user: String,
    pub(crate) seq: u64,
    /// The reservation it paid; `None` for a charge.
    pub(crate) paid: Option<usize>,
    pub(crate) amount: i64,
    pub(crate) balance_after: i64,
    pub(crate) at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeatSeen {
    Available,
    Held,
    Sold,
}

/// Everything that can be read of a store at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Of each queue the report and all tokens by number.
    pub(crate) queues: Vec<(ReportSeen, Vec<(TokenSeen, LineSeen)>)>,
    /// Of each schedule its seats by number, and how many are said to be free.
    pub(crate) schedules: Vec<(Vec<(u32, SeatSeen)>, u32)>,
    /// Of each user and queue the reservations and the payments with what they paid for, newest first.
    pub(crate) sales: Vec<Vec<Sales>>,
    /// Of each user the balance, the last `seq`, and all entries, newest first.
    pub(crate) wallets: Vec<(i64, u64, Vec<EntrySeen>)>,
}

/// The reservations of a user in a queue, and the payments with what they paid for.
pub(crate) type Sales = (Vec<Booking>, Vec<(PaymentSeen, Booking)>);

/// One line of a history's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When; for a step of the clock, before it.
    pub(crate) at: i64,
    pub(crate) command: Command,
    pub(crate) answer: Answer,
}
