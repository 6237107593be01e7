//! Query strings: each route's own parameters, each at most once, and no others.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::{FieldError, Wrong};
use time::Date;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

use crate::answer::dates;
use crate::answer::problem::Problem;
use crate::openapi::parameter::Parameter;

const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");

/// The parameters of a request, to be taken one by one. A parameter that is left over in the end is unknown or came twice.
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Parameters {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        // A poll has none, and whole crowds poll.
        if request.query_string().is_empty() {
            return Ok(Self { given: Vec::new(), errors: Vec::new() });
        }
        let given = actix_web::web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|_unreadable| Problem::invalid_value("query", Wrong::Query))?;
        Ok(Self { given: given.into_inner(), errors: Vec::new() })
    }

    /// The value of a parameter, when it was given and `parse` can read it; `wrong` when it cannot.
    pub(crate) fn take<T>(&mut self, name: &str, wrong: Wrong, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let index = self.given.iter().position(|(known, _)| known == name)?;
        let (_, text) = self.given.remove(index);
        let value = parse(&text);
        if value.is_none() {
            self.errors.push(FieldError::new(name, wrong));
        }
        value
    }

    fn finish<T>(mut self, value: T) -> Result<T, Problem> {
        let unknown = self.given.iter().take(20).map(|(name, _)| {
            let name: String = name.chars().take(100).collect();
            FieldError::new(name, Wrong::UnknownOrTwice)
        });
        self.errors.extend(unknown);
        if self.errors.is_empty() { Ok(value) } else { Err(Problem::invalid(self.errors)) }
    }
}

/// What a route reads from its query string.
pub(crate) trait FromQuery: Sized {
    /// Describes its parameters for the document.
    fn described() -> Vec<Parameter>;
    /// Takes its parameters; those that cannot be read are noted and missing here.
    fn read(parameters: &mut Parameters) -> Self;
}

/// A route's query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromQuery> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Parameters::of(request).and_then(|mut parameters| {
            let value = T::read(&mut parameters);
            parameters.finish(Self(value))
        }))
    }
}

/// No parameters.
pub(crate) struct Nothing;

impl FromQuery for Nothing {
    fn described() -> Vec<Parameter> {
        Vec::new()
    }

    fn read(_: &mut Parameters) -> Self {
        Self
    }
}

/// `from` and `to`, both inclusive.
pub(crate) struct Dates {
    /// The first date.
    pub(crate) from: Option<Date>,
    /// The last date.
    pub(crate) to: Option<Date>,
}

impl FromQuery for Dates {
    fn described() -> Vec<Parameter> {
        vec![
            Parameter { name: "from", says: "The first date, inclusive.", schema: dates::date },
            Parameter { name: "to", says: "The last date, inclusive.", schema: dates::date },
        ]
    }

    fn read(parameters: &mut Parameters) -> Self {
        let mut date = |name| {
            // The length first: the format alone would take years with a sign.
            parameters.take(name, Wrong::Date, |text| {
                Date::parse(text, DATE).ok().filter(|_| text.len() == "YYYY-MM-DD".len())
            })
        };
        Self { from: date("from"), to: date("to") }
    }
}

impl<A: FromQuery, B: FromQuery> FromQuery for (A, B) {
    fn described() -> Vec<Parameter> {
        [A::described(), B::described()].concat()
    }

    fn read(parameters: &mut Parameters) -> Self {
        (A::read(parameters), B::read(parameters))
    }
}
