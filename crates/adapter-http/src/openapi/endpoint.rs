//! One endpoint: what the router needs of it and what the document says of it, in one place, so that both agree.

use actix_web::Route;
use actix_web::http::Method;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::answer::error_codes::Code;
use crate::openapi::parameter::Parameter;
use crate::request::query::FromQuery;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Everyone.
    Open,
    /// Who the shop vouches for, if it does (R18).
    Identity,
    /// Whom the shop vouches for, and nobody in open mode (R16).
    Person,
    /// The holder of a token in any state.
    Token,
    /// The holder of a live token, or of one that ended not long ago (R16).
    Reader,
    /// The holder of a live token (R17).
    Live,
    /// The holder of an ACTIVE token (R6).
    Active,
    /// The holder of an ACTIVE token or of one that ended not long ago and, where the operator lets people top up while they
    /// wait, of a WAITING one (R16).
    Wallet,
    /// The holder of an ACTIVE token and, where the operator lets people top up while they wait, of a WAITING one (R16).
    Charging,
    /// The operator.
    Admin,
}

/// A schema with its name and the schemas it refers to.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) schema: RefOr<Schema>,
    pub(crate) parts: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    /// The shape of `T`.
    pub(crate) fn of<T: ToSchema>() -> Self {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        Self { name: T::name().into_owned(), schema: <T as PartialSchema>::schema(), parts }
    }
}

/// What a success carries.
#[derive(Clone)]
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// One object.
    One(Shape, Value),
    /// A page of objects.
    Page(Shape, Value),
    /// Something else than the API's objects, by its media type.
    Other(&'static str),
}

/// A success, for the document.
#[derive(Clone)]
pub(crate) struct Success {
    pub(crate) status: u16,
    pub(crate) says: &'static str,
    pub(crate) content: Content,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

/// One method of one path.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Makes the route; called once for each worker.
    pub(crate) handler: fn() -> Route,
    /// The document's `operationId`.
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) auth: Auth,
    pub(crate) stores: bool,
    pub(crate) idempotent: bool,
    /// Whether the document tells of it.
    pub(crate) documented: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<(Shape, Value)>,
    pub(crate) successes: Vec<Success>,
    refusals: Vec<Code>,
}

impl Endpoint {
    /// A method of a path. `name` names it in the document, and `says` tells what it does.
    pub(crate) fn new(
        method: Method,
        path: &'static str,
        name: &'static str,
        says: &'static str,
        handler: fn() -> Route,
    ) -> Self {
        Self {
            method,
            path,
            handler,
            name,
            says,
            auth: Auth::Open,
            stores: true,
            idempotent: false,
            documented: true,
            parameters: Vec::new(),
            body: None,
            successes: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Who may call; everyone otherwise.
    pub(crate) fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// It asks no store and so cannot find it overloaded or away.
    pub(crate) fn without_store(mut self) -> Self {
        self.stores = false;
        self
    }

    /// It is for people who look, and no part of what programs ask.
    pub(crate) fn undocumented(mut self) -> Self {
        self.documented = false;
        self
    }

    /// It may be repeated with an `Idempotency-Key` (R15).
    pub(crate) fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Its query parameters: those that `T` reads.
    pub(crate) fn query<T: FromQuery>(mut self) -> Self {
        self.parameters = T::described();
        self
    }

    /// Its body.
    pub(crate) fn body<T: ToSchema>(mut self, example: Value) -> Self {
        self.body = Some((Shape::of::<T>(), example));
        self
    }

    /// A success.
    pub(crate) fn answers(mut self, status: u16, says: &'static str, content: Content) -> Self {
        self.successes.push(Success { status, says, content, headers: Vec::new() });
        self
    }

    /// A header of the success named last.
    pub(crate) fn header(mut self, name: &'static str, says: &'static str) -> Self {
        if let Some(success) = self.successes.last_mut() {
            success.headers.push((name, says));
        }
        self
    }

    /// Its own errors, beside those that follow from the above.
    pub(crate) fn refuses(mut self, codes: &[Code]) -> Self {
        self.refusals.extend_from_slice(codes);
        self
    }

    /// Whether it belongs to the API proper.
    pub(crate) fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// All its errors.
    pub(crate) fn errors(&self) -> Vec<Code> {
        let mut codes = self.refusals.clone();
        codes.push(Code::Internal);
        match self.auth {
            Auth::Open => {}
            Auth::Identity | Auth::Person => codes.push(Code::IdentityInvalid),
            Auth::Token => codes.extend([Code::TokenMissing, Code::TokenUnknown]),
            Auth::Reader | Auth::Live | Auth::Active | Auth::Wallet | Auth::Charging => {
                codes.extend([Code::TokenMissing, Code::TokenUnknown, Code::TokenNotActive]);
            }
            Auth::Admin => codes.push(Code::AdminKeyInvalid),
        }
        if self.is_api() {
            // Unknown query parameters are refused everywhere.
            codes.push(Code::ValidationFailed);
        }
        if self.body.is_some() {
            codes.extend([Code::MalformedRequest, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
        }
        if self.idempotent {
            codes.push(Code::IdempotencyKeyReused);
        }
        if self.path.contains('{') {
            codes.push(Code::NotFound);
        }
        if self.stores {
            codes.extend([Code::Overloaded, Code::Unavailable]);
        }
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}
