//! What is wrong with a value, in the languages that people are told errors in.

use domain::Wrong;

use crate::answer::error_codes::Language;

/// What is wrong with a value, in a few words that go on from its name.
pub(crate) fn words(wrong: &Wrong, language: Language) -> String {
    match language {
        Language::English => wrong.to_string(),
        Language::Korean => korean(wrong),
    }
}

fn korean(wrong: &Wrong) -> String {
    let words = match wrong {
        Wrong::Missing => "필수 값입니다",
        Wrong::UnknownOrTwice => "알 수 없는 이름이거나 두 번 이상 쓰였습니다",
        Wrong::Twice => "한 번만 보낼 수 있습니다",
        Wrong::NotWith(other) => return format!("{other}와(과) 함께 보낼 수 없습니다"),
        Wrong::NoneOf(members) => return format!("{} 가운데 하나 이상이 필요합니다", members.join(", ")),
        Wrong::Object => "객체여야 합니다",
        Wrong::List => "목록이어야 합니다",
        Wrong::Text => "문자열이어야 합니다",
        Wrong::TrueOrFalse => "true 또는 false여야 합니다",
        Wrong::Number { least, most } => return format!("{least} 이상 {most} 이하의 정수여야 합니다"),
        Wrong::Items { least, most } => return format!("항목이 {least}개 이상 {most}개 이하여야 합니다"),
        Wrong::Line { most } => return format!("보이지 않는 문자가 없는 1자 이상 {most}자 이하의 문자열이어야 합니다"),
        Wrong::User => "보이지 않는 문자와 앞뒤 공백이 없고 유니코드 NFC로 된 1자 이상 64자 이하의 문자열이어야 합니다",
        Wrong::Queue => "소문자 a-z, 숫자 0-9, -로 된 1자 이상 32자 이하의 문자열이어야 합니다",
        Wrong::WholeNumber => "숫자로만 쓴 정수여야 합니다",
        Wrong::DateAndTime => "RFC 3339 형식으로 마이크로초까지 쓴 날짜와 시각이어야 합니다",
        Wrong::DateOutside { first, last } => return format!("{first}부터 {last}까지의 날짜여야 합니다"),
        Wrong::Past => "지금보다 뒤여야 합니다",
        Wrong::StartTwice { other } => return format!("schedules[{other}]과(와) 같은 시각에 시작할 수 없습니다"),
        Wrong::Date => "YYYY-MM-DD 형식의 날짜여야 합니다",
        Wrong::Uuid => "UUID여야 합니다",
        Wrong::Amount => "지수 표기 없이 소수점 아래 두 자리까지 쓴 0 이상 10000000000000 이하의 금액이어야 합니다",
        Wrong::AmountAbove { most } => return format!("0보다 크고 {most} 이하여야 합니다"),
        Wrong::Balance => "충전하면 잔액이 10000000000000을 넘습니다",
        Wrong::IdempotencyKey => "공백 없는 ASCII 문자 1자 이상 128자 이하여야 합니다",
        Wrong::Cursor => "이 목록의 페이지에서 받은 next_cursor여야 합니다",
        Wrong::Query => "쿼리 문자열로 읽을 수 없습니다",
        Wrong::SeatCount { of_schedule, of_concert } => {
            return format!(
                "좌석 수는 1 이상이어야 하고, 모두 합해 한 회차는 {of_schedule}석, 한 공연은 {of_concert}석 이하여야 합니다"
            );
        }
        Wrong::SeatNumber { most } => return format!("좌석 번호는 1 이상 {most} 이하여야 합니다"),
        Wrong::SeatTwice => "같은 좌석을 두 번 쓸 수 없습니다",
        Wrong::SeatsOfManySchedules => "같은 회차의 좌석이어야 합니다",
        Wrong::Price => "한 번에 결제할 수 있는 금액을 넘습니다",
        Wrong::NoNumberLeft => "더 줄 수 있는 번호가 없습니다",
    };
    words.to_owned()
}
