//! The error codes: one table of status, titles and sentences, from which answers and documentation are made.

use actix_web::http::StatusCode;

/// The languages that people are told errors in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Korean,
}

macro_rules! codes {
    ($($name:ident, $status:ident, $code:literal, $en:literal, $ko:literal, $detail_en:literal, $detail_ko:literal;)*) => {
        /// What went wrong, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Code {
            $($name,)*
        }

        impl Code {
            /// All codes, in the order of the contract.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The code as it is written.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What went wrong, in a few words.
            pub(crate) const fn title(self, language: Language) -> &'static str {
                match language {
                    Language::English => match self { $(Self::$name => $en,)* },
                    Language::Korean => match self { $(Self::$name => $ko,)* },
                }
            }

            /// What went wrong, in a sentence; also the documentation of the code.
            pub(crate) const fn detail(self, language: Language) -> &'static str {
                match language {
                    Language::English => match self { $(Self::$name => $detail_en,)* },
                    Language::Korean => match self { $(Self::$name => $detail_ko,)* },
                }
            }
        }
    };
}

codes! {
    MalformedRequest, BAD_REQUEST, "malformed_request",
        "Malformed request", "잘못된 형식의 요청",
        "The body is not a JSON text in UTF-8.",
        "본문이 UTF-8로 된 JSON이 아닙니다.";
    ValidationFailed, BAD_REQUEST, "validation_failed",
        "Invalid values", "유효하지 않은 값",
        "Values are missing, unknown or out of their bounds; each is named below.",
        "값이 없거나, 알 수 없거나, 범위를 벗어났습니다. 아래에서 각각 확인하세요.";
    AmountMismatch, BAD_REQUEST, "amount_mismatch",
        "Wrong amount", "금액 불일치",
        "The amount is not the reservation's.",
        "예약 금액과 다른 금액입니다.";
    TokenMissing, UNAUTHORIZED, "token_missing",
        "Token missing", "토큰 없음",
        "The request needs `Authorization: Bearer` with a queue token.",
        "대기열 토큰을 담은 `Authorization: Bearer` 헤더가 필요합니다.";
    TokenUnknown, UNAUTHORIZED, "token_unknown",
        "Unknown token", "알 수 없는 토큰",
        "This token is not valid here: it was mistyped, or the line has been started anew. Join again.",
        "이 서비스에서 유효하지 않은 토큰입니다. 잘못 입력했거나 대기열이 새로 시작되었습니다. 다시 참여하세요.";
    AdminKeyInvalid, UNAUTHORIZED, "admin_key_invalid",
        "Invalid admin key", "유효하지 않은 관리자 키",
        "The request needs `Authorization: Bearer` with the admin key.",
        "관리자 키를 담은 `Authorization: Bearer` 헤더가 필요합니다.";
    IdentityInvalid, UNAUTHORIZED, "identity_invalid",
        "Invalid identity", "유효하지 않은 신원",
        "Joining needs `Authorization: Bearer` with a valid identity token of this very user.",
        "본인의 유효한 신원 토큰을 담은 `Authorization: Bearer` 헤더가 필요합니다.";
    InsufficientBalance, PAYMENT_REQUIRED, "insufficient_balance",
        "Not enough points", "포인트부족",
        "The wallet holds less than the price.",
        "지갑의 포인트가 결제 금액보다 적습니다.";
    TokenNotActive, FORBIDDEN, "token_not_active",
        "Token not active", "이용불가능한 토큰",
        "The turn of this token has not come yet, or it is over.",
        "이 토큰의 차례가 아직 오지 않았거나 이미 끝났습니다.";
    SelectionClosed, FORBIDDEN, "selection_closed",
        "No more seats in this turn", "좌석 선택 종료",
        "You can hold no more seats in this turn. What you hold can still be paid.",
        "이번 차례에는 좌석을 더 잡을 수 없습니다. 이미 잡은 좌석은 결제할 수 있습니다.";
    UserMismatch, FORBIDDEN, "user_mismatch",
        "Another user's", "사용자 불일치",
        "The reservation belongs to another user.",
        "다른 사용자의 예약입니다.";
    WrongQueue, FORBIDDEN, "wrong_queue",
        "Another queue", "다른 대기열",
        "This is sold through another queue than the token's.",
        "토큰의 대기열이 아닌 다른 대기열에서 판매합니다.";
    NotFound, NOT_FOUND, "not_found",
        "Not found", "찾을 수 없음",
        "There is no such thing, or not for this token.",
        "존재하지 않거나 이 토큰으로는 볼 수 없습니다.";
    SeatTaken, CONFLICT, "seat_taken",
        "Seat already taken", "이미 선택된 좌석입니다",
        "At least one of the seats is held or sold already.",
        "이미 선택되었거나 판매된 좌석이 있습니다.";
    SeatLimit, CONFLICT, "seat_limit",
        "Too many seats", "좌석 수 초과",
        "One user may not hold so many seats at once.",
        "한 사용자가 동시에 잡을 수 있는 좌석 수를 넘었습니다.";
    PurchaseLimit, CONFLICT, "purchase_limit",
        "Purchase limit reached", "1인 구매 한도 초과",
        "One user may not have so many seats of this concert.",
        "한 사용자가 이 공연에서 가질 수 있는 좌석 수를 넘었습니다.";
    SaleClosed, CONFLICT, "sale_closed",
        "Sale closed", "판매 종료",
        "The performance has started.",
        "이미 시작된 공연입니다.";
    AlreadyPaid, CONFLICT, "already_paid",
        "Already paid", "이미 결제 완료",
        "The reservation is paid.",
        "이미 결제가 완료된 예약입니다.";
    QueueExists, CONFLICT, "queue_exists",
        "Queue exists", "이미 있는 대기열",
        "There is a queue of this name already.",
        "같은 이름의 대기열이 이미 있습니다.";
    ReservationCancelled, CONFLICT, "reservation_cancelled",
        "Cannot be paid", "결제불가능",
        "The reservation was cancelled.",
        "취소된 예약입니다.";
    ReservationExpired, GONE, "reservation_expired",
        "Reservation expired", "결제불가능",
        "The hold ran out before it was paid.",
        "결제하기 전에 좌석 점유 시간이 끝났습니다.";
    MethodNotAllowed, METHOD_NOT_ALLOWED, "method_not_allowed",
        "Method not allowed", "허용되지 않는 메서드",
        "The path does not answer this method; `Allow` names those it does.",
        "이 경로에서 지원하지 않는 메서드입니다. `Allow` 헤더를 확인하세요.";
    PayloadTooLarge, PAYLOAD_TOO_LARGE, "payload_too_large",
        "Body too large", "너무 큰 본문",
        "The body is longer than this path reads.",
        "본문이 허용된 크기보다 큽니다.";
    UnsupportedMediaType, UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type",
        "Unsupported media type", "지원하지 않는 미디어 타입",
        "The body must be `application/json`, and not compressed.",
        "본문은 압축하지 않은 `application/json`이어야 합니다.";
    IdempotencyKeyReused, UNPROCESSABLE_ENTITY, "idempotency_key_reused",
        "Idempotency key reused", "재사용된 멱등성 키",
        "This `Idempotency-Key` came with another request before.",
        "이미 다른 요청에 사용된 `Idempotency-Key`입니다.";
    Overloaded, SERVICE_UNAVAILABLE, "overloaded",
        "Overloaded", "과부하",
        "Too many requests at once; this one was not executed.",
        "요청이 너무 많아 실행하지 않았습니다.";
    Unavailable, SERVICE_UNAVAILABLE, "unavailable",
        "Temporarily unavailable", "일시적으로 사용할 수 없음",
        "The request was perhaps executed; repeat it with the same `Idempotency-Key`.",
        "요청이 실행되었을 수도 있습니다. 같은 `Idempotency-Key`로 다시 시도하세요.";
    Internal, INTERNAL_SERVER_ERROR, "internal",
        "Internal error", "내부 오류",
        "Something went wrong here; `instance` carries the request's id.",
        "서버에서 오류가 발생했습니다. `instance`에 요청 ID가 있습니다.";
}
