//! Errors as RFC 9457 problem documents.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use app::Failure;
use domain::ports::StoreError;
use domain::rejection::Missing;
use domain::{FieldError, Rejection, Wrong};
use serde::Serialize;

use crate::answer::error_codes::{Code, Language};
use crate::answer::extension::{Extension, InvalidValue};
use crate::answer::points::Points;
use crate::answer::sentence::Sentence;
use crate::answer::token_state::TokenState;
use crate::answer::wrong_values;

/// How many wrong values one answer names.
pub(crate) const MAX_ERRORS: usize = 100;

/// Why a request was not answered with success. Rendered once, at the edge, where language and request id are known.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// What went wrong.
    pub(crate) code: Code,
    extension: Box<Extension>,
    /// What exactly, where the sentence of the code does not tell.
    sentence: Option<&'static Sentence>,
    /// Values that cannot be used; they are told in the caller's language.
    invalid: Box<[FieldError]>,
    /// What exactly, in English, where that helps the caller.
    note: Option<String>,
    /// What exactly, for the log only.
    pub(crate) cause: Option<String>,
    allow: Option<Box<str>>,
}

/// The values that cannot be used, if there are any.
fn invalid_values(invalid: &[FieldError], language: Language) -> Option<Extension> {
    let told = |error: &FieldError| InvalidValue {
        field: error.field.clone(),
        message: wrong_values::words(&error.wrong, language),
    };
    (!invalid.is_empty()).then(|| Extension::Errors { errors: invalid.iter().map(told).collect() })
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
    extension: &'a Extension,
}

impl Problem {
    /// A problem of which there is no more to say than its code.
    pub(crate) fn new(code: Code) -> Self {
        let (extension, invalid) = (Box::new(Extension::Nothing), Box::default());
        Self { code, extension, sentence: None, invalid, note: None, cause: None, allow: None }
    }

    /// Nothing is served under the path.
    pub(crate) fn no_such_path() -> Self {
        Self { sentence: Some(&Sentence::NO_SUCH_PATH), ..Self::new(Code::NotFound) }
    }

    fn not_found(what: Missing) -> Self {
        match what {
            Missing::Seats(seat_numbers) => {
                Self { extension: Box::new(Extension::MissingSeats { seat_numbers }), ..Self::new(Code::NotFound) }
            }
            what => Self { sentence: Some(Sentence::missing(&what)), ..Self::new(Code::NotFound) },
        }
    }

    /// A body that is no JSON, and why.
    pub(crate) fn malformed(note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..Self::new(Code::MalformedRequest) }
    }

    /// Values that cannot be used, of which the first [`MAX_ERRORS`] are told.
    pub(crate) fn invalid(mut errors: Vec<FieldError>) -> Self {
        errors.truncate(MAX_ERRORS);
        Self { invalid: errors.into(), ..Self::new(Code::ValidationFailed) }
    }

    /// One value that cannot be used.
    pub(crate) fn invalid_value(field: &str, wrong: Wrong) -> Self {
        Self::invalid(vec![FieldError::new(field, wrong)])
    }

    /// A fault of this service; the cause is for the log.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Internal) }
    }

    /// This service cannot answer now; the cause is for the log.
    pub(crate) fn unavailable(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Unavailable) }
    }

    /// The same, of which the caller is told this instead of what the code says.
    pub(crate) fn saying(self, sentence: &'static Sentence) -> Self {
        Self { sentence: Some(sentence), ..self }
    }

    /// The path exists and answers `allow` only.
    pub(crate) fn method_not_allowed(allow: String) -> Self {
        Self { allow: Some(allow.into()), ..Self::new(Code::MethodNotAllowed) }
    }

    /// What one of actix's own errors is to the caller.
    pub(crate) fn of(error: &actix_web::Error) -> Self {
        let response = error.as_response_error();
        match response.status_code() {
            StatusCode::NOT_FOUND => Self::no_such_path(),
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
        let sentence = || self.sentence.map_or_else(|| self.code.detail(language), |sentence| sentence.text(language));
        let detail = self.extension.detail(language).unwrap_or_else(|| sentence().to_owned());
        // What is noted is in English.
        let note = self.note.as_ref().filter(|_| language != Language::Korean);
        let detail = note.map_or_else(|| detail.clone(), |note| format!("{detail} ({note})"));
        let told = invalid_values(&self.invalid, language);
        let document = Document {
            r#type: format!("urn:usher:problem:{}", self.code.as_str()),
            title: self.code.title(language),
            status: status.as_u16(),
            detail: &detail,
            instance: format!("urn:usher:request:{request_id}"),
            code: self.code.as_str(),
            extension: told.as_ref().unwrap_or(&self.extension),
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
            response.insert_header((header::ALLOW, allow.as_ref()));
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
        let (code, extension) = match rejection {
            Rejection::TokenUnknown => (Code::TokenUnknown, Extension::Nothing),
            Rejection::TokenNotActive(status) => {
                (Code::TokenNotActive, Extension::Token { token_status: TokenState::from(status) })
            }
            Rejection::SelectionClosed(at) => {
                (Code::SelectionClosed, Extension::Selection { selection_ends_at: at.to_string() })
            }
            Rejection::UserMismatch => (Code::UserMismatch, Extension::Nothing),
            Rejection::WrongQueue => (Code::WrongQueue, Extension::Nothing),
            Rejection::NotFound(what) => return Self::not_found(what),
            Rejection::SeatTaken { numbers, own, .. } => {
                (Code::SeatTaken, Extension::TakenSeats { seat_numbers: numbers, own_seat_numbers: own })
            }
            Rejection::SeatLimit(max_seats) => (Code::SeatLimit, Extension::Limit { max_seats }),
            Rejection::PurchaseLimit { max_per_user, owned } => {
                (Code::PurchaseLimit, Extension::Purchase { max_per_user, owned })
            }
            Rejection::SaleClosed => (Code::SaleClosed, Extension::Nothing),
            Rejection::AlreadyPaid => (Code::AlreadyPaid, Extension::Nothing),
            Rejection::QueueExists => (Code::QueueExists, Extension::Nothing),
            Rejection::ReservationCancelled => (Code::ReservationCancelled, Extension::Nothing),
            Rejection::ReservationExpired => (Code::ReservationExpired, Extension::Nothing),
            Rejection::InsufficientBalance { balance, amount } => (
                Code::InsufficientBalance,
                Extension::Balance { balance: Points::from(&balance), amount: Points::from(&amount) },
            ),
            Rejection::AmountMismatch => (Code::AmountMismatch, Extension::Nothing),
            Rejection::IdempotencyKeyReused => (Code::IdempotencyKeyReused, Extension::Nothing),
            Rejection::Invalid(errors) => return Self::invalid(errors),
        };
        Self { extension: Box::new(extension), ..Self::new(code) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::new(Code::Overloaded),
            StoreError::Unavailable(_) | StoreError::Full => Self::unavailable(error.to_string()),
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
