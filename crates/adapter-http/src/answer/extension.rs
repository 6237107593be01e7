//! What a problem document has beside its usual members, for programs, and what it says of them to people.

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::error_codes::Language;
use crate::answer::points::Points;
use crate::answer::token_state::TokenState;

/// The extension members of a problem document (RFC 9457, 3.2): one or two of them, or none.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(untagged)]
pub(crate) enum Extension {
    #[default]
    Nothing,
    Errors {
        errors: Vec<InvalidValue>,
    },
    Balance {
        balance: Points,
        amount: Points,
    },
    Token {
        token_status: TokenState,
    },
    Selection {
        selection_ends_at: String,
    },
    MissingSeats {
        seat_numbers: Vec<u32>,
    },
    TakenSeats {
        seat_numbers: Vec<u32>,
        own_seat_numbers: Vec<u32>,
    },
    Limit {
        max_seats: u32,
    },
    Purchase {
        max_per_user: u32,
        owned: u32,
    },
}

/// A value that is missing, unknown or out of its bounds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InvalidValue {
    /// Where the value stands.
    #[schema(example = "schedules[0].seats[1].price")]
    pub(crate) field: String,
    /// What is wrong with it, in the language of the document.
    #[schema(example = "must be a whole number, 1 to 100")]
    pub(crate) message: String,
}

impl Extension {
    /// A sentence for people that has these values in it; `None` where the sentence of the code says all.
    pub(crate) fn detail(&self, language: Language) -> Option<String> {
        let (english, korean) = match self {
            Self::Nothing | Self::Errors { .. } | Self::Selection { .. } => return None,
            Self::MissingSeats { seat_numbers } => {
                let numbers = seat_numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                (
                    format!("There are no seats of these numbers: {numbers}."),
                    format!("이 번호의 좌석이 없습니다: {numbers}."),
                )
            }
            Self::TakenSeats { own_seat_numbers, .. } if own_seat_numbers.is_empty() => return None,
            Self::TakenSeats { seat_numbers, own_seat_numbers } if seat_numbers == own_seat_numbers => (
                "You have these seats already, held or bought.".to_owned(),
                "이미 본인이 선택했거나 구매한 좌석입니다.".to_owned(),
            ),
            Self::TakenSeats { .. } => (
                "Of the seats that are held or sold already, some are yours.".to_owned(),
                "이미 선택되었거나 판매된 좌석이 있습니다. 그중 일부는 본인의 좌석입니다.".to_owned(),
            ),
            Self::Balance { balance, amount } => (
                format!("Your wallet has {balance} points, and this costs {amount}."),
                format!("지갑의 잔액은 {balance}포인트이고, 결제할 금액은 {amount}포인트입니다."),
            ),
            Self::Token { token_status: TokenState::Waiting } => (
                "It is not your turn yet; you are still in line.".to_owned(),
                "아직 차례가 아닙니다. 대기열에서 기다려 주세요.".to_owned(),
            ),
            Self::Token { token_status: TokenState::Expired | TokenState::Active } => (
                "Your turn is over; join the line again to get another one.".to_owned(),
                "이용 시간이 끝났습니다. 다시 이용하려면 대기열에 새로 참여하세요.".to_owned(),
            ),
            Self::Limit { max_seats } => (
                format!("You can hold at most {max_seats} seats at once."),
                format!("동시에 잡을 수 있는 좌석은 최대 {max_seats}석입니다."),
            ),
            Self::Purchase { max_per_user, owned } => (
                format!("You can have at most {max_per_user} seats here, held and bought; you have {owned} of them."),
                format!(
                    "한 사람이 선택하거나 구매할 수 있는 좌석은 최대 {max_per_user}석이고, 현재 {owned}석이 있습니다."
                ),
            ),
        };
        Some(if language == Language::Korean { korean } else { english })
    }
}
