//! Cross-origin requests: off unless origins are listed (WHATWG Fetch, CORS protocol).
//!
//! Written by hand: `actix-cors` answers a preflight that it refuses by itself, with 400 and a plain text, and boxes the
//! answer to each request with an origin. Here the router answers strangers as it answers everybody, with problem
//! documents, and a listed page may read every answer, also the one to a panic.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use url::Url;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id",
);
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Allow, Date, ETag, Idempotent-Replayed, Location, Retry-After, WWW-Authenticate, X-Request-Id",
);
/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Whether a browser may send this as the origin of a web page (WHATWG HTML, ASCII serialization of an origin):
/// `http` or `https`, a host in lower case, and a port only when it is not the scheme's own.
pub fn is_web_origin(text: &str) -> bool {
    // The standard allows a `*` in a host. An operator who lists one hopes for a wildcard, and there are none.
    let of_the_web = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) && !text.contains('*');
    of_the_web && Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

/// The origins whose pages may call.
pub(crate) struct Cors {
    origins: Vec<HeaderValue>,
}

impl Cors {
    /// From the operator's list, each as browsers write it: `https://shop.example`.
    pub(crate) fn new(origins: &[String]) -> Self {
        // No browser can send an origin that is no header value.
        Self { origins: origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect() }
    }

    /// The caller's origin, when it is listed.
    pub(crate) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.origins.is_empty() {
            return None;
        }
        let origin = headers.get(header::ORIGIN)?;
        self.origins.contains(origin).then(|| origin.clone())
    }

    /// The answer to a preflight from an allowed origin; `None` when the request is no preflight.
    pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<HttpResponse> {
        let asks = method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        asks.then(|| {
            HttpResponse::NoContent()
                .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
                .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
                .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
                .finish()
        })
    }

    /// Lets the caller's page read the answer. `Vary` tells caches that answers differ by origin, whoever asks.
    pub(crate) fn mark(&self, response: &mut HeaderMap, allowed: Option<HeaderValue>) {
        if self.origins.is_empty() {
            return;
        }
        response.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = allowed {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for good in [
            "https://shop.example",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]",
            "http://[::1]:3000",
            "https://xn--bcher-kva.example",
            "https://shop.example:80",
        ] {
            assert!(is_web_origin(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "shop.example",
            "https://",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example/buy",
            "https://shop.example?a",
            "https://shop.example#a",
            "https://ann@shop.example",
            " https://shop.example",
            "https://Shop.example",
            "HTTPS://shop.example",
            "https://b\u{fc}cher.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "http://shop.example:",
            "http://shop.example:080",
            "http://shop.example:65536",
            "http://shop.example:1:2",
            "http://::1",
            "http://[::1",
            "http://[0:0:0:0:0:0:0:1]",
            "ftp://shop.example",
        ] {
            assert!(!is_web_origin(bad), "{bad}");
        }
    }
}
