//! Errors as RFC 9457 problem documents.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use app::Failure;
use domain::ports::StoreError;
use domain::{FieldError, Rejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::error_codes::{Code, Language};
use crate::answer::points::Points;
use crate::answer::token_state::TokenState;

/// Why a request was not answered with success. Rendered once, at the edge, where language and request id are known.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// What went wrong.
    pub(crate) code: Code,
    more: More,
    /// What exactly, in English, where that helps the caller.
    note: Option<String>,
    /// What exactly, for the log only.
    pub(crate) cause: Option<String>,
    allow: Option<String>,
}

/// What a code tells programs beside itself: one member or two of the document.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(untagged)]
enum More {
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
    Seats {
        seat_numbers: Vec<u32>,
    },
    Limit {
        max_seats: u32,
    },
}

/// A value that is missing, unknown or out of its bounds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InvalidValue {
    /// Where the value stands.
    #[schema(example = "schedules[0].seats[1].price")]
    field: String,
    /// What it must be.
    #[schema(example = "must be 1 to 64 characters")]
    message: String,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: String,
    code: &'static str,
    #[serde(flatten)]
    more: &'a More,
}

impl Problem {
    /// A problem of which there is no more to say than its code.
    pub(crate) fn new(code: Code) -> Self {
        Self { code, more: More::Nothing, note: None, cause: None, allow: None }
    }

    /// A body that is no JSON, and why.
    pub(crate) fn malformed(note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..Self::new(Code::MalformedRequest) }
    }

    /// Values that cannot be used.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let errors = errors.into_iter().map(|e| InvalidValue { field: e.field, message: e.message }).collect();
        Self { more: More::Errors { errors }, ..Self::new(Code::ValidationFailed) }
    }

    /// One value that cannot be used.
    pub(crate) fn invalid_value(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// A fault of this service; the cause is for the log.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Internal) }
    }

    /// This service cannot answer now; the cause is for the log.
    pub(crate) fn unavailable(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Unavailable) }
    }

    /// The path exists and answers `allow` only.
    pub(crate) fn method_not_allowed(allow: String) -> Self {
        Self { allow: Some(allow), ..Self::new(Code::MethodNotAllowed) }
    }

    /// What one of actix's own errors is to the caller.
    pub(crate) fn of(error: &actix_web::Error) -> Self {
        let response = error.as_response_error();
        match response.status_code() {
            StatusCode::NOT_FOUND => Self::new(Code::NotFound),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(Code::MethodNotAllowed),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(Code::PayloadTooLarge),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(Code::UnsupportedMediaType),
            status if status.is_client_error() => Self::malformed(error.to_string()),
            _ => Self::internal(error.to_string()),
        }
    }

    /// The document, for one caller. `instance` names the request.
    pub(crate) fn respond(&self, language: Language, request_id: &str) -> HttpResponse {
        let status = self.code.status();
        let detail = self.code.detail(language);
        let detail = self.note.as_ref().map_or_else(|| detail.to_owned(), |note| format!("{detail} ({note})"));
        let document = Document {
            r#type: format!("urn:usher:problem:{}", self.code.as_str()),
            title: self.code.title(language),
            status: status.as_u16(),
            detail: &detail,
            instance: format!("urn:usher:request:{request_id}"),
            code: self.code.as_str(),
            more: &self.more,
        };
        let mut response = HttpResponse::build(status);
        self.add_headers(&mut response);
        response.insert_header((header::CONTENT_LANGUAGE, if language == Language::Korean { "ko" } else { "en" }));
        response.insert_header((header::VARY, "Accept-Language"));
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
        match serde_json::to_vec(&document) {
            Ok(body) => response.body(body),
            Err(error) => {
                tracing::error!(%error, "a problem document could not be written");
                response.finish()
            }
        }
    }

    fn add_headers(&self, response: &mut HttpResponseBuilder) {
        match self.code {
            Code::TokenMissing | Code::AdminKeyInvalid => {
                response.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="usher""#));
            }
            Code::TokenUnknown | Code::IdentityInvalid => {
                response.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="usher", error="invalid_token""#));
            }
            Code::Overloaded | Code::Unavailable => {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            _ => {}
        }
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let (code, more) = match rejection {
            Rejection::TokenUnknown => (Code::TokenUnknown, More::Nothing),
            Rejection::TokenNotActive(status) => {
                (Code::TokenNotActive, More::Token { token_status: TokenState::from(status) })
            }
            Rejection::UserMismatch => (Code::UserMismatch, More::Nothing),
            Rejection::WrongQueue => (Code::WrongQueue, More::Nothing),
            Rejection::NotFound(_) => (Code::NotFound, More::Nothing),
            Rejection::SeatTaken(seat_numbers) => (Code::SeatTaken, More::Seats { seat_numbers }),
            Rejection::SeatLimit(max_seats) => (Code::SeatLimit, More::Limit { max_seats }),
            Rejection::SaleClosed => (Code::SaleClosed, More::Nothing),
            Rejection::AlreadyPaid => (Code::AlreadyPaid, More::Nothing),
            Rejection::ReservationCancelled => (Code::ReservationCancelled, More::Nothing),
            Rejection::ReservationExpired => (Code::ReservationExpired, More::Nothing),
            Rejection::InsufficientBalance { balance, amount } => (
                Code::InsufficientBalance,
                More::Balance { balance: Points::from(&balance), amount: Points::from(&amount) },
            ),
            Rejection::AmountMismatch => (Code::AmountMismatch, More::Nothing),
            Rejection::IdempotencyKeyReused => (Code::IdempotencyKeyReused, More::Nothing),
            Rejection::Invalid(errors) => return Self::invalid(errors),
        };
        Self { more, ..Self::new(code) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::new(Code::Overloaded),
            StoreError::Unavailable(_) => Self::unavailable(error.to_string()),
            StoreError::Inconsistent { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rejected(rejection) => rejection.into(),
            Failure::Store(error) => error.into(),
        }
    }
}
