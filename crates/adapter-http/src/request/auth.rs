//! Who calls: queue tokens and the admin key, before anything of the body is read.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use app::Holder;
use domain::seal::SealedToken;
use subtle::ConstantTimeEq;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::api::{Api, api};

/// A queue token that this service has sealed, in whatever state it is.
#[derive(Clone, Copy)]
pub(crate) struct Bearer(pub(crate) Holder);

impl FromRequest for Bearer {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(token(request).map(Self))
    }
}

fn token(request: &HttpRequest) -> Result<Holder, Problem> {
    let text = credentials(request.headers()).map_err(|absent| match absent {
        Absent::None => Problem::new(Code::TokenMissing),
        Absent::Unreadable => Problem::new(Code::TokenUnknown),
    })?;
    let token = SealedToken::parse(text).ok_or_else(|| Problem::new(Code::TokenUnknown))?;
    Ok(api(request)?.app.authenticate(token)?)
}

/// Why a request carries no credentials that can be looked at.
pub(crate) enum Absent {
    /// There is no such header, or it is of another scheme.
    None,
    /// There are several such headers, or one that is no text.
    Unreadable,
}

/// What stands after `Authorization: Bearer`.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<&str, Absent> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let value = values.next().ok_or(Absent::None)?;
    if values.next().is_some() {
        return Err(Absent::Unreadable);
    }
    // A header's value holds no control characters, so that all ASCII in it is visible. Asking byte by byte costs more.
    let text = str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii()).ok_or(Absent::Unreadable)?;
    match text.split_once(' ') {
        Some((scheme, credentials)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(credentials.trim_start_matches(' ')),
        None | Some(_) => Err(Absent::None),
    }
}

/// A caller who has the admin key.
pub(crate) struct Admin;

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(api(request).and_then(|api| admin(request.headers(), api)))
    }
}

fn admin(headers: &HeaderMap, api: &Api) -> Result<Admin, Problem> {
    let refused = || Problem::new(Code::AdminKeyInvalid);
    let given = credentials(headers).map_err(|_absent| refused())?;
    // Hashes have one length, so that the time of comparing says nothing of the key's.
    let same = api.admin_key.as_ref().is_some_and(|key| blake3::hash(given.as_bytes()).as_bytes().ct_eq(key).into());
    if same { Ok(Admin) } else { Err(refused()) }
}
