//! The caller who joins, proved by the shop's identity token when the shop vouches for its people (R18).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::UserId;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::api::api;
use crate::request::auth::credentials;

/// The user that a joining caller is known to be; `None` in open mode, where anyone may name any user.
pub(crate) struct Identity(Option<String>);

impl Identity {
    /// Lets the caller be `user`, if they may.
    pub(crate) fn may_be(&self, user: &UserId) -> Result<(), Problem> {
        match &self.0 {
            Some(subject) if subject != user.as_str() => Err(Problem::new(Code::IdentityInvalid)),
            Some(_) | None => Ok(()),
        }
    }
}

impl FromRequest for Identity {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request))
    }
}

/// Whom the shop vouches for. In open mode nobody is: there anybody could name anybody.
pub(crate) struct Person(pub(crate) UserId);

impl FromRequest for Person {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request).and_then(|Identity(subject)| {
            let user = subject.and_then(|subject| UserId::parse(&subject));
            user.map(Self).ok_or_else(|| Problem::new(Code::IdentityInvalid))
        }))
    }
}

fn identity(request: &HttpRequest) -> Result<Identity, Problem> {
    let api = api(request)?;
    let Some(key) = &api.identity else { return Ok(Identity(None)) };
    let token = credentials(request.headers()).ok();
    let subject = token.and_then(|token| key.subject(token, api.app.now()));
    subject.map(|subject| Identity(Some(subject))).ok_or_else(|| Problem::new(Code::IdentityInvalid))
}
